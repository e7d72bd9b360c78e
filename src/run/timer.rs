//! Periodic work while the daemon runs.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The pause between two turns of the timers.
pub(super) const TICK: Duration = Duration::from_secs(5);

/// Runs `work` on a thread that may block, pauses, and repeats until the daemon stops. `work` gets the monotonic time
/// since its last turn began. After a panic the next turn still runs.
pub(super) async fn every(
    pause: Duration,
    stopped: watch::Receiver<bool>,
    work: impl Fn(Duration) + Clone + Send + 'static,
) {
    let mut last = Instant::now();
    loop {
        let ran = last.elapsed();
        last += ran;
        let work = work.clone();
        // A panic inside is in the log already.
        let _ = tokio::task::spawn_blocking(move || work(ran)).await;
        if is_stopped_within(pause, &stopped).await {
            return;
        }
    }
}

/// Waits for `pause`; returns true at once when the daemon stops.
pub(super) async fn is_stopped_within(pause: Duration, stopped: &watch::Receiver<bool>) -> bool {
    tokio::time::timeout(pause, stop_signal(stopped.clone())).await.is_ok()
}

/// Resolves once the daemon stops.
pub(super) async fn stop_signal(mut stopped: watch::Receiver<bool>) {
    // An error means that the daemon has ended.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Resolves once the pages are to close, with how long what is under way may take.
#[cfg(feature = "approval")]
pub(super) async fn close_signal(mut closed: watch::Receiver<Option<Duration>>) -> Duration {
    // An error means that the daemon has ended.
    closed.wait_for(Option::is_some).await.ok().and_then(|most| *most).unwrap_or_default()
}
