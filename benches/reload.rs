//! Time of a change in a zone of a million names, including the file system.
//!
//! - from outside: the bench starts the daemon, edits one line of the file, renames it into place, and
//!   queries the UDP port until the new address is served;
//! - inside: the same without the quiet period, and one promoted record from commit to served;
//! - the start of ten thousand small zones.
//!
//! `cargo bench --no-default-features --bench reload [-- NAMES]`. It prints the machine's load,
//! because the figures mean little on a busy machine.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

#[path = "common/memory.rs"]
mod memory;

use std::fmt::Write as _;
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gapura::publish::{
    By, Cause, Change, Edit, EditProposal, Options, Publisher, RowsFn, RrsetEdit, ZoneSource,
};
use gapura::store::{Store, StoreError, Tx};
use gapura::wire::{Name, Rtype};

fn main() {
    let names = std::env::args().filter_map(|text| text.parse().ok()).next().unwrap_or(1_000_000);
    let directory = std::env::temp_dir().join(format!("gapura-bench-{}", std::process::id()));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{names} names; load {}", load.trim());
    run(&directory.join("inside"), names);
    outside(&directory.join("outside"), names);
    many(&directory.join("many"), 10_000);
    fs::remove_dir_all(&directory).expect("the directory is ours");
}

/// The whole bench in a directory.
fn run(directory: &Path, names: usize) {
    fs::create_dir_all(directory.join("state")).expect("a temporary directory");
    let file = directory.join("example.zone");
    fs::write(&file, zone_text(names, 1)).expect("the zone file");
    let apex: Name = "example.".parse().expect("a name");
    let options = Options { quiet: Duration::ZERO, ..Options::new(directory.join("state")) };
    let store = Store::open(&options.state_dir).expect("the database");
    let began = Instant::now();
    let source = ZoneSource::new(apex.clone(), &file);
    let (publisher, reports) = Publisher::open(store, vec![source], options).expect("publisher");
    assert!(reports[0].is_ok(), "{}", reports[0]);
    println!(
        "first load                     {:>9.1} ms   peak {:.0} MiB",
        ms(began),
        memory::mib("VmHWM")
    );
    publisher.flush();
    println!(
        "full copy in the database, off the path          peak {:.0} MiB",
        memory::mib("VmHWM")
    );

    let mut times = Vec::new();
    for round in 2..9 {
        fs::write(&file, zone_text(names, round)).expect("the zone file");
        let began = Instant::now();
        let report = publisher.reload(Some(&apex), &By::gapura()).remove(0);
        times.push(ms(began));
        assert!(report.is_ok(), "{report}");
    }
    println!(
        "one line edited, to live       {}   peak {:.0} MiB",
        spread(times),
        memory::mib("VmHWM")
    );

    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for round in 0..200u32 {
        let edit = edit(round);
        let cause = Cause::Request { number: round.to_string() };
        let mut committing = Instant::now();
        let began = Instant::now();
        let rows = |_: &Tx<'_>, _: &Change| {
            committing = Instant::now();
            Ok::<_, StoreError>(())
        };
        publisher
            .publish(EditProposal {
                zone: &apex,
                base: None,
                edit: &edit,
                cause,
                who: "bench",
                expect: Vec::new(),
                rows: RowsFn(rows),
            })
            .expect("a promotion");
        whole.push(ms(began));
        after.push(ms(committing));
    }
    println!("one record promoted, to live   {}", spread(whole.clone()));
    println!("  of it the commit and after   {}", spread(after.clone()));
    let before: Vec<f64> = whole.iter().zip(&after).map(|(whole, after)| whole - after).collect();
    println!("  candidate, check and rows    {}", spread(before));
}

/// Edits of the daemon's own file, seen from its UDP port.
fn outside(directory: &Path, names: usize) {
    fs::create_dir_all(directory).expect("a temporary directory");
    let file = directory.join("example.zone");
    fs::write(&file, zone_text(names, 1)).expect("the zone file");
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let server = port.expect("a free port");
    let settings = format!(
        "[server]\nlisten = [\"{server}\"]\nudp_workers = 1\nstate_dir = \"{0}/state\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[[zone]]\nname = \"example.\"\nfile = \"{0}/example.zone\"\n",
        directory.display()
    );
    fs::write(directory.join("gapura.toml"), settings).expect("the settings");
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_gapura"))
        .args(["serve", "--config"])
        .arg(directory.join("gapura.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the daemon");
    let began = Instant::now();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    socket.connect(server).expect("a local address");
    wait_for(&socket, names, 1);
    println!("daemon started, to first answer {:>8.1} ms", ms(began));
    let (mut renamed, mut in_place) = (Vec::new(), Vec::new());
    for round in 2..12 {
        let text = zone_text(names, round);
        let temporary = file.with_extension("tmp");
        if round % 2 == 0 {
            fs::write(&temporary, text).expect("the zone file");
            let began = Instant::now();
            fs::rename(&temporary, &file).expect("a rename");
            wait_for(&socket, names, round);
            renamed.push(ms(began));
        } else {
            fs::write(&file, text).expect("the zone file");
            let began = Instant::now();
            wait_for(&socket, names, round);
            in_place.push(ms(began));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    println!("renamed into place, to answered {}", spread(renamed));
    println!("written in place, to answered   {}", spread(in_place));
    drop(daemon.kill());
    drop(daemon.wait());
}

/// Asks until the edited name has the address of the round.
fn wait_for(socket: &UdpSocket, names: usize, round: usize) {
    let name: Name = format!("h{}.example.", names / 2).parse().expect("a name");
    let mut query = vec![1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(name.wire());
    query.extend_from_slice(&[0, 1, 0, 1]);
    let mut answer = [0; 512];
    loop {
        let sent = socket.send(&query);
        let octets = sent.and_then(|_| socket.recv(&mut answer)).unwrap_or(0);
        // The address ends the one record behind the question.
        let record = query.len() + 16;
        if octets >= record && answer[record - 1] == round as u8 && answer[3] & 15 == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The start of many small zones: the first one, with all copies to write, and a later one.
fn many(directory: &Path, zones: usize) {
    fs::create_dir_all(directory.join("state")).expect("a temporary directory");
    let text = zone_text(5, 1);
    let sources = |n: usize| {
        let apex = format!("z{n}.example.").parse().expect("a name");
        let file = directory.join(format!("z{n}.zone"));
        if !file.exists() {
            fs::write(&file, text.replace("example.", &format!("z{n}.example."))).expect("a file");
        }
        ZoneSource::new(apex, file)
    };
    let sources: Vec<ZoneSource> = (0..zones).map(sources).collect();
    std::thread::sleep(Duration::from_millis(400));
    for what in ["first start", "later start"] {
        let options = Options::new(directory.join("state"));
        let store = Store::open(&options.state_dir).expect("the database");
        let began = Instant::now();
        let (publisher, reports) =
            Publisher::open(store, sources.clone(), options).expect("publisher");
        let fine = reports.iter().filter(|report| report.is_ok()).count();
        println!("{what} of {fine} small zones {:>8.1} ms", ms(began));
        let began = Instant::now();
        let unchanged = publisher.reload(None, &By::gapura()).len();
        println!("reload of {unchanged} unchanged zones {:>8.1} ms", ms(began));
        publisher.flush();
    }
}

/// One new name.
fn edit(round: u32) -> Edit {
    let owner = format!("promoted{round}.example.").parse().expect("a name");
    let rdatas = vec![[192, 0, 2, (round % 250) as u8].into()];
    Edit { set: vec![RrsetEdit { owner, rtype: Rtype::A, ttl: 300, rdatas }] }
}

/// A zone of so many names; one address differs with each round.
fn zone_text(names: usize, round: usize) -> String {
    let mut text = format!(
        "$ORIGIN example.\n$TTL 3600\n@ SOA ns1 hostmaster {round} 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
    );
    for n in 0..names {
        let last = if n == names / 2 { round } else { n % 250 };
        let _ = writeln!(text, "h{n} A 198.51.100.{last}");
    }
    text.push_str("; gapura: end of zone\n");
    text
}

/// Milliseconds since.
fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// Median, 99th percentile and worst.
fn spread(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    format!("median {:>8.3} ms   p99 {:>8.3}   worst {:>8.3}", at(0.5), at(0.99), at(1.0))
}
