//! How many texts a scorer scores in a second on one core. The promise: 100,000 texts of 12 words.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use latido::message::Score;
use latido::score::{EmbeddedModel, EmbeddedScorer, Scorer, Text};

/// Texts in a batch.
const TEXTS: usize = 4_096;

/// Words that customers use; each text draws its own twelve, so that the table's rows are not all in cache.
const WORDS: &str = "hola buenas tardes llevo tres semanas esperando el reembolso de mi pedido y nadie contesta \
    quiero hablar con una persona por favor la aplicación no funciona me cobraron dos veces gracias muy amable \
    hello there my parcel has not arrived and the tracking page says delivered could you please check the address \
    thanks for the quick answer everything works now I am still waiting since Monday this is ridiculous card declined \
    ¿cuándo abren? sucursal horario factura transferencia clave bloqueada técnico visita mañana servicio excelente";

fn texts() -> Vec<String> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[(state >> 33) as usize % words.len()]
    };
    (0..TEXTS).map(|_| (0..12).map(|_| next()).collect::<Vec<_>>().join(" ")).collect()
}

fn score(criterion: &mut Criterion) {
    let Ok(model) = EmbeddedModel::builtin() else { return };
    let mut scorer = EmbeddedScorer::new(model);
    let owned = texts();
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

criterion_group!(benches, score);
criterion_main!(benches);
