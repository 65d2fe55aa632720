//! Trades by a seed, in blocks as `decode` hands them on.

use dbn::{FlagSet, RecordHeader, TradeMsg, UNDEF_TIMESTAMP, rtype};
use worker::decode::RecordBlock;

/// So many trades in blocks.
pub fn blocks(count: usize, per_block: usize) -> Vec<RecordBlock> {
    let mut lottery = Lottery(0x5eed);
    let trades: Vec<_> = (0..count).map(|_| trade(&mut lottery)).collect();
    let numbers = (0_i64..).step_by(per_block);
    let blocks = trades.chunks(per_block).zip(numbers);
    blocks
        .map(|(trades, first_number)| RecordBlock {
            bytes: trades.iter().flat_map(AsRef::as_ref).copied().collect(),
            index_times: trades
                .iter()
                .map(|trade| i64::try_from(trade.ts_recv).expect("a time of our century"))
                .collect(),
            first_number,
        })
        .collect()
}

/// A trade of a future within a day; about 3 % of them have no time of event.
fn trade(lottery: &mut Lottery) -> TradeMsg {
    const MIDNIGHT: u64 = 1_704_153_600_000_000_000;
    const TICK: i64 = 250_000_000;
    let mut drawn = |below: u32| lottery.draw(below);
    let time = MIDNIGHT + u64::from(drawn(86_400)) * 1_000_000_000 + u64::from(drawn(999_999));
    let ts_event = match drawn(100) {
        0..3 => UNDEF_TIMESTAMP,
        _ => time,
    };
    let price = (18_000 + i64::from(drawn(4_000))) * TICK;
    let instrument_id = 1 + drawn(50);
    TradeMsg {
        hd: RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, instrument_id, ts_event),
        price,
        size: 1 + drawn(200),
        action: b'T'.cast_signed(),
        side: b"ABN"[usize::from(drawn(3) != 0) + usize::from(drawn(20) == 0)].cast_signed(),
        flags: FlagSet::default(),
        depth: 0,
        ts_recv: time + u64::from(drawn(50_000)),
        ts_in_delta: 10_000 + i32::try_from(drawn(5_000)).expect("a small number"),
        sequence: drawn(u32::MAX),
    }
}

/// Chance from a seed: the same trades in every run.
struct Lottery(u64);

impl Lottery {
    fn draw(&mut self, below: u32) -> u32 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        let [a, b, c, d, ..] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d]) % below
    }
}
