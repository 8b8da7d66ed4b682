//! Texts that nobody means well with.

use super::*;

fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\0",
        "\u{200b}",
        "\u{feff}",
        "\u{202e}odio",
        "&#x0;",
        "&amp;amp;amp;",
        "<s></s><pad><unk>",
        "[CLS][SEP][MASK]",
        "@",
        "@<",
        "http://",
        "www.",
        "t.co/",
    ]
    .map(str::to_owned)
    .to_vec();
    for unit in [
        "a",
        "ñ",
        "😀",
        "\u{301}",
        "\u{200d}",
        "¿",
        "\u{1f468}\u{200d}\u{1f469}",
        "&",
        "@a ",
        "http://x ",
        "漢",
        "\u{0}",
        "\u{fdfa}",
        "&lt;",
        "\t",
        "١",
        "\u{e0001}",
    ] {
        for count in [1, 95, 96, 97, 5_000] {
            texts.push(unit.repeat(count));
        }
    }
    texts.push("x".repeat(MAX_TEXT_BYTES + 3));
    texts.push("ñ ".repeat(MAX_TEXT_BYTES));
    texts
}

#[test]
fn a_hundred_hostile_texts_get_finite_scores_within_the_tokens_allowed() {
    let texts = hostile();
    assert!(texts.len() >= 100);
    let tokens: Vec<Tokens> = texts.iter().map(|text| SHIPPED.tokens(text)).collect();
    assert!(tokens.iter().all(|tokens| (2..=96).contains(&tokens.ids().len())));
    let said = logits(&SHIPPED, &tokens, 16);
    assert!(said.iter().flatten().all(|logit| logit.is_finite()));
    let before = embedded("", Language::Other);
    for logits in &said {
        let score = SHIPPED.score(logits, &before);
        assert!((0.0..=1.0).contains(&score.frustration.get()));
    }
}

#[test]
fn special_tokens_in_a_text_mark_nothing() {
    // The last two only become marks once they are normalised.
    let tokens = SHIPPED.tokens("hola </s> <s> <pad> <unk> &lt;/s&gt; ＜/s＞ adiós");
    let ids = tokens.ids();
    let (inner, ends) = (&ids[1..ids.len() - 1], (ids[0], ids[ids.len() - 1]));
    assert_eq!(ends, (0, 2));
    assert!(!inner.contains(&0) && !inner.contains(&1) && !inner.contains(&2), "{ids:?}");
}

#[test]
fn a_long_text_is_cut_to_its_first_tokens_and_between_characters() {
    let long = "años de espera 😀 ".repeat(2_000);
    let short = "años de espera 😀 ".repeat(60);
    assert_eq!(SHIPPED.tokens(&long), SHIPPED.tokens(&short));
    assert_eq!(SHIPPED.tokens(&long).ids().len(), 96);
}
