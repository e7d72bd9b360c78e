//! The style sheet, the icon and the one script, compiled in, at addresses that contain their hash.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use crate::digest::{hex, sha256};

/// A file under `src/web/assets`.
struct Asset {
    /// Its name.
    name: &'static str,
    /// Its media type.
    kind: &'static str,
    /// Its content.
    octets: &'static [u8],
}

/// All files.
const FILES: [&Asset; 3] = [&STYLE, &ICON, &SCRIPT];
/// The style sheet.
const STYLE: Asset = Asset {
    name: "gapura.css",
    kind: "text/css; charset=utf-8",
    octets: include_bytes!("assets/gapura.css"),
};
/// The icon.
const ICON: Asset = Asset {
    name: "gapura.svg",
    kind: "image/svg+xml",
    octets: include_bytes!("assets/gapura.svg"),
};
/// The script that renews the page of statistics.
const SCRIPT: Asset = Asset {
    name: "statistik.js",
    kind: "text/javascript; charset=utf-8",
    octets: include_bytes!("assets/statistik.js"),
};

impl Asset {
    /// `/aset/HASH/NAME`: changes with the content, so that it may be kept for ever.
    fn address(&self) -> String {
        format!("/aset/{}/{}", hex(&sha256(self.octets)[..8]), self.name)
    }
}

/// The address of the style sheet.
pub(super) fn style() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| STYLE.address())
}

/// The address of the icon.
pub(super) fn icon() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| ICON.address())
}

/// The address of the script that renews the page of statistics.
pub(super) fn script() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| SCRIPT.address())
}

/// Sends a file. The hash in the address is not compared: an old page gets the new style.
pub(super) async fn serve(Path((_, name)): Path<(String, String)>) -> Result<Response, Failure> {
    let file = FILES.iter().find(|file| file.name == name).ok_or_else(Failure::not_found)?;
    let headers =
        [(CONTENT_TYPE, file.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, file.octets).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn every_asset_is_sent_under_its_address_and_no_other_file() {
        let get = async |address: &str| {
            let mut parts = address.strip_prefix("/aset/").unwrap().splitn(2, '/');
            let mut part = || parts.next().unwrap().to_owned();
            serve(Path((part(), part()))).await
        };
        for (address, kind) in
            [(style(), "text/css"), (icon(), "image/svg"), (script(), "text/java")]
        {
            let response = get(address).await.unwrap_or_else(|_| panic!("{address}"));
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with(kind));
        }
        for wrong in ["/aset/0/none.css", "/aset/0/../assets.rs", "/aset/0/"] {
            assert!(get(wrong).await.is_err(), "{wrong}");
        }
    }
}
