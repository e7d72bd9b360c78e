//! Text that is put together piece by piece: appending to a string, and an error with its causes.

use std::error::Error;

/// Appends formatted text to a [`String`], which cannot fail.
macro_rules! append {
    ($text:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = $text.write_fmt(format_args!($($arg)*));
    }};
}

/// Appends formatted text and a line end to a [`String`], which cannot fail.
macro_rules! append_line {
    ($text:expr, $($arg:tt)*) => {{
        $crate::text::append!($text, $($arg)*);
        $text.push('\n');
    }};
}

pub(crate) use {append, append_line};

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        append!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
