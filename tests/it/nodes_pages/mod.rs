//! Pages and API by way of a node that follows: people and programs work on either node, and know after a take-over
//! what was done.

mod load;
mod site;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

use crate::support::http::{Caller, Response, form};
use crate::support::office::{LETTER, PASSWORD, act, add_person, service, token_text};
use crate::support::photo::photo;
use crate::support::{Daemon, ask, data, kill, printed, until};
use site::{HOST, Node, Site};

/// A request for a service's name.
fn request(name: &str) -> Value {
    service(name, json!([{ "type": "A", "data": "192.0.2.9", "ttl": 300 }]))
}

/// What a node answers for a service's name.
fn answer(node: &Node, name: &str) -> Vec<String> {
    data(&ask(node.dns, &format!("{name}.cirebonkab.go.id."), RecordType::A))
}

/// The tokens of a head and of a verifier, whose accounts are made at the node that publishes.
fn officers(publisher: &Daemon) -> [String; 2] {
    [("budi", "kabid"), ("siti", "kasi")].map(|(name, role)| {
        add_person(publisher, name, role, &format!("{name}@cirebonkab.go.id"));
        token_text(publisher, name, "read,submit,decide")
    })
}

/// Somebody with a token who calls by way of a node.
fn by_way_of(node: &Node, token: &str) -> Caller {
    node.caller(&[("Authorization", &format!("Bearer {token}"))])
}

/// Brings a request to the verifier and approves it, each step by way of another node.
#[track_caller]
fn bring_live(ways: [&Node; 2], [kabid, kasi]: &[String; 2], sent: &Value) {
    let number = sent["number"].as_str().unwrap();
    let to = json!({ "to": "siti", "instruction": "Periksa." });
    by_way_of(ways[0], kabid).post(&act(number, "dispose"), &to).ok();
    let approval =
        approval(&by_way_of(ways[1], kasi).get(&format!("/api/v1/requests/{number}")).ok());
    let live = by_way_of(ways[1], kasi).post(&act(number, "approve"), &approval).ok();
    assert_eq!(live["state"], "live", "{live}");
}

/// What an approval of a request says that finds everything good.
fn approval(request: &Value) -> Value {
    let by_hand = |line: &&Value| {
        line["code"].as_str().is_some_and(|code| code.starts_with('M')) || line["verdict"] != "ok"
    };
    let lines = request["lines"].as_array().into_iter().flatten().filter(by_hand);
    let lines: Vec<Value> = lines
        .map(|line| json!({ "code": line["code"], "verdict": "ok", "note": "diperiksa" }))
        .collect();
    json!({ "revision": request["revision"], "candidate": request["candidate"]["hash"], "lines": lines })
}

#[test]
fn programs_act_by_way_of_either_node() {
    let Some(site) = Site::lay_out(&["fsync=off"]) else { return };
    let [publisher, follower] = site.start();
    let [a, b] = &site.nodes;
    let officers = officers(&publisher);
    let letter = photo(2_400, 1_800);
    assert!(letter.len() > 3_000_000, "{}", letter.len());
    let sent = b.caller(&[]).post_request("/api/v1/requests", &request("lewat-dua"), &letter);
    assert_eq!(sent.status, 201, "{}", sent.text());
    assert!(!sent.header("x-request-id").is_empty());
    let sent = sent.json();
    bring_live([a, b], &officers, &sent);
    let said = printed(&follower.gapura(&["ctl", "status"]));
    assert!(!said.contains("not reached"), "{said}");
    until("both answer", || [a, b].iter().all(|node| answer(node, "lewat-dua") == ["192.0.2.9"]));
    // What is read, and what need not be read again.
    let (kasi, number) = (by_way_of(b, &officers[1]), sent["number"].as_str().unwrap());
    let path = format!("/api/v1/requests/{number}");
    let read = kasi.get(&path);
    let told = |read: &Response| ["number", "state", "name"].map(|key| read.ok()[key].clone());
    assert_eq!(told(&read), told(&by_way_of(a, &officers[1]).get(&path)));
    let document = kasi.get("/api/v1/openapi.json");
    let tag = format!("If-None-Match: {}\r\n", document.header("etag"));
    let again = kasi.send("GET", "/api/v1/openapi.json", &tag, &[]);
    assert_eq!((document.status, again.status, again.body.len()), (200, 304, 0), "{}", again.head);
    let kept = kasi.get(&format!("{path}/letter"));
    assert_eq!(kept.status, 200);
    assert!(kept.body.len() > 1_000_000, "a large file: {}", kept.body.len());
    let head = kasi.send("HEAD", &path, "", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    // The same as at the publisher: what is not there, and a body that is too long.
    assert_eq!(kasi.get("/api/v1/requests/GPR-0000-0000").refused().0, 404);
    let long = format!("Content-Length: {}\r\n", 40 << 20);
    let refused = raw(
        b,
        &format!("POST /api/v1/requests HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{long}\r\n"),
    );
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
}

/// What a node answers to these octets.
fn raw(node: &Node, request: &str) -> String {
    let mut stream = TcpStream::connect(node.web).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A browser's cookies, and what it sends with them.
#[derive(Default)]
struct Browser(Vec<(String, String)>);

impl Browser {
    /// Sends by way of a node, as a browser does that shows the site.
    fn send(&mut self, node: &Node, method: &str, path: &str, body: &str) -> Response {
        let jar: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let jar = jar.join("; ");
        let head = format!(
            "Cookie: {jar}\r\nOrigin: http://{HOST}\r\nX-Forwarded-For: 198.51.100.7\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        let caller = Caller::asking_for(&node.web.to_string(), HOST);
        let response = caller.send(method, path, &head, body.as_bytes());
        let lines = response.head.lines().filter_map(|line| line.split_once(": "));
        for (_, line) in lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            self.0.push((name.to_owned(), value.to_owned()));
        }
        response
    }
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn who_signs_in_by_way_of_one_node_goes_on_by_way_of_the_other_and_after_a_take_over() {
    let Some(site) = Site::lay_out(&["fsync=off"]) else { return };
    let [publisher, _follower] = site.start();
    let [a, b] = &site.nodes;
    add_person(&publisher, "agus", "auditor", "agus@cirebonkab.go.id");
    let mut browser = Browser::default();
    let page = browser.send(b, "GET", "/masuk", "").text();
    let token = hidden(&page, "csrf");
    assert!(!token.is_empty(), "{page}");
    let password = PASSWORD.replace(' ', "+");
    let form = format!("csrf={token}&name=agus&password={password}");
    let signed_in = browser.send(b, "POST", "/masuk", &form);
    assert_eq!(signed_in.status, 303, "{}", signed_in.text());
    assert!(signed_in.header("location").starts_with('/'), "{}", signed_in.head);
    for node in [b, a, b] {
        let page = browser.send(node, "GET", "/akun", "");
        assert_eq!(page.status, 200, "{}", page.head);
        assert!(page.text().contains("agus"));
    }
    kill(publisher.pid(), "KILL");
    drop(publisher);
    // People are told at once; nobody waits for nothing.
    let away = browser.send(b, "GET", "/akun", "");
    assert!(matches!(away.status, 503 | 200), "{}", away.head);
    until("the other one publishes", || b.is_ready());
    assert_eq!(browser.send(b, "GET", "/akun", "").status, 200);
    let _again = a.start();
    until("the first one follows", || a.is_ready());
    let page = browser.send(a, "GET", "/akun", "");
    assert_eq!(page.status, 200);
    let out = format!("csrf={}", hidden(&page.text(), "csrf"));
    assert_eq!(browser.send(a, "POST", "/keluar", &out).status, 303);
    assert_eq!(browser.send(b, "GET", "/akun", "").status, 303, "signed out everywhere");
}

#[test]
fn only_a_node_is_believed_about_a_visitor() {
    let Some(site) = Site::lay_out(&["fsync=off"]) else { return };
    let [publisher, _follower] = site.start();
    let [a, b] = &site.nodes;
    add_person(&publisher, "siti", "kasi", "siti@cirebonkab.go.id");
    let args = "token create siti --scope read --network 198.51.100.0/24 --password-stdin";
    let made = publisher.gapura_with_input(&args.split(' ').collect::<Vec<_>>(), PASSWORD);
    assert!(made.status.success(), "{}", printed(&made));
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let status = |node: &Node, more: &str| {
        let kind = format!("Authorization: Bearer {token}\r\n{more}");
        node.caller(&[]).send("GET", "/api/v1/me", &kind, &[]).status
    };
    // The visitor's own address, as the proxy before each node says it.
    let (inside, outside) =
        ("X-Forwarded-For: 198.51.100.7\r\n", "X-Forwarded-For: 203.0.113.7\r\n");
    for node in [a, b] {
        assert_eq!((status(node, inside), status(node, outside)), (200, 401));
    }
    let zeros = "0".repeat(64);
    for said in ["198.51.100.7", &format!("198.51.100.7 {zeros}"), ""] {
        let header = format!("Gapura-Visitor: {said}\r\n");
        assert_eq!(status(a, &header), 421, "{said:?}");
        assert_eq!(status(b, &header), 503, "{said:?}: it was passed on already");
    }
}

#[test]
fn an_act_whose_answer_is_lost_is_done_once_when_it_is_repeated() {
    let Some(site) = Site::lay_out(&["fsync=off"]) else { return };
    let [publisher, _follower] = site.start();
    let [_, b] = &site.nodes;
    // A publisher that stands still in the middle of the call, and is then gone.
    kill(publisher.pid(), "STOP");
    let (kind, body) = form(&request("sekali"), LETTER);
    let kind = format!("{kind}Idempotency-Key: satu-kunci-yang-panjang\r\n");
    let lost = std::thread::scope(|scope| {
        let sent = scope.spawn(|| b.caller(&[]).try_send("POST", "/api/v1/requests", &kind, &body));
        std::thread::sleep(Duration::from_millis(500));
        kill(publisher.pid(), "KILL");
        sent.join().unwrap()
    });
    // The node that takes over may end the connection before it says so.
    assert!(
        lost.as_ref().is_ok_and(|lost| lost.refused() == (503, "answer_lost".to_owned())),
        "{lost:?}"
    );
    until("the other one publishes", || b.is_ready());
    let repeated = || b.caller(&[]).send("POST", "/api/v1/requests", &kind, &body);
    let (first, second) = (repeated(), repeated());
    assert_eq!(
        (first.status, first.json()["number"].clone()),
        (201, second.json()["number"].clone())
    );
    assert_eq!(site.cluster.sql("SELECT count(*) FROM gapura.request"), "1");
}

#[test]
fn who_waits_for_a_publisher_that_hangs_is_told_by_the_node_that_takes_over() {
    let Some(site) = Site::lay_out(&["fsync=off"]) else { return };
    let [publisher, _follower] = site.start();
    let [_, b] = &site.nodes;
    kill(publisher.pid(), "STOP");
    let (kind, body) = form(&request("menunggu"), LETTER);
    let (page, sent) = std::thread::scope(|scope| {
        let page = scope.spawn(|| b.caller(&[]).try_send("GET", "/", "", &[]));
        let sent = scope.spawn(|| b.caller(&[]).try_send("POST", "/api/v1/requests", &kind, &body));
        (page.join().unwrap(), sent.join().unwrap())
    });
    kill(publisher.pid(), "CONT");
    assert!(page.as_ref().is_ok_and(|page| page.status == 503), "{page:?}");
    let is_told = |sent: &Response| sent.refused() == (503, "answer_lost".to_owned());
    assert!(sent.as_ref().is_ok_and(is_told), "{sent:?}");
    until("the other one publishes", || b.is_ready());
}
