//! Follows the journals of the zones: keeps what each change did to promised names, and tells their owners
//! (docs/procedure.md, "Owners").
//!
//! ```text
//! journal ─► changes since the last turn ─► names whose records differ ─► name_change, notices
//! ```
//! Whichever way a change came, it is in the journal. Signatures and gapura's own records are no change
//! of a name; a promotion counts once it is read back, and what was taken back at once does not count.
//! The record of each change and its notice are one transaction, so that a crash doubles and loses none.

use std::collections::BTreeMap;

use super::{ActError, Desk};
use crate::lock::lock;
use crate::publish::Cause;
use crate::queue::{LiveState, ParsedRecord, Way};
use crate::register::{is_of_zone, served_records};
use crate::store::changes::NameChangeRow;
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::promises::LiveRow;
use crate::store::records::decode_all;
use crate::store::words::PromotionState;
use crate::store::{Reader, StoreError};
use crate::wire::{Name, Record};
use crate::zone::Zone;

/// Octets of records that are looked through in one turn; a file that replaces a whole registry is
/// not an office's.
const OCTETS_MAX: u64 = 16 * 1024 * 1024;
/// So many changes that do nothing to names are read again after a restart at most.
const FAR: i64 = 64;

/// How far a zone was followed; the row of it in the database is written seldom and counts after a restart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    /// The version that was served.
    serial: u32,
    /// The place in the journal; none of a zone without a promised name.
    seq: Option<i64>,
}

/// One change of a zone as it is to be looked at.
struct Step {
    /// Its row.
    row: JournalRow,
    /// What made it.
    cause: Cause,
    /// Records that went and came, but for those of the zone itself.
    removed: Vec<Record>,
    /// The same of those that came.
    added: Vec<Record>,
}

/// The records of names before and after a change.
type Differences = BTreeMap<Name, (Vec<ParsedRecord>, Vec<ParsedRecord>)>;

impl Desk {
    /// One turn; costs next to nothing while no zone has changed.
    pub(super) fn follow_changes(&self) -> Result<(), ActError> {
        let publisher = self.0.register.publisher();
        let mut seen = lock(&self.0.followed);
        for apex in publisher.apexes() {
            let Some(serial) = publisher.zone(&apex).map(|zone| zone.serial()) else { continue };
            let before = seen.get(&apex).copied();
            if before.is_some_and(|before| before.serial == serial) {
                continue;
            }
            if !self.read(|reader| Ok(reader.has_promises(&apex)?))? {
                seen.insert(apex, Followed { serial, seq: None });
            } else if let Some(seq) = self.follow_zone(&apex, before, serial)? {
                seen.insert(apex, Followed { serial, seq: Some(seq) });
            }
        }
        Ok(())
    }

    /// Follows the journal of one zone up to the version served, from where it was left `before`: the place
    /// reached, or none if that is not possible yet. A zone that had no promised name until now is followed
    /// from the version of then.
    fn follow_zone(
        &self,
        apex: &Name,
        before: Option<Followed>,
        serial: u32,
    ) -> Result<Option<i64>, ActError> {
        let (ledger, publisher) = (&self.0.ledger, self.0.register.publisher());
        let Some(served) = publisher.content(apex) else { return Ok(None) };
        let end = self.read(|reader| Ok(reader.journal_end(apex)?))?;
        let Some(end) = end.filter(|end| end.to == serial) else { return Ok(None) };
        let from = self.read(|reader| match (reader.followed(apex)?, before) {
            (None, Some(Followed { serial, seq: None })) => {
                Ok(reader.journal_at(apex, serial)?.map(|row| row.seq))
            }
            (kept, before) => Ok(kept.max(before.and_then(|it| it.seq))),
        })?;
        let Some(from) = from else {
            // What was before the first start is no news.
            ledger.store.write::<_, StoreError>(|tx| tx.put_followed(apex, end.seq))?;
            return Ok(Some(end.seq));
        };
        let octets = self.read(|reader| Ok(reader.journal_octets(apex, from + 1, end.seq)?))?;
        if octets > OCTETS_MAX {
            tracing::warn!(zone = %apex, octets, "owners are not told of a change of this size");
            ledger.store.write::<_, StoreError>(|tx| tx.put_followed(apex, end.seq))?;
            return Ok(Some(end.seq));
        }
        let steps = self.steps(apex, from)?;
        if steps.last().is_some_and(|step| step.row.seq != end.seq) {
            return Ok(None);
        }
        let differences = differences(&steps, &served);
        let mut is_back = false;
        for (at, (step, names)) in steps.iter().zip(differences).enumerate() {
            let was_back = std::mem::take(&mut is_back);
            is_back = is_taken_back(step, steps.get(at + 1));
            match self.is_settled(step)? {
                None => return Ok(None),
                Some(stays) if stays && !is_back && !was_back => self.keep(apex, step, names)?,
                Some(_) => {}
            }
        }
        Ok(Some(end.seq))
    }

    /// The changes behind a place in the journal, the oldest first.
    fn steps(&self, apex: &Name, from: i64) -> Result<Vec<Step>, ActError> {
        let mut steps = Vec::new();
        self.read(|reader| {
            Ok(reader.journal_after(apex, from, |row, blobs| {
                steps.push(Step::of(row, blobs.as_ref(), apex)?);
                Ok(())
            })?)
        })?;
        Ok(steps)
    }

    /// Whether a change came to stay: of a promotion, once it is read back. None while that is open.
    fn is_settled(&self, step: &Step) -> Result<Option<bool>, ActError> {
        let Cause::Request { number } = &step.cause else { return Ok(Some(true)) };
        let row = self.read(|reader| Ok(reader.promotion_of(number)?))?;
        Ok(match row.filter(|row| row.serial_to == step.row.to).map(|row| row.state) {
            Some(PromotionState::Committed) => None,
            Some(PromotionState::Failed) => Some(false),
            Some(PromotionState::Proven) | None => Some(true),
        })
    }

    /// Keeps what one change did to promised names, and tells their owners. Of changes that did nothing
    /// to them the place in the journal is kept now and then.
    fn keep(&self, apex: &Name, step: &Step, names: Differences) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let rows = self.read(|reader| self.rows_of(reader, apex, step, names))?;
        if rows.is_empty() && step.row.seq % FAR != 0 {
            return Ok(());
        }
        ledger.store.write(|tx| {
            if tx.followed(apex)?.is_some_and(|seq| seq >= step.row.seq) {
                return Ok(());
            }
            ledger.note_changes(tx, rows)?;
            Ok(tx.put_followed(apex, step.row.seq)?)
        })
    }

    /// The rows of a change: one each name that is promised, or lies below one.
    fn rows_of(
        &self,
        reader: &Reader<'_>,
        apex: &Name,
        step: &Step,
        names: Differences,
    ) -> Result<Vec<NameChangeRow>, ActError> {
        let mut rows = Vec::new();
        let texts = |records: &[ParsedRecord]| {
            records.iter().map(ParsedRecord::in_words).collect::<Vec<_>>().join("\n")
        };
        for (name, (was, now_is)) in names {
            let Some(row) = promised_above(reader, apex, &name)? else { continue };
            let live = self.0.ledger.open_live(&row)?;
            let is_emergency = live.suspension.is_some_and(|out| out.emergency);
            let Some(way) = step.way(is_emergency) else { continue };
            rows.push(NameChangeRow {
                zone: apex.as_ref().to_lowercase().to_string(),
                seq: step.row.seq,
                name: name.to_string(),
                record: row.name,
                serial: step.row.to,
                at_ms: step.row.at_ms,
                way,
                request: step.cause.request().map(str::to_owned),
                was: texts(&was),
                now_is: texts(&now_is),
                notice: None,
            });
        }
        Ok(rows)
    }
}

/// The promised name that a name is or lies below.
fn promised_above(
    reader: &Reader<'_>,
    apex: &Name,
    name: &Name,
) -> Result<Option<LiveRow>, StoreError> {
    let mut here = Some(name.as_ref());
    while let Some(at) = here.filter(|at| *at != apex.as_ref()) {
        let row = reader.live_record(&at.to_lowercase().to_string())?;
        let is_promised = |row: &LiveRow| !matches!(row.state, LiveState::Free | LiveState::Held);
        if let Some(row) = row.filter(is_promised) {
            return Ok(Some(row));
        }
        here = at.parent();
    }
    Ok(None)
}

/// Whether a change was taken back by the next one.
fn is_taken_back(step: &Step, next: Option<&Step>) -> bool {
    let mine = |serial: &u32| *serial == step.row.to;
    let cause = next.map(|next| &next.cause);
    matches!(cause, Some(Cause::Unconfirmed { serial, .. }) if mine(serial))
}

/// What each change did to the records of each name, told backwards from what is served now.
fn differences(steps: &[Step], served: &Zone) -> Vec<Differences> {
    let mut now: BTreeMap<Name, Vec<ParsedRecord>> = BTreeMap::new();
    let mut all = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let mut touched = Differences::new();
        for record in &step.removed {
            touched.entry(record.owner.as_ref().to_lowercase()).or_default().0.push(read(record));
        }
        for record in &step.added {
            touched.entry(record.owner.as_ref().to_lowercase()).or_default().1.push(read(record));
        }
        for (name, (went, came)) in &mut touched {
            let here = now.entry(name.clone()).or_insert_with(|| served_records(name, served));
            let mut before = here.clone();
            before.retain(|record| !came.contains(record));
            before.append(went);
            before.sort_by_key(ParsedRecord::rtype);
            let after = std::mem::replace(here, before.clone());
            (*went, *came) = (before, after);
        }
        all.push(touched);
    }
    all.reverse();
    all
}

/// A record as a request would have it.
fn read(record: &Record) -> ParsedRecord {
    ParsedRecord::served(record.rtype, record.ttl, &record.rdata)
}

impl Step {
    /// A change of the journal, without what belongs to the zone itself.
    fn of(row: JournalRow, blobs: Option<&DeltaBlobs>, apex: &Name) -> Result<Self, StoreError> {
        let cause = serde_json::from_str(&row.cause)
            .map_err(|error| StoreError::Corrupt(format!("a cause in the journal: {error}")))?;
        let records = |blob: Option<&Vec<u8>>| -> Result<Vec<Record>, StoreError> {
            let mut records = blob.map(|blob| decode_all(blob)).transpose()?.unwrap_or_default();
            records.retain(|record| !is_of_zone(record.rtype) && record.owner != *apex);
            Ok(records)
        };
        let removed = records(blobs.map(|blobs| &blobs.removed))?;
        let added = records(blobs.map(|blobs| &blobs.added))?;
        Ok(Self { row, cause, removed, added })
    }

    /// By which way it came; none if it is no change of a name.
    fn way(&self, is_emergency: bool) -> Option<Way> {
        Some(match &self.cause {
            Cause::Request { .. } => Way::Request,
            Cause::File { .. } => Way::File,
            Cause::Update { .. } => Way::Update,
            Cause::Rollback { .. } => Way::Rollback,
            Cause::Transfer { .. } => Way::Transfer,
            Cause::Unconfirmed { .. } => Way::TakenBack,
            Cause::Own { purpose } if purpose == "adoption" => Way::Adoption,
            Cause::Own { .. } if is_emergency => Way::Emergency,
            Cause::Own { .. } => Way::TakenOut,
            Cause::Load { .. } | Cause::Signing { .. } => return None,
        })
    }
}
