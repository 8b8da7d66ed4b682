//! SIGINT and SIGTERM as messages on a channel.

use std::io;

use crossbeam_channel::{Receiver, Sender, bounded};

/// The exit code of a process that a second signal ends at once.
const INTERRUPTED: i32 = 130;

/// A channel that gets a message at the first SIGINT or SIGTERM; a second one ends the process at once.
///
/// # Errors
/// Where the handlers cannot be installed.
pub(crate) fn listen() -> io::Result<Receiver<()>> {
    let (tell, told) = bounded(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Handlers are installed before this returns, so that no signal is missed.
    let mut signals = runtime.block_on(async { Signals::install() })?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(signals.next());
        pass_on(&tell);
        runtime.block_on(signals.next());
        std::process::exit(INTERRUPTED);
    })?;
    Ok(told)
}

fn pass_on(tell: &Sender<()>) {
    if tell.send(()).is_err() {
        tracing::debug!("a signal came while nobody listened");
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
