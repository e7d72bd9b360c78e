//! The pages, one file per subject. Paths are Indonesian words, because people read them.

mod account;
mod acting;
mod acts;
mod apply;
mod audit;
mod bulk;
mod filled;
mod help;
mod holdings;
mod home;
mod link;
mod list_change;
mod list_forms;
mod lists;
mod lost;
mod mailbox;
mod notices;
mod owner;
mod papers;
mod parts;
mod party;
mod questions;
mod queue;
mod records;
mod reference;
mod region;
mod register;
mod reports;
mod review;
mod routing;
mod saved;
mod send;
mod settings;
mod sign_in;
mod start;
mod statistics;
mod status;
mod subjects;
mod target;
mod texts;
mod users;
mod webhooks;
mod zones;

use askama::Template;
use axum::Router;
use axum::routing::{get, post};

use super::assets;
use super::failure::Failure;
use super::form::{Form, Input};
use super::shell::Shell;
use super::state::State;
pub(super) use bulk::BODY_MAX as LARGE_BODY_MAX;
pub(super) use register::KeptSites;
pub(super) use texts::use_texts;

/// A page that is a form: heading, a few lines, facts, the form, a few lines.
#[derive(Template)]
#[template(path = "form_page.html", config = "src/web/askama.toml")]
pub(super) struct FormPage {
    /// Frame.
    pub(super) shell: Shell,
    /// Paragraphs before.
    pub(super) lead: Vec<String>,
    /// Facts to be seen: name and value.
    pub(super) facts: Vec<(String, String)>,
    /// The form.
    pub(super) form: Form,
    /// Paragraphs after.
    pub(super) after: Vec<String>,
}

/// The path of the one page that takes more than a letter in.
pub(super) const LARGE_PATH: &str = "/permohonan-kolektif/{id}/surat";

/// Pages that take more than a letter in: a body may have [`LARGE_BODY_MAX`] octets.
pub(super) fn large_routes() -> Router<State> {
    Router::new().route(LARGE_PATH, post(bulk::bring_letters))
}

/// All pages.
pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/", get(home::service))
        .route("/bantuan", get(help::show))
        .route("/aturan-nama", get(help::naming))
        .route("/contoh-surat", get(help::sample))
        .route("/contoh-surat.pdf", get(help::sample_file))
        .route("/pengaturan", get(settings::show))
        .route("/pengaturan/daftar/{list}", get(lists::show))
        .route("/pengaturan/daftar/{list}/isi.csv", get(lists::csv))
        .route("/pengaturan/daftar/{list}/riwayat", get(lists::history))
        .route("/pengaturan/daftar/{list}/ubah", get(list_forms::show).post(list_forms::take))
        .route(
            "/pengaturan/daftar/{list}/impor",
            get(list_forms::ask_import).post(list_forms::import),
        )
        .route("/pengaturan/daftar/{list}/salin", post(list_forms::copy))
        .route("/pengaturan/daftar/{list}/pulihkan", post(list_forms::restore))
        .route(
            "/pengaturan/daftar/{list}/usulan/{id}",
            get(list_change::show).post(list_change::apply),
        )
        .route("/pengaturan/teks", get(texts::list))
        .route("/pengaturan/teks/{name}/{lang}", get(texts::show).post(texts::save))
        .route("/pengaturan/webhook", get(webhooks::list))
        .route("/pengaturan/webhook/{name}/{act}", post(webhooks::press))
        .route("/privasi", get(home::privacy))
        .route("/bahasa/{tag}", get(home::language))
        .route("/aset/{hash}/{name}", get(assets::serve))
        .route("/permohonan", get(apply::start).post(apply::drop_draft))
        .route(bulk::PLACE, get(bulk::show).post(bulk::bring))
        .route("/permohonan-kolektif/templat.csv", get(bulk::table))
        .route("/permohonan-kolektif/{id}", get(bulk::one))
        .route("/permohonan-kolektif/{id}/hasil.csv", get(bulk::results))
        .route("/permohonan-kolektif/{id}/{act}", post(bulk::press))
        .route("/permohonan/simpan", get(saved::show).post(saved::save))
        .route("/permohonan/lanjut", get(saved::ask).post(saved::mail_again))
        .route("/permohonan/lanjut/buka", get(saved::open).post(saved::resume))
        .route("/permohonan/lanjut/{token}", get(saved::follow))
        .route("/permohonan/{step}", get(apply::show).post(apply::take))
        .route("/permohonan/wilayah", get(region::show_districts).post(region::take_district))
        .route("/permohonan/wilayah/unit", get(region::show_units).post(region::take_unit))
        .route("/permohonan/tujuan/{how}", get(target::show).post(target::take))
        .route("/permohonan/surel", get(mailbox::show).post(mailbox::enter))
        .route("/permohonan/periksa", get(send::show).post(send::submit))
        .route("/permohonan/terkirim/{number}", get(send::receipt))
        .route("/permohonan/{number}/naskah/{id}", get(papers::show))
        .route("/permohonan/{number}/naskah/{id}/pdf", get(papers::download))
        .route("/permohonan/{number}/naskah/{id}/cetak", get(papers::print))
        .route("/permohonan/{number}/naskah/{id}/{act}", post(papers::change))
        .route("/lambang/{file}", get(papers::coat_of_arms))
        .route("/periksa-naskah", get(papers::ask).post(papers::look_up))
        .route("/periksa-naskah/{code}", get(papers::check))
        .route("/status/naskah/{id}", get(papers::show_own))
        .route("/status/naskah/{id}/pdf", get(papers::download_own))
        .route("/status/naskah/{id}/cetak", get(papers::print_own))
        .route("/status", get(status::show).post(status::enter))
        .route("/status/kode", get(lost::show).post(lost::enter))
        .route("/status/selesai", post(status::leave))
        .route("/status/riwayat", get(owner::of_request))
        .route("/status/lepas", post(owner::give_up))
        .route("/riwayat", get(owner::by_link))
        .route("/riwayat/lepas", post(owner::give_up_by_link))
        .route("/riwayat/{token}", get(owner::open))
        .route("/status/jadwal", get(status::ask_reschedule).post(status::reschedule))
        .route("/status/tarik", get(status::ask_withdraw).post(status::withdraw))
        .route("/status/perbaikan", get(status::ask_correct).post(status::correct))
        .route("/beranda", get(start::show))
        .route("/antrean", get(queue::show))
        .route("/antrean/disposisi", get(routing::show).post(routing::press))
        .route("/tinjau/{number}", get(review::show).post(review::check))
        .route("/tinjau/{number}/surat", get(review::letter))
        .route("/tinjau/{number}/pemberitahuan/{id}", get(notices::show).post(notices::handle))
        .route("/konfirmasi", get(party::show).post(party::answer))
        .route("/status/nama", post(status::owner))
        .route("/konfirmasi/{token}", get(party::open))
        .route("/rekaman", get(records::list))
        .route("/rekaman/{name}", get(records::show))
        .route("/rekaman/{name}/lihat-tujuan", post(records::look_soon))
        .route("/rekaman/{name}/{act}", get(records::ask).post(records::press))
        .route("/rekaman/{name}/kembalikan/{number}", post(records::undo))
        .route(
            "/rekaman/{name}/pemberitahuan/{id}",
            get(notices::of_name).post(notices::handle_of_name),
        )
        .route("/subdomain", get(register::show))
        .route("/subdomain.csv", get(register::csv))
        .route("/api", get(reference::calls))
        .route("/api/types", get(reference::types))
        .route("/api/problem", get(reference::problems))
        .route("/zona", get(zones::show).post(zones::reload))
        .route("/tinjau/{number}/{act}", get(acts::show).post(acts::press))
        .route("/masuk", get(sign_in::show).post(sign_in::enter))
        .route("/masuk/kode", get(sign_in::code_page).post(sign_in::enter_code))
        .route("/masuk/daftar", get(sign_in::enrol_page).post(sign_in::enrol))
        .route("/masuk/lagi", get(sign_in::again_page).post(sign_in::prove_again))
        .route("/keluar", post(sign_in::leave))
        .route("/tautan", get(link::page_of_link).post(link::redeem))
        .route("/tautan/{token}", get(link::open))
        .route("/pengguna", get(users::show).post(users::invite))
        .route("/pengguna/{name}/{act}", post(users::act))
        .route("/pengguna/tautan/{id}/cabut", post(users::revoke))
        .route("/statistik", get(statistics::show))
        .route("/statistik.json", get(statistics::json))
        .route("/laporan", get(reports::show))
        .route("/laporan/{file}", get(reports::file))
        .route("/laporan/{month}/tutup", get(reports::ask).post(reports::close))
        .route("/laporan/{month}/naskah/{id}", get(papers::show_months))
        .route("/laporan/{month}/naskah/{id}/pdf", get(papers::download_months))
        .route("/laporan/{month}/naskah/{id}/cetak", get(papers::print_months))
        .route("/laporan/{month}/naskah/{id}/{act}", post(papers::change_months))
        .route("/data-pribadi", get(subjects::list).post(subjects::record))
        .route("/data-pribadi/cari", post(holdings::show))
        .route("/data-pribadi/kebocoran", post(holdings::breach_file))
        .route("/data-pribadi/{id}", get(subjects::show).post(subjects::answer))
        .route("/jejak", get(audit::show))
        .route("/jejak/ekspor", post(audit::export))
        .route("/plh", get(acting::show).post(acting::record))
        .route("/plh/{id}/akhiri", post(acting::end))
        .route("/akun", get(account::show).post(account::create_token))
        .route("/akun/sandi", get(account::password_page).post(account::change_password))
        .route("/akun/sesi/{id}/akhiri", post(account::end_session))
        .route("/akun/token/{id}/cabut", post(account::revoke))
        .fallback(missing)
}

/// No such page.
async fn missing() -> Failure {
    Failure::not_found()
}
