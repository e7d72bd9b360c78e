//! Knot, NSD and BIND as real processes on loopback: secondaries of gapura, or its primaries.
//!
//! A peer gets its port and directory when it is made, so that gapura's settings can name it before it
//! runs, and keeps both when it is stopped and started again. Zone transfers are read here as a client
//! of any server: [`fetch`].

#![allow(dead_code)] // Each test uses a part of it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use gapura::wire::{Name, Record, Rtype};

use crate::answer::canon::sections;

/// How long a peer may take to start, and a transfer to move on.
const PATIENCE: Duration = Duration::from_secs(60);

//------------ Program -------------------------------------------------------

/// A name server of somebody else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// Knot DNS.
    Knot,
    /// NSD.
    Nsd,
    /// BIND's named.
    Bind,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Knot, Self::Nsd, Self::Bind];

    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Knot => "knotd",
            Self::Nsd => "nsd",
            Self::Bind => "named",
        }
    }

    /// Whether it is installed.
    fn is_installed(self) -> bool {
        runs(self.name(), if self == Self::Nsd { "-v" } else { "-V" })
    }
}

/// Whether all of these are installed; if not, the test is skipped aloud and should return.
pub fn are_here(programs: &[Program]) -> bool {
    let missing = programs.iter().find(|program| !program.is_installed());
    if let Some(missing) = missing {
        crate::skipped::skipped(&format!("{} not found", missing.name()));
    }
    missing.is_none()
}

/// Whether a client program is there; if not, the test is skipped aloud and should return.
pub fn is_client_here(program: &str) -> bool {
    let is_here = runs(program, "-V") || runs(program, "-v");
    if !is_here {
        crate::skipped::skipped(&format!("{program} not found"));
    }
    is_here
}

/// Whether a program can be run at all.
fn runs(program: &str, flag: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(flag).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

//------------ Key -----------------------------------------------------------

/// A TSIG key (RFC 8945) as each side writes it.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name, with the dot at the end.
    pub name: &'static str,
    /// The algorithm, as `hmac-sha256`.
    pub algorithm: &'static str,
    /// The secret in base64.
    pub secret: &'static str,
}

impl Key {
    /// A key of 256 bits.
    pub const ARMADA: Self = Self {
        name: "armada.",
        algorithm: "hmac-sha256",
        secret: "c2V2ZW4tdGltZXMtc2V2ZW4taXMtZm9ydHktbmluZSE=",
    };

    /// The `[[key]]` table of gapura's settings.
    pub fn settings(&self) -> String {
        let Self { name, algorithm, secret } = self;
        format!(
            "\n[[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n"
        )
    }

    /// As `dig`, `kdig` and `nsupdate` take it behind `-y`.
    pub fn argument(&self) -> String {
        format!("{}:{}:{}", self.algorithm, self.name, self.secret)
    }
}

//------------ PeerZone ------------------------------------------------------

/// A zone of a peer.
#[derive(Clone, Debug)]
pub struct PeerZone {
    /// The apex, with the dot at the end.
    pub name: String,
    /// Where it comes from.
    pub role: Role,
    /// The key with which both sides sign; none: unsigned.
    pub key: Option<Key>,
    /// More lines in the zone's part of the settings, each with its own end and indentation.
    pub more: String,
}

/// Where a zone of a peer comes from.
#[derive(Clone, Debug)]
pub enum Role {
    /// A file with this text; changes of it are kept as deltas for IXFR, and told to these servers.
    Primary {
        /// The zone file.
        text: String,
        /// Who is told.
        notify: Vec<SocketAddr>,
    },
    /// A transfer.
    Secondary {
        /// From there.
        primary: SocketAddr,
        /// What stands behind the primary's address, such as BIND's `tls NAME`.
        how: String,
    },
}

impl PeerZone {
    /// A zone that comes from another server.
    pub fn secondary(name: &str, primary: SocketAddr) -> Self {
        let role = Role::Secondary { primary, how: String::new() };
        Self { name: name.to_owned(), role, key: None, more: String::new() }
    }

    /// A zone that the peer has itself.
    pub fn primary(name: &str, text: &str, notify: &[SocketAddr]) -> Self {
        let role = Role::Primary { text: text.to_owned(), notify: notify.to_vec() };
        Self { name: name.to_owned(), role, key: None, more: String::new() }
    }

    /// The same, signed by a key.
    pub fn with_key(self, key: &Key) -> Self {
        Self { key: Some(key.clone()), ..self }
    }
}

//------------ Peer ----------------------------------------------------------

/// A name server of somebody else; it ends with the value.
pub struct Peer {
    /// Which one.
    pub program: Program,
    /// Where it answers, on UDP and TCP.
    pub address: SocketAddr,
    /// Its settings, zones and log.
    pub dir: PathBuf,
    /// More lines at the top of the settings, such as BIND's `tls`.
    pub more: String,
    /// More of BIND's `options`.
    pub options: String,
    /// The process.
    child: Option<Child>,
    /// Keeps the directory.
    _made: tempfile::TempDir,
}

impl Peer {
    /// A peer that does not run yet.
    pub fn new(program: Program) -> Self {
        let made = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let dir = made.path().to_owned();
        std::fs::create_dir(dir.join("db")).unwrap();
        Self {
            program,
            address,
            dir,
            more: String::new(),
            options: String::new(),
            child: None,
            _made: made,
        }
    }

    /// The `[[remote]]` table of gapura's settings.
    pub fn remote(&self, name: &str, key: Option<&Key>) -> String {
        let key = key.map_or(String::new(), |key| format!("key = \"{}\"\n", key.name));
        format!("\n[[remote]]\nname = \"{name}\"\naddresses = [\"{}\"]\n{key}", self.address)
    }

    /// Writes the settings and starts it with these zones; it answers when this returns.
    pub fn serve(&mut self, zones: &[PeerZone]) {
        for zone in zones {
            if let Role::Primary { text, .. } = &zone.role {
                std::fs::write(self.file(&zone.name), text).unwrap();
            }
        }
        let text = match self.program {
            Program::Knot => self.knot(zones),
            Program::Nsd => self.nsd(zones),
            Program::Bind => self.bind(zones),
        };
        std::fs::write(self.dir.join("conf"), text).unwrap();
        self.start();
    }

    /// Starts it with the settings that it had.
    pub fn start(&mut self) {
        let config = self.dir.join("conf");
        let mut command = Command::new(self.program.name());
        match self.program {
            Program::Knot => command.arg("-c").arg(config),
            Program::Nsd => command.args(["-d", "-c"]).arg(config),
            Program::Bind => command.args(["-f", "-4", "-n", "1", "-c"]).arg(config),
        };
        let out = std::fs::File::create(self.dir.join("out")).unwrap();
        let child = command
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while try_serial(self.address, ".").is_none() {
            let ended = self.child.as_mut().is_some_and(|it| it.try_wait().unwrap().is_some());
            let late = ended || Instant::now() > deadline;
            assert!(!late, "{} does not answer:\n{}", self.program.name(), self.log());
        }
    }

    /// Ends it as its service would.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            super::kill(child.id(), "TERM");
            let deadline = Instant::now() + PATIENCE;
            while child.try_wait().unwrap().is_none() {
                assert!(Instant::now() < deadline, "{} does not stop", self.program.name());
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Puts another text in a primary zone's file and has it loaded.
    pub fn change(&self, zone: &str, text: &str) {
        let (file, draft) = (self.file(zone), self.dir.join("draft"));
        // A new time of modification is how NSD sees the change; its clock has whole seconds in old versions.
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, file).unwrap();
        super::kill(self.child.as_ref().unwrap().id(), "HUP");
    }

    /// The serial of a zone; none while it is not served.
    pub fn serial(&self, zone: &str) -> Option<u32> {
        try_serial(self.address, zone).flatten()
    }

    /// Waits until it serves this serial; how long that took.
    pub fn until_serial(&self, zone: &str, serial: u32) -> Duration {
        let begun = Instant::now();
        while self.serial(zone) != Some(serial) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} has {:?} of {zone} and not {serial}:\n{}",
                self.program.name(),
                self.serial(zone),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }

    /// The records of a zone as it serves them, sorted; see [`Fetched::lines`].
    pub fn records(&self, zone: &str) -> Vec<String> {
        fetch(self.address, zone, None).lines()
    }

    /// Tests that it serves these records of a zone, now or in a moment: while NSD replaces its processes, the next
    /// one to answer may be the one before.
    pub fn assert_has(&self, zone: &str, records: &[String], about: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut theirs = self.records(zone);
        while theirs != records && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
            theirs = self.records(zone);
        }
        assert_eq!(theirs, records, "{:?} {about}", self.program);
    }

    /// Its log, for people.
    pub fn log(&self) -> String {
        let text = |name| std::fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        format!("{}{}", text("out"), text("log"))
    }

    /// The file of a zone.
    fn file(&self, zone: &str) -> PathBuf {
        self.dir.join(format!("{zone}zone"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

//--- Settings of each

impl Peer {
    /// Knot's settings.
    fn knot(&self, zones: &[PeerZone]) -> String {
        let (root, ip, port) = (self.dir.display(), self.address.ip(), self.address.port());
        let mut text = format!(
            "server:\n  rundir: {root}\n  listen: {ip}@{port}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 2\ndatabase:\n  storage: {root}/db\n\
             log:\n  - target: {root}/log\n    any: debug\n{}",
            self.more
        );
        let keys = keys(zones);
        if !keys.is_empty() {
            text += "key:\n";
        }
        for key in keys.values() {
            text += &format!(
                "  - id: {}\n    algorithm: {}\n    secret: {}\n",
                key.name, key.algorithm, key.secret
            );
        }
        let (mut remotes, mut acls, mut own) = (String::new(), String::new(), String::new());
        for (index, zone) in zones.iter().enumerate() {
            let key =
                zone.key.as_ref().map_or(String::new(), |it| format!("    key: {}\n", it.name));
            let mut remote = |id: String, address: &SocketAddr| {
                let (ip, port) = (address.ip(), address.port());
                remotes += &format!("  - id: {id}\n    address: {ip}@{port}\n{key}");
            };
            own += &format!("  - domain: {}\n    acl: [read, acl{index}]\n", zone.name);
            let action = match &zone.role {
                Role::Primary { notify, .. } => {
                    own += &format!(
                        "    file: {}\n    zonefile-load: difference\n    journal-content: changes\n",
                        self.file(&zone.name).display()
                    );
                    let ids = (0..notify.len()).map(|peer| format!("told{index}-{peer}"));
                    for (id, address) in ids.clone().zip(notify) {
                        remote(id, address);
                    }
                    if !notify.is_empty() {
                        own += &format!("    notify: [{}]\n", ids.collect::<Vec<_>>().join(", "));
                    }
                    "transfer"
                }
                Role::Secondary { primary, .. } => {
                    remote(format!("primary{index}"), primary);
                    own += &format!(
                        "    master: primary{index}\n    journal-content: all\n    zonefile-load: none\n"
                    );
                    "notify"
                }
            };
            own += &format!("    zonefile-sync: -1\n{}", zone.more);
            acls +=
                &format!("  - id: acl{index}\n    action: {action}\n    address: 127.0.0.1\n{key}");
        }
        format!(
            "{text}remote:\n{remotes}acl:\n  - id: read\n    action: transfer\n    address: 127.0.0.1\n\
             {acls}zone:\n{own}"
        )
    }

    /// NSD's settings.
    fn nsd(&self, zones: &[PeerZone]) -> String {
        let (root, port) = (self.dir.display(), self.address.port());
        let mut text = format!(
            "server:\n  server-count: 1\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n  \
             zonesdir: \"{root}\"\n  database: \"\"\n  pidfile: \"{root}/nsd.pid\"\n  \
             xfrdfile: \"{root}/xfrd.state\"\n  xfrdir: \"{root}\"\n  \
             zonelistfile: \"{root}/zone.list\"\n  logfile: \"{root}/log\"\n  verbosity: 3\n  \
             xfrd-reload-timeout: 0\n  rrl-ratelimit: 0\n{}remote-control:\n  control-enable: no\n",
            self.more
        );
        for key in keys(zones).values() {
            text += &format!(
                "key:\n  name: {}\n  algorithm: {}\n  secret: \"{}\"\n",
                key.name, key.algorithm, key.secret
            );
        }
        for zone in zones {
            let key = zone.key.as_ref().map_or("NOKEY", |key| key.name);
            text += &format!(
                "zone:\n  name: {}\n  zonefile: \"{}\"\n  provide-xfr: 127.0.0.1 NOKEY\n",
                zone.name,
                self.file(&zone.name).display()
            );
            match &zone.role {
                Role::Primary { notify, .. } => {
                    text += "  store-ixfr: yes\n  create-ixfr: yes\n";
                    if zone.key.is_some() {
                        text += &format!("  provide-xfr: 127.0.0.1 {key}\n");
                    }
                    for address in notify {
                        text += &format!("  notify: {}@{} {key}\n", address.ip(), address.port());
                    }
                }
                Role::Secondary { primary, how } => {
                    let (ip, port) = (primary.ip(), primary.port());
                    text += &format!(
                        "  request-xfr: {ip}@{port} {key}{how}\n  allow-notify: 127.0.0.1 {key}\n"
                    );
                }
            }
            text += &zone.more;
        }
        text
    }

    /// BIND's settings.
    fn bind(&self, zones: &[PeerZone]) -> String {
        let (root, port) = (self.dir.display(), self.address.port());
        let mut text = format!(
            "options {{ directory \"{root}\"; listen-on port {port} {{ 127.0.0.1; }}; \
             listen-on-v6 {{ none; }}; recursion no; pid-file \"{root}/pid\"; \
             session-keyfile \"{root}/session.key\"; allow-transfer {{ 127.0.0.1; }}; \
             dnssec-validation no; serial-query-rate 1000; notify-rate 1000; notify-delay 0; \
             startup-notify-rate 1000; transfers-per-ns 100; notify explicit; {} }};\ncontrols {{ }};\n\
             logging {{ channel file {{ file \"{root}/log\"; severity debug 1; print-time yes; }}; \
             category default {{ file; }}; }};\n{}",
            self.options, self.more
        );
        for key in keys(zones).values() {
            text += &format!(
                "key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n",
                key.name, key.algorithm, key.secret
            );
        }
        for zone in zones {
            let key = zone.key.as_ref().map_or(String::new(), |it| format!(" key \"{}\"", it.name));
            let file = self.file(&zone.name);
            let own = match &zone.role {
                Role::Primary { notify, .. } => {
                    let told = |it: &SocketAddr| format!("{} port {}{key}; ", it.ip(), it.port());
                    format!(
                        "type primary; ixfr-from-differences yes; also-notify {{ {} }};",
                        notify.iter().map(told).collect::<String>()
                    )
                }
                Role::Secondary { primary, how } => format!(
                    "type secondary; masterfile-format text; primaries {{ {} port {}{key}{how}; }}; \
                     allow-notify {{ 127.0.0.1; }};",
                    primary.ip(),
                    primary.port()
                ),
            };
            text += &format!(
                "zone \"{}\" {{ {own} file \"{}\"; {} }};\n",
                zone.name,
                file.display(),
                zone.more
            );
        }
        text
    }
}

/// The keys of all zones, each once.
fn keys(zones: &[PeerZone]) -> BTreeMap<&'static str, &Key> {
    zones.iter().filter_map(|zone| zone.key.as_ref()).map(|key| (key.name, key)).collect()
}

/// A port that nobody uses now, on UDP and TCP, and that nobody is given by chance while its server is
/// stopped: it is below those of sockets that ask for any, and no other test of this run gets it.
///
/// Nothing is bound to find out: a process that another test starts at that moment would hold the socket until
/// it executes its program.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run on this machine most likely begins somewhere else.
    let begin = u16::try_from(std::process::id() % 200).unwrap() * 50;
    loop {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if !is_bound(port) {
            return port;
        }
    }
}

/// Whether a socket of this machine has this port at its end.
fn is_bound(port: u16) -> bool {
    let ending = format!(":{port:04X}");
    ["udp", "udp6", "tcp", "tcp6"].iter().any(|table| {
        let table = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        table.lines().any(|it| it.split_whitespace().nth(1).is_some_and(|it| it.ends_with(&ending)))
    })
}

/// Gives the settings in `dir` a fixed port of 127.0.0.1 in the place of any free ones, so that a server
/// that is started again is found where it was.
pub fn fix_port(dir: &Path) -> SocketAddr {
    let path = dir.join("gapura.toml");
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let text = std::fs::read_to_string(&path).unwrap();
    let any = "listen = [\"127.0.0.1:0\", \"[::1]:0\"]";
    assert!(text.contains(any), "{text}");
    std::fs::write(&path, text.replace(any, &format!("listen = [\"{address}\"]"))).unwrap();
    address
}

//------------ Asking --------------------------------------------------------

/// The serial of a zone by one query over UDP; within, none if the server does not have the zone, and none
/// at all if it does not answer within a moment.
fn try_serial(server: SocketAddr, zone: &str) -> Option<Option<u32>> {
    let zone: Name = zone.parse().unwrap();
    let query = [b"\0\x01\0\0\0\x01\0\0\0\0\0\0", zone.wire(), b"\0\x06\0\x01"].concat();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    socket.send_to(&query, server).ok()?;
    let mut buffer = [0; 65_535];
    let Ok(octets) = socket.recv(&mut buffer) else {
        // Refused at once where nobody listens: not in a tight loop.
        std::thread::sleep(Duration::from_millis(10));
        return None;
    };
    let (flags, [answer, ..]) = sections(&buffer[..octets]);
    Some((flags & 0x0f == 0).then(|| serial_of(answer.first()?)).flatten())
}

/// The serial of a server's zone; none while it does not have one.
pub fn serial(server: SocketAddr, zone: &str) -> Option<u32> {
    try_serial(server, zone).flatten()
}

/// The serial of a SOA record.
pub fn serial_of(record: &Record) -> Option<u32> {
    let at = record.rdata.len().checked_sub(20).filter(|_| record.rtype == Rtype::SOA)?;
    record.rdata[at..].first_chunk().map(|serial| u32::from_be_bytes(*serial))
}

/// What a transfer brought.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The records of all answer sections, in order, both SOA records of the frame among them.
    pub records: Vec<Record>,
    /// The messages as they came.
    pub messages: Vec<Vec<u8>>,
    /// The response code of the last message.
    pub rcode: u16,
}

impl Fetched {
    /// Whether these are deltas: the second record is an SOA, too, and there are more.
    pub fn is_incremental(&self) -> bool {
        self.records.len() > 2 && self.records[1].rtype == Rtype::SOA
    }

    /// The serial that it leads to.
    pub fn serial(&self) -> Option<u32> {
        self.records.first().and_then(serial_of)
    }

    /// Whether the last record that a transfer has is here.
    fn is_whole(&self) -> bool {
        let soas: Vec<Option<u32>> = self
            .records
            .iter()
            .filter(|record| record.rtype == Rtype::SOA)
            .map(serial_of)
            .collect();
        let newest = soas.iter().filter(|serial| **serial == soas[0]).count();
        let closes = self.records.last().is_some_and(|record| record.rtype == Rtype::SOA);
        self.rcode != 0 || closes && newest == if self.is_incremental() { 3 } else { 2 }
    }

    /// The records of a whole zone as sorted lines that can be compared, the closing SOA left out, names in
    /// lower case where they do not differ by it.
    pub fn lines(&self) -> Vec<String> {
        assert!(self.rcode == 0 && !self.is_incremental() && self.records.len() > 1, "no AXFR");
        lines(&self.records[..self.records.len() - 1])
    }
}

/// Records as sorted lines that can be compared.
pub fn lines(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<String> = records
        .iter()
        .map(|record| {
            let rdata = gapura::wire::rdata::canonical(record.rtype, &record.rdata);
            let rdata: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
            let owner = record.owner.as_ref().to_lowercase();
            format!("{owner} {} {} {rdata}", record.ttl, record.rtype)
        })
        .collect();
    lines.sort();
    lines
}

/// The query for a transfer: AXFR, or IXFR from a serial.
pub fn transfer_query(zone: &str, since: Option<u32>) -> Vec<u8> {
    let zone: Name = zone.parse().unwrap();
    let (authorities, rtype) = if since.is_some() { (1, 251) } else { (0, 252) };
    let mut query = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, authorities, 0, 0];
    query.extend(zone.wire());
    query.extend([0, rtype, 0, 1]);
    if let Some(serial) = since {
        query.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        query.extend(serial.to_be_bytes());
        query.extend([0; 16]);
    }
    query
}

/// Fetches a zone over TCP, whole or from a serial on, and reads it to its end. The answer to IXFR may be one
/// SOA, deltas, or the whole zone.
pub fn fetch(server: SocketAddr, zone: &str, since: Option<u32>) -> Fetched {
    try_fetch(server, &transfer_query(zone, since))
        .unwrap_or_else(|error| panic!("transfer of {zone} from {server}: {error}"))
}

/// The same with a query of the caller's.
pub fn try_fetch(server: SocketAddr, query: &[u8]) -> std::io::Result<Fetched> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], query].concat())?;
    let mut fetched = Fetched::default();
    loop {
        let message = read_message(&mut stream)?;
        let (flags, [answer, ..]) = sections(&message);
        fetched.rcode = flags & 0x0f;
        fetched.records.extend(answer);
        fetched.messages.push(message);
        let is_current = fetched.messages.len() == 1
            && fetched.records.len() == 1
            && query[9] == 1
            && fetched.serial().is_some();
        if fetched.is_whole() || is_current && is_alone(&mut stream)? {
            return Ok(fetched);
        }
    }
}

/// Whether nothing follows: a lone SOA may be the whole answer, or the first message of a longer one.
fn is_alone(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let more = stream.peek(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE))?;
    match more {
        Ok(octets) => Ok(octets == 0),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// Reads one message of a stream.
pub fn read_message(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}
