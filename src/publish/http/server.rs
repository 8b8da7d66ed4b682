//! Accepts connections: so many at a time, each with a limit on how long a request's head may take.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::HttpError;

/// Most connections open at once on one address; more wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;

/// A client that has not sent a whole request head by then is cut off; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of a request head.
const MOST_HEAD_BYTES: usize = 16 * 1_024;

/// How long requests in flight may take at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before the next try where the system has no socket left for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One address and what it serves.
pub(super) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    places: Arc<Semaphore>,
}

/// Serves all until `shutdown` is done, then drains them side by side.
pub(super) async fn run(servers: Vec<Server>, shutdown: impl Future<Output = ()> + Send) {
    let (stop, stopped) = watch::channel(());
    let mut tasks: JoinSet<()> = servers.into_iter().map(|server| server.serve(stopped.clone())).collect();
    shutdown.await;
    drop(stop);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "an http server ended badly");
        }
    }
}

impl Server {
    /// Hands a bound socket to the runtime.
    pub(super) fn new(listener: std::net::TcpListener, address: SocketAddr, router: Router) -> Result<Self, HttpError> {
        let listener = TcpListener::from_std(listener).map_err(|source| HttpError::Serve { address, source })?;
        Ok(Self { listener, address, router, places: Arc::new(Semaphore::new(MOST_CONNECTIONS)) })
    }

    /// Accepts until the sender of `stopped` is gone, then answers what is in flight.
    async fn serve(self, mut stopped: watch::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                (stream, place) = self.accept() => {
                    connections.spawn(self.converse(stream, place, &graceful));
                }
                Some(_) = connections.join_next() => {}
                _ = stopped.changed() => break,
            }
        }
        // The address is free from here on, while what is in flight is still answered.
        let Self { listener, address, .. } = self;
        drop(listener);
        if timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!(%address, connections = connections.len(), "http connections were cut off at shutdown");
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self) -> (TcpStream, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed, so there always is a permit in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return (stream, place),
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// One connection from its first byte to its last; `place` is given back at the end.
    fn converse(
        &self,
        stream: TcpStream,
        place: Option<OwnedSemaphorePermit>,
        graceful: &GracefulShutdown,
    ) -> impl Future<Output = ()> + Send + 'static {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MOST_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.router.clone()));
        let watched = graceful.watch(connection);
        async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "an http connection broke off");
            }
            drop(place);
        }
    }
}
