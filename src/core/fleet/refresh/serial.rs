//! Which serial of a zone another server has, asked once and waited for: before a daemon runs.

use std::net::SocketAddr;

use super::ask::look;
use crate::fleet::flight::Connections;
use crate::fleet::message::serial;
use crate::fleet::rules::Remote;
use crate::tsig::Keyring;
use crate::wire::Name;

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

/// Asks one address.
fn asked(remote: &Remote, address: SocketAddr, keys: &Keyring, apex: &Name) -> Result<u32, String> {
    let tls = remote.tls.as_ref().map(|tls| Connections::default().tls(tls)).transpose()?;
    let key = remote
        .key
        .as_ref()
        .map(|name| keys.get(name.as_ref()).ok_or_else(|| format!("there is no key {name}")));
    let key = key.transpose()?;
    let response = look(address, tls.as_ref(), key, apex);
    serial(&response.map_err(|why| why.text)?, apex)
}
