//! Trades of one instrument, an hour at a time.
//!
//! What real CME trades do, these do: two in a hundred share publisher, instrument, `ts_event` and
//! `sequence` with the one before (several fills of one packet), some of those are identical in
//! every column, a few sweep through the quote, a few have no side or no quote on one side.

use std::ffi::c_char;

use dbn::{BidAskPair, FlagSet, RecordHeader, TradeMsg, UNDEF_PRICE, rtype};

use super::{
    activity::Activity,
    instruments::{Instrument, Kind},
    prices::level_ticks,
};
use crate::{
    clock::NANOS_PER_HOUR,
    random::{Random, mix},
};

pub(crate) const ACTION_TRADE: c_char = c_char::from_ne_bytes([b'T']);
pub(crate) const SIDE_ASK: c_char = c_char::from_ne_bytes([b'A']);
pub(crate) const SIDE_BID: c_char = c_char::from_ne_bytes([b'B']);
pub(crate) const SIDE_NONE: c_char = c_char::from_ne_bytes([b'N']);

/// How many of 100,000 trades begin to repeat the trade before; together with [`REPEATS_AGAIN`]
/// that makes 2 %.
const REPEATS: u64 = 1_430;
/// How many of 100,000 trades that follow a repeated one repeat it again.
const REPEATS_AGAIN: u64 = 30_000;
/// How many of a thousand repeats are identical in every column.
const IDENTICAL_PERMILLE: u64 = 180;

/// Tells which trades of an hour repeat the one before, by their place alone.
#[derive(Debug, Clone)]
pub(crate) struct Repeats {
    key: u64,
    index: u32,
    previous: bool,
}

impl Repeats {
    pub(crate) fn new(hour_key: u64) -> Self {
        Self {
            key: hour_key,
            index: 0,
            previous: false,
        }
    }
}

impl Iterator for Repeats {
    type Item = bool;

    fn next(&mut self) -> Option<bool> {
        let bound = if self.previous {
            REPEATS_AGAIN
        } else {
            REPEATS
        };
        let drawn = Random::new(mix(&[self.key, u64::from(self.index), 2])).below(100_000);
        self.previous = self.index > 0 && drawn < bound;
        self.index += 1;
        Some(self.previous)
    }
}

/// The best bid and offer in ticks; `None` where that side is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) bid: Option<i64>,
    pub(crate) ask: Option<i64>,
    pub(crate) bid_size: u32,
    pub(crate) ask_size: u32,
    pub(crate) bid_count: u32,
    pub(crate) ask_count: u32,
}

impl Quote {
    pub(crate) fn level(&self, tick: i64) -> BidAskPair {
        let present = |side: Option<i64>, value: u32| if side.is_some() { value } else { 0 };
        BidAskPair {
            bid_px: self.bid.map_or(UNDEF_PRICE, |bid| bid * tick),
            ask_px: self.ask.map_or(UNDEF_PRICE, |ask| ask * tick),
            bid_sz: present(self.bid, self.bid_size),
            ask_sz: present(self.ask, self.ask_size),
            bid_ct: present(self.bid, self.bid_count),
            ask_ct: present(self.ask, self.ask_count),
        }
    }
}

/// One trade and the quote before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trade {
    /// Its place in the hour.
    pub(crate) index: u32,
    /// Whether it has the time, sequence and quote of the trade before it.
    pub(crate) repeats: bool,
    pub(crate) ts_event: u64,
    pub(crate) ts_recv: u64,
    pub(crate) price_ticks: i64,
    pub(crate) size: u32,
    pub(crate) side: c_char,
    pub(crate) flags: u8,
    pub(crate) ts_in_delta: i32,
    pub(crate) sequence: u32,
    pub(crate) quote: Quote,
}

impl Trade {
    pub(crate) fn record(&self, instrument: &Instrument) -> TradeMsg {
        TradeMsg {
            hd: RecordHeader::new::<TradeMsg>(
                rtype::MBP_0,
                instrument.product.publisher_id,
                instrument.id(),
                self.ts_event,
            ),
            price: self.price_ticks * instrument.product.tick,
            size: self.size,
            action: ACTION_TRADE,
            side: self.side,
            flags: FlagSet::new(self.flags),
            depth: 0,
            ts_recv: self.ts_recv,
            ts_in_delta: self.ts_in_delta,
            sequence: self.sequence,
        }
    }
}

/// The trades of one instrument in one hour, in the order of their `ts_recv`.
#[derive(Debug)]
pub(crate) struct HourTrades {
    activity: Activity,
    hour: u32,
    random: Random,
    repeats: Repeats,
    index: u32,
    count: u32,
    slot: u64,
    level_from: i64,
    level_to: i64,
    walk: i64,
    previous: Option<Trade>,
    added: Option<Trade>,
}

impl HourTrades {
    pub(crate) fn new(activity: &Activity, hour: u32) -> Self {
        let count = activity.trades_in(hour);
        let key = activity.hour_key(hour);
        let level = |hour| level_ticks(activity.seed, &activity.instrument, activity.day, hour);
        Self {
            activity: activity.clone(),
            hour,
            random: Random::new(key),
            repeats: Repeats::new(key),
            index: 0,
            count,
            slot: NANOS_PER_HOUR / u64::from(count.max(1)),
            level_from: level(hour),
            level_to: level(hour + 1),
            walk: 0,
            previous: None,
            added: None,
        }
    }

    fn fresh(&mut self) -> Trade {
        let (ts_event, ts_recv) = self.times();
        self.walk = (self.walk + self.random.around(1)).clamp(-6, 6);
        let progress = (self.level_to - self.level_from) * i64::from(self.index)
            / i64::from(self.count.max(1));
        let bid = self.level_from + progress + self.walk;
        let ask = bid + if self.random.chance(150) { 2 } else { 1 };
        let (price_ticks, side) = self.price_and_side(bid, ask);
        let quote = self.quote(bid, ask);
        Trade {
            index: self.index,
            repeats: false,
            ts_event,
            ts_recv,
            price_ticks,
            size: self.size(),
            side,
            flags: if self.random.chance(60) {
                0
            } else {
                dbn::flags::LAST
            },
            ts_in_delta: 11_000 + i32::try_from(self.random.below(9_000)).expect("below 9,000"),
            sequence: self.activity.sequence(self.hour, self.index),
            quote,
        }
    }

    /// The trade's slot of the hour gives its `ts_recv`, so that they are in order; the event was a
    /// little before.
    fn times(&mut self) -> (u64, u64) {
        let start = self.activity.hour_start(self.hour).0;
        let offset = self.random.below(self.slot);
        let delay = 15_000 + self.random.below(85_000);
        let continues = self.activity.continues_into(self.hour);
        let ts_recv = if self.index == 0 && self.hour == 0 && continues {
            // Received just after midnight, but of the day before by its event.
            start + delay / 2
        } else {
            start + u64::from(self.index) * self.slot + offset
        };
        let earliest = match self.previous {
            Some(previous) => previous.ts_event,
            None if continues => 0,
            None => start,
        };
        (ts_recv.saturating_sub(delay).max(earliest), ts_recv)
    }

    fn price_and_side(&mut self, bid: i64, ask: i64) -> (i64, c_char) {
        let beyond = if self.random.chance(28) {
            1 + self.random.around(1).abs()
        } else {
            0
        };
        let buys = self.random.chance(500);
        let price = if buys { ask + beyond } else { bid - beyond };
        let sideless = if self.activity.instrument.kind == Kind::Share {
            170
        } else {
            8
        };
        let side = match (self.random.chance(sideless), buys) {
            (true, _) => SIDE_NONE,
            (false, true) => SIDE_BID,
            (false, false) => SIDE_ASK,
        };
        (price, side)
    }

    fn quote(&mut self, bid: i64, ask: i64) -> Quote {
        let (bid_size, ask_size) = (1 + self.random.below_u32(60), 1 + self.random.below_u32(60));
        let empty_side = self.random.below(1000);
        let lot = self.activity.instrument.product.lot;
        Quote {
            bid: (empty_side != 0).then_some(bid),
            ask: (empty_side != 1).then_some(ask),
            bid_size: bid_size * lot,
            ask_size: ask_size * lot,
            bid_count: 1 + bid_size / 3,
            ask_count: 1 + ask_size / 3,
        }
    }

    fn size(&mut self) -> u32 {
        let most = 1 + self.random.below_u32(5) * self.random.below_u32(5);
        (1 + self.random.below_u32(most)) * self.activity.instrument.product.lot
    }

    fn repeated(&mut self, of: Trade) -> Trade {
        if self.random.chance(IDENTICAL_PERMILLE) {
            return Trade {
                index: self.index,
                repeats: true,
                ..of
            };
        }
        let size = of.size + (1 + self.random.below_u32(4)) * self.activity.instrument.product.lot;
        Trade {
            index: self.index,
            repeats: true,
            size,
            ..of
        }
    }
}

impl Iterator for HourTrades {
    type Item = Trade;

    fn next(&mut self) -> Option<Trade> {
        if let Some(added) = self.added.take() {
            return Some(added);
        }
        if self.index == self.count {
            return None;
        }
        let trade = match (self.repeats.next(), self.previous) {
            (Some(true), Some(previous)) => self.repeated(previous),
            _ => self.fresh(),
        };
        if self.activity.revision_adds_after(self.hour, self.index) {
            let size = trade.size + self.activity.revision * self.activity.instrument.product.lot;
            self.added = Some(Trade {
                repeats: true,
                size,
                ..trade
            });
        }
        self.index += 1;
        self.previous = Some(trade);
        Some(trade)
    }
}
