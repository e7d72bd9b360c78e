//! The log from a worker's note to the file.

use super::*;
use crate::answer::{Facts, Transport};
use crate::wire::{Class, Rtype};

fn options(folder: &tempfile::TempDir) -> QueryLogOptions {
    QueryLogOptions {
        file: folder.path().join("log/query.jsonl"),
        rotate_octets: 1 << 20,
        total_octets: 8 << 20,
        keep_days: 30,
        client: ClientDetail::Address,
        filter: Filter::default(),
    }
}

/// Notes `count` queries for `name` through a log of these options; returns the lines of the file.
fn run(options: &QueryLogOptions, name: &str, count: u64) -> Vec<serde_json::Value> {
    let log = QueryLog::start(options.clone()).unwrap();
    let mut lane = log.join();
    note(&mut lane, name, count);
    drop(lane);
    drop(log);
    let text = std::fs::read_to_string(&options.file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Notes `count` queries for `name`, ten milliseconds apart.
fn note(lane: &mut LaneWriter, name: &str, count: u64) {
    let name: Name = name.parse().unwrap();
    let facts = Facts {
        qtype: Rtype(65280),
        qclass: Class::IN,
        query_flags: 0x0110,
        edns_size: Some(1232),
        serial: Some(2_026_112_401),
        rcode: Rcode::NXDOMAIN,
        authoritative: true,
        ..Facts::default()
    };
    for index in 0..count {
        let entry = Entry {
            microseconds: 1_795_491_941_000_000 + index * 10_000,
            client: "2001:db8::53".parse().unwrap(),
            port: 5353,
            transport: Transport::Tls,
            qname: Some(name.as_ref()),
            facts: &facts,
            octets: 101,
            limited: false,
            took: 4,
        };
        if lane.samples() {
            lane.note(&entry);
        }
        lane.hand_over();
    }
}

#[test]
fn a_line_holds_all_facts() {
    let folder = tempfile::tempdir().unwrap();
    let lines = run(&options(&folder), "www.Example.", 1);
    let expected = serde_json::json!({
        "time": "2026-11-24T03:45:41.000000Z", "client": "2001:db8::53", "port": 5353,
        "transport": "tls", "qname": "www.Example.", "qtype": "TYPE65280", "class": "IN",
        "flags": "rd cd", "edns": 1232, "do": false, "rcode": "NXDOMAIN",
        "aa": true, "tc": false, "size": 101, "serial": 2_026_112_401u32, "us": 4,
    });
    assert_eq!(lines, [expected]);
}

#[test]
fn samples_rates_and_filters_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    for (filter, expected) in [
        (Filter::default(), 250),
        (Filter { sample: 10, ..Filter::default() }, 25),
        (Filter { per_second: 7, ..Filter::default() }, 21),
        (Filter { rcodes: vec![Rcode::SERVFAIL], ..Filter::default() }, 0),
        (Filter { zones: vec!["EXAMPLE.".parse().unwrap()], ..Filter::default() }, 250),
        (Filter { zones: vec!["ample.".parse().unwrap()], ..Filter::default() }, 0),
        (Filter { clients: vec!["192.0.2.0/24".parse().unwrap()], ..Filter::default() }, 0),
    ] {
        options.filter = filter.clone();
        let _ = std::fs::remove_file(&options.file);
        assert_eq!(run(&options, "www.example.", 250).len(), expected, "{filter:?}");
    }
}

#[test]
fn files_rotate_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    (options.rotate_octets, options.total_octets) = (10_000, 35_000);
    for _ in 0..30 {
        run(&options, "www.example.", 20);
    }
    let files: Vec<_> = std::fs::read_dir(options.file.parent().unwrap()).unwrap().collect();
    let total: u64 = files.iter().map(|f| f.as_ref().unwrap().metadata().unwrap().len()).sum();
    assert!((2..=5).contains(&files.len()), "{} files", files.len());
    assert!(total <= options.total_octets, "{total}");
}

#[test]
fn a_moved_file_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let log = QueryLog::start(options.clone()).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 3);
    wait_for(|| log.counts().0 == 3);
    std::fs::rename(&options.file, folder.path().join("moved")).unwrap();
    log.reopen();
    wait_for(|| options.file.exists());
    note(&mut lane, "b.", 2);
    wait_for(|| log.counts().0 == 5);
    assert_eq!(std::fs::read_to_string(&options.file).unwrap().lines().count(), 2);
}

#[test]
fn a_dead_disk_drops_and_counts_and_never_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    options.file = "/dev/full".into();
    let log = QueryLog::start(options).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 1000);
    wait_for(|| log.counts() == (0, 1000));
}

/// Waits two seconds at most.
#[track_caller]
fn wait_for(done: impl Fn() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within two seconds");
}
