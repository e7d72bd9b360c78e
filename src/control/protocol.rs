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
    /// Starts the program again beside the daemon, as its successor.
    Succeed,
    /// Hands the sockets over to the calling process, and ends.
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
        /// Whether signatures and denial records are listed too.
        #[serde(default)]
        proofs: bool,
    },
    /// The versions of a zone, newest first.
    ZoneHistory {
        /// The apex.
        zone: String,
        /// How many at most.
        limit: usize,
        /// Whether renewals of signatures are listed too.
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
        /// The live serial at the time of the preview; the rollback is refused if it has changed since.
        #[serde(default)]
        live: Option<u32>,
    },
    /// Drops the records that updates put at a name, in favour of the operator's file.
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
        /// Goes above this serial, which was used before.
        floor: Option<u32>,
        /// Whether to accept it however far ahead it is.
        #[serde(default)]
        yes: bool,
    },
    /// Notifies the secondaries of a zone now, and reports what each answered.
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
        /// Whether the old key is compromised.
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
    /// Confirms the step that waits for a person.
    Confirm,
    /// Cancels a rollover, while that is safe.
    Cancel {
        /// The role, as for a rollover; none = the key that is being rolled.
        role: Option<String>,
    },
    /// Imports keys that were made elsewhere.
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

/// Commands on people, the event chain and the report. They also work while the daemon is stopped, on its database.
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
    /// Confirms that the clock is right.
    ClockConfirm,
    /// A part of the event chain in export form. The first call is recorded in the chain. Its reply has the end of the
    /// export in `to`; each reply has the start of the next part in `next`.
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
    /// Sends a test call to a webhook.
    WebhookTest {
        /// Its name.
        name: String,
    },
    /// Retries a webhook now, even if it is stopped.
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
    /// Text for people.
    pub text: String,
    /// JSON for programs.
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
