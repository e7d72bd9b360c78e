//! What the check sheet is computed from: the zone, the candidate and the probe, looked at before a
//! transaction; the queue, looked at inside it.

use std::collections::BTreeMap;

use super::probe::ProbeUnderWay;
use super::{ActError, Desk};
use crate::audit::AuditError;
use crate::ledger::Ledger;
use crate::promote::{Preview, PromotionError};
use crate::publish::is_only_guard;
use crate::queue::automatic::{self, PROBE_FRESH_MS};
use crate::queue::regions::same_office;
use crate::queue::person::same_mailbox;
use crate::queue::request::Question;
use crate::queue::similar::{alike, likeness, resemble};
use crate::queue::time::is_recent;
use crate::queue::{
    Act, Actor, AutoLine, CandidateFinding, Evidence, Fault, Kind, LiveRecord, LiveState,
    NamingClass, Neighbour, ParsedApplication, Place, Probe, QueueFacts, Reading, Request, Role,
    State, ZoneFacts,
};
use crate::register::{Register, served_records};
use crate::store::Reader;
use crate::wire::{Name, NameRef, Rtype};
use crate::zone::Zone;

/// Names below that are shown.
const BELOW_SHOWN: usize = 5;
/// CNAME records of the zone that are followed from a target: as many as an answer follows.
const CNAMES_FOLLOWED: usize = 16;
/// Names of a zone up to which a new one is compared with those of the operator's file. A zone of a
/// registry is not an office's.
const COMPARED_MAX: usize = 20_000;
/// Names of the same office that are shown.
const NAMES_SHOWN: usize = 10;

/// What the zone, the candidate and the probe say, gathered before any transaction.
pub(super) struct ZoneEvidence {
    /// The zone as served.
    pub(super) zone: ZoneFacts,
    /// The candidate, if the application makes one.
    pub(super) preview: Option<Preview>,
    /// What the probe said last.
    pub(super) probe: Probe,
}

/// What the lines need to know of a request besides its application.
#[derive(Clone, Copy)]
pub(super) struct RequestContext<'a> {
    /// The request's number; none before it has one.
    pub(super) number: Option<&'a str>,
    /// Whether the mailbox is proven.
    pub(super) mailbox_proven: bool,
    /// The question to which another party has agreed.
    pub(super) agreement: Option<&'a Question>,
    /// When an officer first took it; now, if an officer sends it in.
    pub(super) taken: Option<i64>,
    /// When it came in; none if it does now.
    pub(super) submitted: Option<i64>,
    /// Whether an officer keyed in a letter.
    pub(super) keyed_in: bool,
}

impl<'a> RequestContext<'a> {
    /// Of a request.
    pub(super) fn of(request: &'a Request) -> Self {
        Self {
            number: Some(request.number()),
            mailbox_proven: request.mailbox_proven(),
            agreement: request.agreement(),
            taken: request.taken_at(),
            submitted: Some(request.submitted_at()),
            keyed_in: !request.keyed_in_by().is_empty(),
        }
    }

    /// Of one that an actor sends in now.
    pub(super) fn new(mailbox_proven: bool, actor: Option<&Actor>, now: i64) -> Self {
        let taken = actor.filter(|actor| actor.is_officer(now)).map(|_| now);
        Self {
            number: None,
            mailbox_proven,
            agreement: None,
            taken,
            submitted: None,
            keyed_in: taken.is_some(),
        }
    }
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
        let zone = application.apex().and_then(|apex| self.0.register.publisher().zone(apex));
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
        let lines = self.automatic_lines(reader, application, context, outside)?;
        let faults = automatic::refusals(application, &lines, self.now(), has_letter);
        Ok((lines, faults))
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

/// What the queue and the live records say about a name.
fn queue_facts(
    register: &Register,
    reader: &Reader<'_>,
    application: &Reading,
    context: RequestContext<'_>,
    zone: &ZoneFacts,
) -> Result<QueueFacts, AuditError> {
    let Some(place) = application.place() else {
        let names_of_office = names_of_office(reader, application, "")?;
        return Ok(QueueFacts { names_of_office, ..QueueFacts::default() });
    };
    let name = place.name.to_string();
    let live = register.live(reader, place)?;
    // A new one comes after all that are there.
    let number = context.number.unwrap_or("~");
    let mine = live.is_held_for(number);
    let (taken, submitted) = match context.taken {
        Some(taken) => (taken, i64::MIN),
        None => (i64::MAX, context.submitted.unwrap_or(i64::MAX)),
    };
    let mut other_request = None;
    if !mine {
        other_request = reader.blocking_request(&name, number, taken, submitted)?;
        // Of two taken in the same moment, the one that holds the name goes first.
        if other_request.is_none()
            && let Some(holder) = live.holder()
            && reader.request(holder)?.is_some_and(|(row, _)| row.taken_ms.is_some())
        {
            other_request = Some(holder.to_owned());
        }
    }
    let conflicts = match (&application.inverse_of, &live.request) {
        (Some(undone), Some(newest)) if application.kind == Kind::Change && undone != newest => {
            vec![newest.clone()]
        }
        _ => Vec::new(),
    };
    let (parent, unowned_above) = owners_above(register, reader, place, zone)?;
    let touched = match application.kind {
        Kind::New => parent.as_ref(),
        _ => Some(&live).filter(|live| is_promised(live) && !live.office.is_empty()),
    };
    let unproven = match touched {
        Some(owned) if !speaks_for(register.ledger(), reader, application, context, owned)? => {
            Some(owned.name.to_string())
        }
        _ => None,
    };
    let unowned = match application.kind {
        Kind::New => unowned_above.or_else(|| proves_nothing_live(application, parent.as_ref())),
        _ => (is_promised(&live) && live.office.is_empty()).then_some(name.clone()),
    };
    Ok(QueueFacts {
        live: (live.state() != LiveState::Free && !mine).then(|| live.state()),
        owner: live.office.clone(),
        other_request,
        quarantined_until: live.quarantined_until,
        names_of_office: names_of_office(reader, application, &name)?,
        parent: parent.map(|live| (live.name.to_string(), live.office)),
        unowned,
        unproven,
        rollback_conflicts: conflicts,
    })
}

/// The name that an `_acme-challenge` would give its applicant certificates for, while nothing is live there.
fn proves_nothing_live(application: &Reading, parent: Option<&LiveRecord>) -> Option<String> {
    let (label, above) = application.name.split_once('.').unwrap_or((&application.name, "@"));
    let is_challenge = label.eq_ignore_ascii_case("_acme-challenge");
    let is_live = parent.is_some_and(|parent| parent.state().is_served());
    (is_challenge && !is_live).then(|| above.to_owned())
}

/// Whether a request shows that the office that owns a name is for it: that office agreed, or the request is
/// its own and comes from its mailbox or from an officer with a letter. The office's name alone proves
/// nothing: the public list prints it. Another office's request that nobody agreed to is A9's own fault.
fn speaks_for(
    ledger: &Ledger,
    reader: &Reader<'_>,
    application: &Reading,
    context: RequestContext<'_>,
    owned: &LiveRecord,
) -> Result<bool, AuditError> {
    let own = same_office(&owned.office, &application.office);
    if (own && context.keyed_in) || (!own && context.agreement.is_none()) {
        return Ok(true);
    }
    // What the verifier keys in alone, or a mailbox that they chose, is one person's word.
    let answered = context.agreement.and_then(|question| question.answered.as_ref());
    if answered.is_some_and(|by| by.role == Role::Head) {
        return Ok(true);
    }
    let Some(number) = &owned.request else { return Ok(false) };
    let stored = ledger.request(reader, number)?;
    let recorded = stored.map(|stored| stored.request.application().contact.email.clone());
    let Some(recorded) = recorded.filter(|email| !email.trim().is_empty()) else {
        return Ok(false);
    };
    let is_recorded = |email: &str| same_mailbox(email, &recorded);
    let by_link = answered.is_some_and(|by| by.role == Role::Applicant);
    let party = context.agreement.filter(|_| by_link);
    Ok(party.is_some_and(|question| is_recorded(&question.email))
        || (own && context.mailbox_proven && is_recorded(&application.contact.email)))
}

/// The other names of an office that is held to one, a few of them.
fn names_of_office(
    reader: &Reader<'_>,
    application: &Reading,
    name: &str,
) -> Result<Vec<String>, AuditError> {
    if application.class != NamingClass::PerangkatDaerah {
        return Ok(Vec::new());
    }
    let class = application.class;
    Ok(reader.names_of_office(&application.office, class, name, NAMES_SHOWN)?)
}

/// Whether a name is promised to an office, or to nobody known: one that was taken out for a while is
/// still its own.
fn is_promised(live: &LiveRecord) -> bool {
    live.state().is_served() || live.state() == LiveState::Suspended
}

/// The nearest name above a name that an office owns, with that office; and the nearest one up to
/// there that no office is known to own, a wildcard that covers the name among them.
fn owners_above(
    register: &Register,
    reader: &Reader<'_>,
    place: &Place,
    zone: &ZoneFacts,
) -> Result<(Option<LiveRecord>, Option<String>), AuditError> {
    let mut unowned = None;
    if let Some(wildcard) = zone.wildcard.as_ref().and_then(|it| it.parse::<Name>().ok()) {
        let live = register.live(reader, &Place::new(&wildcard, &place.zone))?;
        unowned = live.office.is_empty().then(|| wildcard.to_string());
    }
    let mut here = place.name.as_ref();
    while let Some(above) = here.parent().filter(|above| *above != place.zone.as_ref()) {
        let live = register.live(reader, &Place::new(&above.to_name(), &place.zone))?;
        let name = live.name.to_string();
        let promised = is_promised(&live);
        if promised && !live.office.is_empty() {
            return Ok((Some(live), unowned));
        }
        if promised || zone.above.contains(&name) {
            unowned = unowned.or(Some(name));
        }
        here = above;
    }
    Ok((None, unowned))
}

/// Names of the zone that look like the one asked for, without the zone: those that are promised, and
/// those of the operator's file.
fn neighbours(
    register: &Register,
    reader: &Reader<'_>,
    application: &Reading,
) -> Result<Vec<Neighbour>, AuditError> {
    let place = application.place().filter(|_| application.kind == Kind::New);
    let Some(Place { zone: apex, .. }) = place else { return Ok(Vec::new()) };
    let zone = apex.to_string();
    let suffix = format!(".{zone}");
    let (own, keys) = likeness(&zone, &application.name);
    let mut found: BTreeMap<String, String> =
        reader.promised_like(&keys, |label| alike(&own, label))?.into_iter().collect();
    let served = register.publisher().zone(apex);
    if let Some(served) = served.filter(|served| served.name_count() <= COMPARED_MAX) {
        for node in served.nodes() {
            let name = node.owner().to_lowercase().to_string();
            let below = name.strip_suffix(&suffix).filter(|_| !node.is_empty_non_terminal());
            if below.is_some_and(|below| resemble(&application.name, below)) {
                found.entry(name).or_default();
            }
        }
    }
    let neighbour = |(name, owner): (String, String)| {
        let name = name.strip_suffix(&suffix)?.to_owned();
        Some(Neighbour { name, owner })
    };
    Ok(found.into_iter().filter_map(neighbour).collect())
}

/// Whether the verifier has the request in hand, so that fresh lines are worth computing.
pub(super) fn is_in_hand(request: &Request) -> bool {
    matches!(
        request.state(),
        State::Submitted | State::Assigned | State::Verified | State::PromotionFailed
    )
}
