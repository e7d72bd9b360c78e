//! A request made of an UPDATE (RFC 2136): a key that may only propose sends it in, for the office that the
//! settings name.
//!
//! It is a request like others: routed, checked, approved by persons. What an UPDATE does not have comes from
//! the settings; the letter is on paper, and the sheet says that it is not here.

use std::collections::BTreeSet;

use super::{ActError, Desk, Pressed, Submitted, Submitter};
use crate::publish::{PublishError, RrsetEdit, is_only_guard};
use crate::queue::fault::Stale;
use crate::queue::{
    Actor, Application, Kind, LiveState, ParsedRecord, Request, RequestedRecord, State,
    TransitionError,
};
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
    /// Whether it asks for all that the update does; if not, that is in no request.
    pub holds_all: bool,
}

impl Desk {
    /// Makes a request of an update. A repeat of the same update leads to the same request while that is open or
    /// was turned down. Another update of the name, while the request of an earlier one is open, is its correction
    /// where one was asked for; otherwise the open request is named, and that the update is not in it.
    pub fn propose(&self, wish: &UpdateWish) -> Result<Proposed, ActError> {
        let zone = self.0.register.publisher().content(&wish.zone);
        let zone = zone.ok_or_else(|| PublishError::NotLoaded(wish.zone.clone()))?;
        let application = application(wish, &zone);
        let mut key_hash = self.0.ledger.vault.tag("update", &identity(wish));
        for _ in 0..BEFORE_MAX {
            let Some(number) = self.sent_before(&key_hash)? else {
                return self.propose_new(&key_hash, wish, application);
            };
            let request = self.request_of_update(&number)?;
            if request.state().is_open() {
                return self.propose_into(&request, &key_hash, wish, application);
            }
            if request.state() == State::Rejected && holds_all(wish, &request) {
                return Ok(Proposed { number, state: State::Rejected, holds_all: true });
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
            // Of whatever kind: it may have become another one since.
            let Some(origin) = &origin else { return Ok(None) };
            let mut kinds = [Kind::New, Kind::Change, Kind::Remove].into_iter();
            Ok(kinds
                .find_map(|kind| reader.same_request(&name, kind, origin).transpose())
                .transpose()?)
        })?;
        if let Some(number) = open {
            let request = self.request_of_update(&number)?;
            return self.propose_into(&request, key_hash, wish, application);
        }
        match self.submit_form(key_hash, application, None, &by)? {
            Pressed::Sent(Submitted { number, state, .. }) => {
                Ok(Proposed { number, state, holds_all: true })
            }
            Pressed::Before(number) => {
                let request = self.request_of_update(&number)?;
                Ok(Proposed {
                    number,
                    state: request.state(),
                    holds_all: holds_all(wish, &request),
                })
            }
        }
    }

    /// Proposes it while a request of the name is open: the update corrects one that was sent back, and
    /// changes nothing in one that officers have before them.
    fn propose_into(
        &self,
        request: &Request,
        key_hash: &str,
        wish: &UpdateWish,
        application: Application,
    ) -> Result<Proposed, ActError> {
        let number = request.number().to_owned();
        if let Some(corrected) = self.corrected(request, wish, application)? {
            let contact = &corrected.contact;
            let by = Actor::applicant(&contact.name, contact.identity(), Some(&number));
            let view = self.resubmit(&number, corrected, None, &by)?;
            self.0.ledger.store.write(|tx| tx.use_form_key(key_hash, &number, self.now()))?;
            return Ok(Proposed { number, state: view.summary.state, holds_all: true });
        }
        Ok(Proposed { number, state: request.state(), holds_all: holds_all(wish, request) })
    }

    /// What a request that was sent back asks for with an update on top of it. None if it was not sent back, if
    /// persons made it, or if there is nothing to correct.
    fn corrected(
        &self,
        request: &Request,
        wish: &UpdateWish,
        application: Application,
    ) -> Result<Option<Application>, ActError> {
        let before = request.application();
        // What persons send has a letter, theirs or the one that an officer keyed in.
        let is_of_update = before.letter.sha256.is_none() && request.keyed_in_by().is_empty();
        let is_back = request.state() == State::NeedsCorrection;
        if !is_back || !is_of_update || before.kind != application.kind {
            return Ok(None);
        }
        let records = with_changed(before.rrs(), wish);
        let application = Application { records, ..application };
        let is_new = self.read_application(application.clone())? != **before;
        Ok(is_new.then_some(application))
    }

    /// A request by its number.
    fn request_of_update(&self, number: &str) -> Result<Request, ActError> {
        Ok(self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?.request)
    }

    /// Whether the procedure keeps a name out of its zone: itself, or the name it lies below. Data below a name that
    /// was taken out would bring it back as an empty one, and an `_acme-challenge` there a certificate for it. The
    /// nearest name that has a record decides.
    pub fn is_kept_out(&self, name: &Name) -> Result<bool, ActError> {
        let lower = name.as_ref().to_lowercase();
        let kept_out = |state| matches!(state, LiveState::Suspended | LiveState::Quarantined);
        self.read(|reader| {
            let mut at = Some(lower.as_ref());
            while let Some(name) = at.filter(|name| !name.is_root()) {
                let row = reader.live_record(&name.to_string())?;
                if let Some(row) = row.filter(|row| row.state != LiveState::Free) {
                    return Ok(kept_out(row.state));
                }
                at = name.parent();
            }
            Ok(false)
        })
    }
}

/// What makes two updates the same: key, name and the records asked for.
fn identity(wish: &UpdateWish) -> String {
    let owner = wish.owner.as_ref().to_lowercase();
    let mut lines: Vec<String> = wish
        .changed
        .iter()
        .map(|set| {
            let mut datas: Vec<String> =
                set.rdatas.iter().map(|data| crate::digest::hex(data)).collect();
            datas.sort_unstable();
            format!("{} {} {}", set.rtype, set.ttl, datas.join(" "))
        })
        .collect();
    lines.sort_unstable();
    format!("{}\n{owner}\n{}\n", wish.key.to_ascii_lowercase(), lines.join("\n"))
}

/// The application: what is to be served at the name once the update is done.
fn application(wish: &UpdateWish, zone: &Zone) -> Application {
    let is_guard = is_only_guard(zone, &wish.owner);
    let served = if is_guard { Vec::new() } else { served_records(&wish.owner, zone) };
    let records = with_changed(served.iter(), wish);
    let kind = match (served.is_empty(), records.is_empty()) {
        (true, _) => Kind::New,
        (false, true) => Kind::Remove,
        (false, false) => Kind::Change,
    };
    Application {
        kind,
        name: wish.owner.to_string(),
        zone: wish.zone.to_string(),
        records,
        ..wish.application.clone()
    }
}

/// The records of a name with those of the changed types in the place of what there is.
fn with_changed<'a>(
    before: impl Iterator<Item = &'a ParsedRecord>,
    wish: &UpdateWish,
) -> Vec<RequestedRecord> {
    let stays =
        |record: &&ParsedRecord| !wish.changed.iter().any(|set| set.rtype == record.rtype());
    let kept = before.filter(stays).map(|record| record.text().clone());
    let new = wish.changed.iter().flat_map(|set| {
        let served = |data: &[u8]| ParsedRecord::served(set.rtype, set.ttl, data);
        set.rdatas.iter().map(move |data| served(data).text().clone())
    });
    kept.chain(new).collect()
}

/// Whether a request asks for all that an update changes.
fn holds_all(wish: &UpdateWish, request: &Request) -> bool {
    wish.changed.iter().all(|set| {
        let of_type = request.application().rrs().filter(|record| record.rtype() == set.rtype);
        let asked: BTreeSet<_> = of_type.map(|record| (record.ttl(), record.rdata())).collect();
        let wished: BTreeSet<_> = set.rdatas.iter().map(|data| (set.ttl, &**data)).collect();
        asked == wished
    })
}
