//! Waits until a condition holds.

use crate::{Error, process::Process};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until the answer is yes, the process ends, or `timeout` is over.
pub(crate) async fn until_ready<F: Future<Output = bool>>(
    process: &mut Process,
    timeout: Duration,
    mut ask: impl FnMut() -> F,
) -> Result<(), Error> {
    let started = Instant::now();
    while !ask().await {
        if let Some(ended) = process.has_ended() {
            return Err(process.failure(&format!("ended with {ended} before it was ready")));
        }
        if started.elapsed() > timeout {
            return Err(process.failure(&format!("was not ready within {} s", timeout.as_secs())));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
