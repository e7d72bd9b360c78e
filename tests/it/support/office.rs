//! An office of three people around a daemon, and the requests they work on.

use serde_json::{Value, json};

use super::Daemon;
use super::http::Caller;

/// A small PDF of one empty page.
pub const LETTER: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Size 4/Root 1 0 R>>\n%%EOF\n";
/// What everybody in the story types; nobody else has it.
pub const PASSWORD: &str = "kuda lumping 1928 cirebon";

/// A daemon with a head, a verifier and an auditor.
pub struct Office {
    /// The daemon.
    pub daemon: Daemon,
    /// Somebody without a token.
    pub applicant: Caller,
    /// budi, the head.
    pub kabid: Caller,
    /// siti, the verifier.
    pub kasi: Caller,
    /// agus, who only reads.
    pub auditor: Caller,
}

impl Office {
    /// With the shipped settings.
    pub fn open() -> Self {
        Self::of(Daemon::start(""))
    }

    /// Around a daemon that runs.
    pub fn of(daemon: Daemon) -> Self {
        for (name, role) in [("budi", "kabid"), ("siti", "kasi"), ("agus", "auditor")] {
            add_person(&daemon, name, role, &format!("{name}@cirebonkab.go.id"));
        }
        let applicant = Caller::new(&daemon.web(), &[]);
        let kabid = token(&daemon, "budi", "read,submit,decide");
        let kasi = token(&daemon, "siti", "read,submit,decide");
        let auditor = token(&daemon, "agus", "read");
        Self { daemon, applicant, kabid, kasi, auditor }
    }

    /// Sends a request in; its number and secret.
    #[track_caller]
    pub fn submit(&self, request: &Value) -> (String, String) {
        let response = self.applicant.post_request("/api/v1/requests", request, LETTER);
        assert_eq!(response.status, 201, "{}", response.text());
        let body = response.json();
        assert_eq!((&body["state"], &body["revision"]), (&json!("submitted"), &json!(1)));
        let field = |name: &str| body[name].as_str().unwrap().to_owned();
        (field("number"), field("secret"))
    }

    /// Brings a request to the verifier.
    #[track_caller]
    pub fn dispose(&self, number: &str) {
        let body = json!({ "to": "siti", "instruction": "Periksa nama dan data." });
        let request = self.kabid.post(&act(number, "dispose"), &body).ok();
        assert_eq!(request["state"], "assigned");
    }

    /// What an approval of the request as it stands would say.
    #[track_caller]
    pub fn approval(&self, number: &str) -> Value {
        let request = self.kasi.get(&format!("/api/v1/requests/{number}")).ok();
        let lines: Vec<Value> = request["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["code"].as_str().unwrap().starts_with('M') || line["verdict"] != "ok")
            .map(|line| json!({ "code": line["code"], "verdict": "ok", "note": "diperiksa lewat telepon" }))
            .collect();
        json!({ "revision": request["revision"], "candidate": request["candidate"]["hash"], "lines": lines })
    }
}

/// `gapura user add` over the control socket.
#[track_caller]
pub fn add_person(daemon: &Daemon, name: &str, role: &str, email: &str) {
    let args = ["user", "add", name, "--role", role, "--email", email, "--password-stdin"];
    let added = daemon.gapura_with_input(&args, PASSWORD);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

/// A caller with a fresh personal token.
#[track_caller]
pub fn token(daemon: &Daemon, name: &str, scopes: &str) -> Caller {
    Caller::with_token(&daemon.web(), &token_text(daemon, name, scopes))
}

/// A fresh personal token.
#[track_caller]
pub fn token_text(daemon: &Daemon, name: &str, scopes: &str) -> String {
    let args = ["token", "create", name, "--scope", scopes, "--password-stdin"];
    let made = daemon.gapura_with_input(&args, PASSWORD);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// The path of an act.
pub fn act(number: &str, act: &str) -> String {
    format!("/api/v1/requests/{number}/{act}")
}

/// A village's request for its own name.
pub fn village() -> Value {
    json!({
        "kind": "new", "class": "desa", "name": "sindangjawa.desa", "zone": "cirebonkab.go.id.",
        "records": [{ "type": "A", "data": "192.0.2.200", "ttl": 3600 }],
        "office": "Desa Sindangjawa", "region": region("Sindangjawa"),
        "purpose": "Situs resmi pemerintah desa",
        "contact": { "name": "Kuwu Sindangjawa", "position": "Kuwu", "email": "desa@sindangjawa.example", "phone": "0231-000000" },
        "letter": { "number": "140/12/Ds", "date": "2026-11-23" }, "starts": null, "ends": null
    })
}

/// A request for a service's name.
pub fn service(name: &str, records: Value) -> Value {
    let mut request = village();
    request["class"] = json!("layanan");
    request["name"] = json!(name);
    request["records"] = records;
    request["region"] = Value::Null;
    request
}

/// The code of a village in the list the program ships.
fn region(name: &str) -> String {
    let list = include_str!("../../../src/core/queue/data/wilayah-32.09.csv");
    let line = list.lines().find(|line| line.ends_with(&format!(",desa,{name}"))).unwrap();
    line.split(',').next().unwrap().to_owned()
}
