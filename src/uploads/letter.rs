//! A letter that was read, and the reading itself: which kind it is, and what is kept of it.

use super::{pdf, picture};
use crate::digest::sha256_hex;
use crate::queue::{Fault, Rule};

/// Most octets of a letter on its way in: a photograph as phones make them.
pub const TAKEN_MAX: usize = 10 * 1024 * 1024;
/// Most octets of a letter that are kept.
pub const STORED_MAX: usize = 2 * 1024 * 1024;

//------------ Media ---------------------------------------------------------

/// What a letter is, by its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// Kept as it came.
    Pdf,
    /// Written anew.
    Jpeg,
    /// Written anew.
    Png,
}

impl Media {
    /// All of them.
    const ALL: [Self; 3] = [Self::Pdf, Self::Jpeg, Self::Png];

    /// The media type, for the download.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The ending of its file; also its word in the child's answer.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The first octets of such a file.
    fn magic(self) -> &'static [u8] {
        match self {
            Self::Pdf => b"%PDF-",
            Self::Jpeg => b"\xff\xd8\xff",
            Self::Png => b"\x89PNG\r\n\x1a\n",
        }
    }

    /// The kind a file begins like.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|media| bytes.starts_with(media.magic()))
    }

    /// The kind with this ending.
    pub(super) fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.ending() == ending)
    }
}

//------------ Letter --------------------------------------------------------

/// A letter that was read and may be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Letter {
    /// Its kind.
    media: Media,
    /// What is kept of it.
    bytes: Vec<u8>,
}

impl Letter {
    /// For those who have read it.
    pub(super) fn new(media: Media, bytes: Vec<u8>) -> Self {
        Self { media, bytes }
    }

    /// A letter that was put aside, sealed, with the mark it had: `None` if it is not that one.
    pub fn put_aside(bytes: Vec<u8>, mark: &str) -> Option<Self> {
        let media = Media::of(&bytes)?;
        (sha256_hex(&bytes) == mark).then_some(Self { media, bytes })
    }

    /// The mark by which a letter that was put aside is known again.
    pub fn mark(&self) -> String {
        sha256_hex(&self.bytes)
    }

    /// Its kind.
    pub fn media(&self) -> Media {
        self.media
    }

    /// What is kept of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

//------------ Inspection ----------------------------------------------------

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

/// Refuses what is too large to be read: only a picture is made smaller.
pub fn fits(bytes: &[u8]) -> Result<(), Fault> {
    let picture = matches!(Media::of(bytes), Some(Media::Jpeg | Media::Png));
    let max = if picture { TAKEN_MAX } else { STORED_MAX };
    if bytes.len() > max { Err(too_large(max)) } else { Ok(()) }
}

/// A fault of the letter.
pub(super) fn refused(rule: Rule, about: &str) -> Fault {
    Fault::new("letter", rule, about)
}

/// More octets than are taken or kept.
pub(super) fn too_large(max: usize) -> Fault {
    refused(Rule::LetterTooLarge, &format!("{} MB", max / (1024 * 1024)))
}

/// Whether `part` is anywhere in `bytes`.
pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

/// Where `part` is first in `bytes`.
pub(super) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(part) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
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
