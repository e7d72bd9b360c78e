//! The publisher itself: what it holds and for whom.
//!
//! Locks are taken in this order: one zone's state, then the database's writer, then the swap. What
//! callers hand in (`rows`) runs inside and must not call the publisher.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::keeper::{Job, Keeper};
use super::overlay::Overlay;
use super::read::Seen;
use super::report::{LastChange, Refusal};
use super::serial::later;
use super::{Change, Options, PublishError, Sockets, ZoneSource};
use crate::master::Finding;
use crate::store::Store;
use crate::store::zones::ZoneRow;
use crate::wire::Name;
use crate::zone::{Zone, ZoneSet};

//------------ Publisher -----------------------------------------------------

/// The door to live data; clones share it.
#[derive(Clone)]
pub struct Publisher(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    /// The database.
    pub(super) store: Store,
    /// What `run` said.
    pub(super) options: Options,
    /// The zones of the settings.
    pub(super) slots: Mutex<BTreeMap<Name, Arc<Slot>>>,
    /// All zones now served.
    pub(super) live: Arc<ArcSwap<ZoneSet>>,
    /// Held while a new set is made from the current one.
    pub(super) swap: Mutex<()>,
    /// Our own sockets; none before they are open.
    pub(super) sockets: Sockets,
    /// Who wants to hear of changes.
    listeners: Mutex<Vec<Sender<Arc<Change>>>>,
    /// Does what need not be done before the acknowledgement.
    pub(super) keeper: Keeper,
    /// The newest serial of each zone as kept outside of the database.
    pub(super) marks: Mutex<HashMap<Name, u32>>,
    /// Numbers for groups of reloads.
    pub(super) tickets: AtomicU64,
}

/// One zone's place in the publisher.
pub(super) struct Slot {
    /// The apex.
    pub(super) apex: Name,
    /// Everything about it; who holds this orders the zone's changes.
    pub(super) state: Mutex<ZoneState>,
    /// Lets reloads that wait for another one share the next result.
    pub(super) gate: Mutex<Gate>,
}

/// The result of the last reload, for those who asked before it began.
#[derive(Default)]
pub(super) struct Gate {
    /// Requests with a ticket up to this one are answered by `report`.
    pub(super) covered: u64,
    /// What came of it.
    pub(super) report: Option<super::ReloadReport>,
}

/// Everything about one zone, under its lock.
pub(super) struct ZoneState {
    /// Where it comes from.
    pub(super) source: ZoneSource,
    /// The live version.
    pub(super) zone: Option<Zone>,
    /// What the database keeps of it.
    pub(super) row: Option<ZoneRow>,
    /// The newest place in the journal.
    pub(super) seq: i64,
    /// Where the chain of deltas begins: the place of the newest change that has none.
    pub(super) chain_from: i64,
    /// Changes since the full copy, to know when it is due again: how many, and their octets.
    pub(super) since_copy: (u64, u64),
    /// What requests put up.
    pub(super) overlay: Overlay,
    /// The files as they were last looked at.
    pub(super) seen: Vec<Seen>,
    /// The last change.
    pub(super) last_change: Option<LastChange>,
    /// Why the file on disk is not live, if it is not.
    pub(super) refusal: Option<Refusal>,
    /// The serial of the file as last read, accepted or not.
    pub(super) file_serial: Option<u32>,
    /// Whether the live version came from the database because the file was refused.
    pub(super) from_store: bool,
    /// Whether the file on disk is one that was rolled back.
    pub(super) is_held: bool,
    /// Why the zone is not loaded at all: two files claim it.
    pub(super) doubled: Option<Finding>,
    /// Whether the zone has left the settings; who still waits for the lock must not publish.
    pub(super) is_gone: bool,
    /// Reloads by result, for metrics.
    pub(super) reloads: BTreeMap<&'static str, u64>,
    /// Changes by cause, for metrics.
    pub(super) changes: BTreeMap<&'static str, u64>,
}

impl Slot {
    /// A place for a zone that is not loaded yet.
    pub(super) fn new(source: ZoneSource) -> Self {
        let state = ZoneState {
            source: source.clone(),
            zone: None,
            row: None,
            seq: 0,
            chain_from: 0,
            since_copy: (0, 0),
            overlay: Overlay::default(),
            seen: Vec::new(),
            last_change: None,
            refusal: None,
            file_serial: None,
            from_store: false,
            is_held: false,
            doubled: None,
            is_gone: false,
            reloads: BTreeMap::new(),
            changes: BTreeMap::new(),
        };
        Self { apex: source.apex, state: Mutex::new(state), gate: Mutex::default() }
    }
}

impl ZoneState {
    /// The serial that is live.
    pub(super) fn serial(&self) -> Option<u32> {
        self.zone.as_ref().map(Zone::serial)
    }

    /// Notes that a serial was given out: whatever comes of it, it is never given out again.
    pub(super) fn burn(&mut self, serial: u32) {
        if let Some(row) = &mut self.row {
            row.high_water = later(row.high_water, serial);
        }
    }
}

//--- What is served

impl Publisher {
    /// All zones now served.
    pub fn zones(&self) -> Arc<ZoneSet> {
        self.0.live.load_full()
    }

    /// The pointer that the workers read.
    pub fn shared(&self) -> Arc<ArcSwap<ZoneSet>> {
        Arc::clone(&self.0.live)
    }

    /// The live version of a zone.
    pub fn zone(&self, apex: &Name) -> Option<Zone> {
        self.0.live.load().get(apex.as_ref()).and_then(|entry| entry.zone().cloned())
    }

    /// The zones of the settings, in canonical order.
    pub fn apexes(&self) -> Vec<Name> {
        lock(&self.0.slots).keys().cloned().collect()
    }

    /// The zone of the settings that `name` belongs to: the longest apex at or above it.
    pub fn zone_of(&self, name: &Name) -> Option<Name> {
        let slots = lock(&self.0.slots);
        let mut here = Some(name.as_ref());
        while let Some(candidate) = here {
            if let Some((apex, _)) = slots.get_key_value(&candidate.to_name()) {
                return Some(apex.clone());
            }
            here = candidate.parent();
        }
        None
    }
}

//--- What others hand in

impl Publisher {
    /// Our own sockets. Changes are confirmed by asking them, from the time their addresses are set.
    pub fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Each change that is live from now on, in the order of its zone.
    pub fn subscribe(&self) -> Receiver<Arc<Change>> {
        let (sender, receiver) = channel();
        lock(&self.0.listeners).push(sender);
        receiver
    }

    /// Waits until everything that is done off the path is on disk.
    pub fn flush(&self) {
        self.0.keeper.flush();
    }
}

//------------ Inner ---------------------------------------------------------

impl Inner {
    /// An empty publisher; zones come by `start`.
    pub(super) fn new(store: Store, options: Options) -> Arc<Self> {
        let marks = super::keeper::read_marks(&options.state_dir);
        let keeper = Keeper::new();
        let inner = Arc::new(Self {
            store,
            options,
            slots: Mutex::default(),
            live: Arc::new(ArcSwap::from_pointee(ZoneSet::new())),
            swap: Mutex::default(),
            sockets: Sockets::default(),
            listeners: Mutex::default(),
            keeper,
            marks: Mutex::new(marks),
            tickets: AtomicU64::new(0),
        });
        inner.keeper.start(&inner);
        inner
    }

    /// The place of a zone.
    pub(super) fn slot(&self, zone: &Name) -> Result<Arc<Slot>, PublishError> {
        let slots = lock(&self.slots);
        slots.get(zone).cloned().ok_or_else(|| PublishError::UnknownZone(zone.clone()))
    }

    /// Fails if the zone left the settings while the caller waited for its lock.
    pub(super) fn must_be_ours(&self, state: &ZoneState) -> Result<(), PublishError> {
        match state.is_gone {
            true => Err(PublishError::UnknownZone(state.source.apex.clone())),
            false => Ok(()),
        }
    }

    /// Tells the listeners and the keeper of a change that is live.
    pub(super) fn announce(&self, change: &Change) {
        let shared = Arc::new(change.clone());
        lock(&self.listeners).retain(|listener| listener.send(Arc::clone(&shared)).is_ok());
        self.keeper.send(Job::Mark(change.zone.clone(), change.to));
    }
}

/// Locks even after a panic elsewhere: what is under the lock is written last, when all else stands.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
