//! The longer texts of the office, as its pages show them.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::params::{Asked, Form, Param, ParamTable};
use crate::words::{Lang, TEXTS, Words};

/// The languages of the texts.
const LANGUAGES: [Lang; 2] = [Lang::Id, Lang::En];

/// The parameters of the texts.
pub(super) struct Spoken;

impl ParamTable for Spoken {
    const PARAMS: &'static [Param] = &[Param::new(
        "language",
        Form::Word(|| LANGUAGES.map(Lang::tag).to_vec()),
        "Only texts in this language",
    )];
}

/// The texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Texts {
    /// Every text in each language.
    items: Vec<TextItem>,
}

/// A text of the office.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TextItem {
    /// Which it is: `legal-basis`, `requirements`, `faq`, `hosting`, `naming`, `sample-letter` and others.
    name: &'static str,
    /// The language: `id` or `en`.
    language: &'static str,
    /// Its heading.
    title: String,
    /// What it says. A blank line ends a paragraph; `# ` begins a heading, `- ` an item, `1. ` a step.
    body: String,
    /// Whether it is the one gapura was shipped with; no administrator has written another.
    shipped: bool,
}

/// The texts of the office
///
/// Legal basis, requirements, questions and answers, rules of names and the sample letter, as they are in force.
#[utoipa::path(get, path = "/texts", operation_id = "list_texts", tag = "lists",
    params(Asked<Spoken>), security(()),
    responses((status = 200, description = "Every text", body = Texts)))]
pub(super) async fn list(asked: Asked<Spoken>) -> Json<Texts> {
    let wanted = asked.text("language");
    let languages = LANGUAGES.into_iter();
    let languages = languages.filter(|lang| wanted.as_deref().is_none_or(|it| it == lang.tag()));
    let items = languages.flat_map(|lang| {
        let words = Words::of(lang);
        TEXTS.into_iter().map(move |name| {
            let body = words.text(name);
            let shipped = body == words.shipped_text(name);
            let title = words.s(&format!("text-{name}-title"));
            TextItem { name, language: lang.tag(), title, body, shipped }
        })
    });
    Json(Texts { items: items.collect() })
}
