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
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use webpki::EndEntityCert;

use crate::files;
use crate::lock::lock;
use crate::text::with_causes;

//------------ ClientIdentity ------------------------------------------------

/// What a client showed that was asked for a certificate.
#[derive(Debug)]
pub struct ClientIdentity {
    /// Its certificate, verified; none: it showed none.
    certificate: Option<CertificateDer<'static>>,
}

impl ClientIdentity {
    /// Of a handshake in which a certificate was asked for.
    pub(super) fn new(chain: Option<&[CertificateDer<'static>]>) -> Self {
        Self { certificate: chain.and_then(<[_]>::first).cloned() }
    }

    /// Whether the certificate has this name.
    pub fn is(&self, name: &str) -> bool {
        let name = ServerName::try_from(name.trim_end_matches('.'));
        let certificate = self.certificate.as_ref().map(EndEntityCert::try_from);
        let (Ok(name), Some(Ok(certificate))) = (name, certificate) else { return false };
        certificate.verify_is_valid_for_subject_name(&name).is_ok()
    }
}

//------------ ClientAuthorities ---------------------------------------------

/// Who may have signed the certificates of clients; loaded again by a reload.
pub(super) struct ClientAuthorities {
    /// Their verifier; none: no certificate is asked for.
    current: ArcSwapOption<Verifier>,
    /// The file; empty: nobody.
    file: Mutex<PathBuf>,
    /// Verifies signatures.
    provider: Arc<CryptoProvider>,
}

/// Who believes certificates; none: nobody, because the file cannot be used.
struct Verifier(Option<Arc<dyn ClientCertVerifier>>);

impl ClientAuthorities {
    /// The authorities in a file, as far as it can be used; an empty path: nobody.
    pub(super) fn load(file: &Path, provider: Arc<CryptoProvider>) -> Arc<Self> {
        let file = Mutex::new(file.to_owned());
        let authorities = Self { current: ArcSwapOption::empty(), file, provider };
        authorities.reload();
        Arc::new(authorities)
    }

    /// Takes them from another file from the next loading on.
    pub(super) fn set_file(&self, file: &Path) {
        *lock(&self.file) = file.to_owned();
    }

    /// Loads the file again. One that cannot be used changes nothing; where there was none before, no
    /// certificate is believed.
    pub(super) fn reload(&self) {
        let file = lock(&self.file).clone();
        if file.as_os_str().is_empty() {
            self.current.store(None);
            return;
        }
        match verifier(&file, &self.provider) {
            Ok(verifier) => self.current.store(Some(Arc::new(Verifier(Some(verifier))))),
            Err(why) => {
                let file = file.display();
                tracing::error!("[tls] client_ca {file}: {why}");
                if self.current.load().is_none() {
                    self.current.store(Some(Arc::new(Verifier(None))));
                }
            }
        }
    }

    /// Whether clients are asked for a certificate.
    pub(super) fn ask(&self) -> bool {
        self.current.load().is_some()
    }
}

/// The verifier of the authorities in a file, or why there is none.
fn verifier(
    file: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in files::certificates(file).map_err(|error| with_causes(&error))? {
        roots.add(certificate).map_err(|error| with_causes(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    builder.allow_unauthenticated().build().map_err(|error| with_causes(&error))
}

/// Sees that a file can be used as `client_ca`.
pub fn look_at_client_ca(file: &Path) -> Result<(), String> {
    verifier(file, &Arc::new(rustls::crypto::ring::default_provider())).map(drop)
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
        let verifier = current.as_ref().and_then(|current| current.0.as_ref());
        let verifier = verifier.ok_or(CertificateError::UnknownIssuer)?;
        verifier.verify_client_cert(end_entity, intermediates, now)
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
