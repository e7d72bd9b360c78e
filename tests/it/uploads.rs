//! Letters are read in a process of their own: what it may do, what becomes of one that misbehaves, and
//! the virus scanner of the settings.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gapura::queue::Rule;
use gapura::uploads::{Letter, Media, Options, Reader, STORED_MAX, Sender};
use serde_json::json;

use crate::support::Daemon;
use crate::support::office::{LETTER, Office, village};
use crate::support::photo::photo;

/// The program.
const GAPURA: &str = env!("CARGO_BIN_EXE_gapura");
/// A PDF with a script.
const SCRIPT: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/J#61vaScript/JS(app.alert(1))>>>>endobj\n\
    trailer<</Root 1 0 R>>\n%%EOF\n";

/// Reads a letter with these options; by which rule it is refused, if it is.
fn read(options: Options, bytes: &[u8]) -> Result<Letter, Rule> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(Reader::new(options).read(bytes.to_vec(), Sender::Stranger(String::new())))
        .map_err(|fault| fault.rule)
}

/// Options with a program in the place of ours.
fn options(dir: &Path, program: impl Into<PathBuf>) -> Options {
    Options { program: program.into(), ..Options::new(dir.to_owned()) }
}

/// A shell script in a directory.
fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn a_confined_child_reads_letters() {
    let dir = tempfile::tempdir().unwrap();
    let ours = || options(dir.path(), GAPURA);
    assert_eq!(read(ours(), LETTER).unwrap().bytes(), LETTER);
    assert_eq!(read(ours(), SCRIPT), Err(Rule::LetterActive));
    assert_eq!(read(ours(), b"GIF89a"), Err(Rule::LetterKind));
    let photo = photo(3000, 2400);
    assert!(photo.len() > STORED_MAX, "{}", photo.len());
    let kept = read(ours(), &photo).unwrap();
    assert_eq!(kept.media(), Media::Jpeg);
    assert!(kept.bytes().len() <= STORED_MAX, "{}", kept.bytes().len());
    assert_eq!(read(ours(), &[0; 11 << 20]), Err(Rule::LetterTooLarge));
}

#[test]
fn the_child_says_what_confines_it_and_has_no_more_than_it_needs() {
    let mut child = Command::new(GAPURA)
        .args(["read-letter", "--seconds", "5", "--memory-mib", "64"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It has confined itself before it reads: what the kernel says of it can be looked up.
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let status = |field: &str| {
        let text = std::fs::read_to_string(proc.join("status")).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default().to_owned();
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    };
    let until = Instant::now() + Duration::from_secs(20);
    while status("Seccomp:") != "2" && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((status("Seccomp:"), status("NoNewPrivs:")), ("2".to_owned(), "1".to_owned()));
    let limits = std::fs::read_to_string(proc.join("limits")).unwrap();
    for limit in ["Max open files", "Max processes", "Max file size", "Max core file size"] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        let figures: Vec<&str> = line[limit.len()..].split_whitespace().take(2).collect();
        assert_eq!(figures, ["0", "0"], "{line}");
    }
    child.stdin.take().unwrap().write_all(LETTER).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("seccomp=full"), "{said}");
    assert!(said.starts_with("gapura-letter 1\tpdf\t"), "{said}");
}

#[test]
fn a_child_that_misbehaves_is_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    for (name, text, rule) in [
        ("hangs", "sleep 600", Rule::LetterUnread),
        ("hangs-with-others", "sleep 600 & sleep 600", Rule::LetterUnread),
        ("closes-and-hangs", "exec >&-; sleep 600", Rule::LetterUnread),
        ("killed", "kill -9 $$", Rule::LetterUnread),
        ("fails", "exit 3", Rule::LetterUnchecked),
        ("silent", "cat >/dev/null", Rule::LetterUnread),
        (
            "lies",
            "cat >/dev/null; printf 'gapura-letter 1\\tjpg\\t\\t\\t\\nGIF89a'",
            Rule::LetterUnread,
        ),
        ("invents", "printf 'gapura-letter 1\\texe\\t\\t\\t\\n'", Rule::LetterUnread),
        ("talks", "yes", Rule::LetterUnread),
    ] {
        let started = Instant::now();
        let odd = Options { seconds: 1, ..options(path, script(path, name, text)) };
        assert_eq!(read(odd, LETTER), Err(rule), "{name}");
        assert!(started.elapsed() < Duration::from_secs(10), "{name}: {:?}", started.elapsed());
    }
    assert_eq!(read(options(path, path.join("missing")), LETTER), Err(Rule::LetterUnchecked));
}

#[test]
fn a_scanner_that_does_not_clearly_say_clean_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    for (name, text, rule) in [
        ("clean", "test \"$(head -c 5)\" = %PDF-", None),
        ("clean-file", "test \"$(head -c 5 \"$1\")\" = %PDF- && ! read x", None),
        // Cargo tells its tests of the package; a scanner is not told what its daemon was.
        ("clean-room", "test -z \"$CARGO_MANIFEST_DIR\" && test \"$(pwd)\" = /", None),
        ("found", "cat >/dev/null; echo FOUND; exit 1", Some(Rule::LetterMalware)),
        ("fails", "exit 2", Some(Rule::LetterUnchecked)),
        ("killed", "kill -9 $$", Some(Rule::LetterUnchecked)),
        ("hangs", "sleep 600", Some(Rule::LetterUnchecked)),
    ] {
        let mut scanner = vec![script(path, name, text).display().to_string()];
        if name == "clean-file" {
            scanner.push("{file}".to_owned());
        }
        let with = Options { scanner, scanner_seconds: 2, ..options(path, GAPURA) };
        assert_eq!(read(with, LETTER).err(), rule, "{name}");
    }
    let missing = vec![path.join("missing").display().to_string()];
    let with = Options { scanner: missing, ..options(path, GAPURA) };
    assert_eq!(read(with, LETTER), Err(Rule::LetterUnchecked));
    let left = std::fs::read_dir(path).unwrap().flatten();
    let left = left.filter(|it| it.file_name().to_string_lossy().starts_with("scan-")).count();
    assert_eq!(left, 0, "nothing is left for the scanner");
}

#[test]
fn a_daemon_reads_what_is_sent_and_says_what_is_wrong_with_it() {
    let office = Office::open();
    let send = |bytes: &[u8]| office.applicant.post_request("/api/v1/requests", &village(), bytes);
    for (bytes, rule) in [
        (SCRIPT, "letter_active"),
        (b"%PDF-", "letter_broken"),
        (b"\xff\xd8\xff<?php", "letter_broken"),
        (b"GIF89a", "letter_kind"),
    ] {
        let refused = send(bytes);
        assert_eq!(refused.status, 422, "{}", refused.text());
        let body = refused.json();
        assert_eq!(
            (&body["code"], &body["errors"][0]["field"]),
            (&json!("letter_refused"), &json!("letter"))
        );
        assert_eq!(body["errors"][0]["rule"], rule, "{body}");
    }
    assert_eq!(send(&photo(3000, 2400)).status, 201);
    let letters = std::fs::read_dir(office.daemon.dir.join("state/letters")).unwrap().flatten();
    let sizes: Vec<u64> = letters.map(|it| it.metadata().unwrap().len()).collect();
    assert!(sizes.len() == 1 && sizes[0] <= STORED_MAX as u64, "{sizes:?}");
    let log = std::fs::read_to_string(office.daemon.dir.join("log")).unwrap();
    assert!(log.contains("seccomp=full"), "{log}");
}

#[test]
fn without_its_scanner_a_daemon_takes_no_letter() {
    let daemon = Daemon::start("[uploads]\nscanner = [\"/nowhere/scanner\"]\n");
    let office = Office::of(daemon);
    let refused = office.applicant.post_request("/api/v1/requests", &village(), LETTER);
    assert_eq!(refused.refused(), (503, "letter_unchecked".to_owned()));
}
