//! `gapura ctl reload` and SIGHUP: reads settings, certificates and zones again, each independently, and reports each
//! result. If the settings cannot be read, nothing changes.

use serde_json::{Value, json};

use super::host::Host;
use super::options;
use super::road_3::Road3;
use super::time::utc;
use crate::answer::Transport;
use crate::config::{self, Loaded, Settings};
use crate::control::Reply;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::{By, PublishError, ReloadReport};
use crate::serve::{CertificateReport, Loading, Secured};
use crate::service::may_write;
use crate::text::append_line;

/// Keys named in a line of text; JSON has them all.
const KEYS_MAX: usize = 40;

//------------ Reloaded ------------------------------------------------------

/// The result of a reload.
#[derive(Default)]
struct Reloaded {
    /// Keys of the settings that took effect.
    applied: Vec<String>,
    /// Keys that wait for a restart.
    waiting: Vec<String>,
    /// Each certificate.
    certificates: Vec<CertificateReport>,
    /// Each zone.
    zones: Vec<ReloadReport>,
    /// Findings about the set of zones.
    findings: Vec<Finding>,
}

impl Host {
    /// One zone.
    pub(super) fn reload_zone(&self, zone: &str, force: bool, who: &str) -> Reply {
        self.with_zone(zone, |apex| {
            let zones = self.publisher.reload(Some(apex), &By { who: who.to_owned(), force });
            // The rules of a removed zone go with it.
            self.fleet.renew();
            self.signer.wake(apex);
            // A secondary zone has no file; its primary may have something newer.
            self.fleet.refresh(apex);
            if zones.is_empty() {
                Reply::failed(PublishError::UnknownZone(apex.clone()).to_string())
            } else {
                Reloaded { zones, ..Reloaded::default() }.reply()
            }
        })
    }

    /// Settings, certificates and all zones.
    pub(super) fn reload_all(&self, force: bool, who: &str) -> Reply {
        match self.reload_told(force, who) {
            Ok(reloaded) => reloaded.reply(),
            Err(findings) => refused(&findings),
        }
    }

    /// The same for SIGHUP. The result goes to the log, where each zone has already reported its own.
    pub(super) fn reload_by_signal(&self) {
        match self.reload_told(false, "SIGHUP") {
            Ok(reloaded) => {
                let refused = reloaded.exit() != 0;
                let outcome = if refused { "some files were refused" } else { "done" };
                let settings = reloaded.settings_lines().join("\n");
                tracing::info!(event = "settings_reloaded", settings, "reload: {outcome}");
            }
            Err(findings) => {
                let faults: Vec<String> = findings.iter().map(Finding::with_hint).collect();
                tracing::error!(
                    event = "settings_refused",
                    findings = faults.join("\n"),
                    "reload: settings refused, nothing changed"
                );
            }
        }
    }

    /// Reads the settings file and puts it in force; the service manager knows of it.
    fn reload_told(&self, force: bool, who: &str) -> Result<Reloaded, Vec<Finding>> {
        self.notifier.reloading();
        let read = config::load(&self.settings_path);
        let reloaded = read.and_then(|loaded| self.reload_from(&loaded, force, who));
        self.notifier.ready(&self.headline());
        reloaded
    }

    /// Applies everything that does not need a restart. The error lists the faults of the settings.
    fn reload_from(
        &self,
        loaded: &Loaded,
        force: bool,
        who: &str,
    ) -> Result<Reloaded, Vec<Finding>> {
        // One reload at a time; status still reads the settings in force, even while a disk hangs.
        let _turn = lock(&self.reloading);
        let settings = &loaded.settings;
        let mut faults = options::findings(loaded);
        faults.extend(out_of_reach(loaded));
        if !faults.is_empty() {
            return Err(faults);
        }
        let alone = |error: options::OptionError| vec![options::finding(loaded, "", &error)];
        let sources = options::sources(settings).map_err(alone)?;
        let serve = options::serve(settings).map_err(alone)?;
        let fleet = options::fleet(settings).map_err(alone)?;
        let road_3 = Road3::check(settings).map_err(alone)?;
        let (before, in_force) = self.take_over(settings);
        let (mut applied, waiting) = (keys(&before, &in_force), keys(&in_force, settings));
        // Files of secrets change without the settings.
        if self.running.set_keyring(serve.keyring.clone())
            && !applied.iter().any(|key| key == "key")
        {
            applied.push("key".to_owned());
        }
        self.running.set_cookie_secrets(&serve.cookie_secrets);
        self.running.set_identity(serve.identity);
        self.running.set_allow_query(serve.allow_query);
        self.running.set_proxies(&serve.proxies);
        self.publisher.sockets().set_proxied(|address| serve.proxies.contains(address));
        self.running.set_stream_limits(serve.streams);
        if before.rate_limit != settings.rate_limit {
            self.running.set_rate_limit(serve.rate_limit.as_ref());
        }
        if let Some(log) = serve.query_log {
            self.running.set_query_log(log);
        }
        if let Some(dnstap) = serve.dnstap {
            self.running.set_dnstap(dnstap);
        }
        let set_files = |transport, secured: Option<&Secured>| {
            secured.into_iter().for_each(|it| self.running.set_certificate_files(transport, it));
        };
        set_files(Transport::Tls, serve.tls.as_ref());
        set_files(Transport::Quic, serve.quic.as_ref());
        self.road_3.reload(road_3, settings, &self.settings_path);
        // Rules before zones, so that a new zone is never served without its rules.
        self.fleet.set_rules(fleet, serve.keyring);
        let certificates = self.running.reload_certificates();
        // While another node publishes, zones are those that it serves.
        let zones = if self.node.follows() {
            Vec::new()
        } else {
            self.publisher.reload_sources(sources, &By { who: who.to_owned(), force })
        };
        self.fleet.renew();
        self.signer.renew();
        let findings = self.publisher.findings();
        Ok(Reloaded { applied, waiting, certificates, zones, findings })
    }

    /// Notes the settings in force from now on; those before and those now.
    fn take_over(&self, new: &Settings) -> (Settings, Settings) {
        let mut in_force = lock(&self.in_force);
        let before = in_force.clone();
        take_over(&mut in_force, new);
        (before, in_force.clone())
    }

    /// Keys of the settings file that wait for a restart, as it is now; none if it does not read.
    pub(super) fn waiting(&self) -> Vec<String> {
        let Ok(loaded) = config::load(&self.settings_path) else { return Vec::new() };
        let in_force = lock(&self.in_force).clone();
        waits_for_restart(&in_force, &loaded.settings)
    }
}

/// The keys of new settings that would wait for a restart of a daemon with others in force.
pub fn waits_for_restart(in_force: &Settings, new: &Settings) -> Vec<String> {
    let mut reloaded = in_force.clone();
    take_over(&mut reloaded, new);
    keys(&reloaded, new)
}

/// Log files in directories where this process gave up the right to write at its start.
fn out_of_reach(loaded: &Loaded) -> Vec<Finding> {
    let Settings { query_log, dnstap, .. } = &loaded.settings;
    let files = query_log.iter().map(|log| ("query_log.file", &log.file));
    let files = files.chain(dnstap.iter().map(|tap| ("dnstap.file", &tap.file)));
    let wrong = files.filter(|(_, file)| !file.as_os_str().is_empty() && !may_write(file));
    let finding = |(key, file): (&str, &std::path::PathBuf)| {
        let file = file.display().to_string();
        options::finding(
            loaded,
            key,
            &options::OptionError::OutOfReach { key: key.to_owned(), file },
        )
    };
    wrong.map(finding).collect()
}

/// Copies the settings that take effect without a restart. All others stay as they were at the start.
fn take_over(in_force: &mut Settings, new: &Settings) {
    let (server, new_server) = (&mut in_force.server, &new.server);
    server.allow_query.clone_from(&new_server.allow_query);
    server.proxies.clone_from(&new_server.proxies);
    server.version.clone_from(&new_server.version);
    server.nsid.clone_from(&new_server.nsid);
    server.report_agent.clone_from(&new_server.report_agent);
    server.zone_dir.clone_from(&new_server.zone_dir);
    server.cookie_secrets.clone_from(&new_server.cookie_secrets);
    (server.tcp_connections, server.tcp_per_address) =
        (new_server.tcp_connections, new_server.tcp_per_address);
    in_force.rate_limit = new.rate_limit.clone();
    in_force.keys.clone_from(&new.keys);
    in_force.remotes.clone_from(&new.remotes);
    in_force.signings.clone_from(&new.signings);
    in_force.zones.clone_from(&new.zones);
    // Logs are only turned on or off by a start.
    if let (Some(log), Some(new)) = (&mut in_force.query_log, &new.query_log) {
        log.clone_from(new);
    }
    if let (Some(dnstap), Some(new)) = (&mut in_force.dnstap, &new.dnstap) {
        dnstap.clone_from(new);
    }
    if let (Some(tls), Some(new)) = (&mut in_force.tls, &new.tls) {
        (tls.cert, tls.key) = (new.cert.clone(), new.key.clone());
        tls.client_ca.clone_from(&new.client_ca);
    }
    if let (Some(quic), Some(new)) = (&mut in_force.quic, &new.quic) {
        (quic.cert, quic.key) = (new.cert.clone(), new.key.clone());
    }
    if cfg!(feature = "approval") {
        RELOADED.iter().for_each(|(_, take_over)| take_over(in_force, new));
    }
}

/// The settings of road 3 that take effect without a restart: the prefix of their keys, and how they are copied.
type Reloading = (&'static str, fn(&mut Settings, &Settings));
/// All of it; `public.submit_per_hour` is excepted.
const RELOADED: [Reloading; 11] = [
    ("office.", |in_force, new| in_force.office.clone_from(&new.office)),
    ("hosting", |in_force, new| in_force.hostings.clone_from(&new.hostings)),
    ("webhook", |in_force, new| in_force.webhooks.clone_from(&new.webhooks)),
    ("work.", |in_force, new| in_force.work.clone_from(&new.work)),
    ("naming.", |in_force, new| in_force.naming.clone_from(&new.naming)),
    ("targets.", |in_force, new| in_force.targets.clone_from(&new.targets)),
    ("audit.", |in_force, new| in_force.audit.clone_from(&new.audit)),
    ("register.", |in_force, new| in_force.register.clone_from(&new.register)),
    ("approval.promote", |in_force, new| in_force.approval.promote = new.approval.promote),
    ("probe.auto_suspend", |in_force, new| in_force.probe.auto_suspend = new.probe.auto_suspend),
    ("public.", |in_force, new| {
        let submit_per_hour = in_force.public.submit_per_hour;
        in_force.public.clone_from(&new.public);
        in_force.public.submit_per_hour = submit_per_hour;
    }),
];
/// The exception: this limit is set up once, at the start.
#[cfg(feature = "approval")]
const AT_START: &str = "public.submit_per_hour";

/// Whether a setting of road 3 takes effect without a restart.
#[cfg(feature = "approval")]
pub(super) fn is_reloaded(key: &str) -> bool {
    key != AT_START && RELOADED.iter().any(|(front, _)| key.starts_with(front))
}

/// The keys that differ. Added and removed zones are reported separately; a name server alone has no road 3.
fn keys(one: &Settings, other: &Settings) -> Vec<String> {
    let mut keys = config::changed(one, other);
    keys.retain(|key| key != "zone" && is_in_use(key));
    keys
}

/// Whether this build uses a key: a name server alone has no road 3.
pub fn is_in_use(key: &str) -> bool {
    const DNS: [&str; 12] = [
        "key",
        "remote",
        "signing",
        "server",
        "tls",
        "quic",
        "rate_limit",
        "log",
        "query_log",
        "dnstap",
        "metrics",
        "zone",
    ];
    let table = key.split(['.', '[']).next().unwrap_or_default();
    cfg!(feature = "approval") || DNS.contains(&table)
}

//------------ Words ---------------------------------------------------------

/// The reply to settings that are refused.
fn refused(findings: &[Finding]) -> Reply {
    let lines: String = findings.iter().map(|one| format!("{}\n", one.with_hint())).collect();
    let text = format!("settings refused, nothing changed\n{lines}");
    Reply { exit: 1, text, json: json!({ "settings": { "refused": findings } }) }
}

impl Reloaded {
    /// 1 if anything is not as its file says.
    fn exit(&self) -> u8 {
        let refused = |report: &CertificateReport| report.loading == Loading::Refused;
        let wrong = self.certificates.iter().any(refused)
            || !self.zones.iter().all(ReloadReport::is_ok)
            || self.findings.iter().any(Finding::is_error);
        u8::from(wrong)
    }

    /// The lines about settings and certificates.
    fn settings_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.applied.is_empty() {
            lines.push(format!("settings in force: {}", some_of(&self.applied)));
        }
        if !self.waiting.is_empty() {
            lines.push(waits(&self.waiting));
        }
        lines.extend(self.certificates.iter().map(ToString::to_string));
        lines
    }

    /// The reply.
    fn reply(&self) -> Reply {
        let notes = self.settings_lines();
        let mut text = String::new();
        for line in &notes {
            append_line!(text, "{line}");
        }
        for zone in &self.zones {
            append_line!(text, "{zone}");
        }
        for finding in &self.findings {
            append_line!(text, "{}", finding.with_hint());
        }
        let json = json!({
            "settings": { "applied": self.applied, "waiting": self.waiting },
            "certificates": self.certificates.iter().map(certificate_json).collect::<Vec<_>>(),
            "zones": self.zones, "findings": self.findings, "notes": notes,
        });
        Reply { exit: self.exit(), text, json }
    }
}

/// Keys in one line of text; only the first few where many changed.
fn some_of(keys: &[String]) -> String {
    let shown: Vec<&str> = keys.iter().map(String::as_str).take(KEYS_MAX).collect();
    let more = keys.len().saturating_sub(KEYS_MAX);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    shown.join(", ") + &more
}

/// Says that keys wait for a restart.
pub(super) fn waits(keys: &[String]) -> String {
    let (verb, keys) = (if keys.len() == 1 { "waits" } else { "wait" }, keys.join(", "));
    format!("{keys} {verb} for a restart: until then the value from the last start applies")
}

/// A certificate as JSON, for reload and status.
pub(super) fn certificate_json(report: &CertificateReport) -> Value {
    let result = match report.loading {
        Loading::New => "replaced",
        Loading::Same => "unchanged",
        Loading::Refused => "refused",
    };
    let state = &report.state;
    json!({
        "table": report.table(), "key": if report.is_client_ca { "client_ca" } else { "cert" }, "file": state.file, "result": result, "in_use": state.is_in_use,
        "error": state.fault,
        "valid_until": state.validity.map(|validity| utc(validity.until.saturating_mul(1000))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "approval")]
    #[test]
    fn what_is_said_to_be_reloaded_is_and_nothing_else() {
        let start = Settings::default();
        let new = toml::from_str::<Settings>(
            "[office]\nname = \"Dinas X\"\n[work]\nhours = \"Mon 08:00-09:00\"\n\
             [[hosting]]\nname = \"a\"\ntarget = \"192.0.2.1\"\n\
             [naming]\nmin_length = 4\n[targets]\nallow = [\"192.0.2.0/24\"]\n\
             [audit]\ndaily = false\n[register]\npublic = false\n\
             [approval]\npromote = \"separate_act\"\ncamat = true\nemergencies = 3\n\
             [probe]\nenabled = false\nseconds = 9\nauto_suspend = true\n\
             [public]\nsubmit = false\nopen = 7\nsubmit_per_hour = 9\n\
             [correction]\ndays = 3\n[lifecycle]\nask_days = 9\n[tokens]\ndecide = true\n",
        )
        .unwrap();
        let mut in_force = start.clone();
        take_over(&mut in_force, &new);
        let (applied, waiting) = (keys(&start, &in_force), keys(&in_force, &new));
        assert!(applied.iter().all(|key| is_reloaded(key)), "{applied:?}");
        assert!(!waiting.iter().any(|key| is_reloaded(key)), "{waiting:?}");
        let of = |keys: &[String], front: &str| keys.iter().any(|key| key.starts_with(front));
        for (front, _) in RELOADED.iter().filter(|(front, _)| *front != "webhook") {
            assert!(of(&applied, front), "{front} {applied:?}");
        }
        assert!(of(&waiting, AT_START) && of(&waiting, "probe.seconds"), "{waiting:?}");
    }

    #[test]
    fn rules_of_zones_take_effect_by_name_and_a_line_ends() {
        let read = |lists: &str| {
            let zone = |at| format!("[[zone]]\nname = \"z{at}.\"\nfile = \"f\"\n{lists}");
            let text: String = (0..50).map(zone).collect();
            toml::from_str::<Settings>(&text).unwrap()
        };
        let (start, new) = (read(""), read("transfer = [\"ns2\"]\n"));
        let mut in_force = start.clone();
        take_over(&mut in_force, &new);
        let applied = keys(&start, &in_force);
        assert_eq!((applied.len(), applied[0].as_str()), (50, "zone[z0.].transfer"));
        assert!(keys(&in_force, &new).is_empty(), "nothing waits");
        let said = Reloaded { applied, ..Reloaded::default() }.settings_lines();
        assert!(said.len() == 1 && said[0].ends_with(", and 10 more"), "{said:?}");
    }

    #[test]
    fn what_does_not_take_effect_waits_by_name() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let start =
            read("[query_log]\nfile = \"q\"\n[tls]\nlisten = []\ncert = \"c\"\nkey = \"k\"\n");
        let new = read(
            "[server]\nlisten = []\nnsid = \"x\"\nudp_payload = 1400\n[rate_limit]\nslip = 2\n\
             [query_log]\nfile = \"other\"\nsample = 3\n[tls]\nlisten = [\"127.0.0.1:1\"]\ncert = \"d\"\nkey = \"k\"\n\
             [metrics]\nlisten = \"127.0.0.1:2\"\n",
        );
        let mut in_force = start.clone();
        take_over(&mut in_force, &new);
        let sorted = |mut keys: Vec<String>| {
            keys.sort();
            keys
        };
        assert_eq!(
            sorted(keys(&start, &in_force)),
            ["query_log.file", "query_log.sample", "rate_limit.slip", "server.nsid", "tls.cert"]
        );
        assert_eq!(
            sorted(keys(&in_force, &new)),
            ["metrics", "server.listen", "server.udp_payload", "tls.listen"]
        );
        // Said again at each reload, until it is so.
        take_over(&mut in_force, &new);
        assert_eq!(keys(&in_force, &new).len(), 4);
    }
}
