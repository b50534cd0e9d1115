//! The configuration file: what is accepted, what is refused, and in which words.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use secrecy::ExposeSecret;

use super::*;

const MINIMAL: &str = r#"
[[connection]]
name = "main"
start_date = "2026-01-01"
time_zone = "America/New_York"
[connection.brex]
token = { env = "BREX_TOKEN" }
[connection.entra]
tenant = "contoso.example"
client_id = "3f0b"
client_secret = { file = "bc.secret" }
[connection.bc]
environment = "production"
company = "CRONUS USA, Inc."
"#;

/// The files of `deploy/` say it as it has to be said; the one for Kubernetes is a part of a larger file.
#[test]
fn the_configurations_for_containers_are_right() {
    let read = |path: &str| {
        let path = format!("{}/../../deploy/{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let manifest = read("kubernetes/ml-connector.yaml");
    let inner = manifest.split_once("ml-connector.toml: |\n").unwrap().1.split_once("\n---").unwrap().0;
    for text in [read("docker/ml-connector.toml"), inner.replace("\n    ", "\n").trim().to_owned()] {
        let config = Config::parse(&text, Path::new("/etc/x")).unwrap();
        assert!(config.operations.is_some() && config.console.is_some());
    }
}

#[test]
fn health_and_metrics_are_open_to_others_only_with_a_token() {
    let with = |section: &str| format!("[operations]\n{section}\n{MINIMAL}");
    let listens = |text: &str| Config::parse(&with(text), Path::new("/etc/x")).unwrap().operations.unwrap().listen;
    assert!(listens("").ip().is_loopback());
    assert!(complaint(&with("listen = \"0.0.0.0:8462\"")).contains("set operations.token to the file of a token"));
    let open = "listen = \"0.0.0.0:8462\"\ntoken = { vault = true }";
    assert_eq!(listens(open).port(), 8_462);
    let section = Config::parse(&with(open), Path::new("/etc/x")).unwrap().operations.unwrap();
    let error = section.read_token(Path::new("/etc/x")).unwrap_err().to_string();
    assert!(error.contains("has to come from a file or the environment"), "{error}");
}

fn complaint(text: &str) -> String {
    Config::parse(text, Path::new("/etc/x")).expect_err("refused").to_string()
}

fn by_expenses() -> String {
    MINIMAL.replace("[connection.brex]", "[connection.brex]\nsource = \"expenses\"")
}

#[test]
fn a_minimal_file_gets_the_real_hosts_and_safe_defaults() {
    let config = Config::parse(MINIMAL, Path::new("/etc/x")).unwrap();
    let connection = &config.connections[0];
    assert_eq!(connection.brex.base_url.as_str(), "https://api.brex.com/");
    assert_eq!(connection.bc.base_url.as_str(), "https://api.businesscentral.dynamics.com/");
    assert_eq!(connection.settle_seconds, 1_200);
    assert!(config.listen.ip().is_loopback());
    assert_eq!(config.database_url(), "sqlite:/etc/x/ml-connector.db");
}

#[test]
fn another_host_needs_allow_hosts_and_https_unless_it_is_this_machine() {
    let sandbox = MINIMAL.replace("[connection.brex]", "[connection.brex]\nbase_url = \"http://127.0.0.1:9000\"");
    assert!(complaint(&sandbox).contains("add it to allow_hosts"), "{}", complaint(&sandbox));
    let allowed = format!("allow_hosts = [\"127.0.0.1\"]\n{sandbox}");
    assert!(Config::parse(&allowed, Path::new(".")).is_ok());
    let clear = MINIMAL.replace("[connection.brex]", "[connection.brex]\nbase_url = \"http://api.brex.com\"");
    assert!(complaint(&clear).contains("must be an https address"));
}

#[test]
fn a_host_that_only_looks_like_the_real_one_is_refused() {
    for host in
        ["https://api.brex.com.evil.example", "https://api.brex.com@evil.example", "https://evil.example/api.brex.com"]
    {
        let text = MINIMAL.replace("[connection.brex]", &format!("[connection.brex]\nbase_url = \"{host}\""));
        assert!(complaint(&text).contains("brex.base_url names the host"), "{host}");
    }
}

#[test]
fn each_mistake_is_named_with_its_key() {
    let cases = [
        (
            MINIMAL.replace("America/New_York", "Mars/Olympus"),
            "time_zone names \"Mars/Olympus\", which is no time zone",
        ),
        (MINIMAL.replace("name = \"main\"", "name = \"Main Company\""), "connection.name is not usable"),
        (MINIMAL.replace("start_date", "start_dat"), "unknown field `start_dat`"),
        (format!("database = \"mysql:x\"\n{MINIMAL}"), "database must start with sqlite: or postgres:"),
        (format!("listen = \"0.0.0.0:80\"\n{MINIMAL}"), "listen is open to other machines"),
        (format!("public_url = \"http://example.com\"\n{MINIMAL}"), "public_url must be an https address"),
        (format!("{MINIMAL}{MINIMAL}"), "\"main\" is used twice"),
        (MINIMAL.replace("environment = \"production\"", "environment = \" \""), "bc.environment is empty"),
        (format!("{MINIMAL}[connection.directory]\nwhich = \"some\"\n"), "unknown variant"),
        (format!("{MINIMAL}[connection.directory]\nnumbers = [\"V2..V1\"]\n"), "directory.numbers has \"V2..V1\""),
        (format!("{MINIMAL}[connection.directory]\nseconds = 0\n"), "directory.seconds must be at least 1"),
        (format!("{MINIMAL}[connection.directory]\ncountries = [\"United States\"]\n"), "directory.countries has"),
        (MINIMAL.replace("[connection.brex]", "[connection.brex]\nsource = \"cards\""), "unknown variant"),
        (
            format!("{}[connection.failures]\nreport = \"definite\"\n", by_expenses()),
            "failures.report tells Brex by the accounting API, which brex.source = \"expenses\" does not have",
        ),
        (
            format!("{}[connection.coding_lists]\nenabled = true\n", by_expenses()),
            "coding_lists.enabled makes fields of an accounting integration, which brex.source = \"expenses\"",
        ),
        (String::new(), "add at least one [[connection]] section"),
    ];
    for (text, expected) in cases {
        let found = complaint(&text);
        assert!(found.contains(expected), "expected {expected:?} in {found:?}");
    }
}

#[test]
fn the_rules_version_changes_with_the_rules_and_with_nothing_else() {
    let version = |text: &str| Config::parse(text, Path::new(".")).unwrap().connections[0].rules().unwrap().version;
    let first = version(MINIMAL);
    assert_eq!(first, version(&MINIMAL.replace("bc.secret", "other.secret")));
    assert_ne!(first, version(&MINIMAL.replace("New_York", "Chicago")));
    for rule in [
        r#"default_vendor = "V1""#,
        r#"descriptions = ["{merchant}"]"#,
        r#"values.Category.Meals = "64200""#,
        r#"defaults = [{ merchant = "Uber*", account = "64100" }]"#,
    ] {
        let changed = MINIMAL.replace("[connection.brex]", &format!("{rule}\n[connection.brex]"));
        assert_ne!(first, version(&changed), "{rule}");
    }
}

#[test]
fn a_template_with_an_unknown_word_and_a_default_with_an_unknown_key_are_refused() {
    for (rule, complaint) in [
        (r#"descriptions = ["{color}"]"#, "connection \"main\": descriptions {color} is unknown"),
        (r#"defaults = [{ vendor = "V1" }]"#, "unknown field `vendor`"),
    ] {
        let text = MINIMAL.replace("[connection.brex]", &format!("{rule}\n[connection.brex]"));
        let error = Config::parse(&text, Path::new(".")).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bc.secret");
    std::fs::write(&path, "canary\n").unwrap();
    let source = SecretSource::File("bc.secret".into());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let text = source.read("entra.client_secret", folder.path()).expect_err("refused").to_string();
        assert!(text.contains("run chmod 600"), "{text}");
        assert!(!text.contains("canary"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(source.read("entra.client_secret", folder.path()).unwrap().unwrap().expose_secret(), "canary");
    let missing = SecretSource::Env("ML_CONNECTOR_NO_SUCH_VARIABLE".to_owned());
    assert!(missing.read("brex.token", folder.path()).expect_err("refused").to_string().contains("is not set"));
}

#[test]
fn the_example_file_is_right_and_shows_the_defaults() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config.example.toml"));
    let example = Config::load(path).unwrap();
    let default = Config::parse(MINIMAL, Path::new(".")).unwrap();
    assert_eq!((&example.database, example.listen), (&default.database, default.listen));
    let (shown, default) = (&example.connections[0], &default.connections[0]);
    assert_eq!(
        (shown.period_policy, shown.max_shift_days, shown.currency, shown.poll_seconds),
        (default.period_policy, default.max_shift_days, default.currency, default.poll_seconds)
    );
    assert_eq!(
        (shown.master_data_seconds, shown.settle_seconds, shown.bc.max_concurrent, shown.bc.requests_per_second),
        (
            default.master_data_seconds,
            default.settle_seconds,
            default.bc.max_concurrent,
            default.bc.requests_per_second
        )
    );
    assert_eq!(shown.bc.backfill_batch, default.bc.backfill_batch);
    assert_eq!(shown.propose_vendors, default.propose_vendors);
    assert_eq!((shown.post.enabled, shown.clearing.policy), (default.post.enabled, default.clearing.policy));
    assert_eq!(shown.directory.fingerprint(), default.directory.fingerprint());
    assert_eq!(shown.brex.requests_per_second, default.brex.requests_per_second);
    assert_eq!(shown.rules().unwrap().version, default.rules().unwrap().version, "the fields shown are the defaults");
}

#[test]
fn the_directory_is_off_unless_it_is_asked_for_and_its_filter_means_numbers_and_countries() {
    let of = |text: &str| {
        let text = format!("{MINIMAL}[connection.directory]\n{text}");
        Config::parse(&text, Path::new(".")).unwrap().connections[0].directory.clone()
    };
    assert!(!Config::parse(MINIMAL, Path::new(".")).unwrap().connections[0].directory.enabled);
    let filter = of("countries = [\"US\", \"\"]\nnumbers = [\"V00010..V00012\", \"x1\"]");
    for (number, country, fits) in [
        ("V00010", "US", true),
        ("V00012", "", true),
        ("v00011", "us", true),
        ("X1", "US", true),
        ("V00013", "US", false),
        ("V00010", "DE", false),
    ] {
        assert_eq!(filter.fits(number, country), fits, "{number} {country}");
    }
    assert!(of("").fits("anything", "DE"));
    assert_ne!(of("on_block = \"rename\"").fingerprint(), of("").fingerprint());
}

#[test]
fn a_secret_that_is_named_nowhere_is_in_the_vault() {
    for text in [
        MINIMAL.replace("token = { env = \"BREX_TOKEN\" }\n", ""),
        MINIMAL.replace("{ env = \"BREX_TOKEN\" }", "{ vault = true }"),
    ] {
        let config = Config::parse(&text, Path::new(".")).unwrap();
        assert!(config.connections[0].brex.token.read("brex.token", Path::new(".")).unwrap().is_none());
        assert_eq!(config.keys, KeySource::File("ml-connector.key".into()));
    }
    let text = format!("keys = {{ credential = \"ml-connector-key\" }}\n{MINIMAL}");
    assert_eq!(
        Config::parse(&text, Path::new(".")).unwrap().keys,
        KeySource::Credential("ml-connector-key".to_owned())
    );
}

/// Texts that look like what the connector signs in with, and one that looks like nothing.
const SECRETS: [&str; 6] = [
    "bxt_Canary0123456789abcdefghijABCDEFGHIJ",
    "caN8Q~ary0123456789.abcdefghij-klmnopqr_",
    "whsec_Q2FuYXJ5MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ubw==",
    "mlk1_Canary0123456789abcdefghijABCDEFGHIJ0123456",
    "-----BEGIN PRIVATE KEY-----\nCanary0123456789\n-----END PRIVATE KEY-----",
    "Canary, expected `plain` password",
];

/// The settings whose value a complaint names, since it is a name of the business or of this machine. What looks like a
/// secret is not quoted from there either.
const QUOTED: [&str; 6] = ["name", "time_zone", "descriptions", "hosts", "numbers", "countries"];

#[test]
fn a_secret_in_the_place_of_any_value_is_never_quoted() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config.example.toml")).unwrap();
    let settings = example.lines().enumerate().filter_map(|(place, line)| {
        let (key, value) = line.split_once(" = ")?;
        let is_key = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_key.then_some((place, key, value))
    });
    let mut refused = 0;
    for (place, key, value) in settings.filter(|(_, key, _)| *key != "database") {
        for secret in SECRETS {
            let text = serde_json::Value::from(secret).to_string();
            let inside = value.split_once("= \"").map(|(before, rest)| {
                let (_, after) = rest.split_once('"').unwrap();
                format!("{before}= {text}{after}")
            });
            for value in [Some(text.clone()), Some(format!("[{text}]")), Some(format!("{{ {text} = 1 }}")), inside] {
                let Some(value) = value else { continue };
                let changed: Vec<String> = example
                    .lines()
                    .enumerate()
                    .map(|(number, line)| if number == place { format!("{key} = {value}") } else { line.to_owned() })
                    .collect();
                let parsed = Config::parse(&changed.join("\n"), Path::new("."));
                let Some(error) = parsed.and_then(|config| read_all(&config)).err() else { continue };
                let said = format!("{error} {error:?}");
                refused += 1;
                let may_be_quoted = QUOTED.contains(&key) && !stray::is_secret(secret);
                assert!(may_be_quoted || !said.contains("Canary"), "{key} = {value}: {said}");
                assert!(may_be_quoted || !said.contains("ary0123") && !said.contains("Q2FuYXJ5"), "{key}: {said}");
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

/// Fetches what the configuration says where to find.
fn read_all(config: &Config) -> Result<(), ConfigError> {
    let folder = Path::new("/nowhere");
    for connection in &config.connections {
        for source in [&connection.brex.token, &connection.entra.client_secret] {
            match source.read("a secret", folder) {
                Err(error) => return Err(error),
                Ok(found) => assert!(found.is_none(), "nothing is set"),
            }
        }
    }
    Ok(())
}

#[test]
fn an_address_with_a_password_in_it_is_refused_since_addresses_are_shown() {
    let with = |line: &str| MINIMAL.replace("[connection.brex]", &format!("[connection.brex]\n{line}"));
    for text in [
        with("base_url = \"https://kim:Canary@api.brex.com\""),
        format!("public_url = \"https://kim:Canary@connector.example.com\"\n{MINIMAL}"),
        format!("console.url = \"https://Canary@connector.example.com\"\n{MINIMAL}"),
    ] {
        let said = complaint(&text);
        assert!(said.contains("has something before the @") && !said.contains("Canary"), "{said}");
    }
}

#[test]
fn the_address_of_the_database_is_not_printed_with_the_configuration() {
    let text = format!("database = \"postgres://kim:Canary@db.example/books\"\n{MINIMAL}");
    let config = Config::parse(&text, Path::new(".")).unwrap();
    assert!(!format!("{config:?}").contains("Canary"));
    assert!(config.database_url().contains("Canary"), "it is still used");
}

#[test]
fn a_back_fill_sends_at_most_twenty_drafts_at_once_and_no_more_than_a_second_takes() {
    let of = |line: &str| {
        let text = MINIMAL.replacen("company =", &format!("{line}\ncompany ="), 1);
        Config::parse(&text, Path::new(".")).map(|config| config.connections[0].bc.backfill_batch)
    };
    assert_eq!(of("backfill_batch = 19").unwrap(), 19);
    for (line, said) in [
        ("backfill_batch = 0", "must be from 1 to 20"),
        ("backfill_batch = 21", "must be from 1 to 20"),
        ("backfill_batch = 20", "is more than the bc.requests_per_second of the same user"),
    ] {
        let error = of(line).unwrap_err().to_string();
        assert!(error.contains("bc.backfill_batch") && error.contains(said), "{error}");
    }
}
