//! The reference of the API for people, made from the OpenAPI document: calls, types, problems. The
//! document is English, as the API is.

use askama::Template;
use axum::extract::State as Extract;
use axum::response::Response;
use serde_json::Value;

use crate::text::push_escaped;
use crate::web::api::ProblemKind;
use crate::web::failure::Failure;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;

/// A group of calls.
struct Group {
    /// Its word.
    name: String,
    /// What it is about, as HTML.
    about: String,
    /// Its calls.
    calls: Vec<Call>,
}

/// A call.
struct Call {
    /// Its name in generated clients.
    id: String,
    /// Method and path.
    line: String,
    /// What it does, in a few words.
    summary: String,
    /// The same at length, as HTML.
    about: String,
    /// Its parameters and headers.
    takes: Vec<Field>,
    /// The type of its body, and the media type.
    body: Option<(String, String)>,
    /// What it answers with: status, text, type.
    answers: Vec<(String, String, String)>,
    /// Who may call it.
    who: String,
}

/// A parameter, or a member of a type.
struct Field {
    /// Its name.
    name: String,
    /// What it is.
    kind: String,
    /// The type it leads to; empty if it is none of the document's.
    link: String,
    /// Whether it must be there.
    needed: bool,
    /// What it means, as HTML.
    about: String,
}

/// A type.
struct Kind {
    /// Its name.
    name: String,
    /// What it is, as HTML.
    about: String,
    /// Its members.
    fields: Vec<Field>,
}

//------------ Pages ---------------------------------------------------------

/// The calls.
#[derive(Template)]
#[template(path = "reference.html", config = "src/web/askama.toml")]
struct CallsPage {
    /// Frame.
    shell: Shell,
    /// What the document says about the whole, as HTML.
    about: String,
    /// The version of the document.
    version: String,
    /// The calls in their groups.
    groups: Vec<Group>,
}

/// `GET /api`
pub(super) async fn calls(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let document = state.document();
    page(&CallsPage {
        about: prose(&document["info"]["description"]),
        version: text(&document["info"]["version"]),
        groups: groups(document),
        shell: Shell::new(&visitor, visitor.t.s("api-title")).wide(),
    })
}

/// The types.
#[derive(Template)]
#[template(path = "reference_types.html", config = "src/web/askama.toml")]
struct TypesPage {
    /// Frame.
    shell: Shell,
    /// The types.
    kinds: Vec<Kind>,
}

/// `GET /api/types`
pub(super) async fn types(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let document = state.document();
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let kinds = schemas.map(|(name, schema)| Kind {
        name: name.clone(),
        about: prose(&schema["description"]),
        fields: members(schema),
    });
    let shell = Shell::new(&visitor, visitor.t.s("api-types-title")).wide();
    page(&TypesPage { shell, kinds: kinds.collect() })
}

/// The kinds of problems.
#[derive(Template)]
#[template(path = "reference_problems.html", config = "src/web/askama.toml")]
struct ProblemsPage {
    /// Frame.
    shell: Shell,
    /// The kinds.
    kinds: [ProblemKind; ProblemKind::ALL.len()],
}

/// `GET /api/problem`: where the `type` of every problem leads.
pub(super) async fn problems(visitor: Visitor) -> Result<Response, Failure> {
    let shell = Shell::new(&visitor, visitor.t.s("api-problems-title")).wide();
    page(&ProblemsPage { shell, kinds: ProblemKind::ALL })
}

impl ProblemsPage {
    /// What a kind means, as HTML.
    fn about(kind: &ProblemKind) -> String {
        prose(&kind.about().into())
    }
}

//------------ Reading the document ------------------------------------------

/// A text of the document.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The calls in the order of their groups.
fn groups(document: &Value) -> Vec<Group> {
    let tags = document["tags"].as_array().into_iter().flatten();
    let calls = |tag: &str| {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path, method, operation))
        });
        let of = operations.filter(|(_, _, operation)| operation["tags"][0] == tag);
        of.map(|(path, method, operation)| call(path, method, operation)).collect()
    };
    tags.map(|tag| Group {
        calls: calls(tag["name"].as_str().unwrap_or_default()),
        name: text(&tag["name"]),
        about: prose(&tag["description"]),
    })
    .collect()
}

/// One call.
fn call(path: &str, method: &str, operation: &Value) -> Call {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let takes = parameters.map(|parameter| Field {
        needed: parameter["required"] == true,
        ..field(&text(&parameter["name"]), &parameter["schema"], &parameter["description"])
    });
    let content = operation["requestBody"]["content"].as_object();
    let body = content.and_then(|content| content.iter().next());
    let answers = operation["responses"].as_object().into_iter().flatten();
    let answers = answers.filter(|(_, answer)| answer.get("$ref").is_none());
    Call {
        id: text(&operation["operationId"]),
        line: format!("{} {path}", method.to_uppercase()),
        summary: text(&operation["summary"]),
        about: prose(&operation["description"]),
        takes: takes.collect(),
        body: body.map(|(media, body)| (reference(&body["schema"]), media.clone())),
        answers: answers
            .map(|(status, answer)| {
                let schema = &answer["content"]["application/json"]["schema"];
                (status.clone(), text(&answer["description"]), reference(schema))
            })
            .collect(),
        who: who(&operation["security"]),
    }
}

/// Who may call it.
fn who(security: &Value) -> String {
    let schemes = security.as_array().into_iter().flatten().filter_map(Value::as_object);
    let words = schemes.map(|scheme| match scheme.iter().next() {
        None => "anybody".to_owned(),
        Some((name, _)) if name == "secret" => "the secret of the request".to_owned(),
        Some((_, scopes)) => {
            let scopes: Vec<&str> =
                scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if scopes.is_empty() {
                "a token".to_owned()
            } else {
                format!("a token with {}", scopes.join(", "))
            }
        }
    });
    words.collect::<Vec<_>>().join(", or ")
}

/// The name of the type that a schema refers to; empty if to none.
fn reference(schema: &Value) -> String {
    let direct = schema["$ref"].as_str();
    let either = schema["oneOf"].as_array().into_iter().flatten();
    let inside = either.filter_map(|one| one["$ref"].as_str()).next();
    let items = schema["items"]["$ref"].as_str();
    let path = direct.or(inside).or(items).unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The members of a type.
fn members(schema: &Value) -> Vec<Field> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut fields: Vec<Field> = parts.flat_map(members_of_part).collect();
    let required = |name: &str| {
        let mut names = schema["required"].as_array().into_iter().flatten();
        names.any(|it| it == name)
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    fields.extend(properties.map(|(name, property)| Field {
        needed: required(name),
        ..field(name, property, &property["description"])
    }));
    fields
}

/// The members of a part of a type: those of another one are told by its name.
fn members_of_part(part: &Value) -> Vec<Field> {
    let link = reference(part);
    if link.is_empty() {
        return members(part);
    }
    let (name, kind) = ("…".to_owned(), "all members of".to_owned());
    vec![Field { name, kind, link, needed: true, about: String::new() }]
}

/// A parameter or member.
fn field(name: &str, schema: &Value, about: &Value) -> Field {
    let link = reference(schema);
    let mut kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ if schema["oneOf"].is_array() => "null or".to_owned(),
        _ => String::new(),
    };
    if kind == "array" {
        let of = schema["items"]["type"].as_str().unwrap_or_default();
        kind = format!("list of {of}").trim_end().to_owned();
    }
    for (key, before) in [
        ("format", ""),
        ("minimum", "from "),
        ("maximum", "to "),
        ("minLength", "at least "),
        ("maxLength", "at most "),
        ("maxItems", "at most "),
        ("pattern", ""),
        ("default", "default "),
    ] {
        match &schema[key] {
            Value::Null => {}
            Value::String(word) => kind.push_str(&format!(", {before}{word}")),
            other => kind.push_str(&format!(", {before}{other}")),
        }
    }
    let words = schema["enum"].as_array().or_else(|| schema["items"]["enum"].as_array());
    let words: Vec<&str> = words.into_iter().flatten().filter_map(Value::as_str).collect();
    if !words.is_empty() {
        kind.push_str(&format!(": {}", words.join(", ")));
    }
    Field { name: name.to_owned(), kind, link, needed: false, about: prose(about) }
}

//------------ Prose ---------------------------------------------------------

/// The Markdown of the document as HTML: paragraphs, lists and words of code, nothing else.
fn prose(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let mut html = String::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        if block.starts_with("- ") {
            let items = block.lines().map(|line| inline(line.trim_start_matches("- ")));
            let items: String = items.map(|item| format!("<li>{item}</li>")).collect();
            html.push_str(&format!("<ul>{items}</ul>"));
        } else {
            html.push_str(&format!("<p>{}</p>", inline(block)));
        }
    }
    html
}

/// A line: escaped, with words of code and words of another language marked.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    text.chars().for_each(|character| push_escaped(&mut escaped, character));
    let marked = |text: &str, mark: char, begin: &str, end: &str| {
        let mut out = String::new();
        for (at, piece) in text.split(mark).enumerate() {
            if at > 0 {
                out.push_str(if at % 2 == 1 { begin } else { end });
            }
            out.push_str(piece);
        }
        // A mark without its fellow is none.
        if text.matches(mark).count().is_multiple_of(2) { out } else { text.to_owned() }
    };
    let coded = marked(&escaped, '`', "<code>", "</code>");
    // A star may stand in code, where it means itself.
    if coded.contains("<code>*") { coded } else { marked(&coded, '*', "<i lang=\"id\">", "</i>") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_escaped_and_marked() {
        let text = "Takes `a<b` & *jabatan*.\n\n- `x`: one\n- two";
        assert_eq!(
            prose(&text.into()),
            "<p>Takes <code>a&lt;b</code> &amp; <i lang=\"id\">jabatan</i>.</p>\
             <ul><li><code>x</code>: one</li><li>two</li></ul>"
        );
        assert_eq!(inline("5 * 3 `"), "5 * 3 `");
    }
}
