//! Help: questions and hosting, how to reach the office, the naming rules in force, and a letter to copy.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::parts::full_name;
use crate::paper::{Field, PageSize, Sample, SamplePart, sample_html};
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

/// The letter, to be copied, printed or fetched.
#[derive(Template)]
#[template(path = "sample.html", config = "src/web/askama.toml")]
struct SamplePage {
    /// Frame.
    shell: Shell,
    /// The letter as safe HTML.
    letter: String,
    /// Where its PDF is.
    file: String,
    /// The other letter: its address and words.
    other: (&'static str, String),
}

/// `GET /contoh-surat`
pub(super) async fn sample(
    Query(which): Query<Which>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    let is_change = which.jenis == CHANGE;
    let other = if is_change {
        ("/contoh-surat", t.s("sample-new"))
    } else {
        ("/contoh-surat?jenis=perubahan", t.s("sample-change"))
    };
    page(&SamplePage {
        shell: Shell::new(&visitor, t.s("text-sample-letter-title")),
        letter: sample_html(&letter(is_change)),
        file: other_kind("/contoh-surat.pdf", is_change),
        other,
    })
}

/// `GET /contoh-surat.pdf`
pub(super) async fn sample_file(
    Extract(state): Extract<State>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let pdf = state.sample(letter(which.jenis == CHANGE)).await?;
    let headers = [
        (CONTENT_TYPE, "application/pdf"),
        (CONTENT_DISPOSITION, "attachment; filename=\"contoh-surat.pdf\""),
    ];
    Ok((headers, pdf.to_vec()).into_response())
}

/// The query value of the letter about a change.
const CHANGE: &str = "perubahan";

/// The address of a letter of this kind.
fn other_kind(place: &str, is_change: bool) -> String {
    if is_change { format!("{place}?jenis={CHANGE}") } else { place.to_owned() }
}

/// The letter, in Indonesian in any case.
fn letter(is_change: bool) -> Sample {
    let t = Words::of(Lang::Id);
    let dots = |count: usize| ".".repeat(count);
    let asked: &[&str] = if is_change {
        &["office", "name", "target-old", "target-new", "contact", "position", "email", "phone"]
    } else {
        &["office", "name", "purpose", "target", "contact", "position", "email", "phone"]
    };
    let subject = if is_change { "sample-subject-change" } else { "sample-subject-new" };
    let fields = [
        ("sample-number", ".... / .... / ....".to_owned()),
        ("sample-nature", t.s("sample-nature-value")),
        ("sample-attachment", "-".to_owned()),
        ("sample-subject", t.s(subject)),
    ];
    Sample {
        size: if office().folio { PageSize::F4 } else { PageSize::A4 },
        title: format!("{}: {}", t.s("text-sample-letter-title"), t.s(subject)),
        head: t.s("sample-head"),
        place_and_date: t.s("sample-place-date"),
        fields: fields.into_iter().map(|(id, value)| Field::new(t.s(id), value)).collect(),
        to: ["sample-to", "sample-to-1", "sample-to-2"].map(|id| t.s(id)).into(),
        body: if is_change {
            vec![SamplePart::Paragraph(t.s("sample-change-body"))]
        } else {
            t.blocks("sample-letter").into_iter().map(sample_part).collect()
        },
        asked: asked
            .iter()
            .map(|id| Field::new(t.s(&format!("sample-field-{id}")), dots(44)))
            .collect(),
        end: ["sample-duty", "sample-thanks"].map(|id| t.s(id)).into(),
        signer: t.s("sample-sign-1"),
        space: t.s("sample-sign-2"),
        name: t.s("sample-sign-3"),
        foot: t.s("sample-foot"),
    }
}

/// A part of the text that an administrator may write.
fn sample_part(block: Block) -> SamplePart {
    let line = |pieces: Vec<Piece>| -> String {
        let text = |piece| match piece {
            Piece::Text(text) | Piece::Link(text) => text,
        };
        pieces.into_iter().map(text).collect()
    };
    let list = |numbered: bool, items: Vec<Vec<Piece>>| SamplePart::List {
        numbered,
        items: items.into_iter().map(line).collect(),
    };
    match block {
        Block::Heading(text) => SamplePart::Paragraph(text),
        Block::Paragraph(pieces) => SamplePart::Paragraph(line(pieces)),
        Block::List(items) => list(false, items),
        Block::Steps(items) => list(true, items),
    }
}
