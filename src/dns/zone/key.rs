//! Canonical keys: names as bytes whose order is the canonical order (RFC 4034 §6.1).
//!
//! Labels below the apex from the right, lower-cased, each followed by an octet 0. An octet 0 or 1
//! inside a label is escaped as `01 01` or `01 02`, so the end of a label sorts before all that a
//! label can hold, and the key of a name starts with the keys of its ancestors.

use crate::wire::NameRef;

/// Octets of the longest key: every octet of a label may be escaped. And room for a word in front.
pub(super) const KEY_OCTETS_MAX: usize = 512 + WORD;

/// Octets of a key that most names have room in; clearing 512 octets per query would cost time.
const KEY_OCTETS_USUAL: usize = 128 + WORD;

/// Octets that are written at once.
const WORD: usize = 8;

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
    if is_short(name, apex_octets) {
        then(ShortKey::of(name, apex_octets).bytes())
    } else {
        then(Key::<KEY_OCTETS_MAX>::of(name, apex_octets).bytes())
    }
}

/// Whether the key of a name has room in a short one, however many octets are escaped.
fn is_short(name: NameRef<'_>, apex_octets: usize) -> bool {
    name.wire().len() <= apex_octets + (KEY_OCTETS_USUAL - WORD) / 2
}

/// A key with room for most names.
pub(super) type ShortKey = Key<KEY_OCTETS_USUAL>;

impl ShortKey {
    /// The key of a name at or below an apex of `apex_octets` octets; none for a long name.
    #[inline]
    pub(super) fn short(name: NameRef<'_>, apex_octets: usize) -> Option<Self> {
        is_short(name, apex_octets).then(|| Self::of(name, apex_octets))
    }
}

impl Key {
    /// The key of a name at or below an apex of `apex_octets` octets, with room for any.
    pub(super) fn new(name: NameRef<'_>, apex_octets: usize) -> Self {
        Self::of(name, apex_octets)
    }
}

impl<const N: usize> Key<N> {
    /// The key of a name whose octets before the apex are at most half of the room but for a word.
    fn of(name: NameRef<'_>, apex_octets: usize) -> Self {
        let wire = name.wire();
        let mut key = Self { bytes: [0; N], start: N };
        let below_apex = wire.len().saturating_sub(apex_octets);
        let mut at = 0;
        while at < below_apex {
            let octets = usize::from(wire[at]);
            // A name outside the zone may be cut in a label here; it has a key that means nothing.
            if at + 1 + octets > below_apex {
                break;
            }
            key.push_front(&wire[at + 1..], octets);
            at += 1 + octets;
        }
        key
    }

    /// The octets of the key.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Puts the label that `name` begins with in front of the labels below it. Eight octets at a time,
    /// from the label's end; what the last of them have too much in front is not part of the key yet.
    #[inline]
    fn push_front(&mut self, name: &[u8], octets: usize) {
        // The array starts as zeros, and so the end of the label is written.
        let end = self.start - 1;
        self.start = end - octets;
        let mut escapes = 0;
        let (head, chunks) = name[..octets].as_rchunks::<WORD>();
        let mut to = end;
        for chunk in chunks.iter().rev() {
            let word = u64::from_le_bytes(*chunk);
            escapes |= needs_escape(word);
            to -= WORD;
            self.bytes[to..to + WORD].copy_from_slice(&lower(word).to_le_bytes());
        }
        if !head.is_empty() {
            let word = match name.first_chunk::<WORD>() {
                Some(chunk) => u64::from_le_bytes(*chunk),
                None => head.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet)),
            };
            // The head is in the low octets; it goes to the high ones, in front of `to`.
            let excess = 64 - 8 * head.len();
            let word = word << excess;
            escapes |= needs_escape(word | u64::MAX >> (8 * head.len()));
            self.bytes[to - WORD..to].copy_from_slice(&lower(word).to_le_bytes());
        }
        if escapes != 0 {
            self.escape(&name[..octets], end);
        }
    }

    /// Writes a label that ends at `end` again, with escapes.
    #[cold]
    fn escape(&mut self, label: &[u8], end: usize) {
        let mut at = end;
        for octet in label.iter().rev() {
            at -= 1;
            self.bytes[at] = octet.to_ascii_lowercase();
            if *octet <= 1 {
                self.bytes[at] = octet + 1;
                at -= 1;
                self.bytes[at] = 1;
            }
        }
        self.start = at;
    }
}

/// The same value in each of eight octets.
const fn each(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// Eight octets in lower case (ASCII). An octet of 128 and above is no letter and stays.
#[inline]
fn lower(word: u64) -> u64 {
    let low = word & each(0x7f);
    // The high bit of an octet says that it is at least `A`, and that it is more than `Z`.
    let from_a = low + each(0x80 - b'A');
    let above_z = low + each(0x7f - b'Z');
    let letters = from_a & !above_z & !word & each(0x80);
    word | letters >> 2
}

/// Not 0 if one of eight octets is 0 or 1.
#[inline]
fn needs_escape(word: u64) -> u64 {
    word.wrapping_sub(each(2)) & !word & each(0x80)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Name;

    /// A key, octet by octet.
    fn plain_key(name: NameRef<'_>) -> Vec<u8> {
        let mut key = Vec::new();
        for label in name.labels().collect::<Vec<_>>().into_iter().rev() {
            for octet in label {
                match octet {
                    0 | 1 => key.extend([1, octet + 1]),
                    other => key.push(other.to_ascii_lowercase()),
                }
            }
            key.push(0);
        }
        key
    }

    #[test]
    fn any_octet_at_any_place_of_a_label_comes_out_right() {
        let parent: Name = "Www.Zone-1.example.".parse().unwrap();
        for octets in 1..=19 {
            for (place, octet) in (0..octets).flat_map(|at| (0..=255).map(move |octet| (at, octet)))
            {
                let mut label = vec![b'Q'; octets];
                label[place] = octet;
                let name = Name::prepend(&label, parent.as_ref()).unwrap();
                let expected = plain_key(name.as_ref());
                with(name.as_ref(), 1, |key| assert_eq!(key, expected, "{name}"));
            }
        }
    }

    #[test]
    fn a_name_of_escapes_only_has_a_key() {
        let label = [0; 63];
        let mut name = Name::root();
        for octets in [61, 63, 63, 63] {
            name = Name::prepend(&label[..octets], name.as_ref()).unwrap();
        }
        let expected = plain_key(name.as_ref());
        with(name.as_ref(), 1, |key| assert_eq!(key, expected));
    }

    #[test]
    fn labels_of_any_length_find_room_beside_each_other() {
        for octet in [0, b'Q', 255] {
            for (left, middle) in (1..=63).flat_map(|left| (1..=63).map(move |mid| (left, mid))) {
                let mut name: Name = "b.".parse().unwrap();
                for octets in [middle, left] {
                    let label = vec![octet; octets];
                    name = Name::prepend(&label, name.as_ref()).unwrap();
                }
                let expected = plain_key(name.as_ref());
                with(name.as_ref(), 1, |key| assert_eq!(key, expected, "{left} {middle}"));
            }
        }
    }
}
