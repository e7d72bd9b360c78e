//! The proposal, which every cause of change produces: a file edit, a promotion, a rollback,
//! gapura's own records, and the reversal of a change that was not confirmed.

use std::sync::MutexGuard;

use crate::lock::lock;
use crate::publish::confirm::{Confirmation, Expectation};
use crate::publish::state::{Cause, Change, PublishError, RowEdit, Slot, ZoneSigning, ZoneState};
use crate::store::{StoreError, Tx};
use crate::zone::{Delta, Zone};

//------------ Proposal ------------------------------------------------------

/// What a zone is to become, with all that goes with it.
#[derive(Clone)]
pub(crate) struct Proposal<R = NoRows> {
    /// The version it was made on; none if the zone is not loaded.
    pub(crate) base: Option<Zone>,
    /// What is to be served.
    pub(crate) next: Next,
    /// The serial it gets, if anything that is served changes.
    pub(crate) serial: Numbering,
    /// What makes the change.
    pub(crate) cause: Cause,
    /// Who makes it: a person, or `gapura`.
    pub(crate) who: String,
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Promoted RRsets and masks that change with it.
    pub(crate) overlay: Vec<RowEdit>,
    /// What becomes of the operator's file.
    pub(crate) file: FileFate,
    /// What becomes of keys and signatures.
    pub(crate) signing: SigningFate,
    /// Findings of the checks; one error and the proposal is refused.
    pub(crate) findings: Vec<crate::master::Finding>,
    /// The caller's rows.
    pub(crate) rows: R,
    /// What our own sockets must answer afterwards besides the serial.
    pub(crate) expect: Vec<Expectation>,
}

/// The content that is to be served. Zones may still have any serial.
#[derive(Clone)]
pub(crate) enum Next {
    /// What is served already: only rows are written, and no serial is used.
    Same,
    /// A version that differs from the base by `content`, the SOA record aside.
    Edited {
        /// The version.
        zone: Zone,
        /// The difference.
        content: Delta,
    },
    /// A first version, or one that has next to nothing in common with the base. Neither memory nor
    /// journal holds the difference; history begins anew.
    Whole(Zone),
}

/// How a version gets its serial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Numbering {
    /// The next one of the zone's policy.
    Next,
    /// This one, chosen by the rules for the serials of files.
    Exactly(u32),
}

/// What becomes of the operator's file with a change.
#[derive(Clone, Debug)]
pub(crate) enum FileFate {
    /// Nothing: the change is not about the file. What it changes must be in the overlay, or be derived from the content:
    /// a start makes an unsigned zone anew from file and overlay.
    Kept,
    /// It is what is served from now on.
    Accepted(AcceptedFile),
    /// It does not count until its bytes change: what is served is in the journal only.
    Held,
    /// There is none: the change is a transfer from a primary, which owns the serials.
    Transferred,
}

/// What becomes of keys and signatures with a change, besides what it changes.
#[derive(Clone, Default)]
pub(crate) enum SigningFate {
    /// Nothing: the change is not about them.
    #[default]
    Kept,
    /// As many signatures as this that will end soon are made anew.
    Renewed(usize),
    /// The zone is signed by these from now on.
    Replaced(Box<ZoneSigning>),
    /// The zone is not signed any more; these are the keys it had.
    Ended(Box<ZoneSigning>),
}

/// What is remembered of a file that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedFile {
    /// Its serial.
    pub(crate) serial: u32,
    /// SHA-256 over the file and its includes, in hexadecimal.
    pub(crate) hash: String,
    /// Whether it has the end marker.
    pub(crate) marker: bool,
    /// Whether it has a ZONEMD record.
    pub(crate) zonemd: bool,
    /// Includes with the end marker, one path per line.
    pub(crate) marked_includes: String,
}

impl Proposal {
    /// A proposal that leaves the file alone, gets the next serial and has nothing else with it; see [`FileFate::Kept`].
    pub(crate) fn new(
        base: Option<Zone>,
        next: Next,
        cause: Cause,
        who: impl Into<String>,
        at_ms: i64,
    ) -> Self {
        Self {
            base,
            next,
            serial: Numbering::Next,
            cause,
            who: who.into(),
            at_ms,
            overlay: Vec::new(),
            file: FileFate::Kept,
            signing: SigningFate::Kept,
            findings: Vec::new(),
            rows: NoRows,
            expect: Vec::new(),
        }
    }
}

impl Proposal {
    /// The same with rows of the caller.
    pub(crate) fn with_rows<R>(self, rows: R) -> Proposal<R> {
        let Self {
            base,
            next,
            serial,
            cause,
            who,
            at_ms,
            overlay,
            file,
            signing,
            findings,
            expect,
            rows: NoRows,
        } = self;
        Proposal {
            base,
            next,
            serial,
            cause,
            who,
            at_ms,
            overlay,
            file,
            signing,
            findings,
            rows,
            expect,
        }
    }
}

impl<R> Proposal<R> {
    /// Whether anything that is served would change.
    pub(crate) fn is_visible(&self) -> bool {
        !matches!(self.next, Next::Same)
    }
}

//------------ Held ----------------------------------------------------------

/// A zone with its lock held: nobody else changes it from the making of a proposal to its end.
pub(crate) struct Held<'a> {
    /// The zone's place.
    pub(crate) slot: &'a Slot,
    /// Its state.
    pub(crate) state: MutexGuard<'a, ZoneState>,
}

impl<'a> Held<'a> {
    /// Waits for the zone's lock.
    pub(crate) fn new(slot: &'a Slot) -> Self {
        Self { slot, state: lock(&slot.state) }
    }
}

//------------ Rows ----------------------------------------------------------

/// The caller's rows, written in the transaction of the change they belong to. They run under the
/// zone's lock and must not call the publisher.
pub trait Rows {
    /// What the caller gets back.
    type Output;
    /// Why the rows, and so the change, are not written.
    type Error: From<StoreError>;

    /// Writes what goes with the change.
    fn commit(&mut self, tx: &Tx<'_>, change: &Change) -> Result<Self::Output, Self::Error>;

    /// Writes what goes with taking it back, after our own sockets did not show it.
    fn take_back(&mut self, tx: &Tx<'_>, said: &Confirmation) -> Result<(), Self::Error> {
        let _ = (tx, said);
        Ok(())
    }
}

/// No rows.
#[derive(Clone, Copy, Debug)]
pub struct NoRows;

impl Rows for NoRows {
    type Output = ();
    type Error = StoreError;

    fn commit(&mut self, _: &Tx<'_>, _: &Change) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Rows that a closure writes.
pub struct RowsFn<F>(pub F);

impl<F, T, E> Rows for RowsFn<F>
where
    F: FnMut(&Tx<'_>, &Change) -> Result<T, E>,
    E: From<StoreError>,
{
    type Output = T;
    type Error = E;

    fn commit(&mut self, tx: &Tx<'_>, change: &Change) -> Result<T, E> {
        (self.0)(tx, change)
    }
}

//------------ Outcome -------------------------------------------------------

/// A change that is durable, served and confirmed.
#[derive(Clone, Debug)]
pub struct Published<T = ()> {
    /// The change.
    pub change: Change,
    /// What our own sockets answered.
    pub said: Confirmation,
    /// What the caller's rows returned.
    pub rows: T,
}

/// Why a proposal came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished<E> {
    /// The caller's rows refused; nothing changed.
    #[error("the rows that go with the change were not written")]
    Rows(E),
    /// The door refused, or took the change back.
    #[error(transparent)]
    Door(#[from] PublishError),
}

impl<E> From<StoreError> for NotPublished<E> {
    fn from(error: StoreError) -> Self {
        Self::Door(error.into())
    }
}

/// Without rows of the caller only the door can refuse.
impl From<NotPublished<StoreError>> for PublishError {
    fn from(error: NotPublished<StoreError>) -> Self {
        match error {
            NotPublished::Rows(error) => error.into(),
            NotPublished::Door(error) => error,
        }
    }
}
