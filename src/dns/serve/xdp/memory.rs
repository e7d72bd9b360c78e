//! Memory that the kernel reads and writes too: mapped pages, and the frames in them.
//!
//! A frame has one owner at a time: the kernel, or the [`Frame`] that stands for it. A `Frame` cannot be
//! copied; giving it to a ring gives the frame away. This is what makes [`Frames::octets`] sound.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{self, NonNull};

/// Octets of a frame's room.
pub(super) const FRAME: usize = 2048;

//------------ Mapping -------------------------------------------------------

/// Pages of this process that the kernel knows; given back when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    /// The first octet.
    start: NonNull<u8>,
    /// How many there are.
    octets: usize,
}

// SAFETY: the pages belong to the process and to no thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// New pages, all zero.
    fn anonymous(octets: usize) -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        Self::map(octets, flags, -1, 0)
    }

    /// The pages that a descriptor stands for, from this offset on.
    pub(super) fn of(descriptor: &impl AsFd, octets: usize, offset: u64) -> io::Result<Self> {
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        Self::map(octets, flags, descriptor.as_fd().as_raw_fd(), offset)
    }

    /// Maps pages.
    fn map(octets: usize, flags: i32, descriptor: i32, offset: u64) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: with no address wanted, the kernel chooses one that nothing is mapped at.
        let start =
            unsafe { libc::mmap(ptr::null_mut(), octets, protection, flags, descriptor, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { start, octets })
    }

    /// A pointer to `count` values of a type at this offset; `None` if they are not inside or not aligned.
    pub(super) fn at<T>(&self, offset: u64, count: usize) -> Option<NonNull<T>> {
        let offset = usize::try_from(offset).ok()?;
        let end = offset.checked_add(count.checked_mul(size_of::<T>())?)?;
        if end > self.octets || !offset.is_multiple_of(align_of::<T>()) {
            return None;
        }
        // SAFETY: the offset is inside the mapping.
        Some(unsafe { self.start.add(offset) }.cast())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: start and size are those that `map` got, and whoever has pointers into the pages
        // holds the mapping too. It cannot fail for such.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.octets) };
    }
}

//------------ Frame ---------------------------------------------------------

/// A frame of ours.
#[derive(Debug)]
pub(super) struct Frame {
    /// Where its octets begin, from the start of all frames.
    at: u64,
    /// How many there are.
    length: u32,
}

impl Frame {
    /// The frame that the kernel gave away with these figures.
    ///
    /// # Safety
    /// The kernel must have given it, and only once.
    pub(super) unsafe fn received(at: u64, length: u32) -> Self {
        Self { at, length }
    }

    /// Gives it away: the kernel may do with it what it likes.
    pub(super) fn give_away(self) -> (u64, u32) {
        (self.at, self.length)
    }

    /// The same frame with so many octets.
    pub(super) fn with_length(self, length: usize) -> Self {
        let room = FRAME as u64 - self.at % FRAME as u64;
        Self { length: (length as u64).min(room) as u32, ..self }
    }
}

//------------ Frames --------------------------------------------------------

/// The memory of all frames of a socket.
#[derive(Debug)]
pub(super) struct Frames {
    /// The pages.
    mapping: Mapping,
    /// How many frames there are.
    count: usize,
}

impl Frames {
    /// So many frames, and each of them.
    pub(super) fn new(count: usize) -> io::Result<(Self, Vec<Frame>)> {
        let frames = Self { mapping: Mapping::anonymous(count * FRAME)?, count };
        let all = (0..count).map(|index| Frame { at: (index * FRAME) as u64, length: 0 });
        Ok((frames, all.collect()))
    }

    /// Where they are, for the kernel: address and octets.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.mapping.start.as_ptr().expose_provenance() as u64, (self.count * FRAME) as u64)
    }

    /// The octets of a frame, and behind them the room it has left.
    pub(super) fn octets<'f>(&'f mut self, frame: &'f Frame) -> (&'f mut [u8], usize) {
        let room = FRAME - (frame.at % FRAME as u64) as usize;
        let length = (frame.length as usize).min(room);
        let Some(start) = self.mapping.at::<u8>(frame.at, room) else { return (&mut [], 0) };
        // SAFETY: the octets are inside the mapping, initialised (the kernel fills new pages with
        // zeros), and inside one frame, which nobody else reads or writes as long as `Frame` lives. The
        // borrow of `self` keeps a second slice away.
        (unsafe { NonNull::slice_from_raw_parts(start, room).as_mut() }, length)
    }

    /// The octets of a frame, to be read only.
    pub(super) fn shown<'f>(&'f self, frame: &'f Frame) -> &'f [u8] {
        let room = FRAME - (frame.at % FRAME as u64) as usize;
        let Some(start) = self.mapping.at::<u8>(frame.at, room) else { return &[] };
        // SAFETY: as in `octets`; shared borrows only read.
        unsafe { NonNull::slice_from_raw_parts(start, room).as_ref() }
    }
}
