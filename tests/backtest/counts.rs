//! Counts in; tables, JSON and a page out.

use std::io::Write as _;

use crate::desk::{DAY, Desk, HEADER, HOUR, INCIDENT, START, counts, department, incident_of_care, seconds, text};

#[test]
fn an_incident_at_a_known_time_is_found_and_told_with_its_onset() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(28));
    desk.write("incidents.csv", incident_of_care());
    let run = desk.json(&["--counts", "counts.csv", "--incidents", "incidents.csv"]);
    let alert = run["alerts"].as_array().unwrap().iter().find(|alert| alert["department"] == "care").unwrap();
    assert_eq!(alert["severity"], "page");
    assert!((INCIDENT..INCIDENT + HOUR).contains(&seconds(&alert["started"])), "{alert}");
    assert!((seconds(&alert["since"]) - INCIDENT).abs() <= HOUR, "{alert}");
    assert!(seconds(&alert["ended"]) > INCIDENT + 3 * HOUR, "{alert}");
    assert!(alert["peak_p"].as_f64().unwrap() < 1e-3, "{alert}");
    let care = department(&run, "care");
    assert_eq!((care["listed"].as_u64(), care["detected"].as_u64()), (Some(1), Some(1)));
    assert!(care["median_delay_seconds"].as_u64().unwrap() < HOUR.unsigned_abs());
    assert_eq!(care["trade_off"].as_array().unwrap().len(), 6);
    assert_eq!(run["step_seconds"], 300);
    assert_eq!(department(&run, "billing")["listed"], 0);
    // A larger budget finds no later.
    let delays: Vec<_> = care["trade_off"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|point| point["listed"]["median_delay_seconds"].as_u64())
        .collect();
    assert!(!delays.is_empty() && delays.is_sorted_by(|small, large| small >= large), "{delays:?}");
    let shifts = &care["trade_off"][5]["shifts"];
    assert!(shifts["count"].as_u64().unwrap() >= 3 && shifts["found_share"].as_f64().unwrap() > 0.5, "{shifts}");
}

#[test]
fn the_same_history_gives_the_same_output_packed_or_not() {
    let desk = Desk::new();
    let counts = counts(22);
    desk.write("counts.csv", &counts);
    desk.write("counts.csv.zst", zstd::encode_all(counts.as_bytes(), 1).unwrap());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(counts.as_bytes()).unwrap();
    desk.write("counts.csv.gz", packed.finish().unwrap());
    let run = |name: &str| {
        let mut run = desk.json(&["--counts", name]);
        assert_eq!(run["source"]["name"].take(), name);
        run
    };
    let plain = run("counts.csv");
    assert_eq!(run("counts.csv.zst"), plain);
    assert_eq!(run("counts.csv.gz"), plain);
}

#[cfg(unix)]
#[test]
fn counts_come_through_a_pipe_too() {
    let desk = Desk::new();
    let file = desk.write("counts.csv", counts(22));
    let run = |source: std::process::Stdio| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_latido"));
        command.args(["backtest", "--counts", "/dev/stdin", "--json"]).env_clear().stdin(source);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let mut cat = std::process::Command::new("cat").arg(&file).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let piped = run(cat.stdout.take().unwrap().into());
    assert!(cat.wait().unwrap().success());
    let whole = run(std::fs::File::open(&file).unwrap().into());
    assert_eq!((&piped["alerts"], &piped["messages"]), (&whole["alerts"], &whole["messages"]));
    assert!(!piped["alerts"].as_array().unwrap().is_empty());
}

#[test]
fn the_mutes_of_the_config_hold_in_a_run_too() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(28));
    desk.write(
        "latido.toml",
        "[[departments]]\nid = \"care\"\n\n[[mutes]]\ndepartments = [\"care\"]\nfrom = 2026-01-25T00:00:00Z\nuntil = 2026-01-27T00:00:00Z\n",
    );
    let of_care = |run: &serde_json::Value| {
        run["alerts"].as_array().unwrap().iter().filter(|alert| alert["department"] == "care").count() as u64
    };
    let plain = desk.json(&["--counts", "counts.csv"]);
    let muted = desk.json(&["--counts", "counts.csv", "--config", "latido.toml"]);
    assert_eq!((plain["muted"].as_u64(), of_care(&muted)), (Some(0), 0));
    assert_eq!(muted["muted"].as_u64(), Some(of_care(&plain)));
    let told = desk.run(&["--counts", "counts.csv", "--config", "latido.toml"]);
    assert!(text(&told.stdout).contains("alerts that mutes of the config held from first to last"), "{told:?}");
}

#[test]
fn people_get_tables_and_a_page_that_needs_nothing_else() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(28));
    desk.write("incidents.csv", incident_of_care());
    let output = desk.run(&["--counts", "counts.csv", "--incidents", "incidents.csv", "--report", "report.html"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "no progress bar where there is no terminal");
    let table = text(&output.stdout);
    for part in ["28.0 days in steps of 5m", "1 of 1", "false/28d", "What each budget would have meant", "care"] {
        assert!(table.contains(part), "{part} in {table}");
    }
    let page = std::fs::read_to_string(desk.path("report.html")).unwrap();
    for part in ["<svg", "prefers-color-scheme:dark", "listed incidents", "<h3>care</h3>"] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http:", "https:", "src=", "@import", "NaN", "inf,"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn a_smaller_budget_never_opens_more_and_impossible_ones_are_refused() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(22));
    let alerts =
        |budget: &str| desk.json(&["--counts", "counts.csv", "--budget", budget])["alerts"].as_array().unwrap().len();
    assert!(alerts("0.05") <= alerts("30"));
    for (budget, told) in [
        ("0", "rarer than chance can be told from"),
        ("-1", "no number of false alarms; write a number from 0.05 to 30"),
        ("1000", "more than one a day"),
        ("many", "expected a number from 0.05 to 30"),
        ("NaN", "no number of false alarms"),
    ] {
        let (code, error) = desk.refused(&["--counts", "counts.csv", "--budget", budget]);
        assert!(code == Some(2) && error.contains(told), "{budget}: {error}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_line_reason_and_remedy() {
    let desk = Desk::new();
    for (rows, expected) in [
        ("0,a,1,0,0\n60,a,1,0,0\n60,a,1,0,0\n", "counts.csv:4: a second row of \"a\""),
        ("60,a,1,0,0\n0,a,1,0,0\n", "counts.csv:3: the time 1970-01-01T00:00:00Z is before"),
        ("0,a,1,-1,0\n", "counts.csv:2: `negative` is \"-1\"; write a whole number"),
        ("0,a,1,2,0\n", "counts.csv:2: 2 negative of 1 messages"),
        ("0,a\n", "counts.csv:2: 2 columns in place of 5"),
        (
            "2026-10-25T02:30:00,a,1,0,0\n",
            "counts.csv:2: the time \"2026-10-25T02:30:00\" has no offset; local times are ambiguous",
        ),
        ("0,a,1,0,0\n7,a,1,0,0\n", "counts.csv:3: the time 1970-01-01T00:00:07Z is on no grid of 10s"),
        ("0,a,1,0,0\n604800,a,1,0,0\n", "a step of 168h cannot be used"),
        ("", "counts.csv: it holds no row"),
    ] {
        desk.write("counts.csv", format!("{HEADER}{rows}"));
        let (code, error) = desk.refused(&["--counts", "counts.csv"]);
        assert!(code == Some(1) && error.contains(expected), "{expected} in {error}");
    }
}

#[test]
fn a_header_that_is_nearly_right_is_told_what_is_wrong_with_it() {
    let desk = Desk::new();
    for (header, told) in [
        (HEADER.replace(',', ";"), "negative,frustrated: separate by commas"),
        (HEADER.to_uppercase(), "negative,frustrated, in small letters"),
        (
            HEADER.replace("frustrated", "frustrated,channel"),
            "negative,frustrated and nothing more: leave other columns out",
        ),
        (HEADER.replace("time,department", "department,time"), "negative,frustrated, in this order"),
        ("a,b\n".to_owned(), "the first line must be time,department,messages,negative,frustrated\n"),
    ] {
        desk.write("counts.csv", header);
        let (code, error) = desk.refused(&["--counts", "counts.csv"]);
        assert!(code == Some(1) && error.contains(told), "{told} in {error}");
    }
    let (code, error) = desk.refused(&["--counts", "-"]);
    assert!(code == Some(1) && error.contains("for standard input name /dev/stdin"), "{error}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    let desk = Desk::new();
    for (arguments, told) in [
        ([].as_slice(), "--input <FILE>"),
        (&["--counts", "a", "--input", "b"], "cannot be used with"),
        (&["--counts", "a", "--step", "7m"], "must be 10s to 1h"),
        (&["--input", "a", "--step", "5m"], "cannot be used with"),
    ] {
        let (code, error) = desk.refused(arguments);
        assert!(code == Some(2) && error.contains(told), "{told} in {error}");
    }
}

#[test]
fn incidents_of_a_department_that_is_not_there_are_refused() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(2));
    desk.write("incidents.csv", "department,start,end\ncaer,1767571200,1767574800\n");
    let (code, error) = desk.refused(&["--counts", "counts.csv", "--incidents", "incidents.csv"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("incidents.csv:2: the history has no department \"caer\""), "{error}");
}

#[test]
fn a_day_in_which_nothing_was_recorded_is_skipped_and_told() {
    let desk = Desk::new();
    let hole = START + 10 * DAY..START + 12 * DAY;
    let is_kept = |line: &&str| line.split(',').next().unwrap().parse().map_or(true, |time: i64| !hole.contains(&time));
    let rows: Vec<String> = counts(22).lines().filter(|line| is_kept(line)).map(|line| format!("{line}\n")).collect();
    desk.write("counts.csv", rows.concat());
    let output = desk.run(&["--counts", "counts.csv"]);
    let told = "not recorded, skipped: 2026-01-15T00:00:00Z to 2026-01-17T00:00:00Z";
    assert!(text(&output.stdout).contains(told), "{output:?}");
    let run = desk.json(&["--counts", "counts.csv"]);
    assert!(run["alerts"].as_array().unwrap().iter().all(|alert| alert["kind"] != "silence"), "{run}");
    assert!((department(&run, "care")["days"].as_f64().unwrap() - 20.0).abs() < 0.1);
}

#[test]
fn a_file_that_is_read_is_not_written_over_and_a_place_that_is_not_there_is_told_before_the_run() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(2));
    for (arguments, told) in [
        (["--report", "counts.csv"].as_slice(), "--report counts.csv is read too and would be lost"),
        (&["--learn", "nowhere/baselines"], "there is no directory nowhere"),
        (&["--learn", "."], "is a directory"),
        (&["--learn", "a", "--report", "a"], "name the same file"),
    ] {
        let (code, error) = desk.refused(&[&["--counts", "counts.csv"], arguments].concat());
        assert!(code == Some(1) && error.contains(told), "{told} in {error}");
    }
    assert_eq!(std::fs::read_to_string(desk.path("counts.csv")).unwrap(), counts(2));
}

#[test]
fn a_department_of_one_message_a_week_is_run_with_a_step_that_is_said() {
    let desk = Desk::new();
    let rows: String = (0..60).map(|week| format!("{},rare,1,1,0\n", START + week * 7 * DAY)).collect();
    desk.write("counts.csv", format!("{HEADER}{rows}"));
    let run = desk.json(&["--counts", "counts.csv", "--step", "5m"]);
    assert_eq!(
        run["not_recorded"].as_array().unwrap().len(),
        59,
        "alone it does not tell silence from a broken recorder"
    );
    assert_eq!(run["alerts"], serde_json::json!([]));
    // Beside a busy department it is silent most of the time.
    let busy = counts(22)
        .replace("care", "rare")
        .lines()
        .skip(1)
        .filter(|line| line.contains("billing") || line.starts_with(&format!("{START},")))
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    desk.write("counts.csv", format!("{HEADER}{busy}"));
    let run = desk.json(&["--counts", "counts.csv"]);
    assert_eq!(run["not_recorded"], serde_json::json!([]));
    assert_eq!(department(&run, "rare")["alerts"], 0);
}
