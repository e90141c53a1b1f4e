//! The running stack: started in order, watched, stopped in order.

use crate::{
    Context, Error, envoy,
    folders::{self, DataFolder},
    functions::{self, Environment},
    parts::Parts,
    process::Process,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet, time::sleep};

/// How often the sweep job runs.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// How long to wait before a process that ended is started again: at first, and at most.
const RESTART_DELAY: Duration = Duration::from_millis(100);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(10);
/// A process that ran for this long starts over with the shortest delay.
const RAN_WELL: Duration = Duration::from_secs(30);

/// What another command must know about a stack that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    pub url: String,
    /// The variables of the parts and keys, a line each.
    pub env_file: PathBuf,
    /// From the first step, with everything built, to the first answer through the gateway.
    pub started_in: Duration,
}

impl Running {
    /// The stack that this user runs, if there is one.
    ///
    /// # Errors
    /// The state folder cannot be used.
    pub fn find() -> Result<Option<Self>, Error> {
        let Some(_unlocked) = try_lock()? else {
            let state = fs::read(state_file()?);
            // The file is written when the stack is ready, a moment after it is locked.
            return Ok(state.ok().and_then(|json| serde_json::from_slice(&json).ok()));
        };
        Ok(None)
    }
}

fn state_file() -> Result<PathBuf, Error> {
    Ok(folders::state()?.join("running.json"))
}

/// Removes what a stack said about itself. There may be nothing.
fn forget_state() {
    let _ = state_file().map(fs::remove_file);
}

/// The lock that a running stack holds; `None` when another one does.
fn try_lock() -> Result<Option<File>, Error> {
    let path = folders::state()?.join("up.lock");
    let lock = File::create(&path).context(format!("making {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(Error(format!("locking {}: {cause}", path.display()))),
    }
}

pub struct Stack {
    pub running: Running,
    parts: Parts,
    stopping: watch::Sender<bool>,
    tasks: JoinSet<()>,
    // Dropped last: the folder is removed when nothing writes to it any more.
    _folder: Arc<DataFolder>,
    _lock: File,
}

impl Stack {
    /// Starts everything, with the gateway on `port`. The calling thread must live as long as the stack is wanted.
    ///
    /// # Errors
    /// Another stack runs, something cannot be fetched or built, or something does not start.
    pub async fn start(port: u16) -> Result<Self, Error> {
        let lock = try_lock()?
            .ok_or_else(|| Error::new("a stack is running already: end it with `cargo stack down`"))?;
        forget_state();
        check_port(port)?;
        step("building the functions");
        let binaries = functions::build()?;
        let started = Instant::now();
        step("starting PostgreSQL, Redis, Kafka and the object store");
        let folder = Arc::new(DataFolder::create()?);
        let parts = Parts::start(&folder).await?;
        let environment = Environment::new(&folder, &parts)?;
        let env_file = folder.path().join("stack.env");
        fs::write(&env_file, environment.as_file()).context("writing the variables")?;
        step("migrating the database");
        environment.run_job(&folder, &binaries, "jobs-migrate").await?;
        step("starting the functions");
        let (mut processes, ports) = environment.start_functions(&folder, &binaries).await?;
        processes.push(environment.start_event_source(&folder, &binaries, &ports)?);
        step("starting Envoy");
        processes.push(envoy::start(&folder, port, &ports).await?);

        let url = format!("http://127.0.0.1:{port}");
        wait_for_first_answer(&url).await?;
        let running = Running { pid: std::process::id(), url, env_file, started_in: started.elapsed() };
        let json = serde_json::to_vec(&running).context("writing the state")?;
        fs::write(state_file()?, json).context("writing the state")?;

        let (stopping, stop) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for process in processes {
            tasks.spawn(keep_running(process, stop.clone()));
        }
        tasks.spawn(sweep_regularly(environment, folder.clone(), binaries, stop));
        Ok(Self { running, parts, stopping, tasks, _folder: folder, _lock: lock })
    }

    /// The folder of the logs.
    pub fn folder(&self) -> &Path {
        self._folder.path()
    }

    /// Stops the functions and the gateway, then the parts.
    pub async fn stop(mut self) {
        forget_state();
        // Nobody listens when every task has ended already.
        let _ = self.stopping.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.parts.stop().await;
    }
}

fn step(what: &str) {
    eprintln!("==> {what}");
}

fn check_port(port: u16) -> Result<(), Error> {
    let taken = |cause| {
        Error(format!("port {port} of 127.0.0.1 cannot be used ({cause}): choose another with --port"))
    };
    std::net::TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(taken)
}

/// Everything is ready when the gateway's readiness is.
async fn wait_for_first_answer(url: &str) -> Result<(), Error> {
    let ready = format!("{url}{}", contract::routes::READY.paths[0]);
    let started = Instant::now();
    loop {
        let answer = reqwest::get(&ready).await;
        match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            _ if started.elapsed() < Duration::from_secs(15) => sleep(Duration::from_millis(10)).await,
            Ok(answer) => {
                let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
                return Err(Error(format!("the gateway is up and the stack is not ready: {status} {text}")));
            }
            Err(cause) => return Err(Error(format!("the gateway does not answer: {cause}"))),
        }
    }
}

/// Starts the process again whenever it ends, on the same port, until the stack stops.
async fn keep_running(mut process: Process, mut stop: watch::Receiver<bool>) {
    let mut delay = RESTART_DELAY;
    loop {
        let started = Instant::now();
        let ended = tokio::select! {
            ended = process.ended() => ended,
            _ = stop.changed() => return process.stop().await,
        };
        let how = ended.map_or_else(|cause| cause.to_string(), |status| status.to_string());
        delay = if started.elapsed() > RAN_WELL { RESTART_DELAY } else { delay };
        eprintln!("==> {} ended ({how}); starting it again", process.name());
        tokio::select! {
            () = sleep(delay) => {}
            _ = stop.changed() => return,
        }
        delay = (delay * 2).min(RESTART_DELAY_MAX);
        if let Err(error) = process.restart() {
            eprintln!("==> {error}");
        }
    }
}

async fn sweep_regularly(
    environment: Environment,
    folder: Arc<DataFolder>,
    binaries: PathBuf,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = sleep(SWEEP_INTERVAL) => {}
            _ = stop.changed() => return,
        }
        if let Err(error) = environment.run_job(&folder, &binaries, "jobs-sweep").await {
            eprintln!("==> {error}");
        }
    }
}
