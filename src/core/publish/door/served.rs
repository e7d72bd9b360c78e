//! A complete copy of each zone as it is served, with masks and promoted names applied: any name
//! server can load it if gapura is gone, and a start can serve from it if the database is gone.
//!
//! ```text
//! served/NAME.zone      a master file: the SOA record with the served serial first, the marker last
//! served/NAME.changes   what changed since, in blocks:
//!                           ; change 7 -> 8
//!                           - www.example. 300 IN A 192.0.2.1
//!                           + www.example. 300 IN A 192.0.2.2
//!                           ; promoted records HASH, file rolled back HASH    (if they changed)
//!                           ; end 8 HASH
//! ```
//! A change of a large zone is appended and synced; from time to time the keeper folds changes into the
//! copy. A block is valid if its hash is right and it starts at the serial reached so far. `copying`
//! decides when which of these is written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::note::Note;
use crate::digest::sha256_hex;
use crate::files;
use crate::master::{self, Input, NoIncludes};
use crate::publish::failpoint;
use crate::publish::state::Change;
use crate::publish::state::serial::{is_ahead, later};
use crate::text::append_line;
use crate::wire::{Name, Record};
use crate::zone::{Delta, Zone, ZoneBuilder};

/// The directory in the state directory.
const DIRECTORY: &str = "served";
/// Digits of a block's hash.
const HASH_DIGITS: usize = 16;
/// How the block behind another one begins.
const NEXT: &str = "\n; change ";
/// Octets that are written at a time.
const PIECE_OCTETS: usize = 64 * 1024;
/// Octets at an end of a file in which a serial is looked for.
const END_OCTETS: usize = 4096;

/// The copy of a zone.
pub(super) fn path(state_dir: &Path, zone: &Name) -> PathBuf {
    state_dir.join(DIRECTORY).join(format!("{}.zone", files::stem(zone)))
}

/// The changes since.
pub(super) fn changes_path(state_dir: &Path, zone: &Name) -> PathBuf {
    path(state_dir, zone).with_extension("changes")
}

/// The zones of which there is a copy.
pub(super) fn names(state_dir: &Path) -> Vec<Name> {
    names_in(&state_dir.join(DIRECTORY))
}

/// The zones that files in a directory of ours are named after.
pub(super) fn names_in(directory: &Path) -> Vec<Name> {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files
        .filter_map(|file| files::zone_of(file.file_name().to_str()?.strip_suffix(".zone")?))
        .collect()
}

//------------ Writing -------------------------------------------------------

/// Writes the text of a copy.
fn print(zone: &Zone, note: &Note, out: &mut impl Write) -> io::Result<()> {
    let apex = zone.apex();
    writeln!(
        out,
        "; {apex} as gapura serves it, serial {}: written by gapura, edits here are lost.\n\
         ; Changes since, if there are any, are in the file beside it that ends in .changes.\n\
         {}\n\
         $ORIGIN {apex}",
        zone.serial(),
        note.line(),
    )?;
    let (mut text, mut written) = (String::with_capacity(PIECE_OCTETS * 2), Ok(()));
    zone.each_record(&mut |record| {
        master::write_line(record, &mut text);
        if text.len() >= PIECE_OCTETS {
            written = out.write_all(text.as_bytes());
            text.clear();
        }
        written.is_ok()
    });
    written?;
    out.write_all(text.as_bytes())?;
    writeln!(out, "{}", master::END_MARKER)
}

/// Writes a copy under a temporary name, synced; [`Draft::put`] makes it the copy.
pub(super) fn draft(
    state_dir: &Path,
    zone: &Zone,
    note: &Note,
    extension: &str,
) -> io::Result<Draft> {
    let path = path(state_dir, &zone.apex().to_name());
    make_directory(state_dir)?;
    let temporary = path.with_extension(extension);
    let mut out = BufWriter::with_capacity(1 << 18, File::create(&temporary)?);
    failpoint::io_point("served.write")?;
    print(zone, note, &mut out)?;
    failpoint::io_point("served.fsync")?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(Draft { temporary, path })
}

/// Makes the directory, but not a state directory that was taken away.
fn make_directory(state_dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(state_dir.join(DIRECTORY)) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Err(_) => Ok(()),
        Ok(()) => File::open(state_dir)?.sync_all(),
    }
}

/// A copy that is not in its place yet.
pub(super) struct Draft {
    /// Where it is.
    temporary: PathBuf,
    /// Its place.
    path: PathBuf,
}

impl Draft {
    /// Puts it in its place and drops the changes in it, which are the first `folded` octets of their
    /// file; none = all of it.
    pub(super) fn put(self, folded: Option<u64>) -> io::Result<()> {
        failpoint::io_point("served.rename")?;
        fs::rename(&self.temporary, &self.path)?;
        failpoint::io_point("served.dirsync")?;
        files::sync_directory(&self.path)?;
        drop_changes(&self.path.with_extension("changes"), folded)
    }

    /// Throws it away: a newer one is there.
    pub(super) fn discard(self) {
        // One left behind is written over by the next.
        drop(fs::remove_file(self.temporary));
    }
}

/// Drops the first octets of the changes, or all of them.
fn drop_changes(path: &Path, octets: Option<u64>) -> io::Result<()> {
    let at = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    let mut rest = Vec::new();
    let mut file = match files::open(path) {
        Err(error) if at(&error) => return Ok(()),
        opened => opened?,
    };
    if let Some(octets) = octets {
        file.seek(SeekFrom::Start(octets))?;
        file.read_to_end(&mut rest)?;
    }
    if rest.is_empty() {
        fs::remove_file(path)?;
        return files::sync_directory(path);
    }
    let temporary = path.with_extension("changes-tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(&rest)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    files::sync_directory(path)
}

/// Appends a change, synced, with the note if that changed; returns its octets.
pub(super) fn append(
    state_dir: &Path,
    change: &Change,
    from: u32,
    note: Option<&Note>,
) -> io::Result<u64> {
    let path = changes_path(state_dir, &change.zone);
    let mut text = format!("; change {from} -> {}\n", change.to);
    for (sign, records) in [('-', &change.delta.removed), ('+', &change.delta.added)] {
        for record in records {
            text.push(sign);
            text.push(' ');
            master::write_line(record.as_ref(), &mut text);
        }
    }
    if let Some(note) = note {
        append_line!(text, "{}", note.line());
    }
    let hash = block_hash(&text);
    append_line!(text, "; end {} {hash}", change.to);
    make_directory(state_dir)?;
    let is_new = !path.exists();
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    failpoint::io_point("changes.write")?;
    file.write_all(text.as_bytes())?;
    failpoint::io_point("changes.fsync")?;
    file.sync_all()?;
    if is_new {
        files::sync_directory(&path)?;
    }
    Ok(text.len() as u64)
}

/// The hash of a block's lines.
fn block_hash(lines: &str) -> String {
    let mut hash = sha256_hex(lines);
    hash.truncate(HASH_DIGITS);
    hash
}

//------------ Reading -------------------------------------------------------

/// The zone that the copy and the changes since lead to; none if there is no whole copy.
pub(crate) fn read(state_dir: &Path, apex: &Name) -> Option<Zone> {
    let path = path(state_dir, apex);
    let bytes = files::read(&path).ok()?;
    let mut builder = ZoneBuilder::new(apex);
    let is_whole = parse(&path, &bytes, apex, &mut |record| builder.push(record.as_ref()));
    let (zone, faults) = builder.finish();
    let mut zone = zone.filter(|_| is_whole && faults.is_empty())?;
    let changes = files::read(&changes_path(state_dir, apex)).unwrap_or_default();
    let text = String::from_utf8_lossy(&changes);
    let blocks = blocks(&text);
    for block in &blocks {
        // Those in front may be folded in already.
        if block.from != zone.serial() {
            continue;
        }
        let delta = Delta { removed: block.records('-', apex), added: block.records('+', apex) };
        match zone.apply(&delta) {
            Ok(next) if next.serial() == block.to => zone = next,
            _ => break,
        }
    }
    let serial = zone.serial();
    if blocks.last().is_some_and(|last| is_ahead(last.to, serial)) {
        tracing::error!(%apex, serial, "the changes after this serial do not fit");
    }
    Some(zone)
}

/// Reads records; returns whether the text is whole and without a fault.
fn parse(path: &Path, bytes: &[u8], apex: &Name, sink: &mut dyn FnMut(Record)) -> bool {
    let input = Input { file: path, bytes, loader: &NoIncludes };
    let limits = master::Options { file_octets_max: bytes.len() + 1, ..master::Options::default() };
    let parsed = master::parse(&input, apex.as_ref(), &limits, &mut |record, _| {
        sink(record.to_record());
    });
    parsed.errors == 0 && parsed.has_end_marker
}

/// One change of the file.
struct Block<'a> {
    /// The serial it begins at.
    from: u32,
    /// The serial it leads to.
    to: u32,
    /// Its lines.
    lines: &'a str,
}

/// The whole blocks. One that is not whole, as a crash or a full disk leaves it, hides none behind it.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut found, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        rest = match first_block(rest) {
            Some((block, after)) => {
                found.push(block);
                after
            }
            None => rest.find(NEXT).map_or("", |at| &rest[at + 1..]),
        };
    }
    found
}

/// The first block, and what follows it; none if it is not whole.
fn first_block(text: &str) -> Option<(Block<'_>, &str)> {
    let (head, _) = text.split_once('\n')?;
    let (from, to) = head.strip_prefix(&NEXT[1..])?.split_once(" -> ")?;
    // The end of a later one is none of this.
    let until = text.find(NEXT).unwrap_or(text.len());
    let end = text.get(..until)?.find("\n; end ")? + 1;
    let (lines, rest) = text.split_at(end);
    let (last, after) = rest.split_once('\n')?;
    let (serial, hash) = last.strip_prefix("; end ")?.split_once(' ')?;
    let block = Block { from: from.parse().ok()?, to: to.parse().ok()?, lines };
    (serial == to && hash == block_hash(lines)).then_some((block, after))
}

impl Block<'_> {
    /// The records after a sign.
    fn records(&self, sign: char, apex: &Name) -> Vec<Record> {
        let lines = self.lines.lines().filter_map(|line| line.strip_prefix(sign));
        let text: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
        let mut records = Vec::new();
        parse(Path::new("changes"), text.as_bytes(), apex, &mut |record| records.push(record));
        records
    }
}

/// Whether the copy is exactly this zone with this note, and no changes are beside it.
pub(super) fn is_exactly(state_dir: &Path, zone: &Zone, note: &Note) -> bool {
    let apex = zone.apex().to_name();
    let Ok(file) = files::open(&path(state_dir, &apex)) else { return false };
    let mut same = Same { file: BufReader::with_capacity(1 << 18, file), read: Vec::new() };
    let mut out = BufWriter::with_capacity(1 << 16, &mut same);
    let printed = print(zone, note, &mut out).and_then(|()| out.flush()).is_ok();
    drop(out);
    printed && same.is_over() && !changes_path(state_dir, &apex).exists()
}

/// Takes what is written as what the file must hold.
struct Same<R> {
    /// The file.
    file: R,
    /// Room for what is read.
    read: Vec<u8>,
}

impl<R: Read> Same<R> {
    /// Whether the file ends here.
    fn is_over(&mut self) -> bool {
        matches!(self.file.read(&mut [0]), Ok(0))
    }
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, wanted: &[u8]) -> io::Result<usize> {
        self.read.resize(wanted.len(), 0);
        self.file.read_exact(&mut self.read)?;
        if self.read != wanted {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(wanted.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The newest serial that a copy and its changes tell of, whether they can be used or not.
pub(crate) fn trace(state_dir: &Path, zone: &Name) -> Option<u32> {
    let head = ends_of(&path(state_dir, zone)).and_then(|(head, _)| serial_in(&head));
    let tail: Option<u32> = ends_of(&changes_path(state_dir, zone)).and_then(|(_, tail)| {
        let last = tail.lines().rev().find_map(|line| line.strip_prefix("; end "))?;
        last.split(' ').next()?.parse().ok()
    });
    match (head, tail) {
        (Some(head), Some(tail)) => Some(later(head, tail)),
        (head, tail) => head.or(tail),
    }
}

/// The serial in the first line of a copy.
fn serial_in(head: &str) -> Option<u32> {
    let (_, serial) = head.lines().next()?.split_once("serves it, serial ")?;
    serial.split(':').next()?.parse().ok()
}

/// The newest note of a copy and the changes since; none if an older version wrote it.
pub(crate) fn note(state_dir: &Path, zone: &Name) -> Option<Note> {
    let (head, _) = ends_of(&path(state_dir, zone))?;
    let (first, serial) = (head.lines().find_map(Note::parse), serial_in(&head)?);
    let changes = files::read(&changes_path(state_dir, zone)).unwrap_or_default();
    let text = String::from_utf8_lossy(&changes);
    let blocks = blocks(&text);
    let behind = blocks.iter().rev().filter(|block| is_ahead(block.to, serial));
    behind.flat_map(|block| block.lines.lines().find_map(Note::parse)).next().or(first)
}

/// The beginning and the end of a file.
fn ends_of(path: &Path) -> Option<(String, String)> {
    let mut file = files::open(path).ok()?;
    let mut piece = |at| {
        file.seek(at).ok()?;
        let mut bytes = Vec::new();
        (&mut file).take(END_OCTETS as u64).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let head = piece(SeekFrom::Start(0))?;
    // A file shorter than that is its own end.
    let tail = piece(SeekFrom::End(-(END_OCTETS as i64))).unwrap_or_else(|| head.clone());
    Some((head, tail))
}
