//! The QR code of a paper: dark modules as rectangles, row by row.

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code.
const MARGIN: i32 = 4;

/// A QR code.
pub(super) struct Qr {
    /// Modules of a side, with the margin.
    pub(super) side: u16,
    /// Runs of dark modules: column, row, length.
    pub(super) runs: Vec<(u16, u16, u16)>,
}

impl Qr {
    /// The code of a text. `None` if it is too long for any.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let side = u16::try_from(code.size() + 2 * MARGIN).ok()?;
        let mut runs: Vec<(u16, u16, u16)> = Vec::new();
        for y in 0..side {
            for x in 0..side {
                if !code.get_module(i32::from(x) - MARGIN, i32::from(y) - MARGIN) {
                    continue;
                }
                match runs.last_mut() {
                    Some((start, row, length)) if *row == y && *start + *length == x => {
                        *length += 1
                    }
                    _ => runs.push((x, y, 1)),
                }
            }
        }
        Some(Self { side, runs })
    }
}
