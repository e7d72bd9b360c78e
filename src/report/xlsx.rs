//! The report as a workbook: a summary, the list, what was late, names that are live.

use std::io;

use super::Month;
use super::list::{list_head, step_words};
use super::sheet::{Count, Late, LiveName, Report};
use super::workbook::{Cell, Sheet, workbook};
use crate::queue::{Kind, NamingClass, State};
use crate::words::{Lang, Said, Words};

/// A part of the counts: the id of its title, the counts, and what says a word of theirs.
pub(super) type Part<'a> = (&'static str, &'a [Count], fn(Words, &str) -> String);

impl Report {
    /// The report as an XLSX file.
    pub fn xlsx(&self) -> io::Result<Vec<u8>> {
        let words = Words::of(Lang::Id);
        let title = words.a("report-of", "month", &self.month_words(words));
        let sheets =
            [self.summary(words, &title), self.list(words), self.lates(words), self.names(words)];
        workbook(&title, &sheets)
    }

    /// "November 2026".
    pub fn month_words(&self, words: Words) -> String {
        let month: Option<Month> = self.month.parse().ok();
        month.map_or_else(|| self.month.clone(), |month| words.month(month.year(), month.number()))
    }

    /// Counts, times per step, late ones by holder.
    fn summary(&self, words: Words, title: &str) -> Sheet {
        let count = |id: &str, count: usize| vec![Cell::Text(words.s(id)), number(count)];
        let mut rows = vec![
            vec![Cell::Head(title.to_owned())],
            vec![Cell::Text(words.s("report-as-of")), Cell::Moment(self.as_of.0)],
            count("report-came", self.total),
            count("report-done", self.finished),
            count("report-open", self.open),
            count("report-live-count", self.live.len()),
        ];
        let parts: [Part<'_>; 3] = [
            ("report-by-kind", &self.kinds, kind_words),
            ("report-by-class", &self.classes, class_words),
            ("report-by-result", &self.results, state_words),
        ];
        for (id, counts, say) in parts {
            rows.push(Vec::new());
            rows.push(vec![Cell::Head(words.s(id)), Cell::Head(words.s("report-count"))]);
            rows.extend(
                counts.iter().map(|it| vec![Cell::Text(say(words, &it.what)), number(it.count)]),
            );
        }
        rows.push(Vec::new());
        let heads = [
            "report-step",
            "report-limit",
            "report-ended",
            "report-within",
            "report-over",
            "report-median",
            "report-longest",
            "report-paused",
            "report-running",
        ];
        rows.push(heads.map(|id| Cell::Head(words.s(id))).to_vec());
        rows.extend(self.steps.iter().map(|step| {
            let minutes = |it: Option<i64>| it.map_or(Cell::Empty, Cell::Number);
            vec![
                Cell::Text(step_words(words, step.step)),
                Cell::Number(step.limit_minutes),
                number(step.done),
                number(step.within),
                number(step.over),
                minutes(step.median_minutes),
                minutes(step.longest_minutes),
                Cell::Number(step.paused_minutes),
                number(step.running),
            ]
        }));
        rows.push(Vec::new());
        let heads = ["report-holder", "report-late-step", "report-count", "report-over-minutes"];
        rows.push(heads.map(|id| Cell::Head(words.s(id))).to_vec());
        rows.extend(self.late_by_holder.iter().map(|one| {
            let step = Cell::Text(step_words(words, one.step));
            vec![
                Cell::Text(one.holder.clone()),
                step,
                number(one.count),
                Cell::Number(one.over_minutes),
            ]
        }));
        let widths = vec![44, 18, 14, 14, 14, 14, 14, 18, 14];
        Sheet { name: words.s("report-sheet-summary"), widths, is_table: false, rows }
    }

    /// The list.
    fn list(&self, words: Words) -> Sheet {
        let widths = vec![18, 18, 22, 44, 32, 18, 18, 18, 14, 14, 14, 14, 12, 24, 40];
        let rows = self.list_rows(words).into_iter();
        table(words.s("report-sheet-list"), widths, list_head(words), rows)
    }

    /// What was late.
    fn lates(&self, words: Words) -> Sheet {
        let row = |late: &Late| {
            vec![
                Cell::Text(late.holder.clone()),
                Cell::Text(step_words(words, late.step)),
                Cell::Text(late.number.clone()),
                Cell::Text(late.name.clone()),
                Cell::Number(late.used_minutes),
                Cell::Number(late.limit_minutes),
                Cell::Number(late.over_minutes),
                Cell::Text(words.s(if late.running { "report-still" } else { "report-was" })),
            ]
        };
        let head = [
            "report-holder",
            "report-late-step",
            "report-number",
            "report-name",
            "report-used",
            "report-limit",
            "report-over-minutes",
            "report-late-now",
        ];
        let widths = vec![40, 24, 18, 44, 14, 14, 16, 16];
        let head = head.map(|id| words.s(id)).to_vec();
        table(words.s("report-sheet-late"), widths, head, self.late.iter().map(row))
    }

    /// The names that are live.
    fn names(&self, words: Words) -> Sheet {
        let row = |live: &LiveName| {
            let class = live.class.map(|class| class.say(words)).unwrap_or_default();
            let (name, office) = (live.name.clone(), live.office.clone());
            vec![
                Cell::Text(name),
                Cell::Text(class),
                Cell::Text(office),
                Cell::Moment(live.since.0),
            ]
        };
        let head = ["report-name", "report-class", "report-office", "report-since"];
        let head = head.map(|id| words.s(id)).to_vec();
        table(words.s("report-sheet-names"), vec![44, 22, 40, 18], head, self.live.iter().map(row))
    }
}

/// A sheet that is one table.
fn table(
    name: String,
    widths: Vec<u8>,
    head: Vec<String>,
    body: impl Iterator<Item = Vec<Cell>>,
) -> Sheet {
    let mut rows = vec![head.into_iter().map(Cell::Head).collect()];
    rows.extend(body);
    Sheet { name, widths, is_table: true, rows }
}

/// A count as a cell.
fn number(count: usize) -> Cell {
    Cell::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A kind by its JSON name in words.
pub(super) fn kind_words(words: Words, name: &str) -> String {
    Kind::from_name(name).map_or_else(|| name.to_owned(), |kind| kind.say(words))
}

/// A class by its JSON name in words.
pub(super) fn class_words(words: Words, name: &str) -> String {
    NamingClass::from_name(name).map_or_else(|| name.to_owned(), |class| class.say(words))
}

/// A state by its JSON name in words.
pub(super) fn state_words(words: Words, name: &str) -> String {
    State::from_name(name).map_or_else(|| name.to_owned(), |state| state.say(words))
}
