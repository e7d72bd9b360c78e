//! Private keys in PEM (RFC 7468): PKCS#8, and the older forms that programs still write.

use zeroize::Zeroizing;

use super::text::{KeyFileFault, lines};
use crate::dnssec::{Pkcs8, PrivateKey};
use crate::wire::rdata::{base64_octets, base64_text};

/// How the text of a document begins and ends.
const LABEL: &str = "PRIVATE KEY";
/// Signs on a line (RFC 7468 §2).
const LINE_SIGNS: usize = 64;

/// A private key as PEM.
pub(super) fn text(pkcs8: &Pkcs8) -> Zeroizing<String> {
    let signs = Zeroizing::new(base64_text(pkcs8));
    let mut text = Zeroizing::new(String::with_capacity(signs.len() * 2 + 64));
    text.push_str(&format!("-----BEGIN {LABEL}-----\n"));
    let mut rest = signs.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE_SIGNS));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {LABEL}-----\n"));
    text
}

/// Whether a text has something of PEM in it.
pub(super) fn is_pem(text: &[u8]) -> bool {
    lines(text).any(|(_, line)| line.starts_with(b"-----BEGIN "))
}

/// Reads the one private key in a text. What stands around it, certificates and parameters, is passed over.
pub(super) fn read(text: &[u8]) -> Result<PrivateKey, KeyFileFault> {
    let mut found = None;
    let mut lines = lines(text);
    while let Some((number, line)) = lines.next() {
        let Some(label) = label(line, b"-----BEGIN ") else { continue };
        let mut signs = Zeroizing::new(Vec::with_capacity(text.len()));
        let is_closed = lines.by_ref().any(|(_, line)| {
            let is_end = self::label(line, b"-----END ") == Some(label);
            if !is_end {
                signs.extend_from_slice(line);
            }
            is_end
        });
        if !is_closed {
            return Err(KeyFileFault::at(number, "the document that begins here has no end"));
        }
        if !label.ends_with(LABEL.as_bytes()) {
            continue;
        }
        if found.is_some() {
            return Err(KeyFileFault::at(
                number,
                "this is a second private key: one file holds one",
            ));
        }
        found = Some(document(label, &signs).map_err(|why| KeyFileFault::at(number, why))?);
    }
    found.ok_or_else(|| KeyFileFault::at(1, "there is no private key in it"))
}

/// Reads one document.
fn document(label: &[u8], signs: &[u8]) -> Result<PrivateKey, &'static str> {
    let encrypted =
        "the private key is encrypted: decrypt it with \"openssl pkcs8 -in FILE -out NEW\" first";
    if signs.starts_with(b"Proc-Type:") {
        return Err(encrypted);
    }
    let der = || base64_octets(signs).map(Zeroizing::new).ok_or("what follows is not base64");
    match label {
        b"PRIVATE KEY" => PrivateKey::from_pkcs8(&der()?),
        b"RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&der()?),
        b"EC PRIVATE KEY" => PrivateKey::from_sec1(&der()?),
        b"ENCRYPTED PRIVATE KEY" => Err(encrypted),
        _ => Err(
            "private keys of this kind are not read: convert it with \"openssl pkcs8 -topk8 -nocrypt\"",
        ),
    }
}

/// The label of a line that begins or ends a document.
fn label<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}
