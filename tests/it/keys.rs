//! Signed zones as people meet them: settings, `gapura key`, status, figures, what a reload does.

use std::path::Path;
use std::process::{Command, Output};

use hickory_proto::rr::RecordType;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::http::Caller;
use crate::support::peers::{fix_port, is_client_here};
use crate::support::{Daemon, ask_tcp, data, lay_out, printed, run_in, until, write_settings};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";
/// A policy with which nothing waits for long, and whose parent answers nobody.
const QUICK: &str = "[[signing]]\nname = \"quick\"\ndnskey_ttl = 1\npropagation_seconds = 0\n\
    parent_ds_ttl = 1\nparents = [\"127.0.0.1:9\"]\n";

/// Settings of the zone with that policy, and `more` of the policy.
fn quick(more: &str) -> String {
    format!("signing = \"quick\"\n{QUICK}{more}")
}

/// A daemon with a small zone in which nothing is kept by caches for long.
fn start(settings: &str) -> (TempDir, Daemon) {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path(), settings);
    let text = "$TTL 1\n@ SOA ns1 hostmaster 1 7200 900 1209600 1\n@ NS ns1\nns1 A 192.0.2.1\n\
                www A 192.0.2.2\n; gapura: end of zone\n";
    std::fs::write(dir.path().join("cirebonkab.go.id.zone"), text).unwrap();
    let daemon = Daemon::in_dir(dir.path());
    (dir, daemon)
}

/// The same, once the parent may have the DS of its key, with the key's tag.
fn signed(more: &str) -> (TempDir, Daemon, u64) {
    let (dir, daemon) = start(&quick(more));
    until("the DS is wanted", || parent(&daemon) == "ds-wanted");
    let tag = listed(&daemon)["keys"][0]["tag"].as_u64().unwrap();
    (dir, daemon, tag)
}

/// What a command printed on standard output; it must have been done.
#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", printed(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command that was refused said.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", printed(output));
    assert!(output.stdout.is_empty(), "{}", printed(output));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// `gapura key list --json`; null while there are no keys.
fn listed(daemon: &Daemon) -> Value {
    let output = daemon.gapura(&["key", "list", ZONE, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// How the zone stands with its parent.
fn parent(daemon: &Daemon) -> String {
    listed(daemon)["parent"]["state"].as_str().unwrap_or_default().to_owned()
}

/// The state of the key with a tag; empty if there is none.
fn state_of(daemon: &Daemon, tag: u64) -> String {
    let list = listed(daemon);
    let mut keys = list["keys"].as_array().into_iter().flatten();
    let found = keys.find(|key| key["tag"].as_u64() == Some(tag));
    found.map_or_else(String::new, |key| key["state"].as_str().unwrap().to_owned())
}

/// The DNSKEYs that are served.
fn dnskeys(daemon: &Daemon) -> Vec<String> {
    data(&ask_tcp(daemon.dns(), ZONE, RecordType::DNSKEY))
}

/// The status of the zone.
fn status(daemon: &Daemon) -> (Value, Option<i32>) {
    let output = daemon.gapura(&["ctl", "status", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    (json, output.status.code())
}

#[test]
fn a_setting_signs_a_zone_and_the_line_for_the_parent_is_alone_on_standard_output() {
    let (dir, daemon, tag) = signed("[metrics]\nlisten = \"127.0.0.1:0\"\n");
    assert_eq!(dnskeys(&daemon).len(), 1);
    let exported = done(&daemon.gapura(&["zone", "export", ZONE]));
    assert!(exported.contains("RRSIG") && exported.contains("NSEC"), "{exported}");
    let line = done(&daemon.gapura(&["key", "ds", ZONE]));
    assert!(line.starts_with(&format!("{ZONE} 1 IN DS {tag} 13 2 ")), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    // BIND makes the same DS of the key that is served.
    if is_client_here("dnssec-dsfromkey") {
        std::fs::write(dir.path().join("exported"), &exported).unwrap();
        let mut theirs = Command::new("dnssec-dsfromkey");
        theirs.args(["-2", "-T", "1", "-f"]).arg(dir.path().join("exported")).arg(ZONE);
        let theirs = done(&theirs.output().unwrap());
        let words =
            |line: &str| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&theirs.to_lowercase()), words(&line.to_lowercase()));
    }

    let text = done(&daemon.gapura(&["key", "list", ZONE]));
    for part in ["signed by policy quick", "csk", "ecdsap256sha256", "active", "gapura key ds-seen"]
    {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    // Nobody can be asked, and that alone is no fault; a person has to do something.
    let (json, code) = status(&daemon);
    assert_eq!(code, Some(0), "{json:#}");
    assert_eq!(json["zones"][0]["signing"]["ds"][0], line.trim_end());
    let text = done(&daemon.gapura(&["ctl", "status"]));
    assert!(text.contains("the parent must have the DS of key"), "{text}");
    let metrics = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let text = Caller::new(&metrics, &[]).get("/metrics").text();
    let key = format!("gapura_signing_keys{{zone=\"{ZONE}\",role=\"csk\",state=\"active\"}} 1");
    assert!(text.contains(&key), "{text}");
    assert!(
        text.contains(&format!("gapura_signing_alarm{{zone=\"{ZONE}\",alarm=\"waits\"}} 1")),
        "{text}"
    );
    assert!(text.contains("gapura_signature_expiry_timestamp_seconds{"), "{text}");

    let wrong = (tag + 1) % 65_536;
    let told = refused(&daemon.gapura(&["key", "ds-seen", ZONE, &wrong.to_string()]));
    assert!(told.contains("no key of the zone has tag"), "{told}");
    done(&daemon.gapura(&["key", "ds-seen", ZONE, &tag.to_string()]));
    until("the zone is secure", || parent(&daemon) == "secure");
    assert!(!listed(&daemon).to_string().contains("PRIVATE"));
}

#[test]
fn a_rollover_begun_by_hand_waits_for_its_ds_and_ends_with_the_old_key_gone() {
    let (_dir, daemon, old) = signed("");
    done(&daemon.gapura(&["key", "ds-seen", ZONE, &old.to_string()]));
    until("secure", || parent(&daemon) == "secure");
    let told = refused(&daemon.gapura(&["key", "roll", ZONE, "--role", "zsk"]));
    assert!(told.contains("the zone has no zsk"), "{told}");
    done(&daemon.gapura(&["key", "roll", ZONE]));
    let new = || {
        let list = listed(&daemon);
        let keys = list["keys"].as_array().unwrap().iter();
        keys.filter_map(|key| key["tag"].as_u64()).find(|tag| *tag != old)
    };
    until("the new key is ready", || new().is_some_and(|tag| state_of(&daemon, tag) == "ready"));
    let new = new().unwrap();
    assert_eq!(dnskeys(&daemon).len(), 2, "both are published");
    let ds = done(&daemon.gapura(&["key", "ds", ZONE]));
    assert!(ds.contains(&format!("DS {new} ")) && !ds.contains(&format!("DS {old} ")), "{ds}");
    let told = refused(&daemon.gapura(&["key", "roll", ZONE]));
    assert!(told.contains("being rolled already"), "{told}");
    done(&daemon.gapura(&["key", "ds-seen", ZONE, &new.to_string()]));
    until("the old key is gone", || state_of(&daemon, old) == "removed");
    until("the new one signs", || state_of(&daemon, new) == "active");
    assert_eq!(dnskeys(&daemon).len(), 1);
    let history = done(&daemon.gapura(&["zone", "history", ZONE]));
    assert!(history.contains("signing: roll") || history.contains("signing: "), "{history}");
}

#[test]
fn a_manual_policy_waits_for_each_word() {
    let (_dir, daemon) = start(&quick("manual = true\n"));
    let waits = || listed(&daemon)["waits"].to_string();
    until("a word is waited for", || waits().contains("gapura key confirm"));
    assert_eq!(parent(&daemon), "introducing");
    done(&daemon.gapura(&["key", "confirm", ZONE]));
    until("the step is done", || parent(&daemon) == "ds-wanted");
    let told = refused(&daemon.gapura(&["key", "confirm", ZONE]));
    assert!(told.contains("no step waits for a word"), "{told}");
}

#[test]
fn a_zone_taken_out_of_signing_stays_signed_until_its_ds_is_gone() {
    let (dir, daemon, tag) = signed("");
    done(&daemon.gapura(&["key", "ds-seen", ZONE, &tag.to_string()]));
    until("secure", || parent(&daemon) == "secure");
    write_settings(dir.path(), "");
    done(&daemon.gapura(&["ctl", "reload"]));
    until("the DS is to go", || parent(&daemon) == "ds-leaving");
    assert_eq!(dnskeys(&daemon).len(), 1, "bogus otherwise");
    let text = done(&daemon.gapura(&["key", "list", ZONE]));
    assert!(text.contains("to be unsigned by the settings"), "{text}");
    let told = refused(&daemon.gapura(&["key", "ds", ZONE]));
    assert!(told.contains("the parent should no longer have a DS"), "{told}");
    done(&daemon.gapura(&["key", "ds-gone", ZONE, &tag.to_string()]));
    until("unsigned", || dnskeys(&daemon).is_empty());
    let told = refused(&daemon.gapura(&["key", "list", ZONE]));
    assert!(told.contains("is not signed by gapura"), "{told}");
    assert!(!done(&daemon.gapura(&["zone", "export", ZONE])).contains("RRSIG"));
}

#[test]
fn an_edit_shows_what_a_person_changed_and_its_proofs_when_asked() {
    let (dir, daemon, _) = signed("");
    let serial = || status(&daemon).0["zones"][0]["serial"].as_u64().unwrap();
    let before = serial();
    let file = dir.path().join("cirebonkab.go.id.zone");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("www A 192.0.2.2\n", "www A 192.0.2.2\nnew A 192.0.2.3\n"))
        .unwrap();
    done(&daemon.gapura(&["ctl", "reload", ZONE]));
    let (from, to) = (before.to_string(), serial().to_string());
    let diff = |more: &[&str]| {
        let fixed = ["zone", "diff", ZONE, "--from", &from, "--to", &to];
        done(&daemon.gapura(&[&fixed[..], more].concat()))
    };
    let plain = diff(&[]);
    assert!(plain.contains("+ new.cirebonkab.go.id. 1 IN A 192.0.2.3"), "{plain}");
    assert!(plain.contains("signatures and proofs: +") && !plain.contains("RRSIG"), "{plain}");
    let whole = diff(&["--proofs"]);
    assert!(whole.matches(" RRSIG ").count() >= 6 && whole.contains(" NSEC "), "{whole}");
}

#[test]
fn keys_of_another_signer_are_taken_over() {
    if !is_client_here("dnssec-keygen") {
        return;
    }
    let (dir, daemon) = start(QUICK);
    let told = refused(&daemon.gapura(&["key", "list", ZONE]));
    assert!(told.contains("signing = \"default\""), "{told}");
    let made = Command::new("dnssec-keygen")
        .args(["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K"])
        .arg(dir.path())
        .arg(ZONE)
        .output()
        .unwrap();
    let stem = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let tag: u64 = stem.rsplit('+').next().unwrap().parse().unwrap();
    let told = done(&daemon.gapura(&["key", "import", ZONE, &stem]));
    assert!(told.contains(&tag.to_string()), "{told}");
    write_settings(dir.path(), &quick(""));
    done(&daemon.gapura(&["ctl", "reload"]));
    until("it signs", || state_of(&daemon, tag) == "active");
    let missing = refused(&daemon.gapura(&["key", "import", ZONE, "Knone.+013+1.private"]));
    assert!(missing.contains("Knone"), "{missing}");
}

#[test]
fn settings_that_make_no_sense_are_told_at_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let more = "signing = \"other\"\n[[signing]]\nname = \"x\"\nrefresh_days = 20\n";
    lay_out(dir.path(), more);
    let output = run_in(dir.path(), &["check"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line_of = |what: &str| {
        let settings = std::fs::read_to_string(dir.path().join("gapura.toml")).unwrap();
        settings.lines().position(|line| line.contains(what)).unwrap() + 1
    };
    let at = |what: &str| format!("gapura.toml:{}:", line_of(what));
    assert!(
        text.contains(&at("signing = \"other\""))
            && text.contains("no [[signing]] named \"other\""),
        "{text}"
    );
    assert!(text.contains(&at("refresh_days")), "{text}");
}

/// The directory of the private keys.
fn key_files(dir: &Path) -> Vec<std::path::PathBuf> {
    let zones = std::fs::read_dir(dir.join("state/keys")).unwrap().map(|one| one.unwrap().path());
    let files = zones.flat_map(|zone| std::fs::read_dir(zone).unwrap());
    let files = files.map(|one| one.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "pem")).collect()
}

#[test]
fn a_lost_private_key_is_a_fault_with_its_file_and_the_zone_goes_on() {
    let (dir, daemon, _) = signed("");
    let [file] = &key_files(dir.path())[..] else { panic!("one key") };
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let kept = dir.path().join("kept.pem");
    std::fs::rename(file, &kept).unwrap();
    let checked = run_in(dir.path(), &["check"]);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(printed(&checked).contains(name), "{}", printed(&checked));
    assert_eq!(checked.status.code(), Some(1));
    fix_port(dir.path());
    let daemon = Daemon::in_dir(dir.path());
    assert_eq!(dnskeys(&daemon).len(), 1, "served as it was");
    until("it is said", || {
        let (json, code) = status(&daemon);
        code == Some(1) && json.to_string().contains(name)
    });
    std::fs::rename(&kept, file).unwrap();
    done(&daemon.gapura(&["ctl", "reload"]));
    until("it is well again", || status(&daemon).1 == Some(0));
}

#[test]
fn whoever_asks_for_the_ds_too_early_is_told_so_beside_it() {
    let (_dir, daemon) = start("signing = \"default\"\n");
    until("it is signed", || !dnskeys(&daemon).is_empty());
    let output = daemon.gapura(&["key", "ds", ZONE]);
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = done(&output);
    assert!(lines.lines().all(|line| line.contains(" IN DS ")), "nothing else: {lines}");
    assert!(told.contains("too early for the parent"), "{told}");
}
