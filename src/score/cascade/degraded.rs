//! Whether the slow model's answers come.

use std::time::Duration;

/// Seconds that are looked at.
const SPAN: u64 = 60;
const BUCKETS: usize = SPAN as usize;

/// Of fewer texts nothing is said.
const ENOUGH: u64 = 20;

/// One in so many may fall back.
const ONE_IN: u64 = 20;

/// Texts of the last 60 seconds that the slow model was asked for, and of how many of them the embedded score had to stand.
///
/// `now` is monotonic, since any start; whole seconds count. What comes late counts in its own second, and no moment is asked about that
/// lies before the newest one noted.
///
/// ```
/// use std::time::Duration;
/// use latido::score::cascade::Degraded;
///
/// let mut degraded = Degraded::default();
/// degraded.note(Duration::from_secs(1), 100, 6);
/// assert!(degraded.is_degraded(Duration::from_secs(60)));
/// assert!(!degraded.is_degraded(Duration::from_secs(61)));
/// ```
#[derive(Clone, Debug)]
pub struct Degraded {
    /// By second, modulo [`SPAN`].
    buckets: [Bucket; BUCKETS],
    newest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    second: u64,
    asked: u64,
    fell_back: u64,
}

impl Default for Degraded {
    fn default() -> Self {
        Self { buckets: [Bucket::default(); BUCKETS], newest: 0 }
    }
}

impl Degraded {
    /// Takes so many texts that were asked for, of which so many fell back; no more than were asked for.
    pub fn note(&mut self, now: Duration, asked: u32, fell_back: u32) {
        let second = now.as_secs();
        self.newest = self.newest.max(second);
        let place = usize::try_from(second % SPAN).unwrap_or_default();
        let bucket = &mut self.buckets[place];
        if second < bucket.second {
            return;
        }
        if second > bucket.second {
            *bucket = Bucket { second, ..Bucket::default() };
        }
        bucket.asked += u64::from(asked);
        bucket.fell_back += u64::from(fell_back.min(asked));
    }

    /// Whether more than one in 20 fell back, of at least 20.
    #[must_use]
    pub fn is_degraded(&self, now: Duration) -> bool {
        let (asked, fell_back) = self.sums(now);
        asked >= ENOUGH && fell_back * ONE_IN > asked
    }

    /// What part fell back, 0 to 1; none where nothing was asked for.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute are exact in f64")]
    pub fn share(&self, now: Duration) -> Option<f64> {
        let (asked, fell_back) = self.sums(now);
        (asked > 0).then(|| fell_back as f64 / asked as f64)
    }

    fn sums(&self, now: Duration) -> (u64, u64) {
        let now = now.as_secs().max(self.newest);
        let lately = self.buckets.iter().filter(|bucket| now - bucket.second < SPAN);
        lately.fold((0, 0), |(asked, fell_back), bucket| (asked + bucket.asked, fell_back + bucket.fell_back))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn one_in_twenty_may_fall_back_and_no_more() {
        let mut degraded = Degraded::default();
        degraded.note(secs(5), 100, 5);
        assert!(!degraded.is_degraded(secs(5)));
        degraded.note(secs(6), 0, 0);
        degraded.note(secs(7), 1, 1);
        assert!(degraded.is_degraded(secs(7)));
    }

    #[test]
    fn of_fewer_than_twenty_texts_nothing_is_said() {
        let mut degraded = Degraded::default();
        degraded.note(secs(5), 19, 19);
        assert!(!degraded.is_degraded(secs(5)));
        assert_eq!(degraded.share(secs(5)), Some(1.0));
        degraded.note(secs(6), 1, 0);
        assert!(degraded.is_degraded(secs(6)));
    }

    #[test]
    fn where_nothing_was_asked_for_there_is_no_share() {
        let degraded = Degraded::default();
        assert_eq!(degraded.share(Duration::ZERO), None);
        assert!(!degraded.is_degraded(Duration::MAX));
    }

    #[test]
    fn it_is_over_a_minute_after_the_last_that_fell_back() {
        let mut degraded = Degraded::default();
        degraded.note(secs(100), 50, 50);
        assert!(degraded.is_degraded(secs(159)));
        assert_eq!(degraded.share(secs(160)), None);
    }

    #[test]
    fn it_is_over_sooner_where_answers_come_again() {
        let mut degraded = Degraded::default();
        degraded.note(secs(100), 50, 50);
        degraded.note(secs(110), 950, 0);
        assert!(!degraded.is_degraded(secs(110)));
    }

    #[test]
    fn no_more_fall_back_than_were_asked_for() {
        let mut degraded = Degraded::default();
        degraded.note(secs(1), 10, 99);
        assert_eq!(degraded.share(secs(1)), Some(1.0));
    }

    #[derive(Clone, Copy, Debug)]
    struct Note {
        now: Duration,
        asked: u32,
        fell_back: u32,
    }

    /// Notes in some order: on, back a little, and at times far on.
    fn notes() -> impl Strategy<Value = Vec<Note>> {
        let step = prop_oneof![8 => -5_000_i64..10_000, 1 => -200_000_i64..200_000];
        prop::collection::vec((step, 0_u32..40, 0_u32..40), 1..80).prop_map(|steps| {
            let mut now = 0_u64;
            let note = |(step, asked, fell_back)| {
                now = now.saturating_add_signed(step);
                Note { now: Duration::from_millis(now), asked, fell_back }
            };
            steps.into_iter().map(note).collect()
        })
    }

    proptest! {
        #[test]
        fn it_says_what_a_list_of_all_notes_says(notes in notes(), later in 0_u64..90) {
            let mut degraded = Degraded::default();
            for (place, note) in notes.iter().enumerate() {
                degraded.note(note.now, note.asked, note.fell_back);
                let newest = notes[..=place].iter().map(|note| note.now.as_secs()).max().unwrap();
                for now in [newest, newest + later] {
                    let lately = notes[..=place].iter().filter(|note| note.now.as_secs() + 60 > now);
                    let (asked, fell_back) = lately.fold((0, 0), |(asked, fell_back), note| {
                        (asked + note.asked, fell_back + note.fell_back.min(note.asked))
                    });
                    let share = (asked > 0).then(|| f64::from(fell_back) / f64::from(asked));
                    prop_assert_eq!(degraded.share(secs(now)), share);
                    let is_degraded = asked >= 20 && share.is_some_and(|share| share > 0.05);
                    prop_assert_eq!(degraded.is_degraded(secs(now)), is_degraded);
                }
            }
        }
    }
}
