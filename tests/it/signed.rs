//! TSIG and shared cookie secrets against the clients and servers of others: dig, kdig, nsupdate, BIND, Knot.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gapura::wire::{Rcode, Response};

use crate::support::http::Caller;
use crate::support::peers::{self, Key, Peer, Program};
use crate::support::{Daemon, lay_out, run_in, write_settings};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";
/// A key named below the zone, which clients write with a pointer into the question.
const BELOW: Key = Key { name: "acme.cirebonkab.go.id.", ..Key::ARMADA };

/// What a client prints.
fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// What dig or kdig prints of a signed question for our zone's SOA.
fn asked(program: &str, server: SocketAddr, key: &Key, more: &[&str]) -> String {
    let (at, port, signature) =
        (format!("@{}", server.ip()), server.port().to_string(), key.argument());
    let fixed = [&at, "-p", &port, "-y", &signature, ZONE, "SOA"];
    told(program, &[&fixed[..], more].concat())
}

/// Whether dig or kdig found the signature good.
fn is_believed(text: &str) -> bool {
    !text.contains("verif") && !text.contains("validated")
}

/// Settings of a TLS listener.
fn tls() -> String {
    let tests =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dns/serve/tests").display().to_string();
    format!(
        "\n[tls]\nlisten = [\"127.0.0.1:0\"]\ncert = \"{tests}/localhost.crt\"\nkey = \"{tests}/localhost.key\"\n"
    )
}

#[test]
fn dig_and_kdig_believe_our_signatures() {
    if !(peers::is_client_here("dig") && peers::is_client_here("kdig")) {
        return;
    }
    let algorithms = ["hmac-sha256", "hmac-sha384", "hmac-sha512"];
    let keys = algorithms.map(|algorithm| Key { algorithm, ..Key::ARMADA });
    for key in &keys {
        let daemon = Daemon::start(&format!("{}{}{}", key.settings(), BELOW.settings(), tls()));
        let server = daemon.dns();
        let encrypted = daemon.ready["encrypted"][0].as_str().unwrap();
        let encrypted = encrypted.strip_prefix("tls ").unwrap().parse().unwrap();
        for more in [&["+notcp"][..], &["+tcp"], &["+noedns", "+notcp"]] {
            for (program, key) in [("dig", key), ("dig", &BELOW), ("kdig", key), ("kdig", &BELOW)] {
                let text = asked(program, server, key, more);
                let place = format!("{program} {} {more:?}:\n{text}", key.algorithm);
                assert!(text.contains("NOERROR") && text.contains("IN\tSOA"), "{place}");
                assert!(text.contains("TSIG"), "{place}");
                assert!(is_believed(&text), "{place}");
            }
        }
        let text = asked("kdig", encrypted, key, &["+tls"]);
        assert!(text.contains("NOERROR") && is_believed(&text), "over TLS:\n{text}");
        // A clock that is years behind: the response is by that clock, so dig sees what is wrong.
        let text = asked("dig", server, key, &["+fuzztime=1000000000"]);
        assert!(text.contains("NOTAUTH") && text.contains("BADTIME 6"), "{text}");
        assert!(text.contains("clocks are unsynchronized"), "{text}");
        // Who has another secret, or a key that we do not.
        let wrong = Key { secret: "b3RoZXIgc2VjcmV0IG9mIDMyIG9jdGV0cywgbG9uZyEh", ..key.clone() };
        let other = Key { name: "somebody.", ..key.clone() };
        for (key, error) in [(&wrong, "BADSIG"), (&other, "BADKEY")] {
            for program in ["dig", "kdig"] {
                let text = asked(program, server, key, &[]);
                assert!(text.contains(error) && !text.contains("IN\tSOA\t"), "{program}:\n{text}");
            }
        }
    }
}

#[test]
fn what_is_refused_is_refused_with_a_signature() {
    if !(peers::is_client_here("nsupdate") && peers::is_client_here("dig")) {
        return;
    }
    let daemon =
        Daemon::start(&format!("{}[metrics]\nlisten = \"127.0.0.1:0\"\n", Key::ARMADA.settings()));
    let (ip, port) = (daemon.dns().ip(), daemon.dns().port());
    for tcp in [false, true] {
        let script =
            format!("server {ip} {port}\nzone {ZONE}\nupdate add x.{ZONE} 60 TXT x\nsend\n");
        let file = daemon.dir.join("script");
        std::fs::write(&file, script).unwrap();
        let (signature, file) = (Key::ARMADA.argument(), file.display().to_string());
        let mut arguments = vec!["-t", "5", "-u", "5", "-r", "0", "-y", &signature, &file];
        if tcp {
            arguments.insert(0, "-v");
        }
        let text = told("nsupdate", &arguments);
        assert!(text.contains("REFUSED") && !text.contains("tsig"), "{text}");
    }
    let text = asked("dig", daemon.dns(), &Key::ARMADA, &["+opcode=notify", "+notcp"]);
    assert!(text.contains("NOTAUTH") && is_believed(&text), "{text}");
    let wrong = Key { name: "nobody.", ..Key::ARMADA };
    asked("dig", daemon.dns(), &wrong, &["+notcp"]);
    // Who signed what is in the logs and figures.
    let log = daemon.dir.join("state/query.jsonl");
    crate::support::until("the query log has all", || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("nobody."))
    });
    let lines = std::fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let update = lines.iter().find(|line| line["opcode"] == 5).unwrap();
    assert_eq!((&update["tsig"], &update["rcode"]), (&"armada.".into(), &"REFUSED".into()));
    let wrong = lines.last().unwrap();
    assert_eq!((&wrong["tsig"], &wrong["tsig_error"]), (&"nobody.".into(), &"BADKEY".into()));
    let metrics = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let figures = Caller::new(&metrics, &[]).get("/metrics").text();
    assert!(figures.contains("gapura_tsig_failures_total{reason=\"badkey\"} 1"), "{figures}");
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    assert!(log.contains("UPDATE refused") && log.contains("armada."), "{log}");
}

#[test]
fn keys_are_renewed_by_a_reload_and_a_file_that_others_read_is_refused() {
    if !peers::is_client_here("dig") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    let key = "[[key]]\nname = \"armada.\"\nsecret_file = \"armada.key\"\n";
    let file = dir.join("armada.key");
    let write = |secret: &str, mode| {
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write(Key::ARMADA.secret, 0o600);
    lay_out(dir, key);
    let daemon = Daemon::in_dir(dir);
    let good = |key: &Key| asked("dig", daemon.dns(), key, &[]).contains("NOERROR");
    assert!(good(&Key::ARMADA));
    let new = Key { secret: "bmV3IHNlY3JldCBvZiB0aGlydHktdHdvIG9jdGV0cyEh", ..Key::ARMADA };
    write(new.secret, 0o644);
    let refused = daemon.gapura(&["ctl", "reload"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text.contains("armada.key") && text.contains("0600"), "{text}");
    assert!(good(&Key::ARMADA), "the old one is in force");
    let checked = run_in(dir, &["check", "--json"]);
    let checked: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    let found = checked["findings"].as_array().unwrap();
    let found = found.iter().find(|one| one.to_string().contains("armada.key")).unwrap();
    assert!(found.to_string().contains("gapura.toml"), "{found}");
    write(new.secret, 0o600);
    let reloaded = daemon.gapura(&["ctl", "reload", "--json"]);
    let reloaded: serde_json::Value = serde_json::from_slice(&reloaded.stdout).unwrap();
    assert_eq!(reloaded["settings"]["applied"], serde_json::json!(["key"]));
    assert!(good(&new) && !good(&Key::ARMADA));
    // A key that is gone, by SIGHUP, and a made one in its place.
    let made_key = run_in(dir, &["key", "tsig", "Baru.Example", "--algorithm", "hmac-sha384"]);
    let table = String::from_utf8(made_key.stdout).unwrap();
    assert!(table.starts_with("[[key]]\nname = \"baru.example.\"\nalgorithm = \"hmac-sha384\"\n"));
    let secret = table.split('"').nth(5).unwrap().to_owned();
    assert_eq!(secret.len(), 64, "48 octets");
    write_settings(dir, &table);
    crate::support::kill(daemon.pid(), "HUP");
    let secret: &'static str = Box::leak(secret.into_boxed_str());
    let made_key = Key { name: "baru.example.", algorithm: "hmac-sha384", secret };
    crate::support::until("the new key is known", || good(&made_key));
    assert!(asked("dig", daemon.dns(), &new, &[]).contains("BADKEY"));
}

#[test]
fn whoever_has_a_key_that_is_let_in_may_query() {
    if !peers::is_client_here("dig") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, &Key::ARMADA.settings());
    let settings = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let settings = settings.replacen(
        "[server]\n",
        "[server]\nallow_query = [\"198.51.100.0/24\", \"key:armada.\"]\n",
        1,
    );
    std::fs::write(dir.join("gapura.toml"), &settings).unwrap();
    let daemon = Daemon::in_dir(dir);
    assert!(asked("dig", daemon.dns(), &Key::ARMADA, &[]).contains("NOERROR"));
    let (at, port) = (format!("@{}", daemon.dns().ip()), daemon.dns().port().to_string());
    assert!(told("dig", &[&at, "-p", &port, ZONE, "SOA"]).contains("REFUSED"));
    let unknown = settings.replace("key:armada.", "key:nobody.");
    std::fs::write(dir.join("gapura.toml"), unknown).unwrap();
    let refused = daemon.gapura(&["ctl", "reload"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && text.contains("nobody."), "{text}");
}

#[test]
fn ixfr_over_udp_is_a_delta_where_it_fits() {
    if !peers::is_client_here("dig") {
        return;
    }
    let remote = "\n[[remote]]\nname = \"me\"\naddresses = [\"127.0.0.1\"]\nkey = \"armada.\"\n";
    let daemon = Daemon::start(&format!("transfer = [\"me\"]\n{}{remote}", Key::ARMADA.settings()));
    let old = peers::serial(daemon.dns(), ZONE).unwrap();
    let text = std::fs::read_to_string(daemon.zone_file()).unwrap();
    std::fs::write(daemon.zone_file(), text.replace("198.51.100.114", "198.51.100.250")).unwrap();
    crate::support::until("the change is live", || peers::serial(daemon.dns(), ZONE) != Some(old));
    let (at, port) = (format!("@{}", daemon.dns().ip()), daemon.dns().port().to_string());
    let ask = |since: &str, signature: Option<&str>| {
        let key = signature.map_or(vec![], |it| vec!["-y", it]);
        told("dig", &[&[&at[..], "-p", &port, "+notcp", ZONE, since], &key[..]].concat())
    };
    let signature = Key::ARMADA.argument();
    let delta = ask(&format!("IXFR={old}"), Some(&signature));
    assert!(delta.contains("198.51.100.250") && is_believed(&delta), "{delta}");
    assert_eq!(delta.matches("IN\tSOA").count(), 4, "{delta}");
    // An unknown serial needs the whole zone: the one SOA says to come over TCP.
    let unknown = ask("IXFR=1", Some(&signature));
    assert!(unknown.matches("IN\tSOA").count() == 1 && is_believed(&unknown), "{unknown}");
    let unsigned = ask(&format!("IXFR={old}"), None);
    assert!(!unsigned.contains("198.51.100.250"), "{unsigned}");
}

//------------ Cookies -------------------------------------------------------

/// The secret all servers share (that of RFC 9018, appendix A).
const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/// Asks for the root's SOA with a cookie; the response's code and cookie.
fn with_cookie(server: SocketAddr, cookie: &[u8]) -> (Rcode, Vec<u8>) {
    let mut query =
        b"\x12\x34\0\0\0\x01\0\0\0\0\0\x01\0\0\x06\0\x01\0\0\x29\x04\xd0\0\0\0\0\0".to_vec();
    query.extend([cookie.len() as u8 + 4, 0, 10, 0, cookie.len() as u8]);
    query.extend(cookie);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(&query, server).unwrap();
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).unwrap();
    let response = Response::read(&bytes[..length]).unwrap();
    let cookie = response.edns.and_then(|edns| edns.cookie).unwrap_or_default().to_vec();
    (response.rcode, cookie)
}

/// How often our server found a cookie valid and bad so far.
fn judged(daemon: &Daemon) -> [u64; 2] {
    let metrics = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let text = Caller::new(&metrics, &[]).get("/metrics").text();
    ["valid", "bad"].map(|result| {
        let start = format!("gapura_cookies_total{{result=\"{result}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or("0").parse().unwrap()
    })
}

#[test]
fn bind_and_knot_with_the_same_secret_accept_our_cookies_and_we_theirs() {
    if !peers::are_here(&[Program::Bind, Program::Knot]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let settings = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let with = |secrets: &str| {
        let line = format!("[server]\ncookie_secrets = [{secrets}]\n");
        std::fs::write(dir.join("gapura.toml"), settings.replacen("[server]\n", &line, 1)).unwrap();
    };
    with(&format!("\"{SECRET}\""));
    let daemon = Daemon::in_dir(dir);
    let client = [7; 8];
    for program in [Program::Bind, Program::Knot] {
        let mut peer = Peer::new(program);
        let (root, port) = (peer.dir.display(), peer.address.port());
        let conf = if program == Program::Bind {
            format!(
                "options {{ directory \"{root}\"; listen-on port {port} {{ 127.0.0.1; }}; \
                 listen-on-v6 {{ none; }}; recursion no; pid-file \"{root}/pid\"; \
                 session-keyfile \"{root}/key\"; dnssec-validation no; cookie-algorithm siphash24; \
                 cookie-secret \"{SECRET}\"; require-server-cookie yes; }};\ncontrols {{ }};\n"
            )
        } else {
            format!(
                "server:\n  rundir: {root}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {root}/db\n\
                 mod-cookies:\n  - id: shared\n    secret: 0x{SECRET}\n    badcookie-slip: 1\n\
                 template:\n  - id: default\n    global-module: mod-cookies/shared\n"
            )
        };
        std::fs::write(peer.dir.join("conf"), conf).unwrap();
        peer.start();
        let (_, ours) = with_cookie(daemon.dns(), &client);
        assert_eq!(ours.len(), 24);
        let mut changed = ours.clone();
        changed[23] ^= 1;
        assert_eq!(with_cookie(peer.address, &changed).0, Rcode::BADCOOKIE, "{program:?}");
        assert_ne!(with_cookie(peer.address, &ours).0, Rcode::BADCOOKIE, "{program:?}");
        let (_, theirs) = with_cookie(peer.address, &client);
        assert_eq!(theirs.len(), 24, "{program:?}");
        let [valid, bad] = judged(&daemon);
        with_cookie(daemon.dns(), &theirs);
        assert_eq!(judged(&daemon), [valid + 1, bad], "{program:?}");
    }
    // Rolled: the new one makes cookies, both are accepted; then the old one is gone.
    let (_, old) = with_cookie(daemon.dns(), &client);
    let new = "445536bcd2513298075a5d379663c962";
    for (secrets, counted) in
        [(format!("\"{new}\", \"{SECRET}\""), [1, 0]), (format!("\"{new}\""), [0, 1])]
    {
        with(&secrets);
        assert!(daemon.gapura(&["ctl", "reload"]).status.success());
        let [valid, bad] = judged(&daemon);
        with_cookie(daemon.dns(), &old);
        assert_eq!(judged(&daemon), [valid + counted[0], bad + counted[1]], "{secrets}");
    }
}

//------------ Transfers of others -------------------------------------------

#[test]
fn each_message_of_a_long_transfer_by_others_is_verified() {
    use std::io::Write;
    if !peers::are_here(&Program::ALL) {
        return;
    }
    let mut text = "example. 300 SOA ns.example. admin.example. 1 3600 600 86400 300\n\
                    example. 300 NS ns.example.\nns.example. 300 A 192.0.2.1\n"
        .to_owned();
    // Some 200 messages of 16 KiB.
    for index in 0..16_000 {
        text += &format!("n{index}.example. 300 TXT {}\n", "x".repeat(200));
    }
    let secret = gapura_secret(Key::ARMADA.secret);
    let key = gapura::tsig::Key::new(&"armada.".parse().unwrap(), Default::default(), &secret);
    let key = std::sync::Arc::new(key);
    for program in Program::ALL {
        let mut peer = Peer::new(program);
        // Knot wants somebody to tell.
        let told = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
        peer.serve(&[peers::PeerZone::primary("example.", &text, &[told]).with_key(&Key::ARMADA)]);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut query = peers::transfer_query("example.", None);
        let expected = gapura::tsig::sign_query(&key, &mut query, now);
        let mut stream = std::net::TcpStream::connect(peer.address).unwrap();
        stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&query).unwrap();
        let mut verifier = expected.into_stream();
        let (mut messages, mut unsigned, mut soas) = (0, 0, 0);
        while soas < 2 {
            let message = peers::read_message(&mut stream).unwrap();
            let bare = verifier.verify(&message, now).unwrap_or_else(|fault| {
                panic!("message {messages} of {program:?}: {fault}");
            });
            messages += 1;
            unsigned += usize::from(bare.len() == message.len());
            let response = Response::read(&bare).unwrap();
            soas +=
                response.answer.iter().filter(|it| it.rtype == gapura::wire::Rtype::SOA).count();
        }
        println!("{program:?}: {messages} messages, {unsigned} of them unsigned");
        assert!(verifier.is_complete(), "the last one is signed");
        assert!(messages > 100, "{messages}");
    }
}

/// The octets of a secret in base64, read as a certificate is in a zone file.
fn gapura_secret(text: &str) -> Vec<u8> {
    let root = gapura::wire::NameRef::ROOT;
    let line = format!("1 1 1 {text}");
    let rdata = gapura::wire::rdata::parse(gapura::wire::Rtype::CERT, line.as_bytes(), root);
    rdata.unwrap()[5..].to_vec()
}
