//! Who may do what: remotes by name, and what each zone's lists allow them.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::proposal::Applicant;
use crate::answer::Transport;
use crate::serve::{Network, Requester};
use crate::update::Grants;
use crate::wire::Name;

//------------ Remote --------------------------------------------------------

/// Another name server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remote {
    /// The name by which zones mean it.
    pub name: String,
    /// Where it is reached, in the order of the settings; empty if only networks are known of it.
    pub addresses: Vec<SocketAddr>,
    /// Where it may come from: its addresses without their ports, and the networks of the settings.
    pub networks: Vec<Network>,
    /// The key that we sign with and demand.
    pub key: Option<Name>,
    /// How it is reached over TLS. If set, it is spoken to over TLS only (RFC 9103).
    pub tls: Option<RemoteTls>,
}

/// How a remote is reached over TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteTls {
    /// The name in its certificate.
    pub name: String,
    /// Who may have signed its certificate, PEM; none: the system's authorities.
    pub ca: Option<PathBuf>,
    /// Our certificate chain and private key for it, PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl Remote {
    /// Whether a requester is this remote: its address, its key and its transport all have to match. A remote
    /// with a key counts only where its key signed; one without only where nobody signed.
    pub fn is(&self, requester: &Requester) -> bool {
        let address = requester.address.ip();
        // Where clients are asked for certificates, the one with the remote's name belongs to it.
        let is_named = |name: &str| requester.identity.as_ref().is_none_or(|it| it.is(name));
        let is_secret_enough = self
            .tls
            .as_ref()
            .is_none_or(|tls| requester.transport == Transport::Tls && is_named(&tls.name));
        is_secret_enough
            && self.key == requester.key
            && self.networks.iter().any(|network| network.contains(address))
    }
}

//------------ ZoneRules -----------------------------------------------------

/// What a zone's lists say.
#[derive(Clone, Debug, Default)]
pub struct ZoneRules {
    /// What a secondary zone is transferred from; empty for a primary.
    pub primaries: Vec<Arc<Remote>>,
    /// Who may have the zone.
    pub transfer: Vec<Arc<Remote>>,
    /// Who is told of changes, besides the zone's own name servers.
    pub notify: Vec<Arc<Remote>>,
    /// Who may change the zone by UPDATE; none: nobody.
    pub updates: Option<UpdateRules>,
}

impl ZoneRules {
    /// The same with those remotes only that are among these, as they are there.
    fn among(&self, remotes: &HashMap<String, Arc<Remote>>) -> Self {
        let among = |list: &[Arc<Remote>]| {
            list.iter().filter_map(|remote| remotes.get(&remote.name).cloned()).collect()
        };
        Self {
            primaries: among(&self.primaries),
            transfer: among(&self.transfer),
            notify: among(&self.notify),
            updates: self.updates.clone(),
        }
    }
}

/// Who may change a zone by UPDATE.
#[derive(Clone, Debug)]
pub struct UpdateRules {
    /// What each key may.
    pub grants: Grants,
    /// For whom the keys stand that may propose.
    pub applicants: Vec<(Name, Applicant)>,
}

impl UpdateRules {
    /// For whom a key stands.
    pub(super) fn applicant(&self, key: &Name) -> Option<&Applicant> {
        self.applicants.iter().find(|(of, _)| of == key).map(|(_, applicant)| applicant)
    }
}

//------------ Rules ---------------------------------------------------------

/// The remotes, and the rules of the zones that have any.
///
/// A zone that the settings have lost is served on until somebody lets it go, and its last rules are kept as
/// long: its secondaries go on having it, and a secondary zone is refreshed. Remotes that are gone stay gone.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By apex.
    zones: Arc<HashMap<Name, ZoneRules>>,
    /// The last rules of zones that the settings name no more, by apex.
    kept: Arc<HashMap<Name, ZoneRules>>,
    /// All zones that the settings name, those without rules too.
    named: Arc<HashSet<Name>>,
    /// All remotes of the settings, by name.
    remotes: Arc<HashMap<String, Arc<Remote>>>,
    /// The catalog zone of each member of one that is consumed, whose rules are the member's.
    members: HashMap<Name, Name>,
}

impl Rules {
    /// These rules, by the apex of their zone.
    pub fn new(zones: HashMap<Name, ZoneRules>) -> Self {
        Self { zones: Arc::new(zones), ..Self::default() }
    }

    /// The same out of settings that name these zones and have these remotes.
    pub fn of_settings(self, named: HashSet<Name>, remotes: HashMap<String, Arc<Remote>>) -> Self {
        Self { named: Arc::new(named), remotes: Arc::new(remotes), ..self }
    }

    /// The same with these members of catalog zones.
    pub fn with_members(&self, members: HashMap<Name, Name>) -> Self {
        Self { members, ..self.clone() }
    }

    /// The same with the last rules of the zones that these settings name no more, as far as they have the
    /// remotes still.
    pub(super) fn keeping(self, before: &Self) -> Self {
        let is_lost = |apex: &Name| !self.named.contains(apex) && !self.zones.contains_key(apex);
        let last = before.kept.iter().chain(before.zones.iter());
        let lost = last.filter(|(apex, _)| is_lost(apex));
        let kept = lost.map(|(apex, rules)| (apex.clone(), rules.among(&self.remotes))).collect();
        Self { kept: Arc::new(kept), ..self }
    }

    /// The same without the last rules of zones that are not among these.
    pub(super) fn keeping_only(&self, left: &HashSet<Name>) -> Self {
        let kept = self.kept.iter().filter(|(apex, _)| left.contains(*apex));
        let kept = kept.map(|(apex, rules)| (apex.clone(), rules.clone())).collect();
        Self { kept: Arc::new(kept), ..self.clone() }
    }

    /// Whether there are rules of zones that the settings name no more.
    pub(super) fn keeps_some(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The rules of a zone; none if its settings name nobody.
    pub fn of(&self, apex: &Name) -> Option<&ZoneRules> {
        self.own(apex).or_else(|| self.own(self.members.get(apex)?))
    }

    /// The rules of a zone itself, those of the settings or the last ones.
    fn own(&self, apex: &Name) -> Option<&ZoneRules> {
        self.zones.get(apex).or_else(|| self.kept.get(apex))
    }
}

/// The first remote of a list that a requester is.
pub(super) fn find<'a>(list: &'a [Arc<Remote>], requester: &Requester) -> Option<&'a Arc<Remote>> {
    list.iter().find(|remote| remote.is(requester))
}
