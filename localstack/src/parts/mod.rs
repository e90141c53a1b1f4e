//! The parts that the functions depend on, each a real server on a free port of 127.0.0.1.

mod kafka;
mod notifications;
mod object_store;
mod postgres;
mod redis;

pub use kafka::Kafka;
pub use object_store::ObjectStore;
pub use postgres::Postgres;
pub use redis::Redis;

use crate::{Error, folders::DataFolder};

/// All parts together.
pub struct Parts {
    pub postgres: Postgres,
    pub redis: Redis,
    pub objects: ObjectStore,
    pub kafka: Kafka,
}

impl Parts {
    /// Starts all parts. The calling thread must live as long as they are wanted.
    ///
    /// # Errors
    /// One cannot be fetched, or does not start.
    pub async fn start(folder: &DataFolder) -> Result<Self, Error> {
        let objects_and_kafka = async {
            let mut objects = ObjectStore::start(folder).await?;
            let kafka = Kafka::start(folder, &objects).await?;
            objects.notify(&kafka.brokers())?;
            Ok::<_, Error>((objects, kafka))
        };
        let (postgres, redis, (objects, kafka)) =
            tokio::try_join!(Postgres::start(folder), Redis::start(folder), objects_and_kafka)?;
        Ok(Self { postgres, redis, objects, kafka })
    }

    /// What the functions must be told about the parts, as environment variables.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("DATABASE_URL", self.postgres.url(postgres::DATABASE)),
            ("REDIS_URL", self.redis.url()),
            ("KAFKA_BROKERS", self.kafka.brokers()),
        ];
        variables.extend(self.objects.environment());
        variables
    }

    /// Stops all parts in order.
    pub async fn stop(&mut self) {
        tokio::join!(self.postgres.stop(), self.redis.stop(), self.kafka.stop());
    }
}
