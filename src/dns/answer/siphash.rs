//! SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of DNS cookies (RFC 9018 §4.4).
//!
//! Own code, forty lines: the standard library's hasher is deprecated and promises no algorithm, and
//! a cookie must be the same on every server that shares the secret.

/// Hashes `message` under a 128-bit `key`; the result is the eight octets in the order RFC 9018
/// puts them on the wire.
pub(crate) fn siphash24(key: &[u8; 16], message: &[u8]) -> [u8; 8] {
    let [k0, k1] = [word(&key[..8]), word(&key[8..])];
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut chunks = message.chunks_exact(8);
    for chunk in &mut chunks {
        absorb(&mut v, word(chunk));
    }
    // The last word: what is left over, and the length in the top octet.
    let mut last = (message.len() as u64) << 56;
    for (at, &byte) in chunks.remainder().iter().enumerate() {
        last |= u64::from(byte) << (8 * at);
    }
    absorb(&mut v, last);
    v[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut v);
    }
    (v[0] ^ v[1] ^ v[2] ^ v[3]).to_le_bytes()
}

/// Up to eight octets as a little-endian number.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Mixes one word in: two rounds.
#[inline]
fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
}

/// One SipRound.
#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::siphash24;

    #[test]
    fn the_designers_vectors() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        let message: Vec<u8> = (0..15).collect();
        assert_eq!(siphash24(&key, &message), 0xa129_ca61_49be_45e5_u64.to_le_bytes());
        assert_eq!(siphash24(&key, &[]), 0x726f_db47_dd0e_0e31_u64.to_le_bytes());
    }
}
