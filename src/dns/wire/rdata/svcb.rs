//! Service parameters of SVCB and HTTPS (RFC 9460, 9461, 9540), all keys of the registry.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::encoding::{read_base64, unescape_into, write_base64, write_quoted};
use super::read::{TextError, Token, Words};
use super::word::{decimal, shown, v4, v6};
use super::{RdataError, Reader};
use crate::text::append;
use crate::wire::NameRef;
use crate::wire::name::unescape;

/// `mandatory`: keys that a client has to understand.
const MANDATORY: u16 = 0;
/// `alpn`: protocols.
const ALPN: u16 = 1;
/// `no-default-alpn`: without a value.
const NO_DEFAULT_ALPN: u16 = 2;
/// `port`.
const PORT: u16 = 3;
/// `ipv4hint`.
const IPV4HINT: u16 = 4;
/// `ech`: in base64.
const ECH: u16 = 5;
/// `ipv6hint`.
const IPV6HINT: u16 = 6;
/// `dohpath`: a URI template (RFC 9461 §5).
const DOHPATH: u16 = 7;
/// `ohttp`: without a value (RFC 9540 §4).
const OHTTP: u16 = 8;
/// `tls-supported-groups`: numbers of 16 bits.
const GROUPS: u16 = 9;

/// The registered keys by number.
const KEYS: [&str; 10] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
    "tls-supported-groups",
];

//------------ Validity ------------------------------------------------------

/// The parameters on the wire: key and value.
fn params(rest: &[u8]) -> impl Iterator<Item = Result<(u16, &[u8]), RdataError>> {
    let mut rest = rest;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((head, after)) = rest.split_first_chunk::<4>() else {
            rest = &[];
            return Some(Err(RdataError::Cut));
        };
        let key = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let Some((value, after)) = after.split_at_checked(length) else {
            rest = &[];
            return Some(Err(RdataError::Cut));
        };
        rest = after;
        Some(Ok((key, value)))
    })
}

/// Checks that keys rise and values are of their kind.
pub(super) fn check_params(rest: &[u8]) -> Result<usize, RdataError> {
    let mut last = None;
    for param in params(rest) {
        let (key, value) = param?;
        if last.is_some_and(|last| key <= last) || !is_valid(key, value) {
            return Err(RdataError::Param(key));
        }
        last = Some(key);
    }
    Ok(rest.len())
}

/// Checks the parameters against each other, in whole RDATA whose fields are valid.
pub(super) fn check_rdata(rdata: &[u8]) -> Result<(), RdataError> {
    let (_, used) = NameRef::from_wire(rdata.get(2..).ok_or(RdataError::Cut)?)?;
    let list = &rdata[2 + used..];
    let has = |wanted: u16| params(list).flatten().any(|(key, _)| key == wanted);
    for (key, value) in params(list).flatten() {
        let mut listed = value.chunks_exact(2).map(|k| u16::from_be_bytes([k[0], k[1]]));
        match key {
            MANDATORY => {
                if let Some(missing) = listed.find(|key| !has(*key)) {
                    return Err(RdataError::NotThere(missing));
                }
            }
            NO_DEFAULT_ALPN if !has(ALPN) => return Err(RdataError::NoAlpn),
            _ => {}
        }
    }
    Ok(())
}

/// Which word has the parameter that an error is about.
pub(super) fn param_at(tokens: &[Token<'_>], error: RdataError) -> Option<usize> {
    let wanted = match error {
        RdataError::Param(key) => key,
        RdataError::NoAlpn => NO_DEFAULT_ALPN,
        RdataError::NotThere(_) => MANDATORY,
        _ => return None,
    };
    tokens.iter().position(|token| {
        let name = token.text.split(|byte| *byte == b'=').next().unwrap_or_default();
        key_number(name) == Some(wanted)
    })
}

/// Whether a value is of the kind its key wants. Unknown keys hold anything, 65535 is no key.
fn is_valid(key: u16, value: &[u8]) -> bool {
    let whole = |octets: usize| !value.is_empty() && value.len().is_multiple_of(octets);
    match key {
        MANDATORY => {
            let keys = || value.chunks_exact(2).map(|k| u16::from_be_bytes([k[0], k[1]]));
            whole(2) && keys().is_sorted_by(|a, b| a < b) && keys().all(|k| k != MANDATORY)
        }
        ALPN => !value.is_empty() && alpn_ids(value).all(|id| id.is_some_and(|id| !id.is_empty())),
        NO_DEFAULT_ALPN | OHTTP => value.is_empty(),
        PORT => value.len() == 2,
        IPV4HINT => whole(4),
        IPV6HINT => whole(16),
        ECH => !value.is_empty(),
        DOHPATH => std::str::from_utf8(value)
            .is_ok_and(|path| path.starts_with('/') && path.contains("dns") && path.contains('{')),
        GROUPS => {
            let groups = || value.chunks_exact(2);
            let is_first = |(at, group)| groups().take(at).all(|earlier| earlier != group);
            whole(2) && groups().enumerate().all(is_first)
        }
        u16::MAX => false,
        _ => true,
    }
}

/// The protocols of an `alpn` value; `None` where it is cut.
fn alpn_ids(value: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (&length, after) = rest.split_first()?;
        let split = after.split_at_checked(usize::from(length));
        rest = split.map_or(&[][..], |(_, after)| after);
        Some(split.map(|(id, _)| id))
    })
}

//------------ Reading -------------------------------------------------------

/// Reads all words that are left, in any order, to parameters in order.
pub(super) fn read(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let mut found: Vec<(u16, Vec<u8>)> = Vec::new();
    while words.peek().is_some() {
        let token = words.next("a parameter")?;
        let equals = token.text.iter().position(|byte| *byte == b'=');
        let (name, text) = match equals {
            Some(at) => (&token.text[..at], Some(&token.text[at + 1..])),
            None => (token.text, None),
        };
        let unknown = || words.fault(format!("{} is not a service parameter", shown(name)));
        let key = key_number(name).filter(|_| !token.quoted).ok_or_else(unknown)?;
        // Written as a number, the value of a known key is its octets too (RFC 9460 §2.1).
        let is_generic = name.starts_with(b"key");
        if found.iter().any(|(other, _)| *other == key) {
            return Err(words.fault(format!("the parameter {} is given twice", key_name(key))));
        }
        let value = value_from_text(key, text, is_generic).filter(|value| is_valid(key, value));
        let wrong = || words.fault(format!("{} is not {}", shown(token.text), wanted(key)));
        found.push((key, value.ok_or_else(wrong)?));
    }
    found.sort_by_key(|(key, _)| *key);
    for (key, value) in found {
        let length =
            u16::try_from(value.len()).map_err(|_| words.fault("the value is too long"))?;
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&value);
    }
    Ok(())
}

/// The number of a key: its name, or `keyNNN` without leading zeros.
fn key_number(name: &[u8]) -> Option<u16> {
    // A key of fewer than 65,536 fits.
    let known = KEYS.iter().position(|key| key.as_bytes() == name).map(|at| at as u16);
    known.or_else(|| {
        let digits = name.strip_prefix(b"key")?;
        let value = decimal(digits).and_then(|value| u16::try_from(value).ok())?;
        (digits.len() == 1 || digits[0] != b'0').then_some(value)
    })
}

/// The value on the wire, not yet checked as a whole. `is_generic`: the text has its octets.
fn value_from_text(key: u16, text: Option<&[u8]>, is_generic: bool) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let Some(text) = text else { return Some(value) };
    let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
    let mut string = Vec::new();
    unescape_into(text, &mut string).ok()?;
    if is_generic {
        return Some(string);
    }
    let mut items = string.split(|byte| *byte == b',');
    match key {
        MANDATORY => {
            let mut keys = items.map(key_number).collect::<Option<Vec<_>>>()?;
            keys.sort_unstable();
            value.extend(keys.iter().flat_map(|key| key.to_be_bytes()));
        }
        ALPN => alpn_from_text(&string, &mut value)?,
        PORT => value.extend(u16::try_from(decimal(&string)?).ok()?.to_be_bytes()),
        IPV4HINT => items.try_for_each(|item| v4(item).map(|octets| value.extend(octets)))?,
        IPV6HINT => items.try_for_each(|item| v6(item).map(|octets| value.extend(octets)))?,
        ECH => read_base64(string.iter().copied(), &mut value)?,
        GROUPS => {
            for item in items {
                value.extend(u16::try_from(decimal(item)?).ok()?.to_be_bytes());
            }
        }
        _ => value = string,
    }
    Some(value)
}

/// Splits at commas that have no backslash (RFC 9460 §A.1).
fn alpn_from_text(string: &[u8], value: &mut Vec<u8>) -> Option<()> {
    let mut id = Vec::new();
    let mut end = |id: &mut Vec<u8>| {
        value.push(u8::try_from(id.len()).ok()?);
        value.append(id);
        Some(())
    };
    let mut at = 0;
    while at < string.len() {
        match string[at] {
            b',' => end(&mut id)?,
            b'\\' => {
                let (byte, used) = unescape(&string[at + 1..]).ok()?;
                id.push(byte);
                at += used;
            }
            byte => id.push(byte),
        }
        at += 1;
    }
    end(&mut id)
}

/// What the value of a key has to be.
fn wanted(key: u16) -> &'static str {
    match key {
        MANDATORY => "a list of other keys, each once",
        ALPN => "a list of protocols",
        NO_DEFAULT_ALPN | OHTTP => "a key without a value",
        PORT => "a port from 0 to 65535",
        IPV4HINT => "a list of IPv4 addresses",
        IPV6HINT => "a list of IPv6 addresses",
        ECH => "an ECHConfigList in base64",
        DOHPATH => "a URI template with the variable dns",
        GROUPS => "a list of numbers, each once",
        _ => "a usable value",
    }
}

//------------ Writing -------------------------------------------------------

/// The name of a key.
fn key_name(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

/// The newest key that BIND 9.18, NSD 4.6 and Knot 3.2 know by its name.
const PORTABLE_MAX: u16 = IPV6HINT;

/// Appends all parameters; `None` where the servers do not agree on a text.
pub(super) fn write(rest: &[u8], reader: Reader, text: &mut String) -> Option<()> {
    for (at, param) in params(rest).enumerate() {
        let (key, value) = param.ok()?;
        if at > 0 {
            text.push(' ');
        }
        let is_odd = key == ALPN && alpn_ids(value).flatten().any(is_odd_id);
        if reader == Reader::Servers && is_odd {
            return None;
        }
        if reader == Reader::Servers && key > PORTABLE_MAX {
            append!(text, "key{key}");
            if !value.is_empty() {
                text.push('=');
                write_quoted(value, text);
            }
            continue;
        }
        text.push_str(&key_name(key));
        if value.is_empty() {
            continue;
        }
        text.push('=');
        write_value(key, value, text)?;
    }
    Some(())
}

/// Whether servers misread the name of a protocol: Knot 3.2 one with a comma or a backslash and one of a
/// single octet, NSD 4.6 one with a NUL. `key1`, in turn, is `alpn` to NSD.
fn is_odd_id(id: &[u8]) -> bool {
    let is_plain = |octet: &u8| octet.is_ascii_graphic() && !b",\\\"".contains(octet);
    id.len() == 1 || !id.iter().all(is_plain)
}

/// Appends a value that is not empty.
fn write_value(key: u16, value: &[u8], text: &mut String) -> Option<()> {
    let number = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
    match key {
        MANDATORY => list(value.chunks_exact(2).map(|pair| key_name(number(pair))), text),
        GROUPS | PORT => list(value.chunks_exact(2).map(|pair| number(pair).to_string()), text),
        IPV4HINT => {
            let octets = value.chunks_exact(4).filter_map(|c| <[u8; 4]>::try_from(c).ok());
            list(octets.map(|o| Ipv4Addr::from(o).to_string()), text);
        }
        IPV6HINT => {
            let octets = value.chunks_exact(16).filter_map(|c| <[u8; 16]>::try_from(c).ok());
            list(octets.map(|o| Ipv6Addr::from(o).to_string()), text);
        }
        ECH => write_base64(value, text),
        ALPN => {
            let mut string = Vec::new();
            for (at, id) in alpn_ids(value).enumerate() {
                if at > 0 {
                    string.push(b',');
                }
                for &byte in id? {
                    if matches!(byte, b',' | b'\\') {
                        string.push(b'\\');
                    }
                    string.push(byte);
                }
            }
            write_quoted(&string, text);
        }
        _ => write_quoted(value, text),
    }
    Some(())
}

/// Appends items with commas between.
fn list(items: impl Iterator<Item = String>, text: &mut String) {
    for (at, item) in items.enumerate() {
        append!(text, "{}{item}", if at > 0 { "," } else { "" });
    }
}
