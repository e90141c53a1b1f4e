//! Announces stored objects in Kafka in the format of MinIO's Kafka target: key `bucket/object`, no headers, S3's event
//! message as the value. s3s has no notifications of its own.

use crate::{Context, Error};
use contract::event::PHOTO_UPLOADS_TOPIC;
use http::{HeaderMap, Method, Request, header};
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// How many announcements wait while Kafka is away; one more is dropped, as MinIO does over its `QUEUE_LIMIT`.
const QUEUE_MAX: usize = 10_000;
const RETRY_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Notifications {
    bucket: &'static str,
    queue: mpsc::Sender<Announcement>,
}

struct Announcement {
    key: String,
    value: Value,
}

/// An object that a request is about to store.
pub(super) struct StoredObject {
    bucket: &'static str,
    key: String,
    size_bytes: Option<u64>,
    content_type: Option<String>,
    queue: mpsc::Sender<Announcement>,
}

impl Notifications {
    /// Announces the objects of `bucket` from a task of its own, so that a slow broker never holds up an upload.
    pub(super) fn to(brokers: &str, bucket: &'static str) -> Result<Self, Error> {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .create()
            .context("making a Kafka producer")?;
        let (queue, announcements) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(publish(producer, announcements));
        Ok(Self { bucket, queue })
    }

    /// The object of the bucket that `request` stores if it succeeds: a PUT of a whole object, or the end of a
    /// multipart upload.
    pub(super) fn object_stored_by<B>(&self, request: &Request<B>) -> Option<StoredObject> {
        let query = request.uri().query().unwrap_or_default();
        let completes = match *request.method() {
            Method::PUT => !query.contains("partNumber="),
            Method::POST => query.contains("uploadId="),
            _ => false,
        };
        let key = request.uri().path().strip_prefix('/')?.strip_prefix(self.bucket)?.strip_prefix('/')?;
        let text = |name| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        (completes && !key.is_empty()).then(|| StoredObject {
            bucket: self.bucket,
            key: key.to_owned(),
            size_bytes: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_type: text(header::CONTENT_TYPE),
            queue: self.queue.clone(),
        })
    }
}

impl StoredObject {
    /// To be called when the object is stored.
    pub(super) fn announce(self, response: &HeaderMap) {
        let e_tag = response
            .get(header::ETAG)
            .and_then(|tag| tag.to_str().ok())
            .unwrap_or_default()
            .trim_matches('"');
        let value = json!({
            "EventName": "s3:ObjectCreated:Put",
            "Key": format!("{}/{}", self.bucket, self.key),
            "Records": [{
                "eventVersion": "2.0",
                "eventSource": "minio:s3",
                "awsRegion": "",
                "eventTime": jiff::Timestamp::now().to_string(),
                "eventName": "s3:ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "Config",
                    "bucket": { "name": self.bucket, "arn": format!("arn:aws:s3:::{}", self.bucket) },
                    "object": {
                        // Encoded as in a query string, slashes too.
                        "key": self.key.replace('/', "%2F"),
                        "size": self.size_bytes,
                        "eTag": e_tag,
                        "contentType": self.content_type,
                        "sequencer": format!("{:016X}", jiff::Timestamp::now().as_nanosecond()),
                    },
                },
            }],
        });
        let key = format!("{}/{}", self.bucket, self.key);
        if self.queue.try_send(Announcement { key, value }).is_err() {
            tracing::warn!("too many announcements wait for Kafka: one was dropped");
        }
    }
}

/// Publishes one after the other, each until the broker has it.
async fn publish(producer: FutureProducer, mut announcements: mpsc::Receiver<Announcement>) {
    while let Some(Announcement { key, value }) = announcements.recv().await {
        let value = value.to_string();
        loop {
            let record = FutureRecord::to(PHOTO_UPLOADS_TOPIC).key(&key).payload(&value);
            match producer.send(record, Timeout::Never).await {
                Ok(_) => break,
                Err((cause, _)) => {
                    tracing::warn!(%cause, "an announcement will be tried again");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}
