//! What is sent: the request's JSON and the lines of the check sheet.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::Lines;

/// Octets of a request's JSON; more is surely something else.
const REQUEST_OCTETS_MAX: u64 = 256 * 1024;

/// The request's JSON from a file or, for `-`, from standard input.
pub(super) fn read_request(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(REQUEST_OCTETS_MAX).read_to_end(&mut bytes)?;
    } else {
        let open = std::fs::File::open(file);
        let opened = open.with_context(|| format!("cannot read {}", file.display()))?;
        opened.take(REQUEST_OCTETS_MAX).read_to_end(&mut bytes)?;
    }
    serde_json::from_slice::<Value>(&bytes)
        .with_context(|| format!("{} is not JSON", file.display()))?;
    Ok(bytes)
}

/// The lines as the API takes them.
pub(super) fn lines(lines: &Lines) -> anyhow::Result<Vec<Value>> {
    let ok = |code: &String| json!({ "code": code.trim().to_uppercase(), "verdict": "ok" });
    let mut values: Vec<Value> = lines.ok.iter().map(ok).collect();
    for line in &lines.lines {
        let Some((code, rest)) = line.split_once('=') else {
            bail!("--line {line:?}: write it as M4=fix:the reason");
        };
        let (verdict, note) = rest.split_once(':').unwrap_or((rest, ""));
        if !matches!(verdict, "ok" | "fix" | "bad") {
            bail!("--line {line:?}: the verdict is ok, fix or bad");
        }
        let code = code.trim().to_uppercase();
        values.push(json!({ "code": code, "verdict": verdict, "note": note.trim() }));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_from_their_short_form() {
        let typed = Lines {
            ok: vec!["m1".to_owned(), "M2".to_owned()],
            lines: vec!["m4=fix:singkatan: salah".to_owned()],
        };
        let read = lines(&typed).unwrap();
        assert_eq!(read[1], json!({ "code": "M2", "verdict": "ok" }));
        assert_eq!(read[2], json!({ "code": "M4", "verdict": "fix", "note": "singkatan: salah" }));
        for bad in ["M4", "M4=maybe"] {
            let typed = Lines { ok: Vec::new(), lines: vec![bad.to_owned()] };
            assert!(lines(&typed).is_err(), "{bad}");
        }
    }
}
