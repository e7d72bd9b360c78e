//! Personal API tokens: scopes, network, end date, unused limit.
//!
//! A token acts as its owner, never as more: whatever the owner's role may not do, the token may
//! not either, and the scope narrows it further.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::account::{Account, By};
use super::enrolment::OldProof;
use super::roster::{People, note_unwritten};
use super::secret::random_token;
use super::tries::Origin;
use super::{PeopleError, SignInError};
use crate::audit::random;
use crate::digest::{hex, sha256_hex};
use crate::queue::time::{DAY_MS, is_recent};
use crate::queue::{Actor, Deed};
use crate::store::StoreError;
use crate::store::people::TokenRow;

/// Prefix by which a leaked token is recognized.
const PREFIX: &str = "gpr_";
/// The last use is written down at most this often.
const USED_EVERY_MS: i64 = 3_600_000;

//------------ Scopes --------------------------------------------------------

/// One thing a token may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// See requests, records and events.
    Read,
    /// Send requests in.
    Submit,
    /// Act on requests as its officer.
    Decide,
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scopes {
    /// May see.
    pub read: bool,
    /// May send in.
    pub submit: bool,
    /// May act.
    pub decide: bool,
}

impl Scope {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Decide => "decide",
        }
    }
}

impl Scopes {
    /// The word of each scope.
    pub const WORDS: [&str; 3] = ["read", "submit", "decide"];

    /// The scopes in the set.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        [Scope::Read, Scope::Submit, Scope::Decide].into_iter().filter(move |it| self.has(*it))
    }

    /// Whether the scope is in the set.
    pub fn has(self, scope: Scope) -> bool {
        match scope {
            Scope::Read => self.read,
            Scope::Submit => self.submit,
            Scope::Decide => self.decide,
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&on.join(","))
    }
}

impl FromStr for Scopes {
    type Err = PeopleError;

    fn from_str(text: &str) -> Result<Self, PeopleError> {
        let mut scopes = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "read" => scopes.read = true,
                "submit" => scopes.submit = true,
                "decide" => scopes.decide = true,
                _ => return Err(PeopleError::BadScope),
            }
        }
        Ok(scopes)
    }
}

//------------ Tokens --------------------------------------------------------

/// What a new token is made of.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for, in its owner's words.
    pub label: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Only from this network (`address/length`), if set.
    pub network: Option<String>,
    /// Life in days; none means the longest allowed.
    pub days: Option<i64>,
}

/// A token just made. The secret is shown once and stored only hashed.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// Public id, for revoking.
    pub id: String,
    /// The secret.
    pub token: String,
    /// When it ends (epoch ms).
    pub ends_ms: i64,
}

/// What may be shown of a token.
#[derive(Clone, Debug)]
pub struct TokenView {
    /// Public id.
    pub id: String,
    /// Owner's person id.
    pub person: String,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Network it is bound to.
    pub network: Option<String>,
    /// When it was made (epoch ms).
    pub created_ms: i64,
    /// When it ends (epoch ms).
    pub ends_ms: i64,
    /// Last use (epoch ms).
    pub used_ms: Option<i64>,
    /// Whether it works now.
    pub live: bool,
}

/// Who a bearer token speaks for.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Its officer.
    pub account: Account,
    /// What the token may do.
    pub scopes: Scopes,
    /// The token's public id, for the event.
    pub token_id: String,
    /// Its officer as the procedure sees them, with the roles taken over just now.
    actor: Actor,
}

impl Bearer {
    /// The person as the procedure sees them.
    pub fn actor(&self) -> Actor {
        self.actor.clone()
    }
}

//------------ People: tokens ------------------------------------------------

impl People {
    /// Makes a token for the person who gives this password and, where a second factor is set up, a
    /// code of it: a token outlives the session it was made in.
    pub fn create_token(
        &self,
        name: &str,
        proof: OldProof<'_>,
        new: &NewToken,
        origin: &Origin,
    ) -> Result<IssuedToken, PeopleError> {
        let person = self.proven_person(name, proof.password, origin)?;
        let none = new.scopes == Scopes::default();
        let days = new.days.unwrap_or(self.options.token_days_max);
        if none || !(1..=self.options.token_days_max).contains(&days) {
            return Err(PeopleError::BadToken(self.options.token_days_max));
        }
        if new.scopes.decide && !self.options.decide_tokens {
            return Err(PeopleError::DecideOff);
        }
        new.network.as_deref().map(network).transpose()?;
        let token = format!("{PREFIX}{}", random_token()?);
        let now = self.now_ms();
        let row = TokenRow {
            id: format!("t-{}", hex(&random::<6>()?)),
            token_hash: sha256_hex(&token),
            person: person.id.clone(),
            label: new.label.trim().chars().take(80).collect(),
            scopes: new.scopes.to_string(),
            network: new.network.clone(),
            created_ms: now,
            ends_ms: now + days * DAY_MS,
            used_ms: None,
            revoked_ms: None,
        };
        let by = By::Officer(Account::from(&person));
        self.store.write::<_, PeopleError>(|tx| {
            // As the database knows them now: the account may have been switched off meanwhile.
            let person = tx.person(&row.person)?.filter(|it| it.disabled_ms.is_none());
            let mut person = person.ok_or(PeopleError::WrongPassword)?;
            if person.totp_secret.is_some() {
                self.use_code(&mut person, proof.code, origin).map_err(|error| match error {
                    SignInError::Wrong => PeopleError::WrongCode,
                    error => error.into(),
                })?;
                tx.put_person(&person)?;
            }
            tx.put_token(&row)?;
            let facts = [("token", row.id.as_str()), ("scopes", row.scopes.as_str())];
            by.leave(tx, now, Deed::TokenMade, &row.person, &facts)
        })?;
        Ok(IssuedToken { id: row.id, token, ends_ms: row.ends_ms })
    }

    /// Who a bearer token speaks for; none if it is unknown, over, revoked or from elsewhere.
    pub fn bearer(&self, token: &str, from: IpAddr) -> Result<Option<Bearer>, PeopleError> {
        let hash = sha256_hex(token);
        let found = self.store.read::<_, PeopleError>(|reader| {
            let Some(token) = reader.token_by_hash(&hash)? else { return Ok(None) };
            let person = reader.acting_person(&token.person)?;
            Ok(person.map(|person| (token, person, reader.acting_officials())))
        })?;
        let Some((row, person, acting)) = found else { return Ok(None) };
        let now = self.now_ms();
        let account = Account::from(&person);
        let near = row.network.as_deref().is_none_or(|text| {
            network(text).is_ok_and(|network| network.contains(&from.to_canonical()))
        });
        if !self.is_live(&row, now) || !account.enabled || !near {
            return Ok(None);
        }
        if row.used_ms.is_none_or(|used| !is_recent(used, now, USED_EVERY_MS)) {
            note_unwritten(self.store.write::<_, StoreError>(|tx| tx.used_token(&row.id, now)));
        }
        let mut scopes = row.scopes.parse::<Scopes>()?;
        scopes.decide &= self.options.decide_tokens;
        let actor = self.actor_now(&person, &acting?);
        Ok(Some(Bearer { account, scopes, token_id: row.id, actor }))
    }

    /// Tokens of one person, or of all.
    pub fn tokens(&self, person: Option<&str>) -> Result<Vec<TokenView>, PeopleError> {
        let now = self.now_ms();
        let rows = self.store.read::<_, PeopleError>(|reader| Ok(reader.tokens()?))?;
        let wanted = rows.into_iter().filter(|row| person.is_none_or(|id| id == row.person));
        wanted.map(|row| self.token_view(row, now)).collect()
    }

    /// Ends a token: its owner, an administrator or the console.
    pub fn revoke_token(&self, by: &By, id: &str) -> Result<(), PeopleError> {
        let now = self.now_ms();
        self.store.write(|tx| {
            let row = tx.tokens()?.into_iter().find(|row| row.id == id);
            let mut row = row.ok_or(PeopleError::UnknownToken)?;
            if by.id() != row.person {
                by.may_manage(tx)?;
            }
            row.revoked_ms.get_or_insert(now);
            tx.put_token(&row)?;
            by.leave(tx, now, Deed::TokenRevoked, &row.person, &[("token", &row.id)])
        })
    }

    /// Whether a token still works at this time.
    fn is_live(&self, row: &TokenRow, now_ms: i64) -> bool {
        // Whichever is right: one of them may have been written by a clock that ran ahead.
        let most = self.options.token_unused_days * DAY_MS;
        let mut times = row.used_ms.into_iter().chain([row.created_ms]);
        let unused = !times.any(|at| is_recent(at, now_ms, most));
        row.revoked_ms.is_none() && now_ms < row.ends_ms && !unused
    }

    /// What may be shown of a row.
    fn token_view(&self, row: TokenRow, now_ms: i64) -> Result<TokenView, PeopleError> {
        Ok(TokenView {
            live: self.is_live(&row, now_ms),
            scopes: row.scopes.parse()?,
            id: row.id,
            person: row.person,
            label: row.label,
            network: row.network,
            created_ms: row.created_ms,
            ends_ms: row.ends_ms,
            used_ms: row.used_ms,
        })
    }
}

//------------ Network -------------------------------------------------------

/// The network of a text `address/length`.
fn network(text: &str) -> Result<IpNet, PeopleError> {
    let (address, length) = text.split_once('/').ok_or(PeopleError::BadNetwork)?;
    let address: IpAddr = address.trim().parse().map_err(|_| PeopleError::BadNetwork)?;
    let length = length.trim().parse().map_err(|_| PeopleError::BadNetwork)?;
    IpNet::new(address, length).map_err(|_| PeopleError::BadNetwork)
}
