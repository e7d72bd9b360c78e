//! Follows the node that publishes, on a thread of its own, until this one is to publish.

use std::sync::Weak;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::looks::{Verdict, Watch};
use super::note;
use crate::lock::lock;
use crate::publish::Progress;
use crate::run::daemon::Event;
use crate::run::host::Host;
use crate::run::stand_in::keys_fault_on;
use crate::store::Store;
use crate::store::nodes::Listener;
use crate::text::with_causes;
use crate::wire::Name;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// A look that takes longer says nothing of the publisher.
const QUICK: Duration = Duration::from_secs(1);
/// How long the database says nothing before this node asks primaries itself.
const AWAY: Duration = Duration::from_secs(5);
/// Looks after which it is seen again whether this node has the keys.
const LOOKS_AT_KEYS: u64 = 30;

/// Follows, on a thread of its own.
pub(super) struct Follower {
    /// The daemon.
    host: Weak<Host>,
    /// The database.
    store: Store,
    /// Ends it.
    stopped: watch::Receiver<bool>,
    /// Whether the publisher lives.
    watch: Watch,
    /// The beat of the publisher whose sessions were ended.
    unseated: Option<i64>,
    /// Looks so far.
    looks: u64,
    /// Whether this node asks primaries itself.
    asks: bool,
}

impl Follower {
    /// Of a daemon on this database, until it stops.
    pub(super) fn new(host: Weak<Host>, store: Store, stopped: watch::Receiver<bool>) -> Self {
        Self {
            host,
            store,
            stopped,
            watch: Watch::default(),
            unseated: None,
            looks: 0,
            asks: false,
        }
    }

    /// Until the daemon stops, or this node is to publish.
    pub(super) fn run(mut self) {
        let (mut listener, mut looked) = (None, None::<Instant>);
        while !*self.stopped.borrow() {
            // The poll behind it finds what was not heard.
            if listener.is_none() {
                listener = self.store.listen().ok().flatten();
            }
            let is_over = self.catch_up();
            if is_over {
                return;
            }
            if looked.is_none_or(|at| at.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                if self.look() {
                    return;
                }
            }
            let rest = LOOK.saturating_sub(looked.map_or(LOOK, |at| at.elapsed()));
            wait(&mut listener, rest);
        }
    }

    /// Serves what was committed; true if the daemon is gone.
    fn catch_up(&mut self) -> bool {
        let Some(host) = self.host.upgrade() else { return true };
        let (progress, caught_up) = host.publisher.catch_up();
        if progress.came_or_went {
            host.fleet.renew();
        }
        let mut followed = lock(&host.node.followed);
        let asks = caught_up.is_err() && followed.caught_up.elapsed() > AWAY;
        match caught_up {
            Ok(()) => {
                followed.caught_up = Instant::now();
                followed.ahead = ahead(&progress);
                note(&mut followed.fault, None);
            }
            Err(error) => {
                let error = with_causes(&error);
                let fault =
                    format!("what is served may be old, the database is not followed: {error}");
                note(&mut followed.fault, Some(fault));
            }
        }
        drop(followed);
        if std::mem::replace(&mut self.asks, asks) != asks {
            host.fleet.ask_primaries(asks);
        }
        false
    }

    /// Looks at the publisher; true if this node is to publish.
    fn look(&mut self) -> bool {
        let Some(host) = self.host.upgrade() else { return true };
        let began = Instant::now();
        let seat = self.store.seat();
        let is_quick = began.elapsed() < QUICK;
        if let Ok(Some(seat)) = &seat {
            host.node.publishing.send_if_modified(|known| {
                let is_other = *known != seat.publishing;
                known.clone_from(&seat.publishing);
                is_other
            });
        }
        let seat = seat.as_ref().ok().and_then(Option::as_ref);
        let verdict = self.watch.judge(seat, is_quick);
        if seat.is_some_and(|seat| self.unseated != Some(seat.beat_ms) || !seat.is_held) {
            self.unseated = None;
            note(&mut lock(&host.node.followed).unended, None);
        }
        if verdict != Verdict::Lives || self.looks.is_multiple_of(LOOKS_AT_KEYS) {
            let keys = keys_fault_on(&self.store, &host.node.state_dir);
            note(&mut lock(&host.node.followed).keys, keys);
        }
        // Whoever cannot publish leaves a publisher alone that may come back.
        let has_keys = lock(&host.node.followed).keys.is_none();
        let may_publish = has_keys
            && match verdict {
                Verdict::Lives => false,
                Verdict::Free => true,
                Verdict::Dead => self.unseat(&host, seat.map(|seat| seat.beat_ms)),
            };
        if self.looks.is_multiple_of(LOOKS_AT_KEYS)
            && let Ok(missing) = host.publisher.missing_keys()
        {
            let line =
                |why: &String| format!("this node could not sign if it had to publish: {why}");
            lock(&host.node.followed).unsigned = missing.iter().map(line).collect();
        }
        self.looks += 1;
        if may_publish {
            tracing::warn!("no node publishes: this one does from here on");
            host.events.send(Event::Again);
        }
        may_publish
    }

    /// Ends the sessions of a publisher that is dead since this beat; true if they have ended. Whoever has not the lock
    /// does not begin anew, however often it looks.
    fn unseat(&mut self, host: &Host, beat_ms: Option<i64>) -> bool {
        if self.unseated.is_none() {
            tracing::error!(
                "the node that publishes does not beat any more: its sessions are ended"
            );
        }
        self.unseated = beat_ms;
        let why = match self.store.unseat() {
            Ok(Some(true)) => return true,
            Ok(Some(false)) => {
                "the server does not end them (a synchronous standby may be away)".to_owned()
            }
            // It has just gone, and the lock is free for whoever looks next; or somebody else has it.
            Ok(None) => "they are not those of a node".to_owned(),
            Err(error) => format!("they cannot be ended: {}", with_causes(&error)),
        };
        let fault = format!(
            "the node that publishes does not beat any more, and this one publishes once the sessions that hold its lock \
             have ended: {why}; pg_locks on the server shows them"
        );
        note(&mut lock(&host.node.followed).unended, Some(fault));
        false
    }
}

/// Waits for news.
fn wait(listener: &mut Option<Listener>, most: Duration) {
    match listener.as_ref().map(|listener| listener.wait(most)) {
        Some(Some(_)) => {}
        Some(None) => *listener = None,
        None => std::thread::sleep(most),
    }
}

/// What this node serves that the database does not have, in words.
fn ahead(progress: &Progress) -> Vec<String> {
    let line = |(zone, served, known): &(Name, u32, u32)| {
        format!(
            "{zone}: the database has serial {known}, and {served} was served before: this node keeps it until \
             the database is above it"
        )
    };
    progress.ahead.iter().map(line).collect()
}
