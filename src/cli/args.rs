//! Commands and options. Their names are a contract (README).

#[cfg(feature = "approval")]
use std::net::SocketAddr;
use std::path::PathBuf;

#[cfg(feature = "approval")]
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

#[cfg(feature = "approval")]
use crate::people::Scopes;
#[cfg(feature = "approval")]
use crate::queue::Role;
use crate::tsig::Algorithm;

//------------ Gapura --------------------------------------------------------

/// Authoritative DNS server with an approval queue
#[derive(Debug, Parser)]
#[command(name = "gapura", version, arg_required_else_help = true)]
pub(super) struct Gapura {
    /// Options of every command.
    #[command(flatten)]
    pub(super) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// Settings file [default: config/gapura.toml, then /etc/gapura/gapura.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Log less (errors only)
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Log more; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

//------------ Command -------------------------------------------------------

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the daemon: DNS, pages, API
    Serve {
        /// Take over from the running daemon: it hands over its sockets and exits, and no query is
        /// lost
        #[arg(long)]
        take_over: bool,
    },
    /// Run a throwaway demonstration office with requests in every state, on free ports of this
    /// machine
    #[cfg(feature = "approval")]
    Demo(Demo),
    /// Examine one letter from standard input, confined; the daemon runs this for each upload
    #[cfg(feature = "approval")]
    #[command(hide = true)]
    ReadLetter {
        /// Seconds of a processor
        #[arg(long)]
        seconds: u64,
        /// Memory besides the program's own
        #[arg(long)]
        memory_mib: u64,
    },
    /// Render one paper from standard input, confined; the daemon runs this for each paper
    #[cfg(feature = "approval")]
    #[command(hide = true)]
    PrintPaper {
        /// Seconds of a processor
        #[arg(long)]
        seconds: u64,
        /// Memory besides the program's own
        #[arg(long)]
        memory_mib: u64,
    },
    /// Check settings and all zones; exit code 0: no errors, 1: errors, 2: usage
    Check {
        /// Print the settings in force instead, including defaults, each with its origin; secrets are not shown
        #[arg(long)]
        effective: bool,
    },
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    Man {
        /// The directory, which must exist
        directory: PathBuf,
    },
    /// Zones: check a file, show what is served, its history
    #[command(subcommand)]
    Zone(Zone),
    /// Keys: DNSSEC keys of zones, TSIG keys
    #[command(subcommand)]
    Key(Key),
    /// Move zones in from another server: prints tables for the settings, copies zone files, changes nothing else
    #[command(subcommand)]
    Import(Import),
    /// Control the running daemon over its control socket
    #[command(subcommand)]
    Ctl(Ctl),
    /// The query log: follow it, count queries, search it
    #[command(subcommand)]
    Log(super::log::Log),
    /// Backups: make one while gapura serves, check it, restore it
    #[command(subcommand)]
    Db(Db),
    /// The queue, as an officer with a personal token in GAPURA_TOKEN
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Request(super::request::Request),
    /// Personal data, as an officer with a personal token in GAPURA_TOKEN
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Privacy(super::request::Privacy),
    /// The papers of requests, as an officer with a personal token in GAPURA_TOKEN
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Paper(super::request::Paper),
    /// People who work the queue
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    User(User),
    /// Personal API tokens
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Token(Token),
    /// Webhooks: reports to external programs
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Webhook(Webhook),
    /// Monthly reports
    #[cfg(feature = "approval")]
    Report(Report),
    /// The event chain
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Audit(Audit),
}

/// `gapura demo`
#[cfg(feature = "approval")]
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Keep it in this directory, which must be new or empty [default: removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// Address for DNS; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// Address for the pages; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) web: SocketAddr,
}

/// `gapura zone …`
#[derive(Debug, Subcommand)]
pub(super) enum Zone {
    /// Check one zone file by the strict rules; no settings needed
    Check {
        /// The apex, as cirebonkab.go.id
        origin: String,
        /// The master file
        file: PathBuf,
        /// Use the lenient rules: accept what some other servers accept
        #[arg(long)]
        lenient: bool,
    },
    /// Print a zone as it is served now, or was at a serial
    Show {
        /// The apex
        zone: String,
        /// A version from the history
        #[arg(long, value_name = "SERIAL")]
        at: Option<u32>,
    },
    /// Show what a reload would change, or what changed between two versions
    Diff {
        /// The apex
        zone: String,
        /// From this version [default: the live one]
        #[arg(long, value_name = "SERIAL")]
        from: Option<u32>,
        /// To this version [default: the file on disk; with --from the live one]
        #[arg(long, value_name = "SERIAL")]
        to: Option<u32>,
        /// Include signatures and denial records (RRSIG, NSEC, NSEC3)
        #[arg(long)]
        proofs: bool,
    },
    /// Print the whole zone as a master file, including promoted records
    Export {
        /// The apex
        zone: String,
    },
    /// List versions with serial, time, cause and person
    History {
        /// The apex
        zone: String,
        /// How many, newest first
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Include versions in which only signatures were renewed
        #[arg(long)]
        proofs: bool,
    },
    /// Publish an earlier version as a new change; on a terminal it shows the difference and asks first
    Rollback {
        /// The apex
        zone: String,
        /// The version
        serial: u32,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Send NOTIFY to the secondaries of a zone now, and show what each answered
    Notify {
        /// The apex
        zone: String,
    },
    /// Drop the records that updates (RFC 2136) added at a name, in favor of the zone file
    Adopt {
        /// The apex
        zone: String,
        /// The name, absolute or relative to the apex (_acme-challenge.www); @ is the apex
        name: String,
        /// Only this record type [default: all that updates added there]
        #[arg(long = "type", value_name = "TYPE")]
        rtype: Option<String>,
    },
    /// Transfer a whole secondary zone from its primary now, whatever its serial; waits until it is served
    Retransfer {
        /// The apex
        zone: String,
    },
    /// Show serials: the live one, the file's, the highest ever published
    Serial {
        /// The apex
        zone: String,
        /// Go above this serial, which was used before; now or, without a daemon, at its next start
        #[arg(long, value_name = "SERIAL")]
        floor: Option<u32>,
        /// Accept a serial that is far ahead
        #[arg(long, requires = "floor")]
        yes: bool,
    },
}

/// `gapura key …`
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// List the keys of a signed zone, and what each waits for
    List {
        /// The apex
        zone: String,
    },
    /// Print the DS records that the parent should have, one per line, for the registry
    Ds {
        /// The apex
        zone: String,
    },
    /// Replace a key with a new one, step by step
    Roll {
        /// The apex
        zone: String,
        /// Which key: csk, ksk or zsk [default: all]
        #[arg(long, value_parser = ["csk", "ksk", "zsk"])]
        role: Option<String>,
        /// The old key may be compromised: remove it as soon as resolvers no longer need it
        #[arg(long)]
        emergency: bool,
    },
    /// Confirm that all servers of the parent have the DS of this key
    DsSeen {
        /// The apex
        zone: String,
        /// The key's tag, as `key list` shows
        tag: u16,
    },
    /// Confirm that no server of the parent has the DS of this key any more
    DsGone {
        /// The apex
        zone: String,
        /// The key's tag, as `key list` shows
        tag: u16,
    },
    /// Confirm the next step of a rollover, where the policy has `manual`
    Confirm {
        /// The apex
        zone: String,
    },
    /// Cancel a rollover, or going unsigned, if that is still safe
    Cancel {
        /// The apex
        zone: String,
        /// Which key: csk, ksk or zsk [default: the one that is being rolled]
        #[arg(long, value_parser = ["csk", "ksk", "zsk"])]
        role: Option<String>,
    },
    /// Import signing keys that were made elsewhere: of BIND and ldns (K*.key with K*.private), of Knot (PEM
    /// with the DNSKEY), or any PEM (PKCS#8)
    Import {
        /// The apex
        zone: String,
        /// The files; for a pair of BIND one is enough
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Flags of a key whose DNSKEY is in none of the files: 257 for a KSK or CSK, 256 for a ZSK
        #[arg(long)]
        flags: Option<u16>,
        /// Algorithm of an RSA key: rsasha256 or rsasha512
        #[arg(long)]
        algorithm: Option<crate::dnssec::Algorithm>,
    },
    /// Generate a TSIG key, as a [[key]] table for the settings
    Tsig {
        /// The name of the key at both servers, such as armada.cirebonkab.go.id
        name: String,
        /// Algorithm: hmac-sha256, hmac-sha384 or hmac-sha512
        #[arg(long, default_value_t = Algorithm::HmacSha256)]
        algorithm: Algorithm,
    },
}

/// `gapura import …`
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Import the settings of BIND (named.conf)
    Named(ImportFile),
    /// Import the settings of NSD (nsd.conf)
    Nsd(ImportFile),
    /// Import the settings of Knot DNS (knot.conf)
    Knot(ImportFile),
    /// Import one zone by transfer (AXFR)
    Axfr(ImportAxfr),
}

/// `gapura import named`, `nsd`, `knot`
#[derive(Args, Debug)]
pub(super) struct ImportFile {
    /// The settings file
    pub(super) file: PathBuf,
    /// Copy zone files into this directory [default: zones, beside our settings file]
    #[arg(long, value_name = "DIR")]
    pub(super) zones: Option<PathBuf>,
    /// Write the secrets of keys into files in this directory [default: print them in the tables]
    #[arg(long, value_name = "DIR")]
    pub(super) keys: Option<PathBuf>,
    /// Directory with a copy of the other machine's files
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

/// `gapura import axfr`
#[derive(Args, Debug)]
pub(super) struct ImportAxfr {
    /// The apex, as cirebonkab.go.id
    pub(super) origin: String,
    /// The server: an address or a name, with or without a port
    pub(super) server: String,
    /// Write the zone file into this directory [default: zones, beside our settings file]
    #[arg(long, value_name = "DIR")]
    pub(super) zones: Option<PathBuf>,
    /// Sign with a TSIG key: name, algorithm, and a file with the secret in base64, as in
    /// armada.:hmac-sha256:armada.key
    #[arg(long, value_name = "NAME:ALGORITHM:FILE")]
    pub(super) key: Option<String>,
    /// Transfer over TLS (RFC 9103); the server's certificate must have this name
    #[arg(long, value_name = "NAME")]
    pub(super) tls: Option<String>,
    /// Authorities for the server's certificate, PEM [default: those that the system trusts]
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(super) tls_ca: Option<PathBuf>,
}

/// `gapura ctl …`
#[derive(Debug, Subcommand)]
pub(super) enum Ctl {
    /// Show zones, serials, last changes, faults and listeners
    Status,
    /// Reload settings and zone files; returns when the result is live or refused
    Reload {
        /// One zone [default: settings and all zones]
        zone: Option<String>,
        /// Override the guards and a rollback, and remove zones that are no longer in the settings
        #[arg(long)]
        force: bool,
    },
    /// Print the counters of the name server
    Stats,
    /// Reopen the files of query log and dnstap after they were moved
    Reopen,
    /// Stop the daemon; returns when it has exited
    Stop,
    /// Restart without losing a query: start a new process and hand over to it; returns when the new one answers
    HandOver,
    /// Confirm that the clock of this machine is right, when gapura doubts it
    Clock,
}

/// `gapura db …`
#[derive(Debug, Subcommand)]
pub(super) enum Db {
    /// Write everything gapura keeps to one file, even while it runs, and verify it. The file contains
    /// secret keys
    Backup {
        /// The file; - is standard output, for a program that encrypts it
        file: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
    /// Check that a file is a complete backup, and show what is in it
    Check {
        /// The file
        file: PathBuf,
    },
    /// Move the database to a server of PostgreSQL or back into a file, with gapura stopped; verified at both ends
    Move {
        /// The address, as database.url has it: postgres://user@host/name; or file, for gapura.db in the state directory
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Restore a backup into an empty state directory, with gapura stopped. Ends sessions, tokens and links
    Restore {
        /// The file
        file: PathBuf,
        /// Go above this serial of the zone, which was used before; may be repeated
        #[arg(long, value_name = "ZONE=SERIAL", value_parser = super::db::floor)]
        serial_floor: Vec<(crate::wire::Name, u32)>,
        /// Do not query the servers of `notify` and `transfer` for their serials
        #[arg(long)]
        no_ask: bool,
        /// Erasures since the backup: the file `erasures` of the lost state directory, or an export of the
        /// event chain; may be repeated
        #[cfg(feature = "approval")]
        #[arg(long, value_name = "FILE")]
        erasures: Vec<PathBuf>,
    },
}

/// The names of the roles that an account may have.
#[cfg(feature = "approval")]
fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::OFFICERS.map(Role::as_str))
}

//------------ Road 3 --------------------------------------------------------

/// `gapura user …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Add a person
    Add {
        /// The name they sign in with
        name: String,
        /// Their role
        #[arg(long, value_parser = roles())]
        role: String,
        /// Their office mailbox
        #[arg(long)]
        email: String,
        /// Their NIP, 18 digits
        #[arg(long)]
        nip: Option<String>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List all accounts
    List,
    /// Disable an account; its sessions end
    Disable {
        /// The account's name
        name: String,
    },
    /// Enable a disabled account again; its old sessions and tokens stay ended
    Enable {
        /// The account's name
        name: String,
    },
    /// Give an account another role; its sessions and tokens end
    Role {
        /// The account's name
        name: String,
        /// The new role
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// Make a link, valid for a day, with which the person sets a new password and second factor
    Reset {
        /// The account's name
        name: String,
    },
}

/// `gapura token …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Create a token; it is printed once, alone on standard output
    Create {
        /// The account's name
        name: String,
        /// What it may do; several separated by commas
        #[arg(long, value_delimiter = ',', required = true, value_parser = Scopes::WORDS)]
        scope: Vec<String>,
        /// Days until it expires
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Valid only from this network, such as 10.1.0.0/16
        #[arg(long)]
        network: Option<String>,
        /// What it is for
        #[arg(long, default_value = "command line")]
        label: String,
        /// Read the account's own password from standard input, and on the next line a code of its
        /// second factor, if it has one
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List the tokens of one account, or of all
    List {
        /// The account's name
        name: Option<String>,
    },
    /// Revoke a token
    Revoke {
        /// Its id, as `token list` shows
        id: String,
    },
}

/// `gapura webhook …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// List the webhooks with their state
    List,
    /// Send a test call to a webhook, and show the result
    Test {
        /// Its name in the settings
        name: String,
    },
    /// Retry a waiting webhook now, or resume a stopped one
    Retry {
        /// Its name in the settings
        name: String,
    },
}

/// `gapura report`
#[cfg(feature = "approval")]
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Report {
    /// The month, YYYY-MM; the current one is possible, too
    #[arg(long, required = true)]
    pub(super) month: Option<String>,
    /// The format
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ReportFormat,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// An act on a month.
    #[command(subcommand)]
    pub(super) act: Option<ReportAct>,
}

/// An act on a month.
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum ReportAct {
    /// Close a month that is over, as the kabid whose token is in GAPURA_TOKEN
    Close {
        /// The month, YYYY-MM
        #[arg(long)]
        month: String,
    },
}

/// The format of a report.
#[cfg(feature = "approval")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// The list, for spreadsheets: semicolons and a byte order mark
    #[default]
    Csv,
    /// The paper, laporan kegiatan, without a number
    Pdf,
    /// A workbook: summary, list, late steps, live names
    Xlsx,
    /// The whole report for programs
    Json,
}

/// `gapura audit …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Verify our own chain, or an export, offline
    Verify {
        /// An export (JSON lines)
        export: Option<PathBuf>,
        /// The public key of the checkpoints, in hexadecimal
        #[arg(long)]
        key: Option<String>,
        /// A TXT record of _gapura-audit from an external copy; may be repeated
        #[arg(long)]
        anchor: Vec<String>,
    },
    /// Print the chain in export form
    Export,
    /// Switch to a new signing key for checkpoints; the old one signs it
    RotateKey,
}
