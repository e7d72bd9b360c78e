//! Papers are rendered as acts make them; what failed is tried again when its time has come.

use tokio::sync::watch;

use super::timer::{TICK, stop_signal};
use crate::desk::Desk;
use crate::press::Press;
use crate::text::with_causes;

/// Renders papers until the daemon stops.
pub(super) async fn render(desk: Desk, press: Press, stopped: watch::Receiver<bool>) {
    loop {
        let (at_work, press) = (desk.clone(), press.clone());
        // A panic inside is in the log already.
        let _ = tokio::task::spawn_blocking(move || turn(&at_work, &press)).await;
        tokio::select! {
            () = stop_signal(stopped.clone()) => return,
            _ = tokio::time::timeout(TICK, desk.papers_wanted()) => {}
        }
    }
}

/// Renders what waits now.
fn turn(desk: &Desk, press: &Press) {
    let done = desk.render_papers(&|paper, coat_of_arms| {
        press.print(paper, coat_of_arms).map_err(|error| with_causes(&error))
    });
    if let Err(error) = done {
        tracing::warn!(%error, "papers could not be looked after");
    }
}
