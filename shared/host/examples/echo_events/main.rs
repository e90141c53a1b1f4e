//! An event function that does what the event tells it to: what the tests run on each host.

use contract::{Access, Function, Method};
use host::{Event, EventEndpoint, EventError};
use std::process::ExitCode;

const ECHO_EVENTS: Function = Function {
    folder: "host/echo_events",
    paths: &["/"],
    methods: &[Method::Post],
    access: Access::Internal,
    gateway_check_path: None,
    body_max_bytes: 4096,
    timeout_ms: 1_500,
};

struct EchoEvents;

impl EventEndpoint for EchoEvents {
    const FUNCTION: &'static Function = &ECHO_EVENTS;

    /// What was read goes into the error, because an event has no other answer.
    async fn handle(&self, event: Event) -> Result<(), EventError> {
        let Event { id, source, kind, subject, trace, data } = &event;
        let seen = format!("{id}|{source}|{kind}|{}|{trace}|", subject.as_deref().unwrap_or("none"));
        let seen = seen + &String::from_utf8_lossy(data);
        match data {
            data if data.starts_with(b"\"fine") => Ok(()),
            data if data.starts_with(b"\"later") => Err(EventError::Retry(seen)),
            _ => Err(EventError::Never(seen)),
        }
    }
}

fn main() -> ExitCode {
    host::run_events(|| Ok(EchoEvents))
}
