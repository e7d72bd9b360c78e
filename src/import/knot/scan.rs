//! Parses knot.conf, in the subset of YAML that Knot reads, into groups of items.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::import::files::Sources;
use crate::import::{Fault, Item, Place, cut};

/// One group: a section that stands alone, or one entry of its list.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The section, as `zone`.
    pub(super) section: String,
    /// Where it begins.
    pub(super) place: Place,
    /// What it says, in order.
    pub(super) items: Vec<Item>,
}

impl Item {
    /// Whether a switch is on.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.value().to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1")
    }
}

impl Group {
    /// The item of a name, if it is there.
    pub(super) fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().rev().find(|it| it.name == name)
    }

    /// The value of an item, or nothing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.item(name).map_or("", Item::value)
    }

    /// All values of an item, which may stand more than once.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.items.iter().filter(|it| it.name == name).flat_map(|it| it.values.clone()).collect()
    }
}

/// All groups of a file and of those it includes.
pub(super) fn groups(path: &Path, sources: &mut Sources<'_>) -> Result<Vec<Group>, Fault> {
    let mut groups = Vec::new();
    read(path, &Place::start(path), sources, &mut groups)?;
    Ok(groups)
}

/// Reads one file.
fn read(
    path: &Path,
    from: &Place,
    sources: &mut Sources<'_>,
    groups: &mut Vec<Group>,
) -> Result<(), Fault> {
    let text = sources.open(path, from)?;
    let file: Arc<Path> = path.into();
    let mut section: Option<(String, Place)> = None;
    let mut is_open = false;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let place =
            Place { file: Arc::clone(&file), line: u32::try_from(at + 1).unwrap_or(u32::MAX) };
        let mut bare = without_comment(line).trim_end().to_owned();
        // A list may go on over lines.
        while is_open_list(&bare) {
            let Some((_, more)) = lines.next() else { break };
            bare.push(' ');
            bare.push_str(without_comment(more).trim());
        }
        if bare.trim().is_empty() || bare.trim() == "---" {
            continue;
        }
        let is_indented = bare.starts_with([' ', '\t']);
        let inner = bare.trim_start();
        let (is_entry, inner) = match inner.strip_prefix('-') {
            Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim_start()),
            _ => (false, inner),
        };
        let Some((name, value)) = inner.split_once(':') else {
            let message =
                format!("\"{}\" is no item: let knotc conf-check look at the file", cut(inner));
            return Err(Fault::new(&place, message));
        };
        let (name, values) = (name.trim().to_owned(), values(value));
        if name == "include" && !is_indented {
            let base = path.parent().unwrap_or_else(|| Path::new(""));
            let named = base.join(PathBuf::from(values.first().map_or("", String::as_str)));
            let all = if sources.is_directory(&named) {
                sources.all_in(&named, &place)?
            } else {
                sources.expand(&named, &place)?
            };
            for included in all {
                read(&included, &place, sources, groups)?;
            }
            (section, is_open) = (None, false);
        } else if !is_indented && !is_entry {
            (section, is_open) = (Some((name, place)), false);
        } else {
            let Some((kind, _)) = &section else {
                return Err(Fault::new(&place, format!("{name}: stands in no section")));
            };
            if is_entry || !is_open {
                let (section, place) = (kind.clone(), place.clone());
                groups.push(Group { section, place, items: Vec::new() });
                is_open = true;
            }
            if let Some(group) = groups.last_mut() {
                group.items.push(Item { name, values, place });
            }
        }
    }
    sources.close();
    Ok(())
}

/// A line without the comment at its end.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for (at, sign) in line.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted && before.is_whitespace() => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
        before = sign;
    }
    line
}

/// Whether a list began and did not end.
fn is_open_list(line: &str) -> bool {
    let is_list =
        line.split_once(':').is_some_and(|(_, value)| value.trim_start().starts_with('['));
    is_list && !line.ends_with(']')
}

/// One value, or a list of them in brackets.
fn values(text: &str) -> Vec<String> {
    let text = text.trim();
    let inside = text.strip_prefix('[').map(|rest| rest.strip_suffix(']').unwrap_or(rest));
    let (text, is_list) = (inside.unwrap_or(text), inside.is_some());
    let (mut values, mut now) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for sign in text.chars() {
        match sign {
            sign if escaped => {
                now.push(sign);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if is_list && !quoted => values.push(std::mem::take(&mut now)),
            sign => now.push(sign),
        }
    }
    values.push(now);
    values.iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}
