//! Types that are rare or gone, as BIND reads their text. They are written in the generic form
//! (RFC 3597 §5), which every server reads.

use super::RdataError;
use super::encoding::{read_base64, read_hex};
use super::fields::Field;
use super::read::{TextError, Words};
use super::word::{decimal, mnemonic, type_number, v4, v6};
use crate::wire::NameRef;

/// The names of protocols and services that WKS records have (RFC 1010); all others are written as numbers.
const PROTOCOLS: [(&str, u8); 2] = [("tcp", 6), ("udp", 17)];
/// See above.
const SERVICES: [(&str, u16); 24] = [
    ("echo", 7),
    ("discard", 9),
    ("systat", 11),
    ("daytime", 13),
    ("netstat", 15),
    ("qotd", 17),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("nameserver", 42),
    ("whois", 43),
    ("domain", 53),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("nntp", 119),
    ("ntp", 123),
];

//------------ Validity ------------------------------------------------------

/// A field that takes all that is left of a type that is rare or gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::wire) enum Rare {
    /// Address, protocol, ports (RFC 1035 §3.4.2).
    Wks,
    /// An address in hexadecimal behind `0x` (RFC 1706 §7).
    Nsap,
    /// An address of ATM.
    Atma,
    /// Prefix length, address suffix, prefix name (RFC 2874 §3.1).
    A6,
    /// A bitmap of the types below 128 (RFC 2535 §5.2).
    OldTypes,
    /// A host identity (RFC 8005 §5).
    Hip,
    /// A digital object.
    Doa,
    /// Discovery flag, type and relay (RFC 8777 §4.2).
    Relay,
}

impl Rare {
    /// How many octets the field takes: all that are left, if they are valid.
    pub(super) fn take(self, rest: &[u8]) -> Result<usize, RdataError> {
        let used = match self {
            Self::Wks if rest.len() < 5 => return Err(RdataError::Cut),
            Self::Nsap | Self::Atma | Self::OldTypes if rest.is_empty() => {
                return Err(RdataError::Empty);
            }
            Self::Wks | Self::Nsap | Self::Atma | Self::OldTypes => rest.len(),
            Self::A6 => a6(rest)?,
            Self::Hip => hip(rest)?,
            Self::Doa => doa(rest)?,
            Self::Relay => relay(rest)?,
        };
        if used == rest.len() { Ok(used) } else { Err(RdataError::Trailing) }
    }
}

/// Octets of the address suffix and the prefix name.
fn a6(rest: &[u8]) -> Result<usize, RdataError> {
    let (prefix, after) = rest.split_first().ok_or(RdataError::Cut)?;
    let suffix = suffix_octets(*prefix).ok_or(RdataError::Value)?;
    let name = after.get(suffix..).ok_or(RdataError::Cut)?;
    let name_octets = if *prefix == 0 { 0 } else { NameRef::from_wire(name)?.1 };
    Ok(1 + suffix + name_octets)
}

/// Octets of the address that a prefix of so many bits leaves.
fn suffix_octets(prefix: u8) -> Option<usize> {
    128u8.checked_sub(prefix).map(|bits| usize::from(bits).div_ceil(8))
}

/// Lengths, algorithm, identity, key, servers.
fn hip(rest: &[u8]) -> Result<usize, RdataError> {
    let [identity, _, high, low, after @ ..] = rest else { return Err(RdataError::Cut) };
    let fixed = usize::from(*identity) + usize::from(u16::from_be_bytes([*high, *low]));
    if *identity == 0 || fixed == usize::from(*identity) {
        return Err(RdataError::Empty);
    }
    let mut at = fixed;
    while !after.get(at..).ok_or(RdataError::Cut)?.is_empty() {
        at += NameRef::from_wire(&after[at..])?.1;
    }
    Ok(4 + at)
}

/// Two numbers of 32 bits, one of 8, a string, the object.
fn doa(rest: &[u8]) -> Result<usize, RdataError> {
    let length = usize::from(*rest.get(9).ok_or(RdataError::Cut)?);
    if rest.len() < 10 + length { Err(RdataError::Cut) } else { Ok(rest.len()) }
}

/// Flag and type in one octet, and the relay of that type.
fn relay(rest: &[u8]) -> Result<usize, RdataError> {
    let (kind, address) = rest.split_first().ok_or(RdataError::Cut)?;
    let octets = match kind & 0x7f {
        0 => 0,
        1 => 4,
        2 => 16,
        3 => NameRef::from_wire(address)?.1,
        _ => return Ok(rest.len()),
    };
    if address.len() < octets { Err(RdataError::Cut) } else { Ok(1 + octets) }
}

//------------ Reading -------------------------------------------------------

impl Rare {
    /// Reads the words of the field.
    pub(super) fn read(
        self,
        words: &mut Words<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), TextError> {
        match self {
            Self::Wks => read_wks(words, out),
            Self::Nsap => read_nsap(words, out),
            Self::Atma => read_atma(words, out),
            Self::A6 => read_a6(words, out),
            Self::OldTypes => read_old_types(words, out),
            Self::Hip => read_hip(words, out),
            Self::Doa => read_doa(words, out),
            Self::Relay => read_relay(words, out),
        }
    }
}

/// Reads `ADDRESS PROTOCOL SERVICE …`.
fn read_wks(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    out.extend_from_slice(&words.word(v4, "an IPv4 address")?);
    let protocol = |text: &[u8]| mnemonic(text, &PROTOCOLS).or_else(|| number(text));
    out.push(words.word(protocol, "a protocol: tcp, udp or a number")?);
    let mut bits = Vec::new();
    while words.peek().is_some() {
        let service = |text: &[u8]| mnemonic(text, &SERVICES).or_else(|| number(text));
        let port = words.word(service, "a service, best as the number of its port")?;
        set_bit(&mut bits, port);
    }
    out.extend_from_slice(&bits);
    Ok(())
}

/// Reads `0x` and hexadecimal digits, dots between them.
fn read_nsap(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let read = |text: &[u8]| {
        let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
        let mut octets = Vec::new();
        read_hex(digits.iter().copied().filter(|digit| *digit != b'.'), &mut octets)?;
        Some(octets).filter(|octets| !octets.is_empty())
    };
    out.extend(words.word(read, "an NSAP address as 0x47.0005…")?);
    Ok(())
}

/// Reads `+` and decimal digits (E.164), or hexadecimal digits (AESA), dots between them.
fn read_atma(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let read = |text: &[u8]| {
        let signs = |text: &[u8]| text.iter().copied().filter(|sign| *sign != b'.').collect();
        let mut octets = vec![];
        if let Some(digits) = text.strip_prefix(b"+") {
            let digits: Vec<u8> = signs(digits);
            octets.push(1);
            octets.extend_from_slice(&digits);
            return Some(octets)
                .filter(|_| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit));
        }
        let digits: Vec<u8> = signs(text);
        octets.push(0);
        read_hex(digits.into_iter(), &mut octets)?;
        Some(octets).filter(|octets| octets.len() > 1)
    };
    out.extend(words.word(read, "an ATM address: +DIGITS or hexadecimal")?);
    Ok(())
}

/// Reads prefix length, suffix and prefix name.
fn read_a6(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let prefix = words.number(128, "a prefix length from 0 to 128")? as u8;
    out.push(prefix);
    if let Some(octets) = suffix_octets(prefix).filter(|octets| *octets > 0) {
        let mut address = words.word(v6, "an IPv6 address")?;
        let start = 16 - octets;
        // Bits of the prefix are not part of the suffix.
        address[start] &= 0xff >> (prefix % 8);
        out.extend_from_slice(&address[start..]);
    }
    if prefix > 0 { words.name(out) } else { Ok(()) }
}

/// Reads types below 128.
fn read_old_types(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let mut bits = Vec::new();
    while bits.is_empty() || words.peek().is_some() {
        let small = |text: &[u8]| type_number(text).filter(|rtype| (1..128).contains(rtype));
        set_bit(&mut bits, words.word(small, "a record type below 128")?);
    }
    out.extend_from_slice(&bits);
    Ok(())
}

/// Reads `ALGORITHM IDENTITY KEY SERVER …`: the identity in hexadecimal, the key in base64.
fn read_hip(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let algorithm = words.number(255, "an algorithm from 0 to 255")? as u8;
    let identity = |text: &[u8]| {
        let mut octets = Vec::new();
        read_hex(text.iter().copied(), &mut octets)?;
        Some(octets).filter(|octets| (1..=255).contains(&octets.len()))
    };
    let identity = words.word(identity, "a host identity tag in hexadecimal")?;
    let key = |text: &[u8]| {
        let mut octets = Vec::new();
        read_base64(text.iter().copied(), &mut octets)?;
        let length = u16::try_from(octets.len()).ok().filter(|length| *length > 0)?;
        Some((length, octets))
    };
    let (length, key) = words.word(key, "a public key in base64, one word")?;
    out.extend_from_slice(&[identity.len() as u8, algorithm]); // at most 255 octets
    out.extend_from_slice(&length.to_be_bytes());
    out.extend(identity);
    out.extend(key);
    while words.peek().is_some() {
        words.name(out)?;
    }
    Ok(())
}

/// Reads `ENTERPRISE TYPE LOCATION MEDIA-TYPE OBJECT`; the object is in base64, `-` is none.
fn read_doa(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    for wanted in ["an enterprise number of 32 bits", "a type of 32 bits"] {
        let value = words.number(u64::from(u32::MAX), wanted)? as u32;
        out.extend_from_slice(&value.to_be_bytes());
    }
    out.push(words.number(255, "a location from 0 to 255")? as u8);
    words.string(Field::String, out)?;
    if words.peek().is_some_and(|token| token.text == b"-") {
        words.rest();
        return Ok(());
    }
    words.encoded(out, "base64", |signs, out| read_base64(signs, out))
}

/// Reads discovery flag, type and relay; of type 0, which has none, `.` or nothing.
fn read_relay(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let optional = words.number(1, "the discovery flag: 0 or 1")? as u8;
    let kind = words.number(3, "a relay type from 0 to 3")? as u8;
    out.push(optional << 7 | kind);
    match kind {
        0 if words.peek().is_none() => {}
        0 => words.word(|text| (text == b".").then_some(()), "`.`, which is no relay")?,
        1 => out.extend_from_slice(&words.word(v4, "an IPv4 address")?),
        2 => out.extend_from_slice(&words.word(v6, "an IPv6 address")?),
        _ => words.name(out)?,
    }
    Ok(())
}

/// Sets a bit of a bitmap, counted from its start.
fn set_bit(bits: &mut Vec<u8>, number: u16) {
    let at = usize::from(number / 8);
    bits.resize(bits.len().max(at + 1), 0);
    bits[at] |= 0x80 >> (number % 8);
}

/// A decimal number.
fn number<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    decimal(text).and_then(|value| T::try_from(value).ok())
}
