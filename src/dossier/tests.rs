//! What papers say of a request, and what stays of them without its person.

use super::parts::record;
use super::*;
use crate::queue::fixture::{application, at, officer};
use crate::queue::{Act, Actor, Facts, Identity, Role};

/// A request that was routed, and what its papers are made of.
fn making(kind: PaperKind) -> Content {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let (now, kasi) = (at(0, 9, 0), officer("sari", Role::Verifier));
    let facts = Facts { assignee: Some(&kasi), ..Facts::at(now, &calendar, &rules) };
    let applicant = Actor::applicant("Sutrisno", Identity::default(), None);
    let sent = application().into();
    let step = Request::submit("GPR-1", sent, Vec::new(), true, &applicant, &facts).unwrap();
    let act = Act::Dispose { to: "sari".to_owned(), instruction: "Hubungi Sutrisno".to_owned() };
    let request = step.value.act(&act, &officer("budi", Role::Head), &facts).unwrap().value;
    let signer = |title: &str| Signer { title: title.to_owned(), ..Signer::default() };
    let making = Making {
        request: &request,
        deed: Deed::Return,
        at: now,
        calendar: &calendar,
        rules: &rules,
        site: "https://subdomain.example",
        verifier: signer("Kasi"),
        head: signer("Kabid"),
        name_of: &|name| name.to_owned(),
        candidate: None,
        promoted: None,
        slip: None,
    };
    fill(kind, &making).unwrap()
}

#[test]
fn a_paper_says_what_the_request_says() {
    let Content::Receipt(receipt) = making(PaperKind::Receipt) else { panic!() };
    assert_eq!((receipt.request.as_str(), receipt.person.as_deref()), ("GPR-1", Some("Sutrisno")));
    assert_eq!(receipt.name, "grogolkapetakan.desa.cirebonkab.go.id");
    assert_eq!((receipt.letter.number.as_str(), receipt.secret), ("140/12", None));
    assert_eq!(receipt.steps.len(), 4, "{:?}", receipt.steps);
    assert_eq!(receipt.steps[0].limit_minutes, Some(15));
    assert_eq!(receipt.status_url, "https://subdomain.example/status");
    let Content::Disposition(slip) = making(PaperKind::Disposition) else { panic!() };
    assert_eq!(slip.instruction.as_deref(), Some("Hubungi Sutrisno"));
    assert_eq!((slip.signer.title.as_str(), slip.forwarded_to[0].as_str()), ("Kabid", "Kasi"));
    assert!(slip.next.due_ms.is_some(), "{:?}", slip.next);
}

#[test]
fn nothing_of_the_person_stays_and_the_rest_does() {
    for kind in [PaperKind::Receipt, PaperKind::Disposition, PaperKind::Notification] {
        let content = making(kind);
        let named = |content: &Content| {
            let text = serde_json::to_string(content).unwrap();
            text.contains("Sutrisno") || text.contains("Sekretaris")
        };
        assert!(named(&content), "{kind}");
        let left = without_persons(content.clone());
        assert!(!named(&left), "{kind}: {left:?}");
        assert!(serde_json::to_string(&left).unwrap().contains("GPR-1"), "{kind}");
        assert_eq!(without_persons(left.clone()), left, "once is enough");
    }
}

#[test]
fn a_record_is_read_in_its_parts() {
    let read = record("a.example. 3600 IN TXT \"v=1 x\"", false).unwrap();
    assert_eq!((read.name.as_str(), read.ttl, read.rtype.as_str()), ("a.example", 3600, "TXT"));
    assert_eq!(read.data, "\"v=1 x\"");
    assert_eq!(record("nothing", true), None);
}
