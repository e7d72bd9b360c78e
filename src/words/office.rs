//! Whose pages, mails and papers these are. One program serves one office, so it is set once for the whole
//! process, and again when the settings are read again.

use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use fluent_bundle::FluentArgs;

use super::catalogue::{Lang, Words};
use crate::queue::Hours;

/// The office that speaks.
static OFFICE: LazyLock<ArcSwap<Office>> = LazyLock::new(ArcSwap::default);

//------------ Office --------------------------------------------------------

/// The office that answers for the names, as the settings say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Office {
    /// The government that it belongs to.
    pub government: String,
    /// Its name.
    pub name: String,
    /// The same as people say it.
    pub short_name: String,
    /// The region it serves.
    pub region: String,
    /// Its unit that looks after names.
    pub unit: String,
    /// Where letters are dated.
    pub place: String,
    /// Street and town.
    pub address: String,
    /// Telephone, or empty.
    pub telephone: String,
    /// Mailbox, or empty.
    pub email: String,
    /// Address of its site, or empty.
    pub website: String,
    /// The coat of arms, a PNG.
    pub coat_of_arms: Option<Arc<[u8]>>,
    /// Whether its letters are on folio sheets (215 × 330 mm) and not on A4.
    pub folio: bool,
    /// Title of the head of the unit.
    pub head: String,
    /// Title of the verifier.
    pub verifier: String,
    /// Who is responsible for personal data, or empty.
    pub privacy_officer: String,
    /// The procedure it works by, or empty.
    pub procedure: String,
    /// Its hours in an ordinary week.
    pub hours: Hours,
}

impl Office {
    /// What messages call it: the name of each variable, and its value in this language.
    pub(super) fn variables(&self, lang: Lang) -> [(&'static str, String); 15] {
        let own = String::clone;
        [
            ("office-address", own(&self.address)),
            ("office-email", own(&self.email)),
            ("office-government", own(&self.government)),
            ("office-head", own(&self.head)),
            ("office-hours", Words::of(lang).hours(&self.hours)),
            ("office-name", own(&self.name)),
            ("office-place", own(&self.place)),
            ("office-privacy", own(&self.privacy_officer)),
            ("office-procedure", own(&self.procedure)),
            ("office-region", own(&self.region)),
            ("office-short-name", own(&self.short_name)),
            ("office-telephone", own(&self.telephone)),
            ("office-unit", own(&self.unit)),
            ("office-verifier", own(&self.verifier)),
            ("office-website", own(&self.website)),
        ]
    }
}

impl Office {
    /// Its lines by the keys of the settings, as a page shows and changes them.
    pub fn lines(&self) -> Vec<(String, String)> {
        let paper = if self.folio { FOLIO } else { "a4" };
        let lines = [
            ("government", self.government.as_str()),
            ("name", &self.name),
            ("short_name", &self.short_name),
            ("region", &self.region),
            ("unit", &self.unit),
            ("place", &self.place),
            ("address", &self.address),
            ("telephone", &self.telephone),
            ("email", &self.email),
            ("website", &self.website),
            ("head", &self.head),
            ("verifier", &self.verifier),
            ("privacy_officer", &self.privacy_officer),
            ("procedure", &self.procedure),
            ("paper", paper),
        ];
        lines.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    }

    /// The same with these lines, and these hours in an ordinary week; a key that is none changes nothing.
    pub fn with_lines(&self, lines: &[(String, String)], hours: &Hours) -> Self {
        let mut office = Self { hours: hours.clone(), ..self.clone() };
        for (key, value) in lines {
            let line = match key.as_str() {
                "government" => &mut office.government,
                "name" => &mut office.name,
                "short_name" => &mut office.short_name,
                "region" => &mut office.region,
                "unit" => &mut office.unit,
                "place" => &mut office.place,
                "address" => &mut office.address,
                "telephone" => &mut office.telephone,
                "email" => &mut office.email,
                "website" => &mut office.website,
                "head" => &mut office.head,
                "verifier" => &mut office.verifier,
                "privacy_officer" => &mut office.privacy_officer,
                "procedure" => &mut office.procedure,
                "paper" => {
                    office.folio = value == FOLIO;
                    continue;
                }
                _ => continue,
            };
            line.clone_from(value);
        }
        office
    }
}

/// The folio sheet among the settings' words.
const FOLIO: &str = "f4";

/// Speaks for this office from now on.
pub fn set_office(office: Office) {
    OFFICE.store(Arc::new(office));
}

/// The office that speaks.
pub fn office() -> Arc<Office> {
    OFFICE.load_full()
}

/// Adds what messages call the office to the arguments of one.
pub(super) fn add_office(args: &mut FluentArgs<'_>, lang: Lang) {
    for (name, value) in office().variables(lang) {
        args.set(name, value);
    }
}
