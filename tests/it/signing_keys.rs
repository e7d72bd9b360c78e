//! Keys that `dnssec-keygen`, `ldns-keygen`, `keymgr` and `openssl` make are read, and ours by them: tags, DS and
//! signatures agree.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gapura::dnssec::{Algorithm, DigestType, KSK, KeyPair, ZSK, ds_line, verify};
use gapura::keystore::{Given, Imported, Keystore, import};
use gapura::wire::Name;
use hickory_proto::rr::RecordType;

use crate::support::peers::is_client_here;
use crate::support::{Daemon, ask_tcp, data, lay_out, printed, until, write_settings};

/// The zone of the daemon under test.
const ZONE: &str = "cirebonkab.go.id.";

/// The zone whose keys they are.
fn zone() -> Name {
    "example.".parse().unwrap()
}

/// Runs a program that must do what it is asked; what it prints.
fn run(program: &str, directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Reads keys; all of them are good.
fn read(files: &[PathBuf]) -> Vec<Imported> {
    let zone = zone();
    let given = Given { zone: &zone, flags: None, algorithm: None, now: 1_800_000_000 };
    import(files, &given).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The fields of a DS of a key, in upper case: programs differ in that alone.
fn ds(pair: &KeyPair, kind: DigestType) -> String {
    let zone = zone();
    fields(&ds_line(zone.as_ref(), 3600, &pair.dnskey().ds(zone.as_ref(), kind)))
}

/// What stands behind the word DS in a line, in upper case, the digest in one piece.
fn fields(line: &str) -> String {
    let (_, fields) = line.trim().split_once("DS").unwrap();
    let mut words = fields.split_whitespace();
    let head: Vec<&str> = words.by_ref().take(3).collect();
    format!("{} {}", head.join(" "), words.collect::<String>()).to_uppercase()
}

/// A pair that was kept and loaded again signs what the DNSKEY verifies.
fn is_kept(found: &Imported) {
    let directory = tempfile::tempdir().unwrap();
    let store = Keystore::new(directory.path());
    store.store(&zone(), &found.pair, &found.pkcs8).unwrap();
    let loaded = store.load(&zone(), found.pair.dnskey()).unwrap();
    let signature = loaded.sign(b"data").unwrap();
    assert!(verify(&found.pair.dnskey().rdata(), signature.as_ref(), b"data"));
}

/// What RSA keys are made with besides.
fn bits(algorithm: Algorithm) -> &'static [&'static str] {
    if algorithm.is_rsa() { &["-b", "2048"] } else { &[] }
}

#[test]
fn keys_of_bind_have_the_same_tag_flags_and_ds_here() {
    if !(is_client_here("dnssec-keygen") && is_client_here("dnssec-dsfromkey")) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    for algorithm in Algorithm::ALL {
        for (role, flags) in [(&["-f", "KSK"][..], KSK), (&[], ZSK)] {
            let fixed = ["-q", "-a", algorithm.word()];
            let arguments = [&fixed, bits(algorithm), role, &["example."]].concat();
            let name = run("dnssec-keygen", made.path(), &arguments).trim().to_owned();
            let found = read(&[made.path().join(&name)]);
            let [key] = &found[..] else { panic!("{name}") };
            let (number, tag) = (algorithm.number(), key.pair.tag());
            assert_eq!(name, format!("Kexample.+{number:03}+{tag:05}"));
            assert_eq!(key.pair.dnskey().flags, flags);
            for (digest, kind) in [("-2", DigestType::Sha256), ("-4", DigestType::Sha384)] {
                // BIND 9.18 writes no SHA-384 by a number.
                let digest = if digest == "-2" { &["-2"][..] } else { &["-a", "SHA-384"] };
                let line = run("dnssec-dsfromkey", made.path(), &[digest, &[&name]].concat());
                assert_eq!(fields(&line), ds(&key.pair, kind), "{name}");
            }
            is_kept(key);
        }
    }
}

#[test]
fn keys_of_ldns_have_the_same_tag_flags_and_ds_here() {
    if !is_client_here("ldns-keygen") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    for algorithm in Algorithm::ALL {
        let name = algorithm.word().to_uppercase();
        let fixed = ["-a", &name, "-k"];
        let arguments = [&fixed, bits(algorithm), &["example"]].concat();
        let name = run("ldns-keygen", made.path(), &arguments).trim().to_owned();
        let found = read(&[made.path().join(format!("{name}.key"))]);
        let [key] = &found[..] else { panic!("{name}") };
        assert_eq!(name, format!("Kexample.+{:03}+{:05}", algorithm.number(), key.pair.tag()));
        let line = std::fs::read_to_string(made.path().join(format!("{name}.ds"))).unwrap();
        let kind = if fields(&line).split(' ').nth(2) == Some("4") {
            DigestType::Sha384
        } else {
            DigestType::Sha256
        };
        assert_eq!(fields(&line), ds(&key.pair, kind));
        is_kept(key);
    }
}

#[test]
fn keys_of_knot_go_both_ways() {
    if !is_client_here("keymgr") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let kasp = made.path().join("kasp");
    std::fs::create_dir(&kasp).unwrap();
    let keymgr = |arguments: &[&str]| {
        run("keymgr", made.path(), &[&["-D", "kasp", "example."], arguments].concat())
    };
    for algorithm in Algorithm::ALL {
        let named = format!("algorithm={algorithm}");
        let size = if algorithm.is_rsa() { &["size=2048"][..] } else { &[] };
        let id = keymgr(&[&["generate", &named, "ksk=yes", "zsk=yes"], size].concat());
        let id = id.trim();
        std::fs::write(made.path().join("records"), keymgr(&["dnskey", id])).unwrap();
        let found =
            read(&[kasp.join("keys").join(format!("{id}.pem")), made.path().join("records")]);
        let [key] = &found[..] else { panic!("{id}") };
        assert_eq!(key.pair.dnskey().flags, KSK);
        let lines = keymgr(&["ds", id]);
        let lines: Vec<String> = lines.lines().map(fields).collect();
        assert!(lines.contains(&ds(&key.pair, DigestType::Sha256)), "{lines:?}");
        is_kept(key);

        // Our file as Knot's key: the same tag and DS. RSA is another key there, made just now.
        if algorithm.is_rsa() {
            continue;
        }
        let (ours, pkcs8) = KeyPair::generate(algorithm, KSK).unwrap();
        let store = Keystore::new(made.path());
        store.store(&zone(), &ours, &pkcs8).unwrap();
        let file = store.path(&zone(), ours.dnskey());
        let id = keymgr(&["import-pem", file.to_str().unwrap(), &named, "ksk=yes", "zsk=yes"]);
        let lines = keymgr(&["ds", id.lines().next().unwrap()]);
        let lines: Vec<String> = lines.lines().map(fields).collect();
        assert!(lines.contains(&ds(&ours, DigestType::Sha384)), "{lines:?}");
    }
}

#[test]
fn openssl_reads_the_files_that_are_kept() {
    if !is_client_here("openssl") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let store = Keystore::new(made.path());
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.can_generate()) {
        let (pair, pkcs8) = KeyPair::generate(algorithm, KSK).unwrap();
        store.store(&zone(), &pair, &pkcs8).unwrap();
        let file = store.path(&zone(), pair.dnskey());
        let arguments =
            ["pkey", "-in", file.to_str().unwrap(), "-pubout", "-outform", "DER", "-out", "public"];
        run("openssl", made.path(), &arguments);
        let public = std::fs::read(made.path().join("public")).unwrap();
        assert!(public.ends_with(&pair.dnskey().public), "{algorithm}");
    }
}

//------------ From BIND to gapura -------------------------------------------

#[test]
fn a_zone_comes_from_bind_with_its_keys_and_the_ds_of_its_parent_stays() {
    let tools = ["dnssec-keygen", "dnssec-dsfromkey", "dnssec-verify"];
    if !tools.into_iter().all(is_client_here) {
        return;
    }
    for (algorithm, keys) in
        [(Algorithm::EcdsaP384Sha384, "csk"), (Algorithm::RsaSha256, "ksk+zsk")]
    {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let daemon = Daemon::in_dir(dir);
        let done = |arguments: &[&str]| {
            let output = daemon.gapura(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", printed(&output));
            String::from_utf8(output.stdout).unwrap()
        };
        let keygen = |role: &[&str]| {
            let fixed = ["-q", "-a", algorithm.word()];
            let arguments = [&fixed, bits(algorithm), role, &[ZONE]].concat();
            run("dnssec-keygen", dir, &arguments).trim().to_owned()
        };
        let mut names = vec![keygen(&["-f", "KSK"])];
        names.extend((keys == "ksk+zsk").then(|| keygen(&[])));
        let files: Vec<&str> = names.iter().map(String::as_str).collect();
        done(&[&["key", "import", ZONE], &files[..]].concat());
        let policy = format!("algorithm = \"{algorithm}\"\nkeys = \"{keys}\"\n");
        write_settings(
            dir,
            &format!("signing = \"moved\"\n[[signing]]\nname = \"moved\"\n{policy}"),
        );
        done(&["ctl", "reload"]);
        until("the zone is signed", || {
            data(&ask_tcp(daemon.dns(), ZONE, RecordType::DNSKEY)).len() == names.len()
        });
        let expected = run("dnssec-dsfromkey", dir, &["-2", &names[0]]);
        assert_eq!(fields(&done(&["key", "ds", ZONE])), fields(&expected));
        std::fs::write(dir.join("signed"), done(&["zone", "export", ZONE])).unwrap();
        let one_for_all = if keys == "csk" { &["-z"][..] } else { &[] };
        run("dnssec-verify", dir, &[&["-q", "-o", ZONE], one_for_all, &["signed"]].concat());
        let daily = done(&["check"]);
        assert!(!daily.contains("signing-key"), "{daily}");
    }
}
