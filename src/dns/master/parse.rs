//! From a master file to records, or to all its faults at once (RFC 1035 §5, RFC 2308 §4).

use std::path::PathBuf;

use super::input::{ending, place};
use super::rule::{self, TextRule};
use super::scan::{Entry, Scanner};
use super::{At, Finding, Input, Options, Parsed, Severity};
use crate::wire::rdata::{self, RDATA_OCTETS_MAX, Token, push_name};
use crate::wire::{Class, NameRef, RecordRef, Rtype, TTL_MAX};

mod directive;
mod word;

pub(super) use word::argument;
use word::{head, name_problem};

//------------ parse ---------------------------------------------------------

/// Reads a whole master file. Every record goes to `sink` as it is read, every fault is kept; after a
/// fault reading continues with the next record.
pub fn parse(
    input: &Input<'_>,
    origin: NameRef<'_>,
    options: &Options,
    sink: &mut dyn FnMut(RecordRef<'_>, At),
) -> Parsed {
    parse_from(input, Begin::at(origin), options, sink).0
}

/// What holds where a text begins or ends, besides the last owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Begin {
    /// The origin, on the wire.
    origin: Vec<u8>,
    /// From `$TTL`.
    ttl_default: Option<u32>,
}

impl Begin {
    /// The beginning of a file.
    pub(super) fn at(origin: NameRef<'_>) -> Self {
        Self { origin: origin.wire().to_vec(), ttl_default: None }
    }
}

/// The same for a text that is not the beginning of its file, whose first record states its owner and, without `$TTL`, its
/// TTL. Returns what holds behind it, too.
pub(super) fn parse_from(
    input: &Input<'_>,
    begin: Begin,
    options: &Options,
    sink: &mut dyn FnMut(RecordRef<'_>, At),
) -> (Parsed, Begin) {
    let (has_end_marker, ends_with_newline) = ending(input.bytes);
    let mut parser = Parser {
        input,
        options,
        sink,
        origin: begin.origin,
        owner: Vec::with_capacity(256),
        owner_state: OwnerState::None,
        ttl_default: begin.ttl_default,
        ttl_last: None,
        from_minimum: false,
        is_stated: false,
        rdata: Vec::with_capacity(1024),
        generated: 0,
        open: Vec::new(),
        parsed: Parsed { has_end_marker, ends_with_newline, ..Parsed::default() },
    };
    let source = Source { bytes: input.bytes, file: 0, fixed: None };
    if parser.fits(&source, 1) {
        parser.file(source);
    }
    let Parser { origin, ttl_default, parsed, .. } = parser;
    (parsed, Begin { origin, ttl_default })
}

//------------ Parser --------------------------------------------------------

/// A text that is being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// Its file: 0 is the zone file.
    pub(super) file: u16,
    /// Where its records are, if they were generated.
    pub(super) fixed: Option<At>,
}

/// What the last owner name is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OwnerState {
    /// There was none in this file.
    None,
    /// It can be used again.
    Known,
    /// It was at fault. Records without an owner are read for their own faults and go nowhere.
    Broken,
}

/// The state of reading.
pub(super) struct Parser<'p, 'i> {
    /// The zone file.
    input: &'p Input<'i>,
    /// The limits.
    pub(super) options: &'p Options,
    /// Where records go.
    sink: &'p mut dyn FnMut(RecordRef<'_>, At),
    /// The current origin, on the wire.
    origin: Vec<u8>,
    /// The last owner name, on the wire.
    owner: Vec<u8>,
    /// What it is worth.
    owner_state: OwnerState,
    /// From `$TTL`.
    ttl_default: Option<u32>,
    /// From the last record that had one.
    ttl_last: Option<u32>,
    /// Whether the SOA had to take its MINIMUM for a TTL.
    from_minimum: bool,
    /// Whether that record stated it and no record has taken it over yet.
    is_stated: bool,
    /// RDATA of the record being read.
    rdata: Vec<u8>,
    /// Records made by `$GENERATE` so far.
    pub(super) generated: usize,
    /// Files being read besides the zone file, for cycles.
    open: Vec<PathBuf>,
    /// What was found.
    pub(super) parsed: Parsed,
}

/// A fault in words that were read.
pub(super) struct Problem {
    /// The rule that is broken.
    pub(super) rule: &'static TextRule,
    /// The word at fault; the number of words when one is missing.
    pub(super) token: usize,
    /// What is wrong.
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: Option<&'static str>,
}

impl Problem {
    /// A fault at a word.
    pub(super) fn new(rule: &'static TextRule, token: usize, message: impl Into<String>) -> Self {
        Self { rule, token, message: message.into(), hint: None }
    }

    /// The same with a hint.
    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

impl Parser<'_, '_> {
    /// Reads a text to its end, or until there are more records than the limit.
    pub(super) fn file(&mut self, source: Source<'_>) {
        let mut scanner = Scanner::new(source.bytes, self.options.line_octets_max);
        if let Some(fault) = scanner.byte_order_mark() {
            self.scan_fault(&source, fault);
        }
        let mut tokens = Vec::with_capacity(32);
        while let Some(entry) = scanner.entry(&mut tokens) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(fault) => {
                    self.owner_state = OwnerState::Broken;
                    self.scan_fault(&source, fault);
                    continue;
                }
            };
            if let Err(problem) = self.entry(&source, &entry, &tokens) {
                self.problem(&source, &entry, &tokens, problem);
            }
            if self.parsed.records > self.options.records_max {
                let message = format!("there are more than {} records", self.options.records_max);
                let problem = Problem::new(&rule::LIMIT, 0, message);
                self.problem(&source, &entry, &tokens, problem);
                return;
            }
        }
    }

    /// A directive or a record.
    fn entry(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
    ) -> Result<(), Problem> {
        let first = tokens[0];
        if first.text.first() == Some(&b'$') && !first.quoted && !entry.is_blank {
            return self.directive(source, entry, tokens);
        }
        let mut at = 0;
        if !entry.is_blank {
            self.owner(first)?;
            at = 1;
        }
        match self.owner_state {
            OwnerState::Known | OwnerState::Broken => self.record(source, entry, tokens, at),
            OwnerState::None => {
                let message = "the record has no owner name and there is none before it";
                Err(Problem::new(&rule::NO_OWNER, 0, message))
            }
        }
    }

    /// Reads a text behind which the last owner is what it was before.
    pub(super) fn aside(&mut self, source: Source<'_>) {
        let before = (self.owner.clone(), self.owner_state);
        self.file(source);
        (self.owner, self.owner_state) = before;
    }

    /// Reads an owner name.
    fn owner(&mut self, token: Token<'_>) -> Result<(), Problem> {
        self.owner_state = OwnerState::Broken;
        if token.quoted {
            return Err(Problem::new(&rule::BAD_NAME, 0, "an owner name does not stand in quotes"));
        }
        self.owner.clear();
        let origin = NameRef::from_checked(&self.origin);
        push_name(token.text, origin, &mut self.owner).map_err(|e| name_problem(0, token, e))?;
        self.owner_state = OwnerState::Known;
        Ok(())
    }

    /// Reads TTL, class, type and data; `at` is the first word behind the owner.
    fn record(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
        at: usize,
    ) -> Result<(), Problem> {
        let (ttl, rtype, at) = head(tokens, at)?;
        self.rdata.clear();
        let origin = NameRef::from_checked(&self.origin);
        rdata::from_text(rtype, &tokens[at..], origin, &mut self.rdata).map_err(|error| {
            let token = (at + error.token).min(tokens.len());
            let message = error.message.into_owned();
            Problem { rule: &rule::BAD_RDATA, token, message, hint: error.hint }
        })?;
        debug_assert!(self.rdata.len() <= RDATA_OCTETS_MAX);
        if let (None, None, Some(last)) = (ttl, self.ttl_default, self.ttl_last) {
            self.taken_over(source, entry, tokens, at - 1, last);
        }
        self.is_stated |= ttl.is_some();
        let ttl = match ttl.or(self.ttl_default).or(self.ttl_last) {
            Some(ttl) => ttl,
            None => self.ttl_of_soa(source, entry, tokens, at - 1, rtype)?,
        };
        self.ttl_last = Some(ttl);
        if self.owner_state == OwnerState::Broken {
            return Ok(());
        }
        self.parsed.records += 1;
        let owner = NameRef::from_checked(&self.owner);
        let record = RecordRef { owner, rtype, class: Class::IN, ttl, rdata: &self.rdata };
        let place = source.fixed.unwrap_or(At {
            file: source.file,
            line: entry.line,
            start: tokens[0].at,
            end: entry.end,
        });
        (self.sink)(record, place);
        Ok(())
    }

    /// Reports the first record that takes over a TTL stated by one before it (RFC 1035 §5.1), in a file
    /// whose SOA had none: where that one goes, these get another.
    fn taken_over(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
        type_at: usize,
        last: u32,
    ) {
        if std::mem::take(&mut self.is_stated) && self.from_minimum {
            let message = format!("no TTL here and no $TTL: {last}, which a record above has");
            let problem = Problem::new(&rule::TTL_FROM_LAST, type_at, message);
            self.problem(source, entry, tokens, problem.hint("start the file with $TTL 3600"));
        }
    }

    /// The TTL of a record that has none and finds none: that of a SOA is its MINIMUM.
    fn ttl_of_soa(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
        type_at: usize,
        rtype: Rtype,
    ) -> Result<u32, Problem> {
        let minimum = self.rdata.last_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes));
        match minimum.filter(|_| rtype == Rtype::SOA) {
            Some(minimum) => {
                let message = format!("the SOA has no TTL: its MINIMUM of {minimum} is used");
                let problem = Problem::new(&rule::TTL_FROM_MINIMUM, type_at, message);
                self.problem(source, entry, tokens, problem.hint("start the file with $TTL 3600"));
                self.from_minimum = true;
                Ok(minimum.min(TTL_MAX))
            }
            None => {
                let message = "the record has no TTL and there is neither $TTL nor one before it";
                let problem = Problem::new(&rule::NO_TTL, type_at, message);
                Err(problem.hint("start the file with $TTL 3600"))
            }
        }
    }

    //--- Findings

    /// Whether a file is within its limit; reports it if not.
    fn fits(&mut self, source: &Source<'_>, line: u32) -> bool {
        // Offsets are kept in 32 bits.
        let max = self.options.file_octets_max.min(u32::MAX as usize - 1);
        if source.bytes.len() > max {
            let message = format!("the file is longer than {max} octets");
            self.tell(source, &rule::LIMIT, line, 0..1, message, None);
        }
        source.bytes.len() <= max
    }

    /// Reports a fault of the scanner.
    fn scan_fault(&mut self, source: &Source<'_>, fault: super::scan::TextFault) {
        let span = fault.start..fault.end;
        let hint = fault.hint;
        self.tell(source, fault.rule, fault.line, span, fault.message.to_owned(), hint);
    }

    /// Reports a fault in the words of an entry.
    pub(super) fn problem(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
        problem: Problem,
    ) {
        let span = match tokens.get(problem.token) {
            Some(token) => {
                let quotes = if token.quoted { 2 } else { 0 };
                token.at as usize..token.at as usize + token.text.len() + quotes
            }
            // Something is missing: right behind the last word.
            None => entry.end as usize..entry.end as usize + 1,
        };
        let line = match source.fixed {
            Some(_) => entry.line,
            None => {
                let between =
                    &source.bytes[tokens[0].at as usize..span.start.min(source.bytes.len())];
                entry.line + between.iter().filter(|byte| **byte == b'\n').count() as u32
            }
        };
        self.tell(source, problem.rule, line, span, problem.message, problem.hint);
    }

    /// Keeps and counts a finding.
    fn tell(
        &mut self,
        source: &Source<'_>,
        rule: &'static TextRule,
        line: u32,
        span: std::ops::Range<usize>,
        message: String,
        hint: Option<&str>,
    ) {
        match rule.severity {
            Severity::Error => self.parsed.errors += 1,
            Severity::Warning => self.parsed.warnings += 1,
        }
        if self.parsed.findings.len() >= self.options.findings_max {
            return;
        }
        let (place, message) = match source.fixed {
            Some(at) => (self.parsed.place(self.input, at), format!("{message} (generated)")),
            None => {
                let included = usize::from(source.file).checked_sub(1);
                let file = included.map_or_else(
                    || self.input.file.into(),
                    |at| self.parsed.included[at].shown.clone(),
                );
                let includes = self.parsed.includes(self.input, source.file);
                (place(source.bytes, file, includes, line, span), message)
            }
        };
        let (rule, severity) = (rule.id, rule.severity);
        let hint = hint.map(str::to_owned);
        self.parsed.findings.push(Finding { rule, severity, place: Some(place), message, hint });
    }
}
