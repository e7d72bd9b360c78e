//! JPEG and PNG as letters: decoded whole, turned upright, made smaller, and written anew. What was not
//! a pixel (places, names, comments, files behind the end) is not in what is written.

use std::io::Cursor;

use jpeg_encoder::{ColorType, Encoder};
use png::{BitDepth, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::letter::{Letter, Media, STORED_MAX};
use super::refusal::{refused, too_large};
use super::scaling::Pixels;
use crate::queue::{Fault, Rule};

/// Most pixels of a picture on its way in: what phones make.
const PIXELS_MAX: usize = 64_000_000;
/// Most octets a PNG unpacks to, its passes counted twice where it has some: those of as many pixels in colour. What
/// takes more (16 bits, transparency, interlacing) takes its time as well, and is no scan of a letter.
const PNG_OCTETS_MAX: usize = 3 * PIXELS_MAX;
/// Longest edge of what is kept, in pixels: an A4 page at some 170 dots per inch.
const EDGE_MAX: usize = 2000;
/// Qualities of JPEG that are tried, until what is kept is small enough.
const QUALITIES: [u8; 4] = [88, 75, 60, 40];
/// Octets a decoder of PNG may use besides the picture.
const PNG_MEMORY: usize = 64 * 1024 * 1024;

/// Decodes a picture and writes it anew, small enough to be kept.
pub(super) fn rewrite(bytes: &[u8], media: Media) -> Result<Letter, Fault> {
    let pixels = match media {
        Media::Png => decode_png(bytes)?,
        _ => decode_jpeg(bytes)?,
    };
    let pixels = pixels.within(EDGE_MAX);
    if media == Media::Png {
        let png = write_png(&pixels).ok_or_else(|| broken("PNG"))?;
        if png.len() <= STORED_MAX {
            return Ok(Letter::new(Media::Png, png));
        }
    }
    for quality in QUALITIES {
        let jpeg = write_jpeg(&pixels, quality).ok_or_else(|| broken("JPEG"))?;
        if jpeg.len() <= STORED_MAX {
            return Ok(Letter::new(Media::Jpeg, jpeg));
        }
    }
    Err(too_large(STORED_MAX))
}

/// The file is not whole, or not what it begins like.
fn broken(kind: &str) -> Fault {
    refused(Rule::LetterBroken, kind)
}

/// Refuses more pixels than can be taken.
fn fits(width: usize, height: usize) -> Result<(), Fault> {
    if width.checked_mul(height).is_some_and(|many| many > 0 && many <= PIXELS_MAX) {
        return Ok(());
    }
    Err(too_many_pixels(width, height))
}

/// More pixels than can be taken.
fn too_many_pixels(width: usize, height: usize) -> Fault {
    refused(Rule::LetterPixels, &format!("{width} × {height}"))
}

//------------ PNG -----------------------------------------------------------

/// Decodes a PNG, checking every chunk to the last one.
fn decode_png(bytes: &[u8]) -> Result<Pixels, Fault> {
    let damaged = |_| broken("PNG");
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: PNG_MEMORY });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let head = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (wide(head.width), wide(head.height));
    fits(width, height)?;
    // A row has an octet besides its pixels.
    let octets = head.raw_row_length().saturating_sub(1).saturating_mul(height);
    if octets * if head.interlaced { 2 } else { 1 } > PNG_OCTETS_MAX {
        return Err(too_many_pixels(width, height));
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    let mut data = vec![0; reader.output_buffer_size().ok_or_else(|| broken("PNG"))?];
    let frame = reader.next_frame(&mut data).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    if frame.bit_depth != BitDepth::Eight {
        return Err(broken("PNG"));
    }
    data.truncate(frame.buffer_size());
    let (depth, data) = match frame.color_type {
        png::ColorType::Grayscale => (1, data),
        png::ColorType::GrayscaleAlpha => (1, on_white(&data, 1)),
        png::ColorType::Rgb => (3, data),
        png::ColorType::Rgba => (3, on_white(&data, 3)),
        png::ColorType::Indexed => return Err(broken("PNG")),
    };
    Ok(Pixels { width: wide(frame.width), height: wide(frame.height), depth, data })
}

/// A length as an index.
fn wide(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Pixels with transparency on white paper.
fn on_white(data: &[u8], depth: usize) -> Vec<u8> {
    let mix = |value: u8, alpha: u8| {
        let (value, alpha) = (u16::from(value), u16::from(alpha));
        ((value * alpha + 255 * (255 - alpha)) / 255).to_le_bytes()[0]
    };
    let pixels = data.chunks_exact(depth + 1);
    pixels
        .flat_map(|pixel| pixel[..depth].iter().map(move |value| mix(*value, pixel[depth])))
        .collect()
}

/// Writes a PNG.
fn write_png(pixels: &Pixels) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(pixels.width).ok()?, u32::try_from(pixels.height).ok()?);
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(if pixels.depth == 1 {
        png::ColorType::Grayscale
    } else {
        png::ColorType::Rgb
    });
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels.data).ok()?;
    writer.finish().ok()?;
    Some(out)
}

//------------ JPEG ----------------------------------------------------------

/// Decodes a JPEG from its first marker to its end.
fn decode_jpeg(bytes: &[u8]) -> Result<Pixels, Fault> {
    let damaged = || broken("JPEG");
    let frame = Frame::read(bytes).ok_or_else(damaged)?;
    fits(frame.width, frame.height)?;
    let (space, depth) =
        if frame.components == 1 { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(space);
    let whole = &bytes[..frame.end];
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(whole), options);
    let data = decoder.decode().map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions().ok_or_else(damaged)?;
    if data.len() != width * height * depth {
        return Err(damaged());
    }
    Ok(Pixels { width, height, depth, data }.upright(frame.orientation))
}

/// Writes a JPEG.
fn write_jpeg(pixels: &Pixels, quality: u8) -> Option<Vec<u8>> {
    let (width, height) = (u16::try_from(pixels.width).ok()?, u16::try_from(pixels.height).ok()?);
    let color = if pixels.depth == 1 { ColorType::Luma } else { ColorType::Rgb };
    let mut out = Vec::new();
    Encoder::new(&mut out, quality).encode(&pixels.data, width, height, color).ok()?;
    Some(out)
}

/// What the markers of a JPEG say (ITU-T T.81, annex B).
#[derive(Debug, Default)]
struct Frame {
    /// Columns.
    width: usize,
    /// Rows.
    height: usize,
    /// 1 for grey.
    components: u8,
    /// How the camera was held.
    orientation: u16,
    /// Behind the marker that ends the picture.
    end: usize,
}

impl Frame {
    /// Goes from marker to marker, to the end of the picture; `None` if there is no end.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut frame = Self::default();
        let mut at = 2;
        loop {
            while bytes.get(at + 1) == Some(&0xff) {
                at += 1;
            }
            let marker = bytes.get(at..at + 2).filter(|it| it[0] == 0xff)?[1];
            at += 2;
            match marker {
                0xd9 => {
                    frame.end = at;
                    return (frame.components > 0).then_some(frame);
                }
                0x01 | 0xd0..=0xd7 => continue,
                0 | 0xd8 | 0xff => return None,
                _ => {}
            }
            let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
            let segment = bytes.get(at + 2..at + length)?;
            at += length;
            match marker {
                0xc4 | 0xc8 | 0xcc => {}
                0xc0..=0xcf => frame.sizes(segment)?,
                0xe1 => frame.orientation = orientation(segment).unwrap_or(frame.orientation),
                0xda => at = next_marker(bytes, at)?,
                _ => {}
            }
        }
    }

    /// Reads a start of frame.
    fn sizes(&mut self, segment: &[u8]) -> Option<()> {
        let [_, height_1, height_2, width_1, width_2, components, ..] = segment else {
            return None;
        };
        self.height = usize::from(u16::from_be_bytes([*height_1, *height_2]));
        self.width = usize::from(u16::from_be_bytes([*width_1, *width_2]));
        self.components = *components;
        Some(())
    }
}

/// The marker behind compressed data.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// The orientation in an Exif segment (TIFF, tag 0x0112).
fn orientation(segment: &[u8]) -> Option<u16> {
    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let big = tiff.starts_with(b"MM");
    let short = |at: usize| {
        let pair = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let (high, low) = if big { (short(4)?, short(6)?) } else { (short(6)?, short(4)?) };
    let directory = (usize::from(high) << 16) | usize::from(low);
    let entry = |index: usize| directory.checked_add(2 + index * 12);
    let mut entries = (0..usize::from(short(directory)?)).map_while(entry);
    let at = entries.find(|at| short(*at) == Some(0x0112))?;
    short(at + 8)
}
