//! *Tanda terima permohonan*: what was asked and handed in, and how long each step may take.

use super::Form;
use crate::paper::block::{Block, Cell};
use crate::paper::content::{Field, Receipt};

impl Form<'_> {
    /// The blocks of a receipt.
    pub(super) fn receipt(&self, it: &Receipt) -> Vec<Block> {
        let words = self.words;
        let mut fields = vec![
            Field::new(words.s("form-receipt-request"), &it.request),
            Field::new(words.s("form-receipt-received"), words.date_time(it.received_ms)),
            Field::new(words.s("form-receipt-office"), &it.office),
        ];
        if let Some(person) = &it.person {
            fields.push(Field::new(words.s("form-receipt-person"), person));
        }
        fields.extend([
            Field::new(words.s("form-receipt-name"), &it.name),
            Field::new(words.s("form-receipt-kind"), &it.kind),
            Field::new(words.s("form-receipt-class"), &it.class),
            Field::new(words.s("form-receipt-letter"), self.letter(&it.letter)),
        ]);
        let mut blocks = vec![self.title("form-receipt-title"), Block::fields(fields)];
        if !it.handed_in.is_empty() {
            blocks.push(Block::Heading(words.s("form-receipt-handed-in")));
            blocks.push(Block::List { numbered: true, items: it.handed_in.clone() });
        }
        blocks.extend(self.steps(&words.s("form-receipt-steps"), &it.steps));
        if !it.contact.is_empty() {
            blocks.push(Block::Heading(words.s("form-receipt-contact")));
            blocks.extend(it.contact.iter().map(Block::paragraph));
        }
        if !it.status_url.is_empty() {
            blocks.push(Block::paragraph(words.a("form-receipt-follow", "url", &it.status_url)));
        }
        if let Some(secret) = &it.secret {
            let inside = vec![
                Block::fields(vec![Field::new(words.s("form-receipt-secret"), secret)]),
                Block::small(words.s("form-receipt-secret-keep")),
            ];
            blocks.push(Block::Grid(vec![vec![Cell { share: 1, blocks: inside }]]));
        }
        blocks
    }
}
