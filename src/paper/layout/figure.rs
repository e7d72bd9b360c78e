//! Letterheads and charts.

use super::block::{Align, Style, spaced, together};
use super::strip::{Mark, Shape, Strip};
use super::structure::Tag;
use super::{Area, LEADING, MM, Setter};
use crate::paper::block::Head;
use crate::paper::content::Chart;

/// The side of the coat of arms.
const COAT_OF_ARMS: f32 = 22.0 * MM;
/// The height of a bar.
const BAR: f32 = 10.0;
/// Lightness of bars: dark enough on paper, light enough for a poor printer's ink.
const BAR_LIGHTNESS: u8 = 110;

impl Setter<'_> {
    /// The head of the first page, with a double rule below.
    pub(super) fn letterhead(&mut self, head: &Head, coat_of_arms: bool, area: Area) -> Vec<Strip> {
        let root = self.structure.root();
        let part = self.structure.add(root, Tag::Part);
        let side = if coat_of_arms { COAT_OF_ARMS + 2.0 * MM } else { 0.0 };
        let mut marks = Vec::new();
        if coat_of_arms {
            let figure = self.structure.add(part, Tag::Figure(head.coat_of_arms.clone()));
            let shape = Shape::CoatOfArms(COAT_OF_ARMS);
            marks.push(Mark { node: Some(figure), x: area.x, y: 0.0, shape });
        }
        // Centred on the paper's text, also beside the coat of arms.
        let middle = area.within(side);
        let mut lines = Vec::new();
        let names = [
            (head.government.to_uppercase(), 13.0, false),
            (head.office.to_uppercase(), 15.0, true),
        ];
        let small = head.lines.iter().map(|line| (line.clone(), 9.5, false));
        for (text, size, bold) in names.into_iter().chain(small) {
            if !text.is_empty() {
                let node = self.structure.add(part, Tag::Paragraph);
                let style = Style { size, bold, align: Align::Center, indent: 0.0 };
                lines.extend(self.text(&text, style, node, middle));
            }
        }
        let lines = Strip::joined(lines);
        let height = lines.height.max(if coat_of_arms { COAT_OF_ARMS } else { 0.0 });
        let above = (height - lines.height) / 2.0;
        marks.extend(lines.marks.into_iter().map(|mark| mark.lower(above)));
        marks.push(Mark::bar(area.x, height + 5.0, area.width, 2.0, 0));
        marks.push(Mark::bar(area.x, height + 8.4, area.width, 0.6, 0));
        vec![Strip { height: height + 9.0, gap: self.size, marks, keep: true, ..Strip::default() }]
    }

    /// A bar chart: label, bar and value on one line each, read as one figure.
    pub(super) fn chart(
        &mut self,
        chart: &Chart,
        alt: &str,
        parent: usize,
        area: Area,
    ) -> Vec<Strip> {
        let figure = self.structure.add(parent, Tag::Figure(alt.to_owned()));
        let style = Style { size: self.size - 1.0, ..self.plain() };
        let mut strips = self.text(&chart.title, Style { bold: true, ..style }, figure, area);
        spaced(&mut strips, self.size * 0.3);
        let labels = area.width * 0.34;
        let room = area.width * 0.5;
        let longest = chart.bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
        for bar in &chart.bars {
            let label = Area { width: labels - 6.0, ..area };
            let label = Style { align: Align::Right, ..style }.of(self, &bar.label, figure, label);
            let length = room * part(bar.value, longest);
            let value = self.text(&bar.shown, style, figure, area.right_of(labels + length + 5.0));
            let mut line = Strip::joined(label);
            let top = (style.size * LEADING - BAR) / 2.0;
            line.marks.push(Mark {
                node: Some(figure),
                ..Mark::bar(area.x + labels, top, length.max(0.8), BAR, BAR_LIGHTNESS)
            });
            let value = Strip::joined(value);
            line.height = line.height.max(value.height);
            line.marks.extend(value.marks);
            line.gap = 3.0;
            strips.push(line);
        }
        spaced(&mut strips, self.size * 0.8);
        together(strips)
    }
}

impl Style {
    /// Lines of text in this style.
    fn of(self, setter: &Setter<'_>, text: &str, node: usize, area: Area) -> Vec<Strip> {
        setter.text(text, self, node, area)
    }
}

/// `value` as a part of `whole`.
fn part(value: u64, whole: u64) -> f32 {
    // In thousandths, which are exact in both types.
    let thousandths = u128::from(value.min(whole)) * 1000 / u128::from(whole.max(1));
    f32::from(u16::try_from(thousandths).unwrap_or(1000)) / 1000.0
}
