//! A large text read in stretches side by side, as long as nothing is wrong with it.
//!
//! Behind the last directive a record depends on those before it only for what it leaves out, owner and TTL. So what
//! follows is cut at lines that state an owner, and each stretch is read for itself. If all are without any finding,
//! they hold the records that reading all in one gives. If not, nothing of them counts: a cut may have been inside
//! parentheses, a TTL may stand before it, a directive may hide behind a parenthesis. Then the text is read in one, which
//! alone says what is wrong and where.

use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::{memchr, memrchr};

use super::input::ending;
use super::parse::{Begin, parse_from};
use super::{Input, NoIncludes, Options, Parsed};
use crate::lock::lock;
use crate::threads::{each, several};
use crate::wire::{NameRef, RecordRef};

/// Octets of the shortest stretch that is worth a thread. Few in tests, so that small texts have several.
const STRETCH_OCTETS_MIN: usize = if cfg!(test) { 24 } else { 1 << 20 };

/// Stretches for each thread, as some take longer than others and the processors have other work, too.
const STRETCHES_PER_THREAD: usize = 8;

/// What takes the records of stretches.
pub trait Sinks: Sync {
    /// What takes those of one.
    type Sink: Send;
    /// One for a stretch of so many octets.
    fn open(&self, octets: usize) -> Self::Sink;
    /// Takes a record.
    fn push(&self, sink: &mut Self::Sink, record: RecordRef<'_>);
    /// A stretch is at its end.
    fn close(&self, sink: &mut Self::Sink);
}

/// Reads a text by so many threads. Returns what [`super::parse`] does and the sinks in the order of the text; none if it
/// is to be read in one.
pub fn parse_apart<S: Sinks>(
    input: &Input<'_>,
    origin: NameRef<'_>,
    options: &Options,
    threads: usize,
    sinks: &S,
) -> Option<(Parsed, Vec<S::Sink>)> {
    let (bytes, file) = (input.bytes, input.file);
    // A longer one is a finding.
    if threads < 2 || bytes.len() > options.file_octets_max.min(u32::MAX as usize - 1) {
        return None;
    }
    let head_end = behind_directives(bytes, threads);
    let cuts = cut(bytes, head_end, threads * STRETCHES_PER_THREAD);
    if cuts.len() < 2 {
        return None;
    }
    let head = read(file, &bytes[..head_end], &Begin::at(origin), options, sinks)?;
    let begin = &head.1;
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(range) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
            match read(file, &bytes[range.clone()], begin, options, sinks) {
                Some((sink, end, records)) if end == *begin => {
                    lock(&done).push((range.start, sink, records));
                }
                // All the others are for nothing.
                _ => next.store(cuts.len(), Ordering::Relaxed),
            }
        }
    };
    several(threads.min(cuts.len()), work, work);
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(start, ..)| *start);
    let records = head.2 + done.iter().map(|(.., records)| records).sum::<usize>();
    if done.len() < cuts.len() || records > options.records_max {
        return None;
    }
    let (has_end_marker, ends_with_newline) = ending(bytes);
    let parsed = Parsed { records, has_end_marker, ends_with_newline, ..Parsed::default() };
    let sinks = std::iter::once(head.0).chain(done.into_iter().map(|(_, sink, _)| sink));
    Some((parsed, sinks.collect()))
}

/// Reads one stretch; none if there is anything to say about it. Returns its sink, what holds behind it, and the number of
/// its records.
fn read<S: Sinks>(
    file: &Path,
    bytes: &[u8],
    begin: &Begin,
    options: &Options,
    sinks: &S,
) -> Option<(S::Sink, Begin, usize)> {
    let mut sink = sinks.open(bytes.len());
    // What is included is read once, by whoever reads the text in one.
    let input = Input { file, bytes, loader: &NoIncludes };
    let mut push = |record: RecordRef<'_>, _| sinks.push(&mut sink, record);
    let (parsed, end) = parse_from(&input, begin.clone(), options, &mut push);
    if parsed.errors + parsed.warnings > 0 {
        return None;
    }
    sinks.close(&mut sink);
    Some((sink, end, parsed.records))
}

//------------ Cuts ----------------------------------------------------------

/// The octets up to the end of the last line that may be a directive; looked for by so many threads.
fn behind_directives(bytes: &[u8], threads: usize) -> usize {
    let octets = (bytes.len() / (threads * STRETCHES_PER_THREAD)).max(STRETCH_OCTETS_MIN);
    let look = |(): &mut (), part: usize| {
        let start = part * octets;
        let mut end = bytes.len().min(start + octets);
        while let Some(at) = memrchr(b'$', &bytes[start..end]).map(|at| start + at) {
            if at == 0 || bytes[at - 1] == b'\n' {
                return Some(at);
            }
            end = at;
        }
        None
    };
    let found = each(threads, bytes.len().div_ceil(octets), || (), look);
    let line = |at: usize| memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
    found.into_iter().flatten().max().map_or(0, line)
}

/// Cuts what is behind `start` into as many stretches, or fewer. Each but the first begins with a line that states an
/// owner, unless that is inside parentheses.
fn cut(bytes: &[u8], start: usize, count: usize) -> Vec<Range<usize>> {
    let octets = ((bytes.len() - start) / count + 1).max(STRETCH_OCTETS_MIN);
    let (mut cuts, mut start) = (Vec::new(), start);
    while start < bytes.len() {
        let end = owner_line(bytes, start + octets);
        cuts.push(start..end);
        start = end;
    }
    cuts
}

/// Where the first line begins behind a place that states an owner; the end if there is none.
fn owner_line(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(length) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        at += length + 1;
        if bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"@*_".contains(byte)) {
            return at;
        }
    }
    bytes.len()
}
