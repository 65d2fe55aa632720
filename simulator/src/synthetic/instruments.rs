//! The synthetic instruments: what exists on which day, and under which id and symbol.
//!
//! An id is made from what the instrument is, so that no two ever share one: the product's index,
//! then the kind, then the contract. The symbol ESH4 is one instrument in 2014 and another in 2024,
//! as at the exchange.

use super::products::{PRODUCTS, Product};
use crate::clock::{Day, DayRange};

/// Ids of one product differ in their last seven digits.
const IDS_PER_PRODUCT: u32 = 10_000_000;
const FIRST_SPREAD: u32 = 1_000_000;
const FIRST_OPTION: u32 = 2_000_000;
/// Calls and puts of one contract.
pub(crate) const OPTIONS_PER_CONTRACT: u32 = 10_000;

/// Calendar spreads exist between one of this many front contracts and one up to
/// [`SPREAD_DISTANCE_MAX`] later.
const SPREAD_NEAR_MAX: u32 = 3;
const SPREAD_DISTANCE_MAX: u32 = 2;

/// Options are listed on this many front contracts.
const OPTION_CONTRACTS: u32 = 4;

const MONTH_CODES: &[u8; 12] = b"FGHJKMNQUVXZ";

/// Days of trading that shares have seen when the dataset begins.
const SHARES_LISTED: DayRange = DayRange {
    first: Day(0),
    end: Day(u32::MAX / 2),
};

/// One instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instrument {
    pub(crate) product: &'static Product,
    pub(crate) kind: Kind,
}

/// What an instrument is; contracts are named by their place in the product's cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Share,
    Outright { cycle: u32 },
    Spread { near: u32, distance: u32 },
    Option { cycle: u32, strike: u32, put: bool },
}

impl Instrument {
    pub(crate) fn id(&self) -> u32 {
        let within = match self.kind {
            Kind::Share => 1,
            Kind::Outright { cycle } => cycle,
            Kind::Spread { near, distance } => FIRST_SPREAD + near * 10 + distance,
            Kind::Option { cycle, strike, put } => {
                FIRST_OPTION + cycle * OPTIONS_PER_CONTRACT + strike * 2 + u32::from(put)
            }
        };
        self.product.index * IDS_PER_PRODUCT + within
    }

    pub(crate) fn from_id(id: u32) -> Option<Self> {
        let product = PRODUCTS
            .iter()
            .find(|product| product.index == id / IDS_PER_PRODUCT)?;
        let within = id % IDS_PER_PRODUCT;
        let kind = if product.months.is_empty() {
            (within == 1).then_some(Kind::Share)?
        } else if within >= FIRST_OPTION {
            let (cycle, rest) = (
                (within - FIRST_OPTION) / OPTIONS_PER_CONTRACT,
                (within - FIRST_OPTION) % OPTIONS_PER_CONTRACT,
            );
            Kind::Option {
                cycle,
                strike: rest / 2,
                put: rest % 2 == 1,
            }
        } else if within >= FIRST_SPREAD {
            Kind::Spread {
                near: (within - FIRST_SPREAD) / 10,
                distance: (within - FIRST_SPREAD) % 10,
            }
        } else {
            Kind::Outright { cycle: within }
        };
        Some(Self { product, kind })
    }

    pub(crate) fn symbol(&self) -> String {
        let contract = |cycle| contract_symbol(self.product, cycle);
        match self.kind {
            Kind::Share => self.product.root.to_owned(),
            Kind::Outright { cycle } => contract(cycle),
            Kind::Spread { near, distance } => {
                format!("{}-{}", contract(near), contract(near + distance))
            }
            Kind::Option { cycle, strike, put } => {
                format!(
                    "{} {}{}",
                    contract(cycle),
                    if put { 'P' } else { 'C' },
                    strike_number(strike)
                )
            }
        }
    }

    /// The days on which the instrument is listed.
    pub(crate) fn listed(&self) -> DayRange {
        let product = self.product;
        match self.kind {
            Kind::Share => SHARES_LISTED,
            Kind::Outright { cycle } => listed_while_among(product, cycle, product.listed),
            Kind::Spread { near, .. } => listed_while_among(product, near, SPREAD_NEAR_MAX),
            Kind::Option { cycle, .. } => listed_while_among(product, cycle, OPTION_CONTRACTS),
        }
    }

    /// The contract's distance from the front one on `day`, by trading: 0 is the most traded.
    pub(crate) fn liquidity_rank(&self, day: Day) -> u32 {
        match self.kind {
            Kind::Share => 0,
            Kind::Outright { cycle } => {
                volume_rank(self.product, cycle, day, self.product.roll_days)
            }
            Kind::Spread { near, distance } => {
                1 + volume_rank(self.product, near, day, self.product.roll_days) + distance
            }
            Kind::Option { .. } => u32::MAX,
        }
    }

    pub(crate) fn has_trades(&self) -> bool {
        !matches!(self.kind, Kind::Option { .. })
    }

    /// The strike of an option in units of 1e-9.
    pub(crate) fn strike_price(&self) -> Option<i64> {
        match self.kind {
            Kind::Option { strike, .. } => {
                let step = self.product.level / 100 * self.product.tick;
                Some(step * i64::from(strike_number(strike)))
            }
            _ => None,
        }
    }
}

/// Strikes are numbered in steps of a hundredth of the product's level.
fn strike_number(strike: u32) -> u32 {
    50 + strike
}

pub(crate) fn contract_symbol(product: &Product, cycle: u32) -> String {
    let (year, month) = product.cycle_month(cycle);
    let index = usize::try_from(month - 1).expect("a month");
    format!(
        "{}{}{}",
        product.root,
        char::from(MONTH_CODES[index]),
        year % 10
    )
}

/// A contract is listed from when it comes among the first `count` until its expiry.
fn listed_while_among(product: &Product, cycle: u32, count: u32) -> DayRange {
    let first = cycle
        .checked_sub(count)
        .map_or(Day(0), |before| product.expiry_day(before).next());
    DayRange::new(first, product.expiry_day(cycle).next())
}

/// The rank by volume: trading leaves the front contract `roll_days` before its expiry.
pub(crate) fn volume_rank(product: &Product, cycle: u32, day: Day, roll_days: u32) -> u32 {
    let front = product.front_cycle(day);
    let rank = cycle.saturating_sub(front);
    let rolled = product.expiry_day(front).0 < day.0 + roll_days;
    match (rolled, rank) {
        (true, 0) => 1,
        (true, 1) => 0,
        _ => rank,
    }
}

/// The contract with the given rank on `day`: the inverse of [`volume_rank`].
pub(crate) fn cycle_at_rank(product: &Product, rank: u32, day: Day, roll_days: u32) -> u32 {
    let front = product.front_cycle(day);
    let rolled = product.expiry_day(front).0 < day.0 + roll_days;
    match (rolled, rank) {
        (true, 0) => front + 1,
        (true, 1) => front,
        _ => front + rank,
    }
}

/// Which instruments to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Outrights, spreads, shares: what trades.
    Traded,
    /// Options only.
    Options,
}

/// The instruments of `product` that are listed on any of `days`, in the order of their ids.
pub(crate) fn listed_on(
    product: &'static Product,
    days: DayRange,
    listing: Listing,
    strikes: u32,
) -> Vec<Instrument> {
    let instrument = |kind| Instrument { product, kind };
    if product.months.is_empty() {
        return if listing == Listing::Traded {
            vec![instrument(Kind::Share)]
        } else {
            Vec::new()
        };
    }
    let front = product.front_cycle(days.first);
    let last = product.front_cycle(days.end.minus(1).max(days.first));
    let traded = || {
        let outrights = (front..last + product.listed).map(|cycle| Kind::Outright { cycle });
        let spreads = (front..last + SPREAD_NEAR_MAX).flat_map(|near| {
            (1..=SPREAD_DISTANCE_MAX).map(move |distance| Kind::Spread { near, distance })
        });
        outrights.chain(spreads)
    };
    let options = || {
        (front..last + OPTION_CONTRACTS).flat_map(move |cycle| {
            (0..strikes).flat_map(move |strike| {
                [false, true]
                    .into_iter()
                    .map(move |put| Kind::Option { cycle, strike, put })
            })
        })
    };
    match listing {
        Listing::Traded => traded().map(instrument).collect(),
        Listing::Options => options().map(instrument).collect(),
    }
}

/// The contracts that a one-digit-year code such as H4 may mean, one a decade.
pub(crate) fn cycles_of_code(product: &Product, code: &str) -> Vec<u32> {
    let bytes = code.as_bytes();
    let (Some(month), Some(digit), 2) = (
        bytes
            .first()
            .and_then(|code| MONTH_CODES.iter().position(|known| known == code)),
        bytes.get(1).filter(|digit| digit.is_ascii_digit()),
        bytes.len(),
    ) else {
        return Vec::new();
    };
    let month = u32::try_from(month).expect("at most 12") + 1;
    (0..6)
        .filter_map(|decade| product.cycle_of(2000 + 10 * decade + u32::from(digit - b'0'), month))
        .collect()
}
