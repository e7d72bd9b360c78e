//! Parses named.conf (words, quotes, three kinds of comments, braces) into statements.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::import::files::Sources;
use crate::import::{Fault, Place, cut};

/// Blocks in blocks.
const DEPTH_MAX: usize = 32;
/// Octets of a statement that are formatted for a note, which shows fewer.
const WRITTEN_MAX: usize = 400;

/// Keywords that stand behind the first word of a statement; case makes no difference in them.
const KEYWORDS: [&str; 13] = [
    "any",
    "explicit",
    "key",
    "keys",
    "local",
    "no",
    "none",
    "off",
    "port",
    "tls",
    "transport",
    "yes",
    "algorithm",
];
/// Statements whose words are paths.
const PATHS: [&str; 4] = ["directory", "file", "include", "key-directory"];

/// A statement: words and blocks up to its semicolon.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Its parts.
    pub(super) items: Vec<Item>,
    /// Where it begins.
    pub(super) place: Place,
}

/// A part of a statement.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A word, or a text in quotes.
    Word(String),
    /// What stands in braces.
    Block(Vec<Statement>),
}

impl Statement {
    /// The word at a place, or nothing.
    pub(super) fn word(&self, at: usize) -> &str {
        match self.items.get(at) {
            Some(Item::Word(word)) => word,
            _ => "",
        }
    }

    /// Its name: the first word.
    pub(super) fn name(&self) -> &str {
        self.word(0)
    }

    /// The word behind another one, as `port` in `also-notify port 5353 { … }`.
    pub(super) fn behind(&self, name: &str) -> Option<&str> {
        let at = self.items.iter().position(|it| matches!(it, Item::Word(word) if word == name))?;
        Some(self.word(at + 1)).filter(|word| !word.is_empty())
    }

    /// The first block; empty if there is none.
    pub(super) fn block(&self) -> &[Self] {
        self.items
            .iter()
            .find_map(
                |it| if let Item::Block(inside) = it { Some(inside.as_slice()) } else { None },
            )
            .unwrap_or_default()
    }

    /// The whole statement in one line, cut if long, for notes.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        cut(&text)
    }

    /// Appends words and blocks, up to the limit.
    fn write(&self, text: &mut String) {
        let is_secret = self.name() == "secret";
        for item in self.items.iter().take(if is_secret { 1 } else { usize::MAX }) {
            if text.len() > WRITTEN_MAX {
                return;
            }
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
            match item {
                Item::Word(word) => text.push_str(word),
                Item::Block(inside) => {
                    text.push_str("{ ");
                    for statement in inside {
                        statement.write(text);
                        text.push_str("; ");
                    }
                    text.push('}');
                }
            }
        }
    }
}

/// The statement of a name in a block; where it stands twice, the last.
pub(super) fn find<'a>(block: &'a [Statement], name: &str) -> Option<&'a Statement> {
    block.iter().rev().find(|it| it.name() == name)
}

/// All statements of a file and of those it includes, and the directory that relative paths belong to.
pub(super) fn statements(
    path: &Path,
    sources: &mut Sources<'_>,
) -> Result<(Vec<Statement>, PathBuf), Fault> {
    let directory = path.parent().map(PathBuf::from).unwrap_or_default();
    let mut reading = Reading { directory, main: path.to_owned(), sources };
    let read = reading.file(path, &Place::start(path))?;
    Ok((read, reading.directory))
}

/// Reads files.
struct Reading<'a, 'b> {
    /// Where relative paths begin: where named is started, until `directory` says something else.
    directory: PathBuf,
    /// The file that named is started with.
    main: PathBuf,
    /// The files.
    sources: &'a mut Sources<'b>,
}

/// A token.
#[derive(Debug, Eq, PartialEq)]
enum Token {
    /// A word, or a text in quotes.
    Word(String),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    End,
}

impl Reading<'_, '_> {
    /// One file.
    fn file(&mut self, path: &Path, from: &Place) -> Result<Vec<Statement>, Fault> {
        let text = self.sources.open(path, from)?;
        let tokens = tokens(&text, path)?;
        let mut tokens = tokens.into_iter();
        let read = self.block(&mut tokens, path.into(), 0)?;
        self.sources.close();
        Ok(read)
    }

    /// The statements up to a closing brace, or to the end of the file at depth 0.
    fn block(
        &mut self,
        tokens: &mut std::vec::IntoIter<(Token, u32)>,
        file: Arc<Path>,
        depth: usize,
    ) -> Result<Vec<Statement>, Fault> {
        let (mut read, mut items) = (Vec::new(), Vec::new());
        let mut place = Place { file: Arc::clone(&file), line: 1 };
        loop {
            let Some((token, line)) = tokens.next() else {
                if depth > 0 || !items.is_empty() {
                    let message =
                        "the file ends inside a statement: let named-checkconf look at it";
                    return Err(Fault::new(&place, message));
                }
                return Ok(read);
            };
            if items.is_empty() {
                place = Place { file: Arc::clone(&file), line };
            }
            match token {
                Token::Word(word) => items.push(Item::Word(word)),
                Token::Open if depth < DEPTH_MAX => {
                    let inside = self.block(tokens, Arc::clone(&file), depth + 1)?;
                    items.push(Item::Block(inside));
                }
                Token::Open => {
                    return Err(Fault::new(
                        &place,
                        format!("blocks are {DEPTH_MAX} deep, no more"),
                    ));
                }
                Token::End => {
                    let statement =
                        Statement { items: std::mem::take(&mut items), place: place.clone() };
                    self.statement(statement, &mut read)?;
                }
                Token::Close if depth > 0 => {
                    // named wants the semicolon; one that is missing here does not change the meaning.
                    let statement = Statement { items: std::mem::take(&mut items), place };
                    self.statement(statement, &mut read)?;
                    return Ok(read);
                }
                Token::Close => {
                    return Err(Fault::new(&place, "a brace is closed that was not opened"));
                }
            }
        }
    }

    /// Keeps a statement; an `include` becomes what it includes.
    fn statement(
        &mut self,
        mut statement: Statement,
        read: &mut Vec<Statement>,
    ) -> Result<(), Fault> {
        // Keywords, names of lists and names of keys are case-insensitive.
        if let Some(Item::Word(first)) = statement.items.first_mut() {
            first.make_ascii_lowercase();
        }
        if !PATHS.contains(&statement.name()) {
            statement.items.iter_mut().for_each(lower_keyword);
        }
        match statement.name() {
            "" if statement.items.is_empty() => {}
            "include" => {
                let named = PathBuf::from(statement.word(1));
                let all = self.sources.expand(&self.directory.join(&named), &statement.place)?;
                for path in all {
                    read.extend(self.file(&path, &statement.place)?);
                }
            }
            "options" => {
                if let Some(directory) = find(statement.block(), "directory") {
                    let base = self.main.parent().unwrap_or_else(|| Path::new(""));
                    self.directory = base.join(directory.word(1));
                }
                read.push(statement);
            }
            _ => read.push(statement),
        }
        Ok(())
    }
}

/// Converts a keyword to lower case.
fn lower_keyword(item: &mut Item) {
    if let Item::Word(word) = item
        && KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(word))
    {
        word.make_ascii_lowercase();
    }
}

/// Whether a comment begins with these signs.
fn begins_comment(signs: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut ahead = signs.clone();
    match ahead.next() {
        Some('#') => true,
        Some('/') => matches!(ahead.next(), Some('/' | '*')),
        _ => false,
    }
}

/// The tokens of a text, with their lines.
fn tokens(text: &str, path: &Path) -> Result<Vec<(Token, u32)>, Fault> {
    let (mut tokens, mut line) = (Vec::new(), 1u32);
    let mut signs = text.chars().peekable();
    let fault = |line: u32, message: &str| Fault::new(&Place { file: path.into(), line }, message);
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('\n', _) => line = line.saturating_add(1),
            (sign, _) if sign.is_whitespace() => {}
            ('#', _) | ('/', Some('/')) => while signs.next_if(|next| *next != '\n').is_some() {},
            ('/', Some('*')) => {
                let (begun, mut before, mut is_closed) = (line, ' ', false);
                signs.next();
                for next in signs.by_ref() {
                    line = line.saturating_add(u32::from(next == '\n'));
                    if before == '*' && next == '/' {
                        is_closed = true;
                        break;
                    }
                    before = next;
                }
                if !is_closed {
                    return Err(fault(begun, "a comment does not end"));
                }
            }
            ('{', _) => tokens.push((Token::Open, line)),
            ('}', _) => tokens.push((Token::Close, line)),
            (';', _) => tokens.push((Token::End, line)),
            ('!', _) => tokens.push((Token::Word("!".to_owned()), line)),
            ('"', _) => {
                let (mut inside, begun, mut is_closed) = (String::new(), line, false);
                while let Some(next) = signs.next() {
                    line = line.saturating_add(u32::from(next == '\n'));
                    match next {
                        '"' => {
                            is_closed = true;
                            break;
                        }
                        '\\' if signs.peek() == Some(&'"') => inside.extend(signs.next()),
                        next => inside.push(next),
                    }
                }
                if !is_closed {
                    return Err(fault(begun, "a text in quotes does not end"));
                }
                tokens.push((Token::Word(inside), begun));
            }
            (first, _) => {
                let mut word = String::from(first);
                let ends = |next: &char| {
                    next.is_whitespace() || matches!(next, '{' | '}' | ';' | '"' | '!')
                };
                while !begins_comment(&signs) {
                    let Some(next) = signs.next_if(|next| !ends(next)) else { break };
                    word.push(next);
                }
                tokens.push((Token::Word(word), line));
            }
        }
    }
    Ok(tokens)
}
