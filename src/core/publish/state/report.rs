//! What commands, log, metrics and pages say about a zone: the report of a reload, and the status.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::options::MADE;
use super::{Cause, Change, Publisher, Secondary, Slot, Times, ZoneState};
use crate::lock::lock;
use crate::master::Finding;
use crate::store::promoted::{Origin, PromotedRow};
use crate::wire::Name;

//------------ Guard ---------------------------------------------------------

/// Which guard kept a file from going live; the label of metrics.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The file, or an include, is not there or cannot be read.
    Missing,
    /// It is still being written.
    Unsettled,
    /// It ends without a newline, or lost its end marker or ZONEMD.
    Incomplete,
    /// It has errors.
    Check,
    /// Too much would vanish.
    Shrink,
    /// It clashes with promoted records.
    Merge,
    /// Not all files of the manifest are as it says.
    Manifest,
    /// The database refused.
    Commit,
    /// What the database holds of the zone cannot be read.
    Database,
    /// Our own socket did not show it.
    Unconfirmed,
    /// Two files claim the zone.
    Doubled,
    /// Loading it may take more memory than there is.
    Memory,
    /// The zone left the settings, and nobody confirmed that.
    Left,
    /// It cannot be signed.
    Signing,
}

impl Guard {
    /// The word for metrics and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unsettled => "unsettled",
            Self::Incomplete => "incomplete",
            Self::Check => "check",
            Self::Shrink => "shrink",
            Self::Merge => "merge",
            Self::Manifest => "manifest",
            Self::Commit => "commit",
            Self::Database => "database",
            Self::Unconfirmed => "unconfirmed",
            Self::Doubled => "doubled",
            Self::Memory => "memory",
            Self::Left => "left",
            Self::Signing => "signing",
        }
    }
}

//------------ ReloadReport --------------------------------------------------

/// What came of looking at a zone's file. True when it is handed out: live, or refused.
#[derive(Clone, Debug, Serialize)]
pub struct ReloadReport {
    /// The apex.
    #[serde(serialize_with = "as_text")]
    pub zone: Name,
    /// The operator's file.
    pub file: PathBuf,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Errors, warnings and notes.
    pub findings: Vec<Finding>,
    /// How long it took, waiting for a quiet file included.
    pub ms: u64,
}

/// What came of looking at a zone's file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// The file is live.
    Live {
        /// The serial before; none for a first load.
        from: Option<u32>,
        /// The serial now.
        to: u32,
        /// Records removed, the SOA record not counted.
        removed: usize,
        /// Records added, the SOA record not counted.
        added: usize,
    },
    /// What the file says is live already.
    Unchanged {
        /// The live serial.
        serial: u32,
    },
    /// It is a secondary zone: it has no file, and is served as it was transferred last.
    Secondary {
        /// The live serial; none: not transferred yet.
        serial: Option<u32>,
    },
    /// The file is not loaded until its bytes change: it was rolled back, or it is not the one that another node
    /// published the zone from.
    Held {
        /// The live serial.
        serial: u32,
        /// That node; none: the file was rolled back.
        #[serde(skip_serializing_if = "Option::is_none")]
        node: Option<String>,
    },
    /// The file is not live.
    Refused {
        /// The serial that is served instead; none: the zone answers SERVFAIL.
        serial: Option<u32>,
        /// What refused it.
        guard: Guard,
    },
    /// The zone has left the settings and is not served any more.
    Removed,
}

impl ReloadReport {
    /// Whether what the operator wanted is so: the exit code of `gapura ctl reload`.
    pub fn is_ok(&self) -> bool {
        !matches!(self.outcome, Outcome::Refused { .. })
    }

    /// The first of its errors, in words.
    pub fn first_error(&self) -> Option<&str> {
        self.findings
            .iter()
            .find(|finding| finding.is_error())
            .map(|finding| finding.message.as_str())
    }

    /// Whether the zone is not served because the database failed, and not because of its file.
    pub fn is_lost_by_database(&self) -> bool {
        let guards = [Guard::Database, Guard::Commit];
        matches!(&self.outcome, Outcome::Refused { serial: None, guard } if guards.contains(guard))
    }

    /// What refused the file, if it was.
    pub fn guard(&self) -> Option<Guard> {
        match self.outcome {
            Outcome::Refused { guard, .. } => Some(guard),
            _ => None,
        }
    }

    /// The word for metrics.
    pub fn result(&self) -> &'static str {
        match self.outcome {
            Outcome::Live { .. } => "live",
            Outcome::Unchanged { .. } => "unchanged",
            Outcome::Secondary { .. } => "secondary",
            Outcome::Held { .. } => "held",
            Outcome::Refused { .. } => "refused",
            Outcome::Removed => "removed",
        }
    }
}

/// As `gapura ctl reload` prints it: a line, and a line more for each finding.
impl fmt::Display for ReloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {}", finding.with_hint()))
    }
}

impl ReloadReport {
    /// How many errors there are.
    pub(crate) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_error()).count()
    }

    /// What came of it, in one line.
    pub(crate) fn headline(&self) -> String {
        let (zone, ms) = (&self.zone, self.ms);
        match &self.outcome {
            Outcome::Live { from: Some(from), to, removed, added } => {
                format!("{zone} {from} -> {to}  +{added} -{removed} records, {ms} ms")
            }
            Outcome::Live { from: None, to, added, .. } => {
                format!("{zone} {to}  loaded, {added} records, {ms} ms")
            }
            Outcome::Unchanged { serial } => format!("{zone} {serial}  unchanged"),
            Outcome::Secondary { serial: Some(serial) } => {
                format!("{zone} {serial}  secondary zone, as transferred last")
            }
            Outcome::Secondary { serial: None } => {
                format!("{zone} secondary zone, not transferred yet")
            }
            Outcome::Held { serial, node: None } => {
                format!("{zone} {serial}  file rolled back, not loaded until it changes")
            }
            Outcome::Held { serial, node: Some(node) } => format!(
                "{zone} {serial}  file not the one that node {node} published from, not loaded until it changes"
            ),
            Outcome::Refused { serial, .. } => {
                let served = serial.map_or_else(
                    || "not served".to_owned(),
                    |serial| format!("still serving {serial}"),
                );
                let errors = self.errors();
                let plural = if errors == 1 { "" } else { "s" };
                format!("{zone} refused, {served}: {errors} error{plural}")
            }
            Outcome::Removed => format!("{zone} is no longer served"),
        }
    }
}

/// Results of reloads by their words, and those that were refused as `refused:GUARD`, too.
fn counts_as_text<S: serde::Serializer>(
    counts: &BTreeMap<(&'static str, &'static str), u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for ((result, guard), count) in counts {
        *all.entry((*result).to_owned()).or_default() += count;
        if !guard.is_empty() {
            *all.entry(format!("{result}:{guard}")).or_default() += count;
        }
    }
    serializer.collect_map(all)
}

/// A name as text.
fn as_text<S: serde::Serializer>(name: &Name, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

//------------ Status --------------------------------------------------------

/// What is known of a zone now.
#[derive(Clone, Debug, Serialize)]
pub struct ZoneStatus {
    /// The apex.
    #[serde(serialize_with = "as_text")]
    pub zone: Name,
    /// The operator's file, on the node that publishes; empty for a secondary zone.
    pub file: PathBuf,
    /// Whether it is served here as another node published it: that one has the file, and what was promoted.
    pub followed: bool,
    /// The remotes that a secondary zone is transferred from; empty for one that has a file.
    pub primaries: Vec<String>,
    /// When a primary of a secondary zone was heard last, in milliseconds since 1970.
    pub refreshed_ms: Option<i64>,
    /// How long a secondary zone is still served without a refresh, in seconds.
    pub expire_seconds: Option<u32>,
    /// Whether a secondary zone is not served because that is too long ago.
    pub expired: bool,
    /// The live serial; none: not loaded.
    pub serial: Option<u32>,
    /// The serial of the file as last read, accepted or not.
    pub file_serial: Option<u32>,
    /// Records served.
    pub records: usize,
    /// Names served.
    pub names: usize,
    /// The last change.
    pub last_change: Option<LastChange>,
    /// Why the file on disk is not live, if it is not.
    pub refusal: Option<Refusal>,
    /// Whether the live version came from the database because the file was refused at start-up.
    pub from_store: bool,
    /// Whether the file on disk was rolled back and waits for a change of its bytes.
    pub rolled_back: bool,
    /// Promoted RRsets and masks, those of updates among them; none of a zone that is followed.
    pub promoted: Option<usize>,
    /// RRsets and masks of updates.
    pub by_updates: usize,
    /// Promoted records that the file does not have, as `OWNER TYPE (REQUEST)`.
    pub absent_from_file: Vec<String>,
    /// RRsets of the file that are not served as the file has them, as `OWNER TYPE (REQUEST)`.
    pub masked: Vec<String>,
    /// Whether the zone was signed elsewhere; nothing can be promoted into it.
    pub presigned: bool,
    /// When its first signature ends, in seconds since 1970; none of an unsigned zone.
    pub signatures_end: Option<i64>,
    /// What there is to know of what is served.
    pub warnings: Vec<Finding>,
    /// Reloads by result and, of those that were refused, guard.
    #[serde(serialize_with = "counts_as_text")]
    pub reloads: BTreeMap<(&'static str, &'static str), u64>,
    /// Changes by cause.
    pub changes: BTreeMap<&'static str, u64>,
    /// The servers that are told of its changes.
    pub secondaries: Vec<Secondary>,
}

impl ZoneStatus {
    /// Whether the zone is answered from.
    pub fn is_served(&self) -> bool {
        self.serial.is_some() && !self.expired
    }

    /// Whether the zone is transferred from primaries.
    pub fn is_secondary(&self) -> bool {
        !self.primaries.is_empty()
    }

    /// Whether the zone is a catalog zone that gapura makes of its settings.
    pub fn is_made(&self) -> bool {
        self.file.as_os_str().is_empty() && !self.is_secondary()
    }

    /// Where the zone comes from, in words.
    pub fn place(&self) -> String {
        if self.is_made() {
            return MADE.to_owned();
        }
        if self.is_secondary() {
            return format!("transfers from {}", self.primaries.join(", "));
        }
        if self.followed {
            return "as it was published".to_owned();
        }
        self.file.display().to_string()
    }
}

/// The last change of a zone.
#[derive(Clone, Debug, Serialize)]
pub struct LastChange {
    /// The serial it led to.
    pub serial: u32,
    /// What made it.
    pub cause: Cause,
    /// Who made it.
    pub who: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl LastChange {
    /// What is kept of a change.
    pub(crate) fn of(change: &Change) -> Self {
        Self {
            serial: change.to,
            cause: change.cause.clone(),
            who: change.who.clone(),
            at_ms: change.at_ms,
        }
    }
}

/// Why a file is not live.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// When it was refused.
    pub at_ms: i64,
    /// What refused it.
    pub guard: Guard,
    /// All errors and warnings.
    pub findings: Vec<Finding>,
}

impl Publisher {
    /// How long looks at files and changes took.
    pub fn times(&self) -> Times {
        self.0.stopwatch.times()
    }

    /// What is known of each zone now, in canonical order.
    pub fn status(&self) -> Vec<ZoneStatus> {
        let slots = self.0.all_slots();
        let now_ms = (self.0.options.now_ms)();
        slots.iter().map(|slot| self.status_of(slot, now_ms)).collect()
    }

    /// What is known of one zone now.
    pub fn zone_status(&self, zone: &Name) -> Option<ZoneStatus> {
        let slot = self.0.slot(zone).ok()?;
        Some(self.status_of(&slot, (self.0.options.now_ms)()))
    }

    /// What is known of a zone and its secondaries now.
    fn status_of(&self, slot: &Slot, now_ms: i64) -> ZoneStatus {
        let secondaries = self.secondaries(&slot.apex);
        let mut status = ZoneStatus { secondaries, ..lock(&slot.state).status(now_ms) };
        if self.follows() {
            (status.followed, status.promoted) = (true, None);
        }
        status
    }
}

/// Why names are not answered, if they are not: a zone is still loading, or none is served of those there
/// should be. One zone among others that is at fault keeps no server from its work.
pub fn unanswered(zones: &[ZoneStatus]) -> Option<String> {
    let names = |zones: &mut dyn Iterator<Item = &ZoneStatus>| {
        zones.map(|zone| zone.zone.to_string()).collect::<Vec<_>>().join(" ")
    };
    // A secondary zone waits for its primary, perhaps for long, and one that is followed for the node that publishes.
    let is_loading = |zone: &&ZoneStatus| {
        let waits = zone.is_secondary() || zone.followed;
        zone.serial.is_none() && zone.refusal.is_none() && !waits
    };
    let mut loading = zones.iter().filter(is_loading).peekable();
    if loading.peek().is_some() {
        return Some(format!("not loaded: {}", names(&mut loading)));
    }
    let none = !zones.is_empty() && zones.iter().all(|zone| !zone.is_served());
    none.then(|| format!("no zone is served: {}", names(&mut zones.iter())))
}

impl ZoneState {
    /// How long a secondary zone is still served without a refresh; none of a primary, and without a version.
    fn expire_seconds(&self) -> Option<u32> {
        let zone = self.zone.as_ref().filter(|_| self.source.is_secondary())?;
        Some(if self.lease.is_expired { 0 } else { zone.seconds_left() })
    }

    /// That its file is held because it is not the one of the node that published before.
    fn held_foreign_file(&self) -> Option<Finding> {
        let foreign = self.foreign_file.as_ref().filter(|_| self.is_held)?;
        Some(foreign.finding(&self.source.apex))
    }

    /// What is known of the zone now.
    fn status(&self, now_ms: i64) -> ZoneStatus {
        let line = |row: &PromotedRow| {
            let by = match &row.origin {
                Origin::Request(number) => number.clone(),
                Origin::Update(_) => row.origin.to_string(),
                Origin::Unnamed => "-".to_owned(),
            };
            format!("{} {} ({by})", row.owner, row.rtype)
        };
        ZoneStatus {
            zone: self.source.apex.clone(),
            file: self.source.file.clone(),
            followed: false,
            primaries: self.source.primaries.clone(),
            refreshed_ms: self.lease.refreshed_ms,
            expire_seconds: self.expire_seconds(),
            expired: self.lease.is_expired,
            serial: self.serial(),
            file_serial: self.file_serial.filter(|_| !self.source.is_made()),
            records: self.zone.as_ref().map_or(0, crate::zone::Zone::record_count),
            names: self.zone.as_ref().map_or(0, crate::zone::Zone::name_count),
            last_change: self.last_change.clone(),
            refusal: self.refusal.clone(),
            from_store: self.from_store,
            rolled_back: self.is_held && self.foreign_file.is_none(),
            promoted: Some(self.overlay.shown().count()),
            by_updates: self.overlay.shown().filter(|row| row.origin.key().is_some()).count(),
            absent_from_file: self.overlay.absent_from_file().map(line).collect(),
            masked: self.overlay.masks().map(line).collect(),
            presigned: self.zone.as_ref().is_some_and(crate::zone::Zone::is_signed),
            signatures_end: self.signatures_end(now_ms),
            warnings: self
                .signatures_finding(now_ms)
                .into_iter()
                .chain(self.members_findings.iter().cloned())
                .chain(self.held_foreign_file())
                .collect(),
            reloads: self.reloads.clone(),
            changes: self.changes.clone(),
            secondaries: Vec::new(),
        }
    }
}

/// Why a file is not loaded: what it may take, and what there is, in octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Lack {
    /// What it may take.
    pub(crate) wanted: u64,
    /// What is left; none where the system only said no.
    pub(crate) left: Option<u64>,
}
