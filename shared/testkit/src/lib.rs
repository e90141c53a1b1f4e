//! Real parts and real processes for the tests of the functions.
//!
//! Each test program starts the parts once, on first use; each test has a database of its own in them. The parts
//! end with the test program, however it ends.

mod credentials;
mod database;
mod function;
mod records;
mod world;

pub use credentials::refuses_bad_credentials;
pub use function::{Answer, FunctionProcess};
pub use localstack::faces::Photos;
pub use records::Record;
pub use world::{CREDIT_LIMIT, TestUser, World};

use std::{future::Future, sync::LazyLock, thread};
use tokio::runtime::{Builder, Handle};

/// The thread on which everything that outlives a single test is started: the kernel ends a process with the
/// thread that started it, and a test's own thread ends with the test.
static LASTING: LazyLock<Handle> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
});

/// Runs `work` on the lasting thread.
async fn lasting<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    LASTING.spawn(work).await.expect("the work does not panic")
}
