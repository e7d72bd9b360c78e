use super::*;
use crate::wire::{Name, Rtype};

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn a_pair_signs_what_its_public_half_verifies_and_nothing_else() {
    for algorithm in Algorithm::ALL.into_iter().filter(|it| it.can_generate()) {
        let (pair, pkcs8) = KeyPair::generate(algorithm, KSK).unwrap();
        let again = KeyPair::from_pkcs8(algorithm, KSK, &pkcs8).unwrap();
        assert_eq!(pair.dnskey(), again.dnskey());
        let rdata = pair.dnskey().rdata();
        assert_eq!(Dnskey::from_rdata(&rdata).as_ref(), Some(pair.dnskey()));
        let signature = again.sign(b"data").unwrap();
        assert!(verifies(&rdata) && verify(&rdata, signature.as_ref(), b"data"), "{algorithm}");
        assert!(!verify(&rdata, signature.as_ref(), b"Data"), "{algorithm}");
    }
}

#[test]
fn an_rrsig_reads_back_and_verifies() {
    let (pair, _) = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap();
    let (apex, owner) = (name("Example."), name("*.WWW.example."));
    let span = Span { from: 1, until: 2 };
    let rdatas: [&[u8]; 2] = [&[192, 0, 2, 2], &[192, 0, 2, 1]];
    let made = pair.rrsig(apex.as_ref(), owner.as_ref(), Rtype::A, 3600, rdatas, span).unwrap();
    let read = Rrsig::new(&made).unwrap();
    assert_eq!((read.covered, read.labels, read.ttl, read.span), (Rtype::A, 2, 3600, span));
    assert_eq!((read.key_tag, read.signer), (pair.tag(), apex.as_ref()));
    let data = read.signed_data(name("*.www.EXAMPLE.").as_ref(), [rdatas[1], rdatas[0]]).unwrap();
    assert!(verify(&pair.dnskey().rdata(), read.signature, &data));
}
