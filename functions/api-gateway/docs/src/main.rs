use api_gateway_docs::Docs;
use std::process::ExitCode;

fn main() -> ExitCode {
    host::run(|| Ok(Docs::default()))
}
