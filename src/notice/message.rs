//! The text of a notice, from the catalogue: result, reason, next step, how to object.

use crate::queue::Deed;
use crate::words::{Said, Words};

/// Who reads it; the text differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// The applicant.
    Applicant,
    /// An officer who has work to do.
    Officer,
    /// Another office that is asked to agree.
    Party,
}

impl Reader {
    /// The word in message ids.
    fn word(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Officer => "officer",
            Self::Party => "party",
        }
    }
}

/// One notice with what its text needs.
#[derive(Clone, Debug)]
pub struct Post {
    /// The notice's id.
    pub id: String,
    /// The mailbox; empty: it waits as a printable letter.
    pub to: String,
    /// Who reads it.
    pub reader: Reader,
    /// The act it tells of.
    pub deed: Deed,
    /// Request number; empty where it is about no request.
    pub number: String,
    /// The full name asked for, or the account or name it is about.
    pub name: String,
    /// The office that asks.
    pub office: String,
    /// What is to be corrected, or why it was turned down; a line each.
    pub points: Vec<String>,
    /// By when the reader should act, in words.
    pub due: Option<String>,
    /// The command that repeats the proof.
    pub dig: Option<String>,
    /// Path of a single-use link for the reader.
    pub link: Option<String>,
}

/// A message ready to be sent or printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Subject line.
    pub subject: String,
    /// Paragraphs, separated by blank lines.
    pub text: String,
}

/// Puts a notice into words. `url` is how people reach the site.
pub fn message(post: &Post, t: Words, url: &str) -> Message {
    let stem = format!("mail-{}-{}", post.reader.word(), post.deed.as_str().replace('_', "-"));
    let what = if t.has(&stem) { stem } else { format!("mail-{}", post.reader.word()) };
    let act = post.deed.say(t);
    let values = [
        ("number", post.number.as_str()),
        ("name", &post.name),
        ("office", &post.office),
        ("act", &act),
    ];
    let subject = match post.number.is_empty() {
        true => t.with("mail-subject-office", &values),
        false => t.with("mail-subject", &values),
    };
    let mut parts = vec![t.with("mail-greeting", &values), t.with(&what, &values)];
    if !post.points.is_empty() {
        let lines = post.points.iter().enumerate();
        let lines: Vec<String> = lines.map(|(at, line)| format!("{}. {line}", at + 1)).collect();
        parts.push(lines.join("\n"));
    }
    if let Some(due) = &post.due {
        parts.push(t.a("mail-due", "due", due));
    }
    if let Some(dig) = &post.dig {
        parts.push(format!("{}\n  {dig}", t.s("mail-dig")));
    }
    parts.push(match (&post.link, post.reader) {
        (Some(link), _) => t.a("mail-link", "link", &format!("{url}{link}")),
        (None, Reader::Applicant) => t.a("mail-status", "link", &format!("{url}/status")),
        (None, _) if post.number.is_empty() => {
            t.a("mail-office", "link", &format!("{url}/antrean"))
        }
        (None, Reader::Officer | Reader::Party) => {
            t.a("mail-review", "link", &format!("{url}/tinjau/{}", post.number))
        }
    });
    if post.reader == Reader::Applicant && post.deed == Deed::Reject {
        parts.push(t.s("status-object"));
    }
    parts.push(t.s("mail-end"));
    Message { subject, text: parts.join("\n\n") }
}
