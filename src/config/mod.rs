//! Settings: what `gapura.toml` may say, its defaults, and findings for what is wrong in it.
//!
//! Every key has a default and is explained in `config/gapura.toml`. An unknown key, a wrong type or
//! a value out of range is an error with file:line:column and a hint; nothing is guessed. Rooms
//! below do not know this one: `run` turns settings into each room's own options.

mod load;
mod settings;

pub use load::{Loaded, default_path, load};
pub use settings::{
    Approval, Audit, Bind, Correction, Hijackable, LoggedClient, Mail, Metrics, Naming, People,
    Policy, Probe, Promote, Public, QueryLogging, Quic, RateLimit, Register, SerialPolicy, Server,
    Settings, Targets, Tls, Tokens, Web, Work, ZoneChecks, ZoneSettings,
};
