//! Files of ours through all that can happen to them, and files of other programs, made with BIND 9.18, ldns,
//! Knot and OpenSSL (`fuzz/corpus/private_key`; `tests/it/signing_keys.rs` asks the programs themselves).

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::dnssec::{KSK, ZSK, verify};

/// The zone of all keys here.
fn zone() -> Name {
    "Example.".parse().unwrap()
}

/// A file that another program made.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/private_key").join(name)
}

/// A store in a directory of its own.
fn store() -> (tempfile::TempDir, Keystore) {
    let directory = tempfile::tempdir().unwrap();
    let store = Keystore::new(directory.path());
    (directory, store)
}

/// The mode of a file.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Gives a file a mode.
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

//------------ Our own files -------------------------------------------------

#[test]
fn a_key_that_was_stored_is_loaded_and_nobody_else_may_read_it() {
    let (_directory, store) = store();
    for (algorithm, flags) in [
        (Algorithm::EcdsaP256Sha256, KSK),
        (Algorithm::EcdsaP384Sha384, ZSK),
        (Algorithm::Ed25519, KSK),
    ] {
        let (pair, pkcs8) = KeyPair::generate(algorithm, flags).unwrap();
        store.store(&zone(), &pair, &pkcs8).unwrap();
        // Once more is no harm.
        store.store(&zone(), &pair, &pkcs8).unwrap();
        let path = store.path(&zone(), pair.dnskey());
        assert_eq!((mode(&path), mode(&store.directory(&zone()))), (0o600, 0o700));
        let loaded = store.load(&"EXAMPLE.".parse().unwrap(), pair.dnskey()).unwrap();
        let signature = loaded.sign(b"data").unwrap();
        assert!(verify(&pair.dnskey().rdata(), signature.as_ref(), b"data"));
    }
    assert_eq!(store.list(&zone()).unwrap().len(), 3);
    assert_eq!(fs::read_dir(store.directory(&zone())).unwrap().count(), 3, "nothing is left over");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_what_to_do() {
    let (_directory, store) = store();
    let (pair, pkcs8) = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap();
    let (other, other_pkcs8) = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap();
    let (path, tag) = (store.path(&zone(), pair.dnskey()), pair.tag().to_string());
    let told = || {
        let error = store.load(&zone(), pair.dnskey()).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        error
    };
    let missing = told();
    assert!(missing.contains(&tag) && missing.contains("from the backup"), "{missing}");

    store.store(&zone(), &pair, &pkcs8).unwrap();
    set_mode(&path, 0o644);
    assert!(told().contains("0600"));
    let error = store.load(&zone(), pair.dnskey()).unwrap_err();
    let said = crate::text::with_causes(&error);
    assert!(said.starts_with(&format!("{}: may be used by everybody", path.display())), "{said}");
    assert_eq!(said, error.to_string(), "once");
    set_mode(&path, 0o640);
    store.load(&zone(), pair.dnskey()).unwrap();

    // Another key under its name.
    let good = fs::read(&path).unwrap();
    store.store(&zone(), &other, &other_pkcs8).unwrap();
    fs::copy(store.path(&zone(), other.dnskey()), &path).unwrap();
    let strange = told();
    assert!(strange.contains(&tag) && strange.contains("does not belong"), "{strange}");
    let listed = store.list(&zone()).unwrap_err().to_string();
    assert!(listed.contains(path.to_str().unwrap()) && listed.contains("called after"), "{listed}");

    // Cut anywhere, or with any sign changed, it is refused or still the same key.
    for at in 0..good.len() {
        fs::write(&path, &good[..at]).unwrap();
        let cut = store.load(&zone(), pair.dnskey());
        assert_eq!(cut.is_ok(), at == good.len() - 1, "only the last line break may go: {at}");
    }
    for at in (0..good.len()).step_by(3) {
        let mut changed = good.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        fs::write(&path, &changed).unwrap();
        if let Ok(loaded) = store.load(&zone(), pair.dnskey()) {
            assert_eq!(loaded.dnskey(), pair.dnskey(), "{at}");
        }
    }

    fs::write(&path, vec![b'-'; KEY_OCTETS_MAX + 1]).unwrap();
    assert!(told().contains("too long"));
    fs::remove_file(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from(0o600)).unwrap();
    assert!(told().contains("no file"));
}

#[test]
fn a_key_that_cannot_be_used_is_not_taken_for_none() {
    let (_directory, store) = store();
    let key = store.generate(&zone(), Algorithm::Ed25519, KSK, &[]).unwrap();
    assert_eq!(store.list(&zone()).unwrap(), std::slice::from_ref(&key));
    let path = store.path(&zone(), &key);
    // What lies beside keys is nobody's fault.
    store.write_key_set(&zone(), Some("{}")).unwrap();
    fs::write(path.with_extension("part"), "-----BEGIN").unwrap();
    assert_eq!(store.list(&zone()).unwrap(), std::slice::from_ref(&key));
    set_mode(&path, 0o604);
    assert!(store.list(&zone()).unwrap_err().to_string().contains("0600"));
    set_mode(&path, 0o600);
    fs::rename(&path, path.with_file_name("mine.pem")).unwrap();
    assert!(store.list(&zone()).unwrap_err().to_string().contains("gapura key import"));
}

#[test]
fn a_new_key_has_a_tag_of_its_own() {
    let (_directory, store) = store();
    let all: Vec<u16> = (0..=u16::MAX).collect();
    let none = store.generate(&zone(), Algorithm::Ed25519, ZSK, &all).unwrap_err();
    assert!(matches!(none, KeystoreError::NoTag), "{none}");
    assert!(store.list(&zone()).unwrap().is_empty(), "what was not taken is not kept");
    let odd: Vec<u16> = all.into_iter().filter(|tag| tag % 2 == 1).collect();
    let key = store.generate(&zone(), Algorithm::Ed25519, ZSK, &odd).unwrap();
    assert_eq!(key.tag() % 2, 0);
    let rsa = store.generate(&zone(), Algorithm::RsaSha256, ZSK, &[]).unwrap_err().to_string();
    assert!(rsa.contains("import"), "{rsa}");
}

#[test]
fn a_key_is_removed_for_good() {
    let (_directory, store) = store();
    let (pair, pkcs8) = KeyPair::generate(Algorithm::Ed25519, ZSK).unwrap();
    store.remove(&zone(), pair.dnskey()).unwrap();
    store.store(&zone(), &pair, &pkcs8).unwrap();
    store.remove(&zone(), pair.dnskey()).unwrap();
    assert!(matches!(store.load(&zone(), pair.dnskey()), Err(KeystoreError::Missing { .. })));
    assert!(store.list(&zone()).unwrap().is_empty());
}

#[test]
fn the_copy_of_a_key_set_is_whole_or_as_it_was() {
    let (_directory, store) = store();
    assert_eq!(store.read_key_set(&zone()).unwrap(), None);
    store.write_key_set(&zone(), Some("{\"version\":1}")).unwrap();
    store.write_key_set(&zone(), Some("{\"version\":2}")).unwrap();
    assert_eq!(store.read_key_set(&zone()).unwrap().as_deref(), Some("{\"version\":2}"));
    let path = store.directory(&zone()).join(KEY_SET);
    assert_eq!(mode(&path), 0o600);
    // What a write that was cut short leaves is not read, and in nobody's way.
    fs::write(path.with_extension("part"), "{\"vers").unwrap();
    assert_eq!(store.read_key_set(&zone()).unwrap().as_deref(), Some("{\"version\":2}"));
    store.write_key_set(&zone(), Some("{\"version\":3}")).unwrap();
    assert_eq!(store.read_key_set(&zone()).unwrap().as_deref(), Some("{\"version\":3}"));
}

#[test]
fn zones_of_odd_names_have_directories_of_their_own_inside() {
    let (directory, store) = store();
    let base = directory.path().join(DIRECTORY);
    for odd in [".", "a\\/b.", "\\.\\..", "*.x."] {
        let zone: Name = odd.parse().unwrap();
        let own = store.directory(&zone);
        assert_eq!(own.parent(), Some(&*base), "{odd}");
        store.write_key_set(&zone, Some(odd)).unwrap();
        assert_eq!(store.read_key_set(&zone).unwrap().as_deref(), Some(odd));
    }
}

//------------ Files of other programs ---------------------------------------

/// What is known beside files: the zone, and nothing of the keys.
fn given(zone: &Name) -> Given<'_> {
    Given { zone, flags: None, algorithm: None, now: 1_800_000_000 }
}

/// Reads samples.
fn read(names: &[&str]) -> Result<Vec<Imported>, Vec<ImportFault>> {
    let files: Vec<PathBuf> = names.iter().map(|name| sample(name)).collect();
    import(&files, &given(&zone()))
}

/// The one fault of samples that are refused.
fn refused(names: &[&str]) -> String {
    let faults = read(names).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

/// Algorithm, flags and tag of pairs.
fn known(found: &[Imported]) -> Vec<(u8, u16, u16)> {
    let key = |one: &Imported| {
        let dnskey = one.pair.dnskey();
        (dnskey.algorithm.number(), dnskey.flags, dnskey.tag())
    };
    found.iter().map(key).collect()
}

#[test]
fn keys_of_bind_and_ldns_are_read_by_either_half_or_none() {
    for (name, key) in [
        ("Kexample.+008+45007", (8, 257, 45007)),
        ("Kexample.+010+23151", (10, 257, 23151)),
        ("Kexample.+013+04554", (13, 257, 4554)),
        ("Kexample.+013+36443", (13, 256, 36443)),
        ("Kexample.+014+12063", (14, 257, 12063)),
        ("Kexample.+015+43061", (15, 257, 43061)),
    ] {
        let (public, private) = (format!("{name}.key"), format!("{name}.private"));
        for names in [&[name][..], &[&public], &[&private], &[&public, &private, &public]] {
            assert_eq!(known(&read(names).unwrap()), [key], "{names:?}");
        }
    }
}

#[test]
fn what_was_read_is_kept_and_loaded_again() {
    let (_directory, store) = store();
    let names = ["Kexample.+008+45007", "Kexample.+010+23151", "Kexample.+015+43061"];
    for found in read(&names).unwrap() {
        store.store(&zone(), &found.pair, &found.pkcs8).unwrap();
        let loaded = store.load(&zone(), found.pair.dnskey()).unwrap();
        let signature = loaded.sign(b"data").unwrap();
        assert!(verify(&found.pair.dnskey().rdata(), signature.as_ref(), b"data"));
    }
    assert_eq!(store.list(&zone()).unwrap().len(), 3, "RSA too");
}

#[test]
fn keys_of_knot_are_put_together_with_their_records() {
    let names = ["ecdsap256sha256", "ecdsap384sha384", "ed25519", "rsasha256"];
    let names: Vec<String> = names.iter().map(|name| format!("knot-{name}.pem")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("knot.dnskey");
    let mut algorithms: Vec<u8> = known(&read(&names).unwrap()).iter().map(|key| key.0).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, [8, 13, 14, 15]);
    // A record that belongs to none of the keys is nobody's fault: Knot prints all of them.
    assert_eq!(read(&["knot-ed25519.pem", "knot.dnskey"]).unwrap().len(), 1);
}

#[test]
fn plain_pem_needs_a_role_and_rsa_an_algorithm() {
    let zone = zone();
    let with = |name: &str, flags, algorithm| {
        import(&[sample(name)], &Given { flags, algorithm, ..given(&zone) })
    };
    for (name, number) in [("openssl-ed25519.pem", 15), ("openssl-sec1.pem", 13)] {
        let asked = with(name, None, None).unwrap_err();
        assert!(asked[0].message.contains("keymgr"), "{asked:?}");
        let found = with(name, Some(ZSK), None).unwrap();
        assert_eq!((known(&found)[0].0, known(&found)[0].1), (number, 256));
    }
    let asked = with("openssl-pkcs1.pem", Some(KSK), None).unwrap_err();
    assert!(asked[0].message.contains("rsasha512"), "{asked:?}");
    let found = with("openssl-pkcs1.pem", Some(KSK), Some(Algorithm::RsaSha512)).unwrap();
    assert_eq!(known(&found)[0].0, 10);
    let strange = with("openssl-pkcs1.pem", Some(KSK), Some(Algorithm::Ed25519)).unwrap_err();
    assert!(strange[0].message.contains("another kind"), "{strange:?}");
}

#[test]
fn a_fault_names_file_and_line() {
    let small = refused(&["Kexample.+008+19684"]);
    assert!(small.contains("19684.private: ") && small.contains("2048"), "{small}");
    let encrypted = refused(&["encrypted.pem"]);
    assert!(
        encrypted.contains("encrypted.pem:1: ") && encrypted.contains("openssl"),
        "{encrypted}"
    );
    let absent = refused(&["Kexample.+013+00000"]);
    assert!(
        absent.contains("Kexample.+013+00000 cannot be read") || absent.contains("No such file"),
        "{absent}"
    );
    let records = refused(&["knot.dnskey"]);
    assert!(records.contains("no private key"), "{records}");
    assert!(refused(&["pkcs8.der"]).contains("neither a private key nor a DNSKEY"));
}

#[test]
fn halves_that_do_not_fit_and_keys_of_others_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let private = fs::read_to_string(sample("Kexample.+013+04554.private")).unwrap();
    let public = fs::read_to_string(sample("Kexample.+013+04554.key")).unwrap();
    let zone = zone();
    let refused = |name: &str| {
        let faults = import(&[at(name)], &given(&zone)).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].to_string()
    };

    fs::write(at("a.private"), &private).unwrap();
    fs::copy(sample("Kexample.+013+36443.key"), at("a.key")).unwrap();
    let strange = refused("a.private");
    assert!(strange.contains("a.private: ") && strange.contains("tag 36443"), "{strange}");

    fs::write(at("b.key"), &public).unwrap();
    assert!(refused("b.key").contains("b.key:5: the private half of the key with tag 4554"));

    fs::write(at("c.private"), &private).unwrap();
    fs::write(at("c.key"), public.replace("example. IN", "other. 3600 IN")).unwrap();
    assert!(refused("c.key").contains("c.key:5: this is a key of other., not of"));

    fs::write(at("d.private"), format!("{private}Delete: 20200101000000\n")).unwrap();
    fs::write(at("d.key"), &public).unwrap();
    assert!(refused("d.key").contains("Delete time is past"));
    fs::write(at("d.private"), format!("{private}Delete: 20900101000000\n")).unwrap();
    assert_eq!(import(&[at("d.key")], &given(&zone)).unwrap().len(), 1);

    fs::write(at("e.private"), &private).unwrap();
    fs::write(at("e.key"), public.replace(" 257 3 13", " 385 3 13")).unwrap();
    assert!(refused("e").contains("e.key:5: a key with flags 385 cannot sign"));

    // Of ECDSA this format does not hold the public half.
    fs::write(at("f.private"), &private).unwrap();
    assert!(refused("f").contains("DNSKEY record is in none of the files"));
    let alone = import(&[at("f")], &Given { flags: Some(KSK), ..given(&zone) }).unwrap_err();
    assert!(alone[0].message.contains("give the DNSKEY record"), "{alone:?}");

    let lines = |text: &str| {
        fs::write(at("g.private"), text).unwrap();
        refused("g.private").replace(at("g.private").to_str().unwrap(), "")
    };
    let text = |old: &str, new: &str| private.replace(old, new);
    assert!(
        lines(&text("PrivateKey: ", "PrivateKey: !")).starts_with(":3: the value of PrivateKey")
    );
    assert!(lines(&text("13 (ECDSA", "5 (RSASHA")).starts_with(":2: zones are not signed here"));
    assert!(lines(&text("v1.3", "v2.0")).starts_with(":1: only the formats"));
    assert!(
        lines(&format!("{private}PrivateKey: AAAA\n")).starts_with(":7: PrivateKey stands here")
    );
    assert!(lines(&format!("{private}nothing\n")).starts_with(":7: this is no line"));
    assert!(
        lines(&format!("{private}Label: pkcs11:object=a\n")).contains(":7: the private key is in")
    );
}

#[test]
fn ldns_writes_numbers_without_zeros_in_front() {
    let key = PrivateKey::from_numbers(Algorithm::EcdsaP256Sha256, &[&[0, 0, 7]]);
    assert!(key.is_ok());
    let large = PrivateKey::from_numbers(Algorithm::EcdsaP256Sha256, &[&[1; 33]]);
    assert!(large.is_err());
    assert!(PrivateKey::from_numbers(Algorithm::Ed25519, &[&[1; 31]]).is_err());
}

#[test]
fn what_is_written_is_what_other_programs_read() {
    let (pair, pkcs8) = KeyPair::generate(Algorithm::EcdsaP384Sha384, KSK).unwrap();
    let text = pem::text(&pkcs8);
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(text.ends_with("\n-----END PRIVATE KEY-----\n"));
    assert!(text.lines().all(|line| line.len() <= 64));
    assert_eq!(
        pem::read(text.as_bytes()).unwrap().pair_with(pair.dnskey()).unwrap().0.tag(),
        pair.tag()
    );
    let twice = format!("{}{}", *text, *text);
    let fault = pem::read(twice.as_bytes()).map(|_| ()).unwrap_err();
    assert!(fault.line > 2 && fault.message.contains("second"), "{fault:?}");
}
