//! Defaults, file, environment: what wins, what it becomes, and who is named for it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::path::PathBuf;

use latido::config::{self, Config, Loaded, LogFormat, Origin, Span, StartPosition};
use proptest::prelude::*;

struct Given {
    directory: tempfile::TempDir,
    file: PathBuf,
}

fn given(toml: &str) -> Given {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("latido.toml");
    std::fs::write(&file, toml).unwrap();
    Given { directory, file }
}

impl Given {
    fn load(&self, environment: &[(&str, &str)]) -> Loaded {
        config::load(Some(&self.file), variables(environment)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn line(&self, line: usize) -> Origin {
        Origin::File { path: self.file.clone(), line: Some(line) }
    }

    fn secret(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn variables(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from_environment(environment: &[(&str, &str)]) -> Config {
    config::load(None, variables(environment)).unwrap_or_else(|error| panic!("{error}")).config
}

fn variable(name: &str) -> Origin {
    Origin::Environment { variable: name.to_owned() }
}

#[test]
fn nothing_given_means_the_defaults() {
    let loaded = config::load(None, []).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.origins.iter().count(), 0);
    assert_eq!(given("").load(&[]).config, Config::default());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let given = given("[kafka]\ngroup = \"file\"\ntopics = [\"file\"]\n\n[windows]\nlateness = \"1m\"\n");
    let loaded = given.load(&[("LATIDO__KAFKA__GROUP", "environment")]);
    assert_eq!(loaded.config.kafka.group, "environment");
    assert_eq!(loaded.config.kafka.topics, ["file"]);
    assert_eq!(loaded.config.windows.lateness, Span::from_secs(60));
    assert_eq!(loaded.config.windows.alignment, Config::default().windows.alignment);
}

#[test]
fn each_value_knows_who_set_it() {
    let given = given(
        "[kafka]\ngroup = \"file\"\ntopics = [\n  \"file\",\n]\n\n[kafka.properties]\n\"client.id\" = \"a\"\n\n[[departments]]\nid = \"a\"\n[[departments]]\nid = \"b\"\n",
    );
    let loaded = given
        .load(&[("LATIDO__KAFKA__GROUP", "environment"), ("LATIDO__KAFKA__PROPERTIES", "{\"client.rack\": \"r\"}")]);
    assert_eq!(loaded.origins.of("kafka.group"), variable("LATIDO__KAFKA__GROUP"));
    assert_eq!(loaded.origins.of("kafka.topics"), given.line(3));
    assert_eq!(loaded.origins.of("kafka.brokers"), Origin::Default);
    assert_eq!(loaded.origins.of("kafka.properties.\"client.id\""), given.line(8));
    assert_eq!(loaded.origins.of("kafka.properties.\"client.rack\""), variable("LATIDO__KAFKA__PROPERTIES"));
    assert_eq!(loaded.origins.of("departments[1]"), given.line(12));
}

#[test]
fn a_value_set_to_its_default_is_not_called_different() {
    let given =
        given("[kafka]\ngroup = \"latido\"\ntopics = [\"other\"]\n\n[kafka.properties]\n\"client.id\" = \"a\"\n");
    let loaded = given.load(&[("LATIDO__LOG__LEVEL", "info"), ("LATIDO__LOG__FORMAT", "json")]);
    let different: Vec<&str> = config::non_defaults(&loaded).into_iter().map(|(key, _)| key).collect();
    assert_eq!(different, ["kafka.properties.\"client.id\"", "kafka.topics", "log.format"]);
}

#[test]
fn variables_become_what_their_keys_hold() {
    let config = from_environment(&[
        ("LATIDO__KAFKA__GROUP", "123"),
        ("LATIDO__KAFKA__GROUP_INSTANCE_ID", "true"),
        ("LATIDO__KAFKA__DEAD_LETTER_TOPIC", "dead"),
        ("LATIDO__KAFKA__SESSION_TIMEOUT", " 10s "),
        ("LATIDO__KAFKA__START", "2026-01-31T00:00:00Z"),
        ("LATIDO__KAFKA__TOPICS", "[\"in\", \"1\"]"),
        ("LATIDO__KAFKA__BROKERS", "a:9092, b:9092,"),
        ("LATIDO__KAFKA__DEAD_LETTER_LATE", "true"),
        ("LATIDO__MUTES", "[{\"departments\": [\"*\"], \"end_time\": \"02:00\", \"maintenance\": true}]"),
        ("LATIDO__WINDOWS__LENGTHS", "[\"15m\", \"90s\"]"),
        ("LATIDO__WINDOWS__LATENESS", "1h"),
        ("LATIDO__DETECT__MIN_SEEN", "7"),
        ("LATIDO__DETECT__FALSE_ALARMS_PER_MONTH", "2.5e-1"),
        ("LATIDO__HTTP__LISTEN", "[::1]:9000"),
        ("LATIDO__LOG__FORMAT", "json"),
        ("LATIDO__CHECKPOINT__DIRECTORY", "/tmp/latido"),
        ("latido__ignored", "x"),
        ("LATIDO__log__level", "warn"),
        ("LATIDO__PIPELINE", "{\"batch_records\": 3}"),
    ]);
    assert_eq!(config.kafka.group, "123");
    assert_eq!(config.kafka.group_instance_id.as_deref(), Some("true"));
    assert_eq!(config.kafka.dead_letter_topic.as_deref(), Some("dead"));
    assert_eq!(config.kafka.session_timeout, Span::from_secs(10));
    assert_eq!(config.kafka.start, StartPosition::At("2026-01-31T00:00:00Z".parse().unwrap()));
    assert_eq!(config.kafka.topics, ["in", "1"]);
    assert_eq!(config.kafka.brokers, ["a:9092", "b:9092"]);
    assert!(config.kafka.dead_letter_late);
    assert_eq!(
        (config.mutes[0].when(), config.mutes[0].maintenance),
        ("daily 00:00-02:00 in the department's time zone".to_owned(), true)
    );
    assert_eq!(config.windows.lengths, [Span::from_secs(900), Span::from_secs(90)]);
    assert_eq!(config.windows.lateness, Span::from_secs(3_600));
    assert_eq!(config.detect.min_seen, 7);
    assert!((config.detect.false_alarms_per_month - 0.25).abs() < 1e-15);
    assert_eq!(config.http.listen, "[::1]:9000".parse::<SocketAddr>().unwrap());
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.checkpoint.directory, PathBuf::from("/tmp/latido"));
    assert_eq!(config.log.level, "warn");
    assert_eq!(config.pipeline.batch_records, 3);
}

#[test]
fn a_list_from_the_environment_replaces_the_files() {
    let given = given("[[departments]]\nid = \"a\"\n[[departments]]\nid = \"b\"\n");
    let loaded = given.load(&[("LATIDO__DEPARTMENTS", "[{\"id\": \"billing\", \"aliases\": [\"pagos\"]}]")]);
    let ids: Vec<&str> = loaded.config.departments.iter().map(|department| department.id.as_str()).collect();
    assert_eq!(ids, ["billing"]);
    assert_eq!(loaded.origins.of("departments[0]"), variable("LATIDO__DEPARTMENTS"));
}

#[test]
fn an_empty_variable_unsets_what_may_be_unset() {
    let given = given("[kafka]\ndead_letter_topic = \"dead\"\n");
    assert_eq!(given.load(&[("LATIDO__KAFKA__DEAD_LETTER_TOPIC", "")]).config.kafka.dead_letter_topic, None);
}

#[test]
fn brokers_and_topics_may_be_one_text_with_commas() {
    let config = given("[kafka]\nbrokers = \"a:1, b:2\"\ntopics = \"in\"\n").load(&[]).config;
    assert_eq!(config.kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(config.kafka.topics, ["in"]);
}

#[test]
fn a_toml_date_is_a_place_to_start_from() {
    let config = given("[kafka]\nstart = 2026-01-31T00:00:00Z\n").load(&[]).config;
    assert_eq!(config.kafka.start, StartPosition::At("2026-01-31T00:00:00Z".parse().unwrap()));
}

#[test]
fn properties_of_any_plain_type_reach_the_client() {
    let given = given(
        "[kafka.properties]\n\"socket.timeout.ms\" = 10_000\n\"socket.keepalive.enable\" = true\n\"client.rack\" = \"r1\"\n",
    );
    let config =
        given.load(&[("LATIDO__KAFKA__PROPERTIES", "{\"client.rack\": \"r2\", \"fetch.wait.max.ms\": 50}")]).config;
    let client = config::client_config(&config.kafka);
    assert_eq!(client.get("socket.timeout.ms"), Some("10000"));
    assert_eq!(client.get("socket.keepalive.enable"), Some("true"));
    assert_eq!(client.get("client.rack"), Some("r2"));
    assert_eq!(client.get("fetch.wait.max.ms"), Some("50"));
    assert_eq!(client.get("bootstrap.servers"), Some("localhost:9092"));
    assert_eq!(client.get("ssl.ca.location"), Some("probe"));
    assert_eq!(client.get("client.id"), Some("latido"));
}

#[test]
fn the_properties_win_over_what_the_client_would_have() {
    let given = given("[kafka.properties]\n\"ssl.ca.location\" = \"/ca.pem\"\n\"client.id\" = \"eu\"\n");
    let client = config::client_config(&given.load(&[]).config.kafka);
    assert_eq!((client.get("ssl.ca.location"), client.get("client.id")), (Some("/ca.pem"), Some("eu")));
}

#[test]
fn secrets_reach_the_client_and_nobody_else() {
    let files = given("");
    let password = files.secret("password", "hunter2\r\n");
    let token = files.secret("token", "t0ken-of-mine-0123\n");
    let given = given(&format!(
        "[kafka.properties]\n\"sasl.password_file\" = {password:?}\n\"ssl.key.password\" = \"hunter3\"\n\"sasl.username\" = \"latido\"\n[http]\nlisten = \"0.0.0.0:9464\"\ntoken_file = {token:?}\n"
    ));
    let loaded = given.load(&[("LATIDO__KAFKA__PROPERTIES", "{\"ssl.keystore.password\": \"hunter4\"}")]);

    let client = config::client_config(&loaded.config.kafka);
    assert_eq!(client.get("sasl.password"), Some("hunter2"));
    assert_eq!(client.get("sasl.password_file"), None);
    assert_eq!(client.get("ssl.key.password"), Some("hunter3"));
    assert_eq!(client.get("ssl.keystore.password"), Some("hunter4"));

    let shown = config::effective(&loaded.config).unwrap();
    for text in [&shown, &format!("{loaded:?}")] {
        assert!(!text.contains("hunter") && !text.contains("t0ken-of-mine"), "{text}");
    }
    assert!(shown.contains("\"ssl.key.password\" = \"***\"") && shown.contains("\"ssl.keystore.password\" = \"***\""));
    assert!(shown.contains(&format!("\"sasl.password_file\" = {password:?}")), "{shown}");
    assert!(shown.contains("\"sasl.username\" = \"latido\"") && shown.contains(&token), "{shown}");
}

#[test]
fn the_effective_config_loads_as_what_it_shows() {
    let given = given(include_str!("../config/latido.toml"));
    let loaded = given.load(&[("LATIDO__KAFKA__START", "latest"), ("LATIDO__WINDOWS__LATENESS", "1500ms")]);
    let again = self::given(&config::effective(&loaded.config).unwrap());
    assert_eq!(again.load(&[]).config, loaded.config);
}

#[test]
fn names_are_folded_without_case_accents_and_surplus_white_space() {
    assert_eq!(config::fold_name("  Envíos   y\tLogística "), "envios y logistica");
    assert_eq!(config::fold_name("ATENCIÓN"), config::fold_name("atencio\u{301}n"));
    assert_eq!(config::fold_name("Señal"), "senal");
}

/// Texts that look like a config: known and unknown keys with values of every kind.
fn config_like() -> impl Strategy<Value = String> {
    let keys: Vec<String> = config::fields().iter().map(|field| field.key.replace("[]", "")).collect();
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}").to_lowercase()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        "[a-z0-9:/. é]{0,12}".prop_map(|text| format!("{text:?}")),
        Just("[1, \"2\", [3], {a = 4}]".to_owned()),
        Just("{a = {b = {c = []}}}".to_owned()),
        Just("[{id = \"a\"}, {id = 1}, 5]".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("\"18446744073709551615y\"".to_owned()),
    ];
    let line = (prop::sample::select(keys), value).prop_map(|(key, value)| format!("{key} = {value}\n"));
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_loading_panic(text in prop_oneof![any::<String>(), config_like(), "[\\[\\]=.\"a-z0-9\n#{}, ]{0,80}"]) {
        let given = given(&text);
        if let Err(error) = config::load(Some(&given.file), []) {
            prop_assert!(!error.problems().is_empty());
            prop_assert!(error.to_string().contains("latido.toml"), "{error}");
        }
    }

    #[test]
    fn no_variable_makes_loading_panic(place in 0..config::fields().len(), text in prop_oneof![any::<String>(), "[\\[{][\"a-z0-9:,]{0,20}[\\]}]"]) {
        let Some(variable) = config::fields()[place].variable() else { return Ok(()) };
        if let Err(error) = config::load(None, [(variable, text)]) {
            prop_assert!(!error.problems().is_empty());
        }
    }
}
