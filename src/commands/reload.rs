//! SIGHUP: the config read anew. Departments, `[detect]` and mutes are taken from it, and the transformer's files are read anew;
//! everything else takes a restart.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ConfigArgs;
use crate::config::{self, Config, Loaded, Origin, Origins};
use crate::pipeline::Pipeline;

/// The key of the note on `/readyz`.
const CONFIG: &str = "config";

/// Where the config comes from, and what is in force of it.
pub(super) struct Reload {
    args: ConfigArgs,
    in_force: Config,
    /// What the file alone said when it was last taken; none where that is no config.
    of_file: Option<Config>,
}

impl Reload {
    pub(super) fn new(args: ConfigArgs, in_force: Config) -> Self {
        let of_file = of_file_alone(&args);
        Self { args, in_force, of_file }
    }

    /// Takes what can be taken of the config as it is now. Where it is wrong all stays as it was, and `/readyz` says so.
    pub(super) fn run(&mut self, pipeline: &Pipeline) {
        if let Err(error) = self.take(pipeline) {
            tracing::error!("the config is not reloaded, all stays as it was: {error}");
            pipeline.health().note(CONFIG, format!("not reloaded, all stays as it was: {error}"));
        }
    }

    fn take(&mut self, pipeline: &Pipeline) -> anyhow::Result<()> {
        let Loaded { config, origins } = self.args.load()?;
        let of_file = of_file_alone(&self.args);
        let taken = takeable(&self.in_force, &config);
        pipeline.reload(taken.clone())?;
        self.in_force = taken;
        let mut notes = Vec::new();
        // The config is taken by now: what is wrong with the model's files does not take that back.
        if let Err(error) = pipeline.reload_slow_model(&self.in_force) {
            notes.push(format!("the transformer that is loaded stays: {error}"));
        }
        let waiting = differences(&self.in_force, &config);
        if !waiting.is_empty() {
            notes.push(format!("changes of {} take a restart", Vec::from_iter(waiting).join(", ")));
        }
        notes.extend(self.of_file.as_ref().zip(of_file.as_ref()).and_then(|(old, new)| overruled(old, new, &origins)));
        self.of_file = of_file;
        if notes.is_empty() {
            pipeline.health().take_note(CONFIG);
            return Ok(());
        }
        let notes = notes.join("; ");
        tracing::warn!(
            "only departments, detect, mutes and the transformer's files are reloaded, and variables stand over the file: {notes}"
        );
        pipeline.health().note(CONFIG, notes);
        Ok(())
    }
}

/// What the file says without the variables, if that is a config.
fn of_file_alone(args: &ConfigArgs) -> Option<Config> {
    config::load(args.config.as_deref(), []).ok().map(|loaded| loaded.config)
}

/// Says which changes of the file do nothing, for a variable sets the same key.
fn overruled(old: &Config, new: &Config, origins: &Origins) -> Option<String> {
    // A list of tables has an origin for each table.
    let is_of = |name: &str, key: &str| name == key || name.strip_prefix(key).is_some_and(|rest| rest.starts_with('['));
    let is_set = |key: &String| {
        origins.iter().filter(|(name, _)| is_of(name, key)).find_map(|(_, origin)| match origin {
            Origin::Environment { variable } => Some(format!("{key} ({variable})")),
            _ => None,
        })
    };
    let keys: Vec<String> = differences(old, new).iter().filter_map(is_set).collect();
    (!keys.is_empty())
        .then(|| format!("changes of {} in the file do nothing, a variable stands over them", keys.join(", ")))
}

/// The config in force with what another one has of what can change in flight. Sound since both are: no check crosses these tables, and
/// files that the rooms in force were read from may be gone by now.
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
#[allow(clippy::unwrap_used)]
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
    fn a_change_under_a_variable_is_named_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("latido.toml");
        let departments = r#"[{"id": "shop"}]"#;
        let variables = [("LATIDO__DETECT__FALSE_ALARMS_PER_MONTH", "3"), ("LATIDO__DEPARTMENTS", departments)]
            .map(|(variable, value)| (variable.to_owned(), value.to_owned()));
        let both = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let alone = config::load(Some(&path), []).unwrap().config;
            (alone, config::load(Some(&path), variables.clone()).unwrap().origins)
        };
        let (old, _) = both("[detect]\nfalse_alarms_per_month = 1\nhold = '20m'\n");
        let (new, origins) =
            both("[detect]\nfalse_alarms_per_month = 2\nhold = '30m'\n[[departments]]\nid = 'billing'\n");
        let told = overruled(&old, &new, &origins).unwrap();
        let named =
            "departments (LATIDO__DEPARTMENTS), detect.false_alarms_per_month (LATIDO__DETECT__FALSE_ALARMS_PER_MONTH)";
        assert_eq!(told, format!("changes of {named} in the file do nothing, a variable stands over them"));
        assert_eq!(overruled(&old, &old, &origins), None);
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
}
