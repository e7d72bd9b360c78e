//! An office at work while nodes are killed and the database is restarted: nothing that was acknowledged is lost or
//! done twice, and no node that lives leaves a query unanswered.
//!
//! `GAPURA_KILLS`, `GAPURA_RESTARTS` and `GAPURA_OFFICERS` say how much of it there is, for a longer run than that of
//! every day.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gapura::dns_client::{Transport, exchange};
use hickory_proto::op::Message;
use hickory_proto::rr::{RData, RecordType};
use serde_json::{Value, json};

use super::site::{Node, Site};
use super::{answer, approval, request};
use crate::support::http::{Response, form};
use crate::support::office::{LETTER, act, add_person, token_text};
use crate::support::{Daemon, kill, printed, query, run_in, until};

/// How long a call is tried before it is given up.
const TRIED: Duration = Duration::from_secs(120);
/// How long an answer to a query is waited for: a machine under load is slow.
const ANSWERED: Duration = Duration::from_secs(10);

/// A number of this run.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What goes on around the officers.
struct World<'a> {
    /// The nodes.
    nodes: &'a [Node; 2],
    /// How often each node was started or killed; even while it runs.
    lives: [AtomicU64; 2],
    /// Whether the day is over.
    over: AtomicBool,
    /// Names whose approval was acknowledged.
    live: Mutex<BTreeSet<String>>,
    /// Calls that had no answer or were told to wait.
    again: AtomicU64,
    /// Queries that were answered.
    answered: AtomicU64,
}

//------------ Officers ------------------------------------------------------

/// Three persons, as the procedure wants them.
struct Officer {
    /// A number.
    at: usize,
    /// The token of who sends requests in.
    loket: String,
    /// The head's.
    kabid: String,
    /// The verifier's name and token.
    kasi: (String, String),
}

impl World<'_> {
    /// Works until the day is over.
    fn work(&self, officer: &Officer) {
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("layanan-{}-{turn}", officer.at);
            if self.bring_live(officer, &name, turn).is_some() {
                self.live.lock().unwrap().insert(name);
            }
        }
    }

    /// Brings one name live; none if something was not acknowledged until the end.
    fn bring_live(&self, officer: &Officer, name: &str, turn: usize) -> Option<()> {
        let key = |step: &str| format!("Idempotency-Key: {name}-{step}-kunci\r\n");
        let (kind, body) = form(&request(name), LETTER);
        let first = officer.at + turn;
        let sent = self.insist(
            first,
            &officer.loket,
            "POST",
            "/api/v1/requests",
            &(kind + &key("kirim")),
            &body,
        )?;
        let number = sent["number"].as_str()?.to_owned();
        let to = json!({ "to": officer.kasi.0, "instruction": "Periksa." }).to_string();
        let json = "Content-Type: application/json\r\n";
        let dispose = json.to_owned() + &key("disposisi");
        self.insist(
            first + 1,
            &officer.kabid,
            "POST",
            &act(&number, "dispose"),
            &dispose,
            to.as_bytes(),
        )?;
        for attempt in 0.. {
            let path = format!("/api/v1/requests/{number}");
            let read = self.insist(first + attempt, &officer.kasi.1, "GET", &path, "", &[])?;
            if read["state"] == "live" {
                return Some(());
            }
            let body = approval(&read).to_string();
            let approve = json.to_owned() + &key(&format!("setuju-{attempt}"));
            let path = act(&number, "approve");
            let done = self.insist(
                first + attempt,
                &officer.kasi.1,
                "POST",
                &path,
                &approve,
                body.as_bytes(),
            );
            if done.is_some_and(|done| done["state"] == "live") {
                return Some(());
            }
            if self.over.load(Ordering::Relaxed) {
                return None;
            }
        }
        None
    }

    /// One call, by way of one node after the other until it is answered; none if it is refused.
    fn insist(
        &self,
        first: usize,
        token: &str,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Option<Value> {
        let begun = Instant::now();
        let bearer = format!("Bearer {token}");
        for at in first.. {
            let node = &self.nodes[at % 2];
            let caller = node.caller(&[("Authorization", &bearer)]);
            let answer: Option<Response> = caller.try_send(method, path, kind, body).ok();
            let told = answer.map(|it| (it.status, serde_json::from_slice::<Value>(&it.body)));
            match told {
                Some((200..=299, Ok(json))) => return Some(json),
                Some((400..=499, Ok(json))) => {
                    // What was read has changed since, for others act too: it is read anew.
                    assert!(matches!(json["status"].as_u64(), Some(409 | 412)), "{path}: {json}");
                    return None;
                }
                _ => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                    assert!(begun.elapsed() < TRIED, "{path} is not answered: {told:?}");
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
        None
    }
}

//------------ Resolvers -----------------------------------------------------

/// The serial that a node answers; none without an answer.
fn serial(dns: SocketAddr) -> Option<u32> {
    let query = query("cirebonkab.go.id.", RecordType::SOA);
    let reply = exchange(dns, &query, Transport::Udp, ANSWERED).ok()?;
    let message = Message::from_vec(&reply).ok()?;
    message.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    })
}

impl World<'_> {
    /// Asks a node again and again: it answers as long as it runs, and never with a serial before one it answered.
    fn ask(&self, at: usize) {
        let (node, life) = (&self.nodes[at], &self.lives[at]);
        let mut last = 0;
        while !self.over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
            let before = life.load(Ordering::SeqCst);
            if before % 2 != 0 {
                continue;
            }
            match serial(node.dns) {
                Some(serial) => {
                    assert!(serial >= last, "node {at} answered {serial} after {last}");
                    last = serial;
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                None => assert_ne!(life.load(Ordering::SeqCst), before, "node {at} did not answer"),
            }
        }
    }
}

//------------ What befalls them ---------------------------------------------

/// Random numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    /// One below `most`.
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Kills a node, and starts it again after a while.
fn kill_one(world: &World<'_>, daemons: &mut [Option<Daemon>; 2], dice: &mut Dice) {
    let at = usize::try_from(dice.below(2)).unwrap();
    let daemon = daemons[at].take().unwrap();
    world.lives[at].fetch_add(1, Ordering::SeqCst);
    kill(daemon.pid(), "KILL");
    drop(daemon);
    std::thread::sleep(Duration::from_millis(dice.below(3_000)));
    daemons[at] = Some(world.nodes[at].start());
    world.lives[at].fetch_add(1, Ordering::SeqCst);
}

#[test]
fn nothing_acknowledged_is_lost_or_done_twice_while_nodes_are_killed_and_the_database_restarts() {
    // With its disk: what it acknowledged outlives a crash.
    let Some(site) = Site::lay_out(&[]) else { return };
    let (kills, restarts) = (number("GAPURA_KILLS", 6), number("GAPURA_RESTARTS", 1));
    let [first, second] = site.start();
    let officers: Vec<Officer> = (0..number("GAPURA_OFFICERS", 10))
        .map(|at| {
            let hire = |name: String, role: &str| {
                add_person(&first, &name, role, &format!("{name}@cirebonkab.go.id"));
                let token = token_text(&first, &name, "read,submit,decide");
                (name, token)
            };
            let (_, loket) = hire(format!("loket-{at}"), "kabid");
            let (_, kabid) = hire(format!("kabid-{at}"), "kabid");
            let kasi = hire(format!("kasi-{at}"), "kasi");
            Officer { at: usize::try_from(at).unwrap(), loket, kabid, kasi }
        })
        .collect();
    let mut daemons = [Some(first), Some(second)];
    let Site { mut cluster, nodes, shared: _shared } = site;
    let world = World {
        nodes: &nodes,
        lives: [AtomicU64::new(0), AtomicU64::new(0)],
        over: AtomicBool::new(false),
        live: Mutex::default(),
        again: AtomicU64::new(0),
        answered: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        let world = &world;
        officers.iter().for_each(|officer| drop(scope.spawn(move || world.work(officer))));
        [0, 1].into_iter().for_each(|at| drop(scope.spawn(move || world.ask(at))));
        let mut dice = Dice(20_261_127);
        for turn in 0..kills.max(restarts) {
            std::thread::sleep(Duration::from_millis(2_000 + dice.below(4_000)));
            if turn < kills {
                kill_one(world, &mut daemons, &mut dice);
            }
            if restarts > 0 && turn.is_multiple_of(kills.max(restarts).div_ceil(restarts)) {
                cluster.kill();
                std::thread::sleep(Duration::from_millis(dice.below(2_000)));
                cluster.begin();
            }
        }
        until("a node publishes", || nodes.iter().all(Node::is_ready));
        std::thread::sleep(Duration::from_secs(2));
        world.over.store(true, Ordering::Relaxed);
    });
    let live = world.live.into_inner().unwrap();
    println!(
        "{kills} kills, {restarts} restarts of the database: {} approvals acknowledged, {} calls repeated, {} queries answered",
        live.len(),
        world.again.into_inner(),
        world.answered.into_inner()
    );
    assert!(!live.is_empty());
    for name in &live {
        until(name, || nodes.iter().all(|node| answer(node, name) == ["192.0.2.9"]));
    }
    let listed =
        live.iter().map(|name| format!("'{name}.cirebonkab.go.id.'")).collect::<Vec<_>>().join(",");
    let count = |sql: &str| cluster.sql(sql);
    let once = format!(
        "SELECT count(*) FROM gapura.live_record WHERE state = 'live' AND name IN ({listed})"
    );
    assert_eq!(count(&once), live.len().to_string(), "each is live once");
    let twice = "SELECT count(*) FROM (SELECT request FROM gapura.promotion WHERE state <> 'failed' \
        GROUP BY request HAVING count(*) > 1) AS twice";
    assert_eq!(count(twice), "0", "no request was promoted twice");
    let fallen = "SELECT count(*) FROM (SELECT to_serial, lag(to_serial) OVER (PARTITION BY zone ORDER BY seq) AS before \
        FROM gapura.zone_change) AS changes WHERE to_serial <= before";
    assert_eq!(count(fallen), "0", "serials rise");
    drop(daemons);
    let verified = run_in(nodes[0].dir.path(), &["audit", "verify"]);
    assert!(verified.status.success(), "{}", printed(&verified));
}
