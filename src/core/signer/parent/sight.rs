//! What all servers of a parent say together, and what may be concluded from it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde::Serialize;

use super::heard::{Ds, Heard};
use crate::wire::Name;

/// The name of a server that is this one.
const HERE: &str = "this server";

//------------ ParentServer --------------------------------------------------

/// A server of the parent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ParentServer {
    /// Its name, or its address where the settings name that.
    pub name: String,
    /// What each of its addresses says; no address: the zone as it is served here.
    pub heard: Vec<(Option<SocketAddr>, Heard)>,
}

impl ParentServer {
    /// This server has the parent, and this of it.
    pub(super) fn here(heard: Heard) -> Self {
        Self { name: HERE.to_owned(), heard: vec![(None, heard)] }
    }

    /// The records of each address that answers for the parent.
    fn answers(&self) -> impl Iterator<Item = &[Ds]> {
        self.heard.iter().filter_map(|(_, heard)| heard.records())
    }

    /// Whether it was heard: at one address at least. One that is not reached from here, often by IPv6, is
    /// the same server most likely, and would hold up every roll.
    pub fn is_heard(&self) -> bool {
        self.answers().next().is_some()
    }

    /// Why it was not heard, if it was not.
    pub fn why(&self) -> Option<&str> {
        if self.is_heard() {
            return None;
        }
        let why = self.heard.iter().find_map(|(_, heard)| heard.why());
        Some(why.unwrap_or("it has no address"))
    }
}

//------------ Sight ---------------------------------------------------------

/// The DS records of a zone at all servers of its parent.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Sight {
    /// The parent zone; none if it is not known, or the settings name its servers.
    #[serde(serialize_with = "as_text")]
    pub parent: Option<Name>,
    /// Its servers.
    pub servers: Vec<ParentServer>,
    /// Why they are not known, if they are not.
    pub why: Option<String>,
}

/// A name as text.
fn as_text<S: serde::Serializer>(name: &Option<Name>, to: S) -> Result<S::Ok, S::Error> {
    match name {
        Some(name) => to.collect_str(name),
        None => to.serialize_none(),
    }
}

impl Sight {
    /// Whether all servers are known and were heard.
    pub fn is_whole(&self) -> bool {
        self.why.is_none()
            && !self.servers.is_empty()
            && self.servers.iter().all(ParentServer::is_heard)
    }

    /// Whether every server has a DS record of which this holds. Not if one was not heard.
    pub fn is_at_all(&self, wanted: impl Fn(&Ds) -> bool) -> bool {
        let mut answers = self.servers.iter().flat_map(ParentServer::answers);
        self.is_whole() && answers.all(|records| records.iter().any(&wanted))
    }

    /// Whether no server has a DS record of which this holds. Not if one was not heard.
    pub fn is_at_none(&self, unwanted: impl Fn(&Ds) -> bool) -> bool {
        self.is_whole() && !self.records().into_iter().any(unwanted)
    }

    /// The servers that were heard and lack a DS record of which this holds.
    pub fn missing_at(&self, wanted: impl Fn(&Ds) -> bool) -> Vec<&str> {
        let lacks =
            |server: &&ParentServer| server.answers().any(|records| !records.iter().any(&wanted));
        self.servers.iter().filter(lacks).map(|server| server.name.as_str()).collect()
    }

    /// All DS records that any server has.
    pub fn records(&self) -> BTreeSet<&Ds> {
        self.servers.iter().flat_map(ParentServer::answers).flatten().collect()
    }

    /// The longest TTL that was seen.
    pub fn ttl(&self) -> Option<u32> {
        let heard = self.servers.iter().flat_map(|server| &server.heard);
        heard
            .filter_map(
                |(_, heard)| if let Heard::Ds { ttl, .. } = heard { Some(*ttl) } else { None },
            )
            .max()
    }

    /// What keeps the sight from being whole, in words.
    pub fn obstacle(&self) -> Option<String> {
        if let Some(why) = &self.why {
            return Some(why.clone());
        }
        let unheard = |server: &ParentServer| Some(format!("{}: {}", server.name, server.why()?));
        self.servers.iter().find_map(unheard)
    }
}
