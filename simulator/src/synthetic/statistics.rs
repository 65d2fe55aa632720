//! Statistics: what an exchange publishes about each contract and day.
//!
//! Ten types, as on CME; prices and volumes are those of the day's trades, undefined where there
//! were none. The types are opening (1), settlement (3), session low (4) and high (5), cleared
//! volume (6), lowest offer (7), highest bid (8), open interest (9), fixing (10), and the
//! alternative settlement as close price (11), the nearest type that the encoding has.

use dbn::{
    RecordHeader, StatMsg, StatType, StatUpdateAction, UNDEF_PRICE, UNDEF_STAT_QUANTITY,
    UNDEF_TIMESTAMP, rtype,
};

use super::{activity::Activity, prices::level_ticks, trades::HourTrades};
use crate::{
    clock::{NANOS_PER_MINUTE, NANOS_PER_SECOND},
    random::{Random, mix},
};

/// Statistics of one instrument on one day with trading hours.
pub(crate) const RECORDS_PER_DAY: u64 = 14;

const FLAGS_FINAL: u8 = 0x03;
const FLAGS_PRELIMINARY: u8 = 0x01;
const FLAGS_NONE: u8 = 0xFF;

/// Whether an instrument has statistics on the activity's day.
pub(crate) fn is_published(activity: &Activity) -> bool {
    activity.hours != 0
}

/// What the trades of the day's hours come to.
#[derive(Debug, Default, Clone, Copy)]
struct Session {
    open: Option<i64>,
    high: Option<i64>,
    low: Option<i64>,
    close: Option<i64>,
    highest_bid: Option<i64>,
    lowest_offer: Option<i64>,
    volume: i64,
}

impl Session {
    fn add_hour(&mut self, activity: &Activity, hour: u32) {
        for trade in HourTrades::new(activity, hour) {
            let price = trade.price_ticks;
            self.open = self.open.or(Some(price));
            self.high = self.high.max(Some(price));
            self.low = Some(self.low.map_or(price, |low| low.min(price)));
            self.close = Some(price);
            self.highest_bid = self.highest_bid.max(trade.quote.bid);
            self.lowest_offer = match (self.lowest_offer, trade.quote.ask) {
                (Some(lowest), Some(ask)) => Some(lowest.min(ask)),
                (lowest, ask) => lowest.or(ask),
            };
            self.volume += i64::from(trade.size);
        }
    }
}

/// The day's statistics in the order of their `ts_recv`.
pub(crate) fn statistics(activity: &Activity) -> Vec<StatMsg> {
    if !is_published(activity) {
        return Vec::new();
    }
    let first_hour = activity.hours.trailing_zeros();
    let last_hour = 31 - activity.hours.leading_zeros();
    let middle = (first_hour + last_hour) / 2;
    let (mut early, mut whole) = (Session::default(), Session::default());
    for hour in first_hour..=middle {
        early.add_hour(activity, hour);
    }
    whole.clone_from(&early);
    for hour in middle + 1..=last_hour {
        whole.add_hour(activity, hour);
    }
    let minute = |hour: u32, minute: u64| u64::from(hour) * 60 + minute;
    let minutes = [
        minute(first_hour, 1),
        minute(middle, 59),
        minute(last_hour, 58),
    ];
    Publisher::new(activity).publish(minutes, &early, &whole)
}

/// What one record says.
#[derive(Debug, Clone, Copy)]
struct Entry {
    minute: u64,
    stat_type: StatType,
    price_ticks: Option<i64>,
    quantity: Option<i64>,
    ts_ref: u64,
    flags: u8,
}

impl Entry {
    fn price(minute: u64, stat_type: StatType, price_ticks: Option<i64>) -> Self {
        let (quantity, ts_ref) = (None, UNDEF_TIMESTAMP);
        Self {
            minute,
            stat_type,
            price_ticks,
            quantity,
            ts_ref,
            flags: FLAGS_NONE,
        }
    }

    fn quantity(minute: u64, stat_type: StatType, quantity: i64) -> Self {
        Self {
            quantity: Some(quantity),
            ..Self::price(minute, stat_type, None)
        }
    }

    fn about(self, ts_ref: u64) -> Self {
        Self { ts_ref, ..self }
    }

    fn flagged(self, flags: u8) -> Self {
        Self { flags, ..self }
    }
}

struct Publisher<'a> {
    activity: &'a Activity,
    random: Random,
    sequence: u32,
}

impl<'a> Publisher<'a> {
    fn new(activity: &'a Activity) -> Self {
        let random = Random::new(mix(&[activity.hour_key(0), 11]));
        Self {
            activity,
            random,
            sequence: 0,
        }
    }

    fn publish(
        &mut self,
        [open, middle, close]: [u64; 3],
        early: &Session,
        whole: &Session,
    ) -> Vec<StatMsg> {
        use StatType as Type;
        let yesterday = self.activity.day.minus(1).midnight().0;
        let today = self.activity.day.midnight().0;
        let settled =
            Entry::price(close, Type::SettlementPrice, Some(self.settlement())).about(today);
        let closed = Entry::price(close, Type::ClosePrice, whole.close).about(today);
        let entries = [
            Entry::quantity(open, Type::ClearedVolume, whole.volume / 2 + 17).about(yesterday),
            Entry::quantity(open, Type::OpenInterest, self.open_interest()).about(yesterday),
            Entry::price(open, Type::OpeningPrice, early.open),
            Entry::price(middle, Type::TradingSessionHighPrice, early.high),
            Entry::price(middle, Type::TradingSessionLowPrice, early.low),
            Entry::price(middle, Type::LowestOffer, early.lowest_offer),
            Entry::price(middle, Type::HighestBid, early.highest_bid),
            Entry::price(middle, Type::FixingPrice, early.close).about(today),
            settled.flagged(FLAGS_PRELIMINARY),
            settled.flagged(FLAGS_FINAL),
            Entry {
                quantity: Some(whole.volume),
                ..closed
            },
            Entry::price(close, Type::TradingSessionHighPrice, whole.high),
            Entry::price(close, Type::TradingSessionLowPrice, whole.low),
            Entry::price(close, Type::HighestBid, whole.highest_bid),
        ];
        entries
            .into_iter()
            .map(|entry| self.record(entry))
            .collect()
    }

    fn settlement(&self) -> i64 {
        level_ticks(
            self.activity.seed,
            &self.activity.instrument,
            self.activity.day,
            24,
        )
    }

    fn open_interest(&mut self) -> i64 {
        let rank = self
            .activity
            .instrument
            .liquidity_rank(self.activity.day)
            .min(12);
        1_000 + i64::from(self.random.below_u32(1_000)) + (2_000_000 >> rank)
    }

    fn record(&mut self, entry: Entry) -> StatMsg {
        let product = self.activity.instrument.product;
        self.sequence += 1;
        let since_midnight =
            entry.minute * NANOS_PER_MINUTE + u64::from(self.sequence) * NANOS_PER_SECOND;
        let midnight = self.activity.day.midnight().0;
        let ts_recv = midnight + since_midnight + self.random.below(NANOS_PER_SECOND);
        let ts_event = ts_recv - 20_000 - self.random.below(1_000_000);
        StatMsg {
            hd: RecordHeader::new::<StatMsg>(
                rtype::STATISTICS,
                product.publisher_id,
                self.activity.instrument.id(),
                ts_event,
            ),
            ts_recv,
            ts_ref: entry.ts_ref,
            price: entry
                .price_ticks
                .map_or(UNDEF_PRICE, |ticks| ticks * product.tick),
            quantity: entry.quantity.unwrap_or(UNDEF_STAT_QUANTITY),
            sequence: self.sequence,
            ts_in_delta: 21_000,
            stat_type: u16::from(entry.stat_type),
            channel_id: 0,
            update_action: u8::from(StatUpdateAction::New),
            stat_flags: entry.flags,
            ..StatMsg::default()
        }
    }
}
