//! What the slow model does beside the embedded scorer, as the thread that asks it says.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::message::closed_set;
use crate::score::cascade::Worth;

closed_set! {
    /// Why a message keeps its embedded score though the slow model's was wanted.
    FallbackReason {
        /// Its answer would have come too late, or as many texts waited as may.
        Overload => "overload",
        /// Its answer was not there at the deadline.
        Deadline => "deadline",
        /// The model failed over this text.
        Failed => "failed",
        /// The model panicked over this text.
        Panicked => "panicked",
    }
}

/// Which lookups of remembered answers there are.
pub(super) const LOOKUPS: [&str; 2] = ["hit", "miss"];

/// Numbers of the slow model. One thread writes them, any may read them; each is right by itself.
#[derive(Debug)]
pub struct SecondStatus {
    threshold: AtomicU32,
    fallbacks: [AtomicU64; FallbackReason::ALL.len()],
    lookups: [AtomicU64; LOOKUPS.len()],
    is_degraded: AtomicBool,
    /// Bits of an `f64`; not-a-number while unknown.
    texts_per_second: AtomicU64,
    texts: AtomicUsize,
    texts_limit: usize,
    bytes: AtomicUsize,
    bytes_limit: usize,
}

impl SecondStatus {
    /// Of a model for which so many texts of so many tokens each may wait. The threshold is given, for it decides from the start.
    #[must_use]
    pub fn new(threshold: Worth, texts_limit: usize, longest_text: usize) -> Self {
        Self {
            threshold: AtomicU32::new(threshold.to_bits()),
            fallbacks: Default::default(),
            lookups: Default::default(),
            is_degraded: AtomicBool::new(false),
            texts_per_second: AtomicU64::new(f64::NAN.to_bits()),
            texts: AtomicUsize::new(0),
            texts_limit,
            bytes: AtomicUsize::new(0),
            bytes_limit: texts_limit.saturating_mul(longest_text).saturating_mul(size_of::<u32>()),
        }
    }

    /// The worth from which on texts are sent.
    #[must_use]
    pub fn threshold(&self) -> Worth {
        Worth::from_bits(self.threshold.load(Ordering::Relaxed))
    }

    /// Sets the worth from which on texts are sent.
    pub fn set_threshold(&self, threshold: Worth) {
        self.threshold.store(threshold.to_bits(), Ordering::Relaxed);
    }

    /// Messages that kept their embedded score for that reason.
    #[must_use]
    pub fn fallbacks(&self, reason: FallbackReason) -> u64 {
        self.fallbacks[reason as usize].load(Ordering::Relaxed)
    }

    /// Counts so many more.
    pub fn fall_back(&self, reason: FallbackReason, messages: u64) {
        self.fallbacks[reason as usize].fetch_add(messages, Ordering::Relaxed);
    }

    /// Texts whose answer was remembered, and whose was not.
    #[must_use]
    pub fn lookups(&self) -> [u64; LOOKUPS.len()] {
        [0, 1].map(|place: usize| self.lookups[place].load(Ordering::Relaxed))
    }

    /// Sets [`Self::lookups`].
    pub fn set_lookups(&self, lookups: [u64; LOOKUPS.len()]) {
        for (place, lookups) in self.lookups.iter().zip(lookups) {
            place.store(lookups, Ordering::Relaxed);
        }
    }

    /// Whether too many messages keep their embedded score, though the slow model's was wanted.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.is_degraded.load(Ordering::Relaxed)
    }

    /// Sets [`Self::is_degraded`].
    pub fn set_degraded(&self, is_degraded: bool) {
        self.is_degraded.store(is_degraded, Ordering::Relaxed);
    }

    /// How many texts the model manages in a second; none before it has run.
    #[must_use]
    pub fn texts_per_second(&self) -> Option<f64> {
        Some(f64::from_bits(self.texts_per_second.load(Ordering::Relaxed))).filter(|rate| !rate.is_nan())
    }

    /// Sets [`Self::texts_per_second`].
    pub fn set_texts_per_second(&self, rate: Option<f64>) {
        self.texts_per_second.store(rate.unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
    }

    /// Sets how many texts wait for an answer, and how many tokens they have.
    pub fn set_waiting(&self, texts: usize, tokens: usize) {
        self.texts.store(texts, Ordering::Relaxed);
        self.bytes.store(tokens.saturating_mul(size_of::<u32>()), Ordering::Relaxed);
    }

    /// The texts that wait for an answer, as a buffer.
    #[must_use]
    pub fn buffer(&self) -> super::Buffer {
        super::Buffer {
            name: "transformer",
            items: self.texts.load(Ordering::Relaxed),
            items_limit: self.texts_limit,
            bytes: self.bytes.load(Ordering::Relaxed),
            bytes_limit: self.bytes_limit,
        }
    }
}
