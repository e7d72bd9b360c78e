//! Reads letters from a ZIP archive (APPNOTE 6.3): stored and deflated files, by their names without folders.
//!
//! No file is written under a name from the archive. Sizes given by an archive are not trusted: each file is unpacked up
//! to a limit, and so are all together. Archives that are encrypted, split or ZIP64 are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::DeflateDecoder;

use crate::uploads::TAKEN_MAX;
use crate::words::Words;

/// Octets of an archive at most.
pub const ZIP_MAX: usize = 64 * 1024 * 1024;
/// Letters in an archive at most.
pub const LETTERS_MAX: usize = 2_000;
/// Octets of all letters of an archive at most, unpacked.
const UNPACKED_MAX: usize = 256 * 1024 * 1024;
/// Longest name, in characters.
const NAME_MAX: usize = 120;
/// How the end of the directory begins, and its octets.
const END: (&[u8; 4], usize) = (b"PK\x05\x06", 22);
/// Octets of the comment after it at most.
const REMARK_MAX: usize = 65_535;
/// How an entry of the directory begins, and its octets.
const ENTRY: (&[u8; 4], usize) = (b"PK\x01\x02", 46);
/// How a file begins, and its octets.
const FILE: (&[u8; 4], usize) = (b"PK\x03\x04", 30);

/// Why an archive is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ZipFault {
    /// It cannot be read.
    Broken,
    /// It is encrypted, split, or packed in a way that is not read.
    NotRead(String),
    /// There is no letter in it.
    Empty,
    /// Two files have one name.
    Twice(String),
    /// A letter in it is too large.
    Letter(String),
    /// There is too much in it.
    TooMuch,
}

impl ZipFault {
    /// What is wrong, in words.
    pub fn say(&self, t: Words) -> String {
        match self {
            Self::Broken => t.s("bulk-zip-broken"),
            Self::NotRead(name) => t.a("bulk-zip-not-read", "name", name),
            Self::Empty => t.s("bulk-zip-empty"),
            Self::Twice(name) => t.a("bulk-zip-twice", "name", name),
            Self::Letter(name) => t.a("bulk-zip-letter", "name", name),
            Self::TooMuch => t.a("bulk-zip-much", "most", &LETTERS_MAX.to_string()),
        }
    }
}

/// The files of an archive by their names.
pub fn letters(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ZipFault> {
    let (count, mut rest) = directory(archive)?;
    if count > LETTERS_MAX * 2 {
        return Err(ZipFault::TooMuch);
    }
    // Rows name letters whatever the case of their names.
    let (mut found, mut names, mut octets) = (BTreeMap::new(), BTreeSet::new(), 0_usize);
    for _ in 0..count {
        let entry = Entry::read(&mut rest)?;
        let Some(name) = entry.letter_name() else { continue };
        if found.len() == LETTERS_MAX {
            return Err(ZipFault::TooMuch);
        }
        let letter = entry.unpack(archive, &name)?;
        octets += letter.len();
        if octets > UNPACKED_MAX {
            return Err(ZipFault::TooMuch);
        }
        if !names.insert(name.to_lowercase()) {
            return Err(ZipFault::Twice(name));
        }
        found.insert(name, letter);
    }
    if found.is_empty() { Err(ZipFault::Empty) } else { Ok(found) }
}

/// How many entries the directory has, and the archive from there on.
fn directory(archive: &[u8]) -> Result<(usize, &[u8]), ZipFault> {
    let tail = archive.len().saturating_sub(END.1 + REMARK_MAX);
    let near_end = archive.get(tail..).unwrap_or_default();
    let at = near_end.windows(END.0.len()).rposition(|window| window == END.0);
    let end = at.and_then(|at| near_end.get(at..)).filter(|end| end.len() >= END.1);
    let end = end.ok_or(ZipFault::Broken)?;
    let (disk, count, start) = (short(end, 4), short(end, 10), long(end, 16));
    let (Some(disk), Some(count), Some(start)) = (disk, count, start) else {
        return Err(ZipFault::Broken);
    };
    // The markers of a split archive, and of ZIP64.
    if disk != 0 || count == usize::from(u16::MAX) || start == u32::MAX as usize {
        return Err(ZipFault::NotRead("ZIP".to_owned()));
    }
    Ok((count, archive.get(start..).ok_or(ZipFault::Broken)?))
}

/// An entry of the directory.
struct Entry {
    /// The name, with its folders.
    name: String,
    /// Bits, of which the first says that it is encrypted.
    flags: usize,
    /// How it is packed: 0 not at all, 8 deflated.
    method: usize,
    /// Octets as packed.
    packed: usize,
    /// Where the file begins.
    start: usize,
}

impl Entry {
    /// Reads an entry and advances past it.
    fn read(rest: &mut &[u8]) -> Result<Self, ZipFault> {
        let entry = *rest;
        if !entry.starts_with(ENTRY.0) {
            return Err(ZipFault::Broken);
        }
        let parts = (|| {
            let (name, more, remark) = (short(entry, 28)?, short(entry, 30)?, short(entry, 32)?);
            let text = entry.get(ENTRY.1..ENTRY.1 + name)?;
            *rest = entry.get(ENTRY.1 + name + more + remark..)?;
            Some(Self {
                name: String::from_utf8_lossy(text).into_owned(),
                flags: short(entry, 8)?,
                method: short(entry, 10)?,
                packed: long(entry, 20)?,
                start: long(entry, 42)?,
            })
        })();
        parts.ok_or(ZipFault::Broken)
    }

    /// The name of a letter without its folders; `None` for folders and for files that systems add by themselves.
    fn letter_name(&self) -> Option<String> {
        let own = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_added =
            self.name.starts_with("__MACOSX") || own.starts_with('.') || own == "Thumbs.db";
        let name: String = own.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        (!name.is_empty() && !is_added).then_some(name)
    }

    /// Its content, up to the size limit of a letter.
    fn unpack(&self, archive: &[u8], name: &str) -> Result<Vec<u8>, ZipFault> {
        if self.flags & 1 != 0 {
            return Err(ZipFault::NotRead(name.to_owned()));
        }
        let packed = (|| {
            let file = archive.get(self.start..).filter(|file| file.starts_with(FILE.0))?;
            let start = FILE.1 + short(file, 26)? + short(file, 28)?;
            file.get(start..start.checked_add(self.packed)?)
        })();
        let packed = packed.ok_or(ZipFault::Broken)?;
        let mut letter = Vec::new();
        let read = match self.method {
            0 => packed.take(TAKEN_MAX as u64 + 1).read_to_end(&mut letter),
            8 => DeflateDecoder::new(packed).take(TAKEN_MAX as u64 + 1).read_to_end(&mut letter),
            _ => return Err(ZipFault::NotRead(name.to_owned())),
        };
        match read {
            Ok(octets) if octets > TAKEN_MAX => Err(ZipFault::Letter(name.to_owned())),
            Ok(_) => Ok(letter),
            Err(_) => Err(ZipFault::Broken),
        }
    }
}

/// Two octets, little-endian.
fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(octets)))
}

/// Four octets, little-endian.
fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(octets)).ok()
}
