//! The service page, the privacy page, and the language switch.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use super::help::{LAPOR, contact};
use crate::web::failure::Failure;
use crate::web::redirect::see_other_with;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Block, Lang, Piece, office};

/// The seven headings of a standar pelayanan.
#[derive(Template)]
#[template(path = "home.html", config = "src/web/askama.toml")]
struct Home {
    /// Frame.
    shell: Shell,
    /// Whether requests are taken in by the public form.
    open: bool,
    /// Apex without the final dot.
    zone: String,
    /// The laws.
    basis: Vec<Block>,
    /// What is needed.
    needs: Vec<Block>,
    /// The procedure that the office works by, or empty.
    procedure: String,
    /// Where national complaints go.
    lapor: &'static str,
    /// How to reach the office.
    contact: Vec<(String, String)>,
}

/// `/`
pub(super) async fn service(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    let has_procedure = !office().procedure.is_empty();
    page(&Home {
        shell: Shell::new(&visitor, t.s("home-title")),
        open: state.settings().public_submit,
        zone: state.options().zone.trim_end_matches('.').to_owned(),
        basis: t.blocks("legal-basis"),
        needs: t.blocks("requirements"),
        procedure: if has_procedure { t.s("home-procedure") } else { String::new() },
        lapor: LAPOR,
        contact: contact(t),
    })
}

/// What is kept of a person and why.
#[derive(Template)]
#[template(path = "privacy.html", config = "src/web/askama.toml")]
struct Privacy {
    /// Frame.
    shell: Shell,
    /// Who answers for it, or empty.
    officer: String,
}

/// `/privasi`
pub(super) async fn privacy(visitor: Visitor) -> Result<Response, Failure> {
    let t = visitor.t;
    let is_named = !office().privacy_officer.is_empty();
    let officer = if is_named { t.s("privacy-officer") } else { String::new() };
    page(&Privacy { shell: Shell::new(&visitor, t.s("privacy-title")), officer })
}

/// Where to go back to.
#[derive(Deserialize)]
pub(super) struct Back {
    /// Path and query of the page.
    #[serde(default)]
    ke: String,
}

/// `/bahasa/{tag}`: remembers the language and goes back to the page.
pub(super) async fn language(
    Extract(state): Extract<State>,
    Path(tag): Path<String>,
    Query(back): Query<Back>,
) -> Response {
    let lang = Lang::from_tag(&tag);
    see_other_with(&back.ke, &[state.cookie("bahasa", lang.tag(), "Lax", 31_536_000)])
}
