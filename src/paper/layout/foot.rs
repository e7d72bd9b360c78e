//! The foot of every page: the QR code, what makes a printout an anchor, the page's number. It is part of
//! what is read on the last page, and ornament on the ones before.

use super::block::{Align, Style};
use super::pages::{Page, Sheet};
use super::strip::{Mark, Shape, Strip};
use super::structure::Tag;
use super::{Area, MM, Setter};
use crate::paper::block::Foot;

/// The size of its type.
const SIZE: f32 = 7.5;
/// The part of a QR code that its light margin takes, about.
const QR_MARGIN: f32 = 0.09;

impl Setter<'_> {
    /// Puts the foot on all pages.
    pub(super) fn feet(&mut self, foot: &Foot, pages: &mut [Page], sheet: Sheet) {
        let marks = self.foot(foot, sheet);
        let count = pages.len();
        for (at, page) in pages.iter_mut().enumerate() {
            let last = at + 1 == count;
            let shown = |mark: Mark| if last { mark } else { Mark { node: None, ..mark } };
            page.marks.extend(marks.iter().cloned().map(shown));
            let area = Area { x: sheet.left, width: sheet.width() };
            let style = Style { size: SIZE, bold: false, align: Align::Right, indent: 0.0 };
            let number = Strip::joined(self.text(&(foot.page)(at + 1, count), style, 0, area));
            let top = sheet.foot + sheet.foot_height - number.height;
            let ornament = |mark: Mark| Mark { node: None, ..mark.lower(top) };
            page.marks.extend(number.marks.into_iter().map(ornament));
        }
    }

    /// The foot, for any page.
    fn foot(&mut self, foot: &Foot, sheet: Sheet) -> Vec<Mark> {
        let mut marks = vec![Mark::bar(sheet.left, sheet.foot - 4.0, sheet.width(), 0.4, 90)];
        let root = self.structure.root();
        let part = self.structure.add(root, Tag::Part);
        let mut x = sheet.left;
        if !foot.url.is_empty() {
            let figure = self.structure.add(part, Tag::Figure(foot.url_alt.clone()));
            let shape = Shape::Qr(sheet.foot_height);
            // Its light margin stands in the margin of the page, its dark modules in line with the text.
            x -= sheet.foot_height * QR_MARGIN;
            marks.push(Mark { node: Some(figure), x, y: sheet.foot, shape });
            x += sheet.foot_height + 1.0 * MM;
        }
        let area = Area { x, width: sheet.right - x };
        let mut lines = Vec::new();
        for line in &foot.lines {
            let node = self.structure.add(part, Tag::Paragraph);
            let style = Style { size: SIZE, bold: false, align: Align::Left, indent: 0.0 };
            lines.extend(self.text(line, style, node, area));
        }
        let lines = Strip::joined(lines);
        let top = sheet.foot + ((sheet.foot_height - lines.height) / 2.0).max(0.0);
        marks.extend(lines.marks.into_iter().map(|mark| mark.lower(top)));
        marks
    }
}
