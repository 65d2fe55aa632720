//! Recorder: where metrics are counted, and how they become Prometheus' text.

use std::sync::OnceLock;

use common::metrics::{ALL, BUILD_INFO, Kind};
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// The process's own recorder: from the first call on, what is counted is kept.
pub fn installed() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = HANDLE.get_or_init(|| {
        let recorder = recorder();
        let handle = recorder.handle();
        // Nobody else installs one.
        drop(metrics::set_global_recorder(recorder));
        describe();
        handle
    });
    handle.clone()
}

/// What `count` counts, as Prometheus' text, and nothing else: no figure outlives its question.
pub fn told(count: impl FnOnce()) -> String {
    let recorder = recorder();
    metrics::with_local_recorder(&recorder, || {
        describe();
        count();
    });
    recorder.handle().render()
}

fn recorder() -> PrometheusRecorder {
    let histograms = ALL.iter().filter_map(|metric| match metric.kind {
        Kind::Histogram(buckets) => Some((metric.name, buckets)),
        Kind::Counter | Kind::Gauge => None,
    });
    let builder = PrometheusBuilder::new();
    let builder = histograms.fold(builder, |builder, (name, buckets)| {
        let name = Matcher::Full(name.to_owned());
        let with_buckets = builder.set_buckets_for_metric(name, buckets);
        with_buckets.expect("every histogram has buckets")
    });
    builder.build_recorder()
}

fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.meaning),
            Kind::Gauge => describe_gauge!(metric.name, metric.meaning),
            Kind::Histogram(_) => describe_histogram!(metric.name, metric.meaning),
        }
    }
    BUILD_INFO.set(1.0, [env!("CARGO_PKG_VERSION")]);
}
