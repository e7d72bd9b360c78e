//! Rows of the rooms `ledger` and `desk`: requests, their revisions, numbers, letters, probe results, party links.
//!
//! The columns are what lists and searches need; the request itself is a sealed body, because it
//! names persons. No rule is decided here.

use super::sql::{
    Column, Part, Sql, Text, insert, limit, params, row, select, select_with, sql, statements,
    update, upsert,
};
use super::value::Value;
use super::{Reader, StoreError, Tx};
use crate::queue::{Ground, Kind, NamingClass, Phase, State};

//------------ Rows ----------------------------------------------------------

row! {
    /// What lists show of a request.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct RequestRow = "request" {
        /// The number.
        [key] pub number: String,
        /// The state.
        pub state: State,
        /// Whether it still works towards a decision or a promotion.
        pub open: bool,
        /// The kind.
        [fixed] pub kind: Kind,
        /// The class.
        pub class: NamingClass,
        /// The absolute name.
        pub name: String,
        /// The zone.
        [fixed] pub zone: String,
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
        [fixed] pub submitted_ms: i64,
        /// The last accepted act.
        pub changed_ms: i64,
        /// When it ended, for retention.
        pub ended_ms: Option<i64>,
        /// SHA-256 of number and secret.
        pub secret_hash: Option<String>,
        /// The letter of the current revision.
        pub letter: Option<String>,
        /// When an officer first took it.
        pub taken_ms: Option<i64>,
        /// The phase it is in, the time aside; none in rows of an earlier version.
        pub phase: Option<Phase>,
        /// Why gapura asked for it by itself; none where an office did.
        [fixed] pub raised: Option<Ground>,
    }
}

/// Which requests a list shows; every part that is set narrows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestFilter {
    /// The states; any if there is none.
    pub states: Vec<State>,
    /// Only open ones, or only those that are not.
    pub open: Option<bool>,
    /// The classes; any if there is none.
    pub classes: Vec<NamingClass>,
    /// The kinds; any if there is none.
    pub kinds: Vec<Kind>,
    /// The numbers; any if there is none.
    pub numbers: Vec<String>,
    /// Person id of the holder; empty: nobody holds it.
    pub holder_id: Option<String>,
    /// Only what waits for somebody.
    pub waits_for: Option<WaitsFor>,
    /// Account name of the holder.
    pub holder: Option<String>,
    /// The office, in any case.
    pub office: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// The absolute name.
    pub name: Option<String>,
    /// Only those that came in at this time or later.
    pub submitted_from_ms: Option<i64>,
    /// Only those that came in before this time.
    pub submitted_before_ms: Option<i64>,
    /// Only those on which an act was accepted at this time or later.
    pub changed_from_ms: Option<i64>,
    /// Only those due before this time.
    pub due_before_ms: Option<i64>,
    /// Only those sent again at least once.
    pub resubmitted: bool,
    /// A part of the name, number or office.
    pub text: Option<String>,
    /// The order.
    pub sort: Sort,
    /// After this place in the order: its column and number of the last one shown.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: usize,
}

/// What waits for somebody: whatever is in one of these phases, and what these persons hold in one of
/// those.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WaitsFor {
    /// Phases in which it waits for their role, whoever holds it.
    pub phases: Vec<Phase>,
    /// Person ids of the holders whose requests wait for them.
    pub holders: Vec<String>,
    /// Phases in which a request waits for its holder.
    pub held: Vec<Phase>,
    /// The time: what is to be promoted later waits for nobody.
    pub now_ms: i64,
}

/// How many open requests are in a phase with a holder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldCount {
    /// The phase.
    pub phase: Phase,
    /// Account name of the holder.
    pub holder: Option<String>,
    /// How many there are.
    pub count: u64,
    /// How many of them are past their due time.
    pub late: u64,
}

/// The order of a list. Only the time of arrival never changes: whoever walks through pages in another
/// order may miss what moves meanwhile.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// The least time left first.
    #[default]
    Due,
    /// As they came in.
    Submitted,
    /// The last accepted act, the oldest first: what changes moves to the end.
    Changed,
    /// As they came in, the newest first.
    Newest,
}

impl Sort {
    /// The column it goes by, how what comes later compares, and the way; the number tells equals
    /// apart.
    fn order(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Due => ("rank", ">", "ASC"),
            Self::Submitted => ("submitted_ms", ">", "ASC"),
            Self::Changed => ("changed_ms", ">", "ASC"),
            Self::Newest => ("submitted_ms", "<", "DESC"),
        }
    }
}

row! {
    /// A letter's row.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct AttachmentRow = "letter" {
        /// Its id.
        [key] pub id: String,
        /// The request.
        [fixed] pub request: String,
        /// Media type by content.
        [fixed] pub media: String,
        /// Octets.
        [fixed] pub octets: u64,
        /// SHA-256 of the file, in hexadecimal.
        [fixed] pub sha256: String,
        /// File name below the directory of letters.
        [fixed] pub file: String,
        /// When it came.
        [fixed] pub at_ms: i64,
        /// When the file was erased.
        pub erased_ms: Option<i64>,
    }
}

impl RequestRow {
    /// Its place in the order of the queue.
    pub fn rank(&self) -> i64 {
        self.due_ms.unwrap_or(i64::MAX)
    }

    /// Its place in an order.
    pub fn place(&self, sort: Sort) -> i64 {
        match sort {
            Sort::Due => self.rank(),
            Sort::Submitted | Sort::Newest => self.submitted_ms,
            Sort::Changed => self.changed_ms,
        }
    }
}

//------------ Statements ----------------------------------------------------

/// Columns of a request that its row does not hold.
const REQUEST_MORE: [Column; 4] = [
    Column::of(Part::Changes, "rank"),
    Column::of(Part::Changes, "body"),
    Column::of(Part::Fixed, "year"),
    Column::of(Part::Fixed, "serial"),
];

/// The beginning of a list; its conditions follow.
const LIST: &Text = &select::<RequestRow>("WHERE ");
/// The beginning of a count up to a limit; its conditions follow.
const COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM request WHERE ";

statements! {
    REQUEST_STATES = sql("SELECT number, state, revision FROM request");
    REQUEST = select_with::<RequestRow>(", body", "WHERE number = $1");
    OPEN_ON = select::<RequestRow>("WHERE name = $1 AND open = 1 ORDER BY submitted_ms");
    ON_NAME = select::<RequestRow>("WHERE name = $1 ORDER BY submitted_ms DESC, number DESC LIMIT $2");
    BLOCKING = sql("SELECT r.number FROM request AS r LEFT JOIN request_origin AS o USING (number) \
        WHERE r.name = $1 AND r.open = 1 AND r.number <> $2 AND r.raised IS NULL AND ((r.taken_ms, r.number) < ($3, $2) \
            OR (r.taken_ms IS NULL AND o.proven = 1 AND (r.submitted_ms, r.number) < ($4, $2))) \
        ORDER BY r.taken_ms IS NULL, r.taken_ms, r.submitted_ms LIMIT 1");
    WITHOUT_PHASE = sql("SELECT number FROM request WHERE open = 1 AND phase IS NULL");
    HELD = sql("SELECT CASE WHEN phase = 'verified' AND starts_ms > $1 THEN 'scheduled' \
            ELSE coalesce(phase, state) END, holder, count(*), count(CASE WHEN rank < $1 THEN 1 END) \
        FROM request \
        WHERE open = 1 GROUP BY 1, 2");
    IN_STATE = select::<RequestRow>("WHERE state = $1 ORDER BY rank, number");
    DUE_IN_STATE = select::<RequestRow>(
        "WHERE state = $1 AND rank <= $2 ORDER BY rank, number LIMIT $3");
    PAUSED_IN_STATE = select::<RequestRow>(
        "WHERE state = $1 AND rank = 9223372036854775807 ORDER BY number");
    // Whatever came before the end and had not come to rest before the beginning.
    AT_WORK = select::<RequestRow>(
        "WHERE submitted_ms < $1 AND (submitted_ms >= $2 OR changed_ms >= $2 OR ended_ms IS NULL) \
        ORDER BY submitted_ms, number");
    CAME = sql("SELECT count(*) FROM request WHERE submitted_ms >= $1 AND submitted_ms < $2");
    FIRST_REQUEST = sql("SELECT min(submitted_ms) FROM request");
    PAST_CONTACT = sql("SELECT number FROM request AS r WHERE r.submitted_ms < $1 AND EXISTS (\
            SELECT 1 FROM event JOIN personal USING (sequence) \
            WHERE subject = 'request:' || r.number) \
        AND NOT EXISTS (SELECT 1 FROM request AS other \
            WHERE other.name = r.name AND (other.open = 1 OR other.changed_ms >= $1)) \
        AND NOT EXISTS (SELECT 1 FROM live_record AS l WHERE l.name = r.name \
            AND l.state IN ('held', 'live', 'reconfirming', 'suspended')) \
        ORDER BY r.submitted_ms, r.number LIMIT $2");
    NEXT_SERIAL = sql("INSERT INTO request_year (year, last) VALUES ($1, 1) \
        ON CONFLICT (year) DO UPDATE SET last = request_year.last + 1 RETURNING last");
    INSERT_REQUEST = insert::<RequestRow>(&REQUEST_MORE);
    UPDATE_REQUEST = update::<RequestRow>(&REQUEST_MORE);
    REPLACE_SECRET = sql("UPDATE request SET secret_hash = $1 \
        WHERE number = $2 AND secret_hash IS NOT NULL");
    FORGET_SECRETS = sql("UPDATE request SET secret_hash = NULL \
        WHERE secret_hash IS NOT NULL AND ended_ms < $1");

    REVISION = sql("SELECT body, letter, at_ms FROM revision \
        WHERE number = $1 AND revision = $2");
    PUT_REVISION = sql("INSERT INTO revision (number, revision, at_ms, letter, body) \
        VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (number, revision) DO UPDATE SET body = excluded.body");

    LETTER = select::<AttachmentRow>("WHERE id = $1");
    LETTER_BY_FILE = select::<AttachmentRow>("WHERE file = $1");
    KEPT_LETTERS = select::<AttachmentRow>("WHERE erased_ms IS NULL ORDER BY at_ms, id");
    LETTERS_OF = select::<AttachmentRow>("WHERE request = $1 ORDER BY at_ms");
    PUT_LETTER = upsert::<AttachmentRow>(&[]);

    PROBE_RESULT = sql("SELECT at_ms, body FROM probe_result \
        WHERE number = $1 AND revision = $2");
    PUT_PROBE_RESULT = sql("INSERT INTO probe_result (number, revision, at_ms, body) \
        VALUES ($1, $2, $3, $4) \
        ON CONFLICT (number) DO UPDATE SET revision = excluded.revision, \
        at_ms = excluded.at_ms, body = excluded.body");

    PARTY_LINK = sql("SELECT request, party_key FROM party_link \
        WHERE token_hash = $1 AND used_ms IS NULL AND ends_ms > $2");
    PUT_PARTY_LINK = sql("INSERT INTO party_link (token_hash, request, party_key, ends_ms) \
        VALUES ($1, $2, $3, $4)");
    USE_PARTY_LINKS = sql("UPDATE party_link SET used_ms = $1 \
        WHERE party_key = $2 AND used_ms IS NULL");
}

//------------ Filter --------------------------------------------------------

/// A statement made of the conditions of a filter, and its values in order.
struct Question {
    /// The statement.
    text: String,
    /// The values of `$1`, `$2`, ….
    values: Vec<Value<'static>>,
}

impl Question {
    /// The conditions of a filter behind the beginning of a statement.
    fn of(begin: &str, filter: &RequestFilter) -> Self {
        let mut question = Self { text: format!("{begin}1 = 1"), values: Vec::new() };
        question.and_one_of("state", filter.states.iter().map(|it| it.as_str()));
        question.and_one_of("class", filter.classes.iter().map(|it| it.as_str()));
        question.and_one_of("kind", filter.kinds.iter().map(|it| it.as_str()));
        question.and_one_of("number", filter.numbers.iter().map(String::as_str));
        if let Some(open) = filter.open {
            question.and("open = ?", [i64::from(open).into()]);
        }
        match filter.holder_id.as_deref() {
            Some("") => question.and("holder_id IS NULL", []),
            Some(holder) => question.and("holder_id = ?", [holder.to_owned().into()]),
            None => {}
        }
        let texts = [
            ("holder = ?", &filter.holder),
            ("lower(office) = lower(?)", &filter.office),
            ("zone = ?", &filter.zone),
            ("name = ?", &filter.name),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                question.and(condition, [text.clone().into()]);
            }
        }
        let times = [
            ("submitted_ms >= ?", filter.submitted_from_ms),
            ("submitted_ms < ?", filter.submitted_before_ms),
            ("changed_ms >= ?", filter.changed_from_ms),
        ];
        for (condition, time) in times {
            if let Some(time) = time {
                question.and(condition, [time.into()]);
            }
        }
        if let Some(waits) = &filter.waits_for {
            question.and_waits_for(waits);
        }
        if let Some(before) = filter.due_before_ms {
            question.and("rank < ?", [before.into()]);
        }
        if filter.resubmitted {
            question.and("revision > 1", []);
        }
        if let Some(text) = filter.text.as_ref().filter(|text| !text.trim().is_empty()) {
            let plain = text.trim().to_lowercase().replace(['%', '_', '\\'], " ");
            let like = "lower(name || ' ' || number || ' ' || office) LIKE ?";
            question.and(like, [format!("%{plain}%").into()]);
        }
        question
    }

    /// Adds the condition that it waits for somebody.
    fn and_waits_for(&mut self, waits: &WaitsFor) {
        // Words of an enum need no parameters.
        let list = |phases: &[Phase]| {
            let words = phases.iter().map(|phase| format!("'{phase}'"));
            words.collect::<Vec<_>>().join(", ")
        };
        self.text.push_str(&format!(" AND (phase IN ({})", list(&waits.phases)));
        for holder in &waits.holders {
            let held = format!(
                " OR (holder_id = ? AND phase IN ({}) AND coalesce(starts_ms, 0) <= ?)",
                list(&waits.held)
            );
            self.push(&held, [holder.clone().into(), waits.now_ms.into()]);
        }
        self.text.push(')');
    }

    /// Adds the condition that a column is one of some words, if there are any.
    fn and_one_of<'w>(&mut self, column: &str, words: impl Iterator<Item = &'w str>) {
        let words: Vec<Value<'static>> = words.map(|word| word.to_owned().into()).collect();
        if words.is_empty() {
            return;
        }
        let places: Vec<String> =
            (1..=words.len()).map(|at| format!("${}", self.values.len() + at)).collect();
        self.text.push_str(&format!(" AND {column} IN ({})", places.join(", ")));
        self.values.extend(words);
    }

    /// Adds a condition.
    fn and<const N: usize>(&mut self, condition: &str, values: [Value<'static>; N]) {
        self.text.push_str(" AND ");
        self.push(condition, values);
    }

    /// Adds a part; each `?` in it becomes the next parameter.
    fn push<const N: usize>(&mut self, part: &str, values: [Value<'static>; N]) {
        let mut pieces = part.split('?');
        self.text.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.values.push(value);
            self.text.push_str(&format!("${}{piece}", self.values.len()));
        }
    }

    /// The statement.
    fn sql(&self) -> Sql<'_> {
        Sql(&self.text)
    }
}

//------------ Reading -------------------------------------------------------

impl Reader<'_> {
    /// Number, state and revision of every request, for the verifier.
    pub fn request_states(&self) -> Result<Vec<(String, String, u32)>, StoreError> {
        self.all(REQUEST_STATES, [])
    }

    /// A request's columns and its sealed body.
    pub fn request(&self, number: &str) -> Result<Option<(RequestRow, Vec<u8>)>, StoreError> {
        self.one(REQUEST, [number])
    }

    /// A page of requests in the order of the filter.
    pub fn requests(&self, filter: &RequestFilter) -> Result<Vec<RequestRow>, StoreError> {
        let mut question = Question::of(LIST.as_str(), filter);
        let (column, than, way) = filter.sort.order();
        if let Some((place, number)) = &filter.after {
            let later = format!("({column}, number) {than} (?, ?)");
            question.and(&later, [(*place).into(), number.clone().into()]);
        }
        let order = format!(" ORDER BY {column} {way}, number {way} LIMIT ?");
        question.push(&order, [limit(filter.limit).into()]);
        self.all(question.sql(), &question.values[..])
    }

    /// The count of requests a filter selects, its place aside; counting ends at its limit.
    pub fn request_count(&self, filter: &RequestFilter) -> Result<u64, StoreError> {
        let mut question = Question::of(COUNT, filter);
        question.push(" LIMIT ?) AS few", [limit(filter.limit).into()]);
        self.only(question.sql(), &question.values[..])
    }

    /// Open requests of an earlier version, whose phase was not kept.
    pub fn requests_without_phase(&self) -> Result<Vec<String>, StoreError> {
        self.all(WITHOUT_PHASE, [])
    }

    /// How many open requests are where.
    pub fn held_counts(&self, now_ms: i64) -> Result<Vec<HeldCount>, StoreError> {
        type Row = (Phase, Option<String>, u64, u64);
        let rows: Vec<Row> = self.all(HELD, [now_ms])?;
        let count = |(phase, holder, count, late): Row| HeldCount { phase, holder, count, late };
        Ok(rows.into_iter().map(count).collect())
    }

    /// Open requests on a name.
    pub fn open_requests_on(&self, name: &str) -> Result<Vec<RequestRow>, StoreError> {
        self.all(OPEN_ON, [name])
    }

    /// All requests on a name, the newest first.
    pub fn requests_on(&self, name: &str, most: usize) -> Result<Vec<RequestRow>, StoreError> {
        self.all(ON_NAME, params![name, limit(most)])
    }

    /// The open request on a name that a request has to give way to: one that an officer took before
    /// it; and while nobody has taken this one, an earlier one with a proven mailbox. What gapura asked for
    /// by itself stands in nobody's way. `number` sorts those of the same moment.
    pub fn blocking_request(
        &self,
        name: &str,
        number: &str,
        taken_ms: i64,
        submitted_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        self.one(BLOCKING, params![name, number, taken_ms, submitted_ms])
    }

    /// Every request's row that has a state, for timers.
    pub fn requests_in(&self, state: State) -> Result<Vec<RequestRow>, StoreError> {
        self.all(IN_STATE, [state])
    }

    /// Requests in a state whose running step is due by a time, the most urgent first.
    pub fn requests_due(
        &self,
        state: State,
        by_ms: i64,
        most: usize,
    ) -> Result<Vec<RequestRow>, StoreError> {
        self.all(DUE_IN_STATE, params![state, by_ms, limit(most)])
    }

    /// Requests in a state whose clock is paused.
    pub fn requests_paused(&self, state: State) -> Result<Vec<RequestRow>, StoreError> {
        self.all(PAUSED_IN_STATE, [state])
    }

    /// Requests whose contact is still kept although nothing about their name, which is promised to
    /// nobody now, has happened since a time; the oldest first.
    pub fn requests_past_contact(
        &self,
        quiet_since_ms: i64,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.all(PAST_CONTACT, params![quiet_since_ms, limit(most)])
    }

    /// Requests that may have been at work within a time, in the order they came; for reports.
    pub fn requests_at_work(&self, from: i64, to: i64) -> Result<Vec<RequestRow>, StoreError> {
        self.all(AT_WORK, [to, from])
    }

    /// How many requests came within a time.
    pub fn requests_came(&self, from: i64, to: i64) -> Result<u64, StoreError> {
        self.only(CAME, [from, to])
    }

    /// When the first request came, epoch milliseconds; none while there is none.
    pub fn first_request(&self) -> Result<Option<i64>, StoreError> {
        self.only(FIRST_REQUEST, [])
    }

    /// The sealed data of one revision, its letter, and when it came.
    pub fn revision(
        &self,
        number: &str,
        revision: u32,
    ) -> Result<Option<(Vec<u8>, Option<String>, i64)>, StoreError> {
        self.one(REVISION, params![number, revision])
    }

    /// A letter.
    pub fn letter(&self, id: &str) -> Result<Option<AttachmentRow>, StoreError> {
        self.one(LETTER, [id])
    }

    /// The letter kept in a file.
    pub fn letter_by_file(&self, file: &str) -> Result<Option<AttachmentRow>, StoreError> {
        self.one(LETTER_BY_FILE, [file])
    }

    /// All letters that are not erased, the oldest first.
    pub fn kept_letters(&self) -> Result<Vec<AttachmentRow>, StoreError> {
        self.all(KEPT_LETTERS, [])
    }

    /// All letters of a request, the oldest first.
    pub fn letters_of(&self, request: &str) -> Result<Vec<AttachmentRow>, StoreError> {
        self.all(LETTERS_OF, [request])
    }

    /// What the probe found last for a revision: when, and its JSON.
    pub fn probe_result(
        &self,
        number: &str,
        revision: u32,
    ) -> Result<Option<(i64, String)>, StoreError> {
        self.one(PROBE_RESULT, params![number, revision])
    }

    /// What a party's link is for: request and key, if it can still be used.
    pub fn party_link(
        &self,
        token_hash: &str,
        now_ms: i64,
    ) -> Result<Option<(String, String)>, StoreError> {
        self.one(PARTY_LINK, params![token_hash, now_ms])
    }
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Puts another status secret in the place of the one before; false where there is none any more.
    pub fn replace_secret(&self, number: &str, hash: &str) -> Result<bool, StoreError> {
        Ok(self.run(REPLACE_SECRET, [hash, number])? > 0)
    }

    /// The next serial of a year, from 1 without gaps: it is given back if the transaction fails.
    pub fn next_request_serial(&self, year: i32) -> Result<i64, StoreError> {
        self.only(NEXT_SERIAL, [year])
    }

    /// Adds a request.
    pub fn insert_request(
        &self,
        row: &RequestRow,
        year: i32,
        serial: i64,
        body: &[u8],
    ) -> Result<(), StoreError> {
        self.put(INSERT_REQUEST, row, &[&row.rank(), &body, &year, &serial])
    }

    /// Writes a request as it is now; number, kind, zone and time of arrival never change.
    pub fn update_request(&self, row: &RequestRow, body: &[u8]) -> Result<(), StoreError> {
        self.change(UPDATE_REQUEST, row, &[&row.rank(), &body])?;
        if row.open { Ok(()) } else { self.drop_origin(&row.number) }
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
        self.run(PUT_REVISION, params![number, revision, at_ms, letter, body]).map(drop)
    }

    /// Keeps a letter's row.
    pub fn put_letter(&self, row: &AttachmentRow) -> Result<(), StoreError> {
        let kept = |row: &AttachmentRow| {
            let octets = if row.erased_ms.is_none() { row.octets } else { 0 };
            i64::try_from(octets).unwrap_or(i64::MAX)
        };
        let before = self.letter(&row.id)?.as_ref().map_or(0, kept);
        self.put(PUT_LETTER, row, &[])?;
        self.add_letter_octets(kept(row) - before)
    }

    /// Keeps what the probe found, in the place of what it found before.
    pub fn put_probe_result(
        &self,
        number: &str,
        revision: u32,
        at_ms: i64,
        body: &str,
    ) -> Result<(), StoreError> {
        self.run(PUT_PROBE_RESULT, params![number, revision, at_ms, body]).map(drop)
    }

    /// Keeps a link for another party.
    pub fn put_party_link(
        &self,
        token_hash: &str,
        request: &str,
        party_key: &str,
        ends_ms: i64,
    ) -> Result<(), StoreError> {
        self.run(PUT_PARTY_LINK, params![token_hash, request, party_key, ends_ms]).map(drop)
    }

    /// Uses up all links of one question.
    pub fn use_party_links(&self, party_key: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(USE_PARTY_LINKS, params![now_ms, party_key]).map(drop)
    }

    /// Forgets status secrets of requests that ended before a time; returns the count.
    pub fn forget_secrets(&self, ended_before_ms: i64) -> Result<usize, StoreError> {
        self.run(FORGET_SECRETS, [ended_before_ms])
    }
}
