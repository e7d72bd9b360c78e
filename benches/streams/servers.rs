//! The servers as real processes on CPU 0, with one worker each, over TCP and TLS.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::process::{Process, with_children};

/// The zone.
const ZONE: &str = "$ORIGIN example.\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\n\
                    ns1 A 192.0.2.1\nh1 A 192.0.2.2\n";
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

//------------ Certificate ---------------------------------------------------

/// A certificate for the servers, and clients that trust it.
pub struct Certificate {
    /// The certificate and its key, as files.
    files: [PathBuf; 2],
    /// A client's side.
    config: Arc<ClientConfig>,
}

/// Makes one; none without `openssl`.
pub fn make_certificate(directory: &Path) -> Option<Certificate> {
    let files = ["cert.pem", "key.pem"].map(|name| directory.join(name));
    let status = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ns1.example".split(' '))
        .args(["-addext", "subjectAltName=DNS:ns1.example"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&files[0])
        .arg("-keyout")
        .arg(&files[1])
        .stderr(Stdio::null())
        .status();
    if !status.ok()?.success() {
        return None;
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files[0]).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    // A connection for one query has its whole handshake.
    config.resumption = rustls::client::Resumption::disabled();
    Some(Certificate { files, config: Arc::new(config) })
}

//------------ Server --------------------------------------------------------

/// A running server; it ends with the value.
pub struct Server {
    /// As on the command line.
    pub name: String,
    /// Where it answers over TCP.
    pub tcp: SocketAddr,
    /// Where it answers over TLS, if it does, and a client for that.
    pub tls: Option<(SocketAddr, Arc<ClientConfig>)>,
    /// Its process.
    process: Process,
}

impl Server {
    /// Starts a server in a directory of its own.
    pub fn start(
        name: &str,
        directory: &Path,
        certificate: Option<&Certificate>,
    ) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("example.zone"), ZONE)?;
        let free = || TcpListener::bind("127.0.0.1:0")?.local_addr();
        let (tcp, tls) = (free()?, free()?);
        let files = certificate.map(|it| &it.files);
        let (command, has_tls) = match name {
            "gapura" => (gapura(directory, tcp, tls, files)?, true),
            "nsd" => (nsd(directory, tcp, tls, files)?, true),
            "knot" => (knot(directory, tcp)?, false),
            other => return Err(io::Error::other(format!("no server is called {other}"))),
        };
        let process = Process::start(&command, directory)?;
        let tls = certificate.filter(|_| has_tls).map(|it| (tls, it.config.clone()));
        let server = Self { name: name.to_owned(), tcp, tls, process };
        for address in std::iter::once(tcp).chain(server.tls.as_ref().map(|it| it.0)) {
            let began = Instant::now();
            while TcpStream::connect(address).is_err() {
                if began.elapsed() > PATIENCE {
                    let log = fs::read_to_string(directory.join("log"))?;
                    return Err(io::Error::other(format!("it does not listen: {log}")));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(server)
    }

    /// The processor time that it has taken so far.
    pub fn cpu(&self) -> Duration {
        Duration::from_millis(10 * with_children(self.process.pid(), ticks))
    }
}

/// What a process itself has taken, in hundredths of a second.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time are the 14th and 15th, and two fields are before the parenthesis.
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

//------------ Settings ------------------------------------------------------

/// gapura: one thread for each of its CPUs, so one.
fn gapura(
    directory: &Path,
    tcp: SocketAddr,
    tls: SocketAddr,
    certificate: Option<&[PathBuf; 2]>,
) -> io::Result<String> {
    let d = directory.display();
    let file = directory.join("gapura.toml");
    let table = certificate.map(|[certificate, key]| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("[tls]\nlisten = [\"{tls}\"]\ncert = \"{certificate}\"\nkey = \"{key}\"\n")
    });
    let table = table.unwrap_or_default();
    fs::write(
        &file,
        format!(
            "[server]\nlisten = [\"{tcp}\"]\nudp_workers = 1\nstate_dir = \"{d}/state\"\n{table}\
             [rate_limit]\nresponses_per_second = 0\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [[zone]]\nname = \"example.\"\nfile = \"{d}/example.zone\"\n"
        ),
    )?;
    Ok(format!("{} serve --config {}", env!("CARGO_BIN_EXE_gapura"), file.display()))
}

/// NSD with one server process.
fn nsd(
    directory: &Path,
    tcp: SocketAddr,
    tls: SocketAddr,
    certificate: Option<&[PathBuf; 2]>,
) -> io::Result<String> {
    let d = directory.display();
    let file = directory.join("nsd.conf");
    let (ip, port) = (tcp.ip(), tcp.port());
    let lines = certificate.map(|[certificate, key]| {
        let (certificate, key, port) = (certificate.display(), key.display(), tls.port());
        format!(
            "  ip-address: {ip}@{port}\n  tls-port: {port}\n  tls-service-pem: \"{certificate}\"\n  \
             tls-service-key: \"{key}\"\n"
        )
    });
    let lines = lines.unwrap_or_default();
    fs::write(
        &file,
        format!(
            "server:\n  server-count: 1\n  ip-address: {ip}@{port}\n{lines}  username: \"\"\n  zonesdir: \"{d}\"\n  \
             database: \"\"\n  pidfile: \"{d}/nsd.pid\"\n  xfrdfile: \"{d}/xfrd.state\"\n  \
             zonelistfile: \"{d}/zone.list\"\n  logfile: \"{d}/nsd.log\"\n  rrl-ratelimit: 0\n  tcp-count: 200\n\
             remote-control:\n  control-enable: no\n\
             zone:\n  name: example.\n  zonefile: {d}/example.zone\n"
        ),
    )?;
    Ok(format!("nsd -d -c {}", file.display()))
}

/// Knot with one TCP worker.
fn knot(directory: &Path, tcp: SocketAddr) -> io::Result<String> {
    let d = directory.display();
    let file = directory.join("knot.conf");
    fs::write(
        &file,
        format!(
            "server:\n  rundir: {d}\n  listen: {}@{}\n  udp-workers: 1\n  tcp-workers: 1\n  \
             background-workers: 1\ndatabase:\n  storage: {d}\ncontrol:\n  listen: {d}/knot.sock\n\
             log:\n  - target: {d}/knot.log\n    any: warning\n\
             zone:\n  - domain: example.\n    storage: {d}\n    file: example.zone\n    \
             zonefile-sync: -1\n    journal-content: none\n",
            tcp.ip(),
            tcp.port()
        ),
    )?;
    Ok(format!("knotd -c {}", file.display()))
}
