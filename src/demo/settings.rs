//! The config that the demo's pipeline runs with, and how it differs from the defaults.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use super::broker::Broker;
use super::departments::DEPARTMENTS;
use crate::config::{Config, Span};

/// The demo's config: short windows, so that minutes show what hours show elsewhere.
pub(crate) fn demo_config(broker: &Broker, listen: SocketAddr, directory: &Path) -> Config {
    let mut config = Config::default();
    config.kafka.brokers = broker.brokers.split(',').map(|address| address.trim().to_owned()).collect();
    config.kafka.topics = vec![broker.topic.clone()];
    config.kafka.group = broker.group.clone();
    config.windows.lengths = [30, 60, 5 * 60, 15 * 60, 3_600].map(Span::from_secs).to_vec();
    config.windows.lateness = Span::from_secs(2);
    config.windows.idle_after = Span::from_secs(5);
    config.detect.window = Span::from_secs(30);
    config.detect.hold = Span::from_secs(10);
    config.checkpoint.directory = directory.to_owned();
    config.http.listen = listen;
    config.departments = DEPARTMENTS.iter().map(super::departments::Department::config).collect();
    config
}

/// Place of the tested window among the windows.
#[must_use]
pub fn tested_window(config: &Config) -> usize {
    config.windows.lengths.iter().position(|length| *length == config.detect.window).unwrap_or_default()
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
