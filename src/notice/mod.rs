//! Notices (*pemberitahuan*, step 5 of the SOP): their text, and the mail that carries it.
//!
//! ```text
//! ledger writes the notice and its event ─commit──► outbox ──► Mailer ──relay took it──► TERKIRIM
//!                                                     │           └──no: later, then──► GAGAL
//!                                                     └── no relay: waits as a printable letter
//! ```
//! Nothing is mailed before its commit. [`message`] makes the text for mail and printed letter alike,
//! from the values the notice has kept since its event. The mailer reads from an [`Outbox`] that is
//! handed in.

mod html;
mod mailer;
mod message;

pub use mailer::{CodeFor, Mailer, MailerError, Outbox, Relay};
pub use message::{Message, message};

#[cfg(test)]
pub(crate) mod tests;
