//! Reads JSON bodies strictly: a key that is sent twice, that nobody knows or that holds another type
//! is refused by its name. A misspelt key that were let pass would be a wish that nobody heard.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::problem::Problem;
use crate::queue::{Fault, Rule};

/// Longest name of a key that is repeated to the sender, in characters.
const NAME_MAX: usize = 100;

//------------ Known ---------------------------------------------------------

/// Which keys a body may have. A part of an object stands behind a dot, the items of a list under `*`.
pub(super) type Known<'a> = &'a [&'a str];

/// Reads a body of which these keys are known, and of which some must be there.
pub(super) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    known: Known<'_>,
    needed: &[&str],
) -> Result<T, Problem> {
    let value = value(bytes)?;
    let mut faults = Vec::new();
    unknown("", "", &value, known, &mut faults);
    if !faults.is_empty() {
        return Err(Problem::unreadable(&faults));
    }
    let missing = needed.iter().filter(|name| is_missing(&value, name));
    let missing: Vec<Fault> = missing.map(|name| Fault::new(*name, Rule::Empty, "")).collect();
    if missing.is_empty() { typed("", value) } else { Err(Problem::of_faults(missing)) }
}

/// The value of a body.
pub(super) fn value(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix(TWICE).and_then(|rest| rest.split_once('`')) {
            Some((key, _)) => Problem::unreadable(&[Fault::new(key, Rule::SentTwice, "")]),
            None => Problem::bad_request(format!("the body is no JSON: {text}")),
        }
    })
}

/// A value as a type; what is of another one is named.
pub(super) fn typed<T: DeserializeOwned>(below: &str, value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        let path = path.trim_start_matches('.').trim_end_matches('?').trim_end_matches('.');
        let dot = if below.is_empty() || path.is_empty() { "" } else { "." };
        let field = format!("{below}{dot}{path}");
        Problem::unreadable(&[Fault::new(field, Rule::Unreadable, error.inner().to_string())])
    })
}

/// Whether there is nothing under a dotted name, although there is an object that should hold it.
fn is_missing(value: &Value, name: &str) -> bool {
    match name.split_once('.') {
        Some((first, rest)) => value.get(first).is_some_and(|inner| is_missing(inner, rest)),
        None => value.is_object() && value.get(name).is_none_or(Value::is_null),
    }
}

/// Finds keys nobody knows: `at` is where the value stands, `pattern` the same with `*` for places.
fn unknown(at: &str, pattern: &str, value: &Value, known: Known<'_>, faults: &mut Vec<Fault>) {
    let join = |before: &str, part: &str| match before {
        "" => part.to_owned(),
        before => format!("{before}.{part}"),
    };
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                let (at, pattern) = (join(at, key), join(pattern, key));
                let part = format!("{pattern}.");
                let is_known = known.iter().any(|name| *name == pattern || name.starts_with(&part));
                if is_known {
                    unknown(&at, &pattern, inner, known, faults);
                } else {
                    let name: String = at.chars().take(NAME_MAX).collect();
                    faults.push(Fault::new(name, Rule::UnknownField, ""));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let (at, pattern) = (join(at, &index.to_string()), join(pattern, "*"));
                unknown(&at, &pattern, item, known, faults);
            }
        }
        _ => {}
    }
}

//------------ Strict --------------------------------------------------------

/// What the error of a key that came twice begins with.
const TWICE: &str = "sent twice: `";

/// Reads a value, but no key twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            read.push(item);
        }
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(Key(key)) = fields.next_key()? {
            let value = fields.next_value_seed(Self)?;
            if read.contains_key(&key) {
                let key: String = key.chars().filter(|c| *c != '`').take(NAME_MAX).collect();
                return Err(serde::de::Error::custom(format!("{TWICE}{key}`")));
            }
            read.insert(key, value);
        }
        Ok(read.into())
    }
}

/// A key.
#[derive(Deserialize)]
struct Key(String);

#[cfg(test)]
mod tests {
    use super::*;

    /// The code and the fields at fault.
    fn refused(body: &str) -> Option<(String, Vec<String>)> {
        let known = ["name", "records.*.ttl", "contact.email"];
        let read = read::<Value>(body.as_bytes(), &known, &["name", "contact.email"]);
        let json = serde_json::to_value(read.err()?).unwrap();
        let fields = json["errors"].as_array().unwrap().iter();
        let fields = fields.map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        Some((json["code"].as_str().unwrap().to_owned(), fields))
    }

    #[test]
    fn what_is_not_meant_is_named() {
        for (body, code, fields) in [
            (r#"{"name":1,"nmae":2}"#, "bad_request", vec!["nmae"]),
            (r#"{"name":1,"name":2}"#, "bad_request", vec!["name"]),
            (r#"{"name":1,"records":[{"ttl":1},{"tll":1}]}"#, "bad_request", vec!["records.1.tll"]),
            (r#"{"name":1,"contact":{"mail":1}}"#, "bad_request", vec!["contact.mail"]),
            (r#"{"contact":{"email":null}}"#, "incomplete", vec!["name", "contact.email"]),
            (r#"{"name":1} x"#, "bad_request", vec![]),
            ("{", "bad_request", vec![]),
        ] {
            let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
            assert_eq!(refused(body), Some((code.to_owned(), fields)), "{body}");
        }
        assert_eq!(refused(r#"{"name":1,"records":[{"ttl":1}],"contact":{"email":2}}"#), None);
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let value = value(br#"[{"type":"A","data":"192.0.2.1","ttl":"long"}]"#).unwrap();
        let problem = typed::<Vec<crate::queue::RequestedRecord>>("records", value).unwrap_err();
        let json = serde_json::to_value(problem).unwrap();
        assert_eq!(json["errors"][0]["field"], "records.0.ttl", "{json}");
    }
}
