//! Whole lives of signed zones by the door: every state of every roll is served with real signatures, believed
//! by the validators of others, and there again after a crash.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::check;
use crate::dnssec::{Algorithm, Dnskey};
use crate::keystore::Keystore;
use crate::rollover::{
    Act, Arrangement, Command, Facts, KeyId, KeySet, Next, Parent, ParentServer, Parents, Policy,
    Refusal, Role, SeenDs,
};
use crate::testing::{self, judge_without};

/// A zone whose TTLs let a roll pass within minutes: validators know no time but their own, and signatures
/// begin an hour before they are made.
const ZONE: &str = "\
$ORIGIN example.
$TTL 20
@ SOA ns1 hostmaster 10 7200 900 1209600 20
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
*.wild A 192.0.2.99
sub NS ns.sub
ns.sub A 192.0.2.53
; gapura: end of zone
";

/// What the clocks of these tests are ahead of the system's, in milliseconds.
static AHEAD_MS: [AtomicI64; 5] = [const { AtomicI64::new(0) }; 5];

/// The clock of one test.
fn clock<const TEST: usize>() -> i64 {
    now_ms() + AHEAD_MS[TEST].load(Ordering::SeqCst)
}

/// A policy of short times.
fn quick(arrangement: Arrangement) -> Policy {
    Policy {
        arrangement,
        zsk_s: 0,
        dnskey_ttl: 20,
        propagation_s: 5,
        parent_ds_ttl_s: 30,
        ..Policy::default()
    }
}

/// A zone that lives.
struct Life {
    /// Its house, where this process has made it.
    house: Option<House>,
    /// The directory of the house.
    directory: PathBuf,
    /// Who serves it; none while it is closed.
    publisher: Option<Publisher>,
    /// Its policy; none = it is to be unsigned.
    policy: Option<Policy>,
    /// Which clock it has.
    test: usize,
    /// The keys that its parent names.
    ds: Vec<KeyId>,
    /// Whether validators of others look at each state.
    is_judged: bool,
    /// What was done.
    acts: Vec<Act>,
}

impl Life {
    /// A zone that is signed for the first time.
    fn begin(test: usize, policy: Policy) -> Self {
        let house = House::new(ZONE);
        let directory = house.directory.path().to_owned();
        Self { house: Some(house), ..Self::open(directory, test, policy) }
    }

    /// Opens what is in a directory, with the time and the parent's DS as they were left.
    fn open(directory: PathBuf, test: usize, policy: Policy) -> Self {
        let read = |file| fs::read_to_string(directory.join(file)).unwrap_or_default();
        let ahead = read("ahead").parse().unwrap_or(0);
        AHEAD_MS[test].store(ahead, Ordering::SeqCst);
        let ds = read("ds").lines().map(|line| line.parse().unwrap()).collect();
        let mut life = Self {
            house: None,
            directory,
            publisher: None,
            policy: Some(policy),
            test,
            ds,
            is_judged: false,
            acts: Vec::new(),
        };
        life.start();
        life
    }

    /// Opens the publisher, and signs what is not signed.
    fn start(&mut self) {
        let publisher = open_in(&self.directory, self.test, self.policy.clone());
        publisher.begin_signing(&apex(), "gapura").unwrap();
        self.publisher = Some(publisher);
    }

    /// Closes it and opens it again, by another policy perhaps.
    fn restart(&mut self, policy: Option<Policy>) {
        let before = live(self.publisher());
        let publisher = self.publisher.take().unwrap();
        self.house.as_ref().unwrap().close(publisher);
        self.policy = policy;
        self.start();
        if before.is_signed() {
            let delta = before.diff(&live(self.publisher()));
            assert!(delta.is_empty(), "a restart changes nothing: {delta:?}");
        }
    }

    /// Who serves it.
    fn publisher(&self) -> &Publisher {
        self.publisher.as_ref().unwrap()
    }

    /// The time.
    fn now(&self) -> u64 {
        let ahead = AHEAD_MS[self.test].load(Ordering::SeqCst);
        (now_ms() + ahead) as u64 / 1000
    }

    /// Lets time pass.
    fn pass(&self, seconds: u64) {
        let ahead = AHEAD_MS[self.test].load(Ordering::SeqCst) + seconds as i64 * 1000;
        self.keep("ahead", &ahead.to_string());
        AHEAD_MS[self.test].store(ahead, Ordering::SeqCst);
    }

    /// The parent has other DS.
    fn obey(&mut self, wanted: Vec<KeyId>) {
        let lines: Vec<String> = wanted.iter().map(KeyId::to_string).collect();
        self.keep("ds", &lines.join("\n"));
        self.ds = wanted;
        self.validates("the parent obeys");
    }

    /// Keeps something for who lives on after a crash.
    fn keep(&self, file: &str, text: &str) {
        fs::write(self.directory.join("new"), text).unwrap();
        fs::rename(self.directory.join("new"), self.directory.join(file)).unwrap();
    }

    /// The keys.
    fn keys(&self) -> KeySet {
        self.publisher().signing(&apex()).unwrap().current.unwrap().1
    }

    /// What is known now.
    fn facts(&self) -> Facts {
        let state = self.publisher().signing(&apex()).unwrap();
        let ds = Some(SeenDs { keys: self.ds.clone(), strangers: 0 });
        let servers = vec![ParentServer { name: "ns.parent.".to_owned(), ds }];
        let parents = Parents { at: self.now(), ttl: Some(30), servers };
        Facts { max_zone_ttl: state.ttl_max(), signed_by: state.signed_by(), parents }
    }

    /// A command.
    fn command(&mut self, command: Command) {
        let (facts, now) = (self.facts(), self.now());
        let decide = |keys: &KeySet, policy: &Policy| keys.command(command, policy, &facts, now);
        let changed = self.publisher().change_keys(&apex(), ("a command", "budi"), decide);
        changed.unwrap();
        self.validates("a command");
    }

    /// Does all that is due until only time or the parent can move anything.
    fn step(&mut self) -> Option<Next> {
        loop {
            let state = self.publisher().signing(&apex()).unwrap();
            let (current, keys) = state.current?;
            let policy = state.wanted.unwrap_or(current);
            let (facts, now) = (self.facts(), self.now());
            match keys.next(&policy, &facts, now) {
                Next::Step(step) => {
                    let (act, set) = (step.act, step.set);
                    let what = act.to_string();
                    let decide = |_: &KeySet, _: &Policy| Ok::<_, Refusal>(set);
                    let changed = self.publisher().change_keys(&apex(), (&what, "gapura"), decide);
                    changed.unwrap();
                    self.acts.push(act);
                    self.validates(&what);
                }
                Next::NeedKeys(needs) => {
                    let store = Keystore::new(&self.directory.join("state"));
                    let mut tags: Vec<u16> = keys.keys().iter().map(|key| key.id.tag).collect();
                    let made = needs.iter().map(|need| {
                        let flags = need.role.flags();
                        let key = store.generate(&apex(), need.algorithm, flags, &tags).unwrap();
                        tags.push(key.tag());
                        key
                    });
                    let made: Vec<Dnskey> = made.collect();
                    let decide =
                        |keys: &KeySet, policy: &Policy| keys.start(made, policy, &facts, now);
                    let begun = self.publisher().change_keys(&apex(), ("begin", "gapura"), decide);
                    begun.unwrap();
                    self.validates("a roll begins");
                }
                wait @ Next::Wait { .. } => return Some(wait),
            }
        }
    }

    /// Lives until nothing moves any more, with a parent that obeys.
    fn settle(&mut self) {
        while let Some(Next::Wait { until, for_ds }) = self.step() {
            let wanted = self.keys().ds_wanted();
            if for_ds && self.ds != wanted && self.keys().parent().0 != Parent::Introducing {
                self.obey(wanted);
            } else if let Some(until) = until.filter(|until| *until < self.now() + 600) {
                self.pass(until.saturating_sub(self.now()).max(1));
            } else {
                return;
            }
        }
    }

    /// What is served validates, also with the DS that the parent has.
    #[track_caller]
    fn validates(&self, what: &str) {
        let zone = live(self.publisher());
        let now = u32::try_from(self.now()).unwrap();
        let Some((_, keys)) = self.publisher().signing(&apex()).unwrap().current else {
            assert!(!zone.is_signed() && self.ds.is_empty(), "{what}");
            return;
        };
        let faults = check::zone(&zone, &[], now);
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{keys:#?}");
        let is_named =
            self.ds.is_empty() || keys.key_signers().iter().any(|id| self.ds.contains(id));
        assert!(is_named, "{what}: the parent's DS leads to no key");
        let mut signers: Vec<u16> = zone
            .records()
            .filter(|it| it.rtype == Rtype::RRSIG && it.owner == name("www.example.").as_ref())
            .filter(|it| it.rdata.starts_with(&Rtype::A.0.to_be_bytes()))
            .map(|it| u16::from_be_bytes([it.rdata[16], it.rdata[17]]))
            .collect();
        let mut wanted: Vec<u16> = keys.zone_signers().iter().map(|id| id.tag).collect();
        signers.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(signers, wanted, "{what}: {keys:#?}");
        if self.is_judged {
            // kzonecheck 3.2 takes a key with the SEP flag for one that signs no data as soon as there is another
            // key, also in what BIND signs.
            let has_sep = |id: &KeyId| keys.key(id).unwrap().dnskey.is_sep();
            let is_odd = keys.published().len() > 1 && keys.zone_signers().iter().any(has_sep);
            judge_without(&zone, what, is_odd.then_some("kzonecheck"));
        }
    }
}

/// Opens the publisher on the zone of a directory.
fn open_in(directory: &Path, test: usize, policy: Option<Policy>) -> Publisher {
    let clocks: [fn() -> i64; 5] = [clock::<0>, clock::<1>, clock::<2>, clock::<3>, clock::<4>];
    let state = directory.join("state");
    let options = Options { quiet: Duration::ZERO, now_ms: clocks[test], ..Options::new(&state) };
    let source = ZoneSource {
        signing: policy.map(Arc::new),
        ..ZoneSource::new(apex(), directory.join("example.zone"))
    };
    let store = Store::open(&state).unwrap();
    let (publisher, reports) = Publisher::open(store, vec![source], options).unwrap();
    assert!(reports.iter().all(ReloadReport::is_ok), "{}", reports[0]);
    publisher
}

#[test]
fn validators_of_others_believe_every_state_of_every_roll() {
    let one = quick(Arrangement::Csk);
    let two = Policy { arrangement: Arrangement::KskZsk, ..one.clone() };
    let mut life = Life::begin(0, one);
    life.is_judged = true;
    life.settle();
    assert_eq!(life.keys().parent().0, Parent::Secure);
    let first = life.keys().key_signers();
    life.command(Command::Roll(None));
    life.settle();
    assert_ne!(life.keys().key_signers(), first);
    assert_eq!(life.keys().key_signers(), life.keys().zone_signers());
    // The parent need not know when one key becomes two.
    let csk = life.keys().key_signers();
    life.restart(Some(two.clone()));
    life.settle();
    assert_eq!(life.keys().key_signers(), csk);
    assert_ne!(life.keys().zone_signers(), csk);
    life.command(Command::Roll(Some(Role::Zsk)));
    life.settle();
    life.command(Command::Emergency(None));
    life.settle();
    // Another algorithm, with an edit in every state.
    let ed25519 = Policy { algorithm: Algorithm::Ed25519, ..two };
    life.restart(Some(ed25519.clone()));
    life.settle();
    assert_eq!(life.keys().algorithm(), Some(Algorithm::Ed25519));
    assert!(life.keys().published().iter().all(|id| id.algorithm == Algorithm::Ed25519));
    life.restart(Some(Policy { arrangement: Arrangement::Csk, ..ed25519 }));
    life.settle();
    assert_eq!(life.keys().key_signers(), life.keys().zone_signers());
    // Back to a zone without signatures.
    life.command(Command::GoUnsigned);
    life.settle();
    assert!(life.publisher().signing(&apex()).unwrap().current.is_none());
    for act in [Act::Publish, Act::Withdraw, Act::Switched, Act::DsExchanged, Act::Unsign] {
        assert!(life.acts.contains(&act), "never done: {act:?}");
    }
}

#[test]
fn years_pass_day_by_day_and_every_day_validates() {
    let day = 86_400;
    let policy = Policy { zsk_s: 60 * day, ksk_s: 300 * day, ..quick(Arrangement::KskZsk) };
    let mut life = Life::begin(1, policy);
    life.settle();
    let first = life.keys().keys().to_vec();
    for passed in 1..=730 {
        life.pass(u64::from(day));
        life.settle();
        let due = life.publisher().signatures_due(&apex()).unwrap();
        if due.now > 0 {
            life.publisher().renew_signatures(&apex(), 20).unwrap();
        }
        if passed % 30 == 0 {
            let tag = format!("{passed}");
            let set = vec![rrset(&format!("d{tag}.example."), Rtype::A, &["192.0.2.7"])];
            promote(life.publisher(), &tag, set).unwrap();
        }
        life.validates(&format!("day {passed}"));
    }
    let keys = life.keys();
    assert!(first.iter().all(|old| keys.key(&old.id).is_none()), "the first keys are forgotten");
    assert!(keys.published().len() <= 3);
}

#[test]
fn a_zone_whose_private_keys_are_lost_can_go_unsigned() {
    let mut life = Life::begin(4, quick(Arrangement::Csk));
    life.settle();
    let publisher = life.publisher.take().unwrap();
    life.house.as_ref().unwrap().close(publisher);
    let keys = life.directory.join("state").join("keys").join("example");
    for file in fs::read_dir(keys).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|ending| ending == "pem") {
            fs::remove_file(file).unwrap();
        }
    }
    life.policy = None;
    life.start();
    let before = live(life.publisher());
    assert!(!life.publisher().signing(&apex()).unwrap().missing.is_empty());
    life.command(Command::GoUnsigned);
    life.settle();
    assert!(life.publisher().signing(&apex()).unwrap().current.is_none());
    assert!(before.is_signed() && !live(life.publisher()).is_signed());
    // New keys make it a signed zone like a new one.
    life.restart(Some(quick(Arrangement::Csk)));
    life.settle();
    assert_eq!(life.keys().parent().0, Parent::Secure);
}

//------------ Crashes -------------------------------------------------------

/// Points at which the process dies: before, in and after the commit, and around what is kept beside it.
const POINTS: [&str; 7] = [
    "commit.begin",
    "commit.rows",
    "commit.end",
    "swap.before",
    "swap.after",
    "confirm.before",
    "serials.fsync",
];

/// Lives on from whatever is there. Only run as a child.
#[test]
#[ignore = "a child process of the crash test"]
fn child() {
    let Ok(directory) = std::env::var("GAPURA_ROLLS_DIRECTORY") else { return };
    let round: usize = std::env::var("GAPURA_ROLLS_ROUND").unwrap().parse().unwrap();
    let mut life = Life::open(directory.into(), 2, policy_of(round));
    life.settle();
    for command in [Command::Roll(None), Command::Emergency(None), Command::Roll(None)] {
        life.command(command);
        life.settle();
    }
}

/// The policy of a round: the arrangement changes, and the algorithm.
fn policy_of(round: usize) -> Policy {
    let arrangement = [Arrangement::Csk, Arrangement::KskZsk][round / 2 % 2];
    let algorithm = [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519][round % 2];
    Policy { algorithm, ..quick(arrangement) }
}

#[test]
fn killed_in_every_state_a_zone_validates_and_lives_on() {
    let house = House::new(ZONE);
    let directory = house.directory.path();
    let (mut seed, mut killed, mut stages) = (7u64, 0, BTreeSet::new());
    for round in 0..24 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let failpoint = format!("{}=kill@{}", POINTS[round % POINTS.len()], 1 + (seed >> 33) % 40);
        let output = testing::child("publish::tests::rolls::child")
            .env("GAPURA_ROLLS_DIRECTORY", directory)
            .env("GAPURA_ROLLS_ROUND", round.to_string())
            .env("GAPURA_FAILPOINT", &failpoint)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        // A fault in the child ends it with a code; only the failpoint kills it.
        let (status, told) = (output.status, String::from_utf8_lossy(&output.stderr));
        assert!(
            status.success() || status.signal().is_some(),
            "round {round}, {failpoint}: {told}"
        );
        killed += usize::from(!status.success());
        let life = Life::open(directory.to_owned(), 3, policy_of(round));
        life.validates(&format!("round {round}, {failpoint}"));
        let state = life.publisher().signing(&apex()).unwrap();
        assert_eq!(state.missing, [""; 0], "no key that signs is lost");
        let (policy, keys) = state.current.unwrap();
        let waits = keys.waits(&policy, &life.facts(), life.now());
        stages.extend(waits.iter().map(|wait| format!("{:?} {}", wait.place, wait.stage)));
        house.close(life.publisher.unwrap());
    }
    assert!(killed > 10, "{killed} were killed");
    assert!(stages.len() > 7, "{stages:?}");
}
