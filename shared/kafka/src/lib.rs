//! Publishes events to Kafka as CloudEvents in the binary mode of the Kafka protocol binding.

use contract::event::{FACES_TOPIC, PHOTO_UPLOADED_SOURCE, PHOTO_UPLOADED_TYPE, PhotoUploaded};
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
    util::Timeout,
};
use std::time::Duration;

/// How long a message may take to be acknowledged by all replicas, including every retry, in milliseconds.
const MESSAGE_TIMEOUT_MS: u32 = 3_000;
/// How many messages wait in this process at most. A photo's event is published before its request is answered, so
/// more than the requests that one instance serves at once is an error.
const QUEUE_MAX_MESSAGES: u32 = 1_000;
/// How long to wait for room in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(500);
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub struct Publisher {
    producer: FutureProducer,
}

#[derive(Debug, thiserror::Error)]
#[error("the event was not acknowledged: {0}")]
pub struct Error(#[from] rdkafka::error::KafkaError);

impl Publisher {
    /// A publisher to `KAFKA_BROKERS`. The connection is made in the background.
    ///
    /// # Errors
    /// The variable is missing or not a list of brokers.
    pub fn from_env() -> Result<Self, settings::Error> {
        let brokers: String = settings::required("KAFKA_BROKERS")?;
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "visage")
            .set("acks", "all")
            // An idempotent producer waits 500 ms before its first message, which a function that scales from zero
            // would pay each time; the consumer is idempotent anyway.
            .set("enable.idempotence", "false")
            .set("message.timeout.ms", MESSAGE_TIMEOUT_MS.to_string())
            .set("queue.buffering.max.messages", QUEUE_MAX_MESSAGES.to_string())
            .set("linger.ms", "0")
            .create()
            .map_err(|cause| settings::Error::new("KAFKA_BROKERS", format!("cannot be used: {cause}")))?;
        Ok(Self { producer })
    }

    /// Publishes that a photo has arrived, keyed by its user, so that one user's photos stay in order.
    /// Returns when every replica has it.
    ///
    /// # Errors
    /// It was not acknowledged in time. It may still arrive.
    pub async fn photo_uploaded(
        &self,
        event: &PhotoUploaded,
        traceparent: Option<&str>,
    ) -> Result<(), Error> {
        let (id, key) = (event.verification_id.to_string(), event.user_id.to_string());
        let data = serde_json::to_vec(event).expect("an event is JSON");
        let time = jiff::Timestamp::now().to_string();
        let mut headers = OwnedHeaders::new();
        for (name, value) in [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_source", PHOTO_UPLOADED_SOURCE),
            ("ce_type", PHOTO_UPLOADED_TYPE),
            ("ce_time", &time),
            ("content-type", "application/json"),
        ] {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
        if let Some(traceparent) = traceparent {
            headers = headers.insert(Header { key: "ce_traceparent", value: Some(traceparent) });
        }
        let record = FutureRecord::to(FACES_TOPIC).key(&key).payload(&data).headers(headers);
        match self.producer.send(record, Timeout::After(QUEUE_TIMEOUT)).await {
            Ok(_) => Ok(()),
            Err((cause, _)) => Err(Error(cause)),
        }
    }

    /// Whether a broker answers now. Blocks the thread for up to two seconds.
    pub fn reachable(&self) -> bool {
        self.producer.client().fetch_metadata(Some(FACES_TOPIC), METADATA_TIMEOUT).is_ok()
    }
}
