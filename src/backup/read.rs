//! Reading an archive: it is verified completely before anything is extracted.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use ring::digest::{Context, SHA256};

use super::archive::{BLOCK, END, Header, end, padding, record};
use super::contents::is_member;
use super::manifest::{Entry, FORMAT, MANIFEST, MANIFEST_OCTETS_MAX, Manifest};
use super::{BackupError, MEMBERS_MAX};
use crate::digest::hex;
use crate::files;

/// Octets per read.
const CHUNK: usize = 64 * 1024;
/// Octets of the records of one member.
const RECORDS_MAX: u64 = 4_096;

//------------ check and unpack ----------------------------------------------

/// Reads all of a backup and verifies that every octet is as it was written. Returns its manifest.
pub fn check(path: &Path) -> Result<Manifest, BackupError> {
    let mut reader = Reader::open(path)?;
    let mut found: Vec<Entry> = Vec::new();
    let mut manifest = None;
    while let Some((name, octets)) = reader.member()? {
        if manifest.is_some() {
            return Err(reader.damaged("something follows its manifest"));
        }
        if name == MANIFEST {
            if octets > MANIFEST_OCTETS_MAX {
                return Err(reader.damaged("its manifest is too long"));
            }
            let mut json = Vec::new();
            reader.content(octets, &mut json)?;
            manifest = Some(json);
            continue;
        }
        let sha256 = reader.content(octets, &mut std::io::sink())?;
        found.push(Entry { name, octets, sha256 });
        if found.len() > MEMBERS_MAX {
            return Err(reader.damaged("it has too many members"));
        }
    }
    reader.end()?;
    let damaged = |why: &str| BackupError::damaged(path, why);
    let json = manifest.ok_or_else(|| damaged("it has no manifest"))?;
    let manifest: Manifest = serde_json::from_slice(&json)
        .map_err(|error| damaged(&format!("its manifest does not read ({error})")))?;
    if manifest.format != FORMAT {
        let why = format!(
            "its format is {:?}, and this version of gapura ({}) reads {FORMAT:?}",
            manifest.format,
            env!("CARGO_PKG_VERSION")
        );
        return Err(damaged(&why));
    }
    let names: HashSet<&str> = found.iter().map(|entry| entry.name.as_str()).collect();
    if let Some(odd) = found.iter().find(|entry| !is_member(&entry.name)) {
        return Err(damaged(&format!("{:?} is no file that a backup holds", odd.name)));
    }
    if found != manifest.members || names.len() != found.len() {
        return Err(damaged("its members are not those that its manifest names"));
    }
    Ok(manifest)
}

/// Extracts a verified backup into an existing, empty directory; everything is on disk when this returns. A file that
/// has changed since it was verified is an error.
pub fn unpack(path: &Path, manifest: &Manifest, into: &Path) -> Result<(), BackupError> {
    let mut reader = Reader::open(path)?;
    let mut expected = manifest.members.iter();
    while let Some((name, octets)) = reader.member()? {
        let Some(entry) = expected.next() else {
            // The manifest, already read.
            reader.content(octets, &mut std::io::sink())?;
            continue;
        };
        if entry.name != name || entry.octets != octets || !is_member(&name) {
            return Err(reader.damaged("it was changed while it was read"));
        }
        let target = into.join(&name);
        let failed = |source| BackupError::write(&target, source);
        if let Some(directory) = target.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(&target).map_err(failed)?;
        let sha256 = reader.content_into(octets, &mut file, &target)?;
        if sha256 != entry.sha256 {
            return Err(reader.damaged("it was changed while it was read"));
        }
        file.sync_all().map_err(failed)?;
    }
    reader.end()
}

//------------ Reader --------------------------------------------------------

/// An archive that is being read.
struct Reader<'a> {
    /// Which file it is.
    path: &'a Path,
    /// The file.
    input: BufReader<File>,
    /// Octets before the end.
    left: u64,
    /// The hash of what was read of them.
    hash: Context,
}

impl<'a> Reader<'a> {
    /// Opens a file.
    fn open(path: &'a Path) -> Result<Self, BackupError> {
        let failed = |source| BackupError::read(path, source);
        let mut file = files::open(path).map_err(failed)?;
        let octets = file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let whole = octets.checked_sub(END as u64).filter(|_| octets % BLOCK as u64 == 0);
        let left = whole
            .ok_or_else(|| BackupError::damaged(path, "it is no archive, or was cut short"))?;
        let input = BufReader::with_capacity(CHUNK, file);
        Ok(Self { path, input, left, hash: Context::new(&SHA256) })
    }

    /// The error for a damaged archive.
    fn damaged(&self, why: &str) -> BackupError {
        BackupError::damaged(self.path, why)
    }

    /// Reads octets that belong to members.
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), BackupError> {
        let left = self.left.checked_sub(octets.len() as u64);
        self.left = left.ok_or_else(|| self.damaged("a member ends behind the archive's end"))?;
        let read = self.input.read_exact(octets);
        read.map_err(|source| BackupError::read(self.path, source))?;
        self.hash.update(octets);
        Ok(())
    }

    /// Reads a header; none at the end.
    fn header(&mut self) -> Result<Option<Header>, BackupError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        let header = Header::read(&block);
        header.map(Some).ok_or_else(|| self.damaged("a header is damaged"))
    }

    /// Name and size of the next member; none at the end.
    fn member(&mut self) -> Result<Option<(String, u64)>, BackupError> {
        let (mut name, mut octets) = (None, None);
        let Some(mut header) = self.header()? else { return Ok(None) };
        if header.kind == b'x' {
            if header.octets > RECORDS_MAX {
                return Err(self.damaged("the records of a member are too long"));
            }
            let mut text = Vec::new();
            self.content(header.octets, &mut text)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            for line in text.lines() {
                let record_of = line.split_once(' ').and_then(|(_, rest)| rest.split_once('='));
                match record_of {
                    Some((key @ "path", value)) if record(key, value).trim_end() == line => {
                        name = Some(value.to_owned());
                    }
                    Some((key @ "size", value)) if record(key, value).trim_end() == line => {
                        octets = value.parse().ok();
                    }
                    _ => return Err(self.damaged("a record of a member is damaged")),
                }
            }
            header = match self.header()? {
                Some(header) => header,
                None => return Err(self.damaged("records stand before no member")),
            };
        }
        if header.kind != b'0' {
            return Err(self.damaged("a member is no file"));
        }
        Ok(Some((name.unwrap_or(header.name), octets.unwrap_or(header.octets))))
    }

    /// Copies the content of a member to `sink`; returns its SHA-256, in hexadecimal.
    fn content(&mut self, octets: u64, sink: &mut dyn Write) -> Result<String, BackupError> {
        self.content_into(octets, sink, Path::new("the memory"))
    }

    /// The same into a file.
    fn content_into(
        &mut self,
        octets: u64,
        sink: &mut dyn Write,
        target: &Path,
    ) -> Result<String, BackupError> {
        if octets > self.left {
            return Err(self.damaged("a member ends behind the archive's end"));
        }
        let mut hash = Context::new(&SHA256);
        let mut chunk = vec![0; CHUNK];
        let mut left = octets;
        while left > 0 {
            let most = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            self.fill(&mut chunk[..most])?;
            hash.update(&chunk[..most]);
            sink.write_all(&chunk[..most]).map_err(|source| BackupError::write(target, source))?;
            left -= most as u64;
        }
        let mut rest = vec![0; padding(octets)];
        self.fill(&mut rest)?;
        if rest.iter().any(|octet| *octet != 0) {
            return Err(self.damaged("there is something between two members"));
        }
        Ok(hex(hash.finish().as_ref()))
    }

    /// Verifies that the rest is the end, with the hash of everything before it.
    fn end(mut self) -> Result<(), BackupError> {
        let mut found = Vec::with_capacity(END);
        let read = self.input.read_to_end(&mut found);
        read.map_err(|source| BackupError::read(self.path, source))?;
        let hash = hex(self.hash.clone().finish().as_ref());
        if found == end(&hash) { Ok(()) } else { Err(self.damaged("its hash does not fit")) }
    }
}
