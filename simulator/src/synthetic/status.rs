//! Trading status: each session's pre-open, open and close.

use std::ffi::c_char;

use dbn::{RecordHeader, StatusAction, StatusMsg, StatusReason, TradingEvent, rtype};

use super::{activity::Activity, calendar::is_open};
use crate::clock::{NANOS_PER_HOUR, NANOS_PER_MINUTE};

const YES: c_char = c_char::from_ne_bytes([b'Y']);
const NO: c_char = c_char::from_ne_bytes([b'N']);
const UNKNOWN: c_char = c_char::from_ne_bytes([b'~']);

/// The day's changes of status in the order of their `ts_recv`.
pub(crate) fn statuses(activity: &Activity) -> Vec<StatusMsg> {
    let hours = activity.hours;
    let mut changes = Vec::new();
    for hour in 0..24 {
        let was_open = if hour == 0 {
            activity.continues_into(0)
        } else {
            is_open(hours, hour - 1)
        };
        match (was_open, is_open(hours, hour)) {
            (false, true) => {
                if hour > 0 {
                    let before = u64::from(hour) * NANOS_PER_HOUR - 15 * NANOS_PER_MINUTE;
                    changes.push(status(activity, before, StatusAction::PreOpen, (NO, YES)));
                }
                let at = u64::from(hour) * NANOS_PER_HOUR;
                changes.push(status(activity, at, StatusAction::Trading, (YES, YES)));
            }
            (true, false) if hours != 0 => {
                let at = u64::from(hour) * NANOS_PER_HOUR;
                changes.push(status(activity, at, StatusAction::Close, (NO, NO)));
            }
            _ => {}
        }
    }
    changes
}

fn status(
    activity: &Activity,
    since_midnight: u64,
    action: StatusAction,
    (is_trading, is_quoting): (c_char, c_char),
) -> StatusMsg {
    let instrument = &activity.instrument;
    let ts_event = activity.day.midnight().0 + since_midnight;
    StatusMsg {
        hd: RecordHeader::new::<StatusMsg>(
            rtype::STATUS,
            instrument.product.publisher_id,
            instrument.id(),
            ts_event,
        ),
        ts_recv: ts_event + 7_000 + u64::from(instrument.id() % 1_000),
        action: u16::from(action),
        reason: u16::from(StatusReason::Scheduled),
        trading_event: u16::from(TradingEvent::None),
        is_trading,
        is_quoting,
        is_short_sell_restricted: UNKNOWN,
        ..StatusMsg::default()
    }
}
