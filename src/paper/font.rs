//! The two faces of all papers, Liberation Sans regular and bold (SIL Open Font License, fonts/LICENSE),
//! and which characters they can show.
//!
//! Text is cleaned before it is measured: what has no glyph, and what would turn the order of letters,
//! becomes a visible sign. So no paper holds an undefined glyph, which PDF/A forbids.

use krilla::text::Font;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, GlyphId, MetadataProvider};

/// The regular face.
const REGULAR: &[u8] = include_bytes!("fonts/LiberationSans-Regular.ttf");
/// The bold face.
const BOLD: &[u8] = include_bytes!("fonts/LiberationSans-Bold.ttf");
/// What stands for a character that cannot be shown.
const UNKNOWN: char = '\u{fffd}';
/// The glyph of an empty box, also of [`UNKNOWN`].
const BOX: char = '\u{25a1}';
/// The first character that is rare in text: those before it are looked up once.
const USUAL: char = '\u{250}';
/// A box to tick.
pub(super) const UNTICKED: &str = "\u{2610}";
/// A ticked box; the tick is drawn over the glyph of the box.
pub(super) const TICKED: &str = "\u{2611}";

/// A glyph and how far it moves on, in parts of the size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    /// Its number.
    pub(super) id: u32,
    /// Its advance.
    pub(super) advance: f32,
}

/// A face.
pub(super) struct Face {
    /// For measuring.
    font: FontRef<'static>,
    /// For drawing.
    pub(super) drawn: Font,
    /// Units of an em.
    units: f32,
    /// The glyphs of the characters that nearly all text is made of.
    usual: Vec<Option<Glyph>>,
}

impl Face {
    /// Reads a face.
    fn new(octets: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(octets).ok()?;
        let drawn = Font::new(octets.into(), 0)?;
        let units = drawn.units_per_em();
        let mut face = Self { font, drawn, units, usual: Vec::new() };
        face.usual = ('\0'..USUAL).map(|character| face.looked_up(character)).collect();
        Some(face)
    }

    /// The glyph of a character of cleaned text.
    pub(super) fn glyph(&self, character: char) -> Option<Glyph> {
        let known = usize::try_from(u32::from(character)).ok().and_then(|at| self.usual.get(at));
        known.map_or_else(|| self.looked_up(character), |glyph| *glyph)
    }

    /// The glyph of a character, from the tables of the font.
    fn looked_up(&self, character: char) -> Option<Glyph> {
        let charmap = self.font.charmap();
        let shown = match character {
            UNKNOWN | '\u{2610}' | '\u{2611}' => BOX,
            // A hyphen that breaks no line.
            '\u{2011}' => '-',
            other => other,
        };
        let id = charmap.map(shown).filter(|id| *id != GlyphId::NOTDEF)?;
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let advance = metrics.advance_width(id)? / self.units;
        Some(Glyph { id: id.to_u32(), advance })
    }

    /// How wide a cleaned text is at a size.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().filter_map(|it| self.glyph(it)).map(|it| it.advance * size).sum()
    }
}

/// Both faces.
pub(super) struct Faces {
    /// Regular.
    regular: Face,
    /// Bold.
    bold: Face,
}

impl Faces {
    /// Reads both. `None` never happens with the files of this folder.
    pub(super) fn new() -> Option<Self> {
        Some(Self { regular: Face::new(REGULAR)?, bold: Face::new(BOLD)? })
    }

    /// One of them.
    pub(super) fn face(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }

    /// A text of which every character has a glyph in both faces; line ends are kept.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        for character in text.replace("\r\n", "\n").chars() {
            match character {
                '\n' | '\u{2610}' | '\u{2611}' | '\u{2011}' | UNKNOWN => clean.push(character),
                '\t' => clean.push(' '),
                it if it.is_control() || is_unseen(it) => {}
                it if turns(it) || self.glyph_in_both(it).is_none() => clean.push(UNKNOWN),
                it => clean.push(it),
            }
        }
        clean
    }

    /// Whether both faces can show it.
    fn glyph_in_both(&self, character: char) -> Option<()> {
        self.regular.glyph(character).and_then(|_| self.bold.glyph(character)).map(|_| ())
    }
}

/// Characters without a form of their own: marks of direction, joiners, variants, tags.
pub(super) fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Letters that are written from right to left: nothing here sets them in their order.
fn turns(character: char) -> bool {
    matches!(character,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}
