//! Persons, not accounts: who acts, in which capacity, and whether two of them are one (§2.4, rule 2).

use serde::{Deserialize, Serialize};

use super::named::named;

//------------ Role ----------------------------------------------------------

named! {
    /// What a person may do. No role can set a state by hand.
    #[derive(utoipa::ToSchema)]
    pub enum Role {
        /// *Pemohon*: no account; a proven mailbox and a secret.
        Applicant = "applicant",
        /// *Kepala Bidang*: routes requests and countersigns.
        Head = "kabid",
        /// *Kasi*: checks, approves, promotes.
        Verifier = "kasi",
        /// *Admin*: runs the server, decides nothing.
        Operator = "admin",
        /// Reads everything, writes nothing.
        Auditor = "auditor",
        /// gapura itself: clocks, scheduler, recovery.
        System = "system",
    }
}

impl Role {
    /// The roles an account may have.
    pub const OFFICERS: [Self; 4] = [Self::Head, Self::Verifier, Self::Operator, Self::Auditor];

    /// The role of a word, if an account may have it.
    pub fn of_officer(word: &str) -> Option<Self> {
        Self::from_name(word).filter(|role| Self::OFFICERS.contains(role))
    }
}

//------------ Identity ------------------------------------------------------

/// What makes a person the same person under another account.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// The account's person id, if there is an account.
    pub person: Option<String>,
    /// The civil servant number: digits only.
    pub nip: Option<String>,
    /// Mail addresses, normalised.
    pub emails: Vec<String>,
}

impl Identity {
    /// Takes the keys as given and normalises them.
    pub fn new(person: Option<&str>, nip: Option<&str>, email: Option<&str>) -> Self {
        let nip = nip.map(normalize_nip).filter(|digits| !digits.is_empty());
        let emails = email.map(normalize_email).filter(|email| !email.is_empty());
        Self { person: person.map(str::to_owned), nip, emails: emails.into_iter().collect() }
    }

    /// Whether both are one person: the same account, NIP or mail address.
    pub fn same(&self, other: &Self) -> bool {
        let shared = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        shared(&self.person, &other.person)
            || shared(&self.nip, &other.nip)
            || self.emails.iter().any(|email| other.emails.contains(email))
    }
}

/// The digits of a NIP; people write it in groups.
pub fn normalize_nip(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Lower case, trimmed, without a `+tag`: `A+x@B.id` reaches the mailbox of `a@b.id`.
pub fn normalize_email(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    match lower.split_once('@') {
        Some((local, domain)) => {
            let local = local.split('+').next().unwrap_or(local);
            format!("{local}@{}", domain.trim_end_matches('.'))
        }
        None => lower,
    }
}

//------------ ActingOfficial ------------------------------------------------

/// *Plh.* or *Plt.*: someone holding an officer's role for a time, recorded by the head.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ActingOfficial {
    /// The role taken over, with its limits.
    pub role: Role,
    /// The person id of the officer stood in for.
    pub holder: String,
    /// First moment, epoch milliseconds.
    pub starts: i64,
    /// First moment it no longer holds, epoch milliseconds.
    pub ends: i64,
    /// The number of the letter of appointment.
    pub letter: String,
}

impl ActingOfficial {
    /// Whether the appointment holds at `now`.
    pub fn in_force(&self, now: i64) -> bool {
        self.starts <= now && now < self.ends
    }
}

//------------ Actor ---------------------------------------------------------

/// Who presses the button, as `people` knows them in this transaction.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// The account name, for people to read; for an applicant the contact's name.
    pub name: String,
    /// What tells persons apart.
    pub identity: Identity,
    /// Own roles.
    pub roles: Vec<Role>,
    /// Roles held for others.
    pub acting: Vec<ActingOfficial>,
    /// A disabled or deleted account makes every act fail.
    pub disabled: bool,
    /// For an applicant: the number of the request whose secret or mailbox was proven.
    pub proved: Option<String>,
}

impl Actor {
    /// An officer with one account.
    pub fn officer(name: &str, identity: Identity, roles: Vec<Role>) -> Self {
        Self {
            name: name.to_owned(),
            identity,
            roles,
            acting: Vec::new(),
            disabled: false,
            proved: None,
        }
    }

    /// The applicant who proved to hold the secret of request `number`.
    pub fn applicant(name: &str, identity: Identity, number: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            identity,
            roles: vec![Role::Applicant],
            acting: Vec::new(),
            disabled: false,
            proved: number.map(str::to_owned),
        }
    }

    /// gapura itself.
    pub fn system() -> Self {
        Self::officer("gapura", Identity::new(Some("system"), None, None), vec![Role::System])
    }

    /// The person id, or an empty text for an applicant without an account.
    pub fn person(&self) -> &str {
        self.identity.person.as_deref().unwrap_or("")
    }

    /// Whether the actor has any officer's role at `now`, own or acting.
    pub fn is_officer(&self, now: i64) -> bool {
        Role::OFFICERS.into_iter().any(|role| self.capacity(role, now).is_some())
    }

    /// The signature the actor gives in `role` at `now`, if they hold it, own or acting.
    pub fn capacity(&self, role: Role, now: i64) -> Option<Signature> {
        if self.disabled {
            return None;
        }
        let acting = self.acting.iter().find(|held| held.role == role && held.in_force(now));
        if !self.roles.contains(&role) && acting.is_none() {
            return None;
        }
        let acting = if self.roles.contains(&role) { None } else { acting.cloned() };
        Some(Signature {
            name: self.name.clone(),
            identity: self.identity.clone(),
            role,
            acting,
            at: now,
        })
    }
}

//------------ Signature -----------------------------------------------------

/// Who did something, in which role, when: what stays on the request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Signature {
    /// The account name.
    pub name: String,
    /// What tells persons apart.
    pub identity: Identity,
    /// The role in force.
    pub role: Role,
    /// Set when the role was held for another; papers then print "Plh.".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<ActingOfficial>,
    /// Epoch milliseconds.
    pub at: i64,
}

impl Signature {
    /// gapura's own signature.
    pub fn system(now: i64) -> Self {
        let Actor { name, identity, .. } = Actor::system();
        Self { name, identity, role: Role::System, acting: None, at: now }
    }

    /// The person id, or an empty text.
    pub fn person(&self) -> &str {
        self.identity.person.as_deref().unwrap_or("")
    }
}
