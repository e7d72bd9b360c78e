//! The JSON API call by call: its shapes, its refusals, its limits (docs/api.md).

use crate::support::http::Caller;
use crate::support::office::{LETTER, Office, act, service, token, token_text, village};
use crate::support::{Daemon, ask, data};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

/// One address.
fn address(data: &str) -> Value {
    json!([{ "type": "A", "data": data, "ttl": 3600 }])
}

/// Brings a request up; the request as it is then.
#[track_caller]
fn live(office: &Office, request: &Value) -> Value {
    let (number, _) = office.submit(request);
    office.dispose(&number);
    let live = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    assert_eq!(live["state"], "live", "{live}");
    live
}

#[test]
fn who_asks_decides_what_is_answered() {
    let office = Office::open();
    let (number, secret) = office.submit(&village());
    let path = format!("/api/v1/requests/{number}");

    // Nobody, a token nobody has, a scope that is missing.
    assert_eq!(office.applicant.get(&path).refused(), (401, "unauthorized".to_owned()));
    let forged = Caller::with_token(&office.daemon.web(), "gpr_nobody");
    assert_eq!(forged.get(&path).refused(), (401, "unauthorized".to_owned()));
    let reader = token(&office.daemon, "siti", "read");
    assert_eq!(reader.post(&act(&number, "release"), &json!({})).refused().0, 403);
    assert_eq!(reader.post_request("/api/v1/requests", &village(), LETTER).refused().0, 403);

    // The secret opens its own request only; a wrong one and an unknown number read the same.
    let owner = Caller::new(&office.daemon.web(), &[("Gapura-Secret", &secret)]);
    let seen = owner.get(&path).ok();
    assert_eq!(
        (&seen["holder"], &seen["contact"]["name"]),
        (&json!("kabid"), &json!("Kuwu Sindangjawa"))
    );
    let stranger = Caller::new(&office.daemon.web(), &[("Gapura-Secret", "AAAAAAAA")]);
    let wrong = stranger.get(&path).refused();
    assert_eq!(wrong, owner.get("/api/v1/requests/GPR-2026-99999").refused());
    assert_eq!(wrong, (404, "not_found".to_owned()));

    // The right secret may ask as often as it likes; wrong ones may not.
    for _ in 0..60 {
        assert_eq!(owner.get(&path).ok()["state"], "submitted");
    }
    let guesses = (0..40).map(|_| stranger.get(&path).refused().0).collect::<Vec<_>>();
    assert!(guesses.starts_with(&[404]) && guesses.ends_with(&[429]), "{guesses:?}");

    // The auditor sees that there is a contact, not who it is; the chain is for them.
    assert_eq!(office.auditor.get(&path).ok()["contact"], Value::Null);
    assert_eq!(office.kasi.get(&path).ok()["contact"]["name"], "Kuwu Sindangjawa");
    assert_eq!(office.kasi.get("/api/v1/events").refused().0, 403);
    let chain = office.auditor.get("/api/v1/events?after=0").ok();
    let events: Vec<&Value> =
        chain["items"].as_array().unwrap().iter().filter(|e| e["hash"].is_string()).collect();
    assert!(events.iter().any(|event| event["act"] == "submit"), "{chain}");
    assert!(!chain.to_string().contains("Kuwu Sindangjawa"), "a name stands in the chain");
}

#[test]
fn the_chain_is_read_page_by_page_and_a_poll_adds_nothing_to_it() {
    let office = Office::open();
    let auditor = &office.auditor;
    let whole = auditor.get("/api/v1/events").ok();
    let hashes = |chain: &Value| -> Vec<String> {
        let items = chain["items"].as_array().unwrap().iter();
        items.filter_map(|item| item["hash"].as_str().map(str::to_owned)).collect()
    };
    let all = hashes(&whole);
    let (mut paged, mut cursor) = (Vec::new(), 0);
    for _ in 0..all.len() {
        let page = auditor.get(&format!("/api/v1/events?limit=2&cursor={cursor}")).ok();
        let found = hashes(&page);
        assert!(found.len() <= 2, "{page}");
        paged.extend(found);
        match page["next"].as_i64() {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert!(all.len() > 4);
    assert_eq!(paged, all, "page by page, and no event was added meanwhile");
    let end = auditor.get(&format!("/api/v1/events?after={}", all.len())).ok();
    assert_eq!((hashes(&end), &end["next"]), (vec![], &Value::Null));
}

#[test]
fn what_cannot_be_read_is_a_problem_too() {
    let office = Office::open();
    let kasi = &office.kasi;
    for (path, status) in [
        ("/api/v1/nothing", 404),
        ("/api/v1/requests?state=happy", 400),
        ("/api/v1/requests?limit=many", 400),
        ("/api/v1/requests?cursor=zz", 400),
        ("/api/v1/requests/%ff", 400),
        ("/api/v1/requests/%00", 404),
        ("/api/v1/records/x/suspend", 405),
        ("/api/v1/requests/GPR-2026-99999", 404),
    ] {
        assert_eq!(kasi.get(path).refused().0, status, "{path}");
    }
    assert_eq!(kasi.post(&act("GPR-2026-00001", "explode"), &json!({})).refused().0, 404);
    assert_eq!(kasi.post("/api/v1/requests", &village()).refused().0, 415);
    let (number, _) = office.submit(&village());
    assert_eq!(kasi.post(&act(&number, "approve"), &json!({ "revision": "x" })).refused().0, 400);
    assert_eq!(kasi.get("/healthz").ok()["status"], "ok");
    assert_eq!(kasi.get("/readyz").ok()["status"], "ready");

    // What is too long to be taken in is told in the same form.
    let huge = vec![b' '; 3 * 1024 * 1024];
    let refused = kasi.post_request("/api/v1/requests", &village(), &huge).refused();
    assert_eq!(refused, (413, "too_large".to_owned()));

    // The document names every call, the shape of a request, and the problems by status.
    let document = office.applicant.get("/api/v1/openapi.json").ok();
    let responses = &document["paths"]["/api/v1/records/{name}/suspend"]["post"]["responses"];
    for status in ["400", "401", "403", "404", "409", "413", "415", "422", "429", "500"] {
        let name = responses[status]["$ref"].as_str().unwrap_or_default().rsplit('/').next();
        let refusal = &document["components"]["responses"][name.unwrap_or_default()];
        assert!(refusal["content"]["application/problem+json"].is_object(), "{status}");
    }
    for path in [
        "/api/v1/requests",
        "/api/v1/requests/{number}",
        "/api/v1/requests/{number}/dispose",
        "/api/v1/requests/{number}/resubmit",
        "/api/v1/changes",
        "/api/v1/requests/{number}/erase",
        "/api/v1/records",
        "/api/v1/records/{name}/suspend",
        "/api/v1/records/{name}/adopt",
        "/api/v1/records/{name}/confirm",
        "/api/v1/events",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(document["components"]["schemas"]["RequestView"].is_object());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn a_request_is_turned_back_with_every_fault_by_field() {
    let office = Office::open();
    let send = |request: &Value, letter: &[u8]| {
        office.applicant.post_request("/api/v1/requests", request, letter)
    };
    let mut bad = service("a_b", json!([{ "type": "A", "data": "10.0.0.1", "ttl": 1 }]));
    bad["contact"]["email"] = json!("kuwu");
    let response = send(&bad, LETTER);
    assert_eq!(response.refused().0, 422);
    let problem = response.json();
    let fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().filter_map(|e| e["field"].as_str()).collect();
    for field in ["name", "records.0.data", "records.0.ttl", "contact.email"] {
        assert!(fields.contains(&field), "{field} is not in {fields:?}");
    }
    for field in ["type", "title", "status", "detail", "code"] {
        assert!(!problem[field].is_null(), "{field}");
    }
    for (request, code) in [
        (service("www", address("192.0.2.1")), "reserved"),
        (service("ab", address("192.0.2.1")), "name_rule"),
        (service("dinkes", address("192.0.2.1")), "name_taken"),
        (service("bagus", address("127.0.0.1")), "target_refused"),
        (service("bagus", json!([])), "incomplete"),
    ] {
        assert_eq!(send(&request, LETTER).refused(), (422, code.to_owned()), "{request}");
    }
    let good = service("bagus", address("192.0.2.1"));
    assert_eq!(send(&good, b"").refused(), (422, "incomplete".to_owned()));
    assert_eq!(send(&good, b"GIF89a").refused().0, 422);
    assert_eq!(send(&good, &[b'%'; 2_100_000]).refused().0, 413);
}

#[test]
fn a_number_that_may_be_a_nik_is_masked_with_a_warning() {
    let office = Office::open();
    let mut request = service("tanpanik", address("192.0.2.61"));
    request["purpose"] = json!("Untuk Ani, NIK 3209123456789012");
    let sent = office.applicant.post_request("/api/v1/requests", &request, LETTER).ok();
    assert_eq!(sent["warnings"][0]["field"], "purpose", "{sent}");
    let seen = office.kasi.get(&format!("/api/v1/requests/{}", sent["number"].as_str().unwrap()));
    assert_eq!(seen.ok()["purpose"], "Untuk Ani, NIK ****************");
}

#[test]
fn the_public_form_has_a_limit_and_a_switch() {
    let office = Office::of(Daemon::start("[public]\nsubmit_per_hour = 2\n"));
    let send = |number: u8| {
        let request = service(&format!("layanan-{number}"), address("192.0.2.1"));
        office.applicant.post_request("/api/v1/requests", &request, LETTER)
    };
    // What is turned back does not count against the few an hour.
    for _ in 0..3 {
        let refused = service("www", address("192.0.2.1"));
        let response = office.applicant.post_request("/api/v1/requests", &refused, LETTER);
        assert_eq!(response.refused().1, "reserved");
    }
    let [first, second] = [send(1), send(2)];
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.header("ratelimit-policy"), "\"submit\";q=2;w=3600");
    assert_eq!(first.header("ratelimit"), "\"submit\";r=1;t=1800");
    let third = send(3);
    assert_eq!(third.refused(), (429, "too_many".to_owned()));
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((1_700..=1_800).contains(&wait), "{wait}");
    assert_eq!(third.header("ratelimit"), format!("\"submit\";r=0;t={wait}"));
    let request = service("layanan-4", address("192.0.2.1"));
    assert_eq!(office.kabid.post_request("/api/v1/requests", &request, LETTER).status, 201);

    let closed = Office::of(Daemon::start("[public]\nsubmit = false\n"));
    let response = closed.applicant.post_request("/api/v1/requests", &village(), LETTER);
    assert_eq!(response.refused(), (403, "not_allowed".to_owned()));
}

#[test]
fn the_queue_comes_in_pages() {
    let office = Office::open();
    let sent: Vec<String> = (1..=5)
        .map(|n| {
            let request = service(&format!("layanan{n}"), address("192.0.2.1"));
            let response = office.kabid.post_request("/api/v1/requests", &request, LETTER);
            response.ok()["number"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut seen = Vec::new();
    let mut path = "/api/v1/requests?state=submitted&limit=2".to_owned();
    loop {
        let page = office.auditor.get(&path).ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["number"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/requests?state=submitted&limit=2&cursor={next}");
    }
    assert_eq!(seen, sent);
    assert_eq!(office.auditor.get("/api/v1/requests?state=live").ok()["items"], json!([]));
}

#[test]
fn pressing_approve_twice_at_once_promotes_once() {
    let office = Office::open();
    let (number, _) = office.submit(&service("ganda", address("192.0.2.77")));
    office.dispose(&number);
    let approval = office.approval(&number);
    let states: Vec<Value> = std::thread::scope(|scope| {
        let press = || office.kasi.post(&act(&number, "approve"), &approval);
        let presses: Vec<_> = (0..4).map(|_| scope.spawn(press)).collect();
        presses.into_iter().map(|press| press.join().unwrap().json()["state"].clone()).collect()
    });
    // Whoever comes second gets the first result.
    assert_eq!(states, ["live"; 4].map(Value::from));
    let view = office.kasi.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(view["state"], "live", "{states:?}");
    let promotions = view["history"].as_array().unwrap();
    let of = |act: &str| {
        promotions.iter().filter(|e| e["act"] == act && e["facts"]["turned_back"].is_null()).count()
    };
    assert_eq!((of("approve"), of("promote"), of("promoted")), (1, 1, 1), "{promotions:?}");
    assert_eq!(
        data(&ask(office.daemon.dns(), "ganda.cirebonkab.go.id.", RecordType::A)),
        ["192.0.2.77"]
    );
}

#[test]
fn a_second_signature_is_the_heads_and_on_the_same_candidate() {
    let office = Office::open();
    let mail = json!([{ "type": "MX", "data": "10 mail.cirebonkab.go.id", "ttl": 3600 }]);
    let (number, _) = office.submit(&service("surat-dinas", mail));
    office.dispose(&number);
    let approval = office.approval(&number);
    let verified = office.kasi.post(&act(&number, "approve"), &approval).ok();
    assert_eq!(verified["state"], "verified");
    assert_eq!(office.kasi.post(&act(&number, "promote"), &json!({})).refused().1, "incomplete");
    let other = json!({ "candidate": "0".repeat(64) });
    assert_eq!(office.kabid.post(&act(&number, "countersign"), &other).refused().1, "stale");
    let same = json!({ "candidate": approval["candidate"] });
    assert_eq!(office.kasi.post(&act(&number, "countersign"), &same).refused().0, 403);
    let live = office.kabid.post(&act(&number, "countersign"), &same).ok();
    assert_eq!(live["state"], "live", "{live}");
    let reply = ask(office.daemon.dns(), "surat-dinas.cirebonkab.go.id.", RecordType::MX);
    assert_eq!(data(&reply), ["10 mail.cirebonkab.go.id."]);
}

#[test]
fn one_officer_takes_a_name_down_and_the_other_agrees() {
    let office = Office::open();
    live(&office, &service("diretas", address("192.0.2.66")));
    let name = "diretas.cirebonkab.go.id.";
    let path = |act: &str| format!("/api/v1/records/{name}/{act}");
    let reason = json!({ "reason": "laman diubah orang lain" });
    assert_eq!(office.auditor.post(&path("suspend"), &reason).refused().0, 403);
    assert_eq!(office.kasi.post(&path("suspend"), &json!({})).refused().1, "incomplete");
    let down = office.kasi.post(&path("suspend"), &reason).ok();
    assert_eq!(
        (&down["state"], &down["suspension"]["emergency"]),
        (&json!("suspended"), &json!(true))
    );
    let gone = ask(office.daemon.dns(), name, RecordType::A);
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(office.kasi.post(&path("confirm"), &json!({})).refused().1, "same_person");
    let agreed = office.kabid.post(&path("confirm"), &json!({})).ok();
    assert_eq!(agreed["suspension"]["confirmed"], "budi");
    let records = office.auditor.get(&format!("/api/v1/records?name={name}")).ok();
    assert_eq!(records["items"][0]["state"], "suspended");
}

#[test]
fn changing_and_removing_a_live_name_go_the_same_way() {
    let office = Office::open();
    live(&office, &service("pindah", address("192.0.2.50")));
    let name = "pindah.cirebonkab.go.id.";
    let mut change = service("pindah", address("192.0.2.51"));
    change["kind"] = json!("change");
    live(&office, &change);
    assert_eq!(data(&ask(office.daemon.dns(), name, RecordType::A)), ["192.0.2.51"]);
    let mut remove = service("pindah", json!([]));
    remove["kind"] = json!("remove");
    live(&office, &remove);
    let gone = ask(office.daemon.dns(), name, RecordType::A);
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    // The name rests; only its former owner may come back.
    let mut other = service("pindah", address("192.0.2.52"));
    other["office"] = json!("Desa Lain");
    let refused = office.applicant.post_request("/api/v1/requests", &other, LETTER);
    assert_eq!(refused.refused(), (422, "name_taken".to_owned()));
}

#[test]
fn a_name_is_renewed_answered_for_and_handed_over() {
    let office = Office::open();
    let (number, secret) = office.submit(&service("warisan", address("192.0.2.53")));
    office.dispose(&number);
    office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    let name = "warisan.cirebonkab.go.id.";
    let answer = format!("/api/v1/records/{name}/answer");
    let in_use = json!({ "answer": "in_use" });
    assert_eq!(office.applicant.post(&answer, &in_use).refused().0, 401);
    assert_eq!(office.auditor.post(&answer, &in_use).refused().0, 403);
    assert_eq!(office.kasi.post(&answer, &in_use).refused().1, "incomplete", "the owner's letter");
    assert_eq!(office.kasi.post(&answer, &json!({ "answer": "perhaps" })).refused().0, 400);
    let stranger = Caller::new(&office.daemon.web(), &[("Gapura-Secret", "AAAAAAAA")]);
    assert_eq!(stranger.post(&answer, &in_use).refused().0, 404);
    let owner = Caller::new(&office.daemon.web(), &[("Gapura-Secret", &secret)]);
    assert!(owner.post(&answer, &in_use).ok()["confirmed"].is_string());
    let by_letter = json!({ "answer": "in_use", "letter": "440/7" });
    assert_eq!(office.kasi.post(&answer, &by_letter).ok()["state"], "live");
    let web = office.daemon.web();
    let token = token_text(&office.daemon, "siti", "read,decide");
    let envs = [("GAPURA_WEB", web.trim_start_matches("http://")), ("GAPURA_TOKEN", &*token)];
    let args = ["request", "confirm-name", name, "--letter", "440/8", "--json"];
    assert!(office.daemon.gapura_with_env(&args, &envs).status.success());

    let mut renew = service("warisan", json!([]));
    (renew["kind"], renew["ends"]) = (json!("renew"), json!("2030-12-31"));
    let renewed = live(&office, &renew);
    assert_eq!(renewed["proof"]["after"]["rcode"], "NOERROR", "what is served was looked at");
    let mut over = service("warisan", json!([]));
    (over["kind"], over["office"]) = (json!("hand_over"), json!("Desa Lain"));
    let (number, _) = office.submit(&over);
    office.dispose(&number);
    let verified = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    assert_eq!(verified["second_signature"], json!(["A9"]));
    let candidate = json!({ "candidate": verified["candidate"]["hash"] });
    let done = office.kabid.post(&act(&number, "countersign"), &candidate).ok();
    assert_eq!(done["state"], "live", "{done}");
    let record = office.auditor.get(&format!("/api/v1/records/{name}")).ok();
    assert_eq!((&record["office"], &record["state"]), (&json!("Desa Lain"), &json!("live")));
    assert!(record["ends"].as_str().unwrap().starts_with("2030-12-31"), "{record}");
    assert_eq!(data(&ask(office.daemon.dns(), name, RecordType::A)), ["192.0.2.53"]);
    // Only the owner says that a name is not needed, and then the officers are asked.
    let not_needed = json!({ "answer": "not_needed" });
    assert_eq!(office.kasi.post(&answer, &not_needed).refused().0, 403);
    assert_eq!(owner.post(&answer, &not_needed).refused().0, 404, "it has another owner");
}

#[test]
fn the_person_behind_an_ended_request_can_be_erased() {
    let office = Office::open();
    let number = live(&office, &service("lupakan", address("192.0.2.60")))["number"].clone();
    let number = number.as_str().unwrap();
    let (kasi, kabid) = (
        token_text(&office.daemon, "siti", "read,decide"),
        token_text(&office.daemon, "budi", "read,decide"),
    );
    let erase = |token: &str| {
        let web = office.daemon.web();
        let envs = [("GAPURA_WEB", web.trim_start_matches("http://")), ("GAPURA_TOKEN", token)];
        let args = ["privacy", "erase", number, "--ground", "diminta yang bersangkutan", "--json"];
        let output = office.daemon.gapura_with_env(&args, &envs);
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    assert_eq!(erase(&kasi).1["code"], "not_allowed");
    let (exit, erased) = erase(&kabid);
    assert_eq!((exit, &erased["letters"]), (Some(0), &json!(1)), "{erased}");
    let seen = office.kabid.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!((&seen["contact"]["name"], &seen["state"]), (&json!(""), &json!("live")));
    let verified = office.daemon.gapura(&["audit", "verify"]);
    assert!(verified.status.success());
    assert!(String::from_utf8_lossy(&verified.stdout).contains("dihapus sah"));
}

#[test]
fn a_zone_that_moved_makes_an_approval_stale() {
    let office = Office::open();
    let (number, _) = office.submit(&service("bergerak", address("192.0.2.40")));
    office.dispose(&number);
    let approval = office.approval(&number);
    // The operator puts a name below it into the file.
    let file = office.daemon.zone_file();
    let text = std::fs::read_to_string(&file).unwrap();
    // A damaged copy ends early, so the file is edited above its end mark.
    let end = text.trim_end().rfind('\n').unwrap();
    let line = "www.bergerak.cirebonkab.go.id. 3600 IN A 192.0.2.41";
    std::fs::write(&file, format!("{}\n{line}{}", &text[..end], &text[end..])).unwrap();
    crate::support::until("the edit is live", || {
        !data(&ask(office.daemon.dns(), "www.bergerak.cirebonkab.go.id.", RecordType::A)).is_empty()
    });
    let refused = office.kasi.post(&act(&number, "approve"), &approval).refused();
    assert_eq!(refused, (409, "stale".to_owned()));
    // Seen again, the name is no longer free: nobody can pass over that.
    let again = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).refused();
    assert_eq!(again, (422, "incomplete".to_owned()));
}

#[test]
fn the_commands_do_what_the_api_does() {
    let office = Office::open();
    let dir = tempfile::tempdir().unwrap();
    let (request, letter) = (dir.path().join("request.json"), dir.path().join("letter.pdf"));
    std::fs::write(&request, village().to_string()).unwrap();
    std::fs::write(&letter, LETTER).unwrap();
    let gapura = |caller: Option<&str>, args: &[&str]| {
        let web = office.daemon.web();
        let web = web.trim_start_matches("http://").to_owned();
        let mut all = vec!["request"];
        all.extend_from_slice(args);
        all.push("--json");
        let mut envs = vec![("GAPURA_WEB", web.as_str())];
        envs.extend(caller.map(|token| ("GAPURA_TOKEN", token)));
        let output = office.daemon.gapura_with_env(&all, &envs);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|_| {
            panic!("{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr))
        });
        (output.status.code().unwrap_or(-1), value)
    };
    let secret = |name: &str| token_text(&office.daemon, name, "read,submit,decide");
    let (kabid, kasi) = (secret("budi"), secret("siti"));
    let file = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (exit, sent) = gapura(None, &["submit", &file(&request), "--letter", &file(&letter)]);
    assert_eq!(exit, 0, "{sent}");
    let number = sent["number"].as_str().unwrap();
    let (exit, refused) = gapura(Some(&kasi), &["dispose", number, "--to", "siti"]);
    assert_eq!((exit, &refused["code"]), (1, &json!("not_allowed")));
    let (exit, _) =
        gapura(Some(&kabid), &["dispose", number, "--to", "siti", "--instruction", "Periksa."]);
    assert_eq!(exit, 0);
    let (_, seen) = gapura(Some(&kasi), &["show", number]);
    let hash = seen["candidate"]["hash"].as_str().unwrap();
    let noted: Vec<String> = seen["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{}=ok:diperiksa", line["code"].as_str().unwrap()))
        .collect();
    let mut args = vec!["approve", number, "--revision", "1", "--candidate", hash];
    for line in &noted {
        args.extend(["--line", line]);
    }
    let (exit, live) = gapura(Some(&kasi), &args);
    assert_eq!((exit, &live["state"]), (0, &json!("live")), "{live}");
    let (_, list) = gapura(Some(&kasi), &["list", "--state", "live"]);
    assert_eq!(list["items"][0]["number"], json!(number));
    let create = ["token", "create", "siti", "--scope", "read", "--password-stdin"];
    let password = crate::support::office::PASSWORD;
    let far = [&create[..], &["--network", "192.0.2.0/24", "--label", "uji"]].concat();
    let far = office.daemon.gapura_with_input(&far, password);
    let far = String::from_utf8_lossy(&far.stdout).trim().to_owned();
    let (exit, none) = gapura(Some(&far), &["list"]);
    assert_eq!((exit, &none["code"]), (1, &json!("unauthorized")), "not from that network");
    let (exit, none) = gapura(None, &["list"]);
    assert_eq!((exit, &none["code"]), (1, &json!("unauthorized")));
}

#[test]
fn an_approval_bound_to_the_serial_works_from_the_command_line() {
    let office = Office::of(Daemon::start("[approval]\nbind = \"serial\"\n"));
    let (number, _) = office.submit(&village());
    office.dispose(&number);
    let token = token_text(&office.daemon, "siti", "read,decide");
    let run = |args: &[&str]| {
        let done = office.daemon.gapura_with_env(
            args,
            &[
                ("GAPURA_TOKEN", token.as_str()),
                ("GAPURA_WEB", office.daemon.web().trim_start_matches("http://")),
            ],
        );
        let (out, err) =
            (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        (done.status.code(), format!("{out}{err}"))
    };
    let (code, shown) = run(&["request", "show", &number]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("you may: release, ask, return, check, reject, approve, withdraw"),
        "{shown}"
    );
    let approval = office.approval(&number);
    let word = |line: &Value| format!("{}=ok:diperiksa", line["code"].as_str().unwrap());
    let lines: Vec<String> = approval["lines"].as_array().unwrap().iter().map(word).collect();
    let revision = approval["revision"].to_string();
    let candidate = approval["candidate"].as_str().unwrap();
    let mut args =
        vec!["request", "approve", &number, "--revision", &revision, "--candidate", candidate];
    for line in &lines {
        args.extend(["--line", line]);
    }
    let (code, refused) = run(&args);
    assert_eq!(code, Some(1), "{refused}");
    assert!(refused.contains("stale"), "{refused}");
    let serial = shown.split("on serial ").nth(1).unwrap().lines().next().unwrap();
    args.extend(["--serial", serial]);
    let (code, done) = run(&args);
    assert_eq!(code, Some(0), "{done}");
    assert!(done.contains("live"), "{done}");
}

#[test]
fn the_console_gives_roles_and_links_and_what_an_account_had_ends() {
    let office = Office::open();
    let user = |args: &[&str]| {
        let output = office.daemon.gapura(&[&["user"], args].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let queue = "/api/v1/requests";
    assert_eq!(office.kasi.get(queue).status, 200);
    assert_eq!(user(&["role", "siti", "--role", "auditor"]).0, Some(0));
    assert_eq!(office.kasi.get(queue).status, 401, "a token of the old role works");
    assert_eq!(user(&["role", "siti", "--role", "raja"]).0, Some(2), "no such role");
    assert!(user(&["list"]).1.contains("siti                 auditor"));
    // Disabled and enabled again: the old token stays dead.
    assert_eq!(user(&["disable", "agus"]).0, Some(0));
    assert_eq!(user(&["reset", "agus"]).0, Some(1), "no link for a disabled account");
    assert_eq!(user(&["enable", "agus"]).0, Some(0));
    assert_eq!(office.auditor.get(queue).status, 401);
    let (code, link) = user(&["reset", "agus"]);
    let path = link.trim().split_once("/tautan/").map(|(_, token)| format!("/tautan/{token}"));
    assert_eq!((code, link.lines().count()), (Some(0), 1));
    assert_eq!(office.applicant.get(&path.unwrap()).status, 303);
}

/// The fields or parameters that a refusal names.
#[track_caller]
fn named(response: &crate::support::http::Response) -> Vec<String> {
    let problem = response.json();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_misspelt_is_refused_by_name_and_nothing_is_done() {
    let office = Office::open();
    let kasi = &office.kasi;
    for (query, wrong) in [
        ("holderr=siti", "holderr"),
        ("late=maybe", "late"),
        ("limit=0", "limit"),
        ("sort=colour", "sort"),
        ("state=live&state=happy", "state"),
    ] {
        let refused = kasi.get(&format!("/api/v1/requests?{query}"));
        assert_eq!((refused.status, named(&refused)), (400, vec![wrong.to_owned()]), "{query}");
    }
    assert_eq!(named(&kasi.get("/api/v1/records?klass=desa")), ["klass"]);
    assert_eq!(named(&kasi.get("/api/v1/me?x=1")), ["x"]);
    let mut request = service("salahketik", address("192.0.2.1"));
    request["ends_at"] = json!("2027-01-01");
    request["records"][0]["tll"] = json!(60);
    let sent = office.applicant.post_request("/api/v1/requests", &request, LETTER);
    assert_eq!(
        (sent.status, named(&sent)),
        (400, vec!["ends_at".to_owned(), "records.0.tll".to_owned()])
    );
    let mut request = service("salahjenis", address("192.0.2.1"));
    request["lift"] = json!(true);
    let sent = office.applicant.post_request("/api/v1/requests", &request, LETTER);
    assert_eq!((sent.status, named(&sent)), (422, vec!["lift".to_owned()]));
    request["lift"] = json!(false);
    request["letter"]["date"] = json!("2099-01-01");
    let sent = office.applicant.post_request("/api/v1/requests", &request, LETTER);
    assert_eq!(named(&sent), ["letter.date"]);
    request.as_object_mut().unwrap().remove("zone");
    request.as_object_mut().unwrap().remove("office");
    let sent = office.applicant.post_request("/api/v1/requests", &request, LETTER);
    assert_eq!((sent.status, named(&sent)), (422, vec!["zone".to_owned(), "office".to_owned()]));

    let (number, _) = office.submit(&village());
    let twice = b"{\"to\":\"siti\",\"to\":\"budi\",\"instruction\":\"x\"}";
    let kind = "Content-Type: application/json\r\n";
    let refused = office.kabid.send("POST", &act(&number, "dispose"), kind, twice);
    assert_eq!((refused.status, named(&refused)), (400, vec!["to".to_owned()]));
    let misspelt = json!({ "to": "siti", "instruktion": "x" });
    assert_eq!(named(&office.kabid.post(&act(&number, "dispose"), &misspelt)), ["instruktion"]);
    let unknown = json!({ "to": "nobody", "instruction": "x" });
    let refused = office.kabid.post(&act(&number, "dispose"), &unknown);
    assert_eq!((refused.status, named(&refused)), (422, vec!["to".to_owned()]));
    assert_eq!(kasi.get(&format!("/api/v1/requests/{number}")).ok()["state"], "submitted");
    // Numbers in any case are the same request.
    assert_eq!(kasi.get(&format!("/api/v1/requests/{}", number.to_lowercase())).status, 200);
}

#[test]
fn a_walk_in_the_order_of_arrival_loses_no_row_that_moves() {
    let office = Office::open();
    let sent: Vec<String> = (1..=5)
        .map(|n| {
            let request = service(&format!("berjalan{n}"), address("192.0.2.1"));
            let response = office.kabid.post_request("/api/v1/requests", &request, LETTER);
            response.ok()["number"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut seen = Vec::new();
    let mut path = "/api/v1/requests?sort=submitted&limit=2".to_owned();
    loop {
        let response = office.auditor.get(&path);
        let page = response.ok();
        let rows = page["items"].as_array().unwrap().iter();
        seen.extend(rows.map(|row| row["number"].as_str().unwrap().to_owned()));
        // Whatever the officers do meanwhile.
        let withdrawn = seen.last().unwrap();
        office.kasi.post(&act(withdrawn, "withdraw"), &json!({ "letter": "1" }));
        let link = response.header("link");
        let Some(next) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else {
            break;
        };
        assert_eq!(next.1, "; rel=\"next\"");
        path = next.0.to_owned();
    }
    assert_eq!(seen, sent);

    let count = |query: &str| {
        let page = office.auditor.get(&format!("/api/v1/requests?{query}")).ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("class=layanan,desa&kind=new&holder=none&q=berjalan"), 5);
    assert_eq!(count("name=berjalan2"), 1);
    assert_eq!(count("name=berjalan2.cirebonkab.go.id.&zone=cirebonkab.go.id"), 1);
    assert_eq!(count("office=desa%20sindangjawa"), 5);
    assert_eq!(
        (count("office=desa%20lain"), count("class=ormas"), count("holder=siti")),
        (0, 0, 0)
    );
    assert_eq!(
        (count("from=2020-01-01"), count("to=2020-01-01"), count("changed_since=2099-01-01")),
        (5, 0, 0)
    );
}

#[test]
fn every_call_has_a_name_and_says_what_it_would_take() {
    let office = Office::open();
    let web = office.daemon.web();
    let named = Caller::new(&web, &[("X-Request-Id", "uji-7")]);
    let refused = named.get("/api/v1/requests");
    assert_eq!((refused.status, refused.header("x-request-id")), (401, "uji-7"));
    let problem = refused.json();
    assert_eq!(
        (&problem["request_id"], &problem["instance"]),
        (&json!("uji-7"), &json!("/api/v1/requests"))
    );
    let about = problem["type"].as_str().unwrap();
    let page = office.applicant.get(about.strip_prefix(&web).unwrap().split('#').next().unwrap());
    assert!(page.text().contains("id=\"unauthorized\""), "{about}");
    let strange = Caller::new(&web, &[("X-Request-Id", "a b")]).get("/api/v1/zones");
    assert_eq!(strange.header("x-request-id").len(), 16);

    let csv = Caller::new(&web, &[("Accept", "text/csv")]).get("/api/v1/zones");
    assert_eq!(csv.refused(), (406, "not_acceptable".to_owned()));
    let options = office.applicant.send("OPTIONS", "/api/v1/requests", "", b"");
    assert_eq!(options.status, 204);
    assert!(options.header("allow").contains("POST"), "{}", options.head);
    let reader = token(&office.daemon, "siti", "read");
    let refused = reader.post(&act("GPR-2026-00001", "promote"), &json!({}));
    assert_eq!(refused.refused(), (403, "insufficient_scope".to_owned()));
    assert!(refused.header("www-authenticate").contains("scope=\"decide\""), "{}", refused.head);

    // The document: the same packed, and not sent again to who has it.
    let plain = office.applicant.get("/api/v1/openapi.json");
    let packed = Caller::new(&web, &[("Accept-Encoding", "br, gzip")]).get("/api/v1/openapi.json");
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 5 < plain.body.len());
    let again = Caller::new(&web, &[("If-None-Match", plain.header("etag"))]);
    assert_eq!(again.get("/api/v1/openapi.json").status, 304);
    for page in ["/api", "/api/types", "/api/problem"] {
        let shown = office.applicant.get(page);
        assert_eq!((shown.status, shown.body.len() < 200_000), (200, true), "{page}");
    }
}
