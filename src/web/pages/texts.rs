//! Texts of pages and papers, for the administrator: each in each language, with a preview before it is saved
//! and a way back to the shipped one.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::sign_in::proof_first;
use crate::desk::{ActError, TEXT_MAX};
use crate::people::Role;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Block, Lang, Piece, TEXTS, Words, blocks, is_text, lang_of, set_texts};

/// Where the list is.
const PLACE: &str = "/pengaturan/teks";

/// One text in one language.
struct Row {
    /// Its title.
    title: String,
    /// The language.
    language: String,
    /// Whether it is as shipped.
    state: String,
    /// Where it is edited.
    place: String,
}

/// The list.
#[derive(Template)]
#[template(path = "texts.html", config = "src/web/askama.toml")]
struct ListPage {
    /// Frame.
    shell: Shell,
    /// What was done just now, or empty.
    done: String,
    /// Every text.
    rows: Vec<Row>,
}

/// One text, being edited.
#[derive(Template)]
#[template(path = "text.html", config = "src/web/askama.toml")]
struct TextPage {
    /// Frame.
    shell: Shell,
    /// The language in words.
    language: String,
    /// Its tag.
    tag: &'static str,
    /// What is not saved yet, as it will look.
    preview: Vec<Block>,
    /// The form.
    form: Form,
    /// Whether it is not as shipped.
    is_own: bool,
}

/// What was done just now.
#[derive(Deserialize)]
pub(super) struct Done {
    /// `simpan` or `bawaan`.
    #[serde(default)]
    hasil: String,
}

/// `GET /pengaturan/teks`
pub(super) async fn list(
    Extract(state): Extract<State>,
    Query(done): Query<Done>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Operator])?, &visitor)?;
    let t = visitor.t;
    let own = state.work(|state| state.desk().texts()).await??;
    let mut rows = Vec::new();
    for name in TEXTS {
        for lang in [Lang::Id, Lang::En] {
            let changed = own.iter().find(|row| row.name == name && row.language == lang.tag());
            let when = changed.map(|row| t.date_time(row.changed_ms));
            rows.push(Row {
                title: t.s(&format!("text-{name}-title")),
                language: language_words(t, lang),
                state: when
                    .map_or_else(|| t.s("texts-shipped"), |it| t.a("texts-own", "when", &it)),
                place: format!("{PLACE}/{name}/{}", lang.tag()),
            });
        }
    }
    let done = match done.hasil.as_str() {
        "simpan" => t.s("texts-saved"),
        "bawaan" => t.s("texts-restored"),
        _ => String::new(),
    };
    page(&ListPage { shell: Shell::new(&visitor, t.s("texts-title")), done, rows })
}

/// `GET /pengaturan/teks/{name}/{lang}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((name, tag)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Operator])?, &visitor)?;
    let lang = known(&name, &tag)?;
    let text = Words::of(lang).text(&name);
    let form = form(&visitor, &name, lang, &text);
    page(&text_page(&visitor, &name, lang, form, Vec::new()))
}

/// `POST /pengaturan/teks/{name}/{lang}`: saves, shows a preview, or goes back to the shipped one.
pub(super) async fn save(
    Extract(state): Extract<State>,
    Path((name, tag)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let session = visitor.need(&[Role::Operator])?;
    proof_first(&state, session, visitor)?;
    let lang = known(&name, &tag)?;
    let text = sent.get("body").replace("\r\n", "\n");
    let edited = form(visitor, &name, lang, &text);
    if sent.get("lanjut") == "pratinjau" {
        return page(&text_page(visitor, &name, lang, edited, blocks(&text)));
    }
    let restores = sent.get("lanjut") == "bawaan";
    let t = visitor.t;
    let fault = if restores {
        None
    } else if text.is_empty() {
        edited.fields.first().map(|field| field.asks(t))
    } else {
        (text.chars().count() > TEXT_MAX).then(|| t.s("texts-long"))
    };
    if let Some(fault) = fault {
        let again = text_page(visitor, &name, lang, edited.fault("body", fault), Vec::new());
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let (actor, tag) = (session.actor(), lang.tag());
    // What is as shipped follows the next version.
    let is_shipped = text == Words::of(lang).shipped_text(&name);
    let body = (!restores && !is_shipped).then_some(text);
    let job = move |state: &State| {
        state.desk().set_text(&name, tag, body.as_deref(), &actor)?;
        use_texts(state.desk())
    };
    state.work(job).await??;
    Ok(see_other(&format!("{PLACE}?hasil={}", if restores { "bawaan" } else { "simpan" })))
}

/// Uses the texts that are kept.
pub(in crate::web) fn use_texts(desk: &crate::desk::Desk) -> Result<(), ActError> {
    let own = desk.texts()?.into_iter();
    set_texts(own.map(|row| (row.name, row.language, row.body)));
    Ok(())
}

/// The language of a text there is.
fn known(name: &str, tag: &str) -> Result<Lang, Failure> {
    lang_of(tag).filter(|_| is_text(name)).ok_or_else(Failure::not_found)
}

/// A language in words.
fn language_words(t: Words, lang: Lang) -> String {
    t.s(&format!("texts-{}", lang.tag()))
}

/// The form of a text.
fn form(visitor: &Visitor, name: &str, lang: Lang, text: &str) -> Form {
    let t = visitor.t;
    let action = format!("{PLACE}/{name}/{}", lang.tag());
    let body = Field::line(t, "body", "texts-body").input(Input::Area).value(text);
    Form::new(&action, &visitor.csrf, t.s("texts-save"))
        .field(body)
        .other("pratinjau", t.s("texts-preview"))
}

/// The page of a text.
fn text_page(
    visitor: &Visitor,
    name: &str,
    lang: Lang,
    form: Form,
    preview: Vec<Block>,
) -> TextPage {
    let t = visitor.t;
    let words = Words::of(lang);
    TextPage {
        shell: Shell::new(visitor, t.s(&format!("text-{name}-title"))).faulty(form.is_faulty()),
        language: language_words(t, lang),
        tag: lang.tag(),
        preview,
        form,
        is_own: words.text(name) != words.shipped_text(name),
    }
}
