//! The phrases that the demo's customers, agents and bots write, and how a phrase becomes a text of its own:
//! slots are filled, and people greet, mistype, leave out accents, write in lower case and add an emoji.

mod en;
mod es;
mod vary;

pub(crate) use vary::{compose, reply};

use crate::demo::departments::COUNT;
use crate::message::Sentiment;

/// Phrases by the attitude they plainly show.
pub(crate) struct Tone {
    /// Unhappy, or kept from what they need.
    pub(crate) negative: &'static [&'static str],
    /// Questions and requests.
    pub(crate) neutral: &'static [&'static str],
    /// Thanks and praise.
    pub(crate) positive: &'static [&'static str],
}

impl Tone {
    /// The phrases of one attitude.
    pub(crate) const fn of(&self, sentiment: Sentiment) -> &'static [&'static str] {
        match sentiment {
            Sentiment::Negative => self.negative,
            Sentiment::Neutral => self.neutral,
            Sentiment::Positive => self.positive,
        }
    }
}

/// All phrases of one language.
pub(crate) struct Phrases {
    /// What a customer of any department may write.
    pub(crate) any: Tone,
    /// What only this department's customers write.
    pub(crate) departments: [Tone; COUNT],
    /// Greetings.
    openers: &'static [&'static str],
    /// Last sentences.
    closers: Tone,
    /// Replies of people.
    pub(crate) agent: &'static [&'static str],
    /// Replies of programs.
    pub(crate) bot: &'static [&'static str],
    cities: &'static [&'static str],
    products: &'static [&'static str],
    months: &'static [&'static str],
    plans: &'static [&'static str],
    agents: &'static [&'static str],
}

/// The languages that the demo speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// Spanish.
    Spanish,
    /// English.
    English,
}

impl Tongue {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Spanish, Self::English];

    /// Its phrases.
    pub(crate) const fn phrases(self) -> &'static Phrases {
        match self {
            Self::Spanish => &es::PHRASES,
            Self::English => &en::PHRASES,
        }
    }

    /// Its code in records.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Spanish => "es",
            Self::English => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn customers(tongue: Tongue, sentiment: Sentiment) -> Vec<&'static str> {
        let phrases = tongue.phrases();
        let of_departments = phrases.departments.iter().flat_map(|tone| tone.of(sentiment));
        phrases.any.of(sentiment).iter().chain(of_departments).copied().collect()
    }

    #[test]
    fn each_language_has_at_least_sixty_phrases_of_all_attitudes_and_none_twice() {
        for tongue in Tongue::ALL {
            let by_sentiment = Sentiment::ALL.iter().map(|sentiment| customers(tongue, *sentiment));
            let all: Vec<&str> = by_sentiment.inspect(|phrases| assert!(phrases.len() >= 20)).flatten().collect();
            assert!(all.len() >= 60, "{tongue:?} has {}", all.len());
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        }
    }
}
