//! Webhooks: which events are told, in which order, again after a failure and not for ever.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::queue::time::DAY_MS;
use crate::webhook::{Address, Hook, Secret};

/// A receiver: what it answers next, and what came.
struct Receiver {
    /// Where it listens.
    port: u16,
    /// The status of the next answers.
    status: Arc<AtomicI64>,
    /// Ids and bodies of the calls.
    calls: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
}

impl Receiver {
    /// One that takes everything, until told otherwise.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (status, calls) = (Arc::new(AtomicI64::new(200)), Arc::new(Mutex::default()));
        let own = Self { port, status: Arc::clone(&status), calls: Arc::clone(&calls) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut call, mut part) = (Vec::new(), [0; 4_096]);
                let (head, body) = loop {
                    let read = stream.read(&mut part).unwrap();
                    call.extend_from_slice(&part[..read]);
                    let text = String::from_utf8_lossy(&call).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    if head.contains(&format!("Content-Length: {}", body.len())) {
                        break (head.to_owned(), body.to_owned());
                    }
                };
                let id = head.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap();
                let body = serde_json::from_str(&body).unwrap();
                calls.lock().unwrap().push((id.to_owned(), body));
                let status = status.load(Ordering::Relaxed);
                stream.write_all(format!("HTTP/1.1 {status} x\r\n\r\n").as_bytes()).unwrap();
            }
        });
        own
    }

    /// The webhook of it, told of these events.
    fn hook(&self, deeds: &[Deed]) -> Hook {
        let address = Address::read(&format!("http://127.0.0.1:{}/geheim", self.port)).unwrap();
        let secret = Secret::read("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let mut hook = Hook::new("grup", address, secret, Path::new("")).unwrap();
        hook.deeds = deeds.to_vec();
        hook
    }

    /// The events that came, and forgets them.
    fn events(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.into_iter().map(|(_, body)| body["event"].as_str().unwrap().to_owned()).collect()
    }
}

/// An office with one webhook, and the receiver.
fn told(deeds: &[Deed]) -> (Office, Receiver, Hook) {
    let receiver = Receiver::new();
    let hook = receiver.hook(deeds);
    let of_office = hook.clone();
    let office = Office::with(|options| options.webhooks = vec![of_office]);
    office.desk.begin_webhooks().unwrap();
    (office, receiver, hook)
}

/// Tells all that is due.
fn tell(office: &Office, hook: &Hook) {
    while office.desk.tell_webhook(hook).unwrap() {}
}

#[test]
fn a_webhook_is_told_its_events_in_order_and_no_person() {
    let (office, receiver, hook) = told(&[Deed::Submit, Deed::Dispose, Deed::Promoted]);
    let number = office.live(application());
    // An attempt that is turned back is no news.
    office.act(&number, dispose("seksi"), "kepala").unwrap_err();
    tell(&office, &hook);
    let calls = receiver.calls.lock().unwrap().clone();
    let events: Vec<&str> = calls.iter().map(|(_, body)| body["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["submit", "dispose", "promoted"]);
    let mut previous = serde_json::Value::Null;
    for (id, body) in &calls {
        assert_eq!((&body["previous"], &body["request"]), (&previous, &number.as_str().into()));
        assert!(body["sequence"].as_i64() > previous.as_i64(), "{body}");
        assert_eq!(body["id"], id.as_str());
        previous = body["sequence"].clone();
        let text = body.to_string();
        for personal in ["Sutrisno", "desa@example.id", "@", "kepala", "p-seksi", "Seksi"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
    assert_eq!(calls[2].1["state"], "live");
    assert!(office.desk.webhooks_due().unwrap().is_empty(), "an attempt is no news");
    let view = office.desk.webhooks().unwrap().remove(0);
    assert_eq!((view.state, view.waiting, view.delivered), ("ready", 0, 3));
    assert!(!serde_json::to_string(&view).unwrap().contains("geheim"));
}

#[test]
fn what_happened_before_a_webhook_was_set_is_not_told() {
    let office = Office::new();
    office.submit(application()).unwrap();
    let receiver = Receiver::new();
    let hook = receiver.hook(&[Deed::Submit]);
    let of_office = hook.clone();
    let office = Office::open(office.close(), |it| it.webhooks = vec![of_office], "127.0.0.1:0");
    office.desk.begin_webhooks().unwrap();
    tell(&office, &hook);
    office.submit(service("sipandu", "192.0.2.111")).unwrap();
    tell(&office, &hook);
    assert_eq!(receiver.calls.lock().unwrap()[0].1["name"], "sipandu.cirebonkab.go.id");
    assert_eq!(receiver.events(), ["submit"]);
    // Taken out of the settings, it is forgotten, also by who was looking for its events meanwhile.
    office.desk.set_options(&Options::new(PathBuf::new(), Arc::new(|| 0)));
    office.desk.begin_webhooks().unwrap();
    office.desk.keep_place("grup", 1_000).unwrap();
    assert!(
        office
            .store
            .read::<_, crate::store::StoreError>(|reader| reader.webhook("grup"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_failure_is_tried_again_with_the_same_id_and_keeps_the_next_waiting() {
    let (office, receiver, hook) = told(&[Deed::Submit, Deed::Dispose]);
    receiver.status.store(503, Ordering::Relaxed);
    office.assigned(application());
    tell(&office, &hook);
    tell(&office, &hook);
    assert_eq!(receiver.calls.lock().unwrap().len(), 1, "not before the pause is over");
    assert!(office.desk.webhooks_due().unwrap().is_empty());
    let view = office.desk.webhooks().unwrap().remove(0);
    assert_eq!((view.state, view.waiting, view.said.as_str()), ("failing", 2, "503"));
    assert!(view.trouble().unwrap().contains("answered 503"));
    assert_eq!(office.desk.warnings(), [view.trouble().unwrap()]);
    office.wait(5_000);
    assert_eq!(office.desk.webhooks_due().unwrap().len(), 1);
    tell(&office, &hook);
    receiver.status.store(200, Ordering::Relaxed);
    office.wait(30_000);
    tell(&office, &hook);
    let ids: Vec<String> =
        receiver.calls.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert_eq!((ids.len(), &ids[0], &ids[1]), (4, &ids[1], &ids[2]));
    assert_eq!(receiver.events(), ["submit", "submit", "submit", "dispose"]);
    assert_eq!(office.desk.webhooks().unwrap()[0].state, "ready");
}

#[test]
fn an_event_that_is_never_taken_is_given_up_and_the_next_is_told() {
    let (office, receiver, hook) = told(&[Deed::Submit, Deed::Dispose]);
    office.assigned(application());
    receiver.status.store(422, Ordering::Relaxed);
    while office.desk.webhooks().unwrap()[0].given_up == 0 {
        office.wait(14_400_000);
        assert!(receiver.calls.lock().unwrap().len() < 20);
        office.desk.tell_webhook(&hook).unwrap();
    }
    assert_eq!(receiver.events().len(), 13);
    receiver.status.store(200, Ordering::Relaxed);
    tell(&office, &hook);
    assert_eq!(receiver.events(), ["dispose"]);
}

#[test]
fn a_webhook_that_fails_for_days_is_stopped_and_told_of_until_an_administrator_resumes_it() {
    let (office, receiver, hook) = told(&[Deed::Submit, Deed::Dispose]);
    receiver.status.store(503, Ordering::Relaxed);
    office.submit(application()).unwrap();
    for _ in 0..30 {
        office.desk.tell_webhook(&hook).unwrap();
        office.wait(DAY_MS / 8);
    }
    let view = office.desk.webhooks().unwrap().remove(0);
    assert_eq!(view.state, "stopped");
    assert!(view.trouble().unwrap().contains("gapura webhook retry grup"));
    let due = office.desk.notices_due(100).unwrap();
    let told: Vec<&str> =
        due.iter().filter(|it| it.deed == Deed::WebhookStopped).map(|it| it.to.as_str()).collect();
    assert_eq!(told.len(), 1, "one administrator, once");
    receiver.events();
    receiver.status.store(200, Ordering::Relaxed);
    tell(&office, &hook);
    assert!(receiver.events().is_empty(), "nobody is called while it is stopped");

    let kasi = office.actor("seksi");
    let refused = office.desk.retry_webhook("grup", Some(&kasi)).unwrap_err();
    assert!(matches!(refused, ActError::NotAllowed));
    office.submit(service("sipandu", "192.0.2.111")).unwrap();
    office.desk.retry_webhook("grup", Some(&office.actor("operator"))).unwrap();
    tell(&office, &hook);
    // What is older than three days is not told any more.
    assert_eq!(receiver.events(), ["submit"]);
    let view = office.desk.webhooks().unwrap().remove(0);
    assert_eq!((view.state, view.given_up, view.delivered), ("ready", 1, 1));
    let acts: Vec<String> =
        office.desk.events(0, 1_000).unwrap().into_iter().map(|event| event.act).collect();
    for act in ["webhook_stopped", "webhook_resumed"] {
        assert!(acts.iter().any(|it| it == act), "{act} in {acts:?}");
    }
}

#[test]
fn a_receiver_that_wants_no_more_is_left_alone() {
    let (office, receiver, hook) = told(&[Deed::Submit]);
    receiver.status.store(410, Ordering::Relaxed);
    office.submit(application()).unwrap();
    tell(&office, &hook);
    assert_eq!(office.desk.webhooks().unwrap()[0].state, "stopped");
    let answer = office.desk.test_webhook("grup", None).unwrap();
    assert_eq!(answer.said.word(), "410");
    let head = office.actor("kepala");
    let refused = office.desk.test_webhook("grup", Some(&head));
    assert!(matches!(refused, Err(ActError::NotAllowed)), "an administrator only");
    assert!(matches!(office.desk.test_webhook("keiner", None), Err(ActError::NotFound)));
}
