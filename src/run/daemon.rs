//! One run of the daemon: start, signals, stop.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::begin::Begin;
use super::building::{Building, Retired, Start};
use super::error::{RunError, system};
use super::ready::Ready;
use super::signals::{Signal, Signals};
use super::stand_in::Late;
use super::succession;
use crate::config::Loaded;
use crate::control::Reply;
use crate::lock::lock;

/// Limit for the whole stop: a hanging disk would block it forever.
const STOP_MAX: Duration = Duration::from_secs(30);

//------------ Events --------------------------------------------------------

/// What ends a daemon, besides signals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    /// A command to stop.
    Stop,
    /// Hand over to the process with this id.
    HandOver(u32),
    /// Start anew in this process: what the start lacked has come.
    Again,
}

/// Sends events to the daemon.
#[derive(Clone, Debug)]
pub(super) struct Events(UnboundedSender<Event>);

impl Events {
    /// Sends an event.
    pub(super) fn send(&self, event: Event) {
        // Nobody listens any more while the daemon stops.
        let _ = self.0.send(event);
    }

    /// Asks the daemon to stop.
    pub(super) fn stop(&self) -> Reply {
        self.send(Event::Stop);
        Reply::done("stopping", serde_json::json!({ "pid": std::process::id() }))
    }

    /// Events that nobody receives, for tests.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(mpsc::unbounded_channel().0)
    }
}

//------------ serve ---------------------------------------------------------

/// How a run of the daemon ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// A signal asked it to stop, and everything was written and closed.
    Stopped,
    /// A second signal came before it had stopped: the process should exit at once.
    Interrupted,
    /// Another process is the daemon now.
    Followed,
}

/// Runs the daemon until a signal or a command asks it to stop. Calls `ready` once everything has started.
pub fn serve(loaded: &Loaded, begin: Begin, ready: impl Fn(&Ready)) -> Result<Ended, RunError> {
    let waiting =
        system("cannot wait for signals", Builder::new_current_thread().enable_all().build())?;
    // From here on signals are queued; by default they would kill a daemon that already answers.
    let mut signals = waiting.block_on(async { system("signals", Signals::listen()) })?;
    let (events, mut asked) = mpsc::unbounded_channel();
    let Begin { notifier, inherited, follows, rights, program } = begin;
    let late = Late::default();
    let as_before = move |inherited| Start {
        inherited,
        notifier: notifier.clone(),
        rights: rights.clone(),
        program: program.clone(),
        events: Events(events.clone()),
        late: late.clone(),
    };
    let (first, settings) = (as_before.clone(), loaded.clone());
    let work = move || {
        if !follows {
            return Building::start(&settings, first(inherited), |_| Ok(()));
        }
        let (inherited, talk) = succession::follow(&settings)?;
        Building::start(&settings, first(inherited), |fault| succession::answering(talk, fault))
    };
    let mut started = start(work, &waiting, &mut signals)?;
    loop {
        let Some((building, facts)) = started else {
            tracing::info!("stopped before it was ready");
            return Ok(Ended::Stopped);
        };
        ready(&facts);
        building.announce();
        tracing::info!(event = "ready", pid = std::process::id(), "ready");
        let pid = match wait(&waiting, &mut signals, &mut asked, &building) {
            Event::Stop => return stop(building, &waiting, &mut signals),
            Event::HandOver(pid) => pid,
            Event::Again => {
                tracing::info!("everything but answering is started anew");
                let (again, settings) = (as_before.clone(), loaded.clone());
                let work =
                    move || Ok(succession::take_back(&settings, building.leave_soon(), again));
                started = start(work, &waiting, &mut signals)?;
                continue;
            }
        };
        let (retired, error) = match hand_over(loaded, building, pid, &waiting, &mut signals) {
            // The stop was meant for the service, so the successor stops as well.
            None => {
                tracing::info!(event = "stopped", "stopped while another was about to follow");
                return Ok(Ended::Stopped);
            }
            Some(Ok(true)) => {
                tracing::info!(to = pid, "handed over");
                return Ok(Ended::Followed);
            }
            // The service manager restarts gapura.
            Some(Ok(false)) => {
                return Err(RunError::Follow("the successor ended at once".to_owned()));
            }
            Some(Err(failed)) => failed,
        };
        succession::log_failed(&error);
        let (again, settings) = (as_before.clone(), loaded.clone());
        let work = move || Ok(succession::take_back(&settings, retired, again));
        started = start(work, &waiting, &mut signals)?;
    }
}

/// The result of a handover.
type Handed = Result<bool, (Retired, io::Error)>;

/// Hands over to process `pid` on a separate thread, so that a signal can stop both even while one of them hangs.
/// `None` if such a signal came.
fn hand_over(
    loaded: &Loaded,
    building: Building,
    pid: u32,
    waiting: &Runtime,
    signals: &mut Signals,
) -> Option<Handed> {
    let (done, mut handed) = oneshot::channel();
    let building = Arc::new(Mutex::new(Some(building)));
    let (of, settings) = (Arc::clone(&building), loaded.clone());
    let work = move || {
        let building = lock(&of).take();
        // Nobody waits any more if a signal came.
        drop(done.send(building.map(|building| succession::hand_over(&settings, building, pid))));
    };
    let thread = std::thread::Builder::new().name("hand-over".to_owned()).spawn(work);
    if thread.is_err() {
        let building = lock(&building).take()?;
        return Some(succession::hand_over(loaded, building, pid));
    }
    waiting.block_on(async {
        tokio::select! {
            handed = &mut handed => return handed.ok().flatten(),
            () = signals.stop() => {}
        }
        succession::kill(pid);
        // Answers go on until what is being written is written.
        let _ = tokio::time::timeout(STOP_MAX, handed).await;
        None
    })
}

/// Stops everything.
fn stop(building: Building, waiting: &Runtime, signals: &mut Signals) -> Result<Ended, RunError> {
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
        Ended::Interrupted | Ended::Followed => tracing::info!("interrupted"),
    }
    Ok(ended)
}

/// Starts everything, on a thread of its own, so that a signal stops the daemon also while a step hangs. None: one did.
fn start(
    work: impl FnOnce() -> Result<(Building, Ready), RunError> + Send + 'static,
    waiting: &Runtime,
    signals: &mut Signals,
) -> Result<Option<(Building, Ready)>, RunError> {
    let (begun, mut started) = oneshot::channel();
    // Nobody waits any more if a signal came.
    let work = move || drop(begun.send(work()));
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

/// Does what signals ask for until one, or a command, asks for the end.
fn wait(
    waiting: &Runtime,
    signals: &mut Signals,
    asked: &mut UnboundedReceiver<Event>,
    building: &Building,
) -> Event {
    waiting.block_on(async {
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Stop => return Event::Stop,
                    Signal::Reopen => building.reopen_logs(),
                    Signal::Reload => building.reload(),
                },
                Some(event) = asked.recv() => return event,
            }
        }
    })
}
