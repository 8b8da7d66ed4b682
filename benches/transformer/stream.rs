//! The daemon's whole way with the encoder: a broker (librdkafka's mock) and a producer in this process, messages at a steady rate.
//!
//! `cargo bench --features transformer --bench transformer -- --stream [--share-of-capacity 0.7]`
//!
//! First `transformer` at that share of what the model manages, measured when it is loaded; then `cascade` at ten times of it. What is told
//! is read from the daemon's own metrics once a warm-up is over.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use latido::config::{Config, DepartmentConfig, ScorerChoice};
use latido::pipeline::{Options, Pipeline};
use latido::score::lane::SlowModel as _;
use latido::score::transformer::{Precision, Transformer, open};
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::texts::corpus;

const WARM_UP: Duration = Duration::from_secs(15);
const MEASURED: Duration = Duration::from_secs(60);
const DEPARTMENTS: [&str; 4] = ["billing", "delivery", "shop", "support"];

/// Measures both kinds.
pub(crate) fn run(share: f64) {
    let model = open(None, Precision::Auto).unwrap();
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1));
    let capacity = model.texts_per_second() * workers as f64;
    println!("{workers} workers manage {capacity:.0} texts of 26 tokens a second by themselves");
    let texts = short(&model);
    drop(model);
    for (kind, rate) in [(ScorerChoice::Transformer, share * capacity), (ScorerChoice::Cascade, 10.0 * capacity)] {
        measure(kind, rate, &texts);
    }
}

/// Messages of the corpus, 26 tokens in the mean.
fn short(model: &Transformer) -> Vec<String> {
    let texts = corpus().into_iter().map(|text| (model.tokens(&text).ids().len(), text));
    let mut sums = (0, 0);
    let fits = texts.filter(|(tokens, _)| {
        let fits = sums.0 + tokens <= 26 * (sums.1 + 1) + 26;
        if fits {
            sums = (sums.0 + tokens, sums.1 + 1);
        }
        fits
    });
    fits.map(|(_, text)| text).collect()
}

fn measure(kind: ScorerChoice, rate: f64, texts: &[String]) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("messages", 4, 1).unwrap();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.kafka.brokers = vec![cluster.bootstrap_servers()];
    config.kafka.topics = vec!["messages".to_owned()];
    config.checkpoint.directory = directory.path().to_owned();
    config.http.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.departments = DEPARTMENTS.map(DepartmentConfig::named).to_vec();
    config.scorer.kind = kind;
    // Messages come once each; what is remembered would flatter.
    config.scorer.transformer.cache_texts = 0;
    let pipeline = Pipeline::start(config, Options::default()).unwrap();
    let address = pipeline.http_address();
    let mut feed = Feed { producer, texts, rate, sent: 0, begun: Instant::now() };
    feed.until(WARM_UP, || {});
    let before = scrape(address);
    let (mut degraded, mut looks) = (0, 0);
    feed.until(WARM_UP + MEASURED, || {
        degraded += u32::from(value(&scrape(address), "latido_scorer_degraded ") > 0.0);
        looks += 1;
    });
    let after = scrape(address);
    let more = |name: &str| value(&after, name) - value(&before, name);
    let second = more("latido_scored_messages_total{scorer=\"transformer\"} ");
    let all = second + more("latido_scored_messages_total{scorer=\"embedded\"} ");
    println!(
        "{}: {rate:.0} messages/s for {}s: {all:.0} scored, {:.1} % by the transformer, degraded in {degraded} of {looks} looks, threshold {}",
        kind.as_str(),
        MEASURED.as_secs(),
        100.0 * second / all,
        value(&after, "latido_scorer_threshold ")
    );
    for reason in ["overload", "deadline", "failed", "panicked"] {
        print!("  {reason} {:.0}", more(&format!("latido_scorer_fallbacks_total{{reason=\"{reason}\"}} ")));
    }
    println!("\n  from consumption to fold, batches: {}", times(&before, &after));
    pipeline.stop().unwrap();
}

/// Messages at a steady rate.
struct Feed<'a> {
    producer: BaseProducer,
    texts: &'a [String],
    rate: f64,
    sent: usize,
    begun: Instant,
}

impl Feed<'_> {
    /// Feeds until so long after the start; `look` is called about twice a second.
    fn until(&mut self, end: Duration, mut look: impl FnMut()) {
        let mut looked = Instant::now();
        while self.begun.elapsed() < end {
            let due = (self.begun.elapsed().as_secs_f64() * self.rate) as usize;
            while self.sent < due {
                self.send();
            }
            self.producer.poll(Duration::from_millis(5));
            if looked.elapsed() >= Duration::from_millis(500) {
                look();
                looked = Instant::now();
            }
        }
        self.producer.flush(Duration::from_secs(10)).unwrap();
    }

    fn send(&mut self) {
        let text = &self.texts[self.sent % self.texts.len()];
        let department = DEPARTMENTS[self.sent % DEPARTMENTS.len()];
        let value = serde_json::json!({ "text": text, "department": department }).to_string();
        let partition = i32::try_from(self.sent % 4).unwrap();
        let record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to("messages").partition(partition).payload(value.as_bytes());
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.sent += 1;
    }
}

fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The value of the sample whose line begins so; 0 where it is absent.
fn value(scrape: &str, name: &str) -> f64 {
    let line = scrape.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

/// The first bounds of the histogram below which half, 99 % and all of the batches between two scrapes lie.
fn times(before: &str, after: &str) -> String {
    let buckets = |scrape: &str| -> Vec<(String, f64)> {
        let lines =
            scrape.lines().filter_map(|line| line.strip_prefix("latido_consumption_to_fold_seconds_bucket{le=\""));
        lines.map(|line| line.split_once("\"} ").unwrap()).map(|(le, n)| (le.to_owned(), n.parse().unwrap())).collect()
    };
    let buckets: Vec<(String, f64)> =
        buckets(after).into_iter().zip(buckets(before)).map(|((le, now), (_, then))| (le, now - then)).collect();
    let all = buckets.last().map_or(0.0, |(_, all)| *all);
    let below = |share: f64| buckets.iter().find(|(_, count)| *count >= share * all).map_or("?", |(le, _)| le);
    format!("{all:.0}, half within {}s, 99 % within {}s, all within {}s", below(0.5), below(0.99), below(1.0))
}
