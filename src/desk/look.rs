//! A look that may never end, because a disk hangs: on a thread of its own, one at a time, waited for a short time.

use crate::lock::lock;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by all who look.
#[derive(Debug, Default)]
pub(super) struct Look<T>(Arc<Shared<T>>);

/// What the thread and those that wait for it share.
#[derive(Debug, Default)]
struct Shared<T> {
    /// The looks up to now.
    looks: Mutex<Looks<T>>,
    /// A look has ended.
    ended: Condvar,
}

/// The looks up to now.
#[derive(Debug, Default)]
struct Looks<T> {
    /// Whether one is under way.
    is_under_way: bool,
    /// Those that have ended.
    ended: u64,
    /// What the last one found; `None` if it panicked.
    found: Option<T>,
}

/// Ends a look, also one that panics.
struct End<T> {
    /// Where it ends.
    shared: Arc<Shared<T>>,
    /// What it found.
    found: Option<T>,
}

impl<T: Clone + Send + 'static> Look<T> {
    /// What `look` finds, or a look that is under way already. `None`: it takes longer than `patience`.
    pub(super) fn wait(
        &self,
        patience: Duration,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut looks = lock(&self.0.looks);
        let before = looks.ended;
        if !looks.is_under_way {
            let end = End { shared: Arc::clone(&self.0), found: None };
            let work = move || {
                let mut end = end;
                end.found = Some(look());
            };
            std::thread::Builder::new().name("look".to_owned()).spawn(work).ok()?;
            looks.is_under_way = true;
        }
        let is_under_way = |looks: &mut Looks<T>| looks.ended == before;
        let waited = self.0.ended.wait_timeout_while(looks, patience, is_under_way);
        let (looks, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        looks.found.clone().filter(|_| !waited.timed_out())
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let mut looks = lock(&self.shared.looks);
        looks.is_under_way = false;
        looks.ended += 1;
        looks.found = self.found.take();
        drop(looks);
        self.shared.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_look_that_hangs_keeps_nobody_and_is_not_begun_again() {
        let look = Look::default();
        let (patient, hasty) = (Duration::from_secs(60), Duration::from_millis(20));
        assert_eq!(look.wait(patient, || 1), Some(1));
        let (thaw, frozen) = channel::<()>();
        let hangs = move || {
            let _ = frozen.recv();
            2
        };
        assert_eq!(look.wait(hasty, hangs), None);
        assert_eq!(look.wait(hasty, || unreachable!("one is under way")), None);
        thaw.send(()).unwrap();
        // It finds what the look under way finds, or looks itself, if that has ended already.
        let found = look.wait(patient, || 2);
        assert_eq!(found, Some(2));
        assert_eq!(look.wait(patient, || panic!("a bug")), None);
        assert_eq!(look.wait(patient, || 3), Some(3));
    }
}
