//! What callers are told of the limits of their network: the headers `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers), and the seconds of `Retry-After`.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};

use crate::web::limits::Allowance;

/// The limit as a whole: its name, how often (`q`), in how many seconds (`w`).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it: how often now (`r`), and in how many seconds once more (`t`).
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Both headers.
pub(super) fn headers(allowance: Allowance) -> Vec<(HeaderName, HeaderValue)> {
    let Allowance { name, most, window, left, more_in } = allowance;
    let (window, more_in) = (seconds(window), seconds(more_in));
    let told = [
        (POLICY, format!("\"{name}\";q={most};w={window}")),
        (LEFT, format!("\"{name}\";r={left};t={more_in}")),
    ];
    let value =
        |(name, text): (HeaderName, String)| Some((name, HeaderValue::try_from(text).ok()?));
    told.into_iter().filter_map(value).collect()
}

/// A time in whole seconds, none of them too early.
pub(super) fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
