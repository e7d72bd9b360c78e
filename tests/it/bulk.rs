//! Requests in bulk from the command line: nothing without `--yes`, faults by line and column, and never twice.

use serde_json::Value;

use crate::support::office::{LETTER, Office, token_text};
use crate::support::printed;

/// A table of three villages; the target of one is in no public network.
const TABLE: &str = "sep=;\r\nKode wilayah;Tujuan;Keperluan;Penanggung jawab;Jabatan;Surel;Telepon;Nomor surat;Tanggal surat;Berkas surat\r\n\
    32.09.01.2008;192.0.2.11;Situs desa;=CMD();Kuwu;a@desa.example;0231-111111;140/1;20/11/2026;a.pdf\r\n\
    32.09.01.2009;10.0.0.1;Situs desa;Kuwu B;Kuwu;b@desa.example;0231-111111;140/2;20/11/2026;b.pdf\r\n\
    32.09.01.2010;192.0.2.13;Situs desa;Kuwu C;Kuwu;c@desa.example;0231-111111;140/3;20/11/2026;../c.pdf\r\n";

#[test]
fn a_table_is_tried_then_sent_and_sent_again_makes_nothing_new() {
    let office = Office::open();
    let dir = office.daemon.dir.clone();
    std::fs::write(dir.join("desa.csv"), TABLE).unwrap();
    std::fs::create_dir(dir.join("surat")).unwrap();
    std::fs::write(dir.join("surat/a.pdf"), LETTER).unwrap();
    std::fs::write(dir.join("c.pdf"), LETTER).unwrap();
    let token = token_text(&office.daemon, "budi", "read,submit");
    let web = office.daemon.web();
    let address = web.trim_start_matches("http://");
    let envs = [("GAPURA_TOKEN", token.as_str()), ("GAPURA_WEB", address)];
    let run = |more: &[&str]| {
        let args =
            [&["--json", "request", "import", "desa.csv", "--letters", "surat"], more].concat();
        let output = office.daemon.gapura_with_env(&args, &envs);
        let list: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", printed(&output)));
        (output.status.code(), list["rows"].as_array().unwrap().clone())
    };
    let requests = || office.kasi.get("/api/v1/requests").ok()["items"].as_array().unwrap().len();

    let (exit, rows) = run(&[]);
    let states: Vec<&str> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!((exit, states, requests()), (Some(1), vec!["ready", "faulty", "faulty"], 0));
    assert_eq!((&rows[0]["line"], &rows[1]["line"]), (&3.into(), &4.into()));
    let faults = rows[1]["faults"].to_string();
    assert!(faults.contains("Target: an address of a special range"), "{faults}");
    assert!(rows[2]["faults"].to_string().contains("Letter file: there is no letter"), "{rows:?}");

    let (_, first) = run(&["--yes"]);
    assert_eq!((&first[0]["state"], requests()), (&"filed".into(), 1), "{first:?}");
    // The answer got lost, and the command is given again: refused as taken, or answered alike.
    let (_, again) = run(&["--yes"]);
    assert!(again[0]["state"] == "faulty" || again[0]["number"] == first[0]["number"], "{again:?}");
    assert_eq!(requests(), 1);

    let secret = first[0]["secret"].as_str().unwrap();
    let number = first[0]["number"].as_str().unwrap();
    let owner = crate::support::http::Caller::new(&web, &[("Gapura-Secret", secret)]);
    assert_eq!(owner.get(&format!("/api/v1/requests/{number}")).ok()["state"], "submitted");
    let bad =
        office.daemon.gapura_with_env(&["request", "import", "c.pdf", "--letters", "surat"], &envs);
    assert!(!bad.status.success() && printed(&bad).contains("c.pdf"), "{}", printed(&bad));
}
