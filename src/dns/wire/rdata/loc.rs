//! The geographical position of a host (RFC 1876): `6 45 32.000 S 108 28 40.000 E 12.00m 10m 100m 10m`.

use std::fmt::Write;

use super::RdataError;
use super::read::{TextError, Words};
use super::word::decimal;

/// Octets of version 0.
const OCTETS: usize = 16;
/// The number of the equator and the prime meridian.
const ORIGIN: i64 = 1 << 31;
/// Thousandths of an arc second in a degree.
const DEGREE: i64 = 3_600_000;
/// Centimetres from the reference of altitudes to the ellipsoid.
const ALTITUDE_BASE: i64 = 10_000_000;

/// Checks version, sizes and the range of the angles.
pub(super) fn check(rest: &[u8]) -> Result<usize, RdataError> {
    let data = rest.first_chunk::<OCTETS>().ok_or(RdataError::Cut)?;
    let is_size = |byte: u8| byte >> 4 <= 9 && byte & 15 <= 9;
    let angle = |at: usize, most: i64| (number(data, at) - ORIGIN).abs() <= most * DEGREE;
    let sizes = data[1..4].iter().all(|byte| is_size(*byte));
    if data[0] != 0 || !sizes || !angle(4, 90) || !angle(8, 180) {
        return Err(RdataError::Value);
    }
    Ok(OCTETS)
}

/// The 32-bit number at an offset.
fn number(data: &[u8; OCTETS], at: usize) -> i64 {
    i64::from(u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]))
}

//------------ Reading -------------------------------------------------------

/// Reads all words that are left.
pub(super) fn read(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    let latitude = angle(words, 90, [b'N', b'S'], "a latitude, degrees to 90 and N or S")?;
    let longitude = angle(words, 180, [b'E', b'W'], "a longitude, degrees to 180 and E or W")?;
    let altitude = words.word(
        |text| {
            metres(text)
                .and_then(|cm| cm.checked_add(ALTITUDE_BASE))
                .and_then(|n| u32::try_from(n).ok())
        },
        "an altitude in metres",
    )?;
    // Size 1 m, horizontal precision 10 km, vertical precision 10 m unless given (RFC 1876 §3).
    let mut sizes = [0x12, 0x16, 0x13];
    for size in &mut sizes {
        if words.peek().is_some() {
            *size = words.word(|text| metres(text).and_then(to_size), "a size in metres")?;
        }
    }
    out.push(0);
    out.extend_from_slice(&sizes);
    out.extend_from_slice(&latitude.to_be_bytes());
    out.extend_from_slice(&longitude.to_be_bytes());
    out.extend_from_slice(&altitude.to_be_bytes());
    Ok(())
}

/// Degrees, minutes and seconds as far as given, and the direction.
fn angle(
    words: &mut Words<'_, '_>,
    degrees_max: u64,
    [positive, negative]: [u8; 2],
    wanted: &str,
) -> Result<u32, TextError> {
    let mut value = 0;
    for (part, unit) in [DEGREE, 60_000, 1000].into_iter().enumerate() {
        let sign = words.peek().map(|token| token.text.to_ascii_uppercase());
        if part > 0
            && (sign.as_deref() == Some(&[positive]) || sign.as_deref() == Some(&[negative]))
        {
            break;
        }
        value += words.word(
            |text| match part {
                0 => decimal(text).filter(|n| *n <= degrees_max).map(|n| n as i64 * unit),
                1 => decimal(text).filter(|n| *n < 60).map(|n| n as i64 * unit),
                _ => fraction(text, 3).filter(|n| *n < 60_000),
            },
            wanted,
        )?;
    }
    let sign = words.word(
        |text| match text {
            [sign] if sign.to_ascii_uppercase() == positive => Some(1),
            [sign] if sign.to_ascii_uppercase() == negative => Some(-1),
            _ => None,
        },
        wanted,
    )?;
    let in_range = value <= degrees_max as i64 * DEGREE;
    u32::try_from(ORIGIN + sign * value)
        .ok()
        .filter(|_| in_range)
        .ok_or_else(|| words.fault(format!("this is not {wanted}")))
}

/// A decimal fraction in units of 10^-`places`.
fn fraction(text: &[u8], places: usize) -> Option<i64> {
    let (whole, part) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &[][..]),
    };
    if part.len() > places {
        return None;
    }
    let mut digits = whole.to_vec();
    digits.extend_from_slice(part);
    digits.resize(whole.len() + places, b'0');
    i64::try_from(decimal(&digits)?).ok()
}

/// Centimetres from metres with an optional sign and `m`.
fn metres(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"m").or_else(|| text.strip_suffix(b"M")).unwrap_or(text);
    match text.strip_prefix(b"-") {
        Some(text) => fraction(text, 2).map(|cm| -cm),
        None => fraction(text.strip_prefix(b"+").unwrap_or(text), 2),
    }
}

/// Centimetres as mantissa and exponent; digits behind the first are cut (RFC 1876 §2).
fn to_size(centimetres: i64) -> Option<u8> {
    let (mut mantissa, mut exponent) = (u64::try_from(centimetres).ok()?, 0u8);
    while mantissa > 9 {
        (mantissa, exponent) = (mantissa / 10, exponent + 1);
    }
    (exponent <= 9).then_some((mantissa as u8) << 4 | exponent)
}

//------------ Writing -------------------------------------------------------

/// Appends the location. `None` for a size of nothing times ten, which no text makes.
pub(super) fn write(rest: &[u8], text: &mut String) -> Option<()> {
    let data = rest.first_chunk::<OCTETS>()?;
    write_angle(number(data, 4) - ORIGIN, ['N', 'S'], text)?;
    write_angle(number(data, 8) - ORIGIN, ['E', 'W'], text)?;
    write_metres(number(data, 12) - ALTITUDE_BASE, text)?;
    for byte in &data[1..4] {
        let centimetres = i64::from(byte >> 4) * 10i64.pow(u32::from(byte & 15));
        (to_size(centimetres) == Some(*byte)).then_some(())?;
        text.push(' ');
        write_metres(centimetres, text)?;
    }
    Some(())
}

/// Appends an angle and a space.
fn write_angle(value: i64, [positive, negative]: [char; 2], text: &mut String) -> Option<()> {
    let sign = if value < 0 { negative } else { positive };
    let value = value.abs();
    let (degrees, minutes) = (value / DEGREE, value / 60_000 % 60);
    let (seconds, thousandths) = (value / 1000 % 60, value % 1000);
    write!(text, "{degrees} {minutes} {seconds}.{thousandths:03} {sign} ").ok()
}

/// Appends centimetres as metres.
fn write_metres(centimetres: i64, text: &mut String) -> Option<()> {
    let sign = if centimetres < 0 { "-" } else { "" };
    let centimetres = centimetres.abs();
    write!(text, "{sign}{}.{:02}m", centimetres / 100, centimetres % 100).ok()
}
