//! No permission is wider after the move, and no zone is for more clients than it was.

use super::*;

/// Who may change the zone at this place: `KEY NAMES TYPES`.
fn grants(settings: &Settings, at: usize) -> Vec<String> {
    let line = |it: &crate::config::UpdateGrant| {
        format!("{} {} {}", it.key, it.names.join(" "), it.types.join(" ")).trim_end().to_owned()
    };
    settings.zones[at].update.iter().map(line).collect()
}

/// The names of the zones that are not comments.
fn served(settings: &Settings) -> Vec<&str> {
    settings.zones.iter().map(|it| it.name.get_ref().as_str()).collect()
}

//------------ named ---------------------------------------------------------

#[test]
fn a_policy_of_named_stands_in_the_place_of_an_inherited_list() {
    let text = format!(
        "{KEY}key other {{ algorithm hmac-sha256; secret \"c2VjcmV0\"; }};\n\
         options {{ allow-update {{ key armada; }}; }};\n\
         zone \"a.example\" {{ type primary; file \"a\"; \
         update-policy {{ grant other name www.a.example. A; }}; }};\n\
         zone \"b.example\" {{ type primary; file \"b\"; }};\n"
    );
    let (_, settings, _) = imported(Program::Named, &[("/n.conf", &text)]);
    assert_eq!(grants(&settings, 0), ["other. www A"]);
    assert_eq!(grants(&settings, 1), ["armada. @ *"]);
}

#[test]
fn an_asterisk_of_named_is_any_labels_in_its_rule_wildcard_alone() {
    let text = format!(
        "{KEY}zone \"a.example\" {{ type primary; file \"a\"; update-policy {{\n\
         grant armada name *.a.example. A;\ngrant armada subdomain *.w.a.example. A;\n\
         grant armada subdomain a.example. A;\ngrant armada wildcard *.dyn.a.example. A;\n\
         grant armada wildcard *.*.a.example. A;\ngrant armada wildcard www.a.example. A;\n}}; }};\n"
    );
    let (_, settings, notes) = imported(Program::Named, &[("/n.conf", &text)]);
    assert_eq!(
        grants(&settings, 0),
        [
            "armada. \\* A",
            "armada. \\*.w *.\\*.w A",
            "armada. @ * A",
            "armada. *.dyn A",
            "armada. *.\\* A",
        ]
    );
    told(&notes, &["\"grant armada wildcard www.a.example. A\" is not taken over"]);
}

#[test]
fn a_zone_of_named_for_some_clients_is_a_comment() {
    let (text, settings, notes) = imported(
        Program::Named,
        &[(
            "/n.conf",
            "acl all { any; };\noptions { allow-query { 10.0.0.0/8; }; };\n\
             zone \"inherits.example\" { type primary; file \"a\"; };\n\
             zone \"open.example\" { type primary; file \"b\"; allow-query { any; }; };\n\
             zone \"also.example\" { type primary; file \"b\"; allow-query { 10.0.0.1; all; }; };\n\
             zone \"not.example\" { type primary; file \"c\"; allow-query { !192.0.2.1; any; }; };\n\
             zone \"on.example\" { type primary; file \"d\"; allow-query { any; }; \
             allow-query-on { 10.0.0.53; }; };\n\
             zone \"second.example\" { type secondary; primaries { 192.0.2.1; }; \
             allow-query { none; }; };\n",
        )],
    );
    assert_eq!(served(&settings), ["open.example.", "also.example."]);
    for name in ["inherits", "not", "on", "second"] {
        assert!(text.contains(&format!("# name = \"{name}.example.\"\n")), "{name}: {text}");
    }
    told(
        &notes,
        &[
            "/n.conf:2: allow-query { 10.0.0.0/8; }: only some clients could ask",
            "allow-query-on { 10.0.0.53; }: only some clients could ask",
        ],
    );
    let (text, settings, _) = imported(
        Program::Named,
        &[(
            "/n.conf",
            "view most { match-clients { !10.0.0.0/8; any; }; \
             zone \"a.example\" { type primary; file \"a\"; }; };\n\
             view all { match-clients { any; }; zone \"b.example\" { type primary; file \"b\"; }; };\n",
        )],
    );
    assert_eq!(served(&settings), ["b.example."]);
    assert!(text.contains("# name = \"a.example.\"\n"), "{text}");
}

//------------ nsd -----------------------------------------------------------

#[test]
fn what_nsd_gives_to_some_alone_is_not_given_to_others() {
    let (text, settings, notes) = imported(
        Program::Nsd,
        &[(
            "/nsd.conf",
            "zone:\n name: a.example\n zonefile: a\n provide-xfr: 192.0.2.1 NOKEY office\n \
             provide-xfr: 192.0.2.2 NOKEY\n\
             zone:\n name: b.example\n zonefile: b\n allow-query: 10.0.0.0/8 NOKEY\n\
             zone:\n name: c.example\n zonefile: c\n allow-query: 0.0.0.0/0 NOKEY\n \
             allow-query: ::/0 NOKEY\n\
             zone:\n name: d.example\n zonefile: d\n allow-query: 0.0.0.0/0 NOKEY\n \
             allow-query: ::/0 NOKEY\n allow-query: 192.0.2.9 BLOCKED\n",
        )],
    );
    assert_eq!(served(&settings), ["a.example.", "c.example."]);
    assert_eq!(settings.zones[0].transfer, ["192.0.2.2"]);
    for name in ["b", "d"] {
        assert!(text.contains(&format!("# name = \"{name}.example.\"\n")), "{name}: {text}");
    }
    told(
        &notes,
        &[
            "provide-xfr 192.0.2.1 is not taken over: it is for TLS clients alone (office)",
            "/nsd.conf:9: allow-query 10.0.0.0/8 NOKEY: only some clients could ask",
        ],
    );
}

#[test]
fn what_nsd_transfers_by_tls_alone_is_not_given_by_address() {
    let (_, settings, notes) = imported(
        Program::Nsd,
        &[(
            "/nsd.conf",
            "server:\n tls-auth-port: 853\n tls-auth-xfr-only: yes\n\
             zone:\n name: a.example\n zonefile: a\n provide-xfr: 192.0.2.1 NOKEY\n",
        )],
    );
    assert!(settings.zones[0].transfer.is_empty());
    told(&notes, &["it is for TLS clients alone (tls-auth-xfr-only)"]);
}

//------------ knot ----------------------------------------------------------

#[test]
fn owners_of_knot_fit_as_they_did() {
    let acl = |items: &str| {
        let text = format!(
            "key:\n  - id: armada\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n\
             acl:\n  - id: change\n    key: armada\n    action: update\n{items}\
             zone:\n  - domain: a.example\n    acl: change\n"
        );
        let (_, settings, notes) = imported(Program::Knot, &[("/k.conf", &text)]);
        (grants(&settings, 0), notes)
    };
    let named = |fit: &str, owner: &str| {
        acl(&format!(
            "    update-owner: name\n    update-owner-match: {fit}\n    update-owner-name: [ \"{owner}\" ]\n"
        ))
    };
    let zone =
        |fit: &str| acl(&format!("    update-owner: zone\n    update-owner-match: {fit}\n")).0;
    assert_eq!(acl("").0, ["armada. @ *"]);
    assert_eq!(acl("    update-owner: zone\n").0, ["armada. @ *"]);
    assert_eq!(zone("equal"), ["armada. @"]);
    assert_eq!(zone("sub"), ["armada. *"]);
    assert_eq!(zone("sub-or-equal"), ["armada. @ *"]);
    assert_eq!(zone("pattern"), ["armada. @"]);
    assert_eq!(named("equal", "*").0, ["armada. \\*"]);
    assert_eq!(named("sub", "*.w").0, ["armada. *.\\*.w"]);
    assert_eq!(named("pattern", "www").0, ["armada. www"]);
    let (grants, notes) = named("pattern", "_acme-challenge.*");
    assert!(grants.is_empty(), "{grants:?}");
    told(
        &notes,
        &["updates by update-owner-match pattern of _acme-challenge.* are not taken over"],
    );
}

#[test]
fn a_remote_of_knot_with_a_certificate_may_not_come_without_one() {
    for (item, is_spoken_to) in [
        ("tls: on\n    cert-hostname: ns.example", true),
        ("quic: on\n    cert-hostname: ns.example", true),
        ("cert-key: AAAA", true),
        ("tls: on", false),
        ("tls: off", true),
    ] {
        let text = format!(
            "server:\n    automatic-acl: on\n\
             remote:\n  - id: sure\n    address: 192.0.2.1\n    {item}\n\
             acl:\n  - id: give\n    remote: sure\n    action: transfer\n\
             zone:\n  - domain: a.example\n    notify: sure\n\
             \x20 - domain: b.example\n    acl: give\n"
        );
        let (text, settings, notes) = imported(Program::Knot, &[("/k.conf", &text)]);
        let is_plain = item == "tls: off";
        for zone in &settings.zones {
            assert_eq!(!zone.transfer.is_empty(), is_plain, "{item}: {text}");
        }
        assert_eq!(!settings.zones[0].notify.is_empty(), is_spoken_to, "{item}: {text}");
        if !is_plain {
            let of_it = "remote sure may not have the zone here";
            let count = notes.iter().filter(|note| note.contains(of_it)).count();
            assert_eq!(count, 2, "{item}: {notes:#?}");
        }
    }
}

#[test]
fn a_list_of_knot_for_queries_is_about_catalogs_and_signed_ones() {
    let (text, settings, notes) = imported(
        Program::Knot,
        &[(
            "/k.conf",
            "remote:\n  - id: ns2\n    address: 192.0.2.2\n\
             acl:\n  - id: ask\n    address: 10.0.0.0/8\n    action: query\n\
             zone:\n  - domain: a.example\n    acl: ask\n\
             \x20 - domain: cat.example\n    master: ns2\n    catalog-role: interpret\n    acl: ask\n",
        )],
    );
    assert_eq!(served(&settings), ["a.example."]);
    assert!(text.contains("# name = \"cat.example.\"\n"), "{text}");
    told(&notes, &["Knot looks at it for signed ones alone", "only some clients could ask"]);
}

#[test]
fn case_and_comments_of_named_change_nothing() {
    let text = format!(
        "{KEY}zone \"a.example\" {{ type primary; file \"A\"; allow-query// x\n{{ 10.0.0.0/8; }}; }};\n\
         zone \"b.example\" {{ type secondary; file \"b\"; primaries {{ 192.0.2.8 KEY armada; }};\n\
         allow-transfer PORT 853 TRANSPORT tls {{ 192.0.2.9; }}; }};\n\
         zone \"c.example\" {{ type primary; file \"c\"; allow-transfer port 853 {{ 192.0.2.9; }}; }};\n"
    );
    let (_, settings, notes) = imported(Program::Named, &[("/n.conf", &text)]);
    assert_eq!(served(&settings), ["b.example.", "c.example."]);
    assert!(settings.zones.iter().all(|it| it.transfer.is_empty()), "{settings:?}");
    assert_eq!(remotes(&settings), ["192.0.2.8: 192.0.2.8 [armada.]"]);
    told(&notes, &["by tls only", "on port 853 only"]);
}

#[test]
fn case_of_nsd_changes_nothing_and_a_block_that_does_not_read_blocks_all() {
    let text = "zone:\n name: a.example\n zonefile: a\n Allow-Query: 10.0.0.0/8 NOKEY\n\
                zone:\n name: b.example\n zonefile: b\n provide-xfr: 10.0.0.0/8 NOKEY\n \
                provide-xfr: 10.0.0.5&255.0.255.0 BLOCKED\n";
    let (_, settings, notes) = imported(Program::Nsd, &[("/nsd.conf", text)]);
    assert_eq!(served(&settings), ["b.example."]);
    assert!(settings.zones[0].transfer.is_empty(), "{notes:?}");
}

#[test]
fn a_zone_behind_a_list_of_clients_of_knots_is_a_comment() {
    let text = "mod-queryacl:\n  - id: inside\n    address: 10.0.0.0/8\n\
                template:\n  - id: default\n    global-module: mod-queryacl/inside\n  - id: own\n\
                zone:\n  - domain: a.example\n    template: own\n";
    let (_, settings, _) = imported(Program::Knot, &[("/knot.conf", text)]);
    assert_eq!(served(&settings), [""; 0]);
}

//------------ Limits --------------------------------------------------------

#[test]
fn zones_whose_lists_are_too_much_for_one_import_are_left_out_and_told() {
    let addresses: Vec<String> =
        (0..2_000).map(|at| format!("10.0.{}.{}", at / 250, at % 250)).collect();
    let zone = |name: &str, list: &str| {
        format!("zone \"{name}\" {{ type primary; file \"z\"; allow-transfer {{ {list} }}; }};\n")
    };
    // Each of the addresses within all of them.
    let named = format!(
        "acl big {{ {}; }};\n{}{}{}",
        addresses.join("; "),
        zone("a.example", "10.0.0.1;"),
        zone("b.example", "!{ !big; any; }; big;"),
        zone("c.example", "10.0.0.1;"),
    );
    let keys: String = (0..2_000).map(|at| format!("k{at}.,")).collect();
    let knot = format!(
        "acl:\n  - id: small\n    address: 10.0.0.1\n    action: transfer\n  - id: big\n    address: [{}]\n    \
         key: [{}]\n    action: transfer\nzone:\n  - domain: a.example\n    acl: small\n  - domain: b.example\n    \
         acl: big\n  - domain: c.example\n    acl: small\n",
        addresses.join(", "),
        keys.trim_end_matches(','),
    );
    for (program, path, text) in
        [(Program::Named, "/n.conf", named), (Program::Knot, "/knot.conf", knot)]
    {
        let (_, settings, notes) = imported(program, &[(path, &text)]);
        assert_eq!(served(&settings), ["a.example."], "{path}");
        for zone in ["b.example.", "c.example."] {
            let wanted = format!("zone {zone} is left out: up to it, the lists of all zones");
            assert!(notes.iter().any(|note| note.contains(&wanted)), "{path} {zone} {notes:?}");
        }
    }
}
