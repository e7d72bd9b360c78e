//! A request made of an UPDATE (RFC 2136): a key that may only propose sends it in, for the office that the
//! settings name.
//!
//! It is a request like others: routed, checked, approved by persons. What an UPDATE does not have comes from
//! the settings; the letter is on paper, and the sheet says that it is not here.

use super::{ActError, Desk, Pressed, Submitter};
use crate::publish::{PublishError, RrsetEdit, is_only_guard};
use crate::queue::fault::Stale;
use crate::queue::{Actor, Application, Kind, LiveState, ParsedRecord, State, TransitionError};
use crate::register::served_records;
use crate::wire::Name;
use crate::zone::Zone;

/// Requests that the same update led to, one after the other, that are looked through.
const BEFORE_MAX: usize = 100;

//------------ Wish ----------------------------------------------------------

/// What an update asks for at one name.
#[derive(Clone, Debug)]
pub struct UpdateWish {
    /// The name.
    pub owner: Name,
    /// The apex.
    pub zone: Name,
    /// The RRsets of the name that would change.
    pub changed: Vec<RrsetEdit>,
    /// The key that signed.
    pub key: String,
    /// For whom: all but kind, name and records is filled in.
    pub application: Application,
}

/// The request of an update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proposed {
    /// Its number.
    pub number: String,
    /// Its state.
    pub state: State,
}

impl Desk {
    /// Makes a request of an update. A repeat of the same update leads to the same request while that is open or
    /// was turned down, and so does another update while one of the same kind from the same office is open for the
    /// name: a client that changes its mind every minute makes one request.
    pub fn propose(&self, wish: &UpdateWish) -> Result<Proposed, ActError> {
        let zone = self.0.register.publisher().zone(&wish.zone);
        let zone = zone.ok_or_else(|| PublishError::NotLoaded(wish.zone.clone()))?;
        let application = application(wish, &zone);
        let mut key_hash = self.0.ledger.vault.tag("update", &identity(wish));
        for _ in 0..BEFORE_MAX {
            let Some(number) = self.sent_before(&key_hash)? else {
                return self.propose_new(&key_hash, wish, application);
            };
            let found = self.proposed(&number)?;
            if found.state.is_open() || found.state == State::Rejected {
                return Ok(found);
            }
            // It was promoted, or given up, and now the same is asked for again.
            key_hash = self.0.ledger.vault.tag("update", &format!("{}{number}", identity(wish)));
        }
        Err(TransitionError::Stale(Stale::NoCandidate).into())
    }

    /// Sends it in as the first of its kind.
    fn propose_new(
        &self,
        key_hash: &str,
        wish: &UpdateWish,
        application: Application,
    ) -> Result<Proposed, ActError> {
        let contact = &application.contact;
        let by = Submitter {
            actor: Actor::applicant(&contact.name, contact.identity(), None),
            mailbox_proven: false,
            proof_of: None,
            network: None,
            letter_on_paper: true,
        };
        let name = wish.owner.as_ref().to_lowercase().to_string();
        let origin = self.origin(&application, &by);
        let open = self.read(|reader| {
            let open = origin.map(|it| reader.same_request(&name, application.kind, &it));
            Ok(open.transpose()?.flatten())
        })?;
        if let Some(number) = open {
            return self.proposed(&number);
        }
        match self.submit_form(key_hash, application, None, &by)? {
            Pressed::Sent(sent) => Ok(Proposed { number: sent.number, state: sent.state }),
            Pressed::Before(number) => self.proposed(&number),
        }
    }

    /// The state of a request.
    fn proposed(&self, number: &str) -> Result<Proposed, ActError> {
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
        Ok(Proposed { number: number.to_owned(), state: stored.request.state() })
    }

    /// Whether the procedure keeps a name out of its zone.
    pub fn is_kept_out(&self, name: &Name) -> Result<bool, ActError> {
        let name = name.as_ref().to_lowercase().to_string();
        let row = self.read(|reader| Ok(reader.live_record(&name)?))?;
        let kept_out = |state| matches!(state, LiveState::Suspended | LiveState::Quarantined);
        Ok(row.is_some_and(|row| kept_out(row.state)))
    }
}

/// What makes two updates the same: key, name and the records asked for.
fn identity(wish: &UpdateWish) -> String {
    let owner = wish.owner.as_ref().to_lowercase();
    let mut lines: Vec<String> = wish
        .changed
        .iter()
        .flat_map(|set| {
            let mut datas: Vec<String> =
                set.rdatas.iter().map(|data| crate::digest::hex(data)).collect();
            datas.sort_unstable();
            [format!("{} {} {}", set.rtype, set.ttl, datas.join(" "))]
        })
        .collect();
    lines.sort_unstable();
    format!("{}\n{owner}\n{}\n", wish.key.to_ascii_lowercase(), lines.join("\n"))
}

/// The application: what is to be served at the name once the update is done.
fn application(wish: &UpdateWish, zone: &Zone) -> Application {
    let is_guard = is_only_guard(zone, &wish.owner);
    let served = if is_guard { Vec::new() } else { served_records(&wish.owner, zone) };
    let stays =
        |record: &&ParsedRecord| !wish.changed.iter().any(|set| set.rtype == record.rtype());
    let mut records: Vec<ParsedRecord> = served.iter().filter(stays).cloned().collect();
    for set in &wish.changed {
        let new = set.rdatas.iter().map(|data| ParsedRecord::served(set.rtype, set.ttl, data));
        records.extend(new);
    }
    let kind = match (served.is_empty(), records.is_empty()) {
        (true, _) => Kind::New,
        (false, true) => Kind::Remove,
        (false, false) => Kind::Change,
    };
    Application {
        kind,
        name: wish.owner.to_string(),
        zone: wish.zone.to_string(),
        records: records.iter().map(|record| record.text().clone()).collect(),
        ..wish.application.clone()
    }
}
