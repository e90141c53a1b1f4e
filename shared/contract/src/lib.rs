//! What clients, functions and operators agree on, as plain data: the table of routes, the bodies of requests and
//! answers, the events, and the problem details. No I/O, no HTTP library: everything else is built from or
//! tested against this crate.

pub mod credentials;
pub mod event;
pub mod problem;
pub mod readiness;
pub mod report;
pub mod routes;
pub mod transaction;
pub mod verification;

pub use problem::{FieldError, Problem};
pub use routes::{Access, FUNCTIONS, Function, Method};
