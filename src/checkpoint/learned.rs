//! What a detector learned of departments, in a file of its own: a [frame](super::frame) that begins with `LATIDOBL` around a
//! packed [`DetectorState`]. Its version is that of checkpoints: they hold the same.

use std::path::Path;

use super::format::{pack, unpack};
use super::frame::Frame;
use super::sound;
use super::{FORMAT_VERSION, FormatError};
use crate::detect::DetectorState;
use crate::publish::events::Outbox;

const FRAME: Frame = Frame { magic: b"LATIDOBL", oldest: FORMAT_VERSION, newest: FORMAT_VERSION };

/// Why a file of learned baselines cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Another kind of file.
    #[error("it does not begin with LATIDOBL: it holds no baselines of latido")]
    Foreign,
    /// It is not what it should be.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// What was learned, as bytes.
///
/// # Errors
/// If it cannot be encoded or compressed.
pub fn encode_learned(state: &DetectorState) -> Result<Vec<u8>, FormatError> {
    Ok(FRAME.close(&pack(state)?))
}

/// Reads what was learned.
///
/// # Errors
/// If the file cannot be read, or is of another kind or version, cut short or damaged.
pub fn read_learned(path: &Path) -> Result<DetectorState, LearnedError> {
    let bytes = std::fs::read(path)?;
    if !bytes.starts_with(FRAME.magic) {
        return Err(LearnedError::Foreign);
    }
    let (_, body) = FRAME.open(&bytes)?;
    let state = unpack(body)?;
    sound::detected(&state, &[], &Outbox::default())?;
    Ok(state)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_damage_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("learned");
        let bytes = encode_learned(&DetectorState::default()).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_learned(&path).unwrap(), DetectorState::default());

        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert!(read_learned(&path).unwrap_err().to_string().contains("damaged"));
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(read_learned(&path).unwrap_err().to_string().contains("cut short"));
        std::fs::write(&path, b"LATIDOCP and more").unwrap();
        assert!(matches!(read_learned(&path), Err(LearnedError::Foreign)));
    }
}
