//! Pulling from primaries that do what a test says, over real sockets.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

mod slow;

use tempfile::TempDir;

use super::addresses::Haste;
use super::ask::Limits;
use super::pull::{NotPulled, Pulled, Puller, Try};
use super::timer::Failure;
use crate::fleet::tests::{name, remote};
use crate::fleet::{Fleet, Remote, Rules, ZoneRules};
use crate::lock::lock;
use crate::publish::{By, Options, Outcome, Publisher, ZoneSource};
use crate::store::Store;
use crate::tsig::{Algorithm, Key, Keyring};
use crate::wire::{HEADER_OCTETS, Name, Query, Rtype, rdata};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

//------------ Primary -------------------------------------------------------

/// What a primary does with a question.
#[derive(Clone, Debug)]
enum Act {
    /// Answers with these records, then closes the connection.
    Answer(Vec<String>),
    /// Answers with a code.
    Code(u8),
    /// Closes.
    Close,
    /// Says nothing for long.
    Hang,
    /// Sends a record at a time, that often, and no end.
    Drip(Duration),
}

/// What a primary does with a question for a zone: the zone, the type, whether it came over TCP.
type Script = dyn Fn(&Name, Rtype, bool) -> Act + Send + Sync;

/// A primary of which the test says what it does.
struct Primary {
    /// Where it listens.
    address: SocketAddr,
    /// What it was asked.
    asked: Arc<Mutex<Vec<(Name, Rtype)>>>,
}

impl Primary {
    /// Starts one; its threads end with the test's process.
    fn start(script: impl Fn(&Name, Rtype, bool) -> Act + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let (address, asked) = (udp.local_addr().unwrap(), Arc::<Mutex<Vec<_>>>::default());
        let script: Arc<Script> = Arc::new(script);
        let (over_udp, heard) = (Arc::clone(&script), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut query = [0; 1024];
            while let Ok((octets, from)) = udp.recv_from(&mut query) {
                let (query, act) = heed(&query[..octets], &*over_udp, &heard, false);
                if let Some(response) = response(&query, &act) {
                    udp.send_to(&response, from).unwrap();
                }
            }
        });
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in tcp.incoming().map_while(Result::ok) {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&heard));
                std::thread::spawn(move || serve(stream, &*script, &heard));
            }
        });
        Self { address, asked }
    }

    /// One that has a zone at a serial, and does this with IXFR.
    fn with_ixfr(serial: u32, ixfr: Act) -> Self {
        Self::start(move |zone, rtype, _| match rtype {
            Rtype::SOA => Act::Answer(vec![soa(zone, serial)]),
            Rtype::IXFR => ixfr.clone(),
            _ => Act::Answer(whole(zone, serial)),
        })
    }

    /// The primary as a remote.
    fn remote(&self, called: &str) -> Arc<Remote> {
        Arc::new(Remote { addresses: vec![self.address], ..remote(called, &["127.0.0.1"], "") })
    }

    /// The types it was asked for.
    fn asked(&self) -> Vec<Rtype> {
        lock(&self.asked).iter().map(|(_, rtype)| *rtype).collect()
    }
}

/// Reads a query, and says what is to be done.
fn heed(
    query: &[u8],
    script: &Script,
    asked: &Mutex<Vec<(Name, Rtype)>>,
    is_tcp: bool,
) -> (Vec<u8>, Act) {
    let read = Query::read(query).unwrap();
    let question = read.question.unwrap();
    let zone = question.name.to_name();
    lock(asked).push((zone.clone(), question.rtype));
    (query.to_vec(), script(&zone, question.rtype, is_tcp))
}

/// One connection with one question.
fn serve(mut stream: TcpStream, script: &Script, asked: &Mutex<Vec<(Name, Rtype)>>) {
    let mut octets = [0; 2];
    if stream.read_exact(&mut octets).is_err() {
        return;
    }
    let mut query = vec![0; usize::from(u16::from_be_bytes(octets))];
    if stream.read_exact(&mut query).is_err() {
        return;
    }
    let (query, act) = heed(&query, script, asked, true);
    let mut send = |response: &[u8]| {
        let octets = u16::try_from(response.len()).unwrap().to_be_bytes();
        stream.write_all(&[&octets, response].concat()).is_ok()
    };
    if let Some(response) = response(&query, &act) {
        send(&response);
    }
    match act {
        Act::Hang => std::thread::sleep(PATIENCE),
        Act::Drip(pause) => {
            let zone = Query::read(&query).unwrap().question.unwrap().name.to_name();
            send(&response_of(&query, &[soa(&zone, 99)]));
            let line = format!("www.{zone} 60 A 192.0.2.1");
            while send(&response_of(&query, std::slice::from_ref(&line))) {
                std::thread::sleep(pause);
            }
        }
        _ => {}
    }
}

/// The response of an act, if it is one.
fn response(query: &[u8], act: &Act) -> Option<Vec<u8>> {
    match act {
        Act::Answer(records) => Some(response_of(query, records)),
        Act::Code(code) => {
            let mut response = response_of(query, &[]);
            response[3] |= code;
            Some(response)
        }
        Act::Close | Act::Hang | Act::Drip(_) => None,
    }
}

/// A response with these records.
fn response_of(query: &[u8], records: &[String]) -> Vec<u8> {
    let question = HEADER_OCTETS + Query::read(query).unwrap().question.unwrap().name.wire().len();
    let mut out = query[..question + 4].to_vec();
    out[2..HEADER_OCTETS].copy_from_slice(&[0x84, 0, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    for text in records {
        let mut words = text.splitn(4, ' ');
        let mut next = || words.next().unwrap();
        let (owner, ttl, rtype) = (name(next()), next().parse::<u32>().unwrap(), next());
        let rtype: Rtype = rtype.parse().unwrap();
        let data = rdata::parse(rtype, next().as_bytes(), crate::wire::NameRef::ROOT).unwrap();
        out.extend(owner.as_ref().wire());
        out.extend([rtype.0.to_be_bytes(), [0, 1]].concat());
        out.extend(ttl.to_be_bytes());
        out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(data);
    }
    out
}

/// The SOA record of a zone.
fn soa(zone: &Name, serial: u32) -> String {
    format!("{zone} 60 SOA ns.test. h.test. {serial} 3600 600 86400 60")
}

/// All records of a zone as a transfer has them.
fn whole(zone: &Name, serial: u32) -> Vec<String> {
    vec![soa(zone, serial), format!("{zone} 60 NS ns.test."), soa(zone, serial)]
}

//------------ Secondary -----------------------------------------------------

/// A secondary.
struct Secondary {
    /// Its directory.
    _directory: TempDir,
    /// Its fleet.
    fleet: Fleet,
    /// What pulls where no thread does.
    puller: Puller,
}

impl Secondary {
    /// A secondary with these zones and their primaries; of transfers little is borne.
    fn new(zones: &[(&str, &[Arc<Remote>])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let source = |(zone, primaries): &(&str, &[Arc<Remote>])| {
            let names = primaries.iter().map(|remote| remote.name.clone()).collect();
            ZoneSource::secondary(name(zone), names)
        };
        let sources: Vec<_> = zones.iter().map(source).collect();
        let options = Options::new(directory.path());
        let (publisher, _) = Publisher::open(store, sources, options).unwrap();
        let rules = zones.iter().map(|(zone, primaries)| {
            (name(zone), ZoneRules { primaries: primaries.to_vec(), ..ZoneRules::default() })
        });
        let rules = Rules::new(rules.collect::<HashMap<_, _>>());
        let fleet = Fleet::new(publisher, rules, Keyring::default());
        let [message, start, whole] = [800, 600, 60_000].map(Duration::from_millis);
        let puller = Puller { limits: Limits { message, start, whole }, ..Puller::default() };
        Self { _directory: directory, fleet, puller }
    }

    /// Tries for a zone.
    fn pull(&self, zone: &str, haste: Haste) -> Result<Pulled, NotPulled> {
        let wanted = Try { zone: name(zone), first: None, haste, place: None };
        self.puller.pull(&self.fleet.0, wanted)
    }

    /// The serial that is served.
    fn serial(&self, zone: &str) -> Option<u32> {
        self.fleet.0.publisher.zone(&name(zone)).map(|zone| zone.serial())
    }

    /// Has version 1 of a zone.
    fn begin(&self, zone: &str) {
        let primary = Primary::with_ixfr(1, Act::Close).remote("first");
        let before = self.fleet.0.rules.load_full();
        let only = ZoneRules { primaries: vec![primary], ..ZoneRules::default() };
        self.fleet.0.rules.store(Arc::new(Rules::new(HashMap::from([(name(zone), only)]))));
        self.pull(zone, Haste::Time).unwrap();
        self.fleet.0.rules.store(before);
        assert_eq!(self.serial(zone), Some(1));
    }
}

/// Why a try failed.
fn failure(pulled: Result<Pulled, NotPulled>) -> (Failure, String) {
    match pulled {
        Err(NotPulled::Failed(failure, why)) => (failure, why),
        other => panic!("{other:?}"),
    }
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//------------ Tests ---------------------------------------------------------

/// Bug class: a primary that fails at IXFR in its own way is never asked for the whole zone.
#[test]
fn whatever_ixfr_ends_with_the_whole_zone_is_asked_for() {
    let zone = name("a.test.");
    let mut acts = vec![Act::Close, Act::Hang, Act::Answer(vec![soa(&zone, 2)])];
    acts.extend([1, 2, 3, 4, 5, 9, 10].map(Act::Code));
    acts.push(Act::Answer(vec![format!("{zone} 60 NS ns.test.")]));
    acts.push(Act::Answer(vec![soa(&zone, 2), format!("{zone} 60 NS ns.test.")]));
    acts.push(Act::Answer(vec![soa(&zone, 2), format!("b.test. 60 NS ns.test.")]));
    for act in acts {
        let primary = Primary::with_ixfr(2, act.clone());
        let secondary = Secondary::new(&[("a.test.", &[primary.remote("ns1")])]);
        secondary.begin("a.test.");
        let report = secondary.pull("a.test.", Haste::Time).unwrap().report.unwrap();
        assert!(matches!(report.outcome, Outcome::Live { to: 2, .. }), "{act:?}: {report}");
        assert_eq!(primary.asked(), [Rtype::SOA, Rtype::IXFR, Rtype::AXFR], "{act:?}");
    }
}

/// Bug class: a primary whose SOA record is newer than its transfer keeps a zone from expiring.
#[test]
fn a_transfer_of_what_we_have_is_no_refresh_if_something_newer_was_told() {
    let zone = name("a.test.");
    for ixfr in [Act::Answer(vec![soa(&zone, 1)]), Act::Answer(whole(&zone, 1)), Act::Close] {
        let liar = Primary::start(move |zone, rtype, _| match rtype {
            Rtype::SOA => Act::Answer(vec![soa(zone, 2)]),
            Rtype::IXFR => ixfr.clone(),
            _ => Act::Answer(whole(zone, 1)),
        });
        let honest = Primary::with_ixfr(3, Act::Code(4));
        let secondary = Secondary::new(&[("a.test.", &[liar.remote("liar")])]);
        secondary.begin("a.test.");
        let (kind, why) = failure(secondary.pull("a.test.", Haste::Time));
        assert_eq!(kind, Failure::Refused, "it is asked ever more rarely");
        assert!(why.contains("with serial 2, the transfer with 1"), "{why}");
        let both = [liar.remote("liar"), honest.remote("honest")];
        let secondary = Secondary::new(&[("a.test.", &both)]);
        secondary.begin("a.test.");
        let pulled = secondary.pull("a.test.", Haste::Time).unwrap();
        let passed_over = pulled.passed_over.unwrap();
        assert_eq!((pulled.primary.as_str(), passed_over.contains("liar")), ("honest", true));
        assert_eq!(secondary.serial("a.test."), Some(3));
    }
}

/// Bug class: one zone whose transfer hangs silences its primary for the others.
#[test]
fn a_transfer_that_hangs_is_not_a_primary_that_is_silent() {
    let primary = Primary::start(|zone, rtype, _| match rtype {
        Rtype::SOA => Act::Answer(vec![soa(zone, 2)]),
        _ if *zone == name("hangs.test.") => Act::Hang,
        _ => Act::Answer(whole(zone, 2)),
    });
    let (ns1, dead) = (primary.remote("ns1"), Arc::new(remote("dead", &["127.0.0.1"], "")));
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = Arc::new(Remote { addresses: vec![gone], ..Remote::clone(&dead) });
    let secondary = Secondary::new(&[
        ("hangs.test.", &[Arc::clone(&ns1)]),
        ("well.test.", &[ns1]),
        ("dead.test.", &[dead]),
    ]);
    let (kind, why) = failure(secondary.pull("hangs.test.", Haste::Time));
    assert_eq!(kind, Failure::Refused, "it is tried more and more rarely: {why}");
    assert!(why.contains("stood still"), "{why}");
    secondary.pull("well.test.", Haste::Time).unwrap();
    // A silence is told with its reason, and is no failure of whoever heeds it.
    let (_, why) = failure(secondary.pull("dead.test.", Haste::Time));
    assert!(why.contains("nothing listens there"), "{why}");
    for haste in [Haste::Time, Haste::Notify, Haste::Notify] {
        let pulled = secondary.pull("dead.test.", haste);
        let is_postponed = matches!(&pulled, Err(NotPulled::Postponed { why, .. })
            if why.contains("nothing listens there (a moment ago)"));
        // NOTIFY breaks the silence once.
        assert!(is_postponed || haste == Haste::Notify, "{pulled:?}");
    }
    let again = secondary.pull("dead.test.", Haste::Notify);
    assert!(matches!(again, Err(NotPulled::Postponed { .. })), "{again:?}");
    failure(secondary.pull("dead.test.", Haste::Person));
}

/// Bug class: a transfer of an octet now and then holds a thread for an hour.
#[test]
fn a_transfer_that_is_too_slow_is_cut() {
    let drips = Primary::with_ixfr(2, Act::Drip(Duration::from_millis(250)));
    let secondary = Secondary::new(&[("a.test.", &[drips.remote("ns1")])]);
    secondary.begin("a.test.");
    let began = Instant::now();
    // A second at least, or no octets a second are no average.
    let (kind, why) = failure(secondary.pull("a.test.", Haste::Time));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!((kind, why.contains("too slow")), (Failure::Refused, true), "{why}");
    assert_eq!(drips.asked(), [Rtype::SOA, Rtype::IXFR], "the whole zone would not be faster");
}

/// Bug class: some slow transfers and a flood of NOTIFY for their zones stop all other zones.
#[test]
fn zones_of_a_primary_that_hangs_do_not_hold_up_others() {
    let hangs = Primary::start(|_, _, _| Act::Hang);
    let good = Primary::with_ixfr(1, Act::Close);
    let (bad, ns1) = (hangs.remote("bad"), good.remote("ns1"));
    let names: Vec<String> = (0..12).map(|number| format!("a{number}.test.")).collect();
    let mut zones: Vec<(&str, &[Arc<Remote>])> = Vec::new();
    names.iter().for_each(|zone| zones.push((zone, std::slice::from_ref(&bad))));
    zones.push(("well.test.", std::slice::from_ref(&ns1)));
    let secondary = Secondary::new(&zones);
    let fleet = &secondary.fleet.0;
    fleet.keeper.open(fleet);
    names.iter().for_each(|zone| fleet.keeper.notified(fleet, &name(zone), "bad", Some(7)));
    until("the good zone is transferred", || secondary.serial("well.test.") == Some(1));
    until("others hang", || hangs.asked().len() >= super::addresses::TRANSFERS);
    let transfer = fleet.keeper.retransfer(&name("well.test.")).unwrap();
    let told = transfer.recv_timeout(PATIENCE / 2).expect("not while others hang");
    assert!(told.is_ok(), "{told:?}");
    assert_eq!(hangs.asked().len(), super::addresses::TRANSFERS, "no more than its share");
    fleet.keeper.stop();
}

/// Bug class: whoever answers first over UDP, with a bad signature, keeps a zone from being refreshed.
#[test]
fn a_bad_signature_over_udp_is_asked_again_over_tcp() {
    let primary = Primary::with_ixfr(2, Act::Close);
    let keyed = Remote { key: Some(name("armada.")), ..Remote::clone(&primary.remote("ns1")) };
    let secondary = Secondary::new(&[("a.test.", &[Arc::new(keyed)])]);
    secondary.begin("a.test.");
    let key = Key::new(&name("armada."), Algorithm::HmacSha256, &[b'k'; 32]);
    secondary.fleet.0.keys.store(Arc::new([key].into_iter().collect()));
    failure(secondary.pull("a.test.", Haste::Time));
    assert_eq!(primary.asked(), [Rtype::SOA; 2]);
}

/// Bug class: a member of a catalog that begins anew under another label is not served until the REFRESH of the
/// zone that was there before.
#[test]
fn a_member_under_another_label_is_transferred_at_once() {
    let is_new = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&is_new);
    let primary = Primary::start(move |zone, rtype, _| {
        let is_new = state.load(Ordering::Relaxed);
        let is_catalog = *zone == name("cat.test.");
        let (label, serial) = match (is_new, is_catalog) {
            (false, true) => ("old", 1),
            (false, false) => ("", 7),
            (true, true) => ("new", 2),
            (true, false) => ("", 3),
        };
        let mut records = whole(zone, serial);
        if is_catalog {
            records.insert(1, "version.cat.test. 60 TXT 2".to_owned());
            records.insert(1, format!("{label}.zones.cat.test. 60 PTR a.test."));
        }
        match rtype {
            Rtype::SOA => Act::Answer(vec![soa(zone, serial)]),
            Rtype::IXFR => Act::Code(4),
            _ => Act::Answer(records),
        }
    });
    let secondary = Secondary::new(&[("cat.test.", &[primary.remote("ns1")])]);
    let fleet = &secondary.fleet;
    let catalog = ZoneSource::secondary(name("cat.test."), vec!["ns1".to_owned()]);
    let catalog = vec![ZoneSource { consume: true, ..catalog }];
    fleet.0.publisher.set_sources(catalog, &By::gapura());
    fleet.start().unwrap();
    until("the member is transferred", || secondary.serial("a.test.") == Some(7));
    is_new.store(true, Ordering::Relaxed);
    fleet.refresh(&name("cat.test."));
    until("the new one is transferred", || secondary.serial("a.test.") == Some(3));
    fleet.stop();
}
