//! The daemon: start and stop order, signals, and the one place where settings meet rooms.
//!
//! ```text
//! start   state directory ─► database ─► zones ─► DNS sockets ─► watcher ─► pages ─► control ─► ready
//! stop    control, pages ─► watcher ─► DNS sockets ─► what is still to be written ─► end
//! ```
//!
//! A name server answers before anything else runs and after everything else has stopped.

mod daemon;
mod host;
pub mod log;
pub mod options;
mod ready;
mod signals;
mod stand_in;
mod state_dir;
mod words;

#[cfg(feature = "approval")]
mod audit;
#[cfg(feature = "approval")]
mod mail;
#[cfg(feature = "approval")]
mod offline;
#[cfg(feature = "approval")]
mod people;
#[cfg(feature = "approval")]
mod queue;

#[cfg(feature = "approval")]
pub use audit::verified;
pub use daemon::{RunError, serve};
pub use host::log_level;
#[cfg(feature = "approval")]
pub use offline::offline;
pub use state_dir::{StateDir, StateDirError};
