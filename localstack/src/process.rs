//! Processes that end with us, however we end.

use crate::{Context, Error};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::process::{Child, Command};

/// How long a process may take to end after it was asked to, before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How many lines of a log are shown when something fails.
const LOG_TAIL_LINES: usize = 15;

/// What to run, and how. Running it again after its end gives the same process anew.
#[derive(Debug, Clone)]
pub struct Program {
    pub name: String,
    pub path: PathBuf,
    pub args: Vec<OsString>,
    /// The whole environment of the process, besides `PATH`, `HOME`, `RUST_LOG` and `RUST_BACKTRACE`.
    pub env: Vec<(String, OsString)>,
    pub log: PathBuf,
    /// Asks the process to end in order.
    pub stop_signal: Signal,
    /// The user and group to run as, when they are not ours.
    pub run_as: Option<u32>,
}

impl Program {
    pub fn new(name: &str, path: impl Into<PathBuf>, log: PathBuf) -> Self {
        let (args, env) = (Vec::new(), Vec::new());
        Self {
            name: name.into(),
            path: path.into(),
            args,
            env,
            log,
            stop_signal: Signal::SIGTERM,
            run_as: None,
        }
    }

    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Starts the process. It is killed by the kernel when the calling thread ends, which must therefore live as
    /// long as the process is wanted.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self) -> Result<Process, Error> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.context(format!("opening {}", self.log.display()))?;
        let mut command = self.command();
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        for name in ["PATH", "HOME", "RUST_LOG", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let errors = log.try_clone().context("duplicating the log")?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors).kill_on_drop(true);
        // Ctrl-C in the terminal is for us: we end the others in order.
        command.process_group(0);
        let child = command.spawn().context(format!("starting {} ({})", self.name, self.path.display()))?;
        Ok(Process { program: self.clone(), child })
    }

    /// The command, through util-linux's setpriv: it asks the kernel to end the process with its parent, and
    /// changes the user, without a line of unsafe code here.
    fn command(&self) -> Command {
        let Some(setpriv) = find_in_path("setpriv") else {
            let mut command = Command::new(&self.path);
            command.args(&self.args);
            return command;
        };
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL"]);
        if let Some(id) = self.run_as {
            command.args([format!("--reuid={id}"), format!("--regid={id}"), "--clear-groups".into()]);
        }
        command.arg("--").arg(&self.path).args(&self.args);
        command
    }
}

/// A running process.
pub struct Process {
    program: Program,
    child: Child,
}

impl Process {
    pub fn name(&self) -> &str {
        &self.program.name
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for the process to end.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the process to end, waits, and kills it when it does not.
    pub async fn stop(&mut self) {
        self.signal(self.program.stop_signal);
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends the process at once, as a crash would.
    pub async fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill().await;
    }

    /// Starts the program again. The process must have ended.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart(&mut self) -> Result<(), Error> {
        *self = self.program.start()?;
        Ok(())
    }

    /// What failed, with the end of the log and the place of the rest.
    pub fn failure(&self, what: &str) -> Error {
        let Program { name, log, .. } = &self.program;
        Error(format!("{name} {what}. The end of its log, {}:\n{}", log.display(), tail(log)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // An error means that it has ended already.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

/// A port of 127.0.0.1 that is free now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr().context("finding a free port")?.port())
}

/// The executable file `name` in `PATH`.
pub fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
