//! The machine alone: what it keeps, what it refuses. That no resolver is ever left behind is shown by the
//! simulator.

mod keeping;
mod lives;
mod resolvers;
mod table;
mod world;

use super::{Arrangement, KeySet, Policy, Role};
use crate::dnssec::{Algorithm, Dnskey};

/// A public key that no other has; it is made of `number`.
fn dnskey(role: Role, algorithm: Algorithm, number: u32) -> Dnskey {
    let mut public = vec![7; 64];
    public[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    Dnskey { flags: role.flags(), algorithm, public: public.into() }
}

/// The keys that a policy asks for.
fn first_keys(policy: &Policy) -> Vec<Dnskey> {
    let needs = KeySet::needed(policy).into_iter().zip(1..);
    needs.map(|(need, number)| dnskey(need.role, need.algorithm, number)).collect()
}

/// A policy with this arrangement.
fn policy(arrangement: Arrangement) -> Policy {
    Policy { arrangement, ..Policy::default() }
}
