//! Rows of the rooms `desk` and `promote`: live records, promotions, notices, the calendar.

use rusqlite::{OptionalExtension, Row, params};

use super::events::rows_max;
use super::{Reader, StoreError, Tx};

//------------ Live records --------------------------------------------------

/// The columns of a live record, with its sealed body.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LiveRow {
    /// The absolute name, lower case.
    pub name: String,
    /// The zone.
    pub zone: String,
    /// The state's JSON name.
    pub state: String,
    /// The office.
    pub office: String,
    /// The class's JSON name.
    pub class: Option<String>,
    /// `request` or `import`.
    pub origin: String,
    /// The request behind it.
    pub request: Option<String>,
    /// The approved end.
    pub ends_ms: Option<i64>,
    /// By when an emergency must be confirmed, while it is not.
    pub confirm_by_ms: Option<i64>,
    /// Until when it is in quarantine.
    pub quarantined_until_ms: Option<i64>,
    /// The live record, sealed.
    pub body: Vec<u8>,
}

/// Columns in the order [`live`] reads.
const LIVE: &str = "SELECT name, zone, state, office, class, origin, request, ends_ms, \
    confirm_by_ms, quarantined_until_ms, body FROM live_record";

/// Reads a live record.
fn live(row: &Row<'_>) -> rusqlite::Result<LiveRow> {
    Ok(LiveRow {
        name: row.get(0)?,
        zone: row.get(1)?,
        state: row.get(2)?,
        office: row.get(3)?,
        class: row.get(4)?,
        origin: row.get(5)?,
        request: row.get(6)?,
        ends_ms: row.get(7)?,
        confirm_by_ms: row.get(8)?,
        quarantined_until_ms: row.get(9)?,
        body: row.get(10)?,
    })
}

impl Reader<'_> {
    /// Name, state and whether it came with the zone file, of every live record; for the verifier.
    pub fn live_states(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        let sql = "SELECT name, state, origin = 'import' FROM live_record";
        let mut statement = self.0.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The live record of a name.
    pub fn live_record(&self, name: &str) -> Result<Option<LiveRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{LIVE} WHERE name = $1"))?;
        Ok(statement.query_row([name], live).optional()?)
    }

    /// Live records after a name, of one state or of all, in the order of the names.
    pub fn live_records(
        &self,
        state: Option<&str>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<LiveRow>, StoreError> {
        let sql =
            format!("{LIVE} WHERE name > $1 AND ($2 IS NULL OR state = $2) ORDER BY name LIMIT $3");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, state, rows_max(limit)], live)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All live records of a zone.
    pub fn live_records_of_zone(&self, zone: &str) -> Result<Vec<LiveRow>, StoreError> {
        let mut statement =
            self.0.prepare_cached(&format!("{LIVE} WHERE zone = $1 ORDER BY name"))?;
        let rows = statement.query_map([zone], live)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Some names of a class that an office has in use, without one of them.
    pub fn names_of_office(
        &self,
        office: &str,
        class: &str,
        without: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT name FROM live_record WHERE office = $1 AND class = $2 AND name <> $3 \
             AND state IN ('live', 'reconfirming', 'held') LIMIT $4",
        )?;
        let row = params![office, class, without, rows_max(limit)];
        let rows = statement.query_map(row, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Names in the zone whose approved end has come.
    pub fn live_records_ended(&self, now_ms: i64, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT name FROM live_record WHERE state IN ('live', 'reconfirming') \
             AND ends_ms <= $1 ORDER BY name LIMIT $2",
        )?;
        let rows = statement.query_map(params![now_ms, rows_max(limit)], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Suspended names that wait for the second officer, the one that waits longest first.
    pub fn unconfirmed_suspensions(&self) -> Result<Vec<LiveRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "{LIVE} WHERE state = 'suspended' AND confirm_by_ms IS NOT NULL \
             ORDER BY confirm_by_ms, name"
        ))?;
        let rows = statement.query_map([], live)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Names whose quarantine is over.
    pub fn quarantines_over(&self, now_ms: i64, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT name FROM live_record WHERE state = 'quarantined' \
             AND quarantined_until_ms <= $1 ORDER BY name LIMIT $2",
        )?;
        let rows = statement.query_map(params![now_ms, rows_max(limit)], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Live records by request.
    pub fn live_record_of_request(&self, request: &str) -> Result<Option<LiveRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{LIVE} WHERE request = $1"))?;
        Ok(statement.query_row([request], live).optional()?)
    }

    /// Name and office of those names of a zone that are promised to somebody and are `wanted`. Each
    /// check sheet looks at all of them: what is not wanted is not copied.
    pub fn promised_names(
        &self,
        zone: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT name, office FROM live_record WHERE zone = $1 AND state <> 'free'",
        )?;
        let mut rows = statement.query([zone])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if wanted(name) {
                found.push((name.to_owned(), row.get(1)?));
            }
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// Writes a live record, new or changed.
    pub fn put_live_record(&self, row: &LiveRow) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO live_record (name, zone, state, office, class, origin, request, ends_ms, \
             confirm_by_ms, quarantined_until_ms, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (name) DO UPDATE SET state = excluded.state, office = excluded.office, \
             class = excluded.class, origin = excluded.origin, request = excluded.request, \
             ends_ms = excluded.ends_ms, confirm_by_ms = excluded.confirm_by_ms, \
             quarantined_until_ms = excluded.quarantined_until_ms, body = excluded.body",
        )?;
        statement.execute(params![
            row.name,
            row.zone,
            row.state,
            row.office,
            row.class,
            row.origin,
            row.request,
            row.ends_ms,
            row.confirm_by_ms,
            row.quarantined_until_ms,
            row.body,
        ])?;
        Ok(())
    }
}

//------------ Promotions ----------------------------------------------------

/// One promotion.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PromotionRow {
    /// Hash of number, revision, candidate and attempt.
    pub id: String,
    /// The request; empty for an emergency suspension.
    pub request: String,
    /// From 1.
    pub attempt: u32,
    /// The zone.
    pub zone: String,
    /// `committed`, `proven` or `failed`.
    pub state: String,
    /// The serial before.
    pub serial_from: Option<u32>,
    /// The serial that carries it.
    pub serial_to: u32,
    /// When it was committed.
    pub at_ms: i64,
    /// JSON of `promote`: what is to be found, and what undoes it.
    pub plan: String,
    /// JSON of `promote`: questions and answers.
    pub proof: Option<String>,
    /// When it was settled.
    pub settled_ms: Option<i64>,
}

/// Columns in the order [`promotion`] reads.
const PROMOTION: &str = "SELECT id, request, attempt, zone, state, serial_from, serial_to, at_ms, \
    plan, proof, settled_ms FROM promotion";

/// Reads a promotion.
fn promotion(row: &Row<'_>) -> rusqlite::Result<PromotionRow> {
    Ok(PromotionRow {
        id: row.get(0)?,
        request: row.get(1)?,
        attempt: row.get(2)?,
        zone: row.get(3)?,
        state: row.get(4)?,
        serial_from: row.get(5)?,
        serial_to: row.get(6)?,
        at_ms: row.get(7)?,
        plan: row.get(8)?,
        proof: row.get(9)?,
        settled_ms: row.get(10)?,
    })
}

impl Reader<'_> {
    /// A promotion.
    pub fn promotion(&self, id: &str) -> Result<Option<PromotionRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{PROMOTION} WHERE id = $1"))?;
        Ok(statement.query_row([id], promotion).optional()?)
    }

    /// The newest promotion of a request.
    pub fn promotion_of(&self, request: &str) -> Result<Option<PromotionRow>, StoreError> {
        let sql = format!("{PROMOTION} WHERE request = $1 ORDER BY attempt DESC LIMIT 1");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_row([request], promotion).optional()?)
    }

    /// Promotions that were committed and not settled, in order.
    pub fn unsettled_promotions(&self) -> Result<Vec<PromotionRow>, StoreError> {
        let sql = format!("{PROMOTION} WHERE state = 'committed' ORDER BY at_ms, id");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([], promotion)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Adds a promotion; an id that is there already is an error, and so the second of two presses
    /// fails here at the latest.
    pub fn insert_promotion(&self, row: &PromotionRow) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO promotion (id, request, attempt, zone, state, serial_from, serial_to, \
             at_ms, plan, proof, settled_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )?;
        statement.execute(params![
            row.id,
            row.request,
            row.attempt,
            row.zone,
            row.state,
            row.serial_from,
            row.serial_to,
            row.at_ms,
            row.plan,
            row.proof,
            row.settled_ms,
        ])?;
        Ok(())
    }

    /// Settles a promotion.
    pub fn settle_promotion(
        &self,
        id: &str,
        state: &str,
        proof: &str,
        settled_ms: i64,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "UPDATE promotion SET state = $1, proof = $2, settled_ms = $3 WHERE id = $4",
        )?;
        statement.execute(params![state, proof, settled_ms, id])?;
        Ok(())
    }
}

//------------ Notices -------------------------------------------------------

/// A notice with its sealed body.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NoticeRow {
    /// Its id.
    pub id: String,
    /// The request it is about.
    pub request: Option<String>,
    /// The state's JSON name.
    pub state: String,
    /// Whether it goes to the applicant.
    pub to_applicant: bool,
    /// When to try next.
    pub next_try_ms: i64,
    /// When it was written.
    pub queued_ms: i64,
    /// The notice, sealed.
    pub body: Vec<u8>,
}

/// Columns in the order [`notice`] reads.
const NOTICE: &str =
    "SELECT id, request, state, to_applicant, next_try_ms, queued_ms, body FROM notice";

/// Reads a notice.
fn notice(row: &Row<'_>) -> rusqlite::Result<NoticeRow> {
    Ok(NoticeRow {
        id: row.get(0)?,
        request: row.get(1)?,
        state: row.get(2)?,
        to_applicant: row.get(3)?,
        next_try_ms: row.get(4)?,
        queued_ms: row.get(5)?,
        body: row.get(6)?,
    })
}

impl Reader<'_> {
    /// A notice.
    pub fn notice(&self, id: &str) -> Result<Option<NoticeRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{NOTICE} WHERE id = $1"))?;
        Ok(statement.query_row([id], notice).optional()?)
    }

    /// Notices of a state whose time has come, the oldest first.
    pub fn notices_due(
        &self,
        state: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = format!(
            "{NOTICE} WHERE state = $1 AND next_try_ms <= $2 ORDER BY next_try_ms LIMIT $3"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![state, now_ms, rows_max(limit)], notice)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All notices of a request, the oldest first.
    pub fn notices_of(&self, request: &str) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = format!("{NOTICE} WHERE request = $1 ORDER BY queued_ms, id");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([request], notice)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// Writes a notice, new or changed.
    pub fn put_notice(&self, row: &NoticeRow) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO notice (id, request, state, to_applicant, next_try_ms, queued_ms, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, \
             next_try_ms = excluded.next_try_ms, body = excluded.body",
        )?;
        statement.execute(params![
            row.id,
            row.request,
            row.state,
            row.to_applicant,
            row.next_try_ms,
            row.queued_ms,
            row.body,
        ])?;
        Ok(())
    }
}
