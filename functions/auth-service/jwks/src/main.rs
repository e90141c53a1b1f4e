use auth_service_jwks::Jwks;
use std::process::ExitCode;

fn main() -> ExitCode {
    host::run(|| Ok(Jwks { key_set: tokens::public_key_set_from_env()? }))
}
