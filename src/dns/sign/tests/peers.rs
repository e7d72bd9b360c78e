//! Signed zones as files before the validators of others: BIND's `dnssec-verify`, `ldns-verify-zone`, Knot's
//! `kzonecheck`.

use std::path::Path;

use super::validators::judge_without;
use super::*;
use crate::keystore::{self, Given};

/// Seconds since 1970: validators know no other time.
fn now() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs() as u32
}

/// Zones with everything that can be signed or must not be.
const ZONES: [&str; 7] = [
    "",
    "a A 192.0.2.1\n*.a A 192.0.2.2\nb.*.a TXT \"below a wildcard\"\n* MX 10 ns\n",
    "secure NS ns.secure\nsecure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\nns.secure A 192.0.2.3\n\
     lax NS ns.lax\nns.lax A 192.0.2.4\nlax2.ent NS ns.other.\nns.other.lax AAAA 2001:db8::1\n",
    "moved DNAME other.\nalias CNAME www.other.\na.b.c.d.e TXT \"deep\"\nx.c.d.e TXT \"deep\"\n",
    "WWW A 192.0.2.5\nmail.WwW MX 10 Ns.Example.\nA.wWw TXT \"Case\"\nZ.z.Z.z NS Ns.Other.\n",
    "\\000 A 192.0.2.6\n\\001.\\000 A 192.0.2.7\na\\.b A 192.0.2.8\n\\255 TXT \"high\"\n\\*.q TXT \"star\"\n",
    "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.1.2.3.4.5.6.7.8.9.0 A 192.0.2.9\n@ TYPE65280 \\# 3 010203\n\
     s HTTPS 1 . alpn=h2\n@ CAA 0 issue \"ca.example\"\n_25._tcp.ns TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000\n",
];

/// Has all validators look at a zone.
fn judge(zone: &Zone, what: &str) {
    judge_without(zone, what, None);
}

#[test]
fn validators_of_others_find_nothing() {
    for (at, text) in ZONES.iter().enumerate() {
        let content = zone(text);
        for denial in [Denial::Nsec, Denial::Nsec3] {
            let now = now();
            for plan in [csk_plan(denial), split_plan(denial)] {
                let plan = Plan { zonemd: at % 2 == 1, ..plan };
                let served = whole(&content, &plan, None, now, 2).unwrap();
                judge(&served, &format!("zone {at}, {denial:?}"));
                let added = format!("new-{at} A 192.0.2.1\nq.a.new TXT \"x\"\n");
                let (next, delta) = edited(&content, "", &added);
                let after = change(&served, &next, &delta, &plan, now).unwrap();
                judge(&after, &format!("zone {at}, {denial:?}, changed"));
            }
        }
    }
}

/// An RSA key that BIND has made.
fn imported(file: &str) -> Arc<KeyPair> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/private_key");
    let apex = "example.".parse().unwrap();
    let given = Given { zone: &apex, flags: None, algorithm: None, now: u64::from(now()) };
    let mut keys = keystore::import(&[samples.join(file)], &given).unwrap();
    Arc::new(keys.remove(0).pair)
}

#[test]
fn validators_of_others_find_nothing_after_any_change() {
    let plans = [
        csk_plan(Denial::Nsec),
        split_plan(Denial::Nsec),
        csk_plan(Denial::Nsec3),
        Plan { zonemd: true, ..split_plan(Denial::Nsec3) },
    ];
    for (seed, plan) in (201..).zip(plans) {
        let (mut versions, mut content) = random::Versions::sane(seed);
        let mut served = whole(&content, &plan, None, now(), 2).unwrap();
        for step in 0..25 {
            let next = versions.next_sane();
            served = change(&served, &next, &content.diff(&next), &plan, now()).unwrap();
            judge(&served, &format!("seed {seed}, step {step}"));
            content = next;
        }
    }
}

#[test]
fn validators_of_others_believe_every_algorithm() {
    let content = zone(ZONES[1]);
    for algorithm in [Algorithm::EcdsaP384Sha384, Algorithm::Ed25519] {
        let (ksk, zsk) = (pair(algorithm, KSK), pair(algorithm, ZSK));
        let plan = plan(&[&ksk], &[&zsk], Denial::Nsec3);
        judge(&whole(&content, &plan, None, now(), 1).unwrap(), algorithm.word());
    }
    for file in ["Kexample.+008+45007", "Kexample.+010+23151"] {
        let csk = imported(file);
        let plan = plan(&[&csk], &[&csk], Denial::Nsec);
        judge(&whole(&content, &plan, None, now(), 1).unwrap(), file);
    }
}
