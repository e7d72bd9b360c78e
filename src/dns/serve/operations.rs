//! What is performed outside of the engine: transfers, NOTIFY and UPDATE.
//!
//! The engine decides that a message asks for one of them; [`Operations`] performs it. `serve` does not
//! know who that is: `run` hands it in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::client_ca::ClientIdentity;
use crate::answer::{Ede, Transfer, Transport};
use crate::transfer::Outgoing;
use crate::wire::{Name, Rcode};

//------------ Operations ----------------------------------------------------

/// Performs what a name server does besides answering questions. Whether the requester may is decided
/// here, too.
pub trait Operations: std::fmt::Debug + Send + Sync {
    /// Whether a requester may have a zone transferred. Does not wait: who may not is refused at once, and
    /// takes no place of those who may.
    fn may_transfer(&self, requester: &Requester, zone: &Name) -> Result<(), Refusal>;

    /// What a transfer of a zone is to send. May wait for the database, and is called where that holds
    /// up nobody.
    fn transfer(
        &self,
        requester: &Requester,
        zone: &Name,
        wanted: Transfer,
    ) -> Result<Outgoing, Refusal>;

    /// Takes note of how a transfer over a stream ended. Does not wait.
    fn transferred(&self, _: &Requester, _: &Name, _: &Transferred) {}

    /// Takes note of a NOTIFY; `serial` is a hint. Does not wait.
    fn notify(
        &self,
        requester: &Requester,
        zone: &Name,
        serial: Option<u32>,
    ) -> Result<(), Refusal>;

    /// Whether a requester may change anything of a zone by UPDATE. Does not wait: nobody who may not gets a
    /// place in the queue.
    fn may_update(&self, requester: &Requester, zone: &Name) -> Result<(), Refusal>;

    /// Performs an UPDATE, a whole message without its TSIG. When this returns `Ok`, it is durable and
    /// served. May wait, as [`Operations::transfer`].
    fn update(&self, requester: &Requester, message: &[u8]) -> Result<(), Refusal>;
}

/// How a transfer over a stream ended.
#[derive(Clone, Copy, Debug)]
pub struct Transferred {
    /// What it was: `axfr`, `ixfr`, or `current` for the one SOA record.
    pub kind: &'static str,
    /// The serial that it led to.
    pub serial: u32,
    /// Messages made.
    pub messages: u32,
    /// Records in them.
    pub records: u64,
    /// Octets of them, signatures among them.
    pub octets: u64,
    /// Whether all of it went out.
    pub is_whole: bool,
    /// How long it took from the request on.
    pub took: Duration,
}

/// Who wants an operation performed.
#[derive(Clone, Debug)]
pub struct Requester {
    /// The address.
    pub address: SocketAddr,
    /// How the message came.
    pub transport: Transport,
    /// The TSIG key whose signature was good; none without TSIG.
    pub key: Option<Name>,
    /// What it showed of itself over TLS; none over anything else.
    pub identity: Option<Arc<ClientIdentity>>,
}

/// Why an operation is not performed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The response code.
    pub rcode: Rcode,
    /// The extended code.
    pub ede: Option<Ede>,
    /// The text of the extended code in the place of its usual one, for people; none of another name's data.
    pub text: Option<String>,
}

impl Refusal {
    /// A refusal that needs no text.
    pub fn new(rcode: Rcode, ede: Ede) -> Self {
        Self { rcode, ede: Some(ede), text: None }
    }
}
