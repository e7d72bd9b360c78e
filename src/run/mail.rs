//! The desk's outbox as the mailer sees it.

use crate::desk::Desk;
use crate::notice::Outbox;
use crate::queue::Notice;

impl Outbox for Desk {
    fn due(&self, most: usize) -> Result<Vec<Notice>, String> {
        self.notices_to_mail(most).map_err(|error| error.to_string())
    }

    fn sent(&self, id: &str) -> Result<(), String> {
        self.notice_sent(id).map_err(|error| error.to_string())
    }

    fn failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), String> {
        self.notice_failed(id, error, for_good).map_err(|error| error.to_string())
    }
}
