//! Changes of the best bid and offer between trades: the mbp-1 and tbbo records.
//!
//! Each trade appears with the quote before it, which the last change before it had set. Before the
//! open, quotes are crossed or have an empty side. A day that trading runs into begins with a
//! snapshot at midnight.

use std::{collections::VecDeque, ffi::c_char};

use dbn::{FlagSet, Mbp1Msg, RecordHeader, UNDEF_PRICE, flags, rtype};

use super::{
    activity::{Activity, SEQUENCE_STEP},
    calendar::is_open,
    instruments::Instrument,
    prices::level_ticks,
    trades::{ACTION_TRADE, HourTrades, Quote, Repeats, SIDE_ASK, SIDE_BID, SIDE_NONE, Trade},
};
use crate::{
    clock::{NANOS_PER_HOUR, NANOS_PER_MINUTE},
    random::{Random, mix},
};

const ACTIONS: [c_char; 3] = [
    c_char::from_ne_bytes([b'A']),
    c_char::from_ne_bytes([b'C']),
    c_char::from_ne_bytes([b'M']),
];

/// At most this many changes before a trade; fewer than the sequence numbers between two trades.
const CHANGES_MAX: u64 = 6;
/// Quotes in the quarter of an hour before the open.
const PRE_OPEN_QUOTES: u32 = 24;

/// The number of mbp-1 records of an hour.
pub(crate) fn mbp_1_count(activity: &Activity, hour: u32) -> u64 {
    let key = activity.hour_key(hour);
    let count = activity.trades_in(hour);
    let changes: u64 = (0..count)
        .zip(Repeats::new(key))
        .filter(|(_, repeats)| !repeats)
        .map(|(index, _)| changes_before(key, index))
        .sum();
    let snapshot = u64::from(has_snapshot(activity, hour));
    let pre_open = if is_pre_open(activity, hour) {
        u64::from(PRE_OPEN_QUOTES)
    } else {
        0
    };
    activity.trades_in_revised(hour) + changes + snapshot + pre_open
}

/// How many times the quote changes before the `index`th trade, given that it doesn't repeat the
/// one before.
fn changes_before(hour_key: u64, index: u32) -> u64 {
    1 + mix(&[hour_key, u64::from(index), 5]) % CHANGES_MAX
}

fn has_snapshot(activity: &Activity, hour: u32) -> bool {
    hour == 0 && is_open(activity.hours, 0) && activity.continues_into(0)
}

fn is_pre_open(activity: &Activity, hour: u32) -> bool {
    is_open(activity.hours, hour + 1) && !is_open(activity.hours, hour)
}

/// The record of a trade with the quote before it.
pub(crate) fn traded(instrument: &Instrument, trade: &Trade) -> Mbp1Msg {
    Mbp1Msg {
        hd: header(instrument, trade.ts_event),
        price: trade.price_ticks * instrument.product.tick,
        size: trade.size,
        action: ACTION_TRADE,
        side: trade.side,
        flags: FlagSet::new(trade.flags),
        depth: 0,
        ts_recv: trade.ts_recv,
        ts_in_delta: trade.ts_in_delta,
        sequence: trade.sequence,
        levels: [trade.quote.level(instrument.product.tick)],
    }
}

fn header(instrument: &Instrument, ts_event: u64) -> RecordHeader {
    RecordHeader::new::<Mbp1Msg>(
        rtype::MBP_1,
        instrument.product.publisher_id,
        instrument.id(),
        ts_event,
    )
}

/// The mbp-1 records of one instrument in one hour.
#[derive(Debug)]
pub(crate) struct HourQuotes {
    activity: Activity,
    hour: u32,
    key: u64,
    random: Random,
    trades: HourTrades,
    /// When the quote last changed, and to what.
    last: (u64, Option<Quote>),
    ready: VecDeque<Mbp1Msg>,
}

impl HourQuotes {
    pub(crate) fn new(activity: &Activity, hour: u32) -> Self {
        let key = activity.hour_key(hour);
        let mut quotes = Self {
            activity: activity.clone(),
            hour,
            key,
            random: Random::new(mix(&[key, 7])),
            trades: HourTrades::new(activity, hour),
            last: (activity.hour_start(hour).0, None),
            ready: VecDeque::new(),
        };
        if has_snapshot(activity, hour) {
            quotes.push_snapshot();
        }
        if is_pre_open(activity, hour) {
            quotes.push_pre_open();
        }
        quotes
    }

    fn level(&self) -> i64 {
        level_ticks(
            self.activity.seed,
            &self.activity.instrument,
            self.activity.day,
            self.hour,
        )
    }

    fn push_snapshot(&mut self) {
        let level = self.level();
        let midnight = self.activity.hour_start(0).0;
        let quote = self.drawn_quote(level, level + 1);
        let mut record = self.change(midnight, quote, 0);
        record.hd.ts_event = midnight - 1_000_000 - self.random.below(1_000_000_000);
        record.flags = FlagSet::new(flags::LAST | flags::SNAPSHOT | flags::BAD_TS_RECV);
        self.ready.push_back(record);
    }

    fn push_pre_open(&mut self) {
        let level = self.level();
        let open = self.activity.hour_start(self.hour).0 + NANOS_PER_HOUR;
        let step = 15 * NANOS_PER_MINUTE / u64::from(PRE_OPEN_QUOTES);
        for index in 0..PRE_OPEN_QUOTES {
            let (bid, ask) = (
                level + self.random.around(2),
                level + 1 + self.random.around(3),
            );
            let mut quote = self.drawn_quote(bid, ask);
            match index % 8 {
                0 => quote.bid = None,
                5 => quote.ask = None,
                3 => quote.bid = quote.ask.map(|ask| ask + 2),
                _ => {}
            }
            let at = open - u64::from(PRE_OPEN_QUOTES - index) * step + self.random.below(step);
            let record = self.change(at, quote, index);
            self.ready.push_back(record);
        }
    }

    fn drawn_quote(&mut self, bid: i64, ask: i64) -> Quote {
        let lot = self.activity.instrument.product.lot;
        Quote {
            bid: Some(bid),
            ask: Some(ask),
            bid_size: (1 + self.random.below_u32(40)) * lot,
            ask_size: (1 + self.random.below_u32(40)) * lot,
            bid_count: 1 + self.random.below_u32(9),
            ask_count: 1 + self.random.below_u32(9),
        }
    }

    /// The record of a change to `quote`.
    fn change(&mut self, ts_recv: u64, quote: Quote, sequence: u32) -> Mbp1Msg {
        let instrument = self.activity.instrument;
        let is_bid = self.random.chance(500);
        let price = if is_bid { quote.bid } else { quote.ask };
        let action = ACTIONS[usize::try_from(self.random.below(3)).expect("below 3")];
        let size = if price.is_some() {
            1 + self.random.below_u32(20)
        } else {
            0
        };
        Mbp1Msg {
            hd: header(&instrument, ts_recv - 15_000 - self.random.below(60_000)),
            price: price.map_or(UNDEF_PRICE, |ticks| ticks * instrument.product.tick),
            size: size * instrument.product.lot,
            action: if price.is_some() { action } else { ACTIONS[1] },
            side: match (price.is_some(), is_bid) {
                (false, _) => SIDE_NONE,
                (true, true) => SIDE_BID,
                (true, false) => SIDE_ASK,
            },
            flags: FlagSet::new(flags::LAST),
            depth: 0,
            ts_recv,
            ts_in_delta: 11_000 + i32::try_from(self.random.below(9_000)).expect("below 9,000"),
            sequence,
            levels: [quote.level(instrument.product.tick)],
        }
    }

    /// The changes that lead to the quote before `trade`.
    fn push_changes(&mut self, trade: &Trade) {
        let changes = changes_before(self.key, trade.index);
        let (since, from) = self.last;
        let from = from.unwrap_or(trade.quote);
        let gap = trade.ts_recv.saturating_sub(since);
        for (step, sequence) in (1..=changes).zip(trade.sequence - SEQUENCE_STEP + 1..) {
            let quote = if step == changes {
                trade.quote
            } else {
                let (bid_size, ask_size) = (
                    self.drawn_quote(0, 0).bid_size,
                    self.drawn_quote(0, 0).ask_size,
                );
                Quote {
                    bid_size,
                    ask_size,
                    ..from
                }
            };
            // The gap is below an hour and the changes are few, so the product fits.
            let record = self.change(since + gap * step / (changes + 1), quote, sequence);
            self.ready.push_back(record);
        }
        self.last = (trade.ts_recv, Some(trade.quote));
    }
}

impl Iterator for HourQuotes {
    type Item = Mbp1Msg;

    fn next(&mut self) -> Option<Mbp1Msg> {
        if let Some(record) = self.ready.pop_front() {
            return Some(record);
        }
        let trade = self.trades.next()?;
        if !trade.repeats {
            self.push_changes(&trade);
        }
        self.ready
            .push_back(traded(&self.activity.instrument, &trade));
        self.ready.pop_front()
    }
}
