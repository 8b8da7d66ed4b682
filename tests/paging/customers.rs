//! Customers who write to a topic: a day of the past at once, then an hour each minute, content or not as the test has it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use crate::broker::{Broker, Written};

/// The topic that they write to.
pub(crate) const TOPIC: &str = "customer-messages";
/// Its partitions.
pub(crate) const PARTITIONS: i32 = 2;
/// Departments of the shipped config that get messages. Two of one team, so that a page for the team must say which.
pub(crate) const DEPARTMENTS: [&str; 3] = ["returns", "shipping", "billing"];

/// What teaches the daemon what is normal.
const HISTORY: Duration = Duration::from_secs(30 * 3_600);
/// How much comes before that, of which only counts are left.
const COUNTED: Duration = Duration::from_secs(15 * 24 * 3_600);
/// The rows of these counts.
const ROW: Duration = Duration::from_secs(300);
/// How far in the past the live part starts. It must not come up to the present: from there on an hour takes an hour.
const RUN_UP: Duration = Duration::from_secs(8 * 3_600);
/// How many times as fast as ours the customers' time passes.
const SPEED: u32 = 60;
/// Messages an hour, all departments together.
const AN_HOUR: f64 = 600.0;
/// How many of 100 are unhappy, usually and in trouble.
const UNHAPPY: [u32; 2] = [20, 80];
/// How often the writer looks at the clock.
const STEP: Duration = Duration::from_millis(200);

const CONTENT: [&str; 8] = [
    "¿A qué hora abren la sucursal del centro?",
    "Quisiera cambiar la dirección de entrega, por favor",
    "Muchísimas gracias, lo resolvieron en cinco minutos",
    "Qué buena atención, todo perfecto",
    "What time do you open on Sundays?",
    "I would like to change my delivery address please",
    "Thank you so much, Maria solved it right away!",
    "Great service as always, love it",
];

const DISCONTENT: [&str; 6] = [
    "Es un pésimo servicio, llevo horas esperando y nadie resuelve nada. Estoy harto.",
    "Llevo tres días esperando una respuesta y nadie me contesta, es una vergüenza",
    "Sigue sin funcionar y nadie me ayuda, qué horror de empresa",
    "I have been on hold for an hour and nobody picks up, this is awful",
    "This is the third time I ask and it still does not work, terrible service",
    "Worst experience ever, I am furious and nobody helps me",
];

/// Customers who write until they are dropped.
pub(crate) struct Customers {
    broker: Arc<Broker>,
    pen: Option<Pen>,
    writer: Option<JoinHandle<()>>,
    /// When the past began that is on the broker.
    began: i64,
    /// What time it is for them.
    time: Arc<AtomicI64>,
    /// Which of them are in trouble, in the order of [`DEPARTMENTS`].
    unhappy: Arc<[AtomicBool; DEPARTMENTS.len()]>,
    stop: Arc<AtomicBool>,
}

impl Customers {
    /// A broker on which the past is written already.
    pub(crate) fn of_the_past() -> Self {
        let broker = Arc::new(Broker::start(&[(TOPIC, PARTITIONS)]));
        let live = now() - millis(RUN_UP);
        let began = live - millis(HISTORY);
        let mut pen = Pen { random: Pcg64Mcg::seed_from_u64(7), next: began };
        broker.write(TOPIC, &pen.write_up_to(live, [false; DEPARTMENTS.len()]));
        let time = Arc::new(AtomicI64::new(live));
        Self { broker, pen: Some(pen), writer: None, began, time, unhappy: Arc::default(), stop: Arc::default() }
    }

    /// What came in the two weeks before the past that is on the broker, as `latido backtest --counts` reads it.
    pub(crate) fn counts_before(&self) -> String {
        let began = (self.began - millis(COUNTED)) / millis(ROW) * millis(ROW);
        let mut pen = Pen { random: Pcg64Mcg::seed_from_u64(8), next: began };
        let mut rows = "time,department,messages,negative,frustrated\n".to_owned();
        for start in (began..self.began - millis(ROW)).step_by(ROW.as_millis() as usize) {
            let mut counts = [[0_u32; 2]; DEPARTMENTS.len()];
            while pen.next < start + millis(ROW) {
                let (place, is_unhappy) = pen.customer([false; DEPARTMENTS.len()]);
                counts[place][0] += 1;
                counts[place][1] += u32::from(is_unhappy);
                pen.next += pen.pause();
            }
            for (department, [messages, unhappy]) in DEPARTMENTS.iter().zip(counts) {
                writeln!(rows, "{start},{department},{messages},{unhappy},{unhappy}").expect("text takes all");
            }
        }
        rows
    }

    /// Writes a message of its own, now in the customers' time or that long before.
    pub(crate) fn write(&self, ago: Duration, mut message: Value) {
        let now = self.time.load(Ordering::Relaxed);
        message["timestamp"] = (now - millis(ago)).into();
        self.write_raw(message.to_string());
    }

    /// Writes a record, whatever it is.
    pub(crate) fn write_raw(&self, value: impl Into<Vec<u8>>) {
        let kafka_timestamp = self.time.load(Ordering::Relaxed);
        self.broker.write(TOPIC, &[Written { value: Some(value.into()), kafka_timestamp, ..Written::default() }]);
    }

    /// Where the broker is.
    pub(crate) fn brokers(&self) -> &str {
        &self.broker.servers
    }

    /// From now on time passes.
    pub(crate) fn go_on(&mut self) {
        let mut pen = self.pen.take().expect("time passes once");
        let (broker, unhappy, stop) = (Arc::clone(&self.broker), Arc::clone(&self.unhappy), Arc::clone(&self.stop));
        let time = Arc::clone(&self.time);
        let (begun, since) = (Instant::now(), pen.next);
        self.writer = Some(thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let until = since + millis(begun.elapsed() * SPEED);
                assert!(until < now(), "the test took so long that the past is used up");
                let written = pen.write_up_to(until, unhappy.each_ref().map(|one| one.load(Ordering::Relaxed)));
                broker.write(TOPIC, &written);
                time.store(until, Ordering::Relaxed);
                thread::sleep(STEP);
            }
        }));
    }

    /// Something goes wrong in a department, or is mended.
    pub(crate) fn set_unhappy(&self, department: &str, is_unhappy: bool) {
        let place = DEPARTMENTS.iter().position(|known| *known == department).expect("one that gets messages");
        self.unhappy[place].store(is_unhappy, Ordering::Relaxed);
    }
}

impl Drop for Customers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            assert!(writer.join().is_ok() || thread::panicking(), "the customers' thread panicked");
        }
    }
}

/// Writes one message after the other: customers do not wait for one another.
struct Pen {
    random: Pcg64Mcg,
    /// When the next message is written, in milliseconds since the epoch.
    next: i64,
}

impl Pen {
    fn write_up_to(&mut self, moment: i64, is_trouble: [bool; DEPARTMENTS.len()]) -> Vec<Written> {
        let mut written = Vec::new();
        while self.next < moment {
            written.push(self.message(is_trouble));
            self.next += self.pause();
        }
        written
    }

    /// Which department the next customer writes to, and whether unhappily.
    fn customer(&mut self, is_trouble: [bool; DEPARTMENTS.len()]) -> (usize, bool) {
        let place = self.random.random_range(0..DEPARTMENTS.len());
        let unhappy_of_100 = UNHAPPY[usize::from(is_trouble[place])];
        (place, self.random.random_range(0..100) < unhappy_of_100)
    }

    fn message(&mut self, is_trouble: [bool; DEPARTMENTS.len()]) -> Written {
        let (place, is_unhappy) = self.customer(is_trouble);
        let texts: &[&str] = if is_unhappy { &DISCONTENT } else { &CONTENT };
        let text = texts[self.random.random_range(0..texts.len())];
        let value = json!({ "text": text, "department": DEPARTMENTS[place], "timestamp": self.next });
        Written {
            partition: self.random.random_range(0..PARTITIONS),
            value: Some(value.to_string().into_bytes()),
            kafka_timestamp: self.next,
            ..Written::default()
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "minutes at most")]
    fn pause(&mut self) -> i64 {
        let unit = -(1.0 - self.random.random::<f64>()).ln();
        (unit * 3_600_000.0 / AN_HOUR) as i64
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).expect("a span of hours")
}

/// The wall clock in milliseconds.
fn now() -> i64 {
    millis(SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970"))
}
