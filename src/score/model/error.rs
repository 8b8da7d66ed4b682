//! Why a model file is refused.

use super::file::VERSION;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("cannot read model file {path}: {source}; check that it exists and may be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a model of ours.
    #[error(
        "{path} is not a Latido model file (it does not start with its mark); name a file that `latido train` made"
    )]
    Foreign {
        /// Which file.
        path: String,
    },
    /// The file comes from another release.
    #[error(
        "{path} has model format {found}, this release reads {VERSION}; train it again with this release, or use the release that made it"
    )]
    Version {
        /// Which file.
        path: String,
        /// The version in the file.
        found: u32,
    },
    /// The file is shorter or longer than it says.
    #[error(
        "{path} holds {found} bytes where its header says {expected}: it was cut off or appended to; copy it again"
    )]
    Length {
        /// Which file.
        path: String,
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The bytes have changed.
    #[error("{path} is damaged: checksum {found:08x}, expected {expected:08x}; copy it again or train it again")]
    Checksum {
        /// Which file.
        path: String,
        /// Checksum in the file.
        expected: u32,
        /// Checksum of the bytes.
        found: u32,
    },
    /// The bytes are as written, but make no sense.
    #[error("{path} cannot be used as a model: {reason}; train it again")]
    Content {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}
