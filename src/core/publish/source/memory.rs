//! Checks that there is enough memory to load a file: a failed allocation ends the process, and with
//! it all answers.
//!
//! The need is estimated from the size of the file, and again while records arrive, because `$GENERATE` makes
//! many records from few octets. That much is allocated and freed as a test: a limit of address space
//! (RLIMIT_AS, RLIMIT_DATA) or a kernel that does not overcommit refuses it. The limit of a control group and
//! the memory of the machine are read, since those would fail only later.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::publish::state::Lack;

/// Octets of memory that an octet of a file may take until it is live: text, records on their way, the
/// zone, the difference, its copy for the database. Measured: 7 to 12.
const PER_OCTET: u64 = 14;
/// Octets that a record which was parsed takes until it is live.
const PER_RECORD: u64 = 256;
/// A file up to this size, in octets, is loaded without a look: a thousand small zones are to start fast.
const SMALL: u64 = 256 * 1024;

/// What the loads under way may still take together, in octets.
static CLAIMED: AtomicU64 = AtomicU64::new(0);

//------------ Claim ---------------------------------------------------------

/// A load under way, and the memory it may take.
pub(super) struct Claim {
    /// How much that is.
    octets: u64,
    /// What the process had taken when it first claimed some.
    before: Option<u64>,
}

impl Claim {
    /// A load that begins.
    pub(super) fn new() -> Self {
        Self { octets: 0, before: None }
    }

    /// Claims what a file of so many octets may take.
    pub(super) fn for_file(&mut self, octets: u64) -> Result<(), Lack> {
        if octets <= SMALL {
            return Ok(());
        }
        self.raise(octets.saturating_mul(PER_OCTET))
    }

    /// Claims what so many records may take, if that is more.
    pub(super) fn for_records(&mut self, records: u64) -> Result<(), Lack> {
        self.raise(records.saturating_mul(PER_RECORD))
    }

    /// Raises the claim, if there is room for it.
    fn raise(&mut self, wanted: u64) -> Result<(), Lack> {
        if wanted <= self.octets {
            return Ok(());
        }
        let more = wanted - self.octets;
        let all = CLAIMED.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        self.octets = wanted;
        // What was taken meanwhile is not there any more, and is not to be there once more.
        let now = of_process();
        let taken = now.saturating_sub(*self.before.get_or_insert(now)).min(wanted);
        is_there(all - taken).map_err(|lack| Lack { wanted, ..lack })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

/// Whether there is room now for what was refused: with an eighth to spare, so that a file at the limit is
/// not tried again and again.
pub(super) fn has_come(lack: &Lack) -> bool {
    let wanted = lack.wanted.saturating_add(lack.wanted / 8);
    is_there(wanted.saturating_add(CLAIMED.load(Ordering::Relaxed))).is_ok()
}

/// Whether so many octets of memory are there.
fn is_there(wanted: u64) -> Result<(), Lack> {
    let left = [of_machine(), of_group()].into_iter().flatten().min();
    if left.is_some_and(|left| left < wanted) {
        return Err(Lack { wanted, left });
    }
    let no = Lack { wanted, left: None };
    // Address space only: no page of it is touched.
    let mut asked = Vec::<u8>::new();
    asked.try_reserve_exact(usize::try_from(wanted).map_err(|_| no)?).map_err(|_| no)
}

//------------ Limits --------------------------------------------------------

/// What the process has taken of it; 0 if the system does not tell.
fn of_process() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}

/// What is left of the machine's memory, without what is only cached.
fn of_machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Some((kib("MemAvailable:")? + kib("SwapFree:").unwrap_or_default()) * 1024)
}

/// What the control groups of this process leave, without what is only cached.
fn of_group() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = |begin: &str| text.lines().find_map(|line| line.split_once(begin)).map(|it| it.1);
    let unified = path("0::/").map(|path| (Path::new("/sys/fs/cgroup"), path, UNIFIED));
    let memory = path(":memory:/").map(|path| (Path::new("/sys/fs/cgroup/memory"), path, OLDER));
    let left = unified.into_iter().chain(memory).flat_map(|(root, path, files)| {
        let group: PathBuf = root.join(path);
        // A group counts for those within; in a container only the root is seen.
        let groups: Vec<PathBuf> = group
            .ancestors()
            .take_while(|group| group.starts_with(root))
            .map(Path::to_owned)
            .chain([root.to_owned()])
            .collect();
        groups.into_iter().filter_map(move |group| left_in(&group, files))
    });
    left.min()
}

/// Files of a control group: limit, use, and the name of what is only cached.
type GroupFiles = (&'static str, &'static str, &'static str);
/// Those of version 2.
const UNIFIED: GroupFiles = ("memory.max", "memory.current", "inactive_file ");
/// Those of version 1.
const OLDER: GroupFiles =
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");

/// What one group leaves; none without a limit.
fn left_in(group: &Path, (max, used, cached): GroupFiles) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(group.join(name)).ok();
    let max: u64 = read(max)?.trim().parse().ok()?;
    let used: u64 = read(used)?.trim().parse().ok()?;
    let stat = read("memory.stat").unwrap_or_default();
    let cached = stat.lines().find_map(|line| line.strip_prefix(cached)?.trim().parse().ok());
    Some(max.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_begun() {
        assert!(Claim::new().for_file(1024).is_ok());
        let lack = Claim::new().for_file(1 << 50).unwrap_err();
        assert_eq!(lack.wanted, (1 << 50) * PER_OCTET);
        assert!(!has_come(&lack) && has_come(&Lack { wanted: SMALL, left: None }));
        let mut claim = Claim::new();
        claim.for_file(SMALL + 1).unwrap();
        assert!(claim.for_records(1000).is_ok());
        assert!(claim.for_records(1 << 50).is_err());
        drop(claim);
        let group = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("memory.max", "1000\n"),
            ("memory.current", "900\n"),
            ("memory.stat", "anon 500\ninactive_file 300\nactive_file 100\n"),
        ] {
            std::fs::write(group.path().join(name), text).unwrap();
        }
        assert_eq!(left_in(group.path(), UNIFIED), Some(400));
        std::fs::write(group.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(left_in(group.path(), UNIFIED), None);
    }
}
