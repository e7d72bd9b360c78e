//! Integration with the system: service manager, passed sockets, privileges, handover to a successor.
//!
//! - [`Notifier`]: the protocol of systemd's `Type=notify` (sd_notify(3)), its watchdog and its store of sockets
//! - [`Passed`]: sockets of systemd's socket activation (sd_listen_fds(3))
//! - `privileges`: switches from root to a user, and drops all other rights
//! - [`confine`]: where this process may write and which programs it may run (Landlock)
//! - [`successor`]: passes the sockets from one daemon to the next
//!
//! `run` decides when each of them happens.

mod confine;
mod notify;
mod passed;
mod privileges;
pub mod successor;

pub use confine::{Places, confine, may_write};
pub use notify::{Notifier, Watchdog, may_be_kept};
pub use passed::Passed;
pub use privileges::{User, holds_rights, is_root, shed, user};
