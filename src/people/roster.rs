//! The handle [`People`], and what administrators do to accounts.

use std::sync::Arc;

use super::account::{Account, By, NewAccount};
use super::acting::end_appointments;
use super::secret::random_token;
use super::tries::Tries;
use super::{PeopleError, password, secret};
use crate::audit::{Vault, random};
use crate::digest::hex;
use crate::queue::time::DAY_MS;
use crate::queue::{Deed, Role};
use crate::store::people::PersonRow;
use crate::store::words::LinkKind;
use crate::store::{Reader, Store, StoreError, Tx};

//------------ Options -------------------------------------------------------

/// The time, in epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Whether officers need a second factor on the pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TotpRule {
    /// Set up at first sign-in, asked at each.
    #[default]
    Required,
    /// Asked only from those who set it up.
    Optional,
}

/// Settings of the room.
#[derive(Clone)]
pub struct Options {
    /// `people.totp`.
    pub totp: TotpRule,
    /// `tokens.decide`: whether personal tokens may decide.
    pub decide_tokens: bool,
    /// Longest life of a personal token, in days.
    pub token_days_max: i64,
    /// A token unused for so many days is over.
    pub token_unused_days: i64,
    /// A session unused for so many minutes is over.
    pub idle_minutes: i64,
    /// No session outlives so many hours.
    pub session_hours: i64,
    /// The time.
    pub clock: Clock,
}

impl Options {
    /// The shipped defaults with this clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            totp: TotpRule::Required,
            decide_tokens: false,
            token_days_max: 366,
            token_unused_days: 90,
            idle_minutes: 30,
            session_hours: 8,
            clock,
        }
    }
}

//------------ People --------------------------------------------------------

/// Accounts, sessions, tokens and links; clones share them.
#[derive(Clone)]
pub struct People {
    /// Where the rows are.
    pub(super) store: Store,
    /// Seals the secrets of second factors.
    pub(super) vault: Vault,
    /// Tries of names, passwords and codes.
    pub(super) tries: Arc<Tries>,
    /// Settings.
    pub(super) options: Arc<Options>,
}

impl People {
    /// The accounts kept in this database. Second factors that lie in it in clear are sealed.
    pub fn open(store: Store, vault: Vault, options: Options) -> Result<Self, PeopleError> {
        let tries = Arc::default();
        let people = Self { store, vault, tries, options: Arc::new(options) };
        people.seal_plain_secrets()?;
        Ok(people)
    }

    /// A random secret that outlives restarts, by its name; made when it is first asked for.
    pub fn web_secret(&self, name: &str) -> Result<Vec<u8>, PeopleError> {
        if let Some(kept) = self.store.read(|reader| reader.web_secret(name))? {
            return Ok(kept);
        }
        let fresh = random_token()?.into_bytes();
        self.store.write(|tx| {
            tx.put_web_secret(name, &fresh)?;
            let kept = tx.web_secret(name)?;
            kept.ok_or_else(|| StoreError::Corrupt(format!("no secret {name}")).into())
        })
    }

    /// The time now (epoch ms).
    pub fn now_ms(&self) -> i64 {
        (self.options.clock)()
    }

    /// Whether no administrator exists who could sign in.
    pub fn lacks_admin(&self) -> Result<bool, PeopleError> {
        self.store.read(|reader| Ok(!reader.has_admin()?))
    }

    /// Whether personal tokens may decide.
    pub fn decide_tokens(&self) -> bool {
        self.options.decide_tokens
    }

    /// All accounts, by sign-in name.
    pub fn list(&self) -> Result<Vec<Account>, PeopleError> {
        let rows = self.store.read::<_, PeopleError>(|reader| Ok(reader.people()?))?;
        Ok(rows.iter().map(Account::from).collect())
    }

    /// The account with this sign-in name.
    pub fn by_name(&self, name: &str) -> Result<Account, PeopleError> {
        let row = self.store.read::<_, PeopleError>(|reader| Ok(reader.person_by_name(name)?))?;
        Ok(Account::from(&row.ok_or(PeopleError::UnknownPerson)?))
    }

    /// Makes an account with a password at once (`gapura user add --password-stdin`).
    pub fn add(
        &self,
        by: &By,
        role: Role,
        new: &NewAccount,
        password: &str,
    ) -> Result<Account, PeopleError> {
        let new = new.checked()?;
        password::password_fits(password, &new)?;
        let hash = secret::hash_password(password)?;
        self.store.write(|tx| {
            by.may_manage(tx)?;
            let row = self.insert(tx, role, &new, hash)?;
            let facts = [("role", role.as_str())];
            by.leave(tx, row.created_ms, Deed::AccountAdded, &row.id, &facts)?;
            Ok(Account::from(&row))
        })
    }

    /// Switches an account off: its sessions, tokens and appointments end, and links for it and by it;
    /// switching it on again brings none of them back.
    pub fn disable(&self, by: &By, name: &str) -> Result<Account, PeopleError> {
        let now = self.now_ms();
        self.change(name, |tx, row| {
            by.may_manage(tx)?;
            keep_an_admin(tx, row)?;
            row.disabled_ms = Some(now);
            end_access(tx, row, now)?;
            end_appointments(tx, by, &row.id, now)?;
            by.leave(tx, now, Deed::AccountDisabled, &row.id, &[])
        })
    }

    /// Switches an account on again.
    pub fn enable(&self, by: &By, name: &str) -> Result<Account, PeopleError> {
        let now = self.now_ms();
        self.change(name, |tx, row| {
            by.may_manage(tx)?;
            row.disabled_ms = None;
            by.leave(tx, now, Deed::AccountEnabled, &row.id, &[])
        })
    }

    /// Gives an account another role; its sessions, tokens and appointments end, and links for it and by it.
    pub fn set_role(&self, by: &By, name: &str, role: Role) -> Result<Account, PeopleError> {
        let now = self.now_ms();
        self.change(name, |tx, row| {
            by.may_manage(tx)?;
            if role != Role::Operator {
                keep_an_admin(tx, row)?;
            }
            let facts = [("from", row.role.as_str()), ("to", role.as_str())];
            by.leave(tx, now, Deed::RoleChanged, &row.id, &facts)?;
            row.role = role;
            end_access(tx, row, now)?;
            end_appointments(tx, by, &row.id, now)
        })
    }

    /// Drops sessions and form keys that are over; for a timer.
    pub fn sweep(&self) -> Result<(), PeopleError> {
        let now = self.now_ms();
        let idle = now - self.options.idle_minutes * 60_000;
        let started = now - self.options.session_hours * 3_600_000;
        self.store.write(|tx| Ok(tx.sweep_people(idle, started, now - DAY_MS)?))
    }

    /// Ends all sessions, tokens, invitations and reset links: after an older state was put back, those that had been
    /// ended since would be good again. Returns how many of each, links last.
    pub fn end_all_access(&self, tx: &Tx<'_>) -> Result<[usize; 3], PeopleError> {
        Ok(tx.end_all_access(self.now_ms())?)
    }

    /// Changes one account in a transaction.
    pub(super) fn change(
        &self,
        name: &str,
        work: impl FnOnce(&Tx<'_>, &mut PersonRow) -> Result<(), PeopleError>,
    ) -> Result<Account, PeopleError> {
        self.store.write(|tx| {
            let mut row = tx.person_by_name(name)?.ok_or(PeopleError::UnknownPerson)?;
            work(tx, &mut row)?;
            tx.put_person(&row)?;
            Ok(Account::from(&row))
        })
    }

    /// Inserts an account whose fields were checked, unless it is somebody already known.
    pub(super) fn insert(
        &self,
        tx: &Tx<'_>,
        role: Role,
        new: &NewAccount,
        password: String,
    ) -> Result<PersonRow, PeopleError> {
        if tx.person_by_name(&new.name)?.is_some() {
            return Err(PeopleError::NameTaken);
        }
        if tx.person_by_email(&new.email)?.is_some() {
            return Err(PeopleError::EmailTaken);
        }
        if let Some(nip) = &new.nip
            && tx.person_by_nip(nip)?.is_some()
        {
            return Err(PeopleError::NipTaken);
        }
        let row = PersonRow {
            id: format!("p-{}", hex(&random::<8>()?)),
            name: new.name.clone(),
            full_name: new.full_name.clone(),
            title: new.title.clone(),
            rank: new.rank.clone(),
            role,
            email: new.email.clone(),
            nip: new.nip.clone(),
            disabled_ms: None,
            password: Some(password),
            totp_secret: None,
            totp_step: 0,
            created_ms: self.now_ms(),
            former: None,
        };
        tx.put_person(&row)?;
        Ok(row)
    }
}

/// Ends what rests on the credentials of an account: its sessions, tokens and open reset links.
pub(super) fn end_credentials(
    tx: &Tx<'_>,
    row: &PersonRow,
    now_ms: i64,
) -> Result<(), PeopleError> {
    tx.end_sessions_of(&row.id)?;
    tx.end_tokens_of(&row.id, now_ms)?;
    Ok(tx.end_links(LinkKind::Reset, &row.email, now_ms)?)
}

/// Ends what rests on an account as a whole: its credentials, and the open links it made for others.
pub(super) fn end_access(tx: &Tx<'_>, row: &PersonRow, now_ms: i64) -> Result<(), PeopleError> {
    end_credentials(tx, row, now_ms)?;
    Ok(tx.end_links_made_by(&row.id, now_ms)?)
}

/// Refuses to take away the last administrator who can still sign in.
fn keep_an_admin(reader: &Reader<'_>, row: &PersonRow) -> Result<(), PeopleError> {
    let is_admin = |row: &PersonRow| row.role == Role::Operator && row.disabled_ms.is_none();
    let others =
        reader.people()?.iter().filter(|other| other.id != row.id && is_admin(other)).count();
    if is_admin(row) && others == 0 { Err(PeopleError::LastAdmin) } else { Ok(()) }
}

/// Logs that the last use of a session or token was not written. It need not be: a disk that cannot be
/// written must not keep anybody from reading.
pub(super) fn note_unwritten(written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(%error, "the last use of a session or token could not be written");
    }
}
