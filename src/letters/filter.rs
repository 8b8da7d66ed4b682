//! Which letters are meant.

use crate::config::{Config, Roster};
use crate::ingest::{Decoder, Router};
use crate::message::{DepartmentId, EventTime, LetterReason};

use super::Letter;

/// More departments than this are not named in an error.
const MOST_NAMED: usize = 20;

/// What is looked for; whatever is empty does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Letters of any of these reasons.
    pub reasons: Vec<LetterReason>,
    /// Received at this moment or later.
    pub since: Option<EventTime>,
    /// Received before this moment.
    pub until: Option<EventTime>,
    /// Of this department, by id or alias.
    pub department: Option<String>,
}

/// Nothing can be looked for in this way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The department is none of the config's.
    #[error("`{name}` is no department of the config and no alias of one; there are: {known}")]
    Department {
        /// As it was asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// No moment lies in between.
    #[error("no letter is from {since} on and before {until}: --since must be earlier than --until")]
    Times {
        /// From when on.
        since: EventTime,
        /// Before when.
        until: EventTime,
    },
}

/// Tells the letters that are meant from the others.
#[derive(Clone, Debug)]
pub struct Filter {
    reasons: Vec<&'static str>,
    since: Option<EventTime>,
    until: Option<EventTime>,
    department: Option<DepartmentId>,
    decoder: Decoder,
}

impl Filter {
    /// Prepares looking for letters, with departments as the config has them.
    ///
    /// # Errors
    /// If the config has no such department, or no moment is late enough and early enough.
    pub fn new(wanted: &Wanted, config: &Config) -> Result<Self, FilterError> {
        if let (Some(since), Some(until)) = (wanted.since, wanted.until)
            && since >= until
        {
            return Err(FilterError::Times { since, until });
        }
        let roster = Roster::new(config);
        let router = Router::new(&roster);
        let department = wanted.department.as_deref().map(|name| department(name, &roster, &router)).transpose()?;
        Ok(Self {
            reasons: wanted.reasons.iter().map(|reason| reason.as_str()).collect(),
            since: wanted.since,
            until: wanted.until,
            department,
            decoder: Decoder::new(&config.input, router),
        })
    }

    /// Whether a letter is meant.
    #[must_use]
    pub fn takes(&self, letter: &Letter) -> bool {
        self.takes_reason(&letter.reason) && self.takes_time(letter) && self.takes_department(letter)
    }

    /// Whose message a letter would have been, where its JSON can be read.
    #[must_use]
    pub fn department_of(&self, letter: &Letter) -> Option<DepartmentId> {
        self.decoder.department_of(letter.value.as_deref()?)
    }

    fn takes_reason(&self, reason: &str) -> bool {
        self.reasons.is_empty() || self.reasons.contains(&reason)
    }

    /// A letter without a time that can be read is at no time.
    fn takes_time(&self, letter: &Letter) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        letter.received().is_some_and(|received| {
            self.since.is_none_or(|since| received >= since) && self.until.is_none_or(|until| received < until)
        })
    }

    fn takes_department(&self, letter: &Letter) -> bool {
        self.department.is_none() || self.department == self.department_of(letter)
    }
}

/// The department of that id or alias. That a name leads to `other` says nothing: all unknown ones do.
fn department(name: &str, roster: &Roster, router: &Router) -> Result<DepartmentId, FilterError> {
    let found = router.route(name);
    let other = roster.get(roster.other());
    let means_other = name.eq_ignore_ascii_case(&other.id) || other.aliases.iter().any(|alias| alias == name);
    if found != roster.other() || means_other {
        return Ok(found);
    }
    let mut known: Vec<&str> = roster.iter().map(|(_, department)| department.id.as_str()).collect();
    let more = known.len().saturating_sub(MOST_NAMED);
    known.truncate(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(FilterError::Department { name: name.to_owned(), known: known.join(", ") + &rest })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::config::DepartmentConfig;
    use crate::letters::letter::tests::letter;
    use crate::message::RejectReason;

    const NOON: &str = "2026-01-31T12:00:00Z";

    fn config() -> Config {
        let billing =
            DepartmentConfig { aliases: vec!["Facturación".to_owned()], ..DepartmentConfig::named("billing") };
        Config { departments: vec![billing, DepartmentConfig::named("delivery")], ..Config::default() }
    }

    fn filter(wanted: Wanted) -> Filter {
        Filter::new(&wanted, &config()).unwrap()
    }

    fn time(text: &str) -> Option<EventTime> {
        Some(EventTime::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()))
    }

    #[test]
    fn an_empty_filter_takes_every_letter() {
        let all = filter(Wanted::default());
        assert!(all.takes(&letter(&[], "not_json", NOON, "no json")));
        assert!(all.takes(&letter(&[], "a reason of tomorrow", "no time", "")));
    }

    #[test]
    fn any_of_the_reasons_will_do() {
        let some = filter(Wanted {
            reasons: [RejectReason::NotJson, RejectReason::Future].map(LetterReason::Rejected).into(),
            ..Wanted::default()
        });
        assert!(some.takes(&letter(&[], "not_json", NOON, "")));
        assert!(some.takes(&letter(&[], "future", NOON, "")));
        assert!(!some.takes(&letter(&[], "bad_text", NOON, "")));
    }

    #[test]
    fn since_is_within_and_until_is_not() {
        let hour = filter(Wanted { since: time(NOON), until: time("2026-01-31T13:00:00Z"), ..Wanted::default() });
        for (received_at, taken) in [
            ("2026-01-31T11:59:59.999Z", false),
            (NOON, true),
            ("2026-01-31T13:59:59.999+01:00", true),
            ("2026-01-31T13:00:00Z", false),
            ("no time", false),
        ] {
            assert_eq!(hour.takes(&letter(&[], "not_json", received_at, "")), taken, "{received_at}");
        }
    }

    #[test]
    fn a_department_is_found_by_id_and_alias_where_the_json_can_be_read() {
        for name in ["billing", "BILLING", "facturacion"] {
            let billing = filter(Wanted { department: Some(name.to_owned()), ..Wanted::default() });
            assert!(billing.takes(&letter(&[], "missing_text", NOON, r#"{"department":"FACTURACION"}"#)));
            assert!(!billing.takes(&letter(&[], "missing_text", NOON, r#"{"department":"delivery"}"#)));
            assert!(!billing.takes(&letter(&[], "not_json", NOON, "billing")));
        }
        let other = filter(Wanted { department: Some("other".to_owned()), ..Wanted::default() });
        assert!(other.takes(&letter(&[], "missing_text", NOON, r#"{"department":"nobody"}"#)));
        assert!(!other.takes(&letter(&[], "not_json", NOON, "{")));
    }

    #[test]
    fn an_unknown_department_is_answered_with_those_there_are() {
        let wanted = Wanted { department: Some("biling".to_owned()), ..Wanted::default() };
        let error = Filter::new(&wanted, &config()).unwrap_err().to_string();
        assert!(error.contains("`biling`") && error.ends_with("there are: billing, delivery, other"), "{error}");
        let departments = (0..30).map(|number| DepartmentConfig::named(&format!("d{number}"))).collect();
        let error = Filter::new(&wanted, &Config { departments, ..Config::default() }).unwrap_err().to_string();
        assert!(error.ends_with("d19 and 11 more"), "{error}");
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let wanted = Wanted { since: time(NOON), until: time(NOON), ..Wanted::default() };
        let error = Filter::new(&wanted, &config()).unwrap_err().to_string();
        assert!(error.contains("--since must be earlier"), "{error}");
    }
}
