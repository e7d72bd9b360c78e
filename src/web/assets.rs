//! The style sheet, the icon and the one script, compiled in, at addresses that contain their hash.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::failure::Failure;
use crate::digest::hex;

/// Files under `src/web/assets`.
#[derive(RustEmbed)]
#[folder = "src/web/assets"]
struct Files;

/// The address of the style sheet.
pub(super) fn style() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address("gapura.css"))
}

/// The address of the icon.
pub(super) fn icon() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address("gapura.svg"))
}

/// The address of the script that renews the page of statistics.
pub(super) fn script() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| address("statistik.js"))
}

/// `/aset/HASH/NAME`: changes with the content, so that it may be kept for ever.
fn address(name: &str) -> String {
    format!("/aset/{}/{name}", hash(name).unwrap_or_default())
}

/// The first characters of a file's SHA-256.
fn hash(name: &str) -> Option<String> {
    let file = Files::get(name)?;
    Some(hex(&file.metadata.sha256_hash()[..8]))
}

/// Sends a file. The hash in the address is not compared: an old page gets the new style.
pub(super) async fn serve(Path((_, name)): Path<(String, String)>) -> Result<Response, Failure> {
    let file = Files::get(&name).ok_or_else(Failure::not_found)?;
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => return Err(Failure::not_found()),
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, file.data).into_response())
}
