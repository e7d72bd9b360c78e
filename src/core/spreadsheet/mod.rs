//! What spreadsheets read and write: cells that no program takes for a formula, and records of CSV as people send them.
//!
//! What a record means is for the reader of a list or of a table of requests to say.

mod records;

pub use records::*;

/// A cell that no spreadsheet takes for a formula; full-width signs count as what they look like.
pub fn disarmed(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell that was disarmed; another one stays as it is.
pub fn unarmed(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a spreadsheet takes a cell for a formula, or for one that was disarmed.
fn is_formula(cell: &str) -> bool {
    const FORMULA: [char; 12] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        '\u{2212}',
    ];
    cell.trim_start_matches([' ', '\'']).starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use super::{disarmed, unarmed};

    #[test]
    fn no_cell_is_a_formula() {
        for cell in
            ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\u{ff1d}1\u{ff0b}1", " =1", "\u{ff20}x"]
        {
            assert_eq!(disarmed(cell), format!("'{cell}"));
        }
        assert_eq!(disarmed("Dinas Kesehatan"), "Dinas Kesehatan");
        assert_eq!(disarmed("'Aisyiyah"), "'Aisyiyah");
    }

    #[test]
    fn a_cell_that_was_disarmed_comes_back() {
        for cell in ["=1", "'=1", "''+1", " @x", "\u{2212}6", "\u{ff1d}1", "'45", "'", "Dinas", ""]
        {
            assert_eq!(unarmed(&disarmed(cell)), cell);
        }
    }
}
