//! The text of a notice from its values and the catalogue: result, reason, next step, how to object.

use crate::queue::notice::{Notice, NoticeReader, Point};
use crate::queue::{Deed, Kind, NameDelta};
use crate::words::{Said, Words, office, say_kind};

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
    let what = text_of(notice, t);
    let ground = values.ground.map(|ground| ground.say(t)).unwrap_or_default();
    let act = notice.deed.say(t);
    let number = notice.request.as_deref();
    let (way, when) =
        values.way.map_or_else(Default::default, |(way, at)| (way.say(t), t.date_time(at)));
    let count = t.count(values.changes.len() as u64 + values.more);
    let kind = values.kind.map(|kind| say_kind(kind, values.lift, t).to_lowercase());
    let kind = kind.unwrap_or_default();
    let filled = [
        ("number", number.unwrap_or_default()),
        ("name", &values.name),
        ("office", &values.office),
        ("successor", &values.successor),
        ("act", &act),
        ("kind", &kind),
        ("way", &way),
        ("when", &when),
        ("count", &count),
        ("ground", &ground),
    ];
    let subject = subject_of(&what, number.is_some(), t);
    let mut parts = vec![t.with("mail-greeting", &filled), t.with(&what, &filled)];
    if !values.points.is_empty() {
        let points = values.points.iter().enumerate();
        let lines: Vec<String> = points.map(|(at, it)| point(at + 1, it, t)).collect();
        parts.push(lines.join("\n"));
    }
    parts.extend(values.changes.iter().map(|change| changed(change, t)));
    if values.more > 0 {
        parts.push(t.a("mail-change-more", "count", &t.count(values.more)));
    }
    if let Some(due) = values.due {
        parts.push(t.a("mail-due", "due", &t.date_time(due)));
    }
    if let Some(ends) = values.ends.as_deref().filter(|_| reader == NoticeReader::Applicant) {
        parts.push(t.a("mail-ends", "ends", &t.day_of(ends)));
    }
    if !values.lines.is_empty() {
        let lines: Vec<String> = values.lines.iter().map(|line| format!("  {line}")).collect();
        let head = if is_about_target(notice.deed) { "mail-targets" } else { "mail-lines" };
        parts.push(format!("{}\n{}", t.s(head), lines.join("\n")));
    }
    // Of a name that was taken out there is no site to look at.
    let has_site = values.kind.is_none_or(Kind::brings_records);
    match &values.dig {
        Some(_) if reader == NoticeReader::Applicant && has_site => {
            parts.push(t.with("mail-site", &filled));
        }
        Some(_) if reader == NoticeReader::Applicant => {}
        Some(dig) => parts.push(format!("{}\n  {dig}", t.s("mail-dig"))),
        None => {}
    }
    let (id, path) = match (&values.token, reader, number) {
        (Some(token), NoticeReader::Owner, _) => ("mail-history", format!("/riwayat/{token}")),
        (None, NoticeReader::Owner, _) => ("mail-status", "/status".to_owned()),
        (Some(token), ..) => ("mail-link", format!("/konfirmasi/{token}")),
        // Printed: only a letter proves who answers.
        (None, NoticeReader::Party, _) => ("mail-answer", String::new()),
        (None, NoticeReader::Applicant, Some(number)) => {
            ("mail-status", format!("/status?nomor={number}"))
        }
        (None, NoticeReader::Applicant, None) => ("mail-status", "/status".to_owned()),
        (None, _, Some(number)) => ("mail-review", format!("/tinjau/{number}")),
        (None, _, None) if is_about_name(notice.deed) => {
            ("mail-record", format!("/rekaman/{}", values.name))
        }
        (None, _, None) if is_about_zone(notice.deed) => ("mail-office", "/zona".to_owned()),
        (None, _, None) => ("mail-office", "/antrean".to_owned()),
    };
    if reader == NoticeReader::Owner && !office().telephone.is_empty() {
        parts.push(t.s("mail-call"));
    }
    let link = format!("{url}{path}");
    parts.push(t.a(id, "link", &link));
    if reader == NoticeReader::Applicant && notice.deed == Deed::Reject {
        parts.push(t.s("status-object"));
    }
    parts.push(t.s("mail-end"));
    Message { subject: t.with(&subject, &filled), text: parts.join("\n\n"), link }
}

/// The catalogue's id of what is said: of the event and the kind of request, of the event, or one for all.
fn text_of(notice: &Notice, t: Words) -> String {
    let (reader, values) = (notice.reader, &notice.values);
    let stem = format!("mail-{reader}-{}", notice.deed.as_str().replace('_', "-"));
    let several = (!values.changes.is_empty() && values.changes.len() as u64 + values.more > 1)
        .then(|| format!("{stem}-several"));
    let of_kind = values.kind.map(|kind| format!("{stem}-{}", kind.said_as(values.lift)));
    // What gapura asked for by itself is told otherwise than what an office wished.
    let raised = |id: &String| values.ground.map(|_| format!("{id}-raised"));
    let own = of_kind.as_ref().and_then(raised).into_iter().chain(raised(&stem));
    let ids = several.into_iter().chain(own).chain(of_kind).chain([stem]);
    let known = ids.into_iter().find(|id| t.has(id));
    known.unwrap_or_else(|| format!("mail-{reader}"))
}

/// What changed at a name; lines to be read as they are begin with blanks.
fn changed(change: &NameDelta, t: Words) -> String {
    let side = |lines: &[String]| match lines {
        [] => format!("  {}", t.s("change-nothing")),
        lines => lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
    };
    let (was, now_is) = (side(&change.was), side(&change.now_is));
    let (before, after) = (t.s("change-was"), t.s("change-now"));
    format!("{}\n{before}:\n{was}\n{after}:\n{now_is}", change.name)
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

/// Whether a notice to officers is about a live name.
fn is_about_name(deed: Deed) -> bool {
    is_about_target(deed) || matches!(deed, Deed::EmergencySuspend | Deed::Adopt)
}

/// Whether a notice is about what a name points at.
fn is_about_target(deed: Deed) -> bool {
    matches!(
        deed,
        Deed::TargetStillDown | Deed::TargetLost | Deed::TargetUrgent | Deed::TargetMended
    )
}

/// One numbered point, with the question of the check sheet it answers.
fn point(number: usize, point: &Point, t: Words) -> String {
    match point.line {
        Some(line) => format!("{number}. {}: {}", line.say(t), point.note),
        None => format!("{number}. {}", point.note),
    }
}
