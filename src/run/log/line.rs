//! One event as one line: text, text for the journal, JSON.

use std::fmt::{self, Write};
use std::time::Instant;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::limit::Limit;

/// What a line looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// Time, level, message, facts.
    Text {
        /// With colors, for a terminal.
        colour: bool,
    },
    /// Priority, message, facts: the journal knows the time.
    Journal,
    /// A JSON object.
    Json,
}

/// Makes lines.
#[derive(Debug)]
pub(super) struct Lines {
    /// What they look like.
    shape: Shape,
    /// How many there may be.
    limit: Limit,
}

impl Lines {
    /// Lines of this shape.
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, limit: Limit::default() }
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let place = event.metadata();
        // Nothing written is no line.
        let passed = self.limit.pass(place.target(), place.callsite(), Instant::now());
        let Some(left_out) = passed else { return Ok(()) };
        let mut facts = Facts::default();
        event.record(&mut facts);
        if left_out > 0 {
            facts.put("left_out", left_out.into());
        }
        let time = time::OffsetDateTime::now_utc();
        writer.write_str(&facts.line(self.shape, *place.level(), place.target(), time))
    }
}

//------------ Facts ---------------------------------------------------------

/// What an event says.
#[derive(Debug, Default)]
struct Facts {
    /// The message.
    message: String,
    /// Its other fields.
    fields: Map<String, Value>,
}

impl Facts {
    /// Notes a field.
    fn put(&mut self, name: &str, value: Value) {
        match value {
            Value::String(text) if name == "message" => self.message = text,
            value => drop(self.fields.insert(name.to_owned(), value)),
        }
    }

    /// The line, with its end.
    fn line(&self, shape: Shape, level: Level, target: &str, time: time::OffsetDateTime) -> String {
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
            Shape::Journal => format!("<{}>{}", priority(level), self.text()),
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

    /// Message and fields on one line, without what moves a cursor.
    fn text(&self) -> String {
        let mut text = String::new();
        put_plain(&mut text, &self.message);
        for (name, value) in &self.fields {
            // Writing to a String cannot fail.
            let _ = write!(text, " {name}=");
            match value {
                Value::String(value) => put_plain(&mut text, value),
                value => text.push_str(&value.to_string()),
            }
        }
        text
    }
}

/// Appends text as one line: the lines of a list are joined, other control characters written out.
fn put_plain(out: &mut String, text: &str) {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut put = |line: &str| {
        for c in line.chars() {
            if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
        }
    };
    lines.next().into_iter().for_each(&mut put);
    for line in lines {
        put("; ");
        put(line);
    }
}

/// The priority of a level (sd-daemon(3)).
fn priority(level: Level) -> u8 {
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
        let report = "a. refused: 2 errors\n  a.zone:1:1 error x\n  a.zone:2:1 error \u{1b}[2J";
        facts.put("message", report.into());
        facts.put("guard", "check".into());
        facts.put("left_out", 3.into());
        let time = time::OffsetDateTime::UNIX_EPOCH;
        let line = |shape| facts.line(shape, Level::WARN, "gapura::x", time);
        let text = "a. refused: 2 errors; a.zone:1:1 error x; a.zone:2:1 error \\u{1b}[2J \
                    guard=check left_out=3\n";
        let dated = format!("1970-01-01T00:00:00.000000Z  WARN {text}");
        assert_eq!(line(Shape::Text { colour: false }), dated);
        assert_eq!(line(Shape::Journal), format!("<4>{text}"));
        let json = line(Shape::Json);
        assert_eq!(json.lines().count(), 1);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["message"], &json["level"]), (&report.into(), &"WARN".into()));
        assert_eq!(
            (&json["fields"]["left_out"], &json["target"]),
            (&3.into(), &"gapura::x".into())
        );
        assert_eq!(line(Shape::Text { colour: true }).lines().count(), 1);
    }
}
