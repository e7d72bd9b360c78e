//! Codes that prove a mailbox: what is right, what is over, what is limited.

use super::*;
use crate::desk::PublicLimit;
use crate::desk::TriedCode;
use crate::queue::Rule;
use crate::queue::time::MINUTE_MS;

/// A mailbox.
const MAILBOX: &str = "umum@dinkes.example";

/// Another code than this one.
fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

impl Office {
    /// A code for a subject and a mailbox.
    fn code(&self, subject: &str, mailbox: &str) -> Result<String, ActError> {
        self.desk.new_mailbox_code(subject, mailbox, "192.0.2.0/24")
    }

    /// Ends a proof, as a request that is written does; whether it was there.
    fn spend(&self, subject: &str) -> bool {
        self.store.write(|tx| self.desk.spend_mailbox_proof(tx, subject, MAILBOX)).unwrap()
    }

    /// What comes of trying one.
    fn tries(&self, subject: &str, code: &str) -> TriedCode {
        self.desk.try_mailbox_code(subject, MAILBOX, code).unwrap()
    }
}

#[test]
fn a_code_proves_one_mailbox_to_one_subject_once() {
    let office = Office::new();
    let code = office.code("a", MAILBOX).unwrap();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    // Somebody else's subject, another mailbox.
    assert_eq!(office.tries("b", &code), TriedCode::None);
    let other = office.desk.try_mailbox_code("a", "lain@dinkes.example", &code).unwrap();
    assert_eq!(other, TriedCode::None);
    assert!(!office.desk.mailbox_is_proven("a", MAILBOX).unwrap());
    // As people type it.
    let typed = format!(" {} {}", &code[..3], &code[3..]);
    assert_eq!(office.tries("a", &typed), TriedCode::Right);
    assert!(office.desk.mailbox_is_proven("a", "Umum@Dinkes.example ").unwrap());
    // Where `+` is part of a name, this is somebody else's.
    assert!(!office.desk.mailbox_is_proven("a", "umum+x@dinkes.example").unwrap());
    assert!(!office.desk.mailbox_is_proven("b", MAILBOX).unwrap());
    assert_eq!(office.tries("a", &code), TriedCode::None, "once");
    // The proof goes with one request, and is over after a day.
    office.spend("a");
    assert!(!office.desk.mailbox_is_proven("a", MAILBOX).unwrap());
    let code = office.code("a", MAILBOX).unwrap();
    assert_eq!(office.tries("a", &code), TriedCode::Right);
    office.time.fetch_add(24 * 60 * MINUTE_MS, Ordering::Relaxed);
    assert!(!office.desk.mailbox_is_proven("a", MAILBOX).unwrap());
}

#[test]
fn a_code_is_over_after_five_tries_fifteen_minutes_or_a_newer_one() {
    let office = Office::new();
    let code = office.code("a", MAILBOX).unwrap();
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(office.tries("a", other_than(&code)), TriedCode::Wrong(left));
    }
    assert_eq!(office.tries("a", &code), TriedCode::None, "the right one comes too late");
    let old = office.code("a", MAILBOX).unwrap();
    let new = office.code("a", MAILBOX).unwrap();
    if old != new {
        assert_eq!(office.tries("a", &old), TriedCode::Wrong(4));
    }
    office.time.fetch_add(15 * MINUTE_MS, Ordering::Relaxed);
    assert_eq!(office.tries("a", &new), TriedCode::None);
    assert_eq!(office.tries("a", ""), TriedCode::None);
}

#[test]
fn a_code_mailed_to_a_tag_proves_the_tag_alone() {
    let office = Office::new();
    let (plain, tagged) = (MAILBOX, "umum+x@dinkes.example");
    let code = office.code("a", tagged).unwrap();
    assert_eq!(office.tries("a", &code), TriedCode::Wrong(4));
    let right = office.desk.try_mailbox_code("a", tagged, &code).unwrap();
    assert_eq!(right, TriedCode::Right);
    assert!(office.desk.mailbox_is_proven("a", tagged).unwrap());
    assert!(!office.desk.mailbox_is_proven("a", plain).unwrap());
}

#[test]
fn a_proof_goes_with_one_of_the_requests_sent_at_once() {
    let office = Office::new();
    let code = office.code("a", MAILBOX).unwrap();
    assert_eq!(office.tries("a", &code), TriedCode::Right);
    // All have seen the proof before any is written.
    let by = Submitter { proof_of: Some("a".to_owned()), ..applicant() };
    let send = |name: &str, address: &str| {
        let mut asked = service(name, address);
        asked.contact.email = MAILBOX.to_owned();
        office.desk.submit(asked, Some(letter()), &by)
    };
    let sent = send("satu", "192.0.2.120").unwrap();
    assert!(office.view(&sent.number).mailbox_proven);
    let late = send("dua", "192.0.2.121").unwrap_err();
    assert_eq!(late.faults()[0].rule, Rule::MailboxCodeOver);
    assert!(!office.spend("a"));
}

#[test]
fn tries_at_once_count_like_tries_one_by_one() {
    let office = Office::new();
    let code = office.code("a", MAILBOX).unwrap();
    let wrong = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..20).map(|_| scope.spawn(|| office.tries("a", other_than(&code)))).collect();
        let tried = threads.into_iter().map(|thread| thread.join().unwrap());
        tried.filter(|tried| matches!(tried, TriedCode::Wrong(_))).count()
    });
    assert_eq!(wrong, 5);
}

#[test]
fn codes_are_limited_by_subject_mailbox_and_network() {
    let office = Office::new();
    let full = |made: Result<String, ActError>| {
        matches!(made.unwrap_err(), ActError::Limit(PublicLimit::Codes))
    };
    for _ in 0..5 {
        office.code("a", MAILBOX).unwrap();
    }
    assert!(full(office.code("a", "lain@dinkes.example")), "the subject");
    assert!(full(office.code("b", "UMUM+1@dinkes.example")), "the mailbox, from here");
    for at in 0..7 {
        let network = format!("203.0.113.{}/32", at / 4);
        let made = office.desk.new_mailbox_code(&format!("m{at}"), MAILBOX, &network);
        made.unwrap();
    }
    let elsewhere = office.desk.new_mailbox_code("e", MAILBOX, "203.0.113.9/32");
    assert!(full(elsewhere), "the mailbox");
    for at in 0..15 {
        office.code(&format!("n{at}"), &format!("n{at}@dinkes.example")).unwrap();
    }
    assert!(full(office.code("z", "z@dinkes.example")), "the network");
    let elsewhere = office.desk.new_mailbox_code("z", "z@dinkes.example", "198.51.100.0/24");
    elsewhere.unwrap();
    office.time.fetch_add(61 * MINUTE_MS, Ordering::Relaxed);
    office.code("a", MAILBOX).unwrap();
}

#[test]
fn a_proof_cannot_be_written_into_the_database() {
    let office = Office::new();
    let code = office.code("a", MAILBOX).unwrap();
    for file in std::fs::read_dir(office.directory.path().join("state")).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for plain in [MAILBOX, &format!("\"{code}\"")] {
            assert!(!text.contains(plain), "{plain} lies in {}", file.path().display());
        }
    }
    for forged in ["UPDATE mailbox_code SET proof = 'x'", "UPDATE mailbox_code SET proof = code"] {
        office.store.tamper(forged);
        assert!(!office.desk.mailbox_is_proven("a", MAILBOX).unwrap(), "{forged}");
    }
}

#[test]
fn what_is_left_of_the_limits_does_not_say_whose_a_request_is() {
    let office = Office::new();
    let desk = &office.desk;
    let number = office.submit(application()).unwrap().number;
    let email = application().contact.email;
    let mut left = Vec::new();
    for asked in [email.as_str(), "lain@dinkes.example"] {
        for at in 0..5 {
            let network = format!("198.51.{at}.0/24");
            let made = desk.new_lost_code(&number, asked, asked, &network).unwrap();
            assert_eq!(made.is_some(), asked == email);
        }
        let is_made =
            |at: &usize| desk.new_mailbox_code(&format!("s{at}"), asked, &format!("n{at}")).is_ok();
        left.push((0..20).filter(is_made).count());
    }
    assert_eq!(left, [7, 7]);
}
