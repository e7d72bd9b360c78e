//! A real browser with scripts off: Debian's Chromium, driven over its DevTools socket.
//!
//! Only as much of the protocol as filling in forms takes: open, fill in, press, wait for the next
//! page, look. Pressing is the browser's own: cookies, redirects, CSP and form rules are all its.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// How long a page may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

//------------ Browser -------------------------------------------------------

/// A Chromium of our own; ended when dropped.
pub struct Browser {
    /// The process.
    child: Child,
    /// The DevTools socket.
    socket: Socket,
    /// Number of the last command.
    last: u64,
    /// What pages complained of, with the window's session.
    heard: Vec<(String, String)>,
    /// Its profile.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; none where Chromium is not installed, which is a failure where peers are required.
    pub fn start() -> Option<Self> {
        let found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|path| Path::new(path).exists());
        let Some(program) = found else {
            crate::skipped::skipped("chromium is not installed");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-quic", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("ws://") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "chromium ended before it listened");
        }
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = line.split("ws://").nth(1).unwrap().trim().to_owned();
        let socket = Socket::connect(&address);
        Some(Self { child, socket, last: 0, heard: Vec::new(), _profile: profile })
    }

    /// A window of its own with no cookies, 320 CSS pixels wide, scripts off.
    pub fn window(&mut self) -> Window {
        let context = self.call("", "Target.createBrowserContext", json!({}));
        let page = self.call(
            "",
            "Target.createTarget",
            json!({ "url": "about:blank", "browserContextId": context["browserContextId"] }),
        );
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.call("", "Target.attachToTarget", attach);
        let window = Window(session["sessionId"].as_str().unwrap().to_owned());
        self.resize(&window, 320);
        self.scripts(&window, false);
        self.call(&window.0, "Log.enable", json!({}));
        window
    }

    /// Gives a window another width in CSS pixels.
    pub fn resize(&mut self, window: &Window, width: u32) {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call(&window.0, "Emulation.setDeviceMetricsOverride", size);
    }

    /// Switches the scripts of pages on or off.
    pub fn scripts(&mut self, window: &Window, on: bool) {
        self.call(&window.0, "Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
    }

    /// Has a script run on each page that is opened from now on, whatever the page itself allows.
    pub fn inject(&mut self, window: &Window, script: &str) {
        self.call(&window.0, "Page.enable", json!({}));
        let added = json!({ "source": script });
        self.call(&window.0, "Page.addScriptToEvaluateOnNewDocument", added);
    }

    /// What the pages of a window complained of since it was asked last.
    pub fn complaints(&mut self, window: &Window) -> Vec<String> {
        let (own, others): (Vec<_>, Vec<_>) =
            self.heard.drain(..).partition(|(session, _)| *session == window.0);
        self.heard = others;
        own.into_iter().map(|(_, text)| text).collect()
    }

    /// Opens an address and waits for the page.
    #[track_caller]
    pub fn open(&mut self, window: &Window, address: &str) {
        self.mark(window);
        self.call(&window.0, "Page.navigate", json!({ "url": address }));
        self.arrive(window);
    }

    /// Fills in fields by name: text, or the value of the choice.
    #[track_caller]
    pub fn fill(&mut self, window: &Window, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            let script = format!(
                "(() => {{ const all = [...document.getElementsByName({name})];
                    if (!all.length) return false;
                    const choice = all.find(it => ['radio', 'checkbox'].includes(it.type) && it.value === {value});
                    if (choice) choice.checked = true; else all[0].value = {value};
                    return true; }})()",
                name = json!(name),
                value = json!(value)
            );
            assert_eq!(self.eval(window, &script), json!(true), "no field {name}");
        }
    }

    /// Chooses a file in a field.
    pub fn choose_file(&mut self, window: &Window, selector: &str, file: &Path) {
        let root = self.call(&window.0, "DOM.getDocument", json!({}));
        let wanted = json!({ "nodeId": root["root"]["nodeId"], "selector": selector });
        let node = self.call(&window.0, "DOM.querySelector", wanted);
        let files = json!({ "nodeId": node["nodeId"], "files": [file] });
        self.call(&window.0, "DOM.setFileInputFiles", files);
    }

    /// Presses what the selector finds and waits for the page that comes.
    #[track_caller]
    pub fn press(&mut self, window: &Window, selector: &str) {
        self.mark(window);
        let script = format!(
            "(() => {{ const it = document.querySelector({}); if (it) it.click(); return !!it; }})()",
            json!(selector)
        );
        let pressed = self.eval(window, &script);
        assert_eq!(pressed, json!(true), "nothing at {selector}:\n{}", self.text(window));
        self.arrive(window);
    }

    /// Presses a key: `Tab`, `Enter`, `Space`, or an arrow.
    pub fn key(&mut self, window: &Window, key: &str) {
        let (code, text, number) = match key {
            "Tab" => ("Tab", "", 9),
            "Enter" => ("Enter", "\r", 13),
            "Space" => (" ", " ", 32),
            "ArrowDown" => ("ArrowDown", "", 40),
            other => panic!("no such key: {other}"),
        };
        for kind in [if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "keyUp"] {
            let text = if kind == "keyUp" { "" } else { text };
            let pressed = json!({
                "type": kind, "key": code, "code": key, "windowsVirtualKeyCode": number, "text": text,
            });
            self.call(&window.0, "Input.dispatchKeyEvent", pressed);
        }
    }

    /// Goes on by Tab until what a selector finds has the focus and shows it; how many presses that took.
    #[track_caller]
    pub fn tab_to(&mut self, window: &Window, selector: &str) -> usize {
        let script = format!(
            "(() => {{ const it = document.activeElement; if (!it.matches({})) return false; \
             const style = getComputedStyle(it); \
             return it.matches(':focus-visible') && style.outlineStyle !== 'none'; }})()",
            json!(selector)
        );
        for presses in 1..=80 {
            self.key(window, "Tab");
            if self.eval(window, &script) == json!(true) {
                return presses;
            }
        }
        panic!("{selector} is not reached, or its focus is not seen:\n{}", self.text(window));
    }

    /// Types at the focus.
    pub fn type_in(&mut self, window: &Window, text: &str) {
        self.call(&window.0, "Input.insertText", json!({ "text": text }));
    }

    /// Presses Enter at the focus and waits for the page that comes.
    #[track_caller]
    pub fn enter(&mut self, window: &Window) {
        self.mark(window);
        self.key(window, "Enter");
        self.arrive(window);
    }

    /// The text of the page as a person sees it, its title first.
    pub fn text(&mut self, window: &Window) -> String {
        let text = self.eval(window, "document.title + '\\n' + document.body.innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The text of the first element a selector finds; empty if there is none.
    pub fn text_of(&mut self, window: &Window, selector: &str) -> String {
        let script = format!("document.querySelector({})?.textContent ?? ''", json!(selector));
        self.eval(window, &script).as_str().unwrap_or_default().trim().to_owned()
    }

    /// What an expression gives in the page. DevTools may evaluate where the page itself may not.
    pub fn eval(&mut self, window: &Window, script: &str) -> Value {
        let asked = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        self.call(&window.0, "Runtime.evaluate", asked)["result"]["value"].clone()
    }

    /// Marks the page that is left, so that the next one is known by not being marked.
    fn mark(&mut self, window: &Window) {
        self.eval(window, "document.documentElement.dataset.left = 'yes'");
    }

    /// Waits until another page than the marked one is complete.
    #[track_caller]
    fn arrive(&mut self, window: &Window) {
        let until = Instant::now() + PATIENCE;
        let there = "!document.documentElement.dataset.left && document.readyState === 'complete'";
        while self.eval(window, there) != json!(true) {
            assert!(Instant::now() < until, "no new page within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a command and gives its result; `null` where the page went away under it.
    fn call(&mut self, session: &str, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": params });
        if !session.is_empty() {
            command["sessionId"] = json!(session);
        }
        self.socket.send(&command.to_string());
        loop {
            let message: Value = serde_json::from_slice(&self.socket.receive()).unwrap();
            if message["id"] == json!(self.last) {
                return message["result"].clone();
            }
            let entry = &message["params"]["entry"];
            if message["method"] == "Log.entryAdded" && entry["level"] == "error" {
                let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
                self.heard.push((session, format!("{} {}", entry["text"], entry["url"])));
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The code of a second factor now.
pub fn code(secret: &str) -> String {
    let key = data_encoding::BASE32_NOPAD.decode(secret.replace(' ', "").as_bytes()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    totp.generate(now).to_string()
}

/// A window: the id of its DevTools session.
pub struct Window(String);

//------------ Socket --------------------------------------------------------

/// A WebSocket (RFC 6455), as far as a client on loopback needs it.
struct Socket(TcpStream);

impl Socket {
    /// Connects to `host:port/path`.
    fn connect(address: &str) -> Self {
        let (host, path) = address.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let hello = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: Z2FwdXJhLWJyb3dzZXItMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(hello.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Sends one text message. A client's frames are masked; a mask of zeros is a mask.
    fn send(&mut self, text: &str) {
        let mut frame = vec![0x81];
        match text.len() {
            length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).unwrap();
    }

    /// The next message, its fragments joined.
    fn receive(&mut self) -> Vec<u8> {
        let mut message = Vec::new();
        loop {
            let [first, second] = self.exactly::<2>();
            let length = match second & 0x7f {
                126 => u64::from(u16::from_be_bytes(self.exactly())),
                127 => u64::from_be_bytes(self.exactly()),
                short => u64::from(short),
            };
            let mut part = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut part).unwrap();
            // Pings need no answer within the life of a test.
            if first & 0x0f <= 2 {
                message.extend(part);
                if first & 0x80 != 0 {
                    return message;
                }
            }
        }
    }

    /// So many bytes.
    fn exactly<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}
