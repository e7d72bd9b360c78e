//! The daemon: order of start and stop, signals, and the translation of settings into each room's options.
//!
//! ```text
//! begin   passed sockets taken, or ports bound ─► other user, no rights, Landlock (one thread)
//! start   state directory ─► database ─► zones ─► control socket (bound) ─► DNS sockets ─► watcher
//!         ─► road 3 (opened) ─► signer ─► control socket (answers) ─► metrics ─► timers, mail, pages ─► ready
//! stop    control socket, timers, mail, pages, metrics ─► watcher ─► signer ─► DNS sockets
//!         ─► what is not on disk yet ─► database, state directory
//! follow  as a stop down to the signer; DNS is answered from memory ─► database, state directory released
//!         ─► sockets to the successor, which starts ─► both answer ─► this one ends (`succession`)
//! ```
//!
//! DNS is the first service to start, and the last to stop: by then nothing can change a zone any more.

mod backup;
mod begin;
mod building;
pub mod check;
mod clock;
mod daemon;
#[cfg(feature = "approval")]
pub mod demo;
mod differences;
mod error;
mod figures;
pub mod findings;
mod fleet;
mod floor;
mod health;
mod herald;
mod host;
mod keys;
pub mod log;
mod moving;
mod node;
pub mod options;
#[cfg(feature = "approval")]
mod proposals;
mod ready;
mod reload;
mod restore;
mod scratch;
mod signals;
mod signing;
mod stand_in;
mod state_dir;
mod status;
mod succession;
mod time;
mod timer;

//--- Road 3
#[cfg(feature = "approval")]
mod audit;
#[cfg(feature = "approval")]
mod bulk;
#[cfg(feature = "approval")]
mod mail;
#[cfg(feature = "approval")]
mod office;
#[cfg(feature = "approval")]
mod papers;
#[cfg(feature = "approval")]
mod people;
#[cfg(feature = "approval")]
mod restore_office;
#[cfg_attr(not(feature = "approval"), path = "name_server_alone.rs")]
mod road_3;
#[cfg(feature = "approval")]
mod signing_mail;
#[cfg(feature = "approval")]
mod webhooks;

#[cfg(feature = "approval")]
pub use audit::verified;
pub use backup::{Target, backup, check_backup};
pub use begin::{Begin, begin};
pub use daemon::{Ended, serve};
pub use error::RunError;
pub use floor::raise_floor;
pub use moving::move_database;
#[cfg(feature = "approval")]
pub use office::offline;
pub use ready::Ready;
pub use reload::{is_in_use, waits_for_restart};
pub use restore::{Restore, restore};
pub use state_dir::{StateDir, StateDirError};
