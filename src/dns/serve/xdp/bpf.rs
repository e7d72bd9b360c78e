//! The system call `bpf(2)`: a map of sockets, a program, and the link that holds it on an interface.
//!
//! Everything made here is a descriptor. When the last holder closes it, however its process ends, the kernel takes
//! the program off the interface: nothing is left behind.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::assembler::Instruction;

/// Commands of `bpf(2)`.
#[derive(Clone, Copy)]
enum Command {
    /// Makes a map.
    MapCreate = 0,
    /// Sets an entry.
    MapUpdate = 2,
    /// Removes an entry.
    MapDelete = 3,
    /// Loads a program.
    ProgramLoad = 5,
    /// Attaches a program.
    LinkCreate = 28,
}

/// A map from a queue to the socket that takes its frames.
const MAP_OF_SOCKETS: u32 = 17;
/// The kind of programs that see each frame.
const PROGRAM_XDP: u32 = 6;
/// Where they are attached.
const ATTACH_XDP: u32 = 37;
/// Nothing that is called is for GPL programs only.
const LICENSE: &CStr = c"MIT";
/// The name that `bpftool` and `ip` show for program and map.
const NAME: [u8; 16] = *b"gapura\0\0\0\0\0\0\0\0\0\0";

/// How a program is attached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// By the driver, before the kernel makes anything of a frame.
    Native = 1 << 2,
    /// By the kernel, for any driver.
    Generic = 1 << 1,
}

impl Mode {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }
}

//------------ Calls ---------------------------------------------------------

/// Makes a map with room for so many queues.
pub(super) fn create_map(queues: u32) -> io::Result<OwnedFd> {
    let wanted = MapCreate {
        kind: MAP_OF_SOCKETS,
        key_size: 4,
        value_size: 4,
        max_entries: queues,
        name: NAME,
        ..MapCreate::default()
    };
    // SAFETY: the command reads these fields and no pointer.
    unsafe { make(Command::MapCreate, &wanted) }
}

/// Loads a program.
pub(super) fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    let wanted = ProgramLoad {
        kind: PROGRAM_XDP,
        count: program.len() as u32,
        instructions: program.as_ptr().expose_provenance() as u64,
        license: LICENSE.as_ptr().expose_provenance() as u64,
        name: NAME,
        attach_type: ATTACH_XDP,
        ..ProgramLoad::default()
    };
    // SAFETY: the kernel reads so many instructions and the licence up to its NUL, both of which live until the call
    // returns; an instruction is laid out as it expects.
    unsafe { make(Command::ProgramLoad, &wanted) }
}

/// Attaches a program to an interface, for as long as the link is open.
pub(super) fn attach(program: &impl AsFd, interface: u32, mode: Mode) -> io::Result<OwnedFd> {
    let wanted = LinkCreate {
        program: number(program.as_fd()),
        interface,
        attach_type: ATTACH_XDP,
        flags: mode as u32,
    };
    // SAFETY: the command reads these fields and no pointer.
    unsafe { make(Command::LinkCreate, &wanted) }
}

/// Lets a socket take the frames of a queue.
pub(super) fn put(map: &impl AsFd, queue: u32, socket: &impl AsFd) -> io::Result<()> {
    let value = number(socket.as_fd());
    let wanted = Element {
        map: number(map.as_fd()),
        key: (&raw const queue).expose_provenance() as u64,
        value: (&raw const value).expose_provenance() as u64,
        ..Element::default()
    };
    // SAFETY: key and value have the four octets that the map was made for, and live until the call returns.
    unsafe { call(Command::MapUpdate, &wanted) }.map(drop)
}

/// Takes the frames of a queue from its socket: the kernel goes on with them.
pub(super) fn remove(map: &impl AsFd, queue: u32) -> io::Result<()> {
    let wanted = Element {
        map: number(map.as_fd()),
        key: (&raw const queue).expose_provenance() as u64,
        ..Element::default()
    };
    // SAFETY: as in `put`.
    unsafe { call(Command::MapDelete, &wanted) }.map(drop)
}

/// Calls the kernel for a new descriptor.
///
/// # Safety
/// As for [`call`]; the command must be one that returns a descriptor.
unsafe fn make<T>(command: Command, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the caller's.
    let descriptor = unsafe { call(command, attributes) }?;
    // SAFETY: the kernel has just made it for us; it is closed on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Calls the kernel.
///
/// # Safety
/// The attributes must be those of the command, and the pointers among them good for what it does with them.
unsafe fn call<T>(command: Command, attributes: &T) -> io::Result<i32> {
    // SAFETY: the kernel reads the octets of `attributes`; all others are the caller's.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command as i32, &raw const *attributes, size_of::<T>())
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    i32::try_from(result).map_err(io::Error::other)
}

/// The number of a descriptor as attributes have it. It is never negative.
fn number(descriptor: BorrowedFd<'_>) -> u32 {
    descriptor.as_raw_fd().cast_unsigned()
}

//------------ Attributes ----------------------------------------------------

// Field by field as `linux/bpf.h` lays them out; what is not named there is zero.

/// `union bpf_attr` of [`Command::MapCreate`].
#[derive(Default)]
#[repr(C)]
struct MapCreate {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
    inner: u32,
    node: u32,
    name: [u8; 16],
}

/// The same of [`Command::MapUpdate`] and [`Command::MapDelete`].
#[derive(Default)]
#[repr(C, align(8))]
struct Element {
    map: u32,
    _gap: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The same of [`Command::ProgramLoad`].
#[derive(Default)]
#[repr(C, align(8))]
struct ProgramLoad {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_type: u32,
}

/// The same of [`Command::LinkCreate`].
#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}
