//! The files of `[[remote]]`, and rules of zones that can never apply.
//!
//! A start does not check these files: an unusable remote must not prevent answering.

use std::path::Path;

use super::Check;
use crate::config::RemoteSettings;
use crate::dns_client::Tls;
use crate::fleet::{Remote, ZoneRules};
use crate::run::options;
use crate::text::with_causes;
use crate::wire::Name;

impl Check<'_> {
    /// Files of remotes, and rules that can never apply.
    pub(super) fn fleet(&mut self) {
        // Faults of the rules themselves are reported with those of the other settings.
        let Ok(rules) = options::fleet(&self.loaded.settings) else { return };
        for (at, remote) in self.loaded.settings.remotes.iter().enumerate() {
            if !remote.tls.is_empty() {
                self.remote_files(&format!("remote[{at}]"), remote);
            }
        }
        for (at, zone) in self.loaded.settings.zones.iter().enumerate() {
            let apex = zone.name.get_ref().parse::<Name>();
            if let Some(of) = apex.ok().and_then(|apex| rules.of(&apex)) {
                self.never_met(&format!("zone[{at}]"), of);
                self.told_and_refused(&format!("zone[{at}]"), of);
            }
        }
    }

    /// The files by which a remote is reached over TLS.
    fn remote_files(&mut self, key: &str, remote: &RemoteSettings) {
        let none = Path::new("");
        let is_set = |path: &Path| path != none;
        if is_set(&remote.tls_ca)
            && let Err(error) = Tls::load(&remote.tls, &remote.tls_ca, none, none)
        {
            let hint = "name a PEM file with the authority that signed the remote's certificate";
            self.fault("certificate", &format!("{key}.tls_ca"), with_causes(&error), hint);
        }
        if is_set(&remote.tls_cert) {
            self.pair(&format!("{key}.tls_cert"), &remote.tls_cert, &remote.tls_key);
        }
    }

    /// Remotes that may have a zone over TLS only, where nobody listens for TLS.
    fn never_met(&mut self, key: &str, rules: &ZoneRules) {
        if self.loaded.settings.tls.is_some() {
            return;
        }
        for remote in rules.transfer.iter().filter(|remote| remote.tls.is_some()) {
            let message = format!(
                "remote \"{}\" may transfer the zone over TLS only, but without a [tls] table there is no TLS listener",
                remote.name
            );
            let hint = "add a [tls] table, or remove tls from the [[remote]]";
            self.warn("rule-never-met", &format!("{key}.transfer"), message, hint);
        }
    }

    /// Remotes that are notified of changes but may not transfer the zone.
    fn told_and_refused(&mut self, key: &str, rules: &ZoneRules) {
        let may_have = |told: &Remote| rules.transfer.iter().any(|it| is_same_server(it, told));
        for remote in rules.notify.iter().filter(|remote| !may_have(remote)) {
            let message = format!(
                "remote \"{}\" is notified of changes but may not transfer the zone: its transfers are refused",
                remote.name
            );
            let hint = "name it in transfer, too";
            self.warn("notify-without-transfer", &format!("{key}.notify"), message, hint);
        }
    }
}

/// Whether one remote queries from an address at which the other one is notified: they may be two names of one server.
fn is_same_server(comes: &Remote, told: &Remote) -> bool {
    let from = |ip| comes.networks.iter().any(|network| network.contains(ip));
    comes.name == told.name || told.addresses.iter().any(|address| from(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::master::Finding;

    /// What there is to say of a remote with these keys, of lists, and of more tables: rule and place.
    fn told(remote: &str, lists: &str, more: &str) -> Vec<String> {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dns/serve/tests");
        let directory = tempfile::tempdir().unwrap();
        for file in ["ca.crt", "localhost.crt", "localhost.key", "expired.crt", "expired.key"] {
            std::fs::copy(from.join(file), directory.path().join(file)).unwrap();
        }
        let path = directory.path().join("gapura.toml");
        let text = format!(
            "{more}\n[[remote]]\nname = \"ns2\"\naddresses = [\"192.0.2.2\"]\n{remote}\n\
             [[remote]]\nname = \"net\"\naddresses = [\"192.0.2.0/24\"]\n\
             [[zone]]\nname = \"example.\"\nfile = \"zone\"\n{lists}\n"
        );
        std::fs::write(&path, text).unwrap();
        let loaded = config::load(&path).unwrap();
        let mut check = Check { loaded: &loaded, findings: Vec::new() };
        check.fleet();
        let short = |finding: Finding| {
            let line = finding.place.as_ref().map(|place| place.source.clone()).unwrap_or_default();
            let key = line.split(' ').next().unwrap_or_default().to_owned();
            format!(
                "{}: {} {key}",
                if finding.is_error() { "error" } else { "warning" },
                finding.rule
            )
        };
        check.findings.into_iter().map(short).collect()
    }

    #[test]
    fn files_of_remotes_are_looked_at() {
        let good = "tls = \"localhost\"\ntls_ca = \"ca.crt\"\n";
        let own =
            |cert: &str, key: &str| format!("{good}tls_cert = \"{cert}\"\ntls_key = \"{key}\"\n");
        for (remote, expected) in [
            (good.to_owned(), ""),
            (own("localhost.crt", "localhost.key"), ""),
            (good.replace("ca.crt", "nope.pem"), "error: certificate tls_ca"),
            (good.replace("ca.crt", "localhost.key"), "error: certificate tls_ca"),
            (own("nope.crt", "localhost.key"), "error: certificate tls_cert"),
            (own("localhost.crt", "nope.key"), "error: certificate tls_cert"),
            (own("localhost.crt", "expired.key"), "error: certificate tls_cert"),
            (own("expired.crt", "expired.key"), "error: certificate-time tls_cert"),
        ] {
            assert_eq!(told(&remote, "", "").join(", "), expected, "{remote}");
        }
    }

    #[test]
    fn rules_that_nobody_meets_are_warned_of() {
        let (over_tls, tls) =
            ("tls = \"localhost\"", "[tls]\nlisten = []\ncert = \"c\"\nkey = \"k\"\n");
        let both = "transfer = [\"ns2\"]\nnotify = [\"ns2\"]";
        let untold = "notify = [\"ns2\"]";
        let by_network = "transfer = [\"net\"]\nnotify = [\"ns2\"]";
        for (remote, lists, more, expected) in [
            (over_tls, both, "", "warning: rule-never-met transfer"),
            (over_tls, both, tls, ""),
            ("", both, "", ""),
            ("", untold, "", "warning: notify-without-transfer notify"),
            ("", by_network, "", ""),
        ] {
            assert_eq!(told(remote, lists, more).join(", "), expected, "{remote} {lists} {more}");
        }
    }
}
