//! Blocks of text: titles, paragraphs, fields, lists, ticks, and who signs.

use super::strip::{Mark, RULE, Shape, Strip, kept_together};
use super::structure::{Numbering, Tag};
use super::{Area, LEADING, MM, Setter};
use crate::paper::block::{Block, Setting, Signature};
use crate::paper::content::Field;
use crate::paper::font::{TICKED, UNTICKED};
use crate::paper::lines::broken;

/// The room for a signature.
const SIGNATURE: f32 = 18.0 * MM;
/// How far the first line of a letter's paragraphs is moved in.
const INDENT: f32 = 10.0 * MM;
/// Lightness of lines to write on.
const FAINT: u8 = 90;

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// The size.
    pub(super) size: f32,
    /// Bold.
    pub(super) bold: bool,
    /// Where its lines stand.
    pub(super) align: Align,
    /// How far its first line is moved in.
    pub(super) indent: f32,
}

/// Where lines stand.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Align {
    /// At the left.
    Left,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

impl Setter<'_> {
    /// The style of plain text.
    pub(super) fn plain(&self) -> Style {
        Style { size: self.size, bold: false, align: Align::Left, indent: 0.0 }
    }

    /// The style of small type.
    pub(super) fn small(&self) -> Style {
        Style { size: self.size - 1.5, ..self.plain() }
    }

    /// Sets a block below `parent`.
    pub(super) fn block(&mut self, block: &Block, parent: usize, area: Area) -> Vec<Strip> {
        match block {
            Block::Title { text, under } => self.title(text, under, parent, area),
            Block::Heading(text) => self.heading(text, parent, area),
            Block::Paragraph { text, set } => self.paragraph(text, *set, parent, area),
            Block::Fields { fields, aside } => self.fields(fields, aside.as_deref(), parent, area),
            Block::List { numbered, items } => self.list(*numbered, items, parent, area),
            Block::Ticks(ticks) => self.ticks(ticks, parent, area),
            Block::Table(table) => self.table(table, parent, area),
            Block::Grid(rows) => self.grid(rows, parent, area),
            Block::Chart { chart, alt } => self.chart(chart, alt, parent, area),
            Block::Signatures { date, people } => {
                self.signatures(date.as_deref(), people, parent, area)
            }
            Block::Together(blocks) => {
                let strips = blocks.iter().flat_map(|block| self.block(block, parent, area));
                together(strips.collect())
            }
            Block::Lines(count) => self.lines_to_write_on(*count, area),
            Block::Rule => {
                let marks = vec![Mark::across(area.x, 0.0, area.width)];
                vec![Strip { marks, height: RULE, gap: self.size * 0.6, ..Strip::default() }]
            }
            Block::NewPage => vec![Strip { new_page: true, ..Strip::default() }],
        }
    }

    /// Lines of text, one strip each. No first or last line is left alone on a page.
    pub(super) fn text(&self, text: &str, style: Style, node: usize, area: Area) -> Vec<Strip> {
        let face = self.faces.face(style.bold);
        let clean = self.faces.clean(text);
        let lines = broken(&clean, face, style.size, area.width, style.indent);
        let height = style.size * LEADING;
        let count = lines.len();
        let mut strips = Vec::with_capacity(count);
        for (at, line) in lines.into_iter().enumerate() {
            let indent = if at == 0 { style.indent } else { 0.0 };
            let spare = area.width - face.width(line.trim_end_matches(' '), style.size);
            let x = area.x
                + match style.align {
                    Align::Left => indent,
                    Align::Center => spare / 2.0,
                    Align::Right => spare,
                };
            // Where capitals look centred in the height of the line.
            let y = height / 2.0 + style.size * 0.345;
            let shape = Shape::Text { text: line, bold: style.bold, size: style.size };
            strips.push(Strip {
                height,
                marks: vec![Mark { node: Some(node), x, y, shape }],
                keep: count > 1 && (at == 0 || at + 2 == count),
                ..Strip::default()
            });
        }
        strips
    }

    /// A title with its lines below.
    fn title(&mut self, text: &str, under: &[String], parent: usize, area: Area) -> Vec<Strip> {
        let style = Style { size: self.size + 2.0, bold: true, align: Align::Center, indent: 0.0 };
        let node = self.structure.add(parent, Tag::Heading(1, text.to_owned()));
        let mut strips = self.text(&text.to_uppercase(), style, node, area);
        for line in under {
            let style = Style { align: Align::Center, ..self.plain() };
            let node = self.structure.add(parent, Tag::Paragraph);
            strips.extend(self.text(line, style, node, area));
        }
        spaced(&mut strips, self.size * 0.9);
        strips.iter_mut().for_each(|strip| strip.keep = true);
        strips
    }

    /// A heading, never apart from what follows it.
    fn heading(&mut self, text: &str, parent: usize, area: Area) -> Vec<Strip> {
        let style = Style { bold: true, ..self.plain() };
        let node = self.structure.add(parent, Tag::Heading(2, text.to_owned()));
        let mut strips = vec![Strip::space(self.size * 0.4)];
        strips.extend(self.text(text, style, node, area));
        spaced(&mut strips, self.size * 0.25);
        strips.iter_mut().for_each(|strip| strip.keep = true);
        strips
    }

    /// A paragraph.
    fn paragraph(&mut self, text: &str, set: Setting, parent: usize, area: Area) -> Vec<Strip> {
        let style = Style {
            size: if set.small { self.small().size } else { self.size },
            bold: set.bold,
            align: if set.center { Align::Center } else { Align::Left },
            indent: if set.indent { INDENT } else { 0.0 },
        };
        let node = self.structure.add(parent, Tag::Paragraph);
        let mut strips = self.text(text, style, node, area);
        spaced(&mut strips, if set.tight { 1.0 } else { self.size * 0.55 });
        if set.keep {
            strips.iter_mut().for_each(|strip| strip.keep = true);
        }
        strips
    }

    /// Labels and values, the values one below the other.
    fn fields(
        &mut self,
        fields: &[Field],
        aside: Option<&str>,
        parent: usize,
        area: Area,
    ) -> Vec<Strip> {
        let beside = aside.map(|text| {
            let node = self.structure.add(parent, Tag::Paragraph);
            let style = Style { align: Align::Right, ..self.plain() };
            self.text(text, style, node, area)
        });
        let aside_width = aside.map_or(0.0, |text| {
            self.faces.face(false).width(&self.faces.clean(text), self.size) + self.size
        });
        let label_width = self.label_width(fields, area.width);
        let list = self.structure.add(parent, Tag::List(Numbering::Labels));
        let mut strips = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let room = if at == 0 { area.width - aside_width } else { area.width };
            let area = Area { width: room.max(label_width + self.size * 2.0), ..area };
            strips.extend(self.field(field, label_width, list, area));
        }
        if let (Some(beside), Some(first)) = (beside, strips.first_mut()) {
            first.marks.extend(Strip::joined(beside).marks);
        }
        spaced(&mut strips, self.size * 0.55);
        strips
    }

    /// How wide the labels are: as wide as the widest, but never most of the area.
    fn label_width(&self, fields: &[Field], whole: f32) -> f32 {
        let face = self.faces.face(false);
        let widths = fields.iter().map(|it| face.width(&self.faces.clean(&it.label), self.size));
        (widths.fold(0.0, f32::max) + self.size * 0.5).min(whole * 0.42)
    }

    /// A label, a colon and a value.
    fn field(&mut self, field: &Field, label_width: f32, list: usize, area: Area) -> Vec<Strip> {
        let item = self.structure.add(list, Tag::Item);
        let label = self.structure.add(item, Tag::Label);
        let body = self.structure.add(item, Tag::Body);
        let style = self.plain();
        let labels = self.text(&field.label, style, label, Area { width: label_width, ..area });
        let colon = self.text(":", style, label, area.right_of(label_width));
        let values =
            self.text(&field.value, style, body, area.right_of(label_width + self.size * 0.7));
        self.beside(vec![labels, colon, values])
    }

    /// Strips side by side, line by line; what has most lines decides.
    pub(super) fn beside(&self, columns: Vec<Vec<Strip>>) -> Vec<Strip> {
        let mut strips: Vec<Strip> = Vec::new();
        for column in columns {
            for (at, line) in column.into_iter().enumerate() {
                match strips.get_mut(at) {
                    Some(strip) => {
                        strip.height = strip.height.max(line.height);
                        strip.keep |= line.keep;
                        strip.marks.extend(line.marks);
                    }
                    None => strips.push(line),
                }
            }
        }
        // The last line of the longest column is the last one of all.
        if let Some(last) = strips.last_mut() {
            last.keep = false;
        }
        strips
    }

    /// A list.
    fn list(&mut self, numbered: bool, items: &[String], parent: usize, area: Area) -> Vec<Strip> {
        let before = if numbered { Numbering::Numbers } else { Numbering::Bullets };
        let list = self.structure.add(parent, Tag::List(before));
        let style = self.plain();
        let marker = self.size * if numbered { 1.9 } else { 1.2 };
        let mut strips = Vec::new();
        for (at, text) in items.iter().enumerate() {
            let item = self.structure.add(list, Tag::Item);
            let label = self.structure.add(item, Tag::Label);
            let body = self.structure.add(item, Tag::Body);
            let sign = if numbered { format!("{}.", at + 1) } else { "•".to_owned() };
            let sign = self.text(&sign, style, label, area);
            let text = self.text(text, style, body, area.right_of(marker));
            let mut item = self.beside(vec![sign, text]);
            spaced(&mut item, self.size * 0.2);
            strips.extend(item);
        }
        spaced(&mut strips, self.size * 0.55);
        strips
    }

    /// Boxes, ticked or not.
    fn ticks(&mut self, ticks: &[(bool, String)], parent: usize, area: Area) -> Vec<Strip> {
        let list = self.structure.add(parent, Tag::List(Numbering::Labels));
        let style = self.plain();
        let mut strips = Vec::new();
        for (ticked, text) in ticks {
            let item = self.structure.add(list, Tag::Item);
            let label = self.structure.add(item, Tag::Label);
            let body = self.structure.add(item, Tag::Body);
            let sign = if *ticked { TICKED } else { UNTICKED };
            let large = Style { size: self.size * 1.25, ..style };
            let mut sign = self.text(sign, large, label, area);
            if let Some(mark) = sign.first_mut().and_then(|strip| strip.marks.first_mut()) {
                mark.y = self.size * (LEADING / 2.0 + 0.43);
            }
            if let (true, Some(strip)) = (*ticked, sign.first_mut()) {
                let y = strip.marks.first().map_or(0.0, |mark| mark.y);
                let shape = Shape::Tick(large.size);
                strip.marks.push(Mark { node: Some(label), x: area.x, y, shape });
            }
            let text = self.text(text, style, body, area.right_of(self.size * 1.25));
            strips.extend(self.beside(vec![sign, text]));
        }
        spaced(&mut strips, self.size * 0.3);
        strips
    }

    /// Lines to write on.
    fn lines_to_write_on(&self, count: usize, area: Area) -> Vec<Strip> {
        let height = self.size * 1.7;
        let line = |_| Strip {
            height,
            marks: vec![Mark::bar(area.x, height - RULE, area.width, RULE / 2.0, FAINT)],
            ..Strip::default()
        };
        let mut strips: Vec<Strip> = (0..count).map(line).collect();
        spaced(&mut strips, self.size * 0.5);
        strips
    }

    //--- Who signs

    /// The places to sign, side by side: one at the right, or one at each side.
    fn signatures(
        &mut self,
        date: Option<&str>,
        people: &[Signature],
        parent: usize,
        area: Area,
    ) -> Vec<Strip> {
        let count = people.len();
        let half = area.width / 2.0;
        let mut places = Vec::new();
        for (at, person) in people.iter().enumerate() {
            let last = at + 1 == count;
            let x = if last { area.x + half + self.size } else { area.x };
            let place = Area { x, width: half - self.size };
            places.push(self.signature(date, last, person, parent, place));
        }
        // The names stand at one height, also below titles of different length.
        let names = places.iter().map(|(title, _)| title.height).fold(0.0, f32::max);
        let mut strip = Strip { gap: self.size, ..Strip::default() };
        for (title, name) in places {
            strip.height = strip.height.max(names + name.height);
            strip.marks.extend(title.marks);
            strip.marks.extend(name.marks.into_iter().map(|mark| mark.lower(names)));
        }
        let mut whole = Strip::space(self.size * 0.5);
        whole.append(strip);
        vec![whole]
    }

    /// One place to sign: date and title, and below them room, name and number.
    fn signature(
        &mut self,
        date: Option<&str>,
        dated: bool,
        person: &Signature,
        parent: usize,
        area: Area,
    ) -> (Strip, Strip) {
        let style = self.plain();
        let mut lines = Vec::new();
        if let Some(date) = date {
            if dated {
                let node = self.structure.add(parent, Tag::Paragraph);
                lines.extend(self.text(date, style, node, area));
            } else {
                lines.push(Strip::space(self.size * LEADING));
            }
        }
        let node = self.structure.add(parent, Tag::Paragraph);
        lines.extend(self.text(&person.title, style, node, area));
        let title = Strip::joined(std::mem::take(&mut lines));
        if person.space.is_empty() {
            lines.push(Strip::space(SIGNATURE));
        } else {
            let node = self.structure.add(parent, Tag::Paragraph);
            lines.push(Strip::space(self.size * 0.3));
            lines.extend(self.text(&person.space, self.small(), node, area));
            lines.push(Strip::space(SIGNATURE - self.size));
        }
        if person.name.is_empty() {
            let width = area.width.min(62.0 * MM);
            let marks = vec![Mark::bar(area.x, self.size, width, RULE, FAINT)];
            lines.push(Strip { height: self.size * LEADING, marks, ..Strip::default() });
        } else {
            let node = self.structure.add(parent, Tag::Paragraph);
            lines.extend(self.text(&person.name, Style { bold: true, ..style }, node, area));
        }
        for line in &person.under {
            let node = self.structure.add(parent, Tag::Paragraph);
            lines.extend(self.text(line, style, node, area));
        }
        (title, Strip::joined(lines))
    }
}

/// Adds space after the last of these strips.
pub(super) fn spaced(strips: &mut [Strip], gap: f32) {
    if let Some(last) = strips.last_mut() {
        last.gap = last.gap.max(gap);
    }
}

/// Strips as a whole that is never broken, where it is small.
pub(super) fn together(mut strips: Vec<Strip>) -> Vec<Strip> {
    kept_together(&mut strips);
    strips
}
