//! Room on the disk of the state directory, and for whom it is left.

use super::Desk;

/// What is left for officers, in octets: strangers' drafts, requests and letters are not taken then.
const RESERVE: u64 = 256 * 1024 * 1024;
/// The reserve's largest share of a small disk.
const RESERVE_SHARE: u64 = 4;
/// With less than this, in octets, a transaction may fail halfway through.
const FULL: u64 = 4 * 1024 * 1024;
/// Its largest share of a small disk.
const FULL_SHARE: u64 = 32;

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

impl Desk {
    /// The room on the disk now. A disk that says nothing of itself counts as one with room: then a
    /// failed write tells.
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
