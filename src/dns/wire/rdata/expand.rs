//! RDATA as it came in a message, with the names inside decompressed.

use super::RdataError;
use super::fields::Field;
use crate::wire::{Rtype, compressed};

/// The RDATA between `at` and `end` of a message, uncompressed and valid for its type; opaque types
/// are copied.
///
/// Names are decompressed in the types whose canonical form lowers them (RFC 3597 §4 and RFC 4034
/// §6.2 list nearly the same); in all others a pointer is a fault (RFC 3597 §4).
pub(in crate::wire) fn expand(
    rtype: Rtype,
    message: &[u8],
    at: usize,
    end: usize,
) -> Result<Vec<u8>, RdataError> {
    let raw = message.get(at..end).ok_or(RdataError::Cut)?;
    let Some(fields) = rtype.fields() else { return Ok(raw.to_vec()) };
    let (mut here, mut out) = (at, Vec::with_capacity(raw.len()));
    for field in fields {
        if *field == Field::Name {
            here = compressed::read(message, here, end, &mut out)?;
        } else {
            let rest = message.get(here..end).ok_or(RdataError::Cut)?;
            let used = field.take(rest)?;
            out.extend_from_slice(rest.get(..used).ok_or(RdataError::Cut)?);
            here += used;
        }
    }
    if here == end { Ok(out) } else { Err(RdataError::Trailing) }
}
