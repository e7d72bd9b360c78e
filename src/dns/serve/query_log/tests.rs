//! The log from a worker's note to the file.

use std::time::{Duration, Instant};

use super::*;
use crate::answer::{Facts, Transport};
use crate::wire::{Class, Name, Rcode, Rtype};

fn options(folder: &tempfile::TempDir) -> QueryLogOptions {
    QueryLogOptions {
        file: folder.path().join("query.jsonl"),
        keep: Keep { rotate_octets: 1 << 20, total_octets: 8 << 20, days: 30 },
        format: LineFormat::Json,
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
        proofs: true,
        apex_octets: name.as_ref().wire().len() as u8 - 1 - name.as_ref().wire()[0],
        ..Facts::default()
    };
    for index in 0..count {
        let entry = Entry {
            microseconds: 1_795_491_941_000_000 + index * 10_000,
            client: "2001:db8::53".parse().unwrap(),
            port: 5353,
            local: Some("[2001:db8::1]:853".parse().unwrap()),
            id: 0xbeef,
            transport: Transport::Tls,
            qname: Some(name.as_ref()),
            key: None,
            tsig_error: 0,
            messages: 0,
            counts: Some([2, 1, 3]),
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
        "v": 1, "time": "2026-11-24T03:45:41.000000Z", "client": "2001:db8::53", "port": 5353,
        "server": "2001:db8::1", "server_port": 853, "transport": "tls", "id": 48_879,
        "qname": "www.Example.", "qtype": "TYPE65280", "class": "IN", "zone": "Example.",
        "flags": "rd cd", "edns": 1232, "do": false, "rcode": "NXDOMAIN",
        "aa": true, "tc": false, "dnssec": true, "answers": 2, "authority": 1, "additional": 3, "size": 101, "serial": 2_026_112_401u32, "us": 4,
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
    (options.keep.rotate_octets, options.keep.total_octets) = (10_000, 35_000);
    for _ in 0..30 {
        run(&options, "www.example.", 20);
    }
    let files: Vec<_> = std::fs::read_dir(options.file.parent().unwrap()).unwrap().collect();
    let total: u64 = files.iter().map(|f| f.as_ref().unwrap().metadata().unwrap().len()).sum();
    assert!((2..=5).contains(&files.len()), "{} files", files.len());
    assert!(total <= options.keep.total_octets, "{total}");
}

#[test]
fn a_file_holds_lines_of_one_day_and_those_too_old_go() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let old = "{\"v\":1,\"time\":\"2026-01-02T03:04:05.000000Z\"}\n";
    std::fs::write(&options.file, old).unwrap();
    for days in 1..=30 {
        let path = folder.path().join(format!("query.jsonl.202601{:02}T000000.000", 31 - days));
        let file = std::fs::File::create(path).unwrap();
        let then = std::time::SystemTime::now() - Duration::from_secs(86_400 * days + 10);
        file.set_modified(then).unwrap();
    }
    run(&options, "www.example.", 1);
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 30, "{names:?}");
    // Those of the last 28 days are left; older ones may hold lines of 30 days ago.
    assert!(names.contains(&"query.jsonl.20260103T000000.000".to_owned()), "{names:?}");
    assert!(!names.contains(&"query.jsonl.20260102T000000.000".to_owned()), "{names:?}");
    let aside = names.iter().find(|name| name.len() > 12 && !name.contains(".202601")).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join(aside)).unwrap(), old);
}

#[test]
fn a_start_with_a_clock_years_ahead_removes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let year = Duration::from_secs(86_400 * 365);
    for (day, years) in [("20260101", 8), ("20260102", 9)] {
        let path = folder.path().join(format!("query.jsonl.{day}T000000.000"));
        let file = std::fs::File::create(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - year * years).unwrap();
    }
    run(&options, "www.example.", 1);
    run(&options, "www.example.", 1);
    for day in ["20260101", "20260102"] {
        let path = folder.path().join(format!("query.jsonl.{day}T000000.000"));
        assert!(path.exists(), "{day}");
    }
}

#[test]
fn a_file_that_cannot_be_put_aside_goes_on_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    // With the date behind it the name is too long.
    options.file = folder.path().join("q".repeat(240));
    let old = "{\"v\":1,\"time\":\"2026-01-02T03:04:05.000000Z\"}\n";
    std::fs::write(&options.file, old).unwrap();
    let mut file = LogFile::new(&options);
    for _ in 0..3 {
        file.tend();
        assert_eq!(file.trouble(), None);
        assert_eq!(file.append(old.as_bytes(), 1), 1);
    }
    assert_eq!(std::fs::read_to_string(&options.file).unwrap(), old.repeat(4));
}

#[test]
fn lines_of_two_workers_are_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let log = QueryLog::start(options.clone()).unwrap();
    let (mut one, mut two) = (log.join(), log.join());
    // Both wait until the writer takes them together.
    let lanes = log.hold();
    note(&mut one, "a.", 50);
    note(&mut two, "b.", 50);
    drop((one, two));
    drop(lanes);
    drop(log);
    let text = std::fs::read_to_string(&options.file).unwrap();
    let times: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<&str> = times.iter().map(|line| line["time"].as_str().unwrap()).collect();
    assert_eq!(times.len(), 100);
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn after_a_line_that_was_cut_the_next_one_begins_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let today = time::OffsetDateTime::now_utc().date();
    let whole = format!("{{\"v\":1,\"time\":\"{today}T00:00:00.000000Z\"}}\n");
    std::fs::write(&options.file, format!("{whole}{{\"v\":1,\"ti")).unwrap();
    let log = QueryLog::start(options.clone()).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 2);
    drop((lane, log));
    let text = std::fs::read_to_string(&options.file).unwrap();
    let good = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    assert_eq!((good.count(), text.lines().count()), (3, 4), "{text}");
}

#[test]
fn a_pipe_keeps_neither_start_nor_stop_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    rustix::fs::mkfifoat(rustix::fs::CWD, &options.file, rustix::fs::Mode::from(0o600)).unwrap();
    let begun = Instant::now();
    // Nobody reads.
    let log = QueryLog::start(options.clone()).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 10);
    wait_for(|| log.counts() == (0, 10));
    log.look_for_losses();
    let losing = log.state().losing.unwrap();
    assert!(losing.contains("a pipe that nobody reads"), "{losing}");
    drop((lane, log));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    // Somebody has it open and reads nothing: it fills up.
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&options.file).unwrap();
    let log = QueryLog::start(options).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 2_000);
    wait_for(|| log.counts().0 + log.counts().1 == 2_000);
    assert!(log.counts().0 > 0 && log.counts().1 > 0, "{:?}", log.counts());
    drop((lane, log, reader));
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

#[test]
fn options_change_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder);
    let log = QueryLog::start(options.clone()).unwrap();
    let mut lane = log.join();
    note(&mut lane, "a.", 10);
    wait_for(|| log.counts().0 == 10);
    let other = folder.path().join("other");
    let filter = Filter { sample: 5, ..Filter::default() };
    let client = ClientDetail::Prefix;
    log.configure(QueryLogOptions { file: other.clone(), filter, client, ..options });
    lane.hand_over();
    note(&mut lane, "a.", 10);
    drop((lane, log));
    let text = std::fs::read_to_string(other).unwrap();
    assert_eq!((text.lines().count(), text.contains("\"port\"")), (2, false), "{text}");
    assert!(text.contains("\"client\":\"2001:db8::\""), "{text}");
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

/// Waits half a minute at most: a busy machine is slow.
#[track_caller]
fn wait_for(done: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within half a minute");
}
