//! Promotions that are cut off: kill -9 at every step, sockets that lie, disks that are full.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::dns_client;
use crate::publish::Cause;
use crate::publish::failpoint::active;
use crate::testing;
use crate::testing::FakeServer;
use crate::view::ReasonView;

/// The name of [`ask`].
const NAME: &str = "grogolkapetakan.desa.cirebonkab.go.id.";
/// Where a promotion can die, in order.
const POINTS: [&str; 9] = [
    "commit.begin",
    "commit.rows",
    "commit.end",
    "swap.before",
    "swap.after",
    "confirm.before",
    "promote.committed",
    "promote.read_back",
    "promote.settling",
];

/// The child's task that is not a place to die.
const FULL_DISK: &str = "full disk";

/// How often a request's promotion is in the journal of the zone.
fn changes(office: &Office, number: &str) -> usize {
    let history = office.publisher.history(&APEX.parse().unwrap(), 100).unwrap();
    let of_request = |cause: &Cause| matches!(cause, Cause::Request { number: n } if n == number);
    history.iter().filter(|entry| of_request(&entry.cause)).count()
}

/// Exactly once and nothing lost: live, one change, one set of events, answered, chain intact.
fn whole(office: &Office, number: &str, at: &str) {
    office.desk.tick().unwrap();
    let view = office.view(number);
    assert_eq!(view.state, State::Live, "{at}: {:?}", view.reason);
    assert_eq!(changes(office, number), 1, "{at}");
    let acts = office.acts(number);
    for act in ["approve", "promote", "promoted"] {
        assert_eq!(acts.iter().filter(|a| *a == act).count(), 1, "{at}: {acts:?}");
    }
    assert_eq!(office.dig(NAME, "A").1.len(), 1, "{at}");
    assert!(office.desk.verify(&[]).unwrap().is_good(), "{at}");
    let told = view.notices.iter().filter(|notice| notice.about == "promoted").count();
    assert_eq!(told, 1, "{at}: one notice");
}

/// Runs this test binary again, only [`child`], in this directory.
fn spawn_child(directory: &std::path::Path, point: &str) -> std::process::Child {
    testing::child("desk::tests::crash::child")
        .env("GAPURA_TEST_CRASH", format!("{}|{point}", directory.display()))
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the other half of the tests below, in a process of its own"]
fn child() {
    let Ok(task) = std::env::var("GAPURA_TEST_CRASH") else { return };
    let (directory, point) = task.split_once('|').unwrap();
    let directory = TempDir::with_prefix_in("child", directory).unwrap();
    std::fs::create_dir(directory.path().join("state")).unwrap();
    std::fs::write(directory.path().join("zone"), ZONE).unwrap();
    let office = Office::open(directory, |_| {}, "127.0.0.1:0");
    office.hire("kepala", "kabid");
    office.hire("seksi", "kasi");
    let number = office.assigned(application());
    std::fs::write(office.directory.path().join("ready"), number.as_bytes()).unwrap();
    if point == FULL_DISK {
        return on_a_full_disk(&office, &number);
    }
    if !point.is_empty() {
        active::arm(Some((point, "kill")));
    }
    office.approve(&number).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// The directory a child left behind, as a directory of a test.
fn left_behind(parent: &std::path::Path) -> TempDir {
    let entry = std::fs::read_dir(parent).unwrap().next().unwrap().unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::remove_dir(directory.path()).unwrap();
    std::fs::rename(entry.path(), directory.path()).unwrap();
    directory
}

#[test]
fn killed_at_every_step_it_is_promoted_exactly_once() {
    for point in POINTS {
        let parent = tempfile::tempdir().unwrap();
        let status = spawn_child(parent.path(), point).wait().unwrap();
        assert_eq!(status.signal(), Some(9), "{point}: {status:?}");
        let office = Office::open(left_behind(parent.path()), |_| {}, "127.0.0.1:0");
        whole(&office, "GPR-2026-00001", point);
    }
}

#[test]
fn killed_at_any_time_it_is_promoted_exactly_once_or_waits_unchanged() {
    for delay in [0, 2, 5, 9, 14, 20] {
        let parent = tempfile::tempdir().unwrap();
        let mut child = spawn_child(parent.path(), "");
        let ready = || {
            let entry = std::fs::read_dir(parent.path()).ok()?.next()?.ok()?;
            entry.path().join("ready").exists().then_some(())
        };
        while ready().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let office = Office::open(left_behind(parent.path()), |_| {}, "127.0.0.1:0");
        office.desk.tick().unwrap();
        let number = "GPR-2026-00001";
        match office.view(number).state {
            State::Assigned => {
                assert_eq!(changes(&office, number), 0);
                assert_eq!(office.approve(number).unwrap().state, State::Live);
            }
            _ => whole(&office, number, &format!("after {delay} ms")),
        }
    }
}

#[test]
fn a_full_disk_changes_nothing_and_a_retry_promotes() {
    // In a process of its own: an armed point is armed for every test of a process.
    let parent = tempfile::tempdir().unwrap();
    let status = spawn_child(parent.path(), FULL_DISK).wait().unwrap();
    assert!(status.success(), "{status:?}");
}

/// The other half: the disk is full at the end of the commit, then it is not.
fn on_a_full_disk(office: &Office, number: &str) {
    let serial = office.serial();
    active::arm(Some(("commit.end", "enospc")));
    let view = office.approve(number);
    active::arm(None);
    assert_eq!(view.unwrap().state, State::PromotionFailed);
    assert_eq!((office.serial(), office.dig(NAME, "A").0.as_str()), (serial, "NXDOMAIN"));
    office.hire("operator", "admin");
    let view = office.act(number, Act::Retry {}, "operator").unwrap();
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
    assert_eq!(changes(office, number), 1);
}

/// An office whose sockets answer for the name as if nothing had changed, while the flag is up.
fn lying_office(lie: &Arc<AtomicBool>) -> (Office, FakeServer) {
    let office = Office::new();
    let (flag, server) = (Arc::clone(lie), office.publisher.sockets().servers()[0]);
    let liar = FakeServer::start(move |query, transport| {
        let soon = Duration::from_secs(5);
        let mut response = dns_client::exchange(server, query, transport, soon).ok()?;
        if flag.load(Ordering::Relaxed) && query.windows(5).any(|part| part == b"\x04desa") {
            // NXDOMAIN and no answer, whatever the server said.
            let question = crate::wire::Query::read(query)?.question?;
            response[3] = response[3] & 0xf0 | 3;
            response[6..12].fill(0);
            response.truncate(12 + question.octets());
        }
        Some(response)
    });
    office.publisher.sockets().set(vec![liar.address]);
    (office, liar)
}

#[test]
fn a_read_back_that_fails_rolls_forward_and_says_what_was_asked() {
    let lie = Arc::new(AtomicBool::new(true));
    let (office, _liar) = lying_office(&lie);
    let number = office.assigned(application());
    let before = office.serial();
    let view = office.approve(&number).unwrap();
    assert_eq!(view.state, State::PromotionFailed);
    let Some(ReasonView { code, note }) = view.reason else { panic!("no reason") };
    assert_eq!((code.as_str(), note.as_str()), ("read_back", "NXDOMAIN"));
    assert_eq!(office.serial(), before + 2, "the inverse under a higher serial, never a lower one");
    let zone = office.publisher.zone(&APEX.parse().unwrap()).unwrap();
    assert!(zone.node(NAME.parse::<Name>().unwrap().as_ref()).is_none(), "taken back");
    let record = &office.desk.record(NAME).unwrap().unwrap();
    assert_eq!(record.state, crate::queue::LiveState::Held, "held until it is decided");
    assert!(view.notices.iter().any(|notice| notice.about == "promotion_failed"));

    lie.store(false, Ordering::Relaxed);
    let view = office.act(&number, Act::Retry {}, "seksi").unwrap();
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
    assert_eq!(office.dig(NAME, "A").1.len(), 1);
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn a_proof_says_how_long_an_old_answer_may_linger() {
    let office = Office::new();
    let number = office.live(application());
    // The last field of the zone's SOA record.
    assert_eq!(office.view(&number).proof.unwrap().lingers, 300);
}

#[test]
fn after_a_crash_a_promotion_that_is_not_answered_is_taken_back_for_good() {
    let parent = tempfile::tempdir().unwrap();
    let status = spawn_child(parent.path(), "confirm.before").wait().unwrap();
    assert_eq!(status.signal(), Some(9), "{status:?}");
    let number = "GPR-2026-00001";
    let directory = left_behind(parent.path());
    let office = Office::open_unheard(directory, |_| {}, "127.0.0.1:0");
    let promoted = office.serial();
    // Our own sockets refuse everything, the undo's serial too.
    let refusing = FakeServer::start(|query, _| {
        let question = crate::wire::Query::read(query)?.question?;
        let mut response = query[..12 + question.octets()].to_vec();
        (response[2], response[3]) = (0x84, 5);
        response[6..12].fill(0);
        Some(response)
    });
    office.publisher.sockets().set(vec![refusing.address]);
    office.desk.tick().unwrap();
    let view = office.view(number);
    assert_eq!(view.state, State::PromotionFailed, "{:?}", view.reason);
    assert_eq!(office.serial(), promoted + 1, "one undo, and none of the undo");
    let zone = office.publisher.zone(&APEX.parse().unwrap()).unwrap();
    assert!(zone.node(NAME.parse::<Name>().unwrap().as_ref()).is_none(), "taken back");
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn without_a_socket_nothing_is_promoted() {
    let office = Office::new();
    let number = office.assigned(application());
    let serial = office.serial();
    office.publisher.sockets().set(Vec::new());
    let view = office.approve(&number).unwrap();
    assert_eq!((view.state, office.serial()), (State::PromotionFailed, serial));
}
