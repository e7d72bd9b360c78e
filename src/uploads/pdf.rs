//! A PDF as a letter: whole, made of nothing but its own parts, and without anything that runs, is
//! attached, is locked, or grows out of hand (ISO 32000-1, 7.5).
//!
//! The file is walked from its first octet to its last, and every part must be one: an object, a
//! cross-reference table, a trailer. Offsets are ignored, as viewers that repair a file ignore
//! them, so every object that can be found is judged, also inside object streams, inside the data
//! of other streams, and in versions that a later one replaces.

mod heads;
mod lexer;
mod rules;
mod streams;

use std::collections::HashMap;

use super::refusal::{contains, find, refused};
use crate::queue::{Fault, Rule};
use heads::{Head, firsts, heads, integer};
use lexer::{Broken, Lexer, VALUES_MAX, Value, is_space};
use rules::{judge, judge_object, opens};
use streams::{UNPACKED_MAX, unpack};

/// Octets of comments between the parts, in all.
const COMMENTS_MAX: usize = 4096;
/// Objects found inside the data of others, or in one object stream.
const HIDDEN_MAX: usize = 100_000;
/// Octets of the longest head of a part, as `1234567 0 obj`.
const PART_HEAD: usize = 16;
/// The last octets in which the end of a ZIP archive would be looked for.
const ZIP_END_MAX: usize = 65_557;

/// Judges a PDF.
pub(super) fn judge_file(bytes: &[u8]) -> Result<(), Fault> {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    if !(digit(5) && bytes.get(6) == Some(&b'.') && digit(7)) {
        return Err(broken());
    }
    let tail = &bytes[bytes.len().saturating_sub(ZIP_END_MAX)..];
    if contains(tail, b"PK\x05\x06")
        && (contains(bytes, b"PK\x01\x02") || contains(bytes, b"PK\x03\x04"))
    {
        return Err(refused(Rule::LetterForeign, "ZIP"));
    }
    let mut left = VALUES_MAX;
    let heads = heads(bytes);
    let mut file = File { firsts: firsts(&heads), ..File::default() };
    let walked = file.walk(bytes, &mut left);
    let judged = walked.and_then(|()| file.judge_hidden(bytes, &heads, &mut left));
    judged.and_then(|()| file.is_whole(bytes)).map_err(|fault| {
        // What is encrypted looks damaged before the trailer says that it is not.
        let locked = fault.rule == Rule::LetterBroken && contains(bytes, b"/Encrypt");
        if locked { refused(Rule::LetterLocked, "") } else { fault }
    })
}

/// What a walk has seen.
#[derive(Default)]
struct File {
    /// Where the first object of each number begins.
    firsts: HashMap<i64, usize>,
    /// Where objects that have been judged begin, behind their heads, and a number each was judged by.
    judged: HashMap<usize, i64>,
    /// Whether a trailer names the root.
    has_root: bool,
    /// Whether there is a catalog.
    has_catalog: bool,
    /// Objects that decide what happens on opening.
    on_opening: Vec<i64>,
    /// Objects that would do more than show a place, if opened.
    more_than_show: HashMap<i64, bool>,
    /// Octets that streams have unpacked to.
    unpacked: usize,
}

/// The file is not whole, or no PDF beyond its first octets.
fn broken() -> Fault {
    refused(Rule::LetterBroken, "PDF")
}

/// There is something that is no part of a PDF.
fn foreign() -> Fault {
    refused(Rule::LetterForeign, "")
}

/// What is no part of a PDF; a few octets at the end are a part cut off.
fn stray(bytes: &[u8], start: usize) -> Fault {
    if bytes.len() - start < PART_HEAD { broken() } else { foreign() }
}

impl From<Broken> for Fault {
    fn from(_: Broken) -> Self {
        broken()
    }
}

impl File {
    /// Walks from part to part.
    fn walk(&mut self, bytes: &[u8], left: &mut usize) -> Result<(), Fault> {
        let mut comments = 0;
        let mut lexer = Lexer::new(bytes, 0, left);
        loop {
            comments += lexer.skip_space();
            if comments > COMMENTS_MAX {
                return Err(foreign());
            }
            let start = lexer.at;
            let Some(byte) = lexer.peek() else { return Ok(()) };
            if byte.is_ascii_digit() {
                let number = lexer.object_head().ok_or_else(|| stray(bytes, start))?;
                self.judged.insert(lexer.at, number);
                self.object(&mut lexer, number)?;
            } else if lexer.word(b"xref") {
                table(&mut lexer);
            } else if lexer.word(b"trailer") {
                let trailer = lexer.value()?;
                self.value(&trailer)?;
                self.has_root |= trailer.get(b"Root").is_some();
            } else if lexer.word(b"startxref") {
                lexer.skip_space();
                lexer.natural().ok_or_else(broken)?;
            } else {
                return Err(stray(bytes, start));
            }
        }
    }

    /// An object behind its head, with its stream.
    fn object(&mut self, lexer: &mut Lexer<'_>, number: i64) -> Result<(), Fault> {
        lexer.skip_space();
        if lexer.word(b"endobj") {
            return Ok(());
        }
        let value = lexer.value()?;
        judge_object(&value)?;
        self.value(&value)?;
        self.remember(number, &value);
        lexer.skip_space();
        if lexer.word(b"stream") {
            let data = stream_data(lexer, &value, &self.firsts)?;
            self.stream(&value, data, lexer)?;
            lexer.skip_space();
        }
        // Some programs forget it; what follows must be a part of its own anyway.
        lexer.word(b"endobj");
        Ok(())
    }

    /// Judges a value, and notes what it says of the document.
    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        judge(value)?;
        self.has_catalog |= value.get(b"Type").and_then(Value::name) == Some(b"Catalog");
        if let Some(Value::Ref(number)) = value.get(b"OpenAction") {
            self.on_opening.push(*number);
        }
        Ok(())
    }

    /// Notes what an object would do on opening; of several versions the worst counts.
    fn remember(&mut self, number: i64, value: &Value) {
        let more = opens(value) != Some(true);
        *self.more_than_show.entry(number).or_insert(false) |= more;
    }

    /// A stream: within the bound, not outside the file, and its objects judged if it has some.
    fn stream(&mut self, dict: &Value, data: &[u8], lexer: &mut Lexer<'_>) -> Result<(), Fault> {
        let kind = dict.get(b"Type").and_then(Value::name);
        self.has_root |= kind == Some(b"XRef") && dict.get(b"Root").is_some();
        if matches!(dict.get(b"F"), Some(Value::Text(_) | Value::Dict(_) | Value::Ref(_))) {
            return Err(refused(Rule::LetterAttached, ""));
        }
        let mut left = UNPACKED_MAX - self.unpacked;
        let unpacked = unpack(dict, data, &mut left)?;
        self.unpacked = UNPACKED_MAX - left;
        if contains(&unpacked, b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE") {
            return Err(refused(Rule::LetterMalware, "EICAR"));
        }
        let holds_objects =
            kind == Some(b"ObjStm") || (dict.get(b"First").is_some() && dict.get(b"N").is_some());
        if !holds_objects {
            return Ok(());
        }
        if predictor(dict) || unpacked.is_empty() && !data.is_empty() {
            return Err(broken());
        }
        let numbers =
            (dict.get(b"N").and_then(Value::int), dict.get(b"First").and_then(Value::int));
        let (Some(count), Some(first)) = numbers else { return Err(broken()) };
        self.object_stream(&unpacked, count, first, lexer)
    }

    /// The objects of an object stream (ISO 32000-1, 7.5.7).
    fn object_stream(
        &mut self,
        bytes: &[u8],
        count: i64,
        first: i64,
        outer: &mut Lexer<'_>,
    ) -> Result<(), Fault> {
        let count = usize::try_from(count).ok().filter(|count| *count <= HIDDEN_MAX);
        let (count, first) =
            (count.ok_or_else(broken)?, usize::try_from(first).map_err(|_| broken())?);
        let mut head = outer.other_bytes(bytes, 0);
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            head.skip_space();
            let number = head.natural().ok_or_else(broken)?;
            head.skip_space();
            let at = head.natural().and_then(|at| usize::try_from(at).ok()).ok_or_else(broken)?;
            places.push((number, first.saturating_add(at)));
        }
        for (number, at) in places {
            let value = outer.other_bytes(bytes, at).value()?;
            judge_object(&value)?;
            self.value(&value)?;
            self.remember(number, &value);
        }
        Ok(())
    }

    /// Judges what looks like an object where no part begins: in the data of streams, in strings, in
    /// comments. An offset could lead a viewer there.
    fn judge_hidden(
        &mut self,
        bytes: &[u8],
        heads: &[Head],
        left: &mut usize,
    ) -> Result<(), Fault> {
        let mut found = 0;
        for Head { number, body } in heads.iter().copied() {
            if let Some(known) = self.judged.get(&body) {
                // The same object under another number.
                let more = self.more_than_show.get(known).is_none_or(|more| *more);
                *self.more_than_show.entry(number).or_insert(false) |= more;
                continue;
            }
            self.judged.insert(body, number);
            found += 1;
            if found > HIDDEN_MAX {
                return Err(foreign());
            }
            let mut lexer = Lexer::new(bytes, body, left);
            lexer.skip_space();
            // Figures may look like the head of an object by chance; a dictionary behind it does not.
            let is_dictionary = lexer.bytes.get(lexer.at..).is_some_and(|it| it.starts_with(b"<<"));
            match self.object(&mut lexer, number) {
                Err(fault) if fault.rule != Rule::LetterBroken => return Err(fault),
                Err(_) if is_dictionary => return Err(foreign()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether all parts are there, and opening it does no more than show it.
    fn is_whole(&self, bytes: &[u8]) -> Result<(), Fault> {
        if self.on_opening.iter().any(|number| self.more_than_show.get(number) != Some(&false)) {
            return Err(refused(Rule::LetterActive, "OpenAction"));
        }
        let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(0, |at| at + 1);
        let ends = bytes[..end].ends_with(b"%%EOF");
        if ends && self.has_root && self.has_catalog { Ok(()) } else { Err(broken()) }
    }
}

/// Whether a predictor was used on a stream.
fn predictor(dict: &Value) -> bool {
    let Some(parms) = dict.get(b"DecodeParms").or_else(|| dict.get(b"DP")) else { return false };
    let of = |value: &Value| value.get(b"Predictor").is_some_and(|it| it.int() != Some(1));
    match parms {
        Value::Array(items) => items.iter().any(of),
        Value::Ref(_) => true,
        value => of(value),
    }
}

/// Skips the entries of a cross-reference table.
fn table(lexer: &mut Lexer<'_>) {
    loop {
        lexer.skip_space();
        let is_entry =
            matches!(lexer.bytes.get(lexer.at..), Some([b'f' | b'n', next, ..]) if is_space(*next));
        if is_entry {
            lexer.at += 1;
        } else if lexer.peek().is_none_or(|byte| !byte.is_ascii_digit()) {
            return;
        } else {
            let start = lexer.at;
            if lexer.object_head().is_some() {
                lexer.at = start;
                return;
            }
            lexer.natural();
        }
    }
}

/// The data of a stream, from behind its word to its end, which is left behind.
fn stream_data<'a>(
    lexer: &mut Lexer<'a>,
    dict: &Value,
    firsts: &HashMap<i64, usize>,
) -> Result<&'a [u8], Fault> {
    let bytes = lexer.bytes;
    let after = |at: usize| bytes.get(at).copied();
    let mut start = lexer.at;
    start += usize::from(after(start) == Some(b'\r'));
    start += usize::from(after(start) == Some(b'\n'));
    let length = match dict.get(b"Length") {
        Some(Value::Int(length)) => Some(*length),
        Some(Value::Ref(number)) => firsts.get(number).and_then(|body| integer(bytes, *body)),
        _ => None,
    };
    let ends_there = |length: i64| {
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let mut at = end;
        while after(at).is_some_and(is_space) {
            at += 1;
        }
        bytes.get(at..)?.starts_with(b"endstream").then_some((end, at))
    };
    let found = length.and_then(ends_there).or_else(|| {
        let at = start + find(bytes.get(start..)?, b"endstream")?;
        Some((at, at))
    });
    let (end, word) = found.ok_or_else(broken)?;
    lexer.at = word + b"endstream".len();
    Ok(&bytes[start..end])
}
