//! A function that answers with what it was asked: what the tests run on each host.

mod endpoint;

use std::process::ExitCode;

fn main() -> ExitCode {
    host::run(|| {
        let greeting = settings::required("ECHO_GREETING")?;
        Ok(endpoint::Echo { greeting })
    })
}
