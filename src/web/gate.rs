//! A gate before slow work: so many at it, so many waiting, and the rest hears that it is busy.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The gate.
pub(super) struct Gate {
    /// Places at work.
    places: Semaphore,
    /// How many wait.
    waiting: AtomicUsize,
    /// How many may wait.
    waiting_max: usize,
}

impl Gate {
    /// A gate with so many places, and so many that may wait for one.
    pub(super) const fn new(places: usize, waiting_max: usize) -> Self {
        let waiting = AtomicUsize::new(0);
        Self { places: Semaphore::const_new(places), waiting, waiting_max }
    }

    /// A place at work, perhaps after a wait; none if too many wait already.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let waiting = Waiting::begin(self)?;
        // It is never closed.
        let place = self.places.acquire().await.ok();
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
}
