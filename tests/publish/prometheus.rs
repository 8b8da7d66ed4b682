//! A real Prometheus scrapes, evaluates the shipped rules, and pages.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use latido::config::HttpConfig;
use latido::detect::{AlertState, DepartmentOutlook};
use latido::publish::DepartmentView;
use latido::publish::http::bind;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::fixture::{BILLING, Company, billing, stream};

/// How long any one thing may take; all of them take a few seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A Prometheus with the shipped config, hurried up; it ends with the test.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Prometheus {
    fn watching(target: SocketAddr) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prometheus");
        let config = fs::read_to_string(shipped.join("prometheus.yml"))
            .unwrap()
            .replace("15s", "1s")
            .replace("rules/latido.rules.yml", shipped.join("rules/latido.rules.yml").to_str().unwrap())
            .replace("localhost:9464", &target.to_string());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, address, _directory: directory }
    }

    /// The labels of each sample that answers a query.
    fn query(&self, expression: &str) -> Option<Vec<Value>> {
        let request = ureq::get(format!("http://{}/api/v1/query", self.address)).query("query", expression);
        let answer: Value = request.call().ok()?.body_mut().read_json().ok()?;
        Some(answer["data"]["result"].as_array()?.iter().map(|sample| sample["metric"].clone()).collect())
    }

    /// Waits until a query's answer is as wished.
    fn wait_until(&mut self, expression: &str, wished: impl Fn(&[Value]) -> bool) {
        let started = Instant::now();
        loop {
            let answer = self.query(expression);
            if answer.as_deref().is_some_and(&wished) {
                return;
            }
            assert!(started.elapsed() < LIMIT, "{expression} still answers {answer:?}");
            assert_eq!(self.process.try_wait().unwrap(), None, "prometheus is gone");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
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

const FIRING: &str = r#"ALERTS{alertname="LatidoDepartmentUnhappy",alertstate="firing"}"#;

#[test]
#[ignore = "needs prometheus"]
fn a_department_pages_through_an_outage_of_the_daemon_until_its_alert_is_closed() {
    let company = Company::live();
    let daemon = Daemon::of(&company, "127.0.0.1:0".parse().unwrap());
    let address = daemon.address;
    let mut prometheus = Prometheus::watching(address);

    prometheus.wait_until(FIRING, |alerts| !alerts.is_empty());
    let alerts = prometheus.query(FIRING).unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let expected = [("department", "billing"), ("alert", "frustration"), ("severity", "page"), ("team", "payments")];
    for (label, value) in expected {
        assert_eq!(alerts[0][label], value, "{alerts:?}");
    }

    daemon.stop();
    prometheus.wait_until(r#"up{job="latido"} == 0"#, |down| !down.is_empty());
    prometheus.wait_until("absent(latido_alert_active)", |gone| !gone.is_empty());
    assert_eq!(prometheus.query(FIRING).unwrap(), alerts);

    let quiet = DepartmentOutlook { state: AlertState::Quiet, active: None, ..billing().outlook };
    company.board.publish(stream(false), [(BILLING, DepartmentView { outlook: quiet, ..billing() })]);
    let daemon = Daemon::of(&company, address);
    prometheus.wait_until(FIRING, <[Value]>::is_empty);
    prometheus.wait_until("latido_alert_active == 0", |shown| !shown.is_empty());
    daemon.stop();
}
