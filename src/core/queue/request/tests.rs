//! The machine of a request: each act, each refusal, the clocks, and random walks.

use super::*;
use crate::queue::Application;
use crate::queue::calendar::Calendar;
use crate::queue::fixture::{application, at, officer};
use crate::queue::procedure::Phase;
use crate::queue::rules::{Bind, Rules};
use crate::queue::time::MINUTE_MS;
use crate::queue::{
    ActingOfficial, AutoLine, Deed, FaultCode, Identity, LineCode, LineInput, LineVerdict,
    NamingClass, Outcome, Overrule, RejectReason, Rule,
};

/// The candidate the tests approve.
const HASH: &str = "aa11";

//------------ Helpers -------------------------------------------------------

/// The world around a request.
struct World {
    calendar: Calendar,
    rules: Rules,
    automatic: Vec<AutoLine>,
    candidate: Candidate,
    signers: Vec<Actor>,
}

impl World {
    fn new() -> Self {
        Self {
            calendar: Calendar::default(),
            rules: Rules::default(),
            automatic: Vec::new(),
            candidate: Candidate { hash: HASH.to_owned(), serial: 7 },
            signers: crowd(),
        }
    }

    fn facts(&self, now: i64) -> Facts<'_> {
        Facts {
            automatic: Some(&self.automatic),
            candidate: Some(&self.candidate),
            signers: &self.signers,
            ..Facts::at(now, &self.calendar, &self.rules)
        }
    }

    fn submitted(&self, application: Application, now: i64) -> Request {
        let applicant = Actor::applicant("Sutrisno", Identity::default(), None);
        let step = Request::submit(
            "GPR-1",
            application.into(),
            Vec::new(),
            true,
            &applicant,
            &self.facts(now),
        );
        step.unwrap().value
    }

    fn assigned(&self, now: i64) -> Request {
        let kasi = kasi();
        let facts = Facts { assignee: Some(&kasi), ..self.facts(now) };
        self.submitted(application(), now).act(&dispose(), &kabid(), &facts).unwrap().value
    }

    fn verified(&self, now: i64) -> Request {
        self.assigned(now).act(&approve(1), &kasi(), &self.facts(now)).unwrap().value
    }

    fn live(&self, now: i64) -> Request {
        let begun = self.verified(now).act(&Act::Promote {}, &kasi(), &self.facts(now)).unwrap();
        begun.value.promoted(8, &self.facts(now)).unwrap().value
    }
}

fn kabid() -> Actor {
    officer("budi", Role::Head)
}

fn kasi() -> Actor {
    officer("sari", Role::Verifier)
}

/// The applicant with the secret.
fn applicant() -> Actor {
    Actor::applicant("Sutrisno", Identity::default(), Some("GPR-1"))
}

fn dispose() -> Act {
    Act::Dispose { to: "sari".to_owned(), instruction: "periksa".to_owned() }
}

/// Verdict `ok` on the human lines of an ordinary request.
fn all_ok() -> Vec<LineInput> {
    use LineCode::{M1, M2, M3, M4, M5, M6, M7};
    [M1, M2, M3, M4, M5, M6, M7].into_iter().map(|code| line(code, LineVerdict::Ok, "")).collect()
}

fn line(code: LineCode, verdict: LineVerdict, note: &str) -> LineInput {
    LineInput { code, verdict: Some(verdict), note: Some(note.to_owned()) }
}

fn approve(revision: u32) -> Act {
    Act::Approve { revision, candidate: HASH.to_owned(), serial: None, lines: all_ok() }
}

fn send_back() -> Act {
    Act::Return { lines: vec![line(LineCode::M4, LineVerdict::Fix, "nama belum cocok")] }
}

#[track_caller]
fn code(result: RequestResult) -> FaultCode {
    result.unwrap_err().code()
}

//------------ The way through -----------------------------------------------

#[test]
fn from_submit_to_closed_each_step_leaves_one_event() {
    let world = World::new();
    let facts = world.facts(at(0, 9, 0));
    let kasi = kasi();
    let mut request = world.submitted(application(), at(0, 8, 30));
    let mut states = vec![request.state()];
    let with = Facts { assignee: Some(&kasi), ..facts };
    for act in [dispose(), send_back()] {
        let actor = if states.len() == 1 { kabid() } else { kasi.clone() };
        let step = request.act(&act, &actor, &with).unwrap();
        assert_eq!(step.happening.before.as_deref(), Some(states[states.len() - 1].as_str()));
        request = step.value;
        states.push(request.state());
    }
    let amendment = Amendment {
        application: Application { purpose: "lain".to_owned(), ..application() }.into(),
        faults: Vec::new(),
    };
    let with = Facts { amendment: Some(&amendment), ..facts };
    request = request.act(&Act::Resubmit {}, &applicant(), &with).unwrap().value;
    assert_eq!((request.revision(), request.state()), (2, State::Assigned));
    request = request.act(&approve(2), &kasi, &facts).unwrap().value;
    let step = request.act(&Act::Promote {}, &kasi, &facts).unwrap();
    assert_eq!((step.happening.deed, step.value.state()), (Deed::Promote, State::Verified));
    let id = promotion_id("GPR-1", 2, HASH, 1);
    assert_eq!(step.happening.facts["promotion"], id);
    request = step.value.promoted(8, &facts).unwrap().value;
    assert_eq!(request.state(), State::Live);
    request = request.notified(&facts).unwrap().value;
    request = request.close("2026-11", &facts).unwrap().value;
    assert_eq!(request.state(), State::Closed);
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
}

#[test]
fn a_request_of_the_first_version_opens() {
    let request = World::new().assigned(at(0, 9, 0));
    let mut row = serde_json::to_value(&request).unwrap();
    let fields = row.as_object_mut().unwrap();
    let application = fields.remove("application").unwrap();
    fields.insert("ask".to_owned(), application);
    fields.remove("took_part");
    let opened: Request = serde_json::from_value(row).unwrap();
    assert_eq!(opened.application(), request.application());
    assert_eq!(opened.stage(), request.stage());
}

#[test]
fn the_wrong_role_is_not_allowed() {
    let world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    let with = Facts { assignee: Some(&kasi), ..world.facts(now) };
    for role in [Role::Verifier, Role::Operator, Role::Auditor] {
        let who = officer("x", role);
        assert_eq!(
            code(world.submitted(application(), now).act(&dispose(), &who, &with)),
            FaultCode::NotAllowed
        );
    }
    for role in [Role::Head, Role::Operator, Role::Auditor] {
        let who = officer("x", role);
        assert_eq!(code(world.assigned(now).act(&approve(1), &who, &with)), FaultCode::NotAllowed);
    }
    // Another verifier than the holder, nobody under `to`, a disabled account.
    let other = officer("tono", Role::Verifier);
    assert_eq!(code(world.assigned(now).act(&approve(1), &other, &with)), FaultCode::NotAllowed);
    let facts = world.facts(now);
    assert_eq!(
        code(world.submitted(application(), now).act(&dispose(), &kabid(), &facts)),
        FaultCode::Incomplete
    );
    let gone = Actor { disabled: true, ..kasi.clone() };
    assert_eq!(code(world.assigned(now).act(&approve(1), &gone, &facts)), FaultCode::NotAllowed);
    let with = Facts { assignee: Some(&gone), ..facts };
    assert_eq!(
        code(world.submitted(application(), now).act(&dispose(), &kabid(), &with)),
        FaultCode::NotAllowed
    );
    // An auditor writes nothing, not even for an applicant.
    let auditor = officer("x", Role::Auditor);
    let step = Request::submit("GPR-2", application().into(), Vec::new(), true, &auditor, &facts);
    assert_eq!(code(step), FaultCode::NotAllowed);
}

#[test]
fn one_person_cannot_stand_on_two_sides() {
    let world = World::new();
    let now = at(0, 9, 0);
    let facts = world.facts(now);
    // The kasi is the penanggung jawab: same mailbox, other account, other spelling.
    let mut own = application();
    own.contact.email = "SARI+desa@example.id".to_owned();
    let kasi = kasi();
    let with = Facts { assignee: Some(&kasi), ..facts };
    assert_eq!(
        code(world.submitted(own, now).act(&dispose(), &kabid(), &with)),
        FaultCode::SamePerson
    );
    // The kabid keyed the letter in.
    let keyed = Request::submit("GPR-1", application().into(), Vec::new(), false, &kabid(), &facts)
        .unwrap()
        .value;
    assert_eq!(code(keyed.act(&dispose(), &kabid(), &with)), FaultCode::SamePerson);
    // The penanggung jawab has the mailbox that the kasi had before; the kasi of a post that passed on has not.
    let mut own = application();
    own.contact.email = "lama@example.id".to_owned();
    let mut moved = kasi.clone();
    moved.identity.former = vec!["lama@example.id".to_owned()];
    let with = Facts { assignee: Some(&moved), ..facts };
    let request = world.submitted(own, now);
    assert_eq!(code(request.act(&dispose(), &kabid(), &with)), FaultCode::SamePerson);
    let successor = Identity::new(Some("budi"), None, Some("lama@example.id"));
    assert!(!moved.identity.same(&successor), "two accounts with one mailbox after another");
    // One NIP behind two accounts.
    let nip = Some("19850101 201001 1 001");
    let head = Actor::officer("a", Identity::new(Some("a"), nip, None), vec![Role::Head]);
    let verifier = Identity::new(Some("b"), Some("198501012010011001"), None);
    let verifier = Actor::officer("b", verifier, vec![Role::Verifier]);
    let with = Facts { assignee: Some(&verifier), ..facts };
    assert_eq!(
        code(world.submitted(application(), now).act(&dispose(), &head, &with)),
        FaultCode::SamePerson
    );
    // A verifier who became the head meanwhile may not sign second.
    let mut both = kasi.clone();
    both.roles.push(Role::Head);
    let wild =
        Application { name: "*.app".to_owned(), class: NamingClass::Layanan, ..application() };
    let with = Facts { assignee: Some(&kasi), ..facts };
    let request = world.submitted(wild, now).act(&dispose(), &kabid(), &with).unwrap().value;
    let mut lines = all_ok();
    lines.push(line(LineCode::M10, LineVerdict::Ok, ""));
    let act = Act::Approve { revision: 1, candidate: HASH.to_owned(), serial: None, lines };
    let request = request.act(&act, &kasi, &facts).unwrap().value;
    let second = Act::Countersign { candidate: HASH.to_owned() };
    assert_eq!(code(request.clone().act(&second, &both, &facts)), FaultCode::SamePerson);
    assert_eq!(code(request.clone().act(&Act::Promote {}, &kasi, &facts)), FaultCode::Incomplete);
    let request = request.act(&second, &kabid(), &facts).unwrap().value;
    assert!(request.act(&Act::Promote {}, &kasi, &facts).is_ok());
}

#[test]
fn an_acting_official_has_the_role_for_the_time_and_its_limits() {
    let world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    let mut delegate = officer("dewi", Role::Operator);
    delegate.acting.push(ActingOfficial {
        role: Role::Head,
        holder: "budi".to_owned(),
        starts: at(0, 8, 0),
        ends: at(0, 12, 0),
        letter: "800/7".to_owned(),
    });
    let with = Facts { assignee: Some(&kasi), ..world.facts(now) };
    let step = world.submitted(application(), now).act(&dispose(), &delegate, &with).unwrap();
    assert_eq!(step.happening.by.acting.as_ref().map(|held| held.letter.as_str()), Some("800/7"));
    assert_eq!(step.value.dispositions()[0].from.acting.as_ref().unwrap().holder, "budi");
    let late = Facts { now: at(0, 12, 0), ..with };
    assert_eq!(
        code(world.submitted(application(), now).act(&dispose(), &delegate, &late)),
        FaultCode::NotAllowed
    );
    // Never both roles on one request.
    let mut also = delegate.clone();
    also.roles = vec![Role::Verifier];
    let with = Facts { assignee: Some(&also), ..with };
    assert_eq!(
        code(world.submitted(application(), now).act(&dispose(), &also, &with)),
        FaultCode::SamePerson
    );
    // A delegate of the holder may decide in the holder's place.
    let mut plh = officer("rudi", Role::Operator);
    let acting = ActingOfficial {
        role: Role::Verifier,
        holder: "sari".to_owned(),
        ..delegate.acting[0].clone()
    };
    plh.acting.push(acting);
    assert!(world.assigned(now).act(&approve(1), &plh, &world.facts(now)).is_ok());
}

#[test]
fn one_person_signs_once_whoever_they_stand_in_for() {
    let acts_for = |mut actor: Actor, role, holder: &str| {
        let (holder, letter) = (holder.to_owned(), "800/7".to_owned());
        actor.acting.push(ActingOfficial { role, holder, starts: 0, ends: i64::MAX, letter });
        actor
    };
    let rina = acts_for(officer("rina", Role::Head), Role::Verifier, "sari");
    let mut world = World::new();
    world.signers.push(rina.clone());
    let now = at(0, 9, 0);
    let facts = world.facts(now);
    let kasi = kasi();
    let with = Facts { assignee: Some(&kasi), ..facts };
    let wild =
        Application { name: "*.app".to_owned(), class: NamingClass::Layanan, ..application() };
    let routed = world.submitted(wild, now).act(&dispose(), &kabid(), &with).unwrap().value;
    let approved = |by: &Actor| {
        let mut lines = all_ok();
        lines.push(line(LineCode::M10, LineVerdict::Ok, ""));
        let act = Act::Approve { revision: 1, candidate: HASH.to_owned(), serial: None, lines };
        routed.clone().act(&act, by, &facts).unwrap().value
    };
    let second = Act::Countersign { candidate: HASH.to_owned() };
    // A head approves for the holder, or somebody holds both roles for others: not both signatures.
    let request = approved(&rina);
    assert_eq!(request.approval().unwrap().by.acting.as_ref().unwrap().holder, "sari");
    assert_eq!(code(request.clone().act(&second, &rina, &facts)), FaultCode::SamePerson);
    assert!(request.act(&second, &kabid(), &facts).is_ok());
    let dewi = acts_for(officer("dewi", Role::Operator), Role::Verifier, "sari");
    let dewi = acts_for(dewi, Role::Head, "budi");
    assert_eq!(code(approved(&dewi).act(&second, &dewi, &facts)), FaultCode::SamePerson);
    // Nor may the one who was stood in for, or a stand-in for the other side's officer.
    let sari = acts_for(kasi.clone(), Role::Head, "budi");
    let plain = acts_for(officer("rudi", Role::Operator), Role::Verifier, "sari");
    assert_eq!(code(approved(&plain).act(&second, &sari, &facts)), FaultCode::SamePerson);
    let for_rina = acts_for(officer("tono", Role::Operator), Role::Head, "rina");
    assert_eq!(code(approved(&rina).act(&second, &for_rina, &facts)), FaultCode::SamePerson);
}

#[test]
fn a_stale_approval_is_turned_back() {
    let mut world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    assert_eq!(
        code(world.assigned(now).act(&approve(2), &kasi, &world.facts(now))),
        FaultCode::Stale
    );
    let request = world.verified(now);
    world.candidate.hash = "bb22".to_owned();
    assert_eq!(
        code(world.assigned(now).act(&approve(1), &kasi, &world.facts(now))),
        FaultCode::Stale
    );
    let error = request.clone().act(&Act::Promote {}, &kasi, &world.facts(now)).unwrap_err();
    let TransitionError::Stale(stale) = error else { panic!("{error}") };
    let step = request.reopen_stale(&stale, &world.facts(now)).unwrap();
    assert_eq!((step.value.state(), step.happening.by.role), (State::Assigned, Role::System));
    // A serial that moved with the same hash is fine, unless the office wants it otherwise.
    world.candidate = Candidate { hash: HASH.to_owned(), serial: 9 };
    let mut request = world.verified(now);
    world.candidate.serial = 10;
    assert!(request.clone().act(&Act::Promote {}, &kasi, &world.facts(now)).is_ok());
    world.rules.bind = Bind::Serial;
    assert_eq!(
        code(request.clone().act(&Act::Promote {}, &kasi, &world.facts(now))),
        FaultCode::Stale
    );
    assert_eq!(
        code(world.assigned(now).act(&approve(1), &kasi, &world.facts(now))),
        FaultCode::Stale
    );
    request = world.assigned(now);
    let act =
        Act::Approve { revision: 1, candidate: HASH.to_owned(), serial: Some(10), lines: all_ok() };
    assert!(request.act(&act, &kasi, &world.facts(now)).is_ok());
}

#[test]
fn an_incomplete_sheet_is_turned_back() {
    let mut world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    let with =
        |lines| Act::Approve { revision: 1, candidate: HASH.to_owned(), serial: None, lines };
    let error = world
        .assigned(now)
        .act(&with(all_ok()[..5].to_vec()), &kasi, &world.facts(now))
        .unwrap_err();
    let fields: Vec<&str> = error.faults().iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!((error.code(), fields), (FaultCode::Incomplete, vec!["M6", "M7"]));
    // Lines saved earlier count.
    let saved = Act::Check { lines: all_ok()[5..].to_vec() };
    let request = world.assigned(now).act(&saved, &kasi, &world.facts(now)).unwrap().value;
    assert!(request.act(&with(all_ok()[..5].to_vec()), &kasi, &world.facts(now)).is_ok());
    // Automatic lines, by how they may be passed over.
    for (overrule, lines, passes) in [
        (Overrule::Never, vec![line(LineCode::A6, LineVerdict::Ok, "x")], false),
        (Overrule::Tick, vec![], false),
        (Overrule::Tick, vec![line(LineCode::A6, LineVerdict::Ok, "")], true),
        (Overrule::Note, vec![line(LineCode::A6, LineVerdict::Ok, "")], false),
        (Overrule::Note, vec![line(LineCode::A6, LineVerdict::Ok, "x")], true),
        (Overrule::SecondSignature, vec![line(LineCode::A6, LineVerdict::Ok, "x")], true),
    ] {
        let failed =
            AutoLine { code: LineCode::A6, outcome: Outcome::Failed, overrule, faults: vec![] };
        world.automatic = vec![failed];
        let all = [all_ok(), lines].concat();
        let step = world.assigned(now).act(&with(all), &kasi, &world.facts(now));
        assert_eq!(step.is_ok(), passes, "{overrule:?}");
        if let Ok(step) = step {
            let second = overrule == Overrule::SecondSignature;
            assert_eq!(step.value.approval().unwrap().second_needed, second);
        }
    }
    // Without the automatic lines there is no approval at all.
    world.automatic.clear();
    let blind = Facts { automatic: None, ..world.facts(now) };
    assert_eq!(code(world.assigned(now).act(&approve(1), &kasi, &blind)), FaultCode::Incomplete);
}

#[test]
fn returning_and_rejecting_need_their_lines_and_notes() {
    let world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    let facts = world.facts(now);
    let act = |act: Act| world.assigned(now).act(&act, &kasi, &facts);
    assert_eq!(code(act(Act::Return { lines: vec![] })), FaultCode::Incomplete);
    let bare = vec![line(LineCode::M4, LineVerdict::Fix, " ")];
    assert_eq!(code(act(Act::Return { lines: bare })), FaultCode::Incomplete);
    let reject = |reason: &str, note: &str, verdict| Act::Reject {
        reason: reason.to_owned(),
        note: note.to_owned(),
        lines: vec![line(LineCode::M1, verdict, "palsu")],
    };
    assert_eq!(code(act(reject("entah", "x", LineVerdict::Bad))), FaultCode::Incomplete);
    assert_eq!(code(act(reject("rangkap", "", LineVerdict::Bad))), FaultCode::Incomplete);
    assert_eq!(code(act(reject("rangkap", "x", LineVerdict::Fix))), FaultCode::Incomplete);
    let step = act(reject("Surat tidak sah", "x", LineVerdict::Bad)).unwrap();
    let Stage::Rejected(rejected) = step.value.stage() else { panic!() };
    assert_eq!(rejected.reason, RejectReason::InvalidLetter);
    assert_eq!(step.value.clocks().running(), Some(ClockStep::Notify));
    let told = step.value.notified(&facts).unwrap().value;
    assert_eq!((told.state(), told.clocks().running()), (State::Rejected, None));
}

#[test]
fn a_new_revision_resets_the_lines_of_changed_fields_only() {
    let world = World::new();
    let now = at(0, 9, 0);
    let kasi = kasi();
    let facts = world.facts(now);
    let saved = Act::Check { lines: all_ok() };
    let request = world.assigned(now).act(&saved, &kasi, &facts).unwrap().value;
    let request = request.act(&send_back(), &kasi, &facts).unwrap().value;
    let mut changed = application();
    changed.contact.name = "Rini".to_owned();
    let amendment = Amendment { application: changed.into(), faults: Vec::new() };
    let with = Facts { amendment: Some(&amendment), ..facts };
    let stranger = Actor::applicant("x", Identity::default(), Some("GPR-2"));
    assert_eq!(
        code(request.clone().act(&Act::Resubmit {}, &stranger, &with)),
        FaultCode::NotAllowed
    );
    let request = request.act(&Act::Resubmit {}, &applicant(), &with).unwrap().value;
    let verdict = |code| request.sheet().line(code).and_then(|line| line.verdict);
    assert_eq!(verdict(LineCode::M1), Some(LineVerdict::Ok));
    assert_eq!(verdict(LineCode::M4), Some(LineVerdict::Fix));
    assert_eq!((verdict(LineCode::M3), verdict(LineCode::M5)), (None, None));
    // The head may not key in the correction, nor become the penanggung jawab by it.
    let request = world.assigned(now).act(&send_back(), &kasi, &facts).unwrap().value;
    let same = request.clone().act(&Act::Resubmit {}, &kabid(), &with);
    assert_eq!(code(same), FaultCode::SamePerson);
    let mut taken_over = application();
    taken_over.contact.email = "budi@example.id".to_owned();
    let amendment = Amendment { application: taken_over.into(), faults: Vec::new() };
    let with = Facts { amendment: Some(&amendment), ..facts };
    assert_eq!(code(request.act(&Act::Resubmit {}, &applicant(), &with)), FaultCode::SamePerson);
    // Whoever was the penanggung jawab stays on the applicant's side when a correction names somebody else.
    let mut own = application();
    own.contact.email = "dewi@example.id".to_owned();
    let request = world.submitted(own, now);
    let request = request.act(&dispose(), &kabid(), &Facts { assignee: Some(&kasi), ..facts });
    let request = request.unwrap().value.act(&send_back(), &kasi, &facts).unwrap().value;
    let amendment = Amendment { application: application().into(), faults: Vec::new() };
    let with = Facts { amendment: Some(&amendment), ..facts };
    let request = request.act(&Act::Resubmit {}, &applicant(), &with).unwrap().value;
    let dewi = officer("dewi", Role::Verifier);
    let reassign = Act::Reassign { to: "dewi".to_owned(), reason: "cuti".to_owned() };
    let with = Facts { assignee: Some(&dewi), ..facts };
    assert_eq!(code(request.act(&reassign, &kabid(), &with)), FaultCode::SamePerson);
    // Faults and another kind are turned back.
    let request = world.assigned(now).act(&send_back(), &kasi, &facts).unwrap().value;
    let other = Application { kind: crate::queue::Kind::Change, ..application() };
    let amendment = Amendment {
        application: other.into(),
        faults: vec![Fault::new("name", Rule::InZone, "A")],
    };
    let with = Facts { amendment: Some(&amendment), ..facts };
    assert_eq!(code(request.act(&Act::Resubmit {}, &applicant(), &with)), FaultCode::NameTaken);
}

#[test]
fn withdrawing_ends_when_the_promotion_starts() {
    let world = World::new();
    let facts = world.facts(at(0, 9, 0));
    let withdraw = Act::Withdraw { letter: String::new() };
    for request in [
        world.submitted(application(), at(0, 9, 0)),
        world.assigned(at(0, 9, 0)),
        world.verified(at(0, 9, 0)),
    ] {
        let stranger = Actor::applicant("x", Identity::default(), None);
        assert_eq!(code(request.clone().act(&withdraw, &stranger, &facts)), FaultCode::NotAllowed);
        let ended = request.act(&withdraw, &applicant(), &facts).unwrap().value;
        assert_eq!((ended.state(), ended.clocks().running()), (State::Withdrawn, None));
    }
    let begun = world.verified(at(0, 9, 0)).act(&Act::Promote {}, &kasi(), &facts).unwrap().value;
    assert_eq!(code(begun.clone().act(&withdraw, &applicant(), &facts)), FaultCode::WrongState);
    let reopen = Act::Reopen { reason: "x".to_owned() };
    assert_eq!(code(begun.act(&reopen, &kasi(), &facts)), FaultCode::WrongState);
    assert_eq!(
        code(world.live(at(0, 9, 0)).act(&withdraw, &applicant(), &facts)),
        FaultCode::WrongState
    );
}

#[test]
fn who_is_not_the_applicant_ends_a_request_on_a_letter_and_only_who_works_on_it() {
    let world = World::new();
    let facts = world.facts(at(0, 9, 0));
    let question = Act::Consult { party: "Camat".to_owned(), email: String::new() };
    let asked = world.assigned(at(0, 9, 0)).act(&question, &kasi(), &facts).unwrap().value;
    let text = |letter: &str| letter.to_owned();
    let acts = |letter: &str| {
        [
            Act::Withdraw { letter: text(letter) },
            Act::Confirm { party: String::new(), letter: text(letter) },
            Act::Deny { party: String::new(), letter: text(letter) },
        ]
    };
    for act in acts("800/7") {
        for role in [Role::Operator, Role::Auditor, Role::Verifier] {
            let other = officer("x", role);
            assert!(!asked.offers(&other, facts.now).contains(&act.kind()), "{role}");
            let refused = code(asked.clone().act(&act, &other, &facts));
            assert_eq!(refused, FaultCode::NotAllowed, "{} {role}", act.kind());
        }
        for by in [kasi(), kabid()] {
            drop(asked.clone().act(&act, &by, &facts).unwrap());
        }
    }
    for act in acts(" ").into_iter().chain(acts("\u{200b}-")) {
        for by in [kasi(), kabid()] {
            let refused = code(asked.clone().act(&act, &by, &facts));
            assert_eq!(refused, FaultCode::Incomplete, "{}", act.kind());
        }
    }
    // Before anybody holds it, a head may.
    let [withdraw, ..] = acts("800/7");
    let submitted = world.submitted(application(), at(0, 9, 0));
    assert_eq!(code(submitted.clone().act(&withdraw, &kasi(), &facts)), FaultCode::NotAllowed);
    drop(submitted.act(&withdraw, &kabid(), &facts).unwrap());
}

#[test]
fn an_officer_corrects_a_request_only_with_a_new_letter() {
    let world = World::new();
    let facts = world.facts(at(0, 9, 0));
    let back = world.assigned(at(0, 9, 0)).act(&send_back(), &kasi(), &facts).unwrap().value;
    let correct = |sha256: Option<&str>, by: &Actor| {
        let mut application = application();
        application.letter.sha256 = sha256.map(str::to_owned).or(application.letter.sha256);
        let amendment = Amendment { application: application.into(), faults: Vec::new() };
        let with = Facts { amendment: Some(&amendment), ..facts };
        back.clone().act(&Act::Resubmit {}, by, &with)
    };
    let clerk = officer("kasi2", Role::Verifier);
    assert_eq!(code(correct(None, &clerk)), FaultCode::Incomplete);
    drop(correct(Some("ab"), &clerk).unwrap());
    drop(correct(None, &applicant()).unwrap());
}

#[test]
fn a_failed_promotion_is_retried_under_a_new_id() {
    let world = World::new();
    let facts = world.facts(at(0, 9, 0));
    let fault = PromotionFault {
        step: "read_back".to_owned(),
        question: "A".to_owned(),
        expected: "192.0.2.10".to_owned(),
        found: "NXDOMAIN".to_owned(),
    };
    let begun = world.verified(at(0, 9, 0)).act(&Act::Promote {}, &kasi(), &facts).unwrap();
    let first = begun.happening.facts["promotion"].clone();
    let failed = begun.value.promotion_failed(fault, &facts).unwrap().value;
    assert_eq!(failed.state(), State::PromotionFailed);
    assert_eq!(failed.clocks().running(), Some(ClockStep::Make));
    assert_eq!(code(failed.clone().act(&Act::Promote {}, &kasi(), &facts)), FaultCode::WrongState);
    assert_eq!(code(failed.clone().act(&Act::Retry {}, &kabid(), &facts)), FaultCode::NotAllowed);
    let moved = Candidate { hash: "bb".to_owned(), serial: 9 };
    let stale = Facts { candidate: Some(&moved), ..facts };
    assert_eq!(code(failed.clone().act(&Act::Retry {}, &kasi(), &stale)), FaultCode::Stale);
    let admin = officer("andi", Role::Operator);
    let again = failed.act(&Act::Retry {}, &admin, &facts).unwrap().value;
    let begun = again.act(&Act::Promote {}, &kasi(), &facts).unwrap();
    assert_eq!(begun.happening.facts["attempt"], "2");
    assert_ne!(begun.happening.facts["promotion"], first);
}

#[test]
fn a_second_press_is_recognised_and_only_from_the_same_person() {
    let world = World::new();
    let now = at(0, 9, 0);
    for request in [world.verified(now), world.live(now)] {
        assert!(request.already(&approve(1), &kasi(), now));
        assert!(!request.already(&approve(2), &kasi(), now));
        assert!(!request.already(&approve(1), &officer("tono", Role::Verifier), now));
    }
    assert!(world.live(now).already(&Act::Promote {}, &kasi(), now));
    assert!(!world.verified(now).already(&Act::Promote {}, &kasi(), now));
}

#[test]
fn a_scheduled_promotion_waits_for_its_time() {
    let world = World::new();
    let kasi = kasi();
    let mut later = application();
    later.starts = Some("2026-11-25".to_owned());
    let with = Facts { assignee: Some(&kasi), ..world.facts(at(0, 9, 0)) };
    let request =
        world.submitted(later, at(0, 9, 0)).act(&dispose(), &kabid(), &with).unwrap().value;
    let request = request.act(&approve(1), &kasi, &world.facts(at(0, 10, 0))).unwrap().value;
    let early = request.clone().act(&Act::Promote {}, &kasi, &world.facts(at(0, 10, 0)));
    assert_eq!(code(early), FaultCode::Incomplete);
    // Step 4 runs from then on: due at the end of that Wednesday.
    assert_eq!(request.due(&world.calendar, &world.rules), Some(at(2, 16, 0)));
    assert!(request.act(&Act::Promote {}, &Actor::system(), &world.facts(at(2, 0, 0))).is_ok());
}

#[test]
fn what_is_missing_is_told_after_state_and_person() {
    let world = World::new();
    let now = at(0, 9, 0);
    let (kabid, kasi) = (kabid(), kasi());
    let with = Facts { assignee: Some(&kasi), ..world.facts(now) };
    // A routing slip without an instruction says nothing.
    let bare = Act::Dispose { to: "sari".to_owned(), instruction: " ".to_owned() };
    let submitted = || world.submitted(application(), now);
    assert_eq!(code(submitted().act(&bare, &kasi, &with)), FaultCode::NotAllowed);
    assert_eq!(code(submitted().act(&bare, &kabid, &with)), FaultCode::Incomplete);
    // Bodies with nothing in them are read, and the rules answer.
    for name in ["return", "reject", "approve", "ask", "check"] {
        let act = Act::from_body(name, b"{}").unwrap();
        assert_eq!(code(submitted().act(&act, &kasi, &with)), FaultCode::WrongState, "{name}");
        let assigned = world.assigned(now);
        assert_eq!(
            code(assigned.clone().act(&act, &kabid, &with)),
            FaultCode::NotAllowed,
            "{name}"
        );
        if name != "check" {
            assert_eq!(code(assigned.act(&act, &kasi, &with)), FaultCode::Incomplete, "{name}");
        }
    }
    let unclear = Act::Consult { party: "Dinkes".to_owned(), email: "dinkes".to_owned() };
    assert_eq!(code(world.assigned(now).act(&unclear, &kasi, &with)), FaultCode::Incomplete);
    use crate::queue::person::samples::{MAILBOXES, NO_MAILBOXES};
    for (email, fits) in
        MAILBOXES.map(|it| (it, true)).into_iter().chain(NO_MAILBOXES.map(|it| (it, false)))
    {
        let act = Act::Consult { party: "Dinkes".to_owned(), email: email.to_owned() };
        assert_eq!(world.assigned(now).act(&act, &kasi, &with).is_ok(), fits, "{email}");
    }
    // Who keys in a correction is asked before the correction is read.
    let back = world.assigned(now).act(&send_back(), &kasi, &with).unwrap().value;
    assert_eq!(code(back.clone().act(&Act::Resubmit {}, &kasi, &with)), FaultCode::SamePerson);
    assert!(back.may(ActKind::Resubmit, &applicant(), now).is_ok());
    assert!(world.assigned(now).may(ActKind::Resubmit, &applicant(), now).is_err());
}

#[test]
fn whoever_stands_in_for_the_head_may_reopen_what_another_holds() {
    let world = World::new();
    let now = at(0, 9, 0);
    let mut plh = officer("rudi", Role::Verifier);
    plh.acting.push(ActingOfficial {
        role: Role::Head,
        holder: "budi".to_owned(),
        starts: 0,
        ends: i64::MAX,
        letter: "800/8".to_owned(),
    });
    let reopen = Act::Reopen { reason: "ulang".to_owned() };
    let step = world.verified(now).act(&reopen, &plh, &world.facts(now)).unwrap();
    assert_eq!((step.happening.by.role, step.value.state()), (Role::Head, State::Assigned));
}

#[test]
fn free_texts_lose_what_may_be_a_nik() {
    let act = send_back();
    assert_eq!(act.clone().cleaned(), act);
    let Act::Return { lines } = Act::from_body(
        "return",
        br#"{"lines":[{"code":"M1","verdict":"fix","note":"NIK 3209123456789012\u0000"}]}"#,
    )
    .unwrap()
    .cleaned() else {
        panic!("another act")
    };
    assert_eq!(lines[0].note.as_deref(), Some("NIK ****************"));
}

#[test]
fn the_holder_is_offered_what_the_phase_allows() {
    let world = World::new();
    let now = at(0, 9, 0);
    use ActKind::{
        Approve, Check, Consult, Dispose, Notified, Promote, Reject, Release, Reopen, Resubmit,
        Return, Withdraw,
    };
    let submitted = world.submitted(application(), now);
    assert_eq!(submitted.offers(&kabid(), now), [Dispose, Withdraw]);
    assert_eq!(submitted.offers(&kasi(), now), []);
    assert_eq!(submitted.offers(&applicant(), now), [Withdraw]);
    for role in [Role::Auditor, Role::Operator] {
        assert_eq!(submitted.offers(&officer("x", role), now), []);
    }
    let assigned = world.assigned(now);
    let offered = [Release, Consult, Return, Check, Reject, Approve, Withdraw];
    assert_eq!(assigned.offers(&kasi(), now), offered);
    let back = assigned.act(&send_back(), &kasi(), &world.facts(now)).unwrap().value;
    assert_eq!(back.offers(&applicant(), now), [Resubmit, Withdraw]);
    assert_eq!(world.verified(now).offers(&kasi(), now), [Reopen, Promote, Withdraw]);
    assert_eq!(world.live(now).offers(&kasi(), now), [Notified]);
    assert_eq!(world.live(now).offers(&applicant(), now), []);
    assert_eq!(world.live(now).offers(&officer("x", Role::Operator), now), []);
}

#[test]
fn an_act_that_is_too_early_is_not_offered_and_says_what_is_missing() {
    let mut world = World::new();
    let now = at(0, 9, 0);
    let refused = |request: Request, world: &World, act: &Act| {
        let kind = act.kind();
        assert!(!request.offers(&kasi(), now).contains(&kind), "{kind}");
        assert_eq!(code(request.act(act, &kasi(), &world.facts(now))), FaultCode::Incomplete);
    };
    let question = Act::Consult { party: "Dinkes".to_owned(), email: String::new() };
    let asked = world.assigned(now).act(&question, &kasi(), &world.facts(now)).unwrap().value;
    refused(asked, &world, &approve(1));
    let approved = |world: &World, application| {
        let kasi = kasi();
        let with = Facts { assignee: Some(&kasi), ..world.facts(now) };
        let request = world.submitted(application, now).act(&dispose(), &kabid(), &with).unwrap();
        let note = Act::Check { lines: vec![line(LineCode::A3, LineVerdict::Ok, "alasan")] };
        let noted = request.value.act(&note, &kasi, &with).unwrap().value;
        noted.act(&approve(1), &kasi, &with).unwrap().value
    };
    let later = Application { starts: Some("2026-11-25".to_owned()), ..application() };
    let scheduled = approved(&world, later);
    assert_eq!(
        (scheduled.phase(now), scheduled.phase(at(2, 9, 0))),
        (Phase::Scheduled, Phase::Verified)
    );
    assert!(scheduled.offers(&kasi(), at(2, 9, 0)).contains(&ActKind::Promote));
    refused(scheduled, &world, &Act::Promote {});
    world.automatic = vec![AutoLine {
        code: LineCode::A3,
        outcome: Outcome::Failed,
        overrule: Overrule::SecondSignature,
        faults: vec![],
    }];
    let unsigned = approved(&world, application());
    assert_eq!(unsigned.phase(now), Phase::AwaitsSecond);
    assert!(unsigned.offers(&officer("kabid2", Role::Head), now).contains(&ActKind::Countersign));
    refused(unsigned, &world, &Act::Promote {});
}

//------------ Clocks --------------------------------------------------------

#[test]
fn returned_thursday_after_240_minutes_back_tuesday_is_due_tuesday_1300() {
    let mut world = World::new();
    let kasi = kasi();
    let with = Facts { assignee: Some(&kasi), ..world.facts(at(3, 10, 0)) };
    let request = world
        .submitted(application(), at(3, 9, 50))
        .act(&dispose(), &kabid(), &with)
        .unwrap()
        .value;
    assert_eq!(request.due(&world.calendar, &world.rules), Some(at(4, 10, 0)));
    let request = request.act(&send_back(), &kasi, &world.facts(at(3, 14, 0))).unwrap().value;
    assert_eq!(request.clocks().paused(), Some(ClockStep::Check));
    assert_eq!(
        request.clocks().used(ClockStep::Check, at(8, 9, 0), &world.calendar),
        240 * MINUTE_MS
    );
    let amendment = Amendment { application: application().into(), faults: Vec::new() };
    let with = Facts { amendment: Some(&amendment), ..world.facts(at(8, 9, 0)) };
    let request = request.act(&Act::Resubmit {}, &applicant(), &with).unwrap().value;
    assert_eq!(request.due(&world.calendar, &world.rules), Some(at(8, 13, 0)));
    world.calendar.add_holiday("2026-12-01", "contoh", "SKB").unwrap();
    assert_eq!(request.due(&world.calendar, &world.rules), Some(at(9, 12, 0)));
}

#[test]
fn a_question_pauses_the_clock_and_lapses_after_five_working_days() {
    let world = World::new();
    let kasi = kasi();
    let question =
        Act::Consult { party: "Dinas Kesehatan".to_owned(), email: "d@example.id".to_owned() };
    let asked = world
        .assigned(at(0, 9, 0))
        .act(&question, &kasi, &world.facts(at(0, 10, 0)))
        .unwrap()
        .value;
    assert_eq!(asked.clocks().running(), None);
    assert_eq!(
        code(asked.clone().act(&approve(1), &kasi, &world.facts(at(0, 11, 0)))),
        FaultCode::Incomplete
    );
    assert_eq!(
        code(asked.clone().lapse_question(&world.facts(at(7, 9, 59)))),
        FaultCode::WrongState
    );
    let back = asked.clone().lapse_question(&world.facts(at(7, 10, 0))).unwrap().value;
    assert_eq!(back.clocks().running(), Some(ClockStep::Check));
    let confirm = |letter: &str| Act::Confirm { party: String::new(), letter: letter.to_owned() };
    let now = world.facts(at(1, 9, 0));
    assert_eq!(code(back.act(&confirm("1"), &kasi, &now)), FaultCode::WrongState);
    assert_eq!(code(asked.clone().act(&confirm(""), &kasi, &now)), FaultCode::Incomplete);
    let party = Actor::applicant("Dinkes", Identity::default(), Some(&asked.party_key()));
    let agreed = asked.act(&confirm(""), &party, &now).unwrap().value;
    assert!(agreed.agreement().is_some());
    // One hour was used before the question.
    assert_eq!(agreed.due(&world.calendar, &world.rules), Some(at(1, 16, 0)));
    assert!(agreed.act(&approve(1), &kasi, &now).is_ok());
}

#[test]
fn who_keyed_in_the_agreement_as_head_is_no_verifier_of_the_request() {
    let mut world = World::new();
    let stands_in = |mut actor: Actor, role, holder: &str| {
        let (holder, letter) = (holder.to_owned(), "800/7".to_owned());
        actor.acting.push(ActingOfficial { role, holder, starts: 0, ends: i64::MAX, letter });
        actor
    };
    let question = Act::Consult { party: "Dinkes".to_owned(), email: String::new() };
    let confirm = Act::Confirm { party: String::new(), letter: "1".to_owned() };
    // The head of another desk answers for the party, and stands in for the verifier as well.
    let rina = stands_in(officer("rina", Role::Head), Role::Verifier, "sari");
    // A verifier stands in for the head, answers, and would get the request afterwards.
    let tono = stands_in(officer("tono", Role::Verifier), Role::Head, "budi");
    world.signers.extend([rina.clone(), tono.clone()]);
    let facts = world.facts(at(0, 10, 0));
    let asked = world.assigned(at(0, 9, 0)).act(&question, &kasi(), &facts).unwrap().value;
    let by_head = officer("rina", Role::Head);
    let agreed = asked.clone().act(&confirm, &by_head, &facts).unwrap().value;
    assert_eq!(code(agreed.act(&approve(1), &rina, &facts)), FaultCode::SamePerson);
    let agreed = asked.clone().act(&confirm, &tono, &facts).unwrap().value;
    let to = Facts { assignee: Some(&tono), ..facts };
    let to_tono = Act::Reassign { to: "tono".to_owned(), reason: "cuti".to_owned() };
    let moved = agreed.act(&to_tono, &kabid(), &to);
    assert!(moved.map_or_else(
        |error| error.code() == FaultCode::SamePerson,
        |step| code(step.value.act(&approve(1), &tono, &facts)) == FaultCode::SamePerson,
    ));
    // Nor is one who was to check it the head who answers.
    let moved = asked.act(&to_tono, &kabid(), &to).unwrap().value;
    let sari = stands_in(kasi(), Role::Head, "budi");
    assert_eq!(code(moved.act(&confirm, &sari, &facts)), FaultCode::SamePerson);
}

#[test]
fn an_unanswered_correction_expires_after_fourteen_working_days() {
    let world = World::new();
    let back = world
        .assigned(at(0, 9, 0))
        .act(&send_back(), &kasi(), &world.facts(at(0, 10, 0)))
        .unwrap()
        .value;
    assert_eq!(back.due(&world.calendar, &world.rules), Some(at(18, 10, 0)));
    assert_eq!(code(back.clone().expire(&world.facts(at(18, 9, 59)))), FaultCode::WrongState);
    assert_eq!(back.expire(&world.facts(at(18, 10, 0))).unwrap().value.state(), State::Expired);
}

#[test]
fn reopening_leaves_an_hour_at_least_and_releasing_keeps_what_was_used() {
    let world = World::new();
    let kasi = kasi();
    let late = world
        .assigned(at(0, 8, 0))
        .act(&approve(1), &kasi, &world.facts(at(2, 12, 0)))
        .unwrap()
        .value;
    let reopen = Act::Reopen { reason: "ulang".to_owned() };
    let request = late.act(&reopen, &kabid(), &world.facts(at(2, 12, 0))).unwrap().value;
    assert_eq!(request.due(&world.calendar, &world.rules), Some(at(2, 13, 0)));
    let release = Act::Release { reason: "cuti".to_owned() };
    let free =
        world.assigned(at(0, 8, 0)).act(&release, &kasi, &world.facts(at(0, 12, 0))).unwrap().value;
    assert_eq!((free.state(), free.holder()), (State::Submitted, None));
    let with = Facts { assignee: Some(&kasi), ..world.facts(at(0, 12, 5)) };
    let again = free.act(&dispose(), &kabid(), &with).unwrap().value;
    assert_eq!(again.due(&world.calendar, &world.rules), Some(at(1, 8, 5)));
}

#[test]
fn what_is_late_has_the_least_time_left() {
    let world = World::new();
    let now = at(1, 10, 0);
    let left = |request: &Request| request.clocks().left(now, &world.calendar, &world.rules);
    let late = world.submitted(application(), at(0, 9, 0));
    let soon = world.assigned(at(0, 10, 30));
    let paused = soon.clone().act(&send_back(), &kasi(), &world.facts(at(0, 11, 0))).unwrap().value;
    let done = world.live(at(0, 9, 0)).notified(&world.facts(at(0, 9, 0))).unwrap().value;
    assert_eq!(left(&late), Some((15 - 480 - 60) * MINUTE_MS));
    assert!(left(&late) < left(&soon) && left(&soon) < left(&paused) && left(&done).is_none());
}

//------------ The crowd -----------------------------------------------------

/// Everybody who might press something, honest or not.
fn crowd() -> Vec<Actor> {
    let mut dual = officer("dual", Role::Head);
    dual.roles.push(Role::Verifier);
    let contact = Actor::officer(
        "c",
        Identity::new(Some("c"), None, Some("desa@example.id")),
        vec![Role::Verifier],
    );
    let mut plh = officer("plh", Role::Verifier);
    plh.acting.push(ActingOfficial {
        role: Role::Head,
        holder: "budi".to_owned(),
        starts: 0,
        ends: i64::MAX,
        letter: "1".to_owned(),
    });
    let gone = Actor { disabled: true, ..officer("gone", Role::Verifier) };
    vec![
        kabid(),
        kasi(),
        officer("kabid2", Role::Head),
        officer("kasi2", Role::Verifier),
        officer("admin", Role::Operator),
        officer("auditor", Role::Auditor),
        dual,
        contact,
        plh,
        gone,
        applicant(),
        Actor::applicant("x", Identity::default(), None),
        Actor::system(),
    ]
}

mod walks;
