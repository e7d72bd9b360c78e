//! Canonical keys: names as bytes whose order is the canonical order (RFC 4034 §6.1).
//!
//! Labels below the apex from the right, lower-cased, each followed by an octet 0. An octet 0 or 1
//! inside a label is escaped as `01 01` or `01 02`, so the end of a label sorts before all that a
//! label can hold, and the key of a name starts with the keys of its ancestors.

use crate::wire::NameRef;

/// Octets of the longest key: every octet of a label may be escaped.
pub(super) const KEY_OCTETS_MAX: usize = 512;

/// Octets of a key that most names have room in; clearing 512 octets a query would be felt.
const KEY_OCTETS_USUAL: usize = 128;

//------------ Key -----------------------------------------------------------

/// The canonical key of a name.
pub(super) struct Key<const N: usize = KEY_OCTETS_MAX> {
    /// Filled from the end.
    bytes: [u8; N],
    /// Where the key starts.
    start: usize,
}

/// Makes the key of a name at or below an apex of `apex_octets` octets, and uses it.
#[inline]
pub(super) fn with<R>(name: NameRef<'_>, apex_octets: usize, then: impl FnOnce(&[u8]) -> R) -> R {
    if name.wire().len() <= apex_octets + KEY_OCTETS_USUAL / 2 {
        then(Key::<KEY_OCTETS_USUAL>::of(name, apex_octets).bytes())
    } else {
        then(Key::<KEY_OCTETS_MAX>::of(name, apex_octets).bytes())
    }
}

impl Key {
    /// The key of a name at or below an apex of `apex_octets` octets, with room for any.
    pub(super) fn new(name: NameRef<'_>, apex_octets: usize) -> Self {
        Self::of(name, apex_octets)
    }
}

impl<const N: usize> Key<N> {
    /// The key of a name whose octets before the apex are at most half of the room.
    fn of(name: NameRef<'_>, apex_octets: usize) -> Self {
        let wire = name.wire();
        let mut key = Self { bytes: [0; N], start: N };
        let mut rest = &wire[..wire.len().saturating_sub(apex_octets)];
        while let Some((&octets, after)) = rest.split_first() {
            // A name outside the zone may be cut in a label here; it has a key that means nothing.
            let Some((label, after)) = after.split_at_checked(usize::from(octets)) else { break };
            key.push_front(label);
            rest = after;
        }
        key
    }

    /// The octets of the key.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Puts a label in front of the labels below it.
    fn push_front(&mut self, label: &[u8]) {
        // The array starts as zeros, and so the end of the label is written.
        let end = self.start - 1;
        let start = end - label.len();
        let mut least = u8::MAX;
        for (to, from) in self.bytes[start..end].iter_mut().zip(label) {
            *to = LOWER[usize::from(*from)];
            least = least.min(*from);
        }
        self.start = start;
        if least <= 1 {
            self.escape(label, end);
        }
    }

    /// Writes a label that ends at `end` again, with escapes.
    #[cold]
    fn escape(&mut self, label: &[u8], end: usize) {
        let mut at = end;
        for octet in label.iter().rev() {
            at -= 1;
            self.bytes[at] = LOWER[usize::from(*octet)];
            if *octet <= 1 {
                self.bytes[at] = octet + 1;
                at -= 1;
                self.bytes[at] = 1;
            }
        }
        self.start = at;
    }
}

/// Octets in lower case.
const LOWER: [u8; 256] = {
    let mut lower = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        lower[octet] = (octet as u8).to_ascii_lowercase();
        octet += 1;
    }
    lower
};

/// Sixteen octets of a key from `at`, as numbers that compare like them; what is missing is filled
/// with 0. No key has an octet 0 that is not the end of a label, so two keys that have the same window
/// and were the same before it are the same name if one ends in the window.
pub(super) fn window(key: &[u8], at: usize) -> [u64; 2] {
    let bytes = key.get(at..).unwrap_or_default();
    let mut window = [0; 16];
    let octets = bytes.len().min(16);
    window[..octets].copy_from_slice(&bytes[..octets]);
    let number = u128::from_be_bytes(window);
    [(number >> 64) as u64, number as u64]
}

/// A hash of a name that does not depend on the case of letters, eight octets at a time.
pub(super) fn hash(name: NameRef<'_>) -> u64 {
    /// An odd number without pattern: the golden ratio's digits.
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    /// The bit by which letters of either case differ; other octets that meet in it only cost time.
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let wire = name.wire();
    let mut hash = wire.len() as u64;
    let mut mix = |chunk: [u8; 8]| {
        hash = (hash ^ (u64::from_le_bytes(chunk) | FOLD)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    };
    let (chunks, rest) = wire.as_chunks::<8>();
    chunks.iter().for_each(|chunk| mix(*chunk));
    match wire.last_chunk::<8>() {
        // The end of a long name is read as eight octets, some of them a second time.
        Some(last) => mix(*last),
        None => {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            mix(last);
        }
    }
    hash.wrapping_mul(MIX)
}
