//! The acts on a request: one function for pages, API and command line.

use super::around::RequestContext;
use super::evidence::ZoneEvidence;
use super::{ActError, Desk, Terms};
use crate::ledger::Stored;
use crate::queue::automatic::Probe;
use crate::queue::fault::Stale;
use crate::queue::procedure::Phase;
use crate::queue::sheet::AutoLine;
use crate::queue::{
    Act, Actor, Candidate, Deed, Facts, PromotionFault, Request, Stage, State, Subject,
    TransitionError,
};
use crate::view::RequestView;

impl Desk {
    /// Performs an act and returns the request as the actor may see it, after the probe it may need.
    /// Repeating an act returns the first result.
    pub fn act(&self, number: &str, act: &Act, actor: &Actor) -> Result<RequestView, ActError> {
        if let Some(probe) = self.probe_for(number, act, actor)? {
            probe.wait();
        }
        self.act_now(number, act, actor)
    }

    /// Performs an act without waiting for anybody outside: what the probe has not seen by now is
    /// missing on the check sheet.
    pub fn act_now(&self, number: &str, act: &Act, actor: &Actor) -> Result<RequestView, ActError> {
        self.act_on(number, act, actor, &Terms::default())
    }

    /// The same, on terms.
    pub fn act_on(
        &self,
        number: &str,
        act: &Act,
        actor: &Actor,
        terms: &Terms,
    ) -> Result<RequestView, ActError> {
        let act = &act.clone().cleaned();
        if let Some(view) = self.acted_before(number, actor, terms.once.as_ref())? {
            return Ok(view);
        }
        let stored = self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
        let now = self.now();
        if stored.request.already(act, actor, now) {
            self.go_on(&stored.request, actor)?;
            return self.view_for(number, actor);
        }
        terms.hold(&stored.request)?;
        if let Act::Promote {} = act {
            self.promote_later(&stored.request, actor)?;
            return self.view_for(number, actor);
        }
        let outside = self.outside_of(&stored.request, act)?;
        match self.transact(number, act, actor, outside.as_ref(), terms) {
            Ok(Some(request)) => {
                self.follow_up(act, &request, actor)?;
                self.view_for(number, actor)
            }
            Ok(None) => self.view_for(number, actor),
            Err(ActError::Rule(error)) => {
                // Of two presses at the same time one comes second here.
                let now_is =
                    self.read(|reader| Ok(self.0.ledger.expect_request(reader, number)?))?;
                if now_is.request.already(act, actor, self.now()) {
                    self.go_on(&now_is.request, actor)?;
                    return self.view_for(number, actor);
                }
                let deed = act.kind().row().deed;
                let subject = Subject::Request(number.to_owned());
                self.log_turned_back(actor, deed, subject, &error)?;
                // An approval that no second signature can carry any more goes back to be checked.
                if let (
                    Act::Countersign { .. },
                    TransitionError::Stale(stale @ (Stale::Signer { .. } | Stale::Line { .. })),
                ) = (act, &error)
                {
                    self.0.promoter.reopen_stale(number, stale)?;
                }
                Err(error.into())
            }
            Err(error) => Err(error),
        }
    }

    /// What an act must have looked at before its transaction.
    fn outside_of(&self, request: &Request, act: &Act) -> Result<Option<ZoneEvidence>, ActError> {
        let probe = match act {
            Act::Approve { .. }
            | Act::Check { .. }
            | Act::Reject { .. }
            | Act::Return { .. }
            | Act::Countersign { .. }
            | Act::Retry {} => self.last_probe(request)?,
            _ => return Ok(None),
        };
        self.look_outside(request.application(), probe).map(Some)
    }

    /// The one transaction of an act; nothing if the same call has done it before.
    fn transact(
        &self,
        number: &str,
        act: &Act,
        actor: &Actor,
        outside: Option<&ZoneEvidence>,
        terms: &Terms,
    ) -> Result<Option<Request>, ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let now = ledger.now();
        ledger.store.write(|tx| {
            if self.has_acted(tx, number, terms.once.as_ref())? {
                return Ok(None);
            }
            let stored = ledger.expect_request(tx, number)?;
            terms.hold(&stored.request)?;
            let actor = ledger.current(tx, actor)?;
            let assignee = match act {
                Act::Dispose { to, .. } | Act::Reassign { to, .. } => ledger.actor_named(tx, to)?,
                _ => None,
            };
            let standing = RequestContext::of(&stored.request);
            let automatic = outside
                .map(|outside| {
                    self.automatic_lines(tx, stored.request.application(), standing, outside)
                })
                .transpose()?;
            let candidate: Option<Candidate> =
                outside.and_then(|outside| outside.preview.as_ref()).map(|preview| preview.bound());
            let signers = ledger.signers(tx, &stored.request)?;
            let facts = Facts {
                signers: &signers,
                assignee: assignee.as_ref(),
                automatic: automatic.as_deref(),
                candidate: candidate.as_ref(),
                ..ledger.facts(now, &calendar)
            };
            let Stored { request, row } = stored;
            let step = request.act(act, &actor, &facts)?;
            let request = ledger.apply_on(tx, &row, step, candidate.as_ref())?;
            self.keep_made(tx, terms.once.as_ref(), number, None)?;
            if let Act::Notified { how } = act {
                self.handle_notices(tx, &request, &actor, how)?;
            }
            if self.is_ready(&request, now) {
                // The promotion follows at once: its checkpoint rides on this commit.
                ledger.notary.checkpoint(tx, now)?;
            }
            Ok(Some(request))
        })
    }

    /// What an act brings about after its transaction.
    fn follow_up(&self, act: &Act, request: &Request, actor: &Actor) -> Result<(), ActError> {
        match act {
            Act::Approve { .. } | Act::Countersign { .. } | Act::Retry {} => {
                self.go_on(request, actor)
            }
            Act::Dispose { .. } | Act::Reassign { .. } => {
                self.probe_ahead(request);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Promotes a request that nothing holds back any more: in the name of the verifier who acted,
    /// otherwise of gapura.
    fn go_on(&self, request: &Request, actor: &Actor) -> Result<(), ActError> {
        if !self.is_ready(request, self.now()) {
            return Ok(());
        }
        let mine = request.holder().is_some_and(|holder| holder.identity.same(&actor.identity));
        let by = if mine { actor.clone() } else { Actor::system() };
        self.promote(request, &by, None)
    }

    /// Whether a request is to be promoted without another press.
    pub(super) fn is_ready(&self, request: &Request, now: i64) -> bool {
        let Stage::Verified(stage) = request.stage() else { return false };
        let nothing_missing = request.phase(now) == Phase::Verified;
        stage.promoting.is_some() || (self.settings().promote_with_approval && nothing_missing)
    }

    /// *Tayangkan* some time after the approval: what the officers signed must still be so.
    pub(super) fn promote_later(&self, request: &Request, actor: &Actor) -> Result<(), ActError> {
        let outside = self.look_outside(request.application(), Probe::Off)?;
        let lines = self.read(|reader| {
            let context = RequestContext::of(request);
            Ok(self.automatic_lines(reader, request.application(), context, &outside)?)
        })?;
        self.promote(request, actor, Some(&lines))
    }

    /// *Tayangkan*, and what becomes of a promotion that could not begin.
    fn promote(
        &self,
        request: &Request,
        actor: &Actor,
        automatic: Option<&[AutoLine]>,
    ) -> Result<(), ActError> {
        let number = request.number();
        match self.0.promoter.promote(request, actor, automatic).map_err(ActError::from) {
            Ok(()) => Ok(()),
            Err(ActError::Rule(error)) => {
                let subject = Subject::Request(number.to_owned());
                self.log_turned_back(actor, Deed::Promote, subject, &error)?;
                Err(error.into())
            }
            Err(error @ (ActError::Publish(_) | ActError::NoServer)) => {
                tracing::error!(request = number, %error, "the promotion could not begin");
                self.could_not_begin(number, &error)
            }
            Err(error) => Err(error),
        }
    }

    /// GAGAL_TAYANG before anything was committed: the zone is as it was.
    pub(super) fn could_not_begin(&self, number: &str, error: &ActError) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        let fault = PromotionFault {
            step: "commit".to_owned(),
            question: String::new(),
            expected: "the change committed".to_owned(),
            found: error.to_string(),
        };
        ledger.store.write(|tx| {
            let stored = ledger.expect_request(tx, number)?;
            let begun = matches!(stored.request.stage(),
                Stage::Verified(stage) if stage.promoting.is_some());
            if begun || stored.request.state() != State::Verified {
                return Ok(());
            }
            let facts = ledger.facts(ledger.now(), &calendar);
            let step = stored.request.promotion_failed(fault, &facts)?;
            ledger.apply(tx, &stored.row, step)?;
            Ok(())
        })
    }

    /// Which request a party's link is about, and the actor it makes; none if it cannot be used.
    pub fn party_link(&self, token: &str) -> Result<Option<(String, Actor)>, ActError> {
        self.read(|reader| Ok(self.0.ledger.party_of_link(reader, token)?))
    }
}
