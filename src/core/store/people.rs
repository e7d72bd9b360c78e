//! Rows of the room `people`: accounts, sessions, tokens, links, acting officials, form keys.
//!
//! Only statements; every rule (who may, how long, how strong) is the room's. Tokens are stored as
//! SHA-256 in hexadecimal and in no other form.

use serde::{Deserialize, Serialize};

use super::sql::{params, row, select, sql, statements, upsert};
use super::words::{ActingStyle, LinkKind, Stage};
use super::{Reader, StoreError, Tx};
use crate::queue::{ActingOfficial, Actor, Identity, Role};

//------------ Rows ----------------------------------------------------------

row! {
    /// One account.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct PersonRow = "person" {
        /// Stable id, never reused.
        [key] pub id: String,
        /// Sign-in name.
        pub name: String,
        /// Name as papers print it.
        pub full_name: String,
        /// Jabatan as papers print it; may be empty.
        pub title: String,
        /// Pangkat and golongan as papers print them.
        pub rank: Option<String>,
        /// Its one role.
        pub role: Role,
        /// Office e-mail, lower case.
        pub email: String,
        /// Employee number of 18 digits.
        pub nip: Option<String>,
        /// When the account was switched off.
        pub disabled_ms: Option<i64>,
        /// PHC string of the password; none before the first link was used.
        pub password: Option<String>,
        /// Secret of the second factor, sealed.
        pub totp_secret: Option<Vec<u8>>,
        /// Last accepted time step of the second factor.
        pub totp_step: i64,
        /// When the account was made.
        [fixed] pub created_ms: i64,
        /// Mailboxes and NIPs it had before, as JSON; see [`FormerKey`].
        pub former: Option<String>,
    }
}

/// A mailbox or NIP that an account had before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FormerKey {
    /// Normalized, as accounts are distinguished by it.
    pub key: String,
    /// When it was given up (epoch ms).
    pub until_ms: i64,
}

row! {
    /// One browser session.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct SessionRow = "session" {
        /// SHA-256 of the cookie's token.
        [key] pub token_hash: String,
        /// Whose session.
        [fixed] pub person: String,
        /// How far the sign-in went.
        pub stage: Stage,
        /// Second-factor secret shown but not yet confirmed, sealed.
        pub pending_secret: Option<Vec<u8>>,
        /// Start, for the absolute limit.
        [fixed] pub created_ms: i64,
        /// Last use, for the idle limit.
        pub seen_ms: i64,
        /// When the person last proved themselves.
        pub proven_ms: i64,
    }
}

row! {
    /// One personal API token.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct TokenRow = "personal_token" {
        /// Public id, for listing and revoking.
        [key] pub id: String,
        /// SHA-256 of the token.
        [fixed] pub token_hash: String,
        /// Whose token.
        [fixed] pub person: String,
        /// What it is for, in its owner's words.
        [fixed] pub label: String,
        /// Comma-separated scopes.
        [fixed] pub scopes: String,
        /// Only from this network (`address/length`), if set.
        [fixed] pub network: Option<String>,
        /// When it was made.
        [fixed] pub created_ms: i64,
        /// When it ends.
        [fixed] pub ends_ms: i64,
        /// Last use.
        pub used_ms: Option<i64>,
        /// When it was revoked.
        pub revoked_ms: Option<i64>,
    }
}

row! {
    /// One single-use link.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct LinkRow = "access_link" {
        /// SHA-256 of the link's token.
        [key] pub token_hash: String,
        /// What it is for.
        [fixed] pub kind: LinkKind,
        /// The account it sets a password for, if that account exists.
        [fixed] pub person: Option<String>,
        /// Role the new account gets.
        [fixed] pub role: Role,
        /// E-mail of the person invited; empty for the first administrator.
        [fixed] pub email: String,
        /// Person id of who made it, or `gapura`.
        [fixed] pub made_by: String,
        /// When it was made.
        [fixed] pub created_ms: i64,
        /// When it ends.
        [fixed] pub ends_ms: i64,
        /// When it was used.
        pub used_ms: Option<i64>,
    }
}

row! {
    /// One acting official (Plh. or Plt.).
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct ActingRow = "acting_official" {
        /// Id, for ending it.
        [key] pub id: String,
        /// Who acts.
        [fixed] pub person: String,
        /// The role taken over.
        [fixed] pub role: Role,
        /// Person id of the officer stood in for; empty while the post is vacant.
        [fixed] pub holder: String,
        /// Plh. or Plt.
        [fixed] pub style: ActingStyle,
        /// Number of the letter that orders it.
        [fixed] pub letter: String,
        /// Start.
        [fixed] pub starts_ms: i64,
        /// End.
        [fixed] pub ends_ms: i64,
        /// Who recorded it.
        [fixed] pub made_by: String,
        /// When it was ended early.
        pub ended_ms: Option<i64>,
    }
}

impl PersonRow {
    /// The account as the procedure sees it, with the roles it takes over. An auditor writes nothing, for nobody.
    pub fn actor(&self, acting: &[ActingRow]) -> Actor {
        let now = Identity::new(Some(&self.id), self.nip.as_deref(), Some(&self.email));
        let former = self.former_keys().into_iter().map(|it| it.key).collect();
        let identity = Identity { former, ..now };
        let may_act = self.role != Role::Auditor;
        let held = acting.iter().filter(|row| may_act && row.person == self.id);
        let held = held.map(ActingRow::held);
        Actor {
            acting: held.collect(),
            disabled: self.disabled_ms.is_some(),
            ..Actor::officer(&self.name, identity, vec![self.role])
        }
    }

    /// Mailboxes and NIPs it had before, oldest first.
    pub fn former_keys(&self) -> Vec<FormerKey> {
        let text = self.former.as_deref().unwrap_or("[]");
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Keeps a mailbox or NIP that is replaced now.
    pub fn give_up(&mut self, key: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut former = self.former_keys();
        former.retain(|it| it.key != key);
        former.push(FormerKey { key: key.to_owned(), until_ms: now_ms });
        let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
        self.former = Some(serde_json::to_string(&former).map_err(corrupt)?);
        Ok(())
    }
}

impl ActingRow {
    /// The appointment as the procedure sees it; it ends when it was ended.
    pub fn held(&self) -> ActingOfficial {
        ActingOfficial {
            role: self.role,
            holder: self.holder.clone(),
            starts: self.starts_ms,
            ends: self.ended_ms.map_or(self.ends_ms, |ended| ended.min(self.ends_ms)),
            letter: self.letter.clone(),
        }
    }
}

//------------ Statements ----------------------------------------------------

statements! {
    PERSON_ROLES = sql("SELECT id, role FROM person");
    PERSON = select::<PersonRow>("WHERE id = $1");
    PERSON_BY_NAME = select::<PersonRow>("WHERE name = $1");
    PERSON_BY_EMAIL = select::<PersonRow>("WHERE email = $1");
    PERSON_BY_NIP = select::<PersonRow>("WHERE nip = $1");
    PEOPLE = select::<PersonRow>("ORDER BY name");
    HAS_ADMIN = sql("SELECT EXISTS (SELECT 1 FROM person \
        WHERE role = 'admin' AND disabled_ms IS NULL)");
    PUT_PERSON = upsert::<PersonRow>(&[]);

    SESSION = select::<SessionRow>("WHERE token_hash = $1");
    SESSIONS_OF = select::<SessionRow>("WHERE person = $1 AND stage = 'full' ORDER BY seen_ms DESC");
    PUT_SESSION = upsert::<SessionRow>(&[]);
    SEEN_SESSION = sql("UPDATE session SET seen_ms = $1 WHERE token_hash = $2");
    END_SESSION = sql("DELETE FROM session WHERE token_hash = $1");
    END_SESSIONS_OF = sql("DELETE FROM session WHERE person = $1");
    HAS_PLAIN_PENDING = sql("SELECT EXISTS (SELECT 1 FROM session WHERE length(pending_secret) <= 20)");
    DROP_PLAIN_PENDING = sql("UPDATE session SET pending_secret = NULL \
        WHERE length(pending_secret) <= 20");
    END_ALL_SESSIONS = sql("DELETE FROM session");
    SWEEP_SESSIONS = sql("DELETE FROM session WHERE seen_ms < $1 OR created_ms < $2");

    TOKEN_BY_HASH = select::<TokenRow>("WHERE token_hash = $1");
    TOKENS = select::<TokenRow>("ORDER BY created_ms DESC");
    PUT_TOKEN = upsert::<TokenRow>(&[]);
    END_TOKENS_OF = sql("UPDATE personal_token SET revoked_ms = $1 \
        WHERE person = $2 AND revoked_ms IS NULL");
    END_ALL_TOKENS = sql("UPDATE personal_token SET revoked_ms = $1 WHERE revoked_ms IS NULL");
    USED_TOKEN = sql("UPDATE personal_token SET used_ms = $1 WHERE id = $2");

    LINK = select::<LinkRow>("WHERE token_hash = $1");
    OPEN_LINKS = select::<LinkRow>("WHERE used_ms IS NULL AND ends_ms > $1 ORDER BY created_ms");
    PUT_LINK = upsert::<LinkRow>(&[]);
    END_LINKS = sql("UPDATE access_link SET used_ms = $1 \
        WHERE kind = $2 AND email = $3 AND used_ms IS NULL");
    END_LINKS_MADE_BY = sql("UPDATE access_link SET used_ms = $1 \
        WHERE made_by = $2 AND used_ms IS NULL");

    END_ALL_LINKS = sql("UPDATE access_link SET used_ms = $1 WHERE used_ms IS NULL");

    ACTING_OFFICIALS = select::<ActingRow>("ORDER BY starts_ms DESC");
    PUT_ACTING = upsert::<ActingRow>(&[]);

    FORM_OUTCOME =
        sql("SELECT outcome FROM form_key WHERE key_hash = $1 AND outcome <> ''");
    USE_FORM_KEY = sql("INSERT INTO form_key (key_hash, outcome, made_ms) VALUES ($1, $2, $3) \
        ON CONFLICT (key_hash) DO UPDATE SET outcome = excluded.outcome \
        WHERE form_key.outcome = ''");
    SWEEP_FORM_KEYS = sql("DELETE FROM form_key WHERE made_ms < $1");

    WEB_SECRET = sql("SELECT value FROM web_secret WHERE name = $1");
    PUT_WEB_SECRET = sql("INSERT INTO web_secret (name, value) VALUES ($1, $2) \
        ON CONFLICT (name) DO NOTHING");
}

//------------ Reading -------------------------------------------------------

impl Reader<'_> {
    /// Id and role of every person, for the verifier.
    pub fn person_roles(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.all(PERSON_ROLES, [])
    }

    /// The account with this id.
    pub fn person(&self, id: &str) -> Result<Option<PersonRow>, StoreError> {
        self.one(PERSON, [id])
    }

    /// The account with this id, if gapura wrote it: whoever acts or is let in by it.
    pub fn acting_person(&self, id: &str) -> Result<Option<PersonRow>, StoreError> {
        self.only_as_logged(self.one(PERSON, [id])?)
    }

    /// The account with this sign-in name.
    pub fn person_by_name(&self, name: &str) -> Result<Option<PersonRow>, StoreError> {
        self.one(PERSON_BY_NAME, [name])
    }

    /// The account with this e-mail (lower case).
    pub fn person_by_email(&self, email: &str) -> Result<Option<PersonRow>, StoreError> {
        self.one(PERSON_BY_EMAIL, [email])
    }

    /// The account with this NIP.
    pub fn person_by_nip(&self, nip: &str) -> Result<Option<PersonRow>, StoreError> {
        self.one(PERSON_BY_NIP, [nip])
    }

    /// All accounts, by name.
    pub fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        self.all(PEOPLE, [])
    }

    /// Whether there is an administrator who can sign in.
    pub fn has_admin(&self) -> Result<bool, StoreError> {
        self.only(HAS_ADMIN, [])
    }

    /// The sessions of a person whose sign-in is complete, the one used last first.
    pub fn sessions_of(&self, person: &str) -> Result<Vec<SessionRow>, StoreError> {
        self.all(SESSIONS_OF, [person])
    }

    /// Whether a second factor that was shown lies in clear, as in earlier versions.
    pub fn has_plain_pending(&self) -> Result<bool, StoreError> {
        self.only(HAS_PLAIN_PENDING, [])
    }

    /// The session of this cookie, if gapura wrote it.
    pub fn session(&self, token_hash: &str) -> Result<Option<SessionRow>, StoreError> {
        self.only_as_logged(self.one(SESSION, [token_hash])?)
    }

    /// The personal token with this hash, if gapura wrote it.
    pub fn token_by_hash(&self, token_hash: &str) -> Result<Option<TokenRow>, StoreError> {
        self.only_as_logged(self.one(TOKEN_BY_HASH, [token_hash])?)
    }

    /// All personal tokens, the newest first.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.all(TOKENS, [])
    }

    /// The link with this hash, if gapura wrote it.
    pub fn link(&self, token_hash: &str) -> Result<Option<LinkRow>, StoreError> {
        self.only_as_logged(self.one(LINK, [token_hash])?)
    }

    /// Links that can still be used.
    pub fn open_links(&self, now_ms: i64) -> Result<Vec<LinkRow>, StoreError> {
        self.all(OPEN_LINKS, [now_ms])
    }

    /// All acting officials that gapura ever recorded, the newest first.
    pub fn acting_officials(&self) -> Result<Vec<ActingRow>, StoreError> {
        let rows: Vec<ActingRow> = self.all(ACTING_OFFICIALS, [])?;
        let rows = rows.into_iter().map(|row| self.only_as_logged(Some(row)));
        rows.filter_map(Result::transpose).collect()
    }

    /// The request a form has sent.
    pub fn form_outcome(&self, key_hash: &str) -> Result<Option<String>, StoreError> {
        self.one(FORM_OUTCOME, [key_hash])
    }

    /// A key of this installation.
    pub fn web_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.one(WEB_SECRET, [name])
    }
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Writes an account, new or changed.
    pub fn put_person(&self, row: &PersonRow) -> Result<(), StoreError> {
        self.put(PUT_PERSON, row, &[])
    }

    /// Writes a session, new or changed.
    pub fn put_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        self.put(PUT_SESSION, row, &[])
    }

    /// Notes when a session was last used; nothing if it has ended meanwhile.
    pub fn seen_session(&self, token_hash: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(SEEN_SESSION, params![now_ms, token_hash]).map(drop)
    }

    /// Forgets second factors that lie in clear: they are shown anew.
    pub fn drop_plain_pending(&self) -> Result<(), StoreError> {
        self.run(DROP_PLAIN_PENDING, []).map(drop)
    }

    /// Ends one session.
    pub fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        self.run(END_SESSION, [token_hash]).map(drop)
    }

    /// Ends all sessions of a person.
    pub fn end_sessions_of(&self, person: &str) -> Result<(), StoreError> {
        self.run(END_SESSIONS_OF, [person]).map(drop)
    }

    /// Drops what is over: sessions, used-up form keys.
    pub fn sweep_people(
        &self,
        idle_before: i64,
        started_before: i64,
        keys_before: i64,
    ) -> Result<(), StoreError> {
        self.run(SWEEP_SESSIONS, [idle_before, started_before])?;
        self.run(SWEEP_FORM_KEYS, [keys_before]).map(drop)
    }

    /// Writes a personal token, new or revoked.
    pub fn put_token(&self, row: &TokenRow) -> Result<(), StoreError> {
        self.put(PUT_TOKEN, row, &[])
    }

    /// Ends all personal tokens of a person.
    pub fn end_tokens_of(&self, person: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(END_TOKENS_OF, params![now_ms, person]).map(drop)
    }

    /// Notes when a token was last used, and nothing else: it may be revoked meanwhile.
    pub fn used_token(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(USED_TOKEN, params![now_ms, id]).map(drop)
    }

    /// Writes a link, new or used.
    pub fn put_link(&self, row: &LinkRow) -> Result<(), StoreError> {
        self.put(PUT_LINK, row, &[])
    }

    /// Ends links of one kind that are still open, for one e-mail (empty: the first administrator).
    pub fn end_links(&self, kind: LinkKind, email: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(END_LINKS, params![now_ms, kind, email]).map(drop)
    }

    /// Ends the links this person made that are still open.
    pub fn end_links_made_by(&self, person: &str, now_ms: i64) -> Result<(), StoreError> {
        self.run(END_LINKS_MADE_BY, params![now_ms, person]).map(drop)
    }

    /// Ends all sessions, tokens and links of everybody; returns how many of each.
    pub fn end_all_access(&self, now_ms: i64) -> Result<[usize; 3], StoreError> {
        let sessions = self.run(END_ALL_SESSIONS, [])?;
        Ok([sessions, self.run(END_ALL_TOKENS, [now_ms])?, self.run(END_ALL_LINKS, [now_ms])?])
    }

    /// Writes an acting official, new or ended.
    pub fn put_acting(&self, row: &ActingRow) -> Result<(), StoreError> {
        self.put(PUT_ACTING, row, &[])
    }

    /// Keeps the number of the request a form has sent; false if it had sent one before.
    pub fn use_form_key(
        &self,
        key_hash: &str,
        number: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.run(USE_FORM_KEY, params![key_hash, number, now_ms])? == 1)
    }

    /// Keeps a key of this installation unless there is one already.
    pub fn put_web_secret(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.run(PUT_WEB_SECRET, params![name, value]).map(drop)
    }
}

//------------ Tests ---------------------------------------------------------

#[cfg(any(test, feature = "testing"))]
impl PersonRow {
    /// An account without a password, for tests that need somebody of a role.
    pub fn of_role(name: &str, role: Role, created_ms: i64) -> Self {
        Self {
            id: format!("p-{name}"),
            name: name.to_owned(),
            full_name: name.to_owned(),
            title: String::new(),
            rank: None,
            role,
            email: format!("{name}@cirebonkab.go.id"),
            nip: None,
            disabled_ms: None,
            password: None,
            totp_secret: None,
            totp_step: 0,
            created_ms,
            former: None,
        }
    }
}
