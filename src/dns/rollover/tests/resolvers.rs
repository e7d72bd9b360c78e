//! What validating resolvers can hold at a moment, and whether they validate with it.
//!
//! A resolver has each RRset from any server at any time within its TTL, and each server may be behind by the
//! propagation time. So what all resolvers hold together is every version that was served within TTL and
//! propagation; each combination of DS, DNSKEY RRset and data must validate. Between changes that only
//! becomes less, so it is enough to look right after each change.

use super::super::KeyId;

/// A set of keys, sorted.
pub(super) type Keys = Vec<KeyId>;

/// Something that was served for a time.
#[derive(Clone, Debug)]
struct Served<T> {
    /// What.
    what: T,
    /// Its TTL.
    ttl: u64,
    /// When another took its place on the last server; none = it is served still.
    until: Option<u64>,
}

/// A DNSKEY RRset.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct KeyRrset {
    /// The keys in it.
    pub(super) keys: Keys,
    /// The keys it is signed by.
    pub(super) signers: Keys,
}

/// All that is served, and was lately.
#[derive(Debug, Default)]
pub(super) struct Caches {
    /// DNSKEY RRsets.
    keys: Vec<Served<KeyRrset>>,
    /// Keys by which some RRset of the data is signed.
    data: Vec<Served<Keys>>,
    /// DS RRsets by server of the parent.
    ds: Vec<Vec<Served<Keys>>>,
}

impl Caches {
    /// A zone and the servers of its parent.
    pub(super) fn new(servers: usize) -> Self {
        Self { ds: vec![Vec::new(); servers], ..Self::default() }
    }

    /// Serves a DNSKEY RRset; the one before may be seen until `last`.
    pub(super) fn serve_keys(&mut self, rrset: KeyRrset, ttl: u64, last: u64) {
        serve(&mut self.keys, vec![rrset], ttl, last);
    }

    /// Serves data with these signatures, some RRsets with these, some with those.
    pub(super) fn serve_data(&mut self, signatures: Vec<Keys>, ttl: u64, last: u64) {
        serve(&mut self.data, signatures, ttl, last);
    }

    /// A server of the parent serves this DS RRset, with no key in it for none.
    pub(super) fn serve_ds(&mut self, server: usize, ds: Keys, ttl: u64, last: u64) {
        serve(&mut self.ds[server], vec![ds], ttl, last);
    }

    /// Whether every resolver validates all it may hold.
    pub(super) fn check(&mut self, now: u64) -> Result<(), String> {
        forget(&mut self.keys, now);
        forget(&mut self.data, now);
        self.ds.iter_mut().for_each(|ds| forget(ds, now));
        let all_ds = self.ds.iter().flatten().map(|ds| &ds.what);
        let secure: Vec<&Keys> = all_ds.filter(|ds| !ds.is_empty()).collect();
        if secure.is_empty() {
            return Ok(());
        }
        for rrset in self.keys.iter().map(|it| &it.what) {
            for ds in &secure {
                trusts(ds, rrset)?;
            }
            for signatures in self.data.iter().map(|it| &it.what) {
                validates(rrset, signatures)?;
            }
        }
        Ok(())
    }
}

/// Puts new versions in place of those served now.
fn serve<T: PartialEq>(all: &mut Vec<Served<T>>, now: Vec<T>, ttl: u64, last: u64) {
    for served in all.iter_mut().filter(|it| it.until.is_none()) {
        served.until = Some(last);
    }
    all.extend(now.into_iter().map(|what| Served { what, ttl, until: None }));
}

/// Drops what no cache holds any more.
fn forget<T>(all: &mut Vec<Served<T>>, now: u64) {
    all.retain(|served| served.until.is_none_or(|until| until + served.ttl > now));
}

/// Whether a DNSKEY RRset has a key that the DS names and that signed it: one of each algorithm of the DS, as
/// strict resolvers want it (RFC 6840 §5.11 lets them want less).
fn trusts(ds: &Keys, rrset: &KeyRrset) -> Result<(), String> {
    let is_good = |id: &KeyId| rrset.keys.contains(id) && rrset.signers.contains(id);
    let of = |algorithm| ds.iter().filter(move |id| id.algorithm == algorithm);
    match ds.iter().find(|id| !of(id.algorithm).any(is_good)) {
        Some(id) => Err(format!("no chain for {id}: DS {ds:?}, DNSKEY {rrset:?}")),
        None => Ok(()),
    }
}

/// Whether data has a signature by a key of each algorithm in the DNSKEY RRset (RFC 4035 §2.2).
fn validates(rrset: &KeyRrset, signatures: &Keys) -> Result<(), String> {
    let signs = |id: &KeyId| rrset.keys.contains(id);
    let of = |algorithm| signatures.iter().filter(move |id| id.algorithm == algorithm);
    match rrset.keys.iter().find(|id| !of(id.algorithm).any(signs)) {
        Some(id) => Err(format!("no signature like {id}: DNSKEY {rrset:?}, RRSIG {signatures:?}")),
        None => Ok(()),
    }
}
