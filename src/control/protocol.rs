//! The messages of the control socket. Client and daemon are of the same version.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Octets of one call.
pub(super) const CALL_OCTETS_MAX: usize = 64 * 1024;

/// A command to the daemon.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Zones, serials, last changes and refusals, listeners.
    Status,
    /// Reads settings and zone files again; returns when the result is live or refused.
    Reload {
        /// One zone; none = settings and all zones.
        zone: Option<String>,
        /// Loads in spite of the shrink guard and of a rollback.
        force: bool,
    },
    /// Counters of the name server.
    Stats,
    /// Opens the files of query log and dnstap again.
    Reopen,
    /// Ends the daemon.
    Stop,
    /// Starts the program again beside the daemon, and lets it follow.
    Succeed,
    /// Hands the sockets over to the process that says this, and ends.
    HandOver,
    /// The records served at a name, or of a whole zone as a master file.
    ZoneShow {
        /// The apex.
        zone: String,
        /// An earlier version instead of the live one.
        at: Option<u32>,
    },
    /// What a reload would change.
    ZoneDiff {
        /// The apex.
        zone: String,
        /// From this version; none = from what is live.
        from: Option<u32>,
        /// To this version; none = to the file on disk.
        to: Option<u32>,
        /// Whether signatures and proofs are listed, too.
        #[serde(default)]
        proofs: bool,
    },
    /// The versions of a zone, newest first.
    ZoneHistory {
        /// The apex.
        zone: String,
        /// How many at most.
        limit: usize,
        /// Whether renewals of signatures are listed, too.
        #[serde(default)]
        proofs: bool,
    },
    /// Publishes an earlier version as a new change.
    ZoneRollback {
        /// The apex.
        zone: String,
        /// The version.
        to: u32,
        /// Whether only the difference is wanted.
        preview: bool,
        /// The serial that is live, if the difference was looked at: another one is another difference.
        #[serde(default)]
        live: Option<u32>,
    },
    /// Lets the operator's file win over what updates put up at a name.
    ZoneAdopt {
        /// The apex.
        zone: String,
        /// The name.
        name: String,
        /// Only this type.
        rtype: Option<String>,
    },
    /// The serials of a zone.
    ZoneSerial {
        /// The apex.
        zone: String,
        /// Goes above this serial, which was given out before.
        floor: Option<u32>,
        /// Whether it is meant, however far ahead.
        #[serde(default)]
        yes: bool,
    },
    /// Tells the secondaries of a zone now, and says what each answered.
    ZoneNotify {
        /// The apex.
        zone: String,
    },
    /// Transfers the whole of a secondary zone from its primary, whatever its serial.
    ZoneRetransfer {
        /// The apex.
        zone: String,
    },
    /// A command on the keys that a zone is signed with.
    Key {
        /// The apex.
        zone: String,
        /// What to do.
        act: KeyAct,
    },
    /// A command on people, the event chain or the report.
    Office(OfficeCommand),
}

/// What can be done with the keys that a zone is signed with.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAct {
    /// Lists them, with what they wait for.
    List,
    /// The DS records that the parent should have.
    Ds,
    /// Begins a rollover.
    Roll {
        /// Which key: `csk`, `ksk` or `zsk`; none = all.
        role: Option<String>,
        /// Whether the old key is no longer to be trusted.
        emergency: bool,
    },
    /// The parent has the DS of that key.
    DsSeen {
        /// The key's tag.
        tag: u16,
    },
    /// The parent has no DS of that key any more.
    DsGone {
        /// The key's tag.
        tag: u16,
    },
    /// Lets the step be done that waits for a person's word.
    Confirm,
    /// Goes back to the keys of before a rollover, while that is safe.
    Cancel {
        /// Of which key, as for a rollover; none = of the one that is being rolled.
        role: Option<String>,
    },
    /// Takes keys over that were made elsewhere.
    Import {
        /// The keys.
        keys: Vec<GivenKey>,
    },
}

/// A key that was made elsewhere.
#[derive(Deserialize, Serialize)]
pub struct GivenKey {
    /// The word for its algorithm.
    pub algorithm: String,
    /// The flags of its DNSKEY.
    pub flags: u16,
    /// The private key: PKCS#8 in base64.
    pub pkcs8: String,
}

impl Drop for GivenKey {
    /// Wipes the private key.
    fn drop(&mut self) {
        self.pkcs8.zeroize();
    }
}

impl std::fmt::Debug for GivenKey {
    /// Without the private key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GivenKey({} {})", self.algorithm, self.flags)
    }
}

/// Commands on people, the event chain and the report. They work on the database of a stopped daemon
/// too.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeCommand {
    /// Adds a person who can sign in by password.
    UserAdd {
        /// The person.
        person: Person,
        /// The password, never kept or logged.
        password: String,
    },
    /// Lists everybody who has an account.
    UserList,
    /// Ends an account's rights and sessions.
    UserDisable {
        /// The account's name.
        name: String,
    },
    /// Gives a disabled account its rights back.
    UserEnable {
        /// The account's name.
        name: String,
    },
    /// Gives an account another role.
    UserRole {
        /// The account's name.
        name: String,
        /// `kabid`, `kasi`, `admin` or `auditor`.
        role: String,
    },
    /// Makes a link for a new password and second factor.
    UserReset {
        /// The account's name.
        name: String,
    },
    /// Creates a personal API token.
    TokenCreate {
        /// The account's name.
        name: String,
        /// The token.
        token: Token,
        /// The account's own password.
        password: String,
        /// A code of its second factor; empty if it has none.
        #[serde(default)]
        code: String,
    },
    /// Lists the tokens of one account, or of all.
    TokenList {
        /// The account's name.
        name: Option<String>,
    },
    /// Ends a token.
    TokenRevoke {
        /// The token's public id.
        id: String,
    },
    /// An administrator says that the clock is right.
    ClockConfirm,
    /// A part of the event chain in export form. The first call says so in the chain; its reply holds
    /// under `to` where the export ends, and each under `next` where it goes on.
    AuditExport {
        /// After this event.
        after: i64,
        /// Up to this event; none in the first call.
        to: Option<i64>,
    },
    /// Puts a new key for the chain's checkpoints in force.
    AuditRotateKey,
    /// Verifies the daemon's own event chain.
    AuditVerify {
        /// The public key to verify with; none = the one kept outside the database.
        key: Option<String>,
        /// Anchors that were kept outside.
        anchors: Vec<String>,
    },
    /// Lists the webhooks.
    WebhookList,
    /// Sends a webhook a call that is no event.
    WebhookTest {
        /// Its name.
        name: String,
    },
    /// Tries a webhook now, also one that is stopped.
    WebhookRetry {
        /// Its name.
        name: String,
    },
    /// The report of a month.
    Report {
        /// `YYYY-MM`.
        month: String,
        /// Whether it is wanted as a paper: then the JSON has `paper` and `coat_of_arms`, in base 64.
        paper: bool,
    },
}

/// A token to be created.
#[derive(Debug, Deserialize, Serialize)]
pub struct Token {
    /// `read`, `submit`, `decide`.
    pub scopes: Vec<String>,
    /// Days until it ends.
    pub days: u32,
    /// The only network it works from.
    pub network: Option<String>,
    /// What it is for.
    pub label: String,
}

/// A person to be added.
#[derive(Debug, Deserialize, Serialize)]
pub struct Person {
    /// The name they sign in with.
    pub name: String,
    /// `kabid`, `kasi`, `admin` or `auditor`.
    pub role: String,
    /// Their office mailbox.
    pub email: String,
    /// Their NIP, 18 digits.
    pub nip: Option<String>,
}

/// The result of a command: an exit code, and the same facts as text and as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub struct Reply {
    /// 0 done, 1 refused or failed, 2 not understood.
    pub exit: u8,
    /// For a person to read.
    pub text: String,
    /// For a program to read.
    pub json: serde_json::Value,
}

impl Reply {
    /// The reply of a command that was carried out.
    pub fn done(text: impl Into<String>, json: serde_json::Value) -> Self {
        Self { exit: 0, text: text.into(), json }
    }

    /// The reply of a command that was refused or failed, with the reason in one sentence.
    pub fn failed(message: impl Into<String>) -> Self {
        let text = message.into();
        let json = serde_json::json!({ "error": text });
        Self { exit: 1, text, json }
    }
}
