//! The products of the synthetic datasets.

use super::calendar::Venue;
use crate::clock::{Day, Weekday};

/// When a contract of a product trades for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// The third Friday of the contract's month.
    ThirdFriday,
    /// The last weekday on or before the 20th of the month before.
    TwentiethOfMonthBefore,
    /// The third-last weekday of the month before.
    ThirdLastOfMonthBefore,
    /// The last weekday of the month before.
    EndOfMonthBefore,
    /// The third-last weekday of the contract's month.
    ThirdLastOfMonth,
    /// Never: shares.
    Never,
}

/// What all instruments of one root have in common. Prices are in ticks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// 1 upwards; the leading digits of the product's instrument ids.
    pub(crate) index: u32,
    pub(crate) root: &'static str,
    pub(crate) dataset: &'static str,
    pub(crate) publisher_id: u16,
    pub(crate) venue: Venue,
    /// Months of the year in which contracts expire; empty for shares.
    pub(crate) months: &'static [u32],
    /// How many contracts are listed at a time.
    pub(crate) listed: u32,
    pub(crate) expiry: Expiry,
    /// Trading moves to the next contract this many days before the expiry.
    pub(crate) roll_days: u32,
    /// One tick in units of 1e-9.
    pub(crate) tick: i64,
    /// Level around which the price moves.
    pub(crate) level: i64,
    /// What each further month to the expiry adds to the price; negative where near months are
    /// dearer.
    pub(crate) carry_per_month: i64,
    /// The front contract's share of the configured trades per day.
    pub(crate) liquidity_permille: u64,
    pub(crate) lot: u32,
    pub(crate) group: &'static str,
    pub(crate) exchange: &'static str,
    pub(crate) cfi: &'static str,
    pub(crate) unit_of_measure: &'static str,
    /// Contract size in units of the measure.
    pub(crate) unit_quantity: i64,
}

const QUARTERS: &[u32] = &[3, 6, 9, 12];
const MONTHS: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const EVEN_MONTHS: &[u32] = &[2, 4, 6, 8, 10, 12];

const GLOBEX: Product = Product {
    index: 0,
    root: "",
    dataset: "GLBX.MDP3",
    publisher_id: 1,
    venue: Venue::Globex,
    months: MONTHS,
    listed: 12,
    expiry: Expiry::TwentiethOfMonthBefore,
    roll_days: 4,
    tick: 10_000_000,
    level: 7_500,
    carry_per_month: 0,
    liquidity_permille: 1000,
    lot: 1,
    group: "",
    exchange: "XCME",
    cfi: "FFCPSX",
    unit_of_measure: "IPNT",
    unit_quantity: 1,
};

/// Every product. The order is that of the instrument ids.
pub(crate) static PRODUCTS: [Product; 8] = [
    Product {
        index: 1,
        root: "ES",
        months: QUARTERS,
        listed: 6,
        expiry: Expiry::ThirdFriday,
        roll_days: 8,
        tick: 250_000_000,
        level: 18_000,
        carry_per_month: 68,
        group: "ES",
        cfi: "FFIXSX",
        unit_quantity: 50,
        ..GLOBEX
    },
    Product {
        index: 2,
        root: "NQ",
        months: QUARTERS,
        listed: 6,
        expiry: Expiry::ThirdFriday,
        roll_days: 8,
        tick: 250_000_000,
        level: 62_000,
        carry_per_month: 240,
        liquidity_permille: 800,
        group: "NQ",
        cfi: "FFIXSX",
        unit_quantity: 20,
        ..GLOBEX
    },
    Product {
        index: 3,
        root: "CL",
        listed: 24,
        carry_per_month: -28,
        liquidity_permille: 700,
        group: "CL",
        exchange: "XNYM",
        unit_of_measure: "BBL",
        unit_quantity: 1000,
        ..GLOBEX
    },
    Product {
        index: 4,
        root: "NG",
        listed: 24,
        expiry: Expiry::ThirdLastOfMonthBefore,
        tick: 1_000_000,
        level: 3_200,
        carry_per_month: 21,
        liquidity_permille: 350,
        group: "NG",
        exchange: "XNYM",
        unit_of_measure: "MMBTU",
        unit_quantity: 10_000,
        ..GLOBEX
    },
    Product {
        index: 5,
        root: "HO",
        expiry: Expiry::EndOfMonthBefore,
        tick: 100_000,
        level: 24_500,
        carry_per_month: -95,
        liquidity_permille: 150,
        group: "HO",
        exchange: "XNYM",
        unit_of_measure: "GAL",
        unit_quantity: 42_000,
        ..GLOBEX
    },
    Product {
        index: 6,
        root: "RB",
        expiry: Expiry::EndOfMonthBefore,
        tick: 100_000,
        level: 22_500,
        carry_per_month: -70,
        liquidity_permille: 150,
        group: "RB",
        exchange: "XNYM",
        unit_of_measure: "GAL",
        unit_quantity: 42_000,
        ..GLOBEX
    },
    Product {
        index: 7,
        root: "GC",
        months: EVEN_MONTHS,
        listed: 8,
        expiry: Expiry::ThirdLastOfMonth,
        roll_days: 28,
        tick: 100_000_000,
        level: 20_000,
        carry_per_month: 85,
        liquidity_permille: 450,
        group: "GC",
        exchange: "XCEC",
        unit_of_measure: "TRY OZ",
        unit_quantity: 100,
        ..GLOBEX
    },
    Product {
        index: 8,
        root: "SPY",
        dataset: "XNAS.ITCH",
        publisher_id: 2,
        venue: Venue::Nasdaq,
        months: &[],
        listed: 1,
        expiry: Expiry::Never,
        roll_days: 0,
        level: 45_000,
        lot: 100,
        exchange: "XNAS",
        cfi: "",
        unit_of_measure: "",
        ..GLOBEX
    },
];

/// The products of a dataset.
pub(crate) fn of_dataset(dataset: &str) -> impl Iterator<Item = &'static Product> {
    PRODUCTS
        .iter()
        .filter(move |product| product.dataset == dataset)
}

impl Product {
    pub(crate) fn by_root(dataset: &str, root: &str) -> Option<&'static Self> {
        of_dataset(dataset).find(|product| product.root == root)
    }

    fn months_len(&self) -> u32 {
        u32::try_from(self.months.len()).expect("at most 12")
    }

    /// Year and month of the `cycle`th contract; cycles count from the first contract of 2000.
    pub(crate) fn cycle_month(&self, cycle: u32) -> (u32, u32) {
        let len = self.months_len().max(1);
        let position = usize::try_from(cycle % len).expect("at most 12");
        (
            2000 + cycle / len,
            self.months.get(position).copied().unwrap_or(1),
        )
    }

    /// The cycle of the contract of a year and month, where the product has one.
    pub(crate) fn cycle_of(&self, year: u32, month: u32) -> Option<u32> {
        let position = self.months.iter().position(|listed| *listed == month)?;
        Some(year.checked_sub(2000)? * self.months_len() + u32::try_from(position).ok()?)
    }

    /// The last day on which the `cycle`th contract trades.
    pub(crate) fn expiry_day(&self, cycle: u32) -> Day {
        let (year, month) = self.cycle_month(cycle);
        let first = Day::from_ymd(year, month, 1).expect("the first of a month");
        let month_before = first.minus(1);
        match self.expiry {
            Expiry::ThirdFriday => {
                let to_friday = (4 + 7 - (first.0 + 3) % 7) % 7;
                first.plus(to_friday + 14)
            }
            Expiry::TwentiethOfMonthBefore => {
                let twentieth = Day::from_ymd(month_before.year(), month_before.month(), 20);
                weekday_at_or_before(twentieth.expect("the 20th of a month"))
            }
            Expiry::ThirdLastOfMonthBefore => third_last_weekday(month_before),
            Expiry::EndOfMonthBefore => weekday_at_or_before(month_before),
            Expiry::ThirdLastOfMonth => {
                let (year, month) = if month == 12 {
                    (year + 1, 1)
                } else {
                    (year, month + 1)
                };
                third_last_weekday(
                    Day::from_ymd(year, month, 1)
                        .expect("the first of a month")
                        .minus(1),
                )
            }
            Expiry::Never => Day(u32::MAX / 2),
        }
    }

    /// The first contract that hasn't expired before `day`.
    pub(crate) fn front_cycle(&self, day: Day) -> u32 {
        let guess = (day.year() - 2000) * self.months_len();
        (guess..)
            .find(|cycle| self.expiry_day(*cycle) >= day)
            .expect("contracts never end")
    }
}

fn weekday_at_or_before(day: Day) -> Day {
    match day.weekday() {
        Weekday::Saturday => day.minus(1),
        Weekday::Sunday => day.minus(2),
        _ => day,
    }
}

fn third_last_weekday(last: Day) -> Day {
    let last = weekday_at_or_before(last);
    let second_last = weekday_at_or_before(last.minus(1));
    weekday_at_or_before(second_last.minus(1))
}
