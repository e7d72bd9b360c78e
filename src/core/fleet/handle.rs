//! The handle of the fleet, which `run` builds and the sockets call.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::mpsc::UnboundedReceiver;

use super::counts::Counts;
use super::pace::Paces;
use super::proposal::Queue;
use super::refresh::{Keeper, RefreshStatus};
use super::rules::{Remote, Rules};
use super::teller::{self, Announcing, Board, Event};
use crate::lock::lock;
use crate::publish::{Publisher, Secondary};
use crate::tsig::{Key, Keyring};
use crate::wire::{Name, Rcode};

/// How long `zone notify` waits for responses.
const TELL_MAX: Duration = Duration::from_secs(5);

/// How long `zone retransfer` waits for a transfer.
const RETRANSFER_MAX: Duration = Duration::from_secs(120);

/// Takes note of a NOTIFY for a secondary zone: from which primary, for which zone, with which serial as a
/// hint. Does not wait.
pub type Heed = Box<dyn Fn(&Arc<Remote>, &Name, Option<u32>) + Send + Sync>;

//------------ Fleet ---------------------------------------------------------

/// The fleet; clones share everything.
#[derive(Clone)]
pub struct Fleet(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    /// The zones.
    pub(super) publisher: Publisher,
    /// Who may do what; replaced whole by a reload.
    pub(super) rules: ArcSwap<Rules>,
    /// The keys that we sign with; replaced whole by a reload.
    pub(super) keys: ArcSwap<Keyring>,
    /// Who heeds NOTIFY; none: nobody.
    pub(super) heed: OnceLock<Heed>,
    /// The queue; none while it is closed, or without one.
    pub(super) queue: OnceLock<Option<Box<dyn Queue>>>,
    /// Who is told of what.
    pub(super) board: Arc<Board>,
    /// What was counted.
    pub(super) counts: Counts,
    /// How many updates each key has sent.
    pub(super) paces: Paces,
    /// Keeps secondary zones fresh.
    pub(super) keeper: Keeper,
    /// What the teller is told, until it runs.
    events: Mutex<Option<UnboundedReceiver<Event>>>,
    /// The teller.
    teller: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    /// The key that we sign with for a remote, if it has one; or why it cannot be had.
    pub(super) fn key_of(&self, remote: &Remote) -> Result<Option<Arc<Key>>, String> {
        let Some(name) = &remote.key else { return Ok(None) };
        let key = self.keys.load().get(name.as_ref()).cloned();
        key.map(Some).ok_or_else(|| format!("no key named {name}"))
    }

    /// Takes note of which zones are members of catalog zones.
    pub(super) fn adopt_members(&self) {
        let members = self.publisher.members();
        self.rules.rcu(|rules| rules.with_members(members.clone()));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.board.send(Event::Stop);
    }
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fleet")
    }
}

/// What a secondary answered to a NOTIFY that somebody waited for.
#[derive(Clone, Debug)]
pub struct Told {
    /// The secondary as it is known now.
    pub secondary: Secondary,
    /// Its response code, or why there is none; none if nothing came within the time that was waited.
    pub result: Option<Result<Rcode, String>>,
}

impl Fleet {
    /// A fleet that works on the zones of this publisher by these rules, and signs with these keys.
    pub fn new(publisher: Publisher, rules: Rules, keys: Keyring) -> Self {
        let (board, events) = Board::new();
        let rules = rules.with_members(publisher.members());
        Self(Arc::new(Inner {
            publisher,
            rules: ArcSwap::from_pointee(rules),
            keys: ArcSwap::from_pointee(keys),
            heed: OnceLock::new(),
            queue: OnceLock::new(),
            board,
            counts: Counts::default(),
            paces: Paces::default(),
            keeper: Keeper::default(),
            events: Mutex::new(Some(events)),
            teller: Mutex::default(),
        }))
    }

    /// Begins to tell secondaries of changes and to watch them, once the addresses are known that we listen
    /// on. Each is told of each zone once now. And begins to keep secondary zones fresh, unless another node does.
    pub fn start(&self) -> std::io::Result<()> {
        if !self.0.publisher.follows() {
            self.keep_fresh();
        }
        let Some(events) = lock(&self.0.events).take() else { return Ok(()) };
        *lock(&self.0.teller) = Some(teller::start(&self.0, events)?);
        self.0.publisher.announce_to(Box::new(Announcing(Arc::clone(&self.0.board))));
        Ok(())
    }

    /// Has primaries asked by this node, too, or not any more: whoever follows does so while the database does not say
    /// what others heard. What they have that is newer is not transferred.
    pub fn ask_primaries(&self, is_wanted: bool) {
        if is_wanted { self.0.keeper.open(&self.0) } else { self.0.keeper.close() }
    }

    /// Begins to keep secondary zones fresh.
    fn keep_fresh(&self) {
        let weak = Arc::downgrade(&self.0);
        self.heed_notify(Box::new(move |primary, zone, serial| {
            if let Some(fleet) = weak.upgrade() {
                fleet.keeper.notified(&fleet, zone, &primary.name, serial);
            }
        }));
        self.0.keeper.open(&self.0);
    }

    /// Stops telling and watching.
    pub fn stop(&self) {
        self.0.keeper.stop();
        self.0.board.send(Event::Stop);
        if let Some(teller) = lock(&self.0.teller).take() {
            // A panic inside is in the log already.
            let _ = teller.join();
        }
    }

    /// Puts other rules and keys in force, all at once. What waits for a secondary that is still meant goes on
    /// waiting. Zones that the settings name no more keep their last rules: [`renew`](Self::renew) looks
    /// which of them are served on, once the zones are those of the settings.
    pub fn set_rules(&self, rules: Rules, keys: Keyring) {
        let rules = rules.with_members(self.0.publisher.members()).keeping(&self.0.rules.load());
        self.0.rules.store(Arc::new(rules));
        self.0.keys.store(Arc::new(keys));
        self.0.board.send(Event::Renew);
    }

    /// Looks again at who is told of what, after zones came or went. Rules of zones that went are dropped.
    pub fn renew(&self) {
        if self.0.rules.load().keeps_some() {
            let left = self.0.publisher.left();
            self.0.rules.rcu(|rules| rules.keeping_only(&left));
        }
        self.0.adopt_members();
        self.0.board.send(Event::Renew);
        // At once: whoever adds a zone may ask for it next.
        self.0.keeper.renew(&self.0);
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.rules.load_full()
    }

    /// Hands what may only be proposed to `queue` from now on; none: it is closed, or there is none. No update is
    /// taken before: the queue may keep its name out of the zone. Only the first call counts.
    pub fn propose_to(&self, queue: Option<Box<dyn Queue>>) {
        let _second = self.0.queue.set(queue);
    }

    /// The keys in force.
    pub fn keys(&self) -> Arc<Keyring> {
        self.0.keys.load_full()
    }

    /// Hands NOTIFYs for secondary zones to `heed` from now on. Only the first call counts.
    pub fn heed_notify(&self, heed: Heed) {
        let _second = self.0.heed.set(heed);
    }

    /// Tells all secondaries of a zone now, whether they have it or not, and waits a few seconds for what they
    /// answer. Empty: nobody is told of the zone.
    pub fn tell(&self, zone: &Name) -> Vec<Told> {
        let told = self.0.board.tell(zone, TELL_MAX).unwrap_or_default();
        told.into_iter().map(|(secondary, result)| Told { secondary, result }).collect()
    }

    /// Has a secondary zone refreshed now.
    pub fn refresh(&self, zone: &Name) {
        self.0.keeper.refresh(zone);
    }

    /// Has the whole of a secondary zone transferred now, whatever its serial, and waits for what comes of it.
    /// None: it is no secondary zone, or nothing came of it within the time that is waited.
    pub fn retransfer(&self, zone: &Name) -> Option<Result<String, String>> {
        self.0.keeper.retransfer(zone)?.recv_timeout(RETRANSFER_MAX).ok()
    }

    /// When a secondary zone is refreshed, and how the last try went; none if it is none.
    pub fn refresh_status(&self, zone: &Name) -> Option<RefreshStatus> {
        self.0.keeper.status(zone)
    }

    /// Transfers sent, by secondary, kind (`axfr`, `ixfr`, `current`) and result (`whole`, `broken`).
    pub fn transfers(&self) -> Vec<(String, &'static str, &'static str, u64)> {
        self.0.counts.transfers()
    }

    /// Transfers that were asked for, by zone, kind (as of those sent) and result: `published`, `unchanged`,
    /// `refused`, `broken`.
    pub fn transfers_in(&self) -> Vec<(Name, &'static str, &'static str, u64)> {
        self.0.counts.transfers_in()
    }

    /// NOTIFYs sent, by secondary and result: `answered`, `refused`, `unanswered`.
    pub fn notifies(&self) -> Vec<(String, &'static str, u64)> {
        self.0.counts.notifies()
    }
}
