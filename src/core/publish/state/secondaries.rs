//! The publisher's view of a zone's secondaries: it reports that something is live, and shows their state. Who
//! they are and how they are notified is decided elsewhere.

use std::time::Duration;

use serde::Serialize;

use super::Publisher;
use crate::wire::Name;

//------------ Secondaries ---------------------------------------------------

/// Tells secondaries of changes and watches what they serve.
pub trait Secondaries: Send + Sync {
    /// A version of a zone is live. Called after each visible change; does not wait.
    fn announce(&self, zone: &Name, serial: u32);

    /// Zones came or went by themselves, as members of a catalog. Does not wait.
    fn renew(&self) {}

    /// What is known of the secondaries of a zone.
    fn of_zone(&self, zone: &Name) -> Vec<Secondary>;

    /// Waits until all that answered last and kept up so far answer with this serial or a later one, but not
    /// longer than this. Returns what is known of all of them then.
    fn wait(&self, zone: &Name, serial: u32, at_most: Duration) -> Vec<Secondary>;
}

/// What is known of a secondary of a zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Secondary {
    /// Its name in the settings or the zone.
    pub name: String,
    /// The address by which it is reached.
    pub address: String,
    /// The serial that it serves, as it answered last; none: it has not, or does not serve the zone.
    pub serial: Option<u32>,
    /// When it last answered, in milliseconds since 1970.
    pub seen: Option<i64>,
    /// Whether it lacks the live serial, as far as is known.
    pub behind: bool,
    /// Since when, in milliseconds since 1970.
    pub behind_since: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
}

//------------ Publisher -----------------------------------------------------

impl Publisher {
    /// Has these told of every change from now on. Only the first call counts.
    pub fn announce_to(&self, secondaries: Box<dyn Secondaries>) {
        let _second = self.0.secondaries.set(secondaries);
    }

    /// What is known of the secondaries of a zone.
    pub fn secondaries(&self, zone: &Name) -> Vec<Secondary> {
        self.0.secondaries.get().map(|all| all.of_zone(zone)).unwrap_or_default()
    }

    /// Waits until the secondaries of a zone that answered last and kept up so far have this serial, but not
    /// longer than this. Returns what is known of all of them then.
    pub fn wait_for_secondaries(
        &self,
        zone: &Name,
        serial: u32,
        at_most: Duration,
    ) -> Vec<Secondary> {
        let all = self.0.secondaries.get();
        all.map(|all| all.wait(zone, serial, at_most)).unwrap_or_default()
    }
}
