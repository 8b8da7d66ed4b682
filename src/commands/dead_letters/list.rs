//! `latido dead-letters list`: what could not be used, and why.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::{FilterArgs, count, open, printable};
use crate::config::Roster;
use crate::letters::{Catalogue, Cut, Row};

const EXAMPLES: &str = "\
Examples:
  latido dead-letters list --config latido.toml
  latido dead-letters list --reason not_json --reason not_utf8 --limit 20
  latido dead-letters list --since 2026-01-31T00:00:00Z --department billing
  latido dead-letters list --json | jq '.reasons'

Reads the topic from its beginning to the end it has at the start. No text is
shown. The note `replayed` stands at letters whose record was put back,
`repeated` at those of a record that another letter is of, `cut` at those that
were too large for the topic.

Exit codes: 0 fine, 1 failed, 78 wrong config.";

/// List letters, and count them by reason
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Print one JSON object: topic, letters, reasons (counts of all that match), and nothing else.
    #[arg(long)]
    json: bool,
}

/// A letter, as JSON.
#[derive(Debug, Serialize)]
struct JsonRow<'a> {
    partition: i32,
    offset: i64,
    reason: &'a str,
    error: &'a str,
    source_topic: &'a str,
    source_partition: i32,
    source_offset: i64,
    received_at: &'a str,
    /// Of the value; null where there is none.
    bytes: Option<usize>,
    /// Null where the JSON cannot be read.
    department: Option<&'a str>,
    truncated_from_bytes: Option<u64>,
    stub_of_bytes: Option<u64>,
    replayed: bool,
    repeated: bool,
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    topic: &'a str,
    letters: Vec<JsonRow<'a>>,
    reasons: BTreeMap<&'a str, u64>,
}

/// Runs the command.
pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let (config, reader) = open(&args.filter.config)?;
    let filter = args.filter.filter(&config)?;
    let catalogue = Catalogue::read(&reader, &filter)?;
    let shown = args.filter.limit.unwrap_or(usize::MAX).min(catalogue.rows.len());
    let (rows, reasons) = (&catalogue.rows[..shown], reasons(&catalogue.rows));
    let mut out = io::stdout().lock();
    if args.json {
        let roster = Roster::new(&config);
        let letters = rows.iter().map(|row| json_row(row, &roster)).collect();
        serde_json::to_writer(&mut out, &Listing { topic: reader.topic(), letters, reasons })?;
        writeln!(out)?;
        return Ok(());
    }
    write_table(rows, &mut out)?;
    write_counts(&reasons, catalogue.rows.len() - shown, reader.topic(), &mut out)?;
    Ok(())
}

/// How many letters there are of each reason.
pub(super) fn reasons(rows: &[Row]) -> BTreeMap<&str, u64> {
    let mut reasons = BTreeMap::new();
    for row in rows {
        *reasons.entry(row.reason.as_str()).or_default() += 1;
    }
    reasons
}

fn json_row<'a>(row: &'a Row, roster: &'a Roster) -> JsonRow<'a> {
    JsonRow {
        partition: row.place.partition,
        offset: row.place.offset,
        reason: &row.reason,
        error: &row.error,
        source_topic: &row.source.topic,
        source_partition: row.source.partition,
        source_offset: row.source.offset,
        received_at: &row.received_at,
        bytes: row.bytes,
        department: row.department.map(|id| roster.get(id).id.as_str()),
        truncated_from_bytes: if let Some(Cut::Truncated(bytes)) = row.cut { Some(bytes) } else { None },
        stub_of_bytes: if let Some(Cut::Stub(bytes)) = row.cut { Some(bytes) } else { None },
        replayed: row.replayed,
        repeated: row.repeated,
    }
}

fn write_table(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let header = ["LETTER", "REASON", "CAME FROM", "RECEIVED AT", "BYTES", "NOTE", "ERROR"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
    // The last column needs no width.
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    for line in &lines {
        for (width, cell) in widths.iter().zip(line) {
            write!(out, "{cell:<width$}  ")?;
        }
        writeln!(out, "{}", line[6])?;
    }
    writeln!(out)
}

fn cells(row: &Row) -> [String; 7] {
    let source = &row.source;
    let notes = [row.replayed.then_some("replayed"), row.repeated.then_some("repeated"), row.cut.map(|_| "cut")];
    [
        row.place.to_string(),
        printable(&row.reason),
        format!("{}/{}/{}", printable(&source.topic), source.partition, source.offset),
        printable(&row.received_at),
        row.bytes.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string()),
        notes.into_iter().flatten().collect::<Vec<_>>().join(","),
        printable(&row.error),
    ]
}

fn write_counts(reasons: &BTreeMap<&str, u64>, hidden: usize, topic: &str, out: &mut impl Write) -> io::Result<()> {
    let total = reasons.values().sum();
    if total == 0 {
        return writeln!(out, "no letters in {topic}");
    }
    let width = reasons.keys().map(|reason| reason.len()).max().unwrap_or_default();
    for (reason, number) in reasons {
        writeln!(out, "{:<width$}  {number}", printable(reason))?;
    }
    let hidden = if hidden > 0 { format!(", {hidden} of them not shown (--limit)") } else { String::new() };
    writeln!(out, "{} in {topic}{hidden}", count(total, "letter"))
}
