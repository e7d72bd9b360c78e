//! What `serve` prints when it is ready: its addresses, its zones, what to try next.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::publish::ZoneStatus;
use crate::text::{append, append_line};

/// The facts of a start.
pub struct Ready {
    /// Addresses of UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// Addresses of DNS over TLS and QUIC, with the transport's name.
    pub encrypted: Vec<(String, SocketAddr)>,
    /// The zones.
    pub zones: Vec<ZoneStatus>,
    /// The pages, as reached from this machine; none in a name server alone.
    pub web: Option<String>,
    /// The metrics listener.
    pub metrics: Option<SocketAddr>,
    /// The state directory.
    pub state_dir: String,
    /// The first administrator's link, or the file that holds it.
    pub first_link: Option<String>,
    /// Warnings, such as an address family that this machine lacks.
    pub warnings: Vec<String>,
}

impl Ready {
    /// One line of JSON for programs.
    pub fn json(&self) -> Value {
        let zones: Vec<Value> = self
            .zones
            .iter()
            .map(|zone| {
                let file = (!zone.followed).then(|| zone.file.display().to_string());
                json!({
                    "zone": zone.zone.to_string(), "serial": zone.serial, "records": zone.records,
                    "file": file,
                })
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "dns": self.dns.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "web": self.web,
            "metrics": self.metrics.map(|address| address.to_string()),
            "zones": zones,
            "state_dir": self.state_dir,
            "first_link": self.first_link,
            "encrypted": self.encrypted.iter().map(|(name, address)| format!("{name} {address}"))
                .collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }

    /// A few lines for people; on a terminal also what to try next.
    pub fn text(&self, by_hand: bool) -> String {
        let mut text = format!("gapura {}\n", env!("CARGO_PKG_VERSION"));
        let mut line = |what: &str, value: String| {
            append_line!(text, "  {what:<8} {value}");
        };
        let dns: Vec<String> = self.dns.iter().map(ToString::to_string).collect();
        line("dns", format!("{}  (UDP and TCP)", dns.join(", ")));
        for (transport, address) in &self.encrypted {
            line(transport, address.to_string());
        }
        for zone in &self.zones {
            let place = zone.place();
            line(
                "zone",
                match zone.serial {
                    Some(serial) => {
                        format!(
                            "{} serial {serial}, {} records  ({place})",
                            zone.zone, zone.records
                        )
                    }
                    None if !zone.is_secondary() => {
                        format!("{} NOT LOADED: see the log  ({place})", zone.zone)
                    }
                    None => format!("{} not transferred yet  ({place})", zone.zone),
                },
            );
        }
        if let Some(web) = &self.web {
            line("pages", web.clone());
            line("api", format!("{web}/api/v1/openapi.json"));
        }
        if let Some(metrics) = self.metrics {
            line("metrics", format!("http://{metrics}/metrics"));
        }
        line("state", self.state_dir.clone());
        for warning in &self.warnings {
            line("note", warning.clone());
        }
        self.add_first_link(&mut text);
        if by_hand {
            self.add_next_steps(&mut text);
        }
        text
    }

    /// How the first administrator signs in.
    fn add_first_link(&self, text: &mut String) {
        if let Some(link) = &self.first_link {
            append!(
                text,
                "\nNobody has an account yet. The first administrator opens this link, which works once and expires after a day:\n  {link}\n"
            );
        }
    }

    /// What to try.
    fn add_next_steps(&self, text: &mut String) {
        let (Some(dns), Some(zone)) = (self.dns.first(), self.zones.first()) else { return };
        append!(
            text,
            "\nTry:\n  dig @{} -p {} {} SOA\n  {} ctl status\n",
            dns.ip(),
            dns.port(),
            zone.zone,
            program(),
        );
        if !zone.is_secondary() && !zone.is_made() && !zone.followed {
            append_line!(text, "  edit {}: live a moment after you save it", zone.file.display());
        }
        if let Some(web) = &self.web {
            append_line!(text, "  open {web} and send a request");
        }
        text.push_str("\nPress Ctrl-C to stop.\n");
    }
}

/// The program as it was called (`target/release/gapura` under cargo), so that what is printed can
/// be typed.
fn program() -> String {
    let called = std::env::args().next().filter(|it| !it.is_empty() && !it.contains(' '));
    called.unwrap_or_else(|| "gapura".to_owned())
}
