//! NOTIFY and watching, with a socket of the test as the secondary.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::fleet::teller::seconds;
use crate::publish::{Cause, Edit, EditProposal, NoRows, RrsetEdit, Secondary};
use crate::tsig::{Algorithm, Key, verify_request};
use crate::wire::{HEADER_OCTETS, Opcode, Query, Rtype, rdata};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

//------------ Ear -----------------------------------------------------------

/// A secondary that serves what it is told at once.
struct Ear {
    /// Where it listens.
    address: SocketAddr,
    /// What it does and heard.
    state: Arc<State>,
}

/// What an ear does and heard.
#[derive(Default)]
struct State {
    /// Whether nothing is answered.
    is_deaf: AtomicBool,
    /// Whether NOTIFY is answered and not heeded.
    is_stuck: AtomicBool,
    /// The serial it serves.
    serial: AtomicU32,
    /// Serials it was told, and when.
    told: Mutex<Vec<(u32, Instant)>>,
    /// The keys it demands one of; empty: none.
    keys: Mutex<Keyring>,
}

impl Ear {
    /// An ear on a free port, or on this one.
    fn new(address: Option<SocketAddr>) -> Self {
        let socket =
            UdpSocket::bind(address.unwrap_or_else(|| ([127, 0, 0, 1], 0).into())).unwrap();
        let (address, state) = (socket.local_addr().unwrap(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || listen(&socket, &shared));
        Self { address, state }
    }

    /// The ear as a remote.
    fn remote(&self, called: &str, key: &str) -> Remote {
        Remote { addresses: vec![self.address], ..remote(called, &["127.0.0.1"], key) }
    }

    /// The serials it was told.
    fn told(&self) -> Vec<u32> {
        lock(&self.state.told).iter().map(|(serial, _)| *serial).collect()
    }
}

/// The thread of an ear; it ends with the test's process.
fn listen(socket: &UdpSocket, state: &State) {
    let mut buffer = [0; 4096];
    while let Ok((octets, from)) = socket.recv_from(&mut buffer) {
        let message = &buffer[..octets];
        let keys = lock(&state.keys).clone();
        let query = Query::read(message).unwrap();
        let signed = query.tsig.map(|at| verify_request(message, at, &keys, seconds()));
        let signer = match (signed, keys == Keyring::default()) {
            (None, true) => None,
            (Some(Ok(request)), false) => Some(request.signer),
            _ => continue,
        };
        let is_notify = query.header.opcode() == Opcode::NOTIFY;
        if let Some(serial) = query.answer_serial.filter(|_| is_notify) {
            lock(&state.told).push((serial, Instant::now()));
            if !state.is_stuck.load(Ordering::SeqCst) {
                state.serial.store(serial, Ordering::SeqCst);
            }
        }
        if state.is_deaf.load(Ordering::SeqCst) {
            continue;
        }
        let mut response = response(message, &query, is_notify, state);
        if let Some(signer) = signer {
            let length = response.len();
            response.resize(length + signer.octets(), 0);
            let length = signer.sign(&mut response, length, seconds()).unwrap();
            response.truncate(length);
        }
        socket.send_to(&response, from).unwrap();
    }
}

/// The response to a NOTIFY or a question for SOA.
fn response(message: &[u8], query: &Query<'_>, is_notify: bool, state: &State) -> Vec<u8> {
    let end = HEADER_OCTETS + query.question.unwrap().octets();
    let mut response = message[..end].to_vec();
    response[2] |= 0x84;
    response[6..12].fill(0);
    if !is_notify {
        let serial = state.serial.load(Ordering::SeqCst);
        response[7] = 1;
        response.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0]);
        response.extend([serial, 1, 1, 1, 1].iter().flat_map(|number| number.to_be_bytes()));
    }
    response
}

//------------ Tests ---------------------------------------------------------

/// Waits until something is so.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Changes the zone; the serial that comes of it.
fn change(publisher: &Publisher, address: u8) -> u32 {
    let data = rdata::parse(Rtype::A, format!("192.0.2.{address}").as_bytes(), name(".").as_ref());
    let set = RrsetEdit {
        owner: name("www.example."),
        rtype: Rtype::A,
        ttl: 60,
        rdatas: vec![data.unwrap().into()],
    };
    let published = publisher.publish(EditProposal {
        zone: &name("example."),
        base: None,
        edit: &Edit { set: vec![set] },
        cause: Cause::Own { purpose: "test".to_owned() },
        who: "test",
        expect: Vec::new(),
        rows: NoRows,
    });
    published.unwrap_or_else(|_| panic!("not published")).change.to
}

/// The only secondary of the zone, once it is known.
fn secondary(publisher: &Publisher) -> Secondary {
    let known = || publisher.secondaries(&name("example."));
    until("it is known", || !known().is_empty());
    known().remove(0)
}

/// A running fleet whose zone is told to this remote.
fn fleet(publisher: &Publisher, remote: Remote, keys: Keyring) -> Fleet {
    let notify = vec![Arc::new(remote)];
    let rules = rules(ZoneRules { notify, ..ZoneRules::default() });
    let fleet = Fleet::new(publisher.clone(), rules, keys);
    fleet.start().unwrap();
    fleet
}

#[test]
fn a_secondary_is_told_at_the_start_and_of_each_change_and_watched() {
    let (_directory, publisher) = publisher();
    let ear = Ear::new(None);
    let fleet = fleet(&publisher, ear.remote("ns2", ""), Keyring::default());
    until("told at the start", || ear.told() == [10]);
    until("it has it", || !secondary(&publisher).behind);
    let start = Instant::now();
    let serial = change(&publisher, 7);
    let known = publisher.wait_for_secondaries(&name("example."), serial, PATIENCE);
    assert_eq!((known[0].serial, known[0].behind), (Some(serial), false), "{known:?}");
    let (told, at) = *lock(&ear.state.told).last().unwrap();
    println!("told {:?} after the change began, known after {:?}", at - start, start.elapsed());
    assert_eq!((told, known[0].name.as_str()), (serial, "ns2"));
    assert!(known[0].seen.is_some() && known[0].behind_since.is_none());
    assert_eq!(fleet.notifies(), [("ns2".to_owned(), "answered", 2)]);
    let told = fleet.tell(&name("example."));
    assert!(matches!(told[0].result, Some(Ok(Rcode::NOERROR))), "{told:?}");
    assert_eq!(ear.told().len(), 3, "by hand, although it has it");
    assert!(fleet.tell(&name("other.")).is_empty());
    fleet.stop();
}

#[test]
fn a_burst_of_changes_is_told_as_few_and_the_last_of_them() {
    let (_directory, publisher) = publisher();
    let ear = Ear::new(None);
    let _fleet = fleet(&publisher, ear.remote("ns2", ""), Keyring::default());
    until("told at the start", || ear.told() == [10]);
    let mut last = 0;
    for at in 0..40 {
        last = change(&publisher, at);
    }
    until("it has the last", || secondary(&publisher).serial == Some(last));
    let told = ear.told();
    assert!(told.len() < 40 && told.last() == Some(&last), "{told:?}");
}

#[test]
fn a_notify_that_waits_is_not_cancelled_by_a_reload() {
    let (_directory, publisher) = publisher();
    let ear = Ear::new(None);
    ear.state.is_deaf.store(true, Ordering::SeqCst);
    let fleet = fleet(&publisher, ear.remote("ns2", ""), Keyring::default());
    until("told once, no answer", || ear.told().len() == 1);
    let rules = ZoneRules { notify: vec![Arc::new(ear.remote("ns2", ""))], ..ZoneRules::default() };
    fleet.set_rules(super::rules(rules), Keyring::default());
    fleet.renew();
    let before = Instant::now();
    ear.state.is_deaf.store(false, Ordering::SeqCst);
    until("told again", || ear.told().len() == 2);
    assert!(
        before.elapsed() < Duration::from_millis(2_500),
        "with its back-off: {:?}",
        before.elapsed()
    );
    until("it has it", || !secondary(&publisher).behind);
    // One that no rule means any more is let go.
    fleet.set_rules(no_rules(&[]), Keyring::default());
    until("let go", || publisher.secondaries(&name("example.")).is_empty());
}

#[test]
fn an_unreachable_secondary_costs_a_change_nothing() {
    let (_directory, publisher) = publisher();
    // Nothing answers there, not even with an error.
    let hole = UdpSocket::bind("127.0.0.1:0").unwrap();
    let remote = Remote {
        addresses: vec![hole.local_addr().unwrap()],
        ..remote("gone", &["127.0.0.1"], "")
    };
    let mut without = Vec::new();
    for at in 0..20 {
        let start = Instant::now();
        change(&publisher, at);
        without.push(start.elapsed());
    }
    let _fleet = fleet(&publisher, remote, Keyring::default());
    let mut with = Vec::new();
    for at in 20..40 {
        let start = Instant::now();
        change(&publisher, at);
        with.push(start.elapsed());
    }
    without.sort();
    with.sort();
    println!("median without {:?}, with {:?}", without[10], with[10]);
    assert!(with[10] < without[10] * 2 + Duration::from_millis(20));
    until("it is known", || secondary(&publisher).error.is_some());
    let found = secondary(&publisher);
    assert!(found.behind && found.behind_since.is_some() && found.seen.is_none(), "{found:?}");
    // Who did not answer last is not waited for.
    let (serial, start) = (change(&publisher, 41), Instant::now());
    publisher.wait_for_secondaries(&name("example."), serial, PATIENCE);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_secondary_that_does_not_take_the_zone_stays_behind() {
    let (_directory, publisher) = publisher();
    let ear = Ear::new(None);
    ear.state.is_stuck.store(true, Ordering::SeqCst);
    ear.state.serial.store(9, Ordering::SeqCst);
    let _fleet = fleet(&publisher, ear.remote("ns2", ""), Keyring::default());
    until("looked at", || secondary(&publisher).serial == Some(9));
    let found = secondary(&publisher);
    assert!(found.behind && found.behind_since.is_some() && found.error.is_none(), "{found:?}");
    let start = Instant::now();
    let at_most = Duration::from_millis(300);
    let known = publisher.wait_for_secondaries(&name("example."), 10, at_most);
    assert!(known[0].behind && start.elapsed() >= at_most);
    ear.state.serial.store(10, Ordering::SeqCst);
    until("it has it", || !secondary(&publisher).behind);
}

#[test]
fn notify_and_looks_are_signed_with_the_key_of_the_remote() {
    let (_directory, publisher) = publisher();
    let ear = Ear::new(None);
    let key =
        Key::new(&name("armada."), Algorithm::HmacSha256, b"0123456789abcdef0123456789abcdef");
    let keys: Keyring = [key].into_iter().collect();
    *lock(&ear.state.keys) = keys.clone();
    let fleet = fleet(&publisher, ear.remote("ns2", "armada."), keys);
    until("told and looked at, signed", || !secondary(&publisher).behind);
    // A key that is not there any more is said, and told again as soon as it is.
    let again = || {
        let notify = vec![Arc::new(ear.remote("ns2", "armada."))];
        rules(ZoneRules { notify, ..ZoneRules::default() })
    };
    fleet.set_rules(again(), Keyring::default());
    let serial = change(&publisher, 9);
    until("the fault is known", || secondary(&publisher).error.is_some());
    assert!(secondary(&publisher).error.unwrap().contains("armada."));
    fleet.set_rules(again(), lock(&ear.state.keys).clone());
    until("told with the key", || secondary(&publisher).serial == Some(serial));
}
