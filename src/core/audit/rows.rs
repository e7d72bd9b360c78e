//! The rows of other tables, bound to the chain: what is shown, acted on and served must be what gapura
//! wrote.
//!
//! ```text
//! store   logs each guarded row it writes (table, key, digest, running hash)
//! chain   each event states where the log ends: "row_log": "place:hash"
//! head    the ends of log and chain, under a key that is kept outside the database
//! here    follow the log to the last digest of every row, and compare both ways
//! ```
//! A row that was erased, or whose time is over, has an entry that says so; one that is deleted by other
//! means has none.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::chain::{NewEvent, ROW_LOG, append};
use super::report::{Compared, FaultKind, Report};
use super::{AuditError, Notary, Vault};
use crate::digest::hex;
use crate::queue::Deed;
use crate::store::events::Event;
use crate::store::row_log::RowChange;
use crate::store::{Reader, Store, StoreError};

//------------ guard ---------------------------------------------------------

/// Opens the vault that belongs to a database, and logs the rows that are written from now on.
pub fn open_guarded(state_dir: &Path, store: &Store, now_ms: i64) -> Result<Vault, AuditError> {
    let vault = Vault::open_for(state_dir, store)?;
    let is_known = knows(store, &vault)?;
    guard(store, &vault, now_ms)?;
    if !is_known {
        store.write::<_, StoreError>(|tx| tx.put_web_secret(KEY_MARK, &vault.mark()))?;
    }
    Ok(vault)
}

/// Sees that the vault of a state directory is the one a database was written with; makes and writes nothing.
pub fn inspect_vault(state_dir: &Path, store: &Store) -> Result<(), AuditError> {
    knows(store, &Vault::inspect(state_dir)?).map(drop)
}

/// Sees that this node has the keys of a database that others have worked on; makes and writes nothing.
pub fn inspect_keys(state_dir: &Path, store: &Store) -> Result<(), AuditError> {
    let (mark, known) = store
        .read::<_, StoreError>(|reader| Ok((reader.web_secret(KEY_MARK)?, reader.audit_keys()?)))?;
    if mark.is_some() {
        inspect_vault(state_dir, store)?;
    }
    known.last().map_or(Ok(()), |known| Notary::see_that_it_has(state_dir, known))
}

/// Whether a database knows its vault; that it knows another one is the error.
fn knows(store: &Store, vault: &Vault) -> Result<bool, AuditError> {
    let known = store.read::<_, StoreError>(|reader| reader.web_secret(KEY_MARK))?;
    match known {
        Some(known) if known != vault.mark() => Err(AuditError::OtherKey {
            path: vault.path().to_owned(),
            found: mark_text(&vault.mark()),
            known: mark_text(&known),
        }),
        known => Ok(known.is_some()),
    }
}

/// Under which name the database knows the key it was written with.
const KEY_MARK: &str = "personal key";

/// The beginning of a mark, for people.
fn mark_text(mark: &[u8]) -> String {
    hex(&mark[..mark.len().min(8)])
}

/// Logs the rows that are written from now on. The rows of a database from before there was a log, or before
/// a table was in it, are taken in as they are, with one event.
pub fn guard(store: &Store, vault: &Vault, now_ms: i64) -> Result<(), AuditError> {
    store.guard(vault.row_key())?;
    let (is_logged, is_whole) = store.read::<_, StoreError>(|reader| {
        let is_logged = reader.has_row_log()?;
        if is_logged && reader.row_head()?.is_none() {
            tracing::error!("the head of the row log is gone: see gapura audit verify");
        }
        Ok((is_logged, is_logged && reader.has_joined_rows()?))
    })?;
    if is_whole {
        return Ok(());
    }
    store.write(|tx| {
        let count = if is_logged { 0 } else { tx.log_all_rows()? };
        let count = count + tx.log_joined_rows()?;
        if count > 0 {
            let event = NewEvent::new(now_ms, "system", "system", Deed::RowsBound, "chain:rows");
            append(tx, event.with("values", count))?;
        }
        Ok(())
    })
}

//------------ check ---------------------------------------------------------

/// Notes every row that is not as the log left it, and every fault of the log itself.
pub(super) fn check(reader: &Reader<'_>, events: &[Event], report: &mut Report) {
    for (name, change) in report.read("sqlite_schema", reader.schema_differences()) {
        let what = format!("{name} of the database's schema {}", change_words(change));
        report.note(FaultKind::Schema { name }, 1, what);
    }
    if !reader.is_guarded() {
        return;
    }
    let stated = Stated::of(events);
    let followed = follow_log(reader, &stated, report);
    let mut left = report.read("row_log", followed);
    let mut compared = Compared::default();
    let unbound = report.last + 1;
    for table in Reader::guarded_tables() {
        let read = reader.guarded_rows_of(table, |key, digest| {
            compared.rows += 1;
            match left.remove(&(table.to_owned(), key.clone())) {
                Some((Some(left), _)) if left == digest => {}
                Some((Some(_), place)) => {
                    row_fault(report, stated.by(place), (table, &key), RowChange::Altered);
                }
                _ => row_fault(report, Some(unbound), (table, &key), RowChange::Inserted),
            }
        });
        compared.tables += usize::from(read.is_ok());
        report.read(table, read);
    }
    for ((table, key), (digest, place)) in left {
        if digest.is_some() {
            row_fault(report, stated.by(place), (&table, &key), RowChange::Deleted);
        }
    }
    report.compared = Some(compared);
}

/// What the log left of each row: its digest, and the place of the entry.
type Left = HashMap<(String, String), (Option<Vec<u8>>, i64)>;

/// Follows the log from entry to entry, up to its head.
fn follow_log(
    reader: &Reader<'_>,
    stated: &Stated,
    report: &mut Report,
) -> Result<Left, StoreError> {
    let mut left = Left::new();
    let (mut place, mut hash) = (0, vec![0; 32]);
    reader.row_log(|row| {
        let sequence = stated.by(row.place).unwrap_or(report.last + 1);
        if row.place != place + 1 {
            let what = format!("the row log is cut: after entry {place} comes {}", row.place);
            report.note(FaultKind::Log, sequence, what);
        } else if !row.follows(&hash) {
            let what = format!("entry {} of the row log was changed or replaced", row.place);
            report.note(FaultKind::Log, sequence, what);
        }
        if stated.hash(row.place).is_some_and(|said| said != hex(&row.hash)) {
            let what =
                format!("entry {} of the row log is not the one this event states", row.place);
            report.note(FaultKind::Log, sequence, what);
        }
        if row.found {
            row_fault(report, Some(sequence), (&row.table, &row.key), RowChange::Found);
        }
        (place, hash) = (row.place, row.hash);
        left.insert((row.table, row.key), (row.digest, place));
    })?;
    if let Some((at, sequence)) = stated.last().filter(|(at, _)| *at > place) {
        let what = format!("the row log is cut: this event states {at} entries, {place} are there");
        report.note(FaultKind::Log, sequence, what);
    }
    let compared = check_head(reader, (place, &hash), report);
    report.read("row_head", compared);
    Ok(left)
}

/// Compares the head with the ends of log and chain.
fn check_head(
    reader: &Reader<'_>,
    (place, hash): (i64, &[u8]),
    report: &mut Report,
) -> Result<(), StoreError> {
    let after = report.last + 1;
    let Some(head) = reader.row_head()? else {
        if reader.has_row_log()? {
            report.note(FaultKind::Log, after, "the head of the row log is gone");
        }
        return Ok(());
    };
    if !reader.is_genuine_head(&head) {
        report.note(FaultKind::Log, after, "the head of the row log was changed, or is another's");
    } else if (head.place, head.hash.as_slice()) != (place, hash) {
        let what = format!("the row log ends at entry {place}, its head says {}", head.place);
        report.note(FaultKind::Log, after, what);
    } else if head.sequence > report.last {
        report.note(FaultKind::Chain, after, format!("cut: there was an event {}", head.sequence));
    } else if head.sequence < report.last {
        let sequence = head.sequence + 1;
        report.note(FaultKind::Chain, sequence, "this event was not written by gapura");
    } else if head.event_hash != report.head {
        report.note(FaultKind::Chain, report.last, "the last event is not the one gapura wrote");
    }
    Ok(())
}

/// Notes a row that is not as it was left; without an event that binds it, after the last one.
fn row_fault(
    report: &mut Report,
    sequence: Option<i64>,
    (table, key): (&str, &str),
    change: RowChange,
) {
    let sequence = sequence.unwrap_or(report.last + 1);
    let what = format!("table {table}, row {key}: {}", change_words(change));
    let (table, key) = (table.to_owned(), key.to_owned());
    report.note(FaultKind::Row { table, key, change }, sequence, what);
}

/// What happened to a row, in words.
fn change_words(change: RowChange) -> &'static str {
    match change {
        RowChange::Altered => "was altered by other means than gapura",
        RowChange::Deleted => "was deleted by other means than gapura",
        RowChange::Inserted => "was inserted by other means than gapura",
        RowChange::Found => {
            "had been altered, deleted or inserted by other means when gapura next wrote it"
        }
    }
}

//------------ Stated --------------------------------------------------------

/// Where the events say that the log ends.
struct Stated(BTreeMap<i64, (i64, String)>);

impl Stated {
    /// What the events of a chain state; the first event that states a place counts.
    fn of(events: &[Event]) -> Self {
        let mut stated = BTreeMap::new();
        for event in events {
            let said = event.payload.get(ROW_LOG).and_then(|said| said.split_once(':'));
            if let Some((place, hash)) = said
                && let Ok(place) = place.parse::<i64>()
            {
                stated.entry(place).or_insert_with(|| (event.sequence, hash.to_owned()));
            }
        }
        Self(stated)
    }

    /// The event that binds the entry at a place.
    fn by(&self, place: i64) -> Option<i64> {
        self.0.range(place..).next().map(|(_, (sequence, _))| *sequence)
    }

    /// The hash stated for a place.
    fn hash(&self, place: i64) -> Option<&str> {
        self.0.get(&place).map(|(_, hash)| hash.as_str())
    }

    /// The last place stated, and the event that does.
    fn last(&self) -> Option<(i64, i64)> {
        self.0.last_key_value().map(|(place, (sequence, _))| (*place, *sequence))
    }
}
