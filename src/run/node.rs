//! This node among others on one database: it publishes and beats, or follows and looks whether the publisher lives.
//!
//! ```text
//! publishes  a beat every 2 s ─► another one publishes since: everything but answering starts anew, and follows
//! follows    news, or 1 s ─► zones caught up ─┬─► 3 looks at a free lock           ─┬─► starts anew, and publishes
//!                                             └─► 6 looks at the same beat: unseated ┘
//! ```
//! No node's clock matters: looks at a beat are counted, and only quick ones, so that neither a database nor a node that
//! stood still makes a living publisher look dead. DNS goes on all the while.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::daemon::Event;
use super::host::Host;
use super::stand_in::keys_fault_on;
use super::timer::every;
use crate::lock::lock;
use crate::metrics::{Family, catalogue as of};
use crate::publish::{Options, Progress};
use crate::store::nodes::{Listener, PublishingNode, Seat};
use crate::store::{Store, StoreError};
use crate::text::with_causes;

/// Between two beats.
const BEAT: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// A look that takes longer says nothing of the publisher.
const QUICK: Duration = Duration::from_secs(1);
/// Looks at the same beat after which the publisher is dead.
const LOOKS: u32 = 6;
/// Looks at a lock that nobody holds: a publisher whose database was away takes it back with its next beat.
const LOOKS_AT_FREE: u32 = 3;
/// Looks after which it is seen again whether this node has the keys.
const LOOKS_AT_KEYS: u64 = 30;

//------------ Node ----------------------------------------------------------

/// This node.
pub(super) struct Node {
    /// The database.
    store: Store,
    /// Its name.
    name: String,
    /// The state directory, with the keys.
    state_dir: PathBuf,
    /// What is known of the publisher that it follows.
    followed: Mutex<Followed>,
}

/// What is known of the publisher that is followed.
struct Followed {
    /// Who it is.
    publishing: Option<PublishingNode>,
    /// When all that was committed was served last.
    caught_up: Instant,
    /// Why it is not followed now.
    fault: Option<String>,
    /// What this node serves that the database does not have.
    ahead: Vec<String>,
    /// Why this node would not publish.
    keys: Option<String>,
    /// The keys of zones that it has not.
    unsigned: Vec<String>,
}

impl Node {
    /// A node on an open database.
    pub(super) fn new(store: &Store, options: &Options) -> Self {
        let followed = Followed {
            publishing: None,
            caught_up: Instant::now(),
            fault: None,
            ahead: Vec::new(),
            keys: None,
            unsigned: Vec::new(),
        };
        Self {
            store: store.clone(),
            name: options.node.name.clone(),
            state_dir: options.state_dir.clone(),
            followed: Mutex::new(followed),
        }
    }

    /// Whether it follows another one.
    pub(super) fn follows(&self) -> bool {
        self.store.is_followed()
    }

    /// Whether there may be others.
    pub(super) fn is_one_of_several(&self) -> bool {
        self.store.is_shared()
    }

    /// Where a change is made, if not here.
    pub(super) fn elsewhere(&self) -> Option<String> {
        self.follows().then(|| words(lock(&self.followed).publishing.as_ref()))
    }

    /// What it does, in a line; none where there are no others.
    pub(super) fn line(&self) -> Option<String> {
        let name = &self.name;
        if !self.is_one_of_several() {
            return None;
        }
        if !self.follows() {
            let number = self.store.publisher_number().unwrap_or_default();
            return Some(format!("node {name} publishes, number {number}"));
        }
        Some(match &lock(&self.followed).publishing {
            Some(node) => format!("node {name} follows {node}, number {}", node.number),
            None => format!("node {name} follows: which node publishes is not known"),
        })
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        if !self.is_one_of_several() {
            return Value::Null;
        }
        let (name, follows) = (&self.name, self.follows());
        let publishing = lock(&self.followed).publishing.clone();
        let (publisher, number) = match publishing {
            Some(node) => (Some(node.name), Some(node.number)),
            None if follows => (None, None),
            None => (Some(name.clone()), self.store.publisher_number()),
        };
        let lag_ms = u64::try_from(self.lag().as_millis()).unwrap_or(u64::MAX);
        json!({
            "name": name, "publishes": !follows, "publisher": publisher, "number": number, "lag_ms": lag_ms,
        })
    }

    /// Figures.
    pub(super) fn figures(&self) -> Vec<Family> {
        let publishes = f64::from(!self.follows());
        vec![
            Family::of(&of::NODE_PUBLISHES).with(&[], publishes),
            Family::of(&of::NODE_LAG).with(&[], self.lag().as_secs_f64()),
        ]
    }

    /// For how long it has not served all that was committed.
    pub(super) fn lag(&self) -> Duration {
        if self.follows() { lock(&self.followed).caught_up.elapsed() } else { Duration::ZERO }
    }

    /// What is wrong.
    pub(super) fn faults(&self) -> Vec<String> {
        let followed = lock(&self.followed);
        followed.fault.iter().chain(&followed.keys).cloned().collect()
    }

    /// What is odd.
    pub(super) fn warnings(&self) -> Vec<String> {
        let followed = lock(&self.followed);
        followed.ahead.iter().chain(&followed.unsigned).cloned().collect()
    }

    /// Begins to beat, or to follow.
    pub(super) fn start(
        &self,
        (runtime, stopped): (&Runtime, &watch::Receiver<bool>),
        host: &Arc<Host>,
    ) {
        if !self.is_one_of_several() {
            return;
        }
        if !self.follows() {
            let weak = Arc::downgrade(host);
            drop(runtime.spawn(every(BEAT, stopped.clone(), move |_| beat(&weak))));
            return;
        }
        let follower = Follower {
            host: Arc::downgrade(host),
            store: self.store.clone(),
            stopped: stopped.clone(),
            watch: Watch::default(),
            looks: 0,
        };
        let thread = std::thread::Builder::new().name("follow".to_owned());
        if let Err(error) = thread.spawn(move || follower.run()) {
            host.note_off(&format!("no thread to follow the node that publishes: {error}"));
        }
    }
}

/// That a change is made at the node that publishes, and where that is.
#[cfg(feature = "approval")]
pub(super) fn elsewhere(store: &Store) -> String {
    words(store.publishing().ok().flatten().as_ref())
}

/// The same of a node that is known.
fn words(node: Option<&PublishingNode>) -> String {
    let node = node.map_or_else(|| "the node that publishes".to_owned(), ToString::to_string);
    format!("this node follows {node} and changes nothing: make the change there")
}

//------------ Publishing ----------------------------------------------------

/// One beat.
fn beat(host: &Weak<Host>) {
    let Some(host) = host.upgrade() else { return };
    let beaten = host.node.store.beat();
    let store = &host.node.store;
    let why = match () {
        () if store.is_superseded() => {
            "another node publishes now: this one follows it from here on"
        }
        () if store.is_outdated() => {
            "the database came back with other changes than are served: all is read anew"
        }
        () => "",
    };
    if !why.is_empty() {
        tracing::error!("{why}");
        return host.events.send(Event::Again);
    }
    let fault = beaten.err().map(|error| {
        let error = with_causes(&error);
        format!("the database does not hear this node, so another one may publish soon: {error}")
    });
    note(&mut lock(&host.node.followed).fault, fault);
}

/// Takes note of a fault; the log has each once.
fn note(known: &mut Option<String>, fault: Option<String>) {
    if let Some(fault) = fault.as_ref().filter(|fault| known.as_ref() != Some(*fault)) {
        tracing::error!("{fault}");
    }
    *known = fault;
}

//------------ Following -----------------------------------------------------

/// Follows, on a thread of its own.
struct Follower {
    /// The daemon.
    host: Weak<Host>,
    /// The database.
    store: Store,
    /// Ends it.
    stopped: watch::Receiver<bool>,
    /// Whether the publisher lives.
    watch: Watch,
    /// Looks so far.
    looks: u64,
}

impl Follower {
    /// Until the daemon stops, or this node is to publish.
    fn run(mut self) {
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
    fn catch_up(&self) -> bool {
        let Some(host) = self.host.upgrade() else { return true };
        let caught_up = host.publisher.catch_up();
        let mut followed = lock(&host.node.followed);
        match caught_up {
            Ok(progress) => {
                followed.caught_up = Instant::now();
                followed.ahead = ahead(&progress);
                note(&mut followed.fault, None);
                drop(followed);
                if progress.came_or_went {
                    host.fleet.renew();
                }
            }
            Err(error) => {
                let error = with_causes(&error);
                let fault =
                    format!("what is served may be old, the database is not followed: {error}");
                note(&mut followed.fault, Some(fault));
            }
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
            lock(&host.node.followed).publishing.clone_from(&seat.publishing);
        }
        let seat = seat.as_ref().ok().and_then(Option::as_ref);
        let is_free = match self.watch.judge(seat, is_quick) {
            Verdict::Lives => false,
            Verdict::Free => true,
            Verdict::Dead => self.unseat(),
        };
        if is_free || self.looks.is_multiple_of(LOOKS_AT_KEYS) {
            let keys = keys_fault_on(&self.store, &host.node.state_dir);
            note(&mut lock(&host.node.followed).keys, keys);
        }
        if self.looks.is_multiple_of(LOOKS_AT_KEYS)
            && let Ok(missing) = host.publisher.missing_keys()
        {
            let line =
                |why: &String| format!("this node could not sign if it had to publish: {why}");
            lock(&host.node.followed).unsigned = missing.iter().map(line).collect();
        }
        self.looks += 1;
        let may_publish = is_free && lock(&host.node.followed).keys.is_none();
        if may_publish {
            tracing::warn!("no node publishes: this one does from here on");
            host.events.send(Event::Again);
        }
        may_publish
    }

    /// Ends the sessions of a publisher that is dead; true if that was done.
    fn unseat(&mut self) -> bool {
        tracing::error!("the node that publishes does not beat any more: its sessions are ended");
        let unseated: Result<(), StoreError> = self.store.unseat();
        if let Err(error) = &unseated {
            tracing::error!(error = with_causes(error), "they cannot be ended");
        }
        unseated.is_ok()
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
    let line = |(zone, served, known): &(crate::wire::Name, u32, u32)| {
        format!(
            "{zone}: the database has serial {known}, and {served} was served before: this node keeps it until \
             the database is above it"
        )
    };
    progress.ahead.iter().map(line).collect()
}

//------------ Watch ---------------------------------------------------------

/// Counts looks at a beat.
#[derive(Default)]
struct Watch {
    /// The last beat.
    beat_ms: i64,
    /// How often it was seen again.
    looks: u32,
    /// How often the lock was free.
    free: u32,
}

/// What a look says of the publisher.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    /// It lives, as far as is known.
    Lives,
    /// Nobody has the lock.
    Free,
    /// It has the lock and does not beat.
    Dead,
}

impl Watch {
    /// Judges a look; none failed.
    fn judge(&mut self, seat: Option<&Seat>, is_quick: bool) -> Verdict {
        let Some(seat) = seat else {
            *self = Self::default();
            return Verdict::Lives;
        };
        if !seat.is_held {
            (self.looks, self.free) = (0, self.free + 1);
            return if self.free < LOOKS_AT_FREE { Verdict::Lives } else { Verdict::Free };
        }
        self.free = 0;
        if seat.beat_ms != self.beat_ms || !is_quick {
            (self.beat_ms, self.looks) = (seat.beat_ms, 0);
            return Verdict::Lives;
        }
        self.looks += 1;
        if self.looks < LOOKS {
            return Verdict::Lives;
        }
        self.looks = 0;
        Verdict::Dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seat that is held.
    fn held(beat_ms: i64) -> Seat {
        Seat { publishing: None, beat_ms, is_held: true }
    }

    #[test]
    fn a_publisher_is_dead_after_six_looks_at_the_same_beat() {
        let mut watch = Watch::default();
        assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Lives);
        for _ in 1..LOOKS {
            assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Dead);
        // A clock that was set back is a beat all the same.
        assert_eq!(watch.judge(Some(&held(3)), true), Verdict::Lives);
    }

    #[test]
    fn a_lock_is_free_if_nobody_takes_it_back() {
        let mut watch = Watch::default();
        let free = Seat { is_held: false, ..held(3) };
        for _ in 1..LOOKS_AT_FREE {
            assert_eq!(watch.judge(Some(&free), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&held(3)), true), Verdict::Lives);
        for _ in 1..LOOKS_AT_FREE {
            assert_eq!(watch.judge(Some(&free), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&free), true), Verdict::Free);
    }

    #[test]
    fn a_database_that_stands_still_does_not_make_a_publisher_dead() {
        let mut watch = Watch::default();
        for turn in 0..10 * LOOKS {
            let (seat, is_quick) = (held(7), !turn.is_multiple_of(LOOKS));
            let seat = (turn % 4 != 3).then_some(&seat);
            assert_eq!(watch.judge(seat, is_quick), Verdict::Lives, "{turn}");
        }
    }
}
