//! The service page, the privacy page, and the language switch.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use crate::web::failure::Failure;
use crate::web::redirect::see_other_with;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Lang;

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
}

/// `/`
pub(super) async fn service(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let shell = Shell::new(&visitor, visitor.t.s("home-title"));
    let zone = state.options().zone.trim_end_matches('.').to_owned();
    page(&Home { shell, open: state.settings().public_submit, zone })
}

/// What is kept of a person and why.
#[derive(Template)]
#[template(path = "privacy.html", config = "src/web/askama.toml")]
struct Privacy {
    /// Frame.
    shell: Shell,
}

/// `/privasi`
pub(super) async fn privacy(visitor: Visitor) -> Result<Response, Failure> {
    page(&Privacy { shell: Shell::new(&visitor, visitor.t.s("privacy-title")) })
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
    // Only a path of our own: `//host` and `/\host` would lead away.
    let own = back.ke.starts_with('/') && !back.ke.starts_with("//") && !back.ke.contains('\\');
    let place = if own { back.ke.as_str() } else { "/" };
    see_other_with(place, &[state.cookie("bahasa", lang.tag(), "Lax", 31_536_000)])
}
