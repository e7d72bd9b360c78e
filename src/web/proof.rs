//! Fresh proof of the person.
//!
//! Whatever an officer sends changes something, so each form of a signed-in officer needs a proof that
//! is not older than fifteen minutes. This is decided here for all forms: a new page is asked for proof
//! unless it is named below, and an act on a request says for itself whether it decides.

use axum::extract::MatchedPath;
use axum::http::request::Parts;

use super::failure::Failure;
use super::state::State;
use super::visitor::Visitor;
use crate::queue::procedure::{Flag, row_of_page};

/// Forms that need no fresh proof: they prove the person themselves, end what a session may do, fill
/// in a draft, or belong to somebody without an account.
const FREE: [&str; 15] = [
    "/masuk",
    "/masuk/kode",
    "/masuk/daftar",
    "/masuk/lagi",
    "/keluar",
    "/tautan",
    "/akun",
    "/akun/sandi",
    "/akun/sesi/{id}/akhiri",
    "/akun/token/{id}/cabut",
    "/permohonan/{step}",
    "/status",
    "/status/selesai",
    "/konfirmasi",
    // The check sheet is saved and decides nothing.
    "/tinjau/{number}",
];
/// The acts on a request, whose rows say whether they need it.
const ACT: &str = "/tinjau/{number}/{act}";

/// Sends a signed-in officer whose last proof is too old to prove themselves, if the form needs it.
pub(super) fn is_fresh(state: &State, visitor: &Visitor, parts: &Parts) -> Result<(), Failure> {
    let Some(session) = visitor.officer() else { return Ok(()) };
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if !needs_proof(route, parts.uri.path()) || !session.is_stale(state.people().now_ms()) {
        return Ok(());
    }
    Err(Failure::proof_first(&page_of(route, parts.uri.path())))
}

/// Whether a form sent to this route, at this path, needs a fresh proof.
fn needs_proof(route: &str, path: &str) -> bool {
    if route == ACT {
        let row = path.rsplit('/').next().and_then(row_of_page);
        return row.is_none_or(|row| row.deed.is(Flag::FreshProof));
    }
    !FREE.contains(&route)
}

/// The page on which a form of this route stands: routes of one button have none of their own.
pub(super) fn page_of(route: &str, path: &str) -> String {
    let above = || path.rsplit_once('/').map_or("/beranda", |(page, _)| page);
    let own = match route {
        "/rekaman/{name}/kembalikan/{number}" => {
            path.rsplit_once("/kembalikan/").map_or("/rekaman", |(name, _)| name)
        }
        "/pengguna/{name}/{act}" | "/pengguna/tautan/{id}/cabut" => "/pengguna",
        "/permohonan/{number}/naskah/{id}/{act}"
        | "/laporan/{month}/naskah/{id}/{act}"
        | "/permohonan-kolektif/{id}/{act}"
        | "/permohonan-kolektif/{id}/surat"
        | "/pengaturan/daftar/{list}/salin"
        | "/pengaturan/daftar/{list}/pulihkan"
        | "/rekaman/{name}/lihat-tujuan"
        | "/data-pribadi/cari"
        | "/data-pribadi/kebocoran" => above(),
        "/pengaturan/webhook/{name}/{act}" => "/pengaturan/webhook",
        "/akun/sesi/{id}/akhiri" | "/akun/token/{id}/cabut" => "/akun",
        // Those that were ticked are to be ticked again.
        "/antrean/disposisi" => "/antrean",
        "/plh/{id}/akhiri" => "/plh",
        "/jejak/ekspor" => "/jejak",
        _ => path,
    };
    own.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{needs_proof, page_of};

    #[test]
    fn whoever_proves_themselves_comes_back_to_a_page() {
        let routes = include_str!("pages/mod.rs").split(".route(\"").skip(1);
        let routes = routes.filter_map(|rest| rest.split_once("\", "));
        let (buttons, pages): (Vec<_>, Vec<_>) =
            routes.partition(|(_, how)| how.starts_with("post("));
        let pages: Vec<&str> = pages.into_iter().map(|(route, _)| route).collect();
        // Those of applicants and owners, who have no account to prove.
        let open = ["/status/", "/riwayat/", "/keluar"];
        let of_officers = buttons.iter().map(|(route, _)| *route);
        let of_officers = of_officers.filter(|route| !open.iter().any(|it| route.starts_with(it)));
        let of_officers: Vec<&str> = of_officers.collect();
        assert!(of_officers.len() > 12 && pages.len() > 50, "{of_officers:?}");
        for route in of_officers {
            let back = page_of(route, route);
            assert!(pages.contains(&back.as_str()), "{route} leads back to {back}");
        }
    }

    #[test]
    fn a_form_needs_proof_unless_it_is_named_or_decides_nothing() {
        for (route, path) in [
            ("/plh", "/plh"),
            ("/pengguna/{name}/{act}", "/pengguna/siti/reset"),
            ("/zona", "/zona"),
            ("/a-page-of-tomorrow", "/a-page-of-tomorrow"),
            ("/tinjau/{number}/{act}", "/tinjau/GPR-1/setujui"),
            ("/tinjau/{number}/{act}", "/tinjau/GPR-1/tarik"),
            ("/tinjau/{number}/{act}", "/tinjau/GPR-1/an-act-of-tomorrow"),
            ("/permohonan/periksa", "/permohonan/periksa"),
        ] {
            assert!(needs_proof(route, path), "{path}");
        }
        for (route, path) in [
            ("/masuk/lagi", "/masuk/lagi"),
            ("/tinjau/{number}", "/tinjau/GPR-1"),
            ("/tinjau/{number}/{act}", "/tinjau/GPR-1/lepaskan"),
            ("/permohonan/{step}", "/permohonan/1"),
        ] {
            assert!(!needs_proof(route, path), "{path}");
        }
    }
}
