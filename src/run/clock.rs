//! Watches the system clock where no desk does: in a name server alone, or while the queue is closed. Serials can be
//! derived from the clock there, too.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::time::now_ms;
use super::timer::{TICK, every};
use crate::lock::lock;
use crate::store::Store;
use crate::store::clock_watch::{ClockWatch, Doubt};

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
        let clock = self.clone();
        runtime.spawn(every(TICK, stopped.clone(), move |ran| clock.turn(ran)));
    }

    /// One turn, `ran` after the one before.
    fn turn(&self, ran: Duration) {
        if let Err(error) = self.watch().turn(&self.store, now_ms(), ran, Doubt::without_queue) {
            tracing::warn!(%error, "the last trusted time could not be written");
        }
    }

    /// The doubt about the clock in words, if there is one.
    pub(super) fn doubt(&self) -> Option<String> {
        self.watch().doubt().map(|doubt| doubt.without_queue())
    }

    /// Ends a doubt, on the word of an administrator of this machine.
    #[cfg(not(feature = "approval"))]
    pub(super) fn confirm(&self) -> crate::control::Reply {
        use crate::control::Reply;
        use crate::store::StoreError;
        use crate::store::clock::ClockRow;
        use serde_json::json;

        let mut watch = self.watch();
        let Some(doubt) = watch.doubt() else {
            return Reply::done("the clock is not in doubt", json!({ "doubted": false }));
        };
        let row = ClockRow::believed(now_ms());
        if let Err(error) = self.store.write::<_, StoreError>(|tx| tx.put_clock(&row)) {
            return Reply::failed(error.to_string());
        }
        watch.confirmed(row);
        tracing::info!(last = doubt.believed_ms, "an administrator confirmed the clock");
        Reply::done("the clock is trusted", json!({ "doubted": false }))
    }

    /// What is known of the clock.
    fn watch(&self) -> MutexGuard<'_, ClockWatch> {
        lock(&self.watch)
    }
}
