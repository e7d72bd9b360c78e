//! Tables: a head that is repeated on each page, rows, sums.

use super::block::{Align, Style, spaced};
use super::cells::{PADDING, SetCell, shares};
use super::strip::Strip;
use super::structure::Tag;
use super::{Area, Setter};
use crate::paper::content::{Column, Table};

/// How much darker the ground of a head is.
const SHADE: u8 = 22;

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
        let areas = shares(table.columns.iter().map(|column| column.width), area);
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
            let strips = self.text(&column.head, style, cell, area.within(PADDING));
            cells.push(SetCell { area: *area, strips });
        }
        let strips = self.row(cells, SHADE);
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
            let strips = self.text(text, style, cell, area.within(PADDING));
            cells.push(SetCell { area: *area, strips });
        }
        let mut strips = self.row(cells, 0);
        strips.iter_mut().for_each(|strip| strip.head = head);
        strips
    }
}

/// Where the text of a column stands.
fn aligned(column: &Column) -> Align {
    if column.number { Align::Right } else { Align::Left }
}
