//! What comes in, how it is cut into windows, and what is done with them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Check;
use crate::config::names::guess;
use crate::config::{BreakerConfig, DetectConfig, InputConfig, KafkaConfig, PipelineConfig, Span, WindowsConfig};
use crate::detect::AlertKind;
use crate::message::{MAX_TEXT_BYTES, Signal};

const PANE: Duration = Duration::from_secs(10);
const HOUR: Span = Span::from_secs(3_600);
const DAY: Span = Span::from_secs(24 * 3_600);

/// librdkafka makes no consumer whose session outlives this.
const POLL_INTERVAL: &str = "max.poll.interval.ms";
/// Its default.
const POLL_MILLIS: u64 = 300_000;

pub(super) fn kafka(kafka: &KafkaConfig, check: &mut Check<'_>) {
    brokers(&kafka.brokers, check);
    topics(kafka, check);
    check.need(!kafka.group.trim().is_empty(), &["kafka", "group"], "a consumer group needs a name", "name it");
    let instance = kafka.group_instance_id.as_deref();
    let remedy = "name it, or leave it out to have one made";
    check.need(instance.is_none_or(|name| !name.trim().is_empty()), &["kafka", "group_instance_id"], "empty", remedy);
    let timeout = kafka.session_timeout;
    let in_range = timeout > Span::from_secs(3) && timeout <= Span::from_secs(30 * 60);
    check.need(in_range, &["kafka", "session_timeout"], "out of range", "write a span above 3s and up to 30m");
    let poll_millis = kafka.properties.get(POLL_INTERVAL).and_then(|text| text.parse().ok()).unwrap_or(POLL_MILLIS);
    if in_range && timeout.get() > Duration::from_millis(poll_millis) {
        let by = match kafka.properties.contains_key(POLL_INTERVAL) {
            true => check.named(&["kafka", "properties", POLL_INTERVAL]),
            false => format!("{poll_millis} unless set"),
        };
        let what = format!("above librdkafka's `{POLL_INTERVAL}` ({by})");
        check.refuse(&["kafka", "session_timeout"], what, "shorten it, or raise that in `kafka.properties`");
    }
}

fn brokers(brokers: &[String], check: &mut Check<'_>) {
    let remedy = "write host:port, such as \"kafka-1:9092\"";
    check.need(!brokers.is_empty(), &["kafka", "brokers"], "no broker", remedy);
    for (place, broker) in brokers.iter().enumerate().filter(|(_, broker)| !is_broker(broker)) {
        check.refuse_item(&["kafka", "brokers"], place, broker, "not a broker's address", remedy);
    }
}

/// A host with or without a port, and with or without librdkafka's `protocol://`.
fn is_broker(broker: &str) -> bool {
    let address = broker.split_once("://").map_or(broker, |(_, address)| address);
    let (host, port) = match address.rsplit_once(':') {
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (address, None),
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    !host.is_empty() && !host.contains(char::is_whitespace) && !host.contains(['/', ',']) && port_fits
}

fn topics(kafka: &KafkaConfig, check: &mut Check<'_>) {
    let path = ["kafka", "topics"];
    check.need(!kafka.topics.is_empty(), &path, "no topic", "name at least one topic");
    let mut seen = BTreeSet::new();
    for (place, topic) in kafka.topics.iter().enumerate() {
        if topic.starts_with('^') {
            check.refuse_item(&path, place, topic, "a pattern, which is not supported", "list the topics by name");
        } else if !is_topic(topic) {
            check.refuse_item(&path, place, topic, "cannot be a topic's name", TOPIC_REMEDY);
        } else if !seen.insert(topic) {
            check.refuse_item(&path, place, topic, "listed twice", "list each topic once");
        }
    }
    let Some(dead_letters) = &kafka.dead_letter_topic else {
        let remedy = "set `kafka.dead_letter_topic`, or leave it out";
        check.need(!kafka.dead_letter_late, &["kafka", "dead_letter_late"], "there is no topic for them", remedy);
        return;
    };
    let path = ["kafka", "dead_letter_topic"];
    check.need(is_topic(dead_letters), &path, "cannot be a topic's name", TOPIC_REMEDY);
    let loops = kafka.topics.contains(dead_letters);
    check.need(!loops, &path, "also in `kafka.topics`: dead letters would be read again", "name another topic");
}

pub(super) const TOPIC_REMEDY: &str = "use 1 to 249 of a-z, A-Z, 0-9, `.`, `_` and `-`";

pub(super) fn is_topic(name: &str) -> bool {
    let letters_fit = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (1..=249).contains(&name.len()) && letters_fit && name != "." && name != ".."
}

pub(super) fn input(input: &InputConfig, check: &mut Check<'_>) {
    let pointers = [
        ("text", &input.text),
        ("department", &input.department),
        ("timestamp", &input.timestamp),
        ("id", &input.id),
        ("customer_id", &input.customer_id),
        ("conversation_id", &input.conversation_id),
        ("author", &input.author),
        ("audience", &input.audience),
        ("channel", &input.channel),
        ("touchpoint", &input.touchpoint),
        ("language", &input.language),
    ];
    for (name, pointer) in pointers.into_iter().filter(|(_, pointer)| !is_pointer(pointer)) {
        let remedy = format!("write a path such as \"/{}\"", pointer.trim_start_matches('/').replace('.', "/"));
        let remedy =
            if pointer.contains('~') { "write ~0 for ~ and ~1 for / within a name".to_owned() } else { remedy };
        check.refuse(&["input", name], "not a JSON pointer (RFC 6901)", remedy);
    }
    check.need(input.max_text_bytes > 0, &["input", "max_text_bytes"], "no text would be left", "write at least 1");
    let remedy = format!("write at most {MAX_TEXT_BYTES}");
    let reason = "no more of a text is ever scored";
    check.need(input.max_text_bytes <= MAX_TEXT_BYTES, &["input", "max_text_bytes"], reason, &remedy);
    let remedy = "write a span of at most 24h";
    check.need(input.future_skew <= DAY, &["input", "future_skew"], "too long", remedy);
}

/// Empty, or names each after a `/`, with `~` only as `~0` or `~1`.
fn is_pointer(text: &str) -> bool {
    let escapes_fit = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes_fit
}

/// More windows than this are a mistake.
const MOST_WINDOWS: usize = 32;

pub(super) fn windows(windows: &WindowsConfig, check: &mut Check<'_>) {
    let path = ["windows", "lengths"];
    check.need(!windows.lengths.is_empty(), &path, "no window", "name at least one length such as \"15m\"");
    check.need(windows.lengths.len() <= MOST_WINDOWS, &path, "too many windows", "name at most 32 lengths");
    let mut seen = BTreeSet::new();
    for (place, length) in windows.lengths.iter().enumerate() {
        let millis = length.get().as_millis();
        if millis == 0 || *length > DAY || !millis.is_multiple_of(PANE.as_millis()) {
            let remedy = "use multiples of 10s, up to 24h";
            check.refuse_item(&path, place, &length.to_string(), "cannot be a window", remedy);
        } else if !seen.insert(length) {
            check.refuse_item(&path, place, &length.to_string(), "listed twice", "list each length once");
        }
    }
    let remedy = "write a span of at most 1h";
    check.need(windows.lateness <= HOUR, &["windows", "lateness"], "too long", remedy);
    let remedy = "write a span of at least 10s";
    check.need(windows.alignment.get() >= PANE, &["windows", "alignment"], "shorter than a pane", remedy);
    let above_zero = !windows.idle_after.get().is_zero();
    check.need(above_zero, &["windows", "idle_after"], "every partition would be idle", "write a span above 0s");
}

/// Budgets of false alarms that can be kept.
const LEAST_FALSE_ALARMS: f64 = 0.05;
const MOST_FALSE_ALARMS: f64 = 30.0;
const MOST_TICKETS: f64 = 100.0;

/// Why a budget of false alarms cannot be kept, and what to do about it; none where it can.
pub(crate) fn unkept_budget(budget: f64) -> Option<(&'static str, &'static str)> {
    if (LEAST_FALSE_ALARMS..=MOST_FALSE_ALARMS).contains(&budget) {
        return None;
    }
    Some(if budget < 0.0 || budget.is_nan() {
        ("no number of false alarms", "write a number from 0.05 to 30")
    } else if budget > MOST_FALSE_ALARMS {
        ("more than one a day, which nobody would still read", "write at most 30")
    } else {
        ("rarer than chance can be told from: nothing would ever page", "write at least 0.05: once in 20 months")
    })
}

pub(super) fn detect(detect: &DetectConfig, check: &mut Check<'_>) {
    if let Some((what, remedy)) = unkept_budget(detect.false_alarms_per_month) {
        check.refuse(&["detect", "false_alarms_per_month"], what, remedy);
    }
    tickets(detect, check);
    let ratios = [
        ("prior_negative_ratio", detect.prior_negative_ratio),
        ("prior_frustrated_ratio", detect.prior_frustrated_ratio),
    ];
    for (name, ratio) in ratios {
        check.need((0.0..=1.0).contains(&ratio), &["detect", name], "not a ratio", "write a number from 0 to 1");
    }
    let counts = [("learn_messages", detect.learn_messages), ("min_seen", detect.min_seen)];
    for (name, count) in counts {
        check.need(count > 0, &["detect", name], "zero", "write at least 1");
    }
    severe_signals(&["detect", "severe_signals"], &detect.severe_signals, check);
    let is_kept = (HOUR..=DAY).contains(&detect.severe_open_per_day);
    check.need(
        is_kept,
        &["detect", "severe_open_per_day"],
        "no part of a day",
        "write a span from 1h to 24h (no limit)",
    );
    check.need(detect.hold <= DAY, &["detect", "hold"], "too long", "write a span of at most 24h");
}

/// Each is named once.
pub(super) fn severe_signals(path: &[&str], signals: &[Signal], check: &mut Check<'_>) {
    let mut seen = BTreeSet::new();
    for (nth, signal) in signals.iter().enumerate().filter(|(_, signal)| !seen.insert(**signal)) {
        check.refuse_item(path, nth, signal.as_str(), "listed twice", "list each signal once");
    }
}

fn tickets(detect: &DetectConfig, check: &mut Check<'_>) {
    let tickets = detect.tickets_per_month;
    let path = ["detect", "tickets_per_month"];
    let is_rarer = tickets < detect.false_alarms_per_month;
    if tickets.is_nan() || tickets > MOST_TICKETS {
        check.refuse(&path, "more than three a day", "write at most 100, or 0 for none");
    } else if tickets != 0.0 && is_rarer {
        let what = format!("rarer than pages ({})", check.named(&["detect", "false_alarms_per_month"]));
        check.refuse(&path, what, "write a larger number than that, or 0 for no tickets");
    }
    let names = || AlertKind::TESTED.iter().map(|kind| kind.as_str());
    for (nth, name) in detect.ticket_kinds.iter().enumerate().filter(|(_, name)| !names().any(|kind| kind == *name)) {
        let remedy = guess(name, names()).map_or_else(
            || format!("write some of {}", names().collect::<Vec<_>>().join(", ")),
            |kind| format!("did you mean \"{kind}\"?"),
        );
        check.refuse_item(&["detect", "ticket_kinds"], nth, name, "no kind of alert that could be a ticket", &remedy);
    }
}

pub(super) fn breaker(breaker: &BreakerConfig, check: &mut Check<'_>) {
    let is_part = (0.0..=1.0).contains(&breaker.ratio);
    check.need(is_part, &["breaker", "ratio"], "not a part", "write a number from 0 to 1, such as 0.5");
    check.need(breaker.min_records > 0, &["breaker", "min_records"], "zero", "write at least 1");
    let what = format!("less than {}", check.named(&["breaker", "min_records"]));
    let enough = breaker.records >= breaker.min_records;
    check.need(enough, &["breaker", "records"], &what, "look at as many or more");
    let waits = !breaker.retry_after.get().is_zero();
    check.need(waits, &["breaker", "retry_after"], "zero", "write a span above 0s, such as \"1m\"");
}

pub(super) fn pipeline(pipeline: &PipelineConfig, check: &mut Check<'_>) {
    let sizes = [
        ("batch_records", pipeline.batch_records),
        ("batch_bytes", pipeline.batch_bytes),
        ("in_flight_bytes", pipeline.in_flight_bytes),
    ];
    for (name, size) in sizes {
        check.need(size > 0, &["pipeline", name], "zero", "write at least 1");
    }
    let holds_batches = pipeline.in_flight_bytes / 4 >= pipeline.batch_bytes;
    let what = format!("less than four batches ({})", check.named(&["pipeline", "batch_bytes"]));
    check.need(holds_batches, &["pipeline", "in_flight_bytes"], &what, "allow at least four batches, better a hundred");
    let few_enough = pipeline.score_threads <= 1_024;
    check.need(
        few_enough,
        &["pipeline", "score_threads"],
        "too many",
        "write at most 1024, or 0 for what fits the machine",
    );
    let remedy = "write a span of at most 5m";
    let short_enough = pipeline.drain_timeout <= Span::from_secs(5 * 60);
    check.need(short_enough, &["pipeline", "drain_timeout"], "longer than a group waits for a member", remedy);
}
