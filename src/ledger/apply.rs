//! The one writer of what the procedure did.
//!
//! Each function takes an accepted step and writes, in the caller's transaction, everything that
//! follows from it:
//!
//! ```text
//! Step<Request>    ─► attachment, event, row, revision, name held or freed, party link, notices, papers ─┐
//! Step<LiveRecord> ─► event, row, notices                                                               ─┼─► checkpoint, if due
//! Step<Notice>     ─► event, row, what its arrival means to the request                                 ─┘
//! ```
//! The writers of single rows are private to this room, so that no act can forget one of these.

use super::papers::Sources;
use super::{Ledger, LedgerError};
use crate::audit::{NewEvent, append};
use crate::dossier::Promoted;
use crate::queue::{
    Candidate, Deed, Ground, Happening, Kind, LiveRecord, LiveState, Notice, NoticeState, Place,
    Request, Signature, Stage, State, Step, Subject,
};
use crate::store::requests::{AttachmentRow, RequestRow};
use crate::store::{StoreError, Tx};

/// What a new request has besides its step.
#[derive(Clone, Debug)]
pub struct NewRequest<'a> {
    /// The year and serial in its number.
    pub place: (i32, i64),
    /// The status secret as stored.
    pub secret_hash: String,
    /// The letter, whose file is on disk.
    pub attachment: Option<&'a AttachmentRow>,
    /// Whether it is one of many: then officers are told once of all.
    pub in_bulk: bool,
}

/// What goes with a step of a request and is not in it.
#[derive(Clone, Copy, Default)]
struct Along<'a> {
    /// The place of a new request in its year.
    place: Option<(i32, i64)>,
    /// A new letter.
    attachment: Option<&'a AttachmentRow>,
    /// The command that repeats the proof of a promotion.
    dig: Option<&'a str>,
    /// What papers are made of.
    sources: Sources<'a>,
    /// Whether officers are told of it with others.
    in_bulk: bool,
}

//------------ Requests ------------------------------------------------------

impl Ledger {
    /// Writes a new request.
    pub fn submit(
        &self,
        tx: &Tx<'_>,
        step: Step<Request>,
        new: NewRequest<'_>,
    ) -> Result<Request, LedgerError> {
        let row = RequestRow { secret_hash: Some(new.secret_hash), ..RequestRow::default() };
        let place = Some(new.place);
        let NewRequest { attachment, in_bulk, .. } = new;
        self.write(tx, &row, step, Along { place, attachment, in_bulk, ..Along::default() })
    }

    /// Writes an act on a request; `before` is its row before the act.
    pub fn apply(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        step: Step<Request>,
    ) -> Result<Request, LedgerError> {
        self.write(tx, before, step, Along::default())
    }

    /// Writes an act on a request that was decided with a candidate zone before the officer's eyes.
    pub fn apply_on(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        step: Step<Request>,
        candidate: Option<&Candidate>,
    ) -> Result<Request, LedgerError> {
        let sources = Sources { candidate, promoted: None };
        self.write(tx, before, step, Along { sources, ..Along::default() })
    }

    /// Writes a corrected request, with its new letter if one came.
    pub fn resubmit(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        step: Step<Request>,
        attachment: Option<&AttachmentRow>,
    ) -> Result<Request, LedgerError> {
        self.write(tx, before, step, Along { attachment, ..Along::default() })
    }

    /// Writes that a request is live; `dig` repeats the proof, `promoted` is what papers say of it.
    pub fn promoted(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        step: Step<Request>,
        dig: &str,
        promoted: &Promoted,
    ) -> Result<Request, LedgerError> {
        let sources = Sources { candidate: None, promoted: Some(promoted) };
        self.write(tx, before, step, Along { dig: Some(dig), sources, ..Along::default() })
    }

    /// Writes everything that follows from a step of a request. A new one has an empty row before.
    fn write(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        mut step: Step<Request>,
        along: Along<'_>,
    ) -> Result<Request, LedgerError> {
        let mut row = before.clone();
        if let Some(attachment) = along.attachment {
            step.happening = step.happening.with("letter_sha256", &attachment.sha256);
            let number = step.value.number().to_owned();
            tx.put_letter(&AttachmentRow { request: number, ..attachment.clone() })?;
            row.letter = Some(attachment.id.clone());
        }
        let Step { value: request, happening } = step;
        match along.place {
            Some(place) => self.insert_request(tx, &request, &mut row, place)?,
            None => self.save_request(tx, &request, &row)?,
        }
        if before.revision != request.revision() {
            self.add_revision(tx, &request, row.letter.as_deref())?;
        }
        let event = self.record(tx, &happening)?;
        self.move_name(tx, before, &request, &happening)?;
        if before.taken_ms.is_none() && request.taken_at().is_some() {
            self.tell_overtaken(tx, &request, &happening.by)?;
        }
        if along.in_bulk {
            self.tell_applicant(tx, &event, happening.deed, &request)?;
        } else {
            let promoted = along.sources.promoted;
            self.tell(tx, &event, happening.deed, &request, (along.dig, promoted))?;
        }
        self.make_papers(tx, &event, &happening, &request, along.sources)?;
        self.checkpoint(tx)?;
        Ok(request)
    }

    /// Holds the name of a new request once an officer has taken it or its mailbox is proven, moves the
    /// hold where a correction changed the name, and frees the name of a request that ended without
    /// going live. A hold gives way to a request that an officer took first.
    fn move_name(
        &self,
        tx: &Tx<'_>,
        before: &RequestRow,
        request: &Request,
        happening: &Happening,
    ) -> Result<(), LedgerError> {
        let application = request.application();
        if application.kind != Kind::New {
            return Ok(());
        }
        let (number, by) = (request.number(), &happening.by);
        let place = application.place();
        let ended = matches!(request.state(), State::Rejected | State::Withdrawn | State::Expired);
        let renamed = request.state().is_open() && before.name != place.name.to_string();
        if !before.number.is_empty() && (ended || renamed) {
            let corrupt = || StoreError::Corrupt(format!("request {number}: {}", before.name));
            let old = Place::read(&before.name, &before.zone).ok_or_else(corrupt)?;
            let live = self.live(tx, &old)?;
            if live.is_held_for(number) {
                self.write_live(tx, live.let_go(number, by)?)?;
            }
        }
        let taken = request.taken_at().is_some();
        if !request.state().is_open() || !(taken || request.mailbox_proven()) {
            return Ok(());
        }
        let mut live = self.live(tx, place)?;
        if taken && let Some(other) = live.holder().filter(|other| *other != number) {
            let other = other.to_owned();
            if self.expect_request(tx, &other)?.request.taken_at().is_none() {
                live = self.write_live(tx, live.let_go(&other, by)?)?;
            }
        }
        if live.may_be_held(&application.office) {
            self.write_live(tx, live.hold(number, &application.office, by)?)?;
        }
        Ok(())
    }

    /// Tells the applicants of other requests on a name that an officer has taken this one.
    fn tell_overtaken(
        &self,
        tx: &Tx<'_>,
        request: &Request,
        by: &Signature,
    ) -> Result<(), LedgerError> {
        let name = request.application().place().name.to_string();
        let others = tx.open_requests_on(&name)?.into_iter();
        for row in others.filter(|row| row.taken_ms.is_none() && row.number != request.number()) {
            let other = self.expect_request(tx, &row.number)?.request;
            let subject = Subject::Request(row.number);
            let event = self.record(tx, &Happening::new(by, Deed::Overtaken, subject))?;
            self.tell(tx, &event, Deed::Overtaken, &other, (None, None))?;
        }
        Ok(())
    }

    /// Brings the due times in a request's columns up to the table of working time: no act, so no
    /// event.
    pub fn recompute_due(&self, tx: &Tx<'_>, number: &str) -> Result<(), LedgerError> {
        let stored = self.expect_request(tx, number)?;
        Ok(self.save_request(tx, &stored.request, &stored.row)?)
    }

    /// Writes that an officer's attempt was turned back.
    pub fn turned_back(&self, tx: &Tx<'_>, attempt: &Happening) -> Result<(), LedgerError> {
        self.record(tx, attempt)?;
        self.checkpoint(tx)
    }

    /// Writes an event that changes no row of the procedure: a download, an export, other settings.
    pub fn note(&self, tx: &Tx<'_>, event: NewEvent) -> Result<(), LedgerError> {
        append(tx, event)?;
        self.checkpoint(tx)
    }

    /// Signs the head of the chain if that is due.
    pub(super) fn checkpoint(&self, tx: &Tx<'_>) -> Result<(), LedgerError> {
        Ok(self.notary.checkpoint_if_due(tx, self.now())?)
    }
}

//------------ Live records --------------------------------------------------

impl Ledger {
    /// Writes a change of a live record.
    pub fn apply_live(
        &self,
        tx: &Tx<'_>,
        step: Step<LiveRecord>,
    ) -> Result<LiveRecord, LedgerError> {
        let live = self.write_live(tx, step)?;
        self.checkpoint(tx)?;
        Ok(live)
    }

    /// The event and the row of a live record.
    fn write_live(&self, tx: &Tx<'_>, step: Step<LiveRecord>) -> Result<LiveRecord, LedgerError> {
        // The row first: an event binds what was written before it.
        self.save_live(tx, &step.value)?;
        let event = self.record(tx, &step.happening)?;
        self.tell_of_name(tx, &event, &step.happening, &step.value)?;
        self.settle_raised(tx, step.happening.deed, &step.value)?;
        Ok(step.value)
    }

    /// Takes back what gapura asked for on a name, once the owner's word or another request has settled
    /// it. Whatever is being promoted already goes on.
    pub(super) fn settle_raised(
        &self,
        tx: &Tx<'_>,
        deed: Deed,
        live: &LiveRecord,
    ) -> Result<(), LedgerError> {
        let settles = |ground: Ground| match deed {
            Deed::Renew | Deed::HandOver | Deed::GoLive | Deed::Lift | Deed::Remove => true,
            Deed::TargetMended => ground == Ground::Unreachable,
            _ => false,
        };
        if !Ground::ALL.into_iter().any(settles) {
            return Ok(());
        }
        if deed != Deed::TargetMended {
            tx.use_party_links(&live.owner_key(), self.now())?;
        }
        // Whoever had the name reads its history no more.
        if matches!(deed, Deed::HandOver | Deed::Remove) {
            tx.drop_owner_link(&live.name.to_string())?;
        }
        let calendar = self.calendar();
        let open = tx.open_requests_on(&live.name.to_string())?;
        for row in open.into_iter().filter(|row| row.raised.is_some_and(settles)) {
            let stored = self.expect_request(tx, &row.number)?;
            if let Ok(step) = stored.request.settled(&self.facts(self.now(), &calendar)) {
                self.apply(tx, &stored.row, step)?;
            }
        }
        Ok(())
    }

    /// Writes a change of a name; one that follows the operator's file until now is taken in first.
    pub fn apply_taken_in(
        &self,
        tx: &Tx<'_>,
        before: LiveRecord,
        step: Step<LiveRecord>,
    ) -> Result<LiveRecord, LedgerError> {
        if before.state() != LiveState::Free && before.follows_file() {
            self.write_live(tx, before.import(&step.happening.by))?;
        }
        self.apply_live(tx, step)
    }

    /// Lets go of rows that older versions kept of names nobody asked for; those names follow the
    /// operator's file. One event for all of them. Returns their count.
    pub fn release_imports(&self, tx: &Tx<'_>, most: usize) -> Result<usize, LedgerError> {
        let names = tx.imports_kept(most)?;
        let Some(first) = names.first() else { return Ok(0) };
        let system = Signature::system(self.now());
        let event = NewEvent::new(
            system.at,
            system.person(),
            system.role.as_str(),
            Deed::ImportsReleased,
            "zone:all",
        )
        .with("names", names.len())
        .with("first", first);
        for name in &names {
            tx.drop_live_record(name)?;
        }
        append(tx, event)?;
        self.checkpoint(tx)?;
        Ok(names.len())
    }
}

//------------ Notices -------------------------------------------------------

impl Ledger {
    /// Writes a step of a notice, and what it means to its request: a notice that was sent stops the
    /// clock of step 5, one that arrived means that the applicant knows the outcome.
    pub fn apply_notice(&self, tx: &Tx<'_>, step: Step<Notice>) -> Result<(), LedgerError> {
        let Step { value: notice, happening } = step;
        self.save_notice(tx, &notice)?;
        self.record(tx, &happening)?;
        self.checkpoint(tx)?;
        let Some(number) = notice.request.as_deref().filter(|_| notice.to_applicant()) else {
            return Ok(());
        };
        match notice.state() {
            NoticeState::Sent => self.stop_clock(tx, number),
            NoticeState::Delivered | NoticeState::Handled
                if matches!(notice.deed, Deed::Promoted | Deed::Reject) =>
            {
                self.applicant_knows(tx, number)
            }
            _ => Ok(()),
        }
    }

    /// Keeps a notice that will be tried again: nothing happened that is worth an event.
    pub fn keep_try(&self, tx: &Tx<'_>, notice: &Notice) -> Result<(), LedgerError> {
        Ok(self.save_notice(tx, notice)?)
    }

    /// The relay took a notice to the applicant.
    fn stop_clock(&self, tx: &Tx<'_>, number: &str) -> Result<(), LedgerError> {
        let stored = self.expect_request(tx, number)?;
        let calendar = self.calendar();
        let request = stored.request.notice_sent(&self.facts(self.now(), &calendar));
        Ok(self.save_request(tx, &request, &stored.row)?)
    }

    /// Live → Notified, or a rejection recorded as notified, unless the applicant knew before.
    fn applicant_knows(&self, tx: &Tx<'_>, number: &str) -> Result<(), LedgerError> {
        let stored = self.expect_request(tx, number)?;
        let waits = match stored.request.stage() {
            Stage::Live(_) => true,
            Stage::Rejected(stage) => stage.notified_at.is_none(),
            _ => false,
        };
        if waits {
            let calendar = self.calendar();
            let step = stored.request.notified(&self.facts(self.now(), &calendar))?;
            self.apply(tx, &stored.row, step)?;
        }
        Ok(())
    }
}
