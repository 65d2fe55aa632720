//! The faults in force, and which of them strikes a request.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    clock::{Day, DayRange, now},
    fault::{Fault, FaultKind, Refused},
    history::Conditions,
    parameters::date,
    random::{Random, mix},
};

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    requests: AtomicU64,
    active: Mutex<Vec<Fault>>,
}

/// What faults look at in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    pub(crate) dataset: Option<&'a str>,
    pub(crate) schema: Option<&'a str>,
    pub(crate) days: Option<DayRange>,
}

/// A fault that strikes a request.
#[derive(Debug, Clone)]
pub(crate) struct Struck {
    pub(crate) kind: FaultKind,
    pub(crate) seconds: Option<f64>,
    /// Random, by the seed: decides where a stream is cut.
    pub(crate) draw: u64,
    /// What a refusal answers.
    pub(crate) refusal: Option<Refused>,
}

/// How a day is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayReport {
    pub(crate) condition: &'static str,
    /// `None` where there is no such date.
    pub(crate) modified: Option<Day>,
}

impl Faults {
    pub(crate) fn new(seed: u64, active: Vec<Fault>) -> Self {
        Self {
            seed,
            requests: AtomicU64::new(0),
            active: Mutex::new(active),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The faults that strike a request: at most one latency, and one that spoils the answer.
    pub(crate) fn strike(&self, asked: &Asked<'_>) -> Vec<Struck> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut random = Random::new(mix(&[self.seed, request, 13]));
        let mut struck: Vec<Struck> = Vec::new();
        let mut active = self.lock();
        for fault in active.iter_mut() {
            let slot_taken = struck.iter().any(|other| {
                (other.kind == FaultKind::Latency) == (fault.kind == FaultKind::Latency)
            });
            if slot_taken || !fits(fault, asked) || !falls(fault, &mut random) {
                continue;
            }
            struck.push(Struck {
                kind: fault.kind,
                seconds: fault.seconds,
                draw: random.next(),
                refusal: fault.refusal.clone(),
            });
        }
        active.retain(|fault| fault.next != Some(0));
        struck
    }

    /// What the standing faults change in a dataset.
    pub(crate) fn conditions(&self, dataset: &str) -> Conditions {
        let mut conditions = Conditions::default();
        for (fault, day) in self.standing(dataset) {
            match fault.kind {
                FaultKind::RevisedDay => *conditions.revisions.entry(day).or_insert(0) += 1,
                FaultKind::Pending | FaultKind::Missing => conditions.absent.push(day),
                _ => {}
            }
        }
        conditions
    }

    /// The days that the standing faults make remarkable.
    pub(crate) fn reports(&self, dataset: &str) -> HashMap<Day, DayReport> {
        let today = now().day();
        let mut reports = HashMap::new();
        for (fault, day) in self.standing(dataset) {
            let modified = Some(fault.modified.as_deref().and_then(date).unwrap_or(today));
            let report = match fault.kind {
                FaultKind::Pending => DayReport {
                    condition: "pending",
                    modified: None,
                },
                FaultKind::Missing => DayReport {
                    condition: "missing",
                    modified: None,
                },
                FaultKind::Degraded => DayReport {
                    condition: "degraded",
                    modified,
                },
                _ => DayReport {
                    condition: "available",
                    modified,
                },
            };
            reports.insert(day, report);
        }
        reports
    }

    fn standing(&self, dataset: &str) -> Vec<(Fault, Day)> {
        let concerns = |fault: &&Fault| fault.dataset.as_deref().is_none_or(|only| only == dataset);
        self.lock()
            .iter()
            .filter(|fault| fault.kind.changes_a_day())
            .filter(concerns)
            .filter_map(|fault| Some((fault.clone(), date(fault.date.as_deref()?)?)))
            .collect()
    }
}

/// Whether a fault is for such a request.
fn fits(fault: &Fault, asked: &Asked<'_>) -> bool {
    let kind_fits = match fault.kind {
        kind if kind.is_standing() => false,
        kind if kind.is_of_stream() => asked.path.ends_with("timeseries.get_range"),
        FaultKind::CountOff => asked.path.ends_with("metadata.get_record_count"),
        _ => true,
    };
    let same = |only: &Option<String>, asked: Option<&str>| {
        only.as_deref().is_none_or(|only| Some(only) == asked)
    };
    let day = fault.date.as_deref().and_then(date);
    kind_fits
        && fault
            .path
            .as_deref()
            .is_none_or(|path| asked.path.ends_with(path))
        && same(&fault.dataset, asked.dataset)
        && same(&fault.schema, asked.schema)
        && day.is_none_or(|day| asked.days.is_some_and(|days| days.contains(day)))
}

/// Whether a fault that fits strikes now; counts it if so.
fn falls(fault: &mut Fault, random: &mut Random) -> bool {
    match (&mut fault.next, fault.probability) {
        (Some(0), _) => false,
        (Some(next), _) => {
            *next -= 1;
            true
        }
        (None, Some(probability)) => random.unit() < probability,
        (None, None) => false,
    }
}
