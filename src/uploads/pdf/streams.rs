//! What is compressed inside a PDF (ISO 32000-1, 7.4): unpacked within a bound.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::lexer::{Value, is_space};
use crate::queue::{Fault, Rule};
use crate::uploads::refusal::refused;

/// Octets all streams of a file may unpack to, together.
pub(super) const UNPACKED_MAX: usize = 64 * 1024 * 1024;

/// The names of a stream's filters, in the order they are undone. `None` if another object names them.
fn filters(dict: &Value) -> Option<Vec<&[u8]>> {
    match dict.get(b"Filter") {
        None | Some(Value::Other) => Some(Vec::new()),
        Some(Value::Name(name)) => Some(vec![name]),
        Some(Value::Array(items)) => items.iter().map(Value::name).collect(),
        Some(_) => None,
    }
}

/// Unpacks a stream as far as it can hold values of a PDF or grow out of hand; pictures and the like stay
/// packed. `left` is what all streams together may still unpack to.
pub(super) fn unpack<'a>(
    dict: &Value,
    data: &'a [u8],
    left: &mut usize,
) -> Result<Cow<'a, [u8]>, Fault> {
    // Where another object names the filter, the data itself shows it.
    let guess = if is_zlib(data) { vec![&b"FlateDecode"[..]] } else { Vec::new() };
    let filters = filters(dict).unwrap_or(guess);
    let packs = |name: &&&[u8]| {
        matches!(
            **name,
            b"FlateDecode" | b"Fl" | b"LZWDecode" | b"LZW" | b"RunLengthDecode" | b"RL"
        )
    };
    // No program packs twice; whoever does wants it to grow.
    if filters.iter().filter(packs).count() > 1 {
        return Err(bomb());
    }
    let mut data = Cow::Borrowed(data);
    for filter in filters {
        data = match filter {
            b"FlateDecode" | b"Fl" => Cow::Owned(inflate(&data, *left)?),
            b"LZWDecode" | b"LZW" => {
                *left = left.checked_sub(lzw_length(&data)).ok_or_else(bomb)?;
                return Ok(Cow::Borrowed(&[]));
            }
            b"ASCIIHexDecode" | b"AHx" => Cow::Owned(hexadecimal(&data)),
            b"ASCII85Decode" | b"A85" => Cow::Owned(ascii85(&data)),
            // A picture, or at most 64 times as long.
            _ => return Ok(Cow::Borrowed(&[])),
        };
    }
    *left = left.checked_sub(data.len()).ok_or_else(bomb)?;
    Ok(data)
}

/// It unpacks to too much.
fn bomb() -> Fault {
    refused(Rule::LetterBomb, "")
}

/// Whether data begins as zlib's does (RFC 1950).
fn is_zlib(data: &[u8]) -> bool {
    matches!(data, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) * 256 + u16::from(*flg)) % 31 == 0)
}

/// Undoes deflate; damaged data ends where it is damaged, as viewers have it.
fn inflate(data: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    // An error leaves what came before it in `out`.
    drop(ZlibDecoder::new(data).take(limit).read_to_end(&mut out));
    if out.len() > most { Err(bomb()) } else { Ok(out) }
}

/// The length LZW data unpacks to, without unpacking it.
fn lzw_length(data: &[u8]) -> usize {
    // The length of what each code means; 256 clears the table, 257 ends the data.
    let mut lengths: Vec<usize> = vec![1; 258];
    let (mut total, mut before, mut bits, mut held) = (0_usize, 0_usize, 0_u32, 0_u32);
    for byte in data {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        let width = match lengths.len() {
            ..=510 => 9,
            511..=1022 => 10,
            1023..=2046 => 11,
            _ => 12,
        };
        if bits < width {
            continue;
        }
        let code = usize::try_from((held >> (bits - width)) & ((1 << width) - 1)).unwrap_or(257);
        bits -= width;
        held &= (1 << bits) - 1;
        match code {
            256 => {
                lengths.truncate(258);
                before = 0;
            }
            257 => break,
            code => {
                let length = lengths.get(code).copied().unwrap_or(before + 1);
                total = total.saturating_add(length);
                if before > 0 && lengths.len() < 4096 {
                    lengths.push(before + 1);
                }
                before = length;
            }
        }
    }
    total
}

/// Undoes hexadecimal digits.
fn hexadecimal(data: &[u8]) -> Vec<u8> {
    let digits = data.iter().take_while(|byte| **byte != b'>');
    let digits: Vec<u8> = digits
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|d| u8::try_from(d).ok())
        .collect();
    digits.chunks(2).map(|pair| pair[0] * 16 + pair.get(1).copied().unwrap_or(0)).collect()
}

/// Undoes base 85.
fn ascii85(data: &[u8]) -> Vec<u8> {
    let (mut out, mut group) = (Vec::new(), Vec::with_capacity(5));
    for byte in data.iter().copied().filter(|byte| !is_space(*byte)) {
        match byte {
            b'z' if group.is_empty() => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => group.push(byte - b'!'),
            _ => break,
        }
        if group.len() == 5 {
            out.extend_from_slice(&quartet(&group));
            group.clear();
        }
    }
    if group.len() > 1 {
        let kept = group.len() - 1;
        group.resize(5, 84);
        out.extend_from_slice(&quartet(&group)[..kept]);
    }
    out
}

/// Four octets of five digits.
fn quartet(digits: &[u8]) -> [u8; 4] {
    let number = digits
        .iter()
        .fold(0_u32, |sum, digit| sum.wrapping_mul(85).wrapping_add(u32::from(*digit)));
    number.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone() {
        assert_eq!(hexadecimal(b"4 8 65 6C6c6F7>junk"), b"Hellop");
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(ascii85(b"87cUR z~>"), b"Hell\0\0\0\0");
    }

    #[test]
    fn the_length_of_lzw_is_what_it_unpacks_to() {
        // ISO 32000-1, 7.4.4.2: `45 45 45 45 45 65 45 45 45 66`.
        assert_eq!(lzw_length(&[0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01]), 10);
    }
}
