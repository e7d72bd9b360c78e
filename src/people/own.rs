//! What people change of their own account, and an administrator of another's: data, password,
//! sessions.

use super::account::{Account, By, NewAccount};
use super::enrolment::OldProof;
use super::roster::{People, end_credentials};
use super::secret;
use super::sign_in::{Begun, SignedIn};
use super::tries::Origin;
use super::{PeopleError, SignInError, password};
use crate::digest::sha256_hex;
use crate::queue::Deed;
use crate::queue::time::{MINUTE_MS, is_recent};
use crate::store::StoreError;
use crate::store::people::SessionRow;
use crate::store::words::{LinkKind, Stage};

/// Digits of a session's public id.
const ID_DIGITS: usize = 16;

/// A session that holds, as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Public id, for ending it.
    pub id: String,
    /// When it began (epoch ms).
    pub created_ms: i64,
    /// When it was used last (epoch ms).
    pub seen_ms: i64,
    /// Whether it is the one that asks.
    pub is_own: bool,
}

impl People {
    /// Changes name, jabatan, rank, mailbox and NIP of an account; its sign-in name stays.
    pub fn edit(&self, by: &By, name: &str, new: &NewAccount) -> Result<Account, PeopleError> {
        let new = NewAccount { name: name.to_owned(), ..new.clone() }.checked()?;
        let now = self.now_ms();
        self.change(name, |tx, row| {
            by.may_manage(tx)?;
            let is_other = |id: &str| id != row.id;
            if tx.person_by_email(&new.email)?.is_some_and(|it| is_other(&it.id)) {
                return Err(PeopleError::EmailTaken);
            }
            if let Some(nip) = &new.nip
                && tx.person_by_nip(nip)?.is_some_and(|it| is_other(&it.id))
            {
                return Err(PeopleError::NipTaken);
            }
            let fields = [
                ("full_name", row.full_name != new.full_name),
                ("title", row.title != new.title),
                ("rank", row.rank != new.rank),
                ("email", row.email != new.email),
                ("nip", row.nip != new.nip),
            ];
            let changed = fields.iter().filter(|(_, differs)| *differs).map(|(field, _)| *field);
            let changed = changed.collect::<Vec<_>>().join(",");
            if changed.is_empty() {
                return Ok(());
            }
            let (email, nip) = (row.email.clone(), row.nip.clone());
            // A link that lies in another mailbox opens nothing.
            if email != new.email {
                tx.end_links(LinkKind::Reset, &email, now)?;
                row.give_up(&email, now)?;
            }
            if let Some(nip) = nip.as_ref().filter(|_| nip != new.nip) {
                row.give_up(nip, now)?;
            }
            let is_same_person = email == new.email && nip == new.nip;
            let deed = if is_same_person { Deed::AccountChanged } else { Deed::IdentityChanged };
            row.full_name.clone_from(&new.full_name);
            row.title.clone_from(&new.title);
            row.rank.clone_from(&new.rank);
            row.email.clone_from(&new.email);
            row.nip.clone_from(&new.nip);
            by.leave(tx, now, deed, &row.id, &[("changed", &changed)])
        })
    }

    /// Another password for whoever is signed in and gives the old proof. Every other session, token
    /// and reset link of the account ends; the session goes on under a new token.
    pub fn change_password(
        &self,
        token: &str,
        old: OldProof<'_>,
        new: &str,
    ) -> Result<SignedIn, PeopleError> {
        let session = self.session(token)?.filter(|session| session.stage == Stage::Full);
        let session = session.ok_or(PeopleError::NotAllowed)?;
        let hash = sha256_hex(token);
        let origin = Origin::Session(hash.clone());
        drop(self.proven_person(&session.account.name, old.password, &origin)?);
        password::password_fits(new, &session.account.as_new())?;
        let hashed = secret::hash_password(new)?;
        let now = self.now_ms();
        self.store.write::<_, PeopleError>(|tx| {
            let kept = tx.session(&hash)?.ok_or(PeopleError::NotAllowed)?;
            let begun = Begun::from(&kept);
            let row = tx.acting_person(&session.account.id)?;
            let mut row =
                row.filter(|row| row.disabled_ms.is_none()).ok_or(PeopleError::NotAllowed)?;
            if row.totp_secret.is_some() {
                self.use_code(&mut row, old.code, &origin).map_err(|error| match error {
                    SignInError::Wrong => PeopleError::WrongCode,
                    error => error.into(),
                })?;
            }
            row.password = Some(hashed.clone());
            tx.put_person(&row)?;
            let by = By::Officer(Account::from(&row));
            by.leave(tx, now, Deed::PasswordReset, &row.id, &[])?;
            end_credentials(tx, &row, now)?;
            Ok(self.start(tx, &row, Stage::Full, begun)?)
        })
    }

    /// The sessions of the person of a session, the one used last first.
    pub fn sessions(&self, token: &str) -> Result<Vec<SessionView>, PeopleError> {
        let own = sha256_hex(token);
        let now = self.now_ms();
        let rows = self.store.read::<_, PeopleError>(|reader| {
            let Some(session) = reader.session(&own)? else { return Ok(Vec::new()) };
            Ok(reader.sessions_of(&session.person)?)
        })?;
        let holds = |row: &&SessionRow| {
            is_recent(row.seen_ms, now, self.options.idle_minutes * MINUTE_MS)
                && is_recent(row.created_ms, now, self.options.session_hours * 60 * MINUTE_MS)
        };
        let view = |row: &SessionRow| SessionView {
            id: public_id(row),
            created_ms: row.created_ms,
            seen_ms: row.seen_ms,
            is_own: row.token_hash == own,
        };
        Ok(rows.iter().filter(holds).map(view).collect())
    }

    /// Ends a session of the same person by its public id, or without one all others.
    pub fn end_sessions(&self, token: &str, id: Option<&str>) -> Result<usize, PeopleError> {
        let own = sha256_hex(token);
        Ok(self.store.write::<_, StoreError>(|tx| {
            let Some(session) = tx.session(&own)? else { return Ok(0) };
            let rows = tx.sessions_of(&session.person)?;
            let meant = |row: &&SessionRow| match id {
                Some(id) => public_id(row) == id,
                None => row.token_hash != own,
            };
            let mut ended = 0;
            for row in rows.iter().filter(meant) {
                tx.end_session(&row.token_hash)?;
                ended += 1;
            }
            Ok(ended)
        })?)
    }
}

/// What names a session without opening it: the hash of its hash.
fn public_id(row: &SessionRow) -> String {
    let id = sha256_hex(&row.token_hash);
    id.get(..ID_DIGITS).unwrap_or(&id).to_owned()
}
