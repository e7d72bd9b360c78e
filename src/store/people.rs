//! Rows of the room `people`: accounts, sessions, tokens, links, acting officials, form keys.
//!
//! Only statements; every rule (who may, how long, how strong) is the room's. Tokens arrive here
//! as SHA-256 in hexadecimal and in no other form.

use rusqlite::{OptionalExtension, Row, params};

use super::{Reader, StoreError, Tx};

//------------ Rows ----------------------------------------------------------

/// One account.
#[derive(Clone, Debug)]
pub struct PersonRow {
    /// Stable id, never reused.
    pub id: String,
    /// Sign-in name.
    pub name: String,
    /// Name as papers print it.
    pub full_name: String,
    /// Jabatan as papers print it; may be empty.
    pub title: String,
    /// Role word: `kabid`, `kasi`, `admin`, `auditor`.
    pub role: String,
    /// Office e-mail, lower case.
    pub email: String,
    /// Employee number of 18 digits.
    pub nip: Option<String>,
    /// When the account was switched off.
    pub disabled_ms: Option<i64>,
    /// PHC string of the password; none before the first link was used.
    pub password: Option<String>,
    /// Secret of the second factor.
    pub totp_secret: Option<Vec<u8>>,
    /// Last accepted time step of the second factor.
    pub totp_step: i64,
    /// Failed sign-ins since the last good one.
    pub failures: i64,
    /// No sign-in before this time.
    pub locked_until_ms: i64,
    /// When the account was made.
    pub created_ms: i64,
}

/// One browser session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// SHA-256 of the cookie's token.
    pub token_hash: String,
    /// Whose session.
    pub person: String,
    /// How far the sign-in went.
    pub stage: String,
    /// Second-factor secret shown but not yet confirmed.
    pub pending_secret: Option<Vec<u8>>,
    /// Start, for the absolute limit.
    pub created_ms: i64,
    /// Last use, for the idle limit.
    pub seen_ms: i64,
    /// When the person last proved themselves.
    pub proven_ms: i64,
}

/// One personal API token.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Public id, for listing and revoking.
    pub id: String,
    /// SHA-256 of the token.
    pub token_hash: String,
    /// Whose token.
    pub person: String,
    /// What it is for, in its owner's words.
    pub label: String,
    /// Comma-separated scopes.
    pub scopes: String,
    /// Only from this network (`address/length`), if set.
    pub network: Option<String>,
    /// When it was made.
    pub created_ms: i64,
    /// When it ends.
    pub ends_ms: i64,
    /// Last use.
    pub used_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

/// One single-use link.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// SHA-256 of the link's token.
    pub token_hash: String,
    /// What it is for.
    pub kind: String,
    /// The account it sets a password for, if that account exists.
    pub person: Option<String>,
    /// Role the new account gets.
    pub role: String,
    /// E-mail of the person invited; empty for the first administrator.
    pub email: String,
    /// Person id of who made it, or `gapura`.
    pub made_by: String,
    /// When it was made.
    pub created_ms: i64,
    /// When it ends.
    pub ends_ms: i64,
    /// When it was used.
    pub used_ms: Option<i64>,
}

/// One acting official (Plh. or Plt.).
#[derive(Clone, Debug)]
pub struct ActingRow {
    /// Id, for ending it.
    pub id: String,
    /// Who acts.
    pub person: String,
    /// The role taken over.
    pub role: String,
    /// Person id of the officer stood in for; empty while the post is vacant.
    pub holder: String,
    /// `plh` or `plt`.
    pub style: String,
    /// Number of the letter that orders it.
    pub letter: String,
    /// Start.
    pub starts_ms: i64,
    /// End.
    pub ends_ms: i64,
    /// Who recorded it.
    pub made_by: String,
    /// When it was ended early.
    pub ended_ms: Option<i64>,
}

//------------ Statements ----------------------------------------------------

/// Columns of a person, in the order [`person`] reads.
const PERSON: &str = "SELECT id, name, full_name, title, role, email, nip, disabled_ms, password, \
    totp_secret, totp_step, failures, locked_until_ms, created_ms FROM person";
/// Columns of a token, in the order [`token`] reads.
const TOKEN: &str = "SELECT id, token_hash, person, label, scopes, network, created_ms, ends_ms, \
    used_ms, revoked_ms FROM personal_token";
/// Columns of an acting official, in the order [`acting`] reads.
const ACTING: &str = "SELECT id, person, role, holder, style, letter, starts_ms, ends_ms, \
    made_by, ended_ms FROM acting_official";
/// Columns of a link, in the order [`link`] reads.
const LINK: &str = "SELECT token_hash, kind, person, role, email, made_by, created_ms, ends_ms, \
    used_ms FROM access_link";

impl Reader<'_> {
    /// Id and role of every person, for the verifier.
    pub fn person_roles(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.0.prepare("SELECT id, role FROM person")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The account with this id.
    pub fn person(&self, id: &str) -> Result<Option<PersonRow>, StoreError> {
        self.person_where("id = $1", id)
    }

    /// The account with this sign-in name.
    pub fn person_by_name(&self, name: &str) -> Result<Option<PersonRow>, StoreError> {
        self.person_where("name = $1", name)
    }

    /// The account with this e-mail (lower case).
    pub fn person_by_email(&self, email: &str) -> Result<Option<PersonRow>, StoreError> {
        self.person_where("email = $1", email)
    }

    /// The account with this NIP.
    pub fn person_by_nip(&self, nip: &str) -> Result<Option<PersonRow>, StoreError> {
        self.person_where("nip = $1", nip)
    }

    /// The one account a unique column names.
    fn person_where(&self, column: &str, value: &str) -> Result<Option<PersonRow>, StoreError> {
        let sql = format!("{PERSON} WHERE {column}");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_row([value], person).optional()?)
    }

    /// All accounts, by name.
    pub fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{PERSON} ORDER BY name"))?;
        let rows = statement.query_map([], person)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether any account exists.
    pub fn has_people(&self) -> Result<bool, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT EXISTS (SELECT 1 FROM person)")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The session of this cookie.
    pub fn session(&self, token_hash: &str) -> Result<Option<SessionRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT token_hash, person, stage, pending_secret, created_ms, seen_ms, proven_ms \
             FROM session WHERE token_hash = $1",
        )?;
        Ok(statement.query_row([token_hash], session).optional()?)
    }

    /// The personal token with this hash.
    pub fn token_by_hash(&self, token_hash: &str) -> Result<Option<TokenRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{TOKEN} WHERE token_hash = $1"))?;
        Ok(statement.query_row([token_hash], token).optional()?)
    }

    /// All personal tokens, the newest first.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{TOKEN} ORDER BY created_ms DESC"))?;
        let rows = statement.query_map([], token)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The link with this hash.
    pub fn link(&self, token_hash: &str) -> Result<Option<LinkRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{LINK} WHERE token_hash = $1"))?;
        Ok(statement.query_row([token_hash], link).optional()?)
    }

    /// Links that can still be used.
    pub fn open_links(&self, now_ms: i64) -> Result<Vec<LinkRow>, StoreError> {
        let sql = format!("{LINK} WHERE used_ms IS NULL AND ends_ms > $1 ORDER BY created_ms");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map([now_ms], link)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All acting officials ever recorded, the newest first.
    pub fn acting_officials(&self) -> Result<Vec<ActingRow>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!("{ACTING} ORDER BY starts_ms DESC"))?;
        let rows = statement.query_map([], acting)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a form key already made, if it was used.
    pub fn form_outcome(&self, key_hash: &str) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT outcome FROM form_key WHERE key_hash = $1")?;
        Ok(statement.query_row([key_hash], |row| row.get(0)).optional()?)
    }

    /// A key of this installation.
    pub fn web_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT value FROM web_secret WHERE name = $1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }
}

impl Tx<'_> {
    /// Writes an account, new or changed.
    pub fn put_person(&self, row: &PersonRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO person (id, name, full_name, title, role, email, nip, disabled_ms, \
             password, totp_secret, totp_step, failures, locked_until_ms, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             full_name = excluded.full_name, title = excluded.title, role = excluded.role, \
             email = excluded.email, nip = excluded.nip, disabled_ms = excluded.disabled_ms, \
             password = excluded.password, totp_secret = excluded.totp_secret, \
             totp_step = excluded.totp_step, failures = excluded.failures, \
             locked_until_ms = excluded.locked_until_ms",
            params![
                row.id,
                row.name,
                row.full_name,
                row.title,
                row.role,
                row.email,
                row.nip,
                row.disabled_ms,
                row.password,
                row.totp_secret,
                row.totp_step,
                row.failures,
                row.locked_until_ms,
                row.created_ms,
            ],
        )?;
        Ok(())
    }

    /// Writes a session, new or changed.
    pub fn put_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO session (token_hash, person, stage, pending_secret, created_ms, seen_ms, \
             proven_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (token_hash) DO UPDATE SET stage = excluded.stage, \
             pending_secret = excluded.pending_secret, seen_ms = excluded.seen_ms, \
             proven_ms = excluded.proven_ms",
            params![
                row.token_hash,
                row.person,
                row.stage,
                row.pending_secret,
                row.created_ms,
                row.seen_ms,
                row.proven_ms,
            ],
        )?;
        Ok(())
    }

    /// Ends one session.
    pub fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        self.0.0.execute("DELETE FROM session WHERE token_hash = $1", [token_hash])?;
        Ok(())
    }

    /// Ends all sessions of a person.
    pub fn end_sessions_of(&self, person: &str) -> Result<(), StoreError> {
        self.0.0.execute("DELETE FROM session WHERE person = $1", [person])?;
        Ok(())
    }

    /// Drops what is over: sessions, used-up form keys.
    pub fn sweep_people(
        &self,
        idle_before: i64,
        started_before: i64,
        keys_before: i64,
    ) -> Result<(), StoreError> {
        self.0.0.execute(
            "DELETE FROM session WHERE seen_ms < $1 OR created_ms < $2",
            params![idle_before, started_before],
        )?;
        self.0.0.execute("DELETE FROM form_key WHERE made_ms < $1", [keys_before])?;
        Ok(())
    }

    /// Writes a personal token, new or changed.
    pub fn put_token(&self, row: &TokenRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO personal_token (id, token_hash, person, label, scopes, network, \
             created_ms, ends_ms, used_ms, revoked_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (id) DO UPDATE SET used_ms = excluded.used_ms, \
             revoked_ms = excluded.revoked_ms",
            params![
                row.id,
                row.token_hash,
                row.person,
                row.label,
                row.scopes,
                row.network,
                row.created_ms,
                row.ends_ms,
                row.used_ms,
                row.revoked_ms,
            ],
        )?;
        Ok(())
    }

    /// Writes a link, new or used.
    pub fn put_link(&self, row: &LinkRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO access_link (token_hash, kind, person, role, email, made_by, created_ms, \
             ends_ms, used_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (token_hash) DO UPDATE SET used_ms = excluded.used_ms",
            params![
                row.token_hash,
                row.kind,
                row.person,
                row.role,
                row.email,
                row.made_by,
                row.created_ms,
                row.ends_ms,
                row.used_ms,
            ],
        )?;
        Ok(())
    }

    /// Ends links of one kind that are still open, for one e-mail (empty: the first administrator).
    pub fn end_links(&self, kind: &str, email: &str, now_ms: i64) -> Result<(), StoreError> {
        self.0.0.execute(
            "UPDATE access_link SET used_ms = $1 WHERE kind = $2 AND email = $3 AND used_ms IS NULL",
            params![now_ms, kind, email],
        )?;
        Ok(())
    }

    /// Writes an acting official, new or ended.
    pub fn put_acting(&self, row: &ActingRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO acting_official (id, person, role, holder, style, letter, starts_ms, \
             ends_ms, made_by, ended_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms",
            params![
                row.id,
                row.person,
                row.role,
                row.holder,
                row.style,
                row.letter,
                row.starts_ms,
                row.ends_ms,
                row.made_by,
                row.ended_ms,
            ],
        )?;
        Ok(())
    }

    /// Remembers what a form made; false if the key had been used before.
    pub fn use_form_key(
        &self,
        key_hash: &str,
        outcome: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let made = self.0.0.execute(
            "INSERT INTO form_key (key_hash, outcome, made_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (key_hash) DO NOTHING",
            params![key_hash, outcome, now_ms],
        )?;
        Ok(made == 1)
    }

    /// Keeps a key of this installation unless there is one already.
    pub fn put_web_secret(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO web_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            params![name, value],
        )?;
        Ok(())
    }
}

//--- Reading rows

/// Reads one account.
fn person(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: row.get(0)?,
        name: row.get(1)?,
        full_name: row.get(2)?,
        title: row.get(3)?,
        role: row.get(4)?,
        email: row.get(5)?,
        nip: row.get(6)?,
        disabled_ms: row.get(7)?,
        password: row.get(8)?,
        totp_secret: row.get(9)?,
        totp_step: row.get(10)?,
        failures: row.get(11)?,
        locked_until_ms: row.get(12)?,
        created_ms: row.get(13)?,
    })
}

/// Reads one session.
fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        token_hash: row.get(0)?,
        person: row.get(1)?,
        stage: row.get(2)?,
        pending_secret: row.get(3)?,
        created_ms: row.get(4)?,
        seen_ms: row.get(5)?,
        proven_ms: row.get(6)?,
    })
}

/// Reads one personal token.
fn token(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow {
        id: row.get(0)?,
        token_hash: row.get(1)?,
        person: row.get(2)?,
        label: row.get(3)?,
        scopes: row.get(4)?,
        network: row.get(5)?,
        created_ms: row.get(6)?,
        ends_ms: row.get(7)?,
        used_ms: row.get(8)?,
        revoked_ms: row.get(9)?,
    })
}

/// Reads one link.
fn link(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    Ok(LinkRow {
        token_hash: row.get(0)?,
        kind: row.get(1)?,
        person: row.get(2)?,
        role: row.get(3)?,
        email: row.get(4)?,
        made_by: row.get(5)?,
        created_ms: row.get(6)?,
        ends_ms: row.get(7)?,
        used_ms: row.get(8)?,
    })
}

/// Reads one acting official.
fn acting(row: &Row<'_>) -> rusqlite::Result<ActingRow> {
    Ok(ActingRow {
        id: row.get(0)?,
        person: row.get(1)?,
        role: row.get(2)?,
        holder: row.get(3)?,
        style: row.get(4)?,
        letter: row.get(5)?,
        starts_ms: row.get(6)?,
        ends_ms: row.get(7)?,
        made_by: row.get(8)?,
        ended_ms: row.get(9)?,
    })
}
