//! Rows of cells: side by side, framed, broken between lines only where a row is higher than a good part
//! of a page.

use super::block::spaced;
use super::strip::{Mark, Strip};
use super::structure::Tag;
use super::{Area, Setter};
use crate::paper::block::Cell;

/// Rows up to this part of a page are never broken.
const UNBROKEN: f32 = 0.45;
/// The height of the pieces of a row that is.
const PIECE: f32 = 60.0;
/// Space between a cell's frame and its text.
const PADDING: f32 = 4.0;

/// How rows are framed.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// How much darker their ground is.
    pub(super) shade: u8,
    /// Space above and below what is in them.
    pub(super) space: f32,
}

/// A cell that is set.
pub(super) struct SetCell {
    /// With its frame.
    pub(super) area: Area,
    /// Its lines.
    pub(super) strips: Vec<Strip>,
}

impl Setter<'_> {
    /// A form: rows of framed cells.
    pub(super) fn grid(&mut self, rows: &[Vec<Cell>], parent: usize, area: Area) -> Vec<Strip> {
        let form = self.structure.add(parent, Tag::Part);
        let mut strips = Vec::new();
        for row in rows {
            let areas = shares(row.iter().map(|cell| cell.share), area);
            let mut cells = Vec::new();
            for (cell, area) in row.iter().zip(areas) {
                let node = self.structure.add(form, Tag::Part);
                let mut inside = Vec::new();
                for block in &cell.blocks {
                    inside.extend(self.block(block, node, area.within(PADDING)));
                }
                cells.push(SetCell { area, strips: inside });
            }
            strips.extend(self.row(cells, Frame { shade: 0, space: PADDING }));
        }
        spaced(&mut strips, self.size * 0.7);
        strips
    }

    /// A framed row.
    pub(super) fn row(&self, cells: Vec<SetCell>, frame: Frame) -> Vec<Strip> {
        let height = cells.iter().map(|cell| Strip::height_of(&cell.strips)).fold(0.0, f32::max);
        let whole = height <= self.tallest * UNBROKEN;
        let mut left: Vec<(Area, std::vec::IntoIter<Strip>)> =
            cells.into_iter().map(|cell| (cell.area, cell.strips.into_iter())).collect();
        let mut pieces = Vec::new();
        loop {
            let most = if whole { f32::INFINITY } else { PIECE };
            let piece: Vec<(Area, Strip)> =
                left.iter_mut().map(|(area, strips)| (*area, taken(strips, most))).collect();
            let last = left.iter().all(|(_, strips)| strips.len() == 0);
            pieces.push(framed(piece, pieces.is_empty(), last, frame));
            if last {
                return pieces;
            }
        }
    }
}

/// The next strips of a cell up to a height, at least one, as one strip.
fn taken(strips: &mut std::vec::IntoIter<Strip>, most: f32) -> Strip {
    let mut piece = Strip::default();
    while let Some(next) = strips.as_slice().first() {
        let height = piece.height + piece.gap + next.height;
        if height > most && piece.height > 0.0 {
            break;
        }
        strips.next().into_iter().for_each(|strip| piece.append(strip));
    }
    piece
}

/// A piece of a row in its frame: open at the top or bottom where the row goes on.
fn framed(cells: Vec<(Area, Strip)>, first: bool, last: bool, frame: Frame) -> Strip {
    let above = if first { frame.space } else { 0.0 };
    let below = if last { frame.space } else { 0.0 };
    let inside = cells.iter().map(|(_, strip)| strip.height).fold(0.0, f32::max);
    let height = above + inside + below;
    let mut marks = Vec::new();
    for (area, _) in &cells {
        if frame.shade > 0 {
            marks.push(Mark::bar(area.x, 0.0, area.width, height, 255 - frame.shade));
        }
        marks.push(Mark::down(area.x, 0.0, height));
        marks.push(Mark::down(area.x + area.width, 0.0, height));
        if first {
            marks.push(Mark::across(area.x, 0.0, area.width));
        }
        if last {
            marks.push(Mark::across(area.x, height, area.width));
        }
    }
    for (_, strip) in cells {
        marks.extend(strip.marks.into_iter().map(|mark| mark.lower(above)));
    }
    Strip { height, marks, ..Strip::default() }
}

/// The areas of cells with these shares of the width.
pub(super) fn shares(shares: impl Iterator<Item = u32>, area: Area) -> Vec<Area> {
    // Lossless: no form has cells by the million.
    let shares: Vec<f32> =
        shares.map(|share| f32::from(u16::try_from(share.max(1)).unwrap_or(u16::MAX))).collect();
    let whole: f32 = shares.iter().sum();
    let mut x = area.x;
    let mut areas = Vec::new();
    for share in shares {
        let width = area.width * share / whole;
        areas.push(Area { x, width });
        x += width;
    }
    areas
}
