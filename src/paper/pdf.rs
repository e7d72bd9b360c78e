//! A set document as a PDF that archives and readers for blind people take: PDF/A-2a and PDF/UA-1, the
//! strictest pair that can be held together (PDF/A-3 only adds attachments, which no paper has; PDF/A-4
//! has no level for tags and excludes PDF/UA-1).
//!
//! The writer judges its own output against both, and fails if it breaks either.

use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::{DateTime, Metadata, TextDirection};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier};
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document as Pdf, SerializeSettings, color};
use time::{OffsetDateTime, UtcOffset};

use super::block::Document;
use super::error::PaperError;
use super::font::Faces;
use super::layout::{self, Laid, Mark, Shape, Tag};
use super::qr::Qr;
use super::tags;

/// What the file says made it. No version: a paper must be the same octets after an update.
const PRODUCER: &str = "gapura";
/// Most characters of a title; PDF has a limit for strings.
const TITLE_MAX: usize = 300;

/// Draws a document.
pub(super) fn draw(document: &Document, coat: Option<Image>) -> Result<Vec<u8>, PaperError> {
    let faces = Faces::new().ok_or(PaperError::Fonts)?;
    let laid = layout::set(document, &faces, coat.is_some()).ok_or(PaperError::TooLong)?;
    let mut pdf = Pdf::new_with(settings()?);
    let mut artist = Artist {
        faces: &faces,
        coat,
        qr: Qr::of(&document.foot.url),
        laid: &laid,
        leaves: vec![Vec::new(); laid.structure.len()],
        headings: Vec::new(),
    };
    for number in 0..laid.pages.len() {
        artist.page(&mut pdf, number)?;
    }
    pdf.set_metadata(metadata(document, &faces));
    pdf.set_outline(artist.outline());
    pdf.set_tag_tree(tags::tree(&laid.structure, artist.leaves));
    pdf.finish().map_err(|error| PaperError::Writer(format!("{error:?}")))
}

/// The two standards, and compressed pages.
fn settings() -> Result<SerializeSettings, PaperError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| PaperError::Writer(format!("{error:?}")))?;
    Ok(SerializeSettings {
        configuration,
        compress_content_streams: true,
        enable_tagging: true,
        ..SerializeSettings::default()
    })
}

/// Title, language and date of the file.
fn metadata(document: &Document, faces: &Faces) -> Metadata {
    let title: String = faces.clean(&document.title).chars().take(TITLE_MAX).collect();
    let metadata = Metadata::new()
        .title(title)
        .language(super::LANGUAGE.to_owned())
        .producer(PRODUCER.to_owned())
        .text_direction(TextDirection::LeftToRight);
    metadata.creation_date(date(document.issued_ms).unwrap_or_else(|| DateTime::new(1970)))
}

/// A time in WIB.
fn date(ms: i64) -> Option<DateTime> {
    let wib = UtcOffset::from_hms(7, 0, 0).ok()?;
    let at = OffsetDateTime::from_unix_timestamp(ms / 1000).ok()?.to_offset(wib);
    let date = DateTime::new(u16::try_from(at.year()).ok()?)
        .month(u8::from(at.month()))
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second());
    Some(date.utc_offset_hour(7).utc_offset_minute(0))
}

//------------ Artist --------------------------------------------------------

/// A heading and where it stands: text, page, height.
type Place = (String, usize, f32);

/// Draws marks, and notes what was drawn for which node.
struct Artist<'a> {
    /// The faces.
    faces: &'a Faces,
    /// The coat of arms.
    coat: Option<Image>,
    /// The QR code.
    qr: Option<Qr>,
    /// What is drawn.
    laid: &'a Laid,
    /// What was drawn for each node.
    leaves: Vec<Vec<Identifier>>,
    /// The headings so far.
    headings: Vec<Place>,
}

impl Artist<'_> {
    /// Draws a page.
    fn page(&mut self, pdf: &mut Pdf, number: usize) -> Result<(), PaperError> {
        let laid = self.laid;
        let Some(page) = laid.pages.get(number) else { return Ok(()) };
        let size = PageSettings::from_wh(laid.sheet.paper_width, laid.sheet.paper_height)
            .ok_or_else(|| PaperError::Writer("no page of this size".to_owned()))?;
        let mut drawn = pdf.start_page_with(size);
        let mut surface = drawn.surface();
        for mark in &page.marks {
            let artifact = Artifact::with_kind(ArtifactType::Layout);
            let tag = mark.node.map_or(ContentTag::Artifact(artifact), |_| ContentTag::Other);
            let leaf = surface.start_tagged(tag);
            self.draw(&mut surface, mark);
            surface.end_tagged();
            let Some(node) = mark.node else { continue };
            if let (Some(Tag::Heading(_, text)), Some([])) = (
                laid.structure.node(node).map(|node| &node.tag),
                self.leaves.get(node).map(Vec::as_slice),
            ) {
                self.headings.push((text.clone(), number, mark.y));
            }
            if let Some(leaves) = self.leaves.get_mut(node) {
                leaves.push(leaf);
            }
        }
        surface.finish();
        drawn.finish();
        Ok(())
    }

    /// Draws a mark.
    fn draw(&self, surface: &mut Surface<'_>, mark: &Mark) {
        match &mark.shape {
            Shape::Text { text, bold, size } => {
                self.text(surface, text, *bold, *size, Point::from_xy(mark.x, mark.y));
            }
            Shape::Bar { width, height, lightness } => {
                surface.set_fill(Some(fill(*lightness)));
                surface.set_stroke(None);
                fill_rects(surface, [(mark.x, mark.y, *width, *height)].into_iter());
            }
            Shape::Tick(size) => tick(surface, mark.x, mark.y, *size),
            Shape::CoatOfArms(side) => self.coat_of_arms(surface, mark, *side),
            Shape::Qr(side) => self.qr(surface, mark, *side),
        }
    }

    /// Draws a line of text, glyph by glyph.
    fn text(&self, surface: &mut Surface<'_>, text: &str, bold: bool, size: f32, at: Point) {
        let face = self.faces.face(bold);
        let mut glyphs = Vec::new();
        for (start, character) in text.char_indices() {
            if let Some(glyph) = face.glyph(character) {
                let range = start..start + character.len_utf8();
                let id = GlyphId::new(glyph.id);
                glyphs.push(KrillaGlyph::new(id, glyph.advance, 0.0, 0.0, 0.0, range, None));
            }
        }
        surface.set_fill(Some(fill(0)));
        surface.set_stroke(None);
        surface.draw_glyphs(at, &glyphs, face.drawn.clone(), text, size, false);
    }

    /// Draws the coat of arms, as large as the square allows.
    fn coat_of_arms(&self, surface: &mut Surface<'_>, mark: &Mark, side: f32) {
        let Some(image) = &self.coat else { return };
        let (width, height) = image.size();
        let pixels = |count: u32| f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        let (width, height) = (pixels(width), pixels(height));
        let scale = side / width.max(height).max(1.0);
        let Some(size) = Size::from_wh(width * scale, height * scale) else { return };
        let x = mark.x + (side - size.width()) / 2.0;
        let y = mark.y + (side - size.height()) / 2.0;
        surface.push_transform(&Transform::from_translate(x, y));
        surface.draw_image(image.clone(), size);
        surface.pop();
    }

    /// Draws the QR code.
    fn qr(&self, surface: &mut Surface<'_>, mark: &Mark, side: f32) {
        let Some(qr) = &self.qr else { return };
        let module = side / f32::from(qr.side);
        surface.set_fill(Some(fill(0)));
        surface.set_stroke(None);
        let rects = qr.runs.iter().map(|(x, y, length)| {
            let (x, y) = (mark.x + f32::from(*x) * module, mark.y + f32::from(*y) * module);
            (x, y, f32::from(*length) * module, module)
        });
        fill_rects(surface, rects);
    }

    /// The headings as an outline.
    fn outline(&self) -> Outline {
        let mut outline = Outline::new();
        for (text, page, y) in &self.headings {
            // A little above the line that its text stands on.
            let top = (y - 20.0).max(0.0);
            let place = XyzDestination::new(*page, Point::from_xy(0.0, top));
            outline.push_child(OutlineNode::new(text.clone(), place));
        }
        outline
    }
}

/// A plain gray.
fn fill(lightness: u8) -> Fill {
    Fill { paint: color::luma::Color::new(lightness).into(), ..Fill::default() }
}

/// Fills rectangles as one path.
fn fill_rects(surface: &mut Surface<'_>, rects: impl Iterator<Item = (f32, f32, f32, f32)>) {
    let mut path = PathBuilder::new();
    for (x, y, width, height) in rects {
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
    }
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

/// Draws a tick over a box of text of this size that stands at `x`, `y`.
fn tick(surface: &mut Surface<'_>, x: f32, y: f32, size: f32) {
    let mut path = PathBuilder::new();
    path.move_to(x + size * 0.14, y - size * 0.30);
    path.line_to(x + size * 0.28, y - size * 0.12);
    path.line_to(x + size * 0.58, y - size * 0.62);
    let Some(path) = path.finish() else { return };
    surface.set_fill(None);
    let width = size * 0.1;
    surface.set_stroke(Some(Stroke {
        width,
        paint: color::luma::Color::black().into(),
        ..Stroke::default()
    }));
    surface.draw_path(&path);
    surface.set_stroke(None);
}
