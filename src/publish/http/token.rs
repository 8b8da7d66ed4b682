//! The bearer token that guards the API.

use std::fmt;
use std::fs;
use std::path::Path;

use subtle::ConstantTimeEq;

use super::HttpError;
use crate::config::HttpConfig;

/// Fewer characters than this can be guessed.
const LEAST_CHARACTERS: usize = 16;

/// A secret that requests show as `Authorization: Bearer <token>`. It never prints itself.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a token: one line of at least 16 visible ASCII characters; white space around it does not count.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let token = text.trim();
        let usable = token.len() >= LEAST_CHARACTERS && token.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then(|| Self(token.to_owned()))
    }

    /// The token of a config; none where no file is named.
    ///
    /// # Errors
    /// If the file cannot be read or does not hold a token.
    pub fn of(config: &HttpConfig) -> Result<Option<Self>, HttpError> {
        config.token_file.as_deref().map(Self::read).transpose()
    }

    fn read(path: &Path) -> Result<Self, HttpError> {
        let text = fs::read_to_string(path).map_err(|source| HttpError::TokenFile { path: path.to_owned(), source })?;
        Self::new(&text).ok_or_else(|| HttpError::BadToken { path: path.to_owned(), least: LEAST_CHARACTERS })
    }

    /// What a request shows in its `Authorization` header.
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether an `Authorization` header shows this token. Takes the same time wherever the two differ.
    pub(super) fn is_shown_by(&self, authorization: &[u8]) -> bool {
        let Some((scheme, shown)) = authorization.split_at_checked("Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(shown.trim_ascii().ct_eq(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(redacted)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn only_the_very_token_is_accepted() {
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        for shown in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER  0123456789abcdef "] {
            assert!(token.is_shown_by(shown.as_bytes()), "{shown}");
        }
        let others = ["", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef", "Bearer 0123456789abcdeF"];
        for shown in others {
            assert!(!token.is_shown_by(shown.as_bytes()), "{shown}");
        }
        assert!(!token.is_shown_by(b"Bearer 0123456789abcdef0"));
        assert!(!token.is_shown_by(b"Bearer \xff\xfe"));
    }

    #[test]
    fn a_token_that_could_be_guessed_or_not_be_sent_is_refused() {
        for text in ["", "   ", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcd\u{e9}f"] {
            assert!(Token::new(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_token_never_prints_itself() {
        assert!(!format!("{:?}", Token::new(SECRET).unwrap()).contains(SECRET));
    }

    #[test]
    fn a_token_file_that_cannot_serve_is_named_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let config = HttpConfig { token_file: Some(path.clone()), ..HttpConfig::default() };
        let missing = Token::of(&config).unwrap_err().to_string();
        assert!(missing.contains("http.token_file") && missing.contains(path.to_str().unwrap()), "{missing}");
        fs::write(&path, "\n").unwrap();
        let empty = Token::of(&config).unwrap_err().to_string();
        assert!(empty.contains("at least 16 visible ASCII characters"), "{empty}");
        fs::write(&path, SECRET).unwrap();
        assert!(Token::of(&config).unwrap().unwrap().is_shown_by(b"Bearer 0123456789abcdef"));
        assert!(Token::of(&HttpConfig::default()).unwrap().is_none());
    }
}
