//! Limits for people without an account: open requests per network, mailbox and office and in all,
//! letters in all, and room on the disk.
//!
//! Requests that others have sent must not shut out an applicant who proves a mailbox. So each limit
//! counts requests with a proven mailbox and those without one separately, and that of an office counts
//! only the latter.

use super::{ActError, Desk, PublicLimit, Room, Submitter};
use crate::queue::{Application, folded};
use crate::store::Reader;
use crate::store::origins::{Counted, OriginRow};

/// Limits for people without an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StrangerLimits {
    /// `public.open`: open requests in all, with a proven mailbox and without one.
    pub open: u64,
    /// `public.open_per_network`.
    pub open_per_network: u64,
    /// `public.open_per_mailbox`.
    pub open_per_mailbox: u64,
    /// `public.open_per_office`.
    pub open_per_office: u64,
    /// `public.letters_mib`, in octets.
    pub letters: u64,
}

impl Default for StrangerLimits {
    fn default() -> Self {
        Self {
            open: 2_000,
            open_per_network: 100,
            open_per_mailbox: 20,
            open_per_office: 50,
            letters: 4 * 1024 * 1024 * 1024,
        }
    }
}

impl Desk {
    /// Where a request comes from; none if an officer sends it.
    pub(super) fn origin(&self, application: &Application, by: &Submitter) -> Option<OriginRow> {
        if by.actor.is_officer(self.now()) {
            return None;
        }
        Some(OriginRow {
            number: String::new(),
            network: self.network_tag(by.network.as_deref().unwrap_or_default()),
            mailbox: self.mailbox_tag(&application.contact.email),
            office: folded(&application.office),
            proven: by.mailbox_proven,
        })
    }

    /// Tests whether there is room for one more request from there.
    pub(super) fn room_for(
        &self,
        reader: &Reader<'_>,
        origin: Option<&OriginRow>,
        by: &Submitter,
    ) -> Result<(), ActError> {
        let Some(origin) = origin else { return Ok(()) };
        let settings = self.settings();
        let limits = &settings.strangers;
        self.room_for_letter(reader)?;
        let proven = origin.proven;
        let mailbox = Counted::Mailbox(&origin.mailbox, proven);
        let mut counts = vec![
            (Counted::All(proven), limits.open, PublicLimit::All),
            (mailbox, limits.open_per_mailbox, PublicLimit::Mailbox),
        ];
        if by.network.is_some() {
            let network = Counted::Network(&origin.network, proven);
            counts.push((network, limits.open_per_network, PublicLimit::Network));
        }
        if !proven {
            let office = Counted::Office(&origin.office);
            counts.push((office, limits.open_per_office, PublicLimit::Office));
        }
        for (counted, most, limit) in counts {
            if reader.open_from(counted)? >= most {
                return Err(ActError::Limit(limit));
            }
        }
        Ok(())
    }

    /// Tests whether there is room for one more letter of somebody without an account.
    pub(super) fn room_for_letter(&self, reader: &Reader<'_>) -> Result<(), ActError> {
        let full = reader.letter_octets()? >= self.settings().strangers.letters;
        if full || self.room() != Room::Ample {
            return Err(ActError::Limit(PublicLimit::Disk));
        }
        Ok(())
    }
}
