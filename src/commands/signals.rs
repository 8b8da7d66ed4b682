//! SIGINT, SIGTERM and SIGHUP as messages on a channel.

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
    stop_at_signals(tell)?;
    Ok(told)
}

/// [`listen`], for a program that ends with its terminal: a SIGHUP is a first signal too. It is never the second: the
/// shell may send one besides the system's.
///
/// # Errors
/// Where the handlers cannot be installed.
pub(crate) fn listen_and_end_with_the_terminal() -> io::Result<Receiver<()>> {
    let (tell, told) = bounded(1);
    stop_at_signals(tell.clone())?;
    tell_hangups(tell)?;
    Ok(told)
}

fn stop_at_signals(tell: Sender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Handlers are installed before this returns, so that no signal is missed.
    let mut signals = runtime.block_on(async { Signals::install() })?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(signals.next());
        pass_on(&tell);
        runtime.block_on(signals.next());
        std::process::exit(INTERRUPTED);
    })?;
    Ok(())
}

/// A channel that gets a message at each SIGHUP; those that come while one waits are one.
///
/// # Errors
/// Where the handler cannot be installed.
pub(crate) fn hangups() -> io::Result<Receiver<()>> {
    let (tell, told) = bounded(1);
    tell_hangups(tell)?;
    Ok(told)
}

#[cfg(unix)]
fn tell_hangups(tell: Sender<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
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
    Ok(())
}

/// There is no such signal here: who asks waits for good.
#[cfg(not(unix))]
fn tell_hangups(tell: Sender<()>) -> io::Result<()> {
    std::mem::forget(tell);
    Ok(())
}

fn pass_on(tell: &Sender<()>) {
    // Full: a hangup has told it already.
    if tell.try_send(()).is_err_and(|error| error.is_disconnected()) {
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
