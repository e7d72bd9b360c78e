//! Metrics with Prometheus itself: promtool's judgement, a real server that scrapes and evaluates the alarms, and the
//! board's queries.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gapura::metrics::catalogue;
use hickory_proto::rr::RecordType;

use crate::support::http::Caller;
use crate::support::peers::{free_port, is_client_here};
use crate::support::{Daemon, ask, ask_tcp, printed, until};

/// A file of `contrib/`.
fn contrib(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(path)
}

/// A daemon with metrics, and its address.
fn measured() -> (Daemon, String) {
    let daemon = Daemon::start("[metrics]\nlisten = \"127.0.0.1:0\"\n");
    ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    ask_tcp(daemon.dns(), "nowhere.cirebonkab.go.id.", RecordType::AAAA);
    ask(daemon.dns(), "elsewhere.example.", RecordType::A);
    let address = daemon.ready["metrics"].as_str().unwrap().to_owned();
    (daemon, address)
}

/// The metrics in one form.
fn scrape(address: &str, accept: &str) -> String {
    let caller = Caller::new(&format!("http://{address}"), &[("Accept", accept)]);
    caller.get("/metrics").text()
}

/// The names of metrics in an expression, without the ends that a family's samples have.
fn families_in(expression: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(|c: char| !is_part(c));
    words
        .filter(|word| word.starts_with("gapura_") || word.starts_with("process_"))
        .map(|word| {
            let ends = ["_bucket", "_total"];
            ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
        })
        .collect()
}

/// The expressions of the alarms.
fn alarm_expressions() -> String {
    std::fs::read_to_string(contrib("prometheus/gapura.rules.yml"))
        .unwrap()
        .lines()
        .filter(|line| !line.contains("summary:") && !line.contains("description:"))
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The expressions of the board.
fn board_expressions() -> Vec<String> {
    let text = std::fs::read_to_string(contrib("grafana/gapura.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(board.get("uid").is_none() && board.get("id").is_none(), "a board of its own");
    let panels = board["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .map(|expr| expr.replace("$__rate_interval", "5m").replace("$instance", ".*"))
        .collect()
}

#[test]
fn what_is_scraped_is_what_the_catalogue_says() {
    let (_daemon, address) = measured();
    let text = scrape(&address, "text/plain");
    let told: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let known: BTreeSet<String> = catalogue::all().map(|family| family.sample_name()).collect();
    assert_eq!(told, known.iter().map(String::as_str).collect(), "families");
    // What has no label from the settings has a value from the start.
    let changing = ["zone", "peer", "webhook", "table", "interface"];
    for family in catalogue::all() {
        if family.labels.iter().any(|label| changing.contains(label)) {
            continue;
        }
        let name = family.sample_name();
        let ends = [" ", "{", "_count ", "_count{"];
        let starts = ends.map(|end| format!("{name}{end}"));
        let has_value = |line: &str| starts.iter().any(|start| line.starts_with(start.as_str()));
        assert!(
            text.lines().any(has_value)
                || family.name == "gapura_audit_checkpoint_timestamp_seconds",
            "{name} has no value\n{text}"
        );
    }
    // The workers have counted these before they answered.
    for line in [
        "gapura_zone_queries_total{zone=\"cirebonkab.go.id.\"} ",
        "gapura_zone_queries_total{zone=\"other\"} 0\n",
        "gapura_zone_loaded{zone=\"cirebonkab.go.id.\"} 1\n",
        "gapura_responses_total{rcode=\"REFUSED\"} 1\n",
        "gapura_response_bytes_bucket{le=\"+Inf\"} ",
        "gapura_response_seconds_count ",
        "gapura_acl_denied_total{rule=\"transfer\"} 0\n",
        "gapura_reload_total{zone=\"cirebonkab.go.id.\",result=\"live\",guard=\"\"} 1\n",
        "gapura_publish_seconds_count{stage=\"commit\"} ",
    ] {
        assert!(text.contains(line), "not there: {line}\n{text}");
    }
    let open = scrape(&address, "application/openmetrics-text;version=1.0.0");
    let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&open), samples(&text), "both forms say the same");
}

#[test]
fn transfers_that_nobody_may_have_are_counted_by_their_rule() {
    let (daemon, address) = measured();
    ask_tcp(daemon.dns(), "cirebonkab.go.id.", RecordType::AXFR);
    let text = scrape(&address, "text/plain");
    assert!(text.contains("gapura_acl_denied_total{rule=\"transfer\"} 1\n"), "{text}");
}

#[test]
fn promtool_finds_nothing_wrong() {
    if !is_client_here("promtool") {
        return;
    }
    let (_daemon, address) = measured();
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = scrape(&address, "text/plain");
    check.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = check.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", printed(&checked));
    assert_eq!(printed(&checked), "", "nothing to say");
    for (command, file) in [("check", "gapura.rules.yml"), ("test", "gapura.rules.test.yml")] {
        let args = [command, "rules", file];
        let folder = contrib("prometheus");
        let run = Command::new("promtool").args(args).current_dir(folder).output().unwrap();
        assert!(run.status.success(), "promtool {args:?}\n{}", printed(&run));
    }
}

#[test]
fn alarms_and_board_ask_for_metrics_that_there_are() {
    let known: BTreeSet<&str> =
        catalogue::GROUPS.iter().flat_map(|(_, all)| all.iter().map(|it| it.name)).collect();
    let board = board_expressions().join("\n");
    assert!(board_expressions().len() > 50, "the board has its panels");
    for name in families_in(&(alarm_expressions() + &board)) {
        let histogram = name.strip_suffix("_count").or_else(|| name.strip_suffix("_sum"));
        assert!(known.contains(&*name) || histogram.is_some_and(|it| known.contains(it)), "{name}");
    }
    // And the other way: each alarm's words say what to do, in the manual, too.
    let manual =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md"));
    let manual = manual.unwrap();
    let rules = std::fs::read_to_string(contrib("prometheus/gapura.rules.yml")).unwrap();
    for alarm in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(manual.contains(&format!("`{alarm}`")), "docs/metrics.md does not tell of {alarm}");
    }
}

//------------ A real server -------------------------------------------------

/// Prometheus in a directory of its own; ended when dropped.
struct Prometheus {
    /// The process.
    child: Child,
    /// Its address.
    address: String,
}

impl Prometheus {
    /// Starts it on a free port; it scrapes this address each second and has the alarms.
    fn start(folder: &Path, target: &str) -> Self {
        let rules = contrib("prometheus/gapura.rules.yml");
        let settings = format!(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n  - {}\n\
             scrape_configs:\n  - job_name: gapura\n    static_configs:\n      - targets: [\"{target}\"]\n",
            rules.display()
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, settings).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, address };
        until("Prometheus is ready", || server.get("/-/ready").is_some_and(|it| it.0 == 200));
        server
    }

    /// Status and body of a path; none while nobody listens. HTTP/1.0, so that the body comes as it is.
    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// The data of a call of its API.
    fn data(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path).expect("an answer");
        assert_eq!(status, 200, "{path}\n{body}");
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["data"].clone()
    }

    /// What an expression comes to now.
    fn query(&self, expression: &str) -> Vec<serde_json::Value> {
        let escaped: String = expression
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        let data = self.data(&format!("/api/v1/query?query={escaped}"));
        data["result"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_prometheus_scrapes_and_evaluates_every_alarm_and_panel() {
    if !is_client_here("prometheus") {
        return;
    }
    let (daemon, address) = measured();
    let made = tempfile::tempdir().unwrap();
    let server = Prometheus::start(made.path(), &address);
    until("it has scraped", || !server.query("up{job=\"gapura\"} == 1").is_empty());
    // Every family that has a value now is there as a series.
    let text = scrape(&address, "text/plain");
    let names: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    // A name server alone has no queue to tell of.
    let least = if cfg!(feature = "approval") { 60 } else { 50 };
    assert!(names.len() > least, "{names:?}");
    for name in names {
        assert!(!server.query(name).is_empty(), "{name} did not arrive");
    }
    // Every panel's query is one that Prometheus understands.
    for expression in board_expressions() {
        server.query(&expression);
    }
    // Every alarm is evaluated, none in vain, and one goes off when it should.
    let rules = || server.data("/api/v1/rules")["groups"].clone();
    let all = |groups: &serde_json::Value| -> Vec<serde_json::Value> {
        let groups = groups.as_array().unwrap().iter();
        groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    };
    until("all are evaluated", || all(&rules()).iter().all(|rule| rule["health"] == "ok"));
    assert!(all(&rules()).len() > 25);
    std::fs::write(daemon.zone_file(), "nonsense\n").unwrap();
    until("the refusal is an alarm", || {
        let alarms = server.query("ALERTS{alertname=\"GapuraZoneFileRefused\"}");
        alarms.iter().any(|alarm| alarm["metric"]["zone"] == "cirebonkab.go.id.")
    });
}
