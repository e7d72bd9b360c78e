//! Sign-in, second factor and sessions.
//!
//! ```text
//! name + password ──► Stage::Code ──code──► Stage::Full
//!        │                                     ▲
//!        └──no second factor yet──► Stage::Enrol ──code of the new secret──┘
//! ```
//!
//! Each arrow replaces the session's token. Failures are counted in the database, so that a
//! restart or a second web front-end does not forget them.

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

/// A second-factor secret to be typed into an authenticator app.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Base 32 in groups of four.
    pub secret: String,
    /// The `otpauth:` address.
    pub url: String,
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
        self.store.write(|tx| self.start(tx, &row, stage))
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

    /// Takes the code of the second factor; the session becomes full and gets a new token.
    pub fn enter_code(&self, token: &str, code: &str) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage == Stage::Enrol {
            return Err(SignInError::Wrong);
        }
        let now = self.now_ms();
        let outcome = self.store.write::<_, SignInError>(|tx| {
            let mut row = tx.person(&session.account.id)?.ok_or(SignInError::NoSession)?;
            if row.locked_until_ms > now {
                return Err(SignInError::Locked { until_ms: row.locked_until_ms });
            }
            let secret = row.totp_secret.clone().ok_or(SignInError::Wrong)?;
            let step = secret::totp_step(&secret, code, now).filter(|step| *step > row.totp_step);
            let Some(step) = step else { return Ok(None) };
            row.totp_step = step;
            row.failures = 0;
            tx.put_person(&row)?;
            tx.end_session(&sha256_hex(token))?;
            self.start(tx, &row, Stage::Full).map(Some)
        })?;
        let Some(signed_in) = outcome else {
            self.count_failure(&session.account.id)?;
            return Err(SignInError::Wrong);
        };
        Ok(signed_in)
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
        if row.totp_secret.is_some() {
            return self.enter_code(token, code);
        }
        self.store.write(|tx| {
            tx.end_session(&sha256_hex(token))?;
            self.start(tx, &row, Stage::Full)
        })
    }

    /// A secret to set up, kept with the session until its first code comes in.
    pub fn begin_enrolment(&self, token: &str) -> Result<Enrolment, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage == Stage::Code {
            return Err(SignInError::Wrong);
        }
        let hash = sha256_hex(token);
        let secret = self.store.write::<_, SignInError>(|tx| {
            let mut row = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            if let Some(secret) = row.pending_secret {
                return Ok(secret);
            }
            let secret = secret::new_totp_secret()?;
            row.pending_secret = Some(secret.clone());
            tx.put_session(&row)?;
            Ok(secret)
        })?;
        let url = secret::totp_url(&secret, &session.account.name).unwrap_or_default();
        Ok(Enrolment { secret: secret::totp_text(&secret), url })
    }

    /// Confirms the secret shown by its first code; the session becomes full.
    pub fn finish_enrolment(&self, token: &str, code: &str) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage == Stage::Code {
            return Err(SignInError::Wrong);
        }
        let hash = sha256_hex(token);
        let now = self.now_ms();
        self.store.write(|tx| {
            let kept = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            let secret = kept.pending_secret.ok_or(SignInError::Wrong)?;
            let step = secret::totp_step(&secret, code, now).ok_or(SignInError::Wrong)?;
            let mut row = tx.person(&session.account.id)?.ok_or(SignInError::NoSession)?;
            row.totp_secret = Some(secret);
            row.totp_step = step;
            tx.put_person(&row)?;
            let by = By::Officer(session.account.clone());
            by.leave(tx, now, "second_factor_set", &row.id, &[])?;
            tx.end_sessions_of(&row.id)?;
            self.start(tx, &row, Stage::Full)
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
    fn start(
        &self,
        tx: &Tx<'_>,
        person: &PersonRow,
        stage: Stage,
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
            created_ms: now,
            seen_ms: now,
            proven_ms: now,
        })?;
        let session = Session {
            account: Account::from(person),
            stage,
            proven_ms: now,
            acting: self.acting_now(tx.acting_officials()?, &person.id),
        };
        Ok(SignedIn { token, session })
    }

    /// Counts a failed sign-in and locks the account from the fifth on.
    fn count_failure(&self, person: &str) -> Result<(), SignInError> {
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
