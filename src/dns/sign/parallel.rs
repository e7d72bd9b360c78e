//! Work in parts, on as many threads as are wanted. The one file of the room that starts any.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::threads::several;

/// How much less of the processors they get than what answers queries.
const NICE: i32 = 10;

/// How many threads to use; 0 asks for as many as there are cores.
pub(super) fn threads(wanted: usize) -> usize {
    match wanted {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        wanted => wanted,
    }
}

/// Does all parts and returns their outcomes in order. What has one part only is done by the caller.
pub(super) fn run<T: Send>(
    threads: usize,
    parts: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if parts <= 1 {
        return (0..parts).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                return done;
            }
            done.push((part, work(part)));
        }
    };
    let beside = || {
        // Refused at most; then it works as everybody does.
        let _ = rustix::process::nice(NICE);
        take()
    };
    let done = several(threads.clamp(1, parts), beside, take);
    let mut done: Vec<(usize, T)> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(part, _)| *part);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
