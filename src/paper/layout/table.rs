//! Tables: a head that is repeated on each page, rows, sums. Columns are as wide as their shares of the
//! table, and wide enough that no word is broken where there is room for it.

use super::block::{Align, Style, spaced};
use super::cells::{Frame, SetCell, shares};
use super::strip::Strip;
use super::structure::Tag;
use super::{Area, Setter};
use crate::paper::content::{Column, Table};
use crate::paper::lines::{parts, words};

/// How much darker the ground of a head is.
const SHADE: u8 = 22;
/// Space beside what is in a cell.
const SIDE: f32 = 3.0;
/// Space above and below what is in a cell.
const SPACE: f32 = 2.5;
/// Words that are wider than this part of a table are broken in any case.
const WORD_MAX: f32 = 0.4;

impl Setter<'_> {
    /// A table.
    pub(super) fn table(&mut self, table: &Table, parent: usize, area: Area) -> Vec<Strip> {
        let node = self.structure.add(parent, Tag::Table(table.title.clone()));
        let mut strips = Vec::new();
        if !table.title.is_empty() {
            let caption = self.structure.add(node, Tag::Caption);
            let style = Style { bold: true, ..self.in_table() };
            strips.extend(self.text(&table.title, style, caption, area));
            spaced(&mut strips, self.size * 0.2);
        }
        let areas = self.columns(table, area);
        strips.extend(self.head(&table.columns, node, &areas));
        strips.iter_mut().for_each(|strip| strip.keep = true);
        let head = self.heads.len().checked_sub(1);
        let body = self.structure.add(node, Tag::Rows);
        for row in &table.rows {
            strips.extend(self.cells(row, &table.columns, body, &areas, head, false));
        }
        if !table.total.is_empty() {
            strips.extend(self.cells(&table.total, &table.columns, body, &areas, head, true));
        }
        spaced(&mut strips, self.size * 0.8);
        strips
    }

    /// The areas of the columns.
    fn columns(&self, table: &Table, area: Area) -> Vec<Area> {
        let wanted: Vec<f32> = shares(table.columns.iter().map(|column| column.width), area)
            .into_iter()
            .map(|area| area.width)
            .collect();
        let needs: Vec<Need> = (0..table.columns.len()).map(|at| self.need(table, at)).collect();
        let most = area.width * WORD_MAX;
        let mut least: Vec<f32> = needs.iter().map(|need| need.part.min(most)).collect();
        // Whole words where there is room for them, the short ones first.
        let mut order: Vec<usize> = (0..needs.len()).collect();
        order.sort_by(|a, b| needs[*a].word.total_cmp(&needs[*b].word));
        for at in order {
            let more = (needs[at].word - least[at]).max(0.0);
            if least.iter().sum::<f32>() + more <= area.width {
                least[at] += more;
            }
        }
        let mut x = area.x;
        let place = |width: f32| {
            let place = Area { x, width };
            x += width;
            place
        };
        fitted(&wanted, &least, area.width).into_iter().map(place).collect()
    }

    /// How wide a column must be for its words.
    fn need(&self, table: &Table, at: usize) -> Need {
        let mut need = Need::default();
        let size = self.in_table().size;
        let mut add = |text: &str, bold: bool| {
            let face = self.faces.face(bold);
            let clean = self.faces.clean(text);
            for word in clean.split('\n').flat_map(words) {
                let seen = |text: &str| face.width(text.trim_end_matches(' '), size);
                let width = |text: &str| seen(text) + 2.0 * SIDE;
                need.word = need.word.max(width(word));
                need.part = parts(word).map(width).fold(need.part, f32::max);
            }
        };
        table.columns.get(at).into_iter().for_each(|column| add(&column.head, true));
        table.rows.iter().filter_map(|row| row.get(at)).for_each(|cell| add(cell, false));
        table.total.get(at).into_iter().for_each(|cell| add(cell, true));
        need
    }

    /// The style in tables.
    fn in_table(&self) -> Style {
        Style { size: self.size - 1.0, ..self.plain() }
    }

    /// The head; a copy is kept for the pages that follow.
    fn head(&mut self, columns: &[Column], table: usize, areas: &[Area]) -> Vec<Strip> {
        let head = self.structure.add(table, Tag::Head);
        let row = self.structure.add(head, Tag::Row);
        let mut cells = Vec::new();
        for (column, area) in columns.iter().zip(areas) {
            let cell = self.structure.add(row, Tag::HeadCell);
            let style = Style { bold: true, align: aligned(column), ..self.in_table() };
            let strips = self.text(&column.head, style, cell, area.within(SIDE));
            cells.push(SetCell { area: *area, strips });
        }
        let strips = self.row(cells, Frame { shade: SHADE, space: SPACE });
        self.heads.push(Strip::joined(strips.clone()));
        strips
    }

    /// A row; cells that are missing are empty.
    fn cells(
        &mut self,
        row: &[String],
        columns: &[Column],
        body: usize,
        areas: &[Area],
        head: Option<usize>,
        bold: bool,
    ) -> Vec<Strip> {
        let node = self.structure.add(body, Tag::Row);
        let mut cells = Vec::new();
        for (at, (column, area)) in columns.iter().zip(areas).enumerate() {
            let cell = self.structure.add(node, Tag::Cell);
            let style = Style { bold, align: aligned(column), ..self.in_table() };
            let text = row.get(at).map_or("", String::as_str);
            let strips = self.text(text, style, cell, area.within(SIDE));
            cells.push(SetCell { area: *area, strips });
        }
        let mut strips = self.row(cells, Frame { shade: 0, space: SPACE });
        strips.iter_mut().for_each(|strip| strip.head = head);
        strips
    }
}

/// How wide a column must be, with the space beside its text.
#[derive(Clone, Copy, Debug, Default)]
struct Need {
    /// For its widest word.
    word: f32,
    /// For the widest part of a word that may be broken between parts.
    part: f32,
}

/// Widths of a whole: as they are wanted, but none less than its least. The others share what is left
/// as they would have shared all.
fn fitted(wanted: &[f32], least: &[f32], whole: f32) -> Vec<f32> {
    let needed: f32 = least.iter().sum();
    if needed > whole {
        return least.iter().map(|width| width * whole / needed).collect();
    }
    let mut fixed = vec![false; wanted.len()];
    loop {
        let (mut left, mut shares) = (whole, 0.0);
        for ((wanted, least), fixed) in wanted.iter().zip(least).zip(&fixed) {
            if *fixed { left -= least } else { shares += wanted }
        }
        let width = |at: usize| if fixed[at] { least[at] } else { wanted[at] * left / shares };
        let widths: Vec<f32> = (0..wanted.len()).map(width).collect();
        let narrow = (0..widths.len()).find(|at| !fixed[*at] && widths[*at] < least[*at]);
        let Some(narrow) = narrow else { return widths };
        fixed[narrow] = true;
    }
}

/// Where the text of a column stands.
fn aligned(column: &Column) -> Align {
    if column.number { Align::Right } else { Align::Left }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn no_column_is_narrower_than_its_words_and_all_fill_the_table() {
        assert_eq!(fitted(&[30.0, 60.0], &[10.0, 10.0], 90.0), [30.0, 60.0]);
        assert_eq!(fitted(&[10.0, 50.0, 30.0], &[20.0, 5.0, 5.0], 90.0), [20.0, 43.75, 26.25]);
        // The second one gives so much that a third is too narrow in its turn.
        assert_eq!(fitted(&[10.0, 20.0, 60.0], &[50.0, 15.0, 20.0], 90.0), [50.0, 15.0, 25.0]);
        assert_eq!(fitted(&[1.0, 1.0], &[60.0, 120.0], 90.0), [30.0, 60.0], "more than there is");
        assert!(fitted(&[], &[], 90.0).is_empty());
    }
}
