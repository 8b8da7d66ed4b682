//! A scorer that crawls.

use std::thread;
use std::time::Duration;

use crate::message::Score;
use crate::score::{Scorer, Text};

/// What it takes for a text: 100 a second.
const EACH_TEXT: Duration = Duration::from_millis(10);

/// A scorer that takes its time.
pub(super) struct Slow(pub(super) Box<dyn Scorer>);

impl Scorer for Slow {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        self.0.score(texts, scores);
        thread::sleep(EACH_TEXT.saturating_mul(u32::try_from(texts.len()).unwrap_or(u32::MAX)));
    }
}
