//! The certificates of all encrypted transports: loaded again when asked for and by themselves, and what is to
//! be said of each.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::answer::Transport;

use super::start::Secured;
use super::tls::{Certificate, CertificateState, Loading};
use super::validity::Trouble;

/// The certificates, each with its transport.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificates(Vec<(Transport, Arc<Certificate>)>);

/// What came of loading one again, or what is known of it.
#[derive(Clone, Debug)]
pub struct CertificateReport {
    /// The transport it is for.
    pub transport: Transport,
    /// Whether it is of `client_ca`, the authorities that sign certificates of clients.
    pub is_client_ca: bool,
    /// What came of it.
    pub loading: Loading,
    /// What is known of it now.
    pub state: CertificateState,
}

impl Certificates {
    /// Loads one more.
    pub(super) fn load(&mut self, transport: Transport, secured: &Secured) -> Arc<Certificate> {
        let certificate = Certificate::load(secured);
        let clients = clients_report(transport, Loading::New, &certificate);
        for report in
            [Some(report(transport, Loading::New, &certificate)), clients].iter().flatten()
        {
            // Of its time the first glance tells.
            if let (Some(_), Some(trouble)) = (&report.state.fault, report.trouble(now())) {
                tracing::error!("{trouble}");
            }
        }
        self.0.push((transport, certificate.clone()));
        certificate
    }

    /// Takes a transport's from other files from the next loading on.
    pub(super) fn set_files(&self, transport: Transport, secured: &Secured) {
        let ours = self.0.iter().filter(|(of, _)| *of == transport);
        ours.for_each(|(_, certificate)| certificate.set_files(secured));
    }

    /// Loads all again, each by itself.
    pub(super) fn reload(&self) -> Vec<CertificateReport> {
        let one = |(transport, certificate): &(Transport, Arc<Certificate>)| {
            let (own, clients) = certificate.reload();
            let clients =
                clients.and_then(|loading| clients_report(*transport, loading, certificate));
            [Some(report(*transport, own, certificate)), clients]
        };
        let reports: Vec<CertificateReport> = self.0.iter().flat_map(one).flatten().collect();
        for report in reports.iter().filter(|it| it.loading == Loading::Refused) {
            tracing::error!("{report}");
        }
        reports
    }

    /// Loads those again whose files have changed, and looks whether one ends; what there is to say is in the log.
    pub(super) fn glance(&self) {
        for (transport, certificate) in &self.0 {
            if let Some(trouble) = certificate.news(now()) {
                let report = report(*transport, Loading::Same, certificate);
                let (table, file) = (report.table(), report.state.file.display());
                if trouble.is_refused() {
                    tracing::error!("[{table}] {file}: {trouble}: clients refuse it");
                } else {
                    tracing::warn!("[{table}] {file}: {trouble}");
                }
            }
            let Some(loading) = certificate.glance() else { continue };
            let report = report(*transport, loading, certificate);
            match loading {
                Loading::Refused => tracing::error!("{report}"),
                Loading::New | Loading::Same => tracing::info!("{report}"),
            }
        }
    }

    /// What is known of each.
    pub(super) fn states(&self) -> Vec<CertificateReport> {
        let one = |(transport, certificate): &(Transport, Arc<Certificate>)| {
            let own = report(*transport, Loading::Same, certificate);
            [Some(own), clients_report(*transport, Loading::Same, certificate)]
        };
        self.0.iter().flat_map(one).flatten().collect()
    }

    /// What is to be mended now.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.to_mend(false)
    }

    /// What is to be mended before it becomes a trouble.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.to_mend(true)
    }

    /// What is to be mended of those that only end soon, or of the others.
    fn to_mend(&self, only_ends_soon: bool) -> Vec<String> {
        let (now, states) = (now(), self.states());
        let wanted = states.iter().filter(|it| it.only_ends_soon(now) == only_ends_soon);
        wanted.filter_map(|it| it.trouble(now)).collect()
    }
}

/// A report.
fn report(transport: Transport, loading: Loading, certificate: &Certificate) -> CertificateReport {
    CertificateReport { transport, is_client_ca: false, loading, state: certificate.state() }
}

/// A report of who signs the certificates of clients; none if the settings name nobody.
fn clients_report(
    transport: Transport,
    loading: Loading,
    certificate: &Certificate,
) -> Option<CertificateReport> {
    let state = certificate.clients_state()?;
    Some(CertificateReport { transport, is_client_ca: true, loading, state })
}

/// Now, in seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl CertificateReport {
    /// The transport's name, as in the settings.
    pub fn table(&self) -> &'static str {
        if self.transport == Transport::Quic { "quic" } else { "tls" }
    }

    /// What clients will say of its time at a moment, in seconds since 1970.
    pub fn time_trouble(&self, now: i64) -> Option<Trouble> {
        self.state.validity.filter(|_| self.state.is_in_use).and_then(|it| it.trouble(now))
    }

    /// Whether clients take it still, and will not for long.
    fn only_ends_soon(&self, now: i64) -> bool {
        self.state.fault.is_none() && self.time_trouble(now).is_some_and(|it| !it.is_refused())
    }

    /// What is to be mended, at a moment in seconds since 1970.
    fn trouble(&self, now: i64) -> Option<String> {
        let (table, file) = (self.table(), self.state.file.display());
        match (&self.state.fault, self.state.is_in_use) {
            (Some(fault), false) if self.is_client_ca => Some(format!(
                "[{table}] client_ca {file}: no certificate of a client is believed: {fault}; mend it, then \
                 `gapura ctl reload`"
            )),
            (Some(fault), true) if self.is_client_ca => Some(format!(
                "[{table}] client_ca {file}: the authorities before go on: {fault}; mend it, then \
                 `gapura ctl reload`"
            )),
            (Some(fault), false) => Some(format!(
                "DNS over {} is off: {fault}; once mended it is used by itself",
                table.to_uppercase()
            )),
            (Some(fault), true) => {
                Some(format!("[{table}] goes on with the certificate before: {fault}"))
            }
            (None, _) => self.time_trouble(now).map(|it| format!("[{table}] {file}: {it}")),
        }
    }
}

/// As `gapura ctl reload` prints it.
impl fmt::Display for CertificateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: ", self.table(), self.state.file.display())?;
        let what = if self.is_client_ca { "client_ca" } else { "certificate" };
        match (self.loading, &self.state.fault, self.state.is_in_use) {
            (Loading::Refused, Some(fault), true) => {
                write!(f, "{what} refused, the one before goes on: {fault}")?;
            }
            (Loading::Refused, Some(fault), false) => {
                write!(f, "{what} refused, there is none: {fault}")?;
            }
            (Loading::New, ..) => write!(f, "{what} replaced")?,
            _ => write!(f, "{what} unchanged")?,
        }
        self.time_trouble(now()).map_or(Ok(()), |trouble| write!(f, "; {trouble}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::validity::Validity;

    #[test]
    fn authorities_that_cannot_be_used_are_a_fault() {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/tests");
        let secured = Secured {
            listen: Vec::new(),
            cert: from.join("localhost.crt"),
            key: from.join("localhost.key"),
            client_ca: from.join("no-ca.pem"),
        };
        let mut certificates = Certificates::default();
        certificates.load(Transport::Tls, &secured);
        let reports = certificates.reload();
        let loadings: Vec<_> = reports.iter().map(|it| (it.is_client_ca, it.loading)).collect();
        assert_eq!(loadings, [(false, Loading::Same), (true, Loading::Refused)]);
        assert!(
            reports[1].to_string().contains("client_ca refused, there is none"),
            "{}",
            reports[1]
        );
        let troubles = certificates.troubles();
        assert!(troubles.iter().any(|it| it.starts_with("[tls] client_ca ")), "{troubles:?}");
    }

    #[test]
    fn a_certificate_that_ends_soon_is_a_warning_and_one_that_ended_a_fault() {
        let until = 365 * 86_400;
        let state = CertificateState {
            file: "tls.crt".into(),
            is_in_use: true,
            fault: None,
            validity: Some(Validity { from: 0, until }),
        };
        let (transport, loading) = (Transport::Tls, Loading::Same);
        let report = CertificateReport { transport, is_client_ca: false, loading, state };
        for (now, is_warning, words) in [
            (0, false, None),
            (until - 86_400, true, Some("[tls] tls.crt: the certificate expires on 1971-01-01")),
            (until + 1, false, Some("[tls] tls.crt: the certificate expired on 1971-01-01")),
        ] {
            assert_eq!(
                (report.only_ends_soon(now), report.trouble(now).as_deref()),
                (is_warning, words)
            );
        }
    }
}
