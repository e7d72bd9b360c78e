//! The RFCs' own examples, another implementation's opinion each way, and halves that do not fit.

use hickory_proto::dnssec::crypto::{EcdsaSigningKey, Ed25519SigningKey};
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData};
use hickory_proto::dnssec::{self as theirs, PublicKey, PublicKeyBuf, SigningKey, TBS, Verifier};
use hickory_proto::rr::{DNSClass, RData};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable};
use proptest::prelude::*;

use super::*;
use crate::digest::hex;
use crate::wire::rdata::{self, base64_octets};
use crate::wire::{Name, Rtype};

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// RDATA as text writes it.
fn data(rtype: Rtype, text: &str) -> Vec<u8> {
    rdata::parse(rtype, text.as_bytes(), Name::root().as_ref()).unwrap()
}

/// The algorithms that keys are made of here.
fn made() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| algorithm.can_generate())
}

//------------ The RFCs' examples --------------------------------------------

/// An example of an RFC.
struct Example {
    /// The owner of the RRset.
    owner: &'static str,
    /// The type.
    rtype: Rtype,
    /// The one record.
    record: &'static str,
    /// The DNSKEY.
    dnskey: &'static str,
    /// Its DS, if there is one.
    ds: &'static str,
    /// The RRSIG.
    rrsig: &'static str,
    /// The private key, if keys of the kind are used here.
    private: &'static str,
}

/// RFC 5702 §6.2, 6605 §6, 8080 §6.
const EXAMPLES: [Example; 4] = [
    Example {
        owner: "www.example.net.",
        rtype: Rtype::A,
        record: "192.0.2.91",
        dnskey: "256 3 10 AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13\
                 tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcG\
                 mhOL",
        ds: "",
        rrsig: "A 10 3 3600 20300101000000 20000101000000 3740 example.net. tsb4wnjRUDnB1BUi+t6TMTXThjVnG\
                +eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOL\
                DiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
        private: "",
    },
    Example {
        owner: "www.example.net.",
        rtype: Rtype::A,
        record: "192.0.2.1",
        dnskey: "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQ\
                 Lc8NAA==",
        ds: "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
        rrsig: "A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+\
                KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
        private: "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=",
    },
    Example {
        owner: "www.example.net.",
        rtype: Rtype::A,
        record: "192.0.2.1",
        dnskey: "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrb\
                 YQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40",
        ds: "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3\
             008a946df983d6",
        rrsig: "A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsV\
                z73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROx\
                xwGipWcJm",
        private: "WURgWHCcYIYUPWgeLmiPY2DJJk02vgrmTfitxgqcL4vwW7BOrbawVmVe0d9V94SR",
    },
    Example {
        owner: "example.com.",
        rtype: Rtype::MX,
        record: "10 mail.example.com.",
        dnskey: "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
        ds: "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
        rrsig: "MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jP\
                GrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
        private: "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=",
    },
];

#[test]
fn the_examples_of_the_rfcs_verify_and_are_made_again() {
    for example in EXAMPLES {
        let key = data(Rtype::DNSKEY, example.dnskey);
        let dnskey = Dnskey::from_rdata(&key).unwrap();
        assert_eq!(*dnskey.rdata(), key);
        let signed = data(Rtype::RRSIG, example.rrsig);
        let rrsig = Rrsig::new(&signed).unwrap();
        assert_eq!((dnskey.tag(), example.rtype), (rrsig.key_tag, rrsig.covered));
        let (owner, record) = (name(example.owner), data(example.rtype, example.record));
        let bytes = rrsig.signed_data(owner.as_ref(), [&record[..]]).unwrap();
        assert!(verify(&key, rrsig.signature, &bytes), "{}", example.dnskey);
        if !example.ds.is_empty() {
            let ds = data(Rtype::DS, example.ds);
            let kind = if ds[3] == 2 { DigestType::Sha256 } else { DigestType::Sha384 };
            assert_eq!(*dnskey.ds(rrsig.signer, kind), ds);
            assert_eq!(key_digest(rrsig.signer, &key, ds[3]).as_deref(), Some(&ds[4..]));
        }
        if example.private.is_empty() {
            continue;
        }
        let number = base64_octets(example.private.as_bytes()).unwrap();
        let private = PrivateKey::from_numbers(dnskey.algorithm, &[&number]).unwrap();
        let (pair, _) = private.pair_with(&dnskey).unwrap();
        let again = pair.rrsig(
            rrsig.signer,
            owner.as_ref(),
            example.rtype,
            rrsig.ttl,
            [&record[..]],
            rrsig.span,
        );
        let (again, head) = (again.unwrap(), signed.len() - rrsig.signature.len());
        assert_eq!(again[..head], signed[..head]);
        // ECDSA has a random number in each signature, Ed25519 has none.
        assert_eq!(*again == *signed, dnskey.algorithm == Algorithm::Ed25519);
    }
}

//------------ Another implementation ----------------------------------------

/// A record as hickory-proto reads it.
fn their_record(owner: &Name, rtype: Rtype, ttl: u32, rdata: &[u8]) -> hickory_proto::rr::Record {
    let mut wire = owner.wire().to_vec();
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&1u16.to_be_bytes());
    wire.extend_from_slice(&ttl.to_be_bytes());
    wire.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
    wire.extend_from_slice(rdata);
    hickory_proto::rr::Record::read(&mut BinDecoder::new(&wire)).unwrap()
}

/// A DNSKEY of ours as hickory-proto builds it from its parts.
fn their_key(dnskey: &Dnskey) -> DNSKEY {
    let algorithm = theirs::Algorithm::from_u8(dnskey.algorithm.number());
    DNSKEY::with_flags(dnskey.flags, PublicKeyBuf::new(dnskey.public.to_vec(), algorithm))
}

#[test]
fn another_implementation_has_the_same_key_tag_and_ds_and_verifies_our_rrsig() {
    let (apex, owner) = (name("Example."), name("*.WWW.example."));
    let span = Span { from: 1_700_000_000, until: 1_800_000_000 };
    let records: Vec<Vec<u8>> =
        ["20 B.example.", "10 a.EXAMPLE."].map(|text| data(Rtype::MX, text)).into();
    for (algorithm, flags) in made().flat_map(|it| [(it, KSK), (it, ZSK)]) {
        let (pair, _) = KeyPair::generate(algorithm, flags).unwrap();
        let key = their_key(pair.dnskey());
        assert_eq!(*key.to_bytes().unwrap(), *pair.dnskey().rdata());
        assert_eq!(key.calculate_key_tag().unwrap(), pair.tag());
        for (ours, other) in [
            (DigestType::Sha256, theirs::DigestType::SHA256),
            (DigestType::Sha384, theirs::DigestType::SHA384),
        ] {
            let their_apex = hickory_proto::rr::Name::from_ascii("example.").unwrap();
            let digest = key.to_digest(&their_apex, other).unwrap();
            assert_eq!(pair.dnskey().ds(apex.as_ref(), ours)[4..], *digest.as_ref());
        }
        let rdatas = records.iter().map(Vec::as_slice);
        let made =
            pair.rrsig(apex.as_ref(), owner.as_ref(), Rtype::MX, 3600, rdatas, span).unwrap();
        let signature = their_record(&owner, Rtype::RRSIG, 3600, &made);
        let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = &signature.data else { panic!() };
        let theirs: Vec<_> =
            records.iter().map(|it| their_record(&owner, Rtype::MX, 60, it)).collect();
        key.verify_rrsig(&signature.name, DNSClass::IN, rrsig, theirs.iter()).unwrap();
        assert!(
            key.verify_rrsig(&signature.name, DNSClass::IN, rrsig, theirs[1..].iter()).is_err()
        );
    }
}

#[test]
fn what_another_implementation_signs_is_verified() {
    let p256 = EcdsaSigningKey::generate_pkcs8(theirs::Algorithm::ECDSAP256SHA256).unwrap();
    let p384 = EcdsaSigningKey::generate_pkcs8(theirs::Algorithm::ECDSAP384SHA384).unwrap();
    let ed = Ed25519SigningKey::generate_pkcs8().unwrap();
    let keys: [(&[u8], Box<dyn SigningKey>); 3] = [
        (
            p256.secret_pkcs8_der(),
            Box::new(
                EcdsaSigningKey::from_pkcs8(&p256, theirs::Algorithm::ECDSAP256SHA256).unwrap(),
            ),
        ),
        (
            p384.secret_pkcs8_der(),
            Box::new(
                EcdsaSigningKey::from_pkcs8(&p384, theirs::Algorithm::ECDSAP384SHA384).unwrap(),
            ),
        ),
        (ed.secret_pkcs8_der(), Box::new(Ed25519SigningKey::from_pkcs8(&ed).unwrap())),
    ];
    for (der, key) in keys {
        let public = key.to_public_key().unwrap();
        let algorithm = Algorithm::from_number(u8::from(key.algorithm())).unwrap();
        let dnskey = Dnskey { flags: ZSK, algorithm, public: public.public_bytes().into() };
        let signature = key.sign(&TBS::from(&b"data"[..])).unwrap();
        assert!(verify(&dnskey.rdata(), &signature, b"data"), "{algorithm}");
        // The same document is the same key here.
        let (pair, _) = PrivateKey::from_pkcs8(der).unwrap().pair_with(&dnskey).unwrap();
        assert_eq!(pair.dnskey(), &dnskey);
    }
}

//------------ What does not fit ---------------------------------------------

proptest! {
    #[test]
    fn one_flipped_bit_anywhere_breaks_a_signature(
        octets in proptest::collection::vec(any::<u8>(), 1..300),
        which in 0usize..3,
        at in any::<proptest::sample::Index>(),
    ) {
        let (pair, _) = KeyPair::generate(made().nth(which).unwrap(), ZSK).unwrap();
        let (key, signature) = (pair.dnskey().rdata(), pair.sign(&octets).unwrap());
        prop_assert!(verify(&key, signature.as_ref(), &octets));
        // One bit of the public key, of the signature, of the data; flags and protocol are no part of it.
        let mut parts = [key[4..].to_vec(), signature.as_ref().to_vec(), octets];
        let bits: usize = parts.iter().map(|part| part.len() * 8).sum();
        let mut bit = at.index(bits);
        for part in &mut parts {
            if let Some(octet) = part.get_mut(bit / 8) {
                *octet ^= 1 << (bit % 8);
                break;
            }
            bit -= part.len() * 8;
        }
        let key = [&key[..4], &parts[0]].concat();
        prop_assert!(!verify(&key, &parts[1], &parts[2]));
    }
}

#[test]
fn halves_of_different_pairs_are_refused() {
    for algorithm in made() {
        let (one, pkcs8) = KeyPair::generate(algorithm, KSK).unwrap();
        let (other, _) = KeyPair::generate(algorithm, KSK).unwrap();
        let private = PrivateKey::from_pkcs8(&pkcs8).unwrap();
        let refused = private.pair_with(other.dnskey()).unwrap_err();
        assert_eq!(refused, KeyError::Mismatch(other.tag()), "{algorithm}");
        assert_eq!(private.pair_with(one.dnskey()).unwrap().0.tag(), one.tag());
        let strange = Algorithm::RsaSha256;
        assert!(matches!(private.pair_alone(strange, KSK), Err(KeyError::Unusable(..))));
    }
}

#[test]
fn rsa_keys_are_not_made_here_and_the_error_says_what_to_do() {
    let error = KeyPair::generate(Algorithm::RsaSha256, KSK).unwrap_err().to_string();
    assert!(error.contains("dnssec-keygen -a rsasha256"), "{error}");
}

#[test]
fn secrets_are_not_printed() {
    let (pair, pkcs8) = KeyPair::generate(Algorithm::Ed25519, KSK).unwrap();
    let seed = &pkcs8[pkcs8.len() - 32..];
    let printed = format!("{pair:?} {pkcs8:?}");
    assert!(!printed.contains(&hex(seed)) && !printed.contains(&format!("{:?}", &seed[..4])));
    assert!(printed.contains(&pair.tag().to_string()), "{printed}");
}

#[test]
fn rdata_of_any_kind_is_read_or_refused() {
    let (pair, _) = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap();
    let whole = pair.dnskey().rdata();
    for octets in 0..=4 {
        assert_eq!(Dnskey::from_rdata(&whole[..octets]), None, "{octets}");
        assert!(!verify(&whole[..octets], &[0; 64], b""));
    }
    let with = |at: usize, value: u8| {
        let mut changed = whole.to_vec();
        changed[at] = value;
        changed
    };
    assert_eq!(Dnskey::from_rdata(&with(2, 2)), None, "the protocol is 3");
    assert_eq!(Dnskey::from_rdata(&with(3, 16)), None, "Ed448 is not signed with here");
    assert!(!verifies(&with(3, 16)) && verifies(&whole));
    // RSA of 512 bits is known, and not computed.
    let small = data(
        Rtype::DNSKEY,
        "256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36Bponcwtk\
                                     Z4cAgtvd4Qs8PkxUdp6p/DlUmObdk=",
    );
    assert_eq!((key_tag(&small), unverifiable_bits(&small)), (9033, Some(512)));
}

#[test]
fn words_and_numbers_of_algorithms_read_back() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_number(algorithm.number()), Some(algorithm));
        assert_eq!(algorithm.word().to_uppercase().parse::<Algorithm>().unwrap(), algorithm);
        let json = serde_json::to_string(&algorithm).unwrap();
        assert_eq!(json, format!("\"{algorithm}\""));
        assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), algorithm);
    }
    assert!("rsasha1".parse::<Algorithm>().is_err());
}

#[test]
fn the_line_for_the_parent_is_one_that_a_zone_takes() {
    let key = Dnskey::from_rdata(&data(Rtype::DNSKEY, EXAMPLES[1].dnskey)).unwrap();
    let apex = name("example.net.");
    let line = ds_line(apex.as_ref(), 3600, &key.ds(apex.as_ref(), DigestType::Sha256));
    assert_eq!(
        line,
        "example.net. 3600 IN DS 55648 13 2 \
         b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"
    );
}
