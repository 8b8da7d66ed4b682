//! SIGHUP: the config read anew. Departments, `[detect]` and mutes are taken from it; everything else takes a restart.

use std::collections::BTreeSet;

use anyhow::anyhow;
use serde_json::Value;

use super::ConfigArgs;
use crate::config::{Config, check};
use crate::pipeline::Pipeline;

/// The key of the note on `/readyz`.
const CONFIG: &str = "config";

/// Where the config comes from, and what is in force of it.
pub(super) struct Reload {
    args: ConfigArgs,
    in_force: Config,
}

impl Reload {
    pub(super) fn new(args: ConfigArgs, in_force: Config) -> Self {
        Self { args, in_force }
    }

    /// Takes what can be taken of the config as it is now. Where it is wrong all stays as it was, and `/readyz` says so.
    pub(super) fn run(&mut self, pipeline: &Pipeline) {
        if let Err(error) = self.take(pipeline) {
            tracing::error!("the config is not reloaded, all stays as it was: {error}");
            pipeline.health().note(CONFIG, format!("not reloaded, all stays as it was: {error}"));
        }
    }

    fn take(&mut self, pipeline: &Pipeline) -> anyhow::Result<()> {
        let config = self.args.load()?.config;
        let taken = takeable(&self.in_force, &config);
        // Each of both is sound, and what is put together of them need not be.
        check(&taken).map_err(|error| anyhow!("it does not fit what takes a restart: {error}"))?;
        pipeline.reload(taken.clone())?;
        self.in_force = taken;
        let waiting = differences(&self.in_force, &config);
        if waiting.is_empty() {
            pipeline.health().take_note(CONFIG);
            return Ok(());
        }
        let waiting = Vec::from_iter(waiting).join(", ");
        tracing::warn!("only departments, detect and mutes are reloaded; changes of {waiting} take a restart");
        pipeline.health().note(CONFIG, format!("changes of {waiting} take a restart"));
        Ok(())
    }
}

/// The config in force with what another one has of what can change in flight.
fn takeable(in_force: &Config, config: &Config) -> Config {
    Config {
        departments: config.departments.clone(),
        detect: config.detect.clone(),
        mutes: config.mutes.clone(),
        ..in_force.clone()
    }
}

/// The dotted keys in which two configs differ.
fn differences(one: &Config, other: &Config) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let value = |config: &Config| serde_json::to_value(config).unwrap_or_default();
    compare(&value(one), &value(other), String::new(), &mut keys);
    keys
}

fn compare(one: &Value, other: &Value, key: String, keys: &mut BTreeSet<String>) {
    if one == other {
        return;
    }
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        keys.insert(key);
        return;
    };
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    for name in names {
        // Names of librdkafka have dots of their own.
        let name_there = if name.contains('.') { format!("{name:?}") } else { name.clone() };
        let part = if key.is_empty() { name_there } else { format!("{key}.{name_there}") };
        compare(one.get(name).unwrap_or(&Value::Null), other.get(name).unwrap_or(&Value::Null), part, keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DepartmentConfig, MuteConfig, Span};

    #[test]
    fn what_takes_a_restart_is_named_by_its_key() {
        let mut changed = Config::default();
        changed.kafka.topics.push("more".to_owned());
        changed.kafka.properties.insert("fetch.min.bytes".to_owned(), "9".to_owned());
        changed.windows.lateness = Span::from_secs(1);
        changed.http.token_file = Some("token".into());
        let wanted = ["http.token_file", "kafka.properties.\"fetch.min.bytes\"", "kafka.topics", "windows.lateness"]
            .map(str::to_owned);
        assert_eq!(differences(&Config::default(), &changed), BTreeSet::from(wanted));
        assert_eq!(differences(&changed, &changed), BTreeSet::new());
    }

    #[test]
    fn departments_thresholds_and_mutes_can_be_taken_and_nothing_else() {
        let mut changed = Config {
            departments: vec![DepartmentConfig::named("billing")],
            mutes: vec![MuteConfig::default()],
            ..Config::default()
        };
        changed.detect.hold = Span::from_secs(60);
        assert_eq!(takeable(&Config::default(), &changed), changed);
        let wanted = changed.clone();
        changed.kafka.group = "another".to_owned();
        changed.log.level = "debug".to_owned();
        assert_eq!(takeable(&Config::default(), &changed), wanted);
    }

    #[test]
    fn what_is_put_together_of_two_configs_is_checked_as_one() {
        let mut config = Config { departments: vec![DepartmentConfig::named("billing")], ..Config::default() };
        config.kafka.brokers = vec!["localhost:9092".to_owned()];
        config.kafka.topics = vec!["messages".to_owned()];
        assert_eq!(check(&config).map_err(|error| error.to_string()), Ok(()));
        config.mutes = vec![MuteConfig { departments: vec!["delivery".to_owned()], ..MuteConfig::default() }];
        let error = check(&takeable(&config, &config)).map_err(|error| error.to_string());
        assert!(matches!(&error, Err(what) if what.contains("mutes[0]") && what.contains("delivery")), "{error:?}");
    }
}
