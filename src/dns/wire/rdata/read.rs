//! From the words of a master file to RDATA.

use std::borrow::Cow;

use super::encoding::{read_base32hex, read_base64, read_hex, unescape_into};
use super::fields::{Field, write_types};
use super::word::{
    algorithm, cert_type, decimal, push_name, scheme, shown, time, ttl_from_text, type_number, v4,
    v6,
};
use super::{apl, check, loc, svcb, whole};
use crate::wire::{NameError, NameRef, Rtype};

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
        words.field(*field, out)?;
    }
    if words.at < tokens.len() {
        let more = shown(tokens[words.at].text);
        return Err(TextError::new(words.at, format!("{more} is more than {rtype} takes")));
    }
    let whole = whole::check_whole(rtype, &out[start..]);
    whole.map_err(|error| {
        let at = svcb::param_at(tokens, error).unwrap_or(tokens.len() - 1);
        TextError::new(at, error.to_string())
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
    fn field(&mut self, field: Field, out: &mut Vec<u8>) -> Result<(), TextError> {
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
            Field::Rare(field) => field.read(self, out)?,
        }
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
        match read(token.text) {
            Some(value) if !token.quoted => Ok(value),
            Some(_) => {
                let message = format!("{} is in quotes, and {wanted} is not", shown(token.text));
                Err(self.fault(message).hint("write it without the quotes"))
            }
            None => Err(self.fault(format!("{} is not {wanted}", shown(token.text)))),
        }
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
    pub(super) fn string(&mut self, field: Field, out: &mut Vec<u8>) -> Result<(), TextError> {
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
    pub(super) fn encoded(
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
