//! Both sides against each other, and each rule of RFC 8945 §5.2. Real clients and servers are asked in `tests/it`.

use std::sync::Arc;

use super::stream::UNSIGNED_MAX;
use super::*;
use crate::wire::{Header, Query, Rcode};

/// Now.
const NOW: u64 = 1_800_000_000;

fn key(name: &str, algorithm: Algorithm, secret: &[u8]) -> Key {
    Key::new(&name.parse().unwrap(), algorithm, secret)
}

/// A key of each algorithm.
fn keys() -> impl Iterator<Item = Key> {
    let keys = Algorithm::ALL.map(|algorithm| {
        key(&format!("{algorithm}.Key."), algorithm, b"secret of thirty-two octets, long")
    });
    keys.into_iter()
}

fn keyring() -> Keyring {
    keys().collect()
}

fn usual() -> Arc<Key> {
    keyring()
        .get("hmac-sha256.key.".parse::<crate::wire::Name>().unwrap().as_ref())
        .unwrap()
        .clone()
}

/// A query for example. SOA.
fn query() -> Vec<u8> {
    b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07example\0\0\x06\0\x01".to_vec()
}

/// Its response, in a buffer with room behind it, and its length.
fn response() -> (Vec<u8>, usize) {
    let mut response = query();
    response[2] = 0x84;
    let length = response.len();
    response.resize(512, 0);
    (response, length)
}

/// The query signed with a key, and what its response must agree with.
fn signed(key: &Arc<Key>, now: u64) -> (Vec<u8>, Expected) {
    let mut query = query();
    let expected = sign_query(key, &mut query, now);
    (query, expected)
}

/// Verifies as a server does.
fn verify(message: &[u8], now: u64) -> Result<Request, Rejected> {
    let read = Query::read(message).unwrap();
    assert!(!read.malformed);
    verify_request(message, read.tsig.unwrap(), &keyring(), now)
}

/// The fault of a query that was signed at `NOW` and then changed.
fn fault(change: impl FnOnce(&mut Vec<u8>), now: u64) -> Rejected {
    let (mut query, _) = signed(&usual(), NOW);
    change(&mut query);
    verify(&query, now).unwrap_err()
}

/// The response to a rejected request.
fn reaction(rejected: Rejected, now: u64) -> Vec<u8> {
    let (mut response, length) = response();
    response[3] = 9;
    let octets = rejected.octets();
    let length_signed = rejected.sign(&mut response, length, now).unwrap();
    assert_eq!(length_signed, length + octets);
    response.truncate(length_signed);
    response
}

#[test]
fn each_algorithm_there_and_back() {
    for key in keys().map(Arc::new) {
        let (query, expected) = signed(&key, NOW);
        let request = verify(&query, NOW + 300).unwrap();
        assert_eq!((&request.message, request.key().name()), (&self::query(), key.name()));
        let (mut buffer, length) = response();
        let end = request.signer.sign(&mut buffer, length, NOW).unwrap();
        assert_eq!(end, length + request.signer.octets());
        assert_eq!(expected.verify(&buffer[..end], NOW).unwrap(), buffer_without(&buffer, length));
        // A bit anywhere in it.
        for at in 0..end {
            let mut changed = buffer[..end].to_vec();
            changed[at] ^= 1;
            // The identifier itself is not signed: that of the TSIG record is.
            assert!(at < 2 || expected.verify(&changed, NOW).is_err(), "octet {at}");
        }
    }
}

/// The message at the start of a buffer as it was before its TSIG was added.
fn buffer_without(buffer: &[u8], length: usize) -> Vec<u8> {
    let mut message = buffer[..length].to_vec();
    message[11] = 0;
    message
}

#[test]
fn names_are_compared_and_signed_without_case() {
    let (mut query, _) = signed(&usual(), NOW);
    let at = Query::read(&query).unwrap().tsig.unwrap();
    query[at + 1..at + 5].copy_from_slice(b"HMac");
    assert!(verify(&query, NOW).is_ok());
}

#[test]
fn the_key_s_name_may_be_compressed() {
    let key = Arc::new(key("armada.example.", Algorithm::HmacSha256, b"x"));
    let mut query = query();
    let length = query.len();
    sign_query(&key, &mut query, NOW);
    let label = length + 7;
    query.splice(label..label + 9, [0xc0, 12]);
    let read = Query::read(&query).unwrap();
    let ring = Keyring::from_iter([self::key("armada.example.", Algorithm::HmacSha256, b"x")]);
    assert!(verify_request(&query, read.tsig.unwrap(), &ring, NOW).is_ok());
}

#[test]
fn an_unknown_key_or_algorithm_is_badkey_and_not_signed() {
    let other = Arc::new(key("other.", Algorithm::HmacSha256, b"x"));
    let same_name = Arc::new(key("hmac-sha256.key.", Algorithm::HmacSha512, b"x"));
    for key in [other, same_name] {
        let (query, expected) = signed(&key, NOW);
        let rejected = verify(&query, NOW).unwrap_err();
        assert_eq!((rejected.fault, &rejected.message), (TsigFault::BadKey, &self::query()));
        assert_eq!(rejected.key.as_ref(), Some(key.name()));
        let response = reaction(rejected, NOW);
        let error = expected.verify(&response, NOW).unwrap_err();
        assert_eq!(error, ResponseFault::Rejected { code: Rcode::BADKEY, server_time: None });
    }
}

#[test]
fn a_wrong_signature_is_badsig_whatever_else_is_wrong() {
    for now in [NOW, NOW + 100_000] {
        let rejected = fault(|query| query[12 + 3] ^= 0x20, now);
        assert_eq!(rejected.fault, TsigFault::BadSig);
        let response = reaction(rejected, now);
        assert!(response.windows(2).any(|it| it == [0, 16]));
        let (_, expected) = signed(&usual(), NOW);
        let error = expected.verify(&response, NOW).unwrap_err();
        assert!(error.to_string().contains("BADSIG"), "{error}");
    }
}

#[test]
fn another_time_is_badtime_and_signed_with_the_server_s_time() {
    let (_, expected) = signed(&usual(), NOW);
    for now in [NOW + 301, NOW - 301, 0, u64::MAX >> 16] {
        let rejected = fault(|_| (), now);
        assert_eq!(rejected.fault, TsigFault::BadTime, "{now}");
        let response = reaction(rejected, now);
        let error = expected.verify(&response, NOW).unwrap_err();
        let told = ResponseFault::Rejected { code: Rcode::BADTIME, server_time: Some(now) };
        assert_eq!(error, told, "verified by the client's clock");
        assert!(error.to_string().ends_with(&format!("it is {now} there (seconds since 1970)")));
    }
    for now in [NOW + 300, NOW - 300] {
        assert!(verify(&signed(&usual(), NOW).0, now).is_ok());
    }
}

#[test]
fn times_near_zero_and_at_the_end_do_not_wrap() {
    let end = (1 << 48) - 1;
    for (signed_at, now, good) in [
        (0, 0, true),
        (0, 300, true),
        (5, 0, true),
        (end, end, true),
        (end, 0, false),
        (0, end, false),
    ] {
        assert_eq!(verify(&signed(&usual(), signed_at).0, now).is_ok(), good, "{signed_at} {now}");
    }
}

/// Cuts the signature of a signed query to `octets`.
fn cut(query: &mut Vec<u8>, octets: usize) {
    let length = query.len();
    // Behind the signature: original identifier, error, length of other data.
    let mac = length - 6 - 32;
    query.drain(mac + octets..mac + 32);
    query[mac - 2..mac].copy_from_slice(&(octets as u16).to_be_bytes());
    let rdata = 13 + 16 + octets;
    let at = mac - 10 - 13 - 2;
    query[at..at + 2].copy_from_slice(&(rdata as u16).to_be_bytes());
}

#[test]
fn a_short_signature_is_formerr_and_a_cut_one_badtrunc() {
    for octets in 0..16 {
        let rejected = fault(|query| cut(query, octets), NOW);
        assert_eq!((rejected.fault, rejected.octets()), (TsigFault::Malformed, 0), "{octets}");
    }
    for octets in 16..32 {
        let rejected = fault(|query| cut(query, octets), NOW);
        assert_eq!(rejected.fault, TsigFault::BadTrunc, "{octets}");
        // Signed, behind the signature as it came.
        let response = reaction(rejected, NOW);
        let mut expected = signed(&usual(), NOW).1;
        expected.mac.truncate(octets);
        let error = expected.verify(&response, NOW).unwrap_err();
        assert_eq!(error, ResponseFault::Rejected { code: Rcode::BADTRUNC, server_time: None });
    }
    let wrong = fault(
        |query| {
            cut(query, 16);
            let end = query.len();
            query[end - 7] ^= 1;
        },
        NOW,
    );
    assert_eq!(wrong.fault, TsigFault::BadSig, "the part that is there has to be right");
    let long = fault(
        |query| {
            let mac = query.len() - 6;
            query.splice(mac..mac, [0; 4]);
            query[mac - 33] = 36;
            query[mac - 32 - 10 - 13 - 1] += 4;
        },
        NOW,
    );
    assert_eq!(long.fault, TsigFault::Malformed, "longer than any of its kind");
}

#[test]
fn a_record_that_is_not_as_it_must_be_is_formerr() {
    // Behind the owner (17 octets at 25): type, class, TTL, length.
    let owner = 25 + 17;
    for (what, at) in [("class", owner + 3), ("TTL", owner + 7), ("length", owner + 9)] {
        let rejected = {
            let (mut query, _) = signed(&usual(), NOW);
            query[at] = query[at].wrapping_sub(1);
            if what == "length" {
                query.pop();
            }
            verify(&query, NOW).unwrap_err()
        };
        assert_eq!(
            (rejected.fault, rejected.key.is_none()),
            (TsigFault::Malformed, true),
            "{what}"
        );
    }
    let error = fault(|query| *query.iter_mut().rev().nth(2).unwrap() = 16, NOW);
    assert_eq!(error.fault, TsigFault::Malformed, "a request tells no error");
}

/// Signs the next message of a transfer.
fn sign_next(signer: &mut StreamSigner, message: &mut Vec<u8>, now: u64) {
    let length = message.len();
    message.resize(length + signer.octets(), 0);
    assert!(signer.sign(message, length, now).is_some(), "the room was made");
}

#[test]
fn every_message_of_a_transfer_is_signed_and_verified() {
    let (query, expected) = signed(&usual(), NOW);
    let mut signer = verify(&query, NOW).unwrap().signer.into_stream();
    let mut verifier = expected.into_stream();
    assert!(!verifier.is_complete());
    let mut messages = Vec::new();
    for number in 0..5 {
        let (mut buffer, length) = response();
        buffer[11 + 2] = b'0' + number;
        buffer.truncate(length);
        let bare = buffer.clone();
        sign_next(&mut signer, &mut buffer, NOW + 200 * u64::from(number));
        assert_eq!(buffer.len(), length + signer.octets());
        let now = NOW + 200 * u64::from(number);
        assert_eq!(verifier.verify(&buffer, now).unwrap(), bare);
        assert!(verifier.is_complete());
        messages.push(buffer);
    }
    // One left out, or two in the other order.
    let mut verifier = signed(&usual(), NOW).1.into_stream();
    verifier.verify(&messages[0], NOW).unwrap();
    assert_eq!(verifier.verify(&messages[2], NOW + 400), Err(ResponseFault::BadSignature));
}

#[test]
fn messages_between_may_be_unsigned_up_to_99_and_the_last_may_not() {
    let key = usual();
    let (query, expected) = signed(&key, NOW);
    let mut signer = verify(&query, NOW).unwrap().signer.into_stream();
    let mut verifier = expected.into_stream();
    let (buffer, length) = response();
    let bare = &buffer[..length];
    assert_eq!(verifier.verify(bare, NOW), Err(ResponseFault::Unsigned), "the first is signed");
    let mut first = bare.to_vec();
    sign_next(&mut signer, &mut first, NOW);
    verifier.verify(&first, NOW).unwrap();
    // A server that signs each hundredth message: RFC 8945 §5.3.1.
    let mut begun = record::begin_after(&key, &signer_mac(&first));
    for _ in 0..UNSIGNED_MAX {
        verifier.verify(bare, NOW).unwrap();
        begun.update(bare);
    }
    assert!(!verifier.is_complete());
    let mut last = bare.to_vec();
    let mut record = server::unsigned_by(&key, &last, NOW);
    record.sign(begun, &last, record::Scope::Timers);
    last.resize(length + 200, 0);
    let end = record::append(&record.wire(), &mut last, length).unwrap();
    verifier.verify(&last[..end], NOW).unwrap();
    assert!(verifier.is_complete());
    for _ in 0..UNSIGNED_MAX {
        verifier.verify(bare, NOW).unwrap();
    }
    assert_eq!(verifier.verify(bare, NOW), Err(ResponseFault::Gap));
}

/// The signature at the end of a message.
fn signer_mac(message: &[u8]) -> Vec<u8> {
    let end = message.len() - 6;
    message[end - 32..end].to_vec()
}

#[test]
fn a_response_without_tsig_or_with_another_key_s_is_not_believed() {
    let (_, expected) = signed(&usual(), NOW);
    let (mut buffer, length) = response();
    assert_eq!(expected.verify(&buffer[..length], NOW), Err(ResponseFault::Unsigned));
    assert_eq!(expected.verify(&query(), NOW), Err(ResponseFault::Malformed), "a query");
    let other = Arc::new(key("other.", Algorithm::HmacSha256, b"x"));
    let mut record = server::unsigned_by(&other, &buffer[..length], NOW);
    record.sign(
        record::begin_after(&other, &expected.mac),
        &buffer[..length],
        record::Scope::Variables,
    );
    let end = record::append(&record.wire(), &mut buffer, length).unwrap();
    assert_eq!(expected.verify(&buffer[..end], NOW), Err(ResponseFault::OtherKey));
    assert!(Header::read(&buffer).unwrap().additionals == 1);
}

#[test]
fn no_secret_is_shown() {
    let key = key("k.", Algorithm::HmacSha256, b"geheimgeheimgeheim");
    assert_eq!(format!("{key:?}"), "Key(k. hmac-sha256)");
}
