//! A fork of the trie: up to 256 ways, by the octet that follows what all keys below share.

use super::{Link, Page};

/// A fork.
#[derive(Clone)]
pub(super) struct Branch {
    /// Which octets have a twig: a link to what is below.
    bits: [u64; 4],
    /// How many twigs the words of `bits` before each word have.
    base: [u8; 4],
    /// What all keys below have between the twig that led here and the octet in which they differ.
    pub(super) prefix: Box<[u8]>,
    /// The node whose key ends with the prefix: an ancestor of all names below.
    pub(super) own: Option<Page>,
    /// What is below, in order of octet.
    pub(super) twigs: Vec<Link>,
}

impl Branch {
    /// A fork without twigs.
    pub(super) fn new(prefix: &[u8]) -> Self {
        Self { bits: [0; 4], base: [0; 4], prefix: prefix.into(), own: None, twigs: Vec::new() }
    }

    /// What comes after the prefix, if `rest` starts with it.
    #[inline]
    pub(super) fn strip<'k>(&self, rest: &'k [u8]) -> Option<&'k [u8]> {
        // Most forks of a large zone have no prefix.
        if self.prefix.is_empty() { Some(rest) } else { rest.strip_prefix(&*self.prefix) }
    }

    /// The twig of an octet.
    #[inline]
    pub(super) fn twig(&self, octet: u8) -> Option<&Link> {
        let (word, bit) = place(octet);
        let bits = self.bits[word];
        if bits & bit == 0 {
            return None;
        }
        let before = usize::from(self.base[word]);
        self.twigs.get(before + (bits & (bit - 1)).count_ones() as usize)
    }

    /// The twig of an octet, to change.
    pub(super) fn twig_mut(&mut self, octet: u8) -> Option<&mut Link> {
        let (word, bit) = place(octet);
        if self.bits[word] & bit == 0 {
            return None;
        }
        let rank = self.rank(octet);
        self.twigs.get_mut(rank)
    }

    /// How many twigs there are before an octet's.
    #[inline]
    pub(super) fn rank(&self, octet: u8) -> usize {
        let (word, bit) = place(octet);
        usize::from(self.base[word]) + (self.bits[word] & (bit - 1)).count_ones() as usize
    }

    /// Adds a twig for an octet that has none.
    pub(super) fn add(&mut self, octet: u8, link: Link) {
        let rank = self.rank(octet);
        self.twigs.insert(rank, link);
        self.flip(octet);
    }

    /// Takes away the twig of an octet that has one.
    pub(super) fn take(&mut self, octet: u8) {
        let rank = self.rank(octet);
        self.twigs.remove(rank);
        self.flip(octet);
    }

    /// The octet of the first twig.
    pub(super) fn first_octet(&self) -> Option<u8> {
        let word = self.bits.iter().position(|word| *word != 0)?;
        Some(word as u8 * 64 + self.bits[word].trailing_zeros() as u8)
    }

    /// Sets or clears the bit of an octet.
    fn flip(&mut self, octet: u8) {
        let (word, bit) = place(octet);
        self.bits[word] ^= bit;
        // The words before the last have at most 192 bits; the sum after the last is not kept.
        let mut sum = 0;
        for (base, word) in self.base.iter_mut().zip(self.bits) {
            *base = sum;
            sum = sum.wrapping_add(word.count_ones() as u8);
        }
    }
}

/// The word and the bit of an octet.
#[inline]
fn place(octet: u8) -> (usize, u64) {
    (usize::from(octet >> 6), 1 << (octet & 63))
}
