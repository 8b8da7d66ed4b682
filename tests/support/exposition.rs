//! Reads the Prometheus text format: enough of it to add samples up.

use std::collections::BTreeMap;

/// One line of an exposition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The metric's name, suffixes such as `_bucket` included.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its value.
    pub(crate) value: f64,
}

impl Sample {
    fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(label, wanted)| self.labels.get(*label).is_some_and(|value| value == wanted))
    }
}

/// What one scrape returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Reads a scrape.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(|line| parse_line(line).unwrap_or_else(|| panic!("not a sample: {line}"))).collect())
    }

    /// The samples of that name with at least those labels.
    pub(crate) fn of<'a>(&'a self, name: &'a str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name && sample.has(labels))
    }

    /// Their sum; 0 where there are none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.of(name, labels).map(|sample| sample.value).sum()
    }

    /// Their sum as a count.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters are whole and small here")]
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.sum(name, labels) as u64
    }

    /// The one sample of that name with at least those labels, if there is one.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.of(name, labels).next().map(|sample| sample.value)
    }
}

fn parse_line(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => parse_labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// Reads `a="1",b="2"} rest`.
fn parse_labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (label, rest) = text.split_once("=\"")?;
        let (value, rest) = parse_quoted(rest)?;
        labels.insert(label.to_owned(), value);
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// Reads up to the closing quote.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[test]
fn labels_values_and_escapes_are_read() {
    let text = "# HELP a b\na_total{x=\"1\",y=\"say \\\"hi\\\"\"} 3\na_total{x=\"2\"} 4.5\nup 1\n";
    let samples = Samples::parse(text);
    assert_eq!(samples.sum("a_total", &[]), 7.5);
    assert_eq!(samples.count("a_total", &[("y", "say \"hi\"")]), 3);
    assert_eq!(samples.value("up", &[]), Some(1.0));
    assert_eq!(samples.value("absent", &[]), None);
}
