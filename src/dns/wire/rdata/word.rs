//! Single words of a master file: names, numbers, times, addresses and mnemonics.

use std::net::Ipv6Addr;

use crate::wire::name::unescape;
use crate::wire::{NAME_OCTETS_MAX, NameError, NameRef, Rtype};

/// Octets a label may have.
const LABEL_OCTETS_MAX: usize = 63;

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
            let (byte, used) = unescape(&text[at..])?;
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

/// A decimal number of 64 bits.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    text.first()?;
    text.iter().try_fold(0u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Seconds, with units as in `1w2d3h4m5s`; `None` if it is neither or needs more than 32 bits.
pub fn ttl_from_text(text: &[u8]) -> Option<u32> {
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
pub(super) fn type_number(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok().map(|rtype: Rtype| rtype.0)
}

/// A DNSSEC algorithm: number or mnemonic (IANA registry).
pub(super) fn algorithm(text: &[u8]) -> Option<u8> {
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
pub(super) fn cert_type(text: &[u8]) -> Option<u16> {
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
pub(super) fn scheme(text: &[u8]) -> Option<u8> {
    mnemonic(text, &[("NOTIFY", 1)])
        .or_else(|| decimal(text).and_then(|value| u8::try_from(value).ok()))
}

/// The number of a mnemonic in any case.
pub(super) fn mnemonic<T: Copy>(text: &[u8], names: &[(&str, T)]) -> Option<T> {
    let found = names.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}

/// A point in time as `YYYYMMDDHHmmSS` (UTC) or seconds since 1970 modulo 2³² (RFC 4034 §3.2).
pub(crate) fn time(text: &[u8]) -> Option<u32> {
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
