//! `gapura demo`: a daemon in a directory of its own, with a simulated office in it, for evaluation and
//! for tests.
//!
//! ```text
//! place (directory, zone file, settings, free ports) ─► play (the script, by the desk's own functions, with a
//! clock of the past) ─► the daemon as always ─► directory removed
//! ```
//! Everything is written through the desk, so its contents could have happened and its event chain verifies. It is
//! neither a load test nor a way to set up a real office: its passwords are printed.

mod cast;
mod holidays;
mod letter;
mod past;
mod place;
mod play;
mod script;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde::Serialize;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::daemon::Ended;
use super::ready::Ready;
use super::signals::Signals;
pub use cast::{Member, code_now};
use place::Place;
pub use place::Wanted;

/// The contents of a demonstration, to be printed.
#[derive(Clone, Debug, Serialize)]
pub struct Filled {
    /// The password of every account.
    pub password: String,
    /// The accounts, one of each role at least.
    pub accounts: Vec<Member>,
    /// The requests, in the order in which they came.
    pub requests: Vec<Sent>,
    /// The directory, if it stays.
    pub kept: Option<PathBuf>,
}

/// A request as its applicant knows it.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Its number.
    pub number: String,
    /// Its status secret.
    pub secret: String,
    /// Its state at the start.
    pub state: String,
    /// The name it is about.
    pub name: String,
}

/// Makes a demonstration, runs the daemon on it until a signal asks it to stop, and removes it. Calls `ready`
/// once everything has started.
pub fn serve(wanted: &Wanted, ready: impl Fn(&Ready, &Filled)) -> anyhow::Result<Ended> {
    let place = Arc::new(Place::make(wanted)?);
    let Some(filled) = fill(&place)? else { return Ok(Ended::Stopped) };
    let loaded = place.settings()?;
    place.release_pages();
    Ok(super::serve(&loaded, super::Begin::default(), |facts| ready(facts, &filled))?)
}

/// Plays the script in a place, on a thread of its own; none if a signal came first.
fn fill(place: &Arc<Place>) -> anyhow::Result<Option<Filled>> {
    let waiting = Builder::new_current_thread().enable_all().build()?;
    let mut signals = waiting.block_on(async { Signals::listen() })?;
    let stop = Arc::new(AtomicBool::new(false));
    let (done, mut filled) = oneshot::channel();
    let (there, told) = (Arc::clone(place), Arc::clone(&stop));
    let work = move || {
        let filled = play::fill(&there, &told);
        // The waiting side holds the place last, and removes it.
        drop(there);
        drop(done.send(filled));
    };
    std::thread::Builder::new().name("demo".to_owned()).spawn(work)?;
    waiting.block_on(async {
        let first = tokio::select! {
            result = &mut filled => Some(result),
            () = signals.stop() => None,
        };
        let result = match first {
            Some(result) => result,
            None => {
                stop.store(true, Ordering::Relaxed);
                // It stops at its next step; only then may its directory go.
                filled.await
            }
        };
        let filled = result.context("the demonstration failed: the log says where")?;
        if stop.load(Ordering::Relaxed) { Ok(None) } else { filled.map(Some) }
    })
}
