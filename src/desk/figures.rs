//! Figures of the queue, for metrics: how many requests and notices are in which state, and since when.

use super::{ActError, Desk};
use crate::audit::Anchor;
use crate::queue::{LiveState, NoticeState, State};
use crate::register::anchor_served;
use crate::wire::Name;

/// How many there are in a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figure {
    /// The state's word.
    pub state: &'static str,
    /// How many.
    pub count: u64,
    /// How long the first of them has been there, in seconds; none where nobody waits for anything.
    pub oldest_seconds: Option<i64>,
}

/// Figures of the queue.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Requests.
    pub requests: Vec<Figure>,
    /// Notices: mails and printed letters.
    pub notices: Vec<Figure>,
    /// Papers whose file is still to be made.
    pub papers_waiting: u64,
    /// How often the worst of them was tried.
    pub paper_tries: u32,
    /// Names that somebody asked for.
    pub names: Vec<Figure>,
    /// Requests whose running step is past its due time.
    pub requests_late: u64,
    /// Zones that publish a checkpoint of the event chain, and when that was, in milliseconds since 1970.
    pub anchors: Vec<(String, i64)>,
    /// When the last checkpoint was, in milliseconds since 1970.
    pub checkpoint_ms: Option<i64>,
}

impl Desk {
    /// The figures now.
    pub fn figures(&self) -> Result<Figures, ActError> {
        let now = self.now();
        let anchors = self.anchors();
        let age = |since: Option<i64>| since.map_or(0, |since| (now - since).max(0) / 1000);
        self.read(|reader| {
            let mut figures = Figures { anchors, ..Figures::default() };
            figures.requests_late = reader.held_counts(now)?.iter().map(|held| held.late).sum();
            figures.checkpoint_ms = reader.last_checkpoint()?.map(|checkpoint| checkpoint.at_ms);
            // A draft lives on the pages only.
            for state in State::ALL.into_iter().filter(|state| *state != State::Draft) {
                let word = state.as_str();
                let oldest = state.is_open().then(|| reader.longest_in(word)).transpose()?;
                let (count, oldest_seconds) = (reader.count_requests(word)?, oldest.map(age));
                figures.requests.push(Figure { state: word, count, oldest_seconds });
            }
            for state in NoticeState::ALL {
                let word = state.as_str();
                let waits = matches!(state, NoticeState::Queued | NoticeState::Failed);
                let oldest = waits.then(|| reader.oldest_notice(word)).transpose()?;
                let (count, oldest_seconds) = (reader.count_notices(word)?, oldest.map(age));
                figures.notices.push(Figure { state: word, count, oldest_seconds });
            }
            (figures.papers_waiting, figures.paper_tries) = reader.papers_waiting()?;
            let kept = |state: &LiveState| !matches!(state, LiveState::Free | LiveState::Removed);
            for state in LiveState::ALL.into_iter().filter(kept) {
                let count = reader.count_names(state.as_str())?;
                let figure = Figure { state: state.as_str(), count, oldest_seconds: None };
                figures.names.push(figure);
            }
            Ok(figures)
        })
    }

    /// The checkpoint of the event chain that each zone publishes.
    fn anchors(&self) -> Vec<(String, i64)> {
        let publisher = self.0.register.publisher();
        let anchor = |apex: Name| {
            let Anchor(checkpoint) = anchor_served(&publisher.content(&apex)?)?;
            Some((apex.to_string(), checkpoint.at_ms))
        };
        publisher.apexes().into_iter().filter_map(anchor).collect()
    }
}
