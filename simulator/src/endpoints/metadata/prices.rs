//! Unit prices, of the vendor's order of magnitude.

use dbn::Schema;

/// The price in US dollars of 10^9 uncompressed bytes. Live data costs a fifth more.
pub(crate) fn unit_price(schema: Schema, mode: &str) -> f64 {
    let historical = match schema {
        Schema::Mbo => 1.80,
        Schema::Mbp1 | Schema::Cmbp1 => 4.00,
        Schema::Mbp10 => 1.20,
        Schema::Tbbo | Schema::Tcbbo => 25.00,
        Schema::Trades => 28.00,
        Schema::Bbo1S | Schema::Cbbo1S => 4.00,
        Schema::Bbo1M | Schema::Cbbo1M => 4.00,
        Schema::Ohlcv1S => 280.00,
        Schema::Ohlcv1M => 280.00,
        Schema::Ohlcv1H | Schema::Ohlcv1D | Schema::OhlcvEod => 600.00,
        Schema::Definition => 5.00,
        Schema::Statistics | Schema::Status => 11.00,
        Schema::Imbalance => 5.00,
    };
    if mode == "live" {
        historical * 1.2
    } else {
        historical
    }
}
