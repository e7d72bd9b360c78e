//! Papers on pages: who finds them, what a code tells anybody, and no receipt for what was not sent.

use super::*;
use crate::dossier::Paper;

/// A press that writes a paper's content instead of drawing it.
fn press(paper: &Paper, _: Option<&[u8]>) -> Result<Vec<u8>, String> {
    Ok([b"%PDF-1.7 ", &serde_json::to_vec(paper).unwrap()[..]].concat())
}

impl Browser<'_> {
    /// Sends a request in; returns its number.
    async fn sends(&mut self, name: &str) -> String {
        self.fill_in(name, "192.0.2.80").await;
        let once = self.hidden("once");
        self.post("/permohonan/periksa", &[("once", &once)]).await;
        self.after("<b class=\"big\">")
    }

    /// The first address of this page that begins so.
    pub(super) fn link(&self, begin: &str) -> String {
        let after = self.page.split(&format!("href=\"{begin}")).nth(1).unwrap_or_default();
        format!("{begin}{}", after.split('"').next().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_the_paper_is_a_page_that_says_what_to_do() {
    let site = office();
    let mut applicant = Browser::new(&site);
    applicant.sends("antrean").await;
    assert_eq!(site.desk.render_papers(&press).unwrap(), 1);
    applicant.open("/status").await;
    let place = applicant.link("/status/naskah/");
    let folder = site.dir.path().join("papers");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let is_said =
        |page: &str| page.contains("tidak dapat diberikan") && page.contains("Diskominfo");
    for octets in [Some(b"another file"), None] {
        match octets {
            Some(octets) => std::fs::write(&file, octets).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let status = applicant.open(&format!("{place}/pdf")).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(is_said(&applicant.page), "{}", applicant.page);
    }
    assert_eq!(applicant.open(&place).await, StatusCode::OK, "its page stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_are_found_read_and_checked() {
    let site = office();
    let mut applicant = Browser::new(&site);
    let number = applicant.sends("antrean").await;
    applicant.open("/status").await;
    let place = applicant.link("/status/naskah/");
    assert_eq!(applicant.open(&place).await, StatusCode::OK);
    assert!(applicant.page.contains("sedang dibuat"), "{}", applicant.page);
    assert_eq!(site.desk.render_papers(&press).unwrap(), 1);
    applicant.open(&place).await;
    let code = applicant.after("<dt>Kode verifikasi</dt><dd>");
    assert_eq!(code.len(), 19, "{}", applicant.page);
    assert_eq!(applicant.open(&format!("{place}/pdf")).await, StatusCode::OK);
    assert!(applicant.page.starts_with("%PDF") && applicant.page.contains("Rina Marlina"));

    let mut anybody = Browser::new(&site);
    anybody.open("/periksa-naskah").await;
    let typed = code.to_lowercase().replace('-', " ");
    assert_eq!(anybody.post("/periksa-naskah", &[("kode", &typed)]).await, StatusCode::OK);
    let told = ["Naskah ini asli", "Tanda terima permohonan", "GPR/TT/0001/", "antrean.cirebonkab"];
    assert!(told.iter().all(|text| anybody.page.contains(text)), "{}", anybody.page);
    assert!(!anybody.page.contains("Rina Marlina") && !anybody.page.contains(&number));
    for wrong in ["0000-0000-0000-0000", "x", "../../x"] {
        anybody.open("/periksa-naskah").await;
        let status = anybody.post("/periksa-naskah", &[("kode", wrong)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}: {}", anybody.page);
        assert!(anybody.page.contains("Tidak ada naskah dengan kode ini"), "{}", anybody.page);
    }
    // Who tries too many codes may still see their own request.
    let mut tries = 0;
    while anybody.open(&format!("/periksa-naskah/0000{tries}")).await == StatusCode::NOT_FOUND {
        tries += 1;
        assert!(tries < 40, "codes have a limit");
    }
    assert_eq!(applicant.open(&place).await, StatusCode::OK, "{}", applicant.page);
    for path in [place.clone(), format!("{place}/pdf")] {
        anybody.open(&path).await;
        assert!(!anybody.page.contains("GPR/TT") && !anybody.page.contains("Rina"), "{path}");
    }

    let mut kabid = Browser::new(&site);
    kabid.sign_in("kabid").await;
    kabid.open(&format!("/tinjau/{number}")).await;
    let place = kabid.link("/permohonan/");
    assert!(place.contains("/naskah/TT-"), "{place}");
    // A look at it for the printer is on record, as a download is.
    let looks = || {
        let chain = site.desk.events(0, 1_000).unwrap();
        chain.iter().filter(|event| event.act == "paper_downloaded").count()
    };
    let before = looks();
    assert_eq!(kabid.open(&format!("{place}/cetak")).await, StatusCode::OK);
    assert_eq!(looks(), before + 1);
    kabid.open(&place).await;
    let none = kabid.post(&format!("{place}/nomor"), &[("office_number", " ")]).await;
    assert_eq!(none, StatusCode::UNPROCESSABLE_ENTITY, "{}", kabid.page);
    kabid.post(&format!("{place}/nomor"), &[("office_number", "555/7")]).await;
    assert!(kabid.page.contains("<dd>555/7</dd>"), "{}", kabid.page);
    kabid.post(&format!("{place}/koreksi"), &[("reason", "gelar")]).await;
    assert!(kabid.page.contains("GPR/TT/0002/"), "{}", kabid.page);
    kabid.open(&place).await;
    assert!(kabid.page.contains("Digantikan oleh GPR/TT/0002/"), "{}", kabid.page);
    let mut admin = Browser::new(&site);
    admin.sign_in("admin").await;
    for path in [place.clone(), format!("{place}/pdf")] {
        assert_eq!(admin.open(&path).await, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_a_receipt_of_what_they_did_not_send() {
    let site = office();
    let mut applicant = Browser::new(&site);
    let number = applicant.sends("antrean").await;
    applicant.open(&format!("/permohonan/terkirim/{number}")).await;
    assert!(applicant.page.contains("Permohonan terkirim"), "{}", applicant.page);
    let mut other = Browser::new(&site);
    for of in [number.as_str(), "PALSU-123"] {
        other.open(&format!("/permohonan/terkirim/{of}")).await;
        assert!(!other.page.contains("Permohonan terkirim"), "{}", other.page);
        assert!(!other.page.contains(of), "{}", other.page);
    }
}
