//! Redis over TLS: a worker does its work by it, and by none whose certificate it doesn't trust.

use dbn::{SType, Schema};
use rcgen::{CertificateParams, KeyPair};
use testkit::processes::signal;
use testkit::redis::Redis;

use crate::fleet::{FOREVER, Fleet};
use crate::installation::{january, piece};
use crate::metrics::watched::Watched;

/// A fleet whose Redis has a certificate for `localhost`, and that certificate in PEM; `None` where a server
/// is not installed.
async fn start() -> Option<(Fleet, String)> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let redis = Redis::start_with_tls(&certificate, &key.serialize_pem())?;
    let mut fleet = Fleet::start().await?;
    fleet.settings.redis_url = Some(redis.url_over_tls());
    fleet.redis = redis;
    Some((fleet, certificate))
}

#[tokio::test]
async fn a_worker_does_its_work_by_a_redis_that_it_speaks_tls_with() {
    let Some((fleet, certificate)) = start().await else {
        return;
    };
    let trusted = fleet.sandbox.path().join("trusted.pem");
    std::fs::write(&trusted, certificate).unwrap();
    let log = fleet.sandbox.path().join("worker-over-tls.log");
    let mut command = fleet.worker();
    command.env("SSL_CERT_FILE", &trusted);
    let mut worker = Watched::spawn(command, &log).await;
    worker.wait_for("/readyz", 200, "ready").await;

    let pieces = [piece(Schema::Trades, &["ES.c.0"], january(3, 4))];
    let job = fleet.submit("job", SType::Continuous, &pieces).await;
    fleet.wait_for(job, |job| job.complete).await;
    let workers = fleet.redis.cli(&["ZCARD", "backhaul:workers"]);
    assert_eq!(workers.trim(), "1", "its heartbeat arrives");
    signal("TERM", &[worker.process.id().unwrap()]);
    let ended = tokio::time::timeout(FOREVER, worker.process.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let Some((fleet, _)) = start().await else {
        return;
    };
    let ended = tokio::time::timeout(FOREVER, fleet.spawn().wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(2), "{}", fleet.log());
    assert!(fleet.log().contains("REDIS_URL"), "{}", fleet.log());
}
