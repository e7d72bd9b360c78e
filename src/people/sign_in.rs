//! Sign-in, second factor and sessions.
//!
//! ```text
//! name + password ──► Stage::Code ──code──► Stage::Full
//!        │                                     ▲
//!        └──no second factor yet──► Stage::Enrol ──code of the new secret──┘
//! ```
//!
//! Each arrow replaces the session's token; start and proof stay those of the password. Only
//! [`People::prove_again`] renews them, with password and code. Failures are counted in the database,
//! so that a restart or a second web front-end does not forget them.

use super::account::{Account, By};
use super::acting::ActingOfficial;
use super::roster::{People, TotpRule};
use super::secret::{self, random_token};
use super::{PeopleError, SignInError};
use crate::digest::sha256_hex;
use crate::queue::Actor;
use crate::store::Tx;
use crate::store::people::{PersonRow, SessionRow};
pub use crate::store::words::Stage;

/// Failures before the first lock.
const FAILURES_FREE: i64 = 5;
/// Length of the first lock; it doubles with each further failure.
const LOCK_FIRST_MS: i64 = 60_000;
/// Longest lock.
const LOCK_MAX_MS: i64 = 15 * 60_000;
/// How long password and code of a signed-in officer hold for a decision.
const PROOF_MS: i64 = 15 * 60_000;
/// The last use is written down at most this often.
const SEEN_EVERY_MS: i64 = 60_000;

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
    /// Roles taken over just now.
    pub acting: Vec<ActingOfficial>,
}

impl Session {
    /// Whether the last proof is too old for a decision.
    pub fn is_stale(&self, now_ms: i64) -> bool {
        now_ms - self.proven_ms > PROOF_MS
    }

    /// The person as the procedure sees them.
    pub fn actor(&self) -> Actor {
        self.account.actor(&self.acting)
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
    /// Tries a name and a password. Slow on purpose; not on a runtime thread.
    pub fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInError> {
        let row = self.proven_person(name, password)?;
        let stage = match (&row.totp_secret, self.options.totp) {
            (Some(_), _) => Stage::Code,
            (None, TotpRule::Required) => Stage::Enrol,
            (None, TotpRule::Optional) => Stage::Full,
        };
        self.store.write(|tx| self.start(tx, &row, stage, Begun::at(self.now_ms())))
    }

    /// The account if name and password fit and it is neither locked nor off; failures are counted.
    pub(super) fn proven_person(
        &self,
        name: &str,
        password: &str,
    ) -> Result<PersonRow, SignInError> {
        let name = name.trim().to_lowercase();
        let now = self.now_ms();
        let row = self.store.read::<_, SignInError>(|reader| Ok(reader.person_by_name(&name)?))?;
        if let Some(row) = &row
            && row.locked_until_ms > now
        {
            return Err(SignInError::Locked { until_ms: row.locked_until_ms });
        }
        let hash = row.as_ref().and_then(|row| row.password.as_deref());
        let fits = secret::password_matches(password, hash);
        let Some(row) = row else { return Err(SignInError::Wrong) };
        if !fits {
            self.count_failure(&row.id)?;
            return Err(SignInError::Wrong);
        }
        if row.disabled_ms.is_some() { Err(SignInError::Wrong) } else { Ok(row) }
    }

    /// Takes the code of the second factor after the password; the session becomes full and gets a new
    /// token.
    pub fn enter_code(&self, token: &str, code: &str) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage != Stage::Code {
            return Err(SignInError::Wrong);
        }
        self.full_by_code(token, &session.account, code, None)
    }

    /// Replaces a session by a full one for whoever has the code. The times of the session stay,
    /// unless the password was given `again` just now.
    fn full_by_code(
        &self,
        token: &str,
        account: &Account,
        code: &str,
        again: Option<Begun>,
    ) -> Result<SignedIn, SignInError> {
        let hash = sha256_hex(token);
        let outcome = self.store.write::<_, SignInError>(|tx| {
            let kept = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            let mut row = tx.person(&account.id)?.ok_or(SignInError::NoSession)?;
            if !self.code_fits(&mut row, code)? {
                return Ok(None);
            }
            row.failures = 0;
            tx.put_person(&row)?;
            tx.end_session(&hash)?;
            let begun = again.unwrap_or_else(|| Begun::from(&kept));
            self.start(tx, &row, Stage::Full, begun).map(Some)
        })?;
        let Some(signed_in) = outcome else {
            self.count_failure(&account.id)?;
            return Err(SignInError::Wrong);
        };
        Ok(signed_in)
    }

    /// Whether this is a code of the account's second factor that was not used yet; it is then.
    pub(super) fn code_fits(&self, row: &mut PersonRow, code: &str) -> Result<bool, SignInError> {
        let now = self.now_ms();
        if row.locked_until_ms > now {
            return Err(SignInError::Locked { until_ms: row.locked_until_ms });
        }
        let secret = row.totp_secret.as_ref().ok_or(SignInError::Wrong)?;
        let step = secret::totp_step(secret, code, now).filter(|step| *step > row.totp_step);
        row.totp_step = step.unwrap_or(row.totp_step);
        Ok(step.is_some())
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
        let row = self.proven_person(&session.account.name, password)?;
        let now = Begun::at(self.now_ms());
        if row.totp_secret.is_some() {
            return self.full_by_code(token, &session.account, code, Some(now));
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
            let person = reader.person(&session.person)?;
            Ok(person.map(|person| (session, person, reader.acting_officials())))
        })?;
        let Some((row, person, acting)) = found else { return Ok(None) };
        let idle = now - row.seen_ms > self.options.idle_minutes * 60_000;
        let old = now - row.created_ms > self.options.session_hours * 3_600_000;
        if idle || old || person.disabled_ms.is_some() {
            self.store.write::<_, SignInError>(|tx| Ok(tx.end_session(&hash)?))?;
            return Ok(None);
        }
        if now - row.seen_ms > SEEN_EVERY_MS {
            self.store.write::<_, SignInError>(|tx| Ok(tx.seen_session(&hash, now)?))?;
        }
        Ok(Some(Session {
            account: Account::from(&person),
            stage: row.stage,
            proven_ms: row.proven_ms,
            acting: self.acting_now(acting?, &person.id),
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
            if person.failures > 0 {
                tx.put_person(&PersonRow { failures: 0, ..person.clone() })?;
            }
            By::Officer(Account::from(person)).leave(tx, now, "signed_in", &person.id, &[])?;
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
            acting: self.acting_now(tx.acting_officials()?, &person.id),
        };
        Ok(SignedIn { token, session })
    }

    /// Counts a failed sign-in and locks the account from the fifth on.
    pub(super) fn count_failure(&self, person: &str) -> Result<(), SignInError> {
        let now = self.now_ms();
        self.store.write(|tx| {
            let Some(mut row) = tx.person(person)? else { return Ok(()) };
            row.failures += 1;
            if row.failures >= FAILURES_FREE {
                let doublings = u32::try_from(row.failures - FAILURES_FREE).unwrap_or(0).min(8);
                row.locked_until_ms = now + (LOCK_FIRST_MS << doublings).min(LOCK_MAX_MS);
                let (by, failures) = (By::System, row.failures.to_string());
                by.leave(tx, now, "account_locked", &row.id, &[("failures", &failures)])?;
            }
            Ok(tx.put_person(&row)?)
        })
    }
}

impl From<SignInError> for PeopleError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::People(error) => error,
            SignInError::Wrong | SignInError::Locked { .. } | SignInError::NoSession => {
                Self::WrongPassword
            }
        }
    }
}
