//! `cargo stack down`.

use localstack::{Error, stack::Running};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::time::{Duration, Instant};

/// How long the stack may take to stop: its processes have ten seconds, one group after the other.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

pub(crate) async fn run() -> Result<(), Error> {
    let Some(running) = Running::find()? else {
        println!("No stack is running.");
        return Ok(());
    };
    let pid = i32::try_from(running.pid).map_err(|_| Error("the state file names no process".into()))?;
    kill(Pid::from_raw(pid), Signal::SIGTERM)
        .map_err(|cause| Error(format!("stopping process {pid}: {cause}")))?;
    let asked = Instant::now();
    while Running::find()?.is_some() {
        if asked.elapsed() > STOP_TIMEOUT {
            return Err(Error(format!("process {pid} does not end")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("The stack has ended.");
    Ok(())
}
