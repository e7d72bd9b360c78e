//! Hashed denial of existence (RFC 5155): how names are hashed, and the records that deny.

use ring::digest;

use super::contents::Zone;
use super::node::NodeRef;
use super::rrset::RrsetRef;
use crate::wire::{NAME_OCTETS_MAX, Name, NameRef, Rtype};

/// The one hash algorithm there is, SHA-1 (RFC 5155 §11).
const HASH_SHA1: u8 = 1;
/// Records of other chains that are stepped over to find one of the chain in use.
const FOREIGN_MAX: usize = 1000;
/// Base32 with the extended hex alphabet, whose order is the order of the octets (RFC 4648 §7).
const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

//------------ Nsec3Params ---------------------------------------------------

/// How owner names are hashed (RFC 5155 §4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Nsec3Params {
    /// Additional rounds; 0 by RFC 9276.
    pub iterations: u16,
    /// The salt; empty by RFC 9276.
    pub salt: Box<[u8]>,
}

impl Nsec3Params {
    /// The first NSEC3PARAM at the apex that says a chain is complete: flags 0, SHA-1.
    pub(super) fn of_apex(apex: NodeRef<'_>) -> Option<Self> {
        apex.rrset(Rtype::NSEC3PARAM)?.rdatas().find_map(|rdata| match rdata {
            [HASH_SHA1, 0, high, low, octets, salt @ ..] if salt.len() == usize::from(*octets) => {
                Some(Self { iterations: u16::from_be_bytes([*high, *low]), salt: salt.into() })
            }
            _ => None,
        })
    }

    /// The hash of a name (RFC 5155 §5).
    pub fn hash(&self, name: NameRef<'_>) -> [u8; 20] {
        let mut input = [0u8; NAME_OCTETS_MAX];
        let wire = name.wire();
        input[..wire.len()].copy_from_slice(wire);
        input[..wire.len()].make_ascii_lowercase();
        let mut hash = self.round(&input[..wire.len()]);
        for _ in 0..self.iterations {
            hash = self.round(&hash);
        }
        hash
    }

    /// One round: the input and the salt.
    fn round(&self, input: &[u8]) -> [u8; 20] {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(input);
        context.update(&self.salt);
        let mut hash = [0; 20];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }

    /// Whether an NSEC3 record was made with these parameters.
    fn made(&self, rdata: &[u8]) -> bool {
        match rdata {
            [HASH_SHA1, _, high, low, octets, rest @ ..] => {
                u16::from_be_bytes([*high, *low]) == self.iterations
                    && rest.get(..usize::from(*octets)) == Some(&self.salt)
            }
            _ => false,
        }
    }
}

//------------ Nsec3Ref ------------------------------------------------------

/// The NSEC3 record that matches or covers a hash.
#[derive(Clone, Copy, Debug)]
pub struct Nsec3Ref<'a> {
    /// Its owner, with the RRset and signatures.
    pub node: NodeRef<'a>,
    /// The NSEC3 RRset.
    pub rrset: RrsetRef<'a>,
    /// Whether the owner is the hash itself; otherwise the record covers it.
    pub matches: bool,
}

impl Zone {
    /// How names are hashed, if the zone has an NSEC3 chain.
    pub fn nsec3_params(&self) -> Option<&Nsec3Params> {
        self.contents().facts.nsec3.as_ref()
    }

    /// The NSEC3 record whose owner is the hash, or else the one that covers it: the last one before
    /// it, or the last of the chain when it is before the first.
    pub fn nsec3(&self, hash: &[u8; 20]) -> Option<Nsec3Ref<'_>> {
        let params = self.nsec3_params()?;
        let mut room = [0; NAME_OCTETS_MAX];
        let owner = hashed_owner(hash, self.apex(), &mut room)?;
        let hashed = &self.contents().hashed;
        let in_chain = |node: NodeRef<'_>| {
            node.rrset(Rtype::NSEC3).is_some_and(|set| set.rdatas().any(|data| params.made(data)))
        };
        let exact = hashed.find(owner).exact().filter(|node| in_chain(*node));
        let node = match exact {
            Some(node) => node,
            None => {
                let mut node = hashed.before(owner).or_else(|| hashed.last())?;
                // Another chain may be between, while parameters change; it has about as many.
                for _ in 0..FOREIGN_MAX {
                    if in_chain(node) {
                        break;
                    }
                    node = hashed.before(node.owner()).or_else(|| hashed.last())?;
                }
                Some(node).filter(|node| in_chain(*node))?
            }
        };
        Some(Nsec3Ref { node, rrset: node.rrset(Rtype::NSEC3)?, matches: exact.is_some() })
    }
}

/// The owner name of a hash in the zone of an apex; `None` if it is longer than a name can be.
pub fn hashed_name(hash: &[u8; 20], apex: NameRef<'_>) -> Option<Name> {
    hashed_owner(hash, apex, &mut [0; NAME_OCTETS_MAX]).map(NameRef::to_name)
}

/// The hash that an owner name of NSEC3 begins with.
pub fn hash_of(owner: NameRef<'_>) -> Option<[u8; 20]> {
    let label = owner.labels().next().filter(|label| label.len() == HASHED_LABEL_OCTETS)?;
    let mut hash = [0; 20];
    for (letters, group) in label.chunks_exact(8).zip(hash.chunks_exact_mut(5)) {
        let mut bits = 0u64;
        for letter in letters {
            let value = match letter.to_ascii_lowercase() {
                digit @ b'0'..=b'9' => digit - b'0',
                sign @ b'a'..=b'v' => sign - b'a' + 10,
                _ => return None,
            };
            bits = bits << 5 | u64::from(value);
        }
        group.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(hash)
}

/// Octets of a hash as a label.
pub(super) const HASHED_LABEL_OCTETS: usize = 32;

/// The owner name of a hash.
pub(super) fn hashed_owner<'r>(
    hash: &[u8; 20],
    apex: NameRef<'_>,
    room: &'r mut [u8; NAME_OCTETS_MAX],
) -> Option<NameRef<'r>> {
    let mut label = [0u8; HASHED_LABEL_OCTETS];
    for (group, letters) in hash.chunks_exact(5).zip(label.chunks_exact_mut(8)) {
        let bits = group.iter().fold(0u64, |bits, octet| bits << 8 | u64::from(*octet));
        for (at, letter) in letters.iter_mut().enumerate() {
            *letter = BASE32HEX[(bits >> (35 - 5 * at) & 31) as usize];
        }
    }
    apex.child(&label, room)
}
