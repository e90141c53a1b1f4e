use cache::Cache;
use face::FaceWorker;
use face_verification_service_verify_photo::VerifyPhoto;
use objects::Bucket;
use postgres::Pool;
use std::process::ExitCode;

fn main() -> ExitCode {
    host::run_events(|| {
        Ok(VerifyPhoto {
            pool: Pool::from_env(face_verification_service_verify_photo::STATEMENT_TIMEOUT)?,
            cache: Cache::from_env()?,
            bucket: Bucket::from_env()?,
            faces: FaceWorker::from_env()?,
            match_threshold: settings::or_default("FACE_MATCH_THRESHOLD", face::MATCH_THRESHOLD)?,
        })
    })
}
