//! Hexadecimal, base64, base32hex (RFC 4648) and the escapes of character strings (RFC 1035 §5.1).

use crate::wire::NameError;
use crate::wire::name::unescape;

/// The base64 alphabet.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The base32hex alphabet, in lower case as signers write it.
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

//------------ Escapes -------------------------------------------------------

/// Appends the text with its `\X` and `\DDD` read.
pub(super) fn unescape_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), NameError> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let (byte, used) = unescape(&rest[at + 1..])?;
        out.push(byte);
        rest = &rest[at + 1 + used..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends octets as a quoted string that stays on its line whatever they are.
pub(super) fn write_quoted(octets: &[u8], text: &mut String) {
    text.push('"');
    for &byte in octets {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            0x20..=0x7e => text.push(char::from(byte)),
            _ => {
                text.push('\\');
                text.extend([byte / 100, byte / 10 % 10, byte % 10].map(|d| char::from(b'0' + d)));
            }
        }
    }
    text.push('"');
}

//------------ Hexadecimal ---------------------------------------------------

/// Appends octets in lower-case hexadecimal.
pub(super) fn write_hex(octets: &[u8], text: &mut String) {
    for octet in octets {
        text.extend(
            [octet >> 4, octet & 15].map(|d| char::from(b"0123456789abcdef"[usize::from(d)])),
        );
    }
}

/// Appends the octets that hexadecimal digits write; `None` if they are odd or no digits.
pub(super) fn read_hex(digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) -> Option<()> {
    let mut high = None;
    for digit in digits {
        let value = char::from(digit).to_digit(16)? as u8;
        match high.take() {
            None => high = Some(value),
            Some(high) => out.push(high << 4 | value),
        }
    }
    high.is_none().then_some(())
}

//------------ Base64 --------------------------------------------------------

/// Appends octets in base64 with padding.
pub(super) fn write_base64(octets: &[u8], text: &mut String) {
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for at in 0..4 {
            let sign = BASE64[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > group.len() { '=' } else { char::from(sign) });
        }
    }
}

/// Appends the octets that base64 writes. Padding must be there and nothing behind it.
pub(super) fn read_base64(signs: impl Iterator<Item = u8>, out: &mut Vec<u8>) -> Option<()> {
    let (mut bits, mut count, mut padding) = (0u32, 0, 0);
    for sign in signs {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if count % 4 >= 2 => {
                padding += 1;
                count += 1;
                bits <<= 6;
                if count % 4 == 0 {
                    out.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
                }
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count % 4 == 0 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
        }
    }
    (count % 4 == 0 && padding <= 2).then_some(())
}

//------------ Base32hex -----------------------------------------------------

/// Appends octets in base32hex without padding (RFC 5155 §3.3).
pub(crate) fn write_base32hex(octets: &[u8], text: &mut String) {
    for group in octets.chunks(5) {
        let bits = group.iter().fold(0u64, |bits, octet| bits << 8 | u64::from(*octet))
            << (8 * (5 - group.len()));
        for at in 0..(group.len() * 8).div_ceil(5) {
            text.push(char::from(BASE32HEX[(bits >> (35 - 5 * at) & 31) as usize]));
        }
    }
}

/// Appends the octets that base32hex without padding writes.
pub(super) fn read_base32hex(signs: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for group in signs.chunks(8) {
        if matches!(group.len(), 1 | 3 | 6) {
            return None;
        }
        let mut bits = 0u64;
        for sign in group {
            let value = BASE32HEX.iter().position(|s| *s == sign.to_ascii_lowercase())?;
            bits = bits << 5 | value as u64;
        }
        bits <<= 5 * (8 - group.len());
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + group.len() * 5 / 8]);
    }
    Some(())
}
