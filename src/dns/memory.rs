//! Hints about memory, to the processor and to the system: what is read soon, what is large, what is free again.
//!
//! None of them changes what a program computes. Where a hint is not known (another processor, another C library) it
//! is left out.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

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
}
