//! The four rings between us and the kernel, each with one writer and one reader.
//!
//! ```text
//! fill        empty frames for the kernel      ─►  filled by the interface, then
//! received    ◄─  queries
//! sending     responses                         ─►  sent by the interface, then
//! completed   ◄─  empty frames
//! ```
//!
//! Every ring has room for all frames, so none is ever full. The kernel's side:
//! `Documentation/networking/af_xdp.rst`; the order of reads and writes: `net/xdp/xsk_queue.h`.

use std::io;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::net::xdp::XdpRingOffset;

use super::memory::{Frame, Mapping};

/// The flag of a ring whose reader, the kernel, sleeps.
const NEED_WAKEUP: u32 = 1;

/// An entry of the rings that bring and take messages (`struct xdp_desc`).
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Message {
    /// Where the frame's octets begin.
    at: u64,
    /// How many there are.
    length: u32,
    /// Nothing that is used here.
    options: u32,
}

/// An entry of a ring.
trait Entry: Copy {
    /// The frame it names.
    fn of(frame: Frame) -> Self;

    /// Where the frame's octets begin, and how many there are.
    fn figures(self) -> (u64, u32);
}

impl Entry for u64 {
    fn of(frame: Frame) -> Self {
        frame.give_away().0
    }

    fn figures(self) -> (u64, u32) {
        (self, 0)
    }
}

impl Entry for Message {
    fn of(frame: Frame) -> Self {
        let (at, length) = frame.give_away();
        Self { at, length, options: 0 }
    }

    fn figures(self) -> (u64, u32) {
        (self.at, self.length)
    }
}

//------------ Ring ----------------------------------------------------------

/// What both kinds of rings have.
#[derive(Debug)]
struct Ring<T> {
    /// Keeps the pages that the pointers go to.
    _mapping: Mapping,
    /// How many entries were written, modulo 2³².
    written: NonNull<AtomicU32>,
    /// How many were read.
    read: NonNull<AtomicU32>,
    /// What the kernel says of itself.
    flags: NonNull<AtomicU32>,
    /// The entries.
    entries: NonNull<T>,
    /// One less than their number, a power of two.
    mask: u32,
    /// How far we are on our side; the kernel is told later.
    ours: u32,
}

// SAFETY: the pointers go into the mapping, which the value owns, and nothing belongs to a thread.
unsafe impl<T> Send for Ring<T> {}

impl<T: Entry> Ring<T> {
    /// The ring at this page offset of a socket.
    fn map(socket: &impl AsFd, page: u64, offsets: &XdpRingOffset, count: u32) -> io::Result<Self> {
        let wrong = || io::Error::other("this kernel lays out its rings as none before");
        let flags = offsets.flags.ok_or_else(wrong)?;
        let entries = count as usize;
        let octets = offsets.desc as usize + entries * size_of::<T>();
        let mapping = Mapping::of(socket, octets, page)?;
        let number = |at| mapping.at::<AtomicU32>(at, 1).ok_or_else(wrong);
        Ok(Self {
            written: number(offsets.producer)?,
            read: number(offsets.consumer)?,
            flags: number(flags)?,
            entries: mapping.at::<T>(offsets.desc, entries).ok_or_else(wrong)?,
            mask: count - 1,
            ours: 0,
            _mapping: mapping,
        })
    }

    /// How many entries were written.
    fn written(&self) -> &AtomicU32 {
        // SAFETY: `map` checked that it is inside the mapping and aligned; the kernel, too, writes it as one.
        unsafe { self.written.as_ref() }
    }

    /// How many entries were read.
    fn read(&self) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { self.read.as_ref() }
    }

    /// What the kernel says of itself.
    fn flags(&self) -> u32 {
        // SAFETY: as above.
        unsafe { self.flags.as_ref() }.load(Ordering::Relaxed)
    }

    /// The entry that we are at.
    fn entry(&self) -> NonNull<T> {
        // SAFETY: masked, the index is one of the entries, which are inside the mapping.
        unsafe { self.entries.add((self.ours & self.mask) as usize) }
    }
}

//------------ Giving --------------------------------------------------------

/// A ring that we write.
#[derive(Debug)]
struct Giving<T>(Ring<T>);

impl<T: Entry> Giving<T> {
    /// Gives a frame; the kernel hears of it with [`Self::publish`].
    fn give(&mut self, frame: Frame) {
        // SAFETY: there are as many entries as frames, so this one is not one that the kernel still is to
        // read, and it reads none before it is told.
        unsafe { self.0.entry().write(T::of(frame)) };
        self.0.ours = self.0.ours.wrapping_add(1);
    }

    /// Tells the kernel of what was given.
    fn publish(&self) {
        self.0.written().store(self.0.ours, Ordering::Release);
    }

    /// Whether the kernel has not read all yet.
    fn is_waiting(&self) -> bool {
        self.0.read().load(Ordering::Relaxed) != self.0.ours
    }
}

//------------ Taking --------------------------------------------------------

/// A ring that we read.
#[derive(Debug)]
struct Taking<T>(Ring<T>);

impl<T: Entry> Taking<T> {
    /// How many entries there are to take.
    fn count(&self) -> u32 {
        self.0.written().load(Ordering::Acquire).wrapping_sub(self.0.ours)
    }

    /// Takes the next entry, if there is one.
    fn take(&mut self) -> Option<Frame> {
        if self.count() == 0 {
            return None;
        }
        // SAFETY: the kernel wrote it before it counted it, and writes it again only after it was told that it was read.
        let (at, length) = unsafe { self.0.entry().read() }.figures();
        self.0.ours = self.0.ours.wrapping_add(1);
        // SAFETY: with the entry the kernel gives the frame; each entry is read once.
        Some(unsafe { Frame::received(at, length) })
    }

    /// Tells the kernel what was taken.
    fn release(&self) {
        self.0.read().store(self.0.ours, Ordering::Release);
    }
}

//------------ Rings ---------------------------------------------------------

/// The four rings of a socket.
#[derive(Debug)]
pub(super) struct Rings {
    /// Empty frames for the kernel.
    fill: Giving<u64>,
    /// Queries.
    received: Taking<Message>,
    /// Responses.
    sending: Giving<Message>,
    /// Empty frames that were sent.
    completed: Taking<u64>,
}

impl Rings {
    /// Maps the rings of a socket, of so many entries each, and gives the kernel all frames.
    pub(super) fn map(socket: &impl AsFd, frames: Vec<Frame>) -> io::Result<Self> {
        let offsets = rustix::net::sockopt::xdp_mmap_offsets(socket)?;
        let count = u32::try_from(frames.len()).map_err(io::Error::other)?;
        if !count.is_power_of_two() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut rings = Self {
            fill: Giving(Ring::map(socket, libc::XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, count)?),
            received: Taking(Ring::map(socket, RECEIVED_PAGE, &offsets.rx, count)?),
            sending: Giving(Ring::map(socket, SENDING_PAGE, &offsets.tx, count)?),
            completed: Taking(Ring::map(
                socket,
                libc::XDP_UMEM_PGOFF_COMPLETION_RING,
                &offsets.cr,
                count,
            )?),
        };
        frames.into_iter().for_each(|frame| rings.recycle(frame));
        rings.publish();
        Ok(rings)
    }

    /// How many queries there are.
    pub(super) fn count(&self) -> usize {
        self.received.count() as usize
    }

    /// The next query, if there is one.
    pub(super) fn take(&mut self) -> Option<Frame> {
        self.received.take()
    }

    /// Sends a frame, after [`Self::publish`].
    pub(super) fn send(&mut self, frame: Frame) {
        self.sending.give(frame);
    }

    /// Gives the kernel an empty frame, after [`Self::publish`].
    pub(super) fn recycle(&mut self, frame: Frame) {
        self.fill.give(frame);
    }

    /// Gives back the frames that were sent, to be filled again.
    pub(super) fn reclaim(&mut self) {
        while let Some(frame) = self.completed.take() {
            self.fill.give(frame);
        }
        self.completed.release();
    }

    /// Tells the kernel of all that was taken and given.
    pub(super) fn publish(&self) {
        self.received.release();
        self.fill.publish();
        self.sending.publish();
    }

    /// Whether the kernel must be called so that it sends.
    pub(super) fn wants_a_call(&self) -> bool {
        self.sending.is_waiting() && self.sending.0.flags() & NEED_WAKEUP != 0
    }
}

#[cfg(test)]
impl Rings {
    /// The frame that the kernel was given last and does not fill, because nothing is redirected to this socket.
    pub(super) fn take_back(&mut self) -> Frame {
        let ring = &mut self.fill.0;
        ring.ours = ring.ours.wrapping_sub(1);
        // SAFETY: the entry was written by `give`, and the kernel reads no more than the next line tells it of.
        let at = unsafe { ring.entry().read() };
        self.fill.publish();
        // SAFETY: the kernel has not got it any more.
        unsafe { Frame::received(at, 0) }
    }
}

/// The page of the ring of queries.
const RECEIVED_PAGE: u64 = libc::XDP_PGOFF_RX_RING as u64;
/// The page of the ring of responses.
const SENDING_PAGE: u64 = libc::XDP_PGOFF_TX_RING as u64;
