//! Notices through a real SMTP conversation on loopback.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::queue::{Deed, Notice, NoticeReader, NoticeValues, Point};
use crate::words::{Lang, Words};

/// A notice of a return.
fn notice(id: &str, to: &str) -> Notice {
    about(id, Deed::Return, (NoticeReader::Applicant, to))
}

/// A notice of an event, with points and a due time.
fn about(id: &str, deed: Deed, to: (NoticeReader, &str)) -> Notice {
    let point = |note: &str| Point { line: None, note: note.to_owned() };
    let values = NoticeValues {
        name: "gegesikkulon.desa.cirebonkab.go.id".to_owned(),
        office: "Pemerintah Desa Gegesik Kulon".to_owned(),
        points: vec![point("Surat belum dicap."), point("Nomor surat tidak terbaca.")],
        // 7 December 2026, 08.00 WIB.
        due: Some(1_796_605_200_000),
        ..NoticeValues::default()
    };
    Notice::queue(id, Some("P-2026-0001"), deed, to, values, 0).value
}

/// An outbox in memory that writes down what was reported.
struct Memory {
    due: Mutex<Vec<Notice>>,
    said: Mutex<Vec<String>>,
}

impl Outbox for Memory {
    fn due(&self, most: usize) -> Result<Vec<Notice>, String> {
        let mut due = self.due.lock().unwrap();
        let most = most.min(due.len());
        Ok(due.drain(..most).collect())
    }

    fn sent(&self, id: &str) -> Result<(), String> {
        self.said.lock().unwrap().push(format!("sent {id}"));
        Ok(())
    }

    fn failed(&self, id: &str, _: &str, for_good: bool) -> Result<(), String> {
        self.said.lock().unwrap().push(format!("failed {id} {for_good}"));
        Ok(())
    }
}

/// A mail server that takes everything but mail to `penuh@` (later) and `tiada@` (never).
pub(crate) async fn serve(listener: TcpListener, inbox: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let inbox = Arc::clone(&inbox);
        tokio::spawn(async move {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 uji ESMTP\r\n").await.unwrap();
            let (mut data, mut mail) = (false, String::new());
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: &[u8] = if data {
                    if line != "." {
                        mail.push_str(&line);
                        mail.push('\n');
                        continue;
                    }
                    data = false;
                    inbox.lock().unwrap().push(std::mem::take(&mut mail));
                    b"250 taken\r\n"
                } else if line.contains("<penuh@") {
                    b"451 later\r\n"
                } else if line.contains("<tiada@") {
                    b"550 5.1.1 <tiada@rahasia.example>: nobody here\r\n"
                } else if line.starts_with("EHLO") {
                    b"250-uji\r\n250 8BITMIME\r\n"
                } else if line == "DATA" {
                    data = true;
                    b"354 go on\r\n"
                } else {
                    b"250 fine\r\n"
                };
                if writer.write_all(answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[tokio::test]
async fn a_notice_reaches_the_mailbox_and_refusals_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let inbox = Arc::new(Mutex::new(Vec::new()));
    let server = tokio::spawn(serve(listener, Arc::clone(&inbox)));
    let relay = Relay {
        relay: format!("smtp://127.0.0.1:{port}"),
        from: "Diskominfo <gapura@cirebonkab.go.id>".to_owned(),
        url: "https://gapura.cirebonkab.go.id".to_owned(),
    };
    let mailer = Mailer::new(&relay).unwrap().unwrap();
    let rows = vec![
        notice("n1", "kuwu@contoh.desa.id"),
        notice("n2", "penuh@contoh.desa.id"),
        notice("n3", "tiada@contoh.desa.id"),
        notice("n4", ""),
    ];
    let kept = Arc::new(Memory { due: Mutex::new(rows), said: Mutex::default() });
    let outbox: Arc<dyn Outbox> = Arc::clone(&kept) as Arc<dyn Outbox>;
    assert_eq!(mailer.round(&outbox).await.unwrap(), 1);
    let said = kept.said.lock().unwrap().clone();
    assert_eq!(said, ["sent n1", "failed n2 false", "failed n3 true"]);
    let mails = inbox.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: kuwu@contoh.desa.id"), "{}", mails[0]);
    assert!(mails[0].contains("From: Diskominfo <gapura@cirebonkab.go.id>"), "{}", mails[0]);
    let mail = mails[0].replace("=\n", "").replace("=3D", "=");
    let link = "https://gapura.cirebonkab.go.id/status?nomor=P-2026-0001";
    assert!(mail.contains(&format!("Lihat status permohonan: {link}")), "{mail}");
    assert!(mail.contains(&format!("<a href=\"{link}\">")), "{mail}");
    assert!(mails[0].contains("Message-ID: <n1@cirebonkab.go.id>"), "{}", mails[0]);
    assert!(mails[0].contains("Auto-Submitted: auto-generated"), "{}", mails[0]);
    server.abort();
}

/// An outbox that keeps what the relay said.
struct Kept {
    due: Mutex<Vec<Notice>>,
    said: Mutex<String>,
}

impl Outbox for Kept {
    fn due(&self, _: usize) -> Result<Vec<Notice>, String> {
        Ok(std::mem::take(&mut self.due.lock().unwrap()))
    }

    fn sent(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn failed(&self, _: &str, error: &str, _: bool) -> Result<(), String> {
        error.clone_into(&mut self.said.lock().unwrap());
        Ok(())
    }
}

#[tokio::test]
async fn what_a_relay_says_of_a_mailbox_is_kept_and_not_in_what_is_logged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = Relay {
        relay: format!("smtp://{}", listener.local_addr().unwrap()),
        from: "gapura@cirebonkab.go.id".to_owned(),
        url: "https://gapura.cirebonkab.go.id".to_owned(),
    };
    tokio::spawn(serve(listener, Arc::default()));
    let mailer = Mailer::new(&relay).unwrap().unwrap();
    let t = Words::of(Lang::Id);
    let to = "tiada@rahasia.example";
    let code = mailer.send_code(CodeFor::Mailbox, to, "410755", t).await.unwrap_err();
    let link = mailer.send_draft_link(to, "x", "t", t).await.unwrap_err();
    for error in [code, link] {
        let logged = crate::text::with_causes(&error);
        assert!(logged.contains("550") && !logged.contains("rahasia"), "{logged}");
    }
    let kept = Arc::new(Kept { due: Mutex::new(vec![notice("n1", to)]), said: Mutex::default() });
    mailer.round(&(Arc::clone(&kept) as Arc<dyn Outbox>)).await.unwrap();
    let said = kept.said.lock().unwrap().clone();
    assert!(said.contains("<tiada@rahasia.example>"), "with the notice: {said}");
}

#[tokio::test]
async fn a_relay_that_is_down_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let relay = Relay {
        relay: format!("smtp://127.0.0.1:{port}"),
        from: "gapura@cirebonkab.go.id".to_owned(),
        url: "https://gapura.cirebonkab.go.id".to_owned(),
    };
    let mailer = Mailer::new(&relay).unwrap().unwrap();
    let rows = vec![notice("n1", "kuwu@contoh.desa.id")];
    let kept = Arc::new(Memory { due: Mutex::new(rows), said: Mutex::default() });
    let outbox: Arc<dyn Outbox> = Arc::clone(&kept) as Arc<dyn Outbox>;
    assert_eq!(mailer.round(&outbox).await.unwrap(), 0);
    assert_eq!(kept.said.lock().unwrap().clone(), ["failed n1 false"]);
    let none = Relay { relay: String::new(), ..relay };
    assert!(Mailer::new(&none).unwrap().is_none(), "no relay: letters are printed");
}

#[test]
fn mails_of_codes_and_links_say_what_they_are_for() {
    for lang in [Lang::Id, Lang::En] {
        let t = Words::of(lang);
        for text in ["mail-code-text", "mail-lost-text"] {
            let mail = t.with(text, &[("code", "461953"), ("site", "https://x")]);
            assert!(["461953", "https://x", "15"].iter().all(|it| mail.contains(it)), "{mail}");
        }
        let mail = t.with("mail-draft-text", &[("what", "antrean"), ("link", "https://x/l")]);
        assert!(mail.contains("antrean") && mail.contains("https://x/l"), "{mail}");
        assert!(!mail.contains('{') && !mail.contains("15"), "{mail}");
    }
}

#[test]
fn every_notice_has_words_in_both_languages() {
    for lang in [Lang::Id, Lang::En] {
        for reader in NoticeReader::ALL {
            for deed in Deed::ALL {
                let notice = about("n1", deed, (reader, "a@b.id"));
                let message = message(&notice, Words::of(lang), "https://x");
                assert!(!message.text.contains("mail-"), "{}", message.text);
                // Without its own link a party answers by letter.
                let has_link = reader != NoticeReader::Party;
                assert_eq!(message.text.contains("https://x/"), has_link, "{}", message.text);
            }
        }
    }
    let message = message(&notice("n1", "a@b.id"), Words::of(Lang::Id), "https://x");
    let subject = "Permohonan Anda untuk gegesikkulon.desa.cirebonkab.go.id perlu diperbaiki";
    assert_eq!(message.subject, subject);
    assert!(message.text.contains("perlu diperbaiki"), "{}", message.text);
    assert!(message.text.contains("7 Desember 2026"), "{}", message.text);
}
