//! `cargo stack lambda`.

use clap::Args;
use localstack::{Error, functions::repository, packages, stack::Running};
use std::{os::unix::process::CommandExt, process::Command};

#[derive(Args)]
pub(crate) struct Options {
    /// The port of the Lambda emulator on 127.0.0.1.
    #[arg(long, default_value_t = 9000)]
    port: u16,
}

pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let running = Running::find()?
        .ok_or_else(|| Error("no stack is running: `cargo stack up --detach` first".into()))?;
    let cargo_lambda = packages::LAMBDA.installed()?.join("bin/cargo-lambda");
    let mut watch = Command::new(cargo_lambda);
    watch.args([
        "lambda",
        "watch",
        "--invoke-address",
        "127.0.0.1",
        "--invoke-port",
        &options.port.to_string(),
    ]);
    watch.arg("--env-file").arg(&running.env_file).current_dir(repository());
    println!(
        "Serving every function at http://127.0.0.1:{}; each is built on its first request.",
        options.port
    );
    // Returns only when it cannot be started.
    Err(Error(format!("cargo lambda cannot be started: {}", watch.exec())))
}
