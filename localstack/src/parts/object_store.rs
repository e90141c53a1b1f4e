//! An S3 server: s3s with its file system, in this process, on a port of its own.

use super::notifications::Notifications;
use crate::{Context, Error, folders::DataFolder};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use std::{
    fs,
    net::Ipv4Addr,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpListener;

/// The bucket of the photos.
const PHOTOS: &str = "photos";
/// The bucket in which the Kafka broker keeps its log.
const BROKER_LOG: &str = "tansu";
const REGION: &str = "us-east-1";

pub struct ObjectStore {
    port: u16,
    access_key: String,
    secret_key: String,
    notifications: Arc<OnceLock<Notifications>>,
}

impl ObjectStore {
    /// # Errors
    /// There is no free port, or the folder cannot be written.
    pub async fn start(folder: &DataFolder) -> Result<Self, Error> {
        let root = folder.path().join("objects");
        for bucket in [PHOTOS, BROKER_LOG] {
            fs::create_dir_all(root.join(bucket)).context("making the buckets")?;
        }
        let (access_key, secret_key) = (random_key()?, random_key()?);
        let files = s3s_fs::FileSystem::new(&root)
            .map_err(|cause| Error(format!("opening the object store: {cause:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key.clone(), secret_key.clone()));
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("binding the object store")?;
        let port = listener.local_addr().context("binding the object store")?.port();
        let notifications = Arc::new(OnceLock::new());
        tokio::spawn(serve(listener, builder.build(), notifications.clone()));
        Ok(Self { port, access_key, secret_key, notifications })
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on, every photo that is stored is announced in Kafka, as MinIO does it.
    pub(super) fn notify(&mut self, brokers: &str) -> Result<(), Error> {
        let notifications = Notifications::to(brokers, PHOTOS)?;
        self.notifications.set(notifications).map_err(|_| Error::new("the notifications were set up twice"))
    }

    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("S3_ENDPOINT", self.endpoint()),
            ("S3_BUCKET", PHOTOS.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }

    /// What the Kafka broker needs to keep its log here; the names are those of its own storage library.
    pub(super) fn broker_environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }
}

async fn serve(listener: TcpListener, service: S3Service, notifications: Arc<OnceLock<Notifications>>) {
    let server = Arc::new(auto::Builder::new(TokioExecutor::new()));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (server, service, notifications) = (server.clone(), service.clone(), notifications.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request: http::Request<Incoming>| {
                let (service, notifications) = (service.clone(), notifications.clone());
                async move {
                    let stored = notifications.get().and_then(|to| to.object_stored_by(&request));
                    let response = service.call(request.map(Into::into)).await;
                    if let (Some(object), Ok(response)) = (stored, &response)
                        && response.status().is_success()
                    {
                        object.announce(response.headers());
                    }
                    response
                }
            });
            // A client that goes away mid-request is its own affair.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn random_key() -> Result<String, Error> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).context("making a key for the object store")?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
