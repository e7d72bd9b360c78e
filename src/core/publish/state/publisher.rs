//! The publisher's handle, and its state.
//!
//! Locks are taken in this order: one zone's state, then the database's writer, then the swap. Callers'
//! closures (`rows`) run inside and must not call the publisher.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::serial::later;
use super::{
    Frozen, Jobs, Lack, LastChange, Lease, Options, Overlay, PublishError, Refusal, Secondaries,
    Seen, Signatures, Stopwatch, ZoneSigning, ZoneSource, warning,
};
use crate::check::Signer;
use crate::keystore::Keystore;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::confirm::Sockets;
use crate::store::Store;
use crate::store::zones::ZoneRow;
use crate::text::with_causes;
use crate::wire::Name;
use crate::zone::{Zone, ZoneSet};

//------------ Publisher -----------------------------------------------------

/// Handle of the only writer of live zones; clones share it.
#[derive(Clone)]
pub struct Publisher(pub(crate) Arc<Inner>);

/// What the clones share.
pub(crate) struct Inner {
    /// The database.
    pub(crate) store: Store,
    /// Settings.
    pub(crate) options: Options,
    /// The zones of the settings.
    pub(crate) slots: Mutex<BTreeMap<Name, Arc<Slot>>>,
    /// All zones now served.
    pub(crate) live: Arc<ArcSwap<ZoneSet>>,
    /// What is wrong with the directory of zones.
    pub(crate) findings: Mutex<Vec<Finding>>,
    /// What this run has found out about the state it started from.
    pub(crate) notes: Mutex<Vec<Finding>>,
    /// Whether the database is a copy that was put back: it may not know the newest serials.
    pub(crate) is_restored: bool,
    /// Held while the members of a catalog are brought up to what it says.
    pub(crate) consuming: Mutex<()>,
    /// Held while a new set is made from the current one.
    pub(crate) swap: Mutex<()>,
    /// Our own sockets; none before they are open.
    pub(crate) sockets: Sockets,
    /// The zones that the publisher serves that this one follows, as last taken in.
    pub(crate) listed: Mutex<Listed>,
    /// Who is told of changes; none before they are known.
    pub(crate) secondaries: OnceLock<Box<dyn Secondaries>>,
    /// Work that need not be done before the acknowledgement.
    pub(crate) jobs: Jobs,
    /// The newest serial of each zone as kept outside of the database.
    pub(crate) marks: Mutex<HashMap<Name, u32>>,
    /// What could not be written beside the database last, and why, by its path.
    pub(crate) unkept: Mutex<BTreeMap<PathBuf, String>>,
    /// Why other nodes do not know which zones are served, if so.
    pub(crate) untold: Mutex<Option<String>>,
    /// Held while the list of zones is written.
    pub(crate) listing: Mutex<()>,
    /// Held while a file of our own is written.
    pub(crate) files: Mutex<()>,
    /// Numbers for groups of reloads.
    pub(crate) tickets: AtomicU64,
    /// How long things took.
    pub(crate) stopwatch: Stopwatch,
}

/// The list of zones of a publisher that is followed.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Listed {
    /// The publisher, by its token: a number begins anew with the tables.
    pub(crate) by: Option<Vec<u8>>,
    /// Keys and lines.
    pub(crate) zones: Vec<(String, String)>,
}

/// One zone's place in the publisher.
pub(crate) struct Slot {
    /// The apex.
    pub(crate) apex: Name,
    /// Everything about it. Holding this lock orders the zone's changes.
    pub(crate) state: Mutex<ZoneState>,
    /// Lets reloads that wait for another one share the next result.
    pub(crate) gate: Mutex<Gate>,
}

/// The result of the last reload, for callers that asked before it began.
#[derive(Default)]
pub(crate) struct Gate {
    /// Requests with a ticket up to this one are answered by `report`.
    pub(crate) covered: u64,
    /// What came of it.
    pub(crate) report: Option<super::ReloadReport>,
}

/// How far the copy of a zone in `served/` goes.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// The serial that it and the changes since lead to; none while that is not known.
    pub(crate) serial: Option<u32>,
    /// Octets of changes since.
    pub(crate) octets: u64,
    /// How often it was written as a whole.
    pub(crate) writes: u64,
    /// How long it is left alone after that.
    pub(crate) rest: Duration,
    /// Whether the copy of the zone's keys, beside their files, is not what the database has.
    pub(crate) lacks_keys: bool,
}

/// A file that is not taken by itself: another node published from another one.
#[derive(Debug)]
pub(crate) struct ForeignFile {
    /// SHA-256 over it and its includes, in hexadecimal.
    pub(crate) hash: String,
    /// The node whose file was accepted last.
    pub(crate) node: String,
}

impl ForeignFile {
    /// That it is not loaded.
    pub(crate) fn finding(&self, apex: &Name) -> Finding {
        let message = format!(
            "the file of this node is not the one that the zone was published from on node {}",
            self.node
        );
        let hint = format!(
            "copy the file from there; to publish from this one, edit it, or: gapura ctl reload {apex} --force"
        );
        Finding { hint: Some(hint), ..warning("file-of-another-node", message) }
    }
}

/// Everything about one zone, under its lock.
pub(crate) struct ZoneState {
    /// Where it comes from.
    pub(crate) source: ZoneSource,
    /// The live version as files, requests and updates see it: without what gapura signs it with. It has the
    /// serial that is served, but in a secondary zone that gapura signs its primary's.
    pub(crate) zone: Option<Zone>,
    /// The same as it is served, where gapura signs it.
    pub(crate) signed: Option<Zone>,
    /// How gapura signs it; none = it does not.
    pub(crate) signing: Option<ZoneSigning>,
    /// Whether the signatures that are served may be by other keys than `signing` says.
    pub(crate) signs_anew: bool,
    /// What the database keeps of it.
    pub(crate) row: Option<ZoneRow>,
    /// The newest place in the journal.
    pub(crate) seq: i64,
    /// Where the chain of deltas begins: the place of the newest change that has none.
    pub(crate) chain_from: i64,
    /// Changes since the full copy, to know when it is due again: how many, and their octets.
    pub(crate) since_copy: (u64, u64),
    /// How far the copy beside the database goes.
    pub(crate) copied: Copied,
    /// What requests put up.
    pub(crate) overlay: Overlay,
    /// The files as they were last looked at.
    pub(crate) seen: Vec<Seen>,
    /// The file of this node as it was at the start, if it was not the one that another node published from last.
    pub(crate) foreign_file: Option<ForeignFile>,
    /// The serial that secondaries were told of last, while another node publishes.
    pub(crate) announced: Option<u32>,
    /// The last change.
    pub(crate) last_change: Option<LastChange>,
    /// Why the file on disk is not live, if it is not.
    pub(crate) refusal: Option<Refusal>,
    /// The serial of the file as last read, accepted or not.
    pub(crate) file_serial: Option<u32>,
    /// Whether the live version came from the database because the file was refused.
    pub(crate) from_store: bool,
    /// Whether the file on disk is one that was rolled back.
    pub(crate) is_held: bool,
    /// When its signatures end, and which ones a refused file waits for.
    pub(crate) signatures: Signatures,
    /// Why its file is not looked at, if it is not clear any more what is to be served.
    pub(crate) frozen: Option<Frozen>,
    /// Whether what the database keeps of it was read.
    pub(crate) is_recalled: bool,
    /// For how long a secondary zone may be served.
    pub(crate) lease: Lease,
    /// The memory that its file wants for, if that is why it was refused.
    pub(crate) lack: Option<Lack>,
    /// Whether the zone has left the settings; a caller that still waits for the lock must not
    /// publish.
    pub(crate) is_gone: bool,
    /// What there is to say about the members of a catalog.
    pub(crate) members_findings: Vec<Finding>,
    /// Reloads by result and guard, for metrics.
    pub(crate) reloads: BTreeMap<(&'static str, &'static str), u64>,
    /// Changes by cause, for metrics.
    pub(crate) changes: BTreeMap<&'static str, u64>,
}

impl Slot {
    /// A place for a zone that is not loaded yet.
    pub(crate) fn new(source: ZoneSource) -> Self {
        let state = ZoneState {
            source: source.clone(),
            zone: None,
            signed: None,
            signing: None,
            signs_anew: false,
            row: None,
            seq: 0,
            chain_from: 0,
            since_copy: (0, 0),
            copied: Copied::default(),
            overlay: Overlay::default(),
            seen: Vec::new(),
            foreign_file: None,
            announced: None,
            last_change: None,
            refusal: None,
            file_serial: None,
            from_store: false,
            is_held: false,
            signatures: Signatures::default(),
            frozen: None,
            is_recalled: false,
            lease: Lease::default(),
            lack: None,
            is_gone: false,
            members_findings: Vec::new(),
            reloads: BTreeMap::new(),
            changes: BTreeMap::new(),
        };
        Self { apex: source.apex, state: Mutex::new(state), gate: Mutex::default() }
    }
}

impl ZoneState {
    /// The serial that is served.
    pub(crate) fn serial(&self) -> Option<u32> {
        self.served().map(Zone::serial)
    }

    /// The live version as it is served.
    pub(crate) fn served(&self) -> Option<&Zone> {
        self.signed.as_ref().or(self.zone.as_ref())
    }

    /// Who signs what its file has.
    pub(crate) fn signer(&self) -> Signer {
        match (&self.signing, &self.source.signing) {
            (Some(_), _) => Signer::Keys,
            (None, Some(_)) => Signer::Policy,
            (None, None) => Signer::Other,
        }
    }

    /// Whether what is served has a ZONEMD record of ours.
    pub(crate) fn has_own_zonemd(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.own_zonemd == Some(true))
    }

    /// Notes that a serial was given out: whatever comes of it, it is never given out again.
    pub(crate) fn burn(&mut self, serial: u32) {
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

    /// The live version of a zone as files, requests and updates see it: without what gapura signs it with.
    pub fn content(&self, apex: &Name) -> Option<Zone> {
        self.zone(apex).map(|zone| zone.content().clone())
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

//--- What it works on

impl Publisher {
    /// The database.
    pub fn store(&self) -> Store {
        self.0.store.clone()
    }

    /// Whether nothing is changed here: another node publishes, or may while the database is away.
    pub fn follows(&self) -> bool {
        self.0.store.is_followed()
    }

    /// Where the private keys of zones are kept.
    pub fn keystore(&self) -> Keystore {
        Keystore::new(&self.0.options.state_dir)
    }
}

//--- Findings

impl Publisher {
    /// What is wrong with the directory of zones, as last read, and with the state that this run started
    /// from.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = lock(&self.0.findings).clone();
        findings.extend(lock(&self.0.notes).iter().cloned());
        findings
    }
}

//--- Sockets and listeners

impl Publisher {
    /// Our own sockets. Changes are confirmed by asking them, from the time their addresses are set.
    pub fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Waits until all jobs so far are done and on disk.
    pub fn flush(&self) {
        self.0.jobs.flush();
    }
}

//--- What is kept beside the database

impl Publisher {
    /// What is outdated beside the database, or for other nodes, because it cannot be written. It is tried again with
    /// each change, and copies and the list of zones every few seconds.
    pub fn unkept(&self) -> Vec<String> {
        let unkept = lock(&self.0.unkept);
        let files = unkept.values().map(|why| format!("outdated beside the database: {why}"));
        files.chain(lock(&self.0.untold).clone()).collect()
    }
}

//------------ Inner ---------------------------------------------------------

impl Inner {
    /// An empty publisher; `marks` are the newest serials as kept outside of the database.
    pub(crate) fn new(store: Store, options: Options, marks: HashMap<Name, u32>) -> Self {
        Self {
            store,
            options,
            slots: Mutex::default(),
            findings: Mutex::default(),
            notes: Mutex::default(),
            is_restored: false,
            live: Arc::new(ArcSwap::from_pointee(ZoneSet::new())),
            consuming: Mutex::default(),
            swap: Mutex::default(),
            sockets: Sockets::default(),
            listed: Mutex::default(),
            secondaries: OnceLock::new(),
            jobs: Jobs::new(),
            marks: Mutex::new(marks),
            unkept: Mutex::default(),
            untold: Mutex::default(),
            listing: Mutex::default(),
            files: Mutex::default(),
            tickets: AtomicU64::new(0),
            stopwatch: Stopwatch::default(),
        }
    }

    /// Notes what was found out about the state that this run started from.
    pub(crate) fn note(&self, finding: Finding) {
        tracing::warn!("{finding}");
        lock(&self.notes).push(finding);
    }

    /// Notes whether a file beside the database was written.
    pub(crate) fn note_kept(&self, path: &Path, written: Result<(), PublishError>) -> bool {
        let mut unkept = lock(&self.unkept);
        match written {
            Ok(()) => {
                unkept.remove(path);
                true
            }
            Err(error) => {
                let why = with_causes(&error);
                // What fails is tried again and again; the log has each reason once.
                if unkept.insert(path.to_owned(), why.clone()).as_ref() != Some(&why) {
                    tracing::error!(why, "outdated beside the database");
                }
                false
            }
        }
    }

    /// The places of all zones, in canonical order; the map is free again before any of them is waited for.
    pub(crate) fn all_slots(&self) -> Vec<Arc<Slot>> {
        lock(&self.slots).values().cloned().collect()
    }

    /// The place of a zone.
    pub(crate) fn slot(&self, zone: &Name) -> Result<Arc<Slot>, PublishError> {
        let slots = lock(&self.slots);
        slots.get(zone).cloned().ok_or_else(|| PublishError::UnknownZone(zone.clone()))
    }
}
