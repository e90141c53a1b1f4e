//! Delivers a record to the sink: which answers are tried again, how often and how fast.

use crate::cloud_event;
use backon::{ExponentialBuilder, Retryable};
use rdkafka::{Message, message::OwnedMessage};
use reqwest::{Client, StatusCode};
use std::time::Duration;

/// KafkaSource's own defaults for what is not set.
const RETRY: usize = 10;
const BACKOFF_DELAY_MS: u64 = 300;
/// Longer than the slowest function may take.
const TIMEOUT_MS: u64 = 65_000;
/// The most that is waited between two tries, however many there were.
const BACKOFF_DELAY_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Delivery {
    client: Client,
    sink_url: String,
    backoff: ExponentialBuilder,
}

pub(crate) enum Outcome {
    Delivered,
    Undeliverable(Failure),
}

/// The last answer, or why there was none.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) sink_url: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) reason: String,
}

impl Delivery {
    /// To `SINK_URL`, tried `RETRY` more times after the first, `BACKOFF_DELAY_MS` apart and twice that each time, for
    /// `TIMEOUT_MS` each.
    pub(crate) fn from_env() -> Result<Self, settings::Error> {
        let timeout = Duration::from_millis(settings::or_default("TIMEOUT_MS", TIMEOUT_MS)?);
        let client = Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none()).build();
        let sink_url: reqwest::Url = settings::required("SINK_URL")?;
        let delay = Duration::from_millis(settings::or_default("BACKOFF_DELAY_MS", BACKOFF_DELAY_MS)?);
        Ok(Self {
            client: client.map_err(|cause| settings::Error::new("SINK_URL", cause))?,
            sink_url: sink_url.to_string(),
            backoff: ExponentialBuilder::default()
                .with_min_delay(delay)
                .with_max_delay(BACKOFF_DELAY_MAX)
                .with_max_times(settings::or_default("RETRY", RETRY)?),
        })
    }

    pub(crate) async fn deliver(&self, record: &OwnedMessage) -> Outcome {
        let place = (record.topic(), record.partition(), record.offset());
        let delivered = (|| self.post(record))
            .retry(self.backoff)
            .when(Failure::may_pass)
            .notify(|failure, after| {
                tracing::warn!(?place, ?failure, ?after, "a delivery will be tried again");
            })
            .await;
        match delivered {
            Ok(()) => {
                tracing::info!(?place, "delivered");
                Outcome::Delivered
            }
            Err(failure) => Outcome::Undeliverable(failure),
        }
    }

    async fn post(&self, record: &OwnedMessage) -> Result<(), Failure> {
        let body = record.payload().unwrap_or_default().to_vec();
        let request = self.client.post(&self.sink_url).headers(cloud_event::headers(record)).body(body);
        let failure = |status, reason| Failure { sink_url: self.sink_url.clone(), status, reason };
        let response = request.send().await.map_err(|cause| failure(None, cause.to_string()))?;
        let status = response.status();
        match status.as_u16() {
            0..300 => Ok(()),
            _ => Err(failure(Some(status), response.text().await.unwrap_or_default())),
        }
    }
}

impl Failure {
    /// Whether another try may succeed, by KafkaSource's rule.
    fn may_pass(&self) -> bool {
        self.status.is_none_or(|status| matches!(status.as_u16(), 404 | 408 | 409 | 429 | 500..))
    }
}
