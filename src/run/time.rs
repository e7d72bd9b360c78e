//! Times as commands print them: English, UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Epoch milliseconds as RFC 3339 in UTC, to the second.
pub(super) fn utc(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{ms} ms"))
}

/// Now, in epoch milliseconds.
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
