//! Reads a letter: which kind it is by its content, and what is kept of it.

use super::letter::{Letter, Media, fits};
use super::refusal::{contains, refused};
use super::{pdf, picture};
use crate::queue::{Fault, Rule};

/// The EICAR test file: refused even without a scanner, so that the refusal can be tried.
const EICAR: &[u8] = br"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

/// Reads a letter. This is what the child process does;
/// nothing of it may run where a fault of a decoder would matter.
pub fn inspect(bytes: &[u8]) -> Result<Letter, Fault> {
    fits(bytes)?;
    if contains(bytes, EICAR) {
        return Err(refused(Rule::LetterMalware, "EICAR"));
    }
    match Media::of(bytes) {
        Some(Media::Pdf) => {
            pdf::judge_file(bytes)?;
            Ok(Letter::new(Media::Pdf, bytes.to_vec()))
        }
        Some(media) => picture::rewrite(bytes, media),
        None if bytes.is_empty() => Err(refused(Rule::NoLetter, "")),
        None if contains(&bytes[..bytes.len().min(1024)], b"%PDF-") => {
            Err(refused(Rule::LetterForeign, ""))
        }
        None => Err(refused(Rule::LetterKind, seems(bytes))),
    }
}

/// What a file that is no letter seems to be, so that the refusal can say it; empty if unknown.
fn seems(bytes: &[u8]) -> &'static str {
    let starts: [(&[u8], &str); 11] = [
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"PK\x03\x04", "ZIP, DOCX, XLSX"),
        (b"\xd0\xcf\x11\xe0", "DOC, XLS"),
        (b"{\\rtf", "RTF"),
        (b"MZ", "EXE"),
        (b"Rar!", "RAR"),
        (b"7z\xbc\xaf", "7Z"),
        (b"\x1f\x8b", "GZIP"),
    ];
    if let Some((_, name)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return name;
    }
    match (bytes.get(4..8), bytes.get(8..12)) {
        (Some(b"ftyp"), Some(b"heic" | b"heix" | b"heim" | b"hevc" | b"mif1" | b"msf1")) => "HEIC",
        (Some(b"ftyp"), Some(b"avif")) => "AVIF",
        (_, Some(b"WEBP")) => "WEBP",
        _ => seems_text(bytes),
    }
}

/// What a text seems to be.
fn seems_text(bytes: &[u8]) -> &'static str {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    match () {
        () if head.contains("<svg") => "SVG",
        () if head.starts_with("<!doctype html") || head.starts_with("<html") => "HTML",
        () if head.starts_with("<?xml") => "XML",
        () => "",
    }
}
