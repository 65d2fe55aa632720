//! The vendor's limits, as its requests keep them.

use std::time::Duration;

use common::vendor::limiter::{Class, Limiter, Limits};
use common::vendor::{RangeRequest, Vendor, VendorError};
use dbn::{SType, Schema};
use simulator::{Config, Fault, FaultKind, Simulator};
use testkit::sandbox::Sandbox;

use crate::installation::{DATASET, january, piece};

/// A vendor with one connection, its limiter, and a request for a stream.
async fn vendor() -> (Simulator, Vendor, Limiter, RangeRequest) {
    let config = Config {
        trades_per_day: 200,
        strikes: 1,
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let mut settings = Sandbox::new().settings(&simulator.url());
    settings.vendor_connections_max = 1;
    let limiter = Limiter::in_process(Limits::by(&settings));
    let vendor = Vendor::with_limiter(&settings, limiter.clone()).unwrap();
    let days = january(4, 5);
    let symbols = piece(Schema::Trades, &["ES.FUT"], days).symbols;
    let request = RangeRequest::new(DATASET, Schema::Trades, SType::Parent, &symbols, days);
    (simulator, vendor, limiter, request)
}

#[tokio::test]
async fn a_stream_is_a_connection_until_it_is_dropped() {
    let (_simulator, vendor, limiter, request) = vendor().await;
    let mut stream = vendor.get_range(&request).await.unwrap();
    while stream.next().await.unwrap().is_some() {}
    for class in Class::ALL {
        let waiting = tokio::time::timeout(Duration::from_millis(20), limiter.admit(class));
        assert!(waiting.await.is_err(), "there is one connection");
    }
    drop(stream);
    vendor.datasets().await.unwrap();
    vendor.get_range(&request).await.unwrap();
}

#[tokio::test]
async fn a_429_holds_its_class_alone() {
    let (simulator, vendor, limiter, request) = vendor().await;
    let before = limiter.admit(Class::Timeseries).await.admitted_at();
    simulator.add_fault(Fault::next(FaultKind::RateLimit, 1).lasting(2.0));
    let refused = vendor.get_range(&request).await.unwrap_err();
    assert!(
        matches!(refused, VendorError::RateLimited { .. }),
        "{refused}"
    );
    let other = limiter.admit(Class::Metadata).await.admitted_at();
    let after = limiter.admit(Class::Timeseries).await.admitted_at();
    assert!(after >= before + Duration::from_secs(2));
    assert!(other < after);
}
