//! Whoever Alertmanager pages: takes what is posted, and says what a pager would have made of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Labels = std::collections::BTreeMap<String, String>;

/// A notification as Alertmanager's webhook posts it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    /// Where it was posted to: whose receiver.
    #[serde(skip)]
    pub(crate) path: String,
    /// The page that it is about.
    pub(crate) group_key: String,
    /// `firing` while some alert of the page does, then `resolved`.
    pub(crate) status: String,
    /// What the page's alerts are grouped by.
    pub(crate) group_labels: Labels,
    /// The page's alerts.
    pub(crate) alerts: Vec<Told>,
    /// Alerts left out for want of room.
    pub(crate) truncated_alerts: u64,
}

/// An alert in a notification.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Told {
    /// Its labels.
    pub(crate) labels: Labels,
    /// Its annotations.
    pub(crate) annotations: Labels,
}

impl Notification {
    /// Whether the page is open after it.
    pub(crate) fn is_firing(&self) -> bool {
        self.status == "firing"
    }

    fn is_heartbeat(&self) -> bool {
        self.path == "/dead-mans-switch"
    }
}

/// What was posted so far, oldest first.
#[derive(Clone, Default)]
struct Posted(Arc<Mutex<Vec<Notification>>>);

/// A server on the loopback until it is dropped.
pub(crate) struct Webhook {
    address: SocketAddr,
    posted: Posted,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port on the loopback");
        listener.set_nonblocking(true).expect("a socket for tokio");
        let address = listener.local_addr().expect("the socket's address");
        let posted = Posted::default();
        let router = Router::new().fallback(take).with_state(posted.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                // Not gracefully: Alertmanager keeps its connections.
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Self { address, posted, stop: Some(stop), thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What people were told: everything but heartbeats.
    pub(crate) fn told(&self) -> Vec<Notification> {
        self.posted.read().into_iter().filter(|one| !one.is_heartbeat()).collect()
    }

    /// How often the dead man's switch was told that alerting works.
    pub(crate) fn heartbeats(&self) -> usize {
        self.posted.read().iter().filter(|one| one.is_heartbeat()).count()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "the webhook panicked");
        }
    }
}

impl Posted {
    fn read(&self) -> Vec<Notification> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(posted): State<Posted>, uri: Uri, body: String) -> (StatusCode, String) {
    match serde_json::from_str::<Notification>(&body) {
        Ok(notification) => {
            let notification = Notification { path: uri.path().to_owned(), ..notification };
            posted.0.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
            (StatusCode::OK, String::new())
        }
        // Alertmanager logs the answer and tries again: the wait of the test shows it.
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error} in {body}")),
    }
}
