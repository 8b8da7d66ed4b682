//! The server on real sockets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use latido::config::HttpConfig;
use latido::publish::http::{HttpError, bind};
use tokio::sync::oneshot;

use crate::fixture::Company;

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn ask(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: latido\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn a_port_in_use_is_named_with_its_key_and_the_remedy() {
    let taken = TcpListener::bind(any_port()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(&HttpConfig { listen: address, ..HttpConfig::default() }).unwrap_err().to_string();
    for part in [address.to_string().as_str(), "http.listen", "choose another port"] {
        assert!(error.contains(part), "{error}");
    }
    let config = HttpConfig { listen: any_port(), metrics_listen: Some(address), ..HttpConfig::default() };
    assert!(bind(&config).unwrap_err().to_string().contains("http.metrics_listen"));
}

#[test]
fn beyond_loopback_no_api_is_served_without_a_token() {
    let config = HttpConfig { listen: "0.0.0.0:0".parse().unwrap(), ..HttpConfig::default() };
    let error = bind(&config).unwrap_err();
    assert!(matches!(error, HttpError::Unguarded { .. }), "{error}");
    assert!(error.to_string().contains("http.token_file"), "{error}");
    let guarded = HttpConfig { token_file: Some("token".into()), ..config };
    assert!(bind(&guarded).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_addresses_are_served_until_shutdown_and_then_free() {
    let config = HttpConfig { listen: any_port(), metrics_listen: Some(any_port()), token_file: None };
    let bound = bind(&config).unwrap();
    let (main, metrics) = (bound.address(), bound.metrics_address().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let state = Company::live().state();
    let server = tokio::spawn(bound.serve(state, async move { stopped.await.unwrap() }));

    let asked = tokio::task::spawn_blocking(move || {
        let idle = connect(main);
        let answers = [(main, "/api/v1/departments"), (metrics, "/metrics"), (metrics, "/api/v1/departments")]
            .map(|(address, path)| ask(&mut connect(address), path));
        (idle, answers)
    });
    let (idle, [departments, scrape, refused]) = asked.await.unwrap();
    assert!(departments.starts_with("HTTP/1.1 200 OK") && departments.contains("\"billing\""), "{departments}");
    assert!(scrape.starts_with("HTTP/1.1 200 OK") && scrape.contains("latido_ready 1"), "{scrape}");
    assert!(refused.starts_with("HTTP/1.1 404 Not Found"), "{refused}");

    stop.send(()).unwrap();
    // An idle connection is closed by the drain, it does not hold it up for its whole deadline.
    tokio::time::timeout(Duration::from_secs(4), server).await.unwrap().unwrap().unwrap();
    assert!(bind(&HttpConfig { listen: main, ..HttpConfig::default() }).is_ok());
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_head_without_end_is_cut_off() {
    let bound = bind(&HttpConfig { listen: any_port(), ..HttpConfig::default() }).unwrap();
    let address = bound.address();
    let server = tokio::spawn(bound.serve(Company::live().state(), std::future::pending()));
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = connect(address);
        let head = format!("GET /metrics HTTP/1.1\r\nHost: latido\r\nX-Long: {}", "a".repeat(64 * 1_024));
        // The server may answer and close before it has taken all of it.
        let _written = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let answer = answer.await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    server.abort();
}
