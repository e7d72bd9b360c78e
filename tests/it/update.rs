//! UPDATE (RFC 2136) by real clients, and what is left of it after reloads, restarts and crashes.

mod clients;
mod contest;
#[cfg(feature = "approval")]
mod proposals;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::skipped::left_out;
use crate::support::peers::{is_client_here, serial};
use crate::support::{Daemon, ask, data, lay_out, printed, run_in};

/// The apex.
const APEX: &str = "cirebonkab.go.id.";
/// The secret of every key here, in base64.
const SECRET: &str = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB1cGRhdGVzISE=";
/// Keys and grants of most tests.
const GRANTS: &str = "update = [\n\
    { key = \"acme.\", names = [\"_acme-challenge\", \"_acme-challenge.*\"], types = [\"TXT\"], how = \"direct\" },\n\
    { key = \"dhcp.\", names = [\"*.dyn\"], types = [\"A\", \"AAAA\", \"DHCID\", \"TXT\"], how = \"direct\" },\n\
    { key = \"all.\", names = [\"@\", \"*\"], how = \"direct\" },\n]\n";

/// A daemon with keys and grants.
fn daemon() -> Daemon {
    Daemon::start(&format!("{GRANTS}{}", keys(&["acme.", "dhcp.", "all.", "stranger."])))
}

/// The tables of keys.
fn keys(names: &[&str]) -> String {
    let table = |name: &&str| format!("[[key]]\nname = \"{name}\"\nsecret = \"{SECRET}\"\n");
    names.iter().map(table).collect()
}

/// `nsupdate` with a key and a script; `send` is added.
fn nsupdate(daemon: &Daemon, key: Option<&str>, more: &[&str], script: &str) -> Output {
    let dns = daemon.dns();
    let mut command = Command::new("nsupdate");
    command.args(["-t", "30", "-u", "10", "-r", "0"]).args(more);
    if let Some(key) = key {
        command.args(["-y", &format!("hmac-sha256:{key}:{SECRET}")]);
    }
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let text = format!("server {} {}\nzone {APEX}\n{script}\nsend\n", dns.ip(), dns.port());
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The response code of an update; `NOERROR` if it succeeded.
fn code(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    match told.split_once("update failed: ") {
        Some((_, code)) => code.lines().next().unwrap_or_default().to_owned(),
        None if output.status.success() && told.is_empty() => "NOERROR".to_owned(),
        None => told,
    }
}

/// Updates with a key, over UDP.
fn update(daemon: &Daemon, key: &str, script: &str) -> String {
    code(&nsupdate(daemon, Some(key), &[], script))
}

/// The data at a name.
fn at(daemon: &Daemon, owner: &str, rtype: RecordType) -> Vec<String> {
    data(&ask(daemon.dns(), &format!("{owner}.{APEX}"), rtype))
}

/// A full disk under the log, or a pipe that nobody reads, costs lines and nothing else.
#[test]
fn updates_are_answered_while_no_line_of_the_log_can_be_written() {
    if !is_client_here("nsupdate") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &format!("{GRANTS}{}", keys(&["acme.", "dhcp.", "all."])));
    let daemon = Daemon::in_dir_with_full_log(made.path());
    // More than there are threads for them.
    for number in 0..4 {
        let add = format!("update add n{number}.dyn.cirebonkab.go.id. 60 A 192.0.2.1");
        assert_eq!(update(&daemon, "dhcp.", &add), "NOERROR", "{number}");
    }
    assert_eq!(daemon.gapura(&["ctl", "reload"]).status.code(), Some(0));
}

#[test]
fn nsupdate_adds_and_deletes_over_udp_and_tcp() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    let before = serial(daemon.dns(), APEX).unwrap();
    let add = "update add _acme-challenge.www.cirebonkab.go.id. 60 TXT \"one\"";
    assert_eq!(update(&daemon, "acme.", add), "NOERROR");
    assert_eq!(at(&daemon, "_acme-challenge.www", RecordType::TXT), ["one"]);
    let second = "update add _acme-challenge.www.cirebonkab.go.id. 60 TXT \"two\"";
    assert_eq!(code(&nsupdate(&daemon, Some("acme."), &["-v"], second)), "NOERROR", "over TCP");
    assert_eq!(at(&daemon, "_acme-challenge.www", RecordType::TXT), ["one", "two"]);
    // The same once more: nothing to do, no serial.
    assert_eq!(update(&daemon, "acme.", second), "NOERROR");
    let delete = "update delete _acme-challenge.www.cirebonkab.go.id. TXT";
    assert_eq!(update(&daemon, "acme.", delete), "NOERROR");
    let gone = ask(daemon.dns(), "_acme-challenge.www.cirebonkab.go.id.", RecordType::TXT);
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(serial(daemon.dns(), APEX).unwrap(), before + 3);
    let history = daemon.gapura(&["zone", "history", APEX]);
    let history = String::from_utf8_lossy(&history.stdout).into_owned();
    assert_eq!(history.matches("update by key acme.").count(), 3, "{history}");
    assert_eq!(history.matches("key:acme.").count(), 3, "{history}");
}

#[test]
fn one_update_is_one_serial_however_much_is_in_it() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    let before = serial(daemon.dns(), APEX).unwrap();
    let lines: Vec<String> = (0..300)
        .map(|number| format!("update add h{number}.dyn.{APEX} 300 A 192.0.2.{}", number % 250))
        .collect();
    let batch = lines.join("\n");
    assert_eq!(code(&nsupdate(&daemon, Some("dhcp."), &["-v"], &batch)), "NOERROR");
    assert_eq!(serial(daemon.dns(), APEX).unwrap(), before + 1);
    assert_eq!(at(&daemon, "h299.dyn", RecordType::A), ["192.0.2.49"]);
}

#[test]
fn who_may_not_is_refused_and_nothing_of_it_is_done() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    let before = serial(daemon.dns(), APEX).unwrap();
    let add = |owner: &str, rest: &str| format!("update add {owner}.{APEX} 60 {rest}");
    let challenge = add("_acme-challenge.www", "TXT one");
    assert_eq!(code(&nsupdate(&daemon, None, &[], &challenge)), "REFUSED", "no key");
    assert_eq!(update(&daemon, "stranger.", &challenge), "REFUSED", "a key without a grant");
    assert_eq!(update(&daemon, "unknown.", &challenge), "NOTAUTH(BADKEY)");
    assert_eq!(update(&daemon, "acme.", &add("www", "TXT one")), "REFUSED", "another name");
    let other_type = add("_acme-challenge.www", "CAA 0 issue \"ca.example\"");
    assert_eq!(update(&daemon, "acme.", &other_type), "REFUSED");
    let both = format!("{challenge}\n{}", add("x", "TXT one"));
    assert_eq!(update(&daemon, "acme.", &both), "REFUSED", "all or nothing");
    assert_eq!(
        update(&daemon, "acme.", &format!("prereq nxdomain www.{APEX}\n{challenge}")),
        "REFUSED",
        "who may not write may not ask"
    );
    assert_eq!(
        update(&daemon, "all.", &add("sub", &format!("NS ns1.{APEX}"))),
        "REFUSED",
        "delegations are granted by name only"
    );
    assert_eq!(serial(daemon.dns(), APEX).unwrap(), before);
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    assert!(log.contains("update refused") || log.contains("UPDATE refused"), "{log}");
}

#[test]
fn prerequisites_decide() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    let host = format!("pc.dyn.{APEX}");
    // As a DHCP server does it (RFC 4703): the name is free, or it is ours by its DHCID.
    let ours = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=";
    let new = format!(
        "prereq nxdomain {host}\nupdate add {host} 300 A 192.0.2.5\nupdate add {host} 300 DHCID {ours}"
    );
    assert_eq!(update(&daemon, "dhcp.", &new), "NOERROR");
    assert_eq!(update(&daemon, "dhcp.", &new), "YXDOMAIN");
    let again = |dhcid: &str| {
        let script = format!(
            "prereq yxrrset {host} IN DHCID {dhcid}\nupdate delete {host} A\nupdate add {host} 300 A 192.0.2.6"
        );
        update(&daemon, "dhcp.", &script)
    };
    assert_eq!(
        again("AAABxLmlskllE0MVjd57zHcWmEH3pCQ6VytcKD//7es/deY="),
        "NXRRSET",
        "another client"
    );
    assert_eq!(at(&daemon, "pc.dyn", RecordType::A), ["192.0.2.5"]);
    assert_eq!(again(ours), "NOERROR");
    assert_eq!(at(&daemon, "pc.dyn", RecordType::A), ["192.0.2.6"]);
    let absent = format!("prereq nxrrset {host} A\nupdate delete {host} A");
    assert_eq!(update(&daemon, "dhcp.", &absent), "YXRRSET");
    let missing = format!("prereq yxdomain x.dyn.{APEX}\nupdate delete {host} A");
    assert_eq!(update(&daemon, "dhcp.", &missing), "NXDOMAIN");
}

#[test]
fn what_breaks_the_zone_is_refused_and_the_file_clashes_aloud() {
    if !is_client_here("nsupdate") {
        return;
    }
    let daemon = daemon();
    // Ignored, as RFC 2136 has it, and not an error.
    let before = serial(daemon.dns(), APEX).unwrap();
    assert_eq!(
        update(&daemon, "all.", &format!("update add www.{APEX} 60 A 192.0.2.1")),
        "NOERROR"
    );
    assert_eq!(serial(daemon.dns(), APEX).unwrap(), before, "a CNAME is there");
    // A name server of the zone may not lose its address.
    let breaks = format!("update delete ns1.{APEX} A\nupdate delete ns1.{APEX} AAAA");
    assert_eq!(update(&daemon, "all.", &breaks), "REFUSED");
    // The operator's own record is changed, and then the file is edited at the same place.
    let change = format!("update delete ppid.{APEX} A\nupdate add ppid.{APEX} 3600 A 192.0.2.111");
    assert_eq!(update(&daemon, "all.", &change), "NOERROR");
    let file = std::fs::read_to_string(daemon.zone_file()).unwrap();
    std::fs::write(daemon.zone_file(), file.replace("192.0.2.11\n", "192.0.2.112\n")).unwrap();
    let reload = daemon.gapura(&["ctl", "reload", APEX]);
    let told = String::from_utf8_lossy(&reload.stdout).into_owned()
        + &String::from_utf8_lossy(&reload.stderr);
    assert_eq!(reload.status.code(), Some(1), "{told}");
    assert!(told.contains("key all.: ppid.cirebonkab.go.id. A"), "{told}");
    let status = String::from_utf8(daemon.gapura(&["ctl", "status"]).stdout).unwrap();
    assert!(status.contains("ppid.cirebonkab.go.id. A (key all.)"), "{status}");
    assert!(status.contains(" 0 promoted, 1 by updates"), "{status}");
    let adopted = daemon.gapura(&["zone", "adopt", APEX, "ppid"]);
    assert!(adopted.status.success(), "{adopted:?}");
    assert_eq!(at(&daemon, "ppid", RecordType::A), ["192.0.2.112"]);
    assert!(daemon.gapura(&["ctl", "reload", APEX]).status.success());
}

#[test]
fn grants_that_make_no_sense_are_told_with_their_place() {
    let made = tempfile::tempdir().unwrap();
    let more = "update = [\n\
        { key = \"none.\", names = [\"*\"], how = \"direct\" },\n\
        { key = \"acme.\", names = [\"a..b\"], types = [\"HTML\", \"SOA\"], how = \"direct\" },\n\
        { key = \"acme.\", names = [], how = \"propose\" },\n]\n";
    lay_out(made.path(), &format!("{more}{}", keys(&["acme."])));
    let check = run_in(made.path(), &["check"]);
    let told = printed(&check);
    assert!(!check.status.success(), "{told}");
    for part in
        ["no [[key]] named \"none.\"", "a..b", "HTML", "SOA cannot be granted", "names is empty"]
    {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(told.contains("gapura.toml:"), "{told}");
}
