//! Loading: defaults, then the file, then the environment, then every check.

use std::collections::BTreeMap;
use std::path::Path;

use super::layers::{Layers, at, dotted};
use super::problem::{ConfigError, Origin};
use super::{Config, environment, file, properties, shape, validate};
use figment::value::Value;

/// A config that passed every check, and where its values came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// Who set what.
    pub origins: Origins,
}

/// Where the values came from that a file or a variable set, by dotted key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Where the value of a key such as `kafka.topics` or `departments[0]` came from.
    #[must_use]
    pub fn of(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Every key that a file or a variable set, with who set it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0.iter().map(|(key, origin)| (key.as_str(), origin))
    }
}

/// Loads the config: defaults, over them the file, over that the environment's `LATIDO__...` variables. A list replaces
/// the list under it; `kafka.properties` are laid over one another entry by entry. Reads the files that hold secrets.
///
/// # Errors
/// Everything that is wrong with it: first what cannot be read, then unknown keys and wrong types, then values that are
/// impossible by themselves or together.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let (variables, mut problems) = environment::read(environment);
    let from_file = match file.map(|path| file::read(path).map(|layer| (path, layer))).transpose() {
        Ok(from_file) => from_file,
        Err(problem) => {
            problems.insert(0, *problem);
            return Err(ConfigError::new(problems));
        }
    };
    let layers = Layers::new(from_file, variables)?;
    let mut config = match shape::config_of(&layers) {
        Ok(config) if problems.is_empty() => config,
        Ok(_) => return Err(ConfigError::new(problems)),
        Err(mut found) => {
            found.append(&mut problems);
            return Err(ConfigError::new(found));
        }
    };
    let mut check = validate::Check::new(&layers);
    properties::resolve(&mut config.kafka, &mut check);
    validate::all(&config, &mut check);
    let found = check.into_problems();
    if !found.is_empty() {
        return Err(ConfigError::new(found));
    }
    Ok(Loaded { config, origins: origins(&layers) })
}

/// Every value that somebody set. A list counts as one value, but a list of tables as one for each table.
fn origins(layers: &Layers) -> Origins {
    let mut origins = BTreeMap::new();
    collect(layers, &mut Vec::new(), &mut origins);
    Origins(origins)
}

fn collect(layers: &Layers, path: &mut Vec<String>, origins: &mut BTreeMap<String, Origin>) {
    let places = |count: usize| (0..count).map(|place| place.to_string()).collect();
    let names: Vec<String> = match at(layers.root(), path) {
        Some(Value::Dict(_, entries)) if !is_item(path) => entries.keys().cloned().collect(),
        Some(Value::Array(_, items)) if matches!(items.first(), Some(Value::Dict(..))) => places(items.len()),
        _ => {
            let origin = layers.origin(path);
            if origin != Origin::Default {
                origins.insert(dotted(path), origin);
            }
            return;
        }
    };
    for name in names {
        path.push(name);
        collect(layers, path, origins);
        path.pop();
    }
}

/// Whether a path leads to an item of a list.
fn is_item(path: &[String]) -> bool {
    path.last().is_some_and(|last| last.parse::<usize>().is_ok())
}
