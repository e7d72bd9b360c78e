//! The probe's limits: what it may connect to, and what it takes for an answer.

use std::net::TcpListener;

use super::*;
use crate::queue::{Application, Contact, Kind, Letter, NamingClass, RequestedRecord};
use crate::testing::FakeServer;

/// Time for all targets.
const TIME: Duration = Duration::from_secs(5);

/// An ask with these records.
fn application(records: &[(&str, &str)]) -> ParsedApplication {
    let sent = Application {
        kind: Kind::New,
        class: NamingClass::Layanan,
        name: "contoh".to_owned(),
        zone: "cirebonkab.go.id.".to_owned(),
        records: records
            .iter()
            .map(|(rtype, data)| RequestedRecord {
                rtype: (*rtype).to_owned(),
                data: (*data).to_owned(),
                ttl: 300,
            })
            .collect(),
        office: "Dinas".to_owned(),
        region: None,
        purpose: "uji".to_owned(),
        contact: Contact::default(),
        letter: Letter::default(),
        starts: None,
        ends: None,
        hosting_by: None,
        exception: None,
        lift: false,
        inverse_of: None,
        raised: None,
    };
    ParsedApplication::try_from(sent).unwrap()
}

#[test]
fn nothing_but_public_addresses_is_probed() {
    let prober = Prober::new(true, TIME, 4, Vec::new());
    for address in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "169.254.169.254", "100.64.0.1"] {
        assert!(!prober.applies(&application(&[("A", address)])), "{address}");
    }
    for address in ["::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2001:db8::1"] {
        assert!(!prober.applies(&application(&[("AAAA", address)])), "{address}");
    }
    assert!(prober.applies(&application(&[("A", "103.28.12.5")])));
    assert!(
        !prober.applies(&application(&[("CNAME", "lain.cirebonkab.go.id.")])),
        "a name of ours"
    );
    assert!(
        !Prober::new(false, TIME, 4, Vec::new()).applies(&application(&[("A", "103.28.12.5")])),
        "switched off"
    );
    let off = Prober::new(false, TIME, 4, Vec::new());
    let off = off.start(key("GPR-1"), &application(&[("A", "103.28.12.5")]), 1, |_| {});
    assert!(off.is_none());
}

/// A request's first revision.
fn key(number: &str) -> (String, u32) {
    (number.to_owned(), 1)
}

#[test]
fn probes_run_side_by_side_and_one_request_is_probed_once() {
    let flights = Flights::new(3);
    let (release, held) = mpsc::channel::<()>();
    let slow = flights.start(key("GPR-1"), move || _ = held.recv()).unwrap();
    let again = flights.start(key("GPR-1"), || panic!("it is probed already")).unwrap();
    let mut side_by_side = Vec::new();
    for number in ["GPR-2", "GPR-3"] {
        let quick = flights.start(key(number), || {}).unwrap();
        quick.wait();
        side_by_side.push(quick);
    }
    // One that ends by a panic is over as well.
    let failed = flights.start(key("GPR-4"), || panic!("on purpose")).unwrap();
    failed.wait();
    let (more, held_too) = mpsc::channel::<()>();
    let held_too = Arc::new(std::sync::Mutex::new(held_too));
    for number in ["GPR-5", "GPR-6"] {
        let held_too = Arc::clone(&held_too);
        let job = move || _ = held_too.lock().unwrap().recv();
        assert!(flights.start(key(number), job).is_some());
    }
    assert!(flights.start(key("GPR-7"), || {}).is_none(), "there is a limit");
    drop((release, more));
    slow.wait();
    again.wait();
}

#[test]
fn a_probe_without_a_thread_is_over_and_holds_nothing() {
    let flights = Flights::new(1);
    let (done, over) = mpsc::channel();
    let tried = flights.clone();
    std::thread::spawn(move || {
        let refused = |_job| Err(ErrorKind::WouldBlock.into());
        done.send(tried.start_by(key("GPR-1"), || {}, refused).is_none())
    });
    assert!(over.recv_timeout(TIME).unwrap(), "no probe was started");
    flights.start(key("GPR-1"), || {}).unwrap().wait();
}

#[test]
fn a_flight_is_awaited_by_tasks_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let flights = Flights::new(1);
    let (release, held) = mpsc::channel::<()>();
    let slow = flights.start(key("GPR-1"), move || _ = held.recv()).unwrap();
    runtime.block_on(async {
        let waits = tokio::time::timeout(Duration::from_millis(50), slow.landed()).await;
        assert!(waits.is_err(), "not yet");
        drop(release);
        tokio::time::timeout(Duration::from_secs(5), slow.landed()).await.unwrap();
        slow.landed().await;
    });
}

#[test]
fn all_targets_of_a_request_share_one_deadline() {
    // A name server that never answers stands for every slow target.
    let silent = FakeServer::start(|_, _| None);
    let deadline = Instant::now() + Duration::from_millis(400);
    let name: Name = "situs.contoh.id.".parse().unwrap();
    let found = resolve::addresses_by(&[silent.address, silent.address], &name, deadline);
    assert_eq!(found, None, "nobody answered");
    assert!(Instant::now() < deadline + Duration::from_millis(300));
}

#[test]
fn a_name_that_leads_to_ourselves_is_down_and_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let rules = Targets { allow: Vec::new(), ..Targets::default() };
    let name = Target::Name("localhost.".parse().unwrap());
    let found = probe(&name, "contoh.id", &rules, Instant::now() + TIME);
    assert!(!matches!(found, Found::Up | Found::Claimable), "{found:?}");
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn the_marks_are_lower_case_as_the_page_is_when_they_are_looked_for() {
    for mark in NO_SUCH_SITE {
        assert_eq!(mark, mark.to_lowercase());
    }
}

/// A web server on loopback that gives every host this page; none where port 80 may not be bound.
fn web_server(address: &str, page: &'static str) -> Option<std::thread::JoinHandle<()>> {
    let listener = TcpListener::bind((address, 80)).ok()?;
    Some(std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut asked = [0; 512];
        let _ = stream.read(&mut asked);
        let _ = stream.write_all(page.as_bytes());
    }))
}

#[test]
fn what_real_servers_say_is_what_is_found() {
    let allow = crate::queue::targets::prefixes("127.0.0.0/8").unwrap();
    let prober = Prober::new(true, TIME, 4, allow);
    let page = |text: &'static str| text;
    let servers = [
        web_server("127.83.0.1", page("HTTP/1.1 200 OK\r\n\r\nSelamat datang")),
        web_server(
            "127.83.0.2",
            page("HTTP/1.1 404 Not Found\r\n\r\nThere isn't a GitHub Pages site here."),
        ),
    ];
    if servers.iter().any(Option::is_none) {
        eprintln!("skipped: port 80 cannot be bound here");
        return;
    }
    let https = TcpListener::bind(("127.83.0.3", 443)).unwrap();
    let at = |text: &str| Target::Address(text.parse().unwrap());
    let targets = ["127.83.0.1", "127.83.0.2", "127.83.0.3", "127.83.0.4"].map(at);
    let found = prober.look(&targets, "desa.contoh.id");
    assert_eq!(found, [Found::Up, Found::Claimable, Found::Up, Found::Down]);
    drop(https);
    assert!(prober.applies(&application(&[("A", "127.83.0.1")])), "the settings allow it");
}
