//! `$GENERATE range owner [TTL] [class] type data`, as in BIND: one line generates many records.
//!
//! `$` is the number, `${offset,width,base}` the number plus an offset, filled with zeros
//! to a width, in base `d`, `o`, `x`, `X`, or as nibbles `n`, `N`; `$$` and `\$` are a dollar sign.
//! Each generated line is read like any other, except that it cannot be a directive. The last owner is afterwards what it
//! was before.

use super::At;
use super::parse::{Parser, Problem, Source, argument};
use super::rule;
use super::scan::Entry;
use crate::wire::rdata::{Token, shown};

/// The widest a number may be made.
const WIDTH_MAX: usize = 255;

/// Makes and reads the records of a `$GENERATE` line.
pub(super) fn run(
    parser: &mut Parser<'_, '_>,
    source: &Source<'_>,
    entry: &Entry,
    tokens: &[Token<'_>],
) -> Result<(), Problem> {
    let token = argument(tokens, 1, "a range")?;
    let range = Range::from_text(token.text).ok_or_else(|| {
        let message = format!("{} is not a range such as 1-100 or 0-255/2", shown(token.text));
        Problem::new(&rule::BAD_GENERATE, 1, message)
    })?;
    argument(tokens, 2, "an owner name")?;
    argument(tokens, 3, "a type")?;
    let max = parser.options.generated_max;
    if parser.generated as u64 + range.count() > max as u64 {
        let message = format!("{} records and those before are more than {max}", range.count());
        return Err(Problem::new(&rule::LIMIT, 1, message));
    }
    parser.generated += range.count() as usize;
    let at = At { file: source.file, line: entry.line, start: tokens[0].at, end: entry.end };
    let mut line = Vec::new();
    let mut number = range.start;
    while number <= range.stop {
        line.clear();
        for (index, token) in tokens.iter().enumerate().skip(2) {
            // One quoted string as data is the data itself: `MX "10 mail$"`.
            let is_data = index + 1 == tokens.len() && index > 3;
            let quote = token.quoted && !is_data;
            line.extend_from_slice(if quote { b"\"" } else { b"" });
            // A quote inside that string is written as `\"` and is a quote of the data.
            let inner = is_data && token.quoted;
            let text = if inner { without_quote_escapes(token.text) } else { token.text.to_vec() };
            expand(&text, number, &mut line)
                .map_err(|message| Problem::new(&rule::BAD_GENERATE, index, message))?;
            line.extend_from_slice(if quote { b"\" " } else { b" " });
        }
        let errors = parser.parsed.errors;
        let source = Source { bytes: &line, file: source.file, fixed: Some(at) };
        parser.aside(source);
        // The next ones would have the same fault.
        if parser.parsed.errors > errors || parser.parsed.records > parser.options.records_max {
            break;
        }
        number += range.step;
    }
    Ok(())
}

//------------ Range ---------------------------------------------------------

/// The numbers of a `$GENERATE` line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Range {
    /// The first.
    start: u64,
    /// The last one possible.
    stop: u64,
    /// From one to the next, at least 1.
    step: u64,
}

impl Range {
    /// Reads `start-stop[/step]`.
    fn from_text(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|n| digits && *n <= i32::MAX as u32).map(u64::from)
        };
        let range = Self { start: number(start)?, stop: number(stop)?, step: number(step)? };
        (range.start <= range.stop && range.step > 0).then_some(range)
    }

    /// The count of numbers.
    fn count(self) -> u64 {
        (self.stop - self.start) / self.step + 1
    }
}

//------------ Expansion -----------------------------------------------------

/// The text with `\"` as `"`; any other escape stays.
fn without_quote_escapes(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek().copied()) {
            (b'\\', Some(b'"')) => {}
            (b'\\', Some(next)) => {
                plain.extend_from_slice(&[byte, next]);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    plain
}

/// Appends a word with its number.
fn expand(template: &[u8], number: u64, out: &mut Vec<u8>) -> Result<(), String> {
    let mut rest = template;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'\\', Some(&next)) => {
                out.extend_from_slice(&[b'\\', next]);
                rest = &after[1..];
            }
            (b'$', Some(b'$')) => {
                out.extend_from_slice(b"\\$");
                rest = &after[1..];
            }
            (b'$', Some(b'{')) => {
                let wrong = || {
                    let message = "is not ${offset,width,base} with base d, o, x, X, n or N";
                    format!("{} {message}", shown(template))
                };
                let end = after.iter().position(|byte| *byte == b'}').ok_or_else(wrong)?;
                let modifier = Modifier::from_text(&after[1..end]).ok_or_else(wrong)?;
                modifier.write(number, out).map_err(|why| format!("{} {why}", shown(template)))?;
                rest = &after[end + 1..];
            }
            (b'$', _) => out.extend_from_slice(number.to_string().as_bytes()),
            _ => out.push(byte),
        }
    }
    Ok(())
}

/// What stands in the braces behind a dollar sign: `offset[,width[,base]]`.
struct Modifier {
    /// What is added to the number.
    offset: i64,
    /// The least number of signs.
    width: usize,
    /// How the sum is written: `d`, `o`, `x`, `X`, `n` or `N`.
    base: u8,
}

impl Modifier {
    /// Reads the text between the braces.
    fn from_text(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.split(',');
        let offset: i64 = parts.next()?.parse().ok()?;
        let width: usize = parts.next().map_or(Some(0), |width| width.parse().ok())?;
        let base = match parts.next().unwrap_or("d").as_bytes() {
            [base] if b"doxXnN".contains(base) => *base,
            _ => return None,
        };
        let is_small = width <= WIDTH_MAX && offset.unsigned_abs() <= i32::MAX as u64;
        (parts.next().is_none() && is_small).then_some(Self { offset, width, base })
    }

    /// Appends a number; an error if the sum is beyond its bounds.
    fn write(&self, number: u64, out: &mut Vec<u8>) -> Result<(), String> {
        let width = self.width;
        // Both are below 2³¹.
        let sum = number as i64 + self.offset;
        if sum > i64::from(i32::MAX) {
            return Err(format!("makes {sum} of {number}, which is more than 2147483647"));
        }
        if sum < 0 && self.base == b'd' {
            out.extend_from_slice(format!("{sum:0width$}").as_bytes());
            return Ok(());
        }
        let value = u64::try_from(sum).map_err(|_| {
            let why = "and only base d writes what is below 0";
            format!("makes {sum} of {number}, {why}")
        })?;
        let text = match self.base {
            b'o' => format!("{value:0width$o}"),
            b'x' => format!("{value:0width$x}"),
            b'X' => format!("{value:0width$X}"),
            b'n' => nibbles(value, width),
            b'N' => nibbles(value, width).to_ascii_uppercase(),
            _ => format!("{value:0width$}"),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The hexadecimal digits from the last to the first, a dot between each two; dots count as width.
fn nibbles(value: u64, width: usize) -> String {
    let mut text = String::new();
    let mut rest = value;
    loop {
        text.push(char::from_digit((rest & 15) as u32, 16).unwrap_or('0'));
        rest >>= 4;
        if rest == 0 && text.len() >= width {
            return text;
        }
        text.push('.');
        if rest == 0 && text.len() >= width {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, number: u64, expected: &str) {
        let mut out = Vec::new();
        expand(template.as_bytes(), number, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers_are_written_as_bind_writes_them() {
        check("host-$", 7, "host-7");
        check("host-${0,3}", 7, "host-007");
        check("host-${10}", 7, "host-17");
        check("host-${-5,2,d}", 7, "host-02");
        check("${0,2,x}.${0,2,X}", 171, "ab.AB");
        check("${0,4,o}", 8, "0010");
        check("a${-9}", 7, "a-2");
        check("a${-9,4}", 7, "a-002");
        check("${0,7,n}", 0x1a, "a.1.0.0");
        check("${0,0,N}", 0xab, "B.A");
        check("a$$b\\$c", 7, "a\\$b\\$c");
    }

    #[test]
    fn bad_modifiers_and_ranges_are_refused() {
        for template in ["${", "${x}", "${0,3,q}", "${0,3,d,1}", "${0,999}", "${-9,1,x}"] {
            assert!(expand(template.as_bytes(), 7, &mut Vec::new()).is_err(), "{template}");
        }
        for range in ["1", "2-1", "1-2/0", "a-b", "1-4294967296", "-1-2", "1-2/3/4"] {
            assert_eq!(Range::from_text(range.as_bytes()), None, "{range}");
        }
        assert_eq!(Range::from_text(b"0-9/4").map(Range::count), Some(3));
    }

    #[test]
    fn a_result_beyond_its_bounds_is_refused_in_words() {
        let why = |template: &str| expand(template.as_bytes(), 7, &mut Vec::new()).unwrap_err();
        assert_eq!(
            why("h${-9,1,x}"),
            "\"h${-9,1,x}\" makes -2 of 7, and only base d writes what is below 0"
        );
        let beyond = "\"${2147483647}\" makes 2147483654 of 7, which is more than 2147483647";
        assert_eq!(why("${2147483647}"), beyond);
        let mut out = Vec::new();
        expand(b"${2147483640}", 7, &mut out).unwrap();
        assert_eq!(out, b"2147483647");
    }
}
