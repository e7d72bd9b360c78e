//! Requests in bulk by plain forms: a table with faults, letters, the press, the list of results; and who may.

use super::*;
use crate::desk::BulkLetter;

/// A table of three villages; of two the cells are faulty.
const TABLE: &str = "\u{feff}Kode wilayah;Tujuan;Keperluan;Penanggung jawab;Jabatan;Surel;Telepon;Nomor surat;Tanggal surat;Catatan\r\n\
    32.09.01.2008;192.0.2.11;Situs desa;Kuwu A;Kuwu;a@desa.example;0231-111111;140/1;20/11/2026;x\r\n\
    32.09.01.2009;10.0.0.1;Situs desa;Kuwu B;Kuwu;b@desa.example;0231-111111;140/2;20/11/2026;x\r\n\
    32.09.01.2010;192.0.2.13;Situs desa;Kuwu C;Kuwu;c@desa.example;6,28E+11;140/3;20/11/2026;x\r\n";

/// Files what is confirmed, as the daemon does beside the pages.
fn file_all(site: &Site) {
    while let Some(turn) = site.desk.next_in_bulk().unwrap() {
        let letter = match turn.letter.clone() {
            BulkLetter::Read(letter) => Some(letter),
            BulkLetter::Missing | BulkLetter::Unread(_) => None,
        };
        site.desk.file_in_bulk(turn, Ok(letter)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_looked_at_confirmed_and_filed_by_plain_forms() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    admin.open("/permohonan-kolektif").await;
    assert!(admin.page.contains("hanya memasukkan data surat"), "{}", admin.page);
    admin.open("/permohonan-kolektif/templat.csv?isi=desa").await;
    assert_eq!(admin.page.lines().count(), 413);
    admin.open("/permohonan-kolektif").await;
    let status = admin.post_letter("/permohonan-kolektif", &[], "bukan;tabel\n").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        admin.page.contains("<a href=\"#table\">Kolom berikut tidak ada: Tujuan,"),
        "{}",
        admin.page
    );

    admin.post_letter("/permohonan-kolektif", &[], TABLE).await;
    let page = admin.page.clone();
    assert!(page.contains("Belum dikirim (3 baris)."), "{page}");
    assert!(page.contains("Kolom berikut tidak dikenal dan tidak dipakai: Catatan."), "{page}");
    assert!(page.contains("Telepon: Angka ini diubah oleh Excel."), "{page}");
    assert!(page.contains("Tujuan: "), "{page}");
    assert!(!page.contains("/kirim\""), "no letter, no button: {page}");
    let place = page.split("/surat\"").next().unwrap().rsplit('"').next().unwrap().to_owned();
    assert!(place.starts_with("/permohonan-kolektif/"), "{place}");
    admin.post_letter(&format!("{place}/surat"), &[], SURAT).await;
    assert!(admin.page.contains("Kirim 1 permohonan"), "{}", admin.page);
    // Nobody else sees it.
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert_eq!(kasi.open(&place).await, StatusCode::NOT_FOUND);
    assert_eq!(site.desk.figures().unwrap().requests.iter().map(|it| it.count).sum::<u64>(), 0);

    admin.open(&place).await;
    admin.post(&format!("{place}/kirim"), &[]).await;
    assert!(admin.page.contains("Sedang dikirim: 0 dari 3"), "{}", admin.page);
    file_all(&site);
    admin.open(&place).await;
    assert!(admin.page.contains("Selesai: 1 dari 3 baris"), "{}", admin.page);
    admin.open(&format!("{place}/hasil.csv")).await;
    let lines: Vec<&str> = admin.page.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}Baris;Nama;Instansi;Keadaan;Nomor permohonan;Kode rahasia"),
        "{lines:?}"
    );
    let cells: Vec<&str> = lines[1].split(';').collect();
    assert!(
        cells[3] == "Sudah dikirim" && cells[4].starts_with("GPR-") && cells[5].len() == 8,
        "{lines:?}"
    );
    assert!(lines[3].contains("Excel"), "{lines:?}");

    let mut stranger = Browser::new(&site);
    assert_eq!(stranger.open("/permohonan-kolektif").await, StatusCode::OK);
    assert!(stranger.page.contains("Kata sandi"), "a stranger signs in first: {}", stranger.page);
}

/// A webhook on a port of this machine.
fn hook(port: u16) -> crate::webhook::Hook {
    let address = format!("http://127.0.0.1:{port}/geheim");
    let address = crate::webhook::Address::read(&address).unwrap();
    let secret =
        crate::webhook::Secret::read("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
    crate::webhook::Hook::new("grup", address, secret, std::path::Path::new("")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_a_webhook_that_never_answers_hold_no_place_of_other_work() {
    // It takes calls and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hook = hook(silent.local_addr().unwrap().port());
    let site = office_with(|_, desk| desk.webhooks = vec![hook]);
    site.desk.begin_webhooks().unwrap();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    admin.open("/pengaturan/webhook").await;
    let jar: Vec<String> = admin.jar.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let press = Request::post("/pengaturan/webhook/grup/uji")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, jar.join("; "))
            .extension(ConnectInfo(SocketAddr::new("127.0.0.1".parse().unwrap(), 40_000)));
        let press = press.body(Body::from(format!("csrf={}", admin.token()))).unwrap();
        presses.spawn(site.router.clone().oneshot(press));
    }
    // One is under way and four wait for it.
    let refused = async {
        for _ in 0..11 {
            let answer = presses.join_next().await.unwrap().unwrap().unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), refused).await.unwrap();
    assert_eq!(admin.open("/pengaturan/webhook").await, StatusCode::OK);
    // It hangs up on whoever waits.
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_shown_to_the_administrator_only() {
    let hook = hook(9);
    let site = office_with(|_, desk| desk.webhooks = vec![hook]);
    site.desk.begin_webhooks().unwrap();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    admin.open("/pengaturan/webhook").await;
    assert!(
        admin.page.contains("http://127<wbr>") || admin.page.contains("127."),
        "{}",
        admin.page
    );
    assert!(!admin.page.contains("geheim"), "{}", admin.page);
    admin.post("/pengaturan/webhook/grup/uji", &[]).await;
    assert!(
        admin.page.contains("Percobaan ke grup gagal: servernya tidak dapat dihubungi."),
        "{}",
        admin.page
    );
    admin.post("/pengaturan/webhook/grup/coba-lagi", &[]).await;
    assert!(admin.page.contains("grup dicoba lagi sekarang."), "{}", admin.page);
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert_eq!(kasi.open("/pengaturan/webhook").await, StatusCode::FORBIDDEN);
}
