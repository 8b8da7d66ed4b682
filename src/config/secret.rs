//! Values that nobody may read in a log, a print or an error.

use std::fmt;

/// What is shown in a secret's place.
pub const REDACTED: &str = "***";

/// A secret: its `Debug` shows [`REDACTED`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one who must hand it on.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

/// Parts of a librdkafka property's name that make its value a secret.
/// Short, so that a misspelt `password` is one too.
const SECRET_PARTS: [&str; 9] =
    ["pass", "pasw", "pwd", "secret", "token", ".pem", "jaas", "credential", "oauthbearer.config"];

/// Endings of names that mention a secret but hold something that may be shown: where it lies, how it is got, tokens of
/// another kind.
const OPEN_ENDINGS: [&str; 7] = ["_file", ".file", ".location", ".url", ".ms", ".method", "_batch_tokens"];

/// Whether the value of the librdkafka property of that name must not be shown.
#[must_use]
pub fn is_secret(property: &str) -> bool {
    let name = property.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part)) && !OPEN_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
