//! Customers as keyed hashes: the only form in which they are kept (INV-8).

use std::fmt;
use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher13 as SipHasher128};

/// A customer, as a hash that only who has the key can make. Two of a million customers share one with a chance of 1 in 4,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerHash(pub u32);

/// What customers are hashed with. It never prints itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// From random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From a secret that others share.
    #[must_use]
    pub fn of_secret(secret: &str) -> Self {
        let mut hasher = SipHasher128::new();
        hasher.write(secret.as_bytes());
        Self(hasher.finish128().as_bytes())
    }

    /// The bytes, for whoever keeps them.
    #[must_use]
    pub const fn expose(&self) -> [u8; 16] {
        self.0
    }

    /// The hash of a customer's id.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "half of the bits are enough to tell customers apart")]
    pub fn hash(&self, customer: &str) -> CustomerHash {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(customer.as_bytes());
        CustomerHash(hasher.finish() as u32)
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_key_and_a_key_shows_nothing() {
        let (one, other) = (HashKey::of_secret("one secret of some length"), HashKey::of_secret("another secret"));
        assert_eq!(one.hash("c-17"), HashKey::new(one.expose()).hash("c-17"));
        assert_ne!(one.hash("c-17"), other.hash("c-17"));
        assert_ne!(one.hash("c-17"), one.hash("c-18"));
        assert_eq!(format!("{one:?}"), "HashKey(redacted)");
    }
}
