//! Webhooks: events of the procedure, delivered to external programs by signed calls over HTTP.
//!
//! ```text
//! chain of events ─► desk: the next event of a webhook ─► Message ─► signed ─► POST ─► Answer ─► desk: row
//! ```
//! A call follows Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` (HMAC-SHA-256 over id,
//! timestamp and body, in base 64). The event chain itself is the outbox, so no act waits for a webhook, and one that is
//! unreachable for up to [`KEPT_MS`] misses nothing. A call names a request by number and subdomain, and no person.
//!
//! This room handles a single call: its address, content and signature, and what the answer means. `desk` keeps track of
//! the next event and of retries.

mod address;
mod call;
mod hook;
mod message;
mod sign;
mod verdict;

pub use address::{Address, BadAddress};
pub use call::call;
pub use hook::{Hook, offered};
pub use message::{Message, Tidings};
pub use sign::{BadSecret, Secret, signature};
pub use verdict::{Answer, KEPT_MS, Said, Verdict, pause_ms};

#[cfg(test)]
mod tests;
