//! Random zones through random changes: each version is the one that would be made at once.

use std::collections::BTreeMap;

use super::*;
use crate::check::{Level, Signer, ZoneFault};
use crate::master::Severity;
use crate::testing::Random;

/// The records of a zone but the SOA: TTLs by RRset, RDATA as text.
type Model = BTreeMap<(String, &'static str), (u32, Vec<String>)>;

/// A random owner below the apex, or the apex.
fn owner(random: &mut Random) -> String {
    let depth = random.pick(&[0, 1, 1, 1, 2, 2, 3, 4]);
    let labels = ["a", "B", "c", "*", "ns", "sub", "\\000", "x-1"];
    (0..depth).map(|_| format!("{}.", random.pick(&labels))).collect::<String>() + "example."
}

/// Changes one RRset of the model.
fn alter(random: &mut Random, model: &mut Model) {
    let owner = owner(random);
    let types = ["A", "A", "TXT", "NS", "NS", "DS", "DNAME", "MX", "CNAME", "TYPE4711"];
    let rtype = random.pick(&types);
    // Folded by name, as the zone does.
    let key = (owner.to_lowercase(), rtype);
    if model.remove(&key).is_some() && random.below(3) > 0 {
        return;
    }
    let number = random.below(3) + 1;
    let data = match rtype {
        "A" => vec![format!("192.0.2.{number}"), "192.0.2.99".to_owned()],
        "TXT" => vec![format!("\"{number}\"")],
        "NS" | "DS" if owner == "example." => return,
        "NS" => vec![format!("ns{number}.other.")],
        "DS" => vec![format!("{number} 13 2 {}", "ab".repeat(32))],
        "DNAME" => vec!["target.other.".to_owned()],
        "MX" => vec![format!("{number} Mail.eXample.")],
        "CNAME" => vec!["ns.other.".to_owned()],
        _ => vec![format!("\\# 2 00{number:02}")],
    };
    let ttl = random.pick(&[300, 3600]);
    model.insert(key, (ttl, data[..=random.below(data.len() as u64) as usize].to_vec()));
}

/// The zone of a model.
fn zone_of(model: &Model, serial: u32, minimum: u32) -> Zone {
    let mut text = format!(
        "example. 3600 SOA ns.other. h.other. {serial} 7200 900 1209600 {minimum}\nexample. 3600 NS ns.other.\n"
    );
    for ((owner, rtype), (ttl, data)) in model {
        data.iter().for_each(|data| text += &format!("{owner} {ttl} {rtype} {data}\n"));
    }
    bare_zone(&text)
}

/// Random versions of a zone, one after the other.
pub(super) struct Versions {
    /// Where chance comes from.
    random: Random,
    /// The records so far.
    model: Model,
    /// The TTL of negative answers so far.
    minimum: u32,
    /// The serial so far.
    serial: u32,
}

impl Versions {
    /// Versions of their own for each seed, and the first of them.
    pub(super) fn new(seed: u64) -> (Self, Zone) {
        let random = Random(seed * 0x9e37_79b9 + 1);
        let mut versions = Self { random, model: Model::new(), minimum: 300, serial: 1 };
        for _ in 0..versions.random.below(40) {
            alter(&mut versions.random, &mut versions.model);
        }
        let first = zone_of(&versions.model, 1, 300);
        (versions, first)
    }

    /// The same from a zone of which nothing is to be said against; all that follow have to be so.
    pub(super) fn sane(seed: u64) -> (Self, Zone) {
        let (mut versions, _) = Self::new(seed);
        versions.model.clear();
        let mut first = zone_of(&versions.model, 1, 300);
        for _ in 0..20 {
            first = versions.next_sane();
        }
        (versions, first)
    }

    /// The next version.
    pub(super) fn next(&mut self) -> Zone {
        let random = &mut self.random;
        (0..=random.below(4)).for_each(|_| alter(random, &mut self.model));
        if random.below(30) == 0 {
            self.minimum = random.pick(&[60, 300, 86_400]);
        }
        self.serial += 1;
        zone_of(&self.model, self.serial, self.minimum)
    }

    /// The next version that breaks no rule of content.
    pub(super) fn next_sane(&mut self) -> Zone {
        loop {
            let before = self.model.clone();
            let next = self.next();
            // BIND does not load the one, Knot not the other.
            let errors = ["wildcard-ns", "occluded"].map(str::to_owned).to_vec();
            let level = Level { errors, ..Level::default() };
            let is_error = |fault: &ZoneFault| fault.severity(&level) == Severity::Error;
            if !crate::check::judged(&next, &[], Signer::Keys, NOW).iter().any(is_error) {
                return next;
            }
            self.model = before;
        }
    }
}

/// Takes a zone through changes.
fn run(seed: u64, plan: &Plan, steps: u32) {
    let (mut versions, mut content) = Versions::new(seed);
    let mut served = whole(&content, plan, None, NOW, 2).unwrap();
    assert_eq!(verify_change(None, &served, plan, NOW), Ok(()));
    for step in 2..steps + 2 {
        let next = versions.next();
        let delta = content.diff(&next);
        let after = change(&served, &next, &delta, plan, NOW).unwrap();
        let place = format!("seed {seed} step {step}: {delta:?}");
        assert_eq!(verify_change(Some(&served), &after, plan, NOW), Ok(()), "{place}");
        let anew = whole(&next, plan, None, NOW, 2).unwrap();
        assert_eq!(shape(&after), shape(&anew), "{place}");
        if step.is_multiple_of(8) {
            assert_eq!(faults(&after, NOW), [""; 0], "{place}");
            let ours: Vec<_> = plan.keys.iter().map(Dnskey::rdata).collect();
            assert_eq!(strip(&after, &ours).unwrap(), next, "{place}");
        }
        (content, served) = (next, after);
    }
}

#[test]
fn random_zones_change_by_nsec() {
    (1..=20).for_each(|seed| run(seed, &csk_plan(Denial::Nsec), 60));
}

#[test]
fn random_zones_change_by_nsec3() {
    (101..=120).for_each(|seed| run(seed, &split_plan(Denial::Nsec3), 60));
}
