//! Sign-in, second factor and sessions.
//!
//! ```text
//! name + password ──► Stage::Code ──code──► Stage::Full
//!        │                                     ▲
//!        └──no second factor yet──► Stage::Enrol ──code of the new secret──┘
//! ```
//!
//! Each arrow replaces the session's token; start and proof stay those of the password. Only
//! [`People::prove_again`] renews them, with password and code. Tries are limited by where they come
//! from (`tries`), never by locking an account. A name that does not exist, one that is switched off
//! and a wrong password take the same way: one look-up, one hash, no write, one answer.

use std::time::Duration;

use super::account::{Account, By};
use super::roster::{People, TotpRule, note_unwritten};
use super::secret::{self, random_token};
use super::tries::{Origin, Try};
use super::{PeopleError, SignInError};
use crate::digest::sha256_hex;
use crate::queue::time::{MINUTE_MS, is_recent};
use crate::queue::{Actor, Deed, Role};
use crate::store::people::{PersonRow, SessionRow};
pub use crate::store::words::Stage;
use crate::store::{StoreError, Tx};

/// How long an answer to a name that many browsers try is held back.
const PAUSE: Duration = Duration::from_secs(2);
/// How long password and code of a signed-in officer hold for a decision.
const PROOF_MS: i64 = 15 * MINUTE_MS;
/// The last use is written down at most this often.
const SEEN_EVERY_MS: i64 = MINUTE_MS;
/// A code counts once: the step of the last one is kept. A step further ahead than this, ten minutes,
/// was kept while the clock was wrong, and would refuse every code until then.
const STEPS_AHEAD: i64 = 20;

//------------ Session -------------------------------------------------------

/// A session that holds now.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose.
    pub account: Account,
    /// How far the sign-in has come; only [`Stage::Full`] may do anything.
    pub stage: Stage,
    /// When the person last proved themselves (epoch ms).
    pub proven_ms: i64,
    /// The person as the procedure sees them, with the roles taken over just now.
    actor: Actor,
}

impl Session {
    /// Whether the last proof is too old for a decision.
    pub fn is_stale(&self, now_ms: i64) -> bool {
        !is_recent(self.proven_ms, now_ms, PROOF_MS)
    }

    /// The person as the procedure sees them.
    pub fn actor(&self) -> Actor {
        self.actor.clone()
    }

    /// Whether one of these roles is their own, or taken over just now.
    pub fn holds_one_of(&self, roles: &[Role]) -> bool {
        let taken_over = self.actor.acting.iter().map(|held| held.role);
        taken_over.chain([self.account.role]).any(|role| roles.contains(&role))
    }
}

/// A session with its new token, for the cookie.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The cookie's value; stored only hashed.
    pub token: String,
    /// The session.
    pub session: Session,
}

/// When a session began and when its person was last proven (epoch ms).
#[derive(Clone, Copy)]
pub(super) struct Begun {
    /// Start, for the absolute limit.
    created_ms: i64,
    /// The proof a decision asks for.
    proven_ms: i64,
}

impl Begun {
    /// Both now: password and, where one is set up, code have just been given.
    fn at(now_ms: i64) -> Self {
        Self { created_ms: now_ms, proven_ms: now_ms }
    }
}

impl From<&SessionRow> for Begun {
    /// The times of the session that is replaced.
    fn from(row: &SessionRow) -> Self {
        Self { created_ms: row.created_ms, proven_ms: row.proven_ms }
    }
}

//------------ People: sign-in -----------------------------------------------

impl People {
    /// How long to wait before a password for this name is tried, where nobody is known to have signed
    /// in with the browser and many of those try it. It is the same whether the name exists or not.
    pub fn pause(&self, name: &str, origin: &Origin) -> Duration {
        let from_afar = matches!(origin, Origin::Network(_));
        let what = Try::anywhere(&sign_in_name(name));
        match from_afar.then(|| self.tries.take(&what, self.now_ms())) {
            Some(Err(_)) => PAUSE,
            _ => Duration::ZERO,
        }
    }

    /// Tries a name and a password. Slow on purpose; not on a runtime thread.
    pub fn sign_in(
        &self,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let row = self.proven_person(name, password, origin)?;
        let stage = match (&row.totp_secret, self.options.totp) {
            (Some(_), _) => Stage::Code,
            (None, TotpRule::Required) => Stage::Enrol,
            (None, TotpRule::Optional) => Stage::Full,
        };
        self.store.write(|tx| self.start(tx, &row, stage, Begun::at(self.now_ms())))
    }

    /// The account if name and password fit and it is not off.
    pub(super) fn proven_person(
        &self,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<PersonRow, SignInError> {
        let name = sign_in_name(name);
        let tried = Try::password(&name, origin);
        self.take(&tried)?;
        let row = self.store.read::<_, SignInError>(|reader| {
            let named = reader.person_by_name(&name)?;
            Ok(named.map(|row| reader.acting_person(&row.id)).transpose()?.flatten())
        })?;
        let hash = row.as_ref().and_then(|row| row.password.as_deref());
        let fits = secret::password_matches(password, hash);
        let proven = row.filter(|row| fits && row.disabled_ms.is_none());
        let proven = proven.ok_or(SignInError::Wrong)?;
        self.tries.give_back(&tried);
        Ok(proven)
    }

    /// Takes one try of many.
    pub(super) fn take(&self, what: &Try) -> Result<(), SignInError> {
        let taken = self.tries.take(what, self.now_ms());
        taken.map_err(|wait_ms| SignInError::TooMany { wait_ms })
    }

    /// Takes the code of the second factor after the password; the session becomes full and gets a new
    /// token. A few wrong codes end the half session: the password is asked again.
    pub fn enter_code(
        &self,
        token: &str,
        code: &str,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage != Stage::Code {
            return Err(SignInError::Wrong);
        }
        let half = Try::HalfSession(sha256_hex(token));
        if self.tries.take(&half, self.now_ms()).is_err() {
            self.sign_out(token)?;
            return Err(SignInError::NoSession);
        }
        self.full_by_code(token, &session.account, code, origin, None)
    }

    /// Replaces a session by a full one for whoever has the code. The times of the session stay,
    /// unless the password was given `again` just now.
    fn full_by_code(
        &self,
        token: &str,
        account: &Account,
        code: &str,
        origin: &Origin,
        again: Option<Begun>,
    ) -> Result<SignedIn, SignInError> {
        let hash = sha256_hex(token);
        self.store.write::<_, SignInError>(|tx| {
            let kept = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            let mut row = tx.acting_person(&account.id)?.ok_or(SignInError::NoSession)?;
            self.use_code(&mut row, code, origin)?;
            tx.put_person(&row)?;
            tx.end_session(&hash)?;
            let begun = again.unwrap_or_else(|| Begun::from(&kept));
            self.start(tx, &row, Stage::Full, begun)
        })
    }

    /// Takes a code of the account's second factor that was not used yet.
    pub(super) fn use_code(
        &self,
        row: &mut PersonRow,
        code: &str,
        origin: &Origin,
    ) -> Result<(), SignInError> {
        let secret = row.totp_secret.as_ref().ok_or(SignInError::Wrong)?;
        let secret = self.open_secret(&row.id, secret)?;
        let tried = Try::code(&row.id, origin);
        self.take(&tried)?;
        let step = secret::totp_step(&secret, code, self.now_ms());
        let is_new = |step: i64| step > row.totp_step || row.totp_step > step + STEPS_AHEAD;
        let step = step.filter(|step| is_new(*step));
        row.totp_step = step.ok_or(SignInError::Wrong)?;
        self.tries.give_back(&tried);
        Ok(())
    }

    /// Takes password and, where one is set up, code once more from somebody who is signed in: a
    /// decision asks for it when the last proof is older than fifteen minutes. A new session, as after
    /// any sign-in.
    pub fn prove_again(
        &self,
        token: &str,
        password: &str,
        code: &str,
    ) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage != Stage::Full {
            return Err(SignInError::NoSession);
        }
        let origin = Origin::Session(sha256_hex(token));
        let row = self.proven_person(&session.account.name, password, &origin)?;
        let now = Begun::at(self.now_ms());
        if row.totp_secret.is_some() {
            return self.full_by_code(token, &session.account, code, &origin, Some(now));
        }
        self.store.write(|tx| {
            tx.end_session(&sha256_hex(token))?;
            self.start(tx, &row, Stage::Full, now)
        })
    }

    /// The session of a cookie, if it holds: not idle, not too old, account still on.
    pub fn session(&self, token: &str) -> Result<Option<Session>, SignInError> {
        let hash = sha256_hex(token);
        let now = self.now_ms();
        let found = self.store.read::<_, SignInError>(|reader| {
            let Some(session) = reader.session(&hash)? else { return Ok(None) };
            let person = reader.acting_person(&session.person)?;
            Ok(person.map(|person| (session, person, reader.acting_officials())))
        })?;
        let Some((row, person, acting)) = found else { return Ok(None) };
        let idle = !is_recent(row.seen_ms, now, self.options.idle_minutes * MINUTE_MS);
        let old = !is_recent(row.created_ms, now, self.options.session_hours * 60 * MINUTE_MS);
        if idle || old || person.disabled_ms.is_some() {
            let ended = self.store.write::<_, StoreError>(|tx| tx.end_session(&hash));
            note_unwritten(ended);
            return Ok(None);
        }
        if now - row.seen_ms > SEEN_EVERY_MS {
            let seen = self.store.write::<_, StoreError>(|tx| tx.seen_session(&hash, now));
            note_unwritten(seen);
        }
        Ok(Some(Session {
            account: Account::from(&person),
            stage: row.stage,
            proven_ms: row.proven_ms,
            actor: self.actor_now(&person, &acting?),
        }))
    }

    /// Ends the session of a cookie.
    pub fn sign_out(&self, token: &str) -> Result<(), SignInError> {
        self.store.write(|tx| Ok(tx.end_session(&sha256_hex(token))?))
    }

    /// Starts a session at a stage, with a new token.
    pub(super) fn start(
        &self,
        tx: &Tx<'_>,
        person: &PersonRow,
        stage: Stage,
        begun: Begun,
    ) -> Result<SignedIn, SignInError> {
        let token = random_token()?;
        let now = self.now_ms();
        if stage == Stage::Full {
            By::Officer(Account::from(person)).leave(tx, now, Deed::SignedIn, &person.id, &[])?;
        }
        tx.put_session(&SessionRow {
            token_hash: sha256_hex(&token),
            person: person.id.clone(),
            stage,
            pending_secret: None,
            created_ms: begun.created_ms,
            seen_ms: now,
            proven_ms: begun.proven_ms,
        })?;
        let session = Session {
            account: Account::from(person),
            stage,
            proven_ms: begun.proven_ms,
            actor: self.actor_now(person, &tx.acting_officials()?),
        };
        Ok(SignedIn { token, session })
    }
}

/// A sign-in name as it is kept.
pub fn sign_in_name(name: &str) -> String {
    name.trim().to_lowercase()
}

impl From<SignInError> for PeopleError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::People(error) => error,
            SignInError::TooMany { wait_ms } => Self::TooMany { wait_ms },
            SignInError::Wrong | SignInError::NoSession => Self::WrongPassword,
        }
    }
}
