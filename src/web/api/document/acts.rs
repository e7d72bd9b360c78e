//! One call of the document for each act, made from the table of the procedure.

use serde_json::{Map, Value, json};

use crate::queue::fields::LONG_MAX;
use crate::queue::procedure::{ActInput, Input, Phase, Row};
use crate::queue::{ActKind, RejectReason};

/// Adds to a document the calls that perform acts, and what they take.
pub(super) fn add(document: &mut Value) {
    for act in ActKind::ALL {
        let row = act.row();
        document["paths"][format!("/api/v1/requests/{{number}}/{act}")] =
            json!({ "post": operation(act, row) });
        if !row.inputs.is_empty() && !uploads(row) {
            document["components"]["schemas"][body_name(act)] = body(act, row.inputs);
        }
    }
    document["components"]["schemas"]["Correction"] = json!({
        "type": "object",
        "description": "The parts of a correction.",
        "required": ["request"],
        "properties": {
            "request": { "$ref": "#/components/schemas/Application" },
            "letter": {
                "type": "string",
                "contentMediaType": "application/octet-stream",
                "format": "binary",
                "description": "The letter, if it is a new one: as of `submit_request`.",
            },
        },
    });
}

/// Whether the act takes a request with its letter.
fn uploads(row: &Row) -> bool {
    row.inputs.iter().any(|input| input.what == ActInput::Correction)
}

/// The name of the schema of what an act takes.
fn body_name(act: ActKind) -> String {
    let word = act.as_str();
    let (first, rest) = word.split_at(1);
    format!("{}{rest}Body", first.to_ascii_uppercase())
}

/// The call of an act.
fn operation(act: ActKind, row: &Row) -> Value {
    let token = json!({ "token": ["decide"] });
    let security = if row.who.includes_applicant() {
        json!([token, { "secret": [] }])
    } else {
        json!([token])
    };
    let mut operation = json!({
        "tags": ["acts"],
        "operationId": format!("{act}_request"),
        "summary": act.about(),
        "description": description(row),
        "parameters": [number(), if_match(), idempotency_key()],
        "security": security,
        "responses": { "200": {
            "description": "The request as it is now",
            "headers": { "ETag": etag() },
            "content": {
                "application/json": { "schema": { "$ref": "#/components/schemas/RequestView" } }
            },
        } },
    });
    if uploads(row) {
        let schema = json!({ "$ref": "#/components/schemas/Correction" });
        operation["requestBody"] =
            json!({ "required": true, "content": { "multipart/form-data": { "schema": schema } } });
    } else if !row.inputs.is_empty() {
        let name = format!("#/components/schemas/{}", body_name(act));
        let required = !row.inputs.iter().all(|input| input.what.is_optional());
        operation["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": { "$ref": name } } },
        });
    }
    operation
}

/// Who may do it, in which state, where it leads.
fn description(row: &Row) -> String {
    let words = |phases: &[Phase]| {
        phases.iter().map(|phase| format!("`{phase}`")).collect::<Vec<_>>().join(", ")
    };
    let to: Vec<String> = row.to.iter().map(|state| format!("`{state}`")).collect();
    let mut text =
        format!("From {} to {}; by: {}.", words(row.from), to.join(", "), row.who.about());
    if !row.early.is_empty() {
        text.push_str(&format!(" Too early in {}.", words(row.early)));
    }
    if !row.holds.is_empty() {
        text.push_str(&format!("\n\nMust hold: {}.", row.holds));
    }
    text
}

//------------ Bodies --------------------------------------------------------

/// The schema of what an act takes.
fn body(act: ActKind, inputs: &[Input]) -> Value {
    let mut properties = Map::new();
    let mut example = Map::new();
    for input in inputs {
        properties.insert(input.name.to_owned(), property(input.what));
        example.insert(input.name.to_owned(), sample(input.what));
    }
    let required: Vec<&str> =
        inputs.iter().filter(|input| input.what.is_demanded()).map(|input| input.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": format!("What `{act}` takes."),
        "additionalProperties": false,
        "properties": properties,
        "examples": [example],
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The schema of one input.
fn property(input: ActInput) -> Value {
    let mut schema = match input {
        ActInput::Lines | ActInput::LinesToFix | ActInput::LinesBad => {
            json!({ "type": "array", "items": { "$ref": "#/components/schemas/LineInput" } })
        }
        ActInput::RejectReason => json!({ "$ref": "#/components/schemas/RejectReason" }),
        ActInput::Revision => json!({ "type": "integer", "format": "int32", "minimum": 1 }),
        ActInput::Serial => json!({ "type": ["integer", "null"], "format": "int32", "minimum": 0 }),
        ActInput::Candidate => json!({ "type": "string", "pattern": "^[0-9a-fA-F]{64}$" }),
        ActInput::Email => json!({ "type": "string", "maxLength": 254 }),
        _ => json!({ "type": "string", "maxLength": LONG_MAX }),
    };
    if input.is_demanded() && schema["type"] == "string" && schema["pattern"].is_null() {
        schema["minLength"] = 1.into();
    }
    if input == ActInput::LinesToFix {
        schema["minItems"] = 1.into();
    }
    schema["description"] = about(input).into();
    schema
}

/// What an input is, for a program.
fn about(input: ActInput) -> String {
    match input {
        ActInput::Assignee => "The kasi's account, a `name` of `GET /officers`".to_owned(),
        ActInput::Party => {
            "Who is asked: the office of the name above, the camat, or the second holder, in words"
                .to_owned()
        }
        ActInput::LinesToFix => {
            "Lines of the check sheet, at least one with the verdict `fix`, each with its note".to_owned()
        }
        ActInput::LinesBad => {
            "Lines of the check sheet; one with the verdict `bad` must be among them or saved before"
                .to_owned()
        }
        ActInput::Lines => {
            "The lines a person looked at, and a note for each automatic line that is passed over"
                .to_owned()
        }
        ActInput::Revision => "`revision` of the request as it was read".to_owned(),
        ActInput::Candidate => "`candidate.hash` of the request as it was read".to_owned(),
        ActInput::Serial => {
            "`candidate.serial` as it was read; needed where `approval.bind` is `serial`".to_owned()
        }
        _ => input.about().to_owned(),
    }
}

/// An example of an input.
fn sample(input: ActInput) -> Value {
    match input {
        ActInput::Assignee => json!("siti"),
        ActInput::Instruction => json!("Periksa nama dan data."),
        ActInput::Party => json!("Camat Kapetakan"),
        ActInput::Answerer => json!("Camat Kapetakan"),
        ActInput::Email => json!("camat@kapetakan.example"),
        ActInput::PartyLetter | ActInput::Letter => json!("140/12/Kec"),
        ActInput::Starts => json!("2026-12-14"),
        ActInput::Lines => json!([{ "code": "M1", "verdict": "ok" }]),
        ActInput::LinesToFix => {
            json!([{ "code": "M5", "verdict": "fix", "note": "Alamat IP berbeda dari surat." }])
        }
        ActInput::LinesBad => {
            json!([{ "code": "M6", "verdict": "bad", "note": "Bukan keperluan dinas." }])
        }
        ActInput::RejectReason => json!(RejectReason::NotOfficial.as_str()),
        ActInput::Revision => json!(1),
        ActInput::Candidate => {
            json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
        }
        ActInput::Serial => json!(2_026_112_601_u32),
        ActInput::How => json!("Surat diserahkan kepada Kuwu."),
        _ => json!("Nama berbenturan dengan layanan lain."),
    }
}

//------------ Parameters ----------------------------------------------------

/// The number in the path.
fn number() -> Value {
    json!({
        "name": "number", "in": "path", "required": true,
        "description": "The number of the request",
        "schema": { "type": "string", "examples": ["GPR-2026-00001"] },
    })
}

/// The condition of an act.
fn if_match() -> Value {
    json!({
        "name": "If-Match", "in": "header", "required": false,
        "description": "The `ETag` of the request as it was read. If somebody has acted on it since, \
            the act is refused with 412. That a notice was delivered meanwhile is no act.",
        "schema": { "type": "string" },
    })
}

/// The key of a call that may be repeated.
pub(in crate::web::api) fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A word of 16 to 128 characters that is new for each new wish, a UUID for \
            instance. A call that is repeated with the same key within 24 hours is answered with the \
            first success and done once.",
        "schema": { "type": "string", "minLength": 16, "maxLength": 128 },
    })
}

/// The header that says which state of a request an answer shows.
fn etag() -> Value {
    json!({
        "description": "Names this state of the request, for `If-Match` and `If-None-Match`",
        "schema": { "type": "string" },
    })
}
