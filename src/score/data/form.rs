//! The forms that a file of labelled texts may have.

use std::path::Path;

use super::fields::Asked;
use super::tsv::Columns;
use super::{Row, json, lists};

/// How the rows of a file are written.
pub(super) enum Form {
    Json,
    Tsv(Columns),
    WordList,
    EmojiCounts,
}

impl Form {
    /// The form that a file's name tells, where it does.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
        [".jsonl", ".ndjson", ".json"].iter().any(|ending| plain.ends_with(ending)).then_some(Self::Json)
    }

    /// The form of a file by its first line, and whether that line is itself a row.
    /// `labels`: whether rows must have some.
    pub(super) fn of_first_line(line: &str, labels: bool) -> Result<(Self, bool), String> {
        if line.starts_with("Emoji,") {
            return Ok((Self::EmojiCounts, false));
        }
        let mut cells = line.split('\t');
        if let (Some(_), Some(Ok(_))) = (cells.next(), cells.next().map(str::parse::<f32>)) {
            return Ok((Self::WordList, true));
        }
        Columns::of(line, labels).map(|columns| (Self::Tsv(columns), false))
    }

    /// The row of a line; none where it is not asked for.
    pub(super) fn row(&self, line: &str, asked: &Asked<'_>) -> Result<Option<Row>, String> {
        match self {
            Self::Json => json::row(line, asked),
            Self::Tsv(columns) => columns.row(line, asked),
            Self::WordList => lists::word(line, asked.language).map(Some),
            Self::EmojiCounts => lists::emoji(line).map(Some),
        }
    }
}
