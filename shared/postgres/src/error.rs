//! What can go wrong with the database, and what a client is told of it.

use contract::Problem;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or does not answer in time: try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database answered that the statement cannot be done.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] tokio_postgres::Error),
}

impl Error {
    /// The code with which the database refused the statement, if it did.
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Unavailable(_) => None,
            Self::Refused(cause) => cause.code(),
        }
    }

    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(cause: tokio_postgres::Error) -> Self {
        match cause.code() {
            // Without a code the server did not speak: the connection broke, unless we passed it something wrong.
            None if cause.is_closed() || is_io(&cause) => Self::Unavailable(describe(&cause)),
            Some(code) if means_outage(code) => Self::Unavailable(describe(&cause)),
            _ => Self::Refused(cause),
        }
    }
}

impl From<PoolError> for Error {
    fn from(cause: PoolError) -> Self {
        match cause {
            PoolError::Backend(cause) => Self::Unavailable(describe(&cause)),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(cause) => {
                tracing::warn!(cause, "the database is not available");
                Self::unavailable("database")
            }
            Error::Refused(cause) => {
                tracing::error!(cause = describe(&cause), "the database refused a statement");
                Self::internal()
            }
        }
    }
}

/// The message with its cause, which tokio-postgres keeps apart. Only the primary message of the server is
/// taken: its detail can repeat the values of a row.
fn describe(cause: &tokio_postgres::Error) -> String {
    match cause.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => match std::error::Error::source(cause) {
            Some(source) => format!("{cause}: {source}"),
            None => cause.to_string(),
        },
    }
}

fn is_io(cause: &tokio_postgres::Error) -> bool {
    std::error::Error::source(cause).is_some_and(|source| source.is::<std::io::Error>())
}

/// SQLSTATE classes of an outage (PostgreSQL's appendix A): 08 connection, 53 out of resources, 57 operator
/// intervention (shutdown, restart, statement timeout), 58 system error; and a server that only reads.
fn means_outage(code: &SqlState) -> bool {
    matches!(&code.code()[..2], "08" | "53" | "57" | "58") || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}
