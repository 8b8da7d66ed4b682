//! Logging is set up once a process.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use latido::commands::logging;
use latido::config::{LogConfig, LogFormat};

#[test]
fn logging_follows_the_config_and_is_set_up_once() {
    let log = LogConfig { format: LogFormat::Json, level: "warn,latido=debug".to_owned() };
    logging::init(&log).unwrap();
    assert!(tracing::enabled!(target: "latido::window", tracing::Level::DEBUG));
    assert!(!tracing::enabled!(target: "librdkafka", tracing::Level::INFO));
    assert!(tracing::enabled!(target: "librdkafka", tracing::Level::WARN));
    assert!(logging::init(&log).is_err(), "a second set-up would be lost in silence");
}
