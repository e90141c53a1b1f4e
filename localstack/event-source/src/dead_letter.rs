//! Keeps what cannot be delivered, with the reason.

use crate::delivery::Failure;
use rdkafka::{
    ClientConfig, Message,
    message::{Header, OwnedHeaders, OwnedMessage},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use std::time::Duration;

/// How long to wait before a record that could not be kept is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How much of the sink's answer is kept, in bytes.
const DATA_MAX_BYTES: usize = 1024;

pub(crate) struct DeadLetters {
    producer: FutureProducer,
    topic: String,
}

impl DeadLetters {
    pub(crate) fn from_env(brokers: &str) -> Result<Self, settings::Error> {
        let topic = settings::required("DEAD_LETTER_TOPIC")?;
        let producer = ClientConfig::new().set("bootstrap.servers", brokers).set("acks", "all").create();
        Ok(Self { producer: producer.map_err(|cause| settings::Error::new("KAFKA_BROKERS", cause))?, topic })
    }

    /// Returns only when the record is kept: it has no other place any more. The extensions are those of Knative's
    /// dead-letter sinks.
    pub(crate) async fn keep(&self, record: &OwnedMessage, failure: &Failure) {
        tracing::error!(topic = self.topic, ?failure, "a record goes to the dead letters");
        let code = failure.status.map_or_else(String::new, |status| status.as_str().to_owned());
        let data = failure.reason.as_bytes();
        let data = &data[..data.len().min(DATA_MAX_BYTES)];
        let mut headers = record.headers().cloned().unwrap_or_else(OwnedHeaders::new);
        for (key, value) in [
            ("knativeerrordest", failure.sink_url.as_bytes()),
            ("knativeerrorcode", code.as_bytes()),
            ("knativeerrordata", data),
        ] {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        loop {
            let mut letter = FutureRecord::<[u8], [u8]>::to(&self.topic).headers(headers.clone());
            letter.key = record.key();
            letter.payload = record.payload();
            match self.producer.send(letter, Timeout::Never).await {
                Ok(_) => return,
                Err((cause, _)) => tracing::error!(%cause, "a dead letter could not be kept; trying again"),
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}
