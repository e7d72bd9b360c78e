//! How a line is spelled: as JSON, or as text with the same keys (`time=… client=…`, known as logfmt).
//!
//! Whatever a query holds, the result is one line of printable ASCII, and in text no value has a space. A line costs
//! as little as it can: short texts are copied with the room behind them, numbers are made in a register, and
//! what repeats from line to line is remembered as text.

use std::fmt;
use std::ops::Range;

use crate::wire::{NAME_OCTETS_MAX, NameRef};

use super::LineFormat;

/// Octets of lines that are written at once: much, because a file system then takes whole runs of
/// pages in one go.
const WRITE_OCTETS: usize = 256 << 10;
/// The longest line: a name of 255 octets, its zone and a key, each octet escaped to five, and everything else, with
/// the room behind the last text.
const LINE_OCTETS: usize = NAME_OCTETS_MAX * 15 + 1_200;
/// Octets of "2026-11-24T03:45:41".
pub(super) const SECOND_OCTETS: usize = 19;

//------------ Text ----------------------------------------------------------

/// A text of at most `N` octets with the room behind it: copied whole, which takes a few instructions and no call.
#[derive(Clone, Copy)]
pub(super) struct Text<const N: usize> {
    /// The text, and room.
    octets: [u8; N],
    /// How long it is.
    length: usize,
}

impl<const N: usize> Text<N> {
    /// A text that is known when this is compiled.
    pub(super) const fn of(text: &str) -> Self {
        let (from, mut octets) = (text.as_bytes(), [0; N]);
        let mut at = 0;
        while at < from.len() {
            octets[at] = from[at];
            at += 1;
        }
        Self { octets, length: from.len() }
    }

    /// A copy of a text, if it is not too long.
    fn copied(text: &[u8]) -> Option<Self> {
        let mut octets = [0; N];
        octets.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { octets, length: text.len() })
    }
}

/// What is of either spelling: JSON first.
pub(super) type Either = [Text<16>; 2];

/// The key of a number or a truth, with what is between it and the value before.
macro_rules! key {
    ($name:literal) => {
        &const { [Text::of(concat!(",\"", $name, "\":")), Text::of(concat!(" ", $name, "="))] }
    };
}
/// The key of a text, with the quotation mark that begins it; [`Line::end_text`] ends it.
macro_rules! text_key {
    ($name:literal) => {
        &const { [Text::of(concat!(",\"", $name, "\":\"")), Text::of(concat!(" ", $name, "="))] }
    };
}
pub(super) use {key, text_key};

//------------ Sheet ---------------------------------------------------------

/// Lines that are not written yet.
pub(super) struct Sheet {
    /// The lines, and room.
    octets: Box<[u8]>,
    /// How long they are.
    length: usize,
    /// How many.
    lines: u64,
}

impl Sheet {
    /// No line yet.
    pub(super) fn new() -> Self {
        let octets = vec![0; WRITE_OCTETS + LINE_OCTETS].into_boxed_slice();
        Self { octets, length: 0, lines: 0 }
    }

    /// Begins a line. There is room for one, as long as the sheet is not full.
    #[inline]
    pub(super) fn begin(&mut self, format: LineFormat) -> Line<'_> {
        let octets = self.octets.get_mut(self.length..).unwrap_or_default();
        Line { octets, length: 0, format }
    }

    /// Ends the line that was begun and has so many octets.
    #[inline]
    pub(super) fn end(&mut self, octets: usize) {
        self.length += octets;
        self.lines += 1;
    }

    /// Whether it should be written.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.length >= WRITE_OCTETS
    }

    /// The lines.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        (self.length, self.lines) = (0, 0);
    }
}

//------------ Line ----------------------------------------------------------

/// A line under construction. What would not fit is left out; nothing can be that long.
pub(super) struct Line<'r> {
    /// The line so far, and room.
    octets: &'r mut [u8],
    /// How long it is.
    length: usize,
    /// Which spelling.
    format: LineFormat,
}

impl Line<'_> {
    /// How long it is.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// What follows, as a line of its own: so that this one stays in registers while another function writes.
    #[inline]
    fn rest(&mut self) -> Line<'_> {
        let octets = self.octets.get_mut(self.length..).unwrap_or_default();
        Line { octets, length: 0, format: self.format }
    }

    /// Puts text that has room behind it.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, text: &Text<N>) {
        let room = self.octets.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut);
        if let Some(room) = room {
            *room = text.octets;
            self.length += text.length;
        }
    }

    /// Puts what is of this spelling.
    #[inline(always)]
    pub(super) fn put_either(&mut self, [json, text]: &Either) {
        self.put(if self.format == LineFormat::Json { json } else { text });
    }

    /// Ends a text.
    #[inline(always)]
    pub(super) fn end_text(&mut self) {
        self.put_either(&const { [Text::of("\""), Text::of("")] });
    }

    /// Puts any text.
    pub(super) fn put_slice(&mut self, text: &[u8]) {
        if let Some(room) = self.octets.get_mut(self.length..self.length + text.len()) {
            room.copy_from_slice(text);
            self.length += text.len();
        }
    }

    /// Puts the first octets of a word, the lowest first.
    #[inline(always)]
    fn put_word(&mut self, word: u64, octets: usize) {
        let room = self.octets.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut);
        if let Some(room) = room {
            *room = word.to_le_bytes();
            self.length += octets;
        }
    }

    /// Puts a part of this line once more.
    #[inline]
    pub(super) fn repeat(&mut self, part: Range<usize>) {
        let (end, octets) = (self.length, part.len());
        if part.end <= end && end + octets <= self.octets.len() {
            self.octets.copy_within(part, end);
            self.length += octets;
        }
    }

    /// Puts a number in decimal digits.
    #[inline(always)]
    pub(super) fn put_number(&mut self, value: u32) {
        const PART: u32 = 100_000_000;
        if value < PART {
            return self.put_part(value);
        }
        self.put_part(value / PART);
        self.put_word(digits(value % PART) | ZEROS, 8);
    }

    /// Puts a number of at most eight digits.
    #[inline(always)]
    fn put_part(&mut self, value: u32) {
        let digits = digits(value);
        let zeros = (digits.trailing_zeros() / 8).min(7);
        self.put_word((digits | ZEROS) >> (8 * zeros), 8 - zeros as usize);
    }

    /// Puts the six digits of a millionth.
    #[inline(always)]
    pub(super) fn put_millionth(&mut self, value: u32) {
        self.put_word((digits(value) | ZEROS) >> 16, 6);
    }

    /// Puts `true` or `false`.
    pub(super) fn put_truth(&mut self, value: bool) {
        self.put_slice(if value { b"true" } else { b"false" });
    }

    /// Puts a mnemonic, or the generic form where there is none (RFC 3597 §5).
    pub(super) fn put_mnemonic(&mut self, mnemonic: Option<&str>, generic: &[u8], number: u16) {
        match mnemonic {
            Some(word) => self.put_slice(word.as_bytes()),
            None => {
                self.put_slice(generic);
                self.put_number(u32::from(number));
            }
        }
    }

    /// Puts the set flags of a query's header, as dig shows them.
    pub(super) fn put_flags(&mut self, flags: u16) {
        let mut is_first = true;
        for (bit, word) in [
            (0x0400, b"aa"),
            (0x0200, b"tc"),
            (0x0100, b"rd"),
            (0x0080, b"ra"),
            (0x0020, b"ad"),
            (0x0010, b"cd"),
        ] {
            if flags & bit != 0 {
                if !std::mem::take(&mut is_first) {
                    self.put_either(&const { [Text::of(" "), Text::of(",")] });
                }
                self.put_slice(word);
            }
        }
    }
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put_slice(text.as_bytes());
        Ok(())
    }
}

//--- Names

impl Line<'_> {
    /// Puts a name as master files write it; JSON has each backslash twice. Returns where the text of its apex is,
    /// the part of so many octets on the wire; empty if that is 0.
    #[inline]
    pub(super) fn put_name(&mut self, wire: &[u8], apex_octets: usize) -> Range<usize> {
        let (octets, apex) = if put_plain(self.rest().octets, wire) {
            // A plain name has an octet less as text, and an apex that is the root is its last dot.
            let apex = apex_octets.min(wire.len());
            (wire.len() - 1, if apex == 0 { 0 } else { (apex - 1).max(1) })
        } else {
            self.rest().put_escaped(wire, apex_octets)
        };
        self.length += octets;
        self.length - apex..self.length
    }

    /// Puts a name octet by octet; octets of its text, and of that of its apex.
    #[cold]
    fn put_escaped(mut self, wire: &[u8], apex_octets: usize) -> (usize, usize) {
        let Ok((name, _)) = NameRef::from_wire(wire) else { return (0, 0) };
        let (mut left, mut apex) = (wire.len(), None);
        for label in name.labels() {
            if left == apex_octets {
                apex = Some(self.length);
            }
            left -= 1 + label.len();
            label.iter().for_each(|octet| self.put_octet(*octet));
            self.put_slice(b".");
        }
        if name.is_root() {
            self.put_slice(b".");
        }
        let last = if apex_octets == 0 { 0 } else { 1 };
        (self.length, apex.map_or(last, |apex| self.length - apex))
    }

    /// Puts one octet of a label.
    fn put_octet(&mut self, octet: u8) {
        const ESCAPE: &Either = &[Text::of(r"\\"), Text::of(r"\")];
        match octet {
            b'"' => self.put_either(&const { [Text::of(r#"\\\""#), Text::of(r#"\""#)] }),
            b'.' | b'$' | b'(' | b')' | b';' | b'@' => {
                self.put_either(ESCAPE);
                self.put_slice(&[octet]);
            }
            b'*' | b'/' => self.put_slice(&[octet]),
            _ if IS_ODD[usize::from(octet)] == 0 => self.put_slice(&[octet]),
            _ => {
                let mut digits = [0; 3];
                put_digits(&mut digits, u64::from(octet));
                self.put_either(ESCAPE);
                self.put_slice(&digits);
            }
        }
    }
}

/// 0 for the octets of most names: letters, digits, `-` and `_`; 1 for others.
static IS_ODD: [u8; 256] = {
    let mut odd = [1; 256];
    let mut octet = 0;
    while octet < 256 {
        let it = octet as u8;
        if it.is_ascii_alphanumeric() || it == b'-' || it == b'_' {
            odd[octet] = 0;
        }
        octet += 1;
    }
    odd
};

/// Writes a name as text; `false` if it is the root or needs an escape.
#[inline]
fn put_plain(room: &mut [u8], wire: &[u8]) -> bool {
    // The text is what follows the first octet, with dots for the octets that say how long the next label is.
    let (Some((_, text)), Some(room)) = (wire.split_first(), room.get_mut(..wire.len())) else {
        return false;
    };
    let Some((_, room)) = room.split_last_mut() else { return false };
    room.copy_from_slice(text);
    let odd = text.iter().fold(0_u8, |odd, octet| odd.wrapping_add(IS_ODD[usize::from(*octet)]));
    let (mut at, mut odd_lengths) = (usize::from(wire[0]), 0_u8);
    while let Some(dot) = room.get_mut(at) {
        let length = std::mem::replace(dot, b'.');
        odd_lengths += IS_ODD[usize::from(length)];
        at += 1 + usize::from(length);
    }
    // The last of them is that of the root, at the very end.
    odd == odd_lengths && at == text.len() && at > 0
}

//------------ Last ----------------------------------------------------------

/// A text that repeats from line to line, and what it says.
#[derive(Clone, Copy)]
pub(super) struct Last<K, const N: usize> {
    /// What it says; none yet.
    says: Option<K>,
    /// The text.
    text: Text<N>,
}

impl<K: Copy + PartialEq, const N: usize> Last<K, N> {
    /// Nothing yet.
    pub(super) const fn new() -> Self {
        Self { says: None, text: Text::of("") }
    }

    /// Puts the text that says this, as `spell` would: it is asked only if that is not the last one.
    #[inline(always)]
    pub(super) fn put(&mut self, line: &mut Line<'_>, says: K, spell: impl FnOnce(&mut Line<'_>)) {
        if self.says == Some(says) {
            line.put(&self.text);
        } else {
            line.length += self.renew(line.rest(), says, spell);
        }
    }

    /// Remembers what `spell` puts, if it is not too long; its octets.
    #[cold]
    #[inline(never)]
    fn renew(&mut self, mut line: Line<'_>, says: K, spell: impl FnOnce(&mut Line<'_>)) -> usize {
        spell(&mut line);
        *self = Text::copied(&line.octets[..line.length])
            .map_or(Self::new(), |text| Self { says: Some(says), text });
        line.length
    }
}

/// Texts that come in turn, each in one of `SLOTS` places: a power of two, and more than are often in use.
pub(super) struct Lasts<K, const N: usize, const SLOTS: usize>(Vec<Last<K, N>>);

impl<K: Copy + PartialEq, const N: usize, const SLOTS: usize> Lasts<K, N, SLOTS> {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self(vec![Last::new(); SLOTS])
    }

    /// As [`Last::put`]. `mark` is a number that differs where `says` does, mostly.
    #[inline(always)]
    pub(super) fn put(
        &mut self,
        line: &mut Line<'_>,
        mark: u64,
        says: K,
        spell: impl FnOnce(&mut Line<'_>),
    ) {
        // Of a product the upper bits are of all bits.
        let slot = mark.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.ilog2());
        self.0[slot as usize].put(line, says, spell);
    }
}

//------------ Digits --------------------------------------------------------

/// Eight digits `0`.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The digits of a number of at most eight, the first one in the lowest octet.
#[inline(always)]
fn digits(value: u32) -> u64 {
    // Two halves, four pairs, eight digits: each step divides all of them by one multiplication. Nothing overflows.
    let halves = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = (halves.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | halves.wrapping_sub(hundreds.wrapping_mul(100)) << 16;
    let tens = (pairs.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    tens | pairs.wrapping_sub(tens.wrapping_mul(10)) << 8
}

/// Fills `room` with the last digits of a number.
pub(super) fn put_digits(room: &mut [u8], mut value: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

//------------ Time ----------------------------------------------------------

/// A second since 1970 as "2026-11-24T03:45:41".
pub(super) fn text_of_second(second: u64) -> [u8; SECOND_OCTETS] {
    let (days, of_day) = (second / 86_400, second % 86_400);
    let (year, month, day) = date_of(days);
    let mut text = *b"0000-00-00T00:00:00";
    put_digits(&mut text[..4], year);
    put_digits(&mut text[5..7], month);
    put_digits(&mut text[8..10], day);
    put_digits(&mut text[11..13], of_day / 3600);
    put_digits(&mut text[14..16], of_day / 60 % 60);
    put_digits(&mut text[17..], of_day % 60);
    text
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: years are counted
/// from March, so that the leap day is the last one, in cycles of 400 years or 146,097 days.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_491_941, "2026-11-24T03:45:41"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(String::from_utf8_lossy(&text_of_second(seconds)), text);
        }
    }

    #[test]
    fn the_longest_name_fits() {
        let label = [&[63u8][..], &[0u8; 63]].concat();
        let wire = [&label[..], &label, &label, &[61], &[0; 61], &[0]].concat();
        let mut sheet = Sheet::new();
        assert!(put_plain(&mut [0; 9], b"\x03a-0\x02_Z\x00"));
        // Where the last line begins.
        sheet.end(WRITE_OCTETS - 1);
        let mut line = sheet.begin(LineFormat::Json);
        let zone = line.put_name(&wire, wire.len());
        assert_eq!((line.length, zone.clone()), (250 * 5 + 4, 0..250 * 5 + 4));
        line.repeat(zone);
        line.put_name(&wire, 0);
        assert_eq!(line.length, 3 * (250 * 5 + 4));
    }

    #[test]
    fn numbers_have_their_digits() {
        let edges = [99_999_999, 100_000_000, 4_294_967_295, 1_000_000_000, 4_200_000_001];
        let mut sheet = Sheet::new();
        for value in (0..20_000).chain((0..1_000).map(|it| it * 4_290_123)).chain(edges) {
            let mut line = sheet.begin(LineFormat::Json);
            line.put_number(value);
            assert_eq!(line.octets[..line.length], *value.to_string().as_bytes());
            let mut line = sheet.begin(LineFormat::Json);
            line.put_millionth(value % 1_000_000);
            let expected = format!("{:06}", value % 1_000_000);
            assert_eq!(line.octets[..line.length], *expected.as_bytes());
        }
    }
}
