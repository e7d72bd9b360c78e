//! The text of a zone file of another server: in one piece, where it includes others, and in which format.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::machine::Machine;
use crate::import::Files;
use crate::master::{self, Finding, Input, Memory, write_line};
use crate::wire::{Name, Record, Rtype};

/// How deep zone files may include files.
const DEPTH_MAX: usize = 10;

/// A zone file, read.
pub(super) struct Text {
    /// Its text, which includes nothing.
    pub(super) bytes: Vec<u8>,
    /// Whether other files became part of it.
    pub(super) is_merged: bool,
}

/// Why there is no text.
pub(super) enum NoText {
    /// The file is in a format of named's own.
    Raw,
    /// It cannot be read: why.
    Unread(String),
    /// It includes others and cannot be parsed: its faults.
    Faulty(Vec<Finding>),
}

/// Reads a zone file; the paths of `$INCLUDE` are relative to `base`, or to the file.
pub(super) fn read(
    machine: &Machine,
    origin: &Name,
    path: &Path,
    base: &Path,
) -> Result<Text, NoText> {
    let options = master::Options::default();
    let bytes = machine.read(path, options.file_octets_max).map_err(NoText::Unread)?;
    if is_raw(&bytes) {
        return Err(NoText::Raw);
    }
    if includes(&bytes).next().is_none() {
        return Ok(Text { bytes, is_merged: false });
    }
    let mut gathering =
        Gathering { machine, base, memory: HashMap::new(), octets_left: options.file_octets_max };
    let whole = gathering.gather(&bytes, path, 0).map_err(NoText::Unread)?;
    let loader = Memory(gathering.memory);
    let input = Input { file: path, bytes: &whole, loader: &loader };
    let mut records: Vec<Record> = Vec::new();
    let parsed = master::parse(&input, origin.as_ref(), &options, &mut |record, _| {
        records.push(record.to_record());
    });
    if parsed.errors > 0 {
        return Err(NoText::Faulty(parsed.findings));
    }
    let mut text = String::new();
    let (first, rest): (Vec<&Record>, Vec<&Record>) =
        records.iter().partition(|record| record.rtype == Rtype::SOA);
    for record in first.into_iter().chain(rest) {
        write_line(record.as_ref(), &mut text);
    }
    Ok(Text { bytes: text.into_bytes(), is_merged: true })
}

/// Whether a file begins as named's formats `raw` and `map` do.
fn is_raw(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 0, 0, 2 | 3, ..])
}

/// The lines that include a file: where each is in the text, and the words behind the directive.
fn includes(bytes: &[u8]) -> impl Iterator<Item = (std::ops::Range<usize>, Vec<&str>)> {
    let mut start = 0;
    bytes.split_inclusive(|octet| *octet == b'\n').filter_map(move |line| {
        let range = start..start + line.len();
        start = range.end;
        let text = std::str::from_utf8(line).ok()?;
        let mut words = text.split(';').next()?.split_whitespace();
        words.next().filter(|word| word.eq_ignore_ascii_case("$INCLUDE"))?;
        Some((range, words.collect()))
    })
}

/// Reads included files and gives them names without directories.
struct Gathering<'a> {
    /// Where they are.
    machine: &'a Machine,
    /// Where their paths begin.
    base: &'a Path,
    /// Those that were read, by the names they got.
    memory: HashMap<PathBuf, Arc<[u8]>>,
    /// Octets that may still be read.
    octets_left: usize,
}

impl Gathering<'_> {
    /// A file with its includes under their new names.
    fn gather(&mut self, bytes: &[u8], path: &Path, depth: usize) -> Result<Vec<u8>, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "{}: files may be included at most {DEPTH_MAX} deep",
                path.display()
            ));
        }
        let (mut whole, mut done) = (Vec::new(), 0);
        for (range, words) in includes(bytes) {
            let named = words.first().map(|word| word.trim_matches('"')).unwrap_or_default();
            let beside = path.parent().unwrap_or_else(|| Path::new("")).join(named);
            let places = [self.base.join(named), beside];
            let read = |place: &PathBuf| {
                Some((place.clone(), self.machine.read(place, self.octets_left).ok()?))
            };
            let (place, inside) = places.iter().find_map(read).ok_or_else(|| {
                format!("{} includes {named}, which cannot be read", path.display())
            })?;
            self.octets_left = self.octets_left.saturating_sub(inside.len());
            let inside = self.gather(&inside, &place, depth + 1)?;
            let name = PathBuf::from(format!("included-{}", self.memory.len()));
            whole.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
            let origin = words.get(1).copied().unwrap_or_default();
            whole.extend_from_slice(format!("$INCLUDE {} {origin}\n", name.display()).as_bytes());
            self.memory.insert(name, inside.into());
            done = range.end;
        }
        whole.extend_from_slice(bytes.get(done..).unwrap_or_default());
        Ok(whole)
    }
}
