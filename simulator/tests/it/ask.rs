//! Questions that most tests ask.

use dbn::{
    HasRType, Metadata, RecordHeader, Schema,
    decode::{DbnDecoder, DbnMetadata, DecodeRecord},
};
use simulator::{Config, Simulator};

use crate::wire::{Answer, End, get};

/// A simulator with little synthetic data, available up to the summer of 2024.
pub async fn small() -> Simulator {
    simulator(Config {
        trades_per_day: 400,
        ..Config::default()
    })
    .await
}

pub async fn simulator(config: Config) -> Simulator {
    let available_end = Some("2024-07-01".to_owned());
    Simulator::start(Config {
        strikes: 20,
        available_end,
        ..config
    })
    .await
    .expect("it starts")
}

/// The parameters of a request for records on GLBX.MDP3.
pub fn glbx(schema: &str, symbols: &str, stype_in: &str, start: &str, end: &str) -> String {
    format!(
        "dataset=GLBX.MDP3&schema={schema}&symbols={symbols}&stype_in={stype_in}&\
         start={start}&end={end}"
    )
}

/// The answer to `timeseries.get_range`, zstd and DBN.
pub async fn range(simulator: &Simulator, query: &str) -> Answer {
    get(
        simulator,
        &format!("/v0/timeseries.get_range?encoding=dbn&compression=zstd&{query}"),
    )
    .await
}

pub async fn count(simulator: &Simulator, query: &str) -> u64 {
    let answer = get(simulator, &format!("/v0/metadata.get_record_count?{query}")).await;
    answer
        .text()
        .parse()
        .unwrap_or_else(|_| panic!("no count: {}", answer.text()))
}

/// The bytes of a stream's records, which must be whole.
pub async fn record_bytes(simulator: &Simulator, query: &str) -> Vec<u8> {
    let answer = range(simulator, query).await;
    assert!(
        matches!(answer.status, 200 | 206),
        "{query}: {}",
        answer.text()
    );
    assert_eq!(answer.end, End::Clean, "{query}");
    let plain = zstd::decode_all(answer.body.as_slice()).expect("whole frames");
    let len = header_len(&plain);
    plain[len..].to_vec()
}

/// The length of the metadata that a DBN stream begins with.
pub fn header_len(plain: &[u8]) -> usize {
    let length = plain
        .get(4..8)
        .and_then(|bytes| bytes.try_into().ok())
        .expect("a prelude");
    8 + usize::try_from(u32::from_le_bytes(length)).expect("64 bits")
}

/// The metadata and records of a stream.
pub async fn decoded<T>(simulator: &Simulator, query: &str) -> (Metadata, Vec<T>)
where
    T: HasRType<Header = RecordHeader> + Clone,
{
    let answer = range(simulator, query).await;
    assert!(
        matches!(answer.status, 200 | 206),
        "{query}: {}",
        answer.text()
    );
    let plain = zstd::decode_all(answer.body.as_slice()).expect("whole frames");
    let mut decoder = DbnDecoder::new(plain.as_slice()).expect("DBN");
    let metadata = decoder.metadata().clone();
    let mut records = Vec::new();
    while let Some(record) = decoder.decode_record::<T>().expect("whole records") {
        records.push(record.clone());
    }
    (metadata, records)
}

pub async fn records<T>(simulator: &Simulator, query: &str) -> Vec<T>
where
    T: HasRType<Header = RecordHeader> + Clone,
{
    decoded(simulator, query).await.1
}

/// The length of a schema's records, by their own structs.
pub fn record_size(schema: Schema) -> usize {
    match schema {
        Schema::Trades => size_of::<dbn::TradeMsg>(),
        Schema::Mbo => size_of::<dbn::MboMsg>(),
        Schema::Mbp10 => size_of::<dbn::Mbp10Msg>(),
        Schema::Definition => size_of::<dbn::InstrumentDefMsg>(),
        Schema::Status => size_of::<dbn::StatusMsg>(),
        Schema::Imbalance => size_of::<dbn::ImbalanceMsg>(),
        Schema::Ohlcv1S
        | Schema::Ohlcv1M
        | Schema::Ohlcv1H
        | Schema::Ohlcv1D
        | Schema::OhlcvEod => size_of::<dbn::OhlcvMsg>(),
        _ => size_of::<dbn::Mbp1Msg>(),
    }
}
