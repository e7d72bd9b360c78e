//! Addresses of a target, asked of the system's recursive servers with a deadline.
//!
//! What `/etc/hosts` says is not asked for: a target must resolve for everybody.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::left;
use crate::dns_client::{Client, Transport, address, recursive_servers};
use crate::wire::{Name, Rtype};

/// For one question to one server.
const TRY: Duration = Duration::from_millis(1_500);
/// Addresses of one target that are looked at.
const ADDRESSES_MAX: usize = 8;

/// Whether a recursive server answers for the root.
pub(super) fn answers(deadline: Instant) -> bool {
    let client = Client::recursive();
    recursive_servers().iter().any(|server| {
        let wait = left(deadline).min(TRY);
        client.ask(*server, Transport::Udp, &Name::root(), Rtype::NS, &[wait]).is_ok()
    })
}

/// The addresses of a name, of both families; empty if it has none, none if nobody answered in time.
pub(super) fn addresses(name: &Name, deadline: Instant) -> Option<Vec<IpAddr>> {
    addresses_by(&recursive_servers(), name, deadline)
}

/// The same, asked of these servers.
pub(super) fn addresses_by(
    servers: &[SocketAddr],
    name: &Name,
    deadline: Instant,
) -> Option<Vec<IpAddr>> {
    let client = Client::recursive();
    let (mut found, mut is_answered) = (Vec::new(), false);
    for rtype in [Rtype::A, Rtype::AAAA] {
        for server in servers {
            if Instant::now() >= deadline {
                break;
            }
            let wait = left(deadline).min(TRY);
            let Ok(reply) = client.ask(*server, Transport::Udp, name, rtype, &[wait]) else {
                continue;
            };
            // A response that was cut still names some; the first server that answers counts.
            let Ok(response) = reply.read() else { continue };
            is_answered = true;
            let of_type = response.answer.iter().filter(|record| record.rtype == rtype);
            found.extend(of_type.filter_map(|record| address(&record.rdata)));
            break;
        }
    }
    found.truncate(ADDRESSES_MAX);
    is_answered.then_some(found)
}
