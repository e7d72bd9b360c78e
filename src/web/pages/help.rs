//! Help: questions and hosting, how to reach the office, the naming rules in force, and a letter to copy.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use super::parts::full_name;
use crate::queue::regions::Level;
use crate::queue::{Naming, NamingClass};
use crate::web::failure::Failure;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Block, Lang, Piece, Said, Words, office};

/// Where national complaints go.
pub(super) const LAPOR: &str = "https://www.lapor.go.id";
/// The national registrar of villages' names.
const DESA_ID: &str = "https://domain.go.id";

//------------ Help ----------------------------------------------------------

/// Questions, hosting, contact.
#[derive(Template)]
#[template(path = "help.html", config = "src/web/askama.toml")]
struct HelpPage {
    /// Frame.
    shell: Shell,
    /// How to reach the office: what, and its value.
    contact: Vec<(String, String)>,
    /// Questions and answers.
    faq: Vec<Block>,
    /// How to get hosting.
    hosting: Vec<Block>,
    /// Addresses elsewhere, with words.
    links: Vec<(&'static str, String)>,
}

/// `GET /bantuan`
pub(super) async fn show(visitor: Visitor) -> Result<Response, Failure> {
    let t = visitor.t;
    page(&HelpPage {
        shell: Shell::new(&visitor, t.s("help-page-title")),
        contact: contact(t),
        faq: t.blocks("faq"),
        hosting: t.blocks("hosting"),
        links: vec![(LAPOR, t.s("help-lapor")), (DESA_ID, t.s("help-desa-id"))],
    })
}

/// How to reach the office, as far as it is set.
pub(super) fn contact(t: Words) -> Vec<(String, String)> {
    let office = office();
    let address = format!("{}, {}\n{}", office.name, office.region, office.address);
    let mut contact = vec![
        (t.s("help-address"), address),
        (t.s("help-telephone"), office.telephone.clone()),
        (t.s("help-email"), office.email.clone()),
        (t.s("help-website"), office.website.clone()),
        (t.s("help-hours"), t.hours(&office.hours)),
    ];
    contact.retain(|(_, value)| !value.is_empty());
    contact
}

//------------ Naming rules --------------------------------------------------

/// A class and its form.
struct Form {
    /// The class in words.
    class: String,
    /// How names of it are made.
    pattern: String,
    /// One of them.
    example: String,
    /// What else holds, or empty.
    note: String,
}

/// The naming rules in force.
#[derive(Template)]
#[template(path = "naming.html", config = "src/web/askama.toml")]
struct NamingPage {
    /// Frame.
    shell: Shell,
    /// What the office says of them.
    text: Vec<Block>,
    /// What holds for all names.
    rules: Vec<String>,
    /// Each class.
    forms: Vec<Form>,
}

/// `GET /aturan-nama`
pub(super) async fn naming(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    let naming = state.desk().naming();
    let zone = &state.options().zone;
    let mut rules = vec![
        t.s("naming-1"),
        t.a("naming-2", "count", &naming.min_length.to_string()),
        t.s("naming-3"),
        t.s("naming-4"),
    ];
    if let Some(name) = doubled_name(&naming) {
        rules.push(t.a("naming-doubled", "name", &full_name(&name, zone)));
    }
    let forms = NamingClass::ALL.iter().map(|class| form(t, &naming, zone, *class)).collect();
    page(&NamingPage {
        shell: Shell::new(&visitor, t.s("text-naming-title")),
        text: t.blocks("naming"),
        rules,
        forms,
    })
}

/// A class with its form and an example from the lists in force.
fn form(t: Words, naming: &Naming, zone: &str, class: NamingClass) -> Form {
    let unit = |level: Level| {
        let mut units = naming.regions.of(level);
        let plain = units.find(|unit| !naming.regions.is_doubled(&unit.slug));
        plain.and_then(|unit| naming.names_of(unit).into_iter().next())
    };
    let example = match class {
        NamingClass::Desa => unit(Level::Desa),
        NamingClass::Kelurahan => unit(Level::Kelurahan),
        NamingClass::Kecamatan => unit(Level::Kecamatan),
        NamingClass::PerangkatDaerah => naming.offices.first().map(|office| office.short.clone()),
        NamingClass::Layanan | NamingClass::Uptd | NamingClass::Kegiatan | NamingClass::Ormas => {
            None
        }
    };
    let note = match class {
        NamingClass::Ormas if !naming.ormas => t.s("naming-apart"),
        NamingClass::Kegiatan | NamingClass::Ormas => t.s("naming-ends"),
        _ => String::new(),
    };
    Form {
        class: class.say(t),
        pattern: t.s(&format!("{}-hint", class.id())),
        example: example.map(|name| full_name(&name, zone)).unwrap_or_default(),
        note,
    }
}

/// The name of a village that shares its own with another.
fn doubled_name(naming: &Naming) -> Option<String> {
    let unit = naming.regions.of(Level::Desa).find(|unit| naming.regions.is_doubled(&unit.slug))?;
    naming.names_of(unit).into_iter().next()
}

//------------ Sample letter -------------------------------------------------

/// Which letter.
#[derive(Deserialize)]
pub(super) struct Which {
    /// `perubahan`, or a new request.
    #[serde(default)]
    jenis: String,
}

/// The letter, to be copied or printed.
#[derive(Template)]
#[template(path = "sample.html", config = "src/web/askama.toml")]
struct SamplePage {
    /// Frame.
    shell: Shell,
    /// The words of the letter, which is in Indonesian.
    letter: Words,
    /// What it is about.
    subject: String,
    /// What it says first.
    body: Vec<Block>,
    /// What is to be filled in.
    fields: Vec<String>,
    /// The other letter: its address and words.
    other: (&'static str, String),
}

/// `GET /contoh-surat`
pub(super) async fn sample(
    Query(which): Query<Which>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (t, letter) = (visitor.t, Words::of(Lang::Id));
    let is_change = which.jenis == "perubahan";
    let ids: &[&str] = if is_change {
        &["office", "name", "target-old", "target-new", "contact", "position", "email", "phone"]
    } else {
        &["office", "name", "purpose", "target", "contact", "position", "email", "phone"]
    };
    let body = if is_change {
        vec![Block::Paragraph(vec![Piece::Text(letter.s("sample-change-body"))])]
    } else {
        letter.blocks("sample-letter")
    };
    let other = if is_change {
        ("/contoh-surat", t.s("sample-new"))
    } else {
        ("/contoh-surat?jenis=perubahan", t.s("sample-change"))
    };
    let subject = if is_change { "sample-subject-change" } else { "sample-subject-new" };
    page(&SamplePage {
        shell: Shell::new(&visitor, t.s("text-sample-letter-title")),
        letter,
        subject: letter.s(subject),
        body,
        fields: ids.iter().map(|id| letter.s(&format!("sample-field-{id}"))).collect(),
        other,
    })
}
