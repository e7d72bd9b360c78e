//! Longer texts that an office makes its own: what is shipped of them stands in the catalogues, and an
//! administrator may write another in its place.
//!
//! They are plain text. A blank line ends a paragraph, a line that begins with `# ` is a heading, lines that
//! begin with `- ` or with a number and a full stop are a list, and addresses that begin with `https://` are links.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;

use super::catalogue::{Lang, Words};

/// The texts there are; each is the message `text-NAME`, and its title the message `text-NAME-title`.
pub const TEXTS: [&str; 6] =
    ["legal-basis", "requirements", "faq", "hosting", "naming", "sample-letter"];

/// Texts by name and language tag.
type Own = BTreeMap<(String, String), String>;

/// Those an administrator wrote.
static OWN: LazyLock<ArcSwap<Own>> = LazyLock::new(ArcSwap::default);

/// Uses these texts from now on in the place of those shipped: name, language tag, what they say.
pub fn set_texts(texts: impl IntoIterator<Item = (String, String, String)>) {
    let own = texts.into_iter().map(|(name, tag, body)| ((name, tag), body)).collect();
    OWN.store(Arc::new(own));
}

impl Words {
    /// The text of a name as it is in force.
    pub fn text(self, name: &str) -> String {
        let own = OWN.load().get(&(name.to_owned(), self.tag().to_owned())).cloned();
        own.unwrap_or_else(|| self.shipped_text(name))
    }

    /// The shipped one.
    pub fn shipped_text(self, name: &str) -> String {
        self.s(&format!("text-{name}"))
    }

    /// The text of a name, in parts.
    pub fn blocks(self, name: &str) -> Vec<Block> {
        blocks(&self.text(name))
    }
}

/// Whether there is a text of this name.
pub fn is_text(name: &str) -> bool {
    TEXTS.contains(&name)
}

//------------ Block ---------------------------------------------------------

/// A part of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Paragraph(Vec<Piece>),
    /// A list.
    List(Vec<Vec<Piece>>),
    /// A numbered list.
    Steps(Vec<Vec<Piece>>),
}

/// A piece of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Text.
    Text(String),
    /// An address.
    Link(String),
}

/// The parts of a text.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            // What comes next is a paragraph or a list of its own.
            blocks.push(Block::Paragraph(Vec::new()));
        } else if let Some(heading) = line.strip_prefix("# ") {
            blocks.push(Block::Heading(heading.trim().to_owned()));
        } else if let Some(item) = line.strip_prefix("- ") {
            match blocks.last_mut() {
                Some(Block::List(items)) => items.push(pieces(item)),
                _ => blocks.push(Block::List(vec![pieces(item)])),
            }
        } else if let Some(item) = numbered(line) {
            match blocks.last_mut() {
                Some(Block::Steps(items)) => items.push(pieces(item)),
                _ => blocks.push(Block::Steps(vec![pieces(item)])),
            }
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(all)) if !all.is_empty() => {
                    all.push(Piece::Text("\n".to_owned()));
                    all.extend(pieces(line));
                }
                _ => blocks.push(Block::Paragraph(pieces(line))),
            }
        }
    }
    blocks.retain(|block| *block != Block::Paragraph(Vec::new()));
    blocks
}

/// What stands behind the number of a step.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". ")?;
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(rest)
}

/// A line in pieces: text, and addresses.
fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("https://") {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || "\"<>()".contains(c));
        let link = from[..end.unwrap_or(from.len())].trim_end_matches(['.', ',', ';', ':']);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Link(link.to_owned()));
        rest = &from[link.len()..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

/// The language of a tag, if it is one of the pages'.
pub fn lang_of(tag: &str) -> Option<Lang> {
    [Lang::Id, Lang::En].into_iter().find(|lang| lang.tag() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_headings_paragraphs_lists_and_links() {
        let text = |it: &str| Piece::Text(it.to_owned());
        let line = |it: &str| vec![text(it)];
        let found = blocks(
            "# Judul\nSatu\nbaris lagi, https://lapor.go.id.\n- a\n- b\n\n1. x\n2. y\n\nakhir",
        );
        let paragraph = vec![
            text("Satu"),
            text("\n"),
            text("baris lagi, "),
            Piece::Link("https://lapor.go.id".to_owned()),
            text("."),
        ];
        assert_eq!(
            found,
            [
                Block::Heading("Judul".to_owned()),
                Block::Paragraph(paragraph),
                Block::List(vec![line("a"), line("b")]),
                Block::Steps(vec![line("x"), line("y")]),
                Block::Paragraph(line("akhir")),
            ]
        );
    }

    #[test]
    fn every_text_is_shipped_in_both_languages_with_a_title() {
        for lang in [Lang::Id, Lang::En] {
            for name in TEXTS {
                let words = Words::of(lang);
                let title = format!("text-{name}-title");
                assert!(words.has(&title) && words.has(&format!("text-{name}")), "{name}");
                assert!(!blocks(&words.shipped_text(name)).is_empty(), "{name}");
            }
        }
    }
}
