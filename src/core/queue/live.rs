//! The live record (*rekaman tayang*, docs/procedure.md, Live record): what the office has promised
//! about one name.
//!
//! ```text
//! Free ─hold─► Held ─go_live─► Live ◄─lift/go_live─ Suspended
//!   ▲           │ let_go        │ ▲ renew  ▲            │
//!   │◄──────────┘    reconfirm_due▼ │        └─suspend───┤  hand_over leaves the state
//!   │                      Reconfirming ─────suspend────►│
//!   └─free── Quarantined ◄───────── remove (one step) ───┘
//!                  └─hold by the former owner─► Held
//! ```

use serde::{Deserialize, Serialize};

use super::application::NamingClass;
use super::calendar::Calendar;
use super::fault::{Fault, NotAllowed, Rule, TransitionError};
use super::fields::SHORT_MAX;
use super::happening::{Happening, Step, Subject};
use super::labels;
use super::lifecycle::{Ground, YearlyQuestion};
use super::named::named;
use super::person::{Actor, Role, Signature};
use super::procedure::Deed;
use super::reading::{Place, name_text};
use super::records::ParsedRecord;
use super::regions::same_office;
use super::request::{needed, needed_within};
use super::rules::Rules;
use crate::wire::Name;

//------------ LiveState -----------------------------------------------------

named! {
    /// The state of a name.
    pub enum LiveState {
        /// BEBAS.
        Free = "free",
        /// DICADANGKAN for a request.
        Held = "held",
        /// TAYANG.
        Live = "live",
        /// KONFIRMASI_ULANG, still served.
        Reconfirming = "reconfirming",
        /// DITANGGUHKAN: out of the zone, the owner is kept.
        Suspended = "suspended",
        /// DICABUT: passed through on the way to quarantine, in one transaction.
        Removed = "removed",
        /// KARANTINA.
        Quarantined = "quarantined",
    }
}

impl LiveState {
    /// Whether the name is in the zone.
    pub fn is_served(self) -> bool {
        matches!(self, Self::Live | Self::Reconfirming)
    }

    /// Whether nobody has the name: its records are history.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Free | Self::Removed | Self::Quarantined)
    }

    /// Whether a request to remove the name may be sent.
    pub fn may_be_given_up(self) -> bool {
        self.is_served() || self == Self::Suspended
    }
}

named! {
    /// Where a live record comes from.
    pub enum Origin {
        /// An approved request.
        Request = "request",
        /// *Impor*: it was in the operator's file, without a request.
        Import = "import",
    }
}

//------------ LiveRecord ----------------------------------------------------

/// What the office has promised about one name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LiveRecord {
    /// The absolute name, in lower case.
    #[serde(with = "name_text")]
    pub name: Name,
    /// The zone it lies in.
    #[serde(with = "name_text")]
    pub zone: Name,
    /// The state; only the functions here change it.
    state: LiveState,
    /// The office that owns it; empty for an import nobody has claimed.
    pub office: String,
    /// The class, unknown for an import.
    pub class: Option<NamingClass>,
    /// The region code.
    pub region: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The request that made it what it is, or holds it.
    pub request: Option<String>,
    /// What is promised: the RRsets while live, and those to be put back while suspended.
    pub records: Vec<ParsedRecord>,
    /// Live since, epoch milliseconds.
    pub since: Option<i64>,
    /// The approved end date, epoch milliseconds.
    pub ends: Option<i64>,
    /// Raised by each change of the records.
    pub version: u32,
    /// Who took it out of the zone, and why.
    pub suspension: Option<Suspension>,
    /// The end of the quarantine, epoch milliseconds.
    pub quarantined_until: Option<i64>,
    /// An imported name that breaks a naming rule (*warisan*).
    #[serde(default)]
    pub legacy: bool,
    /// Why the public list does not show it; none if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<String>,
    /// The renewal or hand-over that named the contact, where it is newer than `request`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_in: Option<String>,
    /// When its owner confirmed it last, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<i64>,
    /// The yearly question, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<YearlyQuestion>,
}

/// Why a name is out of the zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Suspension {
    /// Who did it.
    pub by: Signature,
    /// Why.
    pub reason: String,
    /// Whether one officer did it alone.
    pub emergency: bool,
    /// Who agreed with an emergency.
    pub confirmed: Option<Signature>,
    /// When the other officer's agreement is due, epoch milliseconds; after that it heads the late
    /// list.
    pub confirm_by: Option<i64>,
    /// What was behind it, where it was the clock and not a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Ground>,
    /// When gapura asks for the removal, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_at: Option<i64>,
    /// The removal that gapura asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<String>,
}

impl Suspension {
    /// One that is done first and agreed with afterwards.
    fn emergency(by: &Signature, reason: &str, calendar: &Calendar, rules: &Rules) -> Self {
        Self {
            by: by.clone(),
            reason: reason.to_owned(),
            emergency: true,
            confirmed: None,
            confirm_by: Some(calendar.add(by.at, rules.working_day)),
            cause: None,
            remove_at: None,
            removal: None,
        }
    }
}

/// What a promotion makes of a name.
#[derive(Clone, Debug)]
pub struct Promise {
    /// The office.
    pub office: String,
    /// The class.
    pub class: NamingClass,
    /// The region code.
    pub region: Option<String>,
    /// The records.
    pub records: Vec<ParsedRecord>,
    /// The approved end.
    pub ends: Option<i64>,
}

impl LiveRecord {
    /// A name nobody has asked for yet.
    pub fn free(place: Place) -> Self {
        Self {
            name: place.name,
            zone: place.zone,
            state: LiveState::Free,
            office: String::new(),
            class: None,
            region: None,
            origin: Origin::Request,
            request: None,
            records: Vec::new(),
            since: None,
            ends: None,
            version: 0,
            suspension: None,
            quarantined_until: None,
            legacy: false,
            unlisted: None,
            contact_in: None,
            confirmed: None,
            question: None,
        }
    }

    /// A name of the operator's file that nobody has asked for: what is served there, for an office
    /// that is not known.
    pub fn of_file(place: Place, records: Vec<ParsedRecord>) -> Self {
        let apex = place.zone.to_string();
        let name = place.name.to_string();
        let below = labels::below(&name, &apex);
        let mut value = Self::free(place);
        value.legacy = !labels::check(below, 1).is_empty();
        value.state = LiveState::Live;
        value.origin = Origin::Import;
        value.records = records;
        value.version = 1;
        value
    }

    /// Takes a name of the operator's file in: from here on it is a matter of requests.
    pub fn import(self, by: &Signature) -> Step<Self> {
        self.step(None, by, Deed::Import)
    }

    /// Whether nobody has asked for the name yet: then what the operator's file says there counts.
    pub fn follows_file(&self) -> bool {
        match self.state {
            LiveState::Free => true,
            LiveState::Live | LiveState::Reconfirming => {
                self.origin == Origin::Import && self.request.is_none()
            }
            _ => false,
        }
    }

    /// The request whose contact speaks for the name.
    pub fn contact_request(&self) -> Option<&str> {
        self.contact_in.as_deref().or(self.request.as_deref())
    }

    /// What an [`Actor`] must have proven to answer for the owner by a mailed link.
    pub fn owner_key(&self) -> String {
        format!("record:{}", self.name)
    }

    /// The state.
    pub fn state(&self) -> LiveState {
        self.state
    }

    /// The request it is held for.
    pub fn holder(&self) -> Option<&str> {
        self.request.as_deref().filter(|_| self.state == LiveState::Held)
    }

    /// Whether it is held for this request.
    pub fn is_held_for(&self, request: &str) -> bool {
        self.holder() == Some(request)
    }

    /// Whether an office may hold it now.
    pub fn may_be_held(&self, office: &str) -> bool {
        match self.state {
            LiveState::Free => true,
            LiveState::Quarantined => same_office(&self.office, office),
            _ => false,
        }
    }

    /// Submit: a free name is held, a quarantined one for its former owner only.
    pub fn hold(mut self, request: &str, office: &str, by: &Signature) -> LiveResult {
        let before = self.state;
        match before {
            LiveState::Free => {}
            LiveState::Quarantined if same_office(&self.office, office) => {}
            LiveState::Quarantined => return Err(taken(Rule::InQuarantine, &self.name)),
            LiveState::Held => return Err(taken(Rule::OtherRequest, &self.name)),
            _ => return Err(taken(Rule::NameLive, &self.name)),
        }
        self.state = LiveState::Held;
        self.request = Some(request.to_owned());
        if before == LiveState::Free {
            self.office = office.to_owned();
        }
        Ok(self.step(Some(before), by, Deed::Hold))
    }

    /// Reject, withdraw or expire of the request that holds it. A name that came out of quarantine
    /// goes back there for what is left of its time.
    pub fn let_go(mut self, request: &str, by: &Signature) -> LiveResult {
        let before = self.state;
        if before != LiveState::Held || self.request.as_deref() != Some(request) {
            return Err(self.wrong("let_go"));
        }
        self.request = None;
        if self.quarantined_until.is_some_and(|until| until > by.at) {
            self.state = LiveState::Quarantined;
        } else {
            self.state = LiveState::Free;
            self.office.clear();
            self.quarantined_until = None;
        }
        Ok(self.step(Some(before), by, Deed::LetGo))
    }

    /// Promotion of a new name or of a change: a new version.
    pub fn go_live(mut self, request: &str, promise: Promise, by: &Signature) -> LiveResult {
        let before = self.state;
        let mine = self.request.as_deref() == Some(request);
        match before {
            LiveState::Held if mine => {}
            LiveState::Live | LiveState::Reconfirming => {}
            _ => return Err(self.wrong("go_live")),
        }
        self.state = LiveState::Live;
        self.request = Some(request.to_owned());
        self.contact_in = None;
        self.office = promise.office;
        self.class = Some(promise.class);
        self.region = promise.region;
        self.records = promise.records;
        // A change that does not speak of the end leaves it.
        self.ends = promise.ends.or(self.ends);
        self.settle(by);
        self.version += 1;
        self.quarantined_until = None;
        Ok(self.step(Some(before), by, Deed::GoLive))
    }

    /// Promotion of a hand-over: another office owns the name; what is promised of it stays. A name
    /// that is suspended stays so.
    pub fn hand_over(mut self, request: &str, promise: Promise, by: &Signature) -> LiveResult {
        let before = self.state;
        if !before.is_served() && before != LiveState::Suspended {
            return Err(self.wrong("hand_over"));
        }
        if before.is_served() {
            self.state = LiveState::Live;
        }
        let from = std::mem::replace(&mut self.office, promise.office);
        self.names_contact(request);
        self.class = Some(promise.class);
        self.region = promise.region;
        self.ends = promise.ends.or(self.ends);
        self.settle(by);
        self.version += 1;
        let mut step = self.step(Some(before), by, Deed::HandOver);
        let to = step.value.office.clone();
        step.happening = step.happening.with("from", from).with("to", to).with("request", request);
        Ok(step)
    }

    /// The owner is asked whether the name is still needed, to answer by `due`.
    pub fn ask_owner(mut self, due: i64, by: &Signature) -> LiveResult {
        let state = self.state;
        if !state.is_served() {
            return Err(self.wrong("reconfirm_asked"));
        }
        self.question = Some(YearlyQuestion { asked: by.at, due, reminded: None, request: None });
        let step = self.step(Some(state), by, Deed::ReconfirmAsked);
        Ok(step.due(due))
    }

    /// The owner has not answered yet.
    pub fn remind_owner(mut self, by: &Signature) -> LiveResult {
        let state = self.state;
        let Some(question) = self.question.as_mut().filter(|it| it.reminded.is_none()) else {
            return Err(self.wrong("reconfirm_reminded"));
        };
        question.reminded = Some(by.at);
        let due = question.due;
        Ok(self.step(Some(state), by, Deed::ReconfirmReminded).due(due))
    }

    /// The anniversary: the owner must confirm the name, which stays served.
    pub fn reconfirm_due(mut self, by: &Signature) -> LiveResult {
        let before = self.state;
        if before != LiveState::Live {
            return Err(self.wrong("reconfirm"));
        }
        self.state = LiveState::Reconfirming;
        // Where the machine was off, the time to answer begins when it is there again.
        if let Some(question) = &mut self.question {
            question.due = question.due.max(by.at);
        }
        Ok(self.step(Some(before), by, Deed::Reconfirm))
    }

    /// gapura asked for a suspension or the removal by itself, once for each question or suspension.
    pub fn raised(mut self, request: &str, cause: Ground, by: &Signature) -> LiveResult {
        let state = self.state;
        let answers = matches!(cause, Ground::Unconfirmed | Ground::NotNeeded);
        match (&mut self.question, &mut self.suspension) {
            (_, Some(suspension)) if state == LiveState::Suspended => {
                suspension.removal = Some(request.to_owned());
            }
            (Some(question), _) if state.is_served() && answers => {
                question.request = Some(request.to_owned());
            }
            _ if state.is_served() => {}
            _ => return Err(self.wrong("raise")),
        }
        let mut step = self.step(Some(state), by, Deed::Raised);
        step.happening = step.happening.with("raised", request).with("cause", cause);
        Ok(step)
    }

    /// The owner confirmed the name, with whatever else a renewal says; at any time of its year.
    pub fn renew(mut self, request: Option<&str>, ends: Option<i64>, by: &Signature) -> LiveResult {
        let before = self.state;
        if !before.is_served() {
            return Err(self.wrong("renew"));
        }
        self.state = LiveState::Live;
        if let Some(request) = request {
            self.names_contact(request);
        }
        self.ends = ends.or(self.ends);
        self.settle(by);
        let mut step = self.step(Some(before), by, Deed::Renew);
        if let Some(request) = request {
            step.happening = step.happening.with("request", request);
        }
        Ok(step)
    }

    /// The owner, by the mailed link or with the secret, or an officer with the owner's letter, says that
    /// the name is in use and its contact right.
    pub fn confirm(self, actor: &Actor, letter: &str, now: i64) -> LiveResult {
        let owner = self.owner(actor, now);
        if owner.is_none() && !self.state.is_served() {
            return Err(self.wrong("renew"));
        }
        let by = match owner {
            Some(by) => by,
            None => {
                let by = decider(actor, now)?;
                needed_within(SHORT_MAX, "letter", letter)?;
                by
            }
        };
        let mut step = self.renew(None, None, &by)?;
        step.happening = step.happening.with_personal("letter", letter);
        Ok(step)
    }

    /// The owner's signature, if the actor has shown to be the owner.
    pub fn owner(&self, actor: &Actor, now: i64) -> Option<Signature> {
        let proved = actor.proved.as_deref()?;
        let owns = proved == self.owner_key() || Some(proved) == self.contact_request();
        actor.capacity(Role::Applicant, now).filter(|_| owns)
    }

    /// A renewal or a hand-over names the contact; what is served stays the work of another request.
    fn names_contact(&mut self, request: &str) {
        self.contact_in = Some(request.to_owned());
        if self.request.is_none() {
            self.request = Some(request.to_owned());
        }
    }

    /// The owner's word of now counts from now: no question is open.
    fn settle(&mut self, by: &Signature) {
        self.since = self.since.or(Some(by.at));
        self.confirmed = Some(by.at);
        self.question = None;
    }

    /// A suspend request was promoted, or the approved end date has come. `cause` is what the clock
    /// found, where nobody asked for it.
    pub fn suspend(
        self,
        reason: &str,
        cause: Option<Ground>,
        by: &Signature,
        rules: &Rules,
    ) -> LiveResult {
        let suspension = Suspension {
            by: by.clone(),
            reason: reason.to_owned(),
            emergency: false,
            confirmed: None,
            confirm_by: None,
            cause,
            remove_at: cause.map(|cause| by.at + rules.lifecycle.removal_after(cause)),
            removal: None,
        };
        let mut step = self.take_out(suspension, Deed::Suspend)?;
        if let Some(cause) = cause {
            step.happening = step.happening.with("cause", cause);
        }
        Ok(step)
    }

    /// Defacement, gambling, takeover: one officer, kasi or kabid, takes the name out at once.
    pub fn suspend_emergency(
        self,
        actor: &Actor,
        reason: &str,
        now: i64,
        calendar: &Calendar,
        rules: &Rules,
    ) -> LiveResult {
        // The state is tested before the person.
        if !self.state.is_served() {
            return Err(self.wrong("suspend"));
        }
        let by = decider(actor, now)?;
        needed("reason", reason)?;
        let suspension = Suspension::emergency(&by, reason, calendar, rules);
        self.take_out(suspension, Deed::EmergencySuspend)
    }

    /// A rule of the settings takes the name out at once; the head agrees with it afterwards.
    pub fn suspend_by_rule(
        self,
        rule: &str,
        now: i64,
        calendar: &Calendar,
        rules: &Rules,
    ) -> LiveResult {
        let by = Signature::system(now);
        let suspension = Suspension::emergency(&by, rule, calendar, rules);
        self.take_out(suspension, Deed::EmergencySuspend)
    }

    /// Takes a served name out of the zone, and with it whatever its owner was asked.
    fn take_out(mut self, suspension: Suspension, deed: Deed) -> LiveResult {
        let before = self.state;
        if !before.is_served() {
            return Err(self.wrong("suspend"));
        }
        let (by, reason) = (suspension.by.clone(), suspension.reason.clone());
        self.state = LiveState::Suspended;
        self.question = None;
        self.suspension = Some(suspension);
        Ok(self.step(Some(before), &by, deed).noting(&reason))
    }

    /// The operator edited by hand what was promised: kasi or kabid accepts what the file says.
    pub fn adopt(
        mut self,
        records: Vec<ParsedRecord>,
        actor: &Actor,
        reason: &str,
        now: i64,
    ) -> LiveResult {
        let before = self.state;
        // What nobody asked for follows the file by itself.
        if !before.is_served() || self.follows_file() {
            return Err(self.wrong("adopt"));
        }
        let by = decider(actor, now)?;
        needed("reason", reason)?;
        self.records = records;
        self.version += 1;
        Ok(self.step(Some(before), &by, Deed::Adopt).noting(reason))
    }

    /// The office of a name of the operator's file becomes known. By the administrator or the head.
    pub fn assign(
        mut self,
        office: &str,
        class: NamingClass,
        actor: &Actor,
        now: i64,
    ) -> LiveResult {
        let before = self.state;
        if !self.follows_file() || before == LiveState::Free {
            return Err(self.wrong("assign"));
        }
        let by = keeper(actor, now)?;
        // Whoever gave it one a moment ago is not overwritten by a page that did not know.
        if !self.office.is_empty() {
            let fault = Fault::new("office", Rule::OwnerKnown, &self.office);
            return Err(TransitionError::Incomplete(vec![fault]));
        }
        needed_within(SHORT_MAX, "office", office)?;
        self.office = office.trim().to_owned();
        self.class = Some(class);
        let mut step = self.step(Some(before), &by, Deed::OwnerAssigned);
        let (office, class) = (step.value.office.clone(), class.as_str());
        step.happening = step.happening.with("office", office).with("class", class);
        Ok(step)
    }

    /// Out of the public list with a reason, or back into it without one. By the head.
    pub fn unlist(mut self, reason: Option<String>, actor: &Actor, now: i64) -> LiveResult {
        let before = self.state;
        if before == LiveState::Free || self.unlisted.is_some() == reason.is_some() {
            return Err(self.wrong("unlist"));
        }
        let by = actor.capacity(Role::Head, now);
        let by = by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Head)))?;
        reason.as_deref().map(|reason| needed("reason", reason)).transpose()?;
        let deed = if reason.is_some() { Deed::Unlisted } else { Deed::Listed };
        self.unlisted.clone_from(&reason);
        Ok(self.step(Some(before), &by, deed).noting(&reason.unwrap_or_default()))
    }

    /// What is known of the name beside what the operator's file says there: office, class, and
    /// whether the public list shows it.
    pub fn with_owner_of(mut self, known: &Self) -> Self {
        self.office.clone_from(&known.office);
        self.class = known.class;
        self.unlisted.clone_from(&known.unlisted);
        self
    }

    /// The other officer agrees with an emergency suspension.
    pub fn confirm_suspension(mut self, actor: &Actor, now: i64) -> LiveResult {
        let state = self.state;
        let open = self.suspension.as_mut().filter(|s| s.emergency && s.confirmed.is_none());
        let Some(suspension) = open.filter(|_| state == LiveState::Suspended) else {
            return Err(self.wrong("confirm"));
        };
        decider(actor, now)?;
        if suspension.by.identity.same(&actor.identity) {
            return Err(TransitionError::SamePerson { with: suspension.by.role });
        }
        let other = if suspension.by.role == Role::Head { Role::Verifier } else { Role::Head };
        let by = actor.capacity(other, now);
        let by = by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(other)))?;
        if suspension.by.is_one_with(&by) {
            return Err(TransitionError::SamePerson { with: suspension.by.role });
        }
        suspension.confirmed = Some(by.clone());
        Ok(self.step(Some(state), &by, Deed::ConfirmSuspension))
    }

    /// A lifting request was promoted: the same RRsets are back, with a new end where one is named.
    pub fn lift(mut self, request: &str, ends: Option<i64>, by: &Signature) -> LiveResult {
        let before = self.state;
        if before != LiveState::Suspended {
            return Err(self.wrong("lift"));
        }
        self.state = LiveState::Live;
        self.request = Some(request.to_owned());
        self.contact_in = None;
        self.suspension = None;
        self.ends = ends.or(self.ends);
        self.settle(by);
        self.version += 1;
        Ok(self.step(Some(before), by, Deed::Lift))
    }

    /// Removes and quarantines the name in one transaction.
    pub fn remove(mut self, request: &str, by: &Signature, rules: &Rules) -> LiveResult {
        let before = self.state;
        if !before.is_served() && before != LiveState::Suspended {
            return Err(self.wrong("remove"));
        }
        self.state = LiveState::Quarantined;
        self.request = Some(request.to_owned());
        self.contact_in = None;
        self.quarantined_until = Some(by.at + rules.quarantine_ms);
        self.suspension = None;
        self.since = None;
        self.ends = None;
        self.confirmed = None;
        self.question = None;
        Ok(self.step(Some(before), by, Deed::Remove))
    }

    /// The quarantine is over.
    pub fn free_again(mut self, by: &Signature) -> LiveResult {
        let before = self.state;
        let over = self.quarantined_until.is_some_and(|until| until <= by.at);
        if before != LiveState::Quarantined || !over {
            return Err(self.wrong("free"));
        }
        let mut value = Self::free(Place { name: self.name.clone(), zone: self.zone.clone() });
        value.version = self.version;
        self = value;
        Ok(self.step(Some(before), by, Deed::Free))
    }

    /// The step with its event.
    fn step(self, before: Option<LiveState>, by: &Signature, deed: Deed) -> Step<Self> {
        let mut happening = Happening::new(by, deed, Subject::LiveRecord(self.name.to_string()))
            .moved(before.map(LiveState::as_str), self.state.as_str())
            .with("version", self.version);
        if let Some(request) = &self.request {
            happening = happening.with("request", request);
        }
        Step { value: self, happening }
    }

    /// The error of an act that is not possible in this state.
    fn wrong(&self, act: &'static str) -> TransitionError {
        TransitionError::WrongState { act, state: self.state.as_str() }
    }
}

/// The result of every transition of a live record.
pub type LiveResult = Result<Step<LiveRecord>, TransitionError>;

impl Step<LiveRecord> {
    /// Adds by when something is due.
    fn due(mut self, due: i64) -> Self {
        self.happening = self.happening.with("due_ms", due);
        self
    }

    /// Adds the reason, which may name persons.
    fn noting(mut self, reason: &str) -> Self {
        self.happening = self.happening.with_personal("reason", reason);
        self
    }
}

/// Kasi or kabid; nobody else takes a name down alone.
fn decider(actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
    if actor.disabled {
        return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
    }
    actor
        .capacity(Role::Verifier, now)
        .or_else(|| actor.capacity(Role::Head, now))
        .ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Verifier)))
}

/// The signature of whoever may say whose a name is: the administrator, or the head.
fn keeper(actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
    let by = actor.capacity_in(&[Role::Operator, Role::Head], now);
    by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Operator)))
}

/// The error of a name that cannot be had.
fn taken(rule: Rule, name: &Name) -> TransitionError {
    TransitionError::Rule(vec![Fault::new("name", rule, name.to_string())])
}

#[cfg(test)]
mod tests;
