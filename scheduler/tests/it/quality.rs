//! Data quality as its owner meets it: rules that are checked, records held back, replays.

use std::path::PathBuf;

use serde_json::Value;
use testkit::checksum::scalar;

use crate::installation::{Installation, Said};

pub const JOB: &str = "
name: quality
dataset: GLBX.MDP3
schemas: [trades, tbbo]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-04
end: 2024-01-06
chunking: {days: 1}
";

pub fn stricter(text: String) -> String {
    text.replace("check: size > 0", "check: size > 1")
}

pub async fn number(installation: &Installation, sql: &str) -> i64 {
    scalar(&installation.sandbox.database(), sql).await
}

pub fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
}

#[track_caller]
pub fn assert_shows(text: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    }
}

#[tokio::test]
async fn the_projects_own_rules_are_in_order_and_need_no_database() {
    let installation = Installation::synthetic().await;
    let said = installation.succeed(&["rules", "check"]).await;
    assert_shows(
        &said.stdout,
        &[
            "trades_data",
            "bid_not_above_ask",
            "20 schemas",
            "all in order",
        ],
    );
    assert!(!installation.sandbox.database().exists());
    let said = installation.succeed(&["rules", "check", "--json"]).await;
    assert_eq!(json(&said)["schemas"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_wrong_rule_or_mapping_stops_before_a_byte_is_fetched() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let cases: [(&str, &str, &[&str]); 6] = [
        (
            "check: price is not null",
            "check: prise is not null",
            &[
                "rule \"price_present\": unknown column `prise`",
                "did you mean `price`?",
                "trades.yaml:25:12",
                "^^^^^",
            ],
        ),
        (
            "check: size > 0",
            "check: size + 0",
            &["rule \"size_positive\"", "condition", "trades.yaml:28:12"],
        ),
        (
            "check: size > 0",
            "check: size > '0'",
            &["write 0 without quotes", "trades.yaml:28:19"],
        ),
        (
            "{name: flags}",
            "{name: flagz, field: flags}",
            &["no column \"flagz\"", "trades.yaml:13:12"],
        ),
        (
            "{name: flags}",
            "{name: flags, field: side}",
            &["\"flags\" is char", "INTEGER", "trades.yaml:13:12"],
        ),
        (
            "{name: sequence}",
            "{name: sequence, field: size}",
            &[
                "\"sequence\" is integer that can be undefined",
                "INTEGER NOT NULL",
                "default",
            ],
        ),
    ];
    for (from, to, wanted) in cases {
        let config = installation.config("trades", |text| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        for command in [vec!["run", &job], vec!["rules", "check"]] {
            let arguments = [&command[..], &["--config-dir", &config]].concat();
            let said = installation.run(&arguments).await;
            assert_eq!(said.code, Some(2), "{to}: {said:#?}");
            assert_shows(&said.stderr, wanted);
            assert_eq!(said.stdout, "");
        }
    }
    assert_eq!(installation.simulator.requests(), []);
}

#[tokio::test]
async fn a_wrong_column_is_no_fault_of_the_rules_that_look_at_it() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let cases: [(&str, &str, &[&str]); 2] = [
        (
            "{name: side}",
            "{name: side, field: sequence}",
            &["\"side\" is integer", "is char (TEXT)"],
        ),
        (
            "{name: price}",
            "{name: prices, field: price}",
            &["no column \"prices\"", "did you mean `price`?"],
        ),
    ];
    for (from, to, wanted) in cases {
        let config = installation.config("trades", |text| text.replace(from, to));
        let said = installation
            .run(&["run", &job, "--config-dir", &config])
            .await;
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert_shows(&said.stderr, wanted);
    }
}

#[tokio::test]
async fn the_check_tells_all_that_is_wrong() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", |text| {
        text.replace("check: size > 0", "check: sizes > 0")
            .replace("{name: price}", "{name: price, field: size}")
            .replace("{name: flags}", "{name: flags, field: side}")
    });
    let jobs = std::path::Path::new(&config).join("jobs");
    std::fs::create_dir_all(&jobs).unwrap();
    std::fs::write(
        jobs.join("other.yaml"),
        JOB.replace("[trades, tbbo]", "[tbbos]"),
    )
    .unwrap();
    let check = ["rules", "check", "--config-dir", &config];
    let said = installation.run(&check).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert_shows(
        &said.stderr,
        &[
            "other.yaml:4:11",
            "did you mean `tbbo`?",
            "\"price\" is integer",
            "\"flags\" is char",
            "did you mean `size`?",
        ],
    );
    assert_eq!(said.stderr.matches("error: ").count(), 4, "{}", said.stderr);
}

#[tokio::test]
async fn a_job_of_a_schema_that_is_not_mapped_and_a_configuration_without_schemas_are_refused() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", |text| text);
    let check = ["rules", "check", "--config-dir", &config];
    let folder = std::path::Path::new(&config);
    std::fs::create_dir_all(folder.join("jobs")).unwrap();
    std::fs::write(folder.join("jobs/quality.yaml"), JOB).unwrap();
    installation.succeed(&check).await;
    std::fs::remove_file(folder.join("schemas/tbbo.yaml")).unwrap();
    let said = installation.run(&check).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert_shows(
        &said.stderr,
        &["no file maps the schema tbbo", "quality.yaml:4:19"],
    );
    std::fs::remove_dir_all(folder.join("jobs")).unwrap();
    std::fs::remove_dir_all(folder.join("schemas")).unwrap();
    let said = installation.run(&check).await;
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert_shows(&said.stderr, &["the configuration maps no schema"]);
}

#[tokio::test]
async fn a_job_turns_a_rule_off_and_one_that_is_not_there_is_refused() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", stricter);
    let job = installation.job(&format!("{JOB}rules: {{size_positive: off}}\n"));
    installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    let status = installation.status().await;
    assert_eq!(status["records"]["quarantined"], 0);
    let job = installation.job(&format!("{JOB}rules: {{size_positiv: off}}\n"));
    let said = installation.run(&["run", &job]).await;
    assert_eq!(said.code, Some(2));
    assert_shows(
        &said.stderr,
        &["job.yaml:10:23", "did you mean `size_positive`?"],
    );
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 101\n"));
    let said = installation.run(&["run", &job]).await;
    assert_eq!(said.code, Some(2));
    assert_shows(&said.stderr, &["job.yaml:10:25", "from 0 to 100"]);
}

#[tokio::test]
async fn quarantined_records_are_listed_shown_and_decided_about_again() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", stricter);
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    let said = installation
        .succeed(&["run", &job, "--config-dir", &config])
        .await;
    assert_shows(
        &said.stdout,
        &["of trades fail size_positive", "quality is complete"],
    );
    let held_back = number(&installation, "SELECT count(*) FROM quarantine").await;
    let status = installation.status().await;
    assert_eq!(status["records"]["quarantined"], held_back);
    assert_eq!(status["rules"][0]["rule"], "size_positive");
    assert!(held_back > 10);

    let listed = installation
        .succeed(&["quarantine", "list", "--limit", "5", "--json"])
        .await;
    let listed = json(&listed);
    assert_eq!(listed["rules"][0]["records"], held_back);
    let records = listed["records"].as_array().unwrap();
    assert_eq!(records.len(), 5);
    assert_eq!(records[0]["found"], "size = 1");
    let record = format!("{}:{}", records[0]["chunk"], records[0]["record_number"]);
    let said = installation.succeed(&["quarantine", "show", &record]).await;
    assert_shows(&said.stdout, &["size_positive", "\"size\": 1", ".dbn.zst"]);
    let text = installation
        .succeed(&["quarantine", "list", "quality"])
        .await;
    assert_shows(&text.stdout, &["size = 1", &record]);
    for (arguments, wanted) in [
        (["quarantine", "show", "1-2"], "CHUNK:RECORD"),
        (["quarantine", "show", "1:999999"], "not in the quarantine"),
        (["quarantine", "list", "qualiti"], "did you mean `quality`?"),
    ] {
        let said = installation.run(&arguments).await;
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert_shows(&said.stderr, &[wanted]);
    }

    // By the project's own rules they are well.
    let requests = installation.simulator.requests().len();
    let said = installation
        .succeed(&["quarantine", "retry", "quality", "--json"])
        .await;
    assert_eq!(
        json(&said)["jobs"][0]["schemas"]["trades"]["quarantined_after"],
        0
    );
    assert_eq!(
        number(&installation, "SELECT count(*) FROM quarantine").await,
        0
    );
    let said = installation.succeed(&["quarantine", "list"]).await;
    assert_eq!(said.stdout, "no quarantined records\n");
    assert_eq!(installation.simulator.requests().len(), requests);
}

#[tokio::test]
async fn above_the_limit_nothing_is_loaded_and_a_better_rule_needs_no_second_payment() {
    let installation = Installation::synthetic().await;
    let config = installation.config("trades", stricter);
    let job = installation.job(JOB);
    let said = installation
        .run(&["run", &job, "--config-dir", &config])
        .await;
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_shows(
        &said.stdout,
        &[
            "(dead)",
            "at most 1 % may",
            "the worst is size_positive",
            "size = 1",
            "quality is incomplete",
        ],
    );
    assert_eq!(
        number(&installation, "SELECT count(*) FROM trades_data").await,
        0
    );
    assert_eq!(
        number(&installation, "SELECT count(*) FROM quarantine").await,
        0
    );
    let paid = installation.data_requests().len();
    let said = installation.succeed(&["run", &job]).await;
    assert_shows(
        &said.stdout,
        &["spent by this run: $0.00", "quality is complete"],
    );
    assert_eq!(installation.data_requests().len(), paid);
}

#[tokio::test]
async fn a_value_that_its_column_cannot_hold_exactly_is_quarantined_like_a_failed_rule() {
    let installation = Installation::synthetic().await;
    let halves =
        |text: String| text.replace("{name: size}", "{name: size, scale: 0.5, type: integer}");
    let config = installation.config("trades", halves);
    let job = installation.job(&format!("{JOB}max_quarantine_percent: 100\n"));
    let run = ["run", &job, "--config-dir", &config];
    let said = installation.succeed(&run).await;
    assert_shows(&said.stdout, &["of trades fail value_fits_column"]);
    let odd = number(&installation, "SELECT count(*) FROM quarantine").await;
    assert!(odd > 10);
    let listed = installation.succeed(&["quarantine", "list"]).await;
    assert_shows(
        &listed.stdout,
        &["can't be held exactly as integer", "size: 0.5"],
    );
    let status = installation.status().await;
    assert_eq!(status["complete"], true);
    // By the project's own mapping they are whole, and at home.
    installation
        .succeed(&["quarantine", "retry", "quality"])
        .await;
    assert_eq!(
        number(&installation, "SELECT count(*) FROM quarantine").await,
        0
    );
}

#[tokio::test]
async fn without_a_database_json_is_json() {
    let installation = Installation::synthetic().await;
    for arguments in [
        &["quarantine", "retry", "--json"][..],
        &["quarantine", "list", "--json"],
    ] {
        let said = installation.succeed(arguments).await;
        json(&said);
    }
}

/// The archive's file of the first chunk of trades.
async fn archived_trades(installation: &Installation) -> PathBuf {
    let key: String = scalar(
        &installation.sandbox.database(),
        "SELECT archive_object FROM chunks WHERE schema = 'trades' ORDER BY id LIMIT 1",
    )
    .await;
    installation.sandbox.path().join("archive").join(key)
}

#[tokio::test]
async fn a_sample_is_judged_compressed_or_not_and_a_bad_one_refused() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let compressed = archived_trades(&installation).await;
    let plain = installation.sandbox.path().join("plain.dbn");
    let records = std::fs::read(&compressed).unwrap();
    let records = zstd::decode_all(records.as_slice()).unwrap();
    std::fs::write(&plain, &records).unwrap();
    let config = installation.config("trades", stricter);
    let mut found = Vec::new();
    for file in [&compressed, &plain] {
        let sample = file.display().to_string();
        let check = [
            "rules",
            "check",
            "--sample",
            &sample,
            "--config-dir",
            &config,
            "--json",
        ];
        let said = installation.succeed(&check).await;
        let sample = json(&said)["sample"].clone();
        assert!(sample["quarantined"].as_u64().unwrap() > 0);
        found.push((
            sample["records"].clone(),
            sample["quarantined"].clone(),
            sample["rules"].clone(),
        ));
        let said = installation.succeed(&check[..6]).await;
        assert_shows(
            &said.stdout,
            &["size_positive", "size = 1", "would be quarantined"],
        );
    }
    assert_eq!(found[0], found[1]);
    let cut = installation.sandbox.path().join("cut.dbn");
    std::fs::write(&cut, &records[..records.len() - 5]).unwrap();
    let cut_frame = installation.sandbox.path().join("cut.dbn.zst");
    let frame = std::fs::read(&compressed).unwrap();
    std::fs::write(&cut_frame, &frame[..frame.len() - 5]).unwrap();
    let cut_header = installation.sandbox.path().join("header.dbn.zst");
    std::fs::write(&cut_header, &frame[..20]).unwrap();
    let text = installation.sandbox.write("text.dbn", "no records");
    let empty = installation.sandbox.write("empty.dbn", "");
    let missing = installation.sandbox.path().join("missing.dbn");
    let pipe = installation.sandbox.path().join("pipe.dbn");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let former = installation.sandbox.path().join("former.dbz");
    std::fs::write(&former, b"\x51\x2a\x4d\x18\x80\0\0\0DBZ\x01GLBX.MDP3").unwrap();
    let folder = installation.sandbox.path().to_owned();
    for (file, wanted) in [
        (&cut, "cut inside a record"),
        (&cut_frame, "cut inside a compressed frame"),
        (&cut_header, "cut inside its header"),
        (&text, "no DBN file"),
        (&empty, "the file is empty"),
        (&missing, "there is no such file"),
        (&folder, "this is a folder"),
        (&pipe, "this is no regular file"),
        (&former, "format before DBN"),
        (&former, "convert it with `dbn`"),
    ] {
        let sample = file.display().to_string();
        let said = installation
            .run(&["rules", "check", "--sample", &sample])
            .await;
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert_shows(&said.stderr, &[wanted]);
        assert!(!said.stderr.contains(" { "), "{}", said.stderr);
    }
}

#[tokio::test]
async fn a_rule_that_is_off_is_tried_on_a_sample_and_holds_nothing_back() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let file = archived_trades(&installation).await;
    let file = file.display().to_string();
    let config = installation.config("trades", |text| {
        stricter(text).replace("size > 1\n", "size > 1\n    enabled: false\n")
    });
    let check = ["rules", "check", "--sample", &file, "--config-dir", &config];
    let said = installation.succeed(&check).await;
    assert_shows(
        &said.stdout,
        &["size_positive (off)", "size = 1", "0 would be quarantined"],
    );
    let said = installation
        .succeed(&[&check[..], &["--json"]].concat())
        .await;
    let sample = json(&said)["sample"].clone();
    assert_eq!(sample["quarantined"], 0);
    let rules = sample["rules"].as_array().unwrap();
    let off = rules.iter().find(|rule| rule["name"] == "size_positive");
    let off = off.unwrap();
    assert_eq!(
        (&off["enabled"], &off["severity"]),
        (&false.into(), &"error".into())
    );
    assert!(off["failing"].as_u64().unwrap() > 0);
    let others = rules.iter().filter(|rule| rule["enabled"] == true);
    assert_eq!(others.count(), rules.len() - 1);
}
