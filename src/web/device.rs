//! Browsers in which somebody signed in before, recognized by a cookie of ours.

use std::net::IpAddr;

use subtle::ConstantTimeEq;

use super::state::State;
use crate::people::{Origin, keyed_tag, random_token, sign_in_name};

/// The name of the cookie of a known browser.
const DEVICE: &str = "perangkat";
/// How long a browser stays known, in seconds.
const DEVICE_SECONDS: i64 = 180 * 86_400;

/// Where a try for this name comes from.
pub(super) fn origin(state: &State, device: Option<&str>, address: IpAddr, name: &str) -> Origin {
    let known = device.and_then(|device| known_device(state, device, name));
    known.map_or_else(|| Origin::network(address), Origin::Device)
}

/// The id in a browser's cookie, if this account signed in with it not too long ago.
fn known_device(state: &State, cookie: &str, name: &str) -> Option<String> {
    let (device, tag) = cookie.rsplit_once('.')?;
    let (id, made) = device.split_once('.')?;
    let right = device_tag(state, device, name);
    // Nothing in it is read before it is known to be ours.
    if !bool::from(right.as_bytes().ct_eq(tag.as_bytes())) {
        return None;
    }
    let age = (state.people().now_ms() / 1000).checked_sub(made.parse().ok()?)?;
    (age < DEVICE_SECONDS).then(|| id.to_owned())
}

/// The line that makes a browser known for the account that has just signed in with it.
pub(super) fn device_cookie(state: &State, name: &str) -> Option<String> {
    let id = random_token().ok()?;
    let device = format!("{}.{}", id.get(..32)?, state.people().now_ms() / 1000);
    let value = format!("{device}.{}", device_tag(state, &device, name));
    Some(state.cookie(DEVICE, &value, "Strict", DEVICE_SECONDS))
}

/// The name of that cookie.
pub(super) fn device_cookie_name(state: &State) -> String {
    state.cookie_name(DEVICE)
}

/// What proves that the cookie is ours and the name's.
fn device_tag(state: &State, device: &str, name: &str) -> String {
    let name = sign_in_name(name);
    keyed_tag(state.form_key(), "device", &format!("{device}:{name}"))
}
