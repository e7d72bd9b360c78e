//! Strips onto pages.

use super::MM;
use super::strip::{Mark, Strip};
use crate::paper::content::PageSize;

/// Most pages of a paper.
const PAGES_MAX: usize = 400;
/// How high the foot is.
const FOOT: f32 = 22.0 * MM;
/// From the foot to the end of the page.
const BELOW_FOOT: f32 = 10.0 * MM;

//------------ Sheet ---------------------------------------------------------

/// Where marks may be on a page: the margins of official letters.
#[derive(Clone, Copy, Debug)]
pub(in crate::paper) struct Sheet {
    /// The width of the paper.
    pub(in crate::paper) paper_width: f32,
    /// The height of the paper.
    pub(in crate::paper) paper_height: f32,
    /// The left edge of text.
    pub(in crate::paper) left: f32,
    /// The right edge of text.
    pub(in crate::paper) right: f32,
    /// The top of text.
    pub(in crate::paper) top: f32,
    /// The bottom of text.
    pub(in crate::paper) bottom: f32,
    /// The top of the foot.
    pub(in crate::paper) foot: f32,
    /// The height of the foot.
    pub(in crate::paper) foot_height: f32,
}

impl Sheet {
    /// The sheet of a size: 30 mm at the left, 25 mm at the right, the first page's head higher up.
    pub(super) fn of(size: PageSize) -> Self {
        let (width, height) = match size {
            PageSize::A4 => (210.0 * MM, 297.0 * MM),
            PageSize::F4 => (215.0 * MM, 330.0 * MM),
        };
        let foot = height - BELOW_FOOT - FOOT;
        Self {
            paper_width: width,
            paper_height: height,
            left: 30.0 * MM,
            right: width - 25.0 * MM,
            top: 15.0 * MM,
            bottom: foot - 4.0 * MM,
            foot,
            foot_height: FOOT,
        }
    }

    /// The width of text.
    pub(super) fn width(self) -> f32 {
        self.right - self.left
    }

    /// The height of text.
    pub(super) fn height(self) -> f32 {
        self.bottom - self.top
    }
}

//------------ Page ----------------------------------------------------------

/// A page.
#[derive(Clone, Debug, Default)]
pub(in crate::paper) struct Page {
    /// Its marks, with y from the top of the paper.
    pub(in crate::paper) marks: Vec<Mark>,
}

/// Puts strips onto pages: together what is kept together, as far as a page is high enough.
pub(super) fn paginate(strips: Vec<Strip>, heads: &[Strip], sheet: Sheet) -> Option<Vec<Page>> {
    let mut filler = Filler { heads, sheet, pages: vec![Page::default()], used: 0.0, gap: 0.0 };
    let mut chain: Vec<Strip> = Vec::new();
    for strip in strips {
        let last = !strip.keep;
        chain.push(strip);
        if last {
            filler.place(std::mem::take(&mut chain));
        }
        if filler.pages.len() > PAGES_MAX {
            return None;
        }
    }
    filler.place(chain);
    Some(filler.pages)
}

/// Pages being filled.
struct Filler<'a> {
    /// The heads of tables.
    heads: &'a [Strip],
    /// The margins.
    sheet: Sheet,
    /// The pages; the last one is being filled.
    pages: Vec<Page>,
    /// How much of the last page's height is used.
    used: f32,
    /// The space before what comes next.
    gap: f32,
}

impl Filler<'_> {
    /// Places strips that belong together.
    fn place(&mut self, chain: Vec<Strip>) {
        if chain.is_empty() {
            return;
        }
        let height = Strip::height_of(&chain);
        let fits = self.used + self.gap + height <= self.sheet.height();
        let whole = height <= self.sheet.height();
        if chain.first().is_some_and(|strip| strip.new_page) || (!fits && whole) {
            self.turn(chain.first().and_then(|strip| strip.head));
        }
        for strip in chain {
            if self.used + self.gap + strip.height > self.sheet.height() && !whole {
                self.turn(strip.head);
            }
            self.put(strip.marks, strip.height, strip.gap);
        }
    }

    /// Puts marks below what is there.
    fn put(&mut self, marks: Vec<Mark>, height: f32, gap: f32) {
        let top = self.sheet.top + self.used + self.gap;
        if let Some(page) = self.pages.last_mut() {
            page.marks.extend(marks.into_iter().map(|mark| mark.lower(top)));
        }
        self.used += self.gap + height;
        self.gap = gap;
    }

    /// Begins a page, unless this one is empty; the head of a table is repeated as ornament.
    fn turn(&mut self, head: Option<usize>) {
        if self.used == 0.0 {
            return;
        }
        self.pages.push(Page::default());
        (self.used, self.gap) = (0.0, 0.0);
        if let Some(head) = head.and_then(|head| self.heads.get(head)).cloned() {
            let marks = head.marks.into_iter().map(|mark| Mark { node: None, ..mark });
            self.put(marks.collect(), head.height, head.gap);
        }
    }
}
