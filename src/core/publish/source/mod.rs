//! Where candidates come from: directories, manifests, the watcher, startup, and reloads; and which
//! zones there are.

mod come_and_go;
mod compile;
mod directory;
mod early;
mod follow;
mod in_file;
mod known;
mod leases;
mod manifest;
mod members;
mod memory;
mod read;
mod reload;
mod restore;
mod secondary;
mod stand_in;
mod start;
mod watch;

pub use come_and_go::doubled;
pub use directory::{is_ignored, sources_in};
pub use early::Early;
pub use follow::Progress;
pub use manifest::manifest_faults;
pub use reload::FileDiff;
pub use secondary::SecondaryZone;
pub use watch::Watcher;
