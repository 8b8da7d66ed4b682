//! A wrong config says what is wrong, where, and what to do. Each snapshot is a promise about the words.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use insta::assert_snapshot;
use latido::config::{self, Origin};

/// What `load` says to a file of that text and to these variables; the directory of the file is left out.
fn refusal(toml: &str, environment: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latido.toml");
    std::fs::write(&file, toml).unwrap();
    let error = config::load(Some(&file), variables(environment)).expect_err("a wrong config is refused");
    error.to_string().replace(&format!("{}/", directory.path().display()), "")
}

fn variables(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_unknown_key_is_answered_with_the_meant_one() {
    assert_snapshot!(refusal(
        r#"
        topics = ["in"]
        kafak = { group = "a" }

        [kafka]
        broker = "a:9092"
        grupo = "latido"
        deadletter_topic = "dead"

        [windows]
        hold = "3m"
        colour = "red"

        [[departments]]
        id = "billing"
        alias = ["pagos"]
        timezone = "UTC"
        "#,
        &[]
    ));
}

#[test]
fn a_wrong_type_is_answered_with_how_to_write_it() {
    assert_snapshot!(refusal(
        r#"
        pipeline = "fast"
        departments = ["billing", "support"]

        [kafka]
        brokers = 9092
        topics = ["in", 5]
        group = 123
        session_timeout = 6
        start = "yesterday"
        properties = { "security.protocol" = ["ssl"] }

        [input]
        max_text_bytes = -1
        text = true

        [windows]
        lengths = "5m"
        lateness = "30 parsecs"

        [detect]
        min_seen = 1.5
        false_alarms_per_month = "few"

        [http]
        listen = "localhost:9464"

        [log]
        format = "jsno"
        level = 3
        "#,
        &[]
    ));
}

#[test]
fn every_department_is_checked_though_the_first_is_wrong() {
    assert_snapshot!(refusal(
        r#"
        [[departments]]
        team = "billing-oncall"

        [[departments]]
        id = 7

        [[departments]]
        id = "support"
        aliases = "soporte"
        "#,
        &[]
    ));
}

#[test]
fn toml_that_is_none_is_named_by_its_line() {
    assert_snapshot!(refusal("[kafka]\ngroup = \"latido\"\ntopics = [\"in\"\nstart = 1\n", &[]));
    assert_snapshot!(refusal("[kafka]\ngroup = \"a\"\ngroup = \"b\"\n", &[]));
    assert_snapshot!(refusal("kafka.brokers: localhost\n", &[]));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let not_text = directory.path().join("latido.bin");
    std::fs::write(&not_text, [0xff, 0xfe, 0x00]).unwrap();
    for file in [not_text.as_path(), &directory.path().join("missing.toml"), directory.path()] {
        let error = config::load(Some(file), []).unwrap_err();
        let [problem] = error.problems() else { panic!("one problem, not {error}") };
        assert_eq!(problem.origin, Origin::File { path: file.to_owned(), line: None });
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    }
    assert_snapshot!(config::load(Some(Path::new("/nowhere/latido.toml")), []).unwrap_err());
}

#[test]
fn impossible_kafka_settings_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [kafka]
        brokers = ["kafka-1:0", "kafka 2:9092", "", "ssl://kafka-3:9093", "[::1]:9092", "kafka-4"]
        topics = ["in", "in", "^chat.*", "a b"]
        group = " "
        group_instance_id = ""
        session_timeout = "3s"
        dead_letter_topic = "in"
        "#,
        &[]
    ));
    assert_snapshot!(refusal("[kafka]\nbrokers = []\ntopics = []\nsession_timeout = \"31m\"\n", &[]));
    assert_snapshot!(refusal("[kafka]\nsession_timeout = \"6m\"\n", &[]));
    let properties = "[kafka.properties]\n\"max.poll.interval.ms\" = 5000\n";
    assert_snapshot!(refusal(properties, &[]));
}

#[test]
fn properties_that_the_daemon_owns_are_refused_with_the_reason() {
    assert_snapshot!(refusal(
        r#"
        [kafka.properties]
        "bootstrap.servers" = "a:9092"
        "metadata.broker.list" = "a:9092"
        "group.id" = "a"
        "group.instance.id" = "a"
        "session.timeout.ms" = 6000
        "heartbeat.interval.ms" = 6000
        "auto.offset.reset" = "latest"
        "enable.auto.commit" = true
        "enable.auto.offset.store" = true
        "enable.partition.eof" = false
        "partition.assignment.strategy" = "roundrobin"
        "group.protocol" = "consumer"
        "statistics.interval.ms" = 0
        "queued.max.messages.kbytes" = 1000000
        "transactional.id" = "a"
        "message.max.bytes" = 5
        "#,
        &[]
    ));
}

#[test]
fn properties_that_librdkafka_does_not_take_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [kafka.properties]
        "securty.protocol" = "ssl"
        "security.protocol" = "tls"
        "socket.timeout.ms" = 3
        "no.such.thing" = 1
        "sasl.passwrod" = "hunter2"
        "#,
        &[]
    ));
}

#[test]
fn a_secret_that_cannot_be_had_is_an_error_and_is_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let (empty, full) = (directory.path().join("empty"), directory.path().join("full"));
    std::fs::write(&empty, "\n").unwrap();
    std::fs::write(&full, "hunter2\n").unwrap();
    let toml = format!(
        r#"
        [kafka.properties]
        "sasl.password_file" = "/nowhere/password"
        "ssl.key.password_file" = {empty:?}
        "ssl.keystore.password" = "hunter3"
        "ssl.keystore.password_file" = {full:?}
        "group.id_file" = {full:?}
        "sasl.pasword_file" = {full:?}
        "#
    );
    let refusal = refusal(&toml, &[]).replace(directory.path().to_str().unwrap(), "DIR");
    assert!(!refusal.contains("hunter"), "{refusal}");
    assert_snapshot!(refusal);
}

#[test]
fn impossible_windows_and_thresholds_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [input]
        text = "text"
        id = "meta.id"
        author = "/a~2b"
        max_text_bytes = 0
        future_skew = "25h"

        [windows]
        lengths = ["5m", "15s", "0s", "25h", "5m", "100ms"]
        lateness = "61m"
        alignment = "9s"
        idle_after = "0s"

        [detect]
        false_alarms_per_month = 0
        hold = "25h"
        learn_messages = 0
        min_seen = 0
        prior_negative_ratio = 1.5
        prior_frustrated_ratio = nan
        "#,
        &[]
    ));
    assert_snapshot!(refusal("[detect]\nfalse_alarms_per_month = 1000\n", &[]));
}

#[test]
fn texts_longer_than_any_that_is_scored_are_not_asked_for() {
    let refused = refusal("[input]\nmax_text_bytes = 65537\n", &[]);
    assert!(refused.contains("65537") && refused.contains("at most 65536"), "{refused}");
}

#[test]
fn a_default_that_no_longer_fits_is_called_a_default() {
    assert_snapshot!(refusal("[pipeline]\nbatch_bytes = 30_000_000\n", &[]));
}

#[test]
fn a_default_that_a_line_of_the_file_made_impossible_names_that_line() {
    let said = refusal("[pipeline]\nbatch_bytes = 33554433\n", &[]);
    assert!(said.contains("`pipeline.batch_bytes` is 33554433 by latido.toml:2"), "{said}");
}

#[test]
fn impossible_departments_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [[departments]]
        id = "billing"
        aliases = ["Facturación", "other", ""]
        time_zone = "America/Mexico"

        [[departments]]
        id = "billing"
        aliases = ["FACTURACION", "soporte"]
        time_zone = "Mexico City"
        expected_negative_ratio = 1.01

        [[departments]]
        id = "Atención al Cliente"
        aliases = ["Billing"]
        time_zone = "Somewhere"
        expected_frustrated_ratio = -0.1
        team = "one\ntwo"

        [[departments]]
        id = ""
        "#,
        &[]
    ));
}

#[test]
fn more_than_ten_thousand_departments_are_refused() {
    let tables =
        |count: usize| (0..count).map(|place| format!("[[departments]]\nid = \"d{place}\"\n")).collect::<String>();
    assert_snapshot!(refusal(&tables(10_001), &[]));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latido.toml");
    std::fs::write(&file, tables(10_000)).unwrap();
    assert_eq!(config::load(Some(&file), []).unwrap().config.departments.len(), 10_000);
}

#[test]
fn impossible_places_and_sizes_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [scorer]
        model = "/nowhere/model.bin"

        [checkpoint]
        directory = ""
        interval = "0s"

        [http]
        listen = "127.0.0.1:9464"
        metrics_listen = "0.0.0.0:9464"
        token_file = "/nowhere/token"

        [pipeline]
        score_threads = 2000
        batch_records = 0
        batch_bytes = 100
        in_flight_bytes = 99
        drain_timeout = "6m"

        [log]
        level = "inof,rdkafka=loud"
        "#,
        &[]
    ));
}

#[test]
fn a_topic_of_alert_events_that_holds_something_else_and_a_source_that_is_none_are_refused() {
    for other in ["messages", "dead", "state"] {
        let told = refusal(
            &format!(
                r#"
                [kafka]
                topics = ["messages"]
                dead_letter_topic = "dead"

                [alerts]
                topic = "{other}"

                [checkpoint]
                store = "kafka"
                topic = "state"
                "#
            ),
            &[],
        );
        assert!(told.contains("alerts.topic") && told.contains("name a topic that holds nothing else"), "{told}");
    }
    assert_snapshot!(refusal("[alerts]\ntopic = \"a b\"\nsource = \"the daemon\"\n", &[]));
}

#[test]
fn the_api_is_not_opened_to_the_network_without_a_token() {
    assert_snapshot!(refusal("[http]\nlisten = \"0.0.0.0:9464\"\n", &[]));
    assert_snapshot!(refusal("", &[("LATIDO__HTTP__LISTEN", "[::]:9464")]));
}

#[test]
fn a_token_that_guards_nothing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    for text in ["", "\n", "fifteen-letters\n", "two words of enough letters", "señal-señal-señal-señal"] {
        std::fs::write(&file, text).unwrap();
        let refusal = refusal(&format!("[http]\ntoken_file = {file:?}\n"), &[]);
        assert!(refusal.contains("latido.toml:2: http.token_file = "), "{refusal}");
        assert!(text.trim().is_empty() || !refusal.contains(text.trim()), "{refusal}");
    }
    std::fs::write(&file, " sixteen-letters! \n").unwrap();
    let environment = [("LATIDO__HTTP__TOKEN_FILE", file.to_str().unwrap()), ("LATIDO__HTTP__LISTEN", "0.0.0.0:0")];
    config::load(None, variables(&environment)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn variables_are_named_where_they_are_wrong() {
    assert_snapshot!(refusal(
        "",
        &[
            ("LATIDO__KAFKA__TOPIC", "in"),
            ("LATIDO__KAFKA__TOPICS", "[\"in\""),
            ("LATIDO_KAFKA_GROUP", "latido"),
            ("LATIDO__DEPARTMENTS__0__ID", "billing"),
            ("LATIDO__NONSENSE", "1"),
            ("LATIDO__", "1"),
            ("LATIDO__KAFKA__PROPERTIES", "{\"sasl.password\": \"hunter2\""),
            ("LATIDO__WINDOWS__LENGTHS", "5m, 1h"),
            ("LATIDO__WINDOWS__LATENESS", "30"),
            ("LATIDO__DETECT__MIN_SEEN", "ten"),
            ("LATIDO__LOG", "{\"lvel\": \"info\"}"),
            ("LATIDO__LOG__FORMAT", "xml"),
        ]
    ));
}

#[test]
fn other_variables_are_none_of_our_business() {
    let environment = variables(&[("PATH", "/bin"), ("LATIDO_CONFIG", "x"), ("LATIDO", "x"), ("LATIDOS__KAFKA", "x")]);
    assert_eq!(config::load(None, environment).unwrap().config, config::Config::default());
}

#[test]
fn late_records_are_not_set_aside_without_a_topic_for_them() {
    let words = refusal("[kafka]\nbrokers = [\"kafka:9092\"]\ntopics = [\"in\"]\ndead_letter_late = true\n", &[]);
    assert!(words.contains("kafka.dead_letter_late = true: there is no topic for them"), "{words}");
    assert!(words.contains("set `kafka.dead_letter_topic`, or leave it out"), "{words}");
}

#[test]
fn a_severe_signal_that_there_is_not_is_answered_with_those_there_are() {
    assert_snapshot!(refusal(
        r#"
        [detect]
        severe_signals = ["fraude"]
        "#,
        &[]
    ));
    assert_snapshot!(refusal("", &[("LATIDO__DETECT__SEVERE_SIGNALS", r#"["fraud", "fraud"]"#)]));
    assert_snapshot!(refusal("[detect]\nsevere_signals = \"fraud\"\n", &[]));
    assert_snapshot!(refusal("[detect]\nsevere_signals = [\"lawsuits\"]\n", &[]));
}

#[test]
fn severe_signals_of_a_department_and_the_limit_of_a_day_are_checked_like_any_others() {
    assert_snapshot!(refusal(
        r#"
        [detect]
        severe_open_per_day = "30m"
        [[departments]]
        id = "claims"
        severe_signals = ["fraud", "fraud"]
        "#,
        &[]
    ));
    assert_snapshot!(refusal("[[departments]]\nid = \"claims\"\nsevere_signals = [\"fraude\"]\n", &[]));
}

#[test]
fn a_key_that_anybody_guesses_or_nobody_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let short = directory.path().join("short");
    std::fs::write(&short, "hunter2\n").unwrap();
    let key_file = |path: &Path| {
        let text = format!("[privacy]\nkey_file = {:?}\n", path.display().to_string());
        refusal(&text, &[]).replace(&directory.path().display().to_string(), "DIR")
    };
    assert_snapshot!(key_file(&short));
    assert_snapshot!(key_file(&directory.path().join("missing")));
}

#[test]
fn mutes_that_mute_nothing_or_at_no_time_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [[departments]]
        id = "billing"

        [[mutes]]

        [[mutes]]
        departments = ["bilings", "*"]
        kinds = ["silense", "company_wide", "anger", "silence", "silence"]

        [[mutes]]
        departments = ["billing", "other"]
        kinds = ["company_wide"]
        from = "2026-05-02T00:00:00Z"
        until = "2026-05-01T23:00:00Z"
        time_zone = "UTC"
        reason = "one\ntwo"

        [[mutes]]
        departments = ["billing"]
        from = 2026-05-02T00:00:00Z
        until = "2026-05-02T02:00:00+02:00"
        days = ["sat", "sun", "saturday"]
        start_time = "02:00"
        end_time = "2:00"
        time_zone = "Mexico City"

        [[mutes]]
        departments = ["*"]
        start_time = "24:00"

        [[mutes]]
        departments = ["*"]
        end_time = "00:00"
        "#,
        &[]
    ));
}

#[test]
fn mutes_of_the_wrong_type_are_answered_with_how_to_write_them() {
    assert_snapshot!(refusal(
        r#"
        mutes = [
            "billing",
            { department = "billing", until = "tomorrow" },
            { departments = "billing", from = "2026-05-02T00:00:00", maintenance = "yes" },
            { departments = ["billing"], start_time = "2 am", end_time = "25:00", days = ["weekend", "mon"] },
        ]
        "#,
        &[]
    ));
    assert_snapshot!(refusal("[[maintenance]]\ndepartments = [\"billing\"]\n", &[]));
    assert_snapshot!(refusal("", &[("LATIDO__MUTES__0__REASON", "why"), ("LATIDO__MUTES", "[billing]")]));
}

#[test]
fn tickets_rarer_than_pages_and_kinds_that_cannot_be_tickets_are_refused() {
    assert_snapshot!(refusal("[detect]\ntickets_per_month = 0.5\nticket_kinds = [\"surge\", \"company_wide\"]\n", &[]));
}

#[test]
fn a_variable_that_names_no_key_of_its_table_is_answered_with_the_keys_and_not_with_the_table() {
    let told = refusal("", &[("LATIDO__DETECT__BUDGET", "3")]);
    assert!(told.contains("`detect.false_alarms_per_month`") && !told.contains("`LATIDO__DETECT`"), "{told}");
}

#[test]
fn impossible_limits_of_the_transformer_are_refused() {
    assert_snapshot!(refusal(
        r#"
        [scorer.transformer]
        directory = "no/such"
        deadline = "5m"
        max_wait = "3m"
        workers = 1000
        max_batch_tokens = 0
        max_waiting_texts = 0
        cache_texts = 20000000

        [scorer.cascade]
        max_share = 1.5
        "#,
        &[]
    ));
}

#[cfg(not(feature = "transformer"))]
#[test]
fn a_scorer_that_this_build_has_not_is_answered_with_how_to_build_it() {
    assert_snapshot!(refusal(
        r#"
        [scorer]
        kind = "cascade"

        [scorer.transformer]
        deadline = "5s"
        "#,
        &[]
    ));
}
