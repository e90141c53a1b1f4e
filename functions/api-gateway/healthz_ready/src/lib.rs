//! `GET /api/api-gateway/healthz/ready/`: whether the dependencies answer.
//!
//! It asks what the functions depend on and no function itself: asking them would wake every one that sleeps.

use cache::Cache;
use contract::{
    Function, Problem,
    readiness::{Component, Components, Readiness},
    routes,
};
use host::{Endpoint, Request, Response};
use http::StatusCode;
use kafka::Publisher;
use objects::Bucket;
use postgres::Pool;
use std::time::Duration;

pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// A component that takes longer than this counts as down. Below the function's own timeout.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

pub struct Ready {
    pub database: Pool,
    pub cache: Cache,
    pub photos: Bucket,
    pub events: Publisher,
}

impl Endpoint for Ready {
    const FUNCTION: &'static Function = &routes::READY;

    async fn handle(&self, _: Request) -> Result<Response, Problem> {
        let publisher = self.events.clone();
        // librdkafka's question blocks its thread.
        let events =
            async { tokio::task::spawn_blocking(move || publisher.reachable()).await.unwrap_or(false) };
        let (database, cache, photos, events) = tokio::join!(
            component(self.database.reachable()),
            component(self.cache.reachable()),
            component(self.photos.reachable()),
            component(events),
        );
        let components = Components { database, cache, photos, events };
        // The cache only saves work, so nothing waits for it.
        let needed = [(database, "database"), (photos, "photo store"), (events, "event broker")];
        let down: Vec<_> =
            needed.iter().filter(|(state, _)| *state == Component::Down).map(|(_, name)| *name).collect();
        match down.is_empty() {
            true => {
                Ok(host::json_response(StatusCode::OK, &Readiness { status: "ready".into(), components }))
            }
            false => Err(Problem::unavailable(&down.join(" and the "))),
        }
    }
}

async fn component(reachable: impl Future<Output = bool>) -> Component {
    match tokio::time::timeout(ANSWER_TIMEOUT, reachable).await {
        Ok(true) => Component::Up,
        _ => Component::Down,
    }
}
