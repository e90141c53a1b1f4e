//! Photos in S3-compatible storage.

use aws_credential_types::Credentials;
use aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::{DisplayErrorContext, SdkError},
    primitives::ByteStream,
};
use aws_smithy_http_client::{Builder, tls};
use bytes::{Bytes, BytesMut};
use contract::Problem;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// One try, including a photo of the largest size on a slow link.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
/// All tries of one operation together; below the shortest time a function that uses this may take.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
const ATTEMPTS_MAX: u32 = 3;

/// One bucket of an S3-compatible store.
#[derive(Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// Where a bucket is, and the keys to it.
pub struct Location {
    /// The store's URL; AWS's own when there is none.
    pub endpoint: Option<String>,
    pub region: String,
    pub name: String,
    pub access_key: String,
    pub secret_key: String,
    /// Belongs to keys that are temporary.
    pub session_token: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the object store is not available: {0}")]
    Unavailable(String),
    /// The object is larger than the caller reads.
    #[error("the object is larger than {body_max_bytes} bytes")]
    TooLarge { body_max_bytes: usize },
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::warn!(cause = %error, "the object store failed");
        Self::unavailable("photo store")
    }
}

impl Bucket {
    /// The bucket `S3_BUCKET` (`photos` by default) at `S3_ENDPOINT`, with the keys `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY` (and `AWS_SESSION_TOKEN` when they are temporary). Nothing is connected yet.
    ///
    /// # Errors
    /// A variable is missing or cannot be read.
    pub fn from_env() -> Result<Self, settings::Error> {
        Ok(Self::new(Location {
            endpoint: settings::optional("S3_ENDPOINT")?,
            region: settings::or_default("AWS_REGION", "us-east-1".to_owned())?,
            name: settings::or_default("S3_BUCKET", "photos".to_owned())?,
            access_key: settings::required("AWS_ACCESS_KEY_ID")?,
            secret_key: settings::required("AWS_SECRET_ACCESS_KEY")?,
            session_token: settings::optional("AWS_SESSION_TOKEN")?,
        }))
    }

    /// The bucket at a place that is known already. Nothing is connected yet.
    pub fn new(location: Location) -> Self {
        let Location { endpoint, region, name, access_key, secret_key, session_token } = location;
        let credentials = Credentials::new(access_key, secret_key, session_token, None, "configuration");
        let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring));
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(credentials)
            .http_client(http.build_https())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .operation_timeout(OPERATION_TIMEOUT)
                    .build(),
            );
        // Without an endpoint the store is AWS S3 itself, which wants the bucket in the host's name.
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        Self { client: Client::from_conf(config.build()), name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stores `body` under `key`, in place of what was there.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<(), Error> {
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        put.body(ByteStream::from(body)).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// The object under `key`, or `None` when there is none.
    ///
    /// # Errors
    /// The store is not available, or the object has more than `body_max_bytes` bytes.
    pub async fn get(&self, key: &str, body_max_bytes: usize) -> Result<Option<Bytes>, Error> {
        let answer = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(e)) if e.err().is_no_such_key() => return Ok(None),
            Err(cause) => return Err(unavailable(cause)),
        };
        in_time(read(answer.body, body_max_bytes)).await.map(Some)
    }

    /// Removes the object under `key`; removing what is not there is no error.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.client.delete_object().bucket(&self.name).key(key).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// Whether the bucket is there and answers now.
    pub async fn reachable(&self) -> bool {
        self.client.head_bucket().bucket(&self.name).send().await.is_ok()
    }
}

/// The whole body, as long as it has at most `body_max_bytes` bytes, whatever its announced length.
async fn read(mut body: ByteStream, body_max_bytes: usize) -> Result<Bytes, Error> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|cause| Error::Unavailable(cause.to_string()))?;
        if whole.len() + chunk.len() > body_max_bytes {
            return Err(Error::TooLarge { body_max_bytes });
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The body of an answer comes after the operation's own timeout has ended, so it needs one of its own.
async fn in_time<T>(read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let overrun = |_| Error::Unavailable(format!("no whole body within {} s", ATTEMPT_TIMEOUT.as_secs()));
    tokio::time::timeout(ATTEMPT_TIMEOUT, read).await.map_err(overrun)?
}

fn unavailable<E, R>(cause: SdkError<E, R>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    Error::Unavailable(DisplayErrorContext(cause).to_string())
}
