//! From the words of a master file to RDATA.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::encoding::{escape, read_base32hex, read_base64, read_hex, unescape_into};
use super::fields::{Field, write_types};
use super::{RdataError, apl, check, loc, svcb, whole};
use crate::wire::{NAME_OCTETS_MAX, NameError, NameRef, Rtype};

/// Octets a label may have.
const LABEL_OCTETS_MAX: usize = 63;
/// Octets one `<character-string>` may have.
const STRING_OCTETS_MAX: usize = 255;

//------------ Token ---------------------------------------------------------

/// A word of a master file, escapes as they were written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token<'a> {
    /// The text, without the quotes around it.
    pub text: &'a [u8],
    /// Offset of the word in its file, quote included.
    pub at: u32,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// Splits one line into words. Comments, parentheses, line breaks and NUL are errors unless quoted
/// or escaped; line breaks and NUL always.
pub(super) fn split_line(text: &[u8]) -> Result<Vec<Token<'_>>, TextError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let here = tokens.len();
        match text[at] {
            b' ' | b'\t' => at += 1,
            b'"' => {
                let end = quoted_end(text, at + 1)
                    .ok_or_else(|| TextError::new(here, "the quoted string does not end"))?;
                tokens.push(Token { text: &text[at + 1..end], at: at as u32, quoted: true });
                at = end + 1;
            }
            _ => {
                let start = at;
                while at < text.len() && !matches!(text[at], b' ' | b'\t') {
                    match text[at] {
                        b'\\' => at += 2,
                        b'"' if at > start && text[at - 1] == b'=' => {
                            at = 1 + quoted_end(text, at + 1).ok_or_else(|| {
                                TextError::new(here, "the quoted string does not end")
                            })?;
                        }
                        b'"' | b';' | b'(' | b')' => {
                            let sign = char::from(text[at]);
                            let message = format!("`{sign}` has to be written as `\\{sign}` here");
                            return Err(TextError::new(here, message));
                        }
                        _ => at += 1,
                    }
                }
                let word = text
                    .get(start..at)
                    .ok_or_else(|| TextError::new(here, NameError::BadEscape.to_string()))?;
                tokens.push(Token { text: word, at: start as u32, quoted: false });
            }
        }
    }
    let is_broken = |token: &Token<'_>| token.text.iter().any(|b| matches!(b, 0 | b'\n' | b'\r'));
    match tokens.iter().position(is_broken) {
        Some(at) => Err(TextError::new(at, "the data has a line break or a NUL octet")),
        None => Ok(tokens),
    }
}

/// Where the quote that ends a string is.
fn quoted_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

//------------ Fields --------------------------------------------------------

/// Reads all tokens as the fields of a type.
pub(super) fn fields(
    rtype: Rtype,
    tokens: &[Token<'_>],
    origin: NameRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), TextError> {
    let start = out.len();
    let mut words = Words { tokens, at: 0, origin };
    let is_generic = tokens.first().is_some_and(|token| token.text == b"\\#" && !token.quoted);
    if is_generic {
        words.at = 1;
        generic(&mut words, out)?;
        return check(rtype, &out[start..]).map_err(|e| TextError::new(0, e.to_string()));
    }
    let Some(fields) = rtype.fields() else {
        let hint = "write the data as \\# LENGTH HEX (RFC 3597)";
        return Err(TextError::new(0, format!("the data of {rtype} has no text form")).hint(hint));
    };
    for field in fields {
        words.field(*field, rtype, out)?;
    }
    if words.at < tokens.len() {
        let more = shown(tokens[words.at].text);
        return Err(TextError::new(words.at, format!("{more} is more than {rtype} takes")));
    }
    let whole = whole::check_whole(rtype, &out[start..]);
    whole.map_err(|error| {
        let at = if matches!(error, RdataError::Param(_)) { 2 } else { tokens.len() - 1 };
        TextError::new(at.min(tokens.len() - 1), error.to_string())
    })
}

/// Reads `LENGTH HEX`, what follows `\#` (RFC 3597 §5).
fn generic(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let length = words.number(u64::from(u16::MAX), "a length from 0 to 65535")? as usize;
    let start = out.len();
    let rest = words.rest();
    read_hex(rest.iter().flat_map(|token| token.text).copied(), out)
        .ok_or_else(|| TextError::new(2, "the octets are not hexadecimal, two digits each"))?;
    if out.len() - start != length {
        let found = out.len() - start;
        return Err(TextError::new(1, format!("the length is {length} but {found} octets follow")));
    }
    Ok(())
}

/// The words of one RDATA, and which is next.
pub(super) struct Words<'t, 'a> {
    /// All words.
    tokens: &'t [Token<'a>],
    /// The next one.
    at: usize,
    /// What relative names end in.
    origin: NameRef<'t>,
}

impl<'t, 'a> Words<'t, 'a> {
    /// Reads one field.
    fn field(&mut self, field: Field, rtype: Rtype, out: &mut Vec<u8>) -> Result<(), TextError> {
        match field {
            Field::U8 => out.push(self.number(255, "a number from 0 to 255")? as u8),
            Field::U16 => self.u16(out)?,
            Field::U32 => {
                let value = self.number(u64::from(u32::MAX), "a number of 32 bits")? as u32;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Field::Period => {
                let value = self.word(ttl_from_text, "a number of seconds")?;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Field::Time => {
                let value = self.word(time, "a time as YYYYMMDDHHmmSS")?;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Field::Type => {
                let value = self.word(type_number, "a record type")?;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Field::Algorithm => out.push(self.word(algorithm, "a DNSSEC algorithm")?),
            Field::CertType => {
                let value = self.word(cert_type, "a certificate type")?;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Field::Scheme => out.push(self.word(scheme, "a DSYNC scheme")?),
            Field::V4 => out.extend_from_slice(&self.word(v4, "an IPv4 address")?),
            Field::V6 => out.extend_from_slice(&self.word(v6, "an IPv6 address")?),
            Field::Name | Field::NameKept => self.name(out)?,
            Field::String | Field::Tag => self.string(field, out)?,
            Field::Strings => {
                self.string(field, out)?;
                while self.at < self.tokens.len() {
                    self.string(field, out)?;
                }
            }
            Field::Text | Field::TextNotEmpty => {
                let token = self.next("a quoted string")?;
                unescape_into(token.text, out).map_err(|e| self.fault(e.to_string()))?;
                if field == Field::TextNotEmpty && token.text.is_empty() {
                    return Err(self.fault("the string is empty"));
                }
            }
            Field::Hex => self.encoded(out, "hexadecimal", |signs, out| read_hex(signs, out))?,
            Field::Base64 => self.encoded(out, "base64", |signs, out| read_base64(signs, out))?,
            Field::Base64OrNone if self.at == self.tokens.len() => {}
            Field::Base64OrNone => {
                self.encoded(out, "base64", |signs, out| read_base64(signs, out))?
            }
            Field::Salt => self.salt(out)?,
            Field::Hash => self.hash(out)?,
            Field::Types | Field::TypesOrNone => self.types(field, out)?,
            Field::Apl => apl::read(self, out)?,
            Field::Loc => loc::read(self, out)?,
            Field::Params => svcb::read(self, out)?,
            Field::Gateway => self.gateway(out)?,
            Field::Eui48 => self.groups(b'-', 2, 6, "six octets as xx-xx-xx-xx-xx-xx", out)?,
            Field::Eui64 => self.groups(b'-', 2, 8, "eight octets as xx-xx-…", out)?,
            Field::Groups64 => self.groups(b':', 4, 8, "64 bits as xxxx:xxxx:xxxx:xxxx", out)?,
        }
        debug_assert!(field != Field::Tag || rtype == Rtype::CAA);
        Ok(())
    }

    //--- Words

    /// The next word; `wanted` says what it should have been.
    pub(super) fn next(&mut self, wanted: &str) -> Result<Token<'a>, TextError> {
        let token = self.tokens.get(self.at).copied();
        let token = token
            .ok_or_else(|| TextError::new(self.at, format!("the data ends before {wanted}")))?;
        self.at += 1;
        Ok(token)
    }

    /// The next word, if there is one; it is not taken.
    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    /// All words that are left.
    pub(super) fn rest(&mut self) -> &'t [Token<'a>] {
        let rest = &self.tokens[self.at..];
        self.at = self.tokens.len();
        rest
    }

    /// A fault in the word that was taken last.
    pub(super) fn fault(&self, message: impl Into<Cow<'static, str>>) -> TextError {
        TextError::new(self.at.saturating_sub(1), message)
    }

    /// Takes a word that `read` understands.
    pub(super) fn word<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Option<T>,
        wanted: &str,
    ) -> Result<T, TextError> {
        let token = self.next(wanted)?;
        let value = if token.quoted { None } else { read(token.text) };
        value.ok_or_else(|| self.fault(format!("{} is not {wanted}", shown(token.text))))
    }

    /// Takes a decimal number up to `max`.
    pub(super) fn number(&mut self, max: u64, wanted: &str) -> Result<u64, TextError> {
        self.word(|text| decimal(text).filter(|value| *value <= max), wanted)
    }

    //--- Fields

    /// Reads a 16-bit number.
    fn u16(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let value = self.number(u64::from(u16::MAX), "a number from 0 to 65535")? as u16;
        out.extend_from_slice(&value.to_be_bytes());
        Ok(())
    }

    /// Reads a name.
    pub(super) fn name(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let token = self.next("a name")?;
        if token.quoted {
            return Err(self.fault("a name does not stand in quotes"));
        }
        push_name(token.text, self.origin, out)
            .map_err(|error| self.fault(format!("{}: {error}", shown(token.text))))
    }

    /// Reads one string, or a tag.
    fn string(&mut self, field: Field, out: &mut Vec<u8>) -> Result<(), TextError> {
        let token = self.next("a text")?;
        let start = out.len();
        out.push(0);
        unescape_into(token.text, out).map_err(|e| self.fault(e.to_string()))?;
        let length = out.len() - start - 1;
        if length > STRING_OCTETS_MAX {
            let message = format!("the string has {length} octets, more than 255");
            let hint = "split it into several strings, each in quotes";
            return Err(self.fault(message).hint(hint));
        }
        out[start] = length as u8;
        if field == Field::Tag {
            field
                .take(&out[start..])
                .map_err(|_| self.fault("a CAA tag is made of letters and digits"))?;
        }
        Ok(())
    }

    /// Reads all that is left as one run of `encoding`.
    fn encoded(
        &mut self,
        out: &mut Vec<u8>,
        encoding: &str,
        read: impl FnOnce(&mut dyn Iterator<Item = u8>, &mut Vec<u8>) -> Option<()>,
    ) -> Result<(), TextError> {
        let (first, start) = (self.at, out.len());
        let rest = self.rest();
        let mut signs = rest.iter().flat_map(|token| token.text).copied();
        let done = read(&mut signs, out).filter(|()| out.len() > start);
        match (done, rest.is_empty()) {
            (Some(()), _) => Ok(()),
            (None, true) => Err(TextError::new(first, format!("the data ends before {encoding}"))),
            (None, false) => Err(TextError::new(first, format!("the data is not {encoding}"))),
        }
    }

    /// Reads an NSEC3 salt.
    fn salt(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let read = |text: &[u8]| {
            let mut salt = Vec::new();
            if text != b"-" {
                read_hex(text.iter().copied(), &mut salt)?;
            }
            Some(salt).filter(|salt| salt.len() <= 255)
        };
        let salt = self.word(read, "a salt in hexadecimal, or -")?;
        out.push(salt.len() as u8);
        out.extend_from_slice(&salt);
        Ok(())
    }

    /// Reads an NSEC3 hash.
    fn hash(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let read = |text: &[u8]| {
            let mut hash = Vec::new();
            read_base32hex(text, &mut hash)?;
            Some(hash).filter(|hash| (1..=255).contains(&hash.len()))
        };
        let hash = self.word(read, "a hash in base32hex")?;
        out.push(hash.len() as u8);
        out.extend_from_slice(&hash);
        Ok(())
    }

    /// Reads all that is left as types.
    fn types(&mut self, field: Field, out: &mut Vec<u8>) -> Result<(), TextError> {
        let mut types = Vec::new();
        while self.at < self.tokens.len() || (types.is_empty() && field == Field::Types) {
            types.push(self.word(type_number, "a record type")?);
        }
        types.sort_unstable();
        types.dedup();
        write_types(&types, out);
        Ok(())
    }

    /// Reads gateway type, algorithm and gateway; a gateway of type 0 is written as a dot.
    fn gateway(&mut self, out: &mut Vec<u8>) -> Result<(), TextError> {
        let kind = self.number(3, "a gateway type from 0 to 3")?;
        let algorithm = self.number(255, "an algorithm from 0 to 255")?;
        out.extend_from_slice(&[kind as u8, algorithm as u8]);
        match kind {
            0 => self.word(|text| (text == b".").then_some(()), "`.`, which is no gateway")?,
            1 => out.extend_from_slice(&self.word(v4, "an IPv4 address")?),
            2 => out.extend_from_slice(&self.word(v6, "an IPv6 address")?),
            _ => self.name(out)?,
        }
        Ok(())
    }

    /// Reads `octets` octets in groups of hexadecimal digits.
    fn groups(
        &mut self,
        between: u8,
        digits: usize,
        octets: usize,
        wanted: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), TextError> {
        let read = |text: &[u8]| {
            let mut value = Vec::new();
            for group in text.split(|byte| *byte == between) {
                // IPv6-like groups may leave away their leading zeros (RFC 6742 §2.1.1).
                let short = if between == b':' { digits.checked_sub(group.len())? } else { 0 };
                if group.is_empty() || group.len() + short != digits {
                    return None;
                }
                let padded = std::iter::repeat_n(b'0', short).chain(group.iter().copied());
                read_hex(padded, &mut value)?;
            }
            (value.len() == octets).then_some(value)
        };
        let value = self.word(read, wanted)?;
        out.extend_from_slice(&value);
        Ok(())
    }
}

//------------ Single words --------------------------------------------------

/// Appends the wire form of a name; one without a final dot ends in `origin`. On an error `out` is
/// as it was.
pub(crate) fn push_name(
    text: &[u8],
    origin: NameRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), NameError> {
    let start = out.len();
    let result = push_labels(text, origin, out);
    let result = match result {
        Ok(()) if out.len() - start > NAME_OCTETS_MAX => Err(NameError::NameTooLong),
        other => other,
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends labels and what they end in.
fn push_labels(text: &[u8], origin: NameRef<'_>, out: &mut Vec<u8>) -> Result<(), NameError> {
    match text {
        b"@" => {
            out.extend_from_slice(origin.wire());
            return Ok(());
        }
        b"." => {
            out.push(0);
            return Ok(());
        }
        [] => return Err(NameError::EmptyLabel),
        _ => {}
    }
    let mut length_at = out.len();
    out.push(0);
    let mut at = 0;
    while let Some(run) = text[at..].iter().position(|byte| matches!(byte, b'.' | b'\\')) {
        out.extend_from_slice(&text[at..at + run]);
        at += run + 1;
        if text[at - 1] == b'.' {
            end_label(out, length_at)?;
            length_at = out.len();
            out.push(0);
        } else {
            let (byte, used) = escape(&text[at..])?;
            out.push(byte);
            at += used;
        }
    }
    out.extend_from_slice(&text[at..]);
    if out.len() - length_at > 1 {
        end_label(out, length_at)?;
        out.extend_from_slice(origin.wire());
    }
    Ok(())
}

/// Writes the length of the label whose length octet is at `length_at`.
fn end_label(out: &mut [u8], length_at: usize) -> Result<(), NameError> {
    match out.len() - length_at - 1 {
        0 => Err(NameError::EmptyLabel),
        length @ 1..=LABEL_OCTETS_MAX => {
            out[length_at] = length as u8;
            Ok(())
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// A decimal number.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
    })
}

/// Seconds, with units as in `1w2d3h4m5s`; `None` if it is neither or needs more than 32 bits.
pub(crate) fn ttl_from_text(text: &[u8]) -> Option<u32> {
    let (mut total, mut value, mut digits) = (0u64, 0u64, 0);
    for byte in text {
        let unit = match byte.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                value = value * 10 + u64::from(digit - b'0');
                digits += 1;
                if digits > 10 {
                    return None;
                }
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total += value * unit;
        (value, digits) = (0, 0);
        if total > u64::from(u32::MAX) {
            return None;
        }
    }
    let ends_well = text.last().is_some_and(u8::is_ascii_alphanumeric);
    u32::try_from(total + value).ok().filter(|_| ends_well)
}

/// An IPv4 address in four decimal octets without leading zeros.
pub(super) fn v4(text: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0u8; 4];
    let (mut at, mut value, mut digits) = (0, 0u16, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                if digits > 0 && value == 0 {
                    return None;
                }
                value = value * 10 + u16::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && at < 3 => {
                octets[at] = value as u8;
                (at, value, digits) = (at + 1, 0, 0);
            }
            _ => return None,
        }
    }
    octets[3] = value as u8;
    (at == 3 && digits > 0).then_some(octets)
}

/// An IPv6 address (RFC 4291 §2.2).
pub(super) fn v6(text: &[u8]) -> Option<[u8; 16]> {
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.octets())
}

/// A type as mnemonic or TYPEnnn.
fn type_number(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok().map(|rtype: Rtype| rtype.0)
}

/// A DNSSEC algorithm: number or mnemonic (IANA registry).
fn algorithm(text: &[u8]) -> Option<u8> {
    const NAMES: &[(&str, u8)] = &[
        ("DELETE", 0),
        ("RSAMD5", 1),
        ("DH", 2),
        ("DSA", 3),
        ("RSASHA1", 5),
        ("DSA-NSEC3-SHA1", 6),
        ("RSASHA1-NSEC3-SHA1", 7),
        ("RSASHA256", 8),
        ("RSASHA512", 10),
        ("ECC-GOST", 12),
        ("ECDSAP256SHA256", 13),
        ("ECDSAP384SHA384", 14),
        ("ED25519", 15),
        ("ED448", 16),
        ("INDIRECT", 252),
        ("PRIVATEDNS", 253),
        ("PRIVATEOID", 254),
    ];
    mnemonic(text, NAMES).or_else(|| decimal(text).and_then(|value| u8::try_from(value).ok()))
}

/// A certificate type: number or mnemonic (RFC 4398 §2.1).
fn cert_type(text: &[u8]) -> Option<u16> {
    const NAMES: &[(&str, u16)] = &[
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ];
    mnemonic(text, NAMES).or_else(|| decimal(text).and_then(|value| u16::try_from(value).ok()))
}

/// A DSYNC scheme: number or mnemonic (RFC 9859 §2.2).
fn scheme(text: &[u8]) -> Option<u8> {
    mnemonic(text, &[("NOTIFY", 1)])
        .or_else(|| decimal(text).and_then(|value| u8::try_from(value).ok()))
}

/// The number of a mnemonic in any case.
fn mnemonic<T: Copy>(text: &[u8], names: &[(&str, T)]) -> Option<T> {
    let found = names.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}

/// A point in time as `YYYYMMDDHHmmSS` (UTC) or seconds since 1970 modulo 2³² (RFC 4034 §3.2).
fn time(text: &[u8]) -> Option<u32> {
    let value = decimal(text)?;
    if text.len() != 14 {
        return u32::try_from(value).ok();
    }
    let part = |unit: u64, modulo: u64| value / unit % modulo;
    let (year, month, day) = (value / 10_000_000_000, part(100_000_000, 100), part(1_000_000, 100));
    let (hour, minute, second) = (part(10_000, 100), part(100, 100), part(1, 100));
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date =
        time::Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let moment = date.ok()?.with_hms(hour as u8, minute as u8, second as u8).ok()?.assume_utc();
    // Times are compared by serial arithmetic: the number wraps in 2106 and later.
    u64::try_from(moment.unix_timestamp()).ok().map(|seconds| seconds as u32)
}

/// A word as a message shows it, shortened.
pub(crate) fn shown(text: &[u8]) -> String {
    let cut = text.len() > 60;
    let text = String::from_utf8_lossy(&text[..text.len().min(60)]);
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("\"{text}{}\"", if cut { "…" } else { "" })
}

//------------ TextError -----------------------------------------------------

/// Why words are not RDATA of the type: which word, what is wrong, what to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct TextError {
    /// The word at fault, counted from 0; the number of words when one is missing.
    pub token: usize,
    /// What is wrong.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

impl TextError {
    /// An error at a word.
    pub(super) fn new(token: usize, message: impl Into<Cow<'static, str>>) -> Self {
        Self { token, message: message.into(), hint: None }
    }

    /// The same with a hint.
    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}
