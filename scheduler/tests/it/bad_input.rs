//! Bad input: exit 2, the place, what to write instead; and the key that nobody sees.

use testkit::sandbox::API_KEY;

use crate::installation::{Installation, all_bytes};

const JOB: &str = "name: job
dataset: GLBX.MDP3
schemas: [trades]
symbols: [ES.c.0]
stype_in: continuous
start: 2024-01-08
end: 2024-01-09
";

#[tokio::test]
async fn a_wrong_job_file_is_refused_with_its_place_and_a_way_out() {
    let installation = Installation::synthetic().await;
    let cases = [
        (
            "start: 2024-01-08",
            "strat: 2024-01-08",
            ":6:1",
            "unknown field",
        ),
        ("end: 2024-01-09", "end: 2024-01-08", ":7:6", "exclusive"),
        ("end: 2024-01-09", "end: 2024-02-30", ":7:6", "calendar"),
        ("[trades]", "[trade]", ":3:11", "did you mean `trades`?"),
        (
            "GLBX.MDP3",
            "GLBX.MDP4",
            ":2:10",
            "did you mean `GLBX.MDP3`?",
        ),
        ("[ES.c.0]", "[ES.x.0]", ":4:11", "ROOT.RULE.RANK"),
        ("[ES.c.0]", "[QQ.c.0]", ":4:11", "check its spelling"),
        (
            "stype_in: continuous",
            "stype_in: continous",
            ":5:11",
            "write one of",
        ),
    ];
    for (from, to, place, help) in cases {
        let job = installation.job(&JOB.replace(from, to));
        let said = installation.run(&["run", &job]).await;
        assert_eq!(said.code, Some(2), "{to}: {said:?}");
        assert!(
            said.stderr.contains(&format!("job.yaml{place}")),
            "{to}: {}",
            said.stderr
        );
        assert!(said.stderr.contains(help), "{to}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{to}");
    }
    assert_eq!(installation.data_requests(), []);
}

#[tokio::test]
async fn a_missing_or_malformed_key_is_asked_for() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    for key in ["", "db-short", "not-a-key-at-all-but-32-bytes-ok"] {
        let mut command = installation.command(&["run", &job]);
        let output = command
            .env("DATABENTO_API_KEY", key)
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("DATABENTO_API_KEY"), "{stderr}");
        assert!(key.is_empty() || !stderr.contains(key), "{stderr}");
    }
}

#[tokio::test]
async fn a_key_that_the_vendor_refuses_is_said_so() {
    let installation = Installation::with(simulator::Config {
        key: Some("db-another0000000000000000000000".to_owned()),
        ..simulator::Config::default()
    })
    .await;
    let job = installation.job(JOB);
    let said = installation.run(&["plan", &job]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("refused the API key"), "{said:?}");
}

#[tokio::test]
async fn the_key_reaches_no_output_and_no_file() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let mut command = installation.command(&["run", &job]);
    let output = command.env("BACKHAUL_LOG", "trace").output().await.unwrap();
    assert!(output.status.success());
    let mut bytes = output.stdout;
    bytes.extend(output.stderr);
    bytes.extend(all_bytes(installation.sandbox.path()));
    let secret = API_KEY.as_bytes();
    let found = bytes.windows(secret.len()).any(|window| window == secret);
    assert!(!found, "the key was written somewhere");
}

#[tokio::test]
async fn a_database_that_nobody_answers_for_is_told_without_its_password() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let url = "postgres://me:secret-word@127.0.0.1:1/backhaul";
    let said = installation
        .run(&["run", &job, "--database-url", url])
        .await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("DATABASE_URL"), "{said:?}");
    assert!(!said.stderr.contains("secret-word"), "{said:?}");
}

#[tokio::test]
async fn unknown_jobs_flags_and_settings_are_answered_with_near_ones() {
    let installation = Installation::synthetic().await;
    let said = installation.run(&["run", "dmeo"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("did you mean `demo`?"), "{said:?}");
    let said = installation.run(&["status", "no-such-job"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = installation.run(&["plan", "demo", "--jsno"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    let mut command = installation.command(&["status"]);
    let output = command.env("BACKHAUL_WORKRES", "2").output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("BACKHAUL_WORKERS"), "{stderr}");
}

#[tokio::test]
async fn a_wrong_mapping_stops_the_job_before_anything_is_asked() {
    let installation = Installation::synthetic().await;
    let configs = installation.sandbox.path().join("configs-of-ours");
    std::fs::create_dir_all(configs.join("schemas")).unwrap();
    std::fs::write(
        configs.join("schemas/trades.yaml"),
        "schemas: [trades]\ntable: trades_data\ncolumns:\n  - {name: instrument_id}\n  - {name: pirce}\n",
    )
    .unwrap();
    let job = installation.job(JOB);
    let folder = configs.display().to_string();
    let said = installation
        .run(&["run", &job, "--config-dir", &folder])
        .await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("trades.yaml:5:12"), "{said:?}");
    assert!(said.stderr.contains("did you mean `price`?"), "{said:?}");
    assert_eq!(installation.simulator.requests(), []);
}

#[tokio::test]
async fn an_archive_that_cannot_be_written_is_refused_before_anything_is_asked() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let file = installation.sandbox.write("a-file", "");
    for url in [
        format!("file://{}", file.display()),
        "file:///proc/nope".to_owned(),
    ] {
        let said = installation
            .run(&["run", &job, "--archive-url", &url])
            .await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains("ARCHIVE_URL"), "{said:?}");
    }
    assert_eq!(installation.simulator.requests(), []);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_so() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    let file = installation
        .sandbox
        .write("notes.txt", &"not a database ".repeat(1_000));
    let url = format!("sqlite://{}", file.display());
    for command in [vec!["status"], vec!["plan", &job], vec!["run", &job]] {
        let mut arguments = command.clone();
        arguments.extend(["--database-url", &url]);
        let said = installation.run(&arguments).await;
        assert_eq!(said.code, Some(2), "{command:?}: {said:?}");
        assert!(
            said.stderr.contains("no SQLite database"),
            "{command:?}: {said:?}"
        );
    }
}

#[tokio::test]
async fn a_database_of_a_stand_ins_records_takes_none_of_the_vendors() {
    let installation = Installation::synthetic().await;
    let job = installation.job(JOB);
    installation.succeed(&["run", &job]).await;
    let asked = installation.data_requests();
    for command in ["run", "plan", "submit"] {
        let mut vendors = installation.command(&[command, &job]);
        vendors.env("DATABENTO_URL", "https://hist.databento.com");
        let said = crate::installation::said(vendors.output().await.unwrap());
        assert_eq!(said.code, Some(2), "{command}: {said:?}");
        assert!(said.stderr.contains("must not mix"), "{command}: {said:?}");
    }
    assert_eq!(installation.data_requests(), asked);
}
