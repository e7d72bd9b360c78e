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
    /// What every command takes.
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
        /// Take over from the running daemon: it hands over its sockets and ends, and no query is lost
        #[arg(long)]
        take_over: bool,
    },
    /// Look around: a throw-away office with requests in every state, on free ports of this machine
    #[cfg(feature = "approval")]
    Demo(Demo),
    /// Read one letter from standard input, confined: what the daemon starts for each upload
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
    /// Draw one paper from standard input, confined: what the daemon starts for each paper
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
    /// Check settings and all zones; exit 0 no error, 1 errors, 2 usage
    Check {
        /// Print the settings in force instead, including defaults, each with its origin; secrets are not shown
        #[arg(long)]
        effective: bool,
    },
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    Man {
        /// The directory, which must exist
        directory: PathBuf,
    },
    /// Zones: check a file, look at what is served, its history
    #[command(subcommand)]
    Zone(Zone),
    /// Keys
    #[command(subcommand)]
    Key(Key),
    /// Move zones in from another server: prints tables for the settings, copies zone files, changes nothing else
    #[command(subcommand)]
    Import(Import),
    /// A running daemon, over its control socket
    #[command(subcommand)]
    Ctl(Ctl),
    /// The query log: follow it, count it, look for queries in it
    #[command(subcommand)]
    Log(super::log::Log),
    /// Backups: make one while gapura serves, check it, put it back
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
    /// Webhooks: programs outside that are told what happens
    #[cfg(feature = "approval")]
    #[command(subcommand)]
    Webhook(Webhook),
    /// The report of a month
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
    /// Keep it in this directory, which is new or empty [default: removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// The address of DNS; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// The address of the pages; port 0 is a free one
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
        /// Forgive what some servers forgive
        #[arg(long)]
        lenient: bool,
    },
    /// What is served now, or was at a serial
    Show {
        /// The apex
        zone: String,
        /// A version in the history
        #[arg(long, value_name = "SERIAL")]
        at: Option<u32>,
    },
    /// What a reload would change, or what changed between two versions
    Diff {
        /// The apex
        zone: String,
        /// From this version [default: what is live]
        #[arg(long, value_name = "SERIAL")]
        from: Option<u32>,
        /// To this version [default: the file on disk; with --from what is live]
        #[arg(long, value_name = "SERIAL")]
        to: Option<u32>,
        /// Include signatures and denial records (RRSIG, NSEC, NSEC3)
        #[arg(long)]
        proofs: bool,
    },
    /// The whole zone as a master file, promoted records included
    Export {
        /// The apex
        zone: String,
    },
    /// Versions with serial, time, cause and person
    History {
        /// The apex
        zone: String,
        /// How many, newest first
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// With the versions in which signatures were renewed and nothing else changed
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
    /// Tell the secondaries of a zone now (NOTIFY), and show what each answered
    Notify {
        /// The apex
        zone: String,
    },
    /// Drop the records that updates (RFC 2136) put at a name, in favour of the zone file
    Adopt {
        /// The apex
        zone: String,
        /// The name, whole or relative to the apex (as _acme-challenge.www); @ is the apex
        name: String,
        /// Only this record type [default: all that updates put up there]
        #[arg(long = "type", value_name = "TYPE")]
        rtype: Option<String>,
    },
    /// Transfer a secondary zone whole from its primary now, whatever its serial; waits until it is served
    Retransfer {
        /// The apex
        zone: String,
    },
    /// Serials: what is live, what the file says, the newest ever given out
    Serial {
        /// The apex
        zone: String,
        /// This serial was used before: go above it, now or, without a daemon, at its next start
        #[arg(long, value_name = "SERIAL")]
        floor: Option<u32>,
        /// Accept the serial although it is far ahead
        #[arg(long, requires = "floor")]
        yes: bool,
    },
}

/// `gapura key …`
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// The keys that a zone is signed with, and what each waits for
    List {
        /// The apex
        zone: String,
    },
    /// The DS records that the parent should have, one per line, for the registry or its form
    Ds {
        /// The apex
        zone: String,
    },
    /// Replace a key by a new one, step by step
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
    /// You have seen the DS of this key on all servers of the parent
    DsSeen {
        /// The apex
        zone: String,
        /// The key's tag, as `key list` shows
        tag: u16,
    },
    /// You have seen that no server of the parent has the DS of this key any more
    DsGone {
        /// The apex
        zone: String,
        /// The key's tag, as `key list` shows
        tag: u16,
    },
    /// Confirm the next step, for which policies with `manual` wait
    Confirm {
        /// The apex
        zone: String,
    },
    /// Cancel a rollover, or going unsigned, where that is still safe
    Cancel {
        /// The apex
        zone: String,
        /// Of which key: csk, ksk or zsk [default: the one that is being rolled]
        #[arg(long, value_parser = ["csk", "ksk", "zsk"])]
        role: Option<String>,
    },
    /// Sign with keys that were made elsewhere: those of BIND and ldns (K*.key with K*.private), of Knot (PEM
    /// with the DNSKEY), or any PEM (PKCS#8)
    Import {
        /// The apex
        zone: String,
        /// The files; of BIND's pair one is enough
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The flags of a key whose DNSKEY is in none of the files: 257 for a KSK or CSK, 256 for a ZSK
        #[arg(long)]
        flags: Option<u16>,
        /// Its algorithm, where it is one of RSA: rsasha256 or rsasha512
        #[arg(long)]
        algorithm: Option<crate::dnssec::Algorithm>,
    },
    /// Make a TSIG key: a [[key]] table for the settings of both servers
    Tsig {
        /// What both servers call it, as armada.cirebonkab.go.id
        name: String,
        /// How it signs: hmac-sha256, hmac-sha384 or hmac-sha512
        #[arg(long, default_value_t = Algorithm::HmacSha256)]
        algorithm: Algorithm,
    },
}

/// `gapura import …`
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// The settings of BIND (named.conf)
    Named(ImportFile),
    /// The settings of NSD (nsd.conf)
    Nsd(ImportFile),
    /// The settings of Knot DNS (knot.conf)
    Knot(ImportFile),
    /// One zone by transfer (AXFR)
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
    /// The files of the other machine are below this directory
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

/// `gapura import axfr`
#[derive(Args, Debug)]
pub(super) struct ImportAxfr {
    /// The apex, as cirebonkab.go.id
    pub(super) origin: String,
    /// The server: an address or a name, with a port or without
    pub(super) server: String,
    /// Write the zone file into this directory [default: zones, beside our settings file]
    #[arg(long, value_name = "DIR")]
    pub(super) zones: Option<PathBuf>,
    /// Sign with a key: its name, its algorithm, and a file with its secret in base64, as armada.:hmac-sha256:armada.key
    #[arg(long, value_name = "NAME:ALGORITHM:FILE")]
    pub(super) key: Option<String>,
    /// Over TLS (RFC 9103); the name that the server's certificate must have
    #[arg(long, value_name = "NAME")]
    pub(super) tls: Option<String>,
    /// Authorities that may have signed its certificate, PEM [default: those that the system trusts]
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(super) tls_ca: Option<PathBuf>,
}

/// `gapura ctl …`
#[derive(Debug, Subcommand)]
pub(super) enum Ctl {
    /// Zones, serials, last changes and refusals, listeners
    Status,
    /// Read settings and zone files again; returns when the result is live or refused
    Reload {
        /// One zone [default: settings and all zones]
        zone: Option<String>,
        /// Override the shrink guard or a rollback
        #[arg(long)]
        force: bool,
    },
    /// Counters of the name server
    Stats,
    /// Open the files of query log and dnstap again, after they were moved away
    Reopen,
    /// End the daemon; returns when it has ended
    Stop,
    /// Start the program again beside the daemon and hand over to it: a restart that loses no query; returns when
    /// the new one answers
    HandOver,
    /// Confirm that the clock of this machine is right, after gapura has doubted it
    Clock,
}

/// `gapura db …`
#[derive(Debug, Subcommand)]
pub(super) enum Db {
    /// Write everything gapura keeps into one file, also while it runs, and verify it. It holds secret keys
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
    /// Restore a backup into an empty state directory, with gapura stopped. Ends sessions, tokens and links
    Restore {
        /// The file
        file: PathBuf,
        /// This serial of the zone was used before: go above it; may be repeated
        #[arg(long, value_name = "ZONE=SERIAL", value_parser = super::db::floor)]
        serial_floor: Vec<(crate::wire::Name, u32)>,
        /// Do not ask the servers of `notify` and `transfer` which serials they have
        #[arg(long)]
        no_ask: bool,
        /// What was erased since: the file `erasures` of the lost state directory, or an export of the event
        /// chain; may be repeated
        #[cfg(feature = "approval")]
        #[arg(long, value_name = "FILE")]
        erasures: Vec<PathBuf>,
    },
}

/// The words for roles that an account may have.
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
    /// End an account's rights and sessions
    Disable {
        /// The account's name
        name: String,
    },
    /// Give a disabled account its rights back; its old sessions and tokens stay ended
    Enable {
        /// The account's name
        name: String,
    },
    /// Give an account another role; its sessions and tokens end
    Role {
        /// The account's name
        name: String,
        /// The role from now on
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// Make a link, good for a day, by which the person sets a new password and second factor
    Reset {
        /// The account's name
        name: String,
    },
}

/// `gapura token …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token; printed once, alone on standard output
    Create {
        /// The account's name
        name: String,
        /// What it may do; several separated by commas
        #[arg(long, value_delimiter = ',', required = true, value_parser = Scopes::WORDS)]
        scope: Vec<String>,
        /// Days until it ends
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Only from this network, as 10.1.0.0/16
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
    /// Tokens of one account, or of all
    List {
        /// The account's name
        name: Option<String>,
    },
    /// End a token
    Revoke {
        /// Its id, as `token list` shows
        id: String,
    },
}

/// `gapura webhook …`
#[cfg(feature = "approval")]
#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// How each webhook does
    List,
    /// Send a webhook a call that is no event, and show what came of it
    Test {
        /// Its name in the settings
        name: String,
    },
    /// Try a webhook that waits now, and one that is stopped again
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
    /// The month, YYYY-MM; the running one too
    #[arg(long, required = true)]
    pub(super) month: Option<String>,
    /// The form
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ReportFormat,
    /// Into this file and not to standard output
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

/// The form of a report.
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
    /// Verify the chain: our own, or an export, offline
    Verify {
        /// An export (JSON lines)
        export: Option<PathBuf>,
        /// The public key of the checkpoints, in hexadecimal
        #[arg(long)]
        key: Option<String>,
        /// A TXT record of _gapura-audit that was kept outside; may be repeated
        #[arg(long)]
        anchor: Vec<String>,
    },
    /// The chain in export form, on standard output
    Export,
    /// Sign with a new key from now on; the old one signs it
    RotateKey,
}
