//! Clients in Python: certbot's plugin and octoDNS. `GAPURA_PYTHON` names an interpreter that has them
//! (`certbot-dns-rfc2136`, `octodns`, `octodns-bind`), else `python3` is tried. Empty, it says that they cannot be
//! had here.

use super::*;
use crate::skipped::skipped;

/// Runs a script; none if the interpreter lacks a module.
fn python(modules: &[&str], script: &str, args: &[String]) -> Option<Output> {
    let python = std::env::var("GAPURA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if python.is_empty() {
        left_out(&format!("GAPURA_PYTHON is empty: no {}", modules.join(", ")));
        return None;
    }
    let imports: String = modules.iter().map(|module| format!("import {module}\n")).collect();
    let has = Command::new(&python).args(["-c", &imports]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        skipped(&format!("{python} lacks {}", modules.join(", ")));
        return None;
    }
    Some(Command::new(&python).args(["-c", script]).args(args).output().unwrap())
}

/// What a script printed, if it went well.
fn printed(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn certbots_plugin_puts_its_challenge_up_and_takes_it_down() {
    let daemon = daemon();
    let (ip, port) = (daemon.dns().ip().to_string(), daemon.dns().port().to_string());
    let script = "\
import sys
from certbot_dns_rfc2136._internal.dns_rfc2136 import _RFC2136Client
import dns.tsig, inspect
ip, port, secret, act = sys.argv[1:]
more = {'sign_query': True} if 'sign_query' in inspect.signature(_RFC2136Client.__init__).parameters else {}
client = _RFC2136Client(ip, int(port), 'acme.', secret, dns.tsig.HMAC_SHA256, **more)
name = '_acme-challenge.lpse.cirebonkab.go.id'
if act == 'add':
    client.add_txt_record(name, 'challenge-of-certbot', 60)
else:
    client.del_txt_record(name, 'challenge-of-certbot')
";
    let modules = ["certbot_dns_rfc2136"];
    for (act, served) in [("add", &["challenge-of-certbot"][..]), ("del", &[])] {
        let args = [ip.clone(), port.clone(), SECRET.to_owned(), act.to_owned()];
        let Some(output) = python(&modules, script, &args) else { return };
        printed(&output);
        assert_eq!(at(&daemon, "_acme-challenge.lpse", RecordType::TXT), served);
    }
}

#[test]
fn octodns_keeps_a_zone_by_axfr_and_update() {
    let transfer = "transfer = [\"octo\"]\n";
    let remote = "[[remote]]\nname = \"octo\"\naddresses = [\"127.0.0.1\"]\nkey = \"octo.\"\n";
    let grants = "update = [{ key = \"octo.\", names = [\"@\", \"*\"], types = [\"A\", \"AAAA\", \"CNAME\", \"TXT\", \"MX\", \"SRV\", \"CAA\", \"NS\", \"PTR\", \"SSHFP\", \"HTTPS\", \"SVCB\"], how = \"direct\" }]\n";
    let daemon = Daemon::start(&format!("{transfer}{grants}{}{remote}", keys(&["octo."])));
    let dir = daemon.dir.join("octo");
    std::fs::create_dir_all(dir.join("zones")).unwrap();
    let settings = format!(
        "providers:\n  config:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {0}/zones\n    default_ttl: 3600\n    enforce_order: false\n\
         \x20 gapura:\n    class: octodns_bind.Rfc2136Provider\n    host: {1}\n    port: {2}\n    ipv6: false\n    timeout: 15\n    key_name: octo.\n    key_secret: {SECRET}\n    key_algorithm: hmac-sha256\n\
         zones:\n  {APEX}:\n    sources: [config]\n    targets: [gapura]\n",
        dir.display(),
        daemon.dns().ip(),
        daemon.dns().port()
    );
    std::fs::write(dir.join("config.yaml"), settings).unwrap();
    let script = "\
import sys, logging
from octodns.manager import Manager
act, directory = sys.argv[1:]
manager = Manager(directory + '/config.yaml')
if act == 'dump':
    manager.dump(zone='cirebonkab.go.id.', output_dir=directory + '/zones', lenient=True, split=False, sources=['gapura'])
else:
    print(manager.sync(dry_run=False, force=True))
";
    let run = |act: &str| {
        let args = [act.to_owned(), dir.display().to_string()];
        python(&["octodns", "octodns_bind"], script, &args)
    };
    // By AXFR, as a file of octoDNS.
    let Some(dumped) = run("dump") else { return };
    printed(&dumped);
    let file = dir.join("zones").join(format!("{APEX}yaml"));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("lpse:"), "{text}");
    // Nothing differs, then one name comes and one changes, then it is all as it is.
    let before = serial(daemon.dns(), APEX).unwrap();
    assert_eq!(printed(&run("sync").unwrap()).trim(), "0");
    let text = text.replace("192.0.2.12", "192.0.2.212");
    std::fs::write(
        &file,
        format!("{text}octo-new:\n  type: A\n  ttl: 300\n  value: 192.0.2.213\n"),
    )
    .unwrap();
    assert_eq!(printed(&run("sync").unwrap()).trim(), "2");
    assert_eq!(at(&daemon, "lpse", RecordType::A), ["192.0.2.212"]);
    assert_eq!(at(&daemon, "octo-new", RecordType::A), ["192.0.2.213"]);
    assert_eq!(printed(&run("sync").unwrap()).trim(), "0");
    assert_eq!(
        serial(daemon.dns(), APEX).unwrap(),
        before + 1,
        "two changes, one update, one serial"
    );
}
