//! Reads Kafka and POSTs each record as a CloudEvent to a sink, as Knative's KafkaSource does, where there is no
//! Knative: the same requests, the same answers that are tried again, the same dead letters.
//!
//! Records of one partition go one after the other, partitions side by side. An offset is stored only when its
//! record was delivered or is in the dead-letter topic, so a record may come twice and is never lost.

mod cloud_event;
mod dead_letter;
mod delivery;

use dead_letter::DeadLetters;
use delivery::{Delivery, Outcome};
use rdkafka::{
    ClientConfig, Message,
    consumer::{CommitMode, Consumer, StreamConsumer},
    message::OwnedMessage,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

pub struct EventSource {
    consumer: Arc<StreamConsumer>,
    delivery: Arc<Delivery>,
    dead_letters: Arc<DeadLetters>,
}

/// How many records of one partition wait in memory, besides the one that is being delivered.
const PARTITION_QUEUE_MAX: usize = 16;

/// How long leaving the consumer group may take. The group gives the partitions to others when the session is over, so
/// a broker that does not let go only delays them.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long records in flight may take to finish after the signal to end. Together with leaving the group it is less than
/// the ten seconds after which the stack kills.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

impl EventSource {
    /// The source of the records of `TOPICS` (separated by commas) at `KAFKA_BROKERS`, read as `CONSUMER_GROUP`, for
    /// `SINK_URL`; what cannot be delivered goes to `DEAD_LETTER_TOPIC`. How it is tried: see [`Delivery`].
    ///
    /// # Errors
    /// A variable is missing or cannot be read.
    pub fn from_env() -> Result<Self, settings::Error> {
        let brokers: String = settings::required("KAFKA_BROKERS")?;
        let topics: String = settings::required("TOPICS")?;
        let group: String = settings::required("CONSUMER_GROUP")?;
        let wrong = |cause: rdkafka::error::KafkaError| settings::Error::new("KAFKA_BROKERS", cause);
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .set("group.id", group)
            // A record that came before the source did is delivered too.
            .set("auto.offset.reset", "earliest")
            // Stored offsets are committed in the background; they are stored by hand, after delivery.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "500")
            .set("enable.auto.offset.store", "false")
            .set("session.timeout.ms", "10000")
            .create()
            .map_err(wrong)?;
        let topics: Vec<_> = topics.split(',').map(str::trim).collect();
        consumer.subscribe(&topics).map_err(|cause| settings::Error::new("TOPICS", cause))?;
        Ok(Self {
            consumer: Arc::new(consumer),
            delivery: Arc::new(Delivery::from_env()?),
            dead_letters: Arc::new(DeadLetters::from_env(&brokers)?),
        })
    }

    /// Delivers until `terminated`, then finishes the records that are under way.
    pub async fn run_until(self, terminated: impl Future<Output = ()>) {
        let mut partitions: HashMap<(String, i32), mpsc::Sender<OwnedMessage>> = HashMap::new();
        let mut workers = tokio::task::JoinSet::new();
        let mut terminated = std::pin::pin!(terminated);
        tracing::info!("reading");
        loop {
            let received = tokio::select! {
                biased;
                () = &mut terminated => break,
                received = self.consumer.recv() => received,
            };
            let record = match received {
                Ok(record) => record.detach(),
                Err(cause) => {
                    tracing::warn!(%cause, "Kafka cannot be read at the moment");
                    continue;
                }
            };
            let partition = (record.topic().to_owned(), record.partition());
            let queue = partitions.entry(partition).or_insert_with(|| {
                let (queue, records) = mpsc::channel(PARTITION_QUEUE_MAX);
                workers.spawn(self.worker(records));
                queue
            });
            // Waiting here holds up the other partitions too, which bounds what is in memory.
            tokio::select! {
                biased;
                () = &mut terminated => break,
                sent = queue.send(record) => if sent.is_err() { break },
            }
        }
        drop(partitions);
        let finished = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIMEOUT, finished).await.is_err() {
            tracing::warn!("records were still under way; they will be delivered again");
        }
        workers.shutdown().await;
        leave(self.consumer).await;
    }

    /// Delivers the records of one partition, one after the other.
    fn worker(&self, mut records: mpsc::Receiver<OwnedMessage>) -> impl Future<Output = ()> + use<> {
        let (consumer, delivery, dead_letters) =
            (self.consumer.clone(), self.delivery.clone(), self.dead_letters.clone());
        async move {
            while let Some(record) = records.recv().await {
                if let Outcome::Undeliverable(failure) = delivery.deliver(&record).await {
                    dead_letters.keep(&record, &failure).await;
                }
                if let Err(cause) = consumer.store_offset(record.topic(), record.partition(), record.offset())
                {
                    // The partition was given to another reader meanwhile, which delivers the record again.
                    tracing::warn!(%cause, "an offset could not be stored");
                }
            }
        }
    }
}

/// Commits what was stored and leaves the group, on a thread of its own: librdkafka blocks until the broker agrees.
async fn leave(consumer: Arc<StreamConsumer>) {
    let (left, leaving) = oneshot::channel();
    std::thread::spawn(move || {
        if let Err(cause) = consumer.commit_consumer_state(CommitMode::Sync) {
            tracing::warn!(%cause, "the last offsets could not be committed; their records will be delivered again");
        }
        drop(consumer);
        // Nobody waits for it any more when it took too long.
        let _ = left.send(());
    });
    if tokio::time::timeout(LEAVE_TIMEOUT, leaving).await.is_err() {
        tracing::warn!("the broker did not let go of the consumer group in time");
    }
}
