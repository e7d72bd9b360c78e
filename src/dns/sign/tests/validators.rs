//! Validators of others, and what they say of a signed zone.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::zone::Zone;

/// Runs a validator over a zone file; `None` if it is not here.
fn outcome(program: &str, arguments: &[&str], file: &Path) -> Option<Result<(), String>> {
    let outcome = match Command::new(program).args(arguments).arg(file).output() {
        Ok(outcome) => outcome,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            crate::skipped::skipped(&format!("{program} is not here"));
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let text = String::from_utf8_lossy(&[outcome.stdout, outcome.stderr].concat()).into_owned();
    // kzonecheck tells of faults and still ends well.
    let is_good = outcome.status.success() && !text.contains("error");
    Some(if is_good { Ok(()) } else { Err(text) })
}

/// Has all validators look at a zone, but one of them.
pub(crate) fn judge_without(zone: &Zone, what: &str, left_out: Option<&str>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("example.zone");
    std::fs::write(&file, crate::master::print_zone(zone.records())).unwrap();
    // `-z`: one key may be both.
    let validators: [(&str, &[&str]); 3] = [
        ("dnssec-verify", &["-q", "-z", "-o", "example."]),
        ("ldns-verify-zone", &[]),
        ("kzonecheck", &["-d", "on", "-o", "example."]),
    ];
    for (program, arguments) in validators.into_iter().filter(|it| Some(it.0) != left_out) {
        if let Some(Err(text)) = outcome(program, arguments, &file) {
            let zone = std::fs::read_to_string(&file).unwrap();
            panic!("{program}, {what}: {text}\n{zone}");
        }
    }
}
