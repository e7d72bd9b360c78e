//! Clients that present a certificate over TLS: who may have signed it, and whose name is in it.
//!
//! Nobody needs one to ask a question. A `[[remote]]` with a name in its certificate is only that remote if
//! it presents it, once the settings say who signs such certificates.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ProtocolVersion,
    ServerConnection, SignatureScheme,
};
use webpki::EndEntityCert;

use super::tls::{CertificateState, Loading};
use crate::files;
use crate::lock::lock;
use crate::text::with_causes;

//------------ ClientIdentity ------------------------------------------------

/// What a client over TLS showed of itself.
#[derive(Debug)]
pub struct ClientIdentity {
    /// Its certificate and what leads on from there to an authority, as verified in the handshake; empty: it
    /// showed none.
    chain: Vec<CertificateDer<'static>>,
    /// Who may have signed it now. A connection may be older than they are.
    authorities: Arc<ClientAuthorities>,
    /// Whether it speaks version 1.3.
    is_tls13: bool,
}

impl ClientIdentity {
    /// Of a session whose handshake is over.
    pub(super) fn of(session: &ServerConnection, authorities: &Arc<ClientAuthorities>) -> Self {
        let chain = session.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
        let is_tls13 = session.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        Self { chain, authorities: Arc::clone(authorities), is_tls13 }
    }

    /// Whether it may be the one with this name: its certificate has it and is signed by one who may sign them now,
    /// or nobody is asked for one now. What was verified in the handshake may have ended since.
    pub fn is(&self, name: &str) -> bool {
        if !self.authorities.ask() {
            return true;
        }
        let Some((end_entity, intermediates)) = self.chain.split_first() else { return false };
        let verified =
            self.authorities.verify_client_cert(end_entity, intermediates, UnixTime::now());
        let name = ServerName::try_from(name.trim_end_matches('.'));
        let (Ok(_), Ok(name), Ok(certificate)) =
            (verified, name, EndEntityCert::try_from(end_entity))
        else {
            return false;
        };
        certificate.verify_is_valid_for_subject_name(&name).is_ok()
    }

    /// Whether it speaks version 1.3, as a zone transfer must (RFC 9103 §7.1).
    pub fn is_tls13(&self) -> bool {
        self.is_tls13
    }

    /// One without a certificate, which is not asked for; for tests.
    #[doc(hidden)]
    pub fn unasked(is_tls13: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = ClientAuthorities::load(Path::new(""), provider);
        Self { chain: Vec::new(), authorities, is_tls13 }
    }
}

//------------ ClientAuthorities ---------------------------------------------

/// Who may have signed the certificates of clients; loaded again by a reload.
pub(super) struct ClientAuthorities {
    /// Their verifier; none: no certificate is asked for.
    current: ArcSwapOption<Verifier>,
    /// The file; empty: nobody.
    file: Mutex<PathBuf>,
    /// Why the file is not used as it was last read, if so.
    fault: Mutex<Option<String>>,
    /// Verifies signatures.
    provider: Arc<CryptoProvider>,
}

/// Who believes certificates; none: nobody, because the file cannot be used.
struct Verifier(Option<Authorities>);

/// The authorities of a file.
struct Authorities {
    /// Their certificates, as in the file.
    certificates: Vec<CertificateDer<'static>>,
    /// What verifies that they signed.
    verifier: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthorities {
    /// The authorities in a file, as far as it can be used; an empty path: nobody.
    pub(super) fn load(file: &Path, provider: Arc<CryptoProvider>) -> Arc<Self> {
        let (file, fault) = (Mutex::new(file.to_owned()), Mutex::default());
        let authorities = Self { current: ArcSwapOption::empty(), file, fault, provider };
        authorities.reload();
        Arc::new(authorities)
    }

    /// Takes them from another file from the next loading on.
    pub(super) fn set_file(&self, file: &Path) {
        *lock(&self.file) = file.to_owned();
    }

    /// Loads the file again; none if the settings name none. One that cannot be used changes nothing; where
    /// there was none before, no certificate is believed.
    pub(super) fn reload(&self) -> Option<Loading> {
        let file = lock(&self.file).clone();
        if file.as_os_str().is_empty() {
            self.current.store(None);
            *lock(&self.fault) = None;
            return None;
        }
        Some(match authorities(&file, &self.provider) {
            Ok(found) => {
                let certificates = found.certificates.clone();
                let before = self.current.swap(Some(Arc::new(Verifier(Some(found)))));
                *lock(&self.fault) = None;
                let before = before.as_ref().and_then(|before| before.0.as_ref());
                let is_same = before.is_some_and(|before| before.certificates == certificates);
                if is_same { Loading::Same } else { Loading::New }
            }
            Err(why) => {
                *lock(&self.fault) = Some(why);
                if self.current.load().is_none() {
                    self.current.store(Some(Arc::new(Verifier(None))));
                }
                Loading::Refused
            }
        })
    }

    /// What is to be known of them; none if the settings name none.
    pub(super) fn state(&self) -> Option<CertificateState> {
        let file = lock(&self.file).clone();
        let current = self.current.load();
        (!file.as_os_str().is_empty()).then(|| CertificateState {
            file,
            is_in_use: current.as_ref().is_some_and(|current| current.0.is_some()),
            fault: lock(&self.fault).clone(),
            validity: None,
        })
    }

    /// Whether clients are asked for a certificate.
    pub(super) fn ask(&self) -> bool {
        self.current.load().is_some()
    }
}

/// The authorities in a file, or why there are none.
fn authorities(file: &Path, provider: &Arc<CryptoProvider>) -> Result<Authorities, String> {
    let certificates = files::certificates(file).map_err(|error| with_causes(&error))?;
    let roots = files::authorities(&certificates).map_err(|error| with_causes(&error))?;
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    let verifier = builder.allow_unauthenticated().build().map_err(|error| with_causes(&error))?;
    Ok(Authorities { certificates, verifier })
}

/// Sees that a file can be used as `client_ca`.
pub fn look_at_client_ca(file: &Path) -> Result<(), String> {
    authorities(file, &Arc::new(rustls::crypto::ring::default_provider())).map(drop)
}

impl std::fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientAuthorities")
    }
}

impl ClientCertVerifier for ClientAuthorities {
    fn offer_client_auth(&self) -> bool {
        self.ask()
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // They may be others before the handshake is over; a client has one certificate for us anyway.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let current = self.current.load_full();
        let authorities = current.as_ref().and_then(|current| current.0.as_ref());
        let authorities = authorities.ok_or(CertificateError::UnknownIssuer)?;
        authorities.verifier.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_loading_is_told() {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/tests");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, "nothing").unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = ClientAuthorities::load(&file, provider);
        let told = || {
            let state = authorities.state().unwrap();
            (state.is_in_use, state.fault.is_some())
        };
        assert!(authorities.ask());
        assert_eq!((authorities.reload(), told()), (Some(Loading::Refused), (false, true)));
        std::fs::copy(from.join("ca.crt"), &file).unwrap();
        assert_eq!((authorities.reload(), told()), (Some(Loading::New), (true, false)));
        assert_eq!((authorities.reload(), told()), (Some(Loading::Same), (true, false)));
        std::fs::remove_file(&file).unwrap();
        assert_eq!((authorities.reload(), told()), (Some(Loading::Refused), (true, true)));
        authorities.set_file(Path::new(""));
        assert_eq!(authorities.reload(), None);
        assert!(authorities.state().is_none() && !authorities.ask());
    }

    /// Bug class: a connection that is older than a reload is believed by authorities that are gone.
    #[test]
    fn who_may_sign_now_counts_for_connections_that_are_open() {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/tests");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        let is = |text: &str| std::fs::copy(from.join(text), &file).unwrap();
        is("ca.crt");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = ClientAuthorities::load(&file, provider);
        let chain = files::certificates(&from.join("localhost.crt")).unwrap();
        let with = |chain| {
            let authorities = Arc::clone(&authorities);
            ClientIdentity { chain, authorities, is_tls13: true }
        };
        let (one, bare) = (with(chain), with(Vec::new()));
        assert!(one.is("localhost.") && !one.is("other.test") && !bare.is("localhost."));
        // Another authority in its place.
        is("expired.crt");
        assert_eq!(authorities.reload(), Some(Loading::New));
        assert!(!one.is("localhost."));
        // Nobody is asked any more, then everybody is again.
        authorities.set_file(Path::new(""));
        authorities.reload();
        assert!(one.is("localhost.") && bare.is("localhost."));
        is("ca.crt");
        authorities.set_file(&file);
        authorities.reload();
        assert!(one.is("localhost.") && !bare.is("localhost."));
    }
}
