//! SHA-256 and hexadecimal digits, for every room that names something by its hash.
//!
//! An auditor can repeat each hash with `sha256sum`.

use ring::digest::{Context, SHA256};

/// The digits, by value.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// SHA-256 of octets.
pub fn sha256(octets: impl AsRef<[u8]>) -> [u8; 32] {
    sha256_of(&[octets.as_ref()])
}

/// SHA-256 of parts, one after the other.
pub fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// SHA-256 of octets, in hexadecimal.
pub fn sha256_hex(octets: impl AsRef<[u8]>) -> String {
    hex(&sha256(octets))
}

/// Octets as lower-case hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The octets of lower-case hexadecimal digits; none if the text is anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| DIGITS.iter().position(|it| *it == digit);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(value(*high)? << 4 | value(*low)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_sha256sum_prints() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex("abc"), abc);
        assert_eq!(hex(&sha256_of(&[b"a", b"", b"bc"])), abc);
    }

    #[test]
    fn digits_read_back_and_nothing_else_does() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!((hex(&[]), unhex("")), (String::new(), Some(Vec::new())));
        for odd in ["0", "0G", "AB", " 00", "é", "0x"] {
            assert_eq!(unhex(odd), None, "{odd}");
        }
    }
}
