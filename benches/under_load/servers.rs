//! The servers as real processes on CPU 0, each with its reload command.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::process::{Process, with_children};

//------------ Server --------------------------------------------------------

/// A running server; it ends with the value.
pub struct Server {
    /// As on the command line.
    pub name: String,
    /// Where it answers.
    pub address: SocketAddr,
    /// Its process.
    process: Process,
    /// Its zone file.
    zone: PathBuf,
    /// Its own reload command; empty if it watches the file.
    reload: Vec<String>,
}

impl Server {
    /// Starts a server in a directory of its own with a copy of this zone file.
    pub fn start(name: &str, directory: &Path, version: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let zone = directory.join("example.zone");
        fs::copy(version, &zone)?;
        let address = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let (command, reload) = match name {
            "gapura" => gapura(directory, address)?,
            "nsd" => nsd(directory, address)?,
            "knot" => knot(directory, address)?,
            "bind" => bind(directory, address)?,
            other => return Err(io::Error::other(format!("no server is called {other}"))),
        };
        let reload: Vec<String> = reload.split_whitespace().map(str::to_owned).collect();
        let process = Process::start(&command, directory)?;
        Ok(Self { name: name.to_owned(), address, process, zone, reload })
    }

    /// Puts a new version of the zone file in place, by rename.
    pub fn replace(&self, version: &Path) {
        let temporary = self.zone.with_extension("tmp");
        // A link costs no copy, and each server gets every version. BIND and NSD look at its time.
        fs::hard_link(version, &temporary).expect("the same file system");
        let file = fs::File::options().append(true).open(&temporary).expect("the file");
        file.set_modified(SystemTime::now()).expect("a time");
        fs::rename(&temporary, &self.zone).expect("a rename");
    }

    /// Gives the reload command, if the server needs one.
    pub fn reload(&self) {
        let Some((program, arguments)) = self.reload.split_first() else { return };
        let output = Command::new(program).args(arguments).output();
        let output = output.expect("the reload command");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", self.name);
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// Memory of a process and all below it, each shared page counted once: MiB.
pub fn pss_mib(pid: u32) -> u64 {
    with_children(pid, |pid| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let own = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        own.unwrap_or(0) / 1024
    })
}

//------------ Settings ------------------------------------------------------

/// The command that serves, and the one that reloads.
type Commands = io::Result<(String, String)>;

/// gapura with one UDP worker. It watches the file.
fn gapura(directory: &Path, address: SocketAddr) -> Commands {
    let d = directory.display();
    let file = directory.join("gapura.toml");
    fs::write(
        &file,
        format!(
            "[server]\nlisten = [\"{address}\"]\nudp_workers = 1\nstate_dir = \"{d}/state\"\n\
             [rate_limit]\nresponses_per_second = 0\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [[zone]]\nname = \"example.\"\nfile = \"{d}/example.zone\"\n"
        ),
    )?;
    let (program, file) = (env!("CARGO_BIN_EXE_gapura"), file.display());
    Ok((format!("{program} serve --config {file}"), String::new()))
}

/// NSD with one server process.
fn nsd(directory: &Path, address: SocketAddr) -> Commands {
    let d = directory.display();
    let file = directory.join("nsd.conf");
    fs::write(
        &file,
        format!(
            "server:\n  server-count: 1\n  ip-address: {}@{}\n  username: \"\"\n  zonesdir: \"{d}\"\n  \
             database: \"\"\n  pidfile: \"{d}/nsd.pid\"\n  xfrdfile: \"{d}/xfrd.state\"\n  \
             zonelistfile: \"{d}/zone.list\"\n  logfile: \"{d}/nsd.log\"\n  minimal-responses: yes\n  \
             rrl-ratelimit: 0\n  reuseport: yes\n\
             remote-control:\n  control-enable: yes\n  control-interface: \"{d}/nsd.sock\"\n\
             zone:\n  name: example.\n  zonefile: {d}/example.zone\n",
            address.ip(),
            address.port()
        ),
    )?;
    let file = file.display();
    Ok((format!("nsd -d -c {file}"), format!("nsd-control -c {file} reload example.")))
}

/// Knot with one UDP worker.
fn knot(directory: &Path, address: SocketAddr) -> Commands {
    let d = directory.display();
    let file = directory.join("knot.conf");
    fs::write(
        &file,
        format!(
            "server:\n  rundir: {d}\n  listen: {}@{}\n  udp-workers: 1\n  tcp-workers: 1\n  \
             background-workers: 1\ndatabase:\n  storage: {d}\ncontrol:\n  listen: {d}/knot.sock\n\
             log:\n  - target: {d}/knot.log\n    any: warning\n\
             zone:\n  - domain: example.\n    storage: {d}\n    file: example.zone\n    \
             semantic-checks: off\n    zonefile-sync: -1\n    journal-content: none\n",
            address.ip(),
            address.port()
        ),
    )?;
    Ok((
        format!("knotd -c {}", file.display()),
        format!("knotc -s {d}/knot.sock -b zone-reload example."),
    ))
}

/// BIND with one thread.
fn bind(directory: &Path, address: SocketAddr) -> Commands {
    let d = directory.display();
    let control = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let key = "key \"rndc-key\" { algorithm hmac-sha256; secret \"Z2FwdXJhIGJlbmNobWFyaw==\"; };\n";
    fs::write(
        directory.join("rndc.conf"),
        format!(
            "{key}options {{ default-key \"rndc-key\"; default-server 127.0.0.1; default-port {control}; }};\n"
        ),
    )?;
    let file = directory.join("named.conf");
    fs::write(
        &file,
        format!(
            "{key}options {{ directory \"{d}\"; listen-on port {} {{ {}; }}; listen-on-v6 {{ none; }}; \
             recursion no; minimal-responses yes; pid-file \"{d}/named.pid\"; session-keyfile \"{d}/s.key\"; \
             notify no; dnssec-validation no; querylog no; empty-zones-enable no; }};\n\
             controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ \"rndc-key\"; }}; }};\n\
             zone \"example.\" {{ type primary; file \"{d}/example.zone\"; notify no; check-integrity no; }};\n",
            address.port(),
            address.ip()
        ),
    )?;
    Ok((
        format!("named -g -n 1 -c {}", file.display()),
        format!("rndc -c {d}/rndc.conf reload example."),
    ))
}
