//! What the check sheet is computed from: the zone, the candidate and the probe, looked at before a
//! transaction; the queue, looked at inside it.

use super::around::{RequestContext, neighbours, queue_facts};
use super::probe::ProbeUnderWay;
use super::{ActError, Desk};
use crate::audit::AuditError;
use crate::promote::{Preview, PromotionError};
use crate::publish::is_only_guard;
use crate::queue::automatic::{self, LetterWanted, PROBE_FRESH_MS};
use crate::queue::time::is_recent;
use crate::queue::{
    Act, ActKind, Actor, AutoLine, CandidateFinding, Evidence, Fault, ParsedApplication, Place,
    Probe, Reading, Request, State, ZoneFacts,
};
use crate::register::served_records;
use crate::store::Reader;
use crate::wire::{Name, NameRef, Rtype};
use crate::zone::Zone;

/// Names below that are shown.
const BELOW_SHOWN: usize = 5;
/// CNAME records of the zone that are followed from a target: as many as an answer follows.
const CNAMES_FOLLOWED: usize = 16;

/// What the zone, the candidate and the probe say, gathered before any transaction.
pub(super) struct ZoneEvidence {
    /// The zone as served.
    pub(super) zone: ZoneFacts,
    /// The candidate, if the application makes one.
    pub(super) preview: Option<Preview>,
    /// What the probe said last.
    pub(super) probe: Probe,
}

impl Desk {
    /// Looks at the zone and builds the candidate, if the application parses and makes one.
    pub(super) fn look_outside(
        &self,
        application: &Reading,
        probe: Probe,
    ) -> Result<ZoneEvidence, ActError> {
        let preview = match application.clone().parse() {
            Ok(parsed) => self.preview(&parsed)?,
            Err(_) => None,
        };
        Ok(ZoneEvidence { zone: self.zone_facts(application), preview, probe })
    }

    /// What an application would do to the zone; nothing if the zone cannot take it.
    fn preview(&self, application: &ParsedApplication) -> Result<Option<Preview>, ActError> {
        let register = &self.0.register;
        let live = self.read(|reader| Ok(register.live(reader, application.place())?))?;
        match self.0.promoter.preview_of(application, Some(&live)) {
            Ok(preview) => Ok(Some(preview)),
            Err(PromotionError::Rule(_) | PromotionError::Publish(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What the probe said last about a request, if it is fresh; `Missing` if it has to run.
    pub(super) fn last_probe(&self, request: &Request) -> Result<Probe, ActError> {
        if !self.0.prober.applies(request.application()) {
            return Ok(Probe::Off);
        }
        let kept =
            self.read(|reader| Ok(reader.probe_result(request.number(), request.revision())?))?;
        let fresh = kept.filter(|(at, _)| is_recent(*at, self.now(), PROBE_FRESH_MS));
        let probe = fresh.and_then(|(at, body)| {
            let (claimable, down) = serde_json::from_str(&body).ok()?;
            Some(Probe::Done { at, claimable, down })
        });
        Ok(probe.unwrap_or(Probe::Missing))
    }

    /// The probe an act needs and that has to run first; `act` waits for it, and whoever calls
    /// [`Desk::act_now`] does. None where the act needs none, a result is fresh, or the actor may not do
    /// the act at all.
    pub fn probe_for(
        &self,
        number: &str,
        act: &Act,
        actor: &Actor,
    ) -> Result<Option<ProbeUnderWay>, ActError> {
        let ledger = &self.0.ledger;
        if !matches!(act, Act::Approve { .. }) {
            return Ok(None);
        }
        let (stored, actor) = self.read(|reader| {
            Ok((ledger.expect_request(reader, number)?, ledger.current(reader, actor)?))
        })?;
        let request = &stored.request;
        let fresh = self.last_probe(request)? != Probe::Missing;
        if fresh || request.may(act.kind(), &actor, ledger.now()).is_err() {
            return Ok(None);
        }
        Ok(self.start_probe(request))
    }

    /// Probes the targets of a request that the actor checks, be the last result fresh or not.
    pub fn probe_now(
        &self,
        number: &str,
        actor: &Actor,
    ) -> Result<Option<ProbeUnderWay>, ActError> {
        let ledger = &self.0.ledger;
        let (stored, actor) = self.read(|reader| {
            Ok((ledger.expect_request(reader, number)?, ledger.current(reader, actor)?))
        })?;
        let request = &stored.request;
        request.may(ActKind::Check, &actor, ledger.now())?;
        if !self.0.prober.applies(request.application()) {
            return Ok(None);
        }
        Ok(self.start_probe(request))
    }

    /// Probes in the background, so that the result is there when the verifier opens the request.
    pub(super) fn probe_ahead(&self, request: &Request) {
        match self.last_probe(request) {
            Ok(Probe::Missing) => drop(self.start_probe(request)),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a request is not probed ahead"),
        }
    }

    /// Starts to probe the targets of a request; the result is kept in the database.
    fn start_probe(&self, request: &Request) -> Option<ProbeUnderWay> {
        let (desk, key) = (self.clone(), (request.number().to_owned(), request.revision()));
        let of = key.clone();
        self.0.prober.start(key, request.application(), self.now(), move |probe| {
            if let Err(error) = desk.keep_probe(&of, &probe) {
                tracing::warn!(request = of.0, %error, "the probe was not kept");
            }
        })
    }

    /// Stalls the probe of a request's first revision; for tests of who waits for it.
    #[cfg(test)]
    pub(crate) fn stall_probe(&self, number: &str, held: std::sync::mpsc::Receiver<()>) {
        self.0.prober.stall((number.to_owned(), 1), held);
    }

    /// Keeps what a probe found.
    fn keep_probe(
        &self,
        (number, revision): &(String, u32),
        probe: &Probe,
    ) -> Result<(), ActError> {
        let Probe::Done { at, claimable, down } = probe else { return Ok(()) };
        let body = serde_json::to_string(&(claimable, down))
            .map_err(|error| crate::store::StoreError::Corrupt(error.to_string()))?;
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| Ok(tx.put_probe_result(number, *revision, *at, &body)?))
    }

    /// What the zone as served says about a name; nothing of what is no domain name.
    pub(super) fn zone_facts(&self, application: &Reading) -> ZoneFacts {
        let zone = application.apex().and_then(|apex| self.0.register.publisher().content(apex));
        let Some(zone) = zone else { return ZoneFacts::default() };
        let Some(Place { name, .. }) = application.place() else {
            return ZoneFacts { served: true, ..ZoneFacts::default() };
        };
        let found = zone.lookup(name.as_ref());
        let text = |node: crate::zone::NodeRef<'_>| node.owner().to_string();
        let records = served_records(name, &zone);
        let mut types: Vec<String> =
            records.iter().map(|record| record.rtype().to_string()).collect();
        types.dedup();
        // The record in the place of a name taken out is gapura's own.
        if is_only_guard(&zone, name) {
            types.clear();
        }
        // A delegation of this very name is changed like any other RRset.
        let cut = found.cut().filter(|cut| cut.owner() != name.as_ref());
        let below = zone.below(name.as_ref()).take(BELOW_SHOWN).map(text).collect();
        let wildcard = found.wildcard().filter(|_| found.exact().is_none());
        ZoneFacts {
            served: true,
            types,
            cut: cut.map(text),
            above: names_above(name, &zone),
            below,
            wildcard: wildcard.map(text),
            leads_back: leads_back(application, name, &zone),
        }
    }

    /// The automatic lines of an application.
    pub(super) fn automatic_lines(
        &self,
        reader: &Reader<'_>,
        application: &Reading,
        context: RequestContext<'_>,
        outside: &ZoneEvidence,
    ) -> Result<Vec<AutoLine>, AuditError> {
        self.with_evidence(reader, application, context, outside, |evidence| {
            automatic::lines(application, evidence)
        })
    }

    /// The lines of an application, and what of them stops it at submit and resubmit.
    pub(super) fn lines_and_refusals(
        &self,
        reader: &Reader<'_>,
        application: &Reading,
        context: RequestContext<'_>,
        outside: &ZoneEvidence,
        has_letter: bool,
    ) -> Result<(Vec<AutoLine>, Vec<Fault>), AuditError> {
        self.with_evidence(reader, application, context, outside, |evidence| {
            let lines = automatic::lines(application, evidence);
            let letter = match has_letter {
                _ if evidence.queue.letterless => LetterWanted::No,
                true => LetterWanted::Here,
                false => LetterWanted::Missing,
            };
            let faults = automatic::refusals(application, &lines, evidence.now, letter);
            (lines, faults)
        })
    }

    /// Gathers the evidence and hands it over.
    fn with_evidence<T>(
        &self,
        reader: &Reader<'_>,
        application: &Reading,
        context: RequestContext<'_>,
        outside: &ZoneEvidence,
        with: impl FnOnce(&Evidence<'_>) -> T,
    ) -> Result<T, AuditError> {
        let queue = queue_facts(&self.0.register, reader, application, context, &outside.zone)?;
        let neighbours = neighbours(&self.0.register, reader, application)?;
        let findings = outside.preview.as_ref().map(candidate_findings);
        let settings = self.settings();
        Ok(with(&Evidence {
            now: self.now(),
            naming: &settings.naming,
            targets: &settings.targets,
            zone: &outside.zone,
            queue: &queue,
            neighbours: &neighbours,
            probe: &outside.probe,
            findings: findings.as_deref(),
            party_confirmed: context.agreement.is_some(),
            mailbox_proven: context.mailbox_proven,
        }))
    }
}

/// The findings a candidate adds.
fn candidate_findings(preview: &Preview) -> Vec<CandidateFinding> {
    let one = |finding: &crate::master::Finding| CandidateFinding {
        error: finding.is_error(),
        text: format!("{}: {}", finding.rule, finding.message),
    };
    preview.candidate.findings.iter().map(one).collect()
}

/// The target of a CNAME from which the zone's own CNAME records lead back to the name: nobody would
/// ever get an answer.
fn leads_back(application: &Reading, name: &Name, zone: &Zone) -> Option<String> {
    let asked = application.parsed_records().map(|(_, record)| record);
    let target = asked.filter(|record| record.rtype() == Rtype::CNAME).flat_map(|it| it.targets());
    let target = target.last()?;
    let mut here = target.clone();
    for _ in 0..CNAMES_FOLLOWED {
        let next = zone.rrset(here.as_ref(), Rtype::CNAME)?;
        here = Name::from_wire(next.first()).ok()?.0.as_ref().to_lowercase();
        if here == *name {
            return Some(target.to_string());
        }
    }
    None
}

/// The names above a name, below the apex, that have records.
fn names_above(name: &Name, zone: &Zone) -> Vec<String> {
    let apex = zone.apex();
    let above = std::iter::successors(name.as_ref().parent(), |name| name.parent());
    let above = above.take_while(|above| *above != apex).map(NameRef::to_name);
    above
        .filter(|above| !served_records(above, zone).is_empty() && !is_only_guard(zone, above))
        .map(|above| above.to_string())
        .collect()
}

/// Whether the verifier has the request in hand, so that fresh lines are worth computing.
pub(super) fn is_in_hand(request: &Request) -> bool {
    matches!(
        request.state(),
        State::Submitted | State::Assigned | State::Verified | State::PromotionFailed
    )
}
