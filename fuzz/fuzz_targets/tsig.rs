//! Signed messages: any octets are verified or rejected, a response to either can be signed, and only what was
//! signed is believed.

#![no_main]

use std::sync::LazyLock;

use gapura::tsig::{Algorithm, Key, Keyring, sign_query, verify_request};
use gapura::wire::{Name, Query};
use libfuzzer_sys::fuzz_target;

/// Now, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

/// One key of each algorithm, named after it.
static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let key = |algorithm| Key::new(&name(algorithm), algorithm, b"a secret for the fuzzer");
    Algorithm::ALL.into_iter().map(key).collect()
});

/// The name of the key of an algorithm.
fn name(algorithm: Algorithm) -> Name {
    algorithm.as_str().parse().unwrap()
}

fuzz_target!(|bytes: &[u8]| {
    let mut out = [0; 1024];
    if let Some(at) = Query::read(bytes).and_then(|query| query.tsig) {
        match verify_request(bytes, at, &KEYRING, NOW) {
            // Nobody guesses a signature of 128 bits or more.
            Ok(_) => panic!("a message that nobody signed is believed"),
            Err(rejected) => {
                assert!(rejected.message.len() <= at);
                let octets = rejected.octets();
                let signed = rejected.sign(&mut out, 12, NOW);
                assert!(signed == Some(12 + octets) || signed.is_none());
            }
        }
    }
    // The same octets, signed, are believed by whoever has the key, and by nobody a bit later.
    let key = KEYRING.get(name(Algorithm::ALL[0]).as_ref()).expect("the ring holds every key");
    if bytes.len() < 12 || bytes.len() > 60_000 {
        return;
    }
    let mut message = bytes.to_vec();
    let expected = sign_query(key, &mut message, NOW);
    if let Some(at) = Query::read(&message).filter(|query| !query.malformed).and_then(|it| it.tsig)
        && at == bytes.len()
    {
        let request = verify_request(&message, at, &KEYRING, NOW).expect("our own signature");
        assert_eq!(request.message, bytes);
        assert!(verify_request(&message, at, &KEYRING, NOW + 301).is_err());
    }
    let _ = expected.verify(bytes, NOW);
    let _ = expected.into_stream().verify(bytes, NOW);
});
