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
    let kept = report.read("letter", kept);
    let (all, mut gone) = (kept.len(), 0);
    for row in kept {
        let is_it = |bytes: &[u8]| sha256_hex(bytes) == row.sha256;
        let path = folder.join(&row.file);
        if let Some((change, wrong)) = wrong(&path, is_it, || is_erased(store, &row))? {
            gone += usize::from(matches!(wrong, Wrong::Gone));
            let AttachmentRow { id, request, file, .. } = row;
            let file = format!("letters/{file} of {request} {}", wrong.words("came in"));
            note(report, "letter", id, change, &file);
        }
    }
    note_unmounted(report, folder, (gone, all));
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
    let kept = report.read("paper", kept);
    let (all, mut gone) = (kept.len(), 0);
    for row in kept {
        let file = row.file.clone().unwrap_or_default();
        let is_it = |sealed: &[u8]| is_rendered(vault, &row, sealed);
        match wrong(&folder.join(&file), is_it, || is_deleted(store, &row))? {
            None => report.papers += 1,
            Some((change, wrong)) => {
                gone += usize::from(matches!(wrong, Wrong::Gone));
                let file = format!("papers/{file} {}", wrong.words("was rendered"));
                note(report, "paper", row.id, change, &file);
            }
        }
    }
    note_unmounted(report, folder, (gone, all));
    report.faults.sort_by_key(|fault| fault.sequence);
    Ok(())
}

/// What is wrong with a file.
enum Wrong {
    /// It is another one.
    Other,
    /// It is not there.
    Gone,
    /// It cannot be read.
    Unread(std::io::Error),
}

impl Wrong {
    /// The same in words, behind the file's name; `came` says what made the right one.
    fn words(&self, came: &str) -> String {
        match self {
            Self::Other => format!("is not the one that {came}"),
            Self::Gone => "is gone".to_owned(),
            Self::Unread(error) => format!("cannot be read: {error}"),
        }
    }
}

/// What is wrong with a file that a row names; none if it is the right one, or if the row says by now
/// that it was deleted: the row is written first, then the file goes.
fn wrong(
    path: &Path,
    is_it: impl FnOnce(&[u8]) -> bool,
    is_deleted: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<Option<(RowChange, Wrong)>, StoreError> {
    Ok(match std::fs::read(path) {
        Ok(bytes) if is_it(&bytes) => None,
        Ok(_) => Some((RowChange::Altered, Wrong::Other)),
        Err(_) if is_deleted()? => None,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some((RowChange::Deleted, Wrong::Gone))
        }
        Err(error) => Some((RowChange::Altered, Wrong::Unread(error))),
    })
}

/// Notes a file that is not as it should be, as a fault of its row.
fn note(report: &mut Report, table: &str, key: String, change: RowChange, file: &str) {
    let what = format!("table {table}, row {key}: the file {file}");
    let kind = FaultKind::Row { table: table.to_owned(), key, change };
    report.note(kind, report.last + 1, what);
}

/// Notes that all files of a directory are gone: more often than not nobody took them away, and a disk or a network
/// directory is not mounted.
fn note_unmounted(report: &mut Report, folder: &Path, (gone, all): (usize, usize)) {
    if all == 0 || gone < all {
        return;
    }
    let what = match (folder.is_dir(), all) {
        (false, _) => "is not there".to_owned(),
        (true, 1) => "has not the one file that the database names".to_owned(),
        (true, all) => format!("has none of the {all} files that the database names"),
    };
    report.unmounted.push(format!("is the disk mounted? {} {what}", folder.display()));
    report.unmounted_files += gone;
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
