//! How it is proved that something does not exist.

use serde::{Deserialize, Serialize};

/// How it is proved that something does not exist.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Denial {
    /// Each name names the next one (RFC 4034 §4).
    #[default]
    Nsec,
    /// The same with hashes (RFC 5155), as RFC 9276 §3.1 wants it: no salt, no extra iterations, no opt-out.
    Nsec3,
}
