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

/// A channel that gets a message at each SIGHUP; those that come while one waits are one.
///
/// # Errors
/// Where the handler cannot be installed.
#[cfg(unix)]
pub(crate) fn hangups() -> io::Result<Receiver<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (tell, told) = bounded(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut hangups = runtime.block_on(async { signal(SignalKind::hangup()) })?;
    std::thread::Builder::new().name("hangups".to_owned()).spawn(move || {
        while runtime.block_on(hangups.recv()).is_some() {
            // Full: the one that waits is answered with the file as it is then.
            if tell.try_send(()).is_err_and(|error| error.is_disconnected()) {
                return;
            }
        }
    })?;
    Ok(told)
}

/// There is no such signal here.
#[cfg(not(unix))]
pub(crate) fn hangups() -> io::Result<Receiver<()>> {
    Ok(crossbeam_channel::never())
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
