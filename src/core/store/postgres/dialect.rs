//! A step of `migrations` in the words of PostgreSQL.
//!
//! Steps are written once, for SQLite, so that both engines have one history and one checksum for each. They keep to three
//! types, whose names are all that differs; order and comparison of text go by octets on both.

/// Words of SQLite, and what stands for them.
const WORDS: &[(&str, &str)] =
    &[("INTEGER", "BIGINT"), ("BLOB", "BYTEA"), ("TEXT", "TEXT COLLATE \"C\"")];

/// What stands behind a table and means nothing here.
const ENDINGS: &[&str] = &[" STRICT, WITHOUT ROWID;", " STRICT;", " STRICT"];

/// The statements of a step.
pub(super) fn translated(step: &str) -> String {
    let mut out = String::with_capacity(step.len() * 5 / 4);
    for line in step.lines() {
        // No string in a step has two hyphens.
        let code = line.split_once("--").map_or(line, |(code, _)| code);
        out.push_str(&translated_line(code));
        out.push('\n');
    }
    out
}

/// A line without its comment.
fn translated_line(line: &str) -> String {
    let line = line.trim_end();
    let ending = ENDINGS.iter().find_map(|ending| {
        Some((line.strip_suffix(ending)?, if ending.ends_with(';') { ";" } else { "" }))
    });
    let (line, end) = ending.unwrap_or((line, ""));
    let mut out = String::new();
    for piece in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let known = WORDS.iter().find(|(theirs, _)| *theirs == word);
        out.push_str(known.map_or(word, |(_, ours)| ours));
        out.push_str(&piece[word.len()..]);
    }
    out + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_renamed_and_nothing_else() {
        for (theirs, ours) in [
            ("    name TEXT PRIMARY KEY,", "    name TEXT COLLATE \"C\" PRIMARY KEY,"),
            ("    body BLOB NOT NULL -- no TEXT", "    body BYTEA NOT NULL"),
            (") STRICT, WITHOUT ROWID;", ");"),
            (") STRICT;", ");"),
            ("CREATE TABLE text (", "CREATE TABLE text ("),
            ("ALTER TABLE a ADD COLUMN n INTEGER;", "ALTER TABLE a ADD COLUMN n BIGINT;"),
            ("WHERE origin = 'import';", "WHERE origin = 'import';"),
        ] {
            assert_eq!(translated(theirs), format!("{ours}\n"));
        }
    }
}
