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

use super::{
    prices::level_ticks,
    trades::{Activity, HourTrades},
};
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
    let mut published = Publisher::new(activity, first_hour, middle, last_hour);
    published.publish(&early, &whole)
}

struct Publisher<'a> {
    activity: &'a Activity,
    random: Random,
    minutes: [u64; 3],
    sequence: u32,
}

impl<'a> Publisher<'a> {
    fn new(activity: &'a Activity, first: u32, middle: u32, last: u32) -> Self {
        let key = mix(&[activity.hour_key(0), 11]);
        let minute = |hour: u32, minute: u64| u64::from(hour) * 60 + minute;
        let minutes = [minute(first, 1), minute(middle, 59), minute(last, 58)];
        Self {
            activity,
            random: Random::new(key),
            minutes,
            sequence: 0,
        }
    }

    fn publish(&mut self, early: &Session, whole: &Session) -> Vec<StatMsg> {
        let yesterday = self.activity.day.minus(1).midnight().0;
        let today = self.activity.day.midnight().0;
        let [open, middle, close] = self.minutes;
        let settlement = self.settlement(24);
        let interest = self.open_interest();
        let cleared = whole.volume / 2 + 17;
        let price = |price: Option<i64>| (price, None);
        vec![
            self.record(
                open,
                StatType::ClearedVolume,
                (None, Some(cleared)),
                yesterday,
                FLAGS_NONE,
            ),
            self.record(
                open,
                StatType::OpenInterest,
                (None, Some(interest)),
                yesterday,
                FLAGS_NONE,
            ),
            self.record(
                open,
                StatType::OpeningPrice,
                price(early.open),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                middle,
                StatType::TradingSessionHighPrice,
                price(early.high),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                middle,
                StatType::TradingSessionLowPrice,
                price(early.low),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                middle,
                StatType::LowestOffer,
                price(early.lowest_offer),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                middle,
                StatType::HighestBid,
                price(early.highest_bid),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                middle,
                StatType::FixingPrice,
                price(early.close),
                today,
                FLAGS_NONE,
            ),
            self.record(
                close,
                StatType::SettlementPrice,
                price(Some(settlement)),
                today,
                FLAGS_PRELIMINARY,
            ),
            self.record(
                close,
                StatType::SettlementPrice,
                price(Some(settlement)),
                today,
                FLAGS_FINAL,
            ),
            self.record(
                close,
                StatType::ClosePrice,
                (whole.close, Some(whole.volume)),
                today,
                FLAGS_NONE,
            ),
            self.record(
                close,
                StatType::TradingSessionHighPrice,
                price(whole.high),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                close,
                StatType::TradingSessionLowPrice,
                price(whole.low),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
            self.record(
                close,
                StatType::HighestBid,
                price(whole.highest_bid),
                UNDEF_TIMESTAMP,
                FLAGS_NONE,
            ),
        ]
    }

    fn settlement(&self, hour: u32) -> i64 {
        level_ticks(
            self.activity.seed,
            &self.activity.instrument,
            self.activity.day,
            hour,
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

    fn record(
        &mut self,
        minute: u64,
        stat_type: StatType,
        (price_ticks, quantity): (Option<i64>, Option<i64>),
        ts_ref: u64,
        stat_flags: u8,
    ) -> StatMsg {
        let instrument = &self.activity.instrument;
        self.sequence += 1;
        let since_midnight =
            minute * NANOS_PER_MINUTE + u64::from(self.sequence) * NANOS_PER_SECOND;
        let ts_recv =
            self.activity.day.midnight().0 + since_midnight + self.random.below(NANOS_PER_SECOND);
        StatMsg {
            hd: RecordHeader::new::<StatMsg>(
                rtype::STATISTICS,
                instrument.product.publisher_id,
                instrument.id(),
                ts_recv - 20_000 - self.random.below(1_000_000),
            ),
            ts_recv,
            ts_ref,
            price: price_ticks.map_or(UNDEF_PRICE, |ticks| ticks * instrument.product.tick),
            quantity: quantity.unwrap_or(UNDEF_STAT_QUANTITY),
            sequence: self.sequence,
            ts_in_delta: 21_000,
            stat_type: u16::from(stat_type),
            channel_id: 0,
            update_action: u8::from(StatUpdateAction::New),
            stat_flags,
            ..StatMsg::default()
        }
    }
}
