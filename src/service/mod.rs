//! What a daemon and the system it runs on owe each other: who starts, watches and follows it, and what it may do.
//!
//! - [`Notifier`]: the protocol of systemd's `Type=notify` (sd_notify(3)), its watchdog and its store of sockets
//! - [`passed`]: sockets of systemd's socket activation (sd_listen_fds(3))
//! - `privileges`: another user in the place of root, and no rights besides that user's
//! - [`confine`]: where this process may write and which programs it may run (Landlock)
//! - [`successor`]: the sockets go from one daemon to the next
//!
//! When each of them happens is decided by `run`.

mod confine;
mod notify;
mod passed;
mod privileges;
pub mod successor;

pub use confine::{Places, confine, may_write};
pub use notify::{Notifier, Watchdog, may_be_kept};
pub use passed::passed;
pub use privileges::{User, holds_rights, is_root, shed, user};
