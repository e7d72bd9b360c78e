//! Probes under way: one per request and revision, a limited number at once, and how to wait for one.

use crate::lock::lock;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::Notify;

/// A request's number and revision.
type Key = (String, u32);

//------------ Flights -------------------------------------------------------

/// The probes under way; clones share them.
#[derive(Clone)]
pub(super) struct Flights {
    /// By request and revision.
    under_way: Arc<Mutex<HashMap<Key, ProbeUnderWay>>>,
    /// How many there may be.
    most: usize,
}

impl Flights {
    /// No probe yet, and room for `most`.
    pub(super) fn new(most: usize) -> Self {
        Self { under_way: Arc::default(), most }
    }

    /// Runs `job` on a thread of its own, or joins the one under way for the same key. None if there is
    /// no room.
    pub(super) fn start(
        &self,
        key: Key,
        job: impl FnOnce() + Send + 'static,
    ) -> Option<ProbeUnderWay> {
        self.start_by(key, job, |job| {
            std::thread::Builder::new().name("probe".to_owned()).spawn(job).map(drop)
        })
    }

    /// The same with another way to get a thread.
    pub(super) fn start_by(
        &self,
        key: Key,
        job: impl FnOnce() + Send + 'static,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) -> Option<ProbeUnderWay> {
        let flight = ProbeUnderWay::default();
        {
            let mut under_way = lock(&self.under_way);
            if let Some(flight) = under_way.get(&key) {
                return Some(flight.clone());
            }
            if under_way.len() >= self.most {
                tracing::warn!(request = key.0, "too many probes at once: this one is skipped");
                return None;
            }
            under_way.insert(key.clone(), flight.clone());
        }
        // Without the lock: where no thread is to be had, the landing is dropped on this one.
        let landing = Landing { key, flights: self.clone() };
        let started = spawn(Box::new(move || {
            let _landing = landing;
            job();
        }));
        if let Err(error) = started {
            tracing::warn!(%error, "the probe could not be started");
            return None;
        }
        Some(flight)
    }
}

/// Ends a flight when dropped, also by a panic.
struct Landing {
    /// Whose.
    key: Key,
    /// Where it is listed.
    flights: Flights,
}

impl Drop for Landing {
    fn drop(&mut self) {
        // It was listed before the thread was started.
        let flight = lock(&self.flights.under_way).remove(&self.key);
        if let Some(flight) = flight {
            flight.land();
        }
    }
}

//------------ ProbeUnderWay -------------------------------------------------

/// A probe that was started. Whoever waits holds nothing but this.
#[derive(Clone, Default)]
pub struct ProbeUnderWay(Arc<Waiting>);

/// What waiting needs.
#[derive(Default)]
struct Waiting {
    /// Whether it is over.
    over: Mutex<bool>,
    /// For threads.
    threads: Condvar,
    /// For tasks.
    tasks: Notify,
}

impl ProbeUnderWay {
    /// Waits on a thread.
    pub fn wait(&self) {
        let mut over = lock(&self.0.over);
        while !*over {
            over = self.0.threads.wait(over).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits in a task.
    pub async fn landed(&self) {
        let mut told = std::pin::pin!(self.0.tasks.notified());
        // From here on no landing is missed.
        told.as_mut().enable();
        let over = *lock(&self.0.over);
        if !over {
            told.await;
        }
    }

    /// It is over.
    fn land(&self) {
        *lock(&self.0.over) = true;
        self.0.threads.notify_all();
        self.0.tasks.notify_waiters();
    }
}
