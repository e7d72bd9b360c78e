//! Signed zones: what of them is signed, and how often; against themselves, the checks and the validators of
//! others.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::dnssec::{Algorithm, Denial, DigestType, Dnskey, KSK, KeyPair, Rrsig, ZSK};
use crate::master::{Input, NoIncludes, Options};
use crate::wire::{Name, Record, Rtype};
use crate::zone::{Delta, NodeRef, Zone, ZoneBuilder};

mod cases;
mod peers;
mod random;
mod renewal;
mod validators;

/// The time of most tests.
const NOW: u32 = 1_795_000_000;
/// A day.
const DAY: u32 = 86_400;

/// A key that signs everything.
static CSK: LazyLock<Arc<KeyPair>> = LazyLock::new(|| pair(Algorithm::EcdsaP256Sha256, KSK));
/// A key that signs keys.
static KSK_ONE: LazyLock<Arc<KeyPair>> = LazyLock::new(|| pair(Algorithm::EcdsaP256Sha256, KSK));
/// A key that signs the rest.
static ZSK_ONE: LazyLock<Arc<KeyPair>> = LazyLock::new(|| pair(Algorithm::EcdsaP256Sha256, ZSK));

/// A new key pair.
fn pair(algorithm: Algorithm, flags: u16) -> Arc<KeyPair> {
    Arc::new(KeyPair::generate(algorithm, flags).unwrap().0)
}

/// A plan with one key for everything, and CDS for it.
fn csk_plan(denial: Denial) -> Plan {
    plan(&[&CSK], &[&CSK], denial)
}

/// A plan with two keys.
fn split_plan(denial: Denial) -> Plan {
    plan(&[&KSK_ONE], &[&ZSK_ONE], denial)
}

/// A plan with these keys, of which the first is to be known to the parent.
fn plan(of_keys: &[&Arc<KeyPair>], of_zone: &[&Arc<KeyPair>], denial: Denial) -> Plan {
    let mut keys: Vec<Dnskey> =
        of_keys.iter().chain(of_zone).map(|pair| pair.dnskey().clone()).collect();
    keys.sort();
    keys.dedup();
    let apex: Name = "example.".parse().unwrap();
    let first = of_keys[0].dnskey();
    Plan {
        keys,
        key_signers: of_keys.iter().map(|pair| Arc::clone(pair)).collect(),
        zone_signers: of_zone.iter().map(|pair| Arc::clone(pair)).collect(),
        cds: vec![first.ds(apex.as_ref(), DigestType::Sha256)],
        cdnskeys: vec![first.rdata()],
        dnskey_ttl: 3600,
        denial,
        zonemd: false,
        lifetime_s: 14 * DAY,
        refresh_s: 7 * DAY,
    }
}

/// The zone of a text, with a SOA record and two name servers before it.
fn zone(text: &str) -> Zone {
    let head = "$TTL 3600\n@ SOA ns.example. hostmaster.example. 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n";
    bare_zone(&format!("{head}{text}"))
}

/// The zone of a text.
fn bare_zone(text: &str) -> Zone {
    let input =
        Input { file: std::path::Path::new("x"), bytes: text.as_bytes(), loader: &NoIncludes };
    let origin: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&origin);
    let parsed =
        crate::master::parse(&input, origin.as_ref(), &Options::default(), &mut |record, _| {
            builder.push(record);
        });
    assert_eq!(parsed.errors, 0, "{:?}", parsed.findings);
    let (zone, faults) = builder.finish();
    assert_eq!(faults, []);
    zone.unwrap()
}

/// The zone with its serial raised, and the delta that leads there with `removed` and `added` (lines of text).
fn edited(before: &Zone, removed: &str, added: &str) -> (Zone, Delta) {
    let records = |text: &str| -> Vec<Record> {
        let all = zone(text);
        let bare = zone("");
        bare.diff(&all).added
    };
    let mut delta = Delta { removed: records(removed), added: records(added) };
    raise_serial(before, &mut delta);
    let after = before.apply(&delta).unwrap();
    (after, delta)
}

/// Adds the SOA record with the next serial.
fn raise_serial(before: &Zone, delta: &mut Delta) {
    let old = before.records().next().unwrap().to_record();
    let mut new = old.clone();
    let at = new.rdata.len() - 20;
    new.rdata[at..at + 4].copy_from_slice(&(before.serial() + 1).to_be_bytes());
    delta.removed.push(old);
    delta.added.push(new);
}

/// All records in order, but signatures without times and octets.
fn shape(zone: &Zone) -> Vec<String> {
    let line = |record: crate::wire::RecordRef<'_>| match Rrsig::new(record.rdata) {
        Some(it) if record.rtype == Rtype::RRSIG => format!(
            "{} {} RRSIG {} {} {} {} {} {}",
            record.owner.to_lowercase(),
            record.ttl,
            it.covered,
            it.algorithm,
            it.labels,
            it.ttl,
            it.key_tag,
            it.signer
        ),
        _ => {
            let owner = record.owner.to_lowercase();
            let text = crate::wire::rdata::to_text(record.rtype, record.rdata);
            format!("{owner} {} {} {text}", record.ttl, record.rtype)
        }
    };
    let mut lines: Vec<String> = zone.records().map(line).collect();
    lines.sort();
    lines
}

/// What `check` finds of signatures and proofs; times aside, where `NOW` is not now.
fn faults(zone: &Zone, now: u32) -> Vec<String> {
    let is_of_signing = |id: &str| {
        ["signature", "nsec", "zonemd", "cds", "key"].iter().any(|start| id.starts_with(start))
    };
    let mut found = crate::check::zone(zone, &[], now);
    found.extend(crate::check::zonemd(zone));
    found.retain(|fault| is_of_signing(fault.rule.id()));
    found.into_iter().map(|fault| format!("{}: {}", fault.rule.id(), fault.message)).collect()
}

/// How many signatures a version has that another has not.
fn new_signatures(before: &Zone, after: &Zone) -> usize {
    before.diff(after).added.iter().filter(|record| record.rtype == Rtype::RRSIG).count()
}

/// Changes a signed zone, checks the outcome in every way, and returns it.
#[track_caller]
fn change_and_check(served: &Zone, content: &Zone, delta: &Delta, plan: &Plan) -> Zone {
    let after = change(served, content, delta, plan, NOW).unwrap();
    let anew = whole(content, plan, None, NOW, 1).unwrap();
    assert_eq!(shape(&after), shape(&anew));
    assert_eq!(verify_change(Some(served), &after, plan, NOW), Ok(()));
    after
}

/// The types that a name's NSEC or NSEC3 lists, as text.
fn listed(zone: &Zone, name: &str) -> Vec<String> {
    let name: Name = name.parse().unwrap();
    let bitmap = match zone.rrset(name.as_ref(), Rtype::NSEC) {
        Some(set) => {
            let (_, used) = Name::from_wire(set.first()).unwrap();
            set.first()[used..].to_vec()
        }
        None => {
            let hash = zone.nsec3_params().unwrap().hash(name.as_ref());
            let found = zone.nsec3(&hash).filter(|found| found.matches).unwrap();
            found.rrset.first()[26..].to_vec()
        }
    };
    crate::wire::rdata::types(&bitmap).map(|number| Rtype(number).to_string()).collect()
}

/// What of a name has signatures: `TYPE` each.
fn signed_types(node: NodeRef<'_>) -> Vec<String> {
    let signed = node.rrsets().filter(|set| set.signature_count() > 0);
    signed.map(|set| set.rtype().to_string()).collect()
}
