//! Single-use, expiring links: first administrator, invitation, password reset.
//!
//! ```text
//! issued ──used once──► account with a password of its own choosing
//!    └──time over, replaced by a newer one, its account or its maker disabled──► gone
//! ```

use super::account::{self, Account, By, NewAccount};
use super::roster::{People, end_access};
use super::secret::{self, random_token};
use super::{PeopleError, password};
use crate::digest::sha256_hex;
use crate::queue::time::DAY_MS;
use crate::queue::{Deed, Role};
use crate::store::Tx;
use crate::store::people::LinkRow;
pub use crate::store::words::LinkKind;

/// Life of an invitation, in days.
const INVITATION_DAYS: i64 = 3;

//------------ Links ---------------------------------------------------------

/// A link just made. Its token is shown once and stored only hashed.
#[derive(Clone, Debug)]
pub struct IssuedLink {
    /// The secret part.
    pub token: String,
    /// What it opens.
    pub kind: LinkKind,
    /// When it ends (epoch ms).
    pub ends_ms: i64,
}

impl IssuedLink {
    /// The path under the site's address.
    pub fn path(&self) -> String {
        format!("/tautan/{}", self.token)
    }
}

/// What the page of a link shows before it is used.
#[derive(Clone, Debug)]
pub struct LinkView {
    /// Public id, for revoking.
    pub id: String,
    /// What it opens.
    pub kind: LinkKind,
    /// The role of the account.
    pub role: Role,
    /// The e-mail it was made for; empty for the first administrator.
    pub email: String,
    /// The sign-in name, if the account exists.
    pub name: Option<String>,
    /// When it ends (epoch ms).
    pub ends_ms: i64,
}

/// What the person who follows a link fills in.
#[derive(Clone, Debug, Default)]
pub struct Redemption {
    /// The account's fields; unused by a reset, and the e-mail of an invitation is the invited one.
    pub account: NewAccount,
    /// The password of their own choosing.
    pub password: String,
}

//------------ People: links -------------------------------------------------

impl People {
    /// A fresh link for the first administrator while there is none; earlier ones end.
    pub fn first_link(&self) -> Result<Option<IssuedLink>, PeopleError> {
        if !self.lacks_admin()? {
            return Ok(None);
        }
        let link = Wanted {
            kind: LinkKind::FirstAdmin,
            person: None,
            role: Role::Operator,
            email: String::new(),
        };
        self.issue(&By::Console, |_| Ok(link)).map(Some)
    }

    /// Invites somebody into a role. An earlier invitation to the same e-mail ends.
    pub fn invite(&self, by: &By, role: Role, email: &str) -> Result<IssuedLink, PeopleError> {
        let email = account::checked_email(email)?;
        self.issue(by, |tx| {
            by.may_manage(tx)?;
            if tx.person_by_email(&email)?.is_some() {
                return Err(PeopleError::EmailTaken);
            }
            Ok(Wanted { kind: LinkKind::Invitation, person: None, role, email })
        })
    }

    /// A link by which an officer sets a new password and second factor.
    pub fn reset_link(&self, by: &By, name: &str) -> Result<IssuedLink, PeopleError> {
        self.issue(by, |tx| {
            by.may_manage(tx)?;
            let row = tx.person_by_name(name)?.ok_or(PeopleError::UnknownPerson)?;
            if row.disabled_ms.is_some() {
                return Err(PeopleError::NotAllowed);
            }
            let (role, email) = (row.role, row.email);
            Ok(Wanted { kind: LinkKind::Reset, person: Some(row.id), role, email })
        })
    }

    /// Makes and stores a link; open ones of the same kind for the same e-mail end.
    fn issue(
        &self,
        by: &By,
        wanted: impl FnOnce(&Tx<'_>) -> Result<Wanted, PeopleError>,
    ) -> Result<IssuedLink, PeopleError> {
        let token = random_token()?;
        let now = self.now_ms();
        let row = self.store.write::<_, PeopleError>(|tx| {
            let Wanted { kind, person, role, email } = wanted(tx)?;
            let days = if kind == LinkKind::Invitation { INVITATION_DAYS } else { 1 };
            let row = LinkRow {
                token_hash: sha256_hex(&token),
                kind,
                person,
                role,
                email,
                made_by: by.id().to_owned(),
                created_ms: now,
                ends_ms: now + days * DAY_MS,
                used_ms: None,
            };
            tx.end_links(kind, &row.email, now)?;
            tx.put_link(&row)?;
            let subject = row.person.as_deref().unwrap_or("");
            let facts = [("role", row.role.as_str())];
            by.leave(tx, now, made(row.kind), subject, &facts)?;
            Ok(row)
        })?;
        Ok(IssuedLink { token, kind: row.kind, ends_ms: row.ends_ms })
    }

    /// Ends an invitation or reset link that is still open.
    pub fn revoke_link(&self, by: &By, id: &str) -> Result<(), PeopleError> {
        let now = self.now_ms();
        self.store.write(|tx| {
            by.may_manage(tx)?;
            let open = tx.open_links(now)?.into_iter().find(|row| link_id(row) == id);
            let row = open.ok_or(PeopleError::LinkGone)?;
            let subject = row.person.clone().unwrap_or_default();
            let facts = [("kind", row.kind.as_str()), ("role", row.role.as_str())];
            by.leave(tx, now, Deed::LinkRevoked, &subject, &facts)?;
            Ok(tx.put_link(&LinkRow { used_ms: Some(now), ..row })?)
        })
    }

    /// Invitations and resets that can still be used.
    pub fn open_links(&self) -> Result<Vec<LinkView>, PeopleError> {
        let now = self.now_ms();
        let rows = self.store.read::<_, PeopleError>(|reader| Ok(reader.open_links(now)?))?;
        Ok(rows.iter().map(|row| view(row, None)).collect())
    }

    /// What a link opens, without using it.
    pub fn link(&self, token: &str) -> Result<LinkView, PeopleError> {
        let now = self.now_ms();
        self.store.read(|reader| {
            let row = reader.link(&sha256_hex(token))?.ok_or(PeopleError::LinkGone)?;
            usable(&row, now)?;
            if row.kind == LinkKind::FirstAdmin && reader.has_admin()? {
                return Err(PeopleError::LinkGone);
            }
            let person = match &row.person {
                Some(id) => reader.person(id)?,
                None => None,
            };
            Ok(view(&row, person.map(|person| person.name)))
        })
    }

    /// Uses a link: makes the account, or sets the new password.
    pub fn redeem(&self, token: &str, redemption: &Redemption) -> Result<Account, PeopleError> {
        let link = self.link(token)?;
        let account = match (&link.name, link.kind) {
            (Some(_), _) => NewAccount::default(),
            (None, LinkKind::FirstAdmin) => redemption.account.checked()?,
            (None, _) => {
                NewAccount { email: link.email.clone(), ..redemption.account.clone() }.checked()?
            }
        };
        let owner = match &link.name {
            Some(name) => self.by_name(name)?.as_new(),
            None => account.clone(),
        };
        password::password_fits(&redemption.password, &owner)?;
        let hash = secret::hash_password(&redemption.password)?;
        let now = self.now_ms();
        self.store.write(|tx| {
            let mut row = tx.link(&sha256_hex(token))?.ok_or(PeopleError::LinkGone)?;
            usable(&row, now)?;
            if link.kind == LinkKind::FirstAdmin && tx.has_admin()? {
                return Err(PeopleError::LinkGone);
            }
            row.used_ms = Some(now);
            tx.put_link(&row)?;
            let person = match &row.person {
                None => {
                    let person = self.insert(tx, link.role, &account, hash)?;
                    let by = By::Officer(Account::from(&person));
                    let facts = [("role", link.role.as_str()), ("invited_by", &row.made_by)];
                    by.leave(tx, now, Deed::AccountMade, &person.id, &facts)?;
                    person
                }
                Some(id) => {
                    let mut person = tx.person(id)?.ok_or(PeopleError::LinkGone)?;
                    if person.disabled_ms.is_some() {
                        return Err(PeopleError::LinkGone);
                    }
                    person.password = Some(hash);
                    person.totp_secret = None;
                    tx.put_person(&person)?;
                    end_access(tx, &person, now)?;
                    let by = By::Officer(Account::from(&person));
                    by.leave(tx, now, Deed::PasswordReset, &person.id, &[("by", &row.made_by)])?;
                    person
                }
            };
            Ok(Account::from(&person))
        })
    }
}

/// What a link is to open.
struct Wanted {
    /// What it is for.
    kind: LinkKind,
    /// The account it is for, if there is one.
    person: Option<String>,
    /// The role of the account.
    role: Role,
    /// The e-mail it is made for.
    email: String,
}

/// The public id of a link, for revoking.
fn link_id(row: &LinkRow) -> String {
    row.token_hash.chars().take(12).collect()
}

/// Whether a link can still be used.
fn usable(row: &LinkRow, now_ms: i64) -> Result<(), PeopleError> {
    let open = row.used_ms.is_none() && now_ms < row.ends_ms;
    if open { Ok(()) } else { Err(PeopleError::LinkGone) }
}

/// What may be shown of a link.
fn view(row: &LinkRow, name: Option<String>) -> LinkView {
    LinkView {
        id: link_id(row),
        kind: row.kind,
        role: row.role,
        email: row.email.clone(),
        name,
        ends_ms: row.ends_ms,
    }
}

/// The deed of making a link of a kind.
fn made(kind: LinkKind) -> Deed {
    match kind {
        LinkKind::FirstAdmin => Deed::LinkFirstAdmin,
        LinkKind::Invitation => Deed::LinkInvitation,
        LinkKind::Reset => Deed::LinkReset,
    }
}
