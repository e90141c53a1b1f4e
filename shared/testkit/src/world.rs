//! Everything that one test sees: its own database, keys and users, and the shared parts.

use crate::{FunctionProcess, database, lasting};
use contract::Function;
use localstack::{
    faces::{FaceFiles, Photos},
    folders::DataFolder,
    parts::Parts,
};
use objects::{Bucket, Location};
use std::{
    process::Output,
    sync::atomic::{AtomicI64, Ordering},
};
use tokens::{Issuer, KeyPair, Subject};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::Client;

/// The parts of this test program, with the folder that they live in.
static PARTS: OnceCell<(DataFolder, Mutex<Parts>)> = OnceCell::const_new();

async fn parts() -> &'static (DataFolder, Mutex<Parts>) {
    PARTS
        .get_or_init(|| {
            lasting(async {
                let folder = DataFolder::create().expect("a data folder");
                let parts = Parts::start(&folder).await.unwrap_or_else(|error| panic!("{error}"));
                (folder, Mutex::new(parts))
            })
        })
        .await
}

pub struct World {
    environment: Vec<(String, String)>,
    issuer: Issuer,
    database: Client,
}

/// A user who is in the database, with a token that is valid.
pub struct TestUser {
    pub id: i64,
    pub name: String,
    pub token: String,
}

/// Far from the ids that a database hands out itself.
static NEXT_USER_ID: AtomicI64 = AtomicI64::new(1_000_000);

/// How long the tokens of test users are good for, in seconds.
const TOKEN_TTL_S: u64 = 600;

/// The credit limit of test users, in minor units.
pub const CREDIT_LIMIT: i64 = 100_000;

impl World {
    /// A new world on the parts of this test program, which are started when this is the first.
    pub async fn new() -> Self {
        let (_, parts) = parts().await;
        let parts = parts.lock().await;
        let url = database::create(|name| parts.postgres.url(name)).await;
        let KeyPair { private_pem, jwks_json } = tokens::generate_key_pair().expect("randomness");
        let issuer = Issuer::new(&private_pem, TOKEN_TTL_S).expect("a key");
        let mut environment: Vec<_> =
            parts.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in [
            ("DATABASE_URL", url.clone()),
            ("JWT_PRIVATE_KEY", private_pem),
            ("JWT_KEYS", jwks_json),
            ("CREDIT_LIMIT", CREDIT_LIMIT.to_string()),
        ] {
            environment.retain(|(existing, _)| existing != name);
            environment.push((name.to_owned(), value));
        }
        Self { environment, issuer, database: database::connect(&url).await }
    }

    /// A variable that the functions of this world see.
    pub fn variable(&self, name: &str) -> &str {
        let found = self.environment.iter().find(|(existing, _)| existing == name);
        &found.unwrap_or_else(|| panic!("there is no {name}")).1
    }

    /// Changes what functions that are started from now on see.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(existing, _)| existing != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Lets the functions that look at faces find the models, and returns photos to show them.
    pub fn with_faces(&mut self) -> Photos {
        let files = FaceFiles::installed().unwrap_or_else(|error| panic!("{error}"));
        self.set("FACE_MODEL_DIR", files.model_dir.display().to_string());
        self.set("ORT_DYLIB_PATH", files.runtime.display().to_string());
        Photos::installed().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs the binary of a job to its end.
    pub async fn run_job(&self, binary: &str) -> Output {
        let mut job = tokio::process::Command::new(binary);
        job.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        job.output().await.expect("the job starts")
    }

    /// Runs the binary of `function` as a process of its own, ready to answer.
    pub async fn start(&self, function: &'static Function, binary: &str) -> FunctionProcess {
        let (folder, _) = parts().await;
        FunctionProcess::start(folder, function, binary, self.environment.clone()).await
    }

    /// This world's database.
    pub fn database(&self) -> &Client {
        &self.database
    }

    /// The bucket of the photos.
    pub fn bucket(&self) -> Bucket {
        let variable = |name| self.variable(name).to_owned();
        Bucket::new(Location {
            endpoint: Some(variable("S3_ENDPOINT")),
            region: variable("AWS_REGION"),
            name: variable("S3_BUCKET"),
            access_key: variable("AWS_ACCESS_KEY_ID"),
            secret_key: variable("AWS_SECRET_ACCESS_KEY"),
            session_token: None,
        })
    }

    /// A new user, not verified, with nothing on the account. Such a user cannot log in: the password is no hash.
    pub async fn user(&self, name: &str) -> TestUser {
        // The worlds of one test program share a Redis, in which a user is known by the id alone.
        let id = NEXT_USER_ID.fetch_add(1, Ordering::Relaxed);
        let insert = "INSERT INTO users (id, name, password, credit_limit) VALUES ($1, $2, '', $3)";
        self.database.execute(insert, &[&id, &name, &CREDIT_LIMIT]).await.expect("a new user");
        TestUser { id, name: name.to_owned(), token: self.token(id, name, 0) }
    }

    /// An access token that is signed with this world's key.
    pub fn token(&self, user_id: i64, name: &str, generation: i32) -> String {
        self.issuer.issue(Subject { user_id, name, generation })
    }

    /// Ends Redis at once; it stays away until [`Self::restart_redis`].
    pub async fn kill_redis(&self) {
        lasting(async { parts().await.1.lock().await.redis.kill().await }).await;
    }

    /// Brings Redis back, empty.
    pub async fn restart_redis(&self) {
        lasting(async { parts().await.1.lock().await.redis.restart().await.expect("Redis starts") }).await;
    }
}
