//! The watch over the clock while no desk keeps it: a name server alone, or a queue that is closed. Serials
//! are made from the clock all the same.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::time::now_ms;
use crate::lock::lock;
use crate::store::Store;
use crate::store::clock_watch::ClockWatch;

/// How often the clock is looked at.
const TURN: Duration = Duration::from_secs(5);

/// The watch; clones share it.
#[derive(Clone)]
pub(super) struct Clock {
    /// The database.
    store: Store,
    /// What is known of the clock.
    watch: Arc<Mutex<ClockWatch>>,
}

impl Clock {
    /// A watch that knows nothing yet.
    pub(super) fn new(store: Store) -> Self {
        Self { store, watch: Arc::default() }
    }

    /// Watches the clock until the daemon stops.
    pub(super) fn start(&self, runtime: &Runtime, stopped: &watch::Receiver<bool>) {
        let (clock, mut stopped) = (self.clone(), stopped.clone());
        runtime.spawn(async move {
            let mut last = Instant::now();
            loop {
                let ran = last.elapsed();
                last += ran;
                let clock = clock.clone();
                let turn = tokio::task::spawn_blocking(move || clock.turn(ran));
                // A panic inside is in the log already.
                let _ = turn.await;
                tokio::select! {
                    () = tokio::time::sleep(TURN) => {}
                    _ = stopped.changed() => return,
                }
            }
        });
    }

    /// One turn, `ran` after the one before.
    fn turn(&self, ran: Duration) {
        let mut watch = self.watch();
        let before = watch.doubt();
        if let Err(error) = watch.turn(&self.store, now_ms(), ran) {
            tracing::warn!(%error, "how far the clock is believed was not written");
        }
        match (before, watch.doubt()) {
            (None, Some(doubt)) => tracing::error!("{}", doubt.without_queue()),
            (Some(_), None) => tracing::info!("the clock is believed again"),
            _ => {}
        }
    }

    /// The doubt about the clock in words, if there is one.
    pub(super) fn doubt(&self) -> Option<String> {
        self.watch().doubt().map(|doubt| doubt.without_queue())
    }

    /// What is known of the clock.
    fn watch(&self) -> MutexGuard<'_, ClockWatch> {
        lock(&self.watch)
    }
}
