//! What a run tells of alerts, incidents and rates, and what it says that it cannot tell.

use crate::desk::{DAY, Desk, HEADER, HOUR, INCIDENT, START, counts, department, incident_of_care, seconds, text};

#[test]
fn a_listed_incident_that_a_mute_kept_from_everybody_is_neither_found_nor_missed() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(28));
    desk.write("incidents.csv", incident_of_care());
    let arguments = ["--counts", "counts.csv", "--incidents", "incidents.csv", "--config", "latido.toml"];
    let care_muted = |about: &str| {
        let mute = format!("[[departments]]\nid = \"care\"\n\n[[mutes]]\ndepartments = [\"care\"]\n{about}\n");
        desk.write("latido.toml", mute);
        let run = desk.json(&arguments);
        assert_eq!(run["listed_left_out"], 0, "{about}");
        department(&run, "care").clone()
    };
    let (listed, none) = (serde_json::json!(1), serde_json::json!(0));
    let day = "from = 2026-01-25T00:00:00Z\nuntil = 2026-01-26T00:00:00Z";
    let all_kinds = care_muted(day);
    assert_eq!((&all_kinds["listed"], &all_kinds["listed_muted"], &all_kinds["detected"]), (&none, &listed, &none));
    assert_eq!(all_kinds["trade_off"][5]["listed"]["count"], 0);
    let told = desk.run(&arguments);
    assert!(text(&told.stdout).contains("left out: 1 listed incident "), "{}", text(&told.stdout));
    let those_found = care_muted(&format!("kinds = [\"negative_sentiment\", \"frustration\"]\n{day}"));
    assert_eq!((&those_found["listed"], &those_found["listed_muted"]), (&none, &listed), "its alerts were held");
    let others = care_muted(&format!("kinds = [\"silence\"]\n{day}"));
    assert_eq!((&others["listed"], &others["listed_muted"], &others["detected"]), (&listed, &none, &listed));
    let its_beginning = care_muted("from = 2026-01-25T11:00:00Z\nuntil = 2026-01-25T14:00:00Z");
    assert_eq!((&its_beginning["listed"], &its_beginning["detected"]), (&listed, &listed), "it paged at 14:00");
    assert!(its_beginning["median_delay_seconds"].as_u64() >= Some(7_200), "{its_beginning}");
}

#[test]
fn of_a_short_history_the_output_says_that_it_tells_no_rate() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(2).replace("billing", "shop"));
    let output = desk.run(&["--counts", "counts.csv", "--report", "report.html"]);
    let page = std::fs::read_to_string(desk.path("report.html")).unwrap();
    let caution = "Caution: too short a time to tell rates of shop, care, and for all together. At a budget of 1 it takes 84 days";
    let told = |part: &str| text(&output.stdout).contains(part) || panic!("{part} in {}", text(&output.stdout));
    assert!(told(caution) && page.contains(caution));
    assert!(told("0.00 to 51.64"), "of nothing in two days, 3.69 in 28 times as long");
    let run = desk.json(&["--counts", "counts.csv"]);
    let care = department(&run, "care");
    assert_eq!((&care["too_short"], &run["total"]["too_short"]), (&serde_json::json!(true), &serde_json::json!(true)));
    assert_eq!(care["false_alarms_per_month_interval"][0], 0.0);
    assert!((care["trade_off"][0]["alarms_per_month_interval"][1].as_f64().unwrap() - 51.64).abs() < 0.01, "{care}");
    // More of a budget needs less time.
    let enough = desk.json(&["--counts", "counts.csv", "--budget", "30"]);
    assert_eq!(
        (&department(&enough, "care")["too_short"], &enough["total"]["too_short"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn one_is_told_as_one_and_days_add_up_as_they_are_shown() {
    let desk = Desk::new();
    let rows: String =
        (0..400).map(|step| format!("{},care,{},0,0\n", START + step * 300, i64::from(step == 0))).collect();
    desk.write("counts.csv", format!("{HEADER}{rows}"));
    let output = desk.run(&["--counts", "counts.csv"]);
    assert!(text(&output.stdout).contains("\n1 message of 1 department\n"), "{}", text(&output.stdout));
    let of_three = |step: i64| ["a", "b", "c"].map(|name| format!("{},{name},1,0,0\n", START + step * 300)).concat();
    desk.write("counts.csv", format!("{HEADER}{}", (0..390).map(of_three).collect::<String>()));
    let output = desk.run(&["--counts", "counts.csv"]);
    let days = |name: &str| {
        let line = text(&output.stdout).lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_eq!(["a", "b", "c", "all"].map(days), ["1.4", "1.4", "1.4", "4.2"], "1.354 each");
}

#[test]
fn every_paging_alert_is_told_to_be_true_or_false_where_incidents_are_listed() {
    let desk = Desk::new();
    let other = START + 24 * DAY;
    let and_another = |(time, rest): (i64, &str)| match (other..other + 3 * HOUR).contains(&time) {
        true => format!("{time},care,30,20,12\n"),
        false => format!("{time},{rest}\n"),
    };
    let rows = counts(28);
    let rows = rows.lines().skip(1).map(|line| line.split_once(',').map(|(time, rest)| (time.parse().unwrap(), rest)));
    let rows: Vec<String> = rows.flatten().filter(|(_, rest)| rest.starts_with("care")).map(and_another).collect();
    desk.write("counts.csv", format!("{HEADER}{}", rows.concat()));
    desk.write("incidents.csv", incident_of_care());
    let arguments = ["--counts", "counts.csv", "--incidents", "incidents.csv", "--report", "report.html"];
    let run = desk.json(&arguments);
    let alerts = run["alerts"].as_array().unwrap();
    let near =
        |alert: &serde_json::Value, moment: i64| (moment..moment + 4 * HOUR).contains(&seconds(&alert["started"]));
    let of_listed = alerts.iter().find(|alert| near(alert, INCIDENT)).unwrap();
    let listed = serde_json::json!([{ "start": "2026-01-25T12:00:00Z", "end": "2026-01-25T15:00:00Z" }]);
    assert_eq!((&of_listed["true_alarm"], &of_listed["listed"]), (&serde_json::json!(true), &listed));
    let of_other = alerts.iter().find(|alert| near(alert, other)).unwrap();
    assert_eq!((&of_other["true_alarm"], &of_other["listed"]), (&serde_json::json!(false), &serde_json::json!([])));
    let output = desk.run(&arguments);
    let page = std::fs::read_to_string(desk.path("report.html")).unwrap();
    for part in ["of a listed incident", "true: 2026-01-25T12:00:00Z", "false"] {
        assert!(text(&output.stdout).contains(part) && page.contains(part), "{part} in {}", text(&output.stdout));
    }
    let plain = desk.json(&["--counts", "counts.csv"]);
    assert!(plain["alerts"].as_array().unwrap().iter().all(|alert| alert["true_alarm"].is_null()), "{plain}");
}

#[test]
fn of_many_alerts_the_newest_are_shown() {
    let desk = Desk::new();
    // Not much of an hour is usual after a week, and each of these is far beyond it.
    let rows = (0..60 * DAY / 3_600).map(|hour| {
        let is_bad = hour > 10 * 24 && hour % 36 < 3;
        format!("{},care,200,{},20\n", START + hour * HOUR, if is_bad { 190 } else { 40 + hour % 5 })
    });
    desk.write("counts.csv", format!("{HEADER}{}", rows.collect::<String>()));
    let output = desk.run(&["--counts", "counts.csv", "--report", "report.html", "--budget", "30"]);
    let run = desk.json(&["--counts", "counts.csv", "--budget", "30"]);
    let alerts = run["alerts"].as_array().unwrap();
    assert!(alerts.len() > 30, "{}", alerts.len());
    let table = text(&output.stdout);
    let (first, last) = (alerts[0]["started"].as_str().unwrap(), alerts.last().unwrap()["started"].as_str().unwrap());
    assert!(table.contains(last) && !table.contains(first), "{table}");
    let told = format!("{} older alert", alerts.len() - 30);
    assert!(table.contains(&told) && table.contains("--json has"), "{told} in {table}");
    let page = std::fs::read_to_string(desk.path("report.html")).unwrap();
    assert!(page.contains(first) && page.contains(last));
}

#[test]
fn the_trade_off_has_a_row_for_the_budget_that_was_run() {
    let desk = Desk::new();
    desk.write("counts.csv", counts(22));
    let budgets = |budget: &str| {
        let run = desk.json(&["--counts", "counts.csv", "--budget", budget]);
        let of = |outcome: &serde_json::Value| -> Vec<f64> {
            outcome["trade_off"].as_array().unwrap().iter().map(|point| point["budget"].as_f64().unwrap()).collect()
        };
        assert_eq!(of(&run["total"]), of(department(&run, "care")));
        of(&run["total"])
    };
    assert_eq!(budgets("3"), [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 8.0]);
    assert_eq!(budgets("20").last(), Some(&20.0));
    assert_eq!(budgets("2").len(), 6);
    let output = desk.run(&["--counts", "counts.csv", "--budget", "3", "--report", "report.html"]);
    let page = std::fs::read_to_string(desk.path("report.html")).unwrap();
    let table = text(&output.stdout);
    assert!(table.matches("3 (this run)").count() == 2 && page.contains("<td>3 (this run)</td>"), "{table}");
}
