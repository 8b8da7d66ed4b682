//! Items as values of the checkpoint topic: framed, packed, and cut into chunks that any broker takes.
//!
//! A value is the number of chunks of its item (2 bytes, little endian) and the chunk; the chunks of an item, one after the
//! other, are a [frame](crate::checkpoint::frame) around a packed part.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::FormatError;
use crate::checkpoint::format::{pack, unpack};
use crate::checkpoint::frame::Frame;

/// Most bytes of a value; brokers take a megabyte by default.
pub(super) const MOST_BYTES: usize = 900_000;
const COUNT_BYTES: usize = 2;

/// Version 1 knew another detector, counted no severe messages, and had no alert events; all else is the same.
const FRAME: Frame = Frame { magic: b"LATIDOST", oldest: 1, newest: 2 };

/// Cuts an item, encoded already, into the values of its chunks.
///
/// # Errors
/// If it is larger than 58 GB.
pub(super) fn cut(packed: &[u8]) -> Result<Vec<Vec<u8>>, FormatError> {
    let framed = FRAME.close(packed);
    let chunks = framed.chunks(MOST_BYTES - COUNT_BYTES);
    let count = u16::try_from(chunks.len()).map_err(|_| FormatError::ManifestTooLarge(framed.len()))?;
    Ok(chunks.map(|chunk| [&count.to_le_bytes(), chunk].concat()).collect())
}

/// Puts an item together from the values of its chunks, by number; tells its version too.
///
/// # Errors
/// If a chunk is missing or damaged.
pub(super) fn join<'a>(chunk: impl Fn(u16) -> Option<&'a [u8]>) -> Result<(u32, Vec<u8>), FormatError> {
    let (count, _) = chunk(0).and_then(<[u8]>::split_first_chunk).ok_or(FormatError::Parts)?;
    let mut framed = Vec::new();
    for number in 0..u16::from_le_bytes(*count) {
        let (_, bytes) = chunk(number).and_then(<[u8]>::split_first_chunk::<COUNT_BYTES>).ok_or(FormatError::Parts)?;
        framed.extend_from_slice(bytes);
    }
    let (version, packed) = FRAME.open(&framed)?;
    Ok((version, packed.to_vec()))
}

/// Encodes a part and cuts it.
///
/// # Errors
/// If it cannot be encoded.
pub(super) fn encode(part: &impl Serialize) -> Result<Vec<Vec<u8>>, FormatError> {
    cut(&pack(part)?)
}

/// The part in the values of its chunks.
///
/// # Errors
/// If a chunk is missing or damaged, or it is no such part.
pub(super) fn decode<'a, Part: DeserializeOwned>(chunk: impl Fn(u16) -> Option<&'a [u8]>) -> Result<Part, FormatError> {
    unpack(&join(chunk)?.1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn of<'a>(values: &'a [Vec<u8>]) -> impl Fn(u16) -> Option<&'a [u8]> {
        |number| values.get(usize::from(number)).map(Vec::as_slice)
    }

    #[test]
    fn an_item_of_any_size_is_put_together_as_it_was_and_no_value_is_too_large() {
        for size in [0, 1, MOST_BYTES - 26, MOST_BYTES - 25, 3 * MOST_BYTES] {
            let bytes: Vec<u8> = (0..size).map(|place| u8::try_from(place % 251).unwrap()).collect();
            let values = cut(&bytes).unwrap();
            assert!(values.iter().all(|value| value.len() <= MOST_BYTES), "{size}");
            assert_eq!(join(of(&values)).unwrap().1, bytes);
        }
    }

    #[test]
    fn chunks_of_a_longer_item_before_it_do_no_harm() {
        let long = cut(&vec![7; 2 * MOST_BYTES]).unwrap();
        let mut values = cut(&[1, 2, 3]).unwrap();
        values.extend_from_slice(&long[1..]);
        assert_eq!(join(of(&values)).unwrap().1, [1, 2, 3]);
    }

    #[test]
    fn a_missing_or_damaged_chunk_is_an_error() {
        let mut values = cut(&vec![7; 2 * MOST_BYTES]).unwrap();
        assert!(join(of(&values[..2])).is_err());
        assert!(join(of(&[])).is_err());
        values[1][100] ^= 1;
        assert!(matches!(join(of(&values)), Err(FormatError::Checksum { .. })));
    }
}
