//! Formats an event as one line: text, text with a priority, or JSON; and collects its fields.

use std::fmt;

use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::text::{append, is_hidden};

/// What a line looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Time, level, message, facts.
    Text {
        /// With colors, for a terminal.
        colour: bool,
    },
    /// Priority, message, facts, for a journal that reads standard error (sd-daemon(3)).
    Priority,
    /// A JSON object.
    Json,
}

//------------ Facts ---------------------------------------------------------

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The message.
    message: String,
    /// Its other fields.
    fields: Map<String, Value>,
}

impl Facts {
    /// Notes a field.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        match value {
            Value::String(text) if name == "message" => self.message = text,
            // What has several lines is a list.
            Value::String(text) if text.contains('\n') => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let list = lines.map(Into::into).collect();
                self.fields.insert(name.to_owned(), Value::Array(list));
            }
            value => drop(self.fields.insert(name.to_owned(), value)),
        }
    }

    /// The other fields as texts; a list has a line for each.
    pub(super) fn texts(&self) -> impl Iterator<Item = (String, String)> {
        self.fields.iter().map(|(name, value)| (name.clone(), text_of(value, "\n")))
    }

    /// The line, with its end.
    pub(super) fn line(
        &self,
        shape: Shape,
        level: Level,
        target: &str,
        time: time::OffsetDateTime,
    ) -> String {
        let format = time::macros::format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        );
        let time = time.format(&format).unwrap_or_default();
        let text = match shape {
            Shape::Json => {
                let json = serde_json::json!({
                    "time": time, "level": level.as_str(), "target": target,
                    "message": self.message, "fields": self.fields,
                });
                json.to_string()
            }
            Shape::Priority => format!("<{}>{}", priority(level), self.text()),
            Shape::Text { colour: false } => format!("{time} {level:>5} {}", self.text()),
            Shape::Text { colour: true } => {
                format!(
                    "\x1b[2m{time}\x1b[0m \x1b[{}m{level:>5}\x1b[0m {}",
                    hue(level),
                    self.text()
                )
            }
        };
        text + "\n"
    }

    /// Message and fields on one line, without what moves a cursor. The value of a field that has a space is in
    /// quotation marks.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        put_plain(&mut text, &self.message);
        for (name, value) in &self.fields {
            let mut shown = String::new();
            put_plain(&mut shown, &text_of(value, "\n").replace('\\', "\\\\"));
            if shown.is_empty() || shown.contains([' ', '"', '=']) {
                let shown = shown.replace('"', "\\\"");
                append!(text, " {name}=\"{shown}\"");
            } else {
                append!(text, " {name}={shown}");
            }
        }
        text
    }
}

/// A value as text.
fn text_of(value: &Value, between: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let texts: Vec<String> = list.iter().map(|one| text_of(one, between)).collect();
            texts.join(between)
        }
        value => value.to_string(),
    }
}

/// Appends text as one line: the lines of a list are joined, other control characters written out.
fn put_plain(out: &mut String, text: &str) {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut put = |line: &str| {
        for c in line.chars() {
            if c.is_control() || is_hidden(c) {
                out.extend(c.escape_default())
            } else {
                out.push(c)
            }
        }
    };
    lines.next().into_iter().for_each(&mut put);
    for line in lines {
        put("; ");
        put(line);
    }
}

/// The priority of a level (sd-daemon(3)).
pub(super) fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// The color of a level.
fn hue(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

impl Visit for Facts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_in_every_shape() {
        let mut facts = Facts::default();
        facts.put("message", "a. refused:\n 2 errors".into());
        facts.put("guard", "check".into());
        facts.put("file", "my \"zone\"".into());
        facts.put("forged", "a\\\" event=ready".into());
        facts.put("findings", "a.zone:1:1 error x\n  a.zone:2:1 error \u{1b}[2J\n".into());
        facts.put("left_out", 3.into());
        let time = time::OffsetDateTime::UNIX_EPOCH;
        let line = |shape| facts.line(shape, Level::WARN, "gapura::x", time);
        let text = "a. refused:; 2 errors file=\"my \\\"zone\\\"\" \
                    findings=\"a.zone:1:1 error x; a.zone:2:1 error \\u{1b}[2J\" forged=\"a\\\\\\\" event=ready\" guard=check left_out=3\n";
        let dated = format!("1970-01-01T00:00:00.000000Z  WARN {text}");
        assert_eq!(line(Shape::Text { colour: false }), dated);
        assert_eq!(line(Shape::Priority), format!("<4>{text}"));
        let json = line(Shape::Json);
        assert_eq!(json.lines().count(), 1);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["level"], &json["target"]), (&"WARN".into(), &"gapura::x".into()));
        assert_eq!(json["fields"]["left_out"], 3);
        assert_eq!(json["fields"]["findings"][0], "a.zone:1:1 error x");
        assert_eq!(line(Shape::Text { colour: true }).lines().count(), 1);
    }
}
