//! Random walks: whatever anybody tries, a request stays within the procedure's table, and the walks
//! together take every row of it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use serde_json::json;

use super::*;
use crate::queue::laps::{Mark, Replay};
use crate::queue::procedure::{ActInput, Offered};
use crate::queue::{Ground, Raised};

/// What somebody tries in a walk.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// An act.
    Act(ActKind),
    /// A step that gapura takes by itself.
    Turn(Turn),
}

impl Move {
    /// Its row in the procedure.
    fn row(self) -> &'static Row {
        match self {
            Self::Act(kind) => kind.row(),
            Self::Turn(turn) => turn.row(),
        }
    }
}

/// Whether a step makes a request, and so is not possible on one that is there.
fn makes_one(turn: Turn) -> bool {
    turn.row().from == [Phase::Draft]
}

/// Every move of the procedure on a request that is there.
fn moves() -> Vec<Move> {
    let turns = Turn::ALL.iter().copied().filter(|turn| !makes_one(*turn));
    ActKind::ALL.into_iter().map(Move::Act).chain(turns.map(Move::Turn)).collect()
}

/// Tries a move; an act may be wrong on purpose.
fn attempt(
    request: Request,
    what: Move,
    wrong: bool,
    actor: &Actor,
    facts: &Facts<'_>,
) -> RequestResult {
    let turn = match what {
        Move::Act(kind) => {
            let act = act_of(kind, &request, wrong);
            return request.act(&act, actor, facts);
        }
        Move::Turn(turn) => turn,
    };
    match turn {
        Turn::Settle => request.settled(facts),
        Turn::Expire => request.expire(facts),
        Turn::ConsultLapsed => request.lapse_question(facts),
        Turn::Promoted => request.promoted(8, facts),
        Turn::PromotionFailed => {
            let [step, question, expected, found] = ["x"; 4].map(str::to_owned);
            let fault = PromotionFault { step, question, expected, found };
            request.promotion_failed(fault, facts)
        }
        Turn::Close => request.close("2026-11", facts),
        Turn::Reopen => request.reopen_stale(&crate::queue::fault::Stale::NoCandidate, facts),
        Turn::Notified => request.notified(facts),
        Turn::Submit | Turn::Raise => unreachable!("{turn:?} makes a request"),
    }
}

/// The next move on the way to Closed and the member of the crowd who may do it; a die makes detours.
fn next(request: &Request, die: usize) -> (Move, usize) {
    let detour = die.is_multiple_of(4);
    let second = request.approval().is_some_and(|a| a.second_needed && a.second.is_none());
    match request.stage() {
        Stage::Submitted(_) => (Move::Act(ActKind::Dispose), 0),
        Stage::Assigned(stage) if stage.waiting && detour => (Move::Turn(Turn::ConsultLapsed), 12),
        Stage::Assigned(stage) if stage.waiting => (Move::Act(ActKind::Confirm), 1),
        Stage::Assigned(_) if detour => (Move::Act(ActKind::Return), 1),
        Stage::Assigned(_) if die == 1 => (Move::Act(ActKind::Consult), 1),
        Stage::Assigned(_) => (Move::Act(ActKind::Approve), 1),
        Stage::NeedsCorrection(_) if detour => (Move::Turn(Turn::Expire), 12),
        Stage::NeedsCorrection(_) => (Move::Act(ActKind::Resubmit), 10),
        Stage::Verified(stage) if stage.promoting.is_some() => {
            (Move::Turn(if detour { Turn::PromotionFailed } else { Turn::Promoted }), 12)
        }
        Stage::Verified(_) if second => (Move::Act(ActKind::Countersign), 2),
        Stage::Verified(_) => (Move::Act(ActKind::Promote), 1),
        Stage::PromotionFailed(_) => (Move::Act(ActKind::Retry), 4),
        Stage::Live(_) => (Move::Turn(Turn::Notified), 12),
        _ => (Move::Turn(Turn::Close), 12),
    }
}

/// The first of the crowd who may take a move now.
fn able(request: &Request, what: Move, crowd: &[Actor], now: i64) -> Option<usize> {
    let Move::Act(kind) = what else { return None };
    crowd.iter().position(|actor| request.may(kind, actor, now).is_ok())
}

/// An act of each kind, refused for nothing but its content; a wrong one lacks lines, and is bound to another
/// candidate.
fn act_of(kind: ActKind, request: &Request, wrong: bool) -> Act {
    let value = |what: ActInput| match what {
        ActInput::Assignee => json!("sari"),
        ActInput::Email => json!(""),
        ActInput::RejectReason => json!("rangkap"),
        ActInput::Revision => json!(request.revision()),
        ActInput::Serial => json!(null),
        ActInput::Candidate => json!(if wrong { "ffff" } else { HASH }),
        ActInput::Lines => json!(all_ok()[..if wrong { 3 } else { 7 }]),
        ActInput::LinesToFix => json!([line(LineCode::M4, LineVerdict::Fix, "x")]),
        ActInput::LinesBad => json!([line(LineCode::M1, LineVerdict::Bad, "x")]),
        ActInput::Starts => json!("2026-11-26"),
        _ => json!("x"),
    };
    let inputs = kind.row().inputs.iter();
    let fields = inputs.map(|input| (input.name.to_owned(), value(input.what))).collect();
    Act::from_fields(kind, fields).unwrap()
}

/// The actor is offered exactly the acts that are not refused for the state or the person, but for
/// those that are too early and those others key in; and each of them ends where its row says.
fn offers_are_the_acts(request: &Request, actor: &Actor, facts: &Facts<'_>) {
    let next = officer("kasi9", Role::Verifier);
    let amendment = Amendment { application: application().into(), faults: Vec::new() };
    let facts = Facts { assignee: Some(&next), amendment: Some(&amendment), ..*facts };
    let offered = request.offers(actor, facts.now);
    for kind in ActKind::ALL {
        let done = request.clone().act(&act_of(kind, request, false), actor, &facts);
        let refused = [FaultCode::WrongState, FaultCode::NotAllowed, FaultCode::SamePerson];
        let fits = done.as_ref().err().is_none_or(|error| !refused.contains(&error.code()));
        let row = kind.row();
        let case = format!("{kind} by {}: {done:?}", actor.name);
        if row.early.contains(&request.phase(facts.now)) {
            assert!(!offered.contains(&kind) && done.is_err(), "{case}");
        } else if row.offered == Offered::Everybody || actor.roles == [Role::Applicant] {
            assert_eq!(offered.contains(&kind), fits, "{case}");
        } else {
            // The person may do it all the same, with a letter.
            assert!(fits || !offered.contains(&kind), "{case}");
            assert!(!offered.contains(&kind) || actor.roles != [Role::Operator], "{case}");
        }
        if offered.contains(&kind) && row.inputs.is_empty() {
            assert!(done.is_ok(), "{case}");
        }
        if let Ok(step) = done {
            assert!(row.to.contains(&step.value.state()), "{kind}");
        }
    }
}

/// The state that a row leads to from a phase.
fn leads_to(row: &Row, from: Phase) -> State {
    match row.to {
        [to] => *to,
        several => several[row.from.iter().position(|phase| *phase == from).unwrap()],
    }
}

/// Whoever looks at a request that is up must find three different persons behind it.
fn nobody_alone(request: &Request) {
    if !matches!(request.state(), State::Live | State::Notified | State::Closed) {
        return;
    }
    let approval = request.approval().unwrap();
    let head = &request.dispositions().last().unwrap().from;
    assert!(!head.identity.same(&approval.by.identity));
    for applicant in request.case.applicants() {
        assert!(!applicant.same(&head.identity) && !applicant.same(&approval.by.identity));
    }
    if approval.second_needed {
        let second = approval.second.as_ref().unwrap();
        assert!(!second.identity.same(&approval.by.identity));
    }
    assert_eq!(approval.revision, request.revision());
    assert_eq!(approval.candidate, HASH);
    assert!(request.sheet().missing(request.application()).is_empty());
}

/// The moves that walks have taken.
type Taken = RefCell<BTreeSet<String>>;

/// Where a walk is.
struct Walk<'a> {
    world: &'a World,
    request: Request,
    replay: Replay<'a>,
    taken: &'a Taken,
}

impl<'a> Walk<'a> {
    /// A walk that begins as an office asks, or gapura by itself.
    fn begin(world: &'a World, application: Application, now: i64, taken: &'a Taken) -> Self {
        let deed = if application.raised.is_some() { Deed::Raise } else { Deed::Submit };
        let request = match deed {
            Deed::Raise => {
                let facts = world.facts(now);
                Request::raise("GPR-1", application.into(), Vec::new(), &facts).unwrap().value
            }
            _ => world.submitted(application, now),
        };
        let mut replay = Replay::new(&world.calendar, &world.rules);
        replay.mark(&Mark { at: now, deed, by: "", to: None, starts: None });
        Self { world, request, replay, taken }
    }

    /// Takes a move, if it is possible, and looks at everything that must hold after it.
    fn go(
        &mut self,
        what: Move,
        wrong: bool,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> Result<(), TestCaseError> {
        let Ok(Step { value, happening }) =
            attempt(self.request.clone(), what, wrong, actor, facts)
        else {
            return Ok(());
        };
        let before = std::mem::replace(&mut self.request, value);
        let (now, deed, phase) = (facts.now, happening.deed, before.phase(facts.now));
        let (row, to) = (what.row(), self.request.state());
        prop_assert!(row.from.contains(&phase), "{} {}", phase, deed);
        prop_assert_eq!((deed, to), (row.deed, leads_to(row, phase)), "{}", phase);
        self.taken.borrow_mut().insert(format!("{what:?}"));
        prop_assert_eq!(happening.before.as_deref(), Some(before.state().as_str()));
        prop_assert_eq!(happening.after.as_deref(), Some(to.as_str()));
        prop_assert_eq!(happening.revision, self.request.revision());
        prop_assert_eq!(happening.by.at, now);
        prop_assert!(happening.turned_back.is_none());
        prop_assert!(!actor.disabled || happening.by.role == Role::System);
        let fact = |key: &str| happening.facts.get(key).map(String::as_str);
        let by = happening.by.person();
        self.replay.mark(&Mark { at: now, deed, by, to: fact("to"), starts: fact("starts") });
        prop_assert_eq!(self.replay.clocks(), self.request.clocks(), "{}", deed);
        nobody_alone(&self.request);
        let text = serde_json::to_string(&self.request).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Request>(&text).unwrap(), &self.request);
        Ok(())
    }

    /// One move after another, each by somebody of the crowd.
    fn all(&mut self, steps: Vec<(Move, usize, usize, u8, i64)>, start: i64) -> TestCaseResult {
        let crowd = crowd();
        let mut now = start;
        for (what, who, to, odds, days) in steps {
            now += days * 86_400_000 / 4;
            // Now and then everybody waits until whatever runs is over.
            if odds == 2 {
                now += 40 * 86_400_000;
            }
            // Mostly the next useful move, so that walks get far; often any move by whoever may take it.
            let useful = odds > 5;
            let (what, who) = match odds {
                6.. => next(&self.request, to),
                3..=5 => (what, able(&self.request, what, &crowd, now).unwrap_or(who)),
                _ => (what, who),
            };
            let actor = &crowd[who];
            let to = if useful { &crowd[1] } else { &crowd[to] };
            let amendment = Amendment { application: application().into(), faults: Vec::new() };
            let world = self.world;
            let facts =
                Facts { assignee: Some(to), amendment: Some(&amendment), ..world.facts(now) };
            if odds == 1 {
                offers_are_the_acts(&self.request, actor, &facts);
                let key = self.request.party_key();
                let party = Actor::applicant("party", Identity::default(), Some(&key));
                offers_are_the_acts(&self.request, &party, &facts);
            }
            if !world.automatic.is_empty() && matches!(what, Move::Act(ActKind::Approve)) {
                let noted = vec![line(LineCode::A3, LineVerdict::Ok, "alasan")];
                let noted = self.request.clone().act(&Act::Check { lines: noted }, actor, &facts);
                let Ok(noted) = noted else { continue };
                self.request = noted.value;
            }
            self.go(what, odds == 0, actor, &facts)?;
        }
        Ok(())
    }
}

/// Random moves by random actors stay within the table, and take every row of it.
#[test]
fn random_walks_stay_within_the_table_and_take_every_row() {
    let taken = Taken::default();
    let step = (select(moves()), 0usize..13, 0usize..13, 0u8..10, 0i64..3);
    let steps = proptest::collection::vec(step, 1..80);
    let walks = (any::<bool>(), any::<bool>(), any::<bool>(), steps);
    proptest!(ProptestConfig::with_cases(2_000), |((second, scheduled, raised, steps) in walks)| {
        let mut world = World::new();
        if second {
            let failed = AutoLine { code: LineCode::A3, outcome: Outcome::Failed, overrule: Overrule::SecondSignature, faults: vec![] };
            world.automatic = vec![failed];
        }
        let start = at(0, 9, 0);
        let starts = scheduled.then(|| "2026-11-25".to_owned());
        let raised = raised.then_some(Raised { cause: Ground::Ended, since: 0 });
        let application = Application { starts, raised, ..application() };
        Walk::begin(&world, application, start, &taken).all(steps, start)?;
    });
    let taken = taken.into_inner();
    let mut never: Vec<String> = moves().iter().map(|what| format!("{what:?}")).collect();
    never.retain(|what| !taken.contains(what));
    assert!(never.is_empty(), "no walk took {never:?}: does `act_of` give what they take?");
}
