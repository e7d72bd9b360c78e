//! Private keys as `dnssec-keygen` and `ldns-keygen` write them (`Private-key-format: v1.2` and `v1.3`): one
//! number a line, in base64.

use zeroize::Zeroizing;

use super::content::Private;
use super::text::{KeyFileFault, lines};
use crate::dnssec::{Algorithm, PrivateKey};
use crate::wire::rdata::{base64_octets, time_from_text};

/// How the first line begins.
const HEAD: &[u8] = b"Private-key-format:";
/// The numbers of an RSA key, in the order in which they are needed.
const RSA: [&str; 8] = [
    "Modulus",
    "PublicExponent",
    "PrivateExponent",
    "Prime1",
    "Prime2",
    "Exponent1",
    "Exponent2",
    "Coefficient",
];
/// The number of any other key.
const OTHER: [&str; 1] = ["PrivateKey"];

/// Whether a text is a private key of this kind.
pub(super) fn is_private(text: &[u8]) -> bool {
    lines(text).any(|(_, line)| line.starts_with(HEAD))
}

/// Reads a private key.
pub(super) fn read(text: &[u8]) -> Result<Private, KeyFileFault> {
    let fields = fields(text)?;
    let find = |name: &str| fields.iter().find(|field| field.name == name);
    let need = |name: &str| {
        find(name).ok_or_else(|| KeyFileFault::at(1, format!("there is no line \"{name}: …\"")))
    };
    let head = need("Private-key-format")?;
    if !head.value.starts_with(b"v1.") {
        return Err(KeyFileFault::at(head.line, "only the formats v1.2 and v1.3 are known"));
    }
    if let Some(label) = find("Label").or_else(|| find("Engine")) {
        let message = "the private key is in a hardware module, not in this file";
        return Err(KeyFileFault::at(label.line, message));
    }
    let algorithm = algorithm(need("Algorithm")?)?;
    let names: &[&str] = if algorithm.is_rsa() { &RSA } else { &OTHER };
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        let field = need(name)?;
        let octets = base64_octets(field.value).filter(|octets| !octets.is_empty());
        let fault = || KeyFileFault::at(field.line, format!("the value of {name} is not base64"));
        numbers.push(Zeroizing::new(octets.ok_or_else(fault)?));
    }
    let numbers: Vec<&[u8]> = numbers.iter().map(|number| number.as_slice()).collect();
    let line = need(names[0])?.line;
    let key =
        PrivateKey::from_numbers(algorithm, &numbers).map_err(|why| KeyFileFault::at(line, why))?;
    let deleted = find("Delete").and_then(|field| time_from_text(field.value));
    Ok(Private { key, algorithm: Some(algorithm), deleted })
}

/// A line of the file.
struct Field<'a> {
    /// Its number.
    line: usize,
    /// What stands before the colon.
    name: &'a str,
    /// What stands behind it.
    value: &'a [u8],
}

/// The lines of a file, each name once.
fn fields(text: &[u8]) -> Result<Vec<Field<'_>>, KeyFileFault> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    for (line, content) in lines(text).filter(|(_, line)| !line.is_empty()) {
        let colon = content.iter().position(|octet| *octet == b':');
        let Some((name, [_, value @ ..])) = colon.map(|at| content.split_at(at)) else {
            return Err(KeyFileFault::at(
                line,
                "this is no line of a private key: it has no colon",
            ));
        };
        let name = str::from_utf8(name).map_err(|_| KeyFileFault::at(line, "this is no text"))?;
        if fields.iter().any(|field| field.name == name) {
            return Err(KeyFileFault::at(line, format!("{name} stands here a second time")));
        }
        fields.push(Field { line, name, value: value.trim_ascii() });
    }
    Ok(fields)
}

/// Reads `13 (ECDSAP256SHA256)`.
fn algorithm(field: &Field<'_>) -> Result<Algorithm, KeyFileFault> {
    let digits = field.value.split(|octet| !octet.is_ascii_digit()).next().unwrap_or_default();
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.and_then(Algorithm::from_number).ok_or_else(|| {
        let value = String::from_utf8_lossy(field.value);
        KeyFileFault::at(field.line, format!("zones are not signed here with algorithm {value}: roll to one of 8, 10, 13, 14, 15 first"))
    })
}
