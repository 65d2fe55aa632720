//! OHLCV bars, computed from the trades by `ts_recv`, so that a day's bars come from exactly the
//! trades that a request for the day gives.

use dbn::{OhlcvMsg, RecordHeader, Schema, rtype};

use super::{activity::Activity, instruments::Instrument, trades::HourTrades};
use crate::clock::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_MINUTE, NANOS_PER_SECOND};

/// A size of bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BarSize {
    pub(crate) nanos: u64,
    rtype: u8,
}

impl BarSize {
    pub(crate) fn of(schema: Schema) -> Option<Self> {
        let (nanos, rtype) = match schema {
            Schema::Ohlcv1S => (NANOS_PER_SECOND, rtype::OHLCV_1S),
            Schema::Ohlcv1M => (NANOS_PER_MINUTE, rtype::OHLCV_1M),
            Schema::Ohlcv1H => (NANOS_PER_HOUR, rtype::OHLCV_1H),
            Schema::Ohlcv1D => (NANOS_PER_DAY, rtype::OHLCV_1D),
            Schema::OhlcvEod => (NANOS_PER_DAY, rtype::OHLCV_EOD),
            _ => return None,
        };
        Some(Self { nanos, rtype })
    }
}

/// The bars of one instrument over some hours of a day.
#[derive(Debug)]
pub(crate) struct Bars {
    activity: Activity,
    size: BarSize,
    hours: std::ops::Range<u32>,
    trades: Option<HourTrades>,
    open: Option<OhlcvMsg>,
}

impl Bars {
    /// Bars over `hours`, which must begin and end where bars do.
    pub(crate) fn new(activity: &Activity, size: BarSize, hours: std::ops::Range<u32>) -> Self {
        Self {
            activity: activity.clone(),
            size,
            hours,
            trades: None,
            open: None,
        }
    }

    fn next_trade(&mut self) -> Option<super::trades::Trade> {
        loop {
            if let Some(trade) = self.trades.as_mut().and_then(Iterator::next) {
                return Some(trade);
            }
            let hour = self.hours.next()?;
            self.trades = Some(HourTrades::new(&self.activity, hour));
        }
    }
}

impl Iterator for Bars {
    type Item = OhlcvMsg;

    fn next(&mut self) -> Option<OhlcvMsg> {
        let tick = self.activity.instrument.product.tick;
        while let Some(trade) = self.next_trade() {
            let start = trade.ts_recv - trade.ts_recv % self.size.nanos;
            let price = trade.price_ticks * tick;
            match &mut self.open {
                Some(bar) if bar.hd.ts_event == start => extend(bar, price, trade.size),
                open => {
                    let bar = opened(
                        &self.activity.instrument,
                        self.size,
                        start,
                        price,
                        trade.size,
                    );
                    if let Some(finished) = open.replace(bar) {
                        return Some(finished);
                    }
                }
            }
        }
        self.open.take()
    }
}

fn opened(instrument: &Instrument, size: BarSize, start: u64, price: i64, volume: u32) -> OhlcvMsg {
    OhlcvMsg {
        hd: RecordHeader::new::<OhlcvMsg>(
            size.rtype,
            instrument.product.publisher_id,
            instrument.id(),
            start,
        ),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: u64::from(volume),
    }
}

fn extend(bar: &mut OhlcvMsg, price: i64, volume: u32) {
    bar.high = bar.high.max(price);
    bar.low = bar.low.min(price);
    bar.close = price;
    bar.volume += u64::from(volume);
}
