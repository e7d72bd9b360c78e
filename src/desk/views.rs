//! Shows a request to a viewer (docs/procedure.md).

use serde::de::DeserializeOwned;

use super::around::RequestContext;
use super::evidence::is_in_hand;
use super::papers::{About, papers};
use super::{ActError, Desk};
use crate::audit::was_turned_back;
use crate::ledger::Stored;
use crate::promote::{Plan, Proof, Reached};
use crate::queue::{ActKind, Actor, Request, State};
use crate::store::events::Event;
use crate::store::{Reader, StoreError};
use crate::view::{
    CandidateView, HistoryView, NoticeView, ObservationView, ProofView, RequestView, RevisedView,
    SecondaryView, Sees, rfc3339,
};
use crate::wire::{Record, rdata};

//------------ Viewer --------------------------------------------------------

/// Who looks.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// An officer.
    Officer(Actor),
    /// The applicant, who has proven the secret.
    Applicant,
}

impl Viewer {
    /// What they may see of persons.
    pub(super) fn sees(&self, now: i64) -> Option<Sees> {
        match self {
            Self::Applicant => Some(Sees::Applicant),
            Self::Officer(actor) => Sees::of_officer(actor, now),
        }
    }

    /// The acts they may do on a request now.
    fn offered(&self, request: &Request, now: i64) -> Vec<ActKind> {
        match self {
            Self::Applicant => request.offers(&applicant_of(request), now),
            Self::Officer(actor) => request.offers(actor, now),
        }
    }
}

/// The applicant of a request as an actor, once the secret is proven.
fn applicant_of(request: &Request) -> Actor {
    let contact = &request.application().contact;
    Actor::applicant(&contact.name, contact.identity(), Some(request.number()))
}

impl Desk {
    /// A request as somebody may see it.
    pub fn view(&self, number: &str, viewer: &Viewer) -> Result<RequestView, ActError> {
        let now = self.now();
        let sees = viewer.sees(now).ok_or(ActError::NotAllowed)?;
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
        let acts = viewer.offered(&stored.request, now);
        Ok(RequestView { acts, ..self.view_of(stored, sees)? })
    }

    /// A page of the events of a request, for officers: so many after a sequence, and whether more follow.
    pub fn history_of(
        &self,
        number: &str,
        (after, limit): (i64, usize),
        actor: &Actor,
    ) -> Result<(Vec<HistoryView>, bool), ActError> {
        let sees = Sees::of_officer(actor, self.now()).ok_or(ActError::NotAllowed)?;
        self.read(|reader| {
            reader.request(number)?.ok_or(ActError::NotFound)?;
            let mut events = reader.page_of(&format!("request:{number}"), after, limit + 1)?;
            let more = events.len() > limit;
            events.truncate(limit);
            Ok((shown(reader, events, sees)?, more))
        })
    }

    /// A request for the actor who just did something on it.
    pub(super) fn view_for(&self, number: &str, actor: &Actor) -> Result<RequestView, ActError> {
        let viewer = if actor.is_officer(self.now()) {
            Viewer::Officer(actor.clone())
        } else {
            Viewer::Applicant
        };
        self.view(number, &viewer)
    }

    /// The status page: number and secret, and one answer for any mismatch. Opening it delivers the
    /// notices of the request.
    pub fn status(&self, number: &str, secret: &str) -> Result<RequestView, ActError> {
        let number = self.prove(number, secret)?;
        self.deliver_by_status(&number)?;
        self.view(&number, &Viewer::Applicant)
    }

    /// The applicant of a request as an actor, by number and secret.
    pub fn applicant(&self, number: &str, secret: &str) -> Result<Actor, ActError> {
        let number = self.prove(number, secret)?;
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, &number)?))?;
        Ok(applicant_of(&stored.request))
    }

    /// Compares a secret in constant time; the same work is done for a number nobody has.
    fn prove(&self, number: &str, secret: &str) -> Result<String, ActError> {
        let number = number.trim().to_uppercase();
        let row = self.read(|reader| Ok(reader.request(&number)?))?;
        let known = row.and_then(|(row, _)| row.secret_hash).unwrap_or_default();
        let given = self.secret_hash(&number, secret);
        let same: bool = subtle::ConstantTimeEq::ct_eq(known.as_bytes(), given.as_bytes()).into();
        if same { Ok(number) } else { Err(ActError::NotFound) }
    }

    /// The whole view.
    fn view_of(&self, stored: Stored, sees: Sees) -> Result<RequestView, ActError> {
        let ledger = &self.0.ledger;
        let Stored { mut request, .. } = stored;
        let number = request.number().to_owned();
        let mut candidate = None;
        if sees.is_officer() && is_in_hand(&request) {
            let outside = self.look_outside(request.application(), self.last_probe(&request)?)?;
            if request.state() == State::Assigned {
                let automatic = self.read(|reader| {
                    let standing = RequestContext::of(&request);
                    Ok(self.automatic_lines(reader, request.application(), standing, &outside)?)
                })?;
                request = request.with_automatic(automatic);
            }
            candidate = outside.preview.as_ref().map(|preview| CandidateView {
                hash: preview.candidate.hash(),
                serial: preview.candidate.serial,
                removed: preview.candidate.delta.removed.iter().map(text).collect(),
                added: preview.candidate.delta.added.iter().map(text).collect(),
                findings: preview.candidate.findings.iter().map(ToString::to_string).collect(),
            });
        }
        let calendar = ledger.calendar();
        let now = self.now();
        let timing = request.timing(now, &calendar, &ledger.rules);
        let mut view = RequestView::of(&request, sees, timing, now);
        view.candidate = candidate;
        if let Some(open) = view.questions.last_mut().filter(|question| question.open) {
            let asked = request.questions().last().map_or(now, |question| question.asked.at);
            let days = ledger.rules.ask_days * ledger.rules.working_day;
            open.until = Some(rfc3339(calendar.add(asked, days)));
        }
        self.read(|reader| {
            if sees.is_officer() && request.revision() > 1 {
                let before = ledger.revision(reader, &number, request.revision() - 1)?;
                let revised = before.map(|it| RevisedView::all(&it, request.application(), sees));
                view.revised = revised.unwrap_or_default();
            }
            if let Some(row) = reader.promotion_of(&number)? {
                view.proof = row.proof.as_deref().map(proof).transpose()?;
                if view.candidate.is_none() && sees.is_officer() {
                    view.candidate = committed(&request, &row.plan)?;
                }
            }
            let notices = reader.notices_of(&number)?;
            for row in notices.iter().filter(|row| sees.is_officer() || row.to_applicant) {
                view.notices.push(NoticeView::of(&ledger.open_notice(reader, row)?, sees));
            }
            view.papers = papers(reader, About::Request(&number), sees)?;
            let live = ledger.live(reader, request.application().place())?;
            let asked = live.question.as_ref().is_some_and(|it| it.request.is_none());
            view.asks_owner =
                asked && !sees.is_officer() && live.contact_request() == Some(&number);
            view.history = history(reader, &format!("request:{number}"), sees)?;
            Ok(view)
        })
    }
}

/// A record as master file text.
fn text(record: &Record) -> String {
    let data = rdata::to_text(record.rtype, &record.rdata);
    format!("{} {} IN {} {data}", record.owner, record.ttl, record.rtype)
}

/// The stored proof as shown.
fn proof(json: &str) -> Result<ProofView, StoreError> {
    let proof: Proof = kept(json, "a proof")?;
    let asked = |asked: crate::publish::Observation| ObservationView {
        server: asked.server,
        transport: asked.transport,
        at: asked.at,
        question: asked.question,
        rcode: asked.rcode,
        answer: asked.answer,
        sha256: asked.sha256,
    };
    let secondary = |it: Reached| SecondaryView {
        name: it.name,
        address: it.address,
        serial: it.serial,
        in_time: it.in_time,
    };
    Ok(ProofView {
        before: proof.before.map(asked),
        after: proof.after.map(asked),
        serial: proof.serial,
        asked: proof.asked.into_iter().map(asked).collect(),
        dig: proof.dig,
        secondaries: proof.secondaries.into_iter().map(secondary).collect(),
        lingers: proof.lingers,
    })
}

/// What was promoted, for a request that has no candidate any more.
fn committed(request: &Request, plan: &str) -> Result<Option<CandidateView>, StoreError> {
    let plan: Plan = kept(plan, "a promotion's plan")?;
    Ok(request.approval().map(|approval| CandidateView {
        hash: approval.candidate.clone(),
        serial: approval.serial,
        removed: plan.removed_lines(),
        added: plan.added_lines(),
        findings: Vec::new(),
    }))
}

/// A value that the database keeps as JSON.
fn kept<T: DeserializeOwned>(json: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

/// The events of a subject.
pub(super) fn history(
    reader: &Reader<'_>,
    subject: &str,
    sees: Sees,
) -> Result<Vec<HistoryView>, ActError> {
    shown(reader, reader.events_of(subject)?, sees)
}

/// Events as they are shown.
fn shown(
    reader: &Reader<'_>,
    events: Vec<Event>,
    sees: Sees,
) -> Result<Vec<HistoryView>, ActError> {
    let mut names = std::collections::BTreeMap::new();
    let mut views = Vec::new();
    for event in events {
        // Applicants do not see officers' refused attempts.
        if !sees.is_officer() && was_turned_back(&event) {
            continue;
        }
        if !names.contains_key(&event.person) {
            let name = reader.person(&event.person)?.map(|person| person.name);
            names.insert(event.person.clone(), name);
        }
        let who = names.get(&event.person).cloned().flatten();
        let mut facts = event.payload;
        facts.remove(crate::audit::ROW_LOG);
        // To whom it was routed is kept by person id: officers read the name, applicants the role.
        if let Some(person) = facts.remove("to")
            && sees.is_officer()
        {
            let name = reader.person(&person)?.map_or(person, |person| person.name);
            facts.insert("to".to_owned(), name);
        }
        views.push(HistoryView {
            sequence: event.sequence,
            at: rfc3339(event.at_ms),
            act: event.act,
            role: event.role,
            who: who.filter(|_| sees.is_officer()),
            before: event.before,
            after: event.after,
            revision: event.revision,
            facts,
            hash: event.hash,
        });
    }
    Ok(views)
}
