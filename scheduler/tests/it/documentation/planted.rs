//! Errors that are planted in the real documents: each is found, with its place, and nothing else is.

use std::sync::OnceLock;

use testkit::database::Database;
use testkit::sandbox::Sandbox;

use super::document::Documents;
use super::queries::wrong_on;
use super::shown::play;
use super::told::Existing;

fn existing() -> &'static Existing {
    static EXISTING: OnceLock<Existing> = OnceLock::new();
    EXISTING.get_or_init(Existing::read)
}

/// The complaints about the documents with `to` in place of `from` in one of them.
fn found(path: &str, from: &str, to: &str) -> Vec<String> {
    let documents = Documents::read(&existing().tree).planted(path, from, to);
    let complaints = existing().complaints(&documents);
    complaints.iter().map(ToString::to_string).collect()
}

/// Plants an error and expects one complaint, at the line of what was planted, with these words.
#[track_caller]
fn expect(path: &str, from: &str, to: &str, words: &str) {
    let found = found(path, from, to);
    let documents = Documents::read(&existing().tree).planted(path, from, to);
    let text = &documents.0[path];
    let line = text[..text.find(to).unwrap()].matches('\n').count() + 1;
    assert_eq!(found, [format!("{path}:{line}: {words}")]);
}

#[test]
fn a_link_that_leads_nowhere() {
    let near = "did you mean `docs/jobs.md`?";
    expect(
        "README.md",
        "[Jobs](docs/jobs.md)",
        "[Jobs](docs/job.md)",
        &format!("there is no file docs/job.md; {near}"),
    );
    expect(
        "docs/recovery.md",
        "[a process](#a-killed-process)",
        "[a process](#a-killed-proces)",
        "there is no heading #a-killed-proces in docs/recovery.md; did you mean `a-killed-process`?",
    );
    expect(
        "docs/runbook.md",
        "[a lost archive](recovery.md#a-lost-archive)",
        "[a lost archive](recovery.md#lost)",
        "there is no heading #lost in docs/recovery.md; did you mean `a-lost-redis`?",
    );
    expect(
        "README.md",
        "https://databento.com",
        "http://databento.com",
        "`http://databento.com`: write an address as https://host/path",
    );
    let alone =
        "docs/contributing/column.md:1: no document links to this one: add it to docs/README.md";
    let from = "[Adding a column](contributing/column.md)";
    assert_eq!(found("docs/README.md", from, "Adding a column"), [alone]);
}

#[test]
fn a_path_or_an_item_that_is_gone() {
    expect(
        "ARCHITECTURE.md",
        "`scheduler/src/plan/cut.rs`",
        "`scheduler/src/plan/cuts.rs`",
        "there is no `scheduler/src/plan/cuts.rs` in the project; did you mean \
         `scheduler/src/plan/cut.rs`?",
    );
    expect(
        "ARCHITECTURE.md",
        "`DbnStream::finish`",
        "`DbnStream::finnish`",
        "no source has `finnish` of `DbnStream::finnish`",
    );
    expect(
        "docs/runbook.md",
        "to `configs/schemas`, on every worker",
        "to `configs/schemes`, on every worker",
        "there is no `configs/schemes` in the project; did you mean `configs/schemas/mbo.yaml`?",
    );
}

#[test]
fn a_command_or_a_flag_that_does_not_exist() {
    expect(
        "docs/query.md",
        "--min-size 5 ",
        "--min-size 5 --minimum-size 5 ",
        "`scheduler query` takes no flag `--minimum-size`; did you mean `--min-size`?",
    );
    expect(
        "README.md",
        "| `scheduler list-jobs [--json]`",
        "| `scheduler lists-jobs [--json]`",
        "`scheduler` has no command `lists-jobs`; did you mean `list-jobs`?",
    );
    expect(
        "README.md",
        "| `scheduler quarantine show CHUNK:RECORD [--json]`",
        "| `scheduler quarantine show CHUNK:RECORD [--jsn]`",
        "`scheduler quarantine show` takes no flag `--jsn`; did you mean `--json`?",
    );
    expect(
        "docs/contributing/simulator.md",
        "$ simulator --listen",
        "$ simulator --port 1 --listen",
        "`simulator` takes no flag `--port`",
    );
    expect(
        "docs/jobs.md",
        "`--fill` plans",
        "`--full` plans",
        "no program takes the flag `--full`; did you mean `--fill`?",
    );
}

#[test]
fn a_variable_that_nothing_reads() {
    expect(
        "docs/fleet.md",
        "(`BACKHAUL_SHUTDOWN_GRACE_SECONDS`, 30)",
        "(`BACKHAUL_SHUTDOWN_GRACE_SECONDS`, `BACKHAUL_SHUTDOWN_SECONDS`, 30)",
        "nothing reads the variable BACKHAUL_SHUTDOWN_SECONDS; did you mean \
         `BACKHAUL_SHUTDOWN_GRACE_SECONDS`?",
    );
}

/// The documents without a word, whatever they say of it.
fn without(word: &str, other: &str) -> Vec<String> {
    let mut documents = Documents::read(&existing().tree);
    for text in documents.0.values_mut() {
        *text = text.replace(word, other);
    }
    let complaints = existing().complaints(&documents);
    complaints.iter().map(ToString::to_string).collect()
}

#[test]
fn what_exists_and_is_not_named() {
    let found = without("BACKHAUL_READ_TIMEOUT_SECONDS", "a while");
    let expected = "docs/README.md:1: no document names the variable BACKHAUL_READ_TIMEOUT_SECONDS";
    assert_eq!(found, [expected]);
    let found = without("--max-size", "--min-size");
    assert_eq!(
        found,
        ["docs/README.md:1: no document names the flag --max-size"]
    );
}

#[test]
fn a_row_that_a_table_lacks_or_should_not_have() {
    let found = found(
        "README.md",
        "\n| 5 | refused by the job's limit or the month's budget, before anything is asked for |",
        "",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with(": this table has no row `5`"),
        "{found:?}"
    );
    let row = "| 0 | nothing |";
    expect(
        "docs/runbook.md",
        row,
        "| 77 | nothing |\n| 0 | nothing |",
        "`77` is no exit code of the program's",
    );
}

#[test]
fn an_error_of_other_words_than_the_program_s() {
    let path = "docs/runbook.md";
    let found = found(
        path,
        "| `the stream is empty` |",
        "| `the stream was empty` |",
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].ends_with(": this table has no row `the stream is empty`"));
    assert!(found[1].ends_with(": `the stream was empty` is no error of the program's"));
}

#[test]
fn a_block_that_its_parser_refuses() {
    expect(
        "docs/jobs.md",
        "chunking: {days: 2}",
        "chunkin: {days: 2}",
        "unknown field `chunkin`, expected one of name, dataset, schemas, symbols, stype_in, start, \
         end, chunking, priority, max_cost_usd, rules, max_quarantine_percent, source, folder",
    );
    expect(
        "docs/rules.md",
        "check: size > 0",
        "check: sise > 0",
        "rule \"size_positive\": unknown column `sise`; did you mean `size`?",
    );
    let path = "docs/files.md";
    let found = found(path, "```yaml job downloaded.yaml", "```yaml");
    let wanted = "say what it is: ```yaml job, ```yaml mapping or ```yaml settings";
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with(wanted), "{found:?}");
}

#[test]
fn a_block_that_is_no_json() {
    let found = found("ARCHITECTURE.md", "```text", "```json");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("expected value at line 1 column 1"),
        "{found:?}"
    );
}

#[test]
fn a_block_that_nobody_tries() {
    let found = found("ARCHITECTURE.md", "```text", "```picture");
    assert_eq!(found.len(), 1, "{found:?}");
    let wanted = "a block of `picture`, which nobody tries; the languages are console, yaml, json, sql, text";
    assert!(found[0].ends_with(wanted), "{found:?}");
}

/// What is found by running a document's commands.
async fn played(path: &str, from: &str, to: &str) -> Vec<String> {
    let documents = Documents::read(&existing().tree).planted(path, from, to);
    let complaints = play(&documents, path, &existing().tree).await;
    complaints.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn an_output_that_is_another() {
    let path = "docs/contributing/chunk.md";
    let found = played(path, "done|1|0|1", "done|1|0|0").await;
    let [complaint] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(complaint.starts_with(path), "{complaint}");
    assert!(
        complaint.contains("prints `done|1|0|1` where `done|1|0|0` is shown"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_command_that_fails() {
    let path = "docs/contributing/chunk.md";
    let found = played(path, "run one.yaml\n", "run another.yaml\n").await;
    let [complaint] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(complaint.contains("ends with exit code 2"), "{complaint}");
    assert!(
        complaint.contains("there is no such job file"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_block_without_a_command() {
    let found = played(
        "docs/runbook.md",
        "$ scheduler run no-such-job",
        "scheduler run it",
    )
    .await;
    let [complaint] = &found[..] else {
        panic!("{found:?}");
    };
    let wanted = "a console block begins with `$ ` and a command";
    assert!(complaint.contains(wanted), "{complaint}");
}

#[tokio::test]
async fn an_exit_code_that_is_another() {
    let found = played("docs/runbook.md", "$ echo $?\n2\n", "$ echo $?\n3\n").await;
    let [complaint] = &found[..] else {
        panic!("{found:?}");
    };
    let wanted = "`echo $?` prints `2` where `3` is shown";
    assert!(complaint.contains(wanted), "{complaint}");
}

#[tokio::test]
async fn a_query_of_a_column_that_is_not_there() {
    let documents = Documents::read(&existing().tree);
    let (from, to) = (
        "SELECT id, name, reason FROM jobs",
        "SELECT id, name, why FROM jobs",
    );
    let documents = documents.planted("docs/runbook.md", from, to);
    let sandbox = Sandbox::new();
    let database = Database::File(sandbox.path().join("backhaul.db"));
    let found = wrong_on(database, "sqlite", &sandbox, &documents).await;
    let [complaint] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(
        complaint.message.contains("no such column: why"),
        "{complaint}"
    );
}
