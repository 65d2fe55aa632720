//! Settings: the file, then the environment; and a key that nobody sees.

use std::collections::BTreeSet;

use common::configuration::document::Refusal;
use common::configuration::files::ConfigFiles;
use common::configuration::json_schema;
use common::configuration::settings::environment::SETTINGS;
use common::configuration::settings::{ApiKey, Settings};
use common::money::Usd;
use common::vendor::Vendor;
use serde_json::Value;
use testkit::sandbox::{API_KEY, Sandbox};

use super::assert_shows;
use super::shapes::SETTINGS as SHAPE;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Refusal> {
    let sandbox = Sandbox::new();
    sandbox.write("backhaul.yaml", file);
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let settings = Settings::from_sources(&files, environment.iter().map(owned));
    match &settings {
        Ok(_) if file.contains(':') && !file.starts_with('#') => SHAPE.assert_takes(file),
        Err(_) if environment.is_empty() => SHAPE.assert_refuses(file),
        Ok(_) | Err(_) => {}
    }
    settings
}

#[track_caller]
fn refused(file: &str, environment: &[(&str, &str)], parts: &[&str]) {
    match load(file, environment) {
        Ok(settings) => panic!("taken for {settings:?}"),
        Err(refusal) => assert_shows(&refusal, parts),
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "workers: 3\nattempts_max: 4\n";
    let settings = load(file, &[("BACKHAUL_WORKERS", "5")]).unwrap();
    assert_eq!(settings.workers, 5);
    assert_eq!(settings.attempts_max, 4);
    assert_eq!(settings.lease_seconds, Settings::default().lease_seconds);
}

#[test]
fn the_projects_own_file_names_every_setting_and_its_default() {
    let document = ConfigFiles::CompiledIn.read("backhaul.yaml").unwrap();
    let text = document.unwrap().text;
    // What is commented out shows the default.
    let lines = text
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line));
    let is_setting = |line: &&str| {
        line.split_once(": ")
            .is_some_and(|(key, _)| !key.contains(' '))
    };
    let shown: Vec<_> = lines.filter(is_setting).collect();
    let shown: Value = serde_saphyr::from_str(&shown.join("\n")).unwrap();
    let schema = json_schema::settings();
    let named: BTreeSet<_> = shown.as_object().unwrap().keys().collect();
    let settings = schema["properties"].as_object().unwrap();
    assert_eq!(named, settings.keys().collect());
    for (name, setting) in settings {
        if let Some(default) = setting.get("default") {
            assert_eq!(shown[name].as_f64(), default.as_f64(), "{name}");
            assert_eq!(shown[name].as_str(), default.as_str(), "{name}");
        }
    }
}

#[test]
fn a_setting_that_is_written_has_a_value() {
    for name in ["redis_url", "lease_seconds", "budget_usd", "workers"] {
        refused(&format!("{name}:\n"), &[], &["backhaul.yaml:1"]);
    }
}

#[test]
fn every_setting_has_a_variable() {
    let schema = json_schema::settings();
    let settings = schema["properties"].as_object().unwrap().keys();
    let mut settings: BTreeSet<_> = settings.map(String::as_str).collect();
    // The file has no place for secrets.
    settings.extend(["api_key", "serve_token"]);
    assert_eq!(
        settings,
        SETTINGS.iter().map(|(_, setting)| *setting).collect()
    );
}

#[test]
fn a_file_without_any_setting_means_the_defaults() {
    for file in ["", "\n", "# workers: 2\n"] {
        let settings = load(file, &[]).unwrap_or_else(|refusal| panic!("{file:?}: {refusal}"));
        assert_eq!(settings.attempts_max, Settings::default().attempts_max);
    }
}

#[test]
fn every_variable_reaches_its_setting() {
    let settings = load(
        "",
        &[
            ("DATABASE_URL", "sqlite://elsewhere.db"),
            ("ARCHIVE_URL", "file://elsewhere"),
            ("DATABENTO_URL", "http://localhost:1"),
            ("DATABENTO_API_KEY", API_KEY),
            ("BACKHAUL_WORKERS", "2"),
            ("BACKHAUL_LEASE_SECONDS", "3"),
            ("BACKHAUL_ATTEMPTS_MAX", "4"),
            ("BACKHAUL_RETRY_SECONDS", "5"),
            ("BACKHAUL_RETRY_SECONDS_MAX", "6"),
            ("BACKHAUL_READ_TIMEOUT_SECONDS", "7"),
            ("BACKHAUL_METADATA_REQUESTS_PER_SECOND", "8"),
            ("BACKHAUL_DATA_REQUESTS_PER_SECOND", "9.5"),
            ("BACKHAUL_SYMBOLOGY_REQUESTS_PER_SECOND", "10"),
            ("BACKHAUL_VENDOR_CONNECTIONS_MAX", "11"),
            ("BACKHAUL_BUDGET_USD", "12.50"),
        ],
    )
    .unwrap();
    assert_eq!(settings.database_url, "sqlite://elsewhere.db");
    assert_eq!(settings.archive_url, "file://elsewhere");
    assert_eq!(settings.databento_url, "http://localhost:1");
    assert_eq!(settings.require_api_key().unwrap().expose(), API_KEY);
    assert_eq!((settings.workers, settings.attempts_max), (2, 4));
    assert_eq!(settings.slots(), 2);
    assert_eq!(settings.lease_seconds, Some(3.0));
    assert_eq!(
        (settings.retry_seconds, settings.retry_seconds_max),
        (5.0, 6.0)
    );
    assert_eq!(settings.read_timeout_seconds, 7.0);
    assert_eq!(settings.metadata_requests_per_second, 8.0);
    assert_eq!(settings.data_requests_per_second, 9.5);
    assert_eq!(settings.symbology_requests_per_second, 10.0);
    assert_eq!(settings.vendor_connections_max, 11);
    assert_eq!(settings.budget_usd, Some(Usd(12_500_000_000)));
}

#[test]
fn a_budget_is_an_amount_of_dollars() {
    let settings = load("budget_usd: 25.00\n", &[]).unwrap();
    assert_eq!(settings.budget_usd, Some(Usd(25_000_000_000)));
    assert_eq!(load("workers: 1\n", &[]).unwrap().budget_usd, None);
    refused(
        "budget_usd: -1\n",
        &[],
        &["backhaul.yaml:1", "write for example 25.00"],
    );
    let variable = [("BACKHAUL_BUDGET_USD", "ten dollars")];
    let parts = [
        "BACKHAUL_BUDGET_USD",
        "\"ten dollars\"",
        "write for example 25.00",
    ];
    refused("", &variable, &parts);
}

#[test]
fn where_to_listen_is_an_address_and_a_port() {
    let settings = load("metrics_listen: 127.0.0.1:9464\n", &[]).unwrap();
    assert_eq!(settings.metrics_listen, "127.0.0.1:9464".parse().ok());
    let variables = [
        ("BACKHAUL_METRICS_LISTEN", "[::]:1"),
        ("BACKHAUL_SERVE_LISTEN", "0.0.0.0:2"),
    ];
    let settings = load("metrics_listen: 127.0.0.1:9464\n", &variables).unwrap();
    assert_eq!(settings.metrics_listen, "[::]:1".parse().ok());
    assert_eq!(settings.serve_listen.to_string(), "0.0.0.0:2");
    let settings = load("workers: 1\n", &[]).unwrap();
    assert_eq!(settings.metrics_listen, None);
    assert_eq!(settings.serve_listen.to_string(), "127.0.0.1:8080");
    refused("serve_listen: somewhere\n", &[], &["backhaul.yaml:1"]);
    for variable in ["BACKHAUL_METRICS_LISTEN", "BACKHAUL_SERVE_LISTEN"] {
        let parts = [variable, "\"9464\"", "for example 127.0.0.1:9464"];
        refused("", &[(variable, "9464")], &parts);
    }
}

#[test]
fn an_empty_variable_and_those_of_others_are_passed_over() {
    let environment = [
        ("DATABASE_URL", ""),
        ("BACKHAUL_WORKERS", ""),
        ("BACKHAUL_CONFIG_DIR", "configs"),
        ("BACKHAUL_LOG", "debug"),
        ("PATH", "/usr/bin"),
    ];
    let settings = load("", &environment).unwrap();
    assert_eq!(settings.database_url, Settings::default().database_url);
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest() {
    let help = &[
        "BACKHAUL_WORKER",
        "no such setting",
        "did you mean BACKHAUL_WORKERS?",
    ];
    refused("", &[("BACKHAUL_WORKER", "2")], help);
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_those_that_there_are() {
    let help = &["worker", "workers", "backhaul.yaml:2:1", "2 | worker: 2"];
    refused("attempts_max: 3\nworker: 2\n", &[], help);
}

#[test]
fn a_doubled_key_is_refused() {
    refused(
        "workers: 2\nworkers: 3\n",
        &[],
        &["duplicate", "backhaul.yaml:2:1"],
    );
}

#[test]
fn a_number_that_is_none_is_refused_where_it_was_written() {
    refused("workers: many\n", &[], &["backhaul.yaml:1:10"]);
    refused("attempts_max: -1\n", &[], &["backhaul.yaml:1:15"]);
    for value in ["many", "-1", "1.5", "99999999999999999999"] {
        let help = &["BACKHAUL_WORKERS", value, "write a plain number"];
        refused("", &[("BACKHAUL_WORKERS", value)], help);
    }
}

#[test]
fn a_number_out_of_range_is_refused_by_name() {
    let numbers = [
        "lease_seconds",
        "retry_seconds",
        "retry_seconds_max",
        "read_timeout_seconds",
        "metadata_requests_per_second",
        "data_requests_per_second",
        "symbology_requests_per_second",
    ];
    for name in numbers {
        for value in ["0", "-1", "1e-9", ".nan", ".inf", "1e9"] {
            refused(
                &format!("{name}: {value}\n"),
                &[],
                &[name, "out of range", "write a number"],
            );
        }
        let variable = format!("BACKHAUL_{}", name.to_uppercase());
        refused("", &[(&variable, "NaN")], &[name, "out of range"]);
    }
    for value in ["0", "10001"] {
        let help = &["vendor_connections_max", value, "from 1 to 10000"];
        refused(&format!("vendor_connections_max: {value}\n"), &[], help);
        refused("", &[("BACKHAUL_VENDOR_CONNECTIONS_MAX", value)], help);
    }
    refused("attempts_max: 0\n", &[], &["attempts_max", "at least 1"]);
    refused("workers: 1025\n", &[], &["workers", "at most 1024"]);
}

#[test]
fn a_configuration_folder_that_is_not_there_is_refused() {
    let sandbox = Sandbox::new();
    let nowhere = sandbox.path().join("nowhere");
    let refusal = ConfigFiles::locate(Some(&nowhere)).unwrap_err();
    assert_shows(&refusal, &["--config-dir", "nowhere", "leave the flag out"]);
}

#[test]
fn a_key_of_another_form_is_refused_and_not_repeated() {
    let wrong = [
        "db-secret",
        "xx-secret00000000000000000000000",
        "db-secret0000000000000000000000000000",
        "db-secreté00000000000000000000000",
    ];
    for key in wrong {
        let settings = load("", &[("DATABENTO_API_KEY", key)]).unwrap();
        let refusal = settings.require_api_key().unwrap_err();
        assert_shows(&refusal, &["DATABENTO_API_KEY", "32 characters", "`db-`"]);
        assert_hidden(&refusal);
    }
}

#[track_caller]
fn assert_hidden(refusal: &Refusal) {
    for text in [
        refusal.to_string(),
        format!("{refusal:?}"),
        format!("{refusal:#?}"),
    ] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn a_key_in_the_settings_file_is_refused_and_not_repeated() {
    let files = [
        "api_key: db-secret0000000000000000000000\n",
        "workers: 2\nDATABENTO_API_KEY: secret\n",
        "{workers: 2, databento_api_key: db-secret0000000000000000000000}\n",
        "workers: db-secret0000000000000000000000\n",
    ];
    for file in files {
        let refusal = load(file, &[]).unwrap_err();
        assert_shows(&refusal, &["backhaul.yaml:"]);
        assert_hidden(&refusal);
    }
}

#[test]
fn a_missing_key_is_asked_for() {
    let refusal = Settings::default().require_api_key().unwrap_err();
    assert_shows(
        &refusal,
        &["DATABENTO_API_KEY", "export DATABENTO_API_KEY=db-…"],
    );
}

#[test]
fn the_key_never_prints_itself() {
    let key = ApiKey::new(API_KEY).unwrap();
    assert_eq!(key.expose(), API_KEY);
    let mut settings = Settings {
        api_key: Some(key.clone()),
        ..Settings::default()
    };
    "http://127.0.0.1:1".clone_into(&mut settings.databento_url);
    let vendor = Vendor::new(&settings).unwrap();
    let shown = [
        format!("{key:?}"),
        format!("{settings:?} {settings:#?}"),
        format!("{vendor:?} {vendor:#?}"),
    ];
    for text in shown {
        assert!(!text.contains(API_KEY), "{text}");
        assert!(!text.contains(&API_KEY[3..27]), "{text}");
    }
}

#[test]
fn an_address_that_is_no_web_address_is_refused() {
    let mut settings = Sandbox::new().settings("");
    for url in [
        "",
        "hist.databento.com",
        "ftp://hist.databento.com",
        "http://",
    ] {
        url.clone_into(&mut settings.databento_url);
        let refusal = Vendor::new(&settings).unwrap_err();
        assert_shows(&refusal, &["DATABENTO_URL", "https://hist.databento.com"]);
    }
}

#[test]
fn records_of_another_address_than_the_vendors_have_an_origin_of_their_own() {
    let origin = |url: &str| load("", &[("DATABENTO_URL", url)]).unwrap().origin();
    assert_eq!(Settings::default().origin(), "the vendor");
    for url in [
        "https://hist.databento.com",
        "https://HIST.databento.com:443/v0",
        "http://key@hist.databento.com./",
        "https://databento.com",
    ] {
        assert_eq!(origin(url), "the vendor", "{url}");
    }
    for url in [
        "http://simulator:8090",
        "http://127.0.0.1:8090/databento.com",
        "https://notdatabento.com",
        "https://databento.com.example.org",
        "https://databento.com@example.org",
        "https://databento.com:secret@example.org",
        "nonsense",
    ] {
        assert_eq!(origin(url), "a stand-in for the vendor", "{url}");
    }
}

#[test]
fn a_token_of_the_page_has_sixteen_characters_and_is_never_shown() {
    let token = |text: &str| load("", &[("BACKHAUL_SERVE_TOKEN", text)]).unwrap();
    assert!(load("", &[]).unwrap().serve_token().unwrap().is_none());
    let right = token(" sixteen-letters. \n")
        .serve_token()
        .unwrap()
        .unwrap();
    assert_eq!(right.expose(), "sixteen-letters.");
    assert_eq!(format!("{right:?}"), "ServeToken(…)");
    for wrong in [
        "fifteen-letters",
        "sixteen letters and more",
        "sechzehn-Zeichen-ü",
        &"x".repeat(257),
    ] {
        // Whoever doesn't serve doesn't mind.
        let refusal = token(wrong).serve_token().unwrap_err().to_string();
        assert!(refusal.contains("BACKHAUL_SERVE_TOKEN"), "{refusal}");
        assert!(!refusal.contains(wrong), "{refusal}");
    }
}
