//! AF_XDP: queries of an interface without the kernel's network stack, behind the same trait as sockets.
//!
//! ```text
//! frame ─► program ──(surely ours)──► ring ─► worker ─► the same responders as over sockets ─► ring ─► interface
//!             └─(anything else)─► kernel ─► our UDP and TCP sockets
//! ```
//!
//! [`Prepared`] makes what needs rights (sockets, program, map), at the start of the process; [`Xdp`] attaches the
//! program once the sockets answer. What fails is told, and sockets answer alone. Nothing outlives the process: the
//! program is held by descriptors. Why so: `docs/adr/0009-af-xdp.md`.
//!
//! The `unsafe` code is in `memory`, `rings`, `bpf` and `ethtool`; frames are read and written by safe code.

//--- The program
mod assembler;
mod program;

//--- Frames
mod checksum;
mod frame;

//--- The kernel's side
#[allow(unsafe_code)] // bpf(2) has no safe wrapper.
mod bpf;
#[allow(unsafe_code)] // ioctl(2) of drivers has none.
mod ethtool;
mod interface;
#[allow(unsafe_code)] // Memory that the kernel writes.
mod memory;
mod netlink;
#[allow(unsafe_code)] // As above.
mod rings;
mod socket;

//--- Ours
mod attach;
mod batch;
#[cfg(any(test, feature = "floor"))]
mod floor;
mod prepare;
mod worker;

pub use attach::XdpReport;
pub(super) use attach::{Endpoints, Xdp};
#[cfg(any(test, feature = "floor"))]
pub use floor::XdpFloor;
pub use interface::look_at_interface;
pub(super) use prepare::Prepared;

#[cfg(test)]
mod tests;
