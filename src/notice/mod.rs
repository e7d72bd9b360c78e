//! Telling people (pemberitahuan, step 5 of the SOP): letters in words, and the mail that carries them.
//!
//! ```text
//! desk writes the notice with its event ──commit──► outbox ──► Mailer ──relay took it──► TERKIRIM
//!                                                     │           └──no: later, then──► GAGAL
//!                                                     └── no relay: waits as a printable letter
//! ```
//! Nothing is mailed before its commit. The same text serves mail, printed letter and status page.
//! Where the rows are and what the states mean is not known here: an [`Outbox`] is handed in.

mod mailer;
mod message;

pub use mailer::{Mailer, MailerError, Outbox, Relay};
pub use message::{Message, message};

#[cfg(test)]
mod tests;
