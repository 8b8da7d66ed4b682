//! Hashes of words and characters. They are part of the model file's format: a change here needs a new format version.

/// What the hash of a word begins with.
pub(super) const WORD_SEED: u64 = 0x1f83_d9ab_fb41_bd6b;

/// The hash of a token's folded form.
pub(super) fn word_hash(folded: &[char]) -> u64 {
    hash_of(WORD_SEED, folded)
}

pub(super) fn hash_of(seed: u64, characters: &[char]) -> u64 {
    characters.iter().fold(seed, |hash, &character| step(hash, character))
}

/// The hash of one character more.
#[inline]
pub(super) fn step(hash: u64, character: char) -> u64 {
    join(hash, u64::from(u32::from(character)))
}

/// One round of a multiplicative hash: the high bits are the good ones.
#[inline]
pub(super) fn join(hash: u64, part: u64) -> u64 {
    (hash.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
