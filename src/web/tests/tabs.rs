//! Two tabs of one browser: nothing is done to what the page that was pressed did not show.

use super::*;
use crate::queue::{Act, LineCode, LineVerdict, State};

impl Browser<'_> {
    /// Sends a request; number and secret of it.
    async fn request(&mut self, name: &str) -> (String, String) {
        self.fill_in(name, "192.0.2.80").await;
        let once = self.hidden("once");
        self.post("/permohonan/periksa", &[("once", &once)]).await;
        assert!(self.page.contains("Permohonan terkirim"), "{}", self.page);
        (self.after("<b class=\"big\">"), self.after("<code class=\"secret\">"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_what_was_shown() {
    let site = office();
    let mut tab = Browser::new(&site);
    tab.fill_in("antrean", "192.0.2.80").await;
    let shown = tab.page.clone();
    tab.open("/permohonan/3").await;
    tab.post("/permohonan/3", &[("name", "lain"), ("purpose", "Antrean daring")]).await;
    tab.page = shown;
    let once = tab.hidden("once");
    assert_eq!(tab.post("/permohonan/periksa", &[("once", &once)]).await, StatusCode::CONFLICT);
    assert!(tab.page.contains("diubah di tab lain"), "{}", tab.page);
    assert!(tab.page.contains("lain.cirebonkab.go.id"), "it shows what is there now: {}", tab.page);
    let once = tab.hidden("once");
    tab.post("/permohonan/periksa", &[("once", &once)]).await;
    assert!(tab.page.contains("Permohonan terkirim"), "{}", tab.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_done_to_the_request_that_the_page_named() {
    let site = office();
    let mut tab = Browser::new(&site);
    let (first, secret) = tab.request("antrean").await;
    tab.open("/status/tarik").await;
    let shown = tab.page.clone();
    let (second, _) = tab.request("lain").await;
    tab.page = shown;
    assert_eq!(tab.post("/status/tarik", &[]).await, StatusCode::CONFLICT);
    assert!(tab.page.contains("Tidak ada yang diubah"), "{}", tab.page);
    let state = |number: &str| site.desk.view(number, &desk::Viewer::Applicant).unwrap().state;
    assert_eq!((state(&first), state(&second)), (State::Submitted, State::Submitted));
    tab.open("/status").await;
    tab.post("/status/selesai", &[]).await;
    tab.post("/status", &[("number", &first), ("secret", &secret)]).await;
    tab.open("/status/tarik").await;
    let left = tab.page.clone();
    tab.post("/status/tarik", &[]).await;
    assert_eq!((state(&first), state(&second)), (State::Withdrawn, State::Submitted));
    // Without number and secret nothing is sent, and it is said.
    tab.jar.retain(|(name, _)| !name.ends_with("pemohon"));
    tab.page = left;
    assert_eq!(tab.post("/status/tarik", &[]).await, StatusCode::FORBIDDEN);
    assert!(tab.page.contains("Tidak ada yang terkirim"), "{}", tab.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tab_wrote_on_a_sheet_is_seen_before_it_is_written_over() {
    let site = office();
    let (number, _) = Browser::new(&site).request("antrean").await;
    let actor = |name: &str| {
        let id = site.people.by_name(name).unwrap().id;
        site.desk.actor(&id).unwrap().unwrap()
    };
    let (to, instruction) = ("kasi".to_owned(), "Periksa.".to_owned());
    let dispose = Act::Dispose { to, instruction };
    site.desk.act(&number, &dispose, &actor("kabid")).unwrap();
    let place = format!("/tinjau/{number}");
    let mut tab = Browser::new(&site);
    tab.sign_in("kasi").await;
    tab.open(&place).await;
    let shown = tab.page.clone();
    site.time.fetch_add(1_000, Ordering::Relaxed);
    tab.post(&place, &[("v-M1", "bad"), ("n-M1", "Tanda tangan lain")]).await;
    assert!(tab.page.contains("Tanda tangan lain"), "{}", tab.page);
    tab.page = shown;
    let late = [("v-M1", "ok"), ("v-M2", "ok")];
    assert_eq!(tab.post(&place, &late).await, StatusCode::PRECONDITION_FAILED);
    assert!(tab.page.contains("diubah di tab lain"), "{}", tab.page);
    let line = |code: LineCode| {
        let view = site.desk.view(&number, &desk::Viewer::Officer(actor("kasi"))).unwrap();
        view.lines.into_iter().find(|line| line.code == code).and_then(|line| line.verdict)
    };
    assert_eq!((line(LineCode::M1), line(LineCode::M2)), (Some(LineVerdict::Bad), None));
    // Whoever has seen it decides.
    assert_eq!(tab.post(&place, &late).await, StatusCode::OK, "{}", tab.page);
    assert_eq!(line(LineCode::M1), Some(LineVerdict::Ok));
}
