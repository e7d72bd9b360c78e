//! The bodies of calls: the request's JSON and the lines of the check sheet.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use crate::queue::{LineCode, LineInput, LineVerdict};

/// Octets of a request's JSON; anything longer is not one.
const REQUEST_OCTETS_MAX: u64 = 256 * 1024;

/// Lines of the check sheet
#[derive(Args, Debug)]
pub(super) struct Lines {
    /// Lines that are in order (sesuai), such as M1,M2,M3
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    ok: Vec<String>,
    /// One line with verdict and note, such as M4=fix:the short form differs; may be repeated
    #[arg(long = "line", value_name = "CODE=VERDICT[:NOTE]")]
    lines: Vec<String>,
}

/// A corrected request
#[derive(Args, Debug)]
pub(super) struct Upload {
    /// The request as JSON; `-` reads standard input
    pub(super) file: PathBuf,
    /// A new letter, if there is one
    #[arg(long, value_name = "FILE")]
    pub(super) letter: Option<PathBuf>,
}

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

/// The lines that were typed.
pub(super) fn lines(typed: &Lines) -> anyhow::Result<Vec<LineInput>> {
    let code = |text: &str| {
        let code = LineCode::from_name(&text.trim().to_uppercase());
        code.with_context(|| format!("there is no line {text:?}"))
    };
    let ok = |text: &String| {
        Ok(LineInput { code: code(text)?, verdict: Some(LineVerdict::Ok), note: None })
    };
    let mut lines = typed.ok.iter().map(ok).collect::<anyhow::Result<Vec<_>>>()?;
    for line in &typed.lines {
        let Some((text, rest)) = line.split_once('=') else {
            bail!("--line {line:?}: write it as M4=fix:the reason");
        };
        let (verdict, note) = rest.split_once(':').unwrap_or((rest, ""));
        let Some(verdict) = LineVerdict::from_name(verdict) else {
            let known = LineVerdict::ALL.map(LineVerdict::as_str);
            bail!("--line {line:?}: the verdict is one of {}", known.join(", "));
        };
        let note = Some(note.trim().to_owned());
        lines.push(LineInput { code: code(text)?, verdict: Some(verdict), note });
    }
    Ok(lines)
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
        let line = |code, verdict, note: Option<&str>| LineInput {
            code,
            verdict: Some(verdict),
            note: note.map(str::to_owned),
        };
        assert_eq!(read[1], line(LineCode::M2, LineVerdict::Ok, None));
        assert_eq!(read[2], line(LineCode::M4, LineVerdict::Fix, Some("singkatan: salah")));
        for bad in ["M4", "M4=maybe", "M99=ok"] {
            let typed = Lines { ok: Vec::new(), lines: vec![bad.to_owned()] };
            assert!(lines(&typed).is_err(), "{bad}");
        }
    }
}
