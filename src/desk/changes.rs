//! The feed of changes: accepted acts on requests and names, in the order of the chain. It names no
//! person and records nothing.

use super::{ActError, Desk};
use crate::audit::was_turned_back;
use crate::queue::Actor;
use crate::store::events::Event;
use crate::view::{ChangeView, rfc3339};

/// Events that are looked at for one page at most.
const LOOKED_AT: usize = 2_000;

/// A page of the feed.
#[derive(Clone, Debug, Default)]
pub struct ChangePage {
    /// The changes.
    pub items: Vec<ChangeView>,
    /// The last event that was looked at.
    pub next: i64,
    /// Whether there are events behind it.
    pub more: bool,
}

impl Desk {
    /// The number of the last event: nothing has happened while it stays.
    pub fn last_event(&self) -> Result<i64, ActError> {
        self.read(|reader| Ok(reader.chain_head()?.map_or(0, |(sequence, _)| sequence)))
    }

    /// What was done after an event; for officers.
    pub fn changes(&self, since: i64, most: usize, actor: &Actor) -> Result<ChangePage, ActError> {
        let ledger = &self.0.ledger;
        self.read(|reader| {
            if !ledger.current(reader, actor)?.is_officer(ledger.now()) {
                return Err(ActError::NotAllowed);
            }
            let mut page = ChangePage { next: since, ..ChangePage::default() };
            for event in reader.events_after(since, LOOKED_AT)? {
                if page.items.len() == most {
                    break;
                }
                page.next = event.sequence;
                page.items.extend(change(event));
            }
            let head = reader.chain_head()?.map_or(0, |(sequence, _)| sequence);
            page.more = page.next < head;
            // Whoever asks from beyond the end followed another chain.
            page.next = page.next.min(head);
            Ok(page)
        })
    }
}

/// An event as a change; none if it is a refused attempt, or about something else.
fn change(event: Event) -> Option<ChangeView> {
    if was_turned_back(&event) {
        return None;
    }
    let (kind, id) = event.subject.split_once(':')?;
    let (request, name) = match kind {
        "request" => (Some(id.to_owned()), None),
        "record" => (None, Some(id.to_owned())),
        _ => return None,
    };
    Some(ChangeView {
        sequence: event.sequence,
        at: rfc3339(event.at_ms),
        act: event.act,
        request,
        name,
        before: event.before,
        after: event.after,
        revision: event.revision,
    })
}
