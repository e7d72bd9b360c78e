//! The files of letters: officers decide on what they hold, so each must be the one that came in.

use std::io::ErrorKind;
use std::path::Path;

use super::{FaultKind, Report};
use crate::digest::sha256_hex;
use crate::store::requests::AttachmentRow;
use crate::store::row_log::RowChange;
use crate::store::{Store, StoreError};

/// Notes every letter whose file is gone or is not the one that came in, and a table of letters that
/// cannot be read.
pub fn check_letters(store: &Store, folder: &Path, report: &mut Report) -> Result<(), StoreError> {
    let kept = store.read::<_, StoreError>(|reader| reader.kept_letters());
    for row in report.read("letter", kept) {
        let (change, what) = match std::fs::read(folder.join(&row.file)) {
            Ok(bytes) if sha256_hex(&bytes) == row.sha256 => continue,
            Ok(_) => (RowChange::Altered, "is not the one that came in".to_owned()),
            // Erased since: the row is written first, then the file goes.
            Err(_) if is_erased(store, &row)? => continue,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (RowChange::Deleted, "is gone".to_owned())
            }
            Err(error) => (RowChange::Altered, format!("cannot be read: {error}")),
        };
        let AttachmentRow { id, request, file, .. } = row;
        let what = format!("table letter, row {id}: the file letters/{file} of {request} {what}");
        let kind = FaultKind::Row { table: "letter".to_owned(), key: id, change };
        report.note(kind, report.last + 1, what);
    }
    report.faults.sort_by_key(|fault| fault.sequence);
    Ok(())
}

/// Whether a letter has been erased by now.
fn is_erased(store: &Store, row: &AttachmentRow) -> Result<bool, StoreError> {
    let now = store.read::<_, StoreError>(|reader| reader.letter(&row.id))?;
    Ok(now.is_none_or(|row| row.erased_ms.is_some()))
}
