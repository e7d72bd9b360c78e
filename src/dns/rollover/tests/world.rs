//! A world for a key set to live in: time, a zone with servers that lag, a parent with servers that lag more,
//! people who are late, change their minds and give commands, a daemon that restarts.

use std::collections::BTreeMap;

use super::super::{
    Act, Arrangement, Cds, Command, Facts, KeyId, KeySet, Next, Parent, ParentServer, Parents,
    Policy, Refusal, Role, SeenDs, Why,
};
use super::resolvers::{Caches, KeyRrset, Keys};
use super::{dnskey, policy};
use crate::dnssec::{Algorithm, Dnskey};
use crate::testing::Random;

/// Seconds of an hour.
const HOUR: u64 = 3_600;
/// Seconds of a day.
const DAY: u64 = 24 * HOUR;
/// When worlds begin.
const BEGIN: u64 = 1_000 * DAY;
/// TTLs that zones have.
const TTLS: [u32; 4] = [300, 3_600, 86_400, 172_800];

impl Random {
    /// Whether something with this chance of a hundred happens.
    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// What the machine is told wrongly, to show that the resolvers would notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lie {
    /// Nothing.
    None,
    /// That changes are everywhere at once, while servers lag.
    Propagation,
    /// A largest TTL that is smaller than the real one.
    ZoneTtl,
    /// A TTL of the DNSKEY RRset that is smaller than the real one.
    KeyTtl,
    /// A TTL of the DS that is smaller than the real one.
    DsTtl,
    /// That one server of the parent speaks for all.
    OneServer,
    /// That all is signed by the new keys already.
    Signed,
    /// That the clock never jumps.
    Clock,
}

/// The world.
pub(super) struct World {
    /// Chance.
    random: Random,
    /// What the machine is told wrongly.
    lie: Lie,
    /// The time.
    pub(super) now: u64,
    /// What the machine's clock is ahead of it.
    ahead: i64,
    /// The policy as people set it.
    policy: Policy,
    /// The keys, as long as the zone is signed.
    pub(super) set: Option<KeySet>,
    /// Keys made so far.
    made: u32,
    /// What resolvers hold.
    caches: Caches,
    /// The largest TTL in the zone.
    zone_ttl: u32,
    /// The keys by which RRsets are signed: some by these, some by those, while that changes.
    signatures: Vec<Keys>,
    /// When the change of signatures is through.
    signed_at: Option<u64>,
    /// Whether signatures change little by little.
    is_gradual: bool,
    /// Whether nobody can look at the parent but people.
    is_by_hand: bool,
    /// DS at each server of the parent.
    parents: Vec<Keys>,
    /// Changes that are on their way to servers of the parent.
    on_way: Vec<(u64, usize, Keys)>,
    /// TTL of the DS.
    ds_ttl: u32,
    /// Whether the parent took an exchange of the DS back, which nobody has noticed yet.
    is_taken_back: bool,
    /// What each kind of thing will happen at next.
    due: BTreeMap<Event, u64>,
    /// How often each stage was reached, and each act done.
    pub(super) told: BTreeMap<String, u64>,
    /// What happened last.
    log: Vec<String>,
}

/// Things that happen at times of their own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    /// The daemon looks what is due.
    Look,
    /// Somebody gives a command, or changes the policy or the zone.
    Person,
    /// Somebody sees to what waits for people.
    Chores,
    /// The parent takes over the DS it is asked for.
    Registry,
    /// The clock is set.
    Clock,
}

impl World {
    /// A world with a zone that is not signed yet.
    pub(super) fn new(seed: u64, lie: Lie) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..4).for_each(|_| _ = random.next());
        let arrangement = random.pick(&[Arrangement::Csk, Arrangement::KskZsk]);
        let policy = Policy {
            algorithm: random.pick(&[Algorithm::EcdsaP256Sha256, Algorithm::Ed25519]),
            zsk_s: random.pick(&[0, 30, 90]) * DAY as u32,
            ksk_s: random.pick(&[0, 200, 400]) * DAY as u32,
            manual: random.percent(20),
            cds: random.percent(70),
            ..policy(arrangement)
        };
        let servers = 1 + random.below(3) as usize;
        let mut world = Self {
            lie,
            now: BEGIN,
            ahead: 0,
            set: None,
            made: 0,
            caches: Caches::new(servers),
            zone_ttl: random.pick(&TTLS),
            signatures: vec![Keys::new()],
            signed_at: None,
            is_gradual: random.percent(50),
            is_by_hand: random.percent(40),
            parents: vec![Keys::new(); servers],
            on_way: Vec::new(),
            ds_ttl: random.pick(&[3_600, 86_400]),
            is_taken_back: false,
            due: BTreeMap::new(),
            told: BTreeMap::new(),
            log: Vec::new(),
            policy,
            random,
        };
        for server in 0..servers {
            world.caches.serve_ds(server, Keys::new(), 0, 0);
        }
        world.serve();
        world.begin();
        world.after(Event::Person, 20 * DAY);
        world.after(Event::Chores, DAY);
        world.after(Event::Registry, DAY);
        world.after(Event::Clock, 100 * DAY);
        world
    }

    /// Lives until a time; the first fault ends it.
    pub(super) fn live(&mut self, until: u64) -> Result<(), String> {
        while self.now < until {
            let parent = self.on_way.iter().map(|(time, ..)| *time);
            let times = self.due.values().copied().chain(parent).chain(self.signed_at);
            self.now = times.min().unwrap_or(until).max(self.now);
            self.arrive();
            if self.signed_at.is_some_and(|time| time <= self.now) {
                self.signed_at = None;
                self.signatures = self.signatures.split_off(self.signatures.len() - 1);
                self.serve();
                self.due.insert(Event::Look, self.now);
            }
            let due: Vec<Event> =
                self.due.iter().filter(|(_, time)| **time <= self.now).map(|(it, _)| *it).collect();
            due.into_iter().for_each(|event| self.happen(event));
            let fault = self.caches.check(self.now).and_then(|()| self.check_set());
            fault.map_err(|fault| {
                let from = self.log.len().saturating_sub(40);
                format!("{fault}\n{}\n{:#?}", self.log[from..].join("\n"), self.set)
            })?;
        }
        Ok(())
    }

    /// Something happens whose time has come.
    fn happen(&mut self, event: Event) {
        match event {
            Event::Look => self.look(),
            Event::Person => {
                self.person();
                self.after(Event::Person, 40 * DAY);
                self.due.insert(Event::Look, self.now);
            }
            Event::Chores => {
                self.chores();
                self.after(Event::Chores, 10 * DAY);
                self.due.insert(Event::Look, self.now);
            }
            Event::Registry => {
                self.registry();
                self.after(Event::Registry, 15 * DAY);
            }
            Event::Clock => {
                self.set_clock();
                self.after(Event::Clock, 100 * DAY);
                self.due.insert(Event::Look, self.now);
            }
        }
    }

    /// Lets something happen within a time.
    fn after(&mut self, event: Event, within: u64) {
        let time = self.now + 1 + self.random.below(within);
        self.due.insert(event, time);
    }

    /// Notes what happened.
    fn tell(&mut self, what: String) {
        *self.told.entry(what.clone()).or_default() += 1;
        self.log.push(format!("{:>6.2} d  {what}", (self.now - BEGIN) as f64 / DAY as f64));
    }

    /// Seconds by which servers may be behind.
    fn lag(&self) -> u64 {
        u64::from(policy(Arrangement::Csk).propagation_s)
    }
}

//------------ The clock -----------------------------------------------------

impl World {
    /// The time as the machine's clock has it.
    fn clock(&self) -> u64 {
        self.now.saturating_add_signed(self.ahead)
    }

    /// The clock is set: right, or wrong.
    fn set_clock(&mut self) {
        let by = (HOUR / 3 + self.random.below(47 * HOUR)) as i64;
        self.ahead = match self.random.below(5) {
            0 => self.ahead + by,
            1 => self.ahead - by,
            2 => 400 * DAY as i64,
            _ => 0,
        };
        self.tell("the clock is set".to_owned());
        if self.lie != Lie::Clock {
            let (policy, clock) = (self.believed(), self.clock());
            self.set = self.set.take().map(|set| set.wait_again(&policy, clock));
        }
    }
}

//------------ The zone ------------------------------------------------------

impl World {
    /// Makes a key.
    fn make(&mut self, role: Role, algorithm: Algorithm) -> Dnskey {
        self.made += 1;
        dnskey(role, algorithm, self.made)
    }

    /// The zone is signed from now on.
    fn begin(&mut self) {
        let needs = KeySet::needed(&self.policy);
        let keys = needs.into_iter().map(|need| self.make(need.role, need.algorithm)).collect();
        let begun = KeySet::begin(keys, &self.policy, self.clock());
        // Tags may collide: another time.
        if let Ok(set) = begun {
            self.set = Some(set);
            self.sign();
            self.tell("begin".to_owned());
        }
        self.after(Event::Look, HOUR);
    }

    /// The daemon looks what is due, and does it.
    fn look(&mut self) {
        let facts = self.facts();
        self.due.remove(&Event::Look);
        let mut steps = 0;
        while let Some(set) = &self.set {
            steps += 1;
            assert!(steps < 30, "no end of steps:\n{}\n{set:#?}", self.log.join("\n"));
            match set.next(&self.believed(), &facts, self.clock()) {
                Next::Step(step) => {
                    let policy = self.believed();
                    let changes = set.changes_zone(&policy, &step.set, &policy);
                    self.tell(step.act.to_string());
                    self.stage(&step.set);
                    if step.act == Act::DsExchanged && !self.is_by_hand {
                        self.take_back();
                    }
                    self.is_taken_back &= step.act != Act::DsBack;
                    self.set = Some(step.set);
                    if changes {
                        self.sign();
                    }
                    if step.act == Act::Unsign {
                        self.set = None;
                        self.after(Event::Person, 30 * DAY);
                    }
                }
                Next::NeedKeys(needs) => {
                    let old = set.clone();
                    let keys = needs.iter().map(|need| self.make(need.role, need.algorithm));
                    let keys = keys.collect();
                    // Tags may collide: another time.
                    let set = match old.start(keys, &self.believed(), &facts, self.clock()) {
                        Ok(set) => set,
                        Err(Refusal::SameTag(_)) => continue,
                        Err(other) => panic!("{other}"),
                    };
                    self.tell("start".to_owned());
                    self.stage(&set);
                    self.set = Some(set);
                    self.sign();
                }
                Next::Wait { until, for_ds } => {
                    let polled = for_ds.then(|| self.now + HOUR + self.random.below(8 * HOUR));
                    let late = self.random.below(HOUR) * self.random.below(2);
                    let until = until.map(|until| until.saturating_add_signed(-self.ahead));
                    if let Some(time) = until.into_iter().chain(polled).min() {
                        self.due.insert(Event::Look, time.max(self.now + 1) + late);
                    }
                    break;
                }
            }
        }
        if self.random.percent(20) {
            self.restart();
        }
    }

    /// The daemon restarts.
    fn restart(&mut self) {
        let text = self.set.as_ref().map(|set| set.write().unwrap());
        self.set = text.map(|text| KeySet::read(&text).unwrap());
    }

    /// Counts the stages that a set is in.
    fn stage(&mut self, set: &KeySet) {
        let waits = set.waits(&self.believed(), &self.facts(), self.clock());
        let now = self.clock();
        for wait in waits.iter().filter(|wait| wait.since == now) {
            let urgent = if wait.emergency { " in an emergency" } else { "" };
            *self.told.entry(format!("{:?} {}{urgent}", wait.place, wait.stage)).or_default() += 1;
        }
    }

    /// The zone is signed as the set says.
    fn sign(&mut self) {
        let Some(set) = &self.set else { return };
        let wanted = sorted(set.zone_signers());
        if self.signatures.last() != Some(&wanted) {
            // A first or last signing is of all at once.
            let is_whole =
                !self.is_gradual || wanted.is_empty() || self.signatures.iter().any(Vec::is_empty);
            if is_whole {
                (self.signatures, self.signed_at) = (vec![wanted], None);
            } else {
                self.signatures.push(wanted);
                self.signed_at = Some(self.now + 1 + self.random.below(5 * DAY));
            }
        }
        self.serve();
    }

    /// Serves the zone as it is now.
    fn serve(&mut self) {
        let last = self.now + self.lag();
        let set = self.set.as_ref();
        let rrset = KeyRrset {
            keys: sorted(set.map(KeySet::published).unwrap_or_default()),
            signers: sorted(set.map(KeySet::key_signers).unwrap_or_default()),
        };
        self.caches.serve_keys(rrset, self.policy.dnskey_ttl.into(), last);
        self.caches.serve_data(self.signatures.clone(), self.zone_ttl.into(), last);
    }

    /// The policy as the machine is told of it.
    fn believed(&self) -> Policy {
        let mut policy = self.policy.clone();
        match self.lie {
            Lie::Propagation => policy.propagation_s = 0,
            Lie::KeyTtl => policy.dnskey_ttl = 0,
            Lie::DsTtl => policy.parent_ds_ttl_s = 0,
            _ => {}
        }
        policy
    }

    /// What is known now.
    fn facts(&mut self) -> Facts {
        let whole = self.signatures.len() == 1;
        let signed = self.set.as_ref().map(KeySet::zone_signers).unwrap_or_default();
        let signed_by = match self.lie {
            Lie::Signed => signed,
            _ if whole => self.signatures[0].clone(),
            _ => Vec::new(),
        };
        let max_zone_ttl = if self.lie == Lie::ZoneTtl { 0 } else { self.zone_ttl };
        let ttl = if self.lie == Lie::DsTtl { 0 } else { self.ds_ttl };
        let mut parents = Parents { at: self.clock(), ttl: Some(ttl), servers: Vec::new() };
        let is_seen = self.is_taken_back || !self.random.percent(10);
        if !self.is_by_hand && is_seen {
            let seen = if self.lie == Lie::OneServer { 1 } else { self.parents.len() };
            for ds in &self.parents[..seen] {
                let seen = SeenDs { keys: ds.clone(), strangers: 0 };
                let answers = self.is_taken_back || !self.random.percent(5);
                let ds = answers.then_some(seen);
                parents.servers.push(ParentServer { name: "ns".to_owned(), ds });
            }
        }
        Facts { max_zone_ttl, signed_by, parents }
    }
}

//------------ The parent ----------------------------------------------------

impl World {
    /// Changes arrive at servers of the parent.
    fn arrive(&mut self) {
        let now = self.now;
        let (here, on_way) =
            std::mem::take(&mut self.on_way).into_iter().partition(|it| it.0 <= now);
        self.on_way = on_way;
        let here: Vec<(u64, usize, Keys)> = here;
        for (_, server, ds) in here {
            let ttl = u64::from(self.ds_ttl);
            self.caches.serve_ds(server, ds.clone(), ttl, self.now);
            self.parents[server] = ds;
        }
    }

    /// Sometimes the parent's zone is restored from a backup just after an exchange of the DS.
    fn take_back(&mut self) {
        let old: Keys = self.set.iter().flat_map(KeySet::key_signers).collect();
        let old: Keys = old.into_iter().filter(|id| !self.parents[0].contains(id)).collect();
        if self.lie == Lie::None && !old.is_empty() && self.random.percent(10) {
            self.is_taken_back = true;
            self.tell("the parent takes an exchange back".to_owned());
            for server in 0..self.parents.len() {
                self.on_way.push((self.now + HOUR, server, sorted(old.clone())));
            }
        }
    }

    /// The DS that somebody would ask the parent for now; none = nobody asks.
    fn wanted(&mut self) -> Option<Keys> {
        let facts = self.facts();
        let set = self.set.as_ref()?;
        match set.cds(&self.policy) {
            Cds::Keys(keys) => return Some(sorted(keys)),
            Cds::Delete => return Some(Keys::new()),
            Cds::None => {}
        }
        let waits = set.waits(&self.policy, &facts, self.clock());
        let asks = |why: &Why| matches!(why, Why::Ds { .. });
        waits.iter().any(|wait| asks(&wait.why)).then(|| sorted(set.ds_wanted()))
    }

    /// The parent takes over the DS it is asked for; some add the new one first, and remove the old one later.
    fn registry(&mut self) {
        let Some(wanted) = self.wanted().filter(|_| self.on_way.is_empty()) else { return };
        let is_first = self.parents.iter().all(Vec::is_empty);
        let mut ds = wanted.clone();
        if !wanted.is_empty() && self.random.percent(40) {
            ds.extend(self.parents.iter().flatten().filter(|id| !wanted.contains(id)).copied());
        }
        let ds = sorted(ds);
        if self.parents.iter().all(|it| *it == ds) {
            return;
        }
        self.tell(format!("the parent gets {} DS", ds.len()));
        for server in 0..self.parents.len() {
            let lag = if is_first { self.lag() / 2 } else { 20 * HOUR };
            let time = self.now + self.random.below(lag);
            self.on_way.push((time, server, ds.clone()));
        }
    }
}

//------------ People --------------------------------------------------------

impl World {
    /// Somebody sees to what waits for people.
    fn chores(&mut self) {
        let (facts, policy) = (self.facts(), self.believed());
        let Some(set) = self.set.as_ref() else { return };
        let mut commands = Vec::new();
        for wait in set.waits(&policy, &facts, self.clock()) {
            match wait.why {
                Why::Word(_) => commands.push(Command::Confirm),
                Why::Ds { wanted, unwanted, .. } if self.is_by_hand && self.on_way.is_empty() => {
                    let is_there = |id: &&KeyId| self.parents.iter().all(|ds| ds.contains(id));
                    let is_gone = |id: &&KeyId| !self.parents.iter().any(|ds| ds.contains(id));
                    let seen = wanted.iter().filter(is_there);
                    commands.extend(seen.map(|id| Command::DsSeen(id.tag)));
                    let gone = unwanted.iter().filter(is_gone);
                    commands.extend(gone.map(|id| Command::DsGone(id.tag)));
                }
                _ => {}
            }
        }
        commands.into_iter().for_each(|command| self.command(command));
    }

    /// Somebody does something.
    fn person(&mut self) {
        let Some(set) = &self.set else {
            if self.parents.iter().all(Vec::is_empty) && self.on_way.is_empty() {
                self.begin();
            }
            return;
        };
        let roles = [None, Some(Role::Csk), Some(Role::Ksk), Some(Role::Zsk)];
        let role = self.random.pick(&roles);
        // What is on its way to the parent is called back first.
        let can_go_back = self.on_way.is_empty();
        let is_leaving = set.is_leaving();
        match self.random.below(if is_leaving { 4 } else { 20 }) {
            0 if can_go_back => self.command(Command::Cancel(role)),
            1 | 2 => self.zone_ttl = self.random.pick(&TTLS),
            3 => {
                self.policy.dnskey_ttl = self.random.pick(&TTLS);
            }
            4 | 5 => self.command(Command::Roll(role)),
            6 => self.command(Command::Emergency(role)),
            7 | 8 if can_go_back => self.command(Command::Cancel(None)),
            9 if can_go_back && self.random.percent(40) => self.command(Command::GoUnsigned),
            10 | 11 => {
                let of =
                    [Algorithm::EcdsaP256Sha256, Algorithm::EcdsaP384Sha384, Algorithm::Ed25519];
                self.policy.algorithm = self.random.pick(&of);
            }
            12 | 13 => {
                self.policy.arrangement =
                    self.random.pick(&[Arrangement::Csk, Arrangement::KskZsk]);
            }
            14 => self.policy.manual = self.random.percent(30),
            15 => self.policy.cds = self.random.percent(70),
            16 => {
                let (role, algorithm) = (role.unwrap_or(Role::Csk), self.policy.algorithm);
                let key = self.make(role, algorithm);
                self.command(Command::Import(vec![key]));
            }
            17 if !self.is_taken_back => self.is_by_hand = self.random.percent(40),
            18 => self.is_gradual = self.random.percent(50),
            _ => {}
        }
        self.serve();
    }

    /// A command is given; it may be refused.
    fn command(&mut self, command: Command) {
        let (facts, policy) = (self.facts(), self.believed());
        let Some(set) = &self.set else { return };
        let told = format!("{command:?}");
        let told = told.split('(').next().unwrap_or_default().to_owned();
        match set.command(command, &policy, &facts, self.clock()) {
            Ok(set) => {
                self.tell(told);
                let is_unsigned = set.is_unsigned();
                self.set = Some(set);
                self.sign();
                if is_unsigned {
                    self.set = None;
                }
            }
            Err(refusal) => {
                let text = format!("{refusal:?}");
                let kind = text.split(['(', '{']).next().unwrap_or_default();
                self.tell(format!("{told} refused: {kind}"));
            }
        }
    }
}

//------------ What always holds ---------------------------------------------

impl World {
    /// What holds of a key set at any moment.
    fn check_set(&mut self) -> Result<(), String> {
        let (facts, policy) = (self.facts(), self.believed());
        let Some(set) = &self.set else { return Ok(()) };
        let is_in = |some: Keys, all: &Keys| some.iter().all(|id| all.contains(id));
        let (published, signers) = (set.published(), set.key_signers());
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        must(!signers.is_empty() && !set.zone_signers().is_empty(), "something signs");
        must(is_in(signers.clone(), &published), "who signs the keys is published");
        if set.parent().0 != Parent::Introducing {
            let wanted = set.ds_wanted();
            must(is_in(wanted, &signers), "who is named to the parent signs the keys");
        }
        // RFC 7344 §4.1: CDS are signed by a key that the parent names.
        for ds in self.parents.iter().filter(|ds| !ds.is_empty()) {
            must(ds.iter().any(|id| signers.contains(id)), "the parent knows a signer of the CDS");
        }
        let next = set.next(&policy, &facts, self.clock());
        must(next == set.next(&policy, &facts, self.clock()), "the same question has one answer");
        let is_kept = |id: KeyId| set.key(&id).is_some_and(|key| key.removed.is_none());
        must(set.named().all(is_kept), "a key that a roll needs is kept");
        let unused = set.keys().iter().filter(|key| key.removed.is_some());
        must(
            unused.clone().all(|key| !published.contains(&key.id)),
            "what is removed is not published",
        );
        must(set.keys().len() < 40, "old keys are forgotten");
        let waits = set.waits(&policy, &facts, self.clock());
        let rolls = set.rolling().len();
        must(rolls == 0 || !waits.is_empty(), "a roll says what it waits for");
        let old = waits.iter().find(|wait| wait.since > 0 && self.clock() > wait.since + 500 * DAY);
        must(old.is_none_or(|it| it.place == super::super::Place::Parent), "a roll ends");
        if wrong.is_empty() { Ok(()) } else { Err(format!("does not hold: {wrong:?}")) }
    }
}

/// Keys in one order, each once.
fn sorted(mut keys: Keys) -> Keys {
    keys.sort_unstable();
    keys.dedup();
    keys
}
