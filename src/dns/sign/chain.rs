//! The records of the chains: NSEC (RFC 4034 §4) and NSEC3 (RFC 5155 §3).

use crate::wire::{NameRef, rdata};
use crate::zone::Nsec3Params;

/// SHA-1, no flags, no extra iterations, no salt (RFC 9276 §3.1).
pub(super) const NSEC3PARAM: [u8; 5] = [1, 0, 0, 0, 0];
/// Octets of an NSEC3 before the next hash: the parameters and the length of a hash.
const NSEC3_HEAD: [u8; 6] = [1, 0, 0, 0, 0, HASH_OCTETS as u8];
/// Octets of a hash.
const HASH_OCTETS: usize = 20;

/// A hashed name.
pub(super) type Hash = [u8; HASH_OCTETS];

/// How names are hashed.
pub(super) fn params() -> Nsec3Params {
    Nsec3Params { iterations: 0, salt: Box::default() }
}

/// The RDATA of an NSEC. The name is in lower case: RFC 4034 §6.2 had it signed so, RFC 6840 §5.1 not, and this
/// way it is the same for both.
pub(super) fn nsec(next: NameRef<'_>, types: &[u16]) -> Vec<u8> {
    let mut rdata = next.wire().to_ascii_lowercase();
    rdata::write_types(types, &mut rdata);
    rdata
}

/// The RDATA of an NSEC3.
pub(super) fn nsec3(next: &Hash, types: &[u16]) -> Vec<u8> {
    let mut rdata = [&NSEC3_HEAD[..], next].concat();
    rdata::write_types(types, &mut rdata);
    rdata
}

/// The same NSEC3 with another next hash; `None` if it is none that is made here.
pub(super) fn with_next(rdata: &[u8], next: &Hash) -> Option<Vec<u8>> {
    let bitmap = rdata.strip_prefix(&NSEC3_HEAD)?.get(HASH_OCTETS..)?;
    Some([&NSEC3_HEAD[..], next, bitmap].concat())
}

/// Whether an NSEC3 has the parameters of those made here.
pub(super) fn is_ours(rdata: &[u8]) -> bool {
    rdata.starts_with(&NSEC3_HEAD)
}

/// The number before a hash, round the ring.
pub(super) fn less_one(hash: &Hash) -> Hash {
    let mut less = *hash;
    for octet in less.iter_mut().rev() {
        let borrows = *octet == 0;
        *octet = octet.wrapping_sub(1);
        if !borrows {
            break;
        }
    }
    less
}
