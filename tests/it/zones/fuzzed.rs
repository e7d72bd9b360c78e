//! What the fuzz targets `zone_text`, `rdata_text_wire` and `private_key` share with the replay of their corpora.

use std::path::Path;
use std::sync::Arc;

use gapura::check::{self, Level, Signer};
use gapura::dnssec::{Algorithm, Dnskey, KSK, PrivateKey, Rrsig, verifies, verify};
use gapura::keystore::Content;
use gapura::master::{self, Input, Memory, NoIncludes, Options, print_record, render};
use gapura::wire::{Name, Record, Rtype, rdata};

/// Limits that keep one run short.
fn limits() -> Options {
    Options { records_max: 2000, generated_max: 500, includes_max: 20, ..Options::default() }
}

/// Any bytes as the file of a zone: no panic, every record is valid, and printed it is read as the one
/// record that it was.
pub(super) fn zone_text(bytes: &[u8]) {
    let origin: Name = "example.".parse().expect("a name");
    let included: Arc<[u8]> = b"in 60 A 192.0.2.1\n$ORIGIN else\n@ TXT x".as_slice().into();
    let loader = Memory([("inc".into(), included)].into());
    let input = Input { file: Path::new("fuzz.zone"), bytes, loader: &loader };
    let mut records: Vec<Record> = Vec::new();
    let parsed = master::parse(&input, origin.as_ref(), &limits(), &mut |record, at| {
        assert!(at.line > 0 && at.start <= at.end);
        assert_eq!(rdata::check(record.rtype, record.rdata), Ok(()));
        if records.len() < 50 {
            records.push(record.to_record());
        }
    });
    assert_eq!(parsed.findings.len().min(1), (parsed.errors + parsed.warnings).min(1));
    for finding in &parsed.findings {
        let place = finding.place.as_ref().expect("a fault in a text has a place");
        assert!(place.line > 0 && place.column > 0 && place.length > 0);
    }
    for record in &records {
        one_line(record, &origin);
    }
    let (level, signer) = (Level::default(), Signer::Other);
    let checked = check::file(&input, &origin, &limits(), &level, signer, 1_800_000_000);
    assert!(checked.errors >= parsed.errors);
    render(&checked.findings, true);
}

/// A printed record is one line, which is read as that record.
fn one_line(record: &Record, origin: &Name) {
    let line = print_record(record.as_ref());
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
    let input = Input { file: Path::new("line"), bytes: line.as_bytes(), loader: &NoIncludes };
    let mut again = Vec::new();
    let parsed = master::parse(&input, origin.as_ref(), &limits(), &mut |record, _| {
        again.push(record.to_record());
    });
    assert_eq!(parsed.findings, [], "{line}");
    assert_eq!(again, std::slice::from_ref(record), "{line}");
}

/// A type number and any bytes, as RDATA and as its text: what is valid survives the way through text,
/// and what text makes is valid.
pub(super) fn rdata_text_wire(bytes: &[u8]) {
    let Some((number, data)) = bytes.split_first_chunk::<2>() else { return };
    let rtype = Rtype(u16::from_be_bytes(*number));
    let origin: Name = "example.".parse().expect("a name");
    if let Ok(made) = rdata::parse(rtype, data, origin.as_ref()) {
        assert_eq!(rdata::check(rtype, &made), Ok(()));
        survives(rtype, &made, &origin);
    }
    let valid = rdata::check(rtype, data).is_ok();
    let _ = (rdata::names(rtype, data).count(), rdata::canonical(rtype, data));
    if valid {
        survives(rtype, data, &origin);
    } else {
        rdata::to_text(rtype, data);
    }
}

/// Text of valid RDATA is read as the same octets; the canonical form is valid and canonical.
fn survives(rtype: Rtype, data: &[u8], origin: &Name) {
    let text = rdata::to_text(rtype, data);
    let again = rdata::parse(rtype, text.as_bytes(), origin.as_ref());
    assert_eq!(again.as_deref(), Ok(data), "{rtype} {text}");
    let canonical = rdata::canonical(rtype, data);
    assert_eq!(rdata::check(rtype, &canonical), Ok(()));
    assert_eq!(rdata::canonical(rtype, &canonical), canonical);
}

/// Any bytes as the file of a key, as a private key in DER, and as RDATA of DNSKEY and RRSIG: a pair that comes
/// of them signs what its public half verifies.
pub(super) fn private_key(bytes: &[u8]) {
    let of_file = match Content::read(bytes) {
        Ok(Content::Private(private)) => Some(private.key),
        Ok(Content::Public(public)) => {
            for key in public {
                assert_eq!(Dnskey::from_rdata(&key.dnskey.rdata()), Some(key.dnskey));
            }
            None
        }
        Err(fault) => {
            assert!(fault.line > 0 && !fault.message.is_empty());
            None
        }
    };
    let forms = [PrivateKey::from_pkcs8, PrivateKey::from_pkcs1, PrivateKey::from_sec1];
    let of_der = forms.iter().filter_map(|read| read(bytes).ok());
    for key in of_file.into_iter().chain(of_der) {
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| key.is_of(*algorithm)) {
            let Ok((pair, pkcs8)) = key.pair_alone(algorithm, KSK) else { continue };
            let signature = pair.sign(b"data").expect("a pair that was tried signs");
            assert!(verify(&pair.dnskey().rdata(), signature.as_ref(), b"data"));
            let again = PrivateKey::from_pkcs8(&pkcs8).expect("our own form");
            assert!(again.pair_with(pair.dnskey()).is_ok());
        }
    }
    if let Some(key) = Dnskey::from_rdata(bytes) {
        assert_eq!(*key.rdata(), *bytes);
    }
    verifies(bytes);
    if let Some(rrsig) = Rrsig::new(bytes) {
        rrsig.signed_data(rrsig.signer, [bytes]);
        verify(bytes, rrsig.signature, bytes);
    }
}
