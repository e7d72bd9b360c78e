//! Lines of a file, a pipe or standard input, one at a time, with a limit of length.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;

/// Octets of the longest line; ours have fewer than 8,192.
const LINE_OCTETS_MAX: usize = 64 << 10;
/// Octets read at once.
const READ_OCTETS: usize = 256 << 10;

/// Reads lines.
pub(super) struct Lines {
    /// Where they come from.
    input: BufReader<Box<dyn Read>>,
    /// What of a line was read so far.
    line: Vec<u8>,
    /// Whether the line in hand is too long, and its end is being looked for.
    is_long: bool,
    /// Whether the last line was handed out.
    is_done: bool,
}

impl Lines {
    /// Opens a file; `-` is standard input.
    pub(super) fn open(file: &Path) -> anyhow::Result<Self> {
        if file == Path::new("-") {
            return Ok(Self::new(Box::new(io::stdin())));
        }
        let opened = File::open(file);
        let opened = opened.with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self::new(Box::new(opened)))
    }

    /// The lines of this.
    pub(super) fn new(input: Box<dyn Read>) -> Self {
        let input = BufReader::with_capacity(READ_OCTETS, input);
        Self { input, line: Vec::new(), is_long: false, is_done: false }
    }

    /// The next line, without its newline; none at the end of the file, where a line without a newline is
    /// complete, too.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.step()? {
            return Ok(Some(&self.line));
        }
        let is_last = !self.line.is_empty() && !self.is_done;
        self.is_done = true;
        Ok(is_last.then_some(&self.line))
    }

    /// The next line that ends with a newline; with none, the rest may come later, and the part
    /// read so far is kept.
    pub(super) fn next_whole(&mut self) -> io::Result<Option<&[u8]>> {
        Ok(self.step()?.then_some(&self.line))
    }

    /// Reads to the end of a line that is not too long; returns whether there is one.
    fn step(&mut self) -> io::Result<bool> {
        if self.line.last() == Some(&b'\n') {
            self.line.clear();
        }
        loop {
            let read = match self.input.fill_buf() {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A followed pipe is empty for now.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            if read.is_empty() {
                return Ok(false);
            }
            let end = read.iter().position(|octet| *octet == b'\n').map(|at| at + 1);
            let used = end.unwrap_or(read.len());
            if !self.is_long && self.line.len() + used <= LINE_OCTETS_MAX {
                self.line.extend_from_slice(&read[..used]);
            } else {
                self.is_long = true;
                self.line.clear();
            }
            self.input.consume(used);
            if end.is_some() {
                if !std::mem::take(&mut self.is_long) {
                    return Ok(true);
                }
                // Lines of another kind are lines, too.
                self.line.extend_from_slice(b"?\n");
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_one_read() {
        let text = format!("a\n{}\nb\n\nc", "x".repeat(3 * LINE_OCTETS_MAX));
        let mut lines = Lines::new(Box::new(io::Cursor::new(text)));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(all, ["a\n", "?\n", "b\n", "\n", "c"]);
        assert!(lines.next().unwrap().is_none());
    }
}
