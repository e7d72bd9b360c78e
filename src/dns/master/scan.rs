//! From bytes to the words of one entry: comments, quotes, parentheses, line ends (RFC 1035 §5.1).

use super::rule::{self, TextRule};
use crate::wire::rdata::Token;

/// How often reading may go back to behind a parenthesis that is never closed: bounds the time.
const REWINDS_MAX: usize = 16;

//------------ Classes of bytes ----------------------------------------------

/// What a byte means outside quotes.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Class {
    /// Part of a word.
    Word,
    /// Space or tab.
    Space,
    /// Line feed.
    Newline,
    /// Anything that needs a closer look: `\ " ; ( )`, carriage return, NUL.
    Special,
}

/// The class of each byte.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Word; 256];
    classes[b' ' as usize] = Class::Space;
    classes[b'\t' as usize] = Class::Space;
    classes[b'\n' as usize] = Class::Newline;
    let special = b"\\\";()\r\0";
    let mut at = 0;
    while at < special.len() {
        classes[special[at] as usize] = Class::Special;
        at += 1;
    }
    classes
};

//------------ Entry, TextFault ----------------------------------------------

/// An entry that was read; its words are with the caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Whether its first line starts with a blank: no owner is written.
    pub(super) is_blank: bool,
    /// The line of its first word.
    pub(super) line: u32,
    /// Offset behind its last word.
    pub(super) end: u32,
}

/// Why the words of an entry cannot be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextFault {
    /// The rule that is broken.
    pub(super) rule: &'static TextRule,
    /// The line.
    pub(super) line: u32,
    /// Offset of the first byte at fault.
    pub(super) start: usize,
    /// Offset behind the last byte at fault.
    pub(super) end: usize,
    /// What is wrong.
    pub(super) message: &'static str,
    /// What to do about it.
    pub(super) hint: Option<&'static str>,
}

//------------ Scanner -------------------------------------------------------

/// Reads entries one by one.
pub(super) struct Scanner<'a> {
    /// The whole file.
    bytes: &'a [u8],
    /// Offset of the next byte.
    at: usize,
    /// The line of the next byte, from 1.
    line: u32,
    /// Offset of the first byte of that line.
    line_start: usize,
    /// Octets a line may have.
    line_max: usize,
    /// How often reading went back.
    rewinds: usize,
}

/// What is known while one entry is read.
struct Progress {
    /// Where the open parentheses are: how many, line and offset of the first.
    depth: usize,
    /// Line and offset of the first open parenthesis.
    opened: (u32, usize),
    /// Whether the line of the first word starts with a blank, and which line that is.
    first: Option<(bool, u32)>,
    /// The first fault.
    fault: Option<TextFault>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of a file.
    pub(super) fn new(bytes: &'a [u8], line_max: usize) -> Self {
        Self { bytes, at: 0, line: 1, line_start: 0, line_max, rewinds: 0 }
    }

    /// Skips a byte order mark; returns the fault if there is one.
    pub(super) fn byte_order_mark(&mut self) -> Option<TextFault> {
        if !self.bytes.starts_with(b"\xef\xbb\xbf") {
            return None;
        }
        self.at = 3;
        self.line_start = 3;
        Some(TextFault {
            rule: &rule::BYTE_ORDER_MARK,
            line: 1,
            start: 0,
            end: 3,
            message: "the file starts with a UTF-8 byte order mark",
            hint: Some("save it as plain text, without a mark"),
        })
    }

    /// Reads the words of the next entry into `tokens`; `None` at the end of the file.
    pub(super) fn entry(
        &mut self,
        tokens: &mut Vec<Token<'a>>,
    ) -> Option<Result<Entry, TextFault>> {
        tokens.clear();
        let mut progress = Progress { depth: 0, opened: (0, 0), first: None, fault: None };
        while let Some(&byte) = self.bytes.get(self.at) {
            match CLASSES[usize::from(byte)] {
                Class::Space => self.at += 1,
                Class::Word => self.word(tokens, &mut progress),
                Class::Newline => {
                    if self.newline(&mut progress) {
                        return Some(self.finish(tokens, progress));
                    }
                }
                Class::Special => self.special(byte, tokens, &mut progress),
            }
        }
        self.check_line(&mut progress);
        // Reported once: the next call finds an empty line here, and with it the end.
        self.line_start = self.at;
        if progress.depth > 0 {
            return Some(Err(self.unclosed(progress)));
        }
        if progress.first.is_none() && progress.fault.is_none() {
            return None;
        }
        Some(self.finish(tokens, progress))
    }

    /// The result of an entry.
    fn finish(&self, tokens: &[Token<'a>], progress: Progress) -> Result<Entry, TextFault> {
        if let Some(fault) = progress.fault {
            return Err(fault);
        }
        let (is_blank, line) = progress.first.unwrap_or((false, self.line));
        let end = tokens.last().map_or(self.at, |t| t.at as usize + t.text.len());
        Ok(Entry {
            is_blank,
            line,
            end: end as u32 + u32::from(tokens.last().is_some_and(|t| t.quoted)) * 2,
        })
    }

    /// Takes note of where the first word is.
    fn begin(&self, progress: &mut Progress) {
        if progress.first.is_none() {
            let is_blank = matches!(self.bytes[self.line_start], b' ' | b'\t');
            progress.first = Some((is_blank, self.line));
        }
    }

    /// Reads a word.
    fn word(&mut self, tokens: &mut Vec<Token<'a>>, progress: &mut Progress) {
        self.begin(progress);
        let start = self.at;
        loop {
            while self.bytes.get(self.at).is_some_and(|b| CLASSES[usize::from(*b)] == Class::Word) {
                self.at += 1;
            }
            match self.bytes.get(self.at) {
                Some(b'\\') => self.escape(progress),
                Some(b'"') if self.at > start && self.bytes[self.at - 1] == b'=' => {
                    self.quoted(progress);
                    self.ends_word(progress);
                }
                Some(b'"') => {
                    let message = "a quote stands inside a word";
                    self.fault(progress, &rule::QUOTE_IN_WORD, self.at..self.at + 1, message);
                    self.at += 1;
                }
                _ => break,
            }
        }
        // Offsets fit: a file has at most 2³⁰ octets or what the options say, checked before.
        tokens.push(Token { text: &self.bytes[start..self.at], at: start as u32, quoted: false });
    }

    /// Skips a backslash and what it escapes.
    fn escape(&mut self, progress: &mut Progress) {
        match self.bytes.get(self.at + 1) {
            None | Some(b'\n' | b'\r' | 0) => {
                let message = "a backslash must be followed by three digits or one character";
                self.fault(progress, &rule::BAD_ESCAPE, self.at..self.at + 1, message);
                self.at += 1;
            }
            Some(_) => self.at += 2,
        }
    }

    /// Reads from an opening quote to behind the closing one; on a fault, to the end of the line.
    fn quoted(&mut self, progress: &mut Progress) {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(b'\\') => self.escape(progress),
                None | Some(b'\n') => {
                    let message = "the quoted string does not end on its line";
                    let hint = "close the quote; several strings may stand in parentheses";
                    let rule = &rule::UNCLOSED_QUOTE;
                    self.fault_with(progress, rule, start..self.at, message, Some(hint));
                    return;
                }
                Some(0) => self.nul(progress),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reports a word that continues right behind a closing quote.
    fn ends_word(&self, progress: &mut Progress) {
        let next = self.bytes.get(self.at).map(|b| CLASSES[usize::from(*b)]);
        if next == Some(Class::Word) {
            let message = "a word stands right behind a quoted string";
            self.fault(progress, &rule::QUOTE_IN_WORD, self.at..self.at + 1, message);
        }
    }

    /// A byte that is neither blank, line end nor part of a word.
    fn special(&mut self, byte: u8, tokens: &mut Vec<Token<'a>>, progress: &mut Progress) {
        match byte {
            b';' => {
                let rest = &self.bytes[self.at..];
                let end = rest.iter().position(|b| matches!(b, b'\n' | 0)).unwrap_or(rest.len());
                self.at += end;
                if self.bytes.get(self.at) == Some(&0) {
                    self.nul(progress);
                }
            }
            b'(' => {
                if progress.depth == 0 {
                    progress.opened = (self.line, self.at);
                }
                progress.depth += 1;
                self.at += 1;
            }
            b')' => {
                if progress.depth == 0 {
                    let message = "the parenthesis was not opened";
                    self.fault(progress, &rule::STRAY_PARENTHESIS, self.at..self.at + 1, message);
                }
                progress.depth = progress.depth.saturating_sub(1);
                self.at += 1;
            }
            b'\r' if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 1,
            b'\r' => {
                let message = "a carriage return stands without a line feed behind it";
                self.fault(progress, &rule::CARRIAGE_RETURN, self.at..self.at + 1, message);
                self.at += 1;
            }
            0 => self.nul(progress),
            b'"' => {
                self.begin(progress);
                let start = self.at;
                self.quoted(progress);
                let end = self.at.saturating_sub(1).max(start + 1);
                let text = &self.bytes[(start + 1).min(end)..end];
                tokens.push(Token { text, at: start as u32, quoted: true });
                self.ends_word(progress);
            }
            _ => self.word(tokens, progress),
        }
    }

    /// Ends a line. Returns whether it ends the entry.
    fn newline(&mut self, progress: &mut Progress) -> bool {
        self.check_line(progress);
        self.at += 1;
        let is_end = progress.depth == 0 && (progress.first.is_some() || progress.fault.is_some());
        self.line += 1;
        self.line_start = self.at;
        is_end
    }

    /// Holds the limit of a line.
    fn check_line(&self, progress: &mut Progress) {
        if self.at - self.line_start > self.line_max {
            let message = "the line is longer than the limit";
            self.fault(progress, &rule::LIMIT, self.line_start..self.line_start + 1, message);
        }
    }

    /// The file ended inside parentheses: goes back to the first line behind the open one that looks
    /// like the start of an entry, so that one slip does not hide all that follows.
    fn unclosed(&mut self, progress: Progress) -> TextFault {
        let (line, start) = progress.opened;
        self.rewinds += 1;
        if self.rewinds <= REWINDS_MAX {
            let mut at = start;
            let mut number = line;
            while let Some(end) = self.bytes[at..].iter().position(|b| *b == b'\n') {
                at += end + 1;
                number += 1;
                let starts_entry =
                    |b: &u8| !matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b';' | b')');
                if self.bytes.get(at).is_some_and(starts_entry) {
                    (self.at, self.line, self.line_start) = (at, number, at);
                    break;
                }
            }
        }
        progress.fault.filter(|fault| fault.start < start).unwrap_or(TextFault {
            rule: &rule::UNCLOSED_PARENTHESIS,
            line,
            start,
            end: start + 1,
            message: "the parenthesis is not closed before the file ends",
            hint: None,
        })
    }

    /// Skips a NUL octet, which is a fault.
    fn nul(&mut self, progress: &mut Progress) {
        let message = "a NUL octet stands here; write it as \\000 if it is meant";
        self.fault(progress, &rule::NUL_BYTE, self.at..self.at + 1, message);
        self.at += 1;
    }

    /// Keeps the first fault of the entry.
    fn fault(
        &self,
        progress: &mut Progress,
        rule: &'static TextRule,
        span: std::ops::Range<usize>,
        message: &'static str,
    ) {
        self.fault_with(progress, rule, span, message, None);
    }

    /// Keeps the first fault of the entry, with a hint.
    fn fault_with(
        &self,
        progress: &mut Progress,
        rule: &'static TextRule,
        span: std::ops::Range<usize>,
        message: &'static str,
        hint: Option<&'static str>,
    ) {
        let line = self.line;
        let (start, end) = (span.start, span.end);
        progress.fault.get_or_insert(TextFault { rule, line, start, end, message, hint });
    }
}
