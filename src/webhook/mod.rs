//! Webhooks: events of the procedure, told to programs outside by a signed call over HTTP.
//!
//! ```text
//! chain of events ─► desk: the next event of a webhook ─► Message ─► signed ─► POST ─► Answer ─► desk: row
//! ```
//! A call follows Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` (HMAC-SHA-256
//! over the three, in base 64). The chain itself is the outbox, so no act waits for a webhook, and one that was
//! away misses nothing for [`KEPT_MS`]. A call names a request by number and subdomain, and no person.
//!
//! The room knows one call: where it goes, what it says, how it is signed and what the answer means. Which event
//! is next, and when it is tried again, is kept by `desk`.

mod address;
mod call;
mod hook;
mod message;
mod sign;
mod verdict;

pub use address::{Address, BadAddress};
pub use call::call;
pub use hook::{Hook, OFFERED};
pub use message::{Message, Tidings};
pub use sign::{BadSecret, Secret, signature};
pub use verdict::{Answer, KEPT_MS, Said, Verdict, pause_ms};

#[cfg(test)]
mod tests;
