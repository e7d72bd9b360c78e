//! Sets a document: blocks become strips, and strips become pages.
//!
//! A strip is a piece of a page's whole width that is never broken: a line of text, a row of a table, the
//! place to sign. Each of its marks belongs to a node of the structure tree, or to none if it is
//! ornament. Lengths are points (1/72 inch); y grows downward.

mod block;
mod cells;
mod figure;
mod foot;
mod pages;
mod strip;
mod structure;
mod table;

pub(super) use pages::{Page, Sheet};
pub(super) use strip::{Mark, Shape, Strip};
pub(super) use structure::{Numbering, Structure, Tag};

use super::block::{Block, Document};
use super::font::Faces;

/// Most rows of all tables of a paper.
const ROWS_MAX: usize = 10_000;
/// Points of a millimetre.
pub(super) const MM: f32 = 72.0 / 25.4;
/// The height of a line, in sizes of its text: Liberation's own height, 1.15 times.
const LEADING: f32 = 1.15 * 1.149;

//------------ Laid ----------------------------------------------------------

/// A document that is set.
pub(super) struct Laid {
    /// The pages.
    pub(super) pages: Vec<Page>,
    /// What the marks mean.
    pub(super) structure: Structure,
    /// Where marks may be on a page.
    pub(super) sheet: Sheet,
}

/// Sets a document. `None` if it has more pages than any paper has.
pub(super) fn set(document: &Document, faces: &Faces, coat_of_arms: bool) -> Option<Laid> {
    if rows(&document.blocks) > ROWS_MAX {
        return None;
    }
    let sheet = Sheet::of(document.size);
    let mut setter = Setter {
        faces,
        size: document.text,
        structure: Structure::default(),
        heads: Vec::new(),
        tallest: sheet.height(),
    };
    let area = Area { x: sheet.left, width: sheet.width() };
    let mut strips = Vec::new();
    if let Some(head) = &document.head {
        strips.extend(setter.letterhead(head, coat_of_arms, area));
    }
    for block in &document.blocks {
        let root = setter.structure.root();
        strips.extend(setter.block(block, root, area));
    }
    let mut pages = pages::paginate(strips, &setter.heads, sheet)?;
    setter.feet(&document.foot, &mut pages, sheet);
    Some(Laid { pages, structure: setter.structure, sheet })
}

/// How many rows the tables have.
fn rows(blocks: &[Block]) -> usize {
    let count = |block: &Block| if let Block::Table(table) = block { table.rows.len() } else { 0 };
    blocks.iter().map(count).sum()
}

//------------ Setter --------------------------------------------------------

/// Where something is set.
#[derive(Clone, Copy)]
pub(super) struct Area {
    /// Its left edge.
    x: f32,
    /// Its width.
    width: f32,
}

impl Area {
    /// The area without its first `by` points.
    fn right_of(self, by: f32) -> Self {
        Self { x: self.x + by, width: (self.width - by).max(1.0) }
    }

    /// The area without `by` points at each side.
    fn within(self, by: f32) -> Self {
        Self { x: self.x + by, width: (self.width - 2.0 * by).max(1.0) }
    }
}

/// What is needed to set blocks.
pub(super) struct Setter<'a> {
    /// The faces.
    faces: &'a Faces,
    /// The size of the text.
    size: f32,
    /// The structure so far.
    structure: Structure,
    /// The heads of tables, which are repeated on each page.
    heads: Vec<Strip>,
    /// How high a page is between its margins.
    tallest: f32,
}
