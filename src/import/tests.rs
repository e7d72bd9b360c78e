//! Settings of the three servers, from memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::Settings;

mod narrow;

/// Files in memory.
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &Path, max: usize) -> Result<Vec<u8>, String> {
        let found = self.0.get(path).ok_or("there is no such file")?;
        if found.len() > max { Err("too long".to_owned()) } else { Ok(found.clone()) }
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, String> {
        let inside = self.0.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.parent() == Some(path))
    }
}

/// Every zone file is where it was, and every secret is printed.
struct AsItWas;

impl Printed for AsItWas {
    fn zone_file(&self, zone: &Zone) -> (Option<PathBuf>, Vec<String>) {
        match &zone.content {
            Content::File { path, .. } => (Some(path.clone()), Vec::new()),
            _ => (None, Vec::new()),
        }
    }

    fn is_lenient(&self, _: &Zone) -> bool {
        false
    }

    fn secret_file(&self, _: &Key) -> Option<PathBuf> {
        None
    }
}

/// What comes of the first of these files: the settings, as text and read, and all notes.
#[track_caller]
fn imported(program: Program, files: &[(&str, &str)]) -> (String, Settings, Vec<String>) {
    let memory = files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
    let imported = read(program, Path::new(files[0].0), &Memory(memory.collect())).unwrap();
    let text = tables(&imported, &AsItWas);
    let settings = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let of_zones = imported.zones.iter().flat_map(|zone| &zone.notes);
    let notes = imported.notes.iter().chain(of_zones).map(ToString::to_string).collect();
    (text, settings, notes)
}

/// The zones of settings: `NAME FILE`, primaries, transfer and notify.
fn zones(settings: &Settings) -> Vec<String> {
    let line = |it: &crate::config::ZoneSettings| {
        let (file, name) = (it.file.display(), it.name.get_ref());
        format!("{name} {file} {:?} {:?} {:?}", it.primaries, it.transfer, it.notify)
    };
    settings.zones.iter().map(line).collect()
}

/// The remotes of settings: `NAME ADDRESS… [KEY]`.
fn remotes(settings: &Settings) -> Vec<String> {
    let line = |it: &crate::config::RemoteSettings| {
        let key = if it.key.is_empty() { String::new() } else { format!(" [{}]", it.key) };
        format!("{}: {}{key}", it.name.get_ref(), it.addresses.join(" "))
    };
    settings.remotes.iter().map(line).collect()
}

/// Whether a note says this.
#[track_caller]
fn told(notes: &[String], parts: &[&str]) {
    for part in parts {
        assert!(notes.iter().any(|note| note.contains(part)), "no note {part:?} in {notes:#?}");
    }
}

//------------ named ---------------------------------------------------------

/// A key as BIND writes it.
const KEY: &str = "key \"armada\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n";

#[test]
fn zones_lists_and_keys_of_named_become_tables() {
    let (_, settings, notes) = imported(
        Program::Named,
        &[
            (
                "/etc/bind/named.conf",
                "// Zones.\noptions { directory \"/var/cache/bind\"; recursion no; };\n\
                 include \"/etc/bind/more.conf\";\n\
                 primaries old port 5353 { 192.0.2.1; 2001:db8::1 port 53 key armada; };\n\
                 zone \"A.Example\" IN { type master; file \"a.zone\"; /* all\n of it */ \
                 also-notify { 192.0.2.2 port 5300 key armada; }; \
                 allow-transfer { 192.0.2.2; key armada; 198.51.100.0/24; 10/8; }; };\n\
                 zone \"b.example.\" { Type Slave; primaries { Old; }; file \"b\"; };\n\
                 zone \"c.example\" { type primary; file \"/srv/c\"; allow-transfer { none; }; \
                 update-policy { grant armada name _acme-challenge.c.example. TXT; grant armada zonesub A AAAA; }; };\n\
                 zone \".\" { type hint; file \"root\"; };\n\
                 zone \"version.bind\" CH { type primary; file \"x\"; };\n",
            ),
            ("/etc/bind/more.conf", KEY),
        ],
    );
    assert_eq!(
        zones(&settings),
        [
            "a.example. /var/cache/bind/a.zone [] [\"192.0.2.2 2\", \"key armada\", \"networks\"] [\"192.0.2.2\"]",
            "b.example.  [\"192.0.2.1\", \"2001:db8::1\"] [] []",
            "c.example. /srv/c [] [] []",
        ]
    );
    assert_eq!(
        remotes(&settings),
        [
            "192.0.2.2: 192.0.2.2:5300 [armada.]",
            "192.0.2.1: 192.0.2.1:5353",
            "2001:db8::1: 2001:db8::1 [armada.]",
            "192.0.2.2 2: 192.0.2.2",
            "key armada: 0.0.0.0/0 ::/0 [armada.]",
            "networks: 198.51.100.0/24 10.0.0.0/8",
        ]
    );
    let grants = &settings.zones[2].update;
    assert_eq!(
        (grants[0].names.join(" "), grants[0].types.join(" ")),
        ("_acme-challenge".into(), "TXT".into())
    );
    assert_eq!(
        (grants[1].names.join(" "), grants[1].types.join(" ")),
        ("@ *".into(), "A AAAA".into())
    );
    told(
        &notes,
        &[
            "/etc/bind/named.conf:2: recursion no",
            "zone . of type hint is left out",
            "its class is ch",
            "zone b.example. has no allow-transfer",
        ],
    );
}

#[test]
fn no_list_of_named_becomes_wider_than_it_was() {
    let list = |list: &str| {
        let text = format!(
            "{KEY}acl inside {{ 10.1.0.0/16; !10.1.2.3; 10.2.0.0/16; }};\n\
             key weak {{ algorithm hmac-md5; secret \"c2VjcmV0\"; }};\n\
             zone \"a.example\" {{ type primary; file \"a\"; allow-transfer {{ {list} }}; }};\n"
        );
        let (_, settings, notes) = imported(Program::Named, &[("/n.conf", &text)]);
        let may = settings.zones[0].transfer.clone();
        let may = settings.remotes.iter().filter(|it| may.contains(it.name.get_ref()));
        let may: Vec<String> =
            may.map(|it| format!("{} {}", it.addresses.join(" "), it.key)).collect();
        (may.join("; "), notes)
    };
    // What stands behind an exception would let in more.
    assert_eq!(list("192.0.2.1; !192.0.2.2; 192.0.2.0/24;").0, "192.0.2.1 ");
    told(&list("192.0.2.1; !192.0.2.2; 192.0.2.0/24;").1, &["gapura has no exceptions"]);
    assert_eq!(list("inside; 192.0.2.9;").0, "10.1.0.0/16 ");
    assert_eq!(list("!any; 192.0.2.9;").0, "");
    assert_eq!(list("none; 192.0.2.9;").0, "");
    // Address and key, as BIND's manual tells it.
    assert_eq!(list("!{ !192.0.2.0/24; any; }; key armada;").0, "192.0.2.0/24 armada.");
    assert_eq!(list("!{ !192.0.2.0/24; any; }; 192.0.2.7; 10.0.0.0/8;").0, "192.0.2.7 ");
    // A key that cannot be had opens nothing.
    let (may, notes) = list("key weak; key unknown;");
    assert_eq!(may, "");
    told(&notes, &["key weak uses hmac-md5", "transfers with key unknown. are not taken over"]);
    told(&list("nowhere;").1, &["there is no acl \"nowhere\""]);
    told(&list("localnets;").1, &["localnets is not taken over"]);
}

#[test]
fn views_and_policies_of_named_are_told() {
    let (text, settings, notes) = imported(
        Program::Named,
        &[(
            "/n.conf",
            "dnssec-policy office { keys { ksk lifetime P1Y algorithm 13; zsk lifetime 90d algorithm ecdsa256; }; \
             nsec3param iterations 0; signatures-validity P10D; max-zone-ttl 1d; };\n\
             view inside { match-clients { 10.0.0.0/8; }; zone \"a.example\" { type primary; file \"inside\"; }; \
             zone \"only.example\" { type primary; file \"only\"; }; };\n\
             view outside { match-clients { any; }; zone \"a.example\" { type primary; file \"outside\"; \
             dnssec-policy office; key-directory \"keys\"; forwarders { }; }; \
             zone \"b.example\" { in-view inside; }; };\n",
        )],
    );
    let files: Vec<_> = settings.zones.iter().map(|it| it.file.display().to_string()).collect();
    assert_eq!(files, ["/outside"]);
    assert!(text.contains("# name = \"only.example.\"\n"), "it was for some clients: {text}");
    let policy = &settings.signings[0];
    assert_eq!(policy.name.get_ref(), "office");
    assert_eq!((policy.zsk_days, policy.ksk_days, policy.lifetime_days), (90, 365, 10));
    assert!(text.contains("keys = \"ksk+zsk\"\ndenial = \"nsec3\"\n"), "{text}");
    assert!(
        text.contains("# signing = \"office\""),
        "not signed before its keys are there: {text}"
    );
    told(
        &notes,
        &[
            "view inside: gapura answers every client alike",
            "zone a.example. of view inside is left out: it is taken from view outside",
            "algorithm ecdsa256 is none of gapura's",
            "`gapura key import a.example. FILE…` (K*.key and K*.private in /keys)",
            "forwarders { } is not taken over",
            "max-zone-ttl 1d is not taken over",
        ],
    );
}

#[test]
fn a_file_of_named_that_does_not_read_is_told_with_its_line() {
    let files = |text: &str| Memory(BTreeMap::from([("/n.conf".into(), text.as_bytes().to_vec())]));
    for (text, line) in [
        ("zone \"a\" {\n type primary;\n", 2),
        ("options { };\n}\n", 2),
        ("\n/* never\n", 2),
        ("zone \"a\n", 1),
        ("include \"/n.conf\";\n", 1),
        ("\n\ninclude \"/gone\";\n", 3),
        (&"{".repeat(100), 1),
    ] {
        let fault = read(Program::Named, Path::new("/n.conf"), &files(text)).unwrap_err();
        assert_eq!(fault.place.line, line, "{text}: {fault}");
    }
}

//------------ nsd -----------------------------------------------------------

#[test]
fn patterns_and_zones_of_nsd_become_tables() {
    let (_, settings, notes) = imported(
        Program::Nsd,
        &[
            (
                "/etc/nsd/nsd.conf",
                "server:\n  zonesdir: \"/srv/zones\"\n  zonelistfile: \"/srv/list\"\n  hide-version: yes\n\
                 include: \"conf.d/*.conf\"\n",
            ),
            (
                "/etc/nsd/conf.d/a.conf",
                "key:\n name: armada\n algorithm: hmac-sha512\n secret: \"c2VjcmV0\" # and no more\n\
                 pattern: name: out\n  zonefile: \"%y/%1/%s.zone\"\n  notify: 192.0.2.2@5300 armada\n  \
                 provide-xfr: 192.0.2.2 armada\n  provide-xfr: 198.51.100.0&255.255.255.0 NOKEY\n  zonestats: \"%s\"\n\
                 zone:\n name: a.desa.example\n include-pattern: out\n\
                 zone:\n name: b.example\n request-xfr: AXFR 2001:db8::1 NOKEY\n allow-notify: 2001:db8::1 NOKEY\n\
                 zone:\n name: c.example\n zonefile: c\n provide-xfr: 10.0.0.0/8 NOKEY\n provide-xfr: 10.9.0.0/16 BLOCKED\n",
            ),
            ("/etc/nsd/conf.d/b.txt", "nonsense\n"),
            ("/srv/list", "# NSD zone list\n# name pattern\nadd added.example out\n"),
        ],
    );
    assert_eq!(
        zones(&settings),
        [
            "a.desa.example. /srv/zones/desa/a/a.desa.example.zone [] [\"192.0.2.2\", \"198.51.100.0/24\"] [\"192.0.2.2\"]",
            "b.example.  [\"2001:db8::1\"] [] []",
            "c.example. /srv/zones/c [] [] []",
            "added.example. /srv/zones/added/a/added.example.zone [] [\"192.0.2.2\", \"198.51.100.0/24\"] [\"192.0.2.2\"]",
        ]
    );
    assert_eq!(
        remotes(&settings),
        [
            "192.0.2.2: 192.0.2.2:5300 [armada.]",
            "2001:db8::1: 2001:db8::1",
            "198.51.100.0/24: 198.51.100.0/24",
        ]
    );
    told(
        &notes,
        &[
            "/etc/nsd/nsd.conf:4: server: hide-version: yes is not taken over",
            "10.9.0.0/16 was BLOCKED",
            "zonestats: %s is not taken over",
        ],
    );
}

//------------ knot ----------------------------------------------------------

#[test]
fn templates_and_zones_of_knot_become_tables() {
    let (text, settings, notes) = imported(
        Program::Knot,
        &[
            (
                "/etc/knot/knot.conf",
                "# Knot\nserver:\n    listen: [ 127.0.0.1@5353, ::1@5353 ]\n    automatic-acl: on\n\
                 include: \"conf.d\"\n\
                 remote:\n  - id: ns2\n    address: [ 192.0.2.2@5300, 2001:db8::2 ]\n    key: armada\n\
                 \x20 - id: ns3\n    address: 192.0.2.3\n\
                 remotes:\n  - id: both\n    remote: [ns2,\n      ns3]\n\
                 acl:\n  - id: office\n    address: [ 10.0.0.0/8, 192.0.2.8-192.0.2.9 ]\n    action: [transfer, notify]\n\
                 \x20 - id: acme\n    key: armada\n    action: update\n    update-owner: name\n    \
                 update-owner-match: sub-or-equal\n    update-owner-name: [ _acme-challenge ]\n    update-type: [ TXT ]\n\
                 policy:\n  - id: strong\n    algorithm: ed25519\n    single-type-signing: on\n    nsec3: on\n    ksk-lifetime: 365d\n\
                 template:\n  - id: default\n    storage: \"/var/lib/knot\"\n    file: \"%l[0]/%s.zone\"\n    \
                 semantic-checks: on\n\
                 \x20 - id: signed\n    storage: /srv\n    dnssec-signing: on\n    dnssec-policy: strong\n\
                 zone:\n  - domain: a.example\n    notify: both\n    acl: [office, acme]\n\
                 \x20 - domain: b.example.\n    template: signed\n    file: \"b\\\"b\"\n    serial-policy: unixtime\n\
                 \x20 - domain: c.example\n    master: [ns2]\n    catalog-role: interpret\n\
                 \x20 - domain: cat.example\n    catalog-role: generate\n\
                 \x20 - domain: d.example\n    file: /srv/d\n    catalog-role: member\n    catalog-zone: cat.example\n",
            ),
            (
                "/etc/knot/conf.d/keys.conf",
                "key:\n  - id: armada\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n",
            ),
        ],
    );
    assert_eq!(
        zones(&settings),
        [
            "a.example. /var/lib/knot/example/a.example.zone [] [\"ns2\", \"ns3\", \"office\"] [\"ns2\", \"ns3\"]",
            "b.example. /srv/b\"b [] [] []",
            "c.example.  [\"ns2\"] [] []",
            "cat.example.  [] [] []",
            "d.example. /srv/d [] [] []",
        ]
    );
    assert_eq!(
        remotes(&settings),
        [
            "ns2: 192.0.2.2:5300 2001:db8::2 [armada.]",
            "ns3: 192.0.2.3",
            "office: 10.0.0.0/8 192.0.2.8/31",
        ]
    );
    let grant = &settings.zones[0].update[0];
    assert_eq!(
        (grant.names.join(" "), grant.types.join(" ")),
        ("_acme-challenge *._acme-challenge".into(), "TXT".into())
    );
    assert!(settings.zones[2].consume);
    assert_eq!(settings.zones[4].catalog, "cat.example.");
    let policy = &settings.signings[0];
    assert_eq!((policy.algorithm.as_str(), policy.ksk_days), ("ed25519", 365));
    assert!(text.contains("# signing = \"strong\""), "{text}");
    told(
        &notes,
        &["/etc/knot/knot.conf:3: Knot listens on 127.0.0.1@5353, ::1@5353", "semantic-checks: on"],
    );
}

#[test]
fn what_an_acl_of_knot_denies_stays_denied() {
    let (_, settings, notes) = imported(
        Program::Knot,
        &[(
            "/k.conf",
            "acl:\n  - id: not\n    address: 10.1.0.0/16\n    action: transfer\n    deny: on\n\
             \x20 - id: yes\n    address: 10.0.0.0/8\n    action: transfer\n\
             \x20 - id: first\n    address: 192.0.2.0/24\n    action: transfer\n\
             zone:\n  - domain: a.example\n    acl: [first, not, yes]\n",
        )],
    );
    assert_eq!(settings.zones[0].transfer, ["first"]);
    told(&notes, &["acl not denies"]);
}

#[test]
fn lists_that_name_each_other_again_and_again_have_an_end() {
    // Each names the next one twice: a billion elements.
    let chain = |line: &dyn Fn(usize) -> String| (0..30).map(line).collect::<String>();
    let acls = chain(&|at| format!("acl a{at} {{ a{0}; a{0}; }};\n", at + 1));
    let primaries = chain(&|at| format!("primaries p{at} {{ p{0}; p{0}; }};\n", at + 1));
    let named = format!(
        "{acls}{primaries}acl a30 {{ 192.0.2.1; }};\nprimaries p30 {{ 192.0.2.1; }};\n\
         zone \"a.example\" {{ type primary; file \"a\"; allow-transfer {{ a0; }}; }};\n\
         zone \"b.example\" {{ type secondary; file \"b\"; primaries {{ p0; }}; }};\n"
    );
    let (_, _, notes) = imported(Program::Named, &[("/n.conf", &named)]);
    told(&notes, &["the list is too long"]);
    let patterns = chain(&|at| {
        format!("pattern:\n name: p{at}\n include-pattern: p{0}\n include-pattern: p{0}\n", at + 1)
    });
    let nsd = format!(
        "{patterns}pattern:\n name: p30\n provide-xfr: 192.0.2.1 NOKEY\n\
         zone:\n name: a.example\n zonefile: a\n include-pattern: p0\n"
    );
    let (_, _, notes) = imported(Program::Nsd, &[("/nsd.conf", &nsd)]);
    told(&notes, &["zone a.example is left out: it has too many attributes"]);
}

#[test]
fn a_policy_with_two_algorithms_is_one_table_that_reads() {
    let text = "dnssec-policy both { keys { ksk lifetime unlimited algorithm 8; zsk lifetime P30D algorithm 8; \
                ksk lifetime unlimited algorithm 13; zsk lifetime P30D algorithm 13; }; };\n\
                zone \"a.example\" { type primary; file \"a\"; dnssec-policy both; };\n";
    let (text, settings, notes) = imported(Program::Named, &[("/n.conf", text)]);
    assert_eq!(text.matches("zsk_days").count(), 1, "{text}");
    assert_eq!(settings.signings.len(), 1);
    told(&notes, &["of several algorithms, ecdsap256sha256 is taken over"]);
}
