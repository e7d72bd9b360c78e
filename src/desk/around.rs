//! What requests, live records and the operator's file say about a name and the names around it, read in
//! the transaction that the check sheet is computed in.

use std::collections::BTreeMap;

use crate::audit::AuditError;
use crate::ledger::Ledger;
use crate::queue::person::same_mailbox;
use crate::queue::regions::same_office;
use crate::queue::request::Question;
use crate::queue::similar::{alike, likeness, resemble};
use crate::queue::{
    Actor, Kind, LiveRecord, LiveState, NamingClass, Neighbour, Place, QueueFacts, Reading,
    Request, Role, ZoneFacts,
};
use crate::register::Register;
use crate::store::Reader;
use crate::wire::Name;

/// Names of a zone up to which a new one is compared with those of the operator's file. A zone of a
/// registry is not an office's.
const COMPARED_MAX: usize = 20_000;
/// Names of the same office that are shown.
const NAMES_SHOWN: usize = 10;

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

/// What the queue and the live records say about a name.
pub(super) fn queue_facts(
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
        other_request = match application.raised {
            Some(_) => asked_by_somebody(register.ledger(), reader, &name)?,
            None => reader.blocking_request(&name, number, taken, submitted)?,
        };
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
        ends: live.ends,
        letterless: is_letterless(register.ledger(), reader, application, context, &live)?,
    })
}

/// An open request on a name that an officer took or whose mailbox is proven, and that gapura did not ask
/// for itself: what the clock asks for waits until it is decided.
pub(super) fn asked_by_somebody(
    ledger: &Ledger,
    reader: &Reader<'_>,
    name: &str,
) -> Result<Option<String>, AuditError> {
    for row in reader.open_requests_on(name)?.into_iter().filter(|row| row.raised.is_none()) {
        if row.taken_ms.is_some()
            || ledger.request(reader, &row.number)?.is_some_and(|it| it.request.mailbox_proven())
        {
            return Ok(Some(row.number));
        }
    }
    Ok(None)
}

/// Whether no letter is wanted: gapura asks by itself, or the owner renews the name from the mailbox
/// recorded for it and changes neither contact nor end.
fn is_letterless(
    ledger: &Ledger,
    reader: &Reader<'_>,
    application: &Reading,
    context: RequestContext<'_>,
    live: &LiveRecord,
) -> Result<bool, AuditError> {
    if application.raised.is_some() {
        return Ok(true);
    }
    let plain = application.kind == Kind::Renew && context.mailbox_proven && !context.keyed_in;
    let same_end = application.ends.is_none() || application.ends_at() == live.ends;
    let Some(number) = live.contact_request().filter(|_| plain && same_end) else {
        return Ok(false);
    };
    let recorded = ledger.request(reader, number)?;
    let recorded = recorded.map(|stored| stored.request.application().contact.clone());
    Ok(recorded.is_some_and(|recorded| application.contact.is_same(&recorded)))
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
    if application.raised.is_some() {
        return Ok(true);
    }
    let own = same_office(&owned.office, &application.office);
    if (own && context.keyed_in) || (!own && context.agreement.is_none()) {
        return Ok(true);
    }
    // What the verifier keys in alone, or a mailbox that they chose, is one person's word.
    let answered = context.agreement.and_then(|question| question.answered.as_ref());
    if answered.is_some_and(|by| by.role == Role::Head) {
        return Ok(true);
    }
    let Some(number) = owned.contact_request() else { return Ok(false) };
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
pub(super) fn neighbours(
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
    let served = register.publisher().content(apex);
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
