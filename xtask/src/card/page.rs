//! Filling the template.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

const MADE: &str =
    "<!-- made by `cargo xtask card --write` from models/card: edit the template there, not this page -->\n";

/// The page: the template with each `{{name}}` replaced.
pub(crate) fn fill(template: &str, parts: &BTreeMap<&'static str, String>) -> Result<String> {
    let mut page = MADE.to_owned();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a `{{` is not closed by `}}`")?;
        let part = parts.get(name);
        ensure!(part.is_some(), "`{{{{{name}}}}}` is none of {}", parts.keys().copied().collect::<Vec<_>>().join(", "));
        page += before;
        page += part.map_or("", |part| part.trim_end());
        rest = after;
    }
    Ok(page + rest)
}

/// The names that a template asks for.
#[cfg(test)]
pub(crate) fn asked(template: &str) -> impl Iterator<Item = &str> {
    template.split("{{").skip(1).filter_map(|rest| rest.split_once("}}").map(|(name, _)| name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_replaced_and_an_unknown_one_is_refused() {
        let parts = BTreeMap::from([("bytes", "10 MB\n".to_owned())]);
        assert_eq!(fill("It has {{bytes}}.\n", &parts).unwrap(), format!("{MADE}It has 10 MB.\n"));
        let error = fill("{{size}}", &parts).unwrap_err().to_string();
        assert_eq!(error, "`{{size}}` is none of bytes");
    }
}
