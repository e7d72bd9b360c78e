//! Accounts: one person, one role, distinguished by NIP and e-mail.

use super::PeopleError;
use crate::audit::{self, NewEvent};
use crate::queue::person::{self, is_mailbox, normalize_email};
use crate::queue::{Deed, Role};
use crate::store::people::PersonRow;
use crate::store::{Reader, Tx};

//------------ Account -------------------------------------------------------

/// One account, without its secrets.
#[derive(Clone, Debug)]
pub struct Account {
    /// Stable id; events name people by it.
    pub id: String,
    /// Sign-in name.
    pub name: String,
    /// Name as papers print it.
    pub full_name: String,
    /// Jabatan as papers print it; empty means the role's own.
    pub title: String,
    /// Pangkat and golongan as papers print them.
    pub rank: Option<String>,
    /// Its one role.
    pub role: Role,
    /// Office e-mail, lower case.
    pub email: String,
    /// Employee number.
    pub nip: Option<String>,
    /// Whether it can sign in and act.
    pub enabled: bool,
    /// Whether a second factor is set up.
    pub has_totp: bool,
    /// When it was made (epoch ms).
    pub created_ms: i64,
}

impl Account {
    /// What the account was made of.
    pub(super) fn as_new(&self) -> NewAccount {
        NewAccount {
            name: self.name.clone(),
            full_name: self.full_name.clone(),
            title: self.title.clone(),
            rank: self.rank.clone(),
            email: self.email.clone(),
            nip: self.nip.clone(),
        }
    }
}

impl From<&PersonRow> for Account {
    fn from(row: &PersonRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            full_name: row.full_name.clone(),
            title: row.title.clone(),
            rank: row.rank.clone(),
            role: row.role,
            email: row.email.clone(),
            nip: row.nip.clone(),
            enabled: row.disabled_ms.is_none(),
            has_totp: row.totp_secret.is_some(),
            created_ms: row.created_ms,
        }
    }
}

//------------ NewAccount ----------------------------------------------------

/// What a new account is made of.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Sign-in name.
    pub name: String,
    /// Name as papers print it; empty means the sign-in name.
    pub full_name: String,
    /// Jabatan; may be empty.
    pub title: String,
    /// Pangkat and golongan; empty counts as none.
    pub rank: Option<String>,
    /// Office e-mail.
    pub email: String,
    /// Employee number; empty counts as none.
    pub nip: Option<String>,
}

impl NewAccount {
    /// Trims, lower-cases and tests every field; the first fault is returned.
    pub(super) fn checked(&self) -> Result<Self, PeopleError> {
        let name = self.name.trim().to_lowercase();
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (3..=40).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| known(byte) || matches!(byte, b'.' | b'_' | b'-'));
        if !fits {
            return Err(PeopleError::BadName);
        }
        let mut full_name = one_line(&self.full_name);
        if full_name.is_empty() {
            full_name.clone_from(&name);
        }
        let title = one_line(&self.title);
        let rank = self.rank.as_deref().map(one_line).filter(|rank| !rank.is_empty());
        let texts = [Some(&full_name), Some(&title), rank.as_ref()];
        if texts.into_iter().flatten().any(|text| text.chars().count() > 120) {
            return Err(PeopleError::BadFullName);
        }
        let email = checked_email(&self.email)?;
        let nip = self.nip.as_deref().filter(|text| !text.trim().is_empty());
        let nip = nip.map(|text| person::nip(text).ok_or(PeopleError::BadNip)).transpose()?;
        Ok(Self { name, full_name, title, rank, email, nip })
    }
}

/// A mailbox as it distinguishes accounts: lower case, without a tag.
pub(super) fn checked_email(text: &str) -> Result<String, PeopleError> {
    if is_mailbox(text.trim()) { Ok(normalize_email(text)) } else { Err(PeopleError::BadEmail) }
}

/// Text on one line, without control characters or double spaces.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

//------------ By ------------------------------------------------------------

/// Who changes accounts.
#[derive(Clone, Debug)]
pub enum By {
    /// Somebody at the server's own command line.
    Console,
    /// A signed-in officer.
    Officer(Account),
}

impl By {
    /// The word kept with the change: a person id, or `console`.
    pub fn id(&self) -> &str {
        match self {
            Self::Console => "console",
            Self::Officer(account) => &account.id,
        }
    }

    /// The role they act in, as events name it.
    fn role(&self) -> &'static str {
        match self {
            Self::Console => Role::Operator.as_str(),
            Self::Officer(account) => account.role.as_str(),
        }
    }

    /// Writes into the chain what they did to an account, in the change's own transaction.
    pub(super) fn leave(
        &self,
        tx: &Tx<'_>,
        now_ms: i64,
        deed: Deed,
        person: &str,
        facts: &[(&str, &str)],
    ) -> Result<(), PeopleError> {
        let subject = format!("person:{person}");
        let event = NewEvent::new(now_ms, self.id(), self.role(), deed, &subject);
        let event = facts.iter().fold(event, |event, (key, value)| event.with(key, value));
        audit::append(tx, event)?;
        Ok(())
    }

    /// Whether they may manage accounts: the console, and administrators who are so in this very
    /// transaction.
    pub(super) fn may_manage(&self, reader: &Reader<'_>) -> Result<(), PeopleError> {
        match self {
            Self::Console => Ok(()),
            Self::Officer(_) if self.holds(reader, Role::Operator)? => Ok(()),
            Self::Officer(_) => Err(PeopleError::NotAllowed),
        }
    }

    /// Whether they are an officer whose own account is enabled and has the role now.
    pub(super) fn holds(&self, reader: &Reader<'_>, role: Role) -> Result<bool, PeopleError> {
        let Self::Officer(account) = self else { return Ok(false) };
        let row = reader.person(&account.id)?;
        Ok(row.is_some_and(|row| row.role == role && row.disabled_ms.is_none()))
    }
}
