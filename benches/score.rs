//! How many texts a scorer scores in a second on one core, and what signals cost of that. The promise: 100,000 texts of 12 words.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use latido::message::{Language, Score};
use latido::score::features::word_hash;
use latido::score::normalise::{Normaliser, Token, TokenKind};
use latido::score::signals::{Matcher, Rules, SignalFinder};
use latido::score::{EmbeddedModel, EmbeddedScorer, Scorer, Text};

/// Texts in a batch.
const TEXTS: usize = 4_096;

/// Words that customers use; each text draws its own twelve, so that the table's rows are not all in cache.
const WORDS: &str = "hola buenas tardes llevo tres semanas esperando el reembolso de mi pedido y nadie contesta \
    quiero hablar con una persona por favor la aplicación no funciona me cobraron dos veces gracias muy amable \
    hello there my parcel has not arrived and the tracking page says delivered could you please check the address \
    thanks for the quick answer everything works now I am still waiting since Monday this is ridiculous card declined \
    ¿cuándo abren? sucursal horario factura transferencia clave bloqueada técnico visita mañana servicio excelente";

/// Words in a text for signals.
const WORDS_OF_SIGNALS: usize = 25;

/// Texts for signals: few, for in the scorer the tokens come from a warm buffer too.
const TEXTS_OF_SIGNALS: usize = 128;

/// Texts of so many words.
fn texts(words_each: usize) -> Vec<String> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[(state >> 33) as usize % words.len()]
    };
    (0..TEXTS).map(|_| (0..words_each).map(|_| next()).collect::<Vec<_>>().join(" ")).collect()
}

fn score(criterion: &mut Criterion) {
    let (Ok(model), Ok(rules)) = (EmbeddedModel::builtin(), Rules::builtin()) else { return };
    let mut scorer = EmbeddedScorer::new(model, rules);
    let owned = texts(12);
    let batch: Vec<Text<'_>> = owned.iter().map(|text| Text { text, language: None }).collect();
    let mut group = criterion.benchmark_group("score");
    group.throughput(Throughput::Elements(TEXTS as u64)).measurement_time(Duration::from_secs(5));
    group.bench_function("texts_of_12_words", |bencher| {
        bencher.iter_batched_ref(
            || Vec::<Score>::with_capacity(TEXTS),
            |scores| scorer.score(black_box(&batch), scores),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// A token that borrows no normaliser.
struct Owned {
    kind: TokenKind,
    folded: Vec<char>,
    hash: u64,
}

fn tokens(text: &str) -> Vec<Owned> {
    let mut found = Vec::new();
    Normaliser::default().tokens(text, |token| {
        let hash = word_hash(token.folded);
        found.push(Owned { kind: token.kind, folded: token.folded.to_vec(), hash });
    });
    found
}

/// Texts of 25 words: the matcher on tokens that the scorer has anyway, and with the normaliser before it.
fn signals(criterion: &mut Criterion) {
    let Ok(rules) = Rules::builtin() else { return };
    let mut texts = texts(WORDS_OF_SIGNALS);
    texts.truncate(TEXTS_OF_SIGNALS);
    let normalised: Vec<Vec<Owned>> = texts.iter().map(|text| tokens(text)).collect();
    let mut matcher = Matcher::new(rules.clone());
    let mut finder = SignalFinder::new(rules);
    let mut group = criterion.benchmark_group("signals");
    group.throughput(Throughput::Elements(TEXTS_OF_SIGNALS as u64)).measurement_time(Duration::from_secs(5));
    group.bench_function("tokens_of_25_words", |bencher| {
        bencher.iter(|| {
            for text in &normalised {
                for Owned { kind, folded, hash } in text {
                    let token = Token {
                        kind: *kind,
                        folded,
                        accented: folded,
                        shouted: false,
                        stretched: false,
                        start: 0,
                        end: 0,
                    };
                    matcher.token(black_box(&token), *hash);
                }
                black_box(matcher.finish(Language::Spanish));
            }
        });
    });
    group.bench_function("texts_of_25_words", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                black_box(finder.find(black_box(text), Language::Spanish));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, score, signals);
criterion_main!(benches);
