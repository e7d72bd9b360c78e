//! Redirects after a form was sent, and values in the addresses they lead to.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};

/// After a POST: 303 to another page.
pub(super) fn see_other(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
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
