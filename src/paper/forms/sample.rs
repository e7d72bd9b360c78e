//! A letter for others to copy: a *surat dinas* of theirs, with dots where they write.

use super::{TEXT, addressee, page_of};
use crate::paper::block::{Block, Document, Foot, Setting, Signature};
use crate::paper::content::{Sample, SamplePart};

/// How the place of their letterhead is set.
const HEAD: Setting =
    Setting { bold: true, center: true, keep: true, small: false, indent: false, tight: false };

/// A sample in its form.
pub(in crate::paper) fn sample(it: &Sample) -> Document {
    let mut blocks = vec![
        Block::Paragraph { text: it.head.clone(), set: HEAD },
        Block::Rule,
        Block::Fields { fields: it.fields.clone(), aside: Some(it.place_and_date.clone()) },
    ];
    blocks.extend(addressee(&it.to));
    blocks.extend(it.body.iter().map(|part| match part {
        SamplePart::Paragraph(text) => Block::indented(text),
        SamplePart::List { numbered, items } => {
            Block::List { numbered: *numbered, items: items.clone() }
        }
    }));
    blocks.push(Block::fields(it.asked.clone()));
    let signer = Signature {
        title: it.signer.clone(),
        space: it.space.clone(),
        name: it.name.clone(),
        under: Vec::new(),
    };
    let mut end: Vec<Block> = it.end.iter().map(Block::indented).collect();
    end.push(Block::Signatures { date: None, people: vec![signer] });
    blocks.push(Block::Together(end));
    let lines = vec![it.foot.clone()];
    Document {
        title: it.title.clone(),
        size: it.size,
        text: TEXT,
        head: None,
        blocks,
        foot: Foot { url: String::new(), url_alt: String::new(), lines, page: page_of },
        issued_ms: 0,
    }
}
