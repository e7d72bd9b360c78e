//! The document of the API as others read it: a validator, and the clients two generators make of it.
//!
//! `GAPURA_PYTHON` names an interpreter with `openapi-spec-validator` and `openapi-python-client`, else
//! `python3` is tried; `GAPURA_NODE_MODULES` a folder with `openapi-typescript` and `typescript`. Empty,
//! they say that these cannot be had here.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::skipped::{left_out, skipped};
use crate::support::Daemon;
use crate::support::office::{Office, token_text};

/// An interpreter that has some modules; none is told of.
fn python(modules: &[&str]) -> Option<PathBuf> {
    let python = std::env::var("GAPURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if python.is_empty() {
        left_out(&format!("GAPURA_PYTHON is empty: no {}", modules.join(", ")));
        return None;
    }
    let imports: String = modules.iter().map(|module| format!("import {module}\n")).collect();
    let has = Command::new(&python).args(["-c", &imports]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        skipped(&format!("{python} lacks {}", modules.join(", ")));
        return None;
    }
    Some(python.into())
}

/// The document of a daemon, as a file.
fn document(office: &Office, dir: &Path) -> PathBuf {
    let file = dir.join("openapi.json");
    std::fs::write(&file, office.applicant.get("/api/v1/openapi.json").body).unwrap();
    file
}

/// What a command said, if it went well.
#[track_caller]
fn went_well(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let end: String =
        said.chars().rev().take(4_000).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(output.status.success(), "{end}");
    said
}

#[test]
fn a_validator_finds_nothing() {
    let Some(python) = python(&["openapi_spec_validator"]) else { return };
    let (office, dir) = (Office::open(), tempfile::tempdir().unwrap());
    let file = document(&office, dir.path());
    let output = Command::new(python)
        .args(["-m", "openapi_spec_validator", "--subschema-errors", "all"])
        .arg(file)
        .output()
        .unwrap();
    went_well(&output);
}

/// Makes the Python client of a document; nothing of the document may be left out.
fn python_client(python: &Path, file: &Path, dir: &Path) -> PathBuf {
    let overrides = "content_type_overrides:\n  application/pdf: application/octet-stream\n  \
        image/jpeg: application/octet-stream\n  image/png: application/octet-stream\n  \
        application/x-ndjson: application/octet-stream\npost_hooks: []\n";
    let config = dir.join("config.yaml");
    std::fs::write(&config, overrides).unwrap();
    let made = dir.join("client");
    let output = Command::new(python)
        .args(["-m", "openapi_python_client", "generate", "--fail-on-warning", "--path"])
        .arg(file)
        .arg("--output-path")
        .arg(&made)
        .arg("--config")
        .arg(config)
        .output()
        .unwrap();
    went_well(&output);
    made
}

#[test]
fn the_whole_procedure_goes_by_a_generated_client() {
    let Some(python) = python(&["openapi_python_client"]) else { return };
    let settings = "[public]\nsubmit_per_hour = 100\n";
    let (office, dir) = (Office::of(Daemon::start(settings)), tempfile::tempdir().unwrap());
    let file = document(&office, dir.path());
    let client = python_client(&python, &file, dir.path());
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/api_clients/story.py");
    let token = |name: &str, scopes: &str| token_text(&office.daemon, name, scopes);
    let output = Command::new(python)
        .arg(story)
        .arg(client)
        .arg(office.daemon.web())
        .args([token("budi", "read,decide"), token("siti", "read,decide"), token("agus", "read")])
        .output()
        .unwrap();
    assert!(went_well(&output).contains("live, proven, followed"));
    let verified = office.daemon.gapura(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn types_for_typescript_compile() {
    let modules = std::env::var("GAPURA_NODE_MODULES").unwrap_or_default();
    let bin = |name: &str| Path::new(&modules).join(".bin").join(name);
    if modules.is_empty() || !bin("tsc").exists() {
        left_out("GAPURA_NODE_MODULES names no folder with openapi-typescript and typescript");
        return;
    }
    let (office, dir) = (Office::open(), tempfile::tempdir().unwrap());
    let file = document(&office, dir.path());
    let types = dir.path().join("types.ts");
    let output =
        Command::new(bin("openapi-typescript")).arg(file).arg("-o").arg(&types).output().unwrap();
    went_well(&output);
    // Used as a program would: an act, its body and what comes of it.
    let used = dir.path().join("used.ts");
    let program = "import type { components, operations } from './types';\n\
        type Body = operations['dispose_request']['requestBody']['content']['application/json'];\n\
        export const slip: Body = { to: 'siti', instruction: 'Periksa.' };\n\
        export function state(view: components['schemas']['RequestView']): string {\n\
        return view.state === 'live' ? view.proof?.dig ?? '' : view.due ?? '';\n}\n\
        // @ts-expect-error: there is no such reason.\n\
        export const reason: components['schemas']['RejectReason'] = 'malas';\n";
    std::fs::write(&used, program).unwrap();
    let output = Command::new(bin("tsc"))
        .args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"])
        .args([&types, &used])
        .output()
        .unwrap();
    went_well(&output);
}
