//! The Lambda Runtime API: requests as API Gateway events, Kafka records as event source mappings deliver them.

use crate::{Endpoint, Event, EventEndpoint, EventError, Response, answer, cloud_event};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderMap;
use http_body_util::BodyExt;
use lambda_http::{Body, Error, http, service_fn};
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};
use tracing::Instrument;

pub(crate) async fn serve_requests<E: Endpoint>(endpoint: Arc<E>) -> Result<(), Error> {
    lambda_http::run_concurrent(service_fn(move |request| {
        let endpoint = endpoint.clone();
        async move { Ok::<_, Infallible>(whole(answer(&*endpoint, request).await).await) }
    }))
    .await
}

/// The runtime API takes an answer as a whole.
async fn whole(response: Response) -> http::Response<Body> {
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => Body::Binary(body.to_bytes().to_vec()),
        Err(cause) => {
            tracing::error!(%cause, "the body of an answer broke off");
            parts.status = http::StatusCode::SERVICE_UNAVAILABLE;
            parts.headers = HeaderMap::new();
            Body::Empty
        }
    };
    http::Response::from_parts(parts, body)
}

pub(crate) async fn serve_events<E: EventEndpoint>(endpoint: Arc<E>) -> Result<(), Error> {
    lambda_runtime::run(service_fn(move |invocation: LambdaEvent<Batch>| {
        let endpoint = endpoint.clone();
        async move { handle_batch(&*endpoint, invocation.payload).await }
    }))
    .await
}

/// A batch of a Kafka event source mapping, self-managed or MSK. aws_lambda_events' own type reads header bytes as
/// signed and fails the whole batch for one byte over 127.
#[derive(Deserialize)]
pub(crate) struct Batch {
    /// By `topic-partition`.
    records: BTreeMap<String, Vec<Record>>,
}

#[derive(Deserialize)]
struct Record {
    topic: String,
    partition: i32,
    offset: i64,
    /// Base64.
    value: Option<String>,
    /// One map of one name a header, in order; the value as bytes.
    #[serde(default)]
    headers: Vec<BTreeMap<String, Vec<i16>>>,
}

/// Handles every record, then fails the batch if any is to be delivered again: the ones that were dealt with
/// change nothing the second time. A record that can never succeed must not hold up those behind it.
async fn handle_batch<E: EventEndpoint>(endpoint: &E, batch: Batch) -> Result<(), Error> {
    let mut retry = None;
    for record in batch.records.into_values().flatten() {
        let place = format!("{}/{}#{}", record.topic, record.partition, record.offset);
        let handled = match record.into_event() {
            Ok(event) => {
                let span =
                    tracing::info_span!("event", trace_id = event.trace.trace_id(), event_id = event.id);
                endpoint.handle(event).instrument(span).await
            }
            Err(error) => Err(error),
        };
        match handled {
            Ok(()) => tracing::info!(place, "handled"),
            Err(EventError::Never(reason)) => tracing::error!(place, reason, "the event can never succeed"),
            Err(error @ EventError::Retry(_)) => retry = Some(error),
        }
    }
    retry.map_or(Ok(()), |error| Err(error.into()))
}

impl Record {
    /// The event, by the Kafka protocol binding of CloudEvents in binary mode; a record without its headers becomes
    /// the event that Knative's KafkaSource makes of it.
    fn into_event(self) -> Result<Event, EventError> {
        let bytes = BASE64_STANDARD
            .decode(self.value.as_deref().unwrap_or_default())
            .map_err(|_| EventError::Never("the record's value is not base64".into()))?;
        let header = |name: &str| {
            let value = self.headers.iter().find_map(|header| header.get(name))?;
            // Header bytes come as signed or unsigned numbers, depending on who wrote the batch.
            let bytes: Vec<u8> = value.iter().map(|byte| byte.to_le_bytes()[0]).collect();
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let traceparent = header("ce_traceparent").or_else(|| header("traceparent"));
        let place = format!("partition:{}/offset:{}", self.partition, self.offset);
        Ok(Event {
            id: header("ce_id").unwrap_or(place),
            source: header("ce_source").unwrap_or_else(|| self.topic.clone()),
            kind: header("ce_type").unwrap_or_else(|| cloud_event::KAFKA_RECORD_TYPE.to_owned()),
            subject: header("ce_subject"),
            trace: cloud_event::trace(traceparent.as_deref(), &HeaderMap::new()),
            data: bytes.into(),
        })
    }
}
