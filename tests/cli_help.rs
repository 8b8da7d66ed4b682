//! The command line explains itself, and its exit codes tell apart what went wrong.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::{Command, Output};

/// Runs the program in an empty environment, where help is wrapped at one fixed width.
fn latido(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_latido")).args(arguments).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn check_explains_itself_with_examples() {
    let output = latido(&["check", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn backtest_explains_itself_with_examples() {
    let output = latido(&["backtest", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn replaying_dead_letters_explains_itself_with_examples() {
    let output = latido(&["dead-letters", "replay", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn listing_alerts_explains_itself_with_examples() {
    let output = latido(&["alerts", "list", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn marking_alerts_explains_itself_with_examples() {
    let output = latido(&["alerts", "mark", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn help_lists_the_commands_with_examples_and_exit_codes() {
    for arguments in [["--help"].as_slice(), &["help"]] {
        let output = latido(arguments);
        assert_eq!(output.status.code(), Some(0));
        for part in ["check", "Examples:", "78 wrong config"] {
            assert!(text(&output.stdout).contains(part), "{part} in {output:?}");
        }
    }
}

#[test]
#[cfg(not(feature = "transformer"))]
fn the_version_is_the_packages() {
    let output = latido(&["--version"]);
    assert_eq!(text(&output.stdout), format!("latido {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
#[cfg(all(feature = "transformer", target_os = "linux"))]
fn the_version_is_the_packages_with_that_of_libtorch_and_the_file_it_runs_on() {
    let output = latido(&["--version"]);
    let told = text(&output.stdout);
    let rest = told.strip_prefix(concat!("latido ", env!("CARGO_PKG_VERSION"), " (libtorch ")).expect(told);
    let (version, path) = rest.split_once(", ").expect(told);
    assert!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3, "{told}");
    assert!(std::path::Path::new(path.trim_end().trim_end_matches(')')).is_file(), "{told}");
}

#[test]
fn a_wrong_command_line_is_2() {
    for arguments in [["chekc"].as_slice(), &["check", "--cnofig", "x"], &["check", "extra"], &[]] {
        let output = latido(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn examples_fit_a_terminal_of_80_columns() {
    for arguments in [
        ["run"].as_slice(),
        &["demo"],
        &["check"],
        &["alerts"],
        &["alerts", "list"],
        &["alerts", "mark"],
        &["checkpoint"],
        &["checkpoint", "show"],
        &["dead-letters"],
        &["dead-letters", "list"],
        &["dead-letters", "show"],
        &["dead-letters", "replay"],
        &["score"],
        &["train"],
        &["eval"],
        &["backtest"],
        &[],
    ] {
        let output = latido(&[arguments, &["--help"]].concat());
        let help = text(&output.stdout);
        let (_, examples) = help.split_once("Examples:").unwrap_or_else(|| panic!("no examples: {help}"));
        let long: Vec<_> = examples.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{arguments:?}: {long:#?}");
    }
}

#[test]
fn a_span_that_is_none_is_answered_with_how_to_write_one() {
    let output = latido(&["demo", "--for", "soon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("such as 150s"), "{output:?}");
}
