//! The settings as types. Names of tables and keys are a contract (README, `config/gapura.toml`).

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::office::{Hosting, Office};
use super::webhook::WebhookSettings;

//------------ Settings ------------------------------------------------------

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `[server]`: sockets and the state directory.
    pub server: Server,
    /// `[tls]`: DNS over TLS; absent = off.
    pub tls: Option<Tls>,
    /// `[quic]`: DNS over QUIC; absent = off.
    pub quic: Option<Quic>,
    /// `[rate_limit]`: response rate limiting.
    pub rate_limit: RateLimit,
    /// `[log]`: the daemon's own log.
    pub log: DaemonLog,
    /// `[query_log]`: absent = no query log.
    pub query_log: Option<QueryLogging>,
    /// `[dnstap]`: absent = none.
    pub dnstap: Option<DnstapSettings>,
    /// `[metrics]`: absent = none.
    pub metrics: Option<Metrics>,
    /// `[web]`: pages and API.
    pub web: Web,
    /// `[mail]`: the relay for notices.
    pub mail: Mail,
    /// `[database]`: where the tables are.
    pub database: Database,
    /// `[node]`: this gapura among others on the same server.
    pub node: Node,
    /// `[[key]]`: TSIG keys.
    #[serde(rename = "key")]
    pub keys: Vec<KeySettings>,
    /// `[[remote]]`: other name servers.
    #[serde(rename = "remote")]
    pub remotes: Vec<RemoteSettings>,
    /// `[[signing]]`: policies by which zones are signed.
    #[serde(rename = "signing")]
    pub signings: Vec<SigningSettings>,
    /// `[[zone]]`: what is served.
    #[serde(rename = "zone")]
    pub zones: Vec<ZoneSettings>,
    /// `[office]`: whose names these are.
    pub office: Office,
    /// `[[hosting]]`: where sites may be hosted.
    #[serde(rename = "hosting")]
    pub hostings: Vec<Hosting>,
    /// `[[webhook]]`: programs outside that are told what happens.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookSettings>,
    /// `[work]`: the office's hours.
    pub work: Work,
    /// `[approval]`: how a request is approved.
    pub approval: Approval,
    /// A name's life after it went live.
    pub lifecycle: Lifecycle,
    /// `[correction]`: how long an applicant may take.
    pub correction: Correction,
    /// `[naming]`: which names may be asked for.
    pub naming: Naming,
    /// `[targets]`: which addresses a name may point at.
    pub targets: Targets,
    /// `[probe]`: testing whether a target answers.
    pub probe: Probe,
    /// `[tokens]`: personal API tokens.
    pub tokens: Tokens,
    /// `[public]`: the form without an account.
    pub public: Public,
    /// `[register]`: the public list of live names.
    pub register: Register,
    /// `[uploads]`: how letters are read.
    pub uploads: Uploads,
    /// `[audit]`: the event chain's anchor.
    pub audit: Audit,
    /// `[people]`: sign-in.
    pub people: People,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Addresses for UDP and TCP; port 0 = any free port, the same for both.
    pub listen: Vec<SocketAddr>,
    /// Whether an address may be listened on that this machine does not have yet.
    pub freebind: bool,
    /// The user that a daemon started as root becomes once it has bound its ports; empty = it stays root.
    pub user: String,
    /// UDP threads for each address; 0 = one for each core.
    pub udp_workers: usize,
    /// Interfaces whose UDP queries come over AF_XDP.
    pub xdp: Vec<String>,
    /// Database, keys, control socket, derived files; made if missing.
    pub state_dir: PathBuf,
    /// A directory whose `NAME.zone` files are zones too, besides those of `[[zone]]`; empty = none.
    pub zone_dir: PathBuf,
    /// Largest UDP response in octets, 512 to 4096 (RFC 9715).
    pub udp_payload: u16,
    /// What `version.bind` answers; empty = refused.
    pub version: String,
    /// Server identifier for NSID and `id.server`; empty = none.
    pub nsid: String,
    /// The agent domain that resolvers report errors to (RFC 9567); empty = none.
    pub report_agent: String,
    /// TCP and TLS connections at once; 0 = half the limit of open files, at most 65,536.
    pub tcp_connections: usize,
    /// Connections of one client address.
    pub tcp_per_address: usize,
    /// Networks that may query, and keys (`key:NAME`); empty = all.
    pub allow_query: Vec<String>,
    /// Secrets of DNS cookies in hexadecimal, newest first, for servers behind one address; empty = a random one
    /// of our own.
    pub cookie_secrets: Vec<SecretText>,
    /// Networks of proxies: what comes from them begins with a PROXY header, version 2.
    pub proxies: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: vec![
                SocketAddr::from(([127, 0, 0, 1], 5300)),
                SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 5300)),
            ],
            freebind: false,
            user: String::new(),
            udp_workers: 0,
            xdp: Vec::new(),
            state_dir: "state".into(),
            zone_dir: PathBuf::new(),
            udp_payload: 1232,
            version: String::new(),
            nsid: String::new(),
            report_agent: String::new(),
            tcp_connections: 0,
            tcp_per_address: 128,
            allow_query: Vec::new(),
            cookie_secrets: Vec::new(),
            proxies: Vec::new(),
        }
    }
}

/// `[tls]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Addresses, usually port 853.
    pub listen: Vec<SocketAddr>,
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Who may have signed the certificates of clients, PEM; empty = no client is asked for one.
    #[serde(default)]
    pub client_ca: PathBuf,
}

/// `[quic]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quic {
    /// Addresses, usually port 853.
    pub listen: Vec<SocketAddr>,
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// `[rate_limit]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimit {
    /// Responses per second for each client prefix and kind of response; 0 = off.
    pub responses_per_second: u32,
    /// One limited response in this many is sent truncated instead of dropped; 0 = all are dropped.
    pub slip: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { responses_per_second: 200, slip: 1 }
    }
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonLog {
    /// What a line looks like and where it goes.
    pub format: LogFormat,
}

/// `log.format`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// The journal where standard error goes there, text elsewhere.
    #[default]
    Auto,
    /// Text on standard error.
    Text,
    /// JSON lines on standard error.
    Json,
    /// systemd's journal.
    Journal,
}

/// `[query_log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QueryLogging {
    /// The file.
    pub file: PathBuf,
    /// How its lines are spelled.
    #[serde(default)]
    pub format: QueryLogFormat,
    /// Size at which a file is rotated, in MiB.
    #[serde(default = "default_log_size")]
    pub rotate_mib: u64,
    /// Size of all files together, in MiB; the oldest go first.
    #[serde(default = "default_log_total")]
    pub total_mib: u64,
    /// Days a file is kept, 1 to 30: client addresses are personal data.
    #[serde(default = "default_log_days")]
    pub days: u32,
    /// How much of a client's address is written.
    #[serde(default)]
    pub client: LoggedClient,
    /// One query in this many is written.
    #[serde(default = "one")]
    pub sample: u32,
    /// At most this many per second and worker; 0 = no limit.
    #[serde(default)]
    pub per_second: u32,
    /// Only names at or below these; empty = all.
    #[serde(default)]
    pub names: Vec<String>,
    /// Only these response codes; empty = all.
    #[serde(default)]
    pub rcodes: Vec<String>,
    /// Only clients of these networks; empty = all.
    #[serde(default)]
    pub clients: Vec<String>,
}

/// `[dnstap]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnstapSettings {
    /// A Unix socket that a reader listens on; this or `file`.
    pub socket: PathBuf,
    /// A file of Frame Streams; this or `socket`.
    pub file: PathBuf,
    /// Size at which a file is rotated, in MiB.
    #[serde(default = "default_log_size")]
    pub rotate_mib: u64,
    /// Size of all files together, in MiB; the oldest go first.
    #[serde(default = "default_log_total")]
    pub total_mib: u64,
    /// Days a file is kept, 1 to 30.
    #[serde(default = "default_log_days")]
    pub days: u32,
    /// How this server calls itself; empty = `server.nsid`.
    pub identity: String,
    /// Which messages are sent.
    pub messages: DnstapMessages,
    /// How much of a client's address is sent.
    pub client: LoggedClient,
    /// One query in this many is sent.
    #[serde(default = "one")]
    pub sample: u32,
    /// At most this many per second and worker; 0 = no limit.
    pub per_second: u32,
    /// Only names at or below these; empty = all.
    pub names: Vec<String>,
    /// Only these response codes; empty = all.
    pub rcodes: Vec<String>,
    /// Only clients of these networks; empty = all.
    pub clients: Vec<String>,
}

/// `dnstap.messages`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DnstapMessages {
    /// Queries and responses.
    #[default]
    Both,
    /// Queries alone.
    Queries,
    /// Responses alone.
    Responses,
}

/// 64 MiB a file.
fn default_log_size() -> u64 {
    64
}

/// 1 GiB in all.
fn default_log_total() -> u64 {
    1024
}

/// As long as client addresses may be kept.
fn default_log_days() -> u32 {
    30
}

/// Every query.
fn one() -> u32 {
    1
}

/// `query_log.format`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryLogFormat {
    /// A JSON object for each query.
    #[default]
    Json,
    /// `key=value`, separated by spaces.
    Text,
}

/// `query_log.client` and `dnstap.client`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LoggedClient {
    /// The whole address.
    #[default]
    Address,
    /// Its /24 or /56.
    Prefix,
}

/// `[metrics]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address of `/metrics`, `/healthz` and `/readyz`.
    pub listen: SocketAddr,
}

/// `[web]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Address of pages and API; port 0 = any free port, printed at start.
    pub listen: SocketAddr,
    /// As people reach it: links in mails, cookies, form origin. Empty = `http://` and the address.
    pub url: String,
    /// Proxies whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// Connections at once.
    pub connections: usize,
    /// Of them, from one address (a /64) that is no trusted proxy.
    pub connections_per_address: usize,
    /// Seconds a connection may stay without a request.
    pub idle_seconds: u64,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8053)),
            url: String::new(),
            trusted_proxies: Vec::new(),
            connections: 2_048,
            connections_per_address: 256,
            idle_seconds: 30,
        }
    }
}

/// `[mail]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// `smtp://host:port`; empty = no mail, notices wait as printable letters.
    pub relay: String,
    /// The sender's address.
    pub from: String,
}

/// `[database]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user@host/name`; empty = `gapura.db` in the state directory.
    pub url: SecretText,
    /// A file with the password, in the place of one in the URL; empty = none.
    pub password_file: PathBuf,
    /// Certificates of the authorities that may have signed the server's certificate, PEM; empty = the system's.
    pub tls_ca: PathBuf,
}

/// `[node]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its name, which no other node on the same database has; empty = the name of the host.
    pub name: String,
    /// Where other nodes reach the pages of this one; empty = they cannot forward to it.
    pub url: String,
}

/// `[[key]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The key's name, a domain name.
    pub name: toml::Spanned<String>,
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
    #[serde(default = "default_algorithm")]
    pub algorithm: String,
    /// The secret, in base64.
    #[serde(default)]
    pub secret: SecretText,
    /// A file with the secret in its place.
    #[serde(default)]
    pub secret_file: PathBuf,
}

/// What every server knows.
fn default_algorithm() -> String {
    "hmac-sha256".to_owned()
}

/// A text that is not shown.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// `[[remote]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteSettings {
    /// The name by which zones mean it.
    pub name: toml::Spanned<String>,
    /// Its addresses, with a port or without; as a permission also networks.
    pub addresses: Vec<String>,
    /// The TSIG key that we sign with and demand; empty = none.
    #[serde(default)]
    pub key: String,
    /// The name in its certificate: it is spoken to over TLS only (RFC 9103); empty = plain TCP.
    #[serde(default)]
    pub tls: String,
    /// Certificates of the authorities that may have signed its certificate, PEM; empty = the system's.
    #[serde(default)]
    pub tls_ca: PathBuf,
    /// Our certificate chain for it, PEM; empty = none.
    #[serde(default)]
    pub tls_cert: PathBuf,
    /// The private key of our certificate, PEM.
    #[serde(default)]
    pub tls_key: PathBuf,
}

/// `[[signing]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigningSettings {
    /// The name by which zones mean it.
    pub name: toml::Spanned<String>,
    /// The algorithm of new keys.
    pub algorithm: String,
    /// Whether one key signs everything.
    pub keys: KeyArrangement,
    /// How it is proven that a name is not there.
    pub denial: DenialKind,
    /// Days a signature is valid.
    pub lifetime_days: u32,
    /// Days before its end at which a signature is made anew.
    pub refresh_days: u32,
    /// Days after which a ZSK is rolled; 0 = by hand.
    pub zsk_days: u32,
    /// Days after which a KSK, or the one key, is rolled; 0 = by hand.
    pub ksk_days: u32,
    /// Whether the parent is told by CDS and CDNSKEY records (RFC 7344) what its DS should be.
    pub cds: bool,
    /// Whether each step of a rollover waits for a person's word.
    pub manual: bool,
    /// TTL of the DNSKEY, CDS and CDNSKEY records.
    pub dnskey_ttl: u32,
    /// Seconds until a change has reached all name servers of a zone.
    pub propagation_seconds: u32,
    /// TTL of the DS at the parent, in case it cannot be looked up.
    pub parent_ds_ttl: u32,
    /// Addresses of the parent's name servers, in case they cannot be looked up.
    pub parents: Vec<String>,
}

impl Default for SigningSettings {
    fn default() -> Self {
        Self {
            name: toml::Spanned::new(0..0, "default".to_owned()),
            algorithm: "ecdsap256sha256".to_owned(),
            keys: KeyArrangement::Csk,
            denial: DenialKind::Nsec,
            lifetime_days: 14,
            refresh_days: 7,
            zsk_days: 90,
            ksk_days: 0,
            cds: true,
            manual: false,
            dnskey_ttl: 3_600,
            propagation_seconds: 3_600,
            parent_ds_ttl: 86_400,
            parents: Vec::new(),
        }
    }
}

/// `signing.keys`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum KeyArrangement {
    /// One key signs everything.
    #[serde(rename = "csk")]
    Csk,
    /// One key signs the keys, another the rest.
    #[serde(rename = "ksk+zsk")]
    KskZsk,
}

/// `signing.denial`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DenialKind {
    /// NSEC (RFC 4034).
    Nsec,
    /// NSEC3 (RFC 5155) as RFC 9276 wants it.
    Nsec3,
}

/// `[[zone]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneSettings {
    /// The apex.
    pub name: toml::Spanned<String>,
    /// The master file; gapura never writes it. Empty for a secondary zone.
    #[serde(default)]
    pub file: PathBuf,
    /// The remotes that a secondary zone is transferred from.
    #[serde(default)]
    pub primaries: Vec<String>,
    /// The remotes that may have the zone (AXFR, IXFR).
    #[serde(default)]
    pub transfer: Vec<String>,
    /// The remotes that are told of each change (NOTIFY), besides the zone's own name servers.
    #[serde(default)]
    pub notify: Vec<String>,
    /// Who may change it by UPDATE.
    #[serde(default)]
    pub update: Vec<UpdateGrant>,
    /// How faults that some servers forgive are judged.
    #[serde(default)]
    pub checks: ZoneChecks,
    /// How a serial is chosen when gapura must choose one.
    #[serde(default)]
    pub serial: SerialPolicy,
    /// Rules whose warnings are errors for this zone.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Whether gapura makes a ZONEMD record (RFC 8976) for each version.
    #[serde(default)]
    pub zonemd: bool,
    /// The policy by which the zone is signed; empty = it is not.
    #[serde(default)]
    pub signing: String,
    /// The catalog zone of ours (RFC 9432) that lists this zone; empty = none.
    #[serde(default)]
    pub catalog: String,
    /// Whether this secondary zone is a catalog zone whose members are served, too.
    #[serde(default)]
    pub consume: bool,
}

/// `zone.update`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateGrant {
    /// The TSIG key.
    pub key: String,
    /// The names, relative to the apex; `*` stands for one or more labels, `@` for the apex.
    pub names: Vec<String>,
    /// The types; empty = all but SOA, NS, DNSKEY and what signing makes.
    #[serde(default)]
    pub types: Vec<String>,
    /// Whether an update is performed, or becomes a request.
    pub how: UpdateHow,
    /// For `propose`: for whom the key stands.
    #[serde(default)]
    pub applicant: Option<UpdateApplicant>,
}

/// `zone.update.applicant`: what a request needs and an UPDATE does not have.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateApplicant {
    /// The office that owns the names.
    pub office: String,
    /// The naming class of new names.
    #[serde(default = "default_class")]
    pub class: String,
    /// What its names are for.
    pub purpose: String,
    /// The person responsible.
    pub name: String,
    /// Their position.
    pub position: String,
    /// Their mailbox.
    pub email: String,
    /// Their telephone.
    pub phone: String,
    /// The number of the letter by which the office asked for the key.
    pub letter: String,
    /// Its date, `YYYY-MM-DD`.
    pub letter_date: String,
}

/// What names of machines usually are.
fn default_class() -> String {
    "layanan".to_owned()
}

/// `zone.update.how`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateHow {
    /// It is performed.
    Direct,
    /// It becomes a request in the queue.
    Propose,
}

/// `zone.checks`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneChecks {
    /// Missing glue and the like are errors.
    #[default]
    Strict,
    /// They are warnings.
    Lenient,
}

/// `zone.serial`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SerialPolicy {
    /// The live serial plus one.
    #[default]
    Increment,
    /// YYYYMMDDnn, never below the live serial plus one.
    Date,
    /// Seconds since 1970, never below the live serial plus one.
    Unixtime,
}

//------------ Road 3 --------------------------------------------------------

/// `[work]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Working days and hours, WIB.
    pub hours: String,
    /// CSV of holidays: `date,name,source`; empty = none known.
    pub holidays: PathBuf,
    /// Other hours for a time, `FIRST LAST HOURS`, as Ramadan's.
    pub overrides: Vec<String>,
}

impl Default for Work {
    fn default() -> Self {
        let hours = "Mon-Fri 08:00-16:00".to_owned();
        Self { hours, holidays: PathBuf::new(), overrides: Vec::new() }
    }
}

/// `[approval]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approval {
    /// Whether an approved request is promoted at once.
    pub promote: Promote,
    /// What an approval is bound to.
    pub bind: Bind,
    /// Whether the camat may be asked to confirm a village's request.
    pub camat: bool,
    /// Emergency suspensions of one officer that wait for the other's word at a time.
    pub emergencies: usize,
}

impl Default for Approval {
    fn default() -> Self {
        let (promote, bind) = (Promote::WithApproval, Bind::Candidate);
        Self { promote, bind, camat: false, emergencies: 10 }
    }
}

/// `[lifecycle]`: days of the calendar.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifecycle {
    /// Before a name's anniversary: the owner is asked whether it is still needed; 0 asks nobody.
    pub ask_days: u16,
    /// Before it: who has not answered is reminded.
    pub remind_days: u16,
    /// After it: gapura asks the officers for a suspension.
    pub suspend_days: u16,
    /// After that suspension: gapura asks for the removal.
    pub remove_days: u16,
    /// Before an approved end date: notices to the owner.
    pub end_notice_days: Vec<u16>,
    /// After the end date: gapura asks for the removal.
    pub ended_remove_days: u16,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            ask_days: 30,
            remind_days: 7,
            suspend_days: 30,
            remove_days: 60,
            end_notice_days: vec![14, 3],
            ended_remove_days: 30,
        }
    }
}

/// `approval.promote`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promote {
    /// Approving a request promotes it.
    WithApproval,
    /// Promoting it is a separate act.
    SeparateAct,
}

/// `approval.bind`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// An approval is valid as long as the candidate's hash is the same.
    Candidate,
    /// Any change of the zone ends it.
    Serial,
}

/// `[correction]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    /// Working days an applicant has for a correction.
    pub days: u32,
}

impl Default for Correction {
    fn default() -> Self {
        Self { days: 14 }
    }
}

/// `[naming]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Naming {
    /// Shortest label, in characters.
    pub min_length: usize,
    /// Whether organisations may ask.
    pub ormas: bool,
    /// CSV of regions (`kode,jenis,nama`); empty = the list shipped inside.
    pub regions: PathBuf,
    /// CSV of offices (`singkatan,nama,jenis`); empty = the list shipped inside.
    pub offices: PathBuf,
}

impl Default for Naming {
    fn default() -> Self {
        Self { min_length: 3, ormas: true, regions: PathBuf::new(), offices: PathBuf::new() }
    }
}

/// `[targets]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// Networks that may be targets although a rule refuses them.
    pub allow: Vec<String>,
    /// What happens to CNAME targets that a stranger could claim.
    pub hijackable: Hijackable,
    /// A file of the networks in Indonesia, one a line; empty = it is not checked.
    pub indonesia: PathBuf,
}

impl Default for Targets {
    fn default() -> Self {
        Self { allow: Vec::new(), hijackable: Hijackable::Refuse, indonesia: PathBuf::new() }
    }
}

/// `targets.hijackable`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hijackable {
    /// They are refused.
    Refuse,
    /// They need a reason.
    Reason,
}

/// `[probe]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// Whether targets are probed at all.
    pub enabled: bool,
    /// Seconds for all targets of a request together.
    pub seconds: u64,
    /// Requests probed at once.
    pub at_once: usize,
    /// Networks that may be probed although they are not public.
    pub allow: Vec<String>,
    /// Whether a name is taken out at once whose target a stranger could claim.
    pub auto_suspend: bool,
}

impl Default for Probe {
    fn default() -> Self {
        Self { enabled: true, seconds: 5, at_once: 24, allow: Vec::new(), auto_suspend: false }
    }
}

/// `[tokens]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// Whether a token may decide as its officer.
    pub decide: bool,
}

/// `[public]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Public {
    /// Whether requests come in without an account.
    pub submit: bool,
    /// Requests an hour from one address (/24, /56).
    pub submit_per_hour: u32,
    /// Open requests in all.
    pub open: u64,
    /// Open requests from one network (/24, /56).
    pub open_per_network: u64,
    /// Open requests with one mailbox.
    pub open_per_mailbox: u64,
    /// Open requests of one office without a proven mailbox.
    pub open_per_office: u64,
    /// All letters kept, in MiB; beyond it only officers send requests in.
    pub letters_mib: u64,
    /// Forms begun and not sent, in all.
    pub drafts: u64,
    /// Of them, from one network (/24, /56).
    pub drafts_per_network: u64,
    /// All of them together, in MiB.
    pub drafts_mib: u64,
}

impl Default for Public {
    fn default() -> Self {
        Self {
            submit: true,
            submit_per_hour: 10,
            open: 2_000,
            open_per_network: 100,
            open_per_mailbox: 20,
            open_per_office: 50,
            letters_mib: 4_096,
            drafts: 2_000,
            drafts_per_network: 50,
            drafts_mib: 256,
        }
    }
}

/// `[register]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Register {
    /// Whether the list of live names is public.
    pub public: bool,
}

impl Default for Register {
    fn default() -> Self {
        Self { public: true }
    }
}

/// `[uploads]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uploads {
    /// Letters read at the same time, each in a process of its own.
    pub at_once: usize,
    /// Seconds of a processor for each.
    pub seconds: u64,
    /// MiB of memory for each.
    pub memory_mib: u64,
    /// Command of a virus scanner and its arguments; empty = none.
    pub scanner: Vec<String>,
    /// Seconds it may take.
    pub scanner_seconds: u64,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { at_once: 2, seconds: 10, memory_mib: 512, scanner: Vec::new(), scanner_seconds: 20 }
    }
}

/// `[audit]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Whether a day with events but no promotion gets its own anchor.
    pub daily: bool,
}

impl Default for Audit {
    fn default() -> Self {
        Self { daily: true }
    }
}

/// `[people]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// Whether officers need a second factor in the browser.
    pub totp: Policy,
    /// Sign-ins that may wait for the hash of their password; one more hears that it is busy.
    pub sign_ins_waiting: usize,
}

impl Default for People {
    fn default() -> Self {
        Self { totp: Policy::Required, sign_ins_waiting: 32 }
    }
}

/// Required or optional.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// No way in without it.
    #[default]
    Required,
    /// Each person's choice.
    Optional,
}
