//! The structure of a set document as the tag tree of a PDF.

use std::num::NonZeroU16;

use krilla::tagging as pdf;
use krilla::tagging::{Identifier, ListNumbering, TableHeaderScope, TagGroup, TagKind, TagTree};

use super::layout::{Numbering, Structure, Tag};

/// The tree; `leaves` are what was drawn for each node.
pub(super) fn tree(structure: &Structure, mut leaves: Vec<Vec<Identifier>>) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(super::LANGUAGE.to_owned()));
    let root = structure.root();
    for child in structure.node(root).map(|node| node.children.clone()).unwrap_or_default() {
        if let Some(group) = group(structure, child, &mut leaves) {
            tree.push(group);
        }
    }
    tree
}

/// A node with all below it. `None` if nothing of it was drawn; an empty cell stays, for the table's sake.
fn group(structure: &Structure, at: usize, leaves: &mut [Vec<Identifier>]) -> Option<TagGroup> {
    let node = structure.node(at)?;
    let mut group = TagGroup::new(kind(&node.tag));
    for leaf in leaves.get_mut(at).map(std::mem::take).unwrap_or_default() {
        group.push(leaf);
    }
    for child in &node.children {
        if let Some(below) = self::group(structure, *child, leaves) {
            group.push(below);
        }
    }
    let cell = matches!(node.tag, Tag::Cell | Tag::HeadCell);
    (cell || !group.children.is_empty()).then_some(group)
}

/// What a node is to a PDF.
fn kind(tag: &Tag) -> TagKind {
    match tag {
        Tag::Part => pdf::Tag::Div.into(),
        Tag::Heading(level, text) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            pdf::Tag::Hn(level, Some(text.clone())).into()
        }
        Tag::Paragraph => pdf::Tag::P.into(),
        Tag::List(Numbering::Numbers) => pdf::Tag::L(ListNumbering::Decimal).into(),
        Tag::List(Numbering::Bullets) => pdf::Tag::L(ListNumbering::Disc).into(),
        Tag::List(Numbering::Labels) => pdf::Tag::L(ListNumbering::None).into(),
        Tag::Item => pdf::Tag::LI.into(),
        Tag::Label => pdf::Tag::Lbl.into(),
        Tag::Body => pdf::Tag::LBody.into(),
        Tag::Table(summary) => {
            let summary = Some(summary.clone()).filter(|it| !it.is_empty());
            pdf::Tag::Table.with_summary(summary).into()
        }
        Tag::Caption => pdf::Tag::Caption.into(),
        Tag::Head => pdf::Tag::THead.into(),
        Tag::Rows => pdf::Tag::TBody.into(),
        Tag::Row => pdf::Tag::TR.into(),
        Tag::HeadCell => pdf::Tag::TH(TableHeaderScope::Column).into(),
        Tag::Cell => pdf::Tag::TD.into(),
        Tag::Figure(alt) => pdf::Tag::Figure(Some(alt.clone())).into(),
    }
}
