//! What stands in Kafka.

use crate::World;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// One record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub key: String,
    pub headers: BTreeMap<String, String>,
    pub value: String,
}

const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

impl World {
    /// Waits until `topic` holds `count` records whose key is `key`, and returns them in the order of their partition.
    /// Records of other keys belong to other tests.
    pub async fn records(&self, topic: &'static str, key: &str, count: usize) -> Vec<Record> {
        let (brokers, key) = (self.variable("KAFKA_BROKERS").to_owned(), key.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            read_until(&brokers, topic, &key, count, Duration::from_secs(30))
        });
        let records = read.await.expect("no panic");
        assert!(records.len() >= count, "{} of {count} records came: {records:?}", records.len());
        records
    }

    /// The records of `topic` whose key is `key` that arrive within `time`.
    pub async fn records_within(&self, topic: &'static str, key: &str, time: Duration) -> Vec<Record> {
        let (brokers, key) = (self.variable("KAFKA_BROKERS").to_owned(), key.to_owned());
        let read = tokio::task::spawn_blocking(move || read_until(&brokers, topic, &key, usize::MAX, time));
        read.await.expect("no panic")
    }

    /// Writes a record to `topic`.
    pub async fn publish(&self, topic: &str, record: &Record) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", self.variable("KAFKA_BROKERS"))
            .create()
            .expect("a producer");
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(rdkafka::message::Header { key, value: Some(value) })
        });
        let record = FutureRecord::to(topic).key(&record.key).payload(&record.value).headers(headers);
        producer.send(record, Timeout::After(METADATA_TIMEOUT)).await.expect("the broker has it");
    }
}

/// Reads without a consumer group: every partition, from its beginning.
fn read_until(brokers: &str, topic: &str, key: &str, count: usize, time: Duration) -> Vec<Record> {
    // librdkafka wants the name of a group even from a consumer that joins none.
    let config = ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", "testkit").to_owned();
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), METADATA_TIMEOUT).expect("metadata");
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        partitions.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("a partition");
    }
    consumer.assign(&partitions).expect("assigned");
    let (started, mut records) = (Instant::now(), Vec::new());
    while records.len() < count && started.elapsed() < time {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            let record = record(&message);
            if record.key == key {
                records.push(record);
            }
        }
    }
    records
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Record {
        key: text(message.key()),
        headers: headers.map(|header| (header.key.to_owned(), text(header.value))).collect(),
        value: text(message.payload()),
    }
}
