//! The serial of a file: which one it gets, and what there is to say about it. The table is in
//! `state::serial`.

use super::decide::{Case, Refused};
use crate::master::Finding;
use crate::publish::state::serial::{self, Known, Note, is_ahead};
use crate::publish::state::{Guard, error, lock, warning};
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
        };
        let policy = self.state.source.serial;
        let choice = serial::choose(file.serial(), differs, known, policy, self.now_ms);
        self.tell(choice.note, file.serial(), findings);
        choice.serial
    }

    /// The serial of a first load: the file's own, unless a serial was published before that is not
    /// behind it (a database that was lost or restored).
    pub(super) fn first_serial(&self, file: u32) -> u32 {
        let marks = lock(&self.inner.marks);
        let mark = marks.get(&self.state.source.apex).copied();
        let kept = self.state.row.as_ref().map(|row| row.high_water);
        let newest = match (mark, kept) {
            (Some(mark), Some(kept)) => Some(serial::later(mark, kept)),
            (mark, kept) => mark.or(kept),
        };
        match newest {
            Some(newest) if !is_ahead(file, newest) => {
                self.state.source.serial.next(newest, newest, self.now_ms)
            }
            None if file == 0 => 1,
            _ => file,
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
            Some(Note::NotRaised) => warning(
                "serial-not-raised",
                format!("serial not raised: the file still has {file}; gapura chose the next one"),
            ),
            Some(Note::Backwards) => warning(
                "serial-backwards",
                format!("the file's serial {file} is not after the last file's, {last}"),
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
