//! A QR code: dark modules as rectangles, row by row, on light ground.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::text::append;

/// Light modules around the code.
const MARGIN: i32 = 4;

/// A QR code.
#[derive(Clone, Debug)]
pub struct Qr {
    /// Modules of a side, with the margin.
    pub side: u16,
    /// Runs of dark modules: column, row, length.
    pub(super) runs: Vec<(u16, u16, u16)>,
}

impl Qr {
    /// The code of a text. `None` if it is too long for any.
    pub fn of(text: &str) -> Option<Self> {
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

    /// SVG path data, one bar for each run.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (x, y, length) in &self.runs {
            append!(path, "M{x} {y}h{length}v1h-{length}z");
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::Qr;

    #[test]
    fn a_code_has_its_three_finders_and_its_quiet_zone() {
        let code = Qr::of("otpauth://totp/gapura:siti?secret=JBSWY3DPEHPK3PXP").unwrap();
        // The upper finder patterns begin in the first row behind the quiet zone, seven wide.
        let (right, path) = (code.side - 4 - 7, code.path());
        assert!(path.starts_with("M4 4h7v1h-7z"), "{path}");
        assert!(path.contains(&format!("M{right} 4h7v1h-7z")), "{path}");
        assert!(path.contains(&format!("M4 {right}h7v1h-7z")), "{path}");
        assert!(Qr::of(&"x".repeat(5000)).is_none());
    }
}
