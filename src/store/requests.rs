//! Rows of the room `desk`: requests, their revisions, numbers, letters, probe results, party links.
//!
//! The columns are what lists and searches need; the request itself is a sealed body, because it
//! names persons. No rule is decided here.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};

use super::events::rows_max;
use super::{Reader, StoreError, Tx};

//------------ Rows ----------------------------------------------------------

/// What lists show of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestRow {
    /// The number.
    pub number: String,
    /// The state's JSON name.
    pub state: String,
    /// Whether it still works towards a decision or a promotion.
    pub open: bool,
    /// The kind's JSON name.
    pub kind: String,
    /// The class's JSON name.
    pub class: String,
    /// The absolute name.
    pub name: String,
    /// The zone.
    pub zone: String,
    /// The office.
    pub office: String,
    /// The revision.
    pub revision: u32,
    /// Person id of the verifier who holds it.
    pub holder_id: Option<String>,
    /// Account name of the verifier who holds it.
    pub holder: Option<String>,
    /// When the running step is due.
    pub due_ms: Option<i64>,
    /// When a scheduled promotion is to happen.
    pub starts_ms: Option<i64>,
    /// When it came in.
    pub submitted_ms: i64,
    /// The last accepted act.
    pub changed_ms: i64,
    /// When it ended, for retention.
    pub ended_ms: Option<i64>,
    /// SHA-256 of number and secret.
    pub secret_hash: Option<String>,
    /// The letter of the current revision.
    pub letter: Option<String>,
}

/// Which requests a list shows; every part that is set narrows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestFilter {
    /// The state's JSON name.
    pub state: Option<String>,
    /// Only open ones, or only those that are not.
    pub open: Option<bool>,
    /// Person id of the holder.
    pub holder_id: Option<String>,
    /// Only those due before this time.
    pub due_before_ms: Option<i64>,
    /// Only those sent again at least once.
    pub resubmitted: bool,
    /// A part of the name, number or office.
    pub text: Option<String>,
    /// After this place in the order: rank and number of the last one shown.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: usize,
}

/// A letter's row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttachmentRow {
    /// Its id.
    pub id: String,
    /// The request.
    pub request: String,
    /// Media type by content.
    pub media: String,
    /// Octets.
    pub octets: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// File name below the directory of letters.
    pub file: String,
    /// When it came.
    pub at_ms: i64,
    /// When the file was erased.
    pub erased_ms: Option<i64>,
}

/// Columns of a request, in the order [`request`] reads.
const REQUEST: &str = "SELECT number, state, open, kind, class, name, zone, office, revision, \
    holder_id, holder, due_ms, starts_ms, submitted_ms, changed_ms, ended_ms, secret_hash, letter \
    FROM request";

/// Reads a request's columns.
fn request(row: &Row<'_>) -> rusqlite::Result<RequestRow> {
    Ok(RequestRow {
        number: row.get(0)?,
        state: row.get(1)?,
        open: row.get(2)?,
        kind: row.get(3)?,
        class: row.get(4)?,
        name: row.get(5)?,
        zone: row.get(6)?,
        office: row.get(7)?,
        revision: row.get(8)?,
        holder_id: row.get(9)?,
        holder: row.get(10)?,
        due_ms: row.get(11)?,
        starts_ms: row.get(12)?,
        submitted_ms: row.get(13)?,
        changed_ms: row.get(14)?,
        ended_ms: row.get(15)?,
        secret_hash: row.get(16)?,
        letter: row.get(17)?,
    })
}

impl RequestRow {
    /// Its place in the order of the queue.
    pub fn rank(&self) -> i64 {
        self.due_ms.unwrap_or(i64::MAX)
    }
}

//------------ Reading -------------------------------------------------------

impl Reader<'_> {
    /// Number, state and revision of every request, for the verifier.
    pub fn request_states(&self) -> Result<Vec<(String, String, u32)>, StoreError> {
        let mut statement = self.0.prepare("SELECT number, state, revision FROM request")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A request's columns and its sealed body.
    pub fn request(&self, number: &str) -> Result<Option<(RequestRow, Vec<u8>)>, StoreError> {
        let sql = REQUEST.replace(" FROM request", ", body FROM request WHERE number = $1");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_row([number], |row| Ok((request(row)?, row.get(18)?))).optional()?)
    }

    /// A page of requests in the order of the queue.
    pub fn requests(&self, filter: &RequestFilter) -> Result<Vec<RequestRow>, StoreError> {
        let (wheres, mut values) = conditions(filter);
        let mut sql = format!("{REQUEST} WHERE {wheres}");
        if let Some((rank, number)) = &filter.after {
            let at = values.len();
            sql.push_str(&format!(" AND (rank, number) > (${}, ${})", at + 1, at + 2));
            values.extend([Value::from(*rank), Value::from(number.clone())]);
        }
        sql.push_str(&format!(" ORDER BY rank, number LIMIT ${}", values.len() + 1));
        values.push(rows_max(filter.limit).into());
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), request)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many requests a filter has, its limit and place aside.
    pub fn request_count(&self, filter: &RequestFilter) -> Result<u64, StoreError> {
        let (wheres, values) = conditions(filter);
        let sql = format!("SELECT count(*) FROM request WHERE {wheres}");
        let mut statement = self.0.prepare_cached(&sql)?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Open requests on a name.
    pub fn open_requests_on(&self, name: &str) -> Result<Vec<RequestRow>, StoreError> {
        let sql = format!("{REQUEST} WHERE name = $1 AND open = 1 ORDER BY submitted_ms");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([name], request)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every request's row that has a state, for timers.
    pub fn requests_in(&self, state: &str) -> Result<Vec<RequestRow>, StoreError> {
        let sql = format!("{REQUEST} WHERE state = $1 ORDER BY rank, number");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([state], request)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Requests whose contact is still held although nothing about their name, which is not promised to
    /// anybody now, has happened since a time; the oldest first.
    pub fn requests_past_contact(
        &self,
        quiet_since_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT number FROM request AS r WHERE r.submitted_ms < $1 AND EXISTS (\
                 SELECT 1 FROM event JOIN personal USING (sequence) \
                 WHERE subject = 'request:' || r.number) \
             AND NOT EXISTS (SELECT 1 FROM request AS other \
                 WHERE other.name = r.name AND (other.open = 1 OR other.changed_ms >= $1)) \
             AND NOT EXISTS (SELECT 1 FROM live_record AS l WHERE l.name = r.name \
                 AND l.state IN ('held', 'live', 'reconfirming', 'suspended')) \
             ORDER BY r.submitted_ms, r.number LIMIT $2",
        )?;
        let rows =
            statement.query_map(params![quiet_since_ms, rows_max(limit)], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Requests that came in within a time, in order; for reports.
    pub fn requests_between(&self, from: i64, to: i64) -> Result<Vec<RequestRow>, StoreError> {
        let sql = format!(
            "{REQUEST} WHERE submitted_ms >= $1 AND submitted_ms < $2 ORDER BY submitted_ms, number"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([from, to], request)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The sealed data of one revision, its letter, and when it came.
    pub fn revision(
        &self,
        number: &str,
        revision: u32,
    ) -> Result<Option<(Vec<u8>, Option<String>, i64)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT body, letter, at_ms FROM revision WHERE number = $1 AND revision = $2",
        )?;
        Ok(statement
            .query_row(params![number, revision], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?)
    }

    /// A letter.
    pub fn letter(&self, id: &str) -> Result<Option<AttachmentRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, request, media, octets, sha256, file, at_ms, erased_ms FROM letter \
             WHERE id = $1",
        )?;
        Ok(statement.query_row([id], letter).optional()?)
    }

    /// The letter kept in a file.
    pub fn letter_by_file(&self, file: &str) -> Result<Option<AttachmentRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, request, media, octets, sha256, file, at_ms, erased_ms FROM letter \
             WHERE file = $1",
        )?;
        Ok(statement.query_row([file], letter).optional()?)
    }

    /// All letters of a request, the oldest first.
    pub fn letters_of(&self, request: &str) -> Result<Vec<AttachmentRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, request, media, octets, sha256, file, at_ms, erased_ms FROM letter \
             WHERE request = $1 ORDER BY at_ms",
        )?;
        let rows = statement.query_map([request], letter)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the probe found last for a revision: when, and its JSON.
    pub fn probe_result(
        &self,
        number: &str,
        revision: u32,
    ) -> Result<Option<(i64, String)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT at_ms, body FROM probe_result WHERE number = $1 AND revision = $2",
        )?;
        Ok(statement
            .query_row(params![number, revision], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// What a party's link is for: request and key, if it can still be used.
    pub fn party_link(
        &self,
        token_hash: &str,
        now_ms: i64,
    ) -> Result<Option<(String, String)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT request, party_key FROM party_link \
             WHERE token_hash = $1 AND used_ms IS NULL AND ends_ms > $2",
        )?;
        Ok(statement
            .query_row(params![token_hash, now_ms], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }
}

/// Reads a letter.
fn letter(row: &Row<'_>) -> rusqlite::Result<AttachmentRow> {
    Ok(AttachmentRow {
        id: row.get(0)?,
        request: row.get(1)?,
        media: row.get(2)?,
        octets: row.get::<_, i64>(3)?.unsigned_abs(),
        sha256: row.get(4)?,
        file: row.get(5)?,
        at_ms: row.get(6)?,
        erased_ms: row.get(7)?,
    })
}

/// The conditions of a filter, and their values in order.
fn conditions(filter: &RequestFilter) -> (String, Vec<Value>) {
    let mut wheres = vec!["1 = 1".to_owned()];
    let mut values = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        wheres.push(condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(state) = &filter.state {
        add("state = ?", state.clone().into());
    }
    if let Some(open) = filter.open {
        add("open = ?", i64::from(open).into());
    }
    if let Some(holder) = &filter.holder_id {
        add("holder_id = ?", holder.clone().into());
    }
    if let Some(before) = filter.due_before_ms {
        add("rank < ?", before.into());
    }
    if filter.resubmitted {
        add("revision > ?", 1_i64.into());
    }
    if let Some(text) = filter.text.as_ref().filter(|text| !text.trim().is_empty()) {
        let plain = text.trim().to_lowercase().replace(['%', '_', '\\'], " ");
        add("lower(name || ' ' || number || ' ' || office) LIKE ?", format!("%{plain}%").into());
    }
    (wheres.join(" AND "), values)
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// The next serial of a year, from 1 without gaps: it is given back if the transaction fails.
    pub fn next_request_serial(&self, year: i32) -> Result<i64, StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO request_year (year, last) VALUES ($1, 1) \
             ON CONFLICT (year) DO UPDATE SET last = last + 1 RETURNING last",
        )?;
        Ok(statement.query_row([year], |row| row.get(0))?)
    }

    /// Adds a request.
    pub fn insert_request(
        &self,
        row: &RequestRow,
        year: i32,
        serial: i64,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO request (number, year, serial, state, open, kind, class, name, zone, \
             office, revision, holder_id, holder, due_ms, rank, starts_ms, submitted_ms, \
             changed_ms, ended_ms, secret_hash, letter, body) VALUES ($1, $2, $3, $4, $5, $6, $7, \
             $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        )?;
        statement.execute(params![
            row.number,
            year,
            serial,
            row.state,
            row.open,
            row.kind,
            row.class,
            row.name,
            row.zone,
            row.office,
            row.revision,
            row.holder_id,
            row.holder,
            row.due_ms,
            row.rank(),
            row.starts_ms,
            row.submitted_ms,
            row.changed_ms,
            row.ended_ms,
            row.secret_hash,
            row.letter,
            body,
        ])?;
        Ok(())
    }

    /// Writes a request as it is now; number, kind and zone never change.
    pub fn update_request(&self, row: &RequestRow, body: &[u8]) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "UPDATE request SET state = $1, open = $2, class = $3, name = $4, office = $5, \
             revision = $6, holder_id = $7, holder = $8, due_ms = $9, rank = $10, starts_ms = $11, \
             changed_ms = $12, ended_ms = $13, secret_hash = $14, letter = $15, body = $16 \
             WHERE number = $17",
        )?;
        statement.execute(params![
            row.state,
            row.open,
            row.class,
            row.name,
            row.office,
            row.revision,
            row.holder_id,
            row.holder,
            row.due_ms,
            row.rank(),
            row.starts_ms,
            row.changed_ms,
            row.ended_ms,
            row.secret_hash,
            row.letter,
            body,
            row.number,
        ])?;
        Ok(())
    }

    /// Keeps a revision as it came in.
    pub fn put_revision(
        &self,
        number: &str,
        revision: u32,
        at_ms: i64,
        letter: Option<&str>,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let mut statement = self.0.0.prepare_cached(
            "INSERT INTO revision (number, revision, at_ms, letter, body) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (number, revision) DO UPDATE SET body = excluded.body",
        )?;
        statement.execute(params![number, revision, at_ms, letter, body])?;
        Ok(())
    }

    /// Keeps a letter's row.
    pub fn put_letter(&self, row: &AttachmentRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO letter (id, request, media, octets, sha256, file, at_ms, erased_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (id) DO UPDATE SET erased_ms = excluded.erased_ms",
            params![
                row.id,
                row.request,
                row.media,
                rows_max(usize::try_from(row.octets).unwrap_or(usize::MAX)),
                row.sha256,
                row.file,
                row.at_ms,
                row.erased_ms,
            ],
        )?;
        Ok(())
    }

    /// Keeps what the probe found, in the place of what it found before.
    pub fn put_probe_result(
        &self,
        number: &str,
        revision: u32,
        at_ms: i64,
        body: &str,
    ) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO probe_result (number, revision, at_ms, body) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (number) DO UPDATE SET revision = excluded.revision, \
             at_ms = excluded.at_ms, body = excluded.body",
            params![number, revision, at_ms, body],
        )?;
        Ok(())
    }

    /// Keeps a link for another party.
    pub fn put_party_link(
        &self,
        token_hash: &str,
        request: &str,
        party_key: &str,
        ends_ms: i64,
    ) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO party_link (token_hash, request, party_key, ends_ms) \
             VALUES ($1, $2, $3, $4)",
            params![token_hash, request, party_key, ends_ms],
        )?;
        Ok(())
    }

    /// Uses up all links of one question.
    pub fn use_party_links(&self, party_key: &str, now_ms: i64) -> Result<(), StoreError> {
        self.0.0.execute(
            "UPDATE party_link SET used_ms = $1 WHERE party_key = $2 AND used_ms IS NULL",
            params![now_ms, party_key],
        )?;
        Ok(())
    }

    /// Forgets status secrets of requests that ended before a time; gives how many.
    pub fn forget_secrets(&self, ended_before_ms: i64) -> Result<usize, StoreError> {
        Ok(self.0.0.execute(
            "UPDATE request SET secret_hash = NULL \
             WHERE secret_hash IS NOT NULL AND ended_ms < $1",
            [ended_before_ms],
        )?)
    }
}
