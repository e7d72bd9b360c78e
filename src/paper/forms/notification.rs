//! *Surat pemberitahuan*: a *surat dinas*. Technical lines stand only in the box at its end.

use super::{Form, or_dash};
use crate::paper::block::{Block, Cell, Setting};
use crate::paper::content::{Field, Notification};

impl Form<'_> {
    /// The blocks of a letter to the applicant.
    pub(super) fn notification(&self, it: &Notification) -> Vec<Block> {
        let words = self.words;
        let seal = &self.paper.seal;
        let fields = vec![
            Field::new(words.s("form-number-label"), &seal.number),
            Field::new(words.s("form-office-number-label"), self.office_number()),
            Field::new(words.s("form-nature"), or_dash(&it.nature)),
            Field::new(words.s("form-attachments"), or_dash(&it.attachments)),
            Field::new(words.s("form-subject"), &it.subject),
        ];
        let mut blocks = vec![Block::Fields { fields, aside: Some(self.place_and_date()) }];
        blocks.extend(self.supersedes().map(Block::small));
        blocks.extend(self.addressee(&it.to));
        blocks.push(Block::indented(&it.opening));
        if !it.facts.is_empty() {
            blocks.push(Block::fields(it.facts.clone()));
        }
        blocks.extend(it.body.iter().map(Block::indented));
        if !it.points.is_empty() {
            blocks.push(Block::List { numbered: true, items: it.points.clone() });
        }
        blocks.extend(it.next.iter().map(Block::indented));
        let mut end = vec![
            Block::indented(&it.closing),
            Block::Signatures { date: None, people: vec![self.signature(&it.signer)] },
        ];
        if !it.copies.is_empty() {
            end.push(Block::lead(words.s("form-notification-copies")));
            end.push(Block::List { numbered: true, items: it.copies.clone() });
        }
        if !it.lookup.is_empty() {
            let mut inside = vec![Block::small(words.s("form-notification-lookup"))];
            inside.extend(it.lookup.iter().map(Block::small));
            end.push(Block::Grid(vec![vec![Cell { share: 1, blocks: inside }]]));
        }
        blocks.push(Block::Together(end));
        blocks
    }

    /// "Yth." and the addressee, line by line.
    fn addressee(&self, to: &[String]) -> Vec<Block> {
        let tight = Setting { tight: true, keep: true, ..Setting::default() };
        let count = to.len();
        let line = |(at, text): (usize, &String)| {
            let first = self.words.a("form-notification-to", "name", text);
            let text = if at == 0 { first } else { text.clone() };
            let set =
                if at + 1 == count { Setting { keep: true, ..Setting::default() } } else { tight };
            Block::Paragraph { text, set }
        };
        to.iter().enumerate().map(line).collect()
    }
}
