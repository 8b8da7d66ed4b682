//! Where a letter stands in the dead-letter topic.

use std::fmt;
use std::str::FromStr;

/// A letter's partition and offset; written `partition:offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The partition of the dead-letter topic.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place of a letter: write PARTITION:OFFSET, such as 0:1284, as `latido dead-letters list` shows it"
)]
pub struct BadPlace(String);

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let bad = || BadPlace(text.to_owned());
        let (partition, offset) = text.split_once(':').ok_or_else(bad)?;
        let place =
            Self { partition: partition.parse().map_err(|_| bad())?, offset: offset.parse().map_err(|_| bad())? };
        if place.partition < 0 || place.offset < 0 { Err(bad()) } else { Ok(place) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.partition, self.offset)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_what_it_writes() {
        let place = Place { partition: 3, offset: 1_284 };
        assert_eq!(place.to_string(), "3:1284");
        assert_eq!("3:1284".parse(), Ok(place));
    }

    #[test]
    fn what_is_no_place_is_answered_with_how_to_write_one() {
        for text in ["", "3", "3:", ":4", "a:b", "-1:4", "1:-4", "1:2:3", "1: 2"] {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("PARTITION:OFFSET"), "{error}");
        }
    }
}
