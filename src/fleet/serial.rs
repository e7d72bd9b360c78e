//! Which serial of a zone another server has, asked once and waited for: before a daemon runs.

use std::net::SocketAddr;
use std::time::Duration;

use super::flight::Connections;
use super::message::{is_cut, look, serial};
use super::rules::Remote;
use super::teller::seconds;
use crate::dns_client::{Transport, exchange, fresh_id, silence};
use crate::tsig::{Keyring, sign_query};
use crate::wire::Name;

/// How long a response may take, each way it is asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the addresses of a remote, one after the other, for the serial of a zone; the error is why the last of them
/// said none.
pub fn serial_at(remote: &Remote, keys: &Keyring, apex: &Name) -> Result<u32, String> {
    let mut last = Err("it has no address".to_owned());
    for address in &remote.addresses {
        last = asked(remote, *address, keys, apex);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Asks one address: over TLS where the remote wants it, else over UDP, and over TCP where that is no use.
fn asked(remote: &Remote, address: SocketAddr, keys: &Keyring, apex: &Name) -> Result<u32, String> {
    let tls = match &remote.tls {
        Some(tls) => Some(Connections::default().tls(tls)?),
        None => None,
    };
    let ask = |transport| -> Result<u32, String> {
        let mut message = look(fresh_id(), apex);
        let key = match &remote.key {
            Some(name) => {
                let key = keys.get(name.as_ref());
                Some(key.ok_or_else(|| format!("there is no key {name}"))?)
            }
            None => None,
        };
        let expected = key.map(|key| sign_query(key, &mut message, seconds()));
        let response = match &tls {
            Some(tls) => tls.exchange(address, &message, PATIENCE),
            None => exchange(address, &message, transport, PATIENCE),
        };
        let response = response.map_err(|error| silence(&error))?;
        let response = match &expected {
            Some(expected) => {
                expected.verify(&response, seconds()).map_err(|fault| fault.to_string())?
            }
            None => response,
        };
        if is_cut(&response) {
            return Err("its answer was cut".to_owned());
        }
        serial(&response, apex)
    };
    if tls.is_some() {
        return ask(Transport::Tcp);
    }
    ask(Transport::Udp).or_else(|_| ask(Transport::Tcp))
}
