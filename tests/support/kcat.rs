//! kcat: a producer that is not ours, so that the daemon is held to Kafka and not to our own idea of it.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::stream::Line;

/// How many lines a paced feed writes at once.
const LINES_A_STEP: usize = 20;

fn kcat(brokers: &str, topic: &str) -> Command {
    let mut command = Command::new("kcat");
    command.args(["-P", "-q", "-b", brokers, "-t", topic, "-X", "message.max.bytes=20000000"]);
    command
}

fn start(command: &mut Command) -> Child {
    let started = command.stdin(Stdio::piped()).spawn();
    started.unwrap_or_else(|error| panic!("cannot start kcat ({error}): install the package kcat"))
}

fn finish(mut child: Child) {
    drop(child.stdin.take());
    let status = child.wait().expect("kcat ends");
    assert!(status.success(), "kcat ended with {status}");
}

fn write_lines(child: &mut Child, lines: &[Line]) {
    let mut text = Vec::new();
    for line in lines {
        writeln!(text, "{}\t{}", line.key, line.value).expect("memory takes it");
    }
    child.stdin.as_mut().expect("kcat's standard input is a pipe").write_all(&text).expect("kcat reads its input");
}

/// Produces the lines, partitioned by their keys.
pub(crate) fn produce(brokers: &str, topic: &str, lines: &[Line]) {
    let mut child = start(kcat(brokers, topic).args(["-K", "\t"]));
    write_lines(&mut child, lines);
    finish(child);
}

/// Produces the lines to one partition.
pub(crate) fn produce_to(brokers: &str, topic: &str, partition: i32, lines: &[Line]) {
    let mut child = start(kcat(brokers, topic).args(["-K", "\t", "-p", &partition.to_string()]));
    write_lines(&mut child, lines);
    finish(child);
}

/// Produces the lines, partitioned by their keys, so many a second.
pub(crate) fn produce_paced(brokers: &str, topic: &str, lines: &[Line], a_second: u32) {
    let mut child = start(kcat(brokers, topic).args(["-K", "\t", "-X", "linger.ms=5"]));
    let started = Instant::now();
    let step = Duration::from_secs(LINES_A_STEP as u64) / a_second;
    for (number, part) in (0_u32..).zip(lines.chunks(LINES_A_STEP)) {
        thread::sleep((step * number).saturating_sub(started.elapsed()));
        write_lines(&mut child, part);
    }
    finish(child);
}

/// Produces one record to partition 0, its value the file's bytes, with a key and headers.
pub(crate) fn produce_file(brokers: &str, topic: &str, key: &str, headers: &[(&str, &str)], file: &Path) {
    let mut command = kcat(brokers, topic);
    command.args(["-p", "0", "-k", key]);
    for (name, value) in headers {
        command.arg("-H").arg(format!("{name}={value}"));
    }
    let status = command.arg(file).stdin(Stdio::null()).status().expect("kcat starts");
    assert!(status.success(), "kcat ended with {status}");
}

/// Produces one record without a value (a tombstone) to partition 0.
pub(crate) fn produce_tombstone(brokers: &str, topic: &str, key: &str) {
    let mut child = start(kcat(brokers, topic).args(["-p", "0", "-Z", "-K", "\t"]));
    let line = format!("{key}\t\n");
    child.stdin.as_mut().expect("a pipe").write_all(line.as_bytes()).expect("kcat reads its input");
    finish(child);
}
