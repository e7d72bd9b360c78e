//! A zone that gapura signs, from outside: after each change of any cause it validates here and at secondaries.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gapura::wire::Rtype;

use crate::skipped::left_out;
use crate::support::peers::{self, Key, Peer, PeerZone, Program, fetch, is_client_here};
use crate::support::{Daemon, kill, lay_out, printed, until};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";
/// The secret of the key of updates, in base64.
const SECRET: &str = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB1cGRhdGVzISE=";

/// The zone signed by a policy with these keys in it, with these remotes.
fn settings(policy: &str, remotes: &[(&str, String)]) -> String {
    let names: String = remotes.iter().map(|(name, _)| format!("\"{name}\", ")).collect();
    let tables: String = remotes.iter().map(|(_, table)| table.as_str()).collect();
    format!(
        "signing = \"ours\"\nzonemd = true\ntransfer = [{names}\"reader\"]\nnotify = [{names}]\n\
         update = [{{ key = \"dyn.\", names = [\"*\"], how = \"direct\" }}]\n{}\n\
         [[signing]]\nname = \"ours\"\n{policy}\n\
         [[key]]\nname = \"dyn.\"\nsecret = \"{SECRET}\"\n\
         [[remote]]\nname = \"reader\"\naddresses = [\"127.0.0.1\"]\n{tables}",
        Key::ARMADA.settings()
    )
}

/// Waits until the zone is signed.
fn until_signed(daemon: &Daemon) {
    let is_signed = || {
        let fetched = fetch(daemon.dns(), ZONE, None);
        fetched.records.iter().any(|record| record.rtype == Rtype::RRSIG)
    };
    until("the zone is signed", is_signed);
}

/// Whether the validators are here.
fn validators_are_here() -> bool {
    ["dig", "dnssec-verify", "ldns-verify-zone", "kzonecheck"].into_iter().all(is_client_here)
}

/// What is served validates as a whole by three programs that share no code with gapura. Returns its
/// signatures.
#[track_caller]
fn validates(daemon: &Daemon, dir: &Path) -> BTreeSet<String> {
    let port = daemon.dns().port().to_string();
    let dig = ["@127.0.0.1", "-p", &port, ZONE, "AXFR", "+onesoa", "+nocmd", "+nostats"];
    let text = Command::new("dig").args(dig).output().unwrap().stdout;
    let file = dir.join("axfr.zone");
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    // -z: a CSK may have the SEP flag and sign everything (RFC 6781 §3.1).
    let programs: [&[&str]; 3] = [
        &["dnssec-verify", "-z", "-o", ZONE, file],
        &["ldns-verify-zone", file],
        &["kzonecheck", "-d", "on", "-o", ZONE, file],
    ];
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
    for program in programs {
        let done =
            Command::new(program[0]).args(&program[1..]).env("PATH", &path).output().unwrap();
        assert!(done.status.success(), "{}: {}", program[0], printed(&done));
    }
    let text = String::from_utf8(text).unwrap();
    let signatures = text.lines().filter(|line| line.contains("\tRRSIG\t"));
    signatures.map(str::to_owned).collect()
}

/// Puts a text in the place of the zone file and has it loaded.
#[track_caller]
fn load(daemon: &Daemon, text: &str) {
    std::fs::write(daemon.zone_file(), text).unwrap();
    let done = daemon.gapura(&["ctl", "reload", ZONE]);
    assert_eq!(done.status.code(), Some(0), "{}", printed(&done));
}

/// Sends an update.
#[track_caller]
fn update(daemon: &Daemon, script: &str) {
    let mut command = Command::new("nsupdate");
    command.args(["-t", "30", "-y", &format!("hmac-sha256:dyn.:{SECRET}")]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let (ip, port) = (daemon.dns().ip(), daemon.dns().port());
    let text = format!("server {ip} {port}\nzone {ZONE}\n{script}\nsend\n");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}

/// What comes to the file, a step at a time: each kind of name that a chain must know.
const STEPS: [&str; 10] = [
    "plain IN A 192.0.2.77",
    "a.b.c IN TXT \"below two empty names\"",
    "*.wild IN A 192.0.2.78",
    "sub.wild IN A 192.0.2.79",
    "secure IN NS ns.secure\nns.secure IN A 192.0.2.80\nsecure IN DS 12345 13 2 \
     1111111111111111111111111111111111111111111111111111111111111111",
    "insecure IN NS ns.elsewhere.example.",
    "moved IN DNAME target.example.",
    "also IN CNAME plain",
    "MiXeD IN A 192.0.2.81\n\\000odd IN A 192.0.2.82",
    "plain IN AAAA 2001:db8::77",
];

#[test]
fn every_change_validates_here_and_at_three_secondaries() {
    if !validators_are_here() || !is_client_here("nsupdate") || !peers::are_here(&Program::ALL) {
        return;
    }
    for policy in ["keys = \"csk\"\ndenial = \"nsec\"", "keys = \"ksk+zsk\"\ndenial = \"nsec3\""] {
        let mut secondaries: Vec<Peer> = Program::ALL.into_iter().map(Peer::new).collect();
        let remotes: Vec<(&str, String)> = secondaries
            .iter()
            .map(|peer| (peer.program.name(), peer.remote(peer.program.name(), None)))
            .collect();
        let made = tempfile::tempdir().unwrap();
        lay_out(made.path(), &settings(policy, &remotes));
        let address = peers::fix_port(made.path());
        let mut daemon = Daemon::in_dir(made.path());
        until_signed(&daemon);
        for peer in &mut secondaries {
            peer.serve(&[PeerZone::secondary(ZONE, address)]);
        }
        let original = std::fs::read_to_string(daemon.zone_file()).unwrap();
        let (body, end) = original.trim_end().rsplit_once('\n').unwrap();
        let mut before = validates(&daemon, made.path());
        let mut text = format!("{body}\n$ORIGIN {ZONE}\n$TTL 300\n");
        for (at, step) in STEPS.iter().enumerate() {
            text += &format!("{step}\n");
            load(&daemon, &format!("{text}{end}\n"));
            let now = validates(&daemon, made.path());
            let (made_anew, lines) = (now.difference(&before).count(), step.lines().count());
            // ZONEMD is one more.
            assert!(made_anew <= 7 * lines, "{made_anew} signatures for {step}");
            update(&daemon, &format!("update add u{at}.{ZONE} 60 A 192.0.2.{at}"));
            if at % 3 == 2 {
                update(&daemon, &format!("update delete u{}.{ZONE}", at - 1));
            }
            before = validates(&daemon, made.path());
            if at == 5 {
                kill(daemon.pid(), "KILL");
                drop(daemon);
                daemon = Daemon::in_dir(made.path());
                assert_eq!(validates(&daemon, made.path()), before, "a restart signs nothing anew");
            }
            let serial = peers::serial(address, ZONE).unwrap();
            let ours = fetch(address, ZONE, None).lines();
            for peer in &secondaries {
                peer.until_serial(ZONE, serial);
                peer.assert_has(ZONE, &ours, &format!("at {serial}"));
            }
        }
        // All of it goes again.
        load(&daemon, &original);
        validates(&daemon, made.path());
    }
}

#[test]
fn the_line_for_the_parent_stands_alone() {
    if !validators_are_here() {
        return;
    }
    let daemon = Daemon::start(&settings("", &[]));
    until_signed(&daemon);
    let lines = daemon.gapura(&["key", "ds", ZONE]);
    let text = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.status.success() && text.lines().count() == 1, "{text}");
    // A program that makes it from the DNSKEY agrees.
    let port = daemon.dns().port().to_string();
    let dig = ["@127.0.0.1", "-p", &port, ZONE, "DNSKEY", "+noall", "+answer"];
    let keys = Command::new("dig").args(dig).output().unwrap().stdout;
    let made = tempfile::tempdir().unwrap();
    std::fs::write(made.path().join("keys"), keys).unwrap();
    let Some(output) = from_key(made.path()) else {
        left_out("dnssec-dsfromkey");
        return;
    };
    let fields = |line: &str| {
        let (_, data) = line.split_once(" DS ").unwrap();
        data.split_whitespace().map(str::to_uppercase).collect::<Vec<_>>()
    };
    assert_eq!(fields(text.trim()), fields(output.trim()));
}

/// The DS that `dnssec-dsfromkey` makes of a file of DNSKEYs.
fn from_key(dir: &Path) -> Option<String> {
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
    let mut command = Command::new("dnssec-dsfromkey");
    command.args(["-2", "-f", "keys", ZONE]).current_dir(dir).env("PATH", path);
    let output = command.output().ok()?;
    String::from_utf8(output.stdout).ok()
}
