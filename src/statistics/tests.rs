//! Counts of queries that were really answered, by a real database.

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};

use arc_swap::ArcSwap;
use tempfile::TempDir;

use super::*;
use crate::answer::Transport;
use crate::serve::Sample;
use crate::serve::counters::{Lane, Totals};
use crate::store::statistics::NameCount;
use crate::wire::{Class, Name, Rcode, Record, Rtype};
use crate::zone::{ZoneBuilder, ZoneSet};

/// 23 November 2026, 14.05 WIB.
const NOW: i64 = 1_795_395_600_000 + (6 * 60 + 5) * 60_000;
/// A minute, and a day.
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A database, and a book over it.
fn opened() -> (TempDir, Store, Statistics) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let statistics = Statistics::new(store.clone(), Tap::default());
    (directory, store, statistics)
}

/// Counters of a UDP lane after so many queries of type A, one in ten of which was for nothing.
fn after(queries: u64) -> Vec<(Lane, Totals)> {
    let mut totals = Totals::default();
    totals.opcodes[0] = queries;
    totals.types[usize::from(Rtype::A.0)] = queries;
    totals.rcodes[usize::from(Rcode::NXDOMAIN.0)] = queries / 10;
    totals.rcodes[0] = queries - queries / 10;
    vec![(Lane { transport: Transport::Udp, ipv6: false }, totals)]
}

#[test]
fn sums_grow_by_what_is_new_and_old_ones_go() {
    let (_directory, store, statistics) = opened();
    let book = || lock(&statistics.0.book);
    book().count(&after(100), NOW);
    book().count(&after(130), NOW + 1_000);
    book().keep(&store, NOW + 2_000).unwrap();
    book().count(&after(150), NOW + MINUTE);
    let figures = statistics.figures(Span::Hour, NOW + MINUTE).unwrap();
    assert_eq!(figures.total, 150);
    let last: Vec<_> = figures.minutes.iter().rev().take(3).map(|it| it.count).collect();
    assert_eq!((last, figures.minutes.len()), (vec![20, 130, 0], 60));
    assert_eq!((figures.hours.len(), figures.hours[167].count), (168, 150));
    assert_eq!(figures.days.len(), 1, "from the first day that was counted");
    let counts = |labels: &[LabelCount]| -> Vec<(String, u64)> {
        labels.iter().map(|it| (it.label.clone(), it.count)).collect()
    };
    assert_eq!(counts(&figures.rcodes), [("NOERROR".to_owned(), 135), ("NXDOMAIN".to_owned(), 15)]);
    assert_eq!(counts(&figures.types), [("A".to_owned(), 150)]);
    assert_eq!(counts(&figures.transports), [("UDP".to_owned(), 150)]);

    // Three days on the minutes are gone, and the days stay.
    book().count(&after(151), NOW + 3 * DAY);
    statistics.keep(NOW + 3 * DAY).unwrap();
    statistics.forget(NOW + 3 * DAY).unwrap();
    let figures = statistics.figures(Span::Year, NOW + 3 * DAY).unwrap();
    assert_eq!(figures.days.iter().map(|it| it.count).collect::<Vec<_>>(), [150, 0, 0, 1]);
    let minutes =
        store.read::<_, StoreError>(|reader| reader.query_counts("minute", (0, i64::MAX), "all"));
    assert_eq!(minutes.unwrap().len(), 1);
}

#[test]
fn what_cannot_be_written_waits() {
    let (_directory, store, statistics) = opened();
    let book = || lock(&statistics.0.book);
    store.tamper("ALTER TABLE query_count RENAME TO away");
    book().count(&after(70), NOW);
    assert!(book().keep(&store, NOW).is_err());
    assert!(statistics.figures(Span::Hour, NOW).is_err());
    store.tamper("ALTER TABLE away RENAME TO query_count");
    // Where only writing fails, the page shows what there is, and says up to when.
    store.tamper("CREATE UNIQUE INDEX stuck ON query_count (scale IS NOT NULL)");
    assert_eq!(statistics.figures(Span::Hour, NOW).unwrap().total, 0);
    store.tamper("DROP INDEX stuck");
    book().count(&after(75), NOW + MINUTE);
    assert_eq!(statistics.figures(Span::Hour, NOW + MINUTE).unwrap().total, 75);
}

#[test]
fn a_clock_that_is_not_believed_counts_and_drops_nothing() {
    let (_directory, store, statistics) = opened();
    let book = || lock(&statistics.0.book);
    book().count(&after(100), NOW);
    statistics.keep(NOW).unwrap();
    // A machine whose clock stands years ahead.
    let ahead = NOW + 4_000 * DAY;
    statistics.believe_clock(false);
    assert!(statistics.0.collect(ahead).is_none(), "what the workers count waits with them");
    statistics.forget(ahead).unwrap();
    let days = store.read::<_, StoreError>(|it| it.query_counts("day", (0, i64::MAX), "all"));
    assert_eq!(days.unwrap().len(), 1, "nothing was dropped");
    // An older version counted by it: that is no future to be shown, and it goes.
    statistics.believe_clock(true);
    let counted = store.write::<_, StoreError>(|tx| {
        tx.add_query_count(("hour", ahead), ("all", ""), 7)?;
        tx.put_query_names(ahead, true, &[NameCount { name: "x.".into(), count: 7, error: 0 }])
    });
    counted.unwrap();
    let figures = statistics.figures(Span::Week, NOW).unwrap();
    assert_eq!((figures.total, figures.names.len()), (100, 0));
    statistics.forget(NOW).unwrap();
    let left = store.read::<_, StoreError>(|it| {
        let hours = it.query_counts("hour", (0, i64::MAX), "all")?;
        Ok((hours.len(), it.top_names((0, i64::MAX), true, 9)?.len()))
    });
    assert_eq!(left.unwrap(), (1, 0));
}

/// A query for a name of ours.
fn sample(name: &Name) -> Sample<'_> {
    let zone = Some(name);
    Sample {
        name: name.as_ref(),
        zone: zone.map(Name::as_ref),
        rcode: Rcode::NOERROR,
        wildcard: false,
        weight: 1,
    }
}

#[test]
fn each_live_name_is_counted_since_it_went_live() {
    let (_directory, store, statistics) = opened();
    let book = || lock(&statistics.0.book);
    let put = |name: &str, state: &str, request: &str| {
        store.tamper(&format!(
            "INSERT INTO live_record (name, zone, state, office, origin, request, body) \
             VALUES ('{name}', 'example.', '{state}', 'x', 'request', {request}, x'')"
        ));
    };
    put("a.example.", "live", "'GPR-1'");
    put("b.example.", "live", "'GPR-2'");
    put("c.example.", "quarantined", "'GPR-3'");
    put("d.example.", "live", "NULL");
    let name: Name = "B.example.".parse().unwrap();
    statistics.keep(NOW).unwrap();
    let begun = statistics.figures(Span::Week, NOW).unwrap().live;
    assert_eq!(begun.len(), 2, "from when they are live, also without any query: {begun:?}");
    for at in [NOW, NOW + MINUTE] {
        book().note(&sample(&name), at);
        statistics.keep(at).unwrap();
    }
    let live = || -> Vec<(String, u64, bool)> {
        let figures = statistics.figures(Span::Week, NOW + MINUTE).unwrap();
        figures.live.into_iter().map(|it| (it.name, it.count, it.last.is_some())).collect()
    };
    let known = [("b.example.".to_owned(), 2, true), ("a.example.".to_owned(), 0, false)];
    assert_eq!(live(), known, "also those nobody asks for, and only those that were requested");
    // Whoever has the name next begins at 0.
    store.tamper("UPDATE live_record SET state = 'quarantined' WHERE name = 'b.example.'");
    book().note(&sample(&name), NOW + MINUTE);
    statistics.keep(NOW + MINUTE).unwrap();
    assert_eq!(live(), known[1..]);
}

#[test]
fn the_names_of_the_last_minute_of_a_day_are_kept() {
    let (_directory, store, statistics) = opened();
    let name: Name = "late.example.".parse().unwrap();
    lock(&statistics.0.book).note(&sample(&name), NOW);
    lock(&statistics.0.book).note(&sample(&name), NOW + DAY);
    statistics.keep(NOW + DAY).unwrap();
    let counted = |day: i64| -> usize {
        let names = store.read::<_, StoreError>(|it| it.top_names((day, day + DAY - 1), true, 9));
        names.unwrap().len()
    };
    let today = time::Scale::Day.begin(NOW);
    assert_eq!((counted(today), counted(today + DAY)), (1, 1));
}

/// A server of one zone with a host and a wildcard; the address it listens on.
fn server() -> (crate::serve::Running, SocketAddr) {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    let mut add = |owner: &str, rtype: Rtype, rdata: &[u8]| {
        let (owner, rdata) = (owner.parse().unwrap(), rdata.into());
        builder.push(Record { owner, rtype, class: Class::IN, ttl: 60, rdata }.as_ref());
    };
    let ns = b"\x02ns\x07example\0";
    add("example.", Rtype::SOA, &[ns.as_slice(), ns, &[0; 20]].concat());
    add("example.", Rtype::NS, ns);
    for host in ["ns.example.", "www.example.", "*.any.example."] {
        add(host, Rtype::A, &[192, 0, 2, 1]);
    }
    let zones = ZoneSet::new().with(builder.finish().0.unwrap());
    let options = crate::serve::Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        udp_workers: 1,
        stream_workers: 1,
        rate_limit: None,
        samples: true,
        ..crate::serve::Options::default()
    };
    let running = crate::serve::start(options, Arc::new(ArcSwap::from_pointee(zones))).unwrap();
    let address = running.addresses()[0].address;
    (running, address)
}

/// Asks for a name over UDP or TCP, and waits for the response.
fn ask(server: SocketAddr, name: &str, rtype: Rtype, over_tcp: bool) {
    let name: Name = name.parse().unwrap();
    let head = b"\0\x01\0\0\0\x01\0\0\0\0\0\0";
    let query = [head, name.wire(), &rtype.0.to_be_bytes(), &[0, 1]].concat();
    if over_tcp {
        let mut stream = std::net::TcpStream::connect(server).unwrap();
        let length = u16::try_from(query.len()).unwrap().to_be_bytes();
        stream.write_all(&[length.as_slice(), &query].concat()).unwrap();
        stream.read_exact(&mut [0; 14]).unwrap();
        return;
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.send_to(&query, server).unwrap();
    assert!(socket.recv(&mut [0; 512]).unwrap() > 12);
}

#[test]
fn figures_are_the_queries_that_were_really_sent() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (running, address) = server();
    let statistics = Statistics::new(store, running.tap());
    for at in 0..30 {
        ask(address, "WWW.Example.", Rtype::A, at % 10 == 0);
    }
    for name in ["nothing.example.", "nothing.example.", "gone.example.", "x.any.example."] {
        ask(address, name, Rtype::AAAA, false);
    }
    ask(address, "www.elsewhere.test.", Rtype::A, false);
    // A worker hands its sample over after the response went out.
    let figures = (0..200).find_map(|_| {
        statistics.keep(NOW).unwrap();
        let figures = statistics.figures(Span::Hour, NOW).unwrap();
        let noted: u64 = figures.zones.iter().map(|it| it.count).sum();
        if noted == 35 {
            return Some(figures);
        }
        std::thread::sleep(Duration::from_millis(20));
        None
    });
    let figures = figures.expect("all of the sample within four seconds");
    let counts = |labels: &[LabelCount]| -> Vec<(String, u64)> {
        labels.iter().map(|it| (it.label.clone(), it.count)).collect()
    };
    let label = |label: &str, count: u64| (label.to_owned(), count);
    assert_eq!((figures.total, figures.sampled_one_in), (35, 1));
    assert_eq!(counts(&figures.transports), [label("UDP", 32), label("TCP", 3)]);
    assert_eq!(counts(&figures.types), [label("A", 31), label("AAAA", 4)]);
    assert_eq!(
        counts(&figures.rcodes),
        [label("NOERROR", 31), label("NXDOMAIN", 3), label("REFUSED", 1)]
    );
    assert_eq!(counts(&figures.zones), [label("example.", 34), label("", 1)]);
    let names = |names: &[NameQueries]| -> Vec<(String, u64)> {
        names.iter().map(|it| (it.name.clone(), it.count)).collect()
    };
    assert_eq!(names(&figures.names), [label("www.example.", 30), label("x.any.example.", 1)]);
    assert_eq!(names(&figures.missing), [label("nothing.example.", 2), label("gone.example.", 1)]);
    let text = serde_json::to_string(&figures).unwrap();
    assert!(!text.contains("127.0.0.1"), "nothing of who asked: {text}");
    // Once the server has stopped, there is nothing new, and no failure.
    running.stop();
    assert_eq!(statistics.figures(Span::Hour, NOW).unwrap(), figures);
}
