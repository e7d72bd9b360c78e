//! Room on the disk of the state directory, and who may still use it.

use std::fmt;
use std::time::Duration;

use super::Desk;
use crate::files;
use crate::store::{StoreError, is_disk_full};
use crate::text::with_causes;

/// What is left for officers, in octets: strangers' drafts, requests and letters are not taken then.
const RESERVE: u64 = 256 * 1024 * 1024;
/// The reserve's largest share of a small disk.
const RESERVE_SHARE: u64 = 4;
/// With less than this, in octets, a transaction may fail halfway through.
const FULL: u64 = 4 * 1024 * 1024;
/// Its largest share of a small disk.
const FULL_SHARE: u64 = 32;

/// How long the disk may take to show that it is there.
const DISK_TIME: Duration = Duration::from_secs(3);

/// How much room the disk has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Room {
    /// Enough for everybody.
    Ample,
    /// What is left is the officers'.
    Reserved,
    /// None.
    Full,
}

impl Room {
    /// Of a disk of this size with so much free, both in octets.
    fn of(free: u64, total: u64) -> Self {
        if free < FULL.min(total / FULL_SHARE) {
            Self::Full
        } else if free < RESERVE.min(total / RESERVE_SHARE) {
            Self::Reserved
        } else {
            Self::Ample
        }
    }
}

/// Why nothing can be kept at present, though the queue is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The disk has no room.
    DiskFull,
    /// The database was taken away, or does not answer.
    NoDatabase(String),
    /// The state directory cannot be written.
    ReadOnly(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskFull => f.write_str("changes wait: the disk of the state directory is full"),
            Self::NoDatabase(why) => write!(f, "changes wait: {why}"),
            Self::ReadOnly(why) => {
                write!(f, "changes wait: the state directory cannot be written: {why}")
            }
        }
    }
}

/// What a look at disk and database found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What keeps changes waiting now.
    obstacle: Option<Obstacle>,
    /// What will soon, though all is done still, and webhooks that are not told.
    warnings: Vec<String>,
}

impl Desk {
    /// What keeps changes waiting now. The one place that health is decided for pages and metrics. A
    /// disk that hangs is an obstacle, too: the caller waits for three seconds at most.
    pub fn obstacle(&self) -> Option<Obstacle> {
        let hangs = "the disk of the state directory does not answer";
        let found = self.look();
        found.map_or_else(|| Some(Obstacle::NoDatabase(hangs.to_owned())), |found| found.obstacle)
    }

    /// What will keep changes waiting soon, though all is done still, and webhooks that are not told. Nothing while
    /// the disk hangs: that is an obstacle.
    pub fn warnings(&self) -> Vec<String> {
        self.look().map(|found| found.warnings).unwrap_or_default()
    }

    /// Looks at disk and database; none if they do not answer.
    fn look(&self) -> Option<Found> {
        let desk = self.clone();
        self.0.looking.wait(DISK_TIME, move || Found {
            obstacle: desk.look_for_obstacle(),
            warnings: desk.look_ahead(),
        })
    }

    /// Looks for what comes; a disk that hangs keeps the caller.
    fn look_ahead(&self) -> Vec<String> {
        let text =
            "the disk of the state directory is nearly full: only officers' acts are accepted";
        let room = (self.room() == Room::Reserved).then(|| text.to_owned());
        let webhooks = self.webhook_troubles().unwrap_or_else(|error| {
            tracing::warn!(%error, "the state of the webhooks could not be read");
            Vec::new()
        });
        room.into_iter().chain(webhooks).collect()
    }

    /// Looks whether something keeps changes waiting; a disk that hangs keeps the caller.
    fn look_for_obstacle(&self) -> Option<Obstacle> {
        if let Err(error) = self.0.ledger.store.read::<_, StoreError>(|reader| reader.chain_head())
        {
            return Some(Obstacle::NoDatabase(with_causes(&error)));
        }
        if let Some(locked) = self.0.ledger.store.locked_out() {
            return Some(Obstacle::NoDatabase(locked.to_string()));
        }
        if self.room() == Room::Full {
            return Some(Obstacle::DiskFull);
        }
        match files::try_to_write(&self.0.options.state_dir) {
            Err(error) if is_disk_full(&error) => Some(Obstacle::DiskFull),
            Err(error) => Some(Obstacle::ReadOnly(error.to_string())),
            Ok(()) => None,
        }
    }

    /// The room on the disk now. If the system does not say, the disk counts as one with room:
    /// a write that fails says more.
    pub fn room(&self) -> Room {
        let asked = rustix::fs::statvfs(&self.0.options.state_dir);
        let octets =
            asked.map(|disk| (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize));
        let room = octets.map(|(free, total)| Room::of(free, total)).unwrap_or(Room::Ample);
        #[cfg(test)]
        let room = self.0.pretended.lock().map_or(room, |pretended| pretended.unwrap_or(room));
        room
    }

    /// Pretends that the disk has this much room; for tests.
    #[cfg(test)]
    pub(crate) fn pretend(&self, room: Room) {
        *self.0.pretended.lock().unwrap() = Some(room);
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn a_share_of_the_disk_is_left_to_officers() {
        const MIB: u64 = 1024 * 1024;
        for (free, total, room) in [
            (500 * MIB, 1_000_000 * MIB, Room::Ample),
            (200 * MIB, 1_000_000 * MIB, Room::Reserved),
            (3 * MIB, 1_000_000 * MIB, Room::Full),
            (20 * MIB, 40 * MIB, Room::Ample),
            (9 * MIB, 40 * MIB, Room::Reserved),
            (MIB, 40 * MIB, Room::Full),
            (0, 40 * MIB, Room::Full),
            (0, 0, Room::Ample),
        ] {
            assert_eq!(Room::of(free, total), room, "{free} of {total}");
        }
    }
}
