//! Updates that become requests in the queue.

use super::*;

/// The grant of a key that may only propose.
const PROPOSE: &str = "update = [{ key = \"dinkes.\", names = [\"*\"], how = \"propose\", applicant = { \
    office = \"Dinas Kesehatan\", purpose = \"Layanan\", name = \"Siti Aminah\", position = \"Pranata Komputer\", \
    email = \"ti@dinkes.example\", phone = \"0231-1\", letter = \"500/17\", letter_date = \"2026-11-02\" } }]\n";

/// The requests that the daemon's log names.
fn named(daemon: &Daemon) -> Vec<String> {
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    let after = log.split("proposed as request ").skip(1);
    after.filter_map(|rest| Some(rest.split_once(':')?.0.to_owned())).collect()
}

#[test]
fn an_update_that_is_only_proposed_names_its_request_and_serves_nothing() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = Daemon::start(&format!("{PROPOSE}{}", keys(&["dinkes."])));
    let before = serial(daemon.dns(), APEX).unwrap();
    let add = format!("update add simpus.{APEX} 3600 A 192.0.2.120");
    assert_eq!(update(&daemon, "dinkes.", &add), "REFUSED");
    crate::support::until("the refusal is in the log", || !named(&daemon).is_empty());
    let number = named(&daemon).remove(0);
    assert!(number.starts_with("GPR-"), "{number}");
    let gone = ask(daemon.dns(), &format!("simpus.{APEX}"), RecordType::A);
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    // Lines of the log are one a second at most.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(update(&daemon, "dinkes.", &add), "REFUSED");
    crate::support::until("the second refusal is in the log", || named(&daemon).len() > 1);
    assert_eq!(named(&daemon), [number.clone(), number], "the same request");
    // Another one is not said to wait, for it is in no request.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(update(&daemon, "dinkes.", &add.replace(".120", ".199")), "REFUSED");
    crate::support::until("the third refusal is in the log", || {
        let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
        log.contains("asks for something else; this update is in no request")
    });
    assert_eq!(named(&daemon).len(), 2);
    // A prerequisite that fails has its own answer, and two names are no one request.
    let unmet = format!("prereq yxdomain simpus.{APEX}\n{add}");
    assert_eq!(update(&daemon, "dinkes.", &unmet), "NXDOMAIN");
    let two = format!("{add}\nupdate add other.{APEX} 3600 A 192.0.2.121");
    assert_eq!(update(&daemon, "dinkes.", &two), "REFUSED");
    // What is served already needs no request.
    assert_eq!(
        update(&daemon, "dinkes.", &format!("update add lpse.{APEX} 3600 A 192.0.2.12")),
        "NOERROR"
    );
    assert_eq!(serial(daemon.dns(), APEX).unwrap(), before);
}
