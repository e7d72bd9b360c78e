//! The metrics of the name server.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use crate::answer::Transport;
use crate::serve::counters::{
    CloseReason, CookieKind, EdnsKind, Lane, LimitAction, RCODES, Silence, TYPES, Totals, TsigKind,
};
use crate::wire::{Opcode, Rcode, Rtype};

/// Types and response codes that have a sample from the start: up to NS (2), and up to REFUSED (5).
const USUAL: usize = 6;

/// Returns the sums when metrics are read.
type Source = Box<dyn Fn() -> Vec<(Lane, Totals)> + Send + Sync>;

/// A value and its labels.
type Sample<'a> = (Vec<(&'a str, String)>, u64);

//------------ NameServer ----------------------------------------------------

/// Collects what the workers have counted.
pub struct NameServer {
    /// Where the sums come from.
    source: Source,
}

impl NameServer {
    /// A collector over `source`.
    pub fn new(source: impl Fn() -> Vec<(Lane, Totals)> + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source) }
    }
}

impl fmt::Debug for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameServer")
    }
}

impl Collector for NameServer {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let lanes = (self.source)();
        let sum =
            |of: &dyn Fn(&Totals) -> u64| lanes.iter().map(|(_, totals)| of(totals)).sum::<u64>();
        let mut counter = |name: &str, help: &str, samples: Vec<Sample<'_>>| -> fmt::Result {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (labels, value) in samples {
                ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
            }
            Ok(())
        };
        counter(
            "gapura_queries",
            "Queries by transport, address family and opcode",
            queries(&lanes),
        )?;
        counter(
            "gapura_query_types",
            "Queries by type",
            by(TYPES + 1, "qtype", type_label, |i| sum(&|totals| totals.types[i])),
        )?;
        counter(
            "gapura_responses",
            "Responses by code",
            by(RCODES + 1, "rcode", rcode_label, |i| sum(&|totals| totals.rcodes[i])),
        )?;
        counter("gapura_truncated", "Responses with TC", one(sum(&|totals| totals.truncated)))?;
        counter(
            "gapura_dropped",
            "Packets that got silence",
            labelled("reason", Silence::LABELS, |i| sum(&|t| t.dropped[i])),
        )?;
        counter(
            "gapura_rrl",
            "Responses the rate limit held back",
            labelled("action", LimitAction::LABELS, |i| sum(&|t| t.limited[i])),
        )?;
        counter(
            "gapura_edns",
            "Queries with EDNS, and of these with DO",
            labelled("kind", EdnsKind::LABELS, |i| sum(&|t| t.edns[i])),
        )?;
        counter(
            "gapura_cookies",
            "Queries by what their cookie was worth",
            labelled("result", CookieKind::LABELS, |i| sum(&|t| t.cookies[i])),
        )?;
        counter(
            "gapura_tsig_failures",
            "Messages whose TSIG is not good, by reason",
            labelled("reason", TsigKind::LABELS, |i| sum(&|t| t.tsig_failures[i])),
        )?;
        counter(
            "gapura_connections_closed",
            "Connections closed, by reason",
            labelled("reason", CloseReason::LABELS, |i| sum(&|t| t.closed[i])),
        )?;
        counter(
            "gapura_connections_accepted",
            "Connections accepted",
            one(sum(&|t| t.connections)),
        )?;
        counter("gapura_query_bytes", "Octets of queries", one(sum(&|t| t.octets_in)))?;
        counter("gapura_sent_bytes", "Octets of responses", one(sum(&|t| t.octets_out)))?;
        counter("gapura_worker_panics", "Batches lost by a panic", one(sum(&|t| t.panics)))
    }
}

//------------ Helpers -------------------------------------------------------

/// One sample without labels.
fn one<'a>(value: u64) -> Vec<Sample<'a>> {
    vec![(Vec::new(), value)]
}

/// A sample per label.
fn labelled<'a>(label: &'a str, labels: &[&str], value: impl Fn(usize) -> u64) -> Vec<Sample<'a>> {
    (0..labels.len()).map(|at| (vec![(label, labels[at].to_owned())], value(at))).collect()
}

/// A sample per index; of those beyond the first few, that are everywhere, only what was counted.
fn by<'a>(
    count: usize,
    label: &'a str,
    name: impl Fn(usize) -> String,
    value: impl Fn(usize) -> u64,
) -> Vec<Sample<'a>> {
    (0..count)
        .map(|index| (vec![(label, name(index))], value(index)))
        .enumerate()
        .filter(|(index, (_, value))| *index < USUAL || *value > 0)
        .map(|(_, sample)| sample)
        .collect()
}

/// Queries by lane and opcode.
fn queries<'a>(lanes: &[(Lane, Totals)]) -> Vec<Sample<'a>> {
    let mut samples = Vec::new();
    for (lane, totals) in lanes {
        let counted = |(opcode, value): &(u8, u64)| *value > 0 || *opcode == Opcode::QUERY.0;
        for (opcode, value) in (0u8..).zip(totals.opcodes).filter(counted) {
            let labels = vec![
                ("transport", transport_label(lane.transport).to_owned()),
                ("family", if lane.ipv6 { "ipv6" } else { "ipv4" }.to_owned()),
                ("opcode", Opcode(opcode).to_string()),
            ];
            samples.push((labels, value));
        }
    }
    samples
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
