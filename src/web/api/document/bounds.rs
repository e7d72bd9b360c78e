//! Limits, formats and what is required, from the tables the rules use.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::each_object;
use crate::queue::application::TTL_DEFAULT;
use crate::queue::fields::FIELDS;
use crate::queue::record_rules::{RECORDS_MAX, TTL_MAX, TTL_MIN, TYPES_OFFERED};
use crate::web::api::kinds::ProblemKind;

/// Properties of answers that are one of a few words.
const WORDS: [(&str, &str, &[&str]); 4] = [
    ("RegionItem", "kind", &["kecamatan", "kelurahan", "desa"]),
    ("Statistics", "span", &["hour", "week", "year"]),
    ("ObservationView", "transport", &["udp", "tcp"]),
    ("TextItem", "language", &["id", "en"]),
];

/// Adds them to a document.
pub(super) fn add(document: &mut Value) {
    let (asked, answered) = (named_in(document, "requestBody"), named_in(document, "responses"));
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (name, schema) in schemas.iter_mut() {
        if answered.contains(name) && !asked.contains(name) {
            require_everything(schema);
        }
    }
    application(schemas);
    problem(schemas);
    for (schema, property, words) in WORDS {
        if let Some(schema) = schemas.get_mut(schema) {
            schema["properties"][property]["enum"] = json!(words);
        }
    }
    drop_unused(document);
    each_object(document, &mut number_in_path);
    each_object(document, &mut whole_number);
}

/// The schemas that the bodies of one direction lead to.
fn named_in(document: &Value, direction: &str) -> BTreeSet<String> {
    let mut todo: Vec<String> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for operation in paths.filter_map(|(_, item)| item.as_object()).flat_map(Map::values) {
        references(&operation[direction], &mut todo);
    }
    let mut found = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if found.insert(name.clone()) {
            references(&document["components"]["schemas"][&name], &mut todo);
            references(&document["components"]["responses"][&name], &mut todo);
        }
    }
    found
}

/// The names of schemas that a value refers to.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            found.extend(name.and_then(|it| it.rsplit('/').next()).map(str::to_owned));
            fields.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// What we answer has every member, `null` where there is nothing.
fn require_everything(schema: &mut Value) {
    let parts = schema["allOf"].as_array().map_or(0, Vec::len);
    for part in 0..parts {
        require_everything(&mut schema["allOf"][part]);
    }
    if let Some(properties) = schema["properties"].as_object() {
        schema["required"] = properties.keys().cloned().collect();
    }
}

/// The schema and the property of a field of an application.
fn place_of(field: &str) -> (&'static str, String) {
    match field.split_once('.') {
        Some(("contact", part)) => ("Contact", part.to_owned()),
        Some(("letter", part)) => ("Letter", part.to_owned()),
        _ => ("Application", field.to_owned()),
    }
}

/// The limits of an application, and an example.
fn application(schemas: &mut Map<String, Value>) {
    for field in &FIELDS {
        let (schema, property) = place_of(field.name);
        let Some(schema) = schemas.get_mut(schema) else { continue };
        if let Some(limit) = field.limit() {
            schema["properties"][&property]["maxLength"] = limit.into();
        }
        if field.needed {
            schema["properties"][&property]["minLength"] = 1.into();
        }
    }
    for name in ["Application", "Contact", "Letter", "RequestedRecord", "LineInput"] {
        if let Some(schema) = schemas.get_mut(name) {
            schema["additionalProperties"] = false.into();
        }
    }
    if let Some(contact) = schemas.get_mut("Contact") {
        contact["properties"]["nip"]["pattern"] = "^[0-9]{18}$".into();
    }
    if let Some(record) = schemas.get_mut("RequestedRecord") {
        // What is served may be older than the rules for what is asked.
        let mut served = record.clone();
        served["description"] = "One record that is served or promised.".into();
        served["required"] = json!(["type", "data", "ttl"]);
        let types: Vec<String> = TYPES_OFFERED.iter().map(ToString::to_string).collect();
        record["properties"]["type"]["enum"] = json!(types);
        let ttl = &mut record["properties"]["ttl"];
        (ttl["minimum"], ttl["maximum"]) = (TTL_MIN.into(), TTL_MAX.into());
        ttl["default"] = TTL_DEFAULT.into();
        if let Some(view) = schemas.get_mut("RecordView") {
            let items = json!({ "$ref": "#/components/schemas/ServedRecord" });
            view["properties"]["records"]["items"] = items;
        }
        schemas.insert("ServedRecord".to_owned(), served);
    }
    if let Some(application) = schemas.get_mut("Application") {
        application["properties"]["records"]["maxItems"] = RECORDS_MAX.into();
        application["properties"]["lift"]["default"] = false.into();
        application["examples"] = json!([example()]);
    }
}

/// A village's request for its own name.
fn example() -> Value {
    json!({
        "kind": "new", "class": "desa", "name": "grogolkapetakan.desa", "zone": "cirebonkab.go.id.",
        "records": [{ "type": "A", "data": "203.0.113.10", "ttl": 3600 }],
        "office": "Desa Grogol", "region": "32.09.22.2015", "purpose": "Situs resmi pemerintah desa",
        "contact": {
            "name": "Nama Kuwu", "position": "Kuwu", "email": "desa@grogol.example",
            "phone": "0231-000000"
        },
        "letter": { "number": "140/12/Ds", "date": "2026-11-23" }
    })
}

/// The codes of problems, and an example.
fn problem(schemas: &mut Map<String, Value>) {
    let Some(problem) = schemas.get_mut("Problem") else { return };
    let codes = ProblemKind::ALL.map(ProblemKind::code).to_vec();
    problem["properties"]["code"]["enum"] = json!(codes);
    problem["properties"]["type"]["format"] = "uri".into();
    problem["properties"]["instance"]["format"] = "uri-reference".into();
    problem["examples"] = json!([{
        "type": "https://gapura.example/api/problem#stale",
        "title": ProblemKind::Stale.title(),
        "status": 409,
        "detail": "stale: revision 1 was read, revision 2 is current",
        "code": "stale",
        "errors": [],
        "instance": "/api/v1/requests/GPR-2026-00001/approve",
        "request_id": "9f86d081884c7d65",
    }]);
}

/// Drops schemas nothing refers to.
fn drop_unused(document: &mut Value) {
    let (asked, answered) = (named_in(document, "requestBody"), named_in(document, "responses"));
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| asked.contains(name) || answered.contains(name));
    }
}

/// The number of a request in a path is letters, digits and hyphens.
fn number_in_path(parameter: &mut Map<String, Value>) {
    if parameter.get("in").is_some_and(|it| it == "path")
        && parameter.get("name").is_some_and(|name| name == "number")
        && let Some(schema) = parameter.get_mut("schema")
    {
        schema["pattern"] = "^[A-Za-z0-9-]+$".into();
        schema["maxLength"] = 40.into();
    }
}

/// An unsigned number of 32 bits fits no signed one: clients must take 64.
fn whole_number(schema: &mut Map<String, Value>) {
    if schema.get("format").is_some_and(|format| format == "int32") {
        schema.insert("format".to_owned(), "int64".into());
        schema.entry("maximum").or_insert_with(|| u32::MAX.into());
    }
}
