//! Counts from CSV: `time,department,messages,negative,frustrated`, one row for each department and step, in order of time.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use indicatif::ProgressBar;

use super::history::BadName;
use super::step::common;
use super::{History, HistoryError, Names, Row, Step, input};
use crate::ingest::moment_of_text;
use crate::message::{DepartmentId, EventTime};
use crate::window::Tally;

const HEADER: [&str; 5] = ["time", "department", "messages", "negative", "frustrated"];

/// So many different times tell the step.
const TELLING_TIMES: usize = 200;

/// With fewer times between rows nothing is plain.
const FEWEST_TIMES: usize = 12;

/// A department's counts, with the line that they stand on.
#[derive(Clone, Copy)]
struct Counted {
    line: u64,
    row: Row,
}

/// A file of counts, read as it is asked for rows.
pub struct CountsFile {
    lines: Lines,
    step: Step,
    /// Read while the step was looked for.
    ahead: VecDeque<Counted>,
    /// Names of the departments in `ahead`.
    names: Names,
    last_start: Option<EventTime>,
}

impl CountsFile {
    /// Opens a file and looks for its step, where that is not given; the bar follows the bytes read. `names` are the departments
    /// that are known already.
    ///
    /// # Errors
    /// If it cannot be read, its header or its first rows cannot be used, or they do not tell the step.
    pub fn open(path: &Path, step: Option<Step>, names: &Names, bar: &ProgressBar) -> Result<Self, HistoryError> {
        let last_line = input::last_line(path).map_err(|error| HistoryError::unreadable(path, error))?;
        let reader = input::open(path, bar).map_err(|error| HistoryError::unreadable(path, error))?;
        let mut lines = Lines::new(path, reader)?;
        let (mut ahead, mut names) = (VecDeque::new(), names.clone());
        let step = match step {
            Some(step) => StepFinder::default().check(step, &mut lines, &mut names, &mut ahead)?,
            None => StepFinder::default().find(&mut lines, &mut names, &mut ahead)?,
        };
        let last_start = last_line.as_deref().and_then(last_start);
        Ok(Self { lines, step, ahead, names, last_start })
    }
}

impl History for CountsFile {
    fn step(&self) -> Step {
        self.step
    }

    fn last_start(&self) -> Option<EventTime> {
        self.last_start
    }

    fn next_row(&mut self, names: &mut Names) -> Result<Option<Row>, HistoryError> {
        let next = match self.ahead.pop_front() {
            Some(counted) => {
                // In the order in which they were found: the numbers are the same.
                self.names.clone_into_if_longer(names);
                Some(counted)
            }
            None => self.lines.next(names)?,
        };
        let Some(Counted { line, row }) = next else { return Ok(None) };
        if row.start.as_millis() % self.step.millis() != 0 {
            return Err(self.lines.off_grid(line, row.start, self.step));
        }
        Ok(Some(row))
    }
}

impl Names {
    fn clone_into_if_longer(&self, other: &mut Self) {
        if self.all().len() > other.all().len() {
            other.clone_from(self);
        }
    }
}

/// The time of a line, if it is a row.
fn last_start(line: &[u8]) -> Option<EventTime> {
    let time = line.split(|byte| *byte == b',').next()?;
    moment_of_text(std::str::from_utf8(time).ok()?.trim_matches('"')).ok()
}

/// Finds the step of the first rows.
#[derive(Default)]
struct StepFinder {
    last: Option<EventTime>,
    times: usize,
    /// The largest step on which all so far lie, 0 before the second.
    step: u64,
    /// How far each is from the one before, in milliseconds.
    apart: Vec<u64>,
}

impl StepFinder {
    fn find(
        mut self,
        lines: &mut Lines,
        names: &mut Names,
        ahead: &mut VecDeque<Counted>,
    ) -> Result<Step, HistoryError> {
        self.look_ahead(None, lines, names, ahead)?;
        let path = &lines.path;
        let Some(first) = ahead.front() else { return Err(lines.empty()) };
        if self.step == 0 {
            let what = format!("all rows are of {}, which does not tell how long their step is", first.row.start);
            return Err(HistoryError::file(path, what, "say so: --step 5m, or whatever it is"));
        }
        Step::of_millis(self.step).map_err(|error| {
            HistoryError::file(
                path,
                format!("its times are far apart: {error}"),
                "give rows of 10 s to an hour, or, if they are rarer only because hardly anybody wrote, say their step, such as --step 5m",
            )
        })
    }

    /// Takes a step that somebody names, unless the rows are plainly of a longer one: all of a row's messages would lie in its first part.
    fn check(
        mut self,
        step: Step,
        lines: &mut Lines,
        names: &mut Names,
        ahead: &mut VecDeque<Counted>,
    ) -> Result<Step, HistoryError> {
        self.look_ahead(Some(step), lines, names, ahead)?;
        let Some(longer) = Step::of_millis(self.step).ok().filter(|found| found.millis() > step.millis()) else {
            return Ok(step);
        };
        let regular = self.apart.iter().filter(|apart| **apart == self.step).count();
        if self.apart.len() < FEWEST_TIMES || regular * 10 < self.apart.len() * 9 {
            return Ok(step);
        }
        let what =
            format!("its rows are of {longer}: in steps of {step} all messages of a row would lie in its first {step}");
        Err(HistoryError::file(
            &lines.path,
            what,
            format!("say --step {longer}, or leave it out; or give rows of {step}"),
        ))
    }

    /// Takes the rows that tell the step, which have to be on that one where it is named.
    fn look_ahead(
        &mut self,
        named: Option<Step>,
        lines: &mut Lines,
        names: &mut Names,
        ahead: &mut VecDeque<Counted>,
    ) -> Result<(), HistoryError> {
        while self.times < TELLING_TIMES {
            let Some(counted) = lines.next(names)? else { break };
            ahead.push_back(counted);
            if let Some(step) = named.filter(|step| counted.row.start.as_millis() % step.millis() != 0) {
                return Err(lines.off_grid(counted.line, counted.row.start, step));
            }
            self.take(lines, &counted)?;
        }
        Ok(())
    }

    fn take(&mut self, lines: &Lines, counted: &Counted) -> Result<(), HistoryError> {
        let start = counted.row.start;
        let Some(last) = self.last.replace(start) else {
            self.times = 1;
            return Ok(());
        };
        if last == start {
            return Ok(());
        }
        self.times += 1;
        let before = self.step;
        let apart = start.as_millis().abs_diff(last.as_millis());
        self.apart.push(apart);
        self.step = common(self.step, apart);
        // Only ever smaller: what is too short now stays so.
        if self.step < 10_000 {
            let grid = if before == 0 { "10s".to_owned() } else { format!("{} s", before / 1_000) };
            let what = format!("the time {start} is on no grid of {grid} with the rows before");
            let remedy = "round times down to their step, such as full minutes or 5 minutes";
            return Err(HistoryError::line(&lines.path, counted.line, what, remedy));
        }
        Ok(())
    }
}

/// The rows of a file, checked one by one.
struct Lines {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
    record: ByteRecord,
    /// The last time as it was written: rows of a step follow each other.
    written: Vec<u8>,
    time: EventTime,
    /// The latest row's time of each department.
    latest: Vec<Option<EventTime>>,
}

impl Lines {
    fn new(path: &Path, reader: Box<dyn Read>) -> Result<Self, HistoryError> {
        let reader = rows_of().buffer_capacity(1 << 18).from_reader(reader);
        let mut lines = Self {
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            written: Vec::new(),
            time: EventTime::from_millis(i64::MIN),
            latest: Vec::new(),
        };
        lines.header()?;
        Ok(lines)
    }

    fn header(&mut self) -> Result<(), HistoryError> {
        if !self.advance()? {
            return Err(self.empty());
        }
        if self.record.iter().map(<[u8]>::trim_ascii).eq(HEADER.iter().map(|name| name.as_bytes())) {
            return Ok(());
        }
        let found: Vec<_> = self.record.iter().map(shown).collect();
        let what = format!("the header is {}", found.join(","));
        Err(self.refuse(what, format!("the first line must be {}{}", HEADER.join(","), self.why_no_header())))
    }

    /// What is wrong with a header that is nearly one.
    fn why_no_header(&self) -> &'static str {
        let names: Vec<String> =
            self.record.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let is_separated = |by: char| names.len() == 1 && names[0].contains(by);
        if is_separated(';') || is_separated('\t') {
            return ": separate by commas";
        }
        if names == HEADER {
            return ", in small letters";
        }
        if names.starts_with(&HEADER.map(str::to_owned)) {
            return " and nothing more: leave other columns out, which would be read by nobody";
        }
        if HEADER.iter().all(|name| names.iter().any(|found| found == name)) {
            return ", in this order, without other columns";
        }
        ""
    }

    fn empty(&self) -> HistoryError {
        let remedy = format!("give it the header {} and rows", HEADER.join(","));
        HistoryError::file(&self.path, "it holds no row", remedy)
    }

    fn advance(&mut self) -> Result<bool, HistoryError> {
        next_row(&mut self.reader, &mut self.record).map_err(|error| HistoryError::unreadable(&self.path, error))
    }

    fn next(&mut self, names: &mut Names) -> Result<Option<Counted>, HistoryError> {
        if !self.advance()? {
            return Ok(None);
        }
        if self.record.len() != HEADER.len() {
            let what = format!("{} columns in place of {}", self.record.len(), HEADER.len());
            return Err(self.refuse(what, format!("write {}", HEADER.join(","))));
        }
        let start = self.start()?;
        let department = self.department(names, start)?;
        let tally = self.tally()?;
        Ok(Some(Counted { line: self.line(), row: Row { start, department, tally, severe: 0 } }))
    }

    fn start(&mut self) -> Result<EventTime, HistoryError> {
        let field = &self.record[0];
        if *field == *self.written {
            return Ok(self.time);
        }
        let time = self.moment(field)?;
        if time < self.time {
            let what = format!("the time {time} is before {}, the time of a row above", self.time);
            return Err(self.refuse(what, "sort the rows by time, or, if these are local times with a fixed offset over a clock change, give them in UTC"));
        }
        self.written.clear();
        self.written.extend_from_slice(&self.record[0]);
        self.time = time;
        Ok(time)
    }

    fn moment(&self, field: &[u8]) -> Result<EventTime, HistoryError> {
        let text = String::from_utf8_lossy(field.trim_ascii());
        moment_of_text(&text).map_err(|error| {
            let is_local = text.parse::<jiff::civil::DateTime>().is_ok();
            if is_local {
                let what = format!("the time {} has no offset", shown(field));
                let remedy = "local times are ambiguous where clocks change: write 2026-01-31T09:00:00Z, an offset such as +02:00, \
                              or seconds since 1970";
                return self.refuse(what, remedy);
            }
            self.refuse(format!("the time {} {error}", shown(field)), "write 2026-01-31T09:00:00Z or 1769850000")
        })
    }

    fn department(&mut self, names: &mut Names, start: EventTime) -> Result<DepartmentId, HistoryError> {
        let name = self.record[1].trim_ascii();
        let department = names.number(name).map_err(|bad| match bad {
            BadName::NoId => self.refuse(
                format!("the department {} is no id", shown(name)),
                "use 1 to 64 of a-z, 0-9, `_` and `-`, as in the config",
            ),
            BadName::TooMany => self.refuse(
                format!("the department {} is one more than {}", shown(name), Names::MOST),
                "give a file with fewer departments",
            ),
        })?;
        if self.latest.len() <= department.index() {
            self.latest.resize(department.index() + 1, None);
        }
        if self.latest[department.index()] == Some(start) {
            let what = format!("a second row of {} at {start}", shown(name));
            return Err(self
                .refuse(what, "give one row for each department and step, and local times of a clock change in UTC"));
        }
        self.latest[department.index()] = Some(start);
        Ok(department)
    }

    fn tally(&self) -> Result<Tally, HistoryError> {
        let messages = self.count(2)?;
        let (negative, frustrated) = (self.part(3, messages)?, self.part(4, messages)?);
        Ok(Tally { messages, negative, positive: 0, frustrated })
    }

    /// A count of those messages.
    fn part(&self, column: usize, messages: u32) -> Result<u32, HistoryError> {
        let part = self.count(column)?;
        if part <= messages {
            return Ok(part);
        }
        let what = format!("{part} {} of {messages} messages", HEADER[column]);
        Err(self.refuse(what, "`messages` counts all of them, whatever they are"))
    }

    fn count(&self, column: usize) -> Result<u32, HistoryError> {
        let field = self.record[column].trim_ascii();
        digits(field).ok_or_else(|| {
            let what = format!("`{}` is {}", HEADER[column], shown(field));
            self.refuse(what, format!("write a whole number from 0 to {}", u32::MAX))
        })
    }

    fn off_grid(&self, line: u64, start: EventTime, step: Step) -> HistoryError {
        let what = format!("the time {start} is no multiple of the step of {step}, counted in UTC");
        HistoryError::line(&self.path, line, what, "round times down to their step")
    }

    fn line(&self) -> u64 {
        line_of(&self.reader)
    }

    fn refuse(&self, what: impl Into<String>, remedy: impl Into<String>) -> HistoryError {
        HistoryError::line(&self.path, self.line(), what, remedy)
    }
}

/// How rows of CSV are read: a carriage return before a line's end is trimmed off the last field.
pub(super) fn rows_of() -> ReaderBuilder {
    let mut rows = ReaderBuilder::new();
    rows.has_headers(false).flexible(true).terminator(Terminator::Any(b'\n'));
    rows
}

/// Reads the next row that is not blank; false at the end.
pub(super) fn next_row<R: Read>(reader: &mut Reader<R>, row: &mut ByteRecord) -> std::io::Result<bool> {
    let is_blank = |row: &ByteRecord| row.len() == 1 && row[0].trim_ascii().is_empty();
    loop {
        // Of bytes, however many to a row, only reading them can fail.
        let is_row = reader.read_byte_record(row)?;
        if !is_row || !is_blank(row) {
            return Ok(is_row);
        }
    }
}

/// The line on which the latest row stands. The row itself only knows where the one before it ended.
pub(super) fn line_of<R: Read>(reader: &Reader<R>) -> u64 {
    // Without a line's end behind the last row the reader is still on its line.
    reader.position().line().saturating_sub(u64::from(!reader.is_done())).max(1)
}

/// A whole number without a sign.
fn digits(field: &[u8]) -> Option<u32> {
    if field.is_empty() {
        return None;
    }
    field.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// A field in an error: quoted, and not at any length.
pub(super) fn shown(field: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(field);
    let cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
