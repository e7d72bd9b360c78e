//! The promoted records as a master file, `state/promoted/NAME.zone`: any other name server can serve
//! it together with the operator's file if gapura is gone.
//!
//! The keeper writes it, completely or not at all. Masks are comments: another server cannot apply them, but
//! a person can.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::own_file::write_file;
use crate::digest::sha256_hex;
use crate::files;
use crate::lock::lock;
use crate::master;
use crate::publish::state::{Inner, Overlay, PublishError, overlay};
use crate::store::promoted::Origin;
use crate::text::append_line;
use crate::wire::{Name, Rtype};

/// The failpoints' name.
const WHAT: &str = "derived";

/// Where the derived file of a zone is.
pub(crate) fn path(state_dir: &Path, zone: &Name) -> PathBuf {
    state_dir.join("promoted").join(format!("{}.zone", files::stem(zone)))
}

/// Writes the derived file of a zone. The zone's lock is held, so that
/// an older text never replaces a newer one.
pub(crate) fn write(
    inner: &Inner,
    zone: &Name,
    serial: Option<u32>,
    promoted: &Overlay,
) -> Result<(), PublishError> {
    if inner.options.is_stand_in {
        return Ok(());
    }
    let text = text(zone, serial, promoted);
    let path = path(&inner.options.state_dir, zone);
    if let Some(directory) = path.parent()
        && let Err(source) = std::fs::create_dir(directory)
        && source.kind() != ErrorKind::AlreadyExists
    {
        return Err(PublishError::Write { path: directory.to_owned(), source });
    }
    let _one_at_a_time = lock(&inner.files);
    write_file(&path, text.as_bytes(), WHAT)
}

/// The text of a derived file.
fn text(zone: &Name, serial: Option<u32>, promoted: &Overlay) -> String {
    let mut text = format!(
        "; Records of {zone} promoted by request, written by gapura: edits here are lost.\n\
         ; They stand beside the operator's file. Serial when this was written: {}\n\
         $ORIGIN {zone}\n",
        serial.map_or_else(|| "none".to_owned(), |serial| serial.to_string())
    );
    text.push_str(&body(promoted));
    append_line!(text, "{}", master::END_MARKER);
    text
}

/// The lines of promoted records and masks.
fn body(promoted: &Overlay) -> String {
    let mut text = String::new();
    for row in promoted.rows() {
        let by = by(&row.origin);
        let masked = row.base.as_ref().is_some_and(|base| !overlay::same_records(base, &row.rrset));
        let (owner, rtype) = (&row.owner, row.rtype);
        if masked {
            append_line!(text, "; {by} masks {owner} {rtype} of the file");
        }
        for record in overlay::records_of(row) {
            master::write_record(record.as_ref(), &mut text);
            append_line!(text, " ; {by}");
        }
    }
    text
}

/// What put an RRset up, as it may stand in a comment.
fn by(origin: &Origin) -> String {
    match origin {
        Origin::Request(number) => format!("request {}", plain(number)),
        Origin::Update(key) => format!("update {}", plain(key)),
        Origin::Unnamed => "request -".to_owned(),
    }
}

/// The hash of the lines of promoted records and masks.
pub(super) fn hash_of(promoted: &Overlay) -> String {
    sha256_hex(body(promoted))
}

/// The hash of these lines in the text of a derived file; none if it is not whole.
pub(crate) fn hash_in(text: &str, zone: &Name) -> Option<String> {
    let (_, rest) = text.split_once(&format!("$ORIGIN {zone}\n"))?;
    let body = rest.strip_suffix('\n')?.strip_suffix(master::END_MARKER)?;
    Some(sha256_hex(body))
}

/// The serial in the head of a derived file, if this is the line that tells it.
pub(crate) fn serial_of(line: &str) -> Option<u32> {
    line.strip_prefix("; ")?.rsplit_once("Serial when this was written: ")?.1.parse().ok()
}

/// What a line of a derived file masks, if it says so.
pub(crate) fn mask_of(line: &str) -> Option<(Name, Rtype)> {
    let line = line.strip_prefix("; request ").or_else(|| line.strip_prefix("; update "))?;
    let line = line.strip_suffix(" of the file")?;
    let (_, what) = line.split_once(" masks ")?;
    let (owner, rtype) = what.rsplit_once(' ')?;
    Some((owner.parse().ok()?, rtype.parse().ok()?))
}

/// A request's number, or the name of a key, as it may stand in a comment: nothing in it can end the line.
fn plain(request: &str) -> String {
    request.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
impl crate::publish::Publisher {
    /// Where the derived file of a zone's promoted records is.
    pub(crate) fn derived_file(&self, zone: &Name) -> PathBuf {
        path(&self.0.options.state_dir, zone)
    }
}
