//! What a driver says of an interface (`ioctl` SIOCETHTOOL): how many queues it has, and whether it takes off VLAN tags.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The request of `ioctl`.
const SIOCETHTOOL: libc::Ioctl = 0x8946;
/// Asks for the numbers of channels.
const CHANNELS: u32 = 0x3c;
/// Asks for some of what the hardware does.
const FLAGS: u32 = 0x25;
/// Among these: it takes the tags of VLANs off frames that come in.
const FLAG_TAKES_TAGS: u32 = 1 << 8;

/// `struct ethtool_channels`.
#[derive(Default)]
#[repr(C)]
struct Channels {
    command: u32,
    most: [u32; 4],
    receiving: u32,
    sending: u32,
    other: u32,
    combined: u32,
}

/// `struct ethtool_value`.
#[derive(Default)]
#[repr(C)]
struct Value {
    command: u32,
    value: u32,
}

/// `struct ifreq` with a pointer.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    data: *mut libc::c_void,
    _rest: [u64; 2],
}

/// How many queues bring frames; one where the driver does not say.
pub(super) fn queues(socket: &impl AsFd, name: &str) -> u32 {
    let mut channels = Channels { command: CHANNELS, ..Channels::default() };
    // SAFETY: the command writes a `struct ethtool_channels`.
    match unsafe { ask(socket, name, &mut channels) } {
        Ok(()) => channels.receiving.max(channels.combined).max(1),
        Err(_) => 1,
    }
}

/// Whether the hardware takes off the tags of VLANs.
pub(super) fn takes_tags(socket: &impl AsFd, name: &str) -> bool {
    let mut flags = Value { command: FLAGS, value: 0 };
    // SAFETY: the command writes a `struct ethtool_value`.
    unsafe { ask(socket, name, &mut flags) }.is_ok() && flags.value & FLAG_TAKES_TAGS != 0
}

/// Asks the driver of an interface.
///
/// # Safety
/// `question` must begin with a command that reads and writes no more than it has room for.
unsafe fn ask<T>(socket: &impl AsFd, name: &str, question: &mut T) -> io::Result<()> {
    let mut request =
        Request { name: [0; libc::IFNAMSIZ], data: (&raw mut *question).cast(), _rest: [0; 2] };
    let room = request.name.get_mut(..name.len()).filter(|room| room.len() < libc::IFNAMSIZ);
    room.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(name.as_bytes());
    // SAFETY: the request is a whole `struct ifreq` whose name ends with a zero; its pointer is good for what
    // the caller promises, and both live until the call returns.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), SIOCETHTOOL, &raw mut request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
