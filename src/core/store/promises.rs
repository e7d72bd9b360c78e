//! Rows of the rooms `ledger` and `promote`: live records, promotions, notices.

use super::sql::{insert, limit, params, row, select, sql, statements, upsert};
use super::words::PromotionState;
use super::{Reader, StoreError, Tx};
use crate::queue::{LiveState, NamingClass, NoticeState, Origin};

//------------ Rows ----------------------------------------------------------

row! {
    /// The columns of a live record, with its sealed body.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct LiveRow = "live_record" {
        /// The absolute name, lower case.
        [key] pub name: String,
        /// The zone.
        [fixed] pub zone: String,
        /// The state.
        pub state: LiveState,
        /// The office.
        pub office: String,
        /// The class.
        pub class: Option<NamingClass>,
        /// Where it comes from.
        pub origin: Origin,
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
}

row! {
    /// One promotion.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct PromotionRow = "promotion" {
        /// Hash of number, revision, candidate and attempt.
        [key] pub id: String,
        /// The request; empty for an emergency suspension.
        [fixed] pub request: String,
        /// From 1.
        [fixed] pub attempt: u32,
        /// The zone.
        [fixed] pub zone: String,
        /// What became of it.
        pub state: PromotionState,
        /// The serial before.
        [fixed] pub serial_from: Option<u32>,
        /// The serial that carries it.
        [fixed] pub serial_to: u32,
        /// When it was committed.
        [fixed] pub at_ms: i64,
        /// JSON of `promote`: what is to be found, and what undoes it.
        [fixed] pub plan: String,
        /// JSON of `promote`: questions and answers.
        pub proof: Option<String>,
        /// When it was settled.
        pub settled_ms: Option<i64>,
    }
}

row! {
    /// A notice with its sealed body.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct NoticeRow = "notice" {
        /// Its id.
        [key] pub id: String,
        /// The request it is about.
        [fixed] pub request: Option<String>,
        /// The state.
        pub state: NoticeState,
        /// Whether it goes to the applicant.
        [fixed] pub to_applicant: bool,
        /// When to try next.
        pub next_try_ms: i64,
        /// When it was written.
        [fixed] pub queued_ms: i64,
        /// The notice, sealed.
        pub body: Vec<u8>,
    }
}

//------------ Statements ----------------------------------------------------

statements! {
    // Where the state is glued to nothing, it is not what the rows are found by: few have a time, and many are live.
    LIVE_STATES = sql("SELECT name, state, origin = 'import' FROM live_record");
    LIVE = select::<LiveRow>("WHERE name = $1");
    LIVE_AFTER = select::<LiveRow>("WHERE name > $1 AND state <> 'free' \
        AND NOT (origin = 'import' AND request IS NULL AND state = 'live') \
        ORDER BY name LIMIT $2");
    LIVE_IN_STATE = select::<LiveRow>("WHERE name > $1 AND state = $2 \
        AND NOT (origin = 'import' AND request IS NULL AND state = 'live') \
        ORDER BY name LIMIT $3");
    PROMISED = select::<LiveRow>("WHERE zone = $1 AND name > $2 AND request IS NOT NULL \
        AND state IN ('live', 'reconfirming') ORDER BY name LIMIT $3");
    WITH_A_YEAR = select::<LiveRow>("WHERE name > $1 AND request IS NOT NULL \
        AND state IN ('live', 'reconfirming', 'suspended') ORDER BY name LIMIT $2");
    IMPORTS_KEPT = sql("SELECT name FROM live_record \
        WHERE origin = 'import' AND request IS NULL AND state = 'live' AND office = '' \
        AND NOT EXISTS (SELECT 1 FROM event WHERE subject = 'record:' || name \
            AND act IN ('owner_assigned', 'unlisted', 'listed')) LIMIT $1");
    DROP_LIVE = sql("DELETE FROM live_record WHERE name = $1");
    NAMES_OF_OFFICE = sql("SELECT name FROM live_record \
        WHERE office = $1 AND class = $2 AND name <> $3 \
        AND state IN ('live', 'reconfirming', 'held') LIMIT $4");
    ENDED = sql("SELECT name FROM live_record WHERE ends_ms <= $1 \
        AND state || '' IN ('live', 'reconfirming') ORDER BY ends_ms LIMIT $2");
    UNCONFIRMED = select::<LiveRow>("WHERE confirm_by_ms IS NOT NULL AND state || '' = 'suspended' \
        ORDER BY confirm_by_ms, name");
    QUARANTINES_OVER = sql("SELECT name FROM live_record WHERE state = 'quarantined' \
        AND quarantined_until_ms <= $1 ORDER BY quarantined_until_ms LIMIT $2");
    ALL_ASKED_FOR = sql("SELECT name, zone FROM live_record WHERE request IS NOT NULL");
    IS_KNOWN = sql("SELECT EXISTS (SELECT 1 FROM live_record WHERE name = $1)");
    PUT_LIVE = upsert::<LiveRow>(&[]);

    PROMOTION = select::<PromotionRow>("WHERE id = $1");
    PROMOTION_OF = select::<PromotionRow>("WHERE request = $1 ORDER BY attempt DESC LIMIT 1");
    UNSETTLED = select::<PromotionRow>("WHERE state = 'committed' ORDER BY at_ms, id");
    INSERT_PROMOTION = insert::<PromotionRow>(&[]);
    SETTLE_PROMOTION = sql("UPDATE promotion SET state = $1, proof = $2, settled_ms = $3 \
        WHERE id = $4");

    NOTICE = select::<NoticeRow>("WHERE id = $1");
    NOTICES_DUE = select::<NoticeRow>(
        "WHERE state = $1 AND next_try_ms <= $2 ORDER BY next_try_ms LIMIT $3");
    NOTICES_OF = select::<NoticeRow>("WHERE request = $1 ORDER BY queued_ms, id");
    PUT_NOTICE = upsert::<NoticeRow>(&[]);
}

//------------ Live records --------------------------------------------------

impl Reader<'_> {
    /// Name, state and whether it came with the zone file, of every live record; for the verifier.
    pub fn live_states(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        self.all(LIVE_STATES, [])
    }

    /// The live record of a name.
    pub fn live_record(&self, name: &str) -> Result<Option<LiveRow>, StoreError> {
        self.one(LIVE, [name])
    }

    /// Live records after a name, of one state or of all but free ones, in the order of the names.
    /// Names that follow the operator's file are not among them, also where a row of an older version
    /// is kept.
    pub fn live_records(
        &self,
        state: Option<LiveState>,
        after: &str,
        most: usize,
    ) -> Result<Vec<LiveRow>, StoreError> {
        match state {
            Some(state) => self.all(LIVE_IN_STATE, params![after, state, limit(most)]),
            None => self.all(LIVE_AFTER, params![after, limit(most)]),
        }
    }

    /// Live records of a zone that are to be served and that somebody asked for, after a name.
    pub fn promised_after(
        &self,
        zone: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<LiveRow>, StoreError> {
        self.all(PROMISED, params![zone, after, limit(most)])
    }

    /// Names that somebody asked for and that are in use or suspended, after a name.
    pub fn names_with_a_year(&self, after: &str, most: usize) -> Result<Vec<LiveRow>, StoreError> {
        self.all(WITH_A_YEAR, params![after, limit(most)])
    }

    /// Names of the operator's file of which an older version kept a row.
    pub fn imports_kept(&self, most: usize) -> Result<Vec<String>, StoreError> {
        self.all(IMPORTS_KEPT, [limit(most)])
    }

    /// Some names of a class that an office has in use, without one of them.
    pub fn names_of_office(
        &self,
        office: &str,
        class: NamingClass,
        without: &str,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.all(NAMES_OF_OFFICE, params![office, class, without, limit(most)])
    }

    /// Names in the zone whose approved end has come.
    pub fn live_records_ended(&self, now_ms: i64, most: usize) -> Result<Vec<String>, StoreError> {
        self.all(ENDED, params![now_ms, limit(most)])
    }

    /// Suspended names that wait for the second officer, the one that waits longest first.
    pub fn unconfirmed_suspensions(&self) -> Result<Vec<LiveRow>, StoreError> {
        self.all(UNCONFIRMED, [])
    }

    /// Names whose quarantine is over.
    pub fn quarantines_over(&self, now_ms: i64, most: usize) -> Result<Vec<String>, StoreError> {
        self.all(QUARANTINES_OVER, params![now_ms, limit(most)])
    }

    /// Whether a name has a row.
    pub fn is_known(&self, name: &str) -> Result<bool, StoreError> {
        self.only(IS_KNOWN, [name])
    }

    /// Name and zone of everything somebody asked for.
    pub fn all_asked_for(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.all(ALL_ASKED_FOR, [])
    }
}

impl Tx<'_> {
    /// Writes a live record, new or changed.
    pub fn put_live_record(&self, row: &LiveRow) -> Result<(), StoreError> {
        self.put(PUT_LIVE, row, &[])
    }

    /// Drops the row of a name.
    pub fn drop_live_record(&self, name: &str) -> Result<(), StoreError> {
        self.run(DROP_LIVE, [name]).map(drop)
    }
}

//------------ Promotions ----------------------------------------------------

impl Reader<'_> {
    /// A promotion.
    pub fn promotion(&self, id: &str) -> Result<Option<PromotionRow>, StoreError> {
        self.one(PROMOTION, [id])
    }

    /// The newest promotion of a request.
    pub fn promotion_of(&self, request: &str) -> Result<Option<PromotionRow>, StoreError> {
        self.one(PROMOTION_OF, [request])
    }

    /// Promotions that were committed and have no outcome yet, in order.
    pub fn unsettled_promotions(&self) -> Result<Vec<PromotionRow>, StoreError> {
        self.all(UNSETTLED, [])
    }
}

impl Tx<'_> {
    /// Adds a promotion; an id that is there already is an error, and so the second of two presses
    /// fails here at the latest.
    pub fn insert_promotion(&self, row: &PromotionRow) -> Result<(), StoreError> {
        self.put(INSERT_PROMOTION, row, &[])
    }

    /// Writes the outcome of a promotion.
    pub fn settle_promotion(
        &self,
        id: &str,
        state: PromotionState,
        proof: &str,
        settled_ms: i64,
    ) -> Result<(), StoreError> {
        self.run(SETTLE_PROMOTION, params![state, proof, settled_ms, id]).map(drop)
    }
}

//------------ Notices -------------------------------------------------------

impl Reader<'_> {
    /// A notice.
    pub fn notice(&self, id: &str) -> Result<Option<NoticeRow>, StoreError> {
        self.one(NOTICE, [id])
    }

    /// Notices of a state whose time has come, the oldest first.
    pub fn notices_due(
        &self,
        state: NoticeState,
        now_ms: i64,
        most: usize,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        self.all(NOTICES_DUE, params![state, now_ms, limit(most)])
    }

    /// All notices of a request, the oldest first.
    pub fn notices_of(&self, request: &str) -> Result<Vec<NoticeRow>, StoreError> {
        self.all(NOTICES_OF, [request])
    }
}

impl Tx<'_> {
    /// Writes a notice, new or changed.
    pub fn put_notice(&self, row: &NoticeRow) -> Result<(), StoreError> {
        self.put(PUT_NOTICE, row, &[])
    }
}

//------------ Tests ---------------------------------------------------------

#[cfg(any(test, feature = "testing"))]
impl LiveRow {
    /// A live name of the operator's file, as versions before 0.2 kept one.
    pub fn imported(name: &str, zone: &str, body: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            zone: zone.to_owned(),
            state: LiveState::Live,
            office: String::new(),
            class: None,
            origin: Origin::Import,
            request: None,
            ends_ms: None,
            confirm_by_ms: None,
            quarantined_until_ms: None,
            body,
        }
    }
}
