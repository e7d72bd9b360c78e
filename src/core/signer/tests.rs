//! Lives of signed zones, turn by turn: the clock is the test's, and so is what the parent says.

mod clock;

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::alarm::Trouble;
use super::book::{Seen, Telling};
use super::handle::{Inner, Signer};
use super::parent::tests::{asked, resolver, response};
use super::parent::{Ds, Finder, Heard, ParentServer, Sight};
use crate::check;
use crate::dns_client::Transport;
use crate::dnssec::{DigestType, ds};
use crate::keystore::Keystore;
use crate::publish::{By, Options, Publisher, ReloadReport, ZoneSource};
use crate::rollover::{Arrangement, Cds, Command, KeyId, KeySet, Parent, Policy, Refusal, Role};
use crate::store::Store;
use crate::store::clock::ClockRow;
use crate::testing::FakeServer;
use crate::wire::{Name, Opcode, Query, Rcode, Rtype};

thread_local! {
    /// The time of this test, in milliseconds since 1970.
    static NOW_MS: Cell<i64> = const { Cell::new(0) };
    /// How much time has passed in this test, in milliseconds.
    static PASSED_MS: Cell<i64> = const { Cell::new(0) };
}

/// A day, in seconds.
const DAY: u64 = 86_400;
/// When the tests begin.
const BEGIN_MS: i64 = 1_795_500_000_000;
/// The zone.
const ZONE: &str = "$TTL 3600\n@ SOA ns1 hostmaster 10 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n\
                    www A 192.0.2.10\n";

/// The clock of the tests; that of other threads stands still.
fn clock() -> i64 {
    NOW_MS.with(Cell::get).max(BEGIN_MS)
}

/// The clock that nobody sets.
fn ran() -> Instant {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let passed = PASSED_MS.with(Cell::get).unsigned_abs();
    *BEGIN.get_or_init(Instant::now) + Duration::from_millis(passed)
}

/// Time passes, in milliseconds.
fn pass(ms: i64) {
    NOW_MS.with(|now| now.set(clock() + ms));
    PASSED_MS.with(|passed| passed.set(passed.get() + ms));
}

/// The clock is set, by so many seconds.
fn set_clock(by_s: i64) {
    NOW_MS.with(|now| now.set(clock() + by_s * 1_000));
}

/// The apex.
fn apex() -> Name {
    "contoh.go.id.".parse().unwrap()
}

/// A zone, its publisher and its clockwork, without threads.
struct House {
    directory: tempfile::TempDir,
    store: Store,
    signer: Signer,
}

impl House {
    /// A zone that is to be signed by this policy.
    fn new(policy: Policy) -> Self {
        NOW_MS.with(|now| now.set(BEGIN_MS));
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("zone"), ZONE).unwrap();
        std::fs::create_dir(directory.path().join("state")).unwrap();
        Self::open(directory, Some(policy))
    }

    /// Opens what is in a directory.
    fn open(directory: tempfile::TempDir, policy: Option<Policy>) -> Self {
        let state = directory.path().join("state");
        let source = ZoneSource {
            signing: policy.map(Arc::new),
            ..ZoneSource::new(apex(), directory.path().join("zone"))
        };
        let options = Options { now_ms: clock, ..Options::new(&state) };
        let store = Store::open(&state).unwrap();
        let (publisher, reports) = Publisher::open(store.clone(), vec![source], options).unwrap();
        assert!(reports.iter().all(ReloadReport::is_ok), "{}", reports[0]);
        Self::with(directory, store, publisher, Finder::new(Vec::new(), 1))
    }

    /// The same with another way to find parents.
    fn with(
        directory: tempfile::TempDir,
        store: Store,
        publisher: Publisher,
        finder: Finder,
    ) -> Self {
        let keystore = Keystore::new(&directory.path().join("state"));
        let signer = Signer::with_finder(publisher, keystore, (clock, ran), false, finder);
        signer.renew();
        Self { directory, store, signer }
    }

    /// A restart, perhaps with other settings.
    fn restart(self, policy: Option<Policy>) -> Self {
        let Self { directory, store, signer } = self;
        signer.0.publisher.flush();
        drop((signer, store));
        Self::open(directory, policy)
    }

    /// What the threads share.
    fn inner(&self) -> &Inner {
        &self.signer.0
    }

    /// One turn of the zone.
    fn turn(&self) -> Duration {
        self.inner().turn(&apex())
    }

    /// The turns of some time, one whenever the one before says.
    fn live(&self, seconds: u64) {
        let end = clock() + seconds as i64 * 1_000;
        while clock() < end {
            let wait = self.turn().max(Duration::from_secs(1)).as_millis() as i64;
            pass(wait.min(end - clock()));
        }
        self.turn();
        self.validates();
    }

    /// What is served validates now, if it is signed.
    #[track_caller]
    fn validates(&self) {
        let zone = self.inner().publisher.zone(&apex()).unwrap();
        if zone.is_signed() {
            let faults = check::zone(&zone, &[], (clock() / 1_000) as u32);
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }

    /// The keys.
    fn keys(&self) -> KeySet {
        self.inner().publisher.signing(&apex()).unwrap().current.unwrap().1
    }

    /// The tags of the keys that are published.
    fn tags(&self) -> Vec<u16> {
        self.keys().published().iter().map(|id| id.tag).collect()
    }

    /// Two servers of the parent have the DS of these keys, seen now.
    fn parent_has(&self, tags: [&[u16]; 2]) {
        let keys = self.keys();
        let record = |tag: &u16| {
            let key = keys.keys().iter().find(|key| key.id.tag == *tag).unwrap();
            Ds::read(&ds(apex().as_ref(), &key.dnskey.rdata(), DigestType::Sha256)).unwrap()
        };
        let heard = |tags: &[u16]| match tags {
            [] => Heard::None,
            tags => Heard::Ds { records: tags.iter().map(record).collect(), ttl: 3_600 },
        };
        self.parent_says(tags.map(heard));
    }

    /// Two servers of the parent say this.
    fn parent_says(&self, heard: [Heard; 2]) {
        let [one, two] = heard.map(|heard| vec![(None, heard)]);
        let servers = vec![
            ParentServer { name: "a.id.".to_owned(), heard: one },
            ParentServer { name: "b.id.".to_owned(), heard: two },
        ];
        let sight = Sight { parent: None, servers, why: None };
        let seen = Arc::new(Seen { at: self.inner().now_s(), sight });
        self.inner().note(&apex(), |notes| notes.seen = Some(seen)).unwrap();
    }

    /// The words of the alarms.
    fn alarms(&self) -> Vec<&'static str> {
        self.signer.alarms(&apex()).iter().map(|alarm| alarm.trouble.word()).collect()
    }

    /// Gives a command.
    fn command(&self, command: Command) {
        let state = self.inner().publisher.signing(&apex()).unwrap();
        let (facts, now) = (self.signer.facts(&apex(), &state), self.inner().now_s());
        let decide = |keys: &KeySet, policy: &Policy| keys.command(command, policy, &facts, now);
        let done: Result<_, crate::publish::KeysError<Refusal>> =
            self.inner().publisher.change_keys(&apex(), ("test", "budi"), decide);
        done.unwrap();
    }

    /// The files of private keys.
    fn key_files(&self) -> usize {
        Keystore::new(&self.directory.path().join("state")).list(&apex()).unwrap().len()
    }
}

#[test]
fn a_ksk_waits_for_its_ds_at_all_servers_and_then_the_old_one_goes() {
    let policy = Policy { arrangement: Arrangement::KskZsk, ..Policy::default() };
    let mut house = House::new(policy.clone());
    assert!(!house.inner().publisher.zone(&apex()).unwrap().is_signed());
    house.turn();
    assert!(house.inner().publisher.zone(&apex()).unwrap().is_signed());
    assert_eq!((house.keys().parent().0, house.alarms().len()), (Parent::Introducing, 0));
    house.live(DAY);
    assert_eq!((house.keys().parent().0, house.alarms()), (Parent::Wanted, vec!["waits"]));
    let ksk = house.keys().key_signers()[0].tag;
    house.parent_has([&[ksk], &[]]);
    house.live(DAY);
    assert_eq!(house.keys().parent().0, Parent::Wanted, "one of two is not enough");
    house.parent_has([&[ksk], &[ksk]]);
    house.live(60);
    assert_eq!((house.keys().parent().0, house.alarms().len()), (Parent::Secure, 0));

    // The roll: a new key whose file is there, published beside the old one.
    house.command(Command::Roll(Some(Role::Ksk)));
    house.turn();
    let new = house.keys().key_signers().iter().map(|id| id.tag).find(|tag| *tag != ksk).unwrap();
    assert_eq!((house.tags().len(), house.key_files()), (3, 3));
    house.live(DAY);
    assert_eq!(house.alarms(), ["waits"]);
    house = house.restart(Some(policy));
    house.parent_has([&[new], &[ksk, new]]);
    house.live(DAY);
    assert_eq!(house.tags().len(), 3, "one server still has the old DS");
    house.parent_has([&[new], &[ksk]]);
    house.live(DAY);
    assert_eq!(house.tags().len(), 3, "one server has not the new one");
    house.parent_has([&[new], &[new]]);
    house.live(3 * DAY);
    assert!(!house.tags().contains(&ksk) && house.tags().len() == 2, "{:?}", house.tags());
    assert_eq!((house.alarms().len(), house.key_files()), (0, 3));
    // Its file is kept for a month.
    house.live(31 * DAY);
    assert_eq!(house.key_files(), 2);
}

#[test]
fn keys_roll_by_themselves_and_signatures_never_end() {
    let policy =
        Policy { arrangement: Arrangement::KskZsk, zsk_s: 30 * DAY as u32, ..Policy::default() };
    let house = House::new(policy);
    house.live(DAY);
    let ksk = house.keys().key_signers()[0].tag;
    house.parent_has([&[ksk], &[ksk]]);
    let mut zsks = std::collections::BTreeSet::new();
    for _ in 0..24 {
        house.live(5 * DAY);
        zsks.extend(house.keys().zone_signers().iter().map(|id| id.tag));
        assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
    }
    assert!((4..=5).contains(&zsks.len()), "{zsks:?}");
    assert!(house.tags().contains(&ksk));
}

#[test]
fn a_clock_that_cannot_be_right_signs_nothing_and_says_so_until_it_is() {
    let house = House::new(Policy::default());
    house.turn();
    let serial = || house.inner().publisher.zone(&apex()).unwrap().serial();
    let before = serial();
    // A jump of a month that nobody has confirmed.
    let believed = ClockRow::believed(clock());
    house.store.write::<_, crate::store::StoreError>(|tx| tx.put_clock(&believed)).unwrap();
    NOW_MS.with(|now| now.set(clock() + 30 * DAY as i64 * 1_000));
    assert!(house.turn() <= Duration::from_secs(60), "it is looked at again soon");
    assert!(house.alarms().contains(&"stopped"));
    assert_eq!((serial(), house.keys().parent().0), (before, Parent::Introducing));
    // Set right.
    NOW_MS.with(|now| now.set(BEGIN_MS + 60_000));
    house.turn();
    assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
    // Signed by a clock that was ahead; then it is set right, and somebody says so.
    house
        .store
        .write::<_, crate::store::StoreError>(|tx| {
            tx.put_clock(&ClockRow::believed(BEGIN_MS + 40 * DAY as i64 * 1_000))
        })
        .unwrap();
    NOW_MS.with(|now| now.set(BEGIN_MS + 40 * DAY as i64 * 1_000));
    house.turn();
    assert_ne!(serial(), before, "signed anew in the future");
    house
        .store
        .write::<_, crate::store::StoreError>(|tx| tx.put_clock(&ClockRow::believed(BEGIN_MS)))
        .unwrap();
    NOW_MS.with(|now| now.set(BEGIN_MS + 3_600_000));
    house.turn();
    house.turn();
    assert!(!house.alarms().contains(&"stopped"), "{:?}", house.signer.alarms(&apex()));
    house.validates();
}

#[test]
fn a_key_that_nobody_uses_does_not_outlive_the_signing() {
    let mut house = House::new(Policy::default());
    house.live(DAY);
    let (csk, old) = (house.tags()[0], house.keys().published());
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    // As if killed between the file of a new key and the zone that names it.
    let stray = |house: &House| {
        let taken: Vec<u16> = house.keys().keys().iter().map(|key| key.id.tag).collect();
        let (algorithm, flags) = (Policy::default().algorithm, Role::Csk.flags());
        house.inner().keystore.generate(&apex(), algorithm, flags, &taken).unwrap();
    };
    stray(&house);
    house = house.restart(None);
    house.turn();
    house.parent_has([&[], &[]]);
    stray(&house);
    house.live(3 * DAY);
    assert!(house.inner().publisher.signing(&apex()).unwrap().current.is_none());
    let kept = house.inner().keystore.list(&apex()).unwrap();
    assert_eq!(kept.iter().map(KeyId::of).collect::<Vec<_>>(), old);
    house = house.restart(Some(Policy::default()));
    house.turn();
    house.validates();
    assert!(house.tags().len() == 1 && house.keys().published() != old);
    // A zone that never had a DS goes unsigned at once.
    stray(&house);
    house = house.restart(None);
    house.turn();
    assert_eq!(house.key_files(), 1);
}

/// A zone whose DS is at both servers of its parent, and the tag of its key.
fn secure() -> (House, u16) {
    let house = House::new(Policy::default());
    house.live(DAY);
    let csk = house.tags()[0];
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    assert!(house.alarms().is_empty());
    (house, csk)
}

#[test]
fn a_ttl_that_no_cache_obeys_is_an_alarm() {
    let (house, csk) = secure();
    let seen = house.inner().note(&apex(), |notes| notes.seen.clone()).flatten().unwrap();
    let heard = seen.sight.servers[0].heard[0].1.clone();
    let Heard::Ds { records, .. } = heard.clone() else { panic!() };
    house.parent_says([Heard::Ds { records, ttl: i32::MAX as u32 }, heard]);
    house.turn();
    assert_eq!(house.alarms(), ["policy"]);
    let file = house.directory.path().join("zone");
    std::fs::write(&file, ZONE.replace("www A", "www 2147483647 A")).unwrap();
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
    let done = house.inner().publisher.reload(Some(&apex()), &By::gapura());
    assert!(done.iter().all(ReloadReport::is_ok), "{}", done[0]);
    house.turn();
    assert_eq!(house.alarms(), ["policy"]);
}

#[test]
fn a_missing_key_is_an_alarm_until_it_is_back() {
    let mut house = House::new(Policy::default());
    house.turn();
    let keys = house.keys();
    let path = house.inner().keystore.path(&apex(), &keys.keys()[0].dnskey);
    let away = house.directory.path().join("away");
    std::fs::rename(&path, &away).unwrap();
    house = house.restart(Some(Policy::default()));
    assert!(house.inner().publisher.zone(&apex()).unwrap().is_signed(), "served as it was");
    let waits: Vec<u64> = (0..3).map(|_| house.turn().as_secs()).collect();
    assert_eq!(waits, [10, 20, 40]);
    assert_eq!(house.alarms(), ["stopped"]);
    let why = house.signer.alarms(&apex())[0].trouble.to_string();
    assert!(why.contains("restore") && why.contains(path.to_str().unwrap()), "{why}");
    std::fs::rename(&away, &path).unwrap();
    house.turn();
    assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
}

#[test]
fn a_ds_that_fits_no_key_and_one_that_is_gone_are_alarms() {
    let (house, csk) = secure();
    house.parent_has([&[csk], &[]]);
    house.turn();
    assert_eq!(house.alarms(), ["ds-missing"]);
    let stranger = Ds::read(&[&[0, 7, 13, 2][..], &[9; 32]].concat()).unwrap();
    let heard = Heard::Ds { records: vec![stranger], ttl: 60 };
    house.parent_says([heard, Heard::Silent("x".to_owned())]);
    house.turn();
    let alarms = house.signer.alarms(&apex());
    let Trouble::DsMismatch { servers, ds } = &alarms[0].trouble else { panic!("{alarms:?}") };
    assert_eq!((servers.len(), ds[0].starts_with("7 13 2 0909")), (1, true));
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    assert!(house.alarms().is_empty());
}

#[test]
fn a_zone_goes_unsigned_when_its_ds_is_gone_and_not_before() {
    let mut house = House::new(Policy::default());
    house.live(DAY);
    let csk = house.tags()[0];
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    house = house.restart(None);
    house.parent_has([&[csk], &[]]);
    house.live(3 * DAY);
    assert_eq!(house.keys().parent().0, Parent::Leaving);
    let cds = |house: &House| {
        let zone = house.inner().publisher.zone(&apex()).unwrap();
        zone.rrset(apex().as_ref(), Rtype::CDS).map(|set| set.first().to_vec())
    };
    assert_eq!(cds(&house), Some(vec![0; 5]));
    // The settings are changed back.
    house = house.restart(Some(Policy::default()));
    house.turn();
    assert_eq!(house.keys().parent().0, Parent::Wanted, "what it has is not known yet");
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    assert_eq!(house.keys().parent().0, Parent::Secure);
    house = house.restart(None);
    house.turn();
    house.parent_has([&[], &[]]);
    house.live(3 * DAY);
    let state = house.inner().publisher.signing(&apex()).unwrap();
    assert!(state.current.is_none() && !state.served.unwrap().is_signed());
}

#[test]
fn the_threads_sign_look_and_stop() {
    let house = House::new(Policy { parents: vec![nobody()], ..Policy::default() });
    house.signer.start();
    let end = Instant::now() + Duration::from_secs(20);
    while !house.inner().publisher.zone(&apex()).unwrap().is_signed() {
        assert!(Instant::now() < end, "it is not signed");
        std::thread::sleep(Duration::from_millis(5));
    }
    house.signer.wake(&apex());
    while house.signer.sight(&apex()).is_none() {
        assert!(Instant::now() < end, "nobody looks at the parent");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!house.signer.sight(&apex()).unwrap().1.is_whole());
    house.signer.stop();
}

#[test]
fn a_parent_that_publishes_where_is_told_of_new_cds_records() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let receiver = FakeServer::start(move |query, _| {
        heard.lock().unwrap().push(query.to_vec());
        Some(response(query, Rcode::NOERROR, true, &[]))
    });
    let soa = "go.id. 60 SOA ns1.go.id. h.go.id. 1 1 1 1 1";
    let parent =
        FakeServer::start(move |query, _| Some(response(query, Rcode::NOERROR, true, &[soa])));
    let dsync = format!("_dsync.go.id. 60 DSYNC CDS NOTIFY {} cds.go.id.", receiver.address.port());
    let resolver = FakeServer::start(move |query, _| {
        let records: &[&str] = match asked(query) {
            (name, Rtype::DSYNC) if name == "_dsync.go.id." => &[&dsync],
            (name, Rtype::A) if name == "cds.go.id." => &["cds.go.id. 60 A 127.0.0.1"],
            _ => &[soa],
        };
        Some(response(query, Rcode::NOERROR, false, records))
    });
    let policy = Policy { parents: vec![parent.address], propagation_s: 0, ..Policy::default() };
    let House { directory, store, signer } = House::new(policy);
    let finder = Finder::new(vec![resolver.address], 53);
    let house = House::with(directory, store, signer.0.publisher.clone(), finder);
    house.turn();
    let look_and_tell = || {
        house.inner().look(&apex());
        house.inner().tell(&apex());
    };
    look_and_tell();
    assert!(told.lock().unwrap().is_empty(), "no DS may be there yet");
    house.live(DAY);
    look_and_tell();
    look_and_tell();
    let all = told.lock().unwrap().clone();
    assert_eq!(all.len(), 1, "and not again at once");
    let query = Query::read(&all[0]).unwrap();
    let question = query.question.unwrap();
    assert_eq!((query.header.opcode(), query.malformed), (Opcode::NOTIFY, false));
    assert_eq!((question.name.to_name(), question.rtype), (apex(), Rtype::CDS));
    // The parent does what the records say, and then they say something else.
    let csk = house.tags()[0];
    house.parent_has([&[csk], &[csk]]);
    house.turn();
    house.command(Command::Roll(None));
    house.live(DAY);
    look_and_tell();
    assert_eq!(told.lock().unwrap().len(), 2);
}

#[test]
fn a_receiver_that_is_silent_holds_up_no_look() {
    let count = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&count);
    let silent = FakeServer::start(move |_, _| {
        heard.fetch_add(1, Ordering::Relaxed);
        None
    });
    let parent = FakeServer::start(|query, _| {
        let soa = "go.id. 60 SOA ns1.go.id. h.go.id. 1 1 1 1 1";
        Some(response(query, Rcode::NOERROR, true, &[soa]))
    });
    let port = silent.address.port();
    let resolver = resolver(vec![
        format!("_dsync.go.id. 60 DSYNC CDS NOTIFY {port} cds.go.id."),
        "cds.go.id. 60 A 127.0.0.1".to_owned(),
    ]);
    let policy = Policy { parents: vec![parent.address], propagation_s: 0, ..Policy::default() };
    let House { directory, store, signer } = House::new(policy);
    let finder = Finder::new(vec![resolver.address], 53);
    let house = House::with(directory, store, signer.0.publisher.clone(), finder);
    house.live(DAY);
    house.inner().look(&apex());
    assert!(house.signer.sight(&apex()).unwrap().1.is_whole());
    assert_eq!(count.load(Ordering::Relaxed), 0, "the look waits for no receiver");
    house.inner().tell(&apex());
    assert_eq!(count.load(Ordering::Relaxed), 2, "it was due, in two rounds");
}

#[test]
fn the_threads_tell_and_a_wish_that_changed_meanwhile_is_still_to_be_told() {
    let parent = FakeServer::start(|query, _| {
        let soa = "go.id. 60 SOA ns1.go.id. h.go.id. 1 1 1 1 1";
        Some(response(query, Rcode::NOERROR, true, &[soa]))
    });
    let signer: Arc<Mutex<Option<Signer>>> = Arc::default();
    let (told, during) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&signer));
    let heard = Arc::clone(&told);
    let receiver = FakeServer::start(move |query, _| {
        let signer = during.lock().unwrap().clone().unwrap();
        let is_first = heard.lock().unwrap().is_empty();
        let changed = signer.0.note(&apex(), |notes| {
            let telling = notes.telling.as_mut().unwrap();
            telling.cds = if is_first { Cds::Delete } else { telling.cds.clone() };
            telling.tries
        });
        heard.lock().unwrap().push(changed.unwrap());
        Some(response(query, Rcode::NOERROR, true, &[]))
    });
    let resolver = resolver(vec![
        format!("_dsync.go.id. 60 DSYNC CDS NOTIFY {} cds.go.id.", receiver.address.port()),
        "cds.go.id. 60 A 127.0.0.1".to_owned(),
    ]);
    let policy = Policy { parents: vec![parent.address], propagation_s: 0, ..Policy::default() };
    let House { directory, store, signer: first } = House::new(policy);
    let finder = Finder::new(vec![resolver.address], 53);
    let house = House::with(directory, store, first.0.publisher.clone(), finder);
    *signer.lock().unwrap() = Some(house.signer.clone());
    house.live(DAY);
    house.inner().tell(&apex());
    assert!(told.lock().unwrap().is_empty(), "the parent was not looked at");
    house.inner().look(&apex());
    house.inner().tell(&apex());
    house.inner().tell(&apex());
    house.inner().tell(&apex());
    assert_eq!(*told.lock().unwrap(), [0, 0], "what is new was told as the first time, and once");
    // The threads do the same by themselves.
    house.inner().note(&apex(), |notes| {
        let now = Instant::now();
        notes.telling = Some(Telling { cds: Cds::Delete, at: now, tries: 7 });
    });
    house.signer.start();
    house.signer.wake(&apex());
    let end = Instant::now() + Duration::from_secs(20);
    while told.lock().unwrap().len() < 3 {
        assert!(Instant::now() < end, "nobody is told");
        std::thread::sleep(Duration::from_millis(5));
    }
    house.signer.stop();
    signer.lock().unwrap().take();
}

#[test]
fn a_ds_of_ours_behind_many_others_is_found() {
    let house = House::new(Policy::default());
    house.live(DAY);
    let key = house.keys().keys()[0].dnskey.rdata();
    let ours = Ds::read(&ds(apex().as_ref(), &key, DigestType::Sha256)).unwrap();
    let line = |ds: &str| format!("contoh.go.id. 3600 DS {ds}");
    // One octet more than ours: however they are sorted, some are before it and some behind it.
    let digest = |n: u16| format!("{n:04X}{}", "AB".repeat(30));
    let strangers = (0..100_u16).flat_map(|n| [n, u16::MAX - n]);
    let mut lines: Vec<String> =
        strangers.map(|n| line(&format!("{n} 13 2 {}", digest(n)))).collect();
    lines.push(line(&ours.to_string()));
    let parent = FakeServer::start(move |query, transport| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let lines = if transport == Transport::Tcp { &lines[..] } else { &[] };
        let mut bytes = response(query, Rcode::NOERROR, true, lines);
        bytes[2] |= if lines.is_empty() { 2 } else { 0 };
        Some(bytes)
    });
    let policy = Policy { parents: vec![parent.address], ..Policy::default() };
    let house = house.restart(Some(policy));
    house.turn();
    house.inner().look(&apex());
    house.turn();
    assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
    assert_eq!(house.keys().parent().0, Parent::Secure);
    assert!(house.signer.sight(&apex()).unwrap().1.records().len() <= 64);
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}
