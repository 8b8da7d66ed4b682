//! The config in force, as `latido check` shows it.

use super::Config;
use super::layers::dotted;
use super::load::Loaded;
use super::problem::Origin;
use super::properties::FILE_ENDING;
use super::secret::REDACTED;

/// The whole config as TOML, with every secret replaced by [`REDACTED`]; fields without a value are left out.
///
/// # Errors
/// If a value has no place in TOML, such as a path that is not Unicode.
pub fn effective(config: &Config) -> Result<String, toml::ser::Error> {
    let mut shown = config.clone();
    for name in config.kafka.secrets.keys() {
        let from_file = config.kafka.properties.contains_key(&format!("{name}{FILE_ENDING}"));
        if !from_file {
            shown.kafka.properties.insert(name.clone(), REDACTED.to_owned());
        }
    }
    toml::to_string(&shown)
}

/// The keys whose values differ from the defaults, each with where its value came from.
#[must_use]
pub fn non_defaults(loaded: &Loaded) -> Vec<(&str, &Origin)> {
    let defaults = leaves(&Config::default());
    let values = leaves(&loaded.config);
    let same = |key: &str| defaults.iter().any(|leaf| leaf.0 == key && values.contains(leaf));
    loaded.origins.iter().filter(|(key, _)| !same(key)).collect()
}

/// Every plain value and every list of plain values, by dotted key.
fn leaves(config: &Config) -> Vec<(String, serde_json::Value)> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), serde_json::to_value(config).unwrap_or_default())];
    while let Some((path, value)) = open.pop() {
        match value {
            serde_json::Value::Object(entries) => {
                open.extend(entries.into_iter().map(|(name, value)| ([path.clone(), vec![name]].concat(), value)));
            }
            value => found.push((dotted(&path), value)),
        }
    }
    found
}
