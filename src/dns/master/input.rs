//! Input and output of the parser: bytes, a loader for includes, limits, places.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, Place, Severity};

//------------ Input ---------------------------------------------------------

/// A master file in memory, and where its includes come from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The file as the operator named it; it is in findings.
    pub file: &'a Path,
    /// All its bytes.
    pub bytes: &'a [u8],
    /// Reads the files that it includes.
    pub loader: &'a dyn Loader,
}

//------------ Loader --------------------------------------------------------

/// Reads included files.
///
/// The path is relative to the directory of the zone file and holds no `..`; it is the loader that
/// must not follow a symbolic link out of that directory.
pub trait Loader {
    /// All bytes of the file.
    fn load(&self, path: &Path) -> Result<Arc<[u8]>, LoadError>;
}

/// Why an included file was not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// A symbolic link leads out of the directory of the zone.
    #[error("it is outside the directory of the zone file")]
    Outside,
    /// It is longer than the limit.
    #[error("it is longer than {0} octets")]
    TooLarge(u64),
    /// The system did not return it.
    #[error("{0}")]
    Unreadable(String),
}

/// Where the files are that a zone file includes: beside it, and where it is a symbolic link, beside its
/// target.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The directories, that of the file as it is named first.
    roots: Vec<PathBuf>,
}

impl Beside {
    /// The directories of a zone file.
    pub fn of(zone_file: &Path) -> Self {
        let parent = |file: &Path| match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut roots = vec![parent(zone_file)];
        if let (Ok(named), Ok(target)) = (roots[0].canonicalize(), zone_file.canonicalize())
            && parent(&target) != named
        {
            roots.push(parent(&target));
        }
        Self { roots }
    }

    /// Where an included file may be, the best place first.
    pub fn places(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        self.roots.iter().map(move |root| root.join(path))
    }

    /// Where it is. No symbolic link leads out of these directories.
    pub fn find(&self, path: &Path) -> Result<PathBuf, LoadError> {
        let failed = |error: std::io::Error| LoadError::Unreadable(error.to_string());
        let mut missing = None;
        for named in self.places(path) {
            match named.canonicalize() {
                Ok(real) => {
                    let mut roots = self.roots.iter().filter_map(|root| root.canonicalize().ok());
                    let inside = roots.any(|root| real.starts_with(root));
                    return if inside { Ok(named) } else { Err(LoadError::Outside) };
                }
                Err(error) => drop(missing.get_or_insert(error)),
            }
        }
        Err(missing.map_or(LoadError::Outside, failed))
    }
}

/// Includes from a directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Where they are.
    beside: Beside,
    /// Octets a file may have.
    octets_max: u64,
}

impl Directory {
    /// The files beside `zone_file`.
    pub fn of(zone_file: &Path, options: &Options) -> Self {
        Self { beside: Beside::of(zone_file), octets_max: options.file_octets_max as u64 }
    }
}

impl Loader for Directory {
    fn load(&self, path: &Path) -> Result<Arc<[u8]>, LoadError> {
        let failed = |error: std::io::Error| LoadError::Unreadable(error.to_string());
        let real = self.beside.find(path)?;
        // Opening a FIFO would wait for a writer.
        if !real.metadata().map_err(failed)?.is_file() {
            return Err(LoadError::Unreadable("not a regular file".to_owned()));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(real).map_err(failed)?;
        file.take(self.octets_max + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > self.octets_max {
            return Err(LoadError::TooLarge(self.octets_max));
        }
        Ok(bytes.into())
    }
}

/// Includes from memory: what a first parse has read, or what a test made up.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub HashMap<PathBuf, Arc<[u8]>>);

impl Loader for Memory {
    fn load(&self, path: &Path) -> Result<Arc<[u8]>, LoadError> {
        let found = self.0.get(path).cloned();
        found.ok_or_else(|| LoadError::Unreadable("there is no such file".to_owned()))
    }
}

/// No includes at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoIncludes;

impl Loader for NoIncludes {
    fn load(&self, _: &Path) -> Result<Arc<[u8]>, LoadError> {
        Err(LoadError::Unreadable("files cannot be included here".to_owned()))
    }
}

//------------ Options -------------------------------------------------------

/// The limits of parsing.
#[derive(Clone, Debug)]
pub struct Options {
    /// Octets of one file.
    pub file_octets_max: usize,
    /// Octets of one line.
    pub line_octets_max: usize,
    /// Records of the zone, generated ones among them.
    pub records_max: usize,
    /// How deep files may include files.
    pub include_depth_max: usize,
    /// How many files may be included.
    pub includes_max: usize,
    /// Records that all `$GENERATE` lines may make.
    pub generated_max: usize,
    /// Findings kept; all are counted.
    pub findings_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            file_octets_max: 1 << 30,
            line_octets_max: 1 << 19,
            records_max: 20_000_000,
            include_depth_max: 10,
            includes_max: 1000,
            generated_max: 1_000_000,
            findings_max: 1000,
        }
    }
}

//------------ At ------------------------------------------------------------

/// Where a record was written, in a form that costs nothing to make: see [`Parsed::place`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct At {
    /// The file: 0 is the zone file, others index [`Parsed::included`] from 1.
    pub file: u16,
    /// The line, from 1.
    pub line: u32,
    /// Offset of its first word.
    pub start: u32,
    /// Offset behind its last word.
    pub end: u32,
}

//------------ Parsed --------------------------------------------------------

/// What parsing found besides records.
#[derive(Debug, Default)]
pub struct Parsed {
    /// What is wrong, in order, not more than the limit.
    pub findings: Vec<Finding>,
    /// How many errors there are, kept or not.
    pub errors: usize,
    /// How many warnings there are, kept or not.
    pub warnings: usize,
    /// How many records were read.
    pub records: usize,
    /// The files that were included, in order; one that was included twice is there twice.
    pub included: Vec<Included>,
    /// Whether the last line of the zone file is `; gapura: end of zone`.
    pub has_end_marker: bool,
    /// Whether the last line of the zone file ends with a newline; true for an empty file.
    pub ends_with_newline: bool,
}

/// A file that was included.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its path relative to the directory of the zone file.
    pub path: PathBuf,
    /// Its path as findings show it.
    pub shown: Arc<Path>,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// The file that includes it (0 is the zone file) and the line of the directive.
    pub from: (u16, u32),
    /// Whether its last line is `; gapura: end of zone`.
    pub has_end_marker: bool,
    /// Whether its last line ends with a newline.
    pub ends_with_newline: bool,
}

impl Parsed {
    /// The place of a record in the input that was parsed.
    pub fn place(&self, input: &Input<'_>, at: At) -> Place {
        let bytes = match usize::from(at.file).checked_sub(1).and_then(|at| self.included.get(at)) {
            Some(included) => &included.bytes,
            None => input.bytes,
        };
        let file = match usize::from(at.file).checked_sub(1).and_then(|at| self.included.get(at)) {
            Some(included) => included.shown.clone(),
            None => input.file.into(),
        };
        let includes = self.includes(input, at.file);
        place(bytes, file, includes, at.line, at.start as usize..at.end as usize)
    }

    /// The lines that led to a file, outermost first.
    pub(super) fn includes(&self, input: &Input<'_>, file: u16) -> Vec<(Arc<Path>, u32)> {
        let mut chain = Vec::new();
        let mut at = file;
        while let Some(included) =
            usize::from(at).checked_sub(1).and_then(|at| self.included.get(at))
        {
            let (from, line) = included.from;
            let above = usize::from(from).checked_sub(1).and_then(|at| self.included.get(at));
            chain.push((above.map_or_else(|| input.file.into(), |i| i.shown.clone()), line));
            at = from;
        }
        chain.reverse();
        chain
    }

    /// The included files for a second parse of the very same bytes.
    pub fn memory(&self) -> Memory {
        Memory(self.included.iter().map(|i| (i.path.clone(), i.bytes.clone())).collect())
    }
}

/// Characters of a line that a finding keeps.
const SOURCE_CHARS_MAX: usize = 200;

/// The place of a span that starts on `line`; it is cut at the end of that line.
pub(super) fn place(
    bytes: &[u8],
    file: Arc<Path>,
    includes: Vec<(Arc<Path>, u32)>,
    line: u32,
    span: std::ops::Range<usize>,
) -> Place {
    let start = span.start.min(bytes.len());
    let line_start = bytes[..start].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let line_end =
        bytes[start..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| start + n);
    let text = &bytes[line_start..line_end];
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    // A character has at most four octets.
    let kept = String::from_utf8_lossy(&text[..text.len().min(SOURCE_CHARS_MAX * 4)]);
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        file,
        line,
        column: clamp(start - line_start + 1),
        length: clamp(span.end.min(line_end).saturating_sub(start).max(1)),
        source: kept.chars().take(SOURCE_CHARS_MAX).collect(),
        includes,
    }
}

/// The last line of a file: where something is missing that should be at its end.
pub fn last_line(file: &Path, bytes: &[u8]) -> Place {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let breaks = body.iter().filter(|byte| **byte == b'\n').count();
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = u32::try_from(breaks + 1).unwrap_or(u32::MAX);
    place(bytes, file.into(), Vec::new(), line, start..body.len())
}

/// The finding of a file whose last line, at `place`, has no newline: it may have been cut.
pub fn no_final_newline(place: Place) -> Finding {
    let quoted = place.file.display().to_string().replace('\'', "'\\''");
    Finding {
        rule: "no-final-newline",
        severity: Severity::Error,
        message: "the last line has no newline, so the file may be cut off".to_owned(),
        hint: Some(format!(
            "if it is whole, end it: echo >> '{quoted}' (a last line \"{END_MARKER}\" also guards against \
             cuts at a line end)"
        )),
        place: Some(place),
    }
}

/// The comment that marks a file as complete; it is the last line.
pub const END_MARKER: &str = "; gapura: end of zone";

/// Whether the last line is the end marker, and whether it ends with a newline.
pub(super) fn ending(bytes: &[u8]) -> (bool, bool) {
    let ends_with_newline = bytes.last().is_none_or(|byte| *byte == b'\n');
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let last = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    (last.trim_ascii_end() == END_MARKER.as_bytes(), ends_with_newline)
}
