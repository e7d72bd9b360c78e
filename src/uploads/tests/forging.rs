//! Makes the files of the tests: PDFs with given objects, pictures with given parts.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::deflate;

/// Octets that do not repeat, the same every time.
pub(super) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(next).collect()
}

//------------ PDF -----------------------------------------------------------

/// A PDF of one page, with more objects from number 7 on.
pub(super) fn pdf(objects: &[&[u8]]) -> Vec<u8> {
    pdf_of("", objects)
}

/// The same, with more in its catalog.
pub(super) fn pdf_of(catalog: &str, objects: &[&[u8]]) -> Vec<u8> {
    let mut out = format!(
        "%PDF-1.7\n%\u{e2}\u{e3}\n1 0 obj\n<</Type/Catalog/Pages 2 0 R{catalog}>>\nendobj\n\
         2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.2 842]>>\nendobj\n"
    )
    .into_bytes();
    for (at, object) in objects.iter().enumerate() {
        out.extend_from_slice(format!("{} 0 obj\n", 7 + at).as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    out.extend_from_slice(
        b"xref\n0 4\n0000000000 65535 f \n0000000015 00000 n \n0000000060 00000 n \n0000000110 00000 n \n\
          trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n200\n%%EOF\n",
    );
    out
}

/// A stream with more in its dictionary.
pub(super) fn stream(more: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("<</Length {}{more}>>\nstream\r\n", data.len()).into_bytes();
    out.extend_from_slice(data);
    out.extend_from_slice(b"\nendstream");
    out
}

/// An object stream with one value, packed.
pub(super) fn object_stream(value: &str, kind: &str) -> Vec<u8> {
    let packed = deflate(format!("70 0 {value}").as_bytes());
    stream(&format!("{kind}/N 1/First 5/Filter/FlateDecode"), &packed)
}

/// The end of a ZIP archive with a comment of so many octets.
pub(super) fn zip_end(comment: u16) -> Vec<u8> {
    let mut out = b"PK\x01\x02PK\x05\x06".to_vec();
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&comment.to_le_bytes());
    out
}

/// LZW data in which every code means one octet more than the one before, so many octets long.
pub(super) fn lzw_bomb(octets: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets);
    let (mut held, mut bits, mut table) = (0_u64, 0_u32, 257_u64);
    while out.len() < octets {
        let code = if table >= 4096 {
            256
        } else if table == 257 {
            0
        } else {
            table
        };
        // The widths of a reader that has one code less than the writer.
        let width = match table + 1 {
            ..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        };
        table = if code == 256 { 257 } else { table + 1 };
        held = (held << width) | code;
        bits += width;
        while bits >= 8 {
            out.push(u8::try_from((held >> (bits - 8)) & 0xff).unwrap());
            bits -= 8;
        }
        held &= (1 << bits) - 1;
    }
    out
}

//------------ Pictures ------------------------------------------------------

/// A picture as JPEG.
pub(super) fn jpeg(width: u16, height: u16, quality: u8) -> Vec<u8> {
    let pixels = usize::from(width) * usize::from(height) * 3;
    // Paper with something on it: mostly bright, with noise.
    let data: Vec<u8> = noise(pixels).into_iter().map(|it| 150 + it / 3).collect();
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&data, width, height, ColorType::Rgb).unwrap();
    out
}

/// 12 million pixels and some 9 MB, with what a phone adds: how it was held, where it was, and a film
/// behind the picture.
pub(super) fn phone_photo() -> Vec<u8> {
    let large = |picture: &Vec<u8>| picture.len() > 8 << 20;
    let picture = (88..98).step_by(2).map(|quality| jpeg(4000, 3000, quality)).find(large).unwrap();
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    exif.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    exif.extend_from_slice(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0GPS-SECRET");
    let mut out = b"\xff\xd8\xff\xe1".to_vec();
    out.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    out.extend_from_slice(&exif);
    out.extend_from_slice(b"\xff\xfe\0\x12<?php evil(); ?>");
    out.extend_from_slice(&picture[2..]);
    out.extend_from_slice(b"\0\0\0\x18ftypmp42 film <?php");
    out
}

/// A chunk of a PNG.
pub(super) fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    let length = u32::try_from(data.len()).unwrap();
    [&length.to_be_bytes()[..], kind, data, &sum.sum().to_be_bytes()].concat()
}

/// A picture as PNG, with more chunks before its data and more octets behind its end.
pub(super) fn png(width: u32, height: u32, more: &[(&str, &[u8])], behind: &[u8]) -> Vec<u8> {
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend_from_slice(&[8, 0, 0, 0, 0]);
    let row = usize::try_from(width).unwrap() + 1;
    let mut rows = noise(row * usize::try_from(height).unwrap());
    rows.iter_mut().step_by(row).for_each(|filter| *filter = 0);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    out.extend(png_chunk(b"IHDR", &head));
    for (kind, data) in more {
        out.extend(png_chunk(kind.as_bytes().try_into().unwrap(), data));
    }
    out.extend(png_chunk(b"IDAT", &deflate(&rows)));
    out.extend(png_chunk(b"IEND", b""));
    out.extend_from_slice(behind);
    out
}
