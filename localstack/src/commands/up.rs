//! `cargo stack up`.

use clap::Args;
use contract::{Access, FUNCTIONS};
use localstack::{
    Error, folders,
    stack::{Running, Stack},
};
use std::{
    fs::File,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Args, Clone, Copy)]
pub(crate) struct Options {
    /// The port of the gateway on 127.0.0.1.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Return when everything is ready, and leave it running in the background.
    #[arg(long)]
    detach: bool,
}

pub(crate) async fn run(options: Options) -> Result<(), Error> {
    if options.detach { detach(options).await } else { stay(options).await }
}

async fn stay(options: Options) -> Result<(), Error> {
    let mut ended = std::pin::pin!(ended()?);
    let stack = tokio::select! {
        // Dropping what was started so far ends it.
        () = &mut ended => return Ok(()),
        stack = Stack::start(options.port) => stack?,
    };
    print_table(&stack.running);
    println!("Logs are in {}. Ctrl-C ends everything.", stack.folder().display());
    ended.await;
    eprintln!("==> stopping");
    stack.stop().await;
    Ok(())
}

/// Resolves when the terminal, a person or a supervisor wants us to end.
fn ended() -> Result<impl Future<Output = ()>, Error> {
    let listen = |kind| signal(kind).map_err(|cause| Error(format!("listening for signals: {cause}")));
    let (mut interrupt, mut terminate, mut hang_up) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

async fn detach(options: Options) -> Result<(), Error> {
    let log_path = folders::state()?.join("up.log");
    let failed = |cause: std::io::Error| Error(format!("starting in the background: {cause}"));
    let log = File::create(&log_path).map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    let own = std::env::current_exe().map_err(failed)?;
    let mut background = Command::new("setsid");
    background.arg(own).args(["up", "--port", &options.port.to_string()]);
    background.stdin(Stdio::null()).stdout(log).stderr(errors);
    let mut child = background.spawn().map_err(failed)?;
    eprintln!("==> starting in the background; its log is {}", log_path.display());
    loop {
        if let Some(running) = Running::find()?.filter(|running| running.pid == child.id()) {
            print_table(&running);
            return Ok(());
        }
        if child.try_wait().map_err(failed)?.is_some() {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            return Err(Error(format!("it did not start:\n{}", log.trim_end())));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn print_table(running: &Running) {
    let url = &running.url;
    println!("\n{:<6} {:<8} {:<62} functions/…", "method", "access", "url");
    for function in FUNCTIONS {
        let access = match function.access {
            Access::Public => "public",
            Access::Bearer => "token",
            Access::Internal => continue,
        };
        for method in function.methods {
            for path in function.paths.iter().filter(|path| !path.ends_with('*')) {
                println!(
                    "{:<6} {access:<8} {:<62} {}",
                    method.as_str(),
                    format!("{url}{path}"),
                    function.folder
                );
            }
        }
    }
    println!("\nThe first answer came {:.1} s after the start.", running.started_in.as_secs_f32());
    println!("\nTry:  curl -s {url}/api/auth-service/register/ -H 'content-type: application/json' \\");
    println!("        -d '{{\"name\": \"ada\", \"password\": \"correct horse battery\"}}'");
    println!("Or:   cargo stack demo");
}
