//! How a line is spelled: as JSON, or as text with the same keys (`time=… client=…`, known as logfmt).
//!
//! Whatever a query holds, the result is one line of printable ASCII, and in text no value has a space.

use crate::wire::{NAME_OCTETS_MAX, NameRef};

use super::LineFormat;

/// The longest line: a name of 255 octets, its zone and a key, each octet escaped to five, and everything else.
const LINE_OCTETS: usize = NAME_OCTETS_MAX * 15 + 900;
/// Octets of "2026-11-24T03:45:41".
pub(super) const SECOND_OCTETS: usize = 19;

/// A key in both spellings, with what is between it and the value before: JSON first.
pub(super) type Key = [&'static [u8]; 2];

/// The key of a number or a truth.
macro_rules! key {
    ($name:literal) => {
        [concat!(",\"", $name, "\":").as_bytes(), concat!(" ", $name, "=").as_bytes()]
    };
}
/// The key of a text, with the quotation mark that begins it; [`Line::end_text`] ends it.
macro_rules! text_key {
    ($name:literal) => {
        [concat!(",\"", $name, "\":\"").as_bytes(), concat!(" ", $name, "=").as_bytes()]
    };
}
pub(super) use {key, text_key};

//------------ Line ----------------------------------------------------------

/// A line under construction. What would not fit is left out; nothing can be that long.
pub(super) struct Line {
    /// The line so far, and room.
    octets: [u8; LINE_OCTETS],
    /// How long it is.
    length: usize,
    /// Which spelling.
    format: LineFormat,
}

impl Line {
    /// No line yet.
    pub(super) fn new() -> Self {
        Self { octets: [0; LINE_OCTETS], length: 0, format: LineFormat::Json }
    }

    /// Spells lines like this from now on.
    pub(super) fn set_format(&mut self, format: LineFormat) {
        self.format = format;
    }

    /// Begins another line.
    pub(super) fn begin(&mut self) {
        self.length = 0;
        self.put_either([b"{\"v\":1", b"v=1"]);
    }

    /// Ends the line.
    pub(super) fn end(&mut self) -> &[u8] {
        self.put_either([b"}\n", b"\n"]);
        &self.octets[..self.length]
    }

    /// Puts a key.
    #[inline]
    pub(super) fn put_key(&mut self, key: Key) {
        self.put_either(key);
    }

    /// Ends a text.
    #[inline]
    pub(super) fn end_text(&mut self) {
        self.put_either([b"\"", b""]);
    }

    /// Puts what is of this spelling.
    #[inline]
    pub(super) fn put_either(&mut self, [json, text]: Key) {
        self.put(if self.format == LineFormat::Json { json } else { text });
    }

    /// Puts text.
    #[inline]
    pub(super) fn put(&mut self, text: &[u8]) {
        if let Some(room) = self.octets.get_mut(self.length..self.length + text.len()) {
            room.copy_from_slice(text);
            self.length += text.len();
        }
    }

    /// Puts a number in decimal digits.
    pub(super) fn put_number(&mut self, value: u32) {
        let mut digits = [0; 10];
        let used = value.checked_ilog10().map_or(1, |log| log as usize + 1);
        put_digits(&mut digits[..used], u64::from(value));
        self.put(&digits[..used]);
    }

    /// Puts `true` or `false`.
    pub(super) fn put_truth(&mut self, value: bool) {
        self.put(if value { b"true" } else { b"false" });
    }

    /// Puts a mnemonic, or the generic form where there is none (RFC 3597 §5).
    pub(super) fn put_word(&mut self, mnemonic: Option<&str>, generic: &[u8], number: u16) {
        match mnemonic {
            Some(word) => self.put(word.as_bytes()),
            None => {
                self.put(generic);
                self.put_number(u32::from(number));
            }
        }
    }

    /// Puts the set flags of a query's header, as dig shows them.
    pub(super) fn put_flags(&mut self, flags: u16) {
        // Most queries have none, or RD alone.
        match flags & 0x07b0 {
            0 => return,
            0x0100 => return self.put(b"rd"),
            _ => {}
        }
        let mut space: Key = [b"", b""];
        for (bit, word) in [
            (0x0400, b"aa"),
            (0x0200, b"tc"),
            (0x0100, b"rd"),
            (0x0080, b"ra"),
            (0x0020, b"ad"),
            (0x0010, b"cd"),
        ] {
            if flags & bit != 0 {
                self.put_either(space);
                self.put(word);
                space = [b" ", b","];
            }
        }
    }

    /// Puts a name as master files write it; JSON has each backslash twice.
    pub(super) fn put_name(&mut self, wire: &[u8]) {
        let Ok((name, _)) = NameRef::from_wire(wire) else {
            return;
        };
        if name.is_root() {
            self.put(b".");
        }
        for label in name.labels() {
            if label.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet)) {
                self.put(label);
            } else {
                label.iter().for_each(|octet| self.put_octet(*octet));
            }
            self.put(b".");
        }
    }

    /// Puts one octet of a label.
    fn put_octet(&mut self, octet: u8) {
        let escape: Key = [br"\\", br"\"];
        match octet {
            b'"' => self.put_either([br#"\\\""#, br#"\""#]),
            b'.' | b'$' | b'(' | b')' | b';' | b'@' => {
                self.put_either(escape);
                self.put(&[octet]);
            }
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'*' | b'/' => {
                self.put(&[octet])
            }
            _ => {
                let mut digits = [0; 3];
                put_digits(&mut digits, u64::from(octet));
                self.put_either(escape);
                self.put(&digits);
            }
        }
    }
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
        let (name, _) = NameRef::from_wire(&wire).unwrap();
        let mut line = Line::new();
        line.put_name(name.wire());
        assert_eq!(line.length, 250 * 5 + 4);
        line.put_name(name.wire());
        assert_eq!(line.length, 2 * (250 * 5 + 4));
    }
}
