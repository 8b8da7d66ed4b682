//! What follows from `[alerts]`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::AlertsConfig;

/// What a segment of a URI's path cannot hold as it is (RFC 3986).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl AlertsConfig {
    /// The `source` of the events of that consumer group.
    #[must_use]
    pub fn source_of(&self, group: &str) -> String {
        self.source.clone().unwrap_or_else(|| format!("/latido/{}", utf8_percent_encode(group, RESERVED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_the_configured_one_or_a_uri_reference_made_of_the_group() {
        let config = AlertsConfig::default();
        assert_eq!(config.source_of("latido"), "/latido/latido");
        assert_eq!(config.source_of("team a/latido"), "/latido/team%20a%2Flatido");
        let config = AlertsConfig { source: Some("https://example.com/a".to_owned()), ..config };
        assert_eq!(config.source_of("latido"), "https://example.com/a");
    }
}
