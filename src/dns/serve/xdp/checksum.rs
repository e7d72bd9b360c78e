//! The checksum of the internet's protocols (RFC 1071).

/// A sum of 16-bit words that is being made, in the machine's order of octets: it comes out in the right one (RFC
/// 1071 §2 B).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum(u64);

impl Sum {
    /// The sum with these octets, of which all but the last piece must have an even number.
    #[must_use]
    pub(super) fn with(self, octets: &[u8]) -> Self {
        let (words, rest) = octets.as_chunks::<4>();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        let sum: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
        Self(self.0 + sum + u64::from(u32::from_ne_bytes(last)))
    }

    /// The sum in 16 bits, as it stands in a message.
    pub(super) fn folded(self) -> [u8; 2] {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        (sum as u16).to_ne_bytes()
    }

    /// The checksum of what was summed.
    pub(super) fn checksum(self) -> [u8; 2] {
        self.folded().map(|octet| !octet)
    }

    /// Whether what was summed has a right checksum in it.
    pub(super) fn is_whole(self) -> bool {
        self.folded() == [0xff, 0xff]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_rfc() {
        // RFC 1071 §3.
        let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::default().with(&octets).folded(), [0xdd, 0xf2]);
        assert_eq!(Sum::default().with(&octets[..4]).with(&octets[4..]).folded(), [0xdd, 0xf2]);
        // An odd octet is the first of a word.
        assert_eq!(Sum::default().with(&[1, 2, 3]).folded(), [4, 2]);
        let checksum = Sum::default().with(&octets).checksum();
        assert!(Sum::default().with(&octets).with(&checksum).is_whole());
        assert!(!Sum::default().with(&octets).is_whole());
        // Carries at every step.
        assert_eq!(Sum::default().with(&[0xff; 4096]).folded(), [0xff, 0xff]);
    }
}
