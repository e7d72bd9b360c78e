//! *Laporan ke Kepala Bidang*: a *nota dinas* with what was made, and the proof that it answers.

use super::{Form, dash, or_dash};
use crate::paper::block::Block;
use crate::paper::content::{Answer, Column, Field, RecordChange, Report, Table};

impl Form<'_> {
    /// The blocks of a report to the head.
    pub(super) fn report(&self, it: &Report) -> Vec<Block> {
        let words = self.words;
        let title = words.s("form-report-title");
        let mut blocks = vec![
            Block::Title { text: title, under: self.supersedes().into_iter().collect() },
            Block::fields(self.memo(it)),
            Block::Rule,
            Block::indented(&it.opening),
        ];
        if !it.facts.is_empty() {
            blocks.push(Block::fields(it.facts.clone()));
        }
        blocks.extend(self.changes(&it.changes));
        blocks.push(Block::fields(self.served(it)));
        blocks.extend(self.answers(&it.answers));
        blocks.extend(self.steps(&words.s("form-report-steps"), &it.steps));
        blocks.push(Block::Together(vec![
            Block::indented(&it.closing),
            Block::Signatures { date: None, people: vec![self.signature(&it.signer)] },
        ]));
        blocks
    }

    /// The head of a *nota dinas*.
    fn memo(&self, it: &Report) -> Vec<Field> {
        let words = self.words;
        let seal = &self.paper.seal;
        let copies = if it.copies.is_empty() { dash() } else { it.copies.join("\n") };
        vec![
            Field::new(words.s("form-report-to"), &it.to),
            Field::new(words.s("form-report-from"), &it.from),
            Field::new(words.s("form-report-copies"), copies),
            Field::new(words.s("form-date"), words.date(seal.issued_ms)),
            Field::new(words.s("form-number-label"), &seal.number),
            Field::new(words.s("form-office-number-label"), self.office_number()),
            Field::new(words.s("form-nature"), or_dash(&it.nature)),
            Field::new(words.s("form-attachments"), or_dash(&it.attachments)),
            Field::new(words.s("form-subject"), &it.subject),
        ]
    }

    /// What changed in the zone.
    fn changes(&self, changes: &[RecordChange]) -> Option<Block> {
        let words = self.words;
        let row = |it: &RecordChange| {
            let id = if it.removed { "form-change-removed" } else { "form-change-added" };
            let ttl = it.ttl.to_string();
            vec![words.s(id), it.name.clone(), ttl, it.rtype.clone(), it.data.clone()]
        };
        let table = Table {
            title: words.s("form-report-changes"),
            columns: vec![
                Column::text(words.s("form-change"), 5),
                Column::text(words.s("form-record-name"), 12),
                Column::number(words.s("form-record-ttl"), 3),
                Column::text(words.s("form-record-type"), 3),
                Column::text(words.s("form-record-data"), 8),
            ],
            rows: changes.iter().map(row).collect(),
            total: Vec::new(),
        };
        (!changes.is_empty()).then_some(Block::Table(table))
    }

    /// Zone, serial, since when.
    fn served(&self, it: &Report) -> Vec<Field> {
        let words = self.words;
        let after = it.serial.to_string();
        let serial = match it.serial_before {
            Some(before) => {
                let before = before.to_string();
                words.with("form-report-serials", &[("before", &before), ("after", &after)])
            }
            None => after,
        };
        vec![
            Field::new(words.s("form-report-zone"), &it.zone),
            Field::new(words.s("form-report-serial"), serial),
            Field::new(words.s("form-report-live"), words.date_time(it.live_ms)),
        ]
    }

    /// What port 53 answered.
    fn answers(&self, answers: &[Answer]) -> Option<Block> {
        let words = self.words;
        let row = |it: &Answer| {
            let fits = words.s(if it.as_approved { "form-yes" } else { "form-no" });
            let at = words.stamp(it.at_ms);
            vec![it.question.clone(), it.rcode.clone(), it.answer.clone(), at, fits]
        };
        let table = Table {
            title: words.s("form-report-answers"),
            columns: vec![
                Column::text(words.s("form-answer-question"), 10),
                Column::text(words.s("form-answer-rcode"), 4),
                Column::text(words.s("form-answer-answer"), 12),
                Column::text(words.s("form-answer-at"), 4),
                Column::text(words.s("form-answer-fits"), 3),
            ],
            rows: answers.iter().map(row).collect(),
            total: Vec::new(),
        };
        (!answers.is_empty()).then_some(Block::Table(table))
    }
}
