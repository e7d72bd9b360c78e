//! One run of the daemon: start, signals, stop.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::building::Building;
use super::error::{RunError, system};
use super::ready::Ready;
use super::signals::{Signal, Signals};
use crate::config::Loaded;

/// How long a stop may take in all: a disk that does not answer would keep it for ever.
const STOP_MAX: Duration = Duration::from_secs(30);

//------------ serve ---------------------------------------------------------

/// How a run of the daemon ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// A signal asked it to stop, and everything was written and closed.
    Stopped,
    /// A second signal came before it had stopped: the process should exit at once.
    Interrupted,
}

/// Runs the daemon until a signal asks it to stop. Calls `ready` once everything has started.
pub fn serve(loaded: &Loaded, ready: impl FnOnce(&Ready)) -> Result<Ended, RunError> {
    let waiting =
        system("cannot wait for signals", Builder::new_current_thread().enable_all().build())?;
    // From here on a signal waits for its turn; by default it would end a daemon that already answers.
    let mut signals = waiting.block_on(async { system("signals", Signals::listen()) })?;
    let Some((building, facts)) = start(loaded, &waiting, &mut signals)? else {
        tracing::info!("stopped before it was ready");
        return Ok(Ended::Stopped);
    };
    ready(&facts);
    tracing::info!(event = "ready", pid = std::process::id(), "ready");
    wait(&waiting, &mut signals, &building);
    tracing::info!(event = "stopping", "stopping");
    let (stopping, stopped) = oneshot::channel::<()>();
    let stop = move || {
        building.stop();
        drop(stopping);
    };
    // On a thread of its own, so that a second signal need not wait for it.
    system(
        "cannot start to stop",
        std::thread::Builder::new().name("stop".to_owned()).spawn(stop),
    )?;
    let ended = waiting.block_on(async {
        tokio::select! {
            // The sender is dropped when all has stopped; nothing is ever sent.
            _ = stopped => Ended::Stopped,
            () = signals.stop() => Ended::Interrupted,
            () = tokio::time::sleep(STOP_MAX) => {
                tracing::error!("not everything stopped in time: a disk may hang");
                Ended::Interrupted
            }
        }
    });
    match ended {
        Ended::Stopped => tracing::info!(event = "stopped", "stopped"),
        Ended::Interrupted => tracing::info!("interrupted"),
    }
    Ok(ended)
}

/// Starts everything, on a thread of its own, so that a signal stops the daemon also while a step hangs. None: one did.
fn start(
    loaded: &Loaded,
    waiting: &Runtime,
    signals: &mut Signals,
) -> Result<Option<(Building, Ready)>, RunError> {
    let (begun, mut started) = oneshot::channel();
    let loaded = loaded.clone();
    // Nobody waits any more if a signal came.
    let work = move || drop(begun.send(Building::start(&loaded)));
    system("cannot start", std::thread::Builder::new().name("start".to_owned()).spawn(work))?;
    let mut changed = false;
    let result = waiting.block_on(async {
        loop {
            tokio::select! {
                result = &mut started => return Some(result),
                signal = signals.next() => match signal {
                    Signal::Stop => return None,
                    Signal::Reload => changed = true,
                    Signal::Reopen => {}
                },
            }
        }
    });
    let Some(result) = result else { return Ok(None) };
    let (building, facts) = result.unwrap_or_else(|_| {
        system("the start failed: the log says where", Err(io::ErrorKind::Other.into()))
    })?;
    if changed {
        building.reload();
    }
    Ok(Some((building, facts)))
}

/// Does what signals ask for until one asks to stop.
fn wait(waiting: &Runtime, signals: &mut Signals, building: &Building) {
    waiting.block_on(async {
        loop {
            match signals.next().await {
                Signal::Stop => return,
                Signal::Reopen => building.reopen_logs(),
                Signal::Reload => building.reload(),
            }
        }
    });
}
