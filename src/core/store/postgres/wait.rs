//! Waiting for the driver, which is asynchronous, on a thread that may wait: also on one of a runtime, whose own means of
//! waiting would panic there.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{Thread, current, park_timeout};
use std::time::{Duration, Instant};

/// Wakes the thread that waits.
struct Woken(Thread);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What a future comes to; none if it takes longer than `limit`.
pub(super) fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Woken(current())));
    let mut context = Context::from_waker(&waker);
    let begun = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        // A thread that was woken for something else looks again.
        park_timeout(limit.checked_sub(begun.elapsed())?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_waited_for_and_not_for_ever() {
        let (told, heard) = tokio::sync::oneshot::channel();
        let teller = std::thread::spawn(move || told.send(7));
        assert_eq!(within(Duration::from_secs(60), heard), Some(Ok(7)));
        assert!(teller.join().unwrap().is_ok());
        assert_eq!(within(Duration::from_millis(5), std::future::pending::<()>()), None);
    }

    #[tokio::test]
    async fn a_thread_of_a_runtime_may_wait_too() {
        assert_eq!(within(Duration::from_secs(60), async { 7 }), Some(7));
    }
}
