//! The query log and the counters see what went over the wire.

use super::*;

#[test]
fn every_query_leaves_a_line_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("query.jsonl");
    let query_log = Some(logged_to(&file));
    let server = server(Options { query_log, ..Options::default() });
    let cases = [
        ("www.example.", Rtype::A, Transport::Udp, "NOERROR"),
        ("nx.example.", Rtype::A, Transport::Tcp, "NXDOMAIN"),
        ("www.elsewhere.", Rtype::AAAA, Transport::Udp, "REFUSED"),
    ];
    let mut sizes = Vec::new();
    for (name, rtype, transport, _) in cases {
        let response = ask(server.v4, &edns_query(1, name, rtype, &[]), transport, SOON).unwrap();
        sizes.push(response.len());
    }
    // A response gets no answer and leaves no line.
    client("127.0.0.1", server.v4).send(&[0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    wait_until("seen", || {
        server.count(Transport::Udp, |t| t.dropped[Silence::NotAQuery as usize]) == 1
    });
    wait_until("written", || {
        server.running.query_log().is_some_and(|log| (log.written, log.dropped) == (3, 0))
    });
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["time"].as_str().map(str::to_owned));
    assert_eq!(lines.len(), 3);
    for ((line, (name, rtype, transport, rcode)), size) in lines.iter().zip(cases).zip(sizes) {
        assert_eq!(line["qname"], name);
        assert_eq!(line["qtype"], rtype.to_string());
        assert_eq!(line["transport"], format!("{transport:?}").to_lowercase());
        assert_eq!(line["rcode"], rcode);
        assert_eq!((&line["size"], &line["edns"]), (&size.into(), &1232.into()));
        assert_eq!(line["client"], "127.0.0.1");
    }
    assert_eq!((&lines[0]["serial"], &lines[0]["zone"]), (&7.into(), &"example.".into()));
    assert_eq!((&lines[0]["id"], &lines[0]["server"]), (&1.into(), &"127.0.0.1".into()));
    assert_eq!(lines[0]["server_port"], server.v4.port());
    assert_eq!((&lines[2]["ede"], &lines[2]["aa"]), (&20.into(), &false.into()));
    let count = |transport, rcode: Rcode| {
        server.count(transport, |totals| totals.rcodes[usize::from(rcode.0)])
    };
    assert_eq!(count(Transport::Udp, Rcode::NOERROR), 1);
    assert_eq!(count(Transport::Udp, Rcode::REFUSED), 1);
    assert_eq!(count(Transport::Tcp, Rcode::NXDOMAIN), 1);
    assert_eq!(server.count(Transport::Udp, |t| t.types[28]), 1);
}

#[test]
fn a_log_that_cannot_be_opened_stops_no_answer_and_is_told() {
    let query_log = Some(QueryLogOptions {
        file: "/proc/nowhere/query.jsonl".into(),
        keep: Keep { rotate_octets: 1, total_octets: 1, days: 0 },
        format: LineFormat::Json,
        client: ClientDetail::Address,
        filter: Filter::default(),
    });
    let server = server(Options { query_log, ..Options::default() });
    let reply = ask(server.v4, &query(1, "www.example.", Rtype::A), Transport::Udp, SOON).unwrap();
    assert_eq!(reply[3] & 0x0f, 0);
    wait_until("the loss is told and counted", || {
        let log = server.running.query_log().unwrap();
        log.dropped == 1 && log.losing.is_some_and(|why| why.contains("/proc/nowhere/query.jsonl"))
    });
}
