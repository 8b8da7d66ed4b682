//! What the shipped encoder costs: through rust-bert, called directly through tch, and through Python's transformers and torch.
//!
//! `cargo bench --features transformer --bench transformer -- --python PYTHON`
//!
//! One thread each, in 32 bits, in turns within one run: each round measures all of them, and ratios are taken within a round. CPU seconds
//! of the thread (of Python: of the process). Texts of 26 tokens for the network alone; for the comparison with Python the project's own
//! messages as they come, 26 tokens in the mean. PYTHON is one that has torch and transformers; without it that part is left out, and says so.
//! `--stream` measures the daemon's whole way instead: see `stream.rs`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, and ends at any trouble"
)]

mod direct;
mod python;
mod stream;
mod texts;

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use direct::Direct;
use latido::score::lane::{Network, SlowModel as _, Tokens};
use latido::score::transformer::{Precision, Transformer, open};
use python::Python;

const ROUNDS: usize = 7;
/// Texts that are run together.
const BATCHES: [usize; 4] = [1, 8, 16, 32];

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let after = |name: &str| Some(arguments.get(arguments.iter().position(|argument| argument == name)? + 1)?.clone());
    if arguments.iter().any(|argument| argument == "--stream") {
        return stream::run(after("--share-of-capacity").map_or(0.7, |share| share.parse().unwrap()));
    }
    let model = open(None, Precision::Float32).unwrap();
    for precision in [Precision::Float32, Precision::Bfloat16] {
        let texts_per_second = open(None, precision).unwrap().texts_per_second();
        println!("{precision:?}: {texts_per_second:.0} texts/s in batches of 16, measured when the model was loaded");
    }
    network_alone(&model);
    match after("--python") {
        Some(path) => beside_python(&model, PathBuf::from(path)),
        None => println!("not run: the comparison with Python; name one with torch and transformers by --python"),
    }
}

/// CPU seconds of this thread so far.
pub(crate) fn cpu_seconds() -> f64 {
    let status = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: u64 = status.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

/// CPU seconds that some work takes.
fn cost(work: impl FnOnce()) -> f64 {
    let begun = cpu_seconds();
    work();
    cpu_seconds() - begun
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// rust-bert against the same network called directly.
fn network_alone(model: &Transformer) {
    let mut network = model.network().unwrap();
    let direct = Direct::shipped();
    let texts = texts::of_length(model, 26, 64);
    let (ours, theirs) = (network.run(&texts.iter().take(8).collect::<Vec<_>>()).unwrap(), direct.run(&texts[..8]));
    let furthest = ours.iter().zip(&theirs).flat_map(|(one, other)| one.iter().zip(other));
    let furthest = furthest.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    println!("the same network: outputs differ by at most {furthest:.1e}");
    println!("texts/CPU-s of 26 tokens, medians of {ROUNDS} rounds | rust-bert | tch | ratio");
    for batch in BATCHES {
        let groups: Vec<&[Tokens]> = texts.chunks_exact(batch).collect();
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            let ours = cost(|| groups.iter().for_each(|group| run(&mut *network, group)));
            let theirs = cost(|| groups.iter().for_each(|group| drop(black_box(direct.run(group)))));
            let count = (groups.len() * batch) as f64;
            rates[0].push(count / ours);
            rates[1].push(count / theirs);
            rates[2].push(theirs / ours);
        }
        let [ours, theirs, ratio] = rates.map(median);
        println!("batches of {batch:2} | {ours:.1} | {theirs:.1} | {ratio:.2}");
    }
}

fn run(network: &mut dyn Network, texts: &[Tokens]) {
    black_box(network.run(&texts.iter().collect::<Vec<_>>()).unwrap());
}

/// The lane's way with texts against batches of 32 as they come, each padded to its longest.
fn beside_python(model: &Transformer, interpreter: PathBuf) {
    let texts = texts::as_they_come(model, 256);
    let tokens: usize = texts.iter().map(|text| text.ids().len()).sum();
    println!(
        "messages as they come: {} texts, {:.1} tokens in the mean",
        texts.len(),
        tokens as f64 / texts.len() as f64
    );
    let mut network = model.network().unwrap();
    let mut python = Python::start(&interpreter, &texts);
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let ours = cost(|| texts::in_runs(&texts, 512).iter().for_each(|group| run(&mut *network, group)));
        let theirs = python.round();
        rates[0].push(texts.len() as f64 / ours);
        rates[1].push(texts.len() as f64 / theirs);
        rates[2].push(theirs / ours);
    }
    let [ours, theirs, ratio] = rates.map(median);
    println!("Latido {ours:.1} texts/CPU-s, Python {theirs:.1}, ratio {ratio:.2}");
}
