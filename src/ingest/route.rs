//! Routing: from the name a record gives its department to the department.

use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::config::Roster;
use crate::message::DepartmentId;

/// Longer names are not looked at: they are of no configured department.
const MAX_NAME_BYTES: usize = 1_024;

/// Finds departments by id or alias; case, accents, white space, `_` and `-` do not matter.
#[derive(Clone, Debug)]
pub struct Router {
    exact: FxHashMap<Box<str>, DepartmentId>,
    folded: FxHashMap<Box<str>, DepartmentId>,
    other: DepartmentId,
}

impl Router {
    /// Learns the names of a roster. Where two departments share a name the id wins over the alias, then the earlier
    /// department over the later.
    #[must_use]
    pub fn new(roster: &Roster) -> Self {
        let ids = roster.iter().map(|(number, department)| (number, department.id.as_str()));
        let aliases = roster
            .iter()
            .flat_map(|(number, department)| department.aliases.iter().map(move |alias| (number, alias.as_str())));
        let mut router = Self { exact: FxHashMap::default(), folded: FxHashMap::default(), other: roster.other() };
        for (number, name) in ids.chain(aliases) {
            let folded_name = fold(name);
            if folded_name.is_empty() {
                continue;
            }
            // The exact table must not know a name that the folded one gives to another department.
            let owner = *router.folded.entry(folded_name.into()).or_insert(number);
            router.exact.entry(name.into()).or_insert(owner);
        }
        router
    }

    /// The department of that name, or `other`. Does not allocate where the name is written as in the config.
    #[must_use]
    pub fn route(&self, name: &str) -> DepartmentId {
        if let Some(department) = self.exact.get(name) {
            return *department;
        }
        if name.len() > MAX_NAME_BYTES {
            return self.other;
        }
        self.folded.get(fold(name).as_str()).copied().unwrap_or(self.other)
    }

    /// The department that takes the messages of unknown ones.
    #[must_use]
    pub fn other(&self) -> DepartmentId {
        self.other
    }
}

/// A name without case, accents and compatibility forms, its words parted by single spaces. Folding twice changes nothing.
fn fold(name: &str) -> String {
    if name.is_ascii() {
        return join_words(name.chars().map(|letter| letter.to_ascii_lowercase()), name.len());
    }
    let letters = name
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        // Upper-casing in between unites what lower-casing alone keeps apart, such as `ß` and `ss`, `σ` and `ς`.
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter));
    join_words(letters, name.len())
}

/// Writes letters, with one space for each run of separators between them.
fn join_words(letters: impl Iterator<Item = char>, capacity: usize) -> String {
    let mut folded = String::with_capacity(capacity);
    let mut between_words = false;
    for letter in letters {
        if is_separator(letter) {
            between_words = !folded.is_empty();
            continue;
        }
        if between_words {
            folded.push(' ');
            between_words = false;
        }
        folded.push(letter);
    }
    folded
}

/// What parts words: white space, underscores and the Unicode dashes.
fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '_' | '-' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, DepartmentConfig};

    fn department(id: &str, aliases: &[&str]) -> DepartmentConfig {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        DepartmentConfig { aliases, ..DepartmentConfig::named(id) }
    }

    fn roster(departments: Vec<DepartmentConfig>) -> Roster {
        Roster::new(&Config { departments, ..Config::default() })
    }

    fn six() -> Roster {
        roster(vec![
            department("billing", &["Facturaci\u{f3}n", "cobros"]),
            department("support", &["Soporte t\u{e9}cnico", "help-desk"]),
            department("logistics", &["Env\u{ed}os", "\u{c1}rea de log\u{ed}stica"]),
            department("strasse", &["Stra\u{df}e"]),
        ])
    }

    #[test]
    fn ids_and_aliases_route_home_however_they_are_written() {
        let roster = six();
        let router = Router::new(&roster);
        for (name, id) in [
            ("billing", "billing"),
            ("BILLING", "billing"),
            ("Facturaci\u{f3}n", "billing"),
            ("facturacion", "billing"),
            ("FACTURACIO\u{301}N", "billing"),
            ("  soporte_TECNICO ", "support"),
            ("Soporte\u{a0}\u{a0}T\u{e9}cnico\n", "support"),
            ("help desk", "support"),
            ("HELP_DESK", "support"),
            ("help\u{2011}desk", "support"),
            ("\u{ff48}\u{ff45}\u{ff4c}\u{ff50}-desk", "support"),
            ("area-de-logistica", "logistics"),
            ("STRASSE", "strasse"),
            ("STRA\u{1e9e}E", "strasse"),
        ] {
            assert_eq!(router.route(name), roster.find(id).unwrap(), "{name:?}");
        }
    }

    #[test]
    fn unknown_names_go_to_other() {
        let roster = six();
        let router = Router::new(&roster);
        let long = "billing".repeat(1_000);
        for name in ["", " ", "_-_", "bill", "billings", "helpdesk", "\u{301}", &long] {
            assert_eq!(router.route(name), roster.other(), "{name:?}");
        }
        assert_eq!(router.other(), roster.other());
    }

    #[test]
    fn a_shared_name_belongs_to_the_id_and_else_to_the_first() {
        let roster = roster(vec![
            department("sales", &["Claims", "front", "___"]),
            department("claims", &["Front"]),
            department("empty", &["", "---"]),
        ]);
        let router = Router::new(&roster);
        assert_eq!(router.route("Claims"), roster.find("claims").unwrap());
        assert_eq!(router.route("claims"), roster.find("claims").unwrap());
        assert_eq!(router.route("Front"), roster.find("sales").unwrap());
        assert_eq!(router.route("___"), roster.other());
        assert_eq!(router.route(""), roster.other());
    }

    #[test]
    fn folding_any_character_twice_changes_nothing() {
        // Beyond plane 2 nothing has case or a decomposition.
        for letter in '\0'..='\u{2ffff}' {
            let once = fold(&format!("a{letter}b"));
            assert_eq!(fold(&once), once, "{letter:?}");
        }
    }

    fn accented(text: &str, marks: &[char]) -> String {
        let mut marks = marks.iter().cycle();
        text.chars()
            .flat_map(|letter| {
                let mark = if letter.is_alphabetic() { marks.next().copied() } else { None };
                std::iter::once(letter).chain(mark)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in any::<String>()) {
            let once = fold(&name);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn ascii_names_fold_as_all_others_do(name in "[ -~\\t\\n]{0,20}") {
            let accented = format!("{name}\u{f1}");
            prop_assert_eq!(fold(&format!("{name}n")), fold(&accented));
        }

        #[test]
        fn every_name_in_any_case_accents_and_separators_routes_home(
            marks in prop::collection::vec(prop::char::range('\u{300}', '\u{30c}'), 1..4),
            upper in any::<bool>(),
            composed in any::<bool>(),
            separator in prop::sample::select(vec![" ", "_", "-", "  ", " - ", "\t", "__"]),
        ) {
            let roster = six();
            let router = Router::new(&roster);
            for (number, department) in roster.iter() {
                for name in std::iter::once(&department.id).chain(&department.aliases) {
                    let parted = accented(name, &marks).replace([' ', '-'], separator);
                    let cased = if upper { parted.to_uppercase() } else { parted.to_lowercase() };
                    let written = if composed { cased.nfc().collect() } else { cased };
                    prop_assert_eq!(router.route(&written), number, "{:?}", written);
                }
            }
        }

        #[test]
        fn any_name_routes_somewhere_in_the_roster(name in any::<String>()) {
            let roster = six();
            prop_assert!(Router::new(&roster).route(&name).index() < roster.len());
        }
    }
}
