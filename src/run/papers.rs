//! Renders papers as acts create them, and retries failed ones when they are due.

use tokio::sync::watch;

use super::timer::{TICK, stop_signal};
use crate::desk::Desk;
use crate::press::Press;
use crate::text::with_causes;

/// Renders papers until the daemon stops.
pub(super) async fn render(desk: Desk, press: Press, stopped: watch::Receiver<bool>) {
    let mut is_wanted = false;
    loop {
        let (at_work, press) = (desk.clone(), press.clone());
        // A panic inside is in the log already.
        let _ = tokio::task::spawn_blocking(move || turn(&at_work, &press, is_wanted)).await;
        is_wanted = tokio::select! {
            () = stop_signal(stopped.clone()) => return,
            wanted = tokio::time::timeout(TICK, desk.papers_wanted()) => wanted.is_ok(),
        };
    }
}

/// Renders the papers that wait now. If an act has just asked for one, waits for its transaction first; otherwise
/// nothing waits for the database's writer.
fn turn(desk: &Desk, press: &Press, is_wanted: bool) {
    let ready = if is_wanted { desk.await_papers() } else { Ok(()) };
    let done = ready.and_then(|()| {
        desk.render_papers(&|paper, coat_of_arms| {
            press.print(paper, coat_of_arms).map_err(|error| with_causes(&error))
        })
    });
    if let Err(error) = done {
        tracing::warn!(%error, "waiting papers could not be processed");
    }
}
