//! *Lembar disposisi*: the box form that a head of division knows.

use super::{Form, or_dash};
use crate::paper::block::{Block, Cell, Signature};
use crate::paper::content::{Ask, Disposition, Field, Nature, StepTime};

impl Form<'_> {
    /// The blocks of a routing slip.
    pub(super) fn disposition(&self, it: &Disposition) -> Vec<Block> {
        let words = self.words;
        let one = |blocks| vec![Cell { share: 1, blocks }];
        let subject = Field::new(words.s("form-disposition-subject"), &it.subject);
        let signature = self.signature(&it.signer);
        let space = words.s("form-disposition-initials");
        vec![
            self.title("form-disposition-title"),
            Block::Grid(vec![
                vec![
                    Cell { share: 1, blocks: vec![Block::fields(self.letter_fields(it))] },
                    Cell { share: 1, blocks: self.agenda(it) },
                ],
                one(vec![Block::fields(vec![subject])]),
                vec![
                    Cell { share: 1, blocks: self.forwarded(it) },
                    Cell { share: 1, blocks: self.asked(it) },
                ],
                one(self.instruction(it)),
                one(self.notes(it)),
            ]),
            Block::Signatures { date: None, people: vec![Signature { space, ..signature }] },
        ]
    }

    /// The left box: the letter.
    fn letter_fields(&self, it: &Disposition) -> Vec<Field> {
        let words = self.words;
        let date = words.iso_date(&it.letter.date);
        vec![
            Field::new(words.s("form-disposition-from"), &it.from),
            Field::new(words.s("form-disposition-letter-number"), or_dash(&it.letter.number)),
            Field::new(words.s("form-disposition-letter-date"), or_dash(&date)),
        ]
    }

    /// The right box: when it came, and how urgent it is.
    fn agenda(&self, it: &Disposition) -> Vec<Block> {
        let words = self.words;
        let tick = |nature, id| (it.nature.contains(&nature), words.s(id));
        vec![
            Block::fields(vec![
                Field::new(words.s("form-disposition-received"), words.date_time(it.received_ms)),
                Field::new(words.s("form-disposition-agenda"), &it.agenda),
            ]),
            Block::lead(words.s("form-disposition-nature")),
            Block::Ticks(vec![
                tick(Nature::VeryUrgent, "form-nature-very-urgent"),
                tick(Nature::Urgent, "form-nature-urgent"),
                tick(Nature::Secret, "form-nature-secret"),
            ]),
        ]
    }

    /// To whom it goes.
    fn forwarded(&self, it: &Disposition) -> Vec<Block> {
        vec![
            Block::lead(self.words.s("form-disposition-to")),
            Block::List { numbered: true, items: it.forwarded_to.clone() },
        ]
    }

    /// What is asked of them, in ticks.
    fn asked(&self, it: &Disposition) -> Vec<Block> {
        let words = self.words;
        let tick = |ask, id| (it.asks.contains(&ask), words.s(id));
        vec![
            Block::lead(words.s("form-disposition-asks")),
            Block::Ticks(vec![
                tick(Ask::Advise, "form-ask-advise"),
                tick(Ask::Process, "form-ask-process"),
                tick(Ask::Coordinate, "form-ask-coordinate"),
            ]),
        ]
    }

    /// The same in the head's own words, which may be long.
    fn instruction(&self, it: &Disposition) -> Vec<Block> {
        let mut blocks = vec![Block::lead(self.words.s("form-disposition-instruction"))];
        match it.instruction.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => blocks.push(Block::paragraph(text)),
            None => blocks.push(Block::Lines(3)),
        }
        blocks
    }

    /// Limits and times, a line for each step.
    fn notes(&self, it: &Disposition) -> Vec<Block> {
        let words = self.words;
        let field = |step: &StepTime| {
            let holder = Some(step.holder.clone()).filter(|holder| !holder.is_empty());
            let mut said: Vec<String> = holder.into_iter().collect();
            said.push(words.a("form-note-limit", "span", &self.limit(step)));
            if step.used_minutes.is_some() {
                said.push(words.a("form-note-used", "span", &self.used(step)));
            }
            if let Some(due) = step.due_ms {
                said.push(words.a("form-note-due", "when", &words.date_time(due)));
            }
            Field::new(&step.step, said.join(", "))
        };
        let steps = [&it.routing, &it.next].into_iter().filter(|step| !step.step.is_empty());
        vec![
            Block::lead(words.s("form-disposition-notes")),
            Block::fields(steps.map(field).collect()),
        ]
    }
}
