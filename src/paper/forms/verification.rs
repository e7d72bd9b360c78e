//! *Lembar verifikasi*: every line of the check sheet with its verdict.

use super::Form;
use crate::paper::block::{Block, Signature};
use crate::paper::content::{CheckedLine, Column, Field, Table, Verification};

impl Form<'_> {
    /// The blocks of a check sheet.
    pub(super) fn verification(&self, it: &Verification) -> Vec<Block> {
        let words = self.words;
        let mut blocks = vec![self.title("form-verification-title"), self.checked(it)];
        blocks.push(Block::Table(Table {
            title: words.s("form-verification-sheet"),
            columns: vec![
                Column::text(words.s("form-verification-code"), 5),
                Column::text(words.s("form-verification-what"), 18),
                Column::text(words.s("form-verification-verdict"), 8),
                Column::text(words.s("form-verification-note"), 18),
                Column::text(words.s("form-verification-who"), 12),
            ],
            rows: it.lines.iter().map(|line| self.line(line)).collect(),
            total: Vec::new(),
        }));
        let mut evidence = vec![Field::new(words.s("form-verification-zone"), &it.zone)];
        if let Some(serial) = it.serial {
            evidence.push(Field::new(words.s("form-verification-serial"), serial.to_string()));
        }
        if let Some(candidate) = &it.candidate {
            evidence.push(Field::new(words.s("form-verification-candidate"), candidate));
        }
        blocks.push(Block::fields(evidence));
        blocks.push(Block::Together(vec![
            Block::Heading(words.s("form-verification-result")),
            Block::paragraph(&it.result),
            self.both_signed(it),
        ]));
        blocks
    }

    /// Which request was checked.
    fn checked(&self, it: &Verification) -> Block {
        let words = self.words;
        let mut fields = vec![
            Field::new(words.s("form-verification-request"), &it.request),
            Field::new(words.s("form-verification-office"), &it.office),
            Field::new(words.s("form-verification-name"), &it.name),
            Field::new(words.s("form-verification-kind"), &it.kind),
        ];
        // The first revision is the request as it came.
        if let Some(mended) = it.revision.checked_sub(1).filter(|count| *count > 0) {
            fields.push(Field::new(words.s("form-verification-revision"), mended.to_string()));
        }
        Block::fields(fields)
    }

    /// A line of the sheet.
    fn line(&self, line: &CheckedLine) -> Vec<String> {
        let who = match line.at_ms {
            Some(at) => format!("{}\n{}", line.who, self.words.stamp(at)),
            None => line.who.clone(),
        };
        vec![line.code.clone(), line.what.clone(), line.verdict.clone(), line.note.clone(), who]
    }

    /// The verifier at the right; the head at the left, where there is a second signature.
    fn both_signed(&self, it: &Verification) -> Block {
        let mut people = Vec::new();
        if let Some(second) = &it.second {
            let head = self.signature(second);
            let title = format!("{}\n{}", self.words.s("form-verification-second"), head.title);
            people.push(Signature { title, ..head });
        }
        people.push(self.signature(&it.signer));
        Block::Signatures { date: Some(self.place_and_date()), people }
    }
}
