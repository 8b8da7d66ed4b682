//! What signals promise.

use proptest::prelude::*;

use super::file::parse;
use super::phrase::{Atom, Lists, Phrase, read};
use super::*;
use crate::message::Signal;

fn found_in(text: &str, language: Language) -> Vec<&'static str> {
    let found = SignalFinder::new(Rules::builtin().unwrap()).find(text, language);
    found.iter().map(Signal::as_str).collect()
}

fn es(text: &str) -> Vec<&'static str> {
    found_in(text, Language::Spanish)
}

fn has(text: &str, language: Language, signal: &str) -> bool {
    found_in(text, language).contains(&signal)
}

/// Rules of one file alone.
fn rules(text: &str) -> Result<Arc<Rules>, RulesError> {
    Rules::of(&[("ours.toml", text)])
}

/// Signals of a text under one file of rules alone.
fn found_by(toml: &str, text: &str) -> Vec<Signal> {
    SignalFinder::new(rules(toml).unwrap()).find(text, Language::Other).iter().collect()
}

/// Whether a text holds a phrase.
fn holds(phrase: &str, text: &str) -> bool {
    !found_by(&format!("[[rules]]\nname = \"one\"\nsignals = [\"praise\"]\nany = [{phrase:?}]\n"), text).is_empty()
}

#[test]
fn the_built_in_rules_are_sound_and_find_every_signal() {
    let rules = Rules::builtin().unwrap();
    for language in ["es-", "en-", "pt-"] {
        let all = rules.iter().filter(|(name, _)| name.starts_with(language));
        let found = all.fold(SignalSet::EMPTY, |all, (_, signals)| all.union(signals));
        assert_eq!(found.len(), Signal::ALL.len(), "{language}: {found:?}");
    }
}

#[test]
fn every_signal_is_found_in_plain_words_of_three_languages() {
    let examples = [
        ("human_request", "quiero hablar con una persona", "let me speak to a human", "quero falar com um atendente"),
        ("bot_loop", "el robot no me entiende", "the bot keeps sending the same answer", "o robô não entende nada"),
        ("repeat_contact", "ya les escribí tres veces", "I have called three times already", "já liguei três vezes"),
        ("handoff", "me mandan de un área a otra", "they sent me to another department", "me jogam de setor em setor"),
        ("waiting", "llevo dos horas esperando", "I have been waiting for two hours", "estou esperando há duas horas"),
        ("unresolved", "sigo sin solución", "it is still not fixed", "continuo sem solução"),
        ("churn_threat", "voy a cancelar mi cuenta", "I'm going to cancel my account", "vou cancelar minha conta"),
        ("legal_threat", "voy a poner una denuncia", "you will hear from my lawyer", "vou processar vocês no tribunal"),
        ("harm_threat", "les voy a quemar la sucursal", "I will burn your branch down", "vou quebrar a cara de vocês"),
        ("abuse", "son unos idiotas", "you are a bunch of idiots", "seus idiotas"),
        ("billing_dispute", "me cobraron dos veces", "I was charged twice", "me cobraram duas vezes"),
        ("outage", "la app no funciona", "the app is down", "o aplicativo não funciona"),
        ("fraud", "me clonaron la tarjeta", "my card was cloned", "clonaram meu cartão"),
        ("praise", "excelente atención, muchas gracias", "great service, thank you so much", "excelente atendimento"),
        ("resolved", "ya quedó resuelto", "it's all sorted now", "resolvido, deu certo"),
        ("information_request", "¿a qué hora abren?", "what time do you open?", "que horas vocês abrem?"),
    ];
    for (signal, spanish, english, portuguese) in examples {
        assert!(has(spanish, Language::Spanish, signal), "{signal}: {spanish}: {:?}", es(spanish));
        assert!(has(english, Language::English, signal), "{signal}: {english}");
        assert!(has(portuguese, Language::Portuguese, signal), "{signal}: {portuguese}");
    }
}

#[test]
fn a_negated_threat_is_no_threat() {
    assert!(!has("no quiero cancelar, solo cambiar de plan", Language::Spanish, "churn_threat"));
    assert!(!has("nunca me cobraron de mas", Language::Spanish, "billing_dispute"));
    assert!(!has("I don't want to cancel my account, just change the address", Language::English, "churn_threat"));
    assert!(!has("não quero cancelar meu cartão, só mudar o vencimento", Language::Portuguese, "churn_threat"));
    assert!(has("quiero cancelar mi tarjeta", Language::Spanish, "churn_threat"));
}

#[test]
fn a_negation_may_be_part_of_a_complaint() {
    assert!(has("no me resuelven nada", Language::Spanish, "unresolved"));
    assert!(has("they have not fixed it", Language::English, "unresolved"));
}

#[test]
fn a_negation_ends_with_its_clause_and_not_only_takes_it_back() {
    assert!(has("no contestan y voy a cancelar mi cuenta", Language::Spanish, "churn_threat"));
    assert!(has("si no resuelven cancelo mi cuenta", Language::Spanish, "churn_threat"));
    assert!(has("no solo me cobraron dos veces", Language::Spanish, "billing_dispute"));
}

#[test]
fn what_others_said_is_not_the_customers_own_threat() {
    assert!(has("voy a poner una denuncia", Language::Spanish, "legal_threat"));
    assert!(!has("me dijeron que voy a poner una denuncia", Language::Spanish, "legal_threat"));
    assert!(!has("leí \"voy a poner una denuncia\" en un cartel", Language::Spanish, "legal_threat"));
    assert!(has("\"claro\" dije, voy a poner una denuncia", Language::Spanish, "legal_threat"), "the quote is closed");
    assert!(!has("they told me to see a lawyer", Language::English, "legal_threat"));
}

#[test]
fn a_rhetorical_question_asks_for_no_information() {
    assert!(!has("¿cómo es posible que no contesten?", Language::Spanish, "information_request"));
    assert!(!has("hasta cuando van a arreglar esto???", Language::Spanish, "information_request"));
    assert!(!has("how is this even acceptable?", Language::English, "information_request"));
    assert!(has("¿cuánto tarda un reembolso?", Language::Spanish, "information_request"));
}

#[test]
fn a_number_is_no_praise_and_a_name_that_begins_like_an_insult_none() {
    assert!(!has("me descontaron una comisión de 149 pesos", Language::Spanish, "praise"));
    assert!(!has("date of birth 04/11/86", Language::English, "praise"));
    assert!(!has("soy la mamá de la titular y vivo en Culiacán", Language::Spanish, "abuse"));
    assert!(has("no sean rateros", Language::Spanish, "abuse"), "the negation asks for an end of it");
}

#[test]
fn thanks_that_end_a_message_are_manners() {
    assert!(!has("ya les mandé los papeles, gracias", Language::Spanish, "praise"));
    assert!(has("mil gracias por resolverlo", Language::Spanish, "praise"));
}

#[test]
fn a_supply_that_is_named_is_not_down() {
    assert!(!has("vengo a pagar el recibo de la luz", Language::Spanish, "outage"));
    assert!(has("nos cortaron el agua otra vez", Language::Spanish, "outage"));
    assert!(!has("nos cortaron el agua otra vez", Language::Spanish, "human_request"), "no call was cut off");
    assert!(has("me cortaron la llamada", Language::Spanish, "human_request"));
    assert!(has("the code isn't arriving", Language::English, "outage"));
}

#[test]
fn times_are_contacts_where_the_company_was_contacted() {
    assert!(has("llamé tres veces a su sucursal", Language::Spanish, "repeat_contact"));
    assert!(!has("reinicié el módem tres veces", Language::Spanish, "repeat_contact"));
    assert!(!has("me marcan diez veces al día para ofrecerme tarjetas", Language::Spanish, "repeat_contact"));
    assert!(has("I have emailed you three times", Language::English, "repeat_contact"));
    assert!(!has("I restarted the router three times", Language::English, "repeat_contact"));
}

#[test]
fn a_charge_that_a_caller_talks_of_is_no_charge() {
    assert!(has("tengo un cargo no reconocido de 300 pesos", Language::Spanish, "billing_dispute"));
    let bait = "recibí un mensaje de un cargo no reconocido";
    assert!(!has(bait, Language::Spanish, "billing_dispute") && has(bait, Language::Spanish, "fraud"));
}

#[test]
fn asking_after_ones_own_things_is_no_question() {
    assert!(!has("¿y mi reembolso?", Language::Spanish, "information_request"));
    assert!(has("¿dónde activo la tarjeta?", Language::Spanish, "information_request"));
}

#[test]
fn years_as_a_customer_are_no_wait() {
    assert!(!has("I have been a cardholder for eleven years", Language::English, "waiting"));
    assert!(!has("vivo a dos horas de la sucursal", Language::Spanish, "waiting"));
    assert!(has("I was on hold for two hours", Language::English, "waiting"));
    assert!(has("quedaron en llamarme el lunes", Language::Spanish, "waiting"));
}

#[test]
fn what_was_not_tried_yet_is_not_unresolved() {
    assert!(!has("todavía no he intentado entrar", Language::Spanish, "unresolved"));
    assert!(has("todavía no me devuelven la llamada", Language::Spanish, "unresolved"));
    assert!(!has("it is the same price in the shop", Language::English, "unresolved"));
    assert!(has("it is the same error again", Language::English, "unresolved"));
}

#[test]
fn wordings_of_several_countries_are_found() {
    let examples = [
        ("outage", "la app se tildó"),
        ("outage", "petó la web al pagar"),
        ("outage", "la huella no la reconoce"),
        ("unresolved", "les escribo y no me dan bola"),
        ("unresolved", "hicieron caso omiso de mi reclamo"),
        ("handoff", "me traen de ventanilla en ventanilla"),
        ("human_request", "que se ponga un responsable"),
        ("billing_dispute", "cancelé en enero y me siguen cobrando"),
        ("billing_dispute", "sigo pidiendo el extorno de la compra"),
        ("fraud", "alguien sacó un préstamo con mi DNI"),
        ("fraud", "es una página trucha con su logo"),
        ("abuse", "contesten, conchesumadre"),
    ];
    for (signal, text) in examples {
        assert!(has(text, Language::Spanish, signal), "{signal}: {text}: {:?}", es(text));
    }
}

#[test]
fn case_accents_and_stretched_letters_do_not_matter() {
    for text in ["ESTÁN ESPERANDO", "esperandoooo", "éspérando"] {
        assert!(holds("esperando", text), "{text}");
    }
    assert!(holds("ESPERÁNDO", "esperando"));
    assert!(!holds("caro", "carro"), "only what was stretched is cut to single letters");
}

#[test]
fn a_gap_allows_so_many_words_and_no_more() {
    assert!(holds("uno ..2 dos", "uno dos") && holds("uno ..2 dos", "uno x y dos"));
    assert!(!holds("uno ..2 dos", "uno x y z dos"));
    assert!(!holds("uno dos", "uno, dos"), "a comma separates");
    assert!(holds("uno ..1 dos", "uno, dos"));
    assert!(holds("uno dos", "uno @alguien 😡 dos"), "names and emoji do not");
    assert!(!holds("uno ..9 dos", "uno. Dos"), "no phrase goes beyond its sentence");
}

#[test]
fn a_decimal_point_ends_no_sentence() {
    assert!(holds("uno ..3 dos", "uno 1.500 dos"));
    assert!(!holds("uno ..3 dos", "uno 1. dos"));
}

#[test]
fn starts_ends_numbers_and_marks_can_be_asked_for() {
    assert!(holds("<start> nada <end>", "Hola. Nada!") && !holds("<start> nada <end>", "no pasa nada"));
    assert!(holds("<number> horas", "72 horas") && holds("0ta vez", "4ta vez") && holds("<number> vez", "4ta vez"));
    assert!(holds("<?>", "qué?!") && !holds("<?>", "qué!") && holds("<!>", "qué!!"));
    assert!(holds("<3", "los amo <3") && holds("😡", "no 😡"));
}

#[test]
fn also_and_unless_look_at_the_sentence_and_unless_anywhere_at_the_text() {
    let toml = "[[rules]]\nname = \"a\"\nsignals = [\"waiting\"]\nany = [\"uno\"]\nalso = [\"dos\"]\nunless = [\"tres\"]\n\
        unless_anywhere = [\"cuatro\"]\n";
    assert_eq!(found_by(toml, "dos uno"), [Signal::Waiting]);
    assert_eq!(found_by(toml, "uno. dos"), []);
    assert_eq!(found_by(toml, "uno dos tres"), []);
    assert_eq!(found_by(toml, "uno dos. tres"), [Signal::Waiting]);
    assert_eq!(found_by(toml, "uno dos. cuatro"), []);
}

#[test]
fn nothing_of_a_text_is_left_for_the_next_one() {
    let mut finder = SignalFinder::new(Rules::builtin().unwrap());
    for text in ["me dijeron que \"no", "llevo dos", "ya van 3.", "uno 1.", "¿"] {
        finder.find(text, Language::Spanish);
        assert_eq!(
            finder.find("voy a poner una denuncia", Language::Spanish),
            [Signal::LegalThreat].into_iter().collect(),
            "after {text}"
        );
    }
}

#[test]
fn a_file_adds_replaces_and_switches_off_rules() {
    let ours = "off = [\"es-abuse\"]\n[[rules]]\nname = \"es-fraud\"\nsignals = [\"fraud\"]\nany = [\"gato encerrado\"]\n\
        [[rules]]\nname = \"ours\"\nsignals = [\"waiting\", \"unresolved\"]\nany = [\"caso {words}\"]\n\
        [lists]\nwords = [\"eterno\", \"sin fin\"]\n";
    let builtin = Rules::builtin().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ours.toml");
    std::fs::write(&file, ours).unwrap();
    let rules = Rules::with_files(&[file]).unwrap();
    assert_eq!((rules.len(), rules.switched_off()), (builtin.len(), 1), "one off, one replaced, one more");
    let mut finder = SignalFinder::new(rules);
    let mut names = |text: &str| finder.find(text, Language::Spanish).iter().map(Signal::as_str).collect::<Vec<_>>();
    assert_eq!(names("idiotas"), [""; 0]);
    assert_eq!(names("me estafaron"), [""; 0]);
    assert_eq!(names("hay gato encerrado"), ["fraud"]);
    assert_eq!(names("este caso sin fin"), ["waiting", "unresolved"]);
}

#[test]
fn a_bad_file_is_named_with_key_value_and_remedy() {
    let error = |toml: &str| rules(toml).unwrap_err().to_string();
    let rule = "[[rules]]\nname = \"a\"\nsignals = [\"praise\"]\nany = [\"x\"]\n";
    assert_eq!(
        error(&rule.replace("praise", "prays")),
        "ours.toml: rules[0].signals[0] = \"prays\": no such signal; did you mean `praise`?"
    );
    assert_eq!(
        error(&rule.replace("\"x\"", "\"x\", \"y ..99 z\"")),
        "ours.toml: rules[0].any[1] = \"y ..99 z\": `..99` is no gap; write ..1 to ..15: at most so many tokens between"
    );
    assert_eq!(
        error(&format!("{rule}{rule}")),
        "ours.toml: rules[1].name = \"a\": the file has a rule of that name already; give each rule a name of its own"
    );
    assert_eq!(
        error("off = [\"nobody\"]"),
        "ours.toml: off[0] = \"nobody\": no rule before this file has that name; \
         `latido score --explain TEXT` names the rules that find something"
    );
    assert!(error(&rule.replace("[\"x\"]", "[]")).starts_with("ours.toml: rules[0].any: empty; "));
    assert!(
        error("language = \"klingon\"")
            .starts_with("ours.toml: language = \"klingon\": no language that is told apart")
    );
    assert!(
        error("[[rules]]\nnames = 1").starts_with("ours.toml:2: unknown field `names`"),
        "{}",
        error("[[rules]]\nnames = 1")
    );
    assert!(parse("ours.toml", "a = ").is_err());
}

#[test]
fn rules_of_a_language_keep_to_it_and_all_are_asked_where_it_is_unknown() {
    assert_eq!(found_in("the app is down", Language::Spanish), [""; 0]);
    assert!(has("the app is down", Language::Other, "outage"));
}

#[test]
fn words_of_another_language_negate_nothing() {
    let text = "comprei no site e o atendimento foi excelente, vocês são ótimos no balcão";
    assert!(has(text, Language::Portuguese, "praise"), "`no` negates in Spanish and is an article here");
    assert!(has("sobrou no fim: caí no golpe do pix", Language::Portuguese, "fraud"));
    assert!(!has("no es fraude", Language::Spanish, "fraud"));
}

#[test]
fn a_learned_head_adds_to_what_phrases_find() {
    let phrases: SignalSet = [Signal::Waiting].into_iter().collect();
    let learned: SignalSet = [Signal::Outage].into_iter().collect();
    assert_eq!(join(phrases, learned), [Signal::Waiting, Signal::Outage].into_iter().collect());
}

/// Texts that share words with the rules, many of them different.
fn texts() -> Vec<String> {
    let words: Vec<&str> = "no me resuelven nada llevo dos horas esperando quiero cancelar mi cuenta la app se cayo ya van \
        tres veces que llamo , . ? ! \" hasta cuando nadie contesta still not working i want my refund now 4 xyz continua sem \
        solução não funciona"
        .split_whitespace()
        .collect();
    let mut state = 11_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[usize::try_from(state >> 33).unwrap() % words.len()]
    };
    (0..300).map(|_| (0..25).map(|_| next()).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn once_made_a_matcher_allocates_nothing() {
    let mut finder = SignalFinder::new(Rules::builtin().unwrap());
    let made = finder.matcher.footprint();
    for text in texts() {
        finder.find(&text, Language::Other);
        assert_eq!(finder.matcher.footprint(), made, "what every buffer has room for");
    }
    finder.find(&texts().join(" ").repeat(20), Language::Other);
    assert_eq!(finder.matcher.footprint(), made);
}

#[test]
fn a_word_over_and_over_is_held_no_longer_than_its_phrases_reach() {
    let mut finder = SignalFinder::new(Rules::builtin().unwrap());
    let made = finder.matcher.footprint();
    // Words that begin phrases with wide gaps and go on with none, before one that such a phrase ends with.
    for (word, end) in [("apps", "down"), ("atm", "down"), ("due", "last"), ("event", "cancelled"), ("#ñ", "")] {
        let text = format!("{}{end}", format!("{word} ").repeat(10_000));
        for language in Language::ALL {
            finder.find(&text, *language);
        }
        assert_eq!(finder.matcher.footprint(), made, "{word}");
    }
}

#[test]
fn reported_speech_reaches_eight_words() {
    let toml = "[quotation]\nreported = [\"said\"]\n[[rules]]\nname = \"one\"\nsignals = [\"praise\"]\nany = [\"<!>\"]\nquotation = \"cancels\"\n";
    let after = |words: usize| !found_by(toml, &format!("said{}!", " x".repeat(words))).is_empty();
    assert!(!after(7));
    assert!(after(8), "a mark stands after the last word");
}

#[test]
fn a_text_twice_as_long_takes_twice_the_work() {
    let mut finder = SignalFinder::new(Rules::builtin().unwrap());
    let mut work = |text: &str| {
        let before = finder.matcher.asked();
        finder.find(text, Language::Other);
        finder.matcher.asked() - before
    };
    let text = texts()[..150].join(" ");
    let (once, twice) = (work(&text), work(&format!("{text} {text}")));
    assert!(once > 0 && twice.abs_diff(2 * once) <= once / 100, "{once} {twice}");
}

#[test]
fn a_word_that_no_phrase_names_costs_nothing() {
    let mut finder = SignalFinder::new(Rules::builtin().unwrap());
    finder.find("", Language::Other);
    let before = finder.matcher.asked();
    finder.find(&"xyzzy ".repeat(1_000), Language::Other);
    assert!(finder.matcher.asked() - before < 2_000, "start and end of the sentence alone are asked");
}

/// Whether a phrase occurs, found by trying every place and every gap.
fn occurs(phrase: &Phrase, tokens: &[&str]) -> bool {
    fn from(phrase: &Phrase, step: usize, at: usize, tokens: &[&str]) -> bool {
        let accepts = |atom: &Atom| match atom {
            Atom::Word(word) => tokens.get(at) == Some(&word.as_str()),
            Atom::Prefix(word) => tokens.get(at).is_some_and(|token| token.starts_with(word.as_str())),
            _ => false,
        };
        let step = &phrase.steps[step];
        step.atoms.iter().any(accepts)
            && (step.ends
                || step.next.iter().any(|(next, gap)| {
                    (0..=usize::from(*gap)).any(|skipped| from(phrase, *next, at + 1 + skipped, tokens))
                }))
    }
    (0..tokens.len()).any(|at| phrase.first.iter().any(|first| from(phrase, *first, at, tokens)))
}

proptest! {
    #[test]
    fn the_automaton_finds_what_trying_every_place_finds(
        parts in proptest::collection::vec(
            prop_oneof!["[abc]", "[abc]\\?", "a\\*", "\\([abc]\\|[abc] [abc]\\)", "\\([abc]\\|aa\\)\\?", "\\.\\.[12] [abc]", "\\.\\.[12] [abc]\\?"],
            1..5,
        ),
        texts in proptest::collection::vec(proptest::collection::vec("a|b|c|aa|ab|x", 0..12), 1..6),
    ) {
        let phrase = format!("{} c", parts.join(" "));
        let graph = read(&phrase, &Lists::new()).unwrap();
        let toml = format!("[[rules]]\nname = \"one\"\nsignals = [\"praise\"]\nany = [{phrase:?}]\nnegation = \"ignored\"\n");
        let mut finder = SignalFinder::new(rules(&toml).unwrap());
        for tokens in &texts {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            let found = !finder.find(&tokens.join(" "), Language::Other).is_empty();
            prop_assert_eq!(found, occurs(&graph, &tokens), "{} in {:?}", phrase, tokens);
        }
    }

    #[test]
    fn a_gap_of_any_width_is_found_as_trying_every_place_finds_it(
        gap in 1_u8..=15,
        last in prop_oneof!["b", "\\(b\\|c a\\)", "b c\\?"],
        texts in proptest::collection::vec(proptest::collection::vec(("a|b|c|x", 1_usize..12), 0..10), 1..6),
    ) {
        let phrase = format!("a ..{gap} {last}");
        let graph = read(&phrase, &Lists::new()).unwrap();
        let toml = format!("[[rules]]\nname = \"one\"\nsignals = [\"praise\"]\nany = [{phrase:?}]\nnegation = \"ignored\"\n");
        let mut finder = SignalFinder::new(rules(&toml).unwrap());
        for runs in &texts {
            let tokens: Vec<&str> = runs.iter().flat_map(|(token, times)| vec![token.as_str(); *times]).collect();
            let found = !finder.find(&tokens.join(" "), Language::Other).is_empty();
            prop_assert_eq!(found, occurs(&graph, &tokens), "{} in {:?}", phrase, tokens);
        }
    }

    #[test]
    fn any_text_is_matched_in_any_language(text in any::<String>(), language in 0_usize..4) {
        SignalFinder::new(Rules::builtin().unwrap()).find(&text, Language::ALL[language]);
    }
}

#[test]
fn rules_that_held_are_told_in_their_order() {
    // The second is met before the first, whichever phrase is looked for first.
    let ours = rules(
        "[[rules]]\nname = \"first\"\nsignals = [\"praise\"]\nany = [\"tres cuatro\"]\n\
         [[rules]]\nname = \"second\"\nsignals = [\"waiting\"]\nany = [\"uno dos\", \"dos\"]\n",
    )
    .unwrap();
    let mut finder = SignalFinder::new(ours);
    finder.find("uno dos tres cuatro", Language::Other);
    assert_eq!(finder.matcher.held().collect::<Vec<_>>(), ["first", "second"]);
}
