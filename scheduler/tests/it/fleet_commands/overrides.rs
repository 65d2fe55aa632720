//! What is set beside a job file: it counts as if it stood there, and its mistakes name the flag.

use serde_json::{Value, json};

use super::ground::{Ground, JOB};

#[tokio::test]
async fn what_is_set_goes_before_what_is_written() {
    let ground = Ground::one_machine().await;
    let job = ground.job(JOB);
    let set = [
        "plan",
        &job,
        "--json",
        "--set",
        "symbols=[CL.c.0]",
        "--set",
        "chunking={days: 2}",
        "--set",
        "end=2024-01-10",
        "--set",
        "schemas=[ohlcv-1d]",
    ];
    let said = ground.succeed(&set).await;
    let plan: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(plan["chunks"], 1, "{plan}");
    let chunk = &plan["list"][0];
    assert_eq!(chunk["symbols"], json!(["CL.c.0"]));
    assert_eq!(
        (&chunk["schema"], &chunk["end"]),
        (&"ohlcv-1d".into(), &"2024-01-10".into())
    );

    let set = [
        "run",
        &job,
        "--set",
        "name=other",
        "--set",
        "end=2024-01-09",
    ];
    ground.succeed(&set).await;
    assert_eq!(ground.status_of("other").await["chunks"]["total"], 1);
}

#[tokio::test]
async fn what_is_set_wrongly_is_refused_by_its_flag() {
    let ground = Ground::one_machine().await;
    let job = ground.job(JOB);
    let cases: [(&str, &[&str]); 11] = [
        (
            "prioritiy=5",
            &["--set prioritiy", "did you mean `priority`?"],
        ),
        ("priority=high", &["--set priority", "for example"]),
        ("priority=", &["--set priority", "no value"]),
        ("priority", &["--set priority", "key=value"]),
        ("symbols=[ES.x.0]", &["--set symbols", "ROOT.RULE.RANK"]),
        ("symbols=[QQ.c.0]", &["--set symbols", "check its spelling"]),
        (
            "schemas=[trade]",
            &["--set schemas", "did you mean `trades`?"],
        ),
        ("end=2024-01-01", &["--set end", "exclusive"]),
        (
            "chunking={days: 1, weeks: 2}",
            &["--set chunking", "unknown field"],
        ),
        ("chunking={days: 1", &["--set chunking"]),
        ("rules={no_such_rule: on}", &["--set rules", "rules check"]),
    ];
    for command in ["plan", "run", "submit"] {
        for (set, words) in cases {
            // A plan doesn't look at rules.
            if command != "plan" || !set.starts_with("rules") {
                ground.refuse(&[command, &job, "--set", set], words).await;
            }
        }
    }
    assert_eq!(ground.data_requests(), []);
}

#[tokio::test]
async fn what_is_wrong_in_the_file_keeps_its_place_there() {
    let ground = Ground::one_machine().await;
    let job = ground.job(&JOB.replace("[trades]", "[trade]"));
    let set = ["plan", &job, "--set", "priority=5"];
    ground
        .refuse(&set, &["job.yaml:4:11", "did you mean `trades`?"])
        .await;
    let set = ["plan", &job, "--set", "schemas=[trades]"];
    ground.succeed(&set).await;
}
