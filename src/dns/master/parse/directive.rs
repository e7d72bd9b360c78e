//! `$ORIGIN`, `$TTL`, `$INCLUDE` and `$GENERATE` (RFC 1035 §5.1, RFC 2308 §4).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::word::{argument, name_problem, no_more, ttl};
use super::{Parser, Problem, Source};
use crate::master::generate;
use crate::master::input::{Included, ending};
use crate::master::rule;
use crate::master::scan::Entry;
use crate::wire::NameRef;
use crate::wire::rdata::{Token, push_name, shown};

impl Parser<'_, '_> {
    /// Obeys a directive.
    pub(super) fn directive(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
    ) -> Result<(), Problem> {
        let name = tokens[0].text.to_ascii_uppercase();
        if source.fixed.is_some() {
            let message = "a generated line cannot be a directive";
            return Err(Problem::new(&rule::BAD_GENERATE, 0, message));
        }
        match name.as_slice() {
            b"$ORIGIN" => self.set_origin(tokens),
            b"$TTL" => {
                let token = argument(tokens, 1, "a TTL")?;
                self.ttl_default = Some(ttl(1, token)?);
                no_more(tokens, 2)
            }
            b"$INCLUDE" => self.include(source, entry, tokens),
            b"$GENERATE" => generate::run(self, source, entry, tokens),
            _ => {
                let message = format!("{} is not a directive", shown(tokens[0].text));
                let problem = Problem::new(&rule::UNKNOWN_DIRECTIVE, 0, message);
                Err(problem.hint("a name that starts with a dollar sign is written as \\$name"))
            }
        }
    }

    /// `$ORIGIN name`.
    fn set_origin(&mut self, tokens: &[Token<'_>]) -> Result<(), Problem> {
        let token = argument(tokens, 1, "a name")?;
        let name = self.new_origin(1, token)?;
        no_more(tokens, 2)?;
        self.origin = name;
        Ok(())
    }

    /// Reads an origin, relative to the current one.
    fn new_origin(&self, at: usize, token: Token<'_>) -> Result<Vec<u8>, Problem> {
        if token.quoted {
            return Err(Problem::new(&rule::BAD_NAME, at, "an origin does not stand in quotes"));
        }
        let mut name = Vec::new();
        push_name(token.text, NameRef::from_checked(&self.origin), &mut name)
            .map_err(|error| name_problem(at, token, error))?;
        Ok(name)
    }

    /// `$INCLUDE file [origin]`: origin and last owner are afterwards what they were before. The last owner
    /// holds in the included file, too, until that states one (RFC 1035 §5.1).
    fn include(
        &mut self,
        source: &Source<'_>,
        entry: &Entry,
        tokens: &[Token<'_>],
    ) -> Result<(), Problem> {
        let token = argument(tokens, 1, "a file")?;
        let origin = match tokens.get(2) {
            Some(token) => self.new_origin(2, *token)?,
            None => self.origin.clone(),
        };
        no_more(tokens, 3)?;
        let path = self.include_path(source, token)?;
        let (depth, count) = (self.options.include_depth_max, self.options.includes_max);
        if self.open.len() >= depth || self.parsed.included.len() >= count.min(60_000) {
            let message = format!("more than {depth} files deep or {count} files are included");
            return Err(Problem::new(&rule::LIMIT, 1, message));
        }
        let shown = self.shown_path(&path);
        let bytes = self.input.loader.load(&path).map_err(|error| {
            use crate::master::LoadError;
            let rule = match error {
                LoadError::Outside => &rule::INCLUDE_OUTSIDE,
                LoadError::TooLarge(_) => &rule::LIMIT,
                LoadError::Unreadable(_) => &rule::INCLUDE_UNREADABLE,
            };
            Problem::new(rule, 1, format!("{} is not included: {error}", shown.display()))
        })?;
        let (has_end_marker, ends_with_newline) = ending(&bytes);
        self.parsed.included.push(Included {
            path: path.clone(),
            shown,
            bytes: bytes.clone(),
            from: (source.file, entry.line),
            has_end_marker,
            ends_with_newline,
        });
        // At most 60,000 files, see above.
        let inner = Source { bytes: &bytes, file: self.parsed.included.len() as u16, fixed: None };
        if self.fits(&inner, 1) {
            self.open.push(path);
            let origin = std::mem::replace(&mut self.origin, origin);
            self.aside(inner);
            self.origin = origin;
            self.open.pop();
        }
        Ok(())
    }

    /// The path of an include relative to the directory of the zone file: written relative to the
    /// file that includes it, never absolute, never with `..`.
    fn include_path(&self, source: &Source<'_>, token: Token<'_>) -> Result<PathBuf, Problem> {
        use std::path::Component;
        let mut text = Vec::new();
        let mut bytes = token.text.iter();
        while let Some(byte) = bytes.next() {
            text.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
        }
        let outside = |why: &str| {
            let message = format!("{} {why}", shown(token.text));
            Problem::new(&rule::INCLUDE_OUTSIDE, 1, message)
                .hint("included files stand in the directory of the zone file or below it")
        };
        let text = String::from_utf8(text).map_err(|_| outside("is not a path in UTF-8"))?;
        let above = usize::from(source.file).checked_sub(1);
        let above = above.and_then(|at| self.parsed.included[at].path.parent());
        let mut path = above.unwrap_or_else(|| Path::new("")).to_owned();
        for part in Path::new(&text).components() {
            match part {
                Component::Normal(part) => path.push(part),
                Component::CurDir => {}
                Component::ParentDir => return Err(outside("leads upwards")),
                Component::RootDir | Component::Prefix(_) => {
                    return Err(outside("is an absolute path"));
                }
            }
        }
        let is_zone_file = self.input.file.file_name().is_some_and(|name| path == Path::new(name));
        if is_zone_file || self.open.contains(&path) {
            let message = format!("{} includes itself", shown(token.text));
            return Err(Problem::new(&rule::INCLUDE_CYCLE, 1, message));
        }
        Ok(path)
    }

    /// An included path as findings show it: beside the zone file as the operator named it.
    fn shown_path(&self, path: &Path) -> Arc<Path> {
        self.input.file.parent().unwrap_or_else(|| Path::new("")).join(path).into()
    }
}
