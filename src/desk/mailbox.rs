//! Proof that an applicant has the mailbox of the contact: a code of six digits is mailed there, and comes
//! back within 15 minutes.
//!
//! A code belongs to one subject (a draft, or a caller of the API) and one mailbox; a newer one replaces
//! it. Tries and sends are limited, each try is counted before its code is compared, and what is stored is
//! a keyed hash. The proof goes with one request.

use subtle::ConstantTimeEq;

use super::{ActError, Desk, PublicLimit};
use crate::audit::random;
use crate::digest::hex;
use crate::queue::person::{exact_email, normalize_email};
use crate::queue::time::{DAY_MS, MINUTE_MS, is_recent};
use crate::store::codes::{CodeRow, CodesOf};
use crate::store::{Reader, Tx};

/// How long a code may be entered.
const CODE_MS: i64 = 15 * MINUTE_MS;
/// How long a proof may be used: a form can be finished on the next day.
const PROOF_MS: i64 = DAY_MS;
/// How often a code may be tried.
const TRIES_MAX: u32 = 5;
/// The time the limits below are for.
const WINDOW_MS: i64 = 60 * MINUTE_MS;
/// Codes of one draft or caller.
const PER_SUBJECT: u64 = 5;
/// Codes to one mailbox: nobody fills somebody's mailbox through us.
const PER_MAILBOX: u64 = 12;
/// Those of them that one network asks for: what a stranger uses up is not all that its owner has.
const PER_MAILBOX_AND_NETWORK: u64 = 5;
/// Codes asked for from one network.
const PER_NETWORK: u64 = 20;

/// What came of trying a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TriedCode {
    /// It is right: the mailbox is proven.
    Right,
    /// It is wrong, and may be tried so many times more.
    Wrong(u32),
    /// There is none that could be right: too old, or tried too often.
    None,
}

/// Whether a code may be entered still.
fn can_be_entered(row: &CodeRow, now: i64) -> bool {
    row.tries < TRIES_MAX && !row.code.is_empty() && is_recent(row.sent_ms, now, CODE_MS - 1)
}

impl Desk {
    /// Makes a code for a mailbox, to be mailed there and nowhere else.
    pub fn new_mailbox_code(
        &self,
        subject: &str,
        mailbox: &str,
        network: &str,
    ) -> Result<String, ActError> {
        let now = self.now();
        let code = six_digits()?;
        let id = hex(&random::<12>()?);
        let tag = self.code_tag(&id, mailbox, &code);
        let (subject, mailbox) = (self.subject_tag(subject), self.mailbox_tag(mailbox));
        let network = self.network_tag(network);
        self.0.ledger.store.write(|tx| {
            tx.sweep_codes(now - PROOF_MS)?;
            for (of, most) in [
                (CodesOf::Subject(&subject), PER_SUBJECT),
                (CodesOf::Mailbox(&mailbox), PER_MAILBOX),
                (CodesOf::MailboxAndNetwork(&mailbox, &network), PER_MAILBOX_AND_NETWORK),
                (CodesOf::Network(&network), PER_NETWORK),
            ] {
                if tx.codes_since(of, now - WINDOW_MS)? >= most {
                    return Err(ActError::Limit(PublicLimit::Codes));
                }
            }
            let row = CodeRow {
                id,
                subject,
                mailbox,
                network,
                code: tag,
                sent_ms: now,
                ..CodeRow::default()
            };
            Ok(tx.add_code(&row)?)
        })?;
        Ok(code)
    }

    /// Tries a code. The try is counted in the same transaction.
    pub fn try_mailbox_code(
        &self,
        subject: &str,
        mailbox: &str,
        code: &str,
    ) -> Result<TriedCode, ActError> {
        let now = self.now();
        let digits: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let (subject, tag) = (self.subject_tag(subject), self.mailbox_tag(mailbox));
        self.0.ledger.store.write(|tx| {
            let row = tx.newest_code(&subject, &tag)?;
            let waits = |row: &CodeRow| can_be_entered(row, now);
            let Some(mut row) = row.filter(waits) else { return Ok(TriedCode::None) };
            row.tries += 1;
            let tag = self.code_tag(&row.id, mailbox, &digits);
            let right = tag.as_bytes().ct_eq(row.code.as_bytes());
            let tried = if bool::from(right) {
                // It cannot be entered again, and shows that it was.
                row.code = String::new();
                row.proof = self.proof_tag(&row, mailbox);
                TriedCode::Right
            } else {
                TriedCode::Wrong(TRIES_MAX - row.tries)
            };
            tx.put_code(&row)?;
            Ok(tried)
        })
    }

    /// Whether a subject has proven a mailbox.
    pub fn mailbox_is_proven(&self, subject: &str, mailbox: &str) -> Result<bool, ActError> {
        self.read(|reader| self.proven(reader, subject, mailbox))
    }

    /// Whether a code for this mailbox is under way and could still be entered.
    pub fn mailbox_code_waits(&self, subject: &str, mailbox: &str) -> Result<bool, ActError> {
        let (subject, mailbox) = (self.subject_tag(subject), self.mailbox_tag(mailbox));
        let now = self.now();
        self.read(|reader| {
            let row = reader.newest_code(&subject, &mailbox)?;
            Ok(row.is_some_and(|row| can_be_entered(&row, now)))
        })
    }

    /// Ends the proof of a subject, in the transaction that writes its request. Returns whether it was
    /// there: of requests sent at once it goes with one.
    pub(super) fn spend_mailbox_proof(
        &self,
        tx: &Tx<'_>,
        subject: &str,
        mailbox: &str,
    ) -> Result<bool, ActError> {
        let was_proven = self.proven(tx, subject, mailbox)?;
        tx.spend_codes(&self.subject_tag(subject))?;
        Ok(was_proven)
    }

    /// Drops codes whose proof is over.
    pub(super) fn sweep_mailbox_codes(&self, now: i64) -> Result<(), ActError> {
        self.0.ledger.store.write(|tx| Ok(tx.sweep_codes(now - PROOF_MS).map(drop)?))
    }

    /// Whether a subject has proven a mailbox, exactly as it was written to, in a transaction.
    fn proven(&self, reader: &Reader<'_>, subject: &str, mailbox: &str) -> Result<bool, ActError> {
        let row = reader.newest_code(&self.subject_tag(subject), &self.mailbox_tag(mailbox))?;
        Ok(row.is_some_and(|row| {
            let right = self.proof_tag(&row, mailbox).as_bytes().ct_eq(row.proof.as_bytes());
            bool::from(right) && is_recent(row.sent_ms, self.now(), PROOF_MS - 1)
        }))
    }

    /// A subject as it is stored.
    fn subject_tag(&self, subject: &str) -> String {
        self.0.ledger.vault.tag("mailbox subject", subject)
    }

    /// A mailbox as it is stored and counted: one person has one, however many tags it is given.
    pub(super) fn mailbox_tag(&self, mailbox: &str) -> String {
        self.0.ledger.vault.tag("mailbox", &normalize_email(mailbox))
    }

    /// A network as it is stored and counted.
    pub(super) fn network_tag(&self, network: &str) -> String {
        self.0.ledger.vault.tag("network", network)
    }

    /// A code as it is stored: of no use for another address than it was mailed to.
    fn code_tag(&self, id: &str, mailbox: &str, code: &str) -> String {
        let mailbox = exact_email(mailbox);
        self.0.ledger.vault.tag("mailbox code", &format!("{id}\n{mailbox}\n{code}"))
    }

    /// What shows that a code was entered that was mailed to exactly this address; the key to it is not in
    /// the database.
    fn proof_tag(&self, row: &CodeRow, mailbox: &str) -> String {
        let CodeRow { id, subject, sent_ms, .. } = row;
        let mailbox = exact_email(mailbox);
        self.0.ledger.vault.tag("mailbox proof", &format!("{id}\n{subject}\n{mailbox}\n{sent_ms}"))
    }
}

/// Six digits, each as likely as any other.
fn six_digits() -> Result<String, ActError> {
    loop {
        let number = u32::from_be_bytes(random::<4>()?);
        // The numbers above the last whole million would make small codes likelier.
        if number < u32::MAX / 1_000_000 * 1_000_000 {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}
