//! Breaks text into lines: at spaces, and inside words that are wider than the line, if possible after a
//! hyphen, slash or dot. Advances only, no kerning, so that a line is as wide on every machine.

use super::font::Face;

/// Breaks a cleaned text into lines at most `width` wide; the first one is shorter by `indent`. Line ends
/// of the text stay. A line that goes on ends with the space that was there, so that words stay apart for
/// those who copy or hear the text.
pub(super) fn broken(text: &str, face: &Face, size: f32, width: f32, indent: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut breaker = Breaker {
            face,
            size,
            width: width.max(size),
            indent: if lines.is_empty() { indent } else { 0.0 },
            line: String::new(),
            used: 0.0,
            lines: &mut lines,
        };
        words(paragraph).for_each(|word| breaker.add(word));
        breaker.end();
    }
    lines
}

/// The words of a paragraph, each with the space behind it. A number of one or two digits stays with what
/// it counts: no line ends with the day of a date.
pub(super) fn words(paragraph: &str) -> impl Iterator<Item = &str> {
    let mut rest = paragraph;
    std::iter::from_fn(move || {
        let mut spaces = rest.match_indices(' ').map(|(at, _)| at + 1);
        let first = spaces.next().unwrap_or(rest.len());
        let digits = rest[..first].trim_end_matches(' ');
        let is_short =
            matches!(digits.len(), 1 | 2) && digits.bytes().all(|it| it.is_ascii_digit());
        let end = if is_short { spaces.next().unwrap_or(rest.len()) } else { first };
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// The parts of a word that is broken because no line holds it.
pub(super) fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split_inclusive([' ', '-', '/', '.', ':', '@', '_', ','])
}

/// What is being broken.
struct Breaker<'a> {
    /// The face.
    face: &'a Face,
    /// The size.
    size: f32,
    /// Of a whole line.
    width: f32,
    /// What the running line lacks.
    indent: f32,
    /// The running line.
    line: String,
    /// Its width.
    used: f32,
    /// The lines that are done.
    lines: &'a mut Vec<String>,
}

impl Breaker<'_> {
    /// Adds a word, on a new line if it does not fit.
    fn add(&mut self, word: &str) {
        if !self.put(word) {
            for part in parts(word) {
                if !self.put(part) {
                    part.chars().for_each(|character| self.cut(character));
                }
            }
        }
    }

    /// Adds a text that one line can hold, on a new line if it must be; false if none can.
    fn put(&mut self, text: &str) -> bool {
        // The space behind a word may stand out of the line.
        let seen = self.face.width(text.trim_end_matches(' '), self.size);
        let fits = self.used + seen <= self.room();
        if !fits && seen > self.width {
            return false;
        }
        if !fits {
            self.end();
        }
        self.used += self.face.width(text, self.size);
        self.line.push_str(text);
        true
    }

    /// Adds a character of a text that no line can hold.
    fn cut(&mut self, character: char) {
        let advance = self.face.glyph(character).map_or(0.0, |it| it.advance * self.size);
        if self.used + advance > self.room() && !self.line.is_empty() {
            self.end();
        }
        self.used += advance;
        self.line.push(character);
    }

    /// The width of the running line.
    fn room(&self) -> f32 {
        self.width - self.indent
    }

    /// Ends the running line.
    fn end(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        (self.used, self.indent) = (0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{parts, words};

    #[test]
    fn a_short_number_stays_with_what_it_counts() {
        let of = |text: &'static str| words(text).collect::<Vec<_>>();
        assert_eq!(of("lambat 2 November 2026"), ["lambat ", "2 November ", "2026"]);
        assert_eq!(of("1 2 3 4"), ["1 2 ", "3 4"]);
        assert_eq!(of("paling 15"), ["paling ", "15"]);
        assert_eq!(of(" a  b "), [" ", "a ", " ", "b "]);
        assert!(of("").is_empty());
        // Where no line holds both, they are broken between them and not within a word.
        assert_eq!(parts("5 Pemberitahuan").collect::<Vec<_>>(), ["5 ", "Pemberitahuan"]);
    }
}
