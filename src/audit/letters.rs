//! The files of letters and papers: officers decide on what letters hold, and people rely on papers, so
//! each must be the one that came in or was rendered.

use std::io::ErrorKind;
use std::path::Path;

use super::{FaultKind, Report, Vault};
use crate::digest::sha256_hex;
use crate::store::papers::PaperRow;
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

/// What the file of a paper is sealed as, before its id.
pub const PAPER_FILE: &str = "paper file:";

/// Notes every paper whose file is gone or is not the one that was rendered.
pub fn check_papers(
    store: &Store,
    vault: &Vault,
    folder: &Path,
    report: &mut Report,
) -> Result<(), StoreError> {
    let kept = store.read::<_, StoreError>(|reader| reader.kept_papers());
    for row in report.read("paper", kept) {
        let file = row.file.clone().unwrap_or_default();
        let (change, what) = match std::fs::read(folder.join(&file)) {
            Ok(sealed) if is_rendered(vault, &row, &sealed) => {
                report.papers += 1;
                continue;
            }
            Ok(_) => (RowChange::Altered, "is not the one that was rendered".to_owned()),
            // Deleted since: the row is written first, then the file goes.
            Err(_) if is_deleted(store, &row)? => continue,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (RowChange::Deleted, "is gone".to_owned())
            }
            Err(error) => (RowChange::Altered, format!("cannot be read: {error}")),
        };
        let what = format!("table paper, row {}: the file papers/{file} {what}", row.id);
        let kind = FaultKind::Row { table: "paper".to_owned(), key: row.id, change };
        report.note(kind, report.last + 1, what);
    }
    report.faults.sort_by_key(|fault| fault.sequence);
    Ok(())
}

/// Whether a sealed file is the paper that was rendered.
fn is_rendered(vault: &Vault, row: &PaperRow, sealed: &[u8]) -> bool {
    let pdf = vault.unseal(&format!("{PAPER_FILE}{}", row.id), sealed);
    pdf.is_ok_and(|pdf| Some(sha256_hex(pdf)) == row.sha256)
}

/// Whether the file of a paper has been deleted by now.
fn is_deleted(store: &Store, row: &PaperRow) -> Result<bool, StoreError> {
    let now = store.read::<_, StoreError>(|reader| reader.paper(&row.id))?;
    Ok(now.is_none_or(|row| row.file.is_none()))
}

/// Whether a letter has been erased by now.
fn is_erased(store: &Store, row: &AttachmentRow) -> Result<bool, StoreError> {
    let now = store.read::<_, StoreError>(|reader| reader.letter(&row.id))?;
    Ok(now.is_none_or(|row| row.erased_ms.is_some()))
}
