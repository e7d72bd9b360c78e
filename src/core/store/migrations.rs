//! Tables, step by step. A step that has been released is never edited; a change is a new step.
//!
//! A step changes no row of a guarded table: it runs before the key of the row log is known, and the
//! verifier would find the row altered. A column is added without a value, which changes no digest;
//! whoever fills it in does so by a statement of this room. Steps from before the log are free to.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};

use super::engine::Link;
#[cfg(feature = "approval")]
use super::moving;
#[cfg(feature = "approval")]
use super::row_log::RowChange;
use super::sql::{params, sql, statements};
use super::{Reader, StoreError, Tx};
use crate::text::with_causes;

/// A numbered step.
struct Step {
    /// Unique and rising; gaps are fine.
    number: u32,
    /// Whether it makes tables of road 3, which a name server alone leaves out.
    road_3: bool,
    /// The statements.
    sql: &'static str,
}

/// All steps in order.
const STEPS: &[Step] = &[
    Step { number: 10, road_3: false, sql: include_str!("migrations/0010_zone.sql") },
    Step { number: 20, road_3: true, sql: include_str!("migrations/0020_people.sql") },
    Step { number: 21, road_3: true, sql: include_str!("migrations/0021_draft.sql") },
    Step { number: 30, road_3: true, sql: include_str!("migrations/0030_evidence.sql") },
    Step { number: 31, road_3: true, sql: include_str!("migrations/0031_requests.sql") },
    Step { number: 32, road_3: true, sql: include_str!("migrations/0032_request_order.sql") },
    Step { number: 33, road_3: true, sql: include_str!("migrations/0033_promised_names.sql") },
    Step { number: 40, road_3: true, sql: include_str!("migrations/0040_row_log.sql") },
    Step { number: 41, road_3: true, sql: include_str!("migrations/0041_limits.sql") },
    Step { number: 42, road_3: true, sql: include_str!("migrations/0042_taken.sql") },
    Step { number: 43, road_3: true, sql: include_str!("migrations/0043_no_lock.sql") },
    Step { number: 50, road_3: true, sql: include_str!("migrations/0050_mailbox_code.sql") },
    Step { number: 60, road_3: false, sql: include_str!("migrations/0060_clock.sql") },
    Step { number: 61, road_3: false, sql: include_str!("migrations/0061_serials.sql") },
    Step { number: 65, road_3: true, sql: include_str!("migrations/0065_scale.sql") },
    Step { number: 66, road_3: true, sql: include_str!("migrations/0066_queries.sql") },
    Step { number: 70, road_3: false, sql: include_str!("migrations/0070_update.sql") },
    Step { number: 72, road_3: false, sql: include_str!("migrations/0072_secondary.sql") },
    Step { number: 75, road_3: false, sql: include_str!("migrations/0075_own_zonemd.sql") },
    Step { number: 80, road_3: false, sql: include_str!("migrations/0080_signing.sql") },
    Step { number: 90, road_3: true, sql: include_str!("migrations/0090_paper.sql") },
    Step { number: 91, road_3: true, sql: include_str!("migrations/0091_rank.sql") },
    Step { number: 95, road_3: true, sql: include_str!("migrations/0095_statistics.sql") },
    Step { number: 100, road_3: true, sql: include_str!("migrations/0100_api.sql") },
    Step { number: 105, road_3: true, sql: include_str!("migrations/0105_text.sql") },
    Step { number: 110, road_3: true, sql: include_str!("migrations/0110_phase.sql") },
    Step { number: 111, road_3: true, sql: include_str!("migrations/0111_unsent.sql") },
    Step { number: 112, road_3: true, sql: include_str!("migrations/0112_subject.sql") },
    Step { number: 113, road_3: true, sql: include_str!("migrations/0113_event_lists.sql") },
    Step { number: 115, road_3: true, sql: include_str!("migrations/0115_raised.sql") },
    Step { number: 118, road_3: true, sql: include_str!("migrations/0118_changes.sql") },
    Step { number: 119, road_3: true, sql: include_str!("migrations/0119_watch.sql") },
    Step { number: 120, road_3: true, sql: include_str!("migrations/0120_webhook.sql") },
    Step { number: 121, road_3: true, sql: include_str!("migrations/0121_bulk.sql") },
    Step { number: 123, road_3: true, sql: include_str!("migrations/0123_list.sql") },
    Step { number: 128, road_3: true, sql: include_str!("migrations/0128_draft_link.sql") },
    Step { number: 130, road_3: true, sql: include_str!("migrations/0130_results.sql") },
    Step { number: 131, road_3: true, sql: include_str!("migrations/0131_erasures.sql") },
    Step { number: 132, road_3: true, sql: include_str!("migrations/0132_former_keys.sql") },
    Step { number: 140, road_3: false, sql: include_str!("migrations/0140_nodes.sql") },
];

/// The last step that no database with a row log can miss.
#[cfg(all(test, feature = "approval"))]
pub(super) const BEFORE_LOG: u32 = 42;

/// The steps that a database with a row log may miss, as text.
#[cfg(all(test, feature = "approval"))]
pub(super) fn steps_after_log() -> impl Iterator<Item = (u32, &'static str)> {
    STEPS.iter().filter(|step| step.number > BEFORE_LOG).map(|step| (step.number, step.sql))
}

/// The newest step, road 3 or not.
pub(super) const NEWEST: u32 = STEPS[STEPS.len() - 1].number;

statements! {
    APPLIED = sql("SELECT number, checksum FROM migration");
    NOTE = sql("INSERT INTO migration (number, checksum) VALUES ($1, $2)");
}

/// The table of steps; the engine's own, because it is there before the first step.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
             number INTEGER PRIMARY KEY, checksum TEXT NOT NULL
         ) STRICT";

/// Applies the steps that a file misses, all or none. A database of a later version is left alone.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    connection.execute_batch(TABLE)?;
    // What is up to date is only read: another program may have it locked.
    if is_up_to_date(Link::Sqlite(connection))? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| StoreError::Begin(error.into()))?;
    apply_missing(Link::Sqlite(&transaction))?;
    transaction.commit().map_err(|error| StoreError::Commit(error.into()))
}

/// Whether all steps of this build were applied, as they are in it. A later version's are an error.
pub(super) fn is_up_to_date(link: Link<'_>) -> Result<bool, StoreError> {
    look(link)?;
    let known = applied(link)?;
    Ok(ours().all(|step| known.get(&step.number) == Some(&checksum(step.sql))))
}

/// Applies what is missing, in the transaction of the caller.
pub(super) fn apply_missing(link: Link<'_>) -> Result<(), StoreError> {
    // Another process may have applied some meanwhile.
    let known = applied(link)?;
    ours().try_for_each(|step| apply(link, step, known.get(&step.number)))
}

/// The steps of this build.
fn ours() -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(|step| !step.road_3 || cfg!(feature = "approval"))
}

/// The steps that were applied, with their checksums.
fn applied(link: Link<'_>) -> Result<BTreeMap<u32, String>, StoreError> {
    Ok(Reader::unguarded(link).all::<(u32, String)>(APPLIED, [])?.into_iter().collect())
}

/// Sees that no step was applied that this build does not know.
pub(super) fn look(link: Link<'_>) -> Result<(), StoreError> {
    let is_known = |number: &u32| STEPS.iter().any(|step| step.number == *number);
    let unknown = applied(link)?.into_keys().rev().find(|number| !is_known(number));
    unknown.map_or(Ok(()), |step| Err(StoreError::Newer { step }))
}

/// The newest step that was applied; 0 before the first.
pub(super) fn newest(link: Link<'_>) -> Result<u32, StoreError> {
    Ok(applied(link)?.into_keys().next_back().unwrap_or_default())
}

/// Whether a database that had some steps lacks one of this build's.
pub(super) fn lacks_some(link: Link<'_>) -> Result<bool, StoreError> {
    let applied = applied(link)?;
    Ok(!applied.is_empty() && ours().any(|step| !applied.contains_key(&step.number)))
}

/// Applies one step; of one that was applied already, the checksum is only compared.
fn apply(link: Link<'_>, step: &Step, known: Option<&String>) -> Result<(), StoreError> {
    let failed = |reason: String| StoreError::Migrate { step: step.number, reason };
    let checksum = checksum(step.sql);
    match known {
        Some(applied) if *applied == checksum => return Ok(()),
        Some(_) => return Err(failed("it was edited after it had been applied".to_owned())),
        None => {}
    }
    link.define(step.sql).map_err(|error| failed(with_causes(&error)))?;
    let note = params![step.number, checksum];
    Tx(Reader::unguarded(link)).run(NOTE, note).map(drop)
}

//------------ Comparing -----------------------------------------------------

#[cfg(feature = "approval")]
impl Reader<'_> {
    /// Tables, indexes, triggers and views that are not those the steps make, by name: a trigger put
    /// into the file would act in our name.
    pub fn schema_differences(&self) -> Result<Vec<(String, RowChange)>, StoreError> {
        let [mut wanted, found] = match self.0 {
            Link::Sqlite(connection) => {
                let mut fresh = Connection::open_in_memory()?;
                run(&mut fresh)?;
                [schema(&fresh)?, schema(connection)?]
            }
            #[cfg(feature = "postgres")]
            Link::Postgres(turn) => turn.described()?,
        };
        let mut differences = Vec::new();
        for (name, text) in found {
            match wanted.remove(&name) {
                Some(same) if same == text => {}
                Some(_) => differences.push((name, RowChange::Altered)),
                None => differences.push((name, RowChange::Inserted)),
            }
        }
        differences.extend(wanted.into_keys().map(|name| (name, RowChange::Deleted)));
        Ok(differences)
    }

    /// A table that the steps make and that is not there: every act that needs it would fail.
    pub(super) fn missing_table(&self) -> Result<Option<String>, StoreError> {
        let mut fresh = Connection::open_in_memory()?;
        run(&mut fresh)?;
        let there = moving::tables(self.0)?;
        let wanted = moving::tables(Link::Sqlite(&fresh))?.into_iter().map(|(name, _)| name);
        let is_gone = |name: &String| there.iter().all(|(it, _)| it != name);
        Ok(wanted.into_iter().find(is_gone))
    }
}

/// What a file is made of, by type and name, with the text that made it; and the steps it had. The
/// tables that `ANALYZE` makes, and only they, are nobody's edit.
#[cfg(feature = "approval")]
fn schema(connection: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    let text = "SELECT type || ' ' || name, tbl_name || ' ' || coalesce(sql, '') \
        FROM main.sqlite_schema WHERE (type = 'table' AND (name, sql) IN (VALUES \
        ('sqlite_stat1', 'CREATE TABLE sqlite_stat1(tbl,idx,stat)'), \
        ('sqlite_stat4', 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')\
        )) IS NOT TRUE UNION ALL \
        SELECT 'migration ' || number, checksum FROM main.migration";
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// SHA-256 of a step's text, in hexadecimal.
pub(super) fn checksum(sql: &str) -> String {
    crate::digest::sha256_hex(sql)
}
