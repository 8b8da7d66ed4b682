//! A real Prometheus scrapes, evaluates the shipped rules, and pages.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use latido::config::HttpConfig;
use latido::detect::{AlertState, DepartmentOutlook};
use latido::publish::DepartmentView;
use latido::publish::http::bind;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::fixture::{BILLING, Company, billing, stream};
use crate::support::prometheus::Prometheus;
use crate::support::seconds;

/// How long any one thing may take; all of them take a few seconds.
const LIMIT: Duration = seconds(60);

/// The labels of each sample that answers a query.
fn labels(prometheus: &Prometheus, expression: &str) -> Result<Vec<Value>, String> {
    Ok(prometheus.query(expression)?.into_iter().map(|sample| sample["metric"].clone()).collect())
}

/// Waits until a query's answer is as wished; that answer.
fn wait_until(prometheus: &mut Prometheus, expression: &str, wished: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    prometheus.wait_until(expression, LIMIT, |prometheus| {
        let answer = labels(prometheus, expression)?;
        if wished(&answer) { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
}

/// A server of the company on an address, until it is told to stop.
struct Daemon {
    stop: oneshot::Sender<()>,
    served: thread::JoinHandle<()>,
    address: SocketAddr,
}

impl Daemon {
    fn of(company: &Company, listen: SocketAddr) -> Self {
        let bound = bind(&HttpConfig { listen, ..HttpConfig::default() }).unwrap();
        let (address, state) = (bound.address(), company.state());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(bound.serve(state, async move { stopped.await.unwrap() })).unwrap();
        });
        Self { stop, served, address }
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.join().unwrap();
    }
}

/// What pages for a department; the pipeline's alerts have none, and a ticket is no page.
const FIRING: &str = r#"ALERTS{department!="",severity="page",alertstate="firing"}"#;

#[test]
#[ignore = "needs prometheus"]
fn a_department_pages_through_an_outage_of_the_daemon_until_its_alert_is_closed() {
    let company = Company::live();
    let daemon = Daemon::of(&company, "127.0.0.1:0".parse().unwrap());
    let address = daemon.address;
    let mut prometheus = Prometheus::start(&address.to_string());

    let alerts = wait_until(&mut prometheus, FIRING, |alerts| !alerts.is_empty());
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let expected = [
        ("alertname", "LatidoFrustration"),
        ("department", "billing"),
        ("alert", "frustration"),
        ("severity", "page"),
        ("team", "payments"),
    ];
    for (label, value) in expected {
        assert_eq!(alerts[0][label], value, "{alerts:?}");
    }
    for label in ["job", "instance"] {
        assert_eq!(alerts[0][label], Value::Null, "of several instances a page is one: {alerts:?}");
    }

    daemon.stop();
    wait_until(&mut prometheus, r#"up{job="latido"} == 0"#, |down| !down.is_empty());
    wait_until(&mut prometheus, "absent(latido_alert_active)", |gone| !gone.is_empty());
    assert_eq!(labels(&prometheus, FIRING), Ok(alerts));

    let quiet = DepartmentOutlook { state: AlertState::Quiet, active: Vec::new(), ..billing().outlook };
    company.board.publish(stream(false), [(BILLING, DepartmentView { outlook: quiet, ..billing() })]);
    let daemon = Daemon::of(&company, address);
    wait_until(&mut prometheus, FIRING, <[Value]>::is_empty);
    wait_until(&mut prometheus, "latido_alert_active == 0", |shown| !shown.is_empty());
    daemon.stop();
}
