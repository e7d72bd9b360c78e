//! Settings as pages: each list is looked at, changed, refused with words at the field, and put back.

use axum::http::StatusCode;

use super::{Browser, office};
use crate::people::{By, NewAccount, Role};
use crate::queue::lists::List;

impl Browser<'_> {
    /// The address of the change that the page shows.
    fn change(&self, list: &str) -> String {
        let mark = format!("action=\"/pengaturan/daftar/{list}/usulan/");
        let id = self.page.split(&mark).nth(1).unwrap_or_default();
        let id = id.split('"').next().unwrap_or_default();
        format!("/pengaturan/daftar/{list}/usulan/{id}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holidays_are_pasted_looked_at_and_in_force_at_once() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    assert!(admin.page.contains("Hari libur 2027 belum diisi"), "{}", admin.page);
    assert_eq!(admin.open("/pengaturan").await, StatusCode::OK);
    for words in ["Jam kerja khusus", "Perangkat daerah", "32 instansi", "Bawaan program"] {
        assert!(admin.page.contains(words), "{words}");
    }
    let place = "/pengaturan/daftar/hari-libur";
    assert_eq!(admin.open(&format!("{place}/impor")).await, StatusCode::OK);
    let text = "2026-12-25;Natal\n17/08/2027;Kemerdekaan\n";
    let fields = [("text", text), ("how", "tambah"), ("source", "SKB 3 Menteri")];
    assert_eq!(admin.post(&format!("{place}/impor"), &fields).await, StatusCode::OK);
    for words in ["25 Desember 2026 · Natal · SKB 3 Menteri", "2 ditambah, 0 dihapus", "Terapkan"]
    {
        assert!(admin.page.contains(words), "{words}: {}", admin.page);
    }
    assert!(site.desk.list_in_force(List::Holidays).table.rows().is_empty(), "looked at only");
    let change = admin.change("hari-libur");
    let reason = [("reason", "SKB 1/2026")];
    assert_eq!(admin.post(&change, &reason).await, StatusCode::OK);
    assert!(admin.page.contains("Perubahan sudah berlaku."), "{}", admin.page);
    assert!(admin.page.contains("17 Agustus 2027"), "{}", admin.page);
    // The same button again, from the page before.
    assert_eq!(admin.post(&change, &reason).await, StatusCode::OK);
    assert_eq!(site.desk.list_versions(List::Holidays).unwrap().len(), 1);
    admin.open("/beranda").await;
    assert!(!admin.page.contains("belum diisi"), "2027 has a holiday now");
    admin.open(&format!("{place}/isi.csv")).await;
    let exported = "\u{feff}date;name;source\n2026-12-25;Natal;SKB 3 Menteri\n2027-08-17;Kemerdekaan;SKB 3 Menteri\n";
    assert_eq!(admin.page, exported);

    admin.open(&format!("{place}/riwayat")).await;
    assert!(admin.page.contains("SKB 1/2026") && admin.page.contains("2 hari"), "{}", admin.page);
    admin.post(&format!("{place}/pulihkan"), &[("versi", "0")]).await;
    assert!(admin.page.contains("Daftar kembali ke asalnya: Bawaan program"), "{}", admin.page);
    // All rows would go: it is asked twice.
    let change = admin.change("hari-libur");
    assert_eq!(admin.post(&change, &[]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(admin.page.contains("id=\"sure-fault\""), "{}", admin.page);
    assert_eq!(admin.post(&change, &[("sure", "ya")]).await, StatusCode::OK);
    assert!(site.desk.list_in_force(List::Holidays).table.rows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_at_its_field() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let hours = "/pengaturan/daftar/jam-kerja/ubah";
    admin.open(hours).await;
    assert!(admin.page.contains("value=\"08.00-16.00\""), "{}", admin.page);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(admin.post(hours, &[("mon", "16.00-08.00"), ("tue", "08.00-16.00")]).await, refused);
    assert!(admin.page.contains("id=\"mon-fault\"") && !admin.page.contains("id=\"tue-fault\""));
    assert!(admin.page.contains("value=\"16.00-08.00\""), "input is kept");
    assert_eq!(admin.post(hours, &[("mon", "")]).await, refused);
    assert!(admin.page.contains("Paling sedikit satu hari"), "{}", admin.page);
    let week = ["mon", "tue", "wed", "thu"].map(|day| (day, "07.30-12.00, 13.00-16.00"));
    assert_eq!(admin.post(hours, &week).await, StatusCode::OK);
    assert!(admin.page.contains("Jumat · Tutup"), "{}", admin.page);
    let change = admin.change("jam-kerja");
    admin.post(&change, &[]).await;
    assert_eq!(site.desk.calendar().week().text(), "Mon-Thu 07:30-12:00,13:00-16:00");

    let networks = "/pengaturan/daftar/jaringan-indonesia/impor";
    admin.open(networks).await;
    let text = [("text", "103.10.0.0/16\n0.0.0.0/0\n"), ("how", "ganti")];
    assert_eq!(admin.post(networks, &text).await, refused);
    assert!(admin.page.contains("Baris 2, Jaringan: Jaringan ini terlalu luas"), "{}", admin.page);

    let regions = "/pengaturan/daftar/wilayah/ubah";
    admin.open(regions).await;
    let village = [("kode", "99.01.01.2001"), ("jenis", "desa"), ("nama", "Baru")];
    assert_eq!(admin.post(regions, &village).await, refused);
    assert!(admin.page.contains("Kecamatan dari desa"), "{}", admin.page);
    let known = [("kode", "32.09.01"), ("jenis", "kecamatan"), ("nama", "Waled")];
    assert_eq!(admin.post(regions, &known).await, refused);
    assert!(admin.page.contains("id=\"kode-fault\""), "{}", admin.page);
    let same =
        [("baris", "32.09.01"), ("kode", "32.09.01"), ("jenis", "kecamatan"), ("nama", "Waled")];
    assert_eq!(admin.post(regions, &same).await, refused);
    assert!(admin.page.contains("Tidak ada yang berubah"), "{}", admin.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn villages_are_pasted_into_the_districts_that_are_there() {
    let site = office();
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    let place = "/pengaturan/daftar/wilayah/impor";
    admin.open(place).await;
    let heading = "\u{feff}kode;jenis;nama\n";
    for text in [
        format!("{heading}32.09.01.2998;desa;Baru Sekali\n32.09.01.2999;desa;Baru Lagi\n"),
        "32.09.01.2998\tdesa\tBaru Sekali\n32.09.01.2999\tdesa\tBaru Lagi\n".to_owned(),
    ] {
        let fields = [("text", text.as_str()), ("how", "tambah")];
        assert_eq!(admin.post(place, &fields).await, StatusCode::OK, "{}", admin.page);
        assert!(admin.page.contains("2 ditambah, 0 dihapus"), "{}", admin.page);
    }
    // Alone they are no list, and a village of no district is refused in any case.
    for (how, text) in [
        ("ganti", format!("{heading}32.09.01.2998;desa;Baru Sekali\n")),
        ("tambah", format!("{heading}99.01.01.2001;desa;Baru Sekali\n")),
    ] {
        let fields = [("text", text.as_str()), ("how", how)];
        assert_eq!(admin.post(place, &fields).await, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(admin.page.contains("Kecamatan dari desa"), "{}", admin.page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_changed_and_removed_and_the_second_of_two_is_told() {
    let site = office();
    let extra = NewAccount {
        name: "rina".to_owned(),
        full_name: "Rina Marlina".to_owned(),
        email: "rina@cirebonkab.go.id".to_owned(),
        ..NewAccount::default()
    };
    site.people.add(&By::Console, Role::Operator, &extra, super::PASSWORD).unwrap();
    let (mut one, mut two) = (Browser::new(&site), Browser::new(&site));
    one.sign_in("rina").await;
    two.sign_in("admin").await;
    let place = "/pengaturan/daftar/perangkat-daerah";
    let form = format!("{place}/ubah?baris=dinkes");
    one.open(&form).await;
    two.open(&form).await;
    let mut fields = vec![
        ("baris", "dinkes"),
        ("singkatan", "dinkes"),
        ("nama", "Dinas Kesehatan dan KB"),
        ("jenis", "dinas"),
    ];
    one.post(&format!("{place}/ubah"), &fields).await;
    fields.push(("lanjut", "hapus"));
    two.post(&format!("{place}/ubah"), &fields).await;
    assert!(two.page.contains("0 ditambah, 1 dihapus"), "{}", two.page);
    let (first, second) = (one.change("perangkat-daerah"), two.change("perangkat-daerah"));
    assert_eq!(one.post(&first, &[]).await, StatusCode::OK);
    assert!(one.page.contains("Dinas Kesehatan dan KB"), "{}", one.page);
    assert_eq!(two.post(&second, &[]).await, StatusCode::CONFLICT);
    assert!(two.page.contains("Rina Marlina mengubah daftar ini"), "{}", two.page);
    assert!(!two.page.contains("Terapkan</button>"), "{}", two.page);
    assert!(site.desk.naming().offices.iter().any(|it| it.name == "Dinas Kesehatan dan KB"));

    let mut kabid = Browser::new(&site);
    kabid.sign_in("kabid").await;
    assert_eq!(kabid.open("/pengaturan").await, StatusCode::FORBIDDEN);
    assert_eq!(kabid.open(&form).await, StatusCode::FORBIDDEN);
    kabid.open("/beranda").await;
    assert_eq!(kabid.post(&format!("{place}/ubah"), &fields).await, StatusCode::FORBIDDEN);
}
