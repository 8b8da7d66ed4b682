//! Incidents that really happened, to hold alerts against: CSV `department,start,end`.

use std::path::Path;
use std::time::Duration;

use csv::{ByteRecord, Trim};

use super::counts::{line_of, next_row, rows_of, shown};
use super::{HistoryError, Names};
use crate::ingest::moment_of_text;
use crate::message::EventTime;

const HEADER: [&str; 3] = ["department", "start", "end"];

/// An alert so soon after an incident's end is of it: the last messages are still about it.
pub(super) const GRACE: Duration = Duration::from_secs(15 * 60);

/// Something that really happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Whose.
    pub department: String,
    /// When it began.
    pub start: EventTime,
    /// When it was over.
    pub end: EventTime,
    /// The line of its file.
    pub line: u64,
}

impl Incident {
    /// Until when an alert is of it.
    pub(super) fn until(&self) -> EventTime {
        self.end.plus(GRACE)
    }
}

/// The incidents of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incidents {
    path: String,
    incidents: Vec<Incident>,
}

impl Incidents {
    /// Reads a file of them.
    ///
    /// # Errors
    /// If it cannot be read, or at its first row that cannot be used.
    pub fn read(path: &Path) -> Result<Self, HistoryError> {
        let text = std::fs::read(path).map_err(|error| HistoryError::unreadable(path, error))?;
        let unreadable = |error| HistoryError::unreadable(path, error);
        let mut reader = rows_of().trim(Trim::All).from_reader(text.as_slice());
        let mut record = ByteRecord::new();
        let is_there = next_row(&mut reader, &mut record).map_err(unreadable)?;
        if !is_there || !record.iter().eq(HEADER.iter().map(|name| name.as_bytes())) {
            return Err(HistoryError::line(
                path,
                1,
                "not the header of a file of incidents",
                "write department,start,end",
            ));
        }
        let mut incidents = Vec::new();
        while next_row(&mut reader, &mut record).map_err(unreadable)? {
            let line = line_of(&reader);
            let refuse = |what: String, remedy: &str| HistoryError::line(path, line, what, remedy);
            if record.len() != HEADER.len() {
                return Err(refuse(format!("{} columns in place of 3", record.len()), "write department,start,end"));
            }
            let moment = |column: usize| {
                moment_of_text(&String::from_utf8_lossy(&record[column])).map_err(|error| {
                    refuse(
                        format!("`{}` {} {error}", HEADER[column], shown(&record[column])),
                        "write 2026-01-31T09:00:00Z",
                    )
                })
            };
            let (start, end) = (moment(1)?, moment(2)?);
            if end <= start {
                return Err(refuse(format!("it ends at {end} and starts at {start}"), "let it end after its start"));
            }
            incidents.push(Incident { department: String::from_utf8_lossy(&record[0]).into_owned(), start, end, line });
        }
        incidents.sort_by_key(|incident| incident.start);
        Ok(Self { path: path.display().to_string(), incidents })
    }

    /// No file, and no incident.
    #[must_use]
    pub fn none() -> Self {
        Self { path: String::new(), incidents: Vec::new() }
    }

    /// The incidents of a department, oldest first.
    pub(super) fn of(&self, department: &str) -> Vec<Incident> {
        self.incidents.iter().filter(|incident| incident.department == department).cloned().collect()
    }

    /// Refuses incidents of departments that the history does not have: a slip in a name would make them unfound in silence.
    ///
    /// # Errors
    /// If there is one.
    pub(super) fn check_departments(&self, names: &Names) -> Result<(), HistoryError> {
        let Some(unknown) = self.incidents.iter().find(|incident| names.find(&incident.department).is_none()) else {
            return Ok(());
        };
        Err(HistoryError::Line {
            path: self.path.clone(),
            line: unknown.line,
            what: format!("the history has no department {}", shown(unknown.department.as_bytes())),
            remedy: "correct the name, or remove the row".to_owned(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Incidents, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("incidents.csv");
        std::fs::write(&path, text).unwrap();
        let shown = path.display().to_string();
        Incidents::read(&path).map_err(|error| error.to_string().replace(&shown, "FILE"))
    }

    #[test]
    fn incidents_are_read_in_order_of_their_start_with_or_without_offsets_of_hours() {
        let text = "department,start,end\r\nb,2026-01-02T00:00:00Z,2026-01-02T01:00:00+01:00\n\
                    a,1767225600,1767229200\n";
        assert_eq!(
            read(text).unwrap_err(),
            "FILE:2: it ends at 2026-01-02T00:00:00Z and starts at 2026-01-02T00:00:00Z; let it end after its start"
        );
        let incidents = read(&text.replace("T01:00:00+01", "T03:00:00+01")).unwrap();
        assert_eq!(incidents.incidents[0].department, "a");
        assert_eq!(incidents.of("b").len(), 1);
    }

    #[test]
    fn what_is_no_incident_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "FILE:1: not the header of a file of incidents; write department,start,end"),
            ("department,start,end\na,1\n", "FILE:2: 2 columns in place of 3; write department,start,end"),
            (
                "department,start,end\n\na,yesterday,2\n",
                "FILE:3: `start` \"yesterday\" is neither an RFC 3339 time with its offset nor a number of seconds or \
                 milliseconds since the epoch; write 2026-01-31T09:00:00Z",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn an_incident_of_an_unknown_department_is_refused() {
        let incidents = read("department,start,end\nbiling,1,2\n").unwrap();
        let error = incidents.check_departments(&Names::default()).unwrap_err().to_string();
        assert!(
            error.ends_with(":2: the history has no department \"biling\"; correct the name, or remove the row"),
            "{error}"
        );
    }
}
