//! The memory of this process, as reported by the kernel.

/// What the kernel says under a key such as `VmRSS` (now) or `VmHWM` (at most so far), in MiB.
pub fn mib(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
