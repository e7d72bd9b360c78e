//! Settings: the keys of `gapura.toml`, their defaults, and findings for what is wrong in the file.
//!
//! Every key has a default and is explained in `config/gapura.toml`. An unknown key, a wrong type or
//! a value out of range is an error with file:line:column and a hint; nothing is guessed. A relative path
//! belongs to the directory of the file. No
//! room below uses this one: `run` converts settings into each room's own options.

mod changed;
mod effective;
mod load;
mod office;
mod paths;
mod read;
mod settings;
mod webhook;

pub use changed::changed;
pub use effective::{Effective, effective};
pub use load::{Loaded, default_path, load, state_dir_of, survey};
pub use office::{Hosting, Office, Sheet};
pub use settings::{
    Approval, Audit, Bind, Correction, DenialKind, DnstapMessages, DnstapSettings, Hijackable,
    KeyArrangement, KeySettings, LogFormat, LoggedClient, Mail, Metrics, Naming, People, Policy,
    Probe, Promote, Public, QueryLogFormat, QueryLogging, Quic, RateLimit, Register,
    RemoteSettings, SecretText, SerialPolicy, Server, Settings, SigningSettings, Targets, Tls,
    Tokens, UpdateApplicant, UpdateGrant, UpdateHow, Web, Work, ZoneChecks, ZoneSettings,
};
pub use webhook::{WebhookBody, WebhookSettings};
