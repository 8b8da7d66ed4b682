//! A scorer that takes its time.

use std::thread;
use std::time::Duration;

use crate::message::Score;
use crate::score::{Scorer, Text};

/// A scorer that waits after each batch.
pub(super) struct Slow {
    scorer: Box<dyn Scorer>,
    each_text: Duration,
    each_batch: Duration,
}

impl Slow {
    /// Crawls: 100 texts a second.
    pub(super) fn crawling(scorer: Box<dyn Scorer>) -> Self {
        Self { scorer, each_text: Duration::from_millis(10), each_batch: Duration::ZERO }
    }

    /// Has every batch in hand for a while, so that at any moment some records are read and not folded.
    pub(super) fn lingering(scorer: Box<dyn Scorer>) -> Self {
        Self { scorer, each_text: Duration::ZERO, each_batch: Duration::from_millis(200) }
    }
}

impl Scorer for Slow {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        self.scorer.score(texts, scores);
        let of_texts = self.each_text.saturating_mul(u32::try_from(texts.len()).unwrap_or(u32::MAX));
        thread::sleep(of_texts + self.each_batch);
    }
}
