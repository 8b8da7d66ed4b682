//! What the benches of the whole way share: a backlog, Latido draining it, and what that took.
#![allow(dead_code, reason = "each bench uses its own part of this module")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use latido::config::Config;
use latido::pipeline::{Options, Pipeline};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

/// Partitions of the backlog.
pub(crate) const PARTITIONS: i32 = 4;
const TEXTS: [&str; 8] = [
    "Llevo dos semanas esperando mi pedido y nadie me da una respuesta clara",
    "Muchas gracias por la ayuda, todo quedó resuelto en cinco minutos, excelente",
    "¿A qué hora abren mañana la sucursal del centro y hasta cuándo atienden?",
    "Me cobraron dos veces el mismo recibo y el chat se corta cada vez",
    "The courier left the parcel with a neighbour I have never met before",
    "Great service, the new part arrived early and it fits like a glove",
    "I have been passed between three agents and still need a real person",
    "Could you tell me where I can find the invoice of my last order?",
];

/// What draining took, between the first and the last look at the count.
pub(crate) struct Drained {
    records: u64,
    wall: Duration,
    cpu: Duration,
    /// Of [`Self::cpu`], what saving checkpoints took.
    saving: Duration,
    /// From the last record counted to `/readyz`.
    ready_after: Option<Duration>,
}

impl Drained {
    #[expect(clippy::cast_precision_loss, reason = "a count of records is far below 2^53")]
    pub(crate) fn rate(&self) -> f64 {
        self.records as f64 / self.wall.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of records is far below 2^53")]
    pub(crate) fn cpu_per_million(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.records as f64
    }

    /// What part of the CPU time went into saving checkpoints.
    pub(crate) fn saving_part(&self) -> f64 {
        self.saving.as_secs_f64() / self.cpu.as_secs_f64()
    }
}

impl std::fmt::Display for Drained {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:>9.0} records/s, {:>6.2} CPU s per million ({:.2} s for {})",
            self.rate(),
            self.cpu_per_million(),
            self.wall.as_secs_f64(),
            self.records
        )?;
        match self.ready_after {
            Some(ready_after) => write!(formatter, ", ready {:.2} s later", ready_after.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// Measures from the first records on, so that joining a group is no part of it.
pub(crate) struct Stopwatch {
    begun: Instant,
    cpu: Duration,
    records: u64,
}

impl Stopwatch {
    pub(crate) fn start(records: u64) -> Self {
        Self { begun: Instant::now(), cpu: cpu_time(), records }
    }

    pub(crate) fn stop(&self, records: u64) -> Drained {
        Drained {
            records: records - self.records,
            wall: self.begun.elapsed(),
            cpu: cpu_time() - self.cpu,
            saving: cpu_time_of("latido-save"),
            ready_after: None,
        }
    }
}

/// CPU time of this process so far, to 10 ms: Linux counts in ticks of that length.
fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("a name in brackets").1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// CPU time of this process's threads of that name so far.
fn cpu_time_of(thread: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux").map(|task| task.expect("a thread").path());
    // A thread may end while its files are read.
    let named = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == thread));
    let nanos = named.filter_map(|task| {
        let figures = fs::read_to_string(task.join("schedstat")).ok()?;
        figures.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Has Latido count so many records of its topic, and drain. Nothing may be late, and none may count twice.
pub(crate) fn drain_latido(config: Config, records: u64, tell: &dyn Fn(u64)) -> Drained {
    let pipeline = Pipeline::start(config, Options::default()).expect("the pipeline starts");
    let mut watch: Option<Stopwatch> = None;
    let (mut last, mut moved) = (0, Instant::now());
    let drained = loop {
        let view = pipeline.board().read();
        let read: u64 = view.departments.iter().flat_map(|one| one.messages).flatten().sum();
        assert_eq!(view.departments.iter().map(|one| one.late).sum::<u64>(), 0, "late messages");
        tell(read);
        if read > last {
            (last, moved) = (read, Instant::now());
        }
        assert!(moved.elapsed() < Duration::from_secs(60), "stands still at {read}");
        match &watch {
            None if read > 0 => watch = Some(Stopwatch::start(read)),
            Some(watch) if read >= records => break watch.stop(read),
            _ => thread::sleep(Duration::from_millis(2)),
        }
    };
    assert_eq!(last, records, "each record counts once");
    let counted = Instant::now();
    while let Some(reason) = pipeline.health().not_ready().first() {
        assert!(counted.elapsed() < Duration::from_secs(60), "not ready: {reason:?}");
        thread::sleep(Duration::from_millis(2));
    }
    let drained = Drained { ready_after: Some(counted.elapsed()), ..drained };
    pipeline.stop().expect("it drains");
    drained
}

/// Records to be written: evenly over a span of event time and over departments.
pub(crate) struct Backlog<'a> {
    pub(crate) topic: &'a str,
    pub(crate) departments: &'a [String],
    pub(crate) records: u64,
    /// Event time of the first, in milliseconds.
    pub(crate) begun: u64,
    pub(crate) span_millis: u64,
}

impl Backlog<'_> {
    /// Writes the records, never beyond `limit`.
    pub(crate) fn feed(&self, servers: &str, limit: impl Fn() -> u64) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", servers)
            .set("linger.ms", "5")
            .set("batch.num.messages", "1000")
            .create()
            .expect("a producer");
        for number in 0..self.records {
            while number >= limit() {
                producer.poll(Duration::from_millis(1));
            }
            let event_time = self.begun + number * self.span_millis / self.records;
            self.send(&producer, number, event_time);
            if number % 256 == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(1));
        }
    }

    fn send(&self, producer: &BaseProducer, number: u64, event_time: u64) {
        let value = self.value(number, event_time);
        let mut waiting = Some(
            BaseRecord::<(), [u8]>::to(self.topic)
                .partition(i32::try_from(number % 4).expect("below 4"))
                .payload(value.as_bytes())
                .timestamp(i64::try_from(event_time).expect("within range")),
        );
        while let Some(record) = waiting.take() {
            match producer.send(record) {
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    producer.poll(Duration::from_millis(1));
                    waiting = Some(back);
                }
                sent => sent.map_err(|(error, _)| error).expect("sent"),
            }
        }
    }

    /// A customer's message, as its producer writes it.
    pub(crate) fn value(&self, number: u64, event_time: u64) -> String {
        let place = |of: usize| usize::try_from(number).expect("64 bits") / 3 % of;
        format!(
            r#"{{"id":"m-{number:010}","text":"{} {}","department":"{}","timestamp":{event_time:013},"author":"customer","audience":"external","channel":"chat","customer_id":"c-{:06}"}}"#,
            TEXTS[place(TEXTS.len())],
            number % 1_000,
            self.departments[place(self.departments.len())],
            number % 250_000,
        )
    }
}
