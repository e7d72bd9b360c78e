//! What is to be known of the process, from `/proc/self`: the figures that every exporter has, by their usual
//! names.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Family;

/// Ticks of a second in `/proc/self/stat`; Linux shows programs this many on every machine.
const TICKS: f64 = 100.0;

/// The figures now. What the system does not tell is left out.
pub fn process(started: SystemTime) -> Vec<Family> {
    let since = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    let mut families = vec![
        Family::gauge("gapura_build_info", "The version that runs").with(version, 1.0),
        Family::gauge("gapura_start_time_seconds", "When gapura started").with(vec![], since),
        Family::gauge("process_start_time_seconds", "When the process started").with(vec![], since),
    ];
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    if let Some(seconds) = read("stat").as_deref().and_then(cpu_seconds) {
        let help = "Processor time used";
        families.push(Family::counter("process_cpu_seconds", help).with(vec![], seconds));
    }
    let status = read("status").unwrap_or_default();
    for (field, name, help) in [
        ("VmRSS:", "process_resident_memory_bytes", "Memory in use"),
        ("VmSize:", "process_virtual_memory_bytes", "Address space in use"),
    ] {
        if let Some(kib) = number_after(&status, field) {
            families.push(Family::gauge(name, help).with(vec![], kib * 1024.0));
        }
    }
    if let Some(threads) = number_after(&status, "Threads:") {
        families.push(Family::gauge("process_threads", "Threads").with(vec![], threads));
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        let open = files.count() as f64;
        families.push(Family::gauge("process_open_fds", "Open files").with(vec![], open));
    }
    if let Some(most) = read("limits").and_then(|text| number_after(&text, "Max open files")) {
        let help = "Files that may be open";
        families.push(Family::gauge("process_max_fds", help).with(vec![], most));
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
        let families = process(SystemTime::now());
        assert_eq!(families.len(), 9, "{families:?}");
        assert!(
            families.iter().all(|family| family.samples.iter().all(|(_, value)| *value >= 0.0))
        );
        assert_eq!(cpu_seconds("1 (a) b) R 1 1 1 0 -1 4 1 0 0 0 150 50 0"), Some(2.0));
    }
}
