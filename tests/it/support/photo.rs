//! Photos of letters, as large as phones make them.

/// A photo of so many pixels with the noise of a small sensor.
pub fn photo(width: u16, height: u16) -> Vec<u8> {
    let mut state = 1_u32;
    let pixels = usize::from(width) * usize::from(height) * 3;
    let data: Vec<u8> = (0..pixels)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            150 + state.to_be_bytes()[0] / 3
        })
        .collect();
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 92);
    encoder.encode(&data, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// A photo that lies on its side, as a phone that is held upright keeps it: Exif 2.3 says how to turn it.
pub fn photo_on_its_side(width: u16, height: u16) -> Vec<u8> {
    let turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let plain = photo(width, height);
    let length = u16::try_from(turned.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], b"\xff\xe1", &length, turned, &plain[2..]].concat()
}
