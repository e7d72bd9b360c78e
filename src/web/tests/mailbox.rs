//! The code that proves a mailbox, on the pages and by API, through a mail server on loopback.

use std::sync::Mutex;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::desk::Viewer;
use crate::notice::Relay;

/// Mails that were taken.
pub(super) type Inbox = Arc<Mutex<Vec<String>>>;

/// A site that mails, and what it mailed.
pub(super) async fn site() -> (Site, Inbox) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay {
        relay: format!("smtp://{}", listener.local_addr().unwrap()),
        from: "gapura@cirebonkab.go.id".to_owned(),
        url: "http://127.0.0.1:8053".to_owned(),
    };
    let inbox = Inbox::default();
    tokio::spawn(crate::notice::tests::serve(listener, Arc::clone(&inbox)));
    let mailer = Mailer::new(&relay).unwrap();
    let site = Site::with_mail(TotpRule::Optional, "http://127.0.0.1:8053", mailer, |_, _| {});
    (site, inbox)
}

/// The code of the last mail.
fn code(inbox: &Inbox) -> String {
    let mails = inbox.lock().unwrap();
    let mail = mails.last().unwrap();
    mail.split("Kode Anda: ").nth(1).unwrap().chars().take(6).collect()
}

/// The second step of the form.
const CONTACT: [(&str, &str); 5] = [
    ("office", "Dinas Kesehatan"),
    ("contact_name", "Rina Marlina"),
    ("contact_position", "Kepala Subbagian Umum"),
    ("contact_email", "umum@dinkes.cirebonkab.go.id"),
    ("contact_phone", "0231-123456"),
];

impl Browser<'_> {
    /// Fills in the form after the second step and sends it; the number.
    async fn finish(&mut self, name: &str) -> String {
        self.open("/permohonan/3").await;
        self.post("/permohonan/3", &[("name", name), ("purpose", "Antrean daring")]).await;
        self.post("/permohonan/tujuan/ahli", &[("type0", "A"), ("data0", "192.0.2.80")]).await;
        let letter = [("letter_number", "440/1/Dinkes"), ("letter_date", "2026-11-20")];
        self.post_letter("/permohonan/5", &letter, SURAT).await;
        let once = self.hidden("once");
        self.post("/permohonan/periksa", &[("once", &once), ("situs", "")]).await;
        let number = self.page.split("GPR-").nth(1).expect(&self.page);
        format!("GPR-{}", number.chars().take(10).collect::<String>())
    }
}

impl Site {
    /// Whether the mailbox of a request is proven.
    fn proven(&self, number: &str) -> bool {
        self.desk.view(number, &Viewer::Applicant).unwrap().mailbox_proven
    }

    /// A call of the API by a stranger.
    async fn api(&self, path: &str, kind: &str, body: String, proof: Option<&str>) -> (u16, Value) {
        let mut call = Request::post(path).header(CONTENT_TYPE, kind);
        if let Some(proof) = proof {
            call = call.header("gapura-mailbox", proof);
        }
        let from = SocketAddr::new("203.0.113.9".parse().unwrap(), 40_000);
        let call = call.extension(ConnectInfo(from)).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(call).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 10_000_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Sends a request by API, with a proof.
    async fn send_request(&self, name: &str, proof: Option<&str>) -> (u16, Value) {
        let request = json!({
            "kind": "new", "class": "layanan", "name": name, "zone": "cirebonkab.go.id.",
            "records": [{ "type": "A", "data": "192.0.2.80", "ttl": 3600 }],
            "office": "Dinas Kesehatan", "region": null, "purpose": "Antrean daring",
            "contact": { "name": "Rina", "position": "Kasubbag", "email": "umum@dinkes.cirebonkab.go.id", "phone": "0231-123456" },
            "letter": { "number": "440/1", "date": "2026-11-20" }, "starts": null, "ends": null
        });
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{request}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"letter\"; filename=\"s.pdf\"\r\n\r\n{SURAT}\r\n--b--\r\n"
        );
        self.api("/api/v1/requests", "multipart/form-data; boundary=b", body, proof).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_the_form_proves_the_mailbox() {
    let (site, inbox) = site().await;
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    browser.post("/permohonan/2", &CONTACT).await;
    assert!(browser.page.contains("Buktikan surel kantor"), "{}", browser.page);
    assert!(browser.page.contains("autocomplete=\"one-time-code\""), "{}", browser.page);
    assert_eq!(inbox.lock().unwrap().len(), 1);
    // The same page again mails nothing more.
    browser.open("/permohonan/surel").await;
    browser.open("/permohonan/2").await;
    browser.post("/permohonan/2", &CONTACT).await;
    assert_eq!(inbox.lock().unwrap().len(), 1);
    let right = code(&inbox);
    let wrong = if right == "123456" { "123457" } else { "123456" };
    let status = browser.post("/permohonan/surel", &[("code", wrong)]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.page.contains("Kode ini salah. Sisa percobaan: 4."), "{}", browser.page);
    // A new one replaces it.
    browser.post("/permohonan/surel", &[("lanjut", "kirim")]).await;
    let new = code(&inbox);
    if new != right {
        assert_eq!(browser.post("/permohonan/surel", &[("code", &right)]).await.as_u16(), 422);
    }
    browser.post("/permohonan/surel", &[("code", &new)]).await;
    assert!(browser.page.contains("name=\"purpose\""), "{}", browser.page);
    // Nobody asks again, unless the mailbox changes.
    browser.open("/permohonan/2").await;
    browser.post("/permohonan/2", &CONTACT).await;
    assert!(browser.page.contains("name=\"purpose\""), "{}", browser.page);
    let number = browser.finish("antrean").await;
    assert!(site.proven(&number));

    // The proof went with that request: the next one of this browser has none.
    browser.open("/permohonan/1").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    browser.post("/permohonan/2", &CONTACT).await;
    assert!(browser.page.contains("Buktikan surel kantor"), "{}", browser.page);
    assert!(browser.page.contains("href=\"/permohonan/3\""), "without a code");
    let number = browser.finish("jadwal").await;
    assert!(!site.proven(&number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_by_api_proves_the_mailbox_and_a_wrong_one_is_refused() {
    let (site, inbox) = site().await;
    let email = json!({ "email": "umum@dinkes.cirebonkab.go.id" }).to_string();
    let path = "/api/v1/mailbox-codes";
    let (status, asked) = site.api(path, "application/json", email.clone(), None).await;
    assert_eq!(status, 201, "{asked}");
    let (id, code) = (asked["id"].as_str().unwrap().to_owned(), code(&inbox));
    let wrong = if code == "123456" { "123457" } else { "123456" };
    for (proof, expected) in [
        (format!("{id} {wrong}"), 422),
        (format!("unknown {code}"), 422),
        (code.clone(), 400),
        (String::new(), 400),
        ("x".repeat(300), 400),
    ] {
        let (status, refused) = site.send_request("antrean", Some(&proof)).await;
        assert_eq!(status, expected, "{proof}: {refused}");
    }
    let proof = format!("{id} {code}");
    let (status, sent) = site.send_request("antrean", Some(&proof)).await;
    assert_eq!(status, 201, "{sent}");
    assert!(site.proven(sent["number"].as_str().unwrap()));
    let (status, again) = site.send_request("jadwal", Some(&proof)).await;
    assert_eq!((status, &again["errors"][0]["rule"]), (422, &json!("mailbox_code_over")), "once");
    let (_, none) = site.send_request("jadwal", None).await;
    assert!(!site.proven(none["number"].as_str().unwrap()));
    let bad = json!({ "email": "bukan surel" }).to_string();
    assert_eq!(site.api(path, "application/json", bad, None).await.0, 422);
    // A relay that refuses is said at once.
    let gone = json!({ "email": "tiada@dinkes.example" }).to_string();
    let (status, refused) = site.api(path, "application/json", gone, None).await;
    assert_eq!((status, &refused["code"]), (503, &json!("not_mailed")));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_mail_is_off_nobody_is_asked_for_a_code_and_nothing_promises_a_mail() {
    let site = office();
    let mut browser = Browser::new(&site);
    browser.open("/permohonan").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    let promises = ["dikirim ke surel", "mengirim kode", "Kode dari surel"];
    let silent = |page: &str| promises.iter().all(|promise| !page.contains(promise));
    assert!(
        silent(&browser.page) && browser.page.contains("tidak mengirim surel"),
        "{}",
        browser.page
    );
    browser.post("/permohonan/2", &CONTACT).await;
    assert!(browser.page.contains("name=\"purpose\""), "{}", browser.page);
    browser.open("/permohonan/surel").await;
    assert!(browser.page.contains("name=\"purpose\""), "no such page: {}", browser.page);
    let number = browser.finish("antrean").await;
    assert!(
        silent(&browser.page) && browser.page.contains("tidak mengirim surel"),
        "{}",
        browser.page
    );
    assert!(!site.proven(&number));
    let email = json!({ "email": "umum@dinkes.cirebonkab.go.id" }).to_string();
    let (status, off) = site.api("/api/v1/mailbox-codes", "application/json", email, None).await;
    assert_eq!((status, &off["code"]), (503, &json!("mail_off")));
    assert_eq!(site.send_request("jadwal", Some("id 123456")).await.0, 422, "no proof at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_secret_is_replaced_through_the_proven_mailbox_only() {
    let (site, inbox) = site().await;
    let mut browser = Browser::new(&site);
    browser.open("/permohonan/1").await;
    browser.post("/permohonan/1", &[("kind", "new"), ("class", "layanan")]).await;
    browser.post("/permohonan/2", &CONTACT).await;
    let proof = code(&inbox);
    browser.post("/permohonan/surel", &[("code", &proof)]).await;
    let number = browser.finish("antrean").await;
    let old = browser.after("<code class=\"secret\">");

    let mut other = Browser::new(&site);
    other.open("/status/kode").await;
    let mailbox = "umum@dinkes.cirebonkab.go.id";
    let mut said = Vec::new();
    for (number, email) in [(number.as_str(), "lain@dinkes.example"), ("GPR-2026-09999", mailbox)] {
        let wrong = [("number", number), ("email", email)];
        assert_eq!(other.post("/status/kode", &wrong).await, StatusCode::OK);
        said.push(other.page.contains("Bila nomor dan surel cocok"));
    }
    assert_eq!(said, [true, true], "the answer tells nothing");
    // The mail goes to the mailbox as it was proven, however it is written here.
    let right = [("number", number.as_str()), ("email", "umum@DINKES.cirebonkab.go.id")];
    other.post("/status/kode", &right).await;
    let mailed = async {
        while inbox.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), mailed).await.unwrap();
    assert_eq!(inbox.lock().unwrap().len(), 2, "nothing went to anybody else");
    let mail = inbox.lock().unwrap()[1].clone();
    assert!(mail.contains("To: umum@dinkes.cirebonkab.go.id"), "{mail}");
    assert!(!mail.contains("formulir permohonan"), "it has words of its own: {mail}");
    let new = code(&inbox);
    let wrong = if new == "123456" { "123457" } else { "123456" };
    let with = |code| [("langkah", "kode"), right[0], right[1], ("code", code)];
    // Another browser spends tries of its own only.
    let mut stranger = Browser::new(&site);
    stranger.open("/status/kode").await;
    for _ in 0..6 {
        let tried = stranger.post("/status/kode", &with(&new)).await;
        assert_eq!(tried, StatusCode::UNPROCESSABLE_ENTITY, "the right code, in the wrong place");
    }
    assert_eq!(other.post("/status/kode", &with(wrong)).await, StatusCode::UNPROCESSABLE_ENTITY);
    other.post("/status/kode", &with(&new)).await;
    assert!(other.page.contains("Permohonan terkirim"), "{}", other.page);
    let secret = other.after("<code class=\"secret\">");
    assert_ne!(secret, old);
    assert!(site.desk.status(&number, &old).is_err(), "the old one ended");
    // In groups and small letters, as people copy it.
    let mut reader = Browser::new(&site);
    reader.open("/status").await;
    let (one, two) = secret.split_at(4);
    let groups = format!("{} {}", one.to_lowercase(), two.to_lowercase());
    reader.post("/status", &[("number", &number), ("secret", &groups)]).await;
    for part in ["Yang Anda ajukan", "Antrean daring", "192.0.2.80", "Permohonan dikirim"] {
        assert!(reader.page.contains(part), "{part}: {}", reader.page);
    }
    // Codes have a limit; also that tells nothing.
    for _ in 0..8 {
        other.open("/status/kode").await;
        assert_eq!(other.post("/status/kode", &right).await, StatusCode::OK);
        assert!(other.page.contains("Bila nomor dan surel cocok"), "{}", other.page);
    }
    // Anybody can write a number into an address; nothing is confirmed.
    reader.open("/permohonan/terkirim/PALSU-123").await;
    assert!(!reader.page.contains("Permohonan terkirim"), "{}", reader.page);
}
