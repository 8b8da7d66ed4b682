//! The departments: each name must lead to one of them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::Check;
use crate::config::names::{fold_name, guess};
use crate::config::{DepartmentConfig, OTHER};

const MOST_DEPARTMENTS: usize = 10_000;
const MOST_ID_BYTES: usize = 64;

pub(super) fn all(departments: &[DepartmentConfig], check: &mut Check<'_>) {
    if departments.len() > MOST_DEPARTMENTS {
        let what = format!("{} departments are too many", departments.len());
        check.refuse(&["departments"], what, "name at most 10000; the rest can share `other`");
        return;
    }
    let mut claims = Claims::new(departments);
    for (place, department) in departments.iter().enumerate() {
        let place = place.to_string();
        itself(&place, department, check);
        claims.claim(&place, department, check);
    }
}

/// What can be said of a department alone.
fn itself(place: &str, department: &DepartmentConfig, check: &mut Check<'_>) {
    if !is_id(&department.id) {
        let meant: String = fold_name(&department.id).replace(' ', "-");
        let meant = if is_id(&meant) { format!(", such as \"{meant}\"") } else { String::new() };
        let remedy = format!("use 1 to 64 of a-z, 0-9, `_` and `-`{meant}; write other names as aliases");
        check.refuse(&["departments", place, "id"], "cannot be a department's id", remedy);
    }
    time_zone(place, &department.time_zone, check);
    let ratios = [
        ("expected_negative_ratio", department.expected_negative_ratio),
        ("expected_frustrated_ratio", department.expected_frustrated_ratio),
    ];
    for (name, ratio) in ratios {
        let fits = ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio));
        check.need(fits, &["departments", place, name], "not a ratio", "write a number from 0 to 1");
    }
    let signals = department.severe_signals.as_deref().unwrap_or_default();
    super::stream::severe_signals(&["departments", place, "severe_signals"], signals, check);
    let plain = !department.team.contains(char::is_control);
    check.need(plain, &["departments", place, "team"], "holds control characters", "write it on one line");
}

/// Whether that may be a department's id.
pub(crate) fn is_id(id: &str) -> bool {
    let letters_fit =
        id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
    (1..=MOST_ID_BYTES).contains(&id.len()) && letters_fit
}

fn time_zone(place: &str, name: &str, check: &mut Check<'_>) {
    if TimeZone::get(name).is_err() {
        check.refuse(&["departments", place, "time_zone"], "no such time zone", time_zone_remedy(name));
    }
}

/// What to write in place of a time zone that there is not.
pub(super) fn time_zone_remedy(name: &str) -> String {
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let spaceless = name.replace(' ', "_");
    let city = |zone: &&String| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&spaceless));
    let meant =
        known.iter().find(city).map(String::as_str).or_else(|| guess(&spaceless, known.iter().map(String::as_str)));
    meant.map_or_else(
        || "write an IANA name such as \"America/Mexico_City\"".to_owned(),
        |zone| format!("did you mean \"{zone}\"?"),
    )
}

/// Which department has which name, folded.
struct Claims<'a> {
    owners: BTreeMap<String, (String, &'a str)>,
}

impl<'a> Claims<'a> {
    /// Ids come first, so that an alias is what is refused where both are the same.
    fn new(departments: &'a [DepartmentConfig]) -> Self {
        let mut owners = BTreeMap::new();
        for (place, department) in departments.iter().enumerate() {
            owners.entry(fold_name(&department.id)).or_insert((place.to_string(), department.id.as_str()));
        }
        // `other` exists whether the config names it or not.
        owners.entry(OTHER.to_owned()).or_insert((String::new(), OTHER));
        Self { owners }
    }

    fn claim(&mut self, place: &str, department: &'a DepartmentConfig, check: &mut Check<'_>) {
        if let Some((owner, _)) = self.owners.get(&fold_name(&department.id)).filter(|(owner, _)| owner != place) {
            let what = format!("departments[{owner}] has this id too");
            check.refuse(&["departments", place, "id"], what, "give each department its own id");
        }
        for (nth, alias) in department.aliases.iter().enumerate() {
            let path = ["departments", place, "aliases", &nth.to_string()];
            let folded = fold_name(alias);
            if folded.is_empty() {
                check.refuse(&path, "empty", "remove it");
                continue;
            }
            let mine = (place.to_owned(), department.id.as_str());
            let owner = self.owners.entry(folded).or_insert_with(|| mine.clone());
            if owner.0 != mine.0 {
                let what = format!("already leads to `{}` (case and accents do not count)", owner.1);
                check.refuse(&path, what, "keep it in one department");
            }
        }
    }
}
