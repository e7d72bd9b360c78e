//! The people of a demonstration: accounts of each role, with password, second factor and token.

use std::collections::HashMap;

use anyhow::Context;
use data_encoding::BASE32_NOPAD;
use serde::Serialize;

use super::past;
use super::script::Person;
use crate::audit::random;
use crate::desk::Desk;
use crate::people::{Account, ActingStyle, By, NewAccount, NewActing, NewToken, OldProof};
use crate::people::{Origin, People, Role};
use crate::publish::now_ms;
use crate::queue::Actor;
use crate::queue::time::{DAY_MS, MINUTE_MS};

/// Random octets of a password.
const PASSWORD_OCTETS: usize = 10;
/// When the head is away, counted in days from now.
const AWAY: (i64, i64) = (10, 15);

/// An account, with what it takes to sign in.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// The name to sign in with.
    pub name: String,
    /// Their name.
    pub full_name: String,
    /// Their role.
    pub role: String,
    /// The secret of the second factor, as an authenticator takes it.
    pub totp_secret: String,
    /// The same as an address.
    pub totp_url: String,
    /// A personal token for the API.
    pub token: String,
}

/// The people while the script is played.
pub(super) struct Cast {
    /// Accounts, sessions and tokens.
    people: People,
    /// The accounts, by name.
    accounts: HashMap<String, Account>,
    /// The password of all of them.
    pub(super) password: String,
}

impl Cast {
    /// Hires everybody.
    pub(super) fn hire(people: People, persons: &[Person]) -> anyhow::Result<Self> {
        let octets = BASE32_NOPAD.encode(&random::<PASSWORD_OCTETS>()?).to_lowercase();
        let groups: Vec<&str> =
            octets.as_bytes().chunks(4).filter_map(|group| str::from_utf8(group).ok()).collect();
        let password = groups.join("-");
        let mut accounts = HashMap::new();
        for person in persons {
            let new = NewAccount {
                name: person.name.clone(),
                full_name: person.full_name.clone(),
                title: person.title.clone(),
                email: person.email.clone(),
                rank: person.rank.clone(),
                nip: person.nip.clone(),
            };
            let account = people.add(&By::Console, person.role, &new, &password)?;
            accounts.insert(person.name.clone(), account);
        }
        Ok(Self { people, accounts, password })
    }

    /// Somebody, as the desk knows them.
    pub(super) fn actor(&self, desk: &Desk, name: &str) -> anyhow::Result<Actor> {
        let account =
            self.accounts.get(name).with_context(|| format!("nobody is called {name}"))?;
        desk.actor(&account.id)?.with_context(|| format!("{name} has no account"))
    }

    /// The first of a role.
    pub(super) fn first(&self, role: Role) -> anyhow::Result<&Account> {
        let mut of_role: Vec<_> = self.accounts.values().filter(|it| it.role == role).collect();
        of_role.sort_by(|a, b| a.created_ms.cmp(&b.created_ms).then(a.name.cmp(&b.name)));
        of_role.first().copied().with_context(|| format!("nobody is {role}"))
    }

    /// Adds an unopened invitation and a planned absence.
    pub(super) fn look_ahead(&self) -> anyhow::Result<()> {
        let admin = By::Officer(self.first(Role::Operator)?.clone());
        self.people.invite(&admin, Role::Auditor, "auditor@inspektorat.example")?;
        let (head, verifier) = (self.first(Role::Head)?, self.first(Role::Verifier)?);
        let away = NewActing {
            name: verifier.name.clone(),
            role: Role::Head,
            holder: head.name.clone(),
            style: ActingStyle::Plh,
            letter: "800/112/Sekret".to_owned(),
            starts_ms: past::now_ms() + AWAY.0 * DAY_MS,
            ends_ms: past::now_ms() + AWAY.1 * DAY_MS,
        };
        Ok(self.people.record_acting(head, &away)?)
    }

    /// Gives everybody a second factor and a token, some minutes in the past, so that current codes are unused.
    pub(super) fn equip(&self, persons: &[Person]) -> anyhow::Result<Vec<Member>> {
        let equipped = persons.iter().map(|person| {
            let session = self.people.sign_in(&person.name, &self.password, &Origin::Console)?;
            let enrolment = self.people.begin_enrolment(&session.token)?;
            let code = code_at(&enrolment.secret, past::now_ms())?;
            let signed_in =
                self.people.finish_enrolment(&session.token, OldProof::default(), &code)?;
            self.people.sign_out(&signed_in.token)?;
            past::set(past::now_ms() + MINUTE_MS);
            let code = code_at(&enrolment.secret, past::now_ms())?;
            let decides = matches!(person.role, Role::Head | Role::Verifier);
            let scopes = if decides { "read,submit,decide" } else { "read" };
            let new = NewToken {
                label: "demonstration".to_owned(),
                scopes: scopes.parse()?,
                network: None,
                days: Some(90),
            };
            let proof = OldProof { password: &self.password, code: &code };
            let token = self.people.create_token(&person.name, proof, &new, &Origin::Console)?;
            Ok(Member {
                name: person.name.clone(),
                full_name: person.full_name.clone(),
                role: person.role.as_str().to_owned(),
                totp_secret: enrolment.secret,
                totp_url: enrolment.url,
                token: token.token,
            })
        });
        equipped.collect()
    }
}

/// The code of a second factor at a time.
fn code_at(secret: &str, at_ms: i64) -> anyhow::Result<String> {
    let key = BASE32_NOPAD.decode(secret.replace(' ', "").as_bytes())?;
    let totp = totp_rs::Builder::new().with_secret(key).build();
    let totp = totp.map_err(|error| anyhow::anyhow!("no second factor: {error}"))?;
    Ok(totp.generate(u64::try_from(at_ms / 1000)?).to_string())
}

/// The code of a second factor now.
pub fn code_now(secret: &str) -> anyhow::Result<String> {
    code_at(secret, now_ms())
}
