//! Another regency adopts gapura by settings alone: none of its pages names the office that gapura was made for.

use std::path::Path;

use crate::support::Daemon;
use crate::support::http::Caller;

/// Its zone.
const ZONE: &str = "$ORIGIN majukab.go.id.\n$TTL 3600\n\
    @ SOA ns1 hostmaster 2026112401 3600 900 1209600 300\n@ NS ns1\n@ NS ns2\n\
    ns1 A 192.0.2.1\nns2 A 198.51.100.1\ndinkes A 192.0.2.7\n; gapura: end of zone\n";
/// Its settings.
const SETTINGS: &str = r#"
[server]
listen = ["127.0.0.1:0"]
udp_workers = 1
state_dir = "state"

[web]
listen = "127.0.0.1:0"

[office]
government = "Pemerintah Kabupaten Maju"
name = "Dinas Kominfo dan Statistik"
short_name = "Diskominfotik"
region = "Kabupaten Maju"
unit = "Bidang Layanan E-Government"
place = "Majujaya"
address = "Jln. Merdeka 1, Majujaya"
telephone = "(0999) 123456"
email = "halo@diskominfotik.majukab.go.id"
website = "https://diskominfotik.majukab.go.id"
head = "Kepala Bidang Layanan E-Government"
verifier = "Kepala Seksi Aplikasi"
privacy_officer = "Sekretaris Dinas"
procedure = "SOP 12/2026"

[work]
hours = "Mon-Thu 07:30-16:00; Fri 07:30-11:00"

[naming]
regions = "regions.csv"
offices = "offices.csv"

[[zone]]
name = "majukab.go.id."
file = "majukab.go.id.zone"
"#;

/// Writes the settings and lists of the other regency.
fn lay_out(dir: &Path) {
    let regions = "kode,jenis,nama\n99.01.01,kecamatan,Makmur\n99.01.01.2001,desa,Sukamaju\n";
    let offices = "singkatan,nama,jenis\ndinkes,Dinas Kesehatan,dinas\n";
    for (name, text) in [
        ("majukab.go.id.zone", ZONE),
        ("gapura.toml", SETTINGS),
        ("regions.csv", regions),
        ("offices.csv", offices),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
    }
}

#[test]
fn another_regency_is_itself_on_every_page() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path());
    let daemon = Daemon::in_dir(dir.path());
    for cookie in ["gapura_bahasa=id", "gapura_bahasa=en"] {
        let reader = Caller::new(&daemon.web(), &[("cookie", cookie)]);
        for path in [
            "/",
            "/bantuan",
            "/aturan-nama",
            "/contoh-surat",
            "/contoh-surat?jenis=perubahan",
            "/privasi",
            "/status",
            "/status/kode",
            "/permohonan/1",
            "/subdomain",
            "/masuk",
            "/tidak-ada",
        ] {
            let page = reader.get(path).text();
            let low = page.to_lowercase();
            for word in ["cirebon", "8330580", "sunan drajat", "534/", "{ $", "{$"] {
                assert!(!low.contains(word), "{word:?} on {path} ({cookie}):\n{page}");
            }
            assert!(page.contains("Pemerintah Kabupaten Maju"), "{path}");
            assert!(page.contains("(0999) 123456"), "{path}");
        }
        let help = reader.get("/bantuan").text();
        assert!(help.contains("Jln. Merdeka 1, Majujaya"), "{help}");
        let days =
            if cookie.ends_with("id") { "Senin–Kamis, 07.30–16.00" } else { "Monday to" };
        assert!(help.contains(days), "{help}");
        let rules = reader.get("/aturan-nama").text();
        assert!(rules.contains("sukamaju.<wbr>desa.<wbr>majukab"), "{rules}");
        assert!(reader.get("/privasi").text().contains("Sekretaris Dinas"));
    }
    // A reload takes another name over.
    let text = SETTINGS.replace("Kabupaten Maju", "Kabupaten Jaya");
    std::fs::write(dir.path().join("gapura.toml"), text).unwrap();
    let reloaded = daemon.gapura(&["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", crate::support::printed(&reloaded));
    let home = Caller::new(&daemon.web(), &[]).get("/").text();
    assert!(home.contains("Pemerintah Kabupaten Jaya") && !home.contains("Maju,"), "{home}");
}

#[test]
fn the_register_is_searched_and_has_only_sites() {
    let dir = tempfile::tempdir().unwrap();
    lay_out(dir.path());
    let zone = format!(
        "{}sukamaju.desa A 192.0.2.8\nautoconfig A 192.0.2.9\n",
        ZONE.replace("; gapura: end of zone\n", "")
    );
    std::fs::write(dir.path().join("majukab.go.id.zone"), format!("{zone}; gapura: end of zone\n"))
        .unwrap();
    let daemon = Daemon::in_dir(dir.path());
    let reader = Caller::new(&daemon.web(), &[]);
    let all = reader.get("/subdomain").text();
    for link in ["https://dinkes.majukab.go.id", "https://sukamaju.desa.majukab.go.id"] {
        assert!(all.contains(link), "{link}: {all}");
    }
    assert!(!all.contains("autoconfig") && !all.contains("https://ns1."), "{all}");
    // Nobody asked for it, but its name says whose it is.
    for office in ["Pemerintah Desa Sukamaju", "Dinas Kesehatan"] {
        assert!(all.contains(office), "{office}: {all}");
    }
    let some = reader.get("/subdomain?cari=sukamaju&kelas=desa&kecamatan=99.01.01").text();
    assert!(some.contains("https://sukamaju.desa") && !some.contains("https://dinkes"), "{some}");
    let none = reader.get("/subdomain?cari=tidak-ada").text();
    assert!(none.contains("Tidak ada nama yang cocok"), "{none}");
    let file = reader.get("/subdomain.csv?kelas=desa").text();
    assert_eq!(file.trim_end().lines().count(), 2, "{file}");
}
