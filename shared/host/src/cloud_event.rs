//! CloudEvents 1.0 over HTTP, in binary and in structured mode, as Knative delivers them.
//!
//! The few attributes are read by hand: the official SDK refuses an event for one non-ASCII header or an odd time,
//! and an event that is refused is a photo that is never verified.

use crate::{Endpoint, EventEndpoint, Request, Response, body, content_type, full_body};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use contract::{Function, Problem};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use telemetry::TraceContext;

/// The type of an event that KafkaSource makes of a record which is no CloudEvent itself.
pub const KAFKA_RECORD_TYPE: &str = "dev.knative.kafka.event";

/// One event. What it says about itself is not to be trusted for identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub source: String,
    /// The CloudEvents `type`.
    pub kind: String,
    pub subject: Option<String>,
    /// The trace that the event belongs to.
    pub trace: TraceContext,
    pub data: Bytes,
}

/// Why an event was not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Something is down: deliver it again later. The text is for the log.
    #[error("try again: {0}")]
    Retry(String),
    /// It can never succeed: it belongs in the dead-letter topic, with this reason.
    #[error("can never succeed: {0}")]
    Never(String),
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        match error {
            EventError::Retry(cause) => {
                tracing::warn!(cause, "the event will be tried again");
                Self::unavailable("verification of photos")
            }
            EventError::Never(reason) => {
                tracing::error!(reason, "the event can never succeed");
                Self::unprocessable(reason)
            }
        }
    }
}

/// An event function as an endpoint: it answers 204 when an event is dealt with, 503 when it is to be delivered
/// again, and 400 or 422 when it never can succeed.
pub struct Events<E>(pub E);

impl<E: EventEndpoint> Endpoint for Events<E> {
    const FUNCTION: &'static Function = E::FUNCTION;

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        let event = Event::of(&request)?;
        self.0.handle(event).await?;
        let mut response = http::Response::new(full_body(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
}

/// An event in structured mode (CloudEvents JSON format, section 3).
#[derive(Deserialize)]
struct Structured<'a> {
    specversion: String,
    id: String,
    source: String,
    r#type: String,
    subject: Option<String>,
    traceparent: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<String>,
}

impl Event {
    /// # Errors
    /// 400 when the request is no CloudEvent of version 1.0.
    fn of(request: &Request) -> Result<Self, Problem> {
        match content_type(request)?.as_deref() {
            Some("application/cloudevents+json") => Self::structured(request.headers(), body(request)),
            Some(kind) if kind.starts_with("application/cloudevents") => {
                Err(Problem::unsupported_media_type("Only single CloudEvents in JSON are accepted."))
            }
            _ => Self::binary(request.headers(), body(request)),
        }
    }

    fn binary(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        // A header may hold any bytes; what is not UTF-8 is kept readable rather than refused.
        let attribute =
            |name: &str| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let required =
            |name: &str| attribute(name).ok_or_else(|| not_an_event(&format!("it has no {name} header")));
        check_version(&required("ce-specversion")?)?;
        Ok(Self {
            id: required("ce-id")?,
            source: required("ce-source")?,
            kind: required("ce-type")?,
            subject: attribute("ce-subject"),
            trace: trace(attribute("ce-traceparent").as_deref(), headers),
            data: Bytes::copy_from_slice(body),
        })
    }

    fn structured(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let event: Structured<'_> =
            serde_json::from_slice(body).map_err(|_| not_an_event("the body is not an event in JSON"))?;
        check_version(&event.specversion)?;
        let data = match (event.data, event.data_base64) {
            (None, Some(text)) => {
                BASE64_STANDARD.decode(text).map_err(|_| not_an_event("data_base64 is not base64"))?
            }
            (Some(json), None) => json.get().as_bytes().to_vec(),
            (None, None) => Vec::new(),
            (Some(_), Some(_)) => return Err(not_an_event("it has both data and data_base64")),
        };
        Ok(Self {
            id: event.id,
            source: event.source,
            kind: event.r#type,
            subject: event.subject,
            trace: trace(event.traceparent.as_deref(), headers),
            data: data.into(),
        })
    }
}

/// The event's own trace before that of the request that happened to deliver it.
pub(crate) fn trace(traceparent: Option<&str>, headers: &HeaderMap) -> TraceContext {
    traceparent.and_then(TraceContext::parse).unwrap_or_else(|| TraceContext::of(headers))
}

fn check_version(version: &str) -> Result<(), Problem> {
    match version {
        "1.0" => Ok(()),
        _ => Err(not_an_event("its specversion is not 1.0")),
    }
}

fn not_an_event(why: &str) -> Problem {
    Problem::bad_request(format!("The request is not a CloudEvent: {why}."))
}
