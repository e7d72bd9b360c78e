//! The standard metrics of a process, from `/proc/self`, under their usual names.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::catalogue as of;
use super::family::Family;

/// Ticks per second in `/proc/self/stat`; Linux reports this many on every machine.
const TICKS: f64 = 100.0;
/// The commit this was built from, if `GAPURA_COMMIT` named one at build time; otherwise empty.
const COMMIT: &str = match option_env!("GAPURA_COMMIT") {
    Some(commit) => commit,
    None => "",
};

/// The current figures. Those that the system does not provide are left out.
pub fn process(started: SystemTime, state_dir: &Path) -> Vec<Family> {
    let since = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let one = |described, value| Family::of(described).with(&[], value);
    let mut families = vec![
        Family::of(&of::BUILD_INFO).with(&[env!("CARGO_PKG_VERSION"), COMMIT], 1.0),
        one(&of::START_TIME, since),
        one(&of::PROCESS_START, since),
    ];
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    let status = read("status").unwrap_or_default();
    let kib = |field: &str| number_after(&status, field).map(|kib| kib * 1024.0);
    let limits = read("limits").unwrap_or_default();
    let files = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    let disk = rustix::fs::statvfs(state_dir).ok();
    let room = |blocks: u64, size: u64| blocks.saturating_mul(size) as f64;
    for (described, value) in [
        (&of::PROCESS_CPU, read("stat").as_deref().and_then(cpu_seconds)),
        (&of::PROCESS_RSS, kib("VmRSS:")),
        (&of::PROCESS_VIRTUAL, kib("VmSize:")),
        (&of::PROCESS_THREADS, number_after(&status, "Threads:")),
        (&of::PROCESS_FDS, files),
        (&of::PROCESS_FDS_MAX, number_after(&limits, "Max open files")),
        (&of::STATE_DISK_FREE, disk.as_ref().map(|disk| room(disk.f_bavail, disk.f_frsize))),
        (&of::STATE_DISK_SIZE, disk.as_ref().map(|disk| room(disk.f_blocks, disk.f_frsize))),
    ] {
        families.extend(value.map(|value| one(described, value)));
    }
    families
}

/// Seconds of processor time out of `/proc/self/stat`. The program's name, in parentheses, may hold spaces.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / TICKS)
}

/// The first number after a word at the start of a line.
fn number_after(text: &str, word: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_all_of_it() {
        let families = process(SystemTime::now(), Path::new("/"));
        assert_eq!(families.len(), 11, "{families:?}");
        assert_eq!(cpu_seconds("1 (a) b) R 1 1 1 0 -1 4 1 0 0 0 150 50 0"), Some(2.0));
    }
}
