//! What may be said over the control socket. Field names are stable within one version of gapura.

use serde::{Deserialize, Serialize};

/// Everything a daemon can be told.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "snake_case")]
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
    },
    /// The versions of a zone, newest first.
    ZoneHistory {
        /// The apex.
        zone: String,
        /// How many at most.
        limit: usize,
    },
    /// Publishes an earlier version as a new change.
    ZoneRollback {
        /// The apex.
        zone: String,
        /// The version.
        to: u32,
    },
    /// Adds a person who can sign in by password.
    UserAdd {
        /// The person.
        person: Person,
        /// The password, never kept or logged.
        password: String,
    },
    /// Everybody who has an account.
    UserList,
    /// Ends an account's rights and sessions.
    UserDisable {
        /// The account's name.
        name: String,
    },
    /// Makes a personal API token, with its owner's password.
    TokenCreate {
        /// The account's name.
        name: String,
        /// `read`, `submit`, `decide`.
        scopes: Vec<String>,
        /// Days until it ends.
        days: u32,
        /// The only network it works from.
        network: Option<String>,
        /// What it is for.
        label: String,
        /// The account's own password.
        password: String,
    },
    /// The tokens of one account, or of all.
    TokenList {
        /// The account's name.
        name: Option<String>,
    },
    /// Ends a token.
    TokenRevoke {
        /// The token's public id.
        id: String,
    },
    /// The event chain in export form.
    AuditExport,
    /// Verifies the daemon's own event chain.
    AuditVerify {
        /// The public key to hold it against; none = the one outside the database.
        key: Option<String>,
        /// Anchors that were kept outside.
        anchors: Vec<String>,
    },
    /// The report of a month.
    Report {
        /// `YYYY-MM`.
        month: String,
    },
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

/// What came of a command: the same facts as text and as JSON, and the exit code that tells the truth.
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
    /// Something done.
    pub fn done(text: impl Into<String>, json: serde_json::Value) -> Self {
        Self { exit: 0, text: text.into(), json }
    }

    /// Something refused or failed, in one sentence.
    pub fn failed(message: impl Into<String>) -> Self {
        let text = message.into();
        let json = serde_json::json!({ "error": text });
        Self { exit: 1, text, json }
    }
}
