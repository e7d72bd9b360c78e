//! Hints about memory, to the processor and to the system: what is read soon, what is large, what is free again.
//!
//! None of them changes what a program computes. Where a hint is not known (another processor, another C library) it
//! is left out.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed};
use std::mem::MaybeUninit;
use std::sync::Mutex;

use crate::lock::lock;
use crate::threads::each;

/// Octets of a line of the caches; where lines are longer, some are asked for twice.
const LINE_OCTETS: usize = 64;
/// Octets of a large page.
const LARGE_PAGE_OCTETS: usize = 2 << 20;
/// Octets of an allocation from which on it gets large pages if it stays, and pages of its own that go back when it is freed.
const LARGE_OCTETS: usize = 2 * LARGE_PAGE_OCTETS;

//------------ The processor -------------------------------------------------

/// Asks the processor for the first `octets` of what a reference leads to, whether they belong to it or not, and does
/// not wait for them.
#[inline(always)]
pub fn fetch<T: ?Sized>(place: &T, octets: usize) {
    let start = std::ptr::from_ref(place).cast::<i8>();
    for at in (0..octets).step_by(LINE_OCTETS) {
        fetch_line(start.wrapping_add(at));
    }
}

/// Asks for one line.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn fetch_line(place: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86_64 processor has the instruction. It reads nothing and never faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place) }
}

/// Nothing: there is no stable intrinsic.
#[inline(always)]
#[cfg(not(target_arch = "x86_64"))]
fn fetch_line(_: *const i8) {}

//------------ The system ----------------------------------------------------

/// A vector with room for so many. Room that is not used takes no memory; if not even the addresses are there, it grows as
/// it is filled.
///
/// Not in large pages: it is for what is freed soon. On a virtual machine whose host takes free memory back at once,
/// having them cleared takes longer than the faults that they spare (measured: a tenth of the load of a million names).
pub fn roomy<T>(count: usize) -> Vec<T> {
    let mut room = Vec::new();
    // Without that much room it is as it was.
    let _ = room.try_reserve_exact(count);
    room
}

/// So many zeros, of which none takes memory before it is touched; `None` if not even the addresses are there.
pub fn zeros(count: usize) -> Option<Vec<u8>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<u8>(count).ok()?;
    // SAFETY: the layout has octets. What comes back is nobody else's, all of it is set, and a vector of octets frees it
    // with this very layout.
    unsafe {
        let start = alloc_zeroed(layout);
        (!start.is_null()).then(|| Vec::from_raw_parts(start, count, count))
    }
}

/// A vector of parts of these lengths, made by so many threads: `make` puts the part of a number into an empty vector.
///
/// # Panics
///
/// If a part has another length.
pub fn joined<T: Copy + Send>(
    threads: usize,
    lengths: &[usize],
    make: impl Fn(usize, &mut Vec<T>) + Sync,
) -> Vec<T> {
    let count = lengths.iter().sum();
    let mut all = Vec::with_capacity(count);
    let mut rest = &mut all.spare_capacity_mut()[..count];
    let mut rooms = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (room, after) = rest.split_at_mut(*length);
        rooms.push(Mutex::new(room));
        rest = after;
    }
    each(threads, rooms.len(), Vec::new, |own, part| {
        own.clear();
        make(part, own);
        // Another length is a panic here.
        lock(&rooms[part]).write_copy_of_slice(own);
    });
    drop(rooms);
    // SAFETY: the parts are all of the first `count` values, and each was written.
    unsafe { all.set_len(count) };
    all
}

/// Asks for large pages for what is not written yet and stays: look-ups need fewer entries of the processor's table of
/// pages.
pub fn in_large_pages<T>(room: &mut [MaybeUninit<T>]) {
    let octets = size_of_val(room);
    if octets < LARGE_OCTETS {
        return;
    }
    let start = room.as_mut_ptr().cast::<libc::c_void>();
    let before = start.align_offset(LARGE_PAGE_OCTETS);
    let whole = octets.saturating_sub(before) / LARGE_PAGE_OCTETS * LARGE_PAGE_OCTETS;
    // SAFETY: the range is inside memory that `room` borrows alone, and this advice changes none of its content. That a
    // system refuses it is no fault.
    unsafe {
        libc::madvise(start.wrapping_byte_add(before), whole, libc::MADV_HUGEPAGE);
    }
}

/// Has large allocations get pages of their own from now on, which go back to the system as soon as they are freed. By
/// itself the C library stops doing so when the first of them was freed, and keeps what many threads freed apart.
#[cfg(target_env = "gnu")]
pub fn give_large_back() {
    // SAFETY: it sets a number inside the allocator, which takes care of other threads.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_OCTETS as libc::c_int);
    }
}

/// Gives back what is free between allocations; takes some milliseconds for each 100 MiB.
#[cfg(target_env = "gnu")]
pub fn give_back() {
    // SAFETY: the allocator takes care of other threads.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Nothing: other C libraries have no such call.
#[cfg(not(target_env = "gnu"))]
pub fn give_large_back() {}

/// Nothing: other C libraries have no such call.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}

#[cfg(test)]
mod tests {
    #[test]
    fn hints_change_nothing() {
        let mut much = super::roomy::<u64>(3 << 20);
        much.extend(0..(3 << 20));
        super::fetch(&much, usize::from(u16::MAX));
        super::give_large_back();
        super::give_back();
        assert!(much.iter().copied().eq(0..(3 << 20)));
        // More than there are addresses.
        assert_eq!(super::roomy::<u64>(usize::MAX / 16).capacity(), 0);
        super::in_large_pages::<u8>(&mut []);
    }

    #[test]
    fn what_is_made_in_parts_is_whole() {
        for threads in 0..4 {
            for lengths in [&[][..], &[0], &[3, 0, 4, 1], &[1000; 50]] {
                let all = super::joined(threads, lengths, |part, own| {
                    own.extend((0..lengths[part]).map(|at| (part, at)));
                });
                let expected = lengths.iter().enumerate();
                let expected =
                    expected.flat_map(|(part, length)| (0..*length).map(move |at| (part, at)));
                assert!(all.into_iter().eq(expected));
            }
        }
        let wrong = || super::joined(2, &[3, 4], |_, own: &mut Vec<u8>| own.extend([1, 2, 3]));
        assert!(std::panic::catch_unwind(wrong).is_err());
        assert!(
            super::zeros(1 << 20)
                .is_some_and(|all| all.len() == 1 << 20 && all.iter().all(|it| *it == 0))
        );
        assert!(
            super::zeros(0).is_some_and(|none| none.is_empty())
                && super::zeros(usize::MAX / 4).is_none()
        );
    }
}
