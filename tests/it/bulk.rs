//! Requests in bulk from the command line: nothing without `--yes`, faults by line and column, and never twice.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::support::office::{LETTER, Office, token_text};
use crate::support::printed;

/// A table of three villages; the target of one is in no public network.
const TABLE: &str = "sep=;\r\nKode wilayah;Tujuan;Keperluan;Penanggung jawab;Jabatan;Surel;Telepon;Nomor surat;Tanggal surat;Berkas surat\r\n\
    32.09.01.2008;192.0.2.11;Situs desa;=CMD();Kuwu;a@desa.example;0231-111111;140/1;20/11/2026;a.pdf\r\n\
    32.09.01.2009;10.0.0.1;Situs desa;Kuwu B;Kuwu;b@desa.example;0231-111111;140/2;20/11/2026;b.pdf\r\n\
    32.09.01.2010;192.0.2.13;Situs desa;Kuwu C;Kuwu;c@desa.example;0231-111111;140/3;20/11/2026;../c.pdf\r\n\
    32.09.01.2008;192.0.2.14;Situs desa;Kuwu D;Kuwu;d@desa.example;0231-111111;140/4;20/11/2026;a.pdf\r\n";

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
    let faulty = ["ready", "faulty", "faulty", "faulty"];
    assert_eq!((exit, states, requests()), (Some(1), faulty.to_vec(), 0));
    assert_eq!((&rows[0]["line"], &rows[1]["line"]), (&3.into(), &4.into()));
    let faults = rows[1]["faults"].to_string();
    assert!(faults.contains("Target: an address of a special range"), "{faults}");
    assert!(rows[2]["faults"].to_string().contains("Letter file: there is no letter"), "{rows:?}");
    assert!(rows[3]["faults"].to_string().contains("asks for the same name"), "{rows:?}");

    let (_, first) = run(&["--yes"]);
    assert_eq!((&first[0]["state"], requests()), (&"filed".into(), 1), "{first:?}");
    // The answer got lost, and the command is given again: it is answered alike.
    let (_, again) = run(&["--yes"]);
    assert_eq!((&again[0], requests()), (&first[0], 1));

    let secret = first[0]["secret"].as_str().unwrap();
    let number = first[0]["number"].as_str().unwrap();
    let owner = crate::support::http::Caller::new(&web, &[("Gapura-Secret", secret)]);
    assert_eq!(owner.get(&format!("/api/v1/requests/{number}")).ok()["state"], "submitted");
    let bad =
        office.daemon.gapura_with_env(&["request", "import", "c.pdf", "--letters", "surat"], &envs);
    assert!(!bad.status.success() && printed(&bad).contains("c.pdf"), "{}", printed(&bad));
}

/// A daemon that takes one request and then answers no more; where it listens.
fn dying_daemon() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut is_taken = false;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut call, mut part) = (Vec::new(), [0; 4_096]);
            let wanted = loop {
                let read = stream.read(&mut part).unwrap();
                call.extend_from_slice(&part[..read]);
                let text = String::from_utf8_lossy(&call).into_owned();
                let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.split("Content-Length: ").nth(1).unwrap().lines().next().unwrap();
                if call.len() >= head.len() + 4 + length.parse::<usize>().unwrap() {
                    break head.split(' ').nth(1).unwrap().to_owned();
                }
            };
            let (status, body) = match (wanted.as_str(), is_taken) {
                ("/api/v1/requests/check", _) => ("200 OK", "{}"),
                (_, false) => ("201 Created", "{\"number\":\"GPR-1\",\"secret\":\"RAHASIA1\"}"),
                (_, true) => return,
            };
            is_taken |= wanted == "/api/v1/requests";
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

#[test]
fn numbers_and_secrets_of_rows_that_were_sent_are_written_whatever_comes_after() {
    let office = Office::open();
    let dir = office.daemon.dir.clone();
    std::fs::write(dir.join("surat.pdf"), LETTER).unwrap();
    let table = TABLE.replace(";a.pdf", ";").replace(";b.pdf", ";").replace(";../c.pdf", ";");
    std::fs::write(dir.join("desa.csv"), table).unwrap();
    let address = dying_daemon();
    let envs = [("GAPURA_TOKEN", "gpr_x"), ("GAPURA_WEB", address.as_str())];
    let args = ["--json", "request", "import", "desa.csv", "--letters", "surat.pdf", "--yes"];
    let output = office.daemon.gapura_with_env(&args, &envs);
    let list: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(&output)));
    let rows: Vec<(&str, &str)> = (0..4)
        .map(|at| ["state", "secret"].map(|key| list["rows"][at][key].as_str().unwrap()).into())
        .collect();
    let wanted = [("filed", "RAHASIA1"), ("failed", ""), ("failed", ""), ("failed", "")];
    assert_eq!((output.status.code(), rows), (Some(1), wanted.to_vec()), "{list}");
    let faults = |at: usize| list["rows"][at]["faults"].to_string();
    assert!(faults(1).contains("daemon") && faults(2).contains("line 4 failed"), "{list}");
}
