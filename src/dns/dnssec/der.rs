//! As much of DER (X.690) as private keys need: whole values in, whole values out.

use zeroize::Zeroizing;

/// The tag of an INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// The tag of a BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// The tag of an OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// The tag of an OBJECT IDENTIFIER.
pub(super) const OBJECT: u8 = 0x06;
/// The tag of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// The tag of the optional field \[0\], with a value inside.
pub(super) const FIELD_0: u8 = 0xa0;
/// The tag of the optional field \[1\], with a value inside.
pub(super) const FIELD_1: u8 = 0xa1;

/// Octets of secrets.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// A value made of parts. It is as large as it needs to be at once, so no copies are left behind.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Secret {
    let octets: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(octets + 6));
    out.push(tag);
    let length = octets.to_be_bytes();
    let length = &length[octets.leading_zeros() as usize / 8..];
    match octets {
        0..=0x7f => out.push(octets as u8),
        // The length has at most 8 octets.
        _ => {
            out.push(0x80 | length.len() as u8);
            out.extend_from_slice(length);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A number that is not negative.
pub(super) fn number(octets: &[u8]) -> Secret {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = &octets[zeros..];
    let is_plain = digits.first().is_some_and(|first| *first < 0x80);
    value(INTEGER, &[if is_plain { &[] } else { &[0] }, digits])
}

/// Takes a value off the front, if it has the tag.
pub(super) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (head, rest) = match *input {
        [found, length @ 0..=0x7f, rest @ ..] if *found == tag => (usize::from(*length), rest),
        [found, 0x81, length, rest @ ..] if *found == tag => (usize::from(*length), rest),
        [found, 0x82, high, low, rest @ ..] if *found == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    let (taken, rest) = rest.split_at_checked(head)?;
    *input = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_whatever_its_length() {
        for octets in [0, 1, 127, 128, 255, 256, 2400, 65_535] {
            let content = vec![7; octets];
            let made = value(OCTET_STRING, &[&content[..octets / 2], &content[octets / 2..]]);
            let mut input = &made[..];
            assert!(take(&mut input, INTEGER).is_none());
            assert_eq!(take(&mut input, OCTET_STRING), Some(&content[..]), "{octets}");
            assert!(input.is_empty());
            let mut cut = &made[..made.len() - 1];
            assert!(octets == 0 || take(&mut cut, OCTET_STRING).is_none());
        }
    }

    #[test]
    fn a_number_is_never_negative_and_has_no_zeros_in_front() {
        assert_eq!(*number(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(*number(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(*number(&[0, 0]), [2, 1, 0]);
    }
}
