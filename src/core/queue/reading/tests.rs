//! What an application must be to be held by a request, and how it is stored.

use super::*;
use crate::queue::fixture::application;
use crate::queue::{Naming, RequestedRecord, automatic};
use crate::wire::Rtype;

/// The rules that keep an application from being parsed, by field.
fn unparsed(application: Application) -> Vec<(String, Rule)> {
    let faults = Reading::of(application).parse().unwrap_err();
    faults.into_iter().map(|fault| (fault.field, fault.rule)).collect()
}

#[test]
fn a_parsed_application_is_stored_as_the_text_that_was_sent() {
    let sent = Application { exception: Some("alasan".to_owned()), lift: true, ..application() };
    let text = serde_json::to_string(&sent).unwrap();
    let parsed: ParsedApplication = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    assert_eq!(parsed.place().name.to_string(), "grogolkapetakan.desa.cirebonkab.go.id.");
    assert_eq!(parsed.place().zone.to_string(), "cirebonkab.go.id.");
    let record = parsed.rrs().next().unwrap();
    assert_eq!(
        (record.rtype(), record.ttl(), record.rdata()),
        (Rtype::A, 3600, &[192, 0, 2, 10][..])
    );
}

#[test]
fn nothing_that_does_not_parse_becomes_an_application() {
    let one = |field: &str, rule| vec![(field.to_owned(), rule)];
    for name in ["", "a..b", &"a".repeat(64), &"_tcp.".repeat(60)] {
        let bad = Application { name: name.to_owned(), ..application() };
        assert_eq!(unparsed(bad), one("name", Rule::NameEmpty), "{name}");
    }
    let bad = Application { zone: "go..id.".to_owned(), ..application() };
    assert_eq!(unparsed(bad), one("zone", Rule::NotInZone));
    let bad = Application { ends: Some("besok".to_owned()), ..application() };
    assert_eq!(unparsed(bad), one("ends", Rule::BadDate));
    let mut bad = application();
    bad.records[0].data = "192.0.2".to_owned();
    assert_eq!(unparsed(bad.clone()), one("records.0.data", Rule::BadAddress));
    let error = ParsedApplication::try_from(bad).unwrap_err();
    assert_eq!(error.to_string(), "records.0.data: not an address: 192.0.2");
}

#[test]
fn a_stored_body_that_does_not_parse_does_not_open() {
    let body = serde_json::to_string(&application()).unwrap();
    let spoilt = body.replace("grogolkapetakan.desa", "grogol..desa");
    let error = serde_json::from_str::<ParsedApplication>(&spoilt).unwrap_err();
    assert!(error.to_string().contains("name: the name is empty"), "{error}");
}

#[test]
fn names_are_compared_without_case() {
    let sent = Application { name: "WWW.Desa".to_owned(), ..application() };
    let place = Reading::of(sent).place().unwrap().clone();
    assert_eq!(place.name.to_string(), "www.desa.cirebonkab.go.id.");
}

#[test]
fn a_term_counts_whole_days_in_wib() {
    let sent = Application {
        starts: Some("2026-11-23".to_owned()),
        ends: Some("2026-11-23".to_owned()),
        ..application()
    };
    let reading = Reading::of(sent);
    let (starts, ends) = (reading.starts_at().unwrap(), reading.ends_at().unwrap());
    assert_eq!(starts, 1_795_366_800_000, "2026-11-22T17:00:00Z");
    assert_eq!(ends - starts, DAY_MS);
}

#[test]
fn targets_and_addresses_are_read_from_the_data() {
    let read = |rtype: &str, data: &str| {
        let text = RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: 60 };
        ParsedRecord::sent(&text).unwrap()
    };
    let targets =
        |rtype, data| read(rtype, data).targets().iter().map(Name::to_string).collect::<Vec<_>>();
    assert_eq!(targets("MX", "10 Mail.Example.id"), ["mail.example.id."]);
    assert_eq!(targets("SRV", "1 2 443 web.example.id."), ["web.example.id."]);
    assert_eq!(targets("HTTPS", "1 . alpn=h2"), [""; 0], "the root is no target");
    let hints = |data| read("HTTPS", data).addresses().iter().map(ToString::to_string).collect();
    let both: Vec<String> = hints("1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1");
    assert_eq!(both, ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    assert_eq!(
        read("AAAA", "2001:db8::5").addresses(),
        ["2001:db8::5".parse::<std::net::IpAddr>().unwrap()]
    );
}

#[test]
fn what_is_tidied_is_what_is_read() {
    let mut sent = application();
    sent.records[0] =
        RequestedRecord { rtype: " a ".to_owned(), data: " 192.0.2.10 ".to_owned(), ttl: 60 };
    let tidied = automatic::tidy(sent.clone(), &Naming::default());
    let (raw, tidied) = (Reading::of(sent).parse().unwrap(), Reading::of(tidied).parse().unwrap());
    let rdata = |parsed: &ParsedApplication| parsed.rrs().next().unwrap().rdata().to_vec();
    assert_eq!(rdata(&raw), rdata(&tidied));
    assert_eq!(tidied.records[0].rtype, "A");
}
