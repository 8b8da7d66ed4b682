//! Customer messages of our own, the same at each run, with what must come out of them.

use std::collections::BTreeMap;

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

/// Where streams start: Monday, 3 March 2025, 00:00 UTC. Long past, so that nothing is ahead of any clock.
const STARTS: i64 = 1_740_960_000;
const HOUR_SECONDS: i64 = 3_600;
const PANE_MILLIS: i64 = 10_000;
const CUSTOMERS: u32 = 400;
const CONVERSATIONS: u32 = 1_200;

/// The departments that [`super::daemon::Home`] configures, and what records call them.
const DEPARTMENTS: [(&str, &[&str]); 4] = [
    ("billing", &["billing", "Facturación", "FACTURACION", "cobros", "Billing"]),
    ("delivery", &["delivery", "Envíos", "envios", "DELIVERY"]),
    ("support", &["support", "Soporte Técnico", "soporte tecnico", "Support"]),
    ("other", &["Tesorería", "no such department", ""]),
];

const SPANISH: [&str; 8] = [
    "Llevo tres días esperando mi pedido y nadie me responde, es una vergüenza",
    "Me han cobrado dos veces la misma factura y sigo sin solución",
    "¿A qué hora abre la tienda mañana?",
    "Quisiera cambiar la dirección de entrega, por favor",
    "Muchísimas gracias, lo resolvieron en cinco minutos 😊",
    "Qué buena atención, todo perfecto",
    "La aplicación se cierra cada vez que intento pagar",
    "Necesito hablar con una persona, el robot no me entiende",
];

const ENGLISH: [&str; 8] = [
    "I have been on hold for an hour and nobody picks up, this is awful",
    "You charged me twice and the refund never arrived",
    "What time do you open on Sundays?",
    "I would like to change my delivery address please",
    "Thank you so much, Maria solved it right away!",
    "Great service as always, love it",
    "The app crashes every time I try to pay",
    "Let me talk to a human, your bot keeps repeating itself",
];

const ANSWERS: [&str; 3] =
    ["Enseguida lo reviso.", "Let me look into that for you.", "¿Puede darme su número de pedido?"];

/// One record as kcat takes it: a key and a value of one line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The record's key: the customer.
    pub(crate) key: String,
    /// The record's value: JSON.
    pub(crate) value: String,
    /// Event time in seconds since the epoch.
    pub(crate) second: i64,
    /// Where the message belongs.
    pub(crate) department: &'static str,
    /// `customer`, `agent` or `bot`.
    pub(crate) author: &'static str,
    /// `external` or `internal`.
    pub(crate) audience: &'static str,
}

/// So many records, spread over seven days of event time, oldest first.
pub(crate) fn week(records: usize, seed: u64) -> Vec<Line> {
    lines(records, seed, 7 * 24)
}

/// So many records, spread over twenty hours of event time, oldest first: no pane of theirs is ever too old to keep.
pub(crate) fn day(records: usize, seed: u64) -> Vec<Line> {
    lines(records, seed, 20)
}

fn lines(records: usize, seed: u64, hours: i64) -> Vec<Line> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let span = hours * HOUR_SECONDS;
    let mut seconds: Vec<i64> = (0..records).map(|_| STARTS + random.random_range(0..span)).collect();
    seconds.sort_unstable();
    seconds.into_iter().enumerate().map(|(number, second)| line(&mut random, number, second)).collect()
}

fn line(random: &mut Pcg64Mcg, number: usize, second: i64) -> Line {
    let (department, names) = pick(random, &DEPARTMENTS);
    let name = pick(random, names);
    let author = match random.random_range(0..100) {
        0..75 => "customer",
        75..92 => "agent",
        _ => "bot",
    };
    let audience = if random.random_bool(0.05) { "internal" } else { "external" };
    let customer = format!("customer-{}", random.random_range(0..CUSTOMERS));
    let mut value = json!({
        "id": format!("m-{number}"),
        "customer_id": customer,
        "conversation_id": format!("c-{}", random.random_range(0..CONVERSATIONS)),
        "text": text(random, author, number),
        "timestamp": timestamp(random, second),
        "channel": pick(random, &["chat", "email", "app"]),
    });
    if !name.is_empty() {
        value["department"] = json!(name);
    }
    // Both have defaults: left out where the default says the same, now and then.
    if author != "customer" || random.random_bool(0.5) {
        value["author"] = json!(author);
    }
    if audience != "external" || random.random_bool(0.5) {
        value["audience"] = json!(audience);
    }
    Line { key: customer, value: value.to_string(), second, department, author, audience }
}

fn pick<T: Copy>(random: &mut Pcg64Mcg, from: &[T]) -> T {
    from[random.random_range(0..from.len())]
}

fn text(random: &mut Pcg64Mcg, author: &str, number: usize) -> String {
    if author != "customer" {
        return pick(random, &ANSWERS).to_owned();
    }
    let texts = if random.random_bool(0.6) { &SPANISH } else { &ENGLISH };
    format!("{} (#{number})", pick(random, texts))
}

/// The moment in one of the forms of the input contract.
fn timestamp(random: &mut Pcg64Mcg, second: i64) -> Value {
    match random.next_u32() % 4 {
        0 => json!(second),
        1 => json!(second * 1_000),
        2 => json!((second * 1_000).to_string()),
        _ => json!(jiff::Timestamp::from_second(second).expect("a moment of 2025").to_string()),
    }
}

/// What must come out of some lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    /// Scored messages by department and audience.
    pub(crate) messages: BTreeMap<(&'static str, &'static str), u64>,
    /// Agents' and bots' messages by department and author.
    pub(crate) context: BTreeMap<(&'static str, &'static str), u64>,
    /// Scored messages by department and start of their pane in milliseconds.
    pub(crate) panes: BTreeMap<(String, i64), u64>,
}

impl Expected {
    /// Adds the lines up.
    pub(crate) fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut expected = Self::default();
        for line in lines {
            expected.take(line);
        }
        expected
    }

    fn take(&mut self, line: &Line) {
        if line.author != "customer" {
            *self.context.entry((line.department, line.author)).or_default() += 1;
            return;
        }
        *self.messages.entry((line.department, line.audience)).or_default() += 1;
        let start = (line.second * 1_000).div_euclid(PANE_MILLIS) * PANE_MILLIS;
        *self.panes.entry((line.department.to_owned(), start)).or_default() += 1;
    }

    /// All scored messages.
    pub(crate) fn scored(&self) -> u64 {
        self.messages.values().sum()
    }

    /// All agents' and bots' messages.
    pub(crate) fn context(&self) -> u64 {
        self.context.values().sum()
    }

    /// The panes that start at or after that moment (milliseconds).
    pub(crate) fn panes_from(&self, millis: i64) -> BTreeMap<(String, i64), u64> {
        self.panes.iter().filter(|((_, start), _)| *start >= millis).map(|(at, count)| (at.clone(), *count)).collect()
    }
}
