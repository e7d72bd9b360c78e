//! Redirects after a form was sent or a mailed link was followed, and values in the addresses they lead to.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::limits::Route;
use super::state::State;
use super::visitor::Visitor;

/// After a POST: 303 to another page of ours; to the first one if the path leads anywhere else.
pub(super) fn see_other(path: &str) -> Response {
    let place = own_place(path).and_then(|path| HeaderValue::from_str(path).ok());
    let place = place.unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}

/// A path, if it leads to a page of ours: `//host` and `/\host` lead away, and so does either with a tab or line end
/// between, which browsers drop.
pub(super) fn own_place(path: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_own = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain);
    is_own.then_some(path)
}

/// 303 with cookies.
pub(super) fn see_other_with(path: &str, cookies: &[String]) -> Response {
    let mut response = see_other(path);
    for cookie in cookies {
        if let Ok(line) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
    response
}

/// Seconds the secret of a mailed link stays in its cookie.
const LINK_SECONDS: i64 = 3600;
/// Digits of such a secret.
const LINK_DIGITS: usize = 64;

/// After a mailed link: 303 to `path`, with its secret in a cookie, so that it is neither in the address bar nor in
/// a Referer from then on. None if it is no secret at all.
pub(super) fn keep_link(
    state: &State,
    visitor: &Visitor,
    secret: &str,
    (path, name): (&str, &'static str),
) -> Result<Option<Response>, Failure> {
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let is_one = secret.len() == LINK_DIGITS && secret.bytes().all(|it| it.is_ascii_hexdigit());
    let kept = || see_other_with(path, &[state.cookie(name, secret, "Lax", LINK_SECONDS)]);
    Ok(is_one.then(kept))
}

/// Percent signs for a value in a query.
pub(super) fn encode(text: &str) -> Cow<'_, str> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Cow::Owned(out)
}
