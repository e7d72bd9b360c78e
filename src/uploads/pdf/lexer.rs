//! Values of a PDF (ISO 32000-1, 7.3): numbers, names, strings, arrays, dictionaries, references.
//!
//! Total and bounded: depth and count of values are limited, and what is no value is an error.

/// Deepest nesting of arrays and dictionaries.
const DEPTH_MAX: usize = 100;
/// Most values in one file, with those of its object streams.
pub(super) const VALUES_MAX: usize = 2_000_000;
/// Octets of a string that are kept: enough for an address.
const TEXT_MAX: usize = 2048;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `null`, `true`, `false`, a real number: nothing that matters here.
    Other,
    /// An integer.
    Int(i64),
    /// A name, its hexadecimal escapes undone.
    Name(Vec<u8>),
    /// The beginning of a string.
    Text(Vec<u8>),
    /// An array.
    Array(Vec<Self>),
    /// A dictionary; each key is there once.
    Dict(Vec<(Vec<u8>, Self)>),
    /// The number of another object.
    Ref(i64),
}

impl Value {
    /// The value of a key, if this is a dictionary that has it.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Self> {
        let Self::Dict(pairs) = self else { return None };
        pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The integer.
    pub(super) fn int(&self) -> Option<i64> {
        if let Self::Int(int) = self { Some(*int) } else { None }
    }

    /// The name.
    pub(super) fn name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }
}

/// What is no value, or too many of them.
#[derive(Debug)]
pub(super) struct Broken;

/// White space of a PDF.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// A character that ends a token.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

/// Reads values one after the other.
pub(super) struct Lexer<'a> {
    /// The file, or an object stream.
    pub(super) bytes: &'a [u8],
    /// Where the next token is looked for.
    pub(super) at: usize,
    /// How many values may still be read.
    left: &'a mut usize,
}

impl<'a> Lexer<'a> {
    /// Reads `bytes` from `at`; the count of values is shared by all readers of a file.
    pub(super) fn new(bytes: &'a [u8], at: usize, left: &'a mut usize) -> Self {
        Self { bytes, at, left }
    }

    /// A reader of other octets that shares the count.
    pub(super) fn other_bytes<'b>(&'b mut self, bytes: &'b [u8], at: usize) -> Lexer<'b> {
        Lexer { bytes, at, left: self.left }
    }

    /// The next octet.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space and comments; returns the octets of comments.
    pub(super) fn skip_space(&mut self) -> usize {
        let mut comments = 0;
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                let start = self.at;
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.at += 1;
                }
                comments += self.at - start;
            } else if is_space(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
        comments
    }

    /// Takes a word, if it comes next as a whole token.
    pub(super) fn word(&mut self, word: &[u8]) -> bool {
        let ends = self.at + word.len();
        let whole = self.bytes.get(ends).is_none_or(|byte| is_space(*byte) || is_delimiter(*byte));
        let is = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        // `endobj` of a hurried writer may follow without a blank.
        if is && (whole || word == b"obj" || word == b"endobj") {
            self.at = ends;
            return true;
        }
        false
    }

    /// An integer without a sign, if one comes next.
    pub(super) fn natural(&mut self) -> Option<i64> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) && self.at - start < 18 {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).ok()?.parse().ok()
    }

    /// `7 0 obj`, if it comes next: the number.
    pub(super) fn object_head(&mut self) -> Option<i64> {
        let start = self.at;
        let head = (|| {
            let number = self.natural()?;
            self.skip_space();
            self.natural()?;
            self.skip_space();
            self.word(b"obj").then_some(number)
        })();
        if head.is_none() {
            self.at = start;
        }
        head
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Result<Value, Broken> {
        self.nested(0)
    }

    /// A value at a depth.
    fn nested(&mut self, depth: usize) -> Result<Value, Broken> {
        *self.left = self.left.checked_sub(1).ok_or(Broken)?;
        if depth > DEPTH_MAX {
            return Err(Broken);
        }
        self.skip_space();
        match self.peek().ok_or(Broken)? {
            b'/' => Ok(Value::Name(self.name())),
            b'(' => self.literal(),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.skip_space();
                    if self.peek().ok_or(Broken)? == b']' {
                        self.at += 1;
                        return Ok(Value::Array(items));
                    }
                    items.push(self.nested(depth + 1)?);
                }
            }
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => self.dictionary(depth),
            b'<' => self.hexadecimal(),
            byte if byte.is_ascii_digit() => Ok(self.number_or_reference()),
            byte if is_delimiter(byte) => Err(Broken),
            _ => self.other(),
        }
    }

    /// A name behind its slash.
    fn name(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| !is_space(*byte) && !is_delimiter(*byte)) {
            let digits = self.bytes.get(self.at + 1..self.at + 3);
            let escaped = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            match escaped.filter(|_| byte == b'#') {
                Some(meant) => {
                    name.push(meant);
                    self.at += 3;
                }
                None => {
                    name.push(byte);
                    self.at += 1;
                }
            }
        }
        name
    }

    /// A string in parentheses.
    fn literal(&mut self) -> Result<Value, Broken> {
        self.at += 1;
        let (mut depth, mut text) = (1_usize, Vec::new());
        loop {
            let mut byte = self.peek().ok_or(Broken)?;
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => match self.escape()? {
                    Some(meant) => byte = meant,
                    None => continue,
                },
                _ => {}
            }
            if depth == 0 {
                return Ok(Value::Text(text));
            }
            if text.len() < TEXT_MAX {
                text.push(byte);
            }
        }
    }

    /// What follows a backslash: up to three octal digits, a letter, or the end of a line.
    fn escape(&mut self) -> Result<Option<u8>, Broken> {
        let byte = self.peek().ok_or(Broken)?;
        self.at += 1;
        Ok(Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\n' => return Ok(None),
            b'\r' => {
                self.at += usize::from(self.peek() == Some(b'\n'));
                return Ok(None);
            }
            b'0'..=b'7' => {
                let mut code = u16::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code * 8 + u16::from(digit - b'0');
                    self.at += 1;
                }
                code.to_le_bytes()[0]
            }
            byte => byte,
        }))
    }

    /// A string in hexadecimal digits.
    fn hexadecimal(&mut self) -> Result<Value, Broken> {
        self.at += 1;
        let (mut text, mut high) = (Vec::new(), None);
        loop {
            let byte = self.peek().ok_or(Broken)?;
            self.at += 1;
            let digit = match byte {
                b'>' => break,
                byte if is_space(byte) => continue,
                byte => char::from(byte).to_digit(16).ok_or(Broken)?,
            };
            let digit = u8::try_from(digit).map_err(|_| Broken)?;
            match high.take() {
                None => high = Some(digit * 16),
                Some(high) if text.len() < TEXT_MAX => text.push(high + digit),
                Some(_) => {}
            }
        }
        text.extend(high);
        Ok(Value::Text(text))
    }

    /// A dictionary. Keys that repeat are refused: readers differ in which one counts.
    fn dictionary(&mut self, depth: usize) -> Result<Value, Broken> {
        self.at += 2;
        let mut pairs = Vec::new();
        loop {
            self.skip_space();
            match self.peek().ok_or(Broken)? {
                b'/' => {
                    let key = self.name();
                    pairs.push((key, self.nested(depth + 1)?));
                }
                b'>' if self.bytes.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    let mut keys: Vec<&[u8]> = pairs.iter().map(|(key, _)| &key[..]).collect();
                    keys.sort_unstable();
                    let once = keys.is_sorted_by(|one, next| one < next);
                    return once.then_some(Value::Dict(pairs)).ok_or(Broken);
                }
                _ => return Err(Broken),
            }
        }
    }

    /// A number, or the reference to another object.
    fn number_or_reference(&mut self) -> Value {
        let start = self.at;
        if let Some(number) = self.natural() {
            let after = self.at;
            self.skip_space();
            if self.at > after && self.natural().is_some() {
                self.skip_space();
                if self.word(b"R") {
                    return Value::Ref(number);
                }
            }
            self.at = after;
            if self.peek().is_none_or(|byte| is_space(byte) || is_delimiter(byte)) {
                return Value::Int(number);
            }
        }
        self.at = start;
        self.token();
        Value::Other
    }

    /// A real or negative number, or a word.
    fn other(&mut self) -> Result<Value, Broken> {
        let token = self.token();
        let number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e');
        let known = matches!(token, b"true" | b"false" | b"null");
        if !known && !token.iter().all(number) {
            return Err(Broken);
        }
        let text = std::str::from_utf8(token).unwrap_or_default();
        Ok(text.parse().map_or(Value::Other, Value::Int))
    }

    /// Everything up to the next white space or delimiter.
    pub(super) fn token(&mut self) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(|byte| !is_space(byte) && !is_delimiter(byte)) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }
}
