//! Compressed names of a message that was received (RFC 1035 §4.1.4).
//!
//! A pointer must lead to before the place it was reached from, so reading ends; a bound on the
//! pointers of one name keeps it linear. Pointers into the header lead nowhere.

use super::{HEADER_OCTETS, NAME_OCTETS_MAX, Name, NameError};

/// Pointers in one name at most: as many as a name can have labels.
const POINTERS_MAX: usize = 127;

/// The name at `at` in a message, decompressed, and the offset behind it.
pub fn read_name(message: &[u8], at: usize) -> Result<(Name, usize), NameError> {
    let mut wire = Vec::new();
    let behind = read(message, at, message.len(), &mut wire)?;
    Name::from_wire(&wire).map(|(name, _)| (name, behind))
}

/// Appends the name at `at` to `out`, decompressed, and returns the offset behind it. What stands at
/// `at` itself must end at or before `end`.
pub(super) fn read(
    message: &[u8],
    at: usize,
    end: usize,
    out: &mut Vec<u8>,
) -> Result<usize, NameError> {
    let start = out.len();
    // `behind` is known once the first pointer is met; from then on only earlier octets are read.
    let (mut here, mut limit, mut behind, mut pointers) = (at, end.min(message.len()), None, 0);
    let mut earliest = at;
    loop {
        let within = message.get(..limit).ok_or(NameError::Cut)?;
        let length = *within.get(here).ok_or(NameError::Cut)?;
        match length >> 6 {
            0 => {
                let next = here + 1 + usize::from(length);
                let label = within.get(here..next).ok_or(NameError::Cut)?;
                if out.len() - start + label.len() > NAME_OCTETS_MAX {
                    return Err(NameError::NameTooLong);
                }
                out.extend_from_slice(label);
                if length == 0 {
                    return Ok(behind.unwrap_or(next));
                }
                here = next;
            }
            3 => {
                let low = *within.get(here + 1).ok_or(NameError::Cut)?;
                let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                pointers += 1;
                if !(HEADER_OCTETS..earliest).contains(&target) || pointers > POINTERS_MAX {
                    return Err(NameError::BadPointer);
                }
                behind.get_or_insert(here + 2);
                // A label may run up to where the name that points here began, never into it.
                (limit, earliest, here) = (message.len(), target, target);
            }
            _ => return Err(NameError::LabelTooLong),
        }
    }
}
