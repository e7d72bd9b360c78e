//! A letter that was read: which kind it is, and what is kept of it.

use super::refusal::too_large;
use crate::digest::sha256_hex;
use crate::queue::Fault;

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

//------------ Size ----------------------------------------------------------

/// Refuses what is too large to be read: only a picture is made smaller.
pub fn fits(bytes: &[u8]) -> Result<(), Fault> {
    let picture = matches!(Media::of(bytes), Some(Media::Jpeg | Media::Png));
    let max = if picture { TAKEN_MAX } else { STORED_MAX };
    if bytes.len() > max { Err(too_large(max)) } else { Ok(()) }
}
