//! dnstap from a worker's note to a reader.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::frames::{Control, expect};
use super::*;
use crate::answer::{Facts, Transport};
use crate::wire::{Name, Opcode};

fn options(target: Target) -> DnstapOptions {
    DnstapOptions {
        target,
        keep: Keep { rotate_octets: 1 << 20, total_octets: 8 << 20, days: 30 },
        identity: "ns1".to_owned(),
        queries: true,
        responses: true,
        client: ClientDetail::Address,
        filter: Filter::default(),
    }
}

/// Notes `count` queries, a second apart, and hands each over.
fn note(lane: &mut DnstapLane, count: u64, query: &[u8], response: &[u8]) {
    let name: Name = "www.example.".parse().unwrap();
    let facts = Facts { opcode: Opcode::QUERY, apex_octets: 9, ..Facts::default() };
    for index in 0..count {
        let entry = Entry {
            microseconds: 1_795_491_941_000_007 + index * 1_000_000,
            client: "192.0.2.77".parse().unwrap(),
            port: 5353,
            local: Some("198.51.100.1:53".parse().unwrap()),
            id: 7,
            transport: Transport::Tls,
            qname: Some(name.as_ref()),
            key: None,
            tsig_error: 0,
            messages: 0,
            counts: None,
            facts: &facts,
            octets: response.len(),
            limited: false,
            took: 5,
        };
        if lane.samples() {
            lane.note(&entry, query, response);
        }
        lane.hand_over();
    }
}

/// The data frames of a whole stream, which begins and ends as it should.
fn frames_of(mut stream: &[u8]) -> Vec<Vec<u8>> {
    expect(&mut stream, Control::Start).expect("a start");
    let mut frames = Vec::new();
    loop {
        let (length, rest) = stream.split_first_chunk::<4>().expect("a length");
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 {
            expect(&mut stream, Control::Stop).expect("a stop");
            assert!(stream.is_empty(), "nothing follows the stop");
            return frames;
        }
        let (frame, rest) = rest.split_at(length);
        frames.push(frame.to_vec());
        stream = rest;
    }
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Files put aside and the one written, by name.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_message_is_encoded_field_by_field_as_the_schema_has_it() {
    let record = Record {
        microseconds: 1_000_002,
        took: 3,
        client: "192.0.2.77:300".parse().unwrap(),
        local: None,
        transport: Transport::Udp as u8,
        is_update: false,
        zone: b"\x02id\0",
        query: b"Q",
        response: b"RR",
    };
    let mut maker = Maker::new(&options(Target::File("x".into())));
    let mut made = Vec::new();
    maker.make(&record, |frame| made.push(frame.to_vec()));
    let version = concat!("gapura ", env!("CARGO_PKG_VERSION"));
    let whole = |inner: &[u8]| {
        [
            &b"\x0a\x03ns1\x12"[..],
            &[version.len() as u8],
            version.as_bytes(),
            &[0x72, inner.len() as u8],
            inner,
            b"\x78\x01",
        ]
        .concat()
    };
    // Type, family, protocol, address, port 300, time and its 2,000 ns, message, zone.
    let query =
        b"\x08\x01\x10\x01\x18\x01\x22\x04\xc0\0\x02\x4d\x30\xac\x02\x40\x01\x4d\xd0\x07\0\0\
                  \x52\x01Q\x5a\x04\x02id\0";
    let response =
        b"\x08\x02\x10\x01\x18\x01\x22\x04\xc0\0\x02\x4d\x30\xac\x02\x40\x01\x4d\xd0\x07\0\0\
                     \x5a\x04\x02id\0\x60\x01\x6d\x88\x13\0\0\x72\x02RR";
    assert_eq!(made, [whole(query), whole(response)]);
}

#[test]
fn a_file_is_one_whole_stream_and_an_old_one_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.dnstap");
    for round in 1..=2 {
        let log = Dnstap::start(options(Target::File(file.clone()))).unwrap();
        let mut lane = log.join();
        until("it is open", || file.exists() && files_of(folder.path()).len() == round);
        note(&mut lane, 3, b"query", b"response");
        drop(lane);
        until("all are written", || log.counts() == (6, 0));
        drop(log);
        assert_eq!(frames_of(&std::fs::read(&file).unwrap()).len(), 6);
    }
    let files = files_of(folder.path());
    assert_eq!(frames_of(&std::fs::read(&files[1]).unwrap()).len(), 6, "{files:?}");
}

#[test]
fn files_rotate_by_size_each_of_them_whole_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.dnstap");
    let mut options = options(Target::File(file.clone()));
    (options.keep.rotate_octets, options.keep.total_octets) = (4_000, 20_000);
    let log = Dnstap::start(options).unwrap();
    let mut lane = log.join();
    until("it is open", || file.exists());
    for round in 1..=20 {
        note(&mut lane, 10, &[b'q'; 100], &[b'r'; 200]);
        until("all are written", || log.counts() == (round * 20, 0));
    }
    drop((lane, log));
    let files = files_of(folder.path());
    assert!((2..=6).contains(&files.len()), "{files:?}");
    for file in files {
        frames_of(&std::fs::read(file).unwrap());
    }
}

#[test]
fn a_filter_and_the_choice_of_messages_hold() {
    let folder = tempfile::tempdir().unwrap();
    for (at, (change, expected)) in [
        ((|_: &mut DnstapOptions| {}) as fn(&mut DnstapOptions), 8),
        (|it| it.responses = false, 4),
        (|it| it.queries = false, 4),
        (|it| it.filter.sample = 2, 4),
        (|it| it.filter.rcodes = vec![crate::wire::Rcode::SERVFAIL], 0),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{at}.dnstap"));
        let mut options = options(Target::File(file.clone()));
        change(&mut options);
        let log = Dnstap::start(options).unwrap();
        let mut lane = log.join();
        note(&mut lane, 4, b"query", b"response");
        drop((lane, log));
        assert_eq!(frames_of(&std::fs::read(&file).unwrap()).len(), expected, "{at}");
    }
}

/// A reader on a socket that greets.
fn accepted(listener: &UnixListener) -> UnixStream {
    let (mut stream, _) = listener.accept().unwrap();
    expect(&mut stream, Control::Ready).unwrap();
    stream.write_all(&Control::Accept.frame()).unwrap();
    stream
}

#[test]
fn a_reader_is_greeted_sent_frames_and_told_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.sock");
    let log = Dnstap::start(options(Target::Socket(path.clone()))).unwrap();
    until("it says that nobody reads", || log.fault().is_some_and(|it| it.contains("no reader")));
    let listener = UnixListener::bind(&path).unwrap();
    let mut lane = log.join();
    note(&mut lane, 1, b"early", b"lost");
    until("what nobody reads is lost", || log.counts() == (0, 2));
    let mut first = accepted(&listener);
    until("it is open", || log.fault().is_none());
    note(&mut lane, 2, b"query", b"response");
    until("they are sent", || log.counts() == (4, 2));
    // Another reader takes over: what was under way may be lost, the rest comes.
    let mut got = vec![0; 30];
    first.read_exact(&mut got).unwrap();
    drop((first, listener));
    std::fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    until("it notices", || {
        note(&mut lane, 1, b"query", b"response");
        log.fault().is_some()
    });
    let mut second = accepted(&listener);
    until("it is open", || log.fault().is_none());
    let before = log.counts().0;
    note(&mut lane, 5, b"query", b"response");
    until("they are sent", || log.counts().0 == before + 10);
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        let mut chunk = [0; 4096];
        // Until the stop; then it is told that all is there.
        while !got.ends_with(&Control::Stop.frame()) {
            let octets = second.read(&mut chunk).unwrap();
            assert!(octets > 0, "closed without an end");
            got.extend_from_slice(&chunk[..octets]);
        }
        second.write_all(&Control::Finish.frame()).unwrap();
        got
    });
    drop((lane, log));
    // And what was noted while it was on its way.
    assert!(frames_of(&reader.join().unwrap()).len() >= 10);
}

#[test]
fn a_reader_that_hangs_costs_entries_and_never_a_worker_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tap.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let log = Dnstap::start(options(Target::Socket(path))).unwrap();
    let _hangs = accepted(&listener);
    until("it is open", || log.fault().is_none());
    let mut lane = log.join();
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    while log.counts().1 == 0 {
        let before = Instant::now();
        note(&mut lane, 1, &[0; 60_000], &[0; 60_000]);
        longest = longest.max(before.elapsed());
        assert!(start.elapsed() < Duration::from_secs(60), "nothing was ever lost");
    }
    assert!(longest < Duration::from_secs(5), "a worker waited {longest:?}");
}
