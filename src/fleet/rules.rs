//! Who may do what: remotes by name, and what each zone's lists allow them.

use std::collections::HashMap;
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
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By apex.
    zones: Arc<HashMap<Name, ZoneRules>>,
    /// The catalog zone of each member of one that is consumed, whose rules are the member's.
    members: HashMap<Name, Name>,
}

impl Rules {
    /// These rules, by the apex of their zone.
    pub fn new(zones: HashMap<Name, ZoneRules>) -> Self {
        Self { zones: Arc::new(zones), members: HashMap::new() }
    }

    /// The same with these members of catalog zones.
    pub fn with_members(&self, members: HashMap<Name, Name>) -> Self {
        Self { zones: Arc::clone(&self.zones), members }
    }

    /// The rules of a zone; none if its settings name nobody.
    pub fn of(&self, apex: &Name) -> Option<&ZoneRules> {
        self.zones.get(apex).or_else(|| self.zones.get(self.members.get(apex)?))
    }

    /// All zones that have rules.
    pub fn zones(&self) -> impl Iterator<Item = (&Name, &ZoneRules)> {
        self.zones.iter()
    }
}

/// The first remote of a list that a requester is.
pub(super) fn find<'a>(list: &'a [Arc<Remote>], requester: &Requester) -> Option<&'a Arc<Remote>> {
    list.iter().find(|remote| remote.is(requester))
}
