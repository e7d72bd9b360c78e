//! `policy` of knot.conf: how a zone is signed.

use std::collections::BTreeMap;

use super::scan::Group;
use super::seconds;
use crate::dnssec::Algorithm;
use crate::import::Item;
use crate::import::draft::Draft;
use crate::import::model::Signing;

/// What of a policy has no counterpart, and why.
const TOLD: &[(&str, &str)] = &[
    ("keystore", "gapura keeps private keys as files in its state directory"),
    ("ksk-shared", "gapura has keys of its own for each zone"),
    ("ksk-size", "sizes of RSA keys are those of the keys that are imported"),
    ("zsk-size", "sizes of RSA keys are those of the keys that are imported"),
    ("ksk-submission", "gapura asks the parent's servers itself"),
    ("ds-push", "gapura sends no updates to the parent"),
    ("nsec3-iterations", "gapura makes none more (RFC 9276)"),
    ("nsec3-salt-length", "gapura takes no salt (RFC 9276)"),
    ("nsec3-salt-lifetime", "gapura takes no salt (RFC 9276)"),
    ("nsec3-opt-out", "gapura signs every delegation (RFC 9276)"),
    ("signing-threads", "gapura takes as many as there are cores"),
    ("offline-ksk", "gapura needs the key that signs the keys"),
];

/// The policy of Knot that a zone has whose settings name none.
pub(super) fn usual() -> Signing {
    Signing {
        name: "knot".to_owned(),
        is_split: true,
        numbers: BTreeMap::from([("zsk_days", 30)]),
        ..Signing::default()
    }
}

/// One policy.
pub(super) fn policy(group: &Group, draft: &mut Draft) -> Signing {
    let mut signing =
        Signing { name: group.get("id").to_owned(), is_split: true, ..Signing::default() };
    if signing.name == "default" {
        "knot".clone_into(&mut signing.name);
    }
    let mut has_zsk_days = false;
    for item in &group.items {
        has_zsk_days |= item.name == "zsk-lifetime";
        take(item, &mut signing, draft);
    }
    if !has_zsk_days && signing.is_split {
        signing.numbers.insert("zsk_days", 30);
    }
    signing
}

/// One item of a policy.
fn take(item: &Item, signing: &mut Signing, draft: &mut Draft) {
    let mut number = |name: &'static str, unit: u64, draft: &mut Draft| match seconds(item.value())
    {
        Some(seconds) => {
            signing.numbers.insert(name, seconds.div_ceil(unit));
        }
        None => draft.note(&item.place, format!("{}: \"{}\" is no time", item.name, item.value())),
    };
    match item.name.as_str() {
        "id" | "comment" => {}
        "algorithm" => match item.value().to_ascii_lowercase().parse::<Algorithm>() {
            Ok(algorithm) => signing.algorithm = Some(algorithm.to_string()),
            Err(_) => draft.note(
                &item.place,
                format!(
                    "algorithm {} is none of gapura's: docs/signing.md, Policies",
                    item.value()
                ),
            ),
        },
        "single-type-signing" => signing.is_split = !item.is_on(),
        "nsec3" => signing.is_nsec3 = item.is_on(),
        "manual" => {
            signing.switches.insert("manual", item.is_on());
        }
        "zsk-lifetime" => number("zsk_days", 86_400, draft),
        "ksk-lifetime" => number("ksk_days", 86_400, draft),
        "rrsig-lifetime" => number("lifetime_days", 86_400, draft),
        "rrsig-refresh" => number("refresh_days", 86_400, draft),
        "dnskey-ttl" => number("dnskey_ttl", 1, draft),
        "propagation-delay" => number("propagation_seconds", 1, draft),
        "cds-cdnskey-publish" => {
            signing.switches.insert("cds", item.value() != "none");
        }
        name => {
            let why = TOLD.iter().find(|told| told.0 == name);
            let why = why.map_or("gapura has nothing like it", |told| told.1);
            let text =
                format!("policy: {name}: {} is not taken over: {why}", item.values.join(" "));
            draft.note(&item.place, text);
        }
    }
}
