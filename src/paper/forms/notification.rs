//! *Surat pemberitahuan*: a *surat dinas*. Technical lines stand only in the box at its end.

use super::{Form, addressee, or_dash};
use crate::paper::block::{Block, Cell};
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
        let to = it.to.iter().enumerate().map(|(at, line)| match at {
            0 => words.a("form-notification-to", "name", line),
            _ => line.clone(),
        });
        blocks.extend(addressee(&to.collect::<Vec<_>>()));
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
}
