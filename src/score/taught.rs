//! The texts that a model is taught: they say nothing of how sure it may be of others.

use rustc_hash::FxHashSet;

use super::data::DataSet;
use super::half::text_hash;

/// Texts of sets, alike to the byte. The short ones count too, unlike in [`crate::score::eval::Seen`]: a model is surest of those.
#[derive(Debug)]
pub struct Taught {
    hashes: FxHashSet<u64>,
}

impl Taught {
    /// All texts of these sets.
    #[must_use]
    pub fn of(sets: &[DataSet]) -> Self {
        let rows = sets.iter().flat_map(|set| set.rows.iter().chain(&set.unlabelled));
        Self { hashes: rows.map(|row| text_hash(&row.text)).collect() }
    }

    /// Leaves a set only the labelled rows of other texts; gives the lines of those it had.
    pub fn leave_out_of(&self, set: &mut DataSet) -> Vec<u64> {
        let is_taught = |text: &str| self.hashes.contains(&text_hash(text));
        set.rows.extract_if(.., |row| is_taught(&row.text)).map(|row| row.line).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::score::recipe::Recipe;

    fn set(content: &str) -> DataSet {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made.es.tsv");
        std::fs::write(&path, content).unwrap();
        crate::score::data::read(&path, &Recipe::default(), None).unwrap()
    }

    #[test]
    fn rows_of_taught_texts_are_left_out_and_named_by_their_lines() {
        let taught = Taught::of(&[set("text\tlabel\nhola\tneutral\n"), set("text\tlabel\nadiós\tneutral\nfin\t\n")]);
        let mut set = set("text\tlabel\nhola\tneutral\nHola\tneutral\n\nfin\tpositive\nadiós\t\n");
        assert_eq!(taught.leave_out_of(&mut set), [2, 5]);
        assert_eq!(set.rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["Hola"]);
        assert_eq!(taught.leave_out_of(&mut set), [0; 0]);
    }
}
