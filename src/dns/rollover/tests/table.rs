//! Every stage with every command, and clocks that go back.

use super::super::{
    Act, Arrangement, Command, Facts, KeyId, KeySet, Next, Parent, ParentServer, Parents, Policy,
    Refusal, Role, SeenDs, Wait, Why,
};
use super::{dnskey, first_keys, policy};
use crate::dnssec::Algorithm;

/// A key set that is led to a stage, with a parent that has the DS it is told to have.
#[derive(Clone)]
struct Led {
    /// The key set.
    set: KeySet,
    /// Its policy.
    policy: Policy,
    /// The time.
    now: u64,
    /// The DS at the parent.
    ds: Vec<KeyId>,
    /// Keys made.
    made: u32,
}

impl Led {
    /// A zone that was just signed.
    fn begin() -> Self {
        let policy = Policy { zsk_s: 0, ..policy(Arrangement::KskZsk) };
        let set = KeySet::begin(first_keys(&policy), &policy, 1_000).unwrap();
        Self { set, policy, now: 1_000, ds: Vec::new(), made: 10 }
    }

    /// A zone whose parent has its DS.
    fn secure() -> Self {
        let mut led = Self::begin().to(Act::WantDs);
        led.ds = led.set.ds_wanted();
        led.to(Act::Secure)
    }

    /// What is known, if all is signed as it should be.
    fn facts(&self) -> Facts {
        let ds = Some(SeenDs { keys: self.ds.clone(), strangers: 0 });
        let servers = vec![ParentServer { name: "a.".to_owned(), ds }];
        let parents = Parents { at: self.now, ttl: None, servers };
        Facts { max_zone_ttl: 600, signed_by: self.set.zone_signers(), parents }
    }

    /// Goes on until a step was taken; waits as long as that needs.
    fn to(mut self, act: Act) -> Self {
        for _ in 0..20 {
            match self.set.next(&self.policy, &self.facts(), self.now) {
                Next::Step(step) => {
                    self.set = step.set;
                    if step.act == act {
                        return self;
                    }
                }
                Next::NeedKeys(needs) => {
                    let keys = needs.iter().map(|need| {
                        self.made += 1;
                        dnskey(need.role, need.algorithm, self.made)
                    });
                    let keys = keys.collect();
                    self.set = self.set.start(keys, &self.policy, &self.facts(), self.now).unwrap();
                    if act == Act::Begin {
                        return self;
                    }
                }
                Next::Wait { until, .. } => self.now = until.unwrap(),
            }
        }
        panic!("{act:?} never comes: {:#?}", self.set);
    }

    /// After a command.
    fn told(mut self, command: Command) -> Self {
        self.set = self.set.command(command, &self.policy, &self.facts(), self.now).unwrap();
        self
    }

    /// The parent does as it is asked.
    fn obeyed(mut self) -> Self {
        self.ds = self.set.ds_wanted();
        self
    }
}

/// All stages, by name.
fn stages() -> Vec<(&'static str, Led)> {
    let secure = Led::secure();
    let ksk = secure.clone().told(Command::Roll(Some(Role::Ksk))).to(Act::Begin);
    let ksk_ds = ksk.clone().to(Act::ExchangeDs);
    let ksk_out = ksk_ds.clone().obeyed().to(Act::DsExchanged);
    let zsk = secure.clone().told(Command::Roll(Some(Role::Zsk))).to(Act::Begin);
    let zsk_switch = zsk.clone().to(Act::Switch);
    let zsk_drain = zsk_switch.clone().to(Act::Switched);
    let urgent = secure.clone().told(Command::Emergency(Some(Role::Zsk))).to(Act::Begin);
    let doubled = urgent.clone().to(Act::Presigned);
    let mut algorithm = secure.clone();
    algorithm.policy.algorithm = Algorithm::Ed25519;
    let algorithm = algorithm.to(Act::Begin);
    let presigned = algorithm.clone().to(Act::Presigned);
    let published = presigned.clone().to(Act::Publish);
    let algorithm_ds = published.clone().to(Act::ExchangeDs);
    let algorithm_out = algorithm_ds.clone().obeyed().to(Act::DsExchanged);
    let withdrawing = algorithm_out.clone().to(Act::Withdraw);
    let leaving = secure.clone().told(Command::GoUnsigned);
    let expiring = leaving.clone().obeyed().to(Act::DsGone);
    let unsigned = expiring.clone().to(Act::Unsign);
    vec![
        ("introducing", Led::begin()),
        ("ds-wanted", Led::begin().to(Act::WantDs)),
        ("secure", secure),
        ("ds-leaving", leaving),
        ("ds-expiring", expiring),
        ("unsigned", unsigned),
        ("ksk publishing", ksk),
        ("ksk ds-exchange", ksk_ds),
        ("ksk ds-expiring", ksk_out),
        ("zsk publishing", zsk),
        ("zsk switching", zsk_switch),
        ("zsk draining", zsk_drain),
        ("zsk doubling", urgent),
        ("zsk doubled", doubled),
        ("alg pre-signing", algorithm),
        ("alg pre-signed", presigned),
        ("alg publishing", published),
        ("alg ds-exchange", algorithm_ds),
        ("alg ds-expiring", algorithm_out),
        ("alg withdrawing", withdrawing),
    ]
}

/// What a command does: `ok`, `same` if it changes nothing, else why it is refused.
fn outcome(led: &Led, command: Command) -> String {
    match led.set.command(command, &led.policy, &led.facts(), led.now) {
        Ok(set) if KeySet { touched: led.set.touched, ..set.clone() } == led.set => "same".into(),
        Ok(_) => "ok".into(),
        Err(refusal) => {
            assert!(refusal.to_string().len() > 20, "says what to do: {refusal}");
            let text = format!("{refusal:?}");
            text.split('(').next().unwrap().to_owned()
        }
    }
}

#[test]
fn each_command_in_each_stage() {
    let mut table = String::new();
    for (name, led) in stages() {
        let entry = |led: &Led| led.set.at_parent().last().copied();
        let newest = entry(&led).map_or(1, |id| id.tag);
        let oldest = led.set.entry.keys[0].tag;
        let key = dnskey(Role::Ksk, Algorithm::EcdsaP256Sha256, 99);
        let commands = [
            Command::Roll(Some(Role::Ksk)),
            Command::Roll(Some(Role::Zsk)),
            Command::Emergency(None),
            Command::DsSeen(newest),
            Command::DsGone(oldest),
            Command::Cancel(None),
            Command::GoUnsigned,
            Command::Import(vec![key]),
        ];
        let outcomes = commands.map(|command| outcome(&led, command));
        table.push_str(&format!("{name}: {}\n", outcomes.join(" ")));
    }
    assert_eq!(table, TABLE, "\n{table}");
}

/// Columns: roll KSK, roll ZSK, emergency, new DS seen, old DS gone, cancel, go unsigned, import a KSK.
const TABLE: &str = "\
introducing: ok ok ok ok NotWaitedFor NothingToCancel ok ok
ds-wanted: ok ok ok ok NotWaitedFor NothingToCancel ok ok
secure: ok ok ok ok NotWaitedFor NothingToCancel ok ok
ds-leaving: Leaving Leaving Leaving Leaving ok ok same Leaving
ds-expiring: Leaving Leaving Leaving Leaving ok ok same Leaving
unsigned: Unsigned Unsigned Unsigned Unsigned Unsigned Unsigned Unsigned Unsigned
ksk publishing: Rolling ok ok TooEarly NotWaitedFor ok ok Rolling
ksk ds-exchange: Rolling ok ok ok ok ok ok Rolling
ksk ds-expiring: Rolling ok ok ok ok ok ok Rolling
zsk publishing: ok Rolling ok ok NotWaitedFor ok ok ok
zsk switching: ok Rolling ok ok NotWaitedFor ok ok ok
zsk draining: ok Rolling ok ok NotWaitedFor ok ok ok
zsk doubling: ok Rolling Rolling ok NotWaitedFor ok ok ok
zsk doubled: ok Rolling Rolling ok NotWaitedFor ok ok ok
alg pre-signing: AlgorithmRolling AlgorithmRolling ok TooEarly NotWaitedFor PolicyWants ok AlgorithmRolling
alg pre-signed: AlgorithmRolling AlgorithmRolling ok TooEarly NotWaitedFor PolicyWants ok AlgorithmRolling
alg publishing: AlgorithmRolling AlgorithmRolling ok TooEarly NotWaitedFor PolicyWants ok AlgorithmRolling
alg ds-exchange: AlgorithmRolling AlgorithmRolling ok ok ok PolicyWants ok AlgorithmRolling
alg ds-expiring: AlgorithmRolling AlgorithmRolling ok ok ok PolicyWants ok AlgorithmRolling
alg withdrawing: AlgorithmRolling AlgorithmRolling ok ok ok PolicyWants ok AlgorithmRolling
";

#[test]
fn each_state_that_differs_is_counted() {
    for (name, led) in stages() {
        let same = |set: &KeySet| KeySet { touched: led.set.touched, ..set.clone() } == led.set;
        for command in [Command::Cancel(None), Command::GoUnsigned, Command::Roll(None)] {
            let told = led.set.command(command.clone(), &led.policy, &led.facts(), led.now + 1);
            let Ok(set) = told else { continue };
            let counted = set.generation() - led.set.generation();
            assert_eq!(counted, u64::from(!same(&set)), "{name}: {command:?}");
        }
        // A TTL that is noted is a state of its own; so is what goes on from there.
        let other = Policy { dnskey_ttl: 77, ..led.policy.clone() };
        if let Next::Step(step) = led.set.next(&other, &led.facts(), led.now) {
            assert_eq!(step.set.generation(), led.set.generation() + 1, "{name}");
        }
        let back = led.set.wait_again(&led.policy, led.now - 1);
        assert!(back.generation() > led.set.generation(), "{name}");
    }
    let led = Led::begin();
    assert_eq!(led.set.clone().newer_than(7).generation(), 8);
    assert_eq!(led.clone().to(Act::WantDs).set.newer_than(0).generation(), 2, "TTL, DS wanted");
    let text = led.to(Act::WantDs).set.write().unwrap();
    assert_eq!(KeySet::read(&text).unwrap().generation(), 2);
    let older = text.replace(",\"generation\":2", "");
    assert_eq!(KeySet::read(&older).unwrap().generation(), 0, "{older}");
}

#[test]
fn going_back_from_another_algorithm_is_as_safe_as_going_there() {
    for (name, mut led) in stages().into_iter().filter(|(name, _)| name.starts_with("alg")) {
        led.policy.algorithm = Algorithm::EcdsaP256Sha256;
        let old = led.set.entry.keys.clone();
        let cancelled = led.set.command(Command::Cancel(None), &led.policy, &led.facts(), led.now);
        if name == "alg withdrawing" {
            assert_eq!(cancelled, Err(Refusal::TooLate));
            continue;
        }
        led.set = cancelled.unwrap();
        if name.starts_with("alg pre") {
            assert_eq!(
                led.set.zone_signers(),
                led.set.zone.keys,
                "{name}: nobody needs the new ones"
            );
            continue;
        }
        // A parent that has the new DS must take it back first.
        led = led.obeyed().to(Act::End);
        assert_eq!(
            (led.set.entry.keys.clone(), led.set.key_signers()),
            (old.clone(), old),
            "{name}"
        );
    }
}

#[test]
fn a_clock_that_goes_back_moves_nothing() {
    for (name, led) in stages() {
        let before = led.set.touched - 1;
        let facts = Facts::default();
        let next = led.set.next(&led.policy, &facts, before);
        assert!(matches!(next, Next::Wait { .. }), "{name}: {next:?}");
        for command in [Command::Cancel(None), Command::GoUnsigned, Command::Roll(None)] {
            let refused = led.set.command(command, &led.policy, &facts, before);
            assert_eq!(refused, Err(Refusal::Clock(led.set.touched)), "{name}");
        }
    }
}

#[test]
fn after_a_clock_was_set_every_wait_begins_again() {
    for (name, led) in stages() {
        let waits = |set: &KeySet, now: u64| {
            let facts = Led { now, ..led.clone() }.facts();
            let left = |why: Why| (why.until().map(|until| until - now), why);
            // Removed keys are of no use to anybody: these may be forgotten early.
            let is_wait = |wait: &Wait| wait.why != Why::Due(Act::Forget);
            let all = set.waits(&led.policy, &facts, now).into_iter().filter(is_wait);
            let all = all.map(|wait| (wait.place, wait.stage, left(wait.why)));
            all.map(|(place, stage, (left, why))| {
                let of = if left.is_some() { None } else { Some(why) };
                (place, stage, left, of)
            })
            .collect::<Vec<_>>()
        };
        let before = waits(&led.set, led.now);
        for now in [led.now + 170_000, led.now + 400 * 86_400, 5] {
            let again = led.set.wait_again(&led.policy, now);
            assert_eq!(waits(&again, now), before, "{name}, {now}");
            assert_eq!(again.wait_again(&led.policy, now), again, "{name}: once is enough");
        }
    }
    // Nothing is under way: nothing changes but what was noted in a time to come.
    let led = Led::secure();
    assert_eq!(led.set.wait_again(&led.policy, led.now + 9), led.set);
    assert_eq!(led.set.wait_again(&led.policy, led.now - 9).touched(), led.now - 9);
}

#[test]
fn a_ttl_that_no_cache_obeys_holds_nothing_up_for_decades() {
    const ABSURD: u32 = i32::MAX as u32;
    let (week, lifetime) = (7 * 86_400, u64::from(Policy::default().lifetime_s));
    let with = |led: &Led, zone: u32, ds: Option<u32>| {
        let mut facts = led.facts();
        (facts.max_zone_ttl, facts.parents.ttl) = (zone, ds);
        match led.set.next(&led.policy, &facts, led.now) {
            Next::Step(step) if step.act == Act::NoteTtl => Led { set: step.set, ..led.clone() },
            other => panic!("{other:?}"),
        }
    };
    // Seen once, in either place, and then never again.
    let led = Led::secure();
    let mut led = with(&with(&led, ABSURD, None), 600, Some(ABSURD));
    let text = led.set.write().unwrap();
    led = with(&led, 600, Some(60));
    let noted = led.now;
    led = led.told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs).obeyed();
    led = led.to(Act::DsExchanged).to(Act::End);
    assert_eq!(led.now, noted + week + 3_600, "the DS");
    led = led.told(Command::Roll(Some(Role::Zsk))).to(Act::End);
    assert_eq!(led.now, noted + lifetime + 3_600, "the zone");
    // As an older version kept it.
    let kept =
        format!("\"ds\":{{\"now\":60,\"before\":{{\"ttl\":{ABSURD},\"until\":3942000000}}}}");
    let at = text.find("\"ds\":{\"now\"").unwrap();
    let end = at + text[at..].find("}").unwrap() + 1;
    let set = KeySet::read(&format!("{}{kept}{}", &text[..at], &text[end..])).unwrap();
    let mut led = with(&Led { set, now: noted, ..Led::secure() }, 600, Some(60));
    let facts = Facts { parents: Parents { ttl: Some(60), ..led.facts().parents }, ..led.facts() };
    assert!(matches!(led.set.next(&led.policy, &facts, led.now), Next::Wait { .. }), "noted once");
    led = led.told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs).obeyed();
    led = led.to(Act::DsExchanged).to(Act::End);
    assert_eq!(led.now, noted + week + 3_600, "an older version's");
}

#[test]
fn an_emergency_takes_the_place_of_a_roll_that_has_not_begun() {
    for role in [Some(Role::Ksk), Some(Role::Zsk), None] {
        let led = Led::secure().told(Command::Roll(role)).told(Command::Emergency(role));
        let refused = led.set.command(Command::Roll(role), &led.policy, &led.facts(), led.now);
        let first = role.unwrap_or(Role::Ksk);
        assert_eq!(refused, Err(Refusal::Rolling(first)), "it is asked for already");
        let led = led.to(Act::Begin);
        let rolls = led.set.entry_roll.iter().map(|roll| roll.emergency);
        let rolls = rolls.chain(led.set.zone_roll.iter().map(|roll| roll.emergency));
        assert_eq!(rolls.collect::<Vec<_>>(), [true], "{role:?}");
        assert_eq!(led.set.asked.len(), usize::from(role.is_none()), "{role:?}");
    }
}

#[test]
fn a_roll_that_has_not_begun_is_taken_back_by_its_role() {
    let refused = |led: &Led, role| {
        led.set.command(Command::Cancel(Some(role)), &led.policy, &led.facts(), led.now).err()
    };
    for (role, other) in [(Role::Ksk, Role::Zsk), (Role::Zsk, Role::Ksk)] {
        for command in [Command::Roll, Command::Emergency] {
            let led = Led::secure().told(command(Some(role)));
            assert_eq!(refused(&led, other), Some(Refusal::NothingToCancel), "{other:?}");
            let led = led.told(command(Some(other))).told(Command::Cancel(Some(other)));
            assert_eq!((led.set.asked.len(), refused(&led, role)), (1, None), "{role:?}");
            let led = led.told(command(Some(other))).told(Command::Cancel(None));
            assert!(led.set.asked.is_empty());
        }
    }
}

#[test]
fn a_step_waits_for_a_word_where_the_policy_wants_one() {
    let mut led = Led::secure();
    led.policy.manual = true;
    let waits = |led: &Led| led.set.waits(&led.policy, &led.facts(), led.now);
    // Whoever asks for a roll has given his word for its begin.
    led = led.told(Command::Roll(Some(Role::Zsk))).to(Act::Begin);
    let refused = led.set.command(Command::Confirm, &led.policy, &led.facts(), led.now);
    assert_eq!(refused, Err(Refusal::NothingToConfirm), "a word is not given in advance");
    led.now += 100_000;
    assert!(matches!(waits(&led)[..], [ref one] if one.why == Why::Word(Act::Switch)));
    assert_eq!(waits(&led)[0].command(), Some(("confirm", String::new())));
    assert!(matches!(led.set.next(&led.policy, &led.facts(), led.now), Next::Wait { .. }));
    led = led.told(Command::Confirm).to(Act::Switch);
    // What changes nothing that is served needs no word.
    led = led.to(Act::Switched);
    led.now += 100_000;
    assert!(matches!(waits(&led)[..], [ref one] if one.why == Why::Word(Act::End)));
    led = led.told(Command::Confirm).to(Act::End);
    // An age alone begins nothing; an emergency waits for nobody.
    led.policy.zsk_s = 86_400;
    led.now += 100_000;
    assert!(matches!(waits(&led)[..], [ref one] if one.why == Why::Word(Act::Begin)));
    led = led.told(Command::Emergency(Some(Role::Zsk))).to(Act::Begin);
    led.to(Act::Presigned).to(Act::End);
}

#[test]
fn only_all_servers_of_the_parent_count() {
    let led = Led::secure().told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs);
    let (old, new) = (led.ds.clone(), led.set.ds_wanted());
    let server = |name: &str, ds: Option<&Vec<KeyId>>| ParentServer {
        name: name.to_owned(),
        ds: ds.map(|keys| SeenDs { keys: keys.clone(), strangers: 0 }),
    };
    let both = [&old[..], &new[..]].concat();
    let moves = |servers: Vec<ParentServer>, at: u64| {
        let parents = Parents { at, ttl: None, servers };
        let facts = Facts { parents, ..led.facts() };
        matches!(led.set.next(&led.policy, &facts, led.now), Next::Step(_))
    };
    let now = led.now;
    assert!(moves(vec![server("a", Some(&new)), server("b", Some(&new))], now));
    for second in [Some(&old), Some(&both), Some(&Vec::new()), None] {
        assert!(!moves(vec![server("a", Some(&new)), server("b", second)], now), "{second:?}");
    }
    assert!(!moves(Vec::new(), now));
    assert!(!moves(vec![server("a", Some(&new))], now - 1), "seen before it was asked for");
    let parents =
        Parents { at: now, ttl: None, servers: vec![server("a", Some(&old)), server("b", None)] };
    let waits = led.set.waits(&led.policy, &Facts { parents, ..led.facts() }, now);
    let [wait] = &waits[..] else { panic!("{waits:#?}") };
    assert!(wait.is_for_person());
    assert_eq!(wait.command(), Some(("ds-seen", new[0].tag.to_string())));
    let Why::Ds { missing_at, still_at, silent, is_known, .. } = &wait.why else { panic!() };
    assert_eq!(
        (&missing_at[..], &still_at[..], &silent[..]),
        (&["a".into()][..], &["a".into()][..], &["b".into()][..])
    );
    assert!(is_known);
}

#[test]
fn a_ttl_that_was_lowered_counts_until_caches_have_run_out_of_it() {
    let mut led = Led::secure();
    led.policy.dnskey_ttl = 86_400;
    led = led.to(Act::NoteTtl);
    led.now += 10 * 86_400;
    let lowered = led.now;
    led.policy.dnskey_ttl = 60;
    led = led.to(Act::NoteTtl).told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs);
    assert_eq!(led.now, lowered + 86_400 + 3_600);
    // The next one waits for the low one only.
    led = led.obeyed().to(Act::End);
    let again = led.now;
    led = led.told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs);
    assert_eq!(led.now, again + 60 + 3_600);
}

#[test]
fn what_a_person_saw_counts_where_nobody_else_looks() {
    let mut led = Led::secure().told(Command::Roll(Some(Role::Ksk))).to(Act::ExchangeDs);
    let (old, new) = (led.ds[0], led.set.ds_wanted()[0]);
    led = led.told(Command::DsSeen(new.tag));
    // The parent's servers still show the old one to this machine.
    led = led.to(Act::DsExchanged);
    let exchanged = led.now;
    led = led.to(Act::End);
    assert_eq!(led.now, exchanged + 86_400 + 3_600);
    assert_eq!(led.set.key_signers(), [new]);
    assert!(led.set.key(&old).is_some_and(|key| key.removed == Some(led.now)));
    // Another algorithm: the old DS must be gone too.
    led.policy.algorithm = Algorithm::Ed25519;
    led.ds = vec![new];
    led = led.to(Act::ExchangeDs);
    let (old, new) = (new, led.set.ds_wanted()[0]);
    led = led.told(Command::DsSeen(new.tag));
    let next = led.set.next(&led.policy, &led.facts(), led.now);
    assert!(matches!(next, Next::Wait { .. }), "{next:?}");
    led = led.told(Command::DsGone(old.tag)).to(Act::DsExchanged).to(Act::End);
    assert_eq!(led.set.key_signers(), [new]);
}

#[test]
fn a_zone_that_never_had_a_ds_goes_unsigned_at_once() {
    let led = Led::begin().told(Command::GoUnsigned);
    assert!(led.set.is_unsigned());
    let wanted = Led::begin().to(Act::WantDs).told(Command::GoUnsigned);
    assert_eq!(wanted.set.parent().0, Parent::Leaving);
    let since = wanted.now;
    // A DS on its way would have come within the propagation time.
    let next = wanted.set.next(&wanted.policy, &wanted.facts(), since);
    assert!(
        matches!(next, Next::Wait { until: Some(until), .. } if until == since + 3_600),
        "{next:?}"
    );
    assert_eq!(wanted.to(Act::Unsign).now, since + 3_600);
}
