//! The serial of a file: which one it gets, and the findings about it. The table is in
//! `state::serial`.

use super::decide::{Case, Refused};
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::state::serial::{self, Known, Note, is_ahead};
use crate::publish::state::{Guard, error, warning};
use crate::zone::Zone;

impl Case<'_> {
    /// Chooses the serial by the rules for files; none if nothing is to be published.
    pub(super) fn choose(
        &self,
        live: &Zone,
        file: &Zone,
        differs: bool,
        findings: &mut Vec<Finding>,
    ) -> Option<u32> {
        let row = self.state.row.as_ref();
        let known = Known {
            live: live.serial(),
            high_water: row.map_or_else(|| live.serial(), |row| row.high_water),
            last_file: row.and_then(|row| row.file_serial),
            is_signed: file.is_signed(),
        };
        let (inner, state) = (self.inner, self.state);
        let next = || inner.next_serial(state, live.serial(), self.now_ms);
        let is_used = |serial| inner.is_used(&state.source.apex, serial);
        let choice = serial::choose(file.serial(), differs, known, next, is_used);
        let policy = state.source.serial;
        let from_future = |serial| serial::is_from_future(serial, policy, self.now_ms);
        if choice.serial == Some(file.serial()) {
            let is_new = from_future(file.serial()) && !from_future(live.serial());
            let from_future = || is_new.then_some(Note::FromFuture);
            self.tell(choice.note.or_else(from_future), file.serial(), findings);
        } else {
            self.tell(choice.note, file.serial(), findings);
            self.tell_doubt(choice.serial, findings);
        }
        choice.serial
    }

    /// Says so if a serial was not made from the clock, because the clock is doubted.
    fn tell_doubt(&self, chosen: Option<u32>, findings: &mut Vec<Finding>) {
        let doubted = || self.inner.believed_ms(self.state, self.now_ms).is_none();
        if chosen.is_some() && !self.inner.options.is_stand_in && doubted() {
            let message =
                "the clock is in doubt, so the serial is one more instead of derived from it";
            let hint = "see gapura ctl status";
            let finding = warning("serial-clock-doubted", message.to_owned());
            findings.push(Finding { hint: Some(hint.to_owned()), ..finding });
        }
    }

    /// The serial of a first load: the file's own, unless a serial was published before that is not
    /// behind it (a database that was lost or restored). A zone that was signed elsewhere keeps its
    /// own in any case: old data is better than none.
    pub(super) fn first_serial(&self, file: &Zone, findings: &mut Vec<Finding>) -> u32 {
        let state = self.state;
        let mark = lock(&self.inner.marks).get(&state.source.apex).copied();
        let kept = state.row.as_ref().map(|row| row.high_water);
        let newest = mark.into_iter().chain(kept).reduce(serial::later);
        let own = file.serial();
        if serial::is_from_future(own, state.source.serial, self.now_ms) {
            self.tell(Some(Note::FromFuture), own, findings);
        }
        match newest {
            Some(newest) if file.is_signed() && is_ahead(newest, own) => {
                let message = format!("the serial {own} is behind {newest}, which was published");
                let hint =
                    "sign the zone again with a higher serial: secondaries do not accept this one";
                let finding = warning("presigned-serial-behind", message);
                findings.push(Finding { hint: Some(hint.to_owned()), ..finding });
                own
            }
            _ if file.is_signed() => own,
            Some(newest)
                if !is_ahead(own, newest) || self.inner.is_used(&state.source.apex, own) =>
            {
                self.inner.next_serial(state, newest, self.now_ms)
            }
            None if own == 0 => 1,
            _ => own,
        }
    }

    /// A zone that was signed elsewhere cannot be renumbered.
    pub(super) fn signed_serial(
        &self,
        live: &Zone,
        file: &Zone,
        serial: u32,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        if !file.is_signed() || serial == file.serial() {
            return Ok(());
        }
        let message = format!(
            "the zone is signed elsewhere and cannot be renumbered: its serial {} must rise above {}",
            file.serial(),
            live.serial()
        );
        findings.push(error("presigned-serial", message, "sign it again with a higher serial"));
        Err(Guard::Check)
    }

    /// Reports what there is to say about the file's serial.
    fn tell(&self, note: Option<Note>, file: u32, findings: &mut Vec<Finding>) {
        let last = self.state.row.as_ref().and_then(|row| row.file_serial).unwrap_or_default();
        let finding = match note {
            None => return,
            // The serials of a zone that gapura makes are nobody else's affair.
            _ if self.state.source.is_made() => return,
            Some(Note::NotRaised) => warning(
                "serial-not-raised",
                format!("serial not raised: the file still has {file}; gapura chose the next one"),
            ),
            Some(Note::Backwards) => warning(
                "serial-backwards",
                format!("the file's serial {file} is not after the last file's, {last}"),
            ),
            Some(Note::Used) => warning(
                "serial-used",
                format!("the file's serial {file} was used before; gapura chose the next one"),
            ),
            Some(Note::FromFuture) => warning(
                "serial-from-future",
                format!(
                    "the serial {file} represents a time far ahead: all later ones are above it, whatever \
                     the clock says"
                ),
            ),
            Some(Note::FarAhead) => warning(
                "serial-far-ahead",
                format!(
                    "the serial {file} is more than 2^30 ahead of {last}; secondaries cannot go back"
                ),
            ),
        };
        findings.push(finding);
    }
}
