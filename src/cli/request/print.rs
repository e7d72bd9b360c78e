//! Prints replies for people; `--json` prints the API's reply unchanged.

use serde_json::Value;

use super::{Queue, Request};
use crate::cli::{plain, put, put_error};
use crate::spreadsheet::disarmed;

/// The layout of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Number and secret.
    Submitted,
    /// A table of requests.
    List,
    /// One request in full.
    Whole,
    /// One line: number, state, name.
    Line,
    /// Live records.
    Records,
    /// One live record.
    Record,
    /// What an erasure deleted.
    Erased,
    /// What was closed with a month.
    ClosedMonth,
    /// Papers.
    Papers,
    /// What is stored about persons.
    Holdings,
    /// The same as CSV.
    HoldingsCsv,
}

/// The layout of a command's answer.
pub(super) fn shape(request: &Request) -> Shape {
    match request {
        Request::Act(_) => Shape::Line,
        Request::Other(Queue::Submit { .. } | Queue::Import(_)) => Shape::Submitted,
        Request::Other(Queue::List { .. }) => Shape::List,
        Request::Other(Queue::Show { .. }) => Shape::Whole,
        Request::Other(Queue::Records { .. }) => Shape::Records,
        Request::Other(
            Queue::Suspend { .. }
            | Queue::Adopt { .. }
            | Queue::ConfirmName { .. }
            | Queue::ConfirmSuspension { .. },
        ) => Shape::Record,
    }
}

/// Prints the answer and returns the exit code.
pub(super) fn print(json: bool, shape: Shape, status: u16, value: &Value) -> u8 {
    let good = (200..300).contains(&status);
    if json {
        put(&(plain::json(&format!("{value:#}")).into_owned() + "\n"));
    } else if good {
        put(&(plain::plain(&text(shape, value)).into_owned() + "\n"));
    } else {
        put_error(&plain::plain(&format!("gapura: {}\n", problem(status, value))));
    }
    match status {
        200..300 => 0,
        400 | 404 | 405 | 415 => 2,
        _ => 1,
    }
}

/// The answer in words.
fn text(shape: Shape, value: &Value) -> String {
    match shape {
        Shape::Submitted => {
            let number = word(&value["number"]);
            format!("{number}  {}\nsecret: {}", word(&value["state"]), word(&value["secret"]))
        }
        Shape::List => {
            let rows: Vec<String> = items(value).iter().map(row).collect();
            let more = if value["next"].is_null() { "" } else { "\n… more: raise --limit" };
            if rows.is_empty() {
                "nothing".to_owned()
            } else {
                format!("{}{more}", rows.join("\n"))
            }
        }
        Shape::Whole => whole(value),
        Shape::Line => row(value),
        Shape::Records => {
            let rows: Vec<String> = items(value).iter().map(record).collect();
            if rows.is_empty() { "nothing".to_owned() } else { rows.join("\n") }
        }
        Shape::Record => record(value),
        Shape::Erased => format!(
            "erased {} values, the contact of {} revisions, {} letters, {} papers",
            word(&value["values"]),
            word(&value["revisions"]),
            word(&value["letters"]),
            word(&value["papers"]),
        ),
        Shape::ClosedMonth => {
            let numbers: Vec<String> =
                value["requests"].as_array().into_iter().flatten().map(word).collect();
            let month = word(&value["month"]);
            let (count, paper) = (numbers.len(), word(&value["paper"]));
            format!(
                "{month} is closed, with {count} requests; paper {paper}\n{}",
                numbers.join("\n")
            )
        }
        Shape::Holdings => {
            let found: Vec<String> = items(value).iter().map(holding).collect();
            if found.is_empty() { "nothing".to_owned() } else { found.join("\n") }
        }
        Shape::HoldingsCsv => {
            let rows = items(value).iter().map(holding_cells);
            let head = HOLDING_CELLS.map(|(title, _)| title.to_owned()).to_vec();
            let lines = std::iter::once(head).chain(rows).map(|cells| cells.join(";"));
            lines.collect::<Vec<_>>().join("\n")
        }
        Shape::Papers => {
            let rows: Vec<String> = items(value).iter().map(paper).collect();
            if rows.is_empty() { "nothing".to_owned() } else { rows.join("\n") }
        }
    }
}

/// A list's items, whether it is bare or in an object.
fn items(value: &Value) -> &[Value] {
    let list = value.as_array().or_else(|| value["items"].as_array());
    list.map_or(&[], Vec::as_slice)
}

/// A value as a word; `-` for nothing.
fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One request on one line.
fn row(value: &Value) -> String {
    let late = if value["late"].as_bool() == Some(true) { "  LATE" } else { "" };
    format!(
        "{}  {:<17} {:<8} {}  holder {}  due {}{late}",
        word(&value["number"]),
        word(&value["state"]),
        word(&value["kind"]),
        word(&value["name"]),
        word(&value["holder"]),
        word(&value["due"]),
    )
}

/// One live record on one line.
fn record(value: &Value) -> String {
    format!(
        "{}  {}  {}  request {}",
        word(&value["name"]),
        word(&value["state"]),
        word(&value["office"]),
        word(&value["request"]),
    )
}

/// One paper on one line.
fn paper(value: &Value) -> String {
    let state = match (&value["superseded_by"], value["deleted"].as_bool(), &value["sha256"]) {
        (Value::String(by), ..) => format!("  superseded by {by}"),
        (_, Some(true), _) => "  deleted".to_owned(),
        (_, _, Value::Null) => "  being made".to_owned(),
        _ => String::new(),
    };
    format!(
        "{:<14} {:<13} {}  {}  {}{state}",
        word(&value["id"]),
        word(&value["kind"]),
        word(&value["number"]),
        word(&value["issued"]),
        word(&value["code"]),
    )
}

/// What is stored about the person behind one request.
fn holding(value: &Value) -> String {
    let contact = &value["contact"];
    let fields: Vec<String> = value["fields"].as_array().into_iter().flatten().map(word).collect();
    format!(
        "{}  {}  {}  {}\n  {}, {}, {}, {}\n  kept: {}; {} versions, {} letters, {} papers, {} notices",
        word(&value["number"]),
        word(&value["state"]),
        word(&value["name"]),
        word(&value["office"]),
        word(&contact["name"]),
        word(&contact["position"]),
        word(&contact["email"]),
        word(&contact["phone"]),
        fields.join(", "),
        word(&value["revisions"]),
        word(&value["letters"]),
        word(&value["papers"]),
        word(&value["notices"]),
    )
}

/// The columns of the list for a breach, and where they are in the answer.
const HOLDING_CELLS: [(&str, &str); 9] = [
    ("request", "/number"),
    ("name", "/name"),
    ("office", "/office"),
    ("submitted", "/submitted"),
    ("person", "/contact/name"),
    ("position", "/contact/position"),
    ("mailbox", "/contact/email"),
    ("telephone", "/contact/phone"),
    ("fields", "/fields"),
];

/// The cells of one request, quoted where they have to be, and none a formula.
fn holding_cells(value: &Value) -> Vec<String> {
    let cell = |(_, at): &(&str, &str)| {
        let text = match value.pointer(at) {
            Some(Value::Array(words)) => words.iter().map(word).collect::<Vec<_>>().join(" "),
            Some(Value::Null) | None => String::new(),
            Some(one) => word(one),
        };
        let text = disarmed(&text);
        let quoted = text.contains([';', '"', '\n', '\r']);
        if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    HOLDING_CELLS.iter().map(cell).collect()
}

/// One request with everything an officer needs to decide.
fn whole(value: &Value) -> String {
    let mut lines = vec![row(value)];
    for key in ["office", "region", "purpose", "revision", "starts", "ends", "hosting_by"] {
        if !value[key].is_null() {
            lines.push(format!("{key}: {}", word(&value[key])));
        }
    }
    for asked in value["records"].as_array().into_iter().flatten() {
        let (ttl, rtype) = (word(&asked["ttl"]), word(&asked["type"]));
        lines.push(format!("record: {ttl} {rtype} {}", word(&asked["data"])));
    }
    let candidate = &value["candidate"];
    if candidate.is_object() {
        let (hash, serial) = (word(&candidate["hash"]), word(&candidate["serial"]));
        lines.push(format!("candidate: {hash} on serial {serial}"));
        for (key, mark) in [("removed", "-"), ("added", "+"), ("findings", "!")] {
            for text in candidate[key].as_array().into_iter().flatten() {
                lines.push(format!("  {mark} {}", word(text)));
            }
        }
    }
    for line in value["lines"].as_array().into_iter().flatten() {
        let note = if line["note"].is_null() { String::new() } else { word(&line["note"]) };
        lines.push(format!("{:<4}{:<5}{note}", word(&line["code"]), word(&line["verdict"])));
        for fault in line["faults"].as_array().into_iter().flatten() {
            lines.push(format!("      {}", word(&fault["detail"])));
        }
    }
    let acts: Vec<String> = value["acts"].as_array().into_iter().flatten().map(word).collect();
    if !acts.is_empty() {
        lines.push(format!("you may: {}", acts.join(", ")));
    }
    if let Some(dig) = value["proof"]["dig"].as_str() {
        lines.push(format!("proof: {dig}"));
    }
    for event in value["history"].as_array().into_iter().flatten() {
        let (at, act) = (word(&event["at"]), word(&event["act"]));
        lines.push(format!("{at}  {act}  {} {}", word(&event["role"]), word(&event["who"])));
    }
    lines.join("\n")
}

/// A problem in words.
fn problem(status: u16, value: &Value) -> String {
    let code = value["code"].as_str().unwrap_or("error");
    let detail = value["detail"].as_str().or_else(|| value["title"].as_str()).unwrap_or("");
    let mut lines = vec![format!("{code} ({status}): {detail}")];
    for error in value["errors"].as_array().into_iter().flatten() {
        lines.push(format!("  {}: {}", word(&error["field"]), word(&error["detail"])));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_told_without_the_name_that_goes_before_it() {
        let value = json!({ "code": "stale", "detail": "it has changed", "errors": [
            { "field": "name", "detail": "is taken" },
        ] });
        assert_eq!(problem(409, &value), "stale (409): it has changed\n  name: is taken");
    }
}
