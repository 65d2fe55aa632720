//! A private Redis server forgets everything with its end, and counts what it is asked.

use std::net::TcpStream;

use testkit::redis::Redis;

#[test]
fn a_restart_leaves_it_empty_on_its_port() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let url = redis.url();
    assert_eq!(redis.cli(&["set", "key", "value"]), "OK\n");
    assert_eq!(redis.cli(&["get", "key"]), "value\n");
    redis.kill();
    assert!(TcpStream::connect(redis.address()).is_err());
    redis.restart();
    assert_eq!(redis.url(), url);
    assert_eq!(redis.cli(&["dbsize"]), "0\n");
}

#[test]
fn it_may_be_emptied() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let _ = redis.cli(&["set", "key", "value"]);
    redis.flush_all();
    assert_eq!(redis.cli(&["dbsize"]), "0\n");
}

#[test]
fn it_counts_commands_and_each_question_as_one() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let before = redis.commands_processed();
    assert_eq!(redis.commands_processed(), before + 1);
    let _ = redis.cli(&["incr", "key"]);
    let _ = redis.cli(&["incr", "key"]);
    assert_eq!(redis.commands_processed(), before + 4);
}
