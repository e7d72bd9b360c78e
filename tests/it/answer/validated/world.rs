//! Signed zones with their children, and the daemon that serves them.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use gapura::check::{self, Level, Signer};
use gapura::digest::{hex, sha256};
use gapura::dnssec::{Algorithm, Denial, DigestType, KSK, KeyPair};
use gapura::master::{Input, NoIncludes, Options, print_zone};
use gapura::sign::{self, Plan};
use gapura::wire::{Name, NameRef, Record, Rtype, rdata};
use gapura::zone::Zone;

use crate::answer::differential::generate::{self, GeneratedZone};
use crate::answer::differential::{Random, build};
use crate::support::Daemon;

/// How absence is proven.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    /// With NSEC.
    Nsec,
    /// With NSEC3.
    Nsec3,
    /// With NSEC3 that leaves out insecure delegations.
    OptOut,
}

/// Who signs, and how: the parents of a round.
const SIGNINGS: [(&str, Proof); 17] = [
    ("bind", Proof::Nsec),
    ("bind", Proof::Nsec3),
    ("bind", Proof::OptOut),
    ("bind", Proof::OptOut),
    ("bind", Proof::OptOut),
    ("bind", Proof::OptOut),
    ("knot", Proof::Nsec),
    ("knot", Proof::Nsec3),
    ("knot", Proof::OptOut),
    ("knot", Proof::OptOut),
    ("ldns", Proof::Nsec),
    ("ldns", Proof::Nsec3),
    ("ldns", Proof::OptOut),
    ("gapura", Proof::Nsec),
    ("gapura", Proof::Nsec),
    ("gapura", Proof::Nsec3),
    ("gapura", Proof::Nsec3),
];

/// A zone with what it was made from.
pub(super) struct SignedZone {
    /// Before it was signed.
    pub(super) generated: GeneratedZone,
    /// As it is served.
    pub(super) zone: Zone,
    /// Who signed it.
    pub(super) signer: &'static str,
    /// How absence is proven.
    pub(super) proof: Proof,
}

/// Zones, children and the daemon.
pub(super) struct World {
    /// The parents.
    pub(super) zones: Vec<SignedZone>,
    /// All names of zones that are served.
    pub(super) apexes: Vec<Name>,
    /// Where the daemon answers.
    pub(super) server: SocketAddr,
    /// The files.
    pub(super) directory: tempfile::TempDir,
    /// Ends with the value.
    _daemon: Daemon,
}

impl World {
    /// The zones of a seed, signed and served.
    pub(super) fn start(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let key = Key::make(path);
        let mut apexes = Vec::new();
        let mut zones = Vec::new();
        for (index, (signer, proof)) in SIGNINGS.into_iter().enumerate() {
            let apex = format!("v{index}.test.");
            let mut generated = generate::zone(&apex, seed * 1000 + index as u64);
            let mut random = Random::new(seed * 1000 + index as u64);
            let children = delegate(path, &key, &mut generated, &mut random);
            std::fs::write(path.join(format!("{apex}zone")), &generated.text).unwrap();
            sign(path, &key, &generated.apex, signer, proof);
            let zone = read(path, &generated.apex);
            apexes.push(generated.apex.clone());
            apexes.extend(children);
            zones.push(SignedZone { generated, zone, signer, proof });
        }
        // Above all of them and unsigned: what leads out of a zone ends here.
        let top: Name = "test.".parse().unwrap();
        write_child(path, &top);
        apexes.push(top);
        let mut settings = "[server]\nlisten = [\"127.0.0.1:0\"]\nudp_workers = 1\n\
                            [rate_limit]\nresponses_per_second = 0\n[web]\nlisten = \"127.0.0.1:0\"\n"
            .to_owned();
        for apex in &apexes {
            writeln!(
                settings,
                "[[zone]]\nname = \"{apex}\"\nfile = \"{apex}zone\"\nchecks = \"lenient\""
            )
            .unwrap();
        }
        std::fs::write(path.join("gapura.toml"), settings).unwrap();
        let daemon = Daemon::in_dir(path);
        Self { zones, apexes, server: daemon.dns(), directory, _daemon: daemon }
    }
}

/// A zone file as the daemon reads it.
fn read(directory: &Path, apex: &Name) -> Zone {
    let file = directory.join(format!("{apex}zone"));
    let bytes = std::fs::read(&file).unwrap();
    let input = Input { file: &file, bytes: &bytes, loader: &NoIncludes };
    let level = Level { strict: false, errors: Vec::new() };
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as u32;
    let checked = check::file(&input, apex, &Options::default(), &level, Signer::Other, now);
    let errors: Vec<_> = checked.findings.iter().map(ToString::to_string).collect();
    assert_eq!(checked.errors, 0, "{}\n{}", errors.join("\n"), String::from_utf8_lossy(&bytes));
    checked.zone.unwrap()
}

//------------ Children ------------------------------------------------------

/// Makes a child for each cut, signed or not, and puts the DS of the signed ones into the parent.
/// Returns their names.
fn delegate(
    directory: &Path,
    key: &Key,
    parent: &mut GeneratedZone,
    random: &mut Random,
) -> Vec<Name> {
    // The generated DS are those of no key.
    parent.records.retain(|record| record.rtype != Rtype::DS);
    let lines = parent.text.lines().filter(|line| !line.contains(" IN DS "));
    parent.text = lines.map(|line| format!("{line}\n")).collect();
    let zone = build(&parent.apex, &parent.records);
    let cuts: Vec<Name> =
        zone.nodes().filter(|node| node.is_cut()).map(|node| node.owner().to_name()).collect();
    for cut in &cuts {
        write_child(directory, cut);
        // Key files write an asterisk otherwise.
        let has_asterisk = cut.as_ref().labels().any(|label| label == b"*");
        if random.chance(30) && !has_asterisk {
            sign(directory, key, cut, "bind", Proof::Nsec);
            writeln!(parent.text, "{cut} 300 IN DS {}", key.ds(cut.as_ref())).unwrap();
        }
    }
    cuts
}

/// A small unsigned zone.
fn write_child(directory: &Path, apex: &Name) {
    let text = format!(
        "{apex} 300 IN SOA ns1.{apex} host.{apex} 1 7200 900 1209600 300\n\
         {apex} 300 IN NS ns1.{apex}\nns1.{apex} 300 IN A 192.0.2.1\n{apex} 300 IN TXT \"child\"\n\
         *.w.{apex} 300 IN A 192.0.2.2\n"
    );
    std::fs::write(directory.join(format!("{apex}zone")), text).unwrap();
}

//------------ Key -----------------------------------------------------------

/// One key for all zones: neither it nor its tag depends on the name.
struct Key {
    /// The DNSKEY in text.
    text: String,
    /// Its RDATA.
    rdata: Vec<u8>,
    /// Its tag, as file names have it.
    tag: String,
    /// The file of its secret.
    secret: Vec<u8>,
}

impl Key {
    /// A new key.
    fn make(directory: &Path) -> Self {
        let made = run(directory, "dnssec-keygen", &["-q", "-a", "13", "-f", "KSK", "test."]);
        let base = String::from_utf8(made).unwrap().trim().to_owned();
        let public = std::fs::read_to_string(directory.join(format!("{base}.key"))).unwrap();
        let text = public.lines().last().unwrap().split("DNSKEY ").nth(1).unwrap().to_owned();
        let rdata = rdata::parse(Rtype::DNSKEY, text.as_bytes(), NameRef::ROOT).unwrap();
        let secret = std::fs::read(directory.join(format!("{base}.private"))).unwrap();
        let tag = base.rsplit('+').next().unwrap().to_owned();
        Self { text, rdata, tag, secret }
    }

    /// Writes the files of the key as that of a zone; returns what their names begin with.
    fn write(&self, directory: &Path, apex: &Name) -> String {
        let base = format!("K{apex}+013+{}", self.tag);
        let public = format!("{apex} IN DNSKEY {}\n", self.text);
        std::fs::write(directory.join(format!("{base}.key")), public).unwrap();
        std::fs::write(directory.join(format!("{base}.private")), &self.secret).unwrap();
        base
    }

    /// The DS of the key as that of a zone.
    fn ds(&self, apex: NameRef<'_>) -> String {
        let hash = sha256([apex.to_lowercase().wire(), &self.rdata].concat());
        format!("{} 13 2 {}", self.tag.trim_start_matches('0'), hex(&hash))
    }
}

//------------ Signing -------------------------------------------------------

/// Signs the file of a zone in place.
fn sign(directory: &Path, key: &Key, apex: &Name, signer: &str, proof: Proof) {
    let (name, file) = (apex.to_string(), format!("{apex}zone"));
    let hashed = proof != Proof::Nsec;
    if signer == "knot" {
        return sign_with_knot(directory, &name, proof);
    }
    if signer == "gapura" {
        return sign_here(directory, apex, proof);
    }
    let base = key.write(directory, apex);
    let mut arguments = vec!["-o", &name, "-f", &file];
    if signer == "bind" {
        arguments.extend(["-q", "-P", "-z", "-S"]);
        arguments.extend(hashed.then_some(["-3", "-"]).into_iter().flatten());
        arguments.extend((proof == Proof::OptOut).then_some("-A"));
        arguments.push(&file);
        run(directory, "dnssec-signzone", &arguments);
    } else {
        arguments.extend(hashed.then_some("-n"));
        arguments.extend((proof == Proof::OptOut).then_some("-p"));
        arguments.extend([file.as_str(), &base]);
        run(directory, "ldns-signzone", &arguments);
    }
}

/// Signs with our own signer and a key of its own: some of the zone first, then the rest as a change.
fn sign_here(directory: &Path, apex: &Name, proof: Proof) {
    let content = read(directory, apex);
    let pair = Arc::new(KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap().0);
    let key = pair.dnskey().clone();
    let plan = Plan {
        cds: vec![key.ds(apex.as_ref(), DigestType::Sha256)],
        cdnskeys: vec![key.rdata()],
        keys: vec![key],
        key_signers: vec![Arc::clone(&pair)],
        zone_signers: vec![pair],
        dnskey_ttl: 300,
        denial: if proof == Proof::Nsec { Denial::Nsec } else { Denial::Nsec3 },
        zonemd: false,
        lifetime_s: 1_209_600,
        refresh_s: 604_800,
    };
    let is_early = |record: &Record| record.owner == *apex || !record.rdata.len().is_multiple_of(3);
    let early: Vec<Record> = content.records().map(|it| it.to_record()).filter(is_early).collect();
    let early = build(apex, &early);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() as u32;
    let served = sign::whole(&early, &plan, None, now, 1).unwrap();
    let served = sign::change(&served, &content, &early.diff(&content), &plan, now).unwrap();
    assert_eq!(sign::verify_change(None, &served, &plan, now), Ok(()));
    std::fs::write(directory.join(format!("{apex}zone")), print_zone(served.records())).unwrap();
}

/// Signs with Knot and keys of its own.
fn sign_with_knot(directory: &Path, apex: &str, proof: Proof) {
    let root = directory.display();
    let on = |on: bool| if on { "on" } else { "off" };
    let text = format!(
        "database:\n  storage: {root}/knot\npolicy:\n  - id: p\n    single-type-signing: on\n    \
         nsec3: {}\n    nsec3-opt-out: {}\n    nsec3-iterations: 0\n    nsec3-salt-length: 0\n\
         zone:\n  - domain: {apex}\n    storage: {root}\n    file: {apex}zone\n    \
         dnssec-policy: p\n    semantic-checks: off\n",
        on(proof != Proof::Nsec),
        on(proof == Proof::OptOut)
    );
    std::fs::create_dir_all(directory.join("knot")).unwrap();
    std::fs::create_dir_all(directory.join("out")).unwrap();
    std::fs::write(directory.join("knot.conf"), text).unwrap();
    run(directory, "kzonesign", &["-c", "knot.conf", "-o", "out", apex]);
    let file = format!("{apex}zone");
    std::fs::rename(directory.join("out").join(&file), directory.join(&file)).unwrap();
}

/// Runs a program that must succeed; what it printed.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    output.stdout
}

/// Whether all programs are installed; else the first that is not.
pub(super) fn installed() -> Result<(), &'static str> {
    let programs = ["unbound", "dnssec-signzone", "dnssec-keygen", "kzonesign", "ldns-signzone"];
    let runs = |program: &&str| Command::new(program).arg("-V").output().is_ok();
    programs.into_iter().find(|program| !runs(program)).map_or(Ok(()), Err)
}
