//! A paper as a document: blocks in reading order, each with its meaning. The PDF and the page for
//! printing are both made from this, so neither says what the other does not.

use super::content::{Chart, Field, PageSize, Table};

/// A document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The title of the file.
    pub(super) title: String,
    /// The size of the pages.
    pub(super) size: PageSize,
    /// The size of the text, in points.
    pub(super) text: f32,
    /// The head of the first page; a letter of somebody else has none.
    pub(super) head: Option<Head>,
    /// What it says.
    pub(super) blocks: Vec<Block>,
    /// The foot of every page.
    pub(super) foot: Foot,
    /// When it was issued, epoch milliseconds.
    pub(super) issued_ms: i64,
}

/// The head of the first page.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// In capitals.
    pub(super) government: String,
    /// In bold capitals.
    pub(super) office: String,
    /// Address and telephone.
    pub(super) lines: Vec<String>,
    /// What the coat of arms is, for those who do not see it.
    pub(super) coat_of_arms: String,
}

/// The foot of every page.
#[derive(Clone, Debug)]
pub(super) struct Foot {
    /// The address behind the QR code; empty for no code.
    pub(super) url: String,
    /// What the QR code is, for those who do not see it.
    pub(super) url_alt: String,
    /// Small lines beside it.
    pub(super) lines: Vec<String>,
    /// At the right, by page: "halaman 1 dari 2".
    pub(super) page: fn(usize, usize) -> String,
}

/// A block.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// The title of the paper, and lines below it (its number).
    Title {
        /// Set in capitals.
        text: String,
        /// Below it.
        under: Vec<String>,
    },
    /// The heading of a section.
    Heading(String),
    /// A paragraph.
    Paragraph {
        /// Its text; line ends begin a new line.
        text: String,
        /// How it is set.
        set: Setting,
    },
    /// Labels and values.
    Fields {
        /// In order.
        fields: Vec<Field>,
        /// At the right of the first line: place and date of a letter.
        aside: Option<String>,
    },
    /// A list.
    List {
        /// Numbers, or bullets.
        numbered: bool,
        /// In order.
        items: Vec<String>,
    },
    /// Boxes, ticked or not.
    Ticks(Vec<(bool, String)>),
    /// A table.
    Table(Table),
    /// A form: rows of framed cells.
    Grid(Vec<Vec<Cell>>),
    /// A bar chart, and what it says in words.
    Chart {
        /// The bars.
        chart: Chart,
        /// The same in words.
        alt: String,
    },
    /// Who signs, side by side, kept together with what stands before.
    Signatures {
        /// Place and date; above the last signer.
        date: Option<String>,
        /// One or two.
        people: Vec<Signature>,
    },
    /// What stands on one page, if one is high enough.
    Together(Vec<Self>),
    /// Empty lines to write on.
    Lines(usize),
    /// A line across.
    Rule,
    /// What follows begins on a new page.
    NewPage,
}

/// How a paragraph is set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Setting {
    /// Bold.
    pub(super) bold: bool,
    /// Smaller than the text.
    pub(super) small: bool,
    /// In the middle.
    pub(super) center: bool,
    /// Its first line is moved in, as in letters.
    pub(super) indent: bool,
    /// No space after it.
    pub(super) tight: bool,
    /// Never apart from what follows it.
    pub(super) keep: bool,
}

/// A cell of a form.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// Its share of the width, relative to the others of its row.
    pub(super) share: u32,
    /// What is in it.
    pub(super) blocks: Vec<Block>,
}

/// A place to sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Signature {
    /// The title of who signs.
    pub(super) title: String,
    /// What the blank space is for, in small type; empty for a signature.
    pub(super) space: String,
    /// The name; empty is a line to write it on.
    pub(super) name: String,
    /// Rank and number.
    pub(super) under: Vec<String>,
}

impl Block {
    /// A plain paragraph.
    pub(super) fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph { text: text.into(), set: Setting::default() }
    }

    /// A paragraph of a letter.
    pub(super) fn indented(text: impl Into<String>) -> Self {
        let set = Setting { indent: true, ..Setting::default() };
        Self::Paragraph { text: text.into(), set }
    }

    /// A small paragraph.
    pub(super) fn small(text: impl Into<String>) -> Self {
        let set = Setting { small: true, ..Setting::default() };
        Self::Paragraph { text: text.into(), set }
    }

    /// A line that introduces what follows.
    pub(super) fn lead(text: impl Into<String>) -> Self {
        let set = Setting { tight: true, keep: true, ..Setting::default() };
        Self::Paragraph { text: text.into(), set }
    }

    /// Fields without anything beside them.
    pub(super) fn fields(fields: Vec<Field>) -> Self {
        Self::Fields { fields, aside: None }
    }
}
