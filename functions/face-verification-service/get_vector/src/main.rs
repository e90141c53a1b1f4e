use cache::Cache;
use face::FaceWorker;
use face_verification_service_get_vector::GetVector;
use identity::Identity;
use objects::Bucket;
use postgres::Pool;
use std::{process::ExitCode, sync::Arc};
use tokens::Verifier;

fn main() -> ExitCode {
    host::run(|| {
        let pool = Pool::from_env(face_verification_service_get_vector::STATEMENT_TIMEOUT)?;
        let identity = Identity::new(Verifier::from_env()?, Arc::new(Cache::from_env()?), pool.clone());
        Ok(GetVector { identity, pool, bucket: Bucket::from_env()?, faces: FaceWorker::from_env()? })
    })
}
