//! Reads the text of settings from the caller's files, within limits.

use std::path::{Path, PathBuf};

use super::{Fault, Place};

/// How deep files may include files.
const DEPTH_MAX: usize = 16;
/// Files in all.
const FILES_MAX: usize = 20_000;
/// Octets in all.
const OCTETS_MAX: usize = 256 << 20;

/// The files of the machine whose settings are read.
pub trait Files {
    /// All octets of a file, at most `max`.
    fn read(&self, path: &Path, max: usize) -> Result<Vec<u8>, String>;
    /// The names in a directory, in order.
    fn list(&self, directory: &Path) -> Result<Vec<String>, String>;
    /// Whether there is a directory of this name.
    fn is_directory(&self, path: &Path) -> bool;
}

/// Reads files, as long as they are within the limits.
pub(super) struct Sources<'a> {
    /// Where they are.
    files: &'a dyn Files,
    /// The files that are being read, outermost first.
    open: Vec<PathBuf>,
    /// Files that may still be read.
    files_left: usize,
    /// Octets that may still be read.
    octets_left: usize,
}

impl<'a> Sources<'a> {
    /// No file is read yet.
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self { files, open: Vec::new(), files_left: FILES_MAX, octets_left: OCTETS_MAX }
    }

    /// Opens a file that `place` names; [`Sources::close`] follows when all of it was read.
    pub(super) fn open(&mut self, path: &Path, place: &Place) -> Result<String, Fault> {
        if self.open.iter().any(|it| it == path) {
            return Err(Fault::new(place, format!("{} includes itself", path.display())));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault::new(place, format!("files are included {DEPTH_MAX} deep, no more")));
        }
        self.files_left = self
            .files_left
            .checked_sub(1)
            .ok_or_else(|| Fault::new(place, format!("there are more than {FILES_MAX} files")))?;
        let bytes = self
            .files
            .read(path, self.octets_left)
            .map_err(|why| Fault::new(place, format!("cannot read {}: {why}", path.display())))?;
        self.octets_left = self.octets_left.saturating_sub(bytes.len());
        self.open.push(path.to_owned());
        // Text in another encoding must not fail the file.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Closes the file that was opened last.
    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// The files that match a path with `*`, `?` or `[…]` in its last part; without one, the path itself.
    pub(super) fn expand(&self, path: &Path, place: &Place) -> Result<Vec<PathBuf>, Fault> {
        let last = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if !last.contains(['*', '?', '[']) {
            return Ok(vec![path.to_owned()]);
        }
        let directory = path.parent().unwrap_or_else(|| Path::new(""));
        let names = self.files.list(directory).map_err(|why| {
            Fault::new(place, format!("cannot read the directory {}: {why}", directory.display()))
        })?;
        let fitting = names.into_iter().filter(|name| matches(&last, name));
        Ok(fitting.map(|name| directory.join(name)).collect())
    }

    /// Whether there is a directory of this name.
    pub(super) fn is_directory(&self, path: &Path) -> bool {
        self.files.is_directory(path)
    }

    /// All files of a directory, in order.
    pub(super) fn all_in(&self, directory: &Path, place: &Place) -> Result<Vec<PathBuf>, Fault> {
        self.expand(&directory.join("*"), place)
    }
}

/// Whether a name matches a pattern with `*`, `?` and `[…]`, as in a shell: `*` matches no leading dot.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    if text.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    let (mut at, mut here) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while here < text.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at, here));
            at += 1;
            continue;
        }
        if let Some(length) = one(&pattern, at, &text, here) {
            (at, here) = (at + length, here + 1);
            continue;
        }
        let Some((star, from)) = retry else { return false };
        retry = Some((star, from + 1));
        (at, here) = (star + 1, from + 1);
    }
    pattern.iter().skip(at).all(|sign| *sign == '*')
}

/// The length of the part of a pattern that matches this one character; `None` if it does not match.
fn one(pattern: &[char], at: usize, text: &[char], here: usize) -> Option<usize> {
    let (sign, character) = (*pattern.get(at)?, *text.get(here)?);
    match sign {
        '?' => Some(1),
        '[' => {
            let inside = pattern.get(at + 1..)?;
            let end = inside.iter().skip(1).position(|sign| *sign == ']')? + 1;
            let inside = inside.get(..end)?;
            let (negated, class) = match inside.split_first() {
                Some(('!' | '^', rest)) => (true, rest),
                _ => (false, inside),
            };
            let mut found = false;
            let mut place = 0;
            while let Some(first) = class.get(place) {
                match (class.get(place + 1), class.get(place + 2)) {
                    (Some('-'), Some(last)) => {
                        found |= (*first..=*last).contains(&character);
                        place += 3;
                    }
                    _ => {
                        found |= *first == character;
                        place += 1;
                    }
                }
            }
            (found != negated).then_some(end + 2)
        }
        sign => (sign == character).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            ("*.conf", "a.conf.bak", false),
            ("a?c*", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]", "x", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
