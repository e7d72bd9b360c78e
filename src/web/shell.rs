//! What every page shares: frame, headers, language, error pages.

use std::time::Duration;

use askama::Template;
use axum::extract::{FromRequestParts, Request, State as Extract};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::failure::Failure;
use super::redirect::{encode, see_other};
use super::state::State;
use super::visitor::{self, Visit, Visitor};
use super::{assets, patience};
use crate::people::Role;
use crate::text::push_escaped;
use crate::words::{Words, office};

/// What a page may load and where its forms may go.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a page that shows a letter may load.
pub(super) const CSP_WITH_LETTER: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    object-src 'self'; frame-src 'self'; script-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

//------------ Shell ---------------------------------------------------------

/// Who is signed in, for the frame.
#[derive(Clone, Debug)]
pub(super) struct Me {
    /// Name shown.
    pub(super) name: String,
    /// Role in words.
    pub(super) title: String,
    /// Role.
    pub(super) role: Role,
}

/// What the frame of a page needs.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// Words.
    pub(super) t: Words,
    /// Title of the page.
    pub(super) title: String,
    /// Whether a form came back with faults; the title then says so first.
    pub(super) faulty: bool,
    /// Who is signed in.
    pub(super) me: Option<Me>,
    /// The token of forms in the frame.
    pub(super) csrf: String,
    /// Path and query of this page, for the language link.
    pub(super) here: String,
    /// Whether the page needs the full width (tables).
    pub(super) wide: bool,
}

impl Shell {
    /// The frame of a page for this visitor, with a title.
    pub(super) fn new(visitor: &Visitor, title: String) -> Self {
        let me = visitor.officer().map(|session| Me {
            name: session.account.full_name.clone(),
            title: role_title(visitor.t, &session.account.title, session.account.role),
            role: session.account.role,
        });
        Self {
            t: visitor.t,
            title,
            faulty: false,
            me,
            csrf: visitor.csrf.token.clone(),
            here: visitor.here.clone(),
            wide: false,
        }
    }

    /// Says whether a form came back with faults.
    pub(super) fn faulty(mut self, faulty: bool) -> Self {
        self.faulty = faulty;
        self
    }

    /// Takes the full width.
    pub(super) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Address of the style sheet.
    pub(super) fn style(&self) -> &'static str {
        assets::style()
    }

    /// Address of the icon.
    pub(super) fn icon(&self) -> &'static str {
        assets::icon()
    }

    /// The page's own address, for the language link.
    pub(super) fn here_encoded(&self) -> String {
        encode(&self.here).into_owned()
    }

    /// A domain name that may be broken after its dots on a narrow screen, as safe HTML. A line
    /// break in the markup and no character, so that copying yields the plain name.
    pub(super) fn dotted(&self, name: &str) -> String {
        let mut html = String::with_capacity(name.len() + 32);
        for c in name.chars() {
            match c {
                '.' => html.push_str(".<wbr>"),
                c => push_escaped(&mut html, c),
            }
        }
        html
    }

    /// `aria-current` for a link of the menu that leads to this page.
    pub(super) fn current(&self, place: &str) -> &'static str {
        let path = self.here.split('?').next().unwrap_or_default();
        let below = path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
        if path == place || below { " aria-current=\"page\"" } else { "" }
    }

    /// What stands above the content.
    pub(super) fn above(&self) -> Above<'_> {
        Above { shell: self }
    }

    /// What stands below it.
    pub(super) fn below(&self) -> Below<'_> {
        Below { shell: self }
    }

    /// Whether the office has a telephone to name.
    pub(super) fn has_telephone(&self) -> bool {
        !office().telephone.is_empty()
    }

    /// Whether the person signed in has this role.
    pub(super) fn is(&self, role: &str) -> bool {
        self.me.as_ref().is_some_and(|me| me.role.as_str() == role)
    }
}

/// What stands above the content of a page. A template of its own, as what is below: were they written into each
/// page's template, they would be compiled for each.
#[derive(Template)]
#[template(path = "above.html", config = "src/web/askama.toml")]
pub(super) struct Above<'a> {
    /// Frame.
    shell: &'a Shell,
}

/// What stands below the content of a page.
#[derive(Template)]
#[template(path = "below.html", config = "src/web/askama.toml")]
pub(super) struct Below<'a> {
    /// Frame.
    shell: &'a Shell,
}

/// The jabatan of an account: its own, or the role's.
pub(super) fn role_title(t: Words, title: &str, role: Role) -> String {
    if title.is_empty() { t.s(&format!("role-{role}")) } else { title.to_owned() }
}

/// Renders a page.
pub(super) fn page(template: &impl Template) -> Result<Response, Failure> {
    Ok(Html(template.render()?).into_response())
}

/// Renders a page with a status of its own.
pub(super) fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Failure> {
    Ok((status, Html(template.render()?)).into_response())
}

//------------ The outermost layer -------------------------------------------

/// The page of a failure, or a plain message.
#[derive(Template)]
#[template(path = "message.html", config = "src/web/askama.toml")]
pub(super) struct Message {
    /// Frame.
    pub(super) shell: Shell,
    /// What is said, a paragraph each.
    pub(super) text: Vec<String>,
    /// Where to go on: address and words.
    pub(super) next: Option<(String, String)>,
}

/// How long a browser keeps its visit cookie: as long as a draft is kept.
const VISIT_SECONDS: i64 = 30 * 86_400;

/// Gives the browser its visit cookie, answers failures in words, sets the headers.
pub(super) async fn dress(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let is_page = !path.starts_with("/api/v1/") && !path.starts_with("/aset/");
    let name = state.cookie_name("kunjungan");
    let known = visitor::cookie(request.headers(), &name).filter(|value| state.is_visit(value));
    let fresh = known.is_none() && is_page;
    let visit = known.or_else(|| state.new_visit()).unwrap_or_default();
    request.extensions_mut().insert(Visit(visit.clone()));
    let (mut parts, body) = request.into_parts();
    let asked = parts.clone();
    let get = parts.method == Method::GET;
    parts.extensions = asked.extensions.clone();
    let request = Request::from_parts(parts, body);
    let mut response = patience::page_in_time(&state, request, next).await;
    if is_page && (response.status().is_client_error() || response.status().is_server_error()) {
        response = explain(&state, asked, response).await;
    }
    if fresh
        && get
        && let Ok(line) =
            HeaderValue::from_str(&state.cookie("kunjungan", &visit, "Lax", VISIT_SECONDS))
    {
        response.headers_mut().append(SET_COOKIE, line);
    }
    set_headers(response.headers_mut(), state.is_https());
    response
}

/// How long the page of a failure waits to learn who is signed in.
const LOOK_UP_MAX: Duration = Duration::from_secs(2);

/// Puts a failure into words, unless the answer has a page already.
async fn explain(
    state: &State,
    mut asked: axum::http::request::Parts,
    response: Response,
) -> Response {
    let status = response.status();
    let failure = response.extensions().get::<Failure>().cloned();
    let has_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/")
    });
    if failure.is_none() && has_page {
        return response;
    }
    let failure = failure.unwrap_or_else(|| Failure::of_status(status));
    if status == StatusCode::UNAUTHORIZED && asked.method == Method::GET {
        let here = asked.uri.path_and_query().map_or("/", |it| it.as_str());
        return see_other(&format!("/masuk?ke={}", encode(here)));
    }
    // The words come even when nothing can be looked up: then they greet nobody by name.
    let known = Visitor::from_request_parts(&mut asked, state);
    let visitor = match tokio::time::timeout(LOOK_UP_MAX, known).await {
        Ok(Ok(visitor)) => visitor,
        _ => Visitor::stranger(&asked, state),
    };
    let t = visitor.t;
    let mut text = vec![t.s(&format!("{}-text", failure.id))];
    let mut next = Some(("/".to_owned(), t.s("go-home")));
    // What an applicant filled in before is kept, and the page it came from is the way back.
    let path = asked.uri.path();
    let is_form = ["/permohonan/", "/status/perbaikan"].iter().any(|it| path.starts_with(it));
    if is_form && asked.method == Method::POST && status != StatusCode::FORBIDDEN {
        if path.starts_with("/permohonan/") {
            text.push(t.s("fail-kept"));
        }
        next = Some((visitor.here.clone(), t.s("go-back")));
    }
    let shell = Shell::new(&visitor, t.s(&format!("{}-title", failure.id)));
    let message = Message { shell, text, next };
    let mut page = page_with(status, &message).unwrap_or_else(|_| status.into_response());
    if let Some(seconds) = response.headers().get(RETRY_AFTER) {
        page.headers_mut().insert(RETRY_AFTER, seconds.clone());
    }
    page
}

/// The headers every answer has; an answer that already set its own keeps it.
pub(super) fn set_headers(headers: &mut HeaderMap, is_https: bool) {
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(CONTENT_SECURITY_POLICY, CSP);
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(REFERRER_POLICY, "no-referrer");
    put(CACHE_CONTROL, "no-store");
    put(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if is_https {
        // Without includeSubDomains: the names below are other offices' sites.
        put(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
