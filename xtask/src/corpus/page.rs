//! The counts and the agreement as Markdown: what the step prints, and a section of the corpus's README.

use anyhow::{Context as _, Result};

use super::agreement::Agreement;
use super::counts::count;
use super::row::{Placed, Row};
use super::sets::{Author, Channel, Language, Region, Sector, Sentiment, Signal, Split};

const BEGIN: &str = "<!-- counts: written by `cargo xtask corpus --write` -->\n";
const END: &str = "<!-- end of counts -->\n";

/// The page with this section between its marks.
pub(crate) fn with_section(page: &str, section: &str) -> Result<String> {
    let marks = || format!("the page lacks the lines `{}` and `{}`, in this order", BEGIN.trim(), END.trim());
    let (before, rest) = page.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    Ok(format!("{before}{}{after}", marked(section)))
}

/// A section between its marks.
pub(crate) fn marked(section: &str) -> String {
    format!("{BEGIN}\n{section}\n{END}")
}

/// All tables.
pub(crate) fn section(rows: &[Placed<Row>], twice: usize, agreements: &[Agreement]) -> String {
    [
        languages(rows),
        kinds(rows, "channel", Channel::ALL, |row| row.channel, |channel| channel.name()),
        kinds(rows, "sector", Sector::ALL, |row| row.sector, |sector| sector.name()),
        kinds(rows, "region", Region::ALL, |row| row.region, |region| region.name()),
        signals(rows),
        agreement_table(twice, agreements),
    ]
    .join("\n")
}

fn languages(rows: &[Placed<Row>]) -> String {
    let mut columns = vec!["language", "rows"];
    columns.extend(Split::ALL.iter().map(|split| split.name()));
    columns.extend(Author::ALL.iter().map(|author| author.name()));
    columns.extend(label_columns());
    let mut table = Table::new(&columns);
    for language in Language::ALL {
        table.row(language.name(), language_cells(rows, |row| row.language == *language));
    }
    table.row("all", language_cells(rows, |_| true));
    table.text
}

fn language_cells(rows: &[Placed<Row>], kind: impl Fn(&Row) -> bool) -> Vec<usize> {
    let mut cells = vec![count(rows, &kind)];
    cells.extend(Split::ALL.iter().map(|split| count(rows, |row| kind(row) && row.split == *split)));
    cells.extend(Author::ALL.iter().map(|author| count(rows, |row| kind(row) && row.author == *author)));
    cells.extend(label_cells(rows, &kind));
    cells
}

fn label_columns() -> impl Iterator<Item = &'static str> {
    Sentiment::ALL.iter().map(|sentiment| sentiment.name()).chain(["frustrated"])
}

fn label_cells(rows: &[Placed<Row>], kind: impl Fn(&Row) -> bool) -> Vec<usize> {
    let of = |sentiment| count(rows, |row| kind(row) && row.sentiment == Some(sentiment));
    let mut cells: Vec<_> = Sentiment::ALL.iter().map(|sentiment| of(*sentiment)).collect();
    cells.push(count(rows, |row| kind(row) && row.frustrated == Some(true)));
    cells
}

/// One line for each value of a field.
fn kinds<T: Copy + PartialEq>(
    rows: &[Placed<Row>],
    field: &'static str,
    all: &[T],
    of: impl Fn(&Row) -> T,
    name: impl Fn(T) -> &'static str,
) -> String {
    let mut columns = vec![field, "rows"];
    columns.extend(label_columns());
    let mut table = Table::new(&columns);
    for value in all {
        let mut cells = vec![count(rows, |row| of(row) == *value)];
        cells.extend(label_cells(rows, |row| of(row) == *value));
        table.row(name(*value), cells);
    }
    table.text
}

fn signals(rows: &[Placed<Row>]) -> String {
    let mut columns = vec!["signal", "rows"];
    columns.extend(Language::SUPPORTED.iter().map(|language| language.name()));
    columns.push("others");
    let mut table = Table::new(&columns);
    for signal in Signal::ALL {
        let shows = |row: &Row| row.signals.as_ref().is_some_and(|signals| signals.contains(signal));
        let mut cells = vec![count(rows, shows)];
        let of = |language: &Language| count(rows, |row| row.language == *language && shows(row));
        cells.extend(Language::SUPPORTED.iter().map(of));
        cells.push(cells[0] - cells[1..].iter().sum::<usize>());
        table.row(signal.name(), cells);
    }
    table.text
}

fn agreement_table(twice: usize, agreements: &[Agreement]) -> String {
    let mut table = Table::new(&["second labelling", "marked rows", "same answer", "kappa", "95 % interval"]);
    for Agreement { question, marked, equal, kappa, low, high } in agreements {
        let of = if marked == &twice { twice.to_string() } else { format!("{marked} of {twice}") };
        let share = format!("{:.1} %", equal * 100.0);
        table.row(question, [of, share, format!("{kappa:.2}"), format!("{low:.2} to {high:.2}")]);
    }
    table.text
}

/// A table of Markdown.
struct Table {
    text: String,
}

impl Table {
    fn new(columns: &[&str]) -> Self {
        let rule = "---:|".repeat(columns.len() - 1);
        Self { text: format!("| {} |\n|---|{rule}\n", columns.join(" | ")) }
    }

    fn row(&mut self, name: &str, cells: impl IntoIterator<Item = impl ToString>) {
        let cells: Vec<_> = cells.into_iter().map(|cell| cell.to_string()).collect();
        self.text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::fixture::{placed, row};

    #[test]
    fn a_refreshed_page_keeps_what_is_around_the_marks_and_stays_as_it_is() {
        let page = format!("# Title\n{BEGIN}old\n{END}## More\n");
        let fresh = with_section(&page, "| new |\n").unwrap();
        assert_eq!(fresh, format!("# Title\n{BEGIN}\n| new |\n\n{END}## More\n"));
        assert_eq!(with_section(&fresh, "| new |\n").unwrap(), fresh);
    }

    #[test]
    fn a_page_without_the_marks_is_an_error_that_names_them() {
        let error = with_section("# Title\n", "").unwrap_err().to_string();
        assert!(error.contains("cargo xtask corpus --write"), "{error}");
    }

    #[test]
    fn a_row_is_counted_under_each_of_its_kinds() {
        let late = Row {
            sentiment: Some(Sentiment::Negative),
            frustrated: Some(true),
            signals: Some(vec![Signal::Waiting]),
            ..row("sigo esperando")
        };
        let agent = Row { author: Author::Agent, sentiment: None, frustrated: None, signals: None, ..row("buenas") };
        let section = section(&placed([late, agent]), 0, &[]);
        for line in [
            "| es | 2 | 2 | 0 | 0 | 1 | 1 | 0 | 1 | 0 | 0 | 1 |",
            "| all | 2 | 2 | 0 | 0 | 1 | 1 | 0 | 1 | 0 | 0 | 1 |",
            "| tweet | 2 | 1 | 0 | 0 | 1 |",
            "| waiting | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |",
        ] {
            assert!(section.contains(line), "{line} is not in\n{section}");
        }
    }
}
