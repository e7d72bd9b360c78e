//! Lists that an administrator changes on pages: looked at first, then applied, each as a version of its own
//! with one event. Nothing is lost: a former version is put back by making it the newest.
//!
//! ```text
//! form, import, former version ─► propose_list ─► list_change: diff, what it touches
//!                                                 apply_list ─► version, event, due times (one transaction)
//!                                                            ─► settle: in force
//! ```
//! A crash between the two leaves the version on disk, and the next start puts it in force.

mod effect;

pub use effect::{Effect, MovedDue, Touched};

use super::office::WORKING_TIME;
use super::settings::Settings;
use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::digest::sha256_hex;
use crate::queue::fault::Stale;
use crate::queue::labels::clean_text;
use crate::queue::lists::{Diff, List, RowFault, Table};
use crate::queue::time::DAY_MS;
use crate::queue::{Actor, Deed, Fault, Role, Rule, TransitionError};
use crate::store::lists::{ProposalRow, VersionRow};
use crate::store::{StoreError, Tx};

/// The subject of events about lists that do not say when the office works.
const LISTS: &str = "settings:list";
/// How long a change may be looked at before it is applied, in milliseconds.
const PROPOSAL_MS: i64 = DAY_MS;
/// Changes of one person that wait to be applied.
const PROPOSALS_MAX: i64 = 200;
/// Former versions that are shown.
const VERSIONS_SHOWN: i64 = 100;
/// Longest reason, in characters.
const REASON_MAX: usize = 200;
/// A list with more rows than this asks twice before more than half of it goes.
const SHRINKS_FROM: usize = 4;

/// Where the content of a list comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ListOrigin {
    /// The program.
    Shipped,
    /// The settings file.
    File,
    /// A page.
    Page,
}

/// A list as it is in force.
#[derive(Clone, Debug)]
pub struct ListView {
    /// Its rows.
    pub table: Table,
    /// Where they come from.
    pub origin: ListOrigin,
    /// The newest version that was made on a page, whether it is in force or went back to the file.
    pub version: Option<VersionRow>,
    /// Whether the settings file gives the list.
    pub in_file: bool,
}

/// A change of a list that was looked at, and may have been applied.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which list.
    pub list: List,
    /// Its rows now.
    pub before: Table,
    /// Its rows afterwards.
    pub after: Table,
    /// What differs.
    pub diff: Diff,
    /// Whether it goes back to what the settings file or the program says.
    pub goes_back: bool,
    /// Whether so much goes that it is asked twice.
    pub shrinks: bool,
    /// The version it has become.
    pub applied: Option<i64>,
    /// Who changed the list since it was made, if somebody did.
    pub overtaken: Option<VersionRow>,
    /// Whether the list is another one than it was made from.
    pub is_stale: bool,
}

impl Desk {
    /// A list as it is in force.
    pub fn list_in_force(&self, list: List) -> ListView {
        let settings = self.settings();
        let version = settings.version(list).cloned();
        let on_page = version.as_ref().is_some_and(|row| row.body.is_some());
        let in_file = settings.is_in_file(list);
        let origin = match (on_page, in_file) {
            (true, _) => ListOrigin::Page,
            (false, true) => ListOrigin::File,
            (false, false) => ListOrigin::Shipped,
        };
        ListView { table: settings.basis.table(list), origin, version, in_file }
    }

    /// Former versions of a list, the newest first.
    pub fn list_versions(&self, list: List) -> Result<Vec<VersionRow>, ActError> {
        self.read(|reader| Ok(reader.list_versions(list, VERSIONS_SHOWN)?))
    }

    /// The rows of a former version, for the administrator; none where it went back to the settings file or
    /// the program.
    pub fn list_at(
        &self,
        list: List,
        version: i64,
        actor: &Actor,
    ) -> Result<Option<Table>, ActError> {
        self.may_change_lists(actor)?;
        let row = self.read(|reader| Ok(reader.list_version(list, version)?))?;
        let row = row.ok_or(ActError::NotFound)?;
        row.body.map(|body| Table::read(list, &body, "").map_err(refused)).transpose()
    }

    /// Keeps a change under an id that nobody can guess, to be looked at; no table goes back to what the
    /// settings file or the program says.
    pub fn propose_list(
        &self,
        id: &str,
        list: List,
        table: Option<&Table>,
        actor: &Actor,
    ) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        ledger.store.write(|tx| {
            let current = ledger.current(tx, actor)?;
            let by = current.capacity(Role::Operator, now).ok_or(ActError::NotAllowed)?;
            tx.drop_list_proposals(now - PROPOSAL_MS)?;
            if tx.list_proposals_of(by.person())? >= PROPOSALS_MAX {
                return Err(ActError::Limit(super::PublicLimit::Drafts));
            }
            let before = Settings::clone(&self.settings()).with(tx.lists()?).basis.table(list);
            Ok(tx.add_list_proposal(&ProposalRow {
                id: id.to_owned(),
                list,
                body: table.map(Table::text),
                before_sha256: before.sha256(),
                person: by.person().to_owned(),
                at_ms: now,
            })?)
        })
    }

    /// Only the administrator looks at changes of lists.
    fn may_change_lists(&self, actor: &Actor) -> Result<(), ActError> {
        actor.capacity(Role::Operator, self.now()).map(drop).ok_or(ActError::NotAllowed)
    }

    /// A change as it would be applied now, or was, for the administrator.
    pub fn list_change(&self, id: &str, actor: &Actor) -> Result<Change, ActError> {
        self.may_change_lists(actor)?;
        let settings = self.settings();
        self.read(|reader| {
            if let Some(done) = reader.list_version_of(id)? {
                let table = settings.basis.table(done.list);
                return Ok(Change {
                    list: done.list,
                    before: table.clone(),
                    after: table,
                    diff: Diff::default(),
                    goes_back: done.body.is_none(),
                    shrinks: false,
                    applied: Some(done.version),
                    overtaken: None,
                    is_stale: false,
                });
            }
            let row = reader.list_proposal(id)?.ok_or(ActError::NotFound)?;
            change_of(&settings, &row)
        })
    }

    /// Applies a change; one that was applied already stays as it is. Returns the list and its version.
    pub fn apply_list(
        &self,
        id: &str,
        (reason, is_sure): (&str, bool),
        actor: &Actor,
    ) -> Result<(List, i64), ActError> {
        let reason = clean_text(reason);
        if reason.chars().count() > REASON_MAX {
            let fault = Fault::new("reason", Rule::TooLong, REASON_MAX.to_string());
            return Err(TransitionError::Incomplete(vec![fault]).into());
        }
        let store = &self.0.ledger.store;
        let done = store.write(|tx| self.apply_in(tx, id, (&reason, is_sure), actor));
        // In force is what is on disk, whatever came of it.
        let settled = self.settle();
        let done = done?;
        settled.map(|()| done)
    }

    /// The transaction of a change.
    fn apply_in(
        &self,
        tx: &Tx<'_>,
        id: &str,
        (reason, is_sure): (&str, bool),
        actor: &Actor,
    ) -> Result<(List, i64), ActError> {
        let ledger = &self.0.ledger;
        let now = ledger.now();
        let current = ledger.current(tx, actor)?;
        let by = current.capacity(Role::Operator, now).ok_or(ActError::NotAllowed)?;
        if let Some(done) = tx.list_version_of(id)? {
            return Ok((done.list, done.version));
        }
        let row = tx.list_proposal(id)?.ok_or(ActError::NotFound)?;
        let settings = Settings::clone(&self.settings()).with(tx.lists()?);
        let change = change_of(&settings, &row)?;
        if change.is_stale {
            return Err(TransitionError::Stale(Stale::List).into());
        }
        if change.shrinks && !is_sure {
            let removed = change.diff.removed.len().to_string();
            let fault = Fault::new("sure", Rule::ListShrinks, removed);
            return Err(TransitionError::Incomplete(vec![fault]).into());
        }
        let version = settings.version(row.list).map_or(0, |row| row.version) + 1;
        let (person, list) = (by.person().to_owned(), row.list);
        tx.add_list_version(&VersionRow {
            list,
            version,
            body: row.body,
            proposal: row.id,
            person: person.clone(),
            at_ms: now,
            reason: reason.to_owned(),
        })?;
        tx.drop_list_proposal(id)?;
        let basis = settings.basis.with(&change.after);
        let subject = if list.is_of_time() { WORKING_TIME } else { LISTS };
        let role = by.role.as_str();
        let mut event = NewEvent::new(now, &person, role, Deed::ListChanged, subject)
            .with("list", list)
            .with("version", version)
            .with("before_sha256", change.before.sha256())
            .with("after_sha256", change.after.sha256())
            .with("rows", change.after.rows().len())
            .with("added", change.diff.added.len())
            .with("removed", change.diff.removed.len())
            .with("replaced", change.diff.changed.len());
        if !reason.is_empty() {
            event = event.with("reason", reason);
        }
        if list.is_of_time() {
            // The table of working time as a whole, by which a start or a reload knows it again.
            event = event.with("sha256", sha256_hex(basis.calendar.canonical()));
            ledger.set_calendar(basis.calendar);
            self.recompute_in(tx)?;
        }
        ledger.note(tx, event)?;
        Ok((list, version))
    }

    /// Drops changes that nobody applied.
    pub(super) fn retain_list_proposals(&self) -> Result<(), ActError> {
        let before = self.now() - PROPOSAL_MS;
        self.0.ledger.store.write::<_, StoreError>(|tx| tx.drop_list_proposals(before))?;
        Ok(())
    }
}

/// A change as it would be applied to the settings.
fn change_of(settings: &Settings, row: &ProposalRow) -> Result<Change, ActError> {
    let list = row.list;
    let before = settings.basis.table(list);
    let after = match &row.body {
        Some(body) => Table::read(list, body, "").map_err(refused)?,
        None => settings.of_file(list),
    };
    let diff = Diff::between(&before, &after);
    let (had, removed) = (before.rows().len(), diff.removed.len());
    let is_stale = before.sha256() != row.before_sha256;
    Ok(Change {
        list,
        shrinks: removed > 0
            && (after.rows().is_empty() || had > SHRINKS_FROM && removed * 2 > had),
        overtaken: settings.version(list).filter(|_| is_stale).cloned(),
        goes_back: row.body.is_none(),
        applied: None,
        before,
        after,
        diff,
        is_stale,
    })
}

/// The error of rows that do not read.
fn refused(faults: Vec<RowFault>) -> ActError {
    TransitionError::Incomplete(faults.into_iter().map(|it| it.fault).collect()).into()
}
