//! The functions: built, started with the variables that each uses and no other, and started again when they end.

use crate::{
    Context, Error,
    envoy::Ports,
    faces::FaceFiles,
    folders::DataFolder,
    parts::Parts,
    process::{Process, Program, free_port},
    ready::until_ready,
};
use contract::{FUNCTIONS, event, routes::VERIFY_PHOTO};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const READY_TIMEOUT: Duration = Duration::from_secs(30);

const DATABASE: &[&str] = &["DATABASE_URL"];
const CACHE: &[&str] = &["REDIS_URL"];
const EVENTS: &[&str] = &["KAFKA_BROKERS"];
const PHOTOS: &[&str] =
    &["S3_ENDPOINT", "S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];
const FACES: &[&str] = &["FACE_MODEL_DIR", "ORT_DYLIB_PATH"];
const SIGNING_KEY: &[&str] = &["JWT_PRIVATE_KEY_FILE"];
const VERIFYING_KEYS: &[&str] = &["JWT_KEYS_FILE"];

/// Which variables a process is given: least privilege, so that a secret is where it is used and nowhere else.
const VARIABLES: &[(&str, &[&[&str]])] = &[
    ("api-gateway-docs", &[]),
    ("api-gateway-healthz-ready", &[DATABASE, CACHE, EVENTS, PHOTOS]),
    ("auth-service-auth", &[DATABASE, SIGNING_KEY]),
    ("auth-service-check-token", &[DATABASE, CACHE, VERIFYING_KEYS]),
    ("auth-service-jwks", &[VERIFYING_KEYS]),
    ("auth-service-register", &[DATABASE, SIGNING_KEY]),
    ("auth-service-verify", &[DATABASE, CACHE, EVENTS, PHOTOS, VERIFYING_KEYS]),
    ("face-verification-service-get-vector", &[DATABASE, CACHE, PHOTOS, FACES, VERIFYING_KEYS]),
    ("face-verification-service-verify-photo", &[DATABASE, CACHE, PHOTOS, FACES]),
    ("jobs-migrate", &[DATABASE]),
    ("jobs-sweep", &[DATABASE, EVENTS]),
    ("transaction-service-create", &[DATABASE, CACHE, VERIFYING_KEYS]),
    ("transaction-service-report", &[DATABASE, CACHE, VERIFYING_KEYS]),
];

/// Settings that whoever starts the stack may set for the functions that know them.
const PASSED_ON: &[&str] =
    &["TOKEN_TTL_SECONDS", "CREDIT_LIMIT", "FACE_MATCH_THRESHOLD", "DATABASE_MAX_CONNECTIONS"];

/// Builds every function, with cargo's own progress, and returns the folder of the binaries.
///
/// # Errors
/// It does not compile.
pub fn build() -> Result<PathBuf, Error> {
    let mut command = cargo();
    command.args(["build", "--workspace", "--bins"]).stdin(Stdio::null());
    match command.status().context("running cargo")?.success() {
        true => {
            let own = env::current_exe().context("finding the binaries")?;
            // The tests of this crate run from a folder below that of the binaries.
            let folders = own.ancestors().skip(1).take(2);
            let mut with_functions = folders.filter(|folder| folder.join("jobs-migrate").is_file());
            with_functions
                .next()
                .map(Path::to_owned)
                .ok_or_else(|| Error::new("cargo built, but not where I run from"))
        }
        false => Err(Error::new("the functions do not compile: see above")),
    }
}

/// Cargo in the repository, as if it was called from a shell: what `cargo run` told us about our own package would make
/// build scripts that look at it run again, and with them half of the build.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let about_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(about_us)) {
        command.env_remove(name);
    }
    command.current_dir(repository());
    command
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Everything that a function may be told, by variable.
pub struct Environment {
    variables: Vec<(&'static str, String)>,
}

impl Environment {
    /// Makes a key pair for this stack and adds what the parts and the models say.
    ///
    /// # Errors
    /// The models cannot be had, or the keys not be written.
    pub fn new(folder: &DataFolder, parts: &Parts) -> Result<Self, Error> {
        let keys = tokens::generate_key_pair().context("making a key pair")?;
        let faces = FaceFiles::installed()?;
        let mut variables = parts.environment();
        for (name, file, content) in [
            ("JWT_PRIVATE_KEY_FILE", "jwt-private-key.pem", keys.private_pem),
            ("JWT_KEYS_FILE", "jwks.json", keys.jwks_json),
        ] {
            let path = folder.path().join(file);
            fs::write(&path, content).context("writing a key")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).context("closing a key")?;
            variables.push((name, path.display().to_string()));
        }
        variables.push(("FACE_MODEL_DIR", faces.model_dir.display().to_string()));
        variables.push(("ORT_DYLIB_PATH", faces.runtime.display().to_string()));
        Ok(Self { variables })
    }

    /// A line `NAME=value` for each variable, as `cargo lambda watch --env-file` reads it.
    pub fn as_file(&self) -> String {
        self.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }

    /// The program of a function or a job.
    fn program(&self, folder: &DataFolder, binaries: &Path, name: &str) -> Program {
        let mut program = Program::new(name, binaries.join(name), folder.log(name));
        let groups = VARIABLES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, groups)| groups);
        for wanted in groups.iter().copied().flatten() {
            if let Some((_, value)) = self.variables.iter().find(|(variable, _)| variable == wanted) {
                program = program.env(wanted, value);
            }
        }
        for variable in PASSED_ON {
            if let Some(value) = env::var_os(variable) {
                program = program.env(variable, value);
            }
        }
        program
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    /// It fails.
    pub async fn run_job(&self, folder: &DataFolder, binaries: &Path, name: &str) -> Result<(), Error> {
        let mut job = self.program(folder, binaries, name).start()?;
        let ended = job.ended().await.context(format!("waiting for {name}"))?;
        if ended.success() { Ok(()) } else { Err(job.failure(&format!("ended with {ended}"))) }
    }

    /// Starts every function and waits until all are ready. Returns them with their ports.
    ///
    /// # Errors
    /// One does not start.
    pub async fn start_functions(
        &self,
        folder: &DataFolder,
        binaries: &Path,
    ) -> Result<(Vec<Process>, Ports), Error> {
        let (mut processes, mut ports) = (Vec::new(), Ports::new());
        for function in FUNCTIONS {
            let (name, port) = (function.name(), free_port()?);
            let program =
                self.program(folder, binaries, &name).env("HOST", "127.0.0.1").env("PORT", port.to_string());
            processes.push(program.start()?);
            ports.insert(name, port);
        }
        for process in &mut processes {
            let port = ports[process.name()];
            until_ready(process, READY_TIMEOUT, || is_ready(port)).await?;
        }
        Ok((processes, ports))
    }

    /// Starts the event source, which brings the events of Kafka to `verify_photo`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_event_source(
        &self,
        folder: &DataFolder,
        binaries: &Path,
        ports: &Ports,
    ) -> Result<Process, Error> {
        let sink_port = ports[&VERIFY_PHOTO.name()];
        let topics = [event::FACES_TOPIC, event::PHOTO_UPLOADS_TOPIC].join(",");
        let brokers = self.variables.iter().find(|(name, _)| *name == "KAFKA_BROKERS");
        Program::new("event-source", binaries.join("event-source"), folder.log("event-source"))
            .env("KAFKA_BROKERS", brokers.map(|(_, brokers)| brokers.as_str()).unwrap_or_default())
            .env("TOPICS", topics)
            .env("CONSUMER_GROUP", "verify-photo")
            .env("DEAD_LETTER_TOPIC", event::DEAD_LETTER_TOPIC)
            .env("SINK_URL", format!("http://127.0.0.1:{sink_port}/"))
            .start()
    }
}

/// Whether the function on `port` answers its readiness probe.
async fn is_ready(port: u16) -> bool {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/healthz/ready")).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, VARIABLES};

    #[test]
    fn every_function_has_its_variables_listed() {
        for function in FUNCTIONS {
            assert!(VARIABLES.iter().any(|(name, _)| *name == function.name()), "{}", function.folder);
        }
    }
}
