//! The HTTP server: metrics, health and the API.

mod api;
mod error;
mod feedback;
mod problem;
mod query;
mod resume;
mod routes;
mod server;
mod token;
mod windows;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crossbeam_channel::Sender;
use prometheus::Registry;

pub(super) use api::AlertItem;
pub use error::HttpError;
pub use resume::COMMAND_HEADER;
pub use routes::{open_routes, routes};
pub use token::Token;

use super::{Board, Health, MarkDesk, PanesDesk, Resume};
use crate::config::{HttpConfig, Span};

/// What the handlers answer from.
#[derive(Clone, Debug)]
pub struct ApiState {
    /// What the fold publishes.
    pub board: Arc<Board>,
    /// Heartbeats and readiness.
    pub health: Arc<Health>,
    /// What `/metrics` renders; see [`super::metrics::registry`].
    pub registry: Registry,
    /// Lengths of the windows, in the order of [`super::DepartmentView::windows`].
    pub windows: Vec<Span>,
    /// Where an operator's word to resume reading goes.
    pub resumes: Sender<Resume>,
    /// Where the fold is asked for panes.
    pub panes: PanesDesk,
    /// Where what people say of alerts goes.
    pub marks: MarkDesk,
    /// What guards `/api` and `/`; see [`Token::of`].
    pub token: Option<Token>,
}

/// The addresses, taken but not yet served.
#[derive(Debug)]
pub struct Bound {
    main: TcpListener,
    address: SocketAddr,
    metrics: Option<(TcpListener, SocketAddr)>,
}

/// Takes the addresses, so that a port in use is known before anything else starts. Port 0 takes a free one.
///
/// # Errors
/// If an address cannot be taken, or lies beyond loopback while no token guards the API.
pub fn bind(config: &HttpConfig) -> Result<Bound, HttpError> {
    if !config.listen.ip().is_loopback() && config.token_file.is_none() {
        return Err(HttpError::Unguarded { address: config.listen });
    }
    let (main, address) = take("http.listen", config.listen)?;
    let metrics = config.metrics_listen.map(|wanted| take("http.metrics_listen", wanted)).transpose()?;
    Ok(Bound { main, address, metrics })
}

impl Bound {
    /// The real address of metrics, health and API.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The real address that serves only metrics and health, where one is configured.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// Serves until `shutdown` is done and the requests then in flight are answered, which takes 5 s at most.
    ///
    /// # Errors
    /// If the runtime cannot take the sockets over.
    pub async fn serve(self, state: ApiState, shutdown: impl Future<Output = ()> + Send) -> Result<(), HttpError> {
        let state = Arc::new(state);
        let mut servers = vec![server::Server::new(self.main, self.address, routes(Arc::clone(&state)))?];
        if let Some((listener, address)) = self.metrics {
            servers.push(server::Server::new(listener, address, open_routes(state))?);
        }
        server::run(servers, shutdown).await;
        Ok(())
    }
}

/// Takes one address.
fn take(key: &'static str, wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), HttpError> {
    let refused = |source| HttpError::Bind { key, address: wanted, source };
    let listener = TcpListener::bind(wanted).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}
