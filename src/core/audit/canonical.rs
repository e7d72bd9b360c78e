//! The canonical bytes that hashes, tags and signatures cover: each field with its length in front, so that
//! no two lists of fields have the same bytes.

/// Appends one field with its length in front.
pub(super) fn field(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.extend_from_slice(&length(value.len()).to_be_bytes());
    bytes.extend_from_slice(value);
}

/// A length as written; no field comes near the limit.
pub(super) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
