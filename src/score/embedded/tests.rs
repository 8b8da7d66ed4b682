//! Promises of the embedded scorer.

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_pcg::Pcg64Mcg;

use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::model::layout::{CHANNELS, OUTPUTS};
use super::*;
use crate::message::Sentiment;

fn scorer() -> EmbeddedScorer {
    EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap())
}

fn score(text: &str) -> Score {
    scorer().score_one(Text { text, language: None })
}

fn assert_sound(score: &Score) {
    let parts = [score.sentiment.negative, score.sentiment.neutral, score.sentiment.positive];
    let sum: f32 = parts.iter().map(|part| part.get()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{score:?}");
    assert!(parts.iter().all(|part| (0.0..=1.0).contains(&part.get())), "{score:?}");
    assert!((0.0..=1.0).contains(&score.frustration.get()), "{score:?}");
}

#[test]
fn plain_praise_and_anger_are_told_apart() {
    let positive = [
        "muchas gracias, quedé encantada con la atención",
        "Excelente servicio, todo llegó perfecto",
        "La doctora fue amabilísima, la recomiendo",
        "I love this shop, thank you so much",
        "Great service, very happy with the result 😍",
        "gracias",
        "thank you!",
    ];
    let negative = [
        "qué asco de servicio, no vuelvo nunca",
        "Pésima atención, son unos ladrones",
        "Estoy harta de sus mentiras",
        "This is the worst company I have ever dealt with",
        "Terrible, the food was disgusting",
        "I hate this stupid app 😡",
    ];
    for text in positive {
        assert_eq!(score(text).sentiment.label(), Sentiment::Positive, "{text}: {:?}", score(text));
    }
    for text in negative {
        assert_eq!(score(text).sentiment.label(), Sentiment::Negative, "{text}: {:?}", score(text));
    }
}

#[test]
fn obstacles_frustrate_and_first_questions_do_not() {
    let frustrated = [
        "llevo dos semanas esperando y nadie me responde",
        "sigo sin poder hablar con una persona",
        "I have been on hold for an hour and nobody answers",
        "my payment was declined again and I can't log in",
        "Me cobraron dos veces y no me devuelven el dinero",
    ];
    let calm = [
        "¿a qué hora abren el sábado?",
        "gracias por todo",
        "Do you deliver to Canada?",
        "thanks, that was quick",
        "Quisiera saber cuánto cuesta el envío",
    ];
    for text in frustrated {
        assert!(score(text).is_frustrated(), "{text}: {:?}", score(text));
    }
    for text in calm {
        assert!(!score(text).is_frustrated(), "{text}: {:?}", score(text));
    }
}

#[test]
fn the_language_is_found_and_a_given_one_is_kept() {
    assert_eq!(score("¿dónde está mi pedido?").language, Language::Spanish);
    assert_eq!(score("where is my order").language, Language::English);
    assert_eq!(score("não consigo acessar a minha conta").language, Language::Portuguese);
    assert_eq!(score("wo ist mein Paket, ich warte schon lange").language, Language::German);
    assert_eq!(score("je n'ai toujours pas reçu mon colis").language, Language::French);
    assert_eq!(score("non riesco ad accedere al mio conto").language, Language::Italian);
    for text in ["मेरा पार्सल कहाँ है", "где моя посылка", "أين طردي", "荷物はどこですか ok"]
    {
        assert_eq!(score(text).language, Language::Other, "{text}");
    }
    let given = scorer().score_one(Text { text: "where is my order", language: Some(Language::Portuguese) });
    assert_eq!(given.language, Language::Portuguese);
}

fn assert_prior(text: &str) {
    let score = score(text);
    let shown: String = text.chars().take(20).collect();
    let model = scorer().model;
    let prior = super::prior(model.header.prior, Language::Other, score.signals);
    assert_eq!(score, Score { model: model.id(), ..prior }, "{shown:?}");
    assert_eq!(score.sentiment.label(), Sentiment::Neutral);
    assert!(!score.is_frustrated());
    assert_sound(&score);
}

#[test]
fn a_text_that_says_nothing_gets_the_neutral_prior() {
    let nothing = ["", "   ", "\u{200b}\u{feff}", "\u{202e}", "\u{200f}\u{202b}\u{2069}", "\0\0\0"];
    let marks = [
        "...",
        "????",
        "-",
        "1",
        "12345",
        "4711 0815",
        "10/10",
        "€ 2,318.50",
        "@banco",
        "https://x.y/z",
        "@a @b www.c.d",
    ];
    let letters = ["a", "aaaaaaa", "AAAA aaaa", "jjjj", "ñ", "ש", "x y z"];
    for text in nothing.into_iter().chain(marks).chain(letters) {
        assert_prior(text);
    }
    assert_prior(&"a".repeat(100_000));
    assert!(score("12345").signals.is_empty());
}

#[test]
fn random_keys_and_unknown_scripts_get_the_neutral_prior() {
    for text in [
        "xkcdqwrtz",
        "bcdfgh",
        "qwrtpsd lkjhgf",
        "hjvkzx wqpbnv\0mzxcvq",
        "荷物はどこですか",
        "где моя посылка",
        "παρακαλώ",
    ] {
        assert_prior(text);
    }
}

/// Texts of one to four words of three to eight of these keys.
fn random_texts(keys: &[u8], count: usize) -> impl Iterator<Item = String> {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let mut word = move |letters: usize| -> String {
        (0..letters).map(|_| char::from(keys[random.random_range(0..keys.len())])).collect()
    };
    (0..count).map(move |at| (0..=at % 4).map(|more| word(3 + (at + more) % 6)).collect::<Vec<_>>().join(" "))
}

#[test]
fn few_texts_of_random_keys_have_a_language() {
    let mut scorer = scorer();
    for keys in [b"abcdefghijklmnopqrstuvwxyz".as_slice(), b"asdfghjkl"] {
        let mut is_named = |text: &String| scorer.score_one(Text { text, language: None }).language != Language::Other;
        let named = random_texts(keys, 600).filter(&mut is_named).count();
        assert!(named < 90, "{named} of 600");
    }
}

#[test]
fn a_known_word_speaks_whatever_stands_beside_it() {
    for text in
        ["aaaaaa pésimo", "https://x.y/z 12345 pésimo", "xkcdqwrtz qwrtpsd pésimo bcdfgh", "где моя посылка pésimo"]
    {
        assert_eq!(score(text).sentiment.label(), Sentiment::Negative, "{text}: {:?}", score(text));
    }
}

#[test]
fn a_misspelt_word_still_speaks() {
    assert!(score("felicitasiones").sentiment.positive.get() > 0.5);
    assert!(score("serviciooo pesimooo").sentiment.negative.get() > 0.5);
}

#[test]
fn emoji_speak_in_no_language() {
    for (text, sentiment) in [("😡😡", Sentiment::Negative), ("👍🏽", Sentiment::Positive), (":(", Sentiment::Negative)]
    {
        assert_eq!((score(text).sentiment.label(), score(text).language), (sentiment, Language::Other), "{text}");
    }
    assert_eq!(score("¿dónde está? 😡").language, Language::Spanish);
}

#[test]
fn a_named_language_is_kept_where_nothing_is_said() {
    for text in ["", "aaaa", "😡"] {
        let named = scorer().score_one(Text { text, language: Some(Language::Italian) });
        assert_eq!(named.language, Language::Italian);
    }
}

#[test]
fn ten_megabytes_of_one_character_are_scored() {
    for character in ["a", "😡", "!", "\u{200d}", "ש", "\0", "\u{202e}", "0", "http://"] {
        assert_sound(&score(&character.repeat((10 << 20) / character.len())));
    }
    assert_sound(&score(&"a ".repeat(2 << 20)));
}

#[test]
fn a_text_is_no_surer_for_being_very_long() {
    // Both are longer than the text from which on a sum is an average; the second is cut too.
    let some = score(&"estoy muy contenta con la compra. ".repeat(20));
    let more = score(&"estoy muy contenta con la compra. ".repeat(20_000));
    assert_eq!(some.sentiment.label(), Sentiment::Positive);
    assert!((some.sentiment.positive.get() - more.sentiment.positive.get()).abs() < 0.05, "{some:?} {more:?}");
}

#[test]
fn a_word_that_was_met_before_counts_as_if_it_were_new() {
    let texts = ["no funciona la app", "la app funciona", "NO funciona!!", "no no no", "La APP no abre #LaApp"];
    let mut warm = scorer();
    for text in texts.iter().chain(&texts) {
        let text = Text { text, language: None };
        assert_eq!(warm.score_one(text), scorer().score_one(text));
    }
}

/// Sums of each feature's row, one after the other.
struct OneByOne<'m>(&'m EmbeddedModel, [[i32; CHANNELS]; 2]);

impl OneByOne<'_> {
    fn add(&mut self, family: Family, hash: u64) {
        let row = self.0.table.row(bucket(hash, self.0.shift()));
        self.1[family as usize].iter_mut().zip(row).for_each(|(sum, weight)| *sum += i32::from(*weight));
    }
}

impl FeatureSink for OneByOne<'_> {
    fn token(&mut self, token: &TokenFeatures<'_>) {
        token.each(&mut |family, hash| self.add(family, hash));
    }
    fn context(&mut self, hash: u64, _before: u8) {
        self.add(Family::Words, hash);
    }
}

#[test]
fn sums_are_those_of_the_features_one_by_one() {
    let model = EmbeddedModel::builtin().unwrap();
    let (mut kept, mut extractor) = (Kept::new(Rules::builtin().unwrap()), Extractor::default());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/corpus");
    let texts = ["messages.es-general.jsonl", "messages.de.jsonl"]
        .map(|file| std::fs::read_to_string(folder.join(file)).unwrap())
        .join("\n");
    // Whole rows, for they are longer than their texts; and all of them, longer than what waits.
    for text in texts.lines().chain([&texts[..MAX_TEXT_BYTES]]) {
        let mut sums = Sums::new(&model, &mut kept);
        extractor.extract(text, &mut sums);
        sums.settle();
        let mut expected = OneByOne(&model, [[0; CHANNELS]; 2]);
        extractor.extract(text, &mut expected);
        assert_eq!(sums.families, expected.1, "{text}");
    }
}

#[test]
fn a_word_that_had_to_go_counts_as_if_it_were_new() {
    // So many different words that many sets of the memo hold more than they have room for.
    let letters: Vec<char> = ('a'..='t').collect();
    let word = |number: usize| -> String { (0..4).map(|at| letters[number / 20_usize.pow(at) % 20]).collect() };
    let words: Vec<String> = (0..40_000).map(|number| word(number * 7_919 % 160_000)).collect();
    let model = EmbeddedModel::builtin().unwrap();
    let (mut kept, mut extractor) = (Kept::new(Rules::builtin().unwrap()), Extractor::default());
    for words in words.chunks(40).chain(words.chunks(40)) {
        let text = words.join(" ");
        let mut sums = Sums::new(&model, &mut kept);
        extractor.extract(&text, &mut sums);
        sums.settle();
        let mut expected = OneByOne(&model, [[0; CHANNELS]; 2]);
        extractor.extract(&text, &mut expected);
        assert_eq!(sums.families, expected.1, "{text}");
    }
}

#[test]
fn a_language_far_ahead_is_the_likeliest_one() {
    let likeliest = |margins: [f32; LANGUAGE_COUNT]| {
        let mut outputs = [0.0; OUTPUTS];
        outputs[LANGUAGE..].copy_from_slice(&margins);
        (far_ahead(margins), likeliest_language("", &outputs))
    };
    let (found, language) = likeliest([0.0, 2.5, 0.0, 0.1, 0.0, 0.0, 0.0]);
    assert_eq!((found, language), (Some(Language::ALL[1]), Language::ALL[1]));
    for near in [[0.0; LANGUAGE_COUNT], [1.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0], [f32::NAN; LANGUAGE_COUNT]] {
        assert_eq!(likeliest(near).0, None, "{near:?}");
    }
}

#[test]
fn what_follows_a_long_beginning_is_not_looked_at() {
    let beginning = "gracias ".repeat(MAX_TEXT_BYTES / 8);
    assert_eq!(score(&beginning), score(&(beginning.clone() + &"pésimo ".repeat(1_000))));
}

proptest! {
    #[test]
    fn any_text_has_a_sound_score(text in any::<String>()) {
        assert_sound(&score(&text));
    }

    #[test]
    fn any_bytes_have_a_sound_score(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        assert_sound(&score(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn scripts_mixed_with_marks_have_a_sound_score(
        parts in proptest::collection::vec("[\\PC]{1,8}|[\u{0}-\u{1f}]|[bcdfghjklm]{2,12}|[אבאبгд好ñé]{1,6}|[0-9]{1,12}|[\u{200b}-\u{200f}\u{202a}-\u{202e}]|https://x.y|@ana|#No|[😡👍🏽]", 0..40),
        apart in any::<bool>(),
    ) {
        assert_sound(&score(&parts.join(if apart { " " } else { "" })));
    }

    #[test]
    fn one_character_repeated_has_a_sound_score(character in any::<char>(), times in 1_usize..500) {
        assert_sound(&score(&character.to_string().repeat(times)));
    }

    #[test]
    fn right_to_left_and_emoji_only_texts_have_a_sound_score(text in "[\u{5d0}-\u{5ea}\u{202b}😀-🙏\u{200d}\u{fe0f} ]{0,80}") {
        assert_sound(&score(&text));
    }

    #[test]
    fn a_batch_scores_as_one_by_one(texts in proptest::collection::vec("[a-zñ¿?! áéí😡]{0,40}", 0..20)) {
        let batch: Vec<Text<'_>> = texts.iter().map(|text| Text { text, language: None }).collect();
        let mut together = Vec::new();
        scorer().score(&batch, &mut together);
        let mut one = scorer();
        let alone: Vec<Score> = batch.iter().map(|&text| one.score_one(text)).collect();
        prop_assert_eq!(together, alone);
    }
}
