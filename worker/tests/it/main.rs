//! The worker's tests: its stages one by one, and whole attempts against a simulated vendor.

mod installation;
mod failpoints;
mod dbn_stream;
mod ownership;
mod transform;
mod errors;
mod leases;
mod money;
mod decode;
mod damage;
