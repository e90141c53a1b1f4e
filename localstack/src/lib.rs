//! The whole stack on one machine, on loopback, without docker: real PostgreSQL, Redis, a Kafka-protocol broker,
//! an S3 server, Envoy, the event source, and every function as a process of its own.
//!
//! Tests use [`parts`] alone; `cargo stack` uses everything.

pub mod envoy;
pub mod faces;
pub mod folders;
pub mod functions;
pub mod packages;
pub mod parts;
pub mod process;
pub mod stack;

mod ready;

/// What went wrong, as a sentence for whoever typed the command.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

impl Error {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

pub(crate) trait Context<T> {
    /// Says what was being done when it failed.
    fn context(self, doing: impl std::fmt::Display) -> Result<T, Error>;
}

impl<T, E: std::fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T, Error> {
        self.map_err(|cause| Error(format!("{doing}: {cause}")))
    }
}
