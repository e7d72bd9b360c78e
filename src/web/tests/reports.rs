//! The pages of reports and statistics: who sees them, their files, and the act that closes a month.

use serde_json::json;

use super::*;

/// Ten days in milliseconds: from November into December.
const TEN_DAYS: i64 = 10 * 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn officers_read_reports_and_the_kabid_closes_a_month_on_its_page() {
    let site = office();
    let mut stranger = Browser::new(&site);
    for path in ["/laporan", "/laporan/2026-11.csv", "/statistik", "/statistik.json"] {
        stranger.open(path).await;
        assert!(stranger.page.contains("Masuk petugas"), "{path}: {}", stranger.page);
    }
    site.time.fetch_add(TEN_DAYS, Ordering::Relaxed);
    let mut kasi = Browser::new(&site);
    kasi.sign_in("kasi").await;
    assert_eq!(kasi.open("/laporan?bulan=2026-11").await, StatusCode::OK);
    assert!(kasi.page.contains("Laporan kegiatan November 2026"), "{}", kasi.page);
    assert!(!kasi.page.contains("/laporan/2026-11/tutup"), "only the kabid closes");
    assert_eq!(kasi.open("/laporan/2026-11/tutup").await, StatusCode::FORBIDDEN);
    // No month that has not begun, and no other file.
    for path in
        ["/laporan?bulan=2027-01", "/laporan?bulan=x", "/laporan/2026-11.exe", "/laporan/x.csv"]
    {
        assert_eq!(kasi.open(path).await, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(kasi.open("/laporan/2026-11.csv").await, StatusCode::OK);
    assert!(kasi.page.starts_with("\u{feff}Nomor;"), "{}", kasi.page);

    assert_eq!(kasi.open("/laporan/2026-11.pdf").await, StatusCode::OK);
    assert!(kasi.page.starts_with("%PDF-1.7"));

    let mut kabid = Browser::new(&site);
    kabid.sign_in("kabid").await;
    kabid.open("/laporan?bulan=2026-11").await;
    assert!(kabid.page.contains("belum ditutup") && kabid.page.contains("/laporan/2026-11/tutup"));
    kabid.open("/laporan/2026-12/tutup").await;
    let early = kabid.post("/laporan/2026-12/tutup", &[]).await;
    assert_eq!(early, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(kabid.page.contains("Bulan itu belum berakhir."), "{}", kabid.page);
    kabid.open("/laporan/2026-11/tutup").await;
    assert_eq!(kabid.post("/laporan/2026-11/tutup", &[]).await, StatusCode::OK);
    assert!(kabid.page.contains("Laporan November 2026 ditutup pada"), "{}", kabid.page);
    assert!(!kabid.page.contains("/laporan/2026-11/tutup"), "once");
    assert!(kabid.page.contains("nomor GPR/LK/0001/XII/2026"), "{}", kabid.page);
    // Its paper: printed on demand until its file is there, then the file of the paper.
    let place = "/laporan/2026-11/naskah/LK-2026-0001";
    assert_eq!(kabid.open("/laporan/2026-11.pdf").await, StatusCode::OK);
    let press = |_: &crate::dossier::Paper, _: Option<&[u8]>| Ok(b"%PDF-1.7 issued".to_vec());
    assert_eq!(site.desk.render_papers(&press).unwrap(), 1);
    for who in [&mut kabid, &mut kasi] {
        assert_eq!(who.open("/laporan/2026-11.pdf").await, StatusCode::OK);
        assert_eq!(who.page, "%PDF-1.7 issued");
        assert_eq!(who.open(place).await, StatusCode::OK);
        assert!(who.page.contains("<dd>November 2026</dd>"), "{}", who.page);
        assert_eq!(who.open(&format!("{place}/cetak")).await, StatusCode::OK);
        assert!(who.page.contains("class=\"paper\""), "{}", who.page);
    }
    kabid.open(place).await;
    kabid.post(&format!("{place}/nomor"), &[("office_number", "555/9")]).await;
    assert!(kabid.page.contains("555/9"), "{}", kabid.page);
    for gone in ["/laporan/2026-10/naskah/LK-2026-0001", "/laporan/x/naskah/LK-2026-0001"] {
        assert_eq!(kabid.open(gone).await, StatusCode::NOT_FOUND, "{gone}");
    }

    // One script of our own, none in the page.
    kabid.open("/statistik").await;
    assert_eq!(kabid.page.matches("<script").count(), 1);
    let script = kabid.after("<script type=\"module\" src=\"");
    let script = script.split('"').next().unwrap_or_default().to_owned();
    assert_eq!(kabid.open(&script).await, StatusCode::OK, "{script}");
    assert!(kabid.page.contains("getElementById(\"angka\")"));
    assert_eq!(kabid.open("/statistik.json?rentang=jam").await, StatusCode::OK);
    let figures: serde_json::Value = serde_json::from_str(&kabid.page).unwrap();
    assert_eq!((&figures["span"], &figures["total"]), (&json!("hour"), &json!(0)));
    assert_eq!(figures["minutes"].as_array().unwrap().len(), 60);
}
