//! Strips, and the marks on them.

/// A piece of a page's whole width that is never broken.
#[derive(Clone, Debug, Default)]
pub(in crate::paper) struct Strip {
    /// Its height.
    pub(super) height: f32,
    /// The space after it, which the end of a page swallows.
    pub(super) gap: f32,
    /// Its marks, with y from its top.
    pub(super) marks: Vec<Mark>,
    /// Never the last one of a page.
    pub(super) keep: bool,
    /// Always the first one of a page.
    pub(super) new_page: bool,
    /// The head that is repeated above it on a new page, by its number.
    pub(super) head: Option<usize>,
}

/// A mark on paper.
#[derive(Clone, Debug)]
pub(in crate::paper) struct Mark {
    /// The node of the structure it belongs to; `None` is ornament.
    pub(in crate::paper) node: Option<usize>,
    /// Its left edge.
    pub(in crate::paper) x: f32,
    /// Its top, or the line that text stands on.
    pub(in crate::paper) y: f32,
    /// What it is.
    pub(in crate::paper) shape: Shape,
}

/// What a mark is.
#[derive(Clone, Debug)]
pub(in crate::paper) enum Shape {
    /// A line of text.
    Text {
        /// Cleaned.
        text: String,
        /// Bold.
        bold: bool,
        /// Its size.
        size: f32,
    },
    /// A filled rectangle; rules are thin ones.
    Bar {
        /// To the right.
        width: f32,
        /// Downward.
        height: f32,
        /// 0 is black, 255 white.
        lightness: u8,
    },
    /// A tick over a box of this size.
    Tick(f32),
    /// The coat of arms in a square of this side.
    CoatOfArms(f32),
    /// The QR code in a square of this side.
    Qr(f32),
}

/// The thickness of plain rules.
pub(super) const RULE: f32 = 0.6;

impl Mark {
    /// A horizontal rule, as ornament.
    pub(super) fn across(x: f32, y: f32, width: f32) -> Self {
        Self::bar(x, y - RULE / 2.0, width, RULE, 0)
    }

    /// A vertical rule, as ornament.
    pub(super) fn down(x: f32, y: f32, height: f32) -> Self {
        Self::bar(x - RULE / 2.0, y, RULE, height, 0)
    }

    /// A filled rectangle, as ornament.
    pub(super) fn bar(x: f32, y: f32, width: f32, height: f32, lightness: u8) -> Self {
        Self { node: None, x, y, shape: Shape::Bar { width, height, lightness } }
    }

    /// The mark, so much lower.
    pub(super) fn lower(mut self, by: f32) -> Self {
        self.y += by;
        self
    }
}

impl Strip {
    /// Empty space.
    pub(super) fn space(height: f32) -> Self {
        Self { height, ..Self::default() }
    }

    /// Puts another strip below this one, into this one.
    pub(super) fn append(&mut self, other: Self) {
        let top = self.height + self.gap;
        self.marks.extend(other.marks.into_iter().map(|mark| mark.lower(top)));
        (self.height, self.gap) = (top + other.height, other.gap);
    }

    /// All strips in one.
    pub(super) fn joined(strips: Vec<Self>) -> Self {
        let mut whole = Self::default();
        strips.into_iter().for_each(|strip| whole.append(strip));
        whole
    }

    /// How high strips are together, without the space after the last one.
    pub(super) fn height_of(strips: &[Self]) -> f32 {
        let gap = strips.last().map_or(0.0, |strip| strip.gap);
        strips.iter().map(|strip| strip.height + strip.gap).sum::<f32>() - gap
    }
}

/// Keeps each of these with the next one, and the last one free.
pub(super) fn kept_together(strips: &mut [Strip]) {
    if let Some((_, before)) = strips.split_last_mut() {
        before.iter_mut().for_each(|strip| strip.keep = true);
    }
}
