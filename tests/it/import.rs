//! `gapura import`: settings that Debian's BIND, NSD and Knot accept and serve, moved to gapura, which then gives the
//! same answers.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gapura::dns_client::{Transport, exchange};
use gapura::master::{Input, NoIncludes, Options};
use gapura::wire::{Name, Record};

use crate::answer::canon::decode;
use crate::support::peers::{self, Key, Peer, PeerZone, Program, fetch, lines};
use crate::support::{Daemon, printed, run_in, until};

/// A zone in one file: what servers differ in is not in it.
const ONE: &str = "$TTL 300\n@ SOA ns.one.example. admin.one.example. 7 3600 600 86400 300\n NS ns.one.example.\n\
                   ns A 192.0.2.1\nwww A 192.0.2.2\n AAAA 2001:db8::2\nalias CNAME www\n* TXT \"any\"\n\
                   desa NS ns.desa\nns.desa A 192.0.2.3\n@ MX 10 www\n";
/// A zone in parts.
const PARTS: &str = "$TTL 300\n@ SOA ns admin 8 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n\
                     $INCLUDE part.inc sub.parts.example.\nlast A 192.0.2.9\n";
/// A part of it.
const PART: &str = "www A 192.0.2.4\ndeep TXT \"a;b\" \"\\\"\"\n";
/// A zone that is transferred from somewhere else.
const OLD: &str = "old.example. 300 SOA ns.old.example. a.old.example. 5 3600 600 86400 300\n\
                   old.example. 300 NS ns.old.example.\nns.old.example. 300 A 192.0.2.1\n";

/// A peer with zones, from which settings of another server are moved.
struct Move {
    /// The server.
    peer: Peer,
    /// The primary of the zone that it has by transfer.
    old: Peer,
}

impl Move {
    /// A server with its zone files; it does not run yet.
    fn new(program: Program) -> Self {
        let mut old =
            Peer::new(if program == Program::Knot { Program::Nsd } else { Program::Knot });
        old.serve(&[PeerZone::primary("old.example.", OLD, &[]).with_key(&Key::ARMADA)]);
        let peer = Peer::new(program);
        for (file, text) in
            [("one.example.zone", ONE), ("parts.example.zone", PARTS), ("part.inc", PART)]
        {
            std::fs::write(peer.dir.join(file), text).unwrap();
        }
        Self { peer, old }
    }

    /// Starts the server by settings that its own checker accepts, moves them, and compares all answers.
    fn compare(&mut self, conf: &str, checker: &[&str], word: &str) -> String {
        let peer = &mut self.peer;
        let path = peer.dir.join("conf");
        std::fs::write(&path, conf).unwrap();
        let checker: Vec<String> =
            checker.iter().map(|word| word.replace("CONF", path.to_str().unwrap())).collect();
        let output = Command::new(&checker[0]).args(&checker[1..]).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        peer.start();
        peer.until_serial("old.example.", 5);
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        let output = run_in(dir, &["import", word, path.to_str().unwrap(), "--keys", "secrets"]);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        let tables = String::from_utf8(output.stdout).unwrap();
        let secret = dir.join("secrets/armada.key");
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!tables.contains(Key::ARMADA.secret), "{tables}");
        let own = "[server]\nlisten = [\"127.0.0.1:0\"]\nudp_workers = 1\nstate_dir = \"state\"\n\
                   [web]\nlisten = \"127.0.0.1:0\"\n";
        std::fs::write(dir.join("gapura.toml"), format!("{own}{tables}")).unwrap();
        let checked = run_in(dir, &["check"]);
        assert_eq!(checked.status.code(), Some(0), "{}\n{tables}", printed(&checked));
        let daemon = Daemon::in_dir(dir);
        for zone in ["one.example.", "parts.example.", "old.example."] {
            until(zone, || peers::serial(daemon.dns(), zone).is_some());
            compare_zone(peer, &daemon, zone);
        }
        tables
    }
}

/// Compares a zone: by transfer, and by a question for each name and type.
fn compare_zone(peer: &Peer, daemon: &Daemon, zone: &str) {
    let theirs = fetch(peer.address, zone, None);
    assert_eq!(fetch(daemon.dns(), zone, None).lines(), theirs.lines(), "{zone}");
    let mut names: Vec<Name> = theirs.records.iter().map(|it| it.owner.clone()).collect();
    names.push(format!("not.there.{zone}").parse().unwrap());
    names.sort();
    names.dedup();
    for name in names {
        let is_apex = name == zone.parse().unwrap();
        // BIND gives the SOA record of a denied SOA question the TTL 0 (zero-no-soa-ttl).
        let types =
            [1u16, 2, 5, 6, 15, 16, 28, 43, 255].into_iter().filter(|it| *it != 6 || is_apex);
        for rtype in types {
            let header = b"\0\x01\0\0\0\x01\0\0\0\0\0\0";
            let query = [&header[..], name.wire(), &rtype.to_be_bytes(), b"\0\x01"].concat();
            let ask =
                |server| exchange(server, &query, Transport::Tcp, Duration::from_secs(20)).unwrap();
            let (theirs, ours) = (decode(&ask(peer.address)), decode(&ask(daemon.dns())));
            // What else a server adds is its own affair: glue, and NS records below a positive answer.
            let seen = |it: &crate::answer::canon::Response| {
                let authority =
                    if it.answer.is_empty() { it.authority.clone() } else { Default::default() };
                (it.rcode, it.flags & 0x0400, it.answer.clone(), authority)
            };
            // Which types ANY shows is every server's own choice (RFC 8482).
            if rtype == 255 {
                assert_eq!(
                    (theirs.rcode, theirs.flags & 0x0400),
                    (ours.rcode, ours.flags & 0x0400),
                    "{name} ANY"
                );
            } else {
                assert_eq!(seen(&ours), seen(&theirs), "{name} {rtype}");
            }
        }
    }
}

#[test]
fn what_bind_serves_gapura_serves_after_the_move() {
    if !peers::are_here(&[Program::Bind, Program::Knot]) {
        return;
    }
    let mut moving = Move::new(Program::Bind);
    let (root, port) = (moving.peer.dir.display().to_string(), moving.peer.address.port());
    let (ip, from) = (moving.old.address.ip(), moving.old.address.port());
    let Key { name, algorithm, secret } = Key::ARMADA;
    std::fs::write(
        moving.peer.dir.join("keys.conf"),
        format!("key \"{name}\" {{ algorithm {algorithm}; secret \"{secret}\"; }};\n"),
    )
    .unwrap();
    let tls = peers::free_port();
    let (cert, cert_key) = (pem("localhost.crt"), pem("localhost.key"));
    let conf = format!(
        "tls xot {{ cert-file \"{cert}\"; key-file \"{cert_key}\"; }};\nacl office {{ 127.0.0.1; 192.0.2.0/24; }};\n\
         options {{\n directory \"{root}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on port {tls} tls xot {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n \
         recursion no; pid-file \"{root}/pid\"; session-keyfile \"{root}/session.key\"; dnssec-validation no;\n \
         allow-transfer {{ office; key \"{name}\"; }}; notify no;\n}};\ncontrols {{ }};\n\
         include \"keys.conf\";\nmasters old {{ {ip} port {from} key {name}; }};\n\
         zone \"one.example\" {{ type master; file \"one.example.zone\"; }};\n\
         zone \"parts.example\" {{ type primary; file \"parts.example.zone\"; allow-update {{ key {name}; }}; }};\n\
         zone \"old.example\" {{ type slave; masters {{ old; }}; file \"old.db\"; }};\n\
         zone \"away.example\" {{ type forward; forwarders {{ 192.0.2.1; }}; }};\n"
    );
    let tables = moving.compare(&conf, &["named-checkconf", "CONF"], "named");
    for part in [
        "update = [{ key = \"armada.\", names = [\"@\", \"*\"], how = \"direct\" }]",
        "zone away.example. of type forward is left out",
        "parts.example.zone includes others: they are merged into one file",
    ] {
        assert!(tables.contains(part), "{part}\n{tables}");
    }
    transferred(&moving.peer);
    transferred_over_tls(tls);
    a_journal_is_told(&moving.peer);
}

/// `gapura import axfr` brings the same records.
fn transferred(peer: &Peer) {
    let made = tempfile::tempdir().unwrap();
    let key = made.path().join("armada.key");
    std::fs::write(&key, Key::ARMADA.secret).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (server, key) =
        (peer.address.to_string(), format!("armada.:hmac-sha256:{}", key.display()));
    let output = run_in(made.path(), &["import", "axfr", "ONE.example", &server, "--key", &key]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table, "[[zone]]\nname = \"one.example.\"\nfile = \"zones/one.example.zone\"\n");
    let (path, mut records) = (made.path().join("zones/one.example.zone"), Vec::<Record>::new());
    let bytes = std::fs::read(&path).unwrap();
    let input = Input { file: Path::new("x"), bytes: &bytes, loader: &NoIncludes };
    let origin: Name = "one.example.".parse().unwrap();
    gapura::master::parse(&input, origin.as_ref(), &Options::default(), &mut |record, _| {
        records.push(record.to_record());
    });
    assert_eq!(lines(&records), peer.records("one.example."));
    // Nothing is written over, and a refusal is told.
    std::fs::write(&path, "other\n").unwrap();
    let again = run_in(made.path(), &["import", "axfr", "one.example", &server]);
    assert_eq!(again.status.code(), Some(1), "{}", printed(&again));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "other\n");
    let none = run_in(made.path(), &["import", "axfr", "none.example", &server]);
    assert_eq!(none.status.code(), Some(1));
    assert!(printed(&none).contains("cannot transfer none.example.:"), "{}", printed(&none));
}

/// A file with a certificate or key of the tests.
fn pem(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/dns/serve/tests")
        .join(name)
        .display()
        .to_string()
}

/// Over TLS from a server whose certificate has the name, and from no other.
fn transferred_over_tls(port: u16) {
    let made = tempfile::tempdir().unwrap();
    let (server, ca) = (format!("127.0.0.1:{port}"), pem("ca.crt"));
    for (name, code) in [("ns1.other.test", 1), ("localhost", 0)] {
        let args = ["import", "axfr", "one.example", &server, "--tls", name, "--tls-ca", &ca];
        let output = run_in(made.path(), &args);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", printed(&output));
        assert_eq!(printed(&output).contains("certificate"), code == 1, "{}", printed(&output));
    }
}

/// A file that may lack updates, and one that is no text, are not moved in silence.
fn a_journal_is_told(peer: &Peer) {
    let made = tempfile::tempdir().unwrap();
    std::fs::write(peer.dir.join("one.example.zone.jnl"), "journal").unwrap();
    std::fs::write(peer.dir.join("parts.example.zone"), b"\0\0\0\x02\0\0\0\x01").unwrap();
    let conf = peer.dir.join("conf");
    let output = run_in(made.path(), &["import", "named", conf.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    for part in [
        "rndc freeze one.example.",
        "named-compilezone -f raw -F text",
        "# name = \"parts.example.\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_nsd_serves_gapura_serves_after_the_move() {
    if !peers::are_here(&[Program::Nsd, Program::Knot]) {
        return;
    }
    let mut moving = Move::new(Program::Nsd);
    let (root, port) = (moving.peer.dir.display().to_string(), moving.peer.address.port());
    let old = format!("{}@{}", moving.old.address.ip(), moving.old.address.port());
    let Key { name, algorithm, secret } = Key::ARMADA;
    std::fs::create_dir(moving.peer.dir.join("more")).unwrap();
    std::fs::write(
        moving.peer.dir.join("more/key.conf"),
        format!("key:\n  name: {name}\n  algorithm: {algorithm}\n  secret: \"{secret}\"\n"),
    )
    .unwrap();
    let conf = format!(
        "server:\n  server-count: 1\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n  zonesdir: \"{root}\"\n  \
         database: \"\"\n  pidfile: \"{root}/nsd.pid\"\n  xfrdfile: \"{root}/xfrd.state\"\n  xfrdir: \"{root}\"\n  \
         zonelistfile: \"{root}/zone.list\"\n  logfile: \"{root}/log\"\n  rrl-ratelimit: 0\n\
         remote-control:\n  control-enable: no\ninclude: \"{root}/more/*.conf\"\n\
         pattern:\n  name: own\n  zonefile: \"%s.zone\"\n  provide-xfr: 127.0.0.1 NOKEY\n  \
         provide-xfr: 127.0.0.1 {name}\n\
         zone:\n  name: one.example\n  include-pattern: own\n\
         zone:\n  name: parts.example\n  include-pattern: own\n\
         zone:\n  name: old.example\n  request-xfr: {old} {name}\n  allow-notify: 127.0.0.1 {name}\n  \
         provide-xfr: 127.0.0.1 NOKEY\n"
    );
    let tables = moving.compare(&conf, &["nsd-checkconf", "CONF"], "nsd");
    assert!(
        tables.contains("ip-address") || tables.contains("NSD listens on 127.0.0.1@"),
        "{tables}"
    );
}

#[test]
fn what_knot_serves_gapura_serves_after_the_move() {
    if !peers::are_here(&[Program::Nsd, Program::Knot]) {
        return;
    }
    let mut moving = Move::new(Program::Knot);
    let (root, port) = (moving.peer.dir.display().to_string(), moving.peer.address.port());
    let (ip, from) = (moving.old.address.ip(), moving.old.address.port());
    let Key { name, algorithm, secret } = Key::ARMADA;
    let conf = format!(
        "server:\n  rundir: {root}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n\
         database:\n  storage: {root}/db\nlog:\n  - target: {root}/log\n    any: info\n\
         key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n\
         remote:\n  - id: old\n    address: {ip}@{from}\n    key: {name}\n\
         acl:\n  - id: here\n    address: [127.0.0.1, 192.0.2.0/24]\n    action: transfer\n\
         template:\n  - id: default\n    storage: {root}\n    file: \"%s.zone\"\n    zonefile-load: difference\n    \
         acl: here\n\
         zone:\n  - domain: one.example\n  - domain: parts.example\n  - domain: old.example\n    master: old\n    \
         file: old.db\n"
    );
    let tables = moving.compare(&conf, &["knotc", "-c", "CONF", "conf-check"], "knot");
    assert!(tables.contains("name = \"old\""), "the names of remotes stay: {tables}");
}
