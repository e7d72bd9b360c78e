//! What a look at the parent means for the keys of a zone: which of them its DS records fit, and whether a
//! resolver can validate the zone by them.

use super::parent::{Ds, Sight};
use crate::dnssec::key_digest;
use crate::publish::SigningState;
use crate::rollover::{KeySet, ParentServer, Parents, SeenDs};
use crate::wire::{Name, NameRef, Rtype};

/// What the machine that rolls keys is told of the parent. `at` is when it was asked, in seconds since 1970.
pub(super) fn parents(apex: &Name, keys: &KeySet, sight: &Sight, at: u64) -> Parents {
    // As long as servers may be missing, none says anything for all.
    let known = sight.servers.iter().filter(|_| sight.why.is_none());
    let servers = known.flat_map(|server| {
        let heard = server.heard.iter().filter_map(|(_, heard)| heard.records());
        let heard = heard.map(|records| Some(seen(apex, keys, records)));
        let unheard = (!server.is_heard()).then_some(None);
        let name = server.name.clone();
        heard.chain(unheard).map(move |ds| ParentServer { name: name.clone(), ds })
    });
    Parents { at, ttl: sight.ttl(), servers: servers.collect() }
}

/// Which keys of a set these records fit.
fn seen(apex: &Name, keys: &KeySet, records: &[Ds]) -> SeenDs {
    let dnskeys: Vec<_> = keys.keys().iter().map(|key| (key.id, key.dnskey.rdata())).collect();
    let mut seen = SeenDs::default();
    for record in records {
        match dnskeys.iter().find(|(_, rdata)| fits(record, apex.as_ref(), rdata)) {
            Some((id, _)) if seen.keys.contains(id) => {}
            Some((id, _)) => seen.keys.push(*id),
            None => seen.strangers += 1,
        }
    }
    seen
}

/// The RDATA of all keys of a zone: those of its key set, or those that it is served with.
pub(super) fn dnskeys(state: &SigningState) -> Vec<Box<[u8]>> {
    match &state.current {
        Some((_, keys)) => keys.keys().iter().map(|key| key.dnskey.rdata()).collect(),
        None => served_dnskeys(state),
    }
}

/// The RDATA of the DNSKEY records that a zone is served with.
pub(super) fn served_dnskeys(state: &SigningState) -> Vec<Box<[u8]>> {
    let served = state.served.as_ref();
    let set = served.and_then(|served| served.apex_node().rrset(Rtype::DNSKEY));
    set.into_iter().flat_map(|set| set.rdatas()).map(Box::from).collect()
}

/// Whether a DS record is of a key. One whose digest is of a kind that nobody here knows is of none.
pub(super) fn fits(ds: &Ds, apex: NameRef<'_>, dnskey: &[u8]) -> bool {
    let digest = ds.rdata().get(4..).unwrap_or_default();
    let is_like = dnskey.get(3) == Some(&ds.algorithm());
    is_like && key_digest(apex, dnskey, ds.digest_type()).is_some_and(|own| *own == *digest)
}

/// What the DS records at the parent mean for resolvers that validate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Chain {
    /// Nothing can be said: not all servers were heard.
    Unknown,
    /// No server has a DS record: nobody validates.
    None,
    /// Every server has one that fits a key.
    Whole,
    /// Some have one that fits a key, and others none: these.
    Partly(Vec<String>),
    /// These have DS records, and none fits a key: whoever validates answers SERVFAIL.
    Broken(Vec<String>),
}

impl Chain {
    /// Judges by the keys that sign the DNSKEY RRset.
    pub(super) fn of(apex: &Name, sight: &Sight, dnskeys: &[Box<[u8]>]) -> Self {
        // Resolvers pass over digests that they do not know, too.
        let is_known = |ds: &Ds| key_digest(apex.as_ref(), &[], ds.digest_type()).is_some();
        let is_good = |ds: &Ds| dnskeys.iter().any(|dnskey| fits(ds, apex.as_ref(), dnskey));
        let (mut broken, mut none, mut good) = (Vec::new(), Vec::new(), false);
        for server in &sight.servers {
            for records in server.heard.iter().filter_map(|(_, heard)| heard.records()) {
                let list = if !records.iter().any(is_known) {
                    &mut none
                } else if records.iter().any(is_good) {
                    good = true;
                    continue;
                } else {
                    &mut broken
                };
                if !list.contains(&server.name) {
                    list.push(server.name.clone());
                }
            }
        }
        match (broken.is_empty(), none.is_empty(), good) {
            (false, ..) => Self::Broken(broken),
            (true, false, true) => Self::Partly(none),
            _ if !sight.is_whole() => Self::Unknown,
            (true, _, true) => Self::Whole,
            (true, ..) => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::{Algorithm, DigestType, Dnskey, KSK, KeyPair, ds};
    use crate::rollover::{KeyId, Policy};
    use crate::signer::parent::{Heard, ParentServer as Server};

    /// The zone.
    fn apex() -> Name {
        "contoh.go.id.".parse().unwrap()
    }

    /// A key.
    fn key() -> Dnskey {
        KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap().0.dnskey().clone()
    }

    /// Its DS record.
    fn of(key: &Dnskey, kind: DigestType) -> Ds {
        Ds::read(&ds(apex().as_ref(), &key.rdata(), kind)).unwrap()
    }

    /// A server that says this at each of its addresses.
    fn server(name: &str, heard: Vec<Heard>) -> Server {
        let heard = heard.into_iter().map(|heard| (None, heard)).collect();
        Server { name: name.to_owned(), heard }
    }

    /// Records.
    fn has(records: &[&Ds]) -> Heard {
        Heard::Ds { records: records.iter().copied().cloned().collect(), ttl: 60 }
    }

    #[test]
    fn a_ds_is_of_the_key_whose_digest_it_has() {
        let (ours, other) = (key(), key());
        let keys = KeySet::begin(vec![ours.clone()], &Policy::default(), 1).unwrap();
        let id = KeyId::of(&ours);
        let good = [of(&ours, DigestType::Sha256), of(&ours, DigestType::Sha384)];
        let stranger = of(&other, DigestType::Sha256);
        // The tag of one, the digest of another; and a kind of digest that does not exist.
        let mut mixed = good[0].rdata().to_vec();
        mixed[10] ^= 1;
        let mut unknown = good[0].rdata().to_vec();
        unknown[3] = 77;
        let [mixed, unknown] = [mixed, unknown].map(|rdata| Ds::read(&rdata).unwrap());
        let sight = |servers| Sight { parent: None, servers, why: None };
        let silent = || Heard::Silent("x".to_owned());
        let all = sight(vec![
            server("a", vec![has(&[&good[0], &good[1], &stranger]), silent()]),
            server("b", vec![has(&[&mixed, &unknown]), Heard::None]),
            server("c", vec![silent()]),
        ]);
        let seen = parents(&apex(), &keys, &all, 7);
        let line = |server: &ParentServer| {
            let ds = server.ds.as_ref().map(|ds| (ds.keys.clone(), ds.strangers));
            (server.name.clone(), ds)
        };
        let lines: Vec<_> = seen.servers.iter().map(line).collect();
        let name = |text: &str| text.to_owned();
        let wanted = [
            (name("a"), Some((vec![id], 1))),
            (name("b"), Some((vec![], 2))),
            (name("b"), Some((vec![], 0))),
            (name("c"), None),
        ];
        assert_eq!((seen.at, seen.ttl), (7, Some(60)));
        assert_eq!(lines, wanted);
        // Who the servers are is not known: nothing can be concluded.
        let vague = Sight { why: Some("x".to_owned()), ..all };
        assert!(parents(&apex(), &keys, &vague, 7).servers.is_empty());
    }

    #[test]
    fn a_parent_whose_ds_fit_no_key_breaks_the_zone() {
        let (ours, other) = (key(), key());
        let (good, bad) = (of(&ours, DigestType::Sha256), of(&other, DigestType::Sha256));
        let keys = [ours.rdata()];
        let chain =
            |servers| Chain::of(&apex(), &Sight { parent: None, servers, why: None }, &keys);
        let [a, b] = ["a", "b"].map(|name| move |heard| server(name, vec![heard]));
        let silent = || Heard::Silent("x".to_owned());
        assert_eq!(chain(vec![a(has(&[&good, &bad])), b(has(&[&good]))]), Chain::Whole);
        assert_eq!(
            chain(vec![a(has(&[&good])), b(Heard::None)]),
            Chain::Partly(vec!["b".to_owned()])
        );
        assert_eq!(chain(vec![a(Heard::None), b(Heard::None)]), Chain::None);
        assert_eq!(chain(vec![a(has(&[&good])), b(silent())]), Chain::Unknown);
        assert_eq!(chain(vec![a(Heard::None), b(silent())]), Chain::Unknown);
        // One broken server is enough, whatever the others say.
        assert_eq!(chain(vec![a(has(&[&bad])), b(silent())]), Chain::Broken(vec!["a".to_owned()]));
        assert_eq!(chain(Vec::new()), Chain::Unknown);
    }
}
