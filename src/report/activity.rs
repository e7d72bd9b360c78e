//! The report as a paper: *laporan kegiatan*, in formal Indonesian.

use super::Report;
use super::list::step_words;
use super::sheet::{Count, HolderLate, Late, Line, LiveName, StepTime};
use super::xlsx::{Part, class_words, kind_words, state_words};
use crate::dossier;
use crate::paper::{Activity, Bar, Chart, Column, Content, Paper, Seal, Section, Signer, Table};
use crate::words::{Lang, Said, Words};

impl Report {
    /// What the paper of the month says, to be signed by this official.
    pub fn activity(&self, signer: Signer) -> Activity {
        let words = Words::of(Lang::Id);
        let mut sections = self.counts(words);
        sections.push(self.times(words));
        sections.push(self.late_section(words));
        sections.push(self.late_requests(words));
        sections.push(self.live_section(words));
        Activity {
            period: self.month_words(words),
            summary: self.sentences(words),
            sections,
            signer,
            annex: (!self.requests.is_empty()).then(|| self.annex(words)),
        }
    }

    /// The paper as it is printed on demand: nobody issued it, so it has neither a number nor a code to
    /// check it by. `chain` is the head of the event chain it was told from.
    pub fn printed(&self, signer: Signer, chain: Option<(i64, String)>, now_ms: i64) -> Paper {
        let (sequence, head) = chain.unwrap_or_default();
        let content = Content::Activity(self.activity(signer));
        dossier::paper(Seal::at((sequence, &head), now_ms), content)
    }

    /// Three sentences.
    fn sentences(&self, words: Words) -> Vec<String> {
        let count = |count: usize| words.count(u64::try_from(count).unwrap_or(u64::MAX));
        let done: usize = self.steps.iter().map(|step| step.done).sum();
        let within: usize = self.steps.iter().map(|step| step.within).sum();
        let month = self.month_words(words);
        let (came, finished, open) = (count(self.total), count(self.finished), count(self.open));
        let (done, within, late) = (count(done), count(within), count(self.late.len()));
        vec![
            words.with(
                "report-sum-requests",
                &[("month", &month), ("came", &came), ("done", &finished), ("open", &open)],
            ),
            words
                .with("report-sum-steps", &[("done", &done), ("within", &within), ("late", &late)]),
            words.a("report-sum-live", "count", &count(self.live.len())),
        ]
    }

    /// Counts by kind, class and result; the first with a chart.
    fn counts(&self, words: Words) -> Vec<Section> {
        let parts: [Part<'_>; 3] = [
            ("report-by-kind", &self.kinds, kind_words),
            ("report-by-class", &self.classes, class_words),
            ("report-by-result", &self.results, state_words),
        ];
        let section = |(id, counts, say): Part<'_>| {
            let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            let say = |it: &Count| sentence_case(&say(words, &it.what));
            let bar = |it: &Count| Bar {
                label: say(it),
                value: number(it.count),
                shown: words.count(number(it.count)),
            };
            let row = |it: &Count| vec![say(it), words.count(number(it.count))];
            let sum = counts.iter().map(|it| it.count).sum();
            let columns = vec![
                Column::text(words.s("chart-what"), 3),
                Column::number(words.s("report-count"), 1),
            ];
            let table = Table {
                title: words.s(id),
                columns,
                rows: counts.iter().map(row).collect(),
                total: vec![words.s("report-sum"), words.count(number(sum))],
            };
            let chart = Chart {
                title: words.s("report-chart-class"),
                bars: counts.iter().map(bar).collect(),
            };
            // The title of a table is heading enough.
            let heading = if counts.is_empty() { words.s(id) } else { String::new() };
            Section {
                heading,
                text: if counts.is_empty() { vec![words.s("report-none")] } else { Vec::new() },
                chart: (id == "report-by-class" && !counts.is_empty()).then_some(chart),
                table: (!counts.is_empty()).then_some(table),
            }
        };
        parts.into_iter().map(section).collect()
    }

    /// Time per step against the SOP.
    fn times(&self, words: Words) -> Section {
        let span = |minutes: Option<i64>| {
            minutes.map_or_else(|| "–".to_owned(), |minutes| words.work_span(minutes))
        };
        let row = |step: &StepTime| {
            vec![
                step_words(words, step.step),
                words.work_span(step.limit_minutes),
                step.done.to_string(),
                step.within.to_string(),
                step.over.to_string(),
                span(step.median_minutes),
                span(step.longest_minutes),
                span(Some(step.paused_minutes).filter(|it| *it > 0)),
            ]
        };
        let columns = vec![
            Column::text(words.s("report-step"), 4),
            Column::text(words.s("report-allowed"), 3),
            Column::number(words.s("report-ended"), 3),
            Column::number(words.s("report-within"), 3),
            Column::number(words.s("report-over"), 3),
            Column::text(words.s("report-middle"), 3),
            Column::text(words.s("report-most"), 3),
            Column::text(words.s("report-waited"), 3),
        ];
        let rows = self.steps.iter().map(row).collect();
        let title = words.s("report-steps-table");
        Section {
            heading: words.s("report-steps-title"),
            text: vec![words.s("report-steps-lead")],
            chart: None,
            table: Some(Table { title, columns, rows, total: Vec::new() }),
        }
    }

    /// What was late, by holder and step.
    fn late_section(&self, words: Words) -> Section {
        let heading = words.s("report-late-title");
        if self.late.is_empty() {
            let text = vec![words.s("report-late-none")];
            return Section { heading, text, chart: None, table: None };
        }
        let of = |one: &HolderLate| {
            vec![
                one.holder.clone(),
                step_words(words, one.step),
                one.count.to_string(),
                words.work_span(one.over_minutes),
            ]
        };
        let columns = vec![
            Column::text(words.s("report-holder"), 5),
            Column::text(words.s("report-late-step"), 3),
            Column::number(words.s("report-count"), 1),
            Column::text(words.s("report-over-by"), 2),
        ];
        let rows = self.late_by_holder.iter().map(of).collect();
        let table =
            Table { title: words.s("report-holders-title"), columns, rows, total: Vec::new() };
        Section { heading, text: Vec::new(), chart: None, table: Some(table) }
    }

    /// The same with the requests of each: lines across the page, for there may be hundreds.
    fn late_requests(&self, words: Words) -> Section {
        let of = |one: &HolderLate| {
            let is_of = |late: &&Late| late.holder == one.holder && late.step == one.step;
            let numbers = self.late.iter().filter(is_of).map(|late| late.number.as_str());
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            format!("{}, {}: {numbers}", one.holder, step_words(words, one.step))
        };
        Section { text: self.late_by_holder.iter().map(of).collect(), ..Section::default() }
    }

    /// Names that were live at the end.
    fn live_section(&self, words: Words) -> Section {
        let heading = words.s("report-sheet-names");
        if self.live.is_empty() {
            let text = vec![words.s("report-none")];
            return Section { heading, text, chart: None, table: None };
        }
        let row = |live: &LiveName| {
            let class = live.class.map(|class| class.say(words)).unwrap_or_default();
            vec![live.name.clone(), class, live.office.clone(), words.date(live.since.0)]
        };
        let columns = vec![
            Column::text(words.s("report-name"), 4),
            Column::text(words.s("report-class"), 2),
            Column::text(words.s("report-office"), 3),
            Column::text(words.s("report-since"), 2),
        ];
        let rows = self.live.iter().map(row).collect();
        let table = Table { title: heading, columns, rows, total: Vec::new() };
        Section { table: Some(table), ..Section::default() }
    }

    /// The list.
    fn annex(&self, words: Words) -> Table {
        let row = |line: &Line| {
            let finished = line.finished.map(|at| words.day_stamp(at.0));
            vec![
                line.number.clone(),
                line.name.clone(),
                line.office.clone(),
                line.kind.say(words),
                sentence_case(&line.state.say(words)),
                words.day_stamp(line.submitted.0),
                finished.unwrap_or_else(|| "–".to_owned()),
            ]
        };
        let columns = vec![
            Column::text(words.s("report-number"), 3),
            Column::text(words.s("report-name"), 5),
            Column::text(words.s("report-office"), 4),
            Column::text(words.s("report-kind"), 3),
            Column::text(words.s("report-state"), 2),
            Column::text(words.s("report-submitted"), 3),
            Column::text(words.s("report-finished"), 3),
        ];
        let rows = self.requests.iter().map(row).collect();
        Table { title: words.s("report-list-title"), columns, rows, total: Vec::new() }
    }
}

/// A word as it stands in a table: states are badges in capitals elsewhere.
fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.flat_map(char::to_lowercase)).collect()
}
