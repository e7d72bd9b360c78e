//! Files the rows of confirmed tables in the background, one by one, and continues after a restart.

use std::time::Duration;

use tokio::sync::watch;

use super::timer::{TICK, is_stopped_within, stop_signal};
use crate::desk::{ActError, BulkLetter, Desk};
use crate::text::with_causes;
use crate::uploads::{Reader, Sender};

/// The pause after a row that could not be filed because of a disk or database error.
const PAUSE: Duration = Duration::from_secs(10);

/// Files rows of confirmed tables until the daemon stops.
pub(super) async fn file(desk: Desk, letters: Reader, stopped: watch::Receiver<bool>) {
    loop {
        match one(&desk, &letters).await {
            Ok(true) if !*stopped.borrow() => continue,
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(error, "a row of a table could not be filed; it will be retried");
                if is_stopped_within(PAUSE, &stopped).await {
                    return;
                }
            }
        }
        tokio::select! {
            () = stop_signal(stopped.clone()) => return,
            _ = tokio::time::timeout(TICK, desk.bulk_wanted()) => {}
        }
    }
}

/// Files the next row; false if there is none.
async fn one(desk: &Desk, letters: &Reader) -> Result<bool, ActError> {
    let at_work = desk.clone();
    let Some(turn) = blocking(move || at_work.next_in_bulk()).await? else { return Ok(false) };
    let letter = match turn.letter.clone() {
        BulkLetter::Missing => Ok(None),
        BulkLetter::Read(letter) => Ok(Some(letter)),
        BulkLetter::Unread(bytes) => letters.read(bytes, Sender::Officer).await.map(Some),
    };
    let at_work = desk.clone();
    blocking(move || at_work.file_in_bulk(turn, letter)).await?;
    Ok(true)
}

/// Runs database work off the runtime's threads.
async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, ActError> + Send + 'static,
) -> Result<T, ActError> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done,
        // A panic is in the log; the row waits.
        Err(error) => {
            Err(ActError::File { path: "a row".into(), source: std::io::Error::other(error) })
        }
    }
}
