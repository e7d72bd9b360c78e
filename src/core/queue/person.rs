//! Persons, not accounts: who acts, in which capacity, and whether two of them are one
//! (docs/procedure.md, Separate persons).

use serde::{Deserialize, Serialize};

use super::named::named;

//------------ Role ----------------------------------------------------------

named! {
    /// What a person may do. No role can set a state by hand.
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

    /// Parses a role that an account may have.
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
    /// Mail addresses, normalized.
    pub emails: Vec<String>,
    /// Mail addresses and NIPs that the account had before. They make it one with a person outside the office only: a
    /// mailbox of a post passes from one officer to the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
}

impl Identity {
    /// Normalizes the keys as given.
    pub fn new(person: Option<&str>, nip: Option<&str>, email: Option<&str>) -> Self {
        let nip = nip.map(normalize_nip).filter(|digits| !digits.is_empty());
        let emails = email.map(normalize_email).filter(|email| !email.is_empty());
        let emails = emails.into_iter().collect();
        Self { person: person.map(str::to_owned), nip, emails, former: Vec::new() }
    }

    /// Whether both are one person: the same account, NIP or mail address.
    pub fn same(&self, other: &Self) -> bool {
        let shared = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        shared(&self.person, &other.person)
            || shared(&self.nip, &other.nip)
            || self.emails.iter().any(|email| other.emails.contains(email))
            || self.was(other)
            || other.was(self)
    }

    /// Whether somebody outside the office gives a mailbox or NIP that this account had.
    fn was(&self, outside: &Self) -> bool {
        let mut given = outside.emails.iter().chain(&outside.nip);
        outside.person.is_none() && given.any(|key| self.former.contains(key))
    }
}

/// The digits in a text: how NIPs are compared.
pub fn normalize_nip(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The NIP in a text: 18 digits. People write it in groups, with blanks, dots or hyphens.
pub fn nip(text: &str) -> Option<String> {
    let grouping = |c: &char| !c.is_whitespace() && !matches!(c, '.' | '-');
    let digits: String = text.chars().filter(grouping).collect();
    (digits.len() == NIP_DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Digits of a NIP.
pub(super) const NIP_DIGITS: usize = 18;

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

/// The address itself, however its letters were typed: `A+x@B.id` may be another mailbox than `a@b.id`,
/// where `+` is part of a name.
pub fn exact_email(text: &str) -> String {
    text.trim().to_lowercase().trim_end_matches('.').to_owned()
}

/// Whether two texts name the very same mailbox, tags and all.
pub fn same_mailbox(one: &str, other: &str) -> bool {
    exact_email(one) == exact_email(other)
}

/// Whether a text is a mailbox, wherever one is filled in: what a mail can be sent to, written in
/// ASCII, so that no letter looks like another and nothing breaks a header line.
///
/// A dot-atom of at most 64 octets, `@`, and at least two labels of letters, digits and hyphens
/// (RFC 5321 §4.1.2 without quoted strings and address literals), 254 octets in total. A
/// `+tag` needs text before it, or every such address would normalize to the same mailbox.
pub fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom = |atom: &str| {
        let plain = |c: char| c.is_ascii_graphic() && !"<>(),;:\"\\[]@".contains(c);
        !atom.is_empty() && atom.chars().all(plain)
    };
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && local.len() <= 64
        && !local.starts_with('+')
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// Whether a text is a telephone number as people write one: five digits or more, with blanks, hyphens, dots,
/// brackets and slashes between them, `+` in front, and `ext` before an extension.
pub fn is_phone(text: &str) -> bool {
    let lower = text.to_lowercase();
    let bare = lower.replace("ext.", " ").replace("ext", " ");
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    (5..=20).contains(&digits) && bare.chars().all(|c| c.is_ascii_digit() || " +-.()/,".contains(c))
}

//------------ ActingOfficial ------------------------------------------------

/// *Plh.* or *Plt.*: someone holding an officer's role for a time, recorded by the head.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ActingOfficial {
    /// The role taken over, with its limits.
    pub role: Role,
    /// The person id of the officer they stand in for.
    pub holder: String,
    /// First moment, epoch milliseconds.
    pub starts: i64,
    /// First moment after the appointment, epoch milliseconds.
    pub ends: i64,
    /// The number of the letter of appointment.
    pub letter: String,
}

impl ActingOfficial {
    /// Whether the appointment is in force at `now`.
    pub fn in_force(&self, now: i64) -> bool {
        self.starts <= now && now < self.ends
    }
}

//------------ Actor ---------------------------------------------------------

/// Who acts, as `people` knows them in this transaction.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// The account name, for people to read; for an applicant the contact's name.
    pub name: String,
    /// What distinguishes persons.
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

    /// Whether a signature this person gave still counts: the account is enabled, and the role it was
    /// given in was not taken away. An appointment may have run out since, but not been ended early.
    pub fn still_signs(&self, signature: &Signature) -> bool {
        let held = signature.acting.as_ref().is_some_and(|held| self.acting.contains(held));
        !self.disabled
            && self.identity.person == signature.identity.person
            && (held || self.roles.contains(&signature.role))
    }

    /// The actor's signature in the first of these roles that they hold at `now`.
    pub fn capacity_in(&self, roles: &[Role], now: i64) -> Option<Signature> {
        roles.iter().find_map(|role| self.capacity(*role, now))
    }

    /// The actor's signature in `role` at `now`, if they hold that role themselves or for another.
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

/// Who did something, in which role, and when, as kept on the request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Signature {
    /// The account name.
    pub name: String,
    /// What distinguishes persons.
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

    /// The signature without name and mailbox, if somebody outside the office gave it.
    pub fn without_applicant(self) -> Self {
        if self.role != Role::Applicant {
            return self;
        }
        Self { name: String::new(), identity: Identity::default(), ..self }
    }

    /// Whether one person is behind both: the same one, or one who stood in for the other.
    pub fn is_one_with(&self, other: &Self) -> bool {
        self.identity.same(&other.identity) || self.stands_for(other) || other.stands_for(self)
    }

    /// Whether it was given in the place of the other's person.
    fn stands_for(&self, other: &Self) -> bool {
        let holder = self.acting.as_ref().map(|held| held.holder.as_str());
        holder.is_some_and(|holder| !holder.is_empty() && holder == other.person())
    }
}

/// Texts that form, API and account management must judge alike; the tests of each use them.
#[cfg(any(test, feature = "testing"))]
pub mod samples {
    /// Mailboxes.
    pub const MAILBOXES: [&str; 5] = [
        "desa@sindangjawa.desa.id",
        "A+surat@x.id",
        "o'brien_{x}!#$%&*/=?^`|~-@a-b.co",
        "1@2.3",
        "a.b.c@1a.id",
    ];
    /// Texts that are no mailbox.
    pub const NO_MAILBOXES: [&str; 19] = [
        "a",
        "@",
        "a@b",
        "@b.id",
        "+x@b.id",
        "a@",
        "a@.id",
        "a@b.",
        "a@b..id",
        "a@b@c.id",
        "a b@c.id",
        ".a@b.id",
        "a.@b.id",
        "a..b@c.id",
        "a@-b.id",
        "a@b-.id",
        "d\u{435}sa@b.id",
        "a@b_c.id",
        "Nama <a@b.id>",
    ];
    /// One NIP, as people write it.
    pub const NIPS: [&str; 3] =
        ["198001012005011001", " 19800101 200501 1 001 ", "19800101.200501.1-001"];
    /// Texts that are no NIP.
    pub const NO_NIPS: [&str; 4] =
        ["123", "19800101200501100x", "NIP 198001012005011001", "1980010120050110012"];
}

#[cfg(test)]
mod tests {
    use super::samples::{MAILBOXES, NIPS, NO_MAILBOXES, NO_NIPS};
    use super::*;

    #[test]
    fn a_mailbox_is_what_a_mail_can_be_sent_to() {
        for text in MAILBOXES {
            assert!(is_mailbox(text), "{text}");
            assert!(is_mailbox(&normalize_email(text)), "{text}");
        }
        for text in NO_MAILBOXES {
            assert!(!is_mailbox(text), "{text}");
        }
        let local = "a".repeat(64);
        assert!(is_mailbox(&format!("{local}@b.id")) && !is_mailbox(&format!("a{local}@b.id")));
        let domain = format!("{0}.{0}.{0}.id", "b".repeat(61));
        assert!(is_mailbox(&format!("{local}@{domain}")), "{}", domain.len());
        assert!(!is_mailbox(&format!("{local}@b.{domain}")));
    }

    #[test]
    fn a_nip_has_18_digits_in_groups_or_not() {
        for text in NIPS {
            assert_eq!(nip(text).as_deref(), Some("198001012005011001"), "{text}");
            assert_eq!(normalize_nip(text), "198001012005011001");
        }
        for text in NO_NIPS {
            assert_eq!(nip(text), None, "{text}");
        }
    }
}
