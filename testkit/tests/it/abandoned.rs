//! Servers whose test's process was killed end too, and leave nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::postgres::Postgres;
use testkit::redis::Redis;

/// What the processes below say before the address and the folder of their server.
const MARK: &str = "serving: ";

#[test]
fn a_postgresql_server_ends_with_its_killed_test() {
    let Some(_installed) = Postgres::start() else {
        return;
    };
    ends_with_its_test("abandoned::hold_postgres");
}

#[test]
fn a_redis_server_ends_with_its_killed_test() {
    let Some(_installed) = Redis::start() else {
        return;
    };
    ends_with_its_test("abandoned::hold_redis");
}

#[test]
#[ignore = "the stories above start it in a process of its own"]
fn hold_postgres() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let folder = postgres.psql("SHOW data_directory;");
    println!("{MARK}{} {}", postgres.address(), folder.trim());
    wait_for_the_end_of_input();
}

#[test]
#[ignore = "the stories above start it in a process of its own"]
fn hold_redis() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let folder = redis.cli(&["config", "get", "dir"]);
    let folder = folder.lines().nth(1).unwrap();
    println!("{MARK}{} {folder}", redis.address());
    wait_for_the_end_of_input();
}

/// Kills the process that a story runs in, and waits until its server and folder are gone.
fn ends_with_its_test(story: &str) {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args([story, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (address, folder) = serving(&mut test);
    let mut connection = TcpStream::connect(&address).unwrap();
    assert!(Path::new(&folder).exists());
    test.kill().unwrap();
    test.wait().unwrap();
    // It ends with the server, perhaps by a reset.
    let _ = connection.read_to_end(&mut Vec::new());
    let mut waits = 0;
    while Path::new(&folder).exists() {
        waits += 1;
        assert!(waits < 6_000, "{folder} is still there");
        pause();
    }
    assert!(TcpStream::connect(&address).is_err());
}

fn serving(test: &mut Child) -> (String, String) {
    let output = BufReader::new(test.stdout.take().unwrap());
    let line = output
        .lines()
        .map(Result::unwrap)
        .find_map(|line| Some(line.split_once(MARK)?.1.to_owned()))
        .unwrap();
    let (address, folder) = line.split_once(' ').unwrap();
    (address.to_owned(), folder.to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "no async thread is here, and a folder's end can only be looked for"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

fn wait_for_the_end_of_input() {
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
