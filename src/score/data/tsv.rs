//! Tab-separated values with a header.

use std::borrow::Cow;

use super::Row;
use super::fields::{Asked, Fields, filled};

/// Where a TSV's header puts what we need.
pub(super) struct Columns {
    count: usize,
    text: usize,
    label: Option<usize>,
    frustrated: Option<usize>,
    signals: Option<usize>,
    language: Option<usize>,
    author: Option<usize>,
    split: Option<usize>,
    /// Channel, region, sector.
    origin: [Option<usize>; 3],
}

impl Columns {
    /// `labels`: whether one of the columns must be a label.
    pub(super) fn of(header: &str, labels: bool) -> Result<Self, String> {
        let names: Vec<&str> = header.split('\t').map(str::trim).collect();
        let find = |wanted: &str| names.iter().position(|name| *name == wanted);
        let text = find("text").ok_or("the header line names no column `text`; expected `text<TAB>label<TAB>extra`")?;
        let (label, frustrated) = (find("label").or_else(|| find("sentiment")), find("frustrated"));
        let signals = find("signals");
        if labels && label.is_none() && frustrated.is_none() && signals.is_none() {
            let columns = "`label`, `sentiment`, `frustrated`, `signals`";
            return Err(format!("the header line names none of the columns {columns}"));
        }
        let [language, author, split] = ["language", "author", "split"].map(find);
        let origin = ["channel", "region", "sector"].map(find);
        Ok(Self { count: names.len(), text, label, frustrated, signals, language, author, split, origin })
    }

    pub(super) fn row(&self, line: &str, asked: &Asked<'_>) -> Result<Option<Row>, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != self.count {
            return Err(format!(
                "{} columns, the header has {}; give every row as many tabs as the header has",
                cells.len(),
                self.count
            ));
        }
        let cell = |column: Option<usize>| column.map(|at| cells[at]);
        let [channel, region, sector] = self.origin.map(cell);
        let fields = Fields {
            text: cells[self.text],
            label: cell(self.label),
            frustrated: cell(self.frustrated).map(Cow::Borrowed),
            // An array may be empty, and says so; an empty cell says nothing.
            signals: cell(self.signals).and_then(filled).map(|names| names.split(',').collect()),
            language: cell(self.language),
            author: cell(self.author),
            split: cell(self.split),
            channel,
            region,
            sector,
        };
        fields.row(asked)
    }
}
