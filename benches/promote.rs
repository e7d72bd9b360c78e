//! The queue under load, through the public interfaces: promotions per second, and lists of 10,000
//! requests.
//!
//! `cargo bench --bench promote [-- PROMOTIONS REQUESTS]` (default: 2,000 and 10,000). Each promotion is the
//! complete one of docs/procedure.md, Promotion: candidate, checkpoint, "before", one transaction with fsync,
//! swap, read-back over UDP and TCP on 127.0.0.1, proof. Prints the machine's cores and load, so that figures
//! can be compared.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gapura::desk::{Clock, Desk, ListFilter, Options, Submitter, Viewer};
use gapura::publish::{Publisher, ZoneSource};
use gapura::queue::{
    Act, Actor, Application, Identity, LineInput, LineVerdict, State, Targets, targets,
};
use gapura::serve;
use gapura::store::Store;
use gapura::store::people::PersonRow;

/// A PDF without a page.
const LETTER: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
/// The zone.
const APEX: &str = "cirebonkab.go.id.";
/// Its file.
const ZONE: &str = "$ORIGIN cirebonkab.go.id.\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n\
    @ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\nwww A 192.0.2.10\n";

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let promotions = numbers.first().copied().unwrap_or(2_000);
    let requests = numbers.get(1).copied().unwrap_or(10_000);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    let office = Office::new();
    office.promote_many(promotions);
    office.list_many(requests);
}

/// An office with a server of its own.
struct Office {
    /// The desk.
    desk: Desk,
    /// The publisher.
    publisher: Publisher,
    /// The officers.
    kabid: Actor,
    /// Who checks.
    kasi: Actor,
    /// Dropped last.
    _house: tempfile::TempDir,
}

impl Office {
    /// Opens it in a directory of its own.
    fn new() -> Self {
        let house = tempfile::tempdir().unwrap();
        let state = house.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::fs::write(house.path().join("zone"), ZONE).unwrap();
        let store = Store::open(&state).unwrap();
        let source = ZoneSource::new(APEX.parse().unwrap(), house.path().join("zone"));
        let options = gapura::publish::Options::new(&state);
        let (publisher, _) = Publisher::open(store.clone(), vec![source], options).unwrap();
        let listen = vec!["127.0.0.1:0".parse().unwrap()];
        let options = serve::Options { listen, rate_limit: None, ..serve::Options::default() };
        let running = serve::start(options, publisher.shared()).unwrap();
        let clock: Clock = Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            i64::try_from(since.as_millis()).unwrap()
        });
        let mut options = Options::new(state, clock);
        options.probe = false;
        options.targets =
            Targets { allow: targets::prefixes("192.0.2.0/24").unwrap(), ..Targets::default() };
        let desk = Desk::open(store.clone(), publisher.clone(), options).unwrap();
        publisher.sockets().set(vec![running.addresses()[0].address]);
        desk.listening().unwrap();
        // The sockets live as long as the process.
        std::mem::forget(running);
        let hire = |name: &str, role: &str| {
            let row = person(name, role);
            store.write::<_, gapura::store::StoreError>(|tx| tx.put_person(&row)).unwrap();
            desk.actor(name).unwrap().unwrap()
        };
        let (kabid, kasi) = (hire("kabid", "kabid"), hire("kasi", "kasi"));
        Self { kabid, kasi, publisher, desk, _house: house }
    }

    /// Sends a request in and brings it to the verifier.
    fn assigned(&self, name: &str) -> String {
        let identity = Identity::new(None, None, Some("desa@example.id"));
        let by = Submitter {
            actor: Actor::applicant("Sutrisno", identity, None),
            mailbox_proven: true,
            proof_of: None,
            network: None,
            letter_on_paper: false,
        };
        let letter = gapura::uploads::inspect(LETTER).unwrap();
        let sent = self.desk.submit(application(name), Some(letter), &by).unwrap();
        let act = Act::Dispose { to: "kasi".to_owned(), instruction: "Periksa".to_owned() };
        self.desk.act(&sent.number, &act, &self.kabid).unwrap();
        sent.number
    }

    /// The approval of what is shown now.
    fn approval(&self, number: &str) -> Act {
        let view = self.desk.view(number, &Viewer::Officer(self.kasi.clone())).unwrap();
        let open =
            view.lines.iter().filter(|l| !l.automatic || l.verdict == Some(LineVerdict::Fix));
        let lines = open.map(|line| LineInput {
            code: line.code,
            verdict: Some(LineVerdict::Ok),
            note: line.automatic.then(|| "sudah diperiksa".to_owned()),
        });
        let candidate = view.candidate.unwrap().hash;
        Act::Approve { revision: 1, candidate, serial: None, lines: lines.collect() }
    }

    /// Approves and promotes one request after the other.
    fn promote_many(&self, count: usize) {
        let ready: Vec<(String, Act)> = (0..count)
            .map(|index| {
                let number = self.assigned(&unlike_name(index));
                let act = self.approval(&number);
                (number, act)
            })
            .collect();
        let apex = APEX.parse().unwrap();
        let mut serial = self.publisher.zone(&apex).unwrap().serial();
        let mut times = Vec::with_capacity(count);
        let began = Instant::now();
        for (number, act) in &ready {
            let at = Instant::now();
            let view = self.desk.act(number, act, &self.kasi).unwrap();
            times.push(at.elapsed());
            assert_eq!(view.state, State::Live, "{:?}", view.reason);
            let next = self.publisher.zone(&apex).unwrap().serial();
            assert_eq!(next, serial + 1, "every serial in order");
            serial = next;
        }
        let all = began.elapsed();
        times.sort_unstable();
        println!(
            "{count} promotions in {:.1} s: {:.0} a second; one: p50 {:.2} ms, p99 {:.2} ms; \
             serials in order",
            all.as_secs_f64(),
            count as f64 / all.as_secs_f64(),
            ms(times[count / 2]),
            ms(times[count * 99 / 100]),
        );
    }

    /// Lists, counts and one request, with many in the queue.
    fn list_many(&self, count: usize) {
        let began = Instant::now();
        let numbers: Vec<String> =
            (0..count).map(|index| self.assigned(&format!("antre-{index:05}"))).collect();
        let seconds = began.elapsed().as_secs_f64();
        println!("{count} requests sent in and routed: {:.0} a second", count as f64 / seconds);
        let time = |what: &str, work: &dyn Fn()| {
            let mut times: Vec<Duration> = (0..50)
                .map(|_| {
                    let at = Instant::now();
                    work();
                    at.elapsed()
                })
                .collect();
            times.sort_unstable();
            println!("{what}: p50 {:.2} ms, worst of 50 {:.2} ms", ms(times[25]), ms(times[49]));
        };
        let list = |filter: ListFilter| self.desk.list(&filter, &self.kasi).unwrap();
        time("first page of all", &|| drop(list(ListFilter::default())));
        let mine = || ListFilter { holder: Some("kasi".to_owned()), ..ListFilter::default() };
        time("first page of mine", &|| drop(list(mine())));
        let state = || ListFilter { states: vec![State::Assigned], ..ListFilter::default() };
        time("first page of a state", &|| drop(list(state())));
        let text = || ListFilter { text: Some("antre-09999".to_owned()), ..ListFilter::default() };
        time("a search that finds one", &|| drop(list(text())));
        let late = || ListFilter { late: true, limit: 200, ..ListFilter::default() };
        time("200 late ones", &|| drop(list(late())));
        time("the four counts", &|| drop(self.desk.counts(&self.kasi)));
        let officer = Viewer::Officer(self.kasi.clone());
        let middle = &numbers[count / 2];
        time("one request with sheet and candidate", &|| {
            drop(self.desk.view(middle, &officer).unwrap());
        });
    }
}

/// A name of its own, which looks like no other: a name that is alike would want a tick.
fn unlike_name(index: usize) -> String {
    let mut number = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let letter = || {
        let letter = char::from(b'a' + (number % 26) as u8);
        number /= 26;
        letter
    };
    std::iter::repeat_with(letter).take(12).collect()
}

/// Milliseconds.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// An account.
fn person(name: &str, role: &str) -> PersonRow {
    PersonRow {
        id: name.to_owned(),
        name: name.to_owned(),
        full_name: name.to_owned(),
        title: String::new(),
        rank: None,
        role: role.parse().unwrap(),
        email: format!("{name}@cirebonkab.go.id"),
        nip: None,
        disabled_ms: None,
        password: None,
        totp_secret: None,
        totp_step: 0,
        created_ms: 0,
        former: None,
    }
}

/// A request.
fn application(name: &str) -> Application {
    serde_json::from_value(serde_json::json!({
        "kind": "new", "class": "layanan", "name": name, "zone": APEX,
        "records": [ { "type": "A", "data": "192.0.2.110", "ttl": 3600 } ],
        "office": format!("Dinas {name}"), "purpose": "Layanan",
        "contact": { "name": "Sutrisno", "position": "Sekretaris",
                     "email": "desa@example.id", "phone": "0231-1" },
        "letter": { "number": "140/12", "date": "2026-11-23" }, "starts": null, "ends": null
    }))
    .unwrap()
}
