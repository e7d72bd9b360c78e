//! A QR code as an SVG path: dark modules only, for `fill` on a white background.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::text::append;

/// Light modules around the code that readers need.
const QUIET: i32 = 4;

/// A code to be drawn: its side in modules, and the path of the dark ones.
#[derive(Clone, Debug)]
pub(super) struct Qr {
    /// Modules on a side, the quiet zone included.
    pub(super) side: i32,
    /// SVG path data, one square a dark run.
    pub(super) path: String,
}

impl Qr {
    /// The code of a text; none if it is too long for one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size()).take_while(|at| code.get_module(*at, y)).count();
                let run = i32::try_from(run).unwrap_or(0);
                if run > 0 {
                    append!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
                }
                x += run.max(1);
            }
        }
        Some(Self { side: code.size() + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::Qr;

    #[test]
    fn a_code_has_its_three_finders_and_its_quiet_zone() {
        let code = Qr::of("otpauth://totp/gapura:siti?secret=JBSWY3DPEHPK3PXP").unwrap();
        // The upper finder patterns begin in the first row behind the quiet zone, seven wide.
        let right = code.side - 4 - 7;
        assert!(code.path.starts_with("M4 4h7v1h-7z"), "{}", code.path);
        assert!(code.path.contains(&format!("M{right} 4h7v1h-7z")), "{}", code.path);
        assert!(code.path.contains(&format!("M4 {}h7v1h-7z", right)), "{}", code.path);
        assert!(Qr::of(&"x".repeat(5000)).is_none());
    }
}
