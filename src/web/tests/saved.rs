//! A form that was begun goes on from a mailed link: once, in one place, and told to nobody else.

use super::mailbox::{Inbox, site};
use super::*;

/// The place of the link in the last mail.
fn link(inbox: &Inbox) -> String {
    let mails = inbox.lock().unwrap();
    // Long lines are folded on their way (RFC 2045 §6.7).
    let mail = mails.last().unwrap().replace("=\n", "");
    let token = mail.split("/permohonan/lanjut/").nth(1).unwrap();
    format!("/permohonan/lanjut/{}", token.chars().take(64).collect::<String>())
}

/// Waits until so many mails were taken.
async fn mailed(inbox: &Inbox, count: usize) {
    let taken = async {
        while inbox.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), taken).await.unwrap();
}

/// What a page says; its foot names the office, which other tests change meanwhile.
fn said(page: &str) -> String {
    page.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).unwrap().to_owned()
}

/// A mailbox.
const MAILBOX: &str = "kantor@dinkes.example";

impl Browser<'_> {
    /// Begins a form and saves it.
    async fn save_form(&mut self) {
        self.open("/permohonan/1").await;
        self.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
        self.open("/permohonan/3").await;
        // What is not right yet is kept as well.
        let typed = [("name", "antrean"), ("purpose", "RAHASIA"), ("lanjut", "simpan")];
        self.post("/permohonan/3", &typed).await;
        assert!(self.page.contains("action=\"/permohonan/simpan\""), "{}", self.page);
        self.post("/permohonan/simpan", &[("email", MAILBOX)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_form_moves_to_the_browser_that_opens_its_link_and_the_link_is_used_once() {
    let (site, inbox) = site().await;
    let mut first = Browser::new(&site);
    first.save_form().await;
    assert!(first.page.contains(MAILBOX) && first.page.contains("satu kali"), "{}", first.page);
    let place = link(&inbox);

    let mut other = Browser::new(&site);
    let response = other.send(Request::get(&place), String::new()).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers().get(LOCATION).unwrap(), "/permohonan/lanjut/buka");
    // Opening it twice, as a mail scanner does, uses nothing up and shows no person.
    for _ in 0..2 {
        assert_eq!(other.open(&place).await, StatusCode::OK);
        assert!(other.page.contains("antrean.cirebonkab.go.id"), "{}", other.page);
        assert!(!other.page.contains("RAHASIA") && !other.page.contains(MAILBOX));
        assert!(!other.page.contains(&place[20..]), "the secret stays out of the page");
    }
    assert_eq!(other.post("/permohonan/lanjut/buka", &[]).await, StatusCode::OK);
    assert!(other.page.contains("name=\"office\""), "the first page with a gap: {}", other.page);
    other.open("/permohonan/3").await;
    assert!(other.page.contains("RAHASIA"), "{}", other.page);
    // It is in one place, and the link is over.
    first.open("/permohonan/3").await;
    assert!(!first.page.contains("RAHASIA"), "{}", first.page);
    let mut third = Browser::new(&site);
    assert_eq!(third.open(&place).await, StatusCode::GONE);
    assert!(third.page.contains("Tautan tidak berlaku"), "{}", third.page);

    // A link that is asked for again finds it where it is now.
    third.open("/permohonan/lanjut").await;
    third.post("/permohonan/lanjut", &[("email", MAILBOX)]).await;
    mailed(&inbox, 2).await;
    third.open(&link(&inbox)).await;
    third.post("/permohonan/lanjut/buka", &[]).await;
    third.open("/permohonan/3").await;
    assert!(third.page.contains("RAHASIA"), "{}", third.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mailbox_gets_the_same_answer_and_limits_tell_nothing() {
    let (site, inbox) = site().await;
    let mut first = Browser::new(&site);
    first.save_form().await;
    let mut asking = Browser { from: "198.51.100.7", ..Browser::new(&site) };
    let mut pages = Vec::new();
    for email in ["lain@dinkes.example", MAILBOX] {
        asking.open("/permohonan/lanjut").await;
        assert_eq!(asking.post("/permohonan/lanjut", &[("email", email)]).await, StatusCode::OK);
        pages.push(said(&asking.page));
    }
    assert_eq!(pages[0], pages[1]);
    mailed(&inbox, 2).await;
    // One draft is linked five times an hour; whoever asks for more is answered as before.
    for _ in 0..6 {
        asking.open("/permohonan/lanjut").await;
        assert_eq!(asking.post("/permohonan/lanjut", &[("email", MAILBOX)]).await, StatusCode::OK);
        assert_eq!(said(&asking.page), pages[0]);
    }
    mailed(&inbox, 5).await;
    first.open("/permohonan/simpan").await;
    let status = first.post("/permohonan/simpan", &[("email", MAILBOX)]).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{}", first.page);
    assert_eq!(inbox.lock().unwrap().len(), 5);
    first.open("/permohonan/lanjut").await;
    let mistyped = first.post("/permohonan/lanjut", &[("email", "bukan surel")]).await;
    assert_eq!(mistyped, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_with_a_form_is_alone_with_it() {
    let (site, inbox) = site().await;
    let mut first = Browser::new(&site);
    first.save_form().await;
    let own = link(&inbox);
    first.open("/permohonan/simpan").await;
    first.post("/permohonan/simpan", &[("email", "lain@dinkes.example")]).await;
    let others = link(&inbox);
    let mut other = Browser::new(&site);
    other.open(&others).await;
    other.post("/permohonan/lanjut/buka", &[]).await;
    other.open("/permohonan/3").await;
    assert!(other.page.contains("RAHASIA"), "{}", other.page);
    // The link of the other mailbox, not used yet, opens nothing of what is typed from now on.
    assert_eq!(Browser::new(&site).open(&own).await, StatusCode::GONE);
    first.open("/permohonan/lanjut").await;
    first.post("/permohonan/lanjut", &[("email", MAILBOX)]).await;
    other.open("/permohonan/simpan").await;
    other.post("/permohonan/simpan", &[("email", "lain@dinkes.example")]).await;
    mailed(&inbox, 3).await;
    assert_eq!(inbox.lock().unwrap().len(), 3, "nothing went to the mailbox of before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_what_it_leads_to() {
    let (site, inbox) = site().await;
    let mut first = Browser::new(&site);
    first.save_form().await;
    let sent = link(&inbox);
    first.open("/permohonan").await;
    first.post("/permohonan", &[("lanjut", "hapus")]).await;
    assert_eq!(Browser::new(&site).open(&sent).await, StatusCode::GONE, "deleted");
    first.save_form().await;
    let old = link(&inbox);
    site.time.fetch_add(30 * 86_400_000 + 1, Ordering::Relaxed);
    assert_eq!(Browser::new(&site).open(&old).await, StatusCode::GONE, "30 days");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mail_a_form_is_saved_in_its_browser_only() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan/1").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    browser.open("/permohonan/simpan").await;
    assert!(browser.page.contains("tersimpan di peramban ini"), "{}", browser.page);
    assert!(!browser.page.contains("name=\"email\""), "{}", browser.page);
    browser.open("/permohonan/lanjut").await;
    assert!(browser.page.contains("tidak mengirim surel"), "{}", browser.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_with_a_link_says_nothing_of_what_was_typed() {
    let (site, inbox) = site().await;
    let text = "Yth. Bapak/Ibu,\r\n\r\nAkun Anda DIHAPUS. Masuk:\r\nhttps://evil.example/masuk\r\n";
    let long = format!("{text}{}", "Terima kasih. ".repeat(40));
    for name in [text, &long, "klik_evil", "a.b.c.d.e", "akun anda dihapus"] {
        let mut browser = Browser::new(&site);
        browser.open("/permohonan/1").await;
        browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
        browser.open("/permohonan/3").await;
        browser.post("/permohonan/3", &[("name", name), ("lanjut", "simpan")]).await;
        browser.open("/permohonan/simpan").await;
        browser.post("/permohonan/simpan", &[("email", "korban@luar.example")]).await;
        let mail = inbox.lock().unwrap().pop().expect(name).replace("=\n", "");
        for part in ["evil", "DIHAPUS", "Akun", "Yth", "dihapus", "a.b"] {
            assert!(!mail.contains(part), "{name}: {mail}");
        }
        assert!(mail.contains("Permohonan baru"), "{mail}");
    }
}
