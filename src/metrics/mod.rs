//! Metrics and health for monitoring, on their own small listener.
//!
//! `/metrics` in OpenMetrics text, `/healthz` (the process runs), `/readyz` (every zone answers or is
//! known to be refused). Labels come from fixed sets: never a client, never a name that was asked.
//! Numbers are added up when they are read; nothing here slows an answer.

mod listener;
mod name_server;
mod zones;

pub use listener::{Health, serve};
pub use name_server::NameServer;
pub use zones::Zones;

pub use prometheus_client::registry::Registry;

/// The registry as OpenMetrics text.
pub fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail; a collector that fails leaves what it has written.
    let _ = prometheus_client::encoding::text::encode(&mut text, registry);
    text
}
