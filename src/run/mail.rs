//! The desk's outbox as the mailer sees it.

use crate::desk::{Desk, NoticeReader, Outgoing, Viewer};
use crate::notice::{Outbox, Post, Reader};
use crate::words::{Lang, Words};

/// Notices of the desk.
pub(super) struct DeskOutbox(pub(super) Desk);

impl Outbox for DeskOutbox {
    fn due(&self, most: usize) -> Result<Vec<Post>, String> {
        let due = self.0.notices_due(most).map_err(|error| error.to_string())?;
        Ok(due.iter().map(|outgoing| self.post(outgoing)).collect())
    }

    fn sent(&self, id: &str) -> Result<(), String> {
        self.0.notice_sent(id).map_err(|error| error.to_string())
    }

    fn failed(&self, id: &str, error: &str, for_good: bool) -> Result<(), String> {
        self.0.notice_failed(id, error, for_good).map_err(|error| error.to_string())
    }
}

impl DeskOutbox {
    /// A notice with what its text needs of the request.
    fn post(&self, outgoing: &Outgoing) -> Post {
        let notice = &outgoing.notice;
        let number = notice.request.clone().unwrap_or_default();
        // A notice without a request still goes out, with what is known.
        let view = self.0.view(&number, &Viewer::Applicant).ok();
        let view = view.as_ref();
        let lines = view.into_iter().flat_map(|view| &view.lines);
        let points = lines
            .filter(|line| {
                line.verdict.is_some_and(|verdict| verdict != crate::queue::LineVerdict::Ok)
            })
            .filter_map(|line| line.note.clone())
            .chain(view.and_then(|view| view.reason.as_ref()).map(|reason| reason.note.clone()));
        Post {
            id: notice.id.clone(),
            to: notice.to.clone(),
            reader: match outgoing.reader {
                NoticeReader::Applicant => Reader::Applicant,
                NoticeReader::Officer => Reader::Officer,
                NoticeReader::Party => Reader::Party,
            },
            deed: notice.deed,
            name: view.map_or_else(
                || outgoing.about.clone(),
                |view| format!("{}.{}", view.name, view.zone),
            ),
            office: view.map(|view| view.office.clone()).unwrap_or_default(),
            points: points.collect(),
            due: view
                .and_then(|view| view.due.as_deref())
                .map(|due| Words::of(Lang::Id).moment(due)),
            dig: view.and_then(|view| view.proof.as_ref()).map(|proof| proof.dig.clone()),
            link: outgoing.token.as_ref().map(|token| format!("/konfirmasi/{token}")),
            number,
        }
    }
}
