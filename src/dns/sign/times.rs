//! From when until when signatures are valid: spread, so that they do not all end at once.
//!
//! Times are in seconds modulo 2³² (RFC 4034 §3.1.5), so only their order counts.

use super::plan::Plan;
use crate::dnssec::{Rrsig, Span};
use crate::wire::{NameRef, Rtype};

/// How long before now a signature is valid already: clocks of validators may be behind.
pub const BACKDATED_S: u32 = 3600;

/// How far the ends of signatures that are made at one time are apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spread {
    /// Everything is signed: over nearly all of the time between refresh and lifetime, so that renewals come
    /// evenly from then on.
    All,
    /// Some RRsets are: a little, so that what was spread stays so and none is made much too often.
    Some,
}

/// The times of the signatures over an RRset that are made now.
pub(super) fn span(
    plan: &Plan,
    spread: Spread,
    owner: NameRef<'_>,
    rtype: Rtype,
    now: u32,
) -> Span {
    let free = plan.lifetime_s.saturating_sub(plan.refresh_s);
    let width = match spread {
        Spread::All => free - free / 16,
        Spread::Some => free / 8,
    };
    let earlier = (u64::from(draw(owner, rtype, now)) * u64::from(width)) >> 32;
    // Less than the width, which is 32 bits.
    let until = now.wrapping_add(plan.lifetime_s).wrapping_sub(earlier as u32);
    Span { from: now.wrapping_sub(BACKDATED_S), until }
}

/// Whether a signature is to be made anew: it ends soon, or begins later than now.
pub(super) fn is_due(plan: &Plan, signature: &Rrsig<'_>, now: u32) -> bool {
    !signature.span.contains(now) || seconds_left(signature, now) < plan.refresh_s
}

/// Seconds that a signature has left; 0 if it has ended.
pub(super) fn seconds_left(signature: &Rrsig<'_>, now: u32) -> u32 {
    signature.span.seconds_left(now).max(0).cast_unsigned()
}

/// A number without pattern that an RRset has at a time: 32 bits, evenly spread (FNV-1a, mixed).
fn draw(owner: NameRef<'_>, rtype: Rtype, now: u32) -> u32 {
    let name = owner.wire().iter().map(u8::to_ascii_lowercase);
    let octets = name.chain(rtype.0.to_be_bytes()).chain(now.to_be_bytes());
    let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}
