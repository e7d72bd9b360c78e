//! The store on a server: what it does when the server goes away, or says nothing.

use crate::postgres_cluster::Cluster;
use crate::store::nodes::Node;
use crate::store::testing::server::on_server;
use crate::store::{Address, Location, Store, StoreError, is_unavailable};
use crate::text::with_causes;

/// A database on the server; none where there is no server.
pub(in crate::store) fn store() -> Option<(Store, tempfile::TempDir)> {
    let directory = tempfile::tempdir().unwrap();
    Some((Store::open_on_server(&on_server(directory.path())?).unwrap(), directory))
}

/// Writes something that can be looked for.
fn put(store: &Store, name: &str) -> Result<(), StoreError> {
    store.write(|tx| tx.put_web_secret(name, b"x"))
}

/// Whether it is there.
fn has(store: &Store, name: &str) -> bool {
    store.read::<_, StoreError>(|reader| reader.web_secret(name)).unwrap().is_some()
}

/// A store on a server of its own.
fn own(settings: &'static [&'static str]) -> Option<(Cluster, Store)> {
    let cluster = Cluster::start_with(settings)?;
    let address = Address::new(&cluster.url(), "".into(), "".into()).expect("an address");
    let store = Store::open_on_server(&address).unwrap();
    Some((cluster, store))
}

#[test]
fn a_commit_whose_answer_was_not_heard_is_looked_up() {
    let Some((cluster, store)) = own(&[]) else { return };
    take_the_standby_away(&cluster);
    std::thread::scope(|scope| {
        let written = scope.spawn(|| put(&store, "form"));
        soon("it waits", || waiting(&cluster) != "0");
        cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        );
        assert!(written.join().unwrap().is_ok(), "it was committed");
    });
    assert!(has(&store, "form"));
    cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
    cluster.sql("SELECT pg_reload_conf()");
    put(&store, "other").unwrap();
}

/// Lets commits wait for a standby that there is not.
fn take_the_standby_away(cluster: &Cluster) {
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.sql("SELECT pg_reload_conf()");
    soon("the server knows", || cluster.sql("SHOW synchronous_standby_names") == "nobody");
}

/// Sessions that wait for a standby.
fn waiting(cluster: &Cluster) -> String {
    cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
}

#[test]
fn a_session_ends_and_frees_its_lock_while_a_standby_is_away() {
    let Some((cluster, store)) = own(&["fsync=off"]) else { return };
    store.guard(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32])).unwrap();
    store.hold().unwrap();
    put(&store, "before").unwrap();
    take_the_standby_away(&cluster);
    drop(store);
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    soon("the lock is free", || cluster.sql(locks) == "0");
    assert_eq!(waiting(&cluster), "0");
}

#[test]
fn a_commit_that_is_not_confirmed_is_told_and_keeps_nobody_waiting() {
    let Some((cluster, store)) = own(&["fsync=off"]) else { return };
    take_the_standby_away(&cluster);
    assert!(store.locked_out().is_none());
    std::thread::scope(|scope| {
        let written = scope.spawn(|| put(&store, "form"));
        soon("it is told", || store.locked_out().is_some());
        assert!(!written.is_finished());
        let told = store.locked_out().unwrap();
        assert!(told.to_string().contains("standby may be away"), "{told}");
        let refused = put(&store, "next").unwrap_err();
        assert!(matches!(refused, StoreError::Unconfirmed(_)) && is_unavailable(&refused));
        // Nobody confirms it, and what became of it is not known: the server says that it goes on.
        assert!(matches!(written.join().unwrap(), Err(StoreError::Unheard(_))));
    });
    assert!(matches!(store.locked_out(), Some(StoreError::Unconfirmed(_))));
    assert!(matches!(put(&store, "next"), Err(StoreError::Unconfirmed(_))));
    cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
    cluster.sql("SELECT pg_reload_conf()");
    soon("it is known", || matches!(put(&store, "next"), Err(StoreError::Outdated(_))));
    assert!(has(&store, "form"));
}

#[test]
fn sessions_that_the_server_does_not_end_are_said() {
    let Some((cluster, _store)) = own(&["fsync=off"]) else { return };
    let place = Location::Server(Address::new(&cluster.url(), "".into(), "".into()).unwrap());
    let node = Node { name: "satu".to_owned(), url: None };
    let first = place.publish(&node).unwrap();
    put(&first, "before").unwrap();
    let follower = place.follow().unwrap().unwrap();
    let holder = "SELECT pid FROM pg_stat_activity WHERE application_name = 'gapura (publishes)'";
    let pid = rustix::process::Pid::from_raw(cluster.sql(holder).parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert_eq!(follower.unseat().unwrap(), Some(false));
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    soon("they end", || follower.unseat().unwrap() != Some(false));
}

#[test]
fn a_server_that_goes_away_undoes_what_was_under_way_and_the_next_goes_on() {
    let Some((mut cluster, store)) = own(&["fsync=off"]) else { return };
    put(&store, "before").unwrap();
    let failed = store.write::<_, StoreError>(|tx| {
        tx.put_web_secret("lost", b"x")?;
        cluster.kill();
        tx.put_web_secret("lost too", b"x")
    });
    let failed = failed.unwrap_err();
    assert!(is_unavailable(&failed), "{}", with_causes(&failed));
    let away = put(&store, "away").unwrap_err();
    assert!(is_unavailable(&away) && away.may_pass(), "{}", with_causes(&away));
    let unread = store.read::<_, StoreError>(|reader| reader.web_secret("before")).unwrap_err();
    assert!(is_unavailable(&unread), "{}", with_causes(&unread));
    cluster.begin();
    put(&store, "after").unwrap();
    assert!(has(&store, "before") && has(&store, "after"));
    assert!(!has(&store, "lost") && !has(&store, "away"));
}

#[test]
fn a_guard_goes_on_with_a_new_session() {
    let Some((cluster, store)) = own(&["fsync=off"]) else { return };
    store.guard(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32])).unwrap();
    put(&store, "before").unwrap();
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gapura'");
    put(&store, "after").unwrap();
    let mut log = Vec::new();
    store
        .read::<_, StoreError>(|reader| reader.row_log(|row| log.push((row.key, row.found))))
        .unwrap();
    assert_eq!(log, [("before".to_owned(), false), ("after".to_owned(), false)]);
}

#[test]
fn whoever_holds_a_database_keeps_others_off_until_it_leaves() {
    let Some((cluster, store)) = own(&["fsync=off"]) else { return };
    store.hold().unwrap();
    let address = Address::new(&cluster.url(), "".into(), "".into()).unwrap();
    let other = Store::open_on_server(&address).unwrap();
    assert!(matches!(other.hold(), Err(StoreError::Held(_))));
    store.leave();
    other.hold().unwrap();
    assert!(matches!(put(&store, "late"), Err(StoreError::Left)));
}

#[test]
fn the_owner_needs_no_more_rights_than_those_of_the_database() {
    let Some((cluster, store)) = own(&["fsync=off"]) else { return };
    let identity = store.identity().unwrap();
    assert_eq!(identity.matches('/').count(), 2, "{identity}");
    store.write::<_, StoreError>(|tx| tx.note_erasure()).unwrap();
    store.scrub().unwrap();
    store.check(std::time::Duration::from_secs(1)).unwrap();
    let differences = store.read::<_, StoreError>(|reader| reader.schema_differences()).unwrap();
    assert_eq!(differences, []);
    cluster.sql("DROP TABLE gapura.notice");
    let missing = store.check(std::time::Duration::from_secs(1)).unwrap_err().to_string();
    assert!(missing.contains("notice"), "{missing}");
}

/// Waits until something is so.
fn soon(what: &str, is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 60, "{what}: never");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_former_publisher_commits_nothing_whatever_became_of_its_session() {
    let Some((cluster, _store)) = own(&["fsync=off"]) else { return };
    let place = Location::Server(Address::new(&cluster.url(), "".into(), "".into()).unwrap());
    let node = |name: &str| Node { name: name.to_owned(), url: None };
    let first = place.publish(&node("satu")).unwrap();
    put(&first, "before").unwrap();
    assert!(matches!(place.publish(&node("dua")), Err(StoreError::Held(_))));
    let follower = place.follow().unwrap().unwrap();
    assert!(matches!(put(&follower, "never"), Err(StoreError::Followed)));
    let seat = follower.seat().unwrap().unwrap();
    assert!(seat.is_held && seat.publishing.is_some_and(|it| it.name == "satu" && it.number == 1));
    soon("a beat", || follower.seat().unwrap().unwrap().beat_ms != seat.beat_ms);
    assert_eq!(first.beat_fault(), None);

    // Its sessions are ended, those of others are not, and the lock is another one's.
    let listener = follower.listen().unwrap().unwrap();
    assert_eq!(follower.unseat().unwrap(), Some(true));
    let second = place.publish(&node("dua")).unwrap();
    assert_eq!((first.publisher_number(), second.publisher_number()), (Some(1), Some(2)));
    assert!(matches!(put(&first, "lost"), Err(StoreError::Superseded(_))) && first.is_superseded());
    assert!(has(&follower, "before") && !has(&follower, "lost"));
    assert_eq!(listener.wait(std::time::Duration::from_millis(1)), Some(false));

    // Somebody else has the number, and the session is as it was.
    cluster.sql("UPDATE gapura.publishing SET number = 3");
    assert!(matches!(put(&second, "lost"), Err(StoreError::Superseded(_))));
    soon("the beat", || second.beat_fault().is_some());
    assert!(!has(&follower, "lost"));
}

#[test]
fn those_who_follow_are_told_once_of_a_transaction() {
    let Some((cluster, store)) = own(&["fsync=off", "log_statement=all"]) else { return };
    let told = |times: usize| {
        let heard = || cluster.said().lines().filter(|line| line.contains("pg_notify")).count();
        let before = heard();
        store
            .write::<_, StoreError>(|tx| (0..times).try_for_each(|_| tx.tell_followers()))
            .unwrap();
        heard() - before
    };
    assert_eq!((told(3), told(2), told(0)), (1, 1, 0));
}
