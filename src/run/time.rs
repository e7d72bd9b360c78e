//! Times as commands print them: English, UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(super) use crate::publish::now_ms;

/// Epoch milliseconds as RFC 3339 in UTC, to the second.
pub(super) fn utc(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{ms} ms"))
}
