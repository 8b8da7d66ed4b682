//! How one phrase becomes many texts.

use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{Phrases, Tongue};
use crate::message::Sentiment;

/// A text made from a customer's phrase.
pub(crate) fn compose(rng: &mut impl Rng, tongue: Tongue, sentiment: Sentiment, phrase: &str) -> String {
    let phrases = tongue.phrases();
    let mut text = String::with_capacity(phrase.len() + 48);
    if rng.random_bool(0.25) {
        text.push_str(pick(rng, phrases.openers));
        text.push(' ');
    }
    fill(rng, phrases, phrase, &mut text);
    if rng.random_bool(0.25) {
        text.push(' ');
        text.push_str(pick(rng, phrases.closers.of(sentiment)));
    }
    let text = sloppy(rng, tongue, text);
    with_emoji(rng, sentiment, text)
}

/// A text made from an agent's or a bot's phrase: slots filled, nothing mistyped.
pub(crate) fn reply(rng: &mut impl Rng, tongue: Tongue, phrase: &str) -> String {
    let mut text = String::with_capacity(phrase.len() + 16);
    fill(rng, tongue.phrases(), phrase, &mut text);
    text
}

/// One of a list that is never empty.
fn pick<'a>(rng: &mut impl Rng, list: &[&'a str]) -> &'a str {
    list.choose(rng).copied().unwrap_or_default()
}

/// Appends a phrase with its `{slots}` filled.
fn fill(rng: &mut impl Rng, phrases: &Phrases, phrase: &str, text: &mut String) {
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((slot, tail)) = after.split_once('}') else { break };
        text.push_str(before);
        fill_slot(rng, phrases, slot, text);
        rest = tail;
    }
    text.push_str(rest);
}

/// Appends what a slot stands for; an unknown slot stands for its name.
fn fill_slot(rng: &mut impl Rng, phrases: &Phrases, slot: &str, text: &mut String) {
    let list = match slot {
        "city" => phrases.cities,
        "product" => phrases.products,
        "month" => phrases.months,
        "plan" => phrases.plans,
        "agent" => phrases.agents,
        _ => return fill_number(rng, slot, text),
    };
    text.push_str(pick(rng, list));
}

/// Appends what a slot of a number stands for.
fn fill_number(rng: &mut impl Rng, slot: &str, text: &mut String) {
    let (sign, number) = match slot {
        "order" => ("#", rng.random_range(10_000_u32..100_000)),
        "amount" => ("$", rng.random_range(1_u32..60) * 50),
        "days" => ("", rng.random_range(2..15)),
        "hours" => ("", rng.random_range(2..5)),
        "minutes" => ("", rng.random_range(3..30)),
        unknown => return text.push_str(unknown),
    };
    text.push_str(sign);
    text.push_str(&number.to_string());
}

/// What haste does to a text.
fn sloppy(rng: &mut impl Rng, tongue: Tongue, text: String) -> String {
    let mut text = text;
    if tongue == Tongue::Spanish && rng.random_bool(0.3) {
        text = without_accents(&text);
    }
    if rng.random_bool(0.25) {
        text = text.to_lowercase();
    }
    if rng.random_bool(0.2) {
        text.truncate(text.trim_end_matches(['.', '?', '!']).len());
    }
    if rng.random_bool(0.08) {
        text = mistyped(rng, &text);
    }
    text
}

/// Accents and inverted marks left out; ñ stays, as it has a key of its own.
fn without_accents(text: &str) -> String {
    let folded = |letter: char| -> char {
        if matches!(letter, 'ñ' | 'Ñ') {
            return letter;
        }
        let mut parts = std::iter::once(letter).nfd().filter(|part| !is_combining_mark(*part));
        parts.next().unwrap_or(letter)
    };
    text.chars().filter(|letter| !matches!(letter, '¿' | '¡')).map(folded).collect()
}

/// Two neighbouring letters of one longer word change places.
fn mistyped(rng: &mut impl Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let inside = |place: usize| (place - 1..place + 3).all(|at| letters.get(at).is_some_and(|c| c.is_alphabetic()));
    let places: Vec<usize> = (1..letters.len()).filter(|place| inside(*place)).collect();
    if let Some(place) = places.choose(rng) {
        letters.swap(*place, *place + 1);
    }
    letters.into_iter().collect()
}

/// At times an emoji of the text's mood at its end.
fn with_emoji(rng: &mut impl Rng, sentiment: Sentiment, text: String) -> String {
    let emoji: &[&str] = match sentiment {
        Sentiment::Negative => &["😡", "😞", "😠", "👎", "😤"],
        Sentiment::Neutral => return text,
        Sentiment::Positive => &["😊", "🙏", "❤️", "👏", "😍"],
    };
    if rng.random_bool(0.12) { format!("{text} {}", pick(rng, emoji)) } else { text }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn every_slot_of_every_phrase_is_known() {
        let known = ["order", "amount", "days", "hours", "minutes", "city", "product", "month", "plan", "agent"];
        for tongue in Tongue::ALL {
            let phrases = tongue.phrases();
            let tones = phrases.departments.iter().chain([&phrases.any]);
            let customers = tones.flat_map(|tone| [tone.negative, tone.neutral, tone.positive]);
            for phrase in customers.chain([phrases.agent, phrases.bot]).flatten() {
                for slot in phrase.split('{').skip(1) {
                    let name = slot.split_once('}').map(|(name, _)| name);
                    assert!(name.is_some_and(|name| known.contains(&name)), "{phrase}");
                }
                assert!(!reply(&mut Pcg64Mcg::seed_from_u64(1), tongue, phrase).contains(['{', '}']), "{phrase}");
            }
        }
    }

    #[test]
    fn one_phrase_becomes_many_texts() {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        let phrase = "¿Cuánto tarda el envío a {city}?";
        let texts: std::collections::BTreeSet<String> =
            (0..200).map(|_| compose(&mut rng, Tongue::Spanish, Sentiment::Neutral, phrase)).collect();
        assert!(texts.len() > 60, "{} different texts", texts.len());
    }

    #[test]
    fn leaving_out_accents_keeps_the_letters() {
        assert_eq!(without_accents("¿Qué pasó, señor Güemes?"), "Que paso, señor Guemes?");
    }

    #[test]
    fn a_mistyped_text_has_the_same_letters() {
        let mut rng = Pcg64Mcg::seed_from_u64(5);
        let text = mistyped(&mut rng, "the technician never came");
        let sorted = |text: &str| -> Vec<char> {
            let mut letters: Vec<char> = text.chars().collect();
            letters.sort_unstable();
            letters
        };
        assert_ne!(text, "the technician never came");
        assert_eq!(sorted(&text), sorted("the technician never came"));
        assert_eq!(mistyped(&mut rng, ""), "");
    }
}
