//! The metrics of the name server: what its workers have counted.

use super::catalogue as of;
use super::family::{Family, Spread};
use crate::answer::Transport;
use crate::serve::counters::{
    AclRule, CloseReason, CookieKind, EdnsKind, Lane, LimitAction, RCODES, SIZE_BOUNDS, Silence,
    TIME_BOUNDS, TYPES, Totals, TsigKind,
};
use crate::wire::{Opcode, Rcode, Rtype};

/// Types and response codes that have a sample from the start: up to NS (2), and up to REFUSED (5).
const USUAL: usize = 6;
/// Nanoseconds of a second.
const NANOSECONDS: f64 = 1e9;

/// The families, of sums by transport and address family.
pub fn name_server(lanes: &[(Lane, Totals)]) -> Vec<Family> {
    let mut sum = Totals::default();
    lanes.iter().for_each(|(_, totals)| sum.merge(totals));
    let one = |described, value: u64| {
        let mut family = Family::of(described);
        family.count(&[], value);
        family
    };
    let labelled = |described, labels: &[&str], values: &[u64]| {
        let mut family = Family::of(described);
        labels.iter().zip(values).for_each(|(label, value)| family.count(&[label], *value));
        family
    };
    let mut sizes = Family::of(&of::RESPONSE_BYTES);
    let (counts, octets) = (sum.sizes.to_vec(), sum.octets_out as f64);
    sizes.spread(&[], Spread { bounds: &SIZE_BOUNDS, counts, sum: octets });
    let mut times = Family::of(&of::RESPONSE_SECONDS);
    let (counts, seconds) = (sum.times.to_vec(), sum.time_sum as f64 / NANOSECONDS);
    times.spread(&[], Spread { bounds: &TIME_BOUNDS, counts, sum: seconds });
    vec![
        queries(lanes),
        by(Family::of(&of::QUERY_TYPES), &sum.types, type_label),
        by(Family::of(&of::RESPONSES), &sum.rcodes, rcode_label),
        sizes,
        times,
        one(&of::TRUNCATED, sum.truncated),
        labelled(&of::DROPPED, Silence::LABELS, &sum.dropped),
        labelled(&of::RRL, LimitAction::LABELS, &sum.limited),
        labelled(&of::EDNS, EdnsKind::LABELS, &sum.edns),
        labelled(&of::COOKIES, CookieKind::LABELS, &sum.cookies),
        labelled(&of::ACL_DENIED, AclRule::LABELS, &sum.denied),
        labelled(&of::TSIG_FAILURES, TsigKind::LABELS, &sum.tsig_failures),
        labelled(&of::CONNECTIONS_CLOSED, CloseReason::LABELS, &sum.closed),
        one(&of::CONNECTIONS_ACCEPTED, sum.connections),
        one(&of::QUERY_BYTES, sum.octets_in),
        one(&of::SENT_BYTES, sum.octets_out),
        one(&of::SEND_FAILED, sum.send_failed),
        one(&of::WORKER_PANICS, sum.panics),
        connections(lanes),
    ]
}

/// A sample per index: always for the first few, which are common, and for the others only if they were counted.
fn by(mut family: Family, counts: &[u64], label: impl Fn(usize) -> String) -> Family {
    for (index, count) in counts.iter().enumerate() {
        if index < USUAL || *count > 0 {
            family.count(&[&label(index)], *count);
        }
    }
    family
}

/// Queries by lane and opcode.
fn queries(lanes: &[(Lane, Totals)]) -> Family {
    let mut family = Family::of(&of::QUERIES);
    for (lane, totals) in lanes {
        let counted = |(opcode, value): &(u8, u64)| *value > 0 || *opcode == Opcode::QUERY.0;
        for (opcode, value) in (0u8..).zip(totals.opcodes).filter(counted) {
            let ip = if lane.ipv6 { "ipv6" } else { "ipv4" };
            let opcode = Opcode(opcode).to_string();
            family.count(&[transport_label(lane.transport), ip, &opcode], value);
        }
    }
    family
}

/// Connections open now.
fn connections(lanes: &[(Lane, Totals)]) -> Family {
    let mut family = Family::of(&of::CONNECTIONS);
    for wanted in [Transport::Tcp, Transport::Tls] {
        let of_it = lanes.iter().filter(|(lane, _)| lane.transport == wanted);
        let open = of_it.map(|(_, totals)| {
            totals.connections.saturating_sub(totals.closed.iter().sum::<u64>())
        });
        family.count(&[transport_label(wanted)], open.sum());
    }
    family
}

/// The label of a transport.
fn transport_label(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Quic => "quic",
    }
}

/// The label of a counted type.
fn type_label(index: usize) -> String {
    match u16::try_from(index) {
        Ok(number) if index < TYPES => Rtype(number).to_string(),
        _ => "other".to_owned(),
    }
}

/// The label of a counted response code.
fn rcode_label(index: usize) -> String {
    match u16::try_from(index) {
        Ok(number) if index < RCODES => Rcode(number).to_string(),
        _ => "other".to_owned(),
    }
}
