//! Confirms a change by asking our own sockets, as anybody else would.

use std::net::SocketAddr;

use super::options::CONFIRM_TIMEOUT;
use crate::answer::Transport;
use crate::publish::{Change, Confirm};
use crate::serve;
use crate::wire::{Name, Rtype};

/// Octets of a DNS header.
const HEADER_OCTETS: usize = 12;
/// Octets of the five numbers that end SOA RDATA.
const SOA_NUMBERS_OCTETS: usize = 20;
/// The TC flag, in the third octet.
const TC: u8 = 0x02;

/// The addresses our name server listens on.
pub(super) struct OwnSockets {
    /// The addresses.
    servers: Vec<SocketAddr>,
    /// Asks with cookies, so that our own rate limit does not stand in the way.
    client: serve::Client,
}

impl OwnSockets {
    /// The sockets at these addresses.
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, client: serve::Client::default() }
    }
}

impl Confirm for OwnSockets {
    fn confirm(&self, change: &Change) -> Result<(), String> {
        for address in &self.servers {
            let serial = serial(&self.client, *address, &change.zone)
                .map_err(|error| format!("asked {address} for {} SOA: {error}", change.zone))?;
            if serial != change.to {
                let zone = &change.zone;
                return Err(format!(
                    "asked {address} for {zone} SOA: serial {serial}, not {}",
                    change.to
                ));
            }
        }
        Ok(())
    }
}

/// The serial that a server answers. A response that was cut short or lost is asked for again over
/// TCP.
fn serial(client: &serve::Client, server: SocketAddr, zone: &Name) -> Result<u32, String> {
    let query = soa_query(zone);
    let ask = |transport| client.ask(server, &query, transport, CONFIRM_TIMEOUT);
    let response = match ask(Transport::Udp) {
        Ok(response) if response[2] & TC == 0 => response,
        _ => ask(Transport::Tcp).map_err(|error| error.to_string())?,
    };
    read_serial(&response, query.len()).ok_or_else(|| {
        let rcode = response[3] & 15;
        format!("no SOA in the answer (response code {rcode})")
    })
}

/// A query for the SOA record of a zone.
fn soa_query(zone: &Name) -> Vec<u8> {
    let mut query = vec![0x67, 0x70, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(zone.wire());
    query.extend_from_slice(&Rtype::SOA.0.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    query
}

/// The serial in the first answer of a response whose question has the length of the query's.
fn read_serial(response: &[u8], query_octets: usize) -> Option<u32> {
    let answers = u16::from_be_bytes([*response.get(6)?, *response.get(7)?]);
    if answers == 0 || query_octets < HEADER_OCTETS {
        return None;
    }
    // The owner is a pointer to the question: 2 octets, then type, class, TTL, length.
    let record = response.get(query_octets..)?;
    let rtype = u16::from_be_bytes([*record.get(2)?, *record.get(3)?]);
    let length = usize::from(u16::from_be_bytes([*record.get(10)?, *record.get(11)?]));
    let rdata = record.get(12..12 + length).filter(|_| rtype == Rtype::SOA.0)?;
    let numbers = rdata.get(rdata.len().checked_sub(SOA_NUMBERS_OCTETS)?..)?;
    Some(u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]))
}
