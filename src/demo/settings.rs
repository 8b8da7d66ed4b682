//! The config that the demo's pipeline runs with, and how it differs from the defaults.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::broker::Broker;
use super::departments::DEPARTMENTS;
use crate::config::{Config, ScorerChoice, Span};

/// About how long the window is that the screen shows.
const SHOWN: Duration = Duration::from_secs(15 * 60);

/// The demo's config: the defaults, but for what must not keep a viewer waiting, and no false alarm.
pub(crate) fn demo_config(broker: &Broker, listen: SocketAddr, directory: &Path) -> Config {
    let mut config = Config::default();
    config.kafka.brokers = broker.brokers.split(',').map(|address| address.trim().to_owned()).collect();
    config.kafka.topics = vec![broker.topic.clone()];
    config.kafka.group = broker.group.clone();
    config.windows.idle_after = Span::from_secs(5);
    config.detect.false_alarms_per_month = 0.2;
    config.checkpoint.directory = directory.to_owned();
    config.http.listen = listen;
    if cfg!(feature = "transformer") {
        config.scorer.kind = ScorerChoice::Cascade;
    }
    config.departments = DEPARTMENTS.iter().map(super::departments::Department::config).collect();
    config
}

/// The window that the screen shows: its place among the windows, and its length.
#[must_use]
pub fn shown_window(config: &Config) -> (usize, Span) {
    let lengths = config.windows.lengths.iter().copied().enumerate();
    lengths.min_by_key(|(_, length)| length.get().abs_diff(SHOWN)).unwrap_or((0, Span::from_secs(SHOWN.as_secs())))
}

/// One line for each setting that is not the default: `key = value (default: value)`.
pub(crate) fn differences(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Ok(ours), Ok(default)) = (serde_json::to_value(config), serde_json::to_value(Config::default())) {
        compare("", &ours, &default, &mut lines);
    }
    lines.sort_unstable();
    lines
}

fn compare(key: &str, ours: &Value, default: &Value, lines: &mut Vec<String>) {
    let (Value::Object(our_fields), Value::Object(default_fields)) = (ours, default) else {
        if ours != default {
            lines.push(format!("{key} = {} (default: {})", show(ours), show(default)));
        }
        return;
    };
    for (name, value) in our_fields {
        let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        compare(&path, value, default_fields.get(name).unwrap_or(&Value::Null), lines);
    }
}

/// A value as one line; a list of tables as the list of their ids.
fn show(value: &Value) -> String {
    let Value::Array(items) = value else { return value.to_string() };
    let shown = items.iter().map(|item| item.get("id").unwrap_or(item).to_string());
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_differ_in_nothing() {
        assert_eq!(differences(&Config::default()), Vec::<String>::new());
    }

    #[test]
    fn each_changed_setting_is_told_with_its_default() {
        let mut config = Config::default();
        config.windows.lateness = Span::from_secs(2);
        config.windows.lengths = vec![Span::from_secs(60)];
        config.departments = DEPARTMENTS[..2].iter().map(super::super::departments::Department::config).collect();
        assert_eq!(
            differences(&config),
            [
                "departments = [\"billing\", \"support\"] (default: [])",
                "windows.lateness = \"2s\" (default: \"30s\")",
                "windows.lengths = [\"1m\"] (default: [\"5m\", \"15m\", \"1h\", \"6h\", \"24h\"])",
            ]
        );
    }
}
