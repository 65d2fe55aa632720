//! How long to wait before trying again: doubled each time, with jitter, up to a limit.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff;

use crate::configuration::settings::Settings;

/// When to try again.
#[derive(Clone, Copy, Debug)]
pub struct RetryDelays {
    /// Until the first retry.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
}

impl RetryDelays {
    /// The delays of the settings.
    #[must_use]
    pub fn by(settings: &Settings) -> Self {
        Self {
            first: Duration::from_secs_f64(settings.retry_seconds),
            longest: Duration::from_secs_f64(settings.retry_seconds_max),
        }
    }

    /// The wait after the failure number `failures`, counted from 1: half to one and a half times
    /// the doubled delay, so that a fleet does not return all at once.
    #[must_use]
    pub fn after(self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        let delay = self.first.saturating_mul(doubled).min(self.longest);
        ExponentialBackoffBuilder::new()
            .with_initial_interval(delay)
            .with_max_interval(self.longest)
            .with_randomization_factor(0.5)
            .with_max_elapsed_time(None)
            .build()
            .next_backoff()
            .unwrap_or(delay)
    }
}
