//! The binary.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_simulator"))
}

fn run(arguments: &[&str]) -> Output {
    binary().args(arguments).output().expect("it runs")
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    for (arguments, part) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["--data", "nowhere/at/all"], "no folder nowhere/at/all"),
        (
            &["--fault", "cut-in-half:next=1"],
            "unknown variant `cut-in-half`",
        ),
        (&["--fault", "pending"], "needs `date`"),
        (&["--available-end", "soon"], "`soon`"),
        (
            &["--listen", "192.0.2.1:1"],
            "failed to listen on 192.0.2.1:1",
        ),
    ] {
        let output = run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(part), "{arguments:?}: {told}");
    }
}

#[test]
fn it_says_where_it_listens_names_what_it_skips_and_ends_on_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "no data").expect("a file");
    let mut child = binary()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("notes.txt: it is not DBN"), "{told}");
}

#[test]
fn a_health_check_tells_whether_it_answers() {
    let mut child = binary()
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let (_, port) = line.trim().rsplit_once(':').expect("an address");
    // As a container is told: every interface.
    let everywhere = format!("0.0.0.0:{port}");
    let ask = ["--listen", &everywhere, "--health-check"];
    let output = run(&ask);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        output.stdout.is_empty() && output.stderr.is_empty(),
        "{output:?}"
    );
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    let output = run(&ask);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("failed to get an answer from 0.0.0.0:"),
        "{told}"
    );
}
