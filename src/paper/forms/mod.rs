//! The forms: what stands where on each paper, as Indonesian offices expect it of their official letters.

mod activity;
mod disposition;
mod notification;
mod receipt;
mod report;
mod sample;
mod verification;

use super::block::{Block, Document, Foot, Head, Setting, Signature};
use super::content::{Column, Content, LetterRef, PageSize, Paper, Signer, StepTime, Table};
use crate::words::{Lang, Words};

pub(super) use sample::sample;

/// The size of the text of most papers, in points.
const TEXT: f32 = 11.0;
/// The same where much must stand on a page.
const DENSE: f32 = 10.0;

/// A paper in its form.
pub(super) fn document(paper: &Paper) -> Document {
    let form = Form { words: words(), paper };
    let (text, name, blocks) = match &paper.content {
        Content::Receipt(it) => (DENSE, "form-receipt-title", form.receipt(it)),
        Content::Disposition(it) => (TEXT, "form-disposition-title", form.disposition(it)),
        Content::Verification(it) => (DENSE, "form-verification-title", form.verification(it)),
        Content::Report(it) => (TEXT, "form-report-title", form.report(it)),
        Content::Notification(it) => (TEXT, "paper-notification", form.notification(it)),
        Content::Activity(it) => (DENSE, "form-activity-title", form.activity(it)),
    };
    Document {
        title: format!("{} {}", form.words.s(name), paper.seal.number).trim_end().to_owned(),
        size: paper.size,
        text,
        head: Some(form.head()),
        blocks,
        foot: form.foot(),
        issued_ms: paper.seal.issued_ms,
    }
}

/// A paper that is nothing but its head.
pub(super) fn letterhead_alone() -> Document {
    let foot =
        Foot { url: String::new(), url_alt: String::new(), lines: Vec::new(), page: page_of };
    // A picture without words for it is in no valid paper.
    let coat_of_arms = words().a("form-coat-of-arms", "government", "");
    Document {
        title: words().s("form-activity-title"),
        size: PageSize::A4,
        text: TEXT,
        head: Some(Head { coat_of_arms, ..Head::default() }),
        blocks: Vec::new(),
        foot,
        issued_ms: 0,
    }
}

/// The words of all papers.
pub(super) fn words() -> Words {
    Words::of(Lang::Id)
}

/// "halaman 1 dari 2".
pub(super) fn page_of(page: usize, pages: usize) -> String {
    words().with("form-page", &[("page", &page.to_string()), ("pages", &pages.to_string())])
}

//------------ Form ----------------------------------------------------------

/// A paper, and the words of its form.
struct Form<'a> {
    /// The words.
    words: Words,
    /// The paper.
    paper: &'a Paper,
}

impl Form<'_> {
    /// The letterhead.
    fn head(&self) -> Head {
        let from = &self.paper.letterhead;
        let telephone = if from.telephone.is_empty() {
            String::new()
        } else {
            self.words.a("form-telephone", "number", &from.telephone)
        };
        let reached = [telephone, from.email.clone(), from.website.clone()];
        let reached: Vec<String> = reached.into_iter().filter(|it| !it.is_empty()).collect();
        Head {
            government: from.government.clone(),
            office: from.office.clone(),
            lines: vec![from.address.clone(), reached.join("  ·  ")],
            coat_of_arms: self.words.a("form-coat-of-arms", "government", &from.government),
        }
    }

    /// The foot.
    fn foot(&self) -> Foot {
        let (seal, words) = (&self.paper.seal, self.words);
        let sequence = words.count(seal.chain_sequence);
        let chain = [("sequence", sequence.as_str()), ("head", seal.chain_head.as_str())];
        let mut lines = if seal.code.is_empty() {
            vec![words.s("form-foot-unissued")]
        } else {
            vec![
                words.a("form-foot-code", "code", &seal.code),
                words.a("form-foot-check", "url", &seal.url),
            ]
        };
        lines.push(words.with("form-foot-chain", &chain));
        let issued = if seal.code.is_empty() { "form-foot-printed" } else { "form-foot-issued" };
        lines.push(words.a(issued, "when", &words.date_time(seal.issued_ms)));
        Foot {
            url: seal.url.clone(),
            url_alt: words.a("form-qr", "url", &seal.url),
            lines,
            page: page_of,
        }
    }

    /// A title, and below it the numbers of the paper.
    fn title(&self, id: &str) -> Block {
        let seal = &self.paper.seal;
        // What was not issued has no number.
        let mut under = Vec::new();
        if !seal.number.is_empty() {
            under.push(self.words.a("form-number", "number", &seal.number));
        }
        under.push(self.words.a("form-office-number", "number", &self.office_number()));
        under.extend(self.supersedes());
        Block::Title { text: self.words.s(id), under }
    }

    /// The office's own number, or dots to write it on.
    fn office_number(&self) -> String {
        let number = &self.paper.seal.office_number;
        if number.is_empty() { ".".repeat(36) } else { number.clone() }
    }

    /// Which paper this one stands for.
    fn supersedes(&self) -> Option<String> {
        let number = self.paper.seal.supersedes.as_deref()?;
        Some(self.words.a("form-supersedes", "number", number))
    }

    /// "Sumber, 26 November 2026".
    fn place_and_date(&self) -> String {
        let date = self.words.date(self.paper.seal.issued_ms);
        let place = &self.paper.letterhead.place;
        self.words.with("form-place-date", &[("place", place), ("date", &date)])
    }

    /// A place to sign.
    fn signature(&self, signer: &Signer) -> Signature {
        let nip = signer.nip.as_deref().map(|nip| self.words.a("form-nip", "nip", &grouped(nip)));
        Signature {
            title: format!("{},", signer.full_title()),
            space: String::new(),
            name: signer.name.clone().unwrap_or_default(),
            under: signer.rank.iter().cloned().chain(nip).collect(),
        }
    }

    /// One place to sign, at the right, with place and date above.
    fn signed(&self, signer: &Signer) -> Block {
        let people = vec![self.signature(signer)];
        Block::Signatures { date: Some(self.place_and_date()), people }
    }

    /// Number and date of a letter, as far as they are known.
    fn letter(&self, letter: &LetterRef) -> String {
        let date = self.words.iso_date(&letter.date);
        match (letter.number.is_empty(), date.is_empty()) {
            (false, false) => {
                self.words.with("form-letter", &[("number", &letter.number), ("date", &date)])
            }
            (false, true) => letter.number.clone(),
            (true, false) => date,
            (true, true) => dash(),
        }
    }

    /// A span of working minutes.
    fn span(&self, minutes: u64) -> String {
        self.words.work_span(i64::try_from(minutes).unwrap_or(i64::MAX))
    }

    /// The limit of a step.
    fn limit(&self, step: &StepTime) -> String {
        step.limit_minutes.map_or_else(|| self.words.s("form-no-limit"), |it| self.span(it))
    }

    /// The time a step took.
    fn used(&self, step: &StepTime) -> String {
        step.used_minutes.map_or_else(|| self.words.s("form-not-yet"), |it| self.span(it))
    }

    /// Steps against the SOP, before they are taken or after.
    fn steps(&self, title: &str, steps: &[StepTime]) -> Option<Block> {
        let used = steps.iter().any(|step| step.used_minutes.is_some());
        let due = !used && steps.iter().any(|step| step.due_ms.is_some());
        let mut columns = vec![
            Column::text(self.words.s("form-step"), 4),
            Column::text(self.words.s("form-step-holder"), 4),
            Column::text(self.words.s("form-step-limit"), 2),
        ];
        let last = [(used, "form-step-used"), (due, "form-step-due")];
        columns.extend(
            last.into_iter().filter(|(is, _)| *is).map(|(_, id)| Column::text(self.words.s(id), 3)),
        );
        let row = |step: &StepTime| {
            let mut row = vec![step.step.clone(), step.holder.clone(), self.limit(step)];
            if used {
                row.push(self.used(step));
            }
            if due {
                row.push(step.due_ms.map_or_else(dash, |it| self.words.date_time(it)));
            }
            row
        };
        let rows = steps.iter().map(row).collect();
        let table = Table { title: title.to_owned(), columns, rows, total: Vec::new() };
        (!steps.is_empty()).then_some(Block::Table(table))
    }
}

/// A person's number in its parts, as it is read: date of birth, month of appointment, sex, sequence.
fn grouped(nip: &str) -> String {
    if nip.len() != 18 || !nip.bytes().all(|octet| octet.is_ascii_digit()) {
        return nip.to_owned();
    }
    [&nip[..8], &nip[8..14], &nip[14..15], &nip[15..]].join(" ")
}

/// The addressee, line by line, never apart from the letter.
fn addressee(lines: &[String]) -> Vec<Block> {
    let count = lines.len();
    let line = |(at, text): (usize, &String)| {
        let set = Setting { keep: true, tight: at + 1 < count, ..Setting::default() };
        Block::Paragraph { text: text.clone(), set }
    };
    lines.iter().enumerate().map(line).collect()
}

/// What stands where there is nothing.
fn dash() -> String {
    "-".to_owned()
}

/// A text, or a dash if it is empty.
fn or_dash(text: &str) -> String {
    if text.is_empty() { dash() } else { text.to_owned() }
}
