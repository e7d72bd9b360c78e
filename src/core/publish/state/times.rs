//! How long changes and polls of files take, for metrics.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Upper bounds of the intervals that are told apart, seconds.
pub const TIME_BOUNDS: [f64; 10] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0];

/// How long something took, each time it was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Durations {
    /// How often it took up to each bound and no less than the one before, and more than the last.
    pub counts: [u64; TIME_BOUNDS.len() + 1],
    /// Seconds in all.
    pub sum: f64,
}

impl Durations {
    /// Notes that it took so long once more.
    fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = TIME_BOUNDS.iter().position(|bound| seconds <= *bound);
        self.counts[at.unwrap_or(TIME_BOUNDS.len())] += 1;
        self.sum += seconds;
    }
}

/// A part of a change's way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// It is judged, given its serial, and signed.
    Prepare,
    /// It is written in one transaction, and the pointer swapped.
    Commit,
    /// Our own sockets are asked.
    Confirm,
}

/// How long looks at files and changes took.
#[derive(Clone, Debug)]
pub struct Times {
    /// A look at a zone's file.
    pub reload: Durations,
    /// The parts of a change, with their words.
    pub stages: [(&'static str, Durations); 3],
}

impl Default for Times {
    fn default() -> Self {
        let stages = ["prepare", "commit", "confirm"].map(|stage| (stage, Durations::default()));
        Self { reload: Durations::default(), stages }
    }
}

/// What is noted of times, behind a lock: changes are few.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Mutex<Times>);

impl Stopwatch {
    /// What was noted so far.
    pub(crate) fn times(&self) -> Times {
        lock(&self.0).clone()
    }

    /// Notes a look at a file.
    pub(crate) fn reloaded(&self, began: Instant) {
        lock(&self.0).reload.note(began.elapsed());
    }

    /// Does a part of a change, and notes how long it took.
    pub(crate) fn stage<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        lock(&self.0).stages[stage as usize].1.note(began.elapsed());
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_its_interval() {
        let mut durations = Durations::default();
        for millis in [1, 2, 300, 90_000] {
            durations.note(Duration::from_millis(millis));
        }
        assert_eq!(durations.counts, [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
        assert!((durations.sum - 90.303).abs() < 1e-9);
        let watch = Stopwatch::default();
        assert_eq!(watch.stage(Stage::Commit, || 7), 7);
        let stages = watch.times().stages;
        let counted = stages.map(|(stage, it)| (stage, it.counts.iter().sum::<u64>()));
        assert_eq!(counted, [("prepare", 0), ("commit", 1), ("confirm", 0)]);
    }
}
