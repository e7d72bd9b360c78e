//! Setting up the second factor, and replacing it.
//!
//! The first one follows the password at sign-in. Whoever has one proves password and old code in the
//! same step as the first code of the new one: a session alone replaces nothing. Neither renews the
//! proof a decision asks for, and both end every other session, token and open reset link. Secrets
//! are sealed with the key outside the database.

use super::account::{Account, By};
use super::roster::{People, end_credentials};
use super::secret;
use super::sign_in::{Begun, SignedIn, Stage};
use super::tries::Origin;
use super::{PeopleError, SignInError};
use crate::digest::sha256_hex;
use crate::queue::Deed;
use crate::store::people::PersonRow;

/// A second-factor secret to be typed into an authenticator app.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Base 32 in groups of four.
    pub secret: String,
    /// The `otpauth:` address.
    pub url: String,
}

/// What a signed-in officer gives to set up another second factor.
#[derive(Clone, Copy, Debug, Default)]
pub struct OldProof<'a> {
    /// The password.
    pub password: &'a str,
    /// A code of the factor in use, if there is one.
    pub code: &'a str,
}

impl People {
    /// A secret to set up, kept with the session until its first code comes in. At the first sign-in it
    /// stays the same; later each call makes another, so that nobody else has seen the one in use.
    pub fn begin_enrolment(&self, token: &str) -> Result<Enrolment, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        if session.stage == Stage::Code {
            return Err(SignInError::Wrong);
        }
        let hash = sha256_hex(token);
        let secret = self.store.write::<_, SignInError>(|tx| {
            let mut row = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            if let Some(secret) = row.pending_secret.filter(|_| session.stage == Stage::Enrol) {
                return Ok(self.open_secret(&row.person, &secret)?);
            }
            let secret = secret::new_totp_secret()?;
            row.pending_secret = Some(self.seal_secret(&row.person, &secret)?);
            tx.put_session(&row)?;
            Ok(secret)
        })?;
        let url = secret::totp_url(&secret, &session.account.name).unwrap_or_default();
        Ok(Enrolment { secret: secret::totp_text(&secret), url })
    }

    /// Confirms the secret shown by its first code; the session becomes full. Somebody who is signed
    /// in already gives the old proof too.
    pub fn finish_enrolment(
        &self,
        token: &str,
        old: OldProof<'_>,
        code: &str,
    ) -> Result<SignedIn, SignInError> {
        let session = self.session(token)?.ok_or(SignInError::NoSession)?;
        let hash = sha256_hex(token);
        let origin = Origin::Session(hash.clone());
        match session.stage {
            Stage::Code => return Err(SignInError::Wrong),
            Stage::Enrol => {}
            Stage::Full => {
                drop(self.proven_person(&session.account.name, old.password, &origin)?);
            }
        }
        let now = self.now_ms();
        self.store.write::<_, SignInError>(|tx| {
            let kept = tx.session(&hash)?.ok_or(SignInError::NoSession)?;
            let begun = Begun::from(&kept);
            let sealed = kept.pending_secret.ok_or(SignInError::Wrong)?;
            let secret = self.open_secret(&session.account.id, &sealed)?;
            let mut row = tx.acting_person(&session.account.id)?.ok_or(SignInError::NoSession)?;
            let replaced = row.totp_secret.is_some();
            if replaced {
                self.use_code(&mut row, old.code, &origin)?;
            }
            // A wrong code of the new one costs nothing: whoever sees its secret can compute it.
            row.totp_step = secret::totp_step(&secret, code, now).ok_or(SignInError::Wrong)?;
            row.totp_secret = Some(sealed);
            tx.put_person(&row)?;
            let by = By::Officer(Account::from(&row));
            let facts = [("replaced", if replaced { "yes" } else { "no" })];
            by.leave(tx, now, Deed::SecondFactorSet, &row.id, &facts)?;
            end_credentials(tx, &row, now)?;
            self.start(tx, &row, Stage::Full, begun)
        })
    }

    /// A second-factor secret in the form in which it is kept.
    fn seal_secret(&self, person: &str, secret: &[u8]) -> Result<Vec<u8>, PeopleError> {
        Ok(self.vault.seal(&factor_of(person), secret)?)
    }

    /// The second-factor secret of a person.
    pub(super) fn open_secret(&self, person: &str, sealed: &[u8]) -> Result<Vec<u8>, PeopleError> {
        Ok(self.vault.unseal(&factor_of(person), sealed)?)
    }

    /// Seals the secrets that earlier versions kept in clear.
    pub(super) fn seal_plain_secrets(&self) -> Result<(), PeopleError> {
        let plain = |row: &PersonRow| row.totp_secret.as_ref().is_some_and(|it| is_plain(it));
        let any = self.store.read::<_, PeopleError>(|reader| {
            Ok(reader.people()?.iter().any(plain) || reader.has_plain_pending()?)
        })?;
        if !any {
            return Ok(());
        }
        self.store.write::<_, PeopleError>(|tx| {
            for mut row in tx.people()?.into_iter().filter(plain) {
                let secret = row.totp_secret.take().unwrap_or_default();
                row.totp_secret = Some(self.seal_secret(&row.id, &secret)?);
                tx.put_person(&row)?;
            }
            tx.drop_plain_pending()?;
            Ok(tx.note_erasure()?)
        })?;
        Ok(self.store.scrub()?)
    }
}

/// What a second factor's secret is sealed as.
fn factor_of(person: &str) -> String {
    format!("second factor:{person}")
}

/// Whether a secret lies in clear: a sealed one is longer.
fn is_plain(secret: &[u8]) -> bool {
    secret.len() <= secret::TOTP_BYTES
}
