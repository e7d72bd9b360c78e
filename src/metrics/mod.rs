//! Metrics and health for monitoring, on their own small listener.
//!
//! `/metrics` as text for Prometheus, or OpenMetrics if the request prefers it; `/healthz` (the process runs);
//! `/readyz` (names are answered; what else is wrong is in the text). Labels come from fixed sets: never a
//! client, never a queried name.
//! Numbers are added up when they are read; nothing here slows an answer.

mod gauges;
mod listener;
mod name_server;
mod process;
mod text;
mod zones;

pub use gauges::{Family, Gauges};
pub use listener::{Health, serve};
pub use name_server::NameServer;
pub use process::process;
pub use zones::Zones;

pub use prometheus_client::registry::Registry;
