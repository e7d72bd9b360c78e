//! An archive is read back as it was written, and in no other form.

use std::path::PathBuf;

use super::*;

/// A backup with members of several sizes, one of them with a long name.
fn written(dir: &Path) -> PathBuf {
    let path = dir.join("backup");
    let mut writer = Writer::new(Vec::new());
    let mut manifest = Manifest { format: FORMAT.to_owned(), ..Manifest::default() };
    let long = format!("served/{}.zone", "a".repeat(180));
    let sizes = [(DATABASE, 5_000), ("audit.key", 83), (long.as_str(), 512), ("letters/l1", 0)];
    for (name, octets) in sizes {
        let content = vec![7; octets];
        let sha256 = writer.add(name, octets as u64, 1_700_000_000, &mut &content[..]).unwrap();
        let octets = octets as u64;
        manifest.members.push(Entry { name: name.to_owned(), octets, sha256 });
    }
    let json = serde_json::to_vec(&manifest).unwrap();
    writer.add("manifest.json", json.len() as u64, 0, &mut &json[..]).unwrap();
    std::fs::write(&path, writer.finish().unwrap().0).unwrap();
    path
}

#[test]
fn what_was_written_is_unpacked_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path());
    let manifest = check(&path).unwrap();
    assert_eq!(manifest.members.len(), 4);
    let into = dir.path().join("into");
    std::fs::create_dir(&into).unwrap();
    unpack(&path, &manifest, &into).unwrap();
    for entry in &manifest.members {
        let content = std::fs::read(into.join(&entry.name)).unwrap();
        assert_eq!(crate::digest::sha256_hex(content), entry.sha256, "{}", entry.name);
    }
}

#[test]
fn no_octet_can_change_unseen_and_no_cut_either() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path());
    let whole = std::fs::read(&path).unwrap();
    let spoiled = dir.path().join("spoiled");
    for at in (0..whole.len()).step_by(61).chain(whole.len() - 2_048..whole.len()) {
        let mut octets = whole.clone();
        octets[at] ^= 1;
        std::fs::write(&spoiled, &octets).unwrap();
        assert!(matches!(check(&spoiled), Err(BackupError::Damaged { .. })), "octet {at}");
    }
    for octets in (0..whole.len()).step_by(257) {
        std::fs::write(&spoiled, &whole[..octets]).unwrap();
        assert!(check(&spoiled).is_err(), "{octets} octets");
    }
    std::fs::write(&spoiled, [&whole[..], &[0; 512]].concat()).unwrap();
    assert!(check(&spoiled).is_err(), "longer");
}

#[test]
fn a_member_has_its_place_and_no_other() {
    for name in ["gapura.db", "keys/example/k.pem", "letters/a", "operator/zones/a.zone"] {
        assert!(is_member(name), "{name}");
    }
    let others = [
        "",
        "/etc/passwd",
        "../a",
        "keys/../a",
        "keys//a",
        "keys",
        "gapura.db/a",
        "control.sock",
        "letters/./a",
        "lock",
        "keys/a\nb",
        "keys/a/b/c/d",
    ];
    for name in others {
        assert!(!is_member(name), "{name}");
    }
}

#[test]
fn a_name_out_of_the_directory_is_refused_though_all_hashes_fit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup");
    for name in ["../evil", "/tmp/evil", "control.sock"] {
        let mut writer = Writer::new(Vec::new());
        let mut manifest = Manifest { format: FORMAT.to_owned(), ..Manifest::default() };
        let sha256 = writer.add(name, 1, 0, &mut &b"x"[..]).unwrap();
        manifest.members.push(Entry { name: name.to_owned(), octets: 1, sha256 });
        let json = serde_json::to_vec(&manifest).unwrap();
        writer.add("manifest.json", json.len() as u64, 0, &mut &json[..]).unwrap();
        std::fs::write(&path, writer.finish().unwrap().0).unwrap();
        let told = check(&path).unwrap_err().to_string();
        assert!(told.contains("no file that a backup holds"), "{told}");
    }
}

#[test]
fn a_tar_of_others_lists_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path());
    let Ok(listed) = std::process::Command::new("tar").arg("tf").arg(&path).output() else {
        crate::skipped::skipped("there is no tar here");
        return;
    };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names: Vec<&str> = listed.lines().collect();
    assert_eq!(names.len(), 6, "{listed}");
    assert!(names.contains(&"gapura.db") && names.contains(&"SHA256"), "{listed}");
    assert!(names.iter().any(|name| name.len() > 180), "{listed}");
}
