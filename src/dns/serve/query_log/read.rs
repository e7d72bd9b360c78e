//! Reads lines of the query log again, in either spelling.
//!
//! Knows format version 1, as `line` writes it, and the keys a line may have. A line of a later version is refused,
//! and not half understood.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// The version of the format.
pub const VERSION: u64 = 1;

/// The keys of a line, in their order, with what each says.
pub const KEYS: [(&str, &str); 31] = [
    ("v", "version of this format: 1"),
    ("time", "arrival of the query, UTC with microseconds"),
    ("client", "address of the client; with `client = \"prefix\"` its /24 or /56"),
    ("port", "port of the client; left out with `client = \"prefix\"`"),
    ("server", "our address that was asked"),
    ("server_port", "our port"),
    ("transport", "`udp`, `tcp`, `tls`, `quic`"),
    ("id", "id of the message"),
    ("qname", "name asked for, in the client's case, escaped as in master files"),
    ("qtype", "type asked for"),
    ("class", "class asked for"),
    (
        "zone",
        "apex of the zone that answered, in the client's case; left out where none of ours did",
    ),
    ("opcode", "number of the operation code, where it is not QUERY"),
    ("flags", "flags of the query: `aa tc rd ra ad cd`, in text with commas"),
    ("edns", "UDP size of the query's OPT record; left out without EDNS"),
    ("do", "whether the query asked for DNSSEC records"),
    ("rcode", "response code"),
    ("ede", "extended error code (RFC 8914), if there is one"),
    ("aa", "whether the response is authoritative"),
    ("tc", "whether the response was cut"),
    ("limited", "`true` where the rate limit changed or withheld the response"),
    ("dnssec", "whether the response came with signatures and proofs; left out with `answers`"),
    ("answers", "records of the answer section; left out of transfers, and where nothing was sent"),
    ("authority", "records of the authority section, as above"),
    ("additional", "records of the additional section, with OPT, as above"),
    ("size", "octets of the response, of all messages of a transfer; 0 where nothing was sent"),
    ("messages", "messages of a transfer"),
    ("serial", "serial of the zone version that answered"),
    ("us", "how long the answer took, microseconds"),
    ("tsig", "key that a signed message names"),
    (
        "tsig_error",
        "what is wrong with its TSIG: `BADKEY`, `BADSIG`, `BADTIME`, `BADTRUNC`, `FORMERR`",
    ),
];

//------------ Value ---------------------------------------------------------

/// A value of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value<'l> {
    /// A text.
    Text(Cow<'l, str>),
    /// A number.
    Number(u64),
    /// Yes or no.
    Truth(bool),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Truth(truth) => write!(f, "{truth}"),
        }
    }
}

impl Value<'_> {
    /// As a value of JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => (&**text).into(),
            Self::Number(number) => (*number).into(),
            Self::Truth(truth) => (*truth).into(),
        }
    }
}

//------------ Line ----------------------------------------------------------

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unread {
    /// It is no line of the query log.
    #[error("not a line of the query log")]
    Other,
    /// Another version wrote it.
    #[error("format version {0}, and this gapura reads {VERSION}: read it with a newer one")]
    Version(u64),
}

/// A line.
#[derive(Clone, Debug)]
pub struct Line<'l> {
    /// Keys and values, in the order of the line.
    fields: Vec<(Cow<'l, str>, Value<'l>)>,
}

impl<'l> Line<'l> {
    /// Reads a line, with or without its end.
    pub fn read(line: &'l str) -> Result<Self, Unread> {
        let line = line.trim_end();
        let read = if line.starts_with('{') {
            serde_json::from_str::<Self>(line).map_err(|_| Unread::Other)?
        } else {
            Self {
                fields: line
                    .split(' ')
                    .map(text_field)
                    .collect::<Option<_>>()
                    .ok_or(Unread::Other)?,
            }
        };
        match (read.get("v"), read.text("time")) {
            (Some(Value::Number(VERSION)), Some(_)) => Ok(read),
            (Some(Value::Number(version)), _) if *version != VERSION => {
                Err(Unread::Version(*version))
            }
            _ => Err(Unread::Other),
        }
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Value<'l>> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// When the query arrived; later is greater.
    pub fn time(&self) -> &str {
        self.text("time").unwrap_or_default()
    }

    /// Keys and values, in the order of the line.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value<'l>)> {
        self.fields.iter().map(|(key, value)| (&**key, value))
    }
}

/// A field of the text spelling. A value is what it looks like, but for the keys that have texts.
fn text_field(word: &str) -> Option<(Cow<'_, str>, Value<'_>)> {
    let (key, value) = word.split_once('=')?;
    let value = match value {
        "true" => Value::Truth(true),
        "false" => Value::Truth(false),
        text => match text.parse() {
            Ok(number) if !TEXTS.contains(&key) => Value::Number(number),
            _ => Value::Text(text.into()),
        },
    };
    Some((key.into(), value))
}

/// Keys whose value is a text though it may look like a number: a name has a final dot, an address has dots.
const TEXTS: [&str; 1] = ["flags"];

impl<'de> Deserialize<'de> for Line<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

/// Reads the JSON spelling; texts without escapes stay where they are.
struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        let mut fields = Vec::with_capacity(KEYS.len());
        while let Some((Text(key), value)) = map.next_entry()? {
            fields.push((key, value));
        }
        Ok(Line { fields })
    }
}

/// A text that may stay where it is.
struct Text<'l>(Cow<'l, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("a key is a text")),
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Reads a value.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value<'de>, E> {
        Ok(Value::Truth(truth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_line_is_told_apart_from_a_later_version() {
        for line in ["", "{}", "hello world", "{\"v\":1}", "{\"time\":\"x\"}", "v=1", "{\"v\":[]}"]
        {
            assert_eq!(Line::read(line).unwrap_err(), Unread::Other, "{line}");
        }
        for line in ["{\"v\":2,\"time\":{}}", "{\"v\":\"1\",\"time\":\"x\"}"] {
            assert_eq!(Line::read(line).unwrap_err(), Unread::Other, "{line}");
        }
        for line in ["{\"v\":2,\"time\":\"x\"}\n", "v=2 time=x"] {
            assert_eq!(Line::read(line).unwrap_err(), Unread::Version(2), "{line}");
        }
    }
}
