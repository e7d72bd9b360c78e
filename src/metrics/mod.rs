//! Metrics and health for monitoring, on their own small listener.
//!
//! `/metrics` as text for Prometheus, or OpenMetrics if the request prefers it; `/healthz` (the process runs);
//! `/readyz` (names are answered; what else is wrong is in the text). Which families there are says `catalogue`.
//! Numbers are added up when they are read; nothing here slows an answer.

pub mod catalogue;
mod family;
mod listener;
mod name_server;
mod process;
mod text;
mod zones;

pub use family::Family;
pub use listener::{Figures, Health, serve};
pub use name_server::name_server;
pub use process::process;
pub use zones::zones;
