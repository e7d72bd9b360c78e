//! A line in the daemon's log for a transfer, an update or a NOTIFY that is refused: who, what, why. At most one a
//! second, with the number of those in between: anybody can send them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::answer::{Facts, Signature, Transport};
use crate::wire::{Name, NameRef, Opcode, Rtype};

/// A query that was refused.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    /// What is known of it.
    pub(super) facts: &'a Facts,
    /// The zone, or the name asked for.
    pub(super) qname: Option<NameRef<'a>>,
    /// The TSIG key it names.
    pub(super) key: Option<&'a Name>,
    /// Why, if that is more than its extended error says.
    pub(super) reason: Option<&'a str>,
    /// The client.
    pub(super) client: SocketAddr,
    /// How it came.
    pub(super) transport: Transport,
}

/// When the last line was written, and what came since.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The second of the last line, since 1970.
    second: AtomicU64,
    /// Refusals since then.
    since: AtomicU64,
}

impl Refusals {
    /// Notes a query that was refused; most are of no interest here.
    pub(super) fn note(&self, refused: &Refused<'_>, second: u64) {
        let facts = refused.facts;
        if let Some(operation) = operation(facts)
            && let Some(left_out) = self.pass(second)
        {
            let reason = refused.reason.or_else(|| facts.ede.map(|ede| ede.text));
            let text = |name: Option<NameRef<'_>>| name.map(|name| name.to_string());
            let transport = format!("{:?}", refused.transport);
            // A name of its own: the limit of lines that strangers can cause would leave counts out.
            tracing::info!(
                target: "gapura::refused",
                event = "refused",
                peer = %refused.client,
                transport = transport.to_lowercase(),
                zone = text(refused.qname).unwrap_or_default(),
                key = text(refused.key.map(Name::as_ref)),
                rcode = %facts.rcode,
                reason = reason.unwrap_or_default(),
                others = left_out,
                "{operation} refused"
            );
        }
    }

    /// Whether a line may be written in this second; if so, how many were left out before it.
    fn pass(&self, second: u64) -> Option<u64> {
        let last = self.second.load(Ordering::Relaxed);
        let is_first = last != second
            && self
                .second
                .compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_first {
            return Some(self.since.swap(0, Ordering::Relaxed));
        }
        self.since.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// What was asked for, if it changes or hands over a zone.
fn operation(facts: &Facts) -> Option<&'static str> {
    match (facts.opcode, facts.qtype) {
        (Opcode::NOTIFY, _) => Some("NOTIFY"),
        (Opcode::UPDATE, _) => Some("UPDATE"),
        (Opcode::QUERY, Rtype::AXFR) => Some("AXFR"),
        (Opcode::QUERY, Rtype::IXFR) => Some("IXFR"),
        // Whoever signs its queries expects an answer (RFC 8945 §5.2.1).
        (Opcode::QUERY, _) if facts.signature == Signature::Bad => Some("query"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_with_the_number_of_the_others() {
        let refusals = Refusals::default();
        assert_eq!((0..5).filter(|_| refusals.pass(100).is_some()).count(), 1);
        assert_eq!((refusals.pass(101), refusals.pass(102)), (Some(4), Some(0)));
        let facts = |opcode, qtype| operation(&Facts { opcode, qtype, ..Facts::default() });
        assert_eq!(facts(Opcode::QUERY, Rtype::AXFR), Some("AXFR"));
        assert_eq!(facts(Opcode::UPDATE, Rtype::SOA), Some("UPDATE"));
        assert_eq!(facts(Opcode::QUERY, Rtype::A), None);
    }
}
