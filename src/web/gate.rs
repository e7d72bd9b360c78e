//! A gate before slow work: a limited number run, a limited number wait, and the rest are refused as busy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::lock::lock;

/// The gate.
pub(super) struct Gate {
    /// Places at work.
    places: Arc<Semaphore>,
    /// How many wait.
    waiting: AtomicUsize,
    /// How many may wait.
    waiting_max: usize,
}

impl Gate {
    /// A gate with so many places, and so many that may wait for one.
    pub(super) fn new(places: usize, waiting_max: usize) -> Self {
        let waiting = AtomicUsize::new(0);
        Self { places: Arc::new(Semaphore::new(places)), waiting, waiting_max }
    }

    /// Runs a job on the blocking pool, perhaps after a wait; none if too many wait already.
    ///
    /// The job keeps its place until it ends, even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<Result<T, JoinError>> {
        let made = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&made);
        let job = move || {
            let value = job();
            *lock(&kept) = Some(value);
        };
        match self.run_boxed(Box::new(job)).await? {
            Ok(()) => lock(&made).take().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// The same for a job that keeps what it makes. Every job has one type here: the pool's code is compiled once, and
    /// not for each.
    async fn run_boxed(&self, job: Box<dyn FnOnce() + Send>) -> Option<Result<(), JoinError>> {
        let place = self.enter().await?;
        let job: Box<dyn FnOnce() + Send> = Box::new(move || {
            let _place = place;
            job();
        });
        Some(tokio::task::spawn_blocking(job).await)
    }

    /// A place at work, perhaps after a wait; none if too many wait already.
    async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let waiting = Waiting::begin(self)?;
        // It is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        drop(waiting);
        place
    }
}

/// One who waits, counted until dropped.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    /// Counts one more; none if that is too many.
    fn begin(gate: &'a Gate) -> Option<Self> {
        let waiting = Self(gate);
        let before = gate.waiting.fetch_add(1, Ordering::Relaxed);
        (before < gate.waiting_max).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let gate = Gate::new(1, 1);
        let first = gate.enter().await.unwrap();
        let mut second = Box::pin(gate.enter());
        let now = std::time::Duration::ZERO;
        assert!(tokio::time::timeout(now, &mut second).await.is_err(), "it waits");
        assert!(gate.enter().await.is_none(), "too many wait");
        drop(first);
        let second = second.await.unwrap();
        // Who gives up waiting makes room.
        let third = Box::pin(gate.enter());
        assert!(tokio::time::timeout(now, third).await.is_err());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        drop(second);
        assert!(gate.enter().await.is_some());
    }

    #[tokio::test]
    async fn a_job_keeps_its_place_when_nobody_waits_for_it() {
        let gate = Gate::new(1, 1);
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut left = Box::pin(gate.run(move || {
            begun.send(()).unwrap();
            held.recv()
        }));
        tokio::select! {
            _ = &mut left => panic!("it is held"),
            begins = begins => begins.unwrap(),
        }
        drop(left);
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, gate.enter()).await.is_err(), "the job goes on");
        drop(release);
        let late = std::time::Duration::from_secs(5);
        assert!(tokio::time::timeout(late, gate.enter()).await.unwrap().is_some());
    }
}
