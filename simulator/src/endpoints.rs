//! The vendor's methods, one file a family, and those of the simulator itself.

pub(crate) mod timeseries;
pub(crate) mod metadata;
pub(crate) mod symbology;
pub(crate) mod control;
