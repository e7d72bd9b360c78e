//! Metrics and health for monitoring, on their own small listener.
//!
//! `/metrics` as text for Prometheus, or OpenMetrics if the request prefers it; `/healthz` (the process runs);
//! `/readyz` (names are answered; other faults are in the text). `catalogue` lists all families. Sums are computed when
//! they are read, so nothing here slows an answer.

pub mod catalogue;
mod family;
mod listener;
mod name_server;
mod process;
mod text;
mod zones;

pub use family::Family;
pub use listener::{Figures, Health, Served, serve};
pub use name_server::name_server;
pub use process::process;
pub use zones::zones;
