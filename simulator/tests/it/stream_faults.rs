//! Each way to end a stream badly does what it says, byte by byte.

use std::time::{Duration, Instant};

use simulator::{Config, Fault, FaultKind, Simulator};

use crate::{
    ask::{self, header_len, range},
    wire::{Answer, End},
};

const TRADE_BYTES: usize = 48;

/// A day of some 2,000 trades, one bar, and a holiday.
const STREAMS: [&str; 3] = [
    "dataset=GLBX.MDP3&schema=trades&symbols=ESH4&start=2024-01-04",
    "dataset=GLBX.MDP3&schema=ohlcv-1d&symbols=ESH4&start=2024-01-04",
    "dataset=GLBX.MDP3&schema=trades&symbols=ESH4&start=2023-12-25",
];

struct Story {
    simulator: Simulator,
    query: &'static str,
    /// The stream as it should be, uncompressed.
    whole: Vec<u8>,
}

impl Story {
    async fn of(query: &'static str) -> Self {
        let simulator = ask::simulator(Config {
            trades_per_day: 2_000,
            ..Config::default()
        })
        .await;
        let whole =
            zstd::decode_all(range(&simulator, query).await.body.as_slice()).expect("whole");
        Self {
            simulator,
            query,
            whole,
        }
    }

    /// The answers to five requests that a fault strikes; each is cut elsewhere.
    async fn struck(&self, kind: FaultKind) -> Vec<Answer> {
        self.simulator.add_fault(Fault::next(kind, 5));
        let mut answers = Vec::new();
        for _ in 0..5 {
            let answer = range(&self.simulator, self.query).await;
            assert_eq!(self.last_fault().as_deref(), Some(kind.as_str()));
            answers.push(answer);
        }
        let after = range(&self.simulator, self.query).await;
        assert_eq!(
            zstd::decode_all(after.body.as_slice()).expect("whole"),
            self.whole,
            "five requests, no more"
        );
        answers
    }

    fn last_fault(&self) -> Option<String> {
        self.simulator
            .requests()
            .last()
            .and_then(|request| request.fault.clone())
    }

    /// What the log says of the `n`th last request.
    fn logged_records(&self, from_last: usize) -> u64 {
        self.simulator
            .requests()
            .iter()
            .rev()
            .nth(from_last)
            .map(|request| request.records)
            .expect("logged")
    }

    fn header(&self) -> usize {
        header_len(&self.whole)
    }

    fn has_records(&self) -> bool {
        self.whole.len() > self.header()
    }
}

/// What a decoder that doesn't complain gets out of a body.
fn decoded_leniently(body: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut plain = Vec::new();
    if let Ok(mut decoder) = zstd::stream::read::Decoder::new(body) {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = decoder.read(&mut buffer) {
            plain.extend_from_slice(&buffer[..read]);
        }
    }
    plain
}

#[tokio::test]
async fn a_long_stream_has_several_frames() {
    let story = Story::of(STREAMS[0]).await;
    let body = range(&story.simulator, story.query).await.body;
    let frames = body
        .windows(4)
        .filter(|window| *window == [0x28, 0xB5, 0x2F, 0xFD])
        .count();
    assert!(frames >= 2, "{frames}");
}

#[tokio::test]
async fn cut_in_frame_ends_http_cleanly_and_the_frame_not() {
    for query in STREAMS {
        let story = Story::of(query).await;
        for (answer, from_last) in story
            .struck(FaultKind::CutInFrame)
            .await
            .iter()
            .zip((1..=5).rev())
        {
            assert_eq!((answer.status, answer.end), (200, End::Clean));
            assert!(
                zstd::decode_all(answer.body.as_slice()).is_err(),
                "the frame is incomplete"
            );
            let lenient = decoded_leniently(&answer.body);
            assert!(lenient.len() < story.whole.len() && story.whole.starts_with(&lenient));
            let records = lenient.len().saturating_sub(story.header()) / TRADE_BYTES;
            if query == STREAMS[0] {
                assert_eq!(
                    story.logged_records(from_last),
                    u64::try_from(records).expect("few")
                );
            }
        }
    }
}

#[tokio::test]
async fn cut_at_frame_looks_complete_but_lacks_records() {
    for query in STREAMS {
        let story = Story::of(query).await;
        for answer in story.struck(FaultKind::CutAtFrame).await {
            assert_eq!((answer.status, answer.end), (200, End::Clean));
            if !story.has_records() {
                assert!(answer.body.is_empty());
                continue;
            }
            let plain = zstd::decode_all(answer.body.as_slice()).expect("whole frames");
            assert!(plain.len() < story.whole.len() && story.whole.starts_with(&plain));
            assert_eq!(
                (plain.len() - story.header())
                    % (story.whole.len() - story.header()).min(TRADE_BYTES),
                0
            );
        }
    }
}

#[tokio::test]
async fn cut_in_record_ends_frames_cleanly_within_a_record() {
    for query in STREAMS {
        let story = Story::of(query).await;
        for answer in story.struck(FaultKind::CutInRecord).await {
            assert_eq!((answer.status, answer.end), (200, End::Clean));
            if !story.has_records() {
                assert!(answer.body.is_empty());
                continue;
            }
            let plain = zstd::decode_all(answer.body.as_slice()).expect("whole frames");
            assert!(story.whole.starts_with(&plain));
            let size = if query == STREAMS[0] { TRADE_BYTES } else { 56 };
            assert_ne!((plain.len() - story.header()) % size, 0);
        }
    }
}

#[tokio::test]
async fn reset_breaks_the_connection() {
    for query in STREAMS {
        let story = Story::of(query).await;
        let answers = story.struck(FaultKind::Reset).await;
        assert!(answers.iter().all(|answer| answer.end == End::Reset));
        assert!(
            answers.iter().any(|answer| !answer.body.is_empty()),
            "in the middle of the body"
        );
    }
}

#[tokio::test]
async fn short_length_promises_more_than_it_gives() {
    for query in STREAMS {
        let story = Story::of(query).await;
        for answer in story.struck(FaultKind::ShortLength).await {
            assert_eq!((answer.status, answer.end), (200, End::Early));
            let promised: usize = answer
                .header("content-length")
                .and_then(|value| value.parse().ok())
                .expect("a length");
            assert!(promised > answer.body.len());
        }
    }
}

#[tokio::test]
async fn empty_body_is_no_stream_at_all() {
    let story = Story::of(STREAMS[0]).await;
    for answer in story.struck(FaultKind::EmptyBody).await {
        assert_eq!(
            (answer.status, answer.end, answer.body.len()),
            (200, End::Clean, 0)
        );
    }
}

#[tokio::test]
async fn metadata_only_is_a_whole_header_and_no_records() {
    let story = Story::of(STREAMS[0]).await;
    for answer in story.struck(FaultKind::MetadataOnly).await {
        let plain = zstd::decode_all(answer.body.as_slice()).expect("whole frames");
        assert_eq!(
            (answer.end, plain.as_slice()),
            (End::Clean, &story.whole[..story.header()])
        );
    }
}

#[tokio::test]
async fn corrupt_bytes_are_noticed_by_the_checksum() {
    for query in STREAMS {
        let story = Story::of(query).await;
        for answer in story.struck(FaultKind::Corrupt).await {
            assert_eq!((answer.status, answer.end), (200, End::Clean));
            assert!(zstd::decode_all(answer.body.as_slice()).is_err());
        }
    }
}

#[tokio::test]
async fn a_stall_pauses_and_goes_on() {
    let story = Story::of(STREAMS[0]).await;
    story
        .simulator
        .add_fault(Fault::next(FaultKind::Stall, 1).lasting(0.2));
    let begun = Instant::now();
    let answer = range(&story.simulator, story.query).await;
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(
        zstd::decode_all(answer.body.as_slice()).expect("whole"),
        story.whole
    );
    assert_eq!(
        u64::try_from(story.whole.len() - story.header()).expect("few"),
        story.logged_records(0) * 48
    );
}

#[tokio::test]
async fn a_stall_without_an_end_does_not_keep_a_simulator_from_stopping() {
    let story = Story::of(STREAMS[0]).await;
    story.simulator.add_fault(Fault::next(FaultKind::Stall, 1));
    let url = story.simulator.url();
    let address = url.strip_prefix("http://").expect("HTTP").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address)
        .await
        .expect("it listens");
    let authorization = crate::wire::basic(simulator::DEMO_KEY);
    let head = format!(
        "GET /v0/timeseries.get_range?{} HTTP/1.1\r\nHost: x\r\n\
         Authorization: {authorization}\r\n\r\n",
        story.query
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
        .await
        .expect("it reads");
    let mut first = [0; 1];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first)
        .await
        .expect("it answers");
    story.simulator.stop().await;
    let mut rest = Vec::new();
    // Either end will do, as long as it comes.
    let _end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
}
