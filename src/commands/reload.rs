//! SIGHUP: the config read anew. Mutes are taken from it; everything else takes a restart.

use super::ConfigArgs;
use crate::config::Config;
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

    /// Takes the mutes of the config as it is now. Where it is wrong all stays as it was, and `/readyz` says so.
    pub(super) fn run(&mut self, pipeline: &Pipeline) {
        let config = match self.args.load() {
            Ok(loaded) => loaded.config,
            Err(error) => {
                tracing::error!("the config is not reloaded, all stays as it was: {error}");
                return pipeline.health().note(CONFIG, format!("not reloaded, all stays as it was: {error}"));
            }
        };
        if pipeline.set_mutes(&config.mutes).is_err() {
            tracing::error!(
                "the mutes are not reloaded: the fold takes nothing. /healthz says whether it moves; send SIGHUP again"
            );
            return;
        }
        tracing::info!(mutes = config.mutes.len(), "the mutes are reloaded");
        self.in_force.mutes.clone_from(&config.mutes);
        let waiting = differences(&self.in_force, &config);
        if waiting.is_empty() {
            return pipeline.health().take_note(CONFIG);
        }
        let waiting = waiting.join(", ");
        tracing::warn!("only mutes are reloaded; changes of {waiting} take a restart");
        pipeline.health().note(CONFIG, format!("changes of {waiting} take a restart"));
    }
}

/// The tables in which two configs differ.
fn differences(one: &Config, other: &Config) -> Vec<String> {
    let tables = |config: &Config| serde_json::to_value(config).ok().and_then(|value| value.as_object().cloned());
    let (one, other) = (tables(one).unwrap_or_default(), tables(other).unwrap_or_default());
    one.into_iter().filter(|(name, value)| other.get(name) != Some(value)).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DepartmentConfig;

    #[test]
    fn what_a_reload_leaves_alone_is_named_by_its_table() {
        let mut changed = Config { departments: vec![DepartmentConfig::named("billing")], ..Config::default() };
        changed.detect.hold = crate::config::Span::from_secs(60);
        assert_eq!(differences(&Config::default(), &changed), ["departments", "detect"]);
        assert_eq!(differences(&changed, &changed), [""; 0]);
    }
}
