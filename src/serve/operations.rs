//! What is performed outside of the engine: transfers, NOTIFY and UPDATE.
//!
//! The engine decides that a message asks for one of them; [`Operations`] performs it. `serve` does not
//! know who that is: `run` hands it in.

use std::net::SocketAddr;

use crate::answer::{Ede, Transfer, Transport};
use crate::transfer::Outgoing;
use crate::wire::{Name, Rcode};

//------------ Operations ----------------------------------------------------

/// Performs what a name server does besides answering questions. Whether the requester may is decided
/// here, too.
pub trait Operations: std::fmt::Debug + Send + Sync {
    /// What a transfer of a zone is to send. May wait for the database, and is called where that holds
    /// up nobody.
    fn transfer(
        &self,
        requester: &Requester,
        zone: &Name,
        wanted: Transfer,
    ) -> Result<Outgoing, Refusal>;

    /// Takes note of a NOTIFY; `serial` is a hint. Does not wait.
    fn notify(
        &self,
        requester: &Requester,
        zone: &Name,
        serial: Option<u32>,
    ) -> Result<(), Refusal>;

    /// Performs an UPDATE, a whole message without its TSIG. When this returns `Ok`, it is durable and
    /// served. May wait, as [`Operations::transfer`].
    fn update(&self, requester: &Requester, message: &[u8]) -> Result<(), Refusal>;
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
