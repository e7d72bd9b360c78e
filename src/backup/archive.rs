//! Writing an archive: members one after the other, and the hash of all of them at the end.
//!
//! Each member is a regular file of mode 0600 without owner. A name or size that does not fit the old header is in a pax
//! record before it (POSIX.1-2017, pax, "pax Interchange Format").

use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

use crate::digest::hex;

/// Octets of a block.
pub(super) const BLOCK: usize = 512;
/// Octets of the end: header and content of the hash, and two empty blocks.
pub(super) const END: usize = 4 * BLOCK;
/// The name of the last member.
const HASH: &str = "SHA256";
/// The longest name in a header.
const NAME_MAX: usize = 100;
/// The largest size in a header: eleven octal digits.
const SIZE_MAX: u64 = 0o77_777_777_777;
/// Octets per read.
const CHUNK: usize = 64 * 1024;
/// The member name of pax records.
const RECORDS: &str = "pax";

//------------ Header --------------------------------------------------------

/// What a header says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Header {
    /// The member's name.
    pub(super) name: String,
    /// Its octets.
    pub(super) octets: u64,
    /// When it was written, in seconds since 1970.
    pub(super) modified_s: u64,
    /// `0`, a file, or `x`, records of the next one.
    pub(super) kind: u8,
}

impl Header {
    /// The block, determined entirely by the four values.
    pub(super) fn block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, octets: &[u8]| {
            block.iter_mut().skip(at).zip(octets).for_each(|(to, from)| *to = *from);
        };
        put(0, self.name.as_bytes());
        put(100, b"0000600\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", self.octets.min(SIZE_MAX)).as_bytes());
        put(136, format!("{:011o}\0", self.modified_s.min(SIZE_MAX)).as_bytes());
        put(148, b"        ");
        put(156, &[self.kind]);
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|octet| u32::from(*octet)).sum();
        let mut put = |at: usize, octets: &[u8]| {
            block.iter_mut().skip(at).zip(octets).for_each(|(to, from)| *to = *from);
        };
        put(148, format!("{sum:06o}\0 ").as_bytes());
        block
    }

    /// Reads a block; none if it is not one that [`Header::block`] makes.
    pub(super) fn read(block: &[u8; BLOCK]) -> Option<Self> {
        let text = |from: usize, octets: usize| {
            let field = block.get(from..from + octets)?;
            std::str::from_utf8(field.split(|octet| *octet == 0).next()?).ok()
        };
        let number = |from: usize| u64::from_str_radix(text(from, 12)?, 8).ok();
        let header = Self {
            name: text(0, NAME_MAX)?.to_owned(),
            octets: number(124)?,
            modified_s: number(136)?,
            kind: *block.get(156)?,
        };
        (header.block() == *block).then_some(header)
    }
}

/// Octets of padding after a content, up to a full block.
pub(super) fn padding(octets: u64) -> usize {
    let over = (octets % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

/// A pax record: its own length, key and value.
pub(super) fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut octets = rest + 1;
    while octets != rest + octets.to_string().len() {
        octets = rest + octets.to_string().len();
    }
    format!("{octets} {key}={value}\n")
}

/// The end of an archive: the hash of all before it.
pub(super) fn end(hash: &str) -> Vec<u8> {
    let content = format!("{hash}\n");
    let octets = content.len() as u64;
    let header = Header { name: HASH.to_owned(), octets, modified_s: 0, kind: b'0' };
    let mut end = header.block().to_vec();
    end.extend_from_slice(content.as_bytes());
    end.resize(END, 0);
    end
}

//------------ Writer --------------------------------------------------------

/// Writes an archive.
pub struct Writer<W> {
    /// Where it goes.
    out: W,
    /// The hash of all that was written.
    hash: Context,
}

/// Why a member was not written.
#[derive(Debug)]
pub enum AddError {
    /// Its content cannot be read.
    Read(io::Error),
    /// Its content is not of the announced length.
    Changed,
    /// The archive cannot be written.
    Write(io::Error),
}

impl<W: Write> Writer<W> {
    /// An archive that goes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, hash: Context::new(&SHA256) }
    }

    /// Adds a member of the given length; returns the SHA-256 of its content, in hexadecimal.
    pub fn add(
        &mut self,
        name: &str,
        octets: u64,
        modified_s: u64,
        content: &mut dyn Read,
    ) -> Result<String, AddError> {
        self.header(name, octets, modified_s).map_err(AddError::Write)?;
        let mut hash = Context::new(&SHA256);
        let mut chunk = vec![0; CHUNK];
        let mut left = octets;
        while left > 0 {
            let most = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            let read = match content.read(&mut chunk[..most]) {
                Ok(0) => return Err(AddError::Changed),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(AddError::Read(error)),
            };
            hash.update(&chunk[..read]);
            self.put(&chunk[..read]).map_err(AddError::Write)?;
            left -= read as u64;
        }
        if content.read(&mut chunk[..1]).map_err(AddError::Read)? > 0 {
            return Err(AddError::Changed);
        }
        self.put(&[0; BLOCK][..padding(octets)]).map_err(AddError::Write)?;
        Ok(hex(hash.finish().as_ref()))
    }

    /// Ends the archive; returns the writer and the hash.
    pub fn finish(mut self) -> io::Result<(W, String)> {
        let hash = hex(self.hash.clone().finish().as_ref());
        self.out.write_all(&end(&hash))?;
        self.out.flush()?;
        Ok((self.out, hash))
    }

    /// Writes the header of a member, preceded by pax records for what does not fit.
    fn header(&mut self, name: &str, octets: u64, modified_s: u64) -> io::Result<()> {
        let mut records = String::new();
        if name.len() > NAME_MAX {
            records += &record("path", name);
        }
        if octets > SIZE_MAX {
            records += &record("size", &octets.to_string());
        }
        if !records.is_empty() {
            let octets = records.len() as u64;
            let header = Header { name: RECORDS.to_owned(), octets, modified_s: 0, kind: b'x' };
            self.put(&header.block())?;
            self.put(records.as_bytes())?;
            self.put(&[0; BLOCK][..padding(octets)])?;
        }
        // With a pax record before it, this name is only informative.
        let name = if name.len() > NAME_MAX { RECORDS } else { name };
        let octets = if octets > SIZE_MAX { 0 } else { octets };
        let header = Header { name: name.to_owned(), octets, modified_s, kind: b'0' };
        self.put(&header.block())
    }

    /// Writes octets and adds them to the hash.
    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.hash.update(octets);
        self.out.write_all(octets)
    }
}
