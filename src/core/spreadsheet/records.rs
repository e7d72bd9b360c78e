//! CSV as spreadsheets write it (RFC 4180 and what they make of it): its records, each with the line that a person
//! sees. What a record means is for the reader of a list or of a table of requests to say.

use super::unarmed;

/// What a spreadsheet writes between cells.
const SEPARATORS: [u8; 3] = *b"\t;,";

/// What the text is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A first line with any heads, and rows.
    Headed,
    /// Rows of so many columns, as far as they are written out, and comments that begin with `#`.
    Rows(usize),
}

/// Why a file is not the text of a sheet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotText {
    /// It is a workbook: a ZIP, or the container of old ones.
    Workbook,
    /// Its characters are not in UTF-8; first in this line.
    Characters(usize),
}

/// The text of a file. Nothing is guessed: a letter that was read wrong would stay wrong.
pub fn text_of(bytes: &[u8]) -> Result<&str, NotText> {
    if is_zip(bytes) || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(NotText::Workbook);
    }
    let line_at = |end: usize| {
        let before = bytes.get(..end).unwrap_or_default();
        before.iter().filter(|octet| **octet == b'\n').count() + 1
    };
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|error| NotText::Characters(line_at(error.valid_up_to())))?;
    // UTF-16 is full of them.
    text.find('\0').map_or(Ok(text), |at| Err(NotText::Characters(line_at(at))))
}

/// Whether a file is a ZIP, by its first octets.
pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// The text of a file without what a spreadsheet writes in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The text itself.
    text: &'a str,
    /// The sign between cells, if the file says so.
    separator: Option<u8>,
    /// The number of its first line.
    line: u64,
}

impl<'a> Sheet<'a> {
    /// Takes off a byte order mark, and the line `sep=;` that Excel writes for itself.
    pub fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let said = first.trim_end().strip_prefix("sep=").map(str::as_bytes);
        match said {
            Some(&[separator]) if SEPARATORS.contains(&separator) => {
                Self { text: rest, separator: Some(separator), line: 2 }
            }
            _ => Self { text, separator: None, line: 1 },
        }
    }

    /// Its lines with their numbers.
    pub fn lines(self) -> impl Iterator<Item = (u64, &'a str)> {
        (self.line..).zip(self.text.lines())
    }

    /// Its records, each with the line where it begins.
    pub fn records(self, kind: Kind) -> impl Iterator<Item = (u64, csv::StringRecord)> + 'a {
        let comment = matches!(kind, Kind::Rows(_)).then_some(b'#');
        let reader = csv::ReaderBuilder::new()
            .delimiter(self.separator.unwrap_or_else(|| separator_of(self.text, kind)))
            .has_headers(false)
            .flexible(true)
            .comment(comment)
            .from_reader(self.text.as_bytes());
        let mut lines = Lines { text: self.text, comment, at: 0, line: self.line };
        // Text in memory whose records may be of any width always reads.
        let records = reader.into_records().map_while(Result::ok);
        records.map(move |record| {
            let octet = record.position().map_or(0, csv::Position::byte);
            (lines.of(octet), record)
        })
    }
}

/// The sign between the cells of a text, by its first line: where the columns are known, the one that makes as many
/// of them, or else one that is there; where they are not, the one that is there most often.
fn separator_of(text: &str, kind: Kind) -> u8 {
    let first = match kind {
        Kind::Headed => text.lines().next(),
        Kind::Rows(_) => {
            text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))
        }
    };
    let mut quoted = false;
    let mut bare = first.unwrap_or_default().as_bytes().to_vec();
    bare.retain(|octet| {
        quoted ^= *octet == b'"';
        !quoted
    });
    let count = |sign: u8| bare.iter().filter(|octet| **octet == sign).count();
    let mut there = SEPARATORS.into_iter().filter(|sign| count(*sign) > 0);
    match kind {
        Kind::Headed => there.rev().max_by_key(|sign| count(*sign)).unwrap_or(b';'),
        Kind::Rows(columns) => {
            let fits = there.clone().find(|sign| count(*sign) + 1 == columns);
            fits.or_else(|| there.next()).unwrap_or(b',')
        }
    }
}

/// Counts lines up to a place that only goes on. The reader's own count is one behind where lines end as on
/// Windows, and behind empty lines and comments.
struct Lines<'a> {
    /// The text.
    text: &'a str,
    /// How a comment begins, if there are any.
    comment: Option<u8>,
    /// Octets that were counted.
    at: usize,
    /// The line there.
    line: u64,
}

impl Lines<'_> {
    /// The line of a record that begins at this octet, or behind the ends of lines and the comments there.
    fn of(&mut self, octet: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let mut end = usize::try_from(octet).unwrap_or(usize::MAX).min(bytes.len());
        while let Some(octet) = bytes.get(end) {
            if self.comment == Some(*octet) {
                let rest = bytes.get(end..).unwrap_or_default();
                end += rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
            } else if matches!(octet, b'\r' | b'\n') {
                end += 1;
            } else {
                break;
            }
        }
        let between = bytes.get(self.at..end).unwrap_or_default();
        self.line += between.iter().filter(|octet| **octet == b'\n').count() as u64;
        self.at = end.max(self.at);
        self.line
    }
}

/// A cell without blanks around it, and without what keeps a spreadsheet from changing it: `="0812"` is 0812, and
/// `'=x` is =x.
pub fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    let formula = cell.strip_prefix("=\"").and_then(|cell| cell.strip_suffix('"'));
    formula.unwrap_or_else(|| unarmed(cell)).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text as lines and cells.
    fn records(text: &str, kind: Kind) -> Vec<(u64, Vec<String>)> {
        let records = Sheet::of(text).records(kind);
        records.map(|(line, record)| (line, record.iter().map(str::to_owned).collect())).collect()
    }

    #[test]
    fn a_record_has_the_line_that_a_person_sees() {
        let lines = |text: &str| -> Vec<u64> {
            records(text, Kind::Rows(2)).into_iter().map(|(line, _)| line).collect()
        };
        assert_eq!(lines("a;1\r\nb;2\r\nc;3\r\n"), [1, 2, 3]);
        assert_eq!(lines("\n\na;1\n\n\nb;2\n"), [3, 6]);
        assert_eq!(lines("# x\r\na;1\r\n# y\r\n\r\n#z\r\nb;\"2\r\n3\"\r\nc;4"), [2, 6, 8]);
        assert_eq!(lines("sep=;\r\n\r\na;1\r\nb;2"), [3, 4]);
    }

    #[test]
    fn the_sign_between_cells_is_the_one_that_fits_or_that_is_there_most_often() {
        let width = |text: &str, kind| records(text, kind)[0].1.len();
        assert_eq!(width("\u{feff}sep=;\r\na,b;c\r\n", Kind::Rows(3)), 2);
        assert_eq!(width("a,b;c,\"d;e;f\"\n", Kind::Headed), 3);
        assert_eq!(width("a;b, c, d\n", Kind::Rows(2)), 2);
        assert_eq!(width("a;b, c, d\n", Kind::Headed), 3);
        assert_eq!(width("a b\n", Kind::Headed), 1);
    }

    #[test]
    fn a_cell_loses_what_only_a_spreadsheet_needs() {
        for (cell, wanted) in [
            (" =\"0812\" ", "0812"),
            ("'=x", "=x"),
            ("'\u{2212}6", "\u{2212}6"),
            ("'45", "'45"),
            ("=\"", "=\""),
        ] {
            assert_eq!(bare(cell), wanted);
        }
    }
}
