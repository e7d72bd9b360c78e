//! Answers as text: `scenarios/*.txt`, each a zone and queries with the whole response expected.
//!
//! ```text
//! zone example.               records follow, up to the first query
//! ? a.example. TXT do tcp     a query: name, type, words (do, edns, rd, tcp, size=N, CLASS)
//! NOERROR aa                  response code and flags, then every record in wire order
//! ```
//!
//! `GAPURA_BLESS=1` writes what the engine answers into the files, to be read before it is kept.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gapura::answer::Transport;
use gapura::wire::{Class, Rcode, rdata};

use crate::answer::engine::{Engine, Query, Reply, word, zone};

#[test]
fn every_scenario_is_answered_as_it_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/answer/scenarios");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    let bad: Vec<_> = files.iter().filter(|file| !check(file)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

/// Compares one file with what the engine answers; prints where they differ.
fn check(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap();
    let answered = answer_all(&text);
    if std::env::var_os("GAPURA_BLESS").is_some() {
        std::fs::write(file, answered).unwrap();
        return true;
    }
    for (number, (theirs, ours)) in text.lines().zip(answered.lines()).enumerate() {
        if theirs != ours {
            println!("{}:{}\n  expected {theirs}\n  answered {ours}", file.display(), number + 1);
            return false;
        }
    }
    text == answered
}

/// The text of a file with the responses that the engine gives in the place of those it has.
fn answer_all(text: &str) -> String {
    let (head, queries) = text.split_once("\n? ").expect("a query");
    let mut zones = Vec::new();
    for block in head.split("\nzone ").skip(1) {
        let (apex, lines) = block.split_once('\n').unwrap();
        zones.push(zone(apex, lines.lines()));
    }
    let mut out = head.to_owned();
    for block in queries.split("\n? ") {
        let question = block.lines().next().unwrap();
        let (query, transport) = parse_query(question);
        let mut engine = Engine::new(zones.clone()).over(transport);
        write!(out, "\n? {question}\n{}", render(&engine.ask(&query))).unwrap();
        // What stands behind the response belongs to the next case.
        let comments = block.lines().skip(1).filter(|line| line.starts_with(';'));
        comments.for_each(|comment| write!(out, "\n{comment}").unwrap());
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// A query line's parts.
fn parse_query(line: &str) -> (Query, Transport) {
    let (name, rest) = word(line);
    let (rtype, rest) = word(rest);
    let mut query = Query::new(name, rtype.parse().unwrap());
    let (mut transport, mut size, mut edns, mut ttl) = (Transport::Udp, 1232, false, 0);
    for option in rest.split_whitespace() {
        match option {
            "do" => (edns, ttl) = (true, 0x8000),
            "edns" => edns = true,
            "rd" => query.flags |= 0x0100,
            "cd" => query.flags |= 0x0010,
            "tcp" => transport = Transport::Tcp,
            _ => match option.strip_prefix("size=") {
                Some(number) => (edns, size) = (true, number.parse().unwrap()),
                None => query = query.class(option.parse::<Class>().unwrap()),
            },
        }
    }
    (if edns { query.edns(size, ttl, &[]) } else { query }, transport)
}

/// A response as text.
fn render(reply: &Reply) -> String {
    let mut text = Rcode(reply.rcode).to_string();
    for (bit, word) in [
        (0x0400, "aa"),
        (0x0200, "tc"),
        (0x0100, "rd"),
        (0x0080, "ra"),
        (0x0020, "ad"),
        (0x0010, "cd"),
    ] {
        if reply.flags & bit != 0 {
            write!(text, " {word}").unwrap();
        }
    }
    if let Some((size, ttl, _)) = reply.edns {
        write!(text, " edns={size}{}", if ttl & 0x8000 != 0 { " do" } else { "" }).unwrap();
    }
    if let Some(ede) = reply.ede() {
        write!(text, " ede={ede}").unwrap();
    }
    text.push('\n');
    for (section, records) in ["answer", "authority", "additional"].iter().zip(&reply.sections) {
        for record in records {
            let rdata = rdata::to_text(record.rtype, &record.rdata);
            let (owner, ttl, rtype) = (&record.owner, record.ttl, record.rtype);
            writeln!(text, "{section:10} {owner} {ttl} {rtype} {rdata}").unwrap();
        }
    }
    text
}
