//! The text of a notice from its values and the catalogue: result, reason, next step, how to object.

use crate::queue::Deed;
use crate::queue::notice::{Notice, NoticeReader, Point};
use crate::words::{Said, Words};

/// A message ready to be sent or printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Subject line.
    pub subject: String,
    /// Paragraphs, separated by blank lines.
    pub text: String,
    /// The address that the reader is to open.
    pub link: String,
}

/// Puts a notice into words. `url` is how people reach the site.
pub fn message(notice: &Notice, t: Words, url: &str) -> Message {
    let (reader, values) = (notice.reader, &notice.values);
    let stem = format!("mail-{reader}-{}", notice.deed.as_str().replace('_', "-"));
    let what = if t.has(&stem) { stem } else { format!("mail-{reader}") };
    let act = notice.deed.say(t);
    let number = notice.request.as_deref();
    let filled = [
        ("number", number.unwrap_or_default()),
        ("name", &values.name),
        ("office", &values.office),
        ("act", &act),
    ];
    let subject = subject_of(&what, number.is_some(), t);
    let mut parts = vec![t.with("mail-greeting", &filled), t.with(&what, &filled)];
    if !values.points.is_empty() {
        let points = values.points.iter().enumerate();
        let lines: Vec<String> = points.map(|(at, it)| point(at + 1, it, t)).collect();
        parts.push(lines.join("\n"));
    }
    if let Some(due) = values.due {
        parts.push(t.a("mail-due", "due", &t.date_time(due)));
    }
    if !values.lines.is_empty() {
        let lines: Vec<String> = values.lines.iter().map(|line| format!("  {line}")).collect();
        parts.push(format!("{}\n{}", t.s("mail-lines"), lines.join("\n")));
    }
    match &values.dig {
        Some(_) if reader == NoticeReader::Applicant => parts.push(t.with("mail-site", &filled)),
        Some(dig) => parts.push(format!("{}\n  {dig}", t.s("mail-dig"))),
        None => {}
    }
    let (id, path) = match (&values.token, reader, number) {
        (Some(token), ..) => ("mail-link", format!("/konfirmasi/{token}")),
        (None, NoticeReader::Applicant, Some(number)) => {
            ("mail-status", format!("/status?nomor={number}"))
        }
        (None, NoticeReader::Applicant, None) => ("mail-status", "/status".to_owned()),
        (None, _, Some(number)) => ("mail-review", format!("/tinjau/{number}")),
        (None, _, None) if is_about_zone(notice.deed) => ("mail-office", "/zona".to_owned()),
        (None, _, None) => ("mail-office", "/antrean".to_owned()),
    };
    let link = format!("{url}{path}");
    parts.push(t.a(id, "link", &link));
    if reader == NoticeReader::Applicant && notice.deed == Deed::Reject {
        parts.push(t.s("status-object"));
    }
    parts.push(t.s("mail-end"));
    Message { subject: t.with(&subject, &filled), text: parts.join("\n\n"), link }
}

/// The catalogue's id of a subject: a sentence of its own, or one for all.
fn subject_of(what: &str, is_of_request: bool, t: Words) -> String {
    let own = format!("{what}-subject");
    if t.has(&own) {
        return own;
    }
    if is_of_request { "mail-subject" } else { "mail-subject-office" }.to_owned()
}

/// Whether a notice is about a zone, and not about an account or a name.
fn is_about_zone(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::DsWanted
            | Deed::DsUnwanted
            | Deed::DsMismatch
            | Deed::KeyStepWaits
            | Deed::SigningStopped
            | Deed::SignaturesEnd
    )
}

/// One numbered point, with the question of the check sheet it answers.
fn point(number: usize, point: &Point, t: Words) -> String {
    match point.line {
        Some(line) => format!("{number}. {}: {}", line.say(t), point.note),
        None => format!("{number}. {}", point.note),
    }
}
