//! Parses nsd.conf (words, quotes, comments, `include`) into sections of attributes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::import::files::Sources;
use crate::import::{Fault, Item, Place, cut};

/// A part of the file, such as one `zone:`.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// Its kind, as `zone`.
    pub(super) kind: String,
    /// Where it begins.
    pub(super) place: Place,
    /// What it says, in order.
    pub(super) attributes: Vec<Item>,
}

impl Section {
    /// The value of an attribute; where it stands twice, of the last.
    pub(super) fn get(&self, name: &str) -> Option<&Item> {
        self.attributes.iter().rev().find(|it| it.name == name)
    }
}

/// The kinds of sections.
const SECTIONS: [&str; 9] =
    ["server", "key", "tls-auth", "pattern", "zone", "remote-control", "dnstap", "verify", "xdp"];

/// A word, and whether it was quoted.
struct Word {
    /// The text.
    text: String,
    /// Whether it was quoted, and is therefore no keyword.
    is_quoted: bool,
    /// Its line.
    line: u32,
}

/// All sections of a file and of those it includes.
pub(super) fn sections(path: &Path, sources: &mut Sources<'_>) -> Result<Vec<Section>, Fault> {
    let mut sections = Vec::new();
    read(path, &Place::start(path), sources, &mut sections)?;
    Ok(sections)
}

/// Reads one file.
fn read(
    path: &Path,
    from: &Place,
    sources: &mut Sources<'_>,
    sections: &mut Vec<Section>,
) -> Result<(), Fault> {
    let text = sources.open(path, from)?;
    let file: Arc<Path> = path.into();
    let mut words = words(&text).into_iter().peekable();
    while let Some(word) = words.next() {
        let place = Place { file: Arc::clone(&file), line: word.line };
        let Some(keyword) = keyword(&word) else {
            let hint =
                "a word that ends with a colon was expected: let nsd-checkconf look at the file";
            return Err(Fault::new(&place, format!("\"{}\": {hint}", cut(&word.text))));
        };
        let mut values = Vec::new();
        let is_section = SECTIONS.contains(&keyword.as_str());
        if !is_section {
            while let Some(value) = words.next_if(|next| self::keyword(next).is_none()) {
                values.push(value.text);
            }
        }
        match keyword.as_str() {
            "include" => {
                let named = PathBuf::from(values.first().map_or("", String::as_str));
                let base = path.parent().unwrap_or_else(|| Path::new(""));
                for included in sources.expand(&base.join(named), &place)? {
                    read(&included, &place, sources, sections)?;
                }
            }
            _ if is_section => {
                sections.push(Section { kind: keyword, place, attributes: Vec::new() });
            }
            _ => {
                let Some(section) = sections.last_mut() else {
                    return Err(Fault::new(&place, format!("{keyword}: stands in no section")));
                };
                section.attributes.push(Item { name: keyword, values, place });
            }
        }
    }
    sources.close();
    Ok(())
}

/// The keyword that a word is: letters, digits and hyphens with a colon behind them, in small letters.
fn keyword(word: &Word) -> Option<String> {
    let name = word.text.strip_suffix(':').filter(|_| !word.is_quoted)?;
    let is_plain = |sign: u8| sign.is_ascii_alphanumeric() || sign == b'-';
    let begins = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    // "cafe:" is no address, as "cafe::" would be one.
    (begins && name.bytes().all(is_plain)).then(|| name.to_ascii_lowercase())
}

/// The words of a text.
fn words(text: &str) -> Vec<Word> {
    let (mut words, mut line) = (Vec::new(), 1u32);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\n' => line = line.saturating_add(1),
            sign if sign.is_whitespace() => {}
            '#' => while signs.next_if(|next| *next != '\n').is_some() {},
            '"' | '\'' => {
                let (mut inside, at) = (String::new(), line);
                for next in signs.by_ref() {
                    if next == sign {
                        break;
                    }
                    if next == '\n' {
                        line = line.saturating_add(1);
                    }
                    inside.push(next);
                }
                words.push(Word { text: inside, is_quoted: true, line: at });
            }
            first => {
                let mut inside = String::from(first);
                // A keyword may stand right before its value.
                while let Some(next) = signs.next_if(|next| !next.is_whitespace() && *next != '#') {
                    if next == '"' && inside.ends_with(':') {
                        words.push(Word {
                            text: std::mem::take(&mut inside),
                            is_quoted: false,
                            line,
                        });
                        let quoted: String = signs.by_ref().take_while(|it| *it != '"').collect();
                        words.push(Word { text: quoted, is_quoted: true, line });
                        break;
                    }
                    inside.push(next);
                }
                if !inside.is_empty() {
                    words.push(Word { text: inside, is_quoted: false, line });
                }
            }
        }
    }
    words
}
