//! Threads for a piece of work, where the system has any to give: under a limit of memory, address space or
//! processes the work is done all the same, by the thread that asked. Threads that stay are started where
//! they are used.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle, available_parallelism, scope};

use crate::lock::lock;

/// Threads that work on one thing at most: more would only wait for memory.
const THREADS_MAX: usize = 8;

/// How many threads there may be for one piece of work, this one included.
pub fn processors() -> usize {
    available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
}

/// Does two things at once, or one after the other. A panic of either is the caller's.
pub fn both<A: Send, B>(beside: impl Fn() -> A + Sync, here: impl FnOnce() -> B) -> (A, B) {
    both_by(Builder::new(), beside, here)
}

/// Calls `beside` on so many threads of their own, as far as there are any, and returns what each said. With
/// none at all, `here` is called instead. A panic of one is the caller's.
pub fn several<T: Send>(
    count: usize,
    beside: impl Fn() -> T + Sync,
    here: impl FnOnce() -> T,
) -> Vec<T> {
    several_by(Builder::new, count, beside, here)
}

/// Does `count` pieces of work on so many threads, each of which begins with something of its own; returns what became
/// of them, in order. A panic of one is the caller's.
pub fn each<S, T: Send>(
    threads: usize,
    count: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    if threads < 2 {
        let mut own = begin();
        return (0..count).map(|at| work(&mut own, at)).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    let run = || {
        let mut own = begin();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            let made = work(&mut own, at);
            lock(&done).push((at, made));
        }
    };
    several(threads.min(count), run, run);
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

/// Frees what is large on a thread of its own, where there is one: nobody is to wait for that.
pub fn free_beside(what: impl Send + 'static) {
    // Without a thread it is freed here.
    drop(Builder::new().spawn(move || drop(what)));
}

/// [`both`], with a thread as this builder makes it.
fn both_by<A: Send, B>(
    builder: Builder,
    beside: impl Fn() -> A + Sync,
    here: impl FnOnce() -> B,
) -> (A, B) {
    scope(|scope| {
        let thread = builder.spawn_scoped(scope, &beside);
        let here = here();
        (thread.map_or_else(|_| beside(), joined), here)
    })
}

/// [`several`], with threads as these builders make them.
fn several_by<T: Send>(
    builder: impl Fn() -> Builder,
    count: usize,
    beside: impl Fn() -> T + Sync,
    here: impl FnOnce() -> T,
) -> Vec<T> {
    scope(|scope| {
        let start = |_| builder().spawn_scoped(scope, &beside).ok();
        let threads: Vec<_> = (0..count).map_while(start).collect();
        if threads.is_empty() {
            return vec![here()];
        }
        threads.into_iter().map(joined).collect()
    })
}

/// What a thread said.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::thread::current;

    use super::*;

    /// No system has room for such a thread.
    fn impossible() -> Builder {
        Builder::new().stack_size(1 << 60)
    }

    #[test]
    fn work_is_done_with_and_without_threads() {
        let me = current().id();
        let (beside, here) = both(|| current().id(), || current().id());
        assert!(beside != me && here == me);
        let (beside, here) = both_by(impossible(), || current().id(), || current().id());
        assert!(beside == me && here == me);
        let calls = AtomicUsize::new(0);
        let count = || calls.fetch_add(1, Ordering::Relaxed);
        assert_eq!(several(3, count, || 9).len(), 3);
        assert_eq!(several_by(impossible, 3, count, || 9), [9]);
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn pieces_of_work_come_back_in_order() {
        for threads in 0..4 {
            for count in [0, 1, 2, 100] {
                let begun = AtomicUsize::new(0);
                let begin = || begun.fetch_add(1, Ordering::Relaxed);
                let made = each(threads, count, begin, |_, at| at * 2);
                assert_eq!(made, (0..count).map(|at| at * 2).collect::<Vec<_>>());
                assert!(begun.into_inner() <= threads.max(1));
            }
        }
    }

    #[test]
    fn a_panic_is_the_callers() {
        let panics = || std::panic::catch_unwind(|| both(|| panic!("beside"), || ()));
        assert_eq!(panics().unwrap_err().downcast_ref(), Some(&"beside"));
        let panics = || std::panic::catch_unwind(|| several(2, || panic!("one"), || ()));
        assert_eq!(panics().unwrap_err().downcast_ref(), Some(&"one"));
    }
}
