//! Catalog zones read and made.

use super::*;
use crate::master::{self, Input, NoIncludes};
use crate::wire::Name;
use crate::zone::{Zone, ZoneBuilder};

/// A zone of this text.
fn zone(apex: &str, text: &str) -> Zone {
    let apex: Name = apex.parse().unwrap();
    let input =
        Input { file: std::path::Path::new("text"), bytes: text.as_bytes(), loader: &NoIncludes };
    let mut builder = ZoneBuilder::new(&apex);
    let parsed = master::parse(&input, apex.as_ref(), &Default::default(), &mut |record, _| {
        builder.push(record);
    });
    assert!(parsed.findings.iter().all(|it| it.severity != master::Severity::Error));
    builder.finish().0.unwrap()
}

/// What is read from a catalog with these lines behind a head that is good.
fn read(lines: &str) -> Result<Vec<String>, Vec<String>> {
    let head = "@ 0 SOA a b 1 1 1 1 1\n@ 0 NS invalid.\n";
    match members(&zone("cat.", &format!("{head}{lines}"))) {
        Ok(members) => Ok(members
            .into_iter()
            .map(|it| {
                let label = String::from_utf8_lossy(&it.label).into_owned();
                let owner = it.new_owner.map_or(String::new(), |owner| format!(" {owner}"));
                format!("{label} {}{owner}", it.zone)
            })
            .collect()),
        Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

/// A good version.
const V2: &str = "version 0 TXT 2\n";

#[test]
fn members_are_read_and_what_is_not_known_is_not_heeded() {
    let lines = "Unique-B.Zones 0 PTR B.example.\n\
                 a.zones 0 PTR a.example.\n\
                 coo.a.zones 0 PTR other.cat.\n\
                 group.a.zones 0 TXT one two\n\
                 group.a.zones 0 TXT three\n\
                 x.ext.a.zones 0 TXT whatever\n\
                 x.ext 0 PTR no.example.\n\
                 deep.down.zones 0 PTR no.example.\n\
                 c.zones 0 TXT no\n\
                 zones 0 PTR no.example.\n";
    let found = read(&format!("{V2}{lines}"));
    assert_eq!(found.unwrap(), ["a a.example. other.cat.", "unique-b B.example."]);
    assert_eq!(read(V2).unwrap(), [""; 0]);
}

#[test]
fn a_broken_catalog_has_no_members_and_all_its_faults_are_told() {
    let broken = |lines: &str| read(lines).unwrap_err();
    let good = "a.zones 0 PTR a.example.\n";
    assert_eq!(broken(good), ["there is no TXT record at \"version\""]);
    for version in ["1", "3", "\"2\" \"2\"", "\"\"", "02"] {
        let told = broken(&format!("version 0 TXT {version}\n{good}"));
        assert!(told[0].starts_with("its version is"), "{version}: {told:?}");
    }
    let told = broken(&format!("{V2}version 0 TXT 1\n{good}"));
    assert_eq!(told, ["there is more than one TXT record at \"version\""]);
    let told = broken(
        "a.zones 0 PTR a.example.\na.zones 0 PTR b.example.\n\
         b.zones 0 PTR c.example.\nc.zones 0 PTR C.EXAMPLE.\n\
         d.zones 0 PTR d.example.\ncoo.d.zones 0 PTR e.\ncoo.d.zones 0 PTR f.\n",
    );
    let expected = [
        "there is no TXT record at \"version\"",
        "a.zones.cat. has more than one PTR record",
        "C.EXAMPLE. is listed twice",
        "coo.d.zones.cat. has more than one PTR record",
    ];
    assert_eq!(told, expected);
}

#[test]
fn catalog_label_over_63_octets_is_never_made_and_the_longest_names_are_read() {
    // The longest name there is, as a member and below the longest label.
    let longest = [[b'x'; 63]; 3].map(|label| String::from_utf8(label.to_vec()).unwrap()).join(".");
    let longest = format!("{longest}.{}.", "y".repeat(61));
    let label = "l".repeat(63);
    let found = read(&format!("{V2}{label}.zones 0 PTR {longest}\n")).unwrap();
    assert_eq!(found, [format!("{label} {longest}")]);
    let name: Name = longest.parse().unwrap();
    assert_eq!(name.wire().len(), 255);
    let made = text([&name].into_iter());
    assert_eq!(members(&zone("cat.", &made)).unwrap()[0].zone, name);
    // A catalog whose name leaves no room below a member's node.
    let deep = format!(
        "{}.{}.",
        "z".repeat(63),
        [[b'q'; 63].to_vec(), vec![b'q'; 40]]
            .map(|it| { String::from_utf8(it).unwrap() })
            .join(".")
    );
    let text =
        format!("@ 0 SOA a b 1 1 1 1 1\n@ 0 NS invalid.\n{V2}{}.zones 0 PTR a.\n", "l".repeat(60));
    assert_eq!(members(&zone(&deep, &text)).unwrap().len(), 1);
}

#[test]
fn what_is_made_is_read_again_with_labels_that_stay() {
    let names: Vec<Name> =
        ["b.example.", "A.example.", "\\000\\.x.", "."].map(|it| it.parse().unwrap()).into();
    let made = zone("cat.example.", &text(names.iter()));
    let read = members(&made).unwrap();
    assert_eq!(read.len(), names.len());
    assert!(read.iter().all(|it| *it.label == *label(it.zone.as_ref()).as_bytes()));
    let lower: Name = "a.EXAMPLE.".parse().unwrap();
    assert_eq!(label(lower.as_ref()), label(names[1].as_ref()));
    assert_eq!(label(lower.as_ref()), "af4181b9fc9791e7602493af58368152", "over all versions");
}
