//! Files, directories, addresses and the log.

use std::net::SocketAddr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::Check;
use super::stream::{TOPIC_REMEDY, is_topic};
use crate::checkpoint::read_learned;
use crate::config::names::guess;
use crate::config::properties::read_secret;
use crate::config::{
    CheckpointConfig, CheckpointStore, Config, DetectConfig, HttpConfig, KafkaConfig, LEAST_TOKEN_CHARACTERS,
    LogConfig, PrivacyConfig, SignalsConfig, Span,
};
use crate::score::signals::{Rules, RulesError};

pub(super) fn baselines(detect: &DetectConfig, check: &mut Check<'_>) {
    let Some(file) = &detect.baselines else { return };
    if let Err(error) = read_learned(file) {
        let remedy = "name a file made by `latido backtest --learn` of this version, or leave it out";
        check.refuse(&["detect", "baselines"], error.to_string(), remedy);
    }
}

pub(super) fn signals(signals: &SignalsConfig, check: &mut Check<'_>) {
    // A file may name rules of those before it; the first one with which the rules are no longer sound is the bad one.
    for count in 1..=signals.files.len() {
        let Err(error) = Rules::with_files(&signals.files[..count]) else { continue };
        let RulesError { remedy, .. } = &error;
        check.refuse(&["signals", "files", &(count - 1).to_string()], error.place_and_what(), remedy);
        return;
    }
}

pub(super) fn alerts(config: &Config, check: &mut Check<'_>) {
    if let Some(topic) = &config.alerts.topic {
        let path = ["alerts", "topic"];
        check.need(is_topic(topic), &path, "cannot be a topic's name", TOPIC_REMEDY);
        let state = Some(&config.checkpoint.topic).filter(|_| config.checkpoint.store == CheckpointStore::Kafka);
        let mut others = config.kafka.topics.iter().chain(&config.kafka.dead_letter_topic).chain(state);
        let what = "also a topic of messages, dead letters or state";
        check.need(!others.any(|other| other == topic), &path, what, "name a topic that holds nothing else");
    }
    let Some(source) = &config.alerts.source else { return };
    let remedy = "write it as \"/latido/production\" or \"https://example.com/latido\", or leave it out";
    check.need(is_uri_reference(source), &["alerts", "source"], "not a URI reference (RFC 3986)", remedy);
}

/// Whether it is made of what a URI reference may hold, and not empty.
fn is_uri_reference(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

pub(super) fn checkpoint(checkpoint: &CheckpointConfig, kafka: &KafkaConfig, check: &mut Check<'_>) {
    let path = ["checkpoint", "topic"];
    check.need(is_topic(&checkpoint.topic), &path, "cannot be a topic's name", TOPIC_REMEDY);
    let mut others = kafka.topics.iter().chain(&kafka.dead_letter_topic);
    let is_apart = !others.any(|other| *other == checkpoint.topic);
    check.need(is_apart, &path, "also a topic of messages or dead letters", "name a topic that holds nothing else");
    let named = !checkpoint.directory.as_os_str().is_empty();
    check.need(named, &["checkpoint", "directory"], "empty", "name a directory such as \"/var/lib/latido\"");
    let fits = !checkpoint.interval.get().is_zero() && checkpoint.interval <= Span::from_secs(3_600);
    check.need(fits, &["checkpoint", "interval"], "out of range", "write a span above 0s and up to 1h");
}

pub(super) fn http(http: &HttpConfig, check: &mut Check<'_>) {
    if let Some(file) = &http.token_file {
        if let Err(what) = read_secret(file).and_then(|text| usable_token(text.trim())) {
            check.refuse(&["http", "token_file"], what, "name a file that holds the token and nothing else");
        }
    } else if !http.listen.ip().to_canonical().is_loopback() {
        let remedy = "set `http.token_file`, or listen on 127.0.0.1 and serve scrapes on `http.metrics_listen`";
        check.refuse(&["http", "listen"], "anybody who reaches this address could read the API", remedy);
    }
    let Some(metrics) = http.metrics_listen else { return };
    let remedy = "use another port, or leave it out: `http.listen` serves metrics too";
    check.need(!collide(http.listen, metrics), &["http", "metrics_listen"], "taken by `http.listen`", remedy);
}

/// Whether two addresses cannot both be bound.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (left, right) = (one.ip().to_canonical(), other.ip().to_canonical());
    let hosts_meet = left == right || left.is_unspecified() || right.is_unspecified();
    one.port() != 0 && one.port() == other.port() && hosts_meet
}

/// Whether a header can carry a token, and nobody guess it.
fn usable_token(token: &str) -> Result<(), String> {
    let plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && token.len() >= LEAST_TOKEN_CHARACTERS {
        return Ok(());
    }
    Err(format!("the file does not hold one word of at least {LEAST_TOKEN_CHARACTERS} visible ASCII characters"))
}

pub(super) fn privacy(privacy: &PrivacyConfig, check: &mut Check<'_>) {
    let Some(file) = &privacy.key_file else { return };
    let is_long = |secret: String| match secret.trim().len() >= LEAST_TOKEN_CHARACTERS {
        true => Ok(()),
        false => Err(format!("the file holds fewer than {LEAST_TOKEN_CHARACTERS} characters")),
    };
    if let Err(what) = read_secret(file).and_then(is_long) {
        check.refuse(&["privacy", "key_file"], what, "name a file that holds a secret, such as 32 random letters");
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn log(log: &LogConfig, check: &mut Check<'_>) {
    let path = ["log", "level"];
    let remedy = "write a level (error, warn, info, debug, trace, off) or directives such as \"info,librdkafka=warn\"";
    let directives: Vec<&str> = log.level.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    check.need(!directives.is_empty(), &path, "empty", remedy);
    for directive in directives {
        // The filter itself takes a misspelt level for the name of a module, and shows all of that module.
        if !directive.contains(['=', '[']) && directive.parse::<LevelFilter>().is_err() {
            let remedy = guess(directive, LEVELS)
                .map_or_else(|| remedy.to_owned(), |level| format!("did you mean \"{level}\"?"));
            check.refuse(&path, format!("{directive:?} is not a level"), remedy);
        } else if let Err(error) = EnvFilter::builder().parse(directive) {
            check.refuse(&path, format!("{directive:?} is not a directive ({error})"), remedy);
        }
    }
}
