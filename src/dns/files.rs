//! Files that only we write, and those with certificates or secrets: reading them, what they are called, and
//! whether there is a place for them. Whatever was put in their place, nobody waits for it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use crate::wire::Name;

//------------ Names ---------------------------------------------------------

/// What files of a zone are called.
pub fn stem(zone: &Name) -> String {
    let text = zone.as_ref().to_lowercase().to_string();
    // The text form of a name can hold a slash and be nothing but a dot.
    match text.trim_end_matches('.') {
        "" => "root".to_owned(),
        stem => stem.replace('/', "%2F"),
    }
}

/// The file of the key that seals personal data, in the state directory.
pub const PERSONAL_KEY: &str = "personal.key";
/// The file of the key that signs the event chain.
pub const AUDIT_KEY: &str = "audit.key";
/// The file of the key that is to follow it, until the database knows it.
pub const NEXT_AUDIT_KEY: &str = "audit.key-next";

/// The zone whose files are called so.
pub fn zone_of(stem: &str) -> Option<Name> {
    let text = if stem == "root" { ".".to_owned() } else { stem.replace("%2F", "/") };
    text.parse().ok()
}

//------------ Secrets -------------------------------------------------------

/// Reads a file with a secret of at most `max` octets that others may not read; what is read is wiped when
/// it is dropped. The error is in words, to stand behind the path.
pub fn read_secret(path: &Path, max: usize) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let file = open(path)?;
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        return Err(SecretError::Open);
    }
    read_at_most(&file, max)
}

/// Reads what may hold secrets, of at most `max` octets. It is wiped when it is dropped.
pub fn read_at_most(file: &File, max: usize) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    // Room for everything at once: a buffer that grows leaves copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(max + 1));
    file.take(max as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > max { Err(SecretError::Long(max)) } else { Ok(octets) }
}

/// Writes a file of mode 0600 through a temporary name, so that it is whole or absent, and on disk.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let put = write_synced(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    if let Err(error) = put {
        // What is left of it would stay for good.
        drop(std::fs::remove_file(&part));
        return Err(error);
    }
    sync_directory(path)
}

/// Writes a file of mode 0600, synced.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One that was there may have had another mode.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that is not there yet, not even as a link that leads nowhere; it is on disk, or absent.
pub fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let put = file.write_all(bytes).and_then(|()| file.sync_all());
    if put.is_err() {
        // Half of it would look like the whole.
        drop(std::fs::remove_file(path));
    }
    put.and_then(|()| sync_directory(path))
}

/// Listens on a Unix socket of mode 0600, in the place of one that is left of a process that ended: nobody else may
/// hold it.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    remove(path)?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Removes a file; one that is gone already is what was wanted.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Syncs the directory of a file.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Why a file with a secret is not read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Others may read it.
    #[error("may be used by everybody on this machine: give it the mode 0600")]
    Open,
    /// It is longer than a secret is.
    #[error("has more than {0} octets, which is too long")]
    Long(usize),
}

//------------ Reading -------------------------------------------------------

/// Opens a regular file for reading. A named pipe nobody writes into would hold up the caller for ever,
/// a device might never end: both are errors.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
}

/// Reads a regular file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the certificates in a PEM file; at least one.
pub fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(io::Error::other)?;
    if found.is_empty() {
        return Err(io::Error::other("there is no certificate in it"));
    }
    Ok(found)
}

/// Certificates as the authorities that are believed.
pub fn authorities(certificates: &[CertificateDer<'static>]) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(io::Error::other)?;
    }
    Ok(roots)
}

/// The authorities that the system trusts; none of those that cannot be read.
pub fn system_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// How TLS is spoken, without a certificate of ours, to a server whose own one of these authorities has signed.
pub fn tls_client(authorities: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(authorities).with_no_client_auth())
}

/// Reads the private key in a PEM file.
pub fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(io::Error::other)
}

/// Makes a file in a directory and takes it away again: rights, read-only and dead disks, and disks without
/// a place for one more file, show themselves here only.
pub fn try_to_write(directory: &Path) -> io::Result<()> {
    let trial = directory.join("trial.tmp");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(libc::O_NONBLOCK)
        .open(&trial)?;
    // Two try at once: the other one may have taken it away.
    remove(&trial)
}

/// Which file it is: inode and time of birth, which a copy has of its own.
pub fn identity(found: &Metadata) -> String {
    let born = found.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}:{}", found.ino(), born.map_or(0, |born| born.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_that_try_at_once_all_find_the_directory_writable() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| try_to_write(directory.path()).unwrap()));
            }
        });
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(try_to_write(&directory.path().join("missing")).is_err());
    }
}
