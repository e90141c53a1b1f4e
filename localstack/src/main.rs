//! `cargo stack`: see the README.
#![expect(clippy::print_stdout, reason = "what a command found out is for the person who typed it")]

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The whole stack on one machine, without docker.
#[derive(Parser)]
#[command(name = "cargo stack", bin_name = "cargo stack", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build, fetch what is missing, and start everything; ends with Ctrl-C.
    Up(commands::up::Options),
    /// End the stack that `up --detach` started.
    Down,
    /// Install what the tests need and run every test of the workspace.
    Test(commands::test::Options),
    /// Show the whole story, with real photos, on the stack that runs.
    Demo(commands::demo::Options),
    /// Serve every function with `cargo lambda watch`, on the parts of the stack that runs.
    Lambda(commands::lambda::Options),
}

/// One thread, which lives as long as the command: the kernel ends the processes that it started with it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    let done = match Arguments::parse().command {
        Command::Up(options) => commands::up::run(options).await,
        Command::Down => commands::down::run().await,
        Command::Test(options) => commands::test::run(&options),
        Command::Demo(options) => commands::demo::run(&options).await,
        Command::Lambda(options) => commands::lambda::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
