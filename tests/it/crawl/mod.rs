//! Every page of a demonstration in every role, in a real browser: what it must hold at 1280, 360 and 320 pixels, and what
//! must not be on it. Links are followed and forms opened; nothing is decided.
//!
//! `look.js` judges one page. axe-core judges it as well, where it is installed: `GAPURA_AXE` names its `axe.min.js`, or the
//! directory of a `npm install axe-core` is looked into.
//!
//! It takes longer than all other tests together, so it is run by hand where pages changed:
//! `cargo test --test it -- --ignored crawl`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::browser::{Browser, Window};
use crate::support::demo::Demo;

/// Pages of one kind that are looked at in one role: a list and its second page, two requests of a state.
const OF_A_KIND: usize = 2;
/// Widths in CSS pixels.
const WIDTHS: [u32; 3] = [1280, 360, 320];
/// What axe looks for: WCAG 2.2 A and AA, and its own best practice.
const AXE_RULES: [&str; 6] =
    ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// A crawl: the browser, what it knows of words, and the faults found with where they were.
struct Crawl {
    browser: Browser,
    demo: Demo,
    /// Where the demonstration puts its files.
    _temp: tempfile::TempDir,
    /// Scheme, host and port of its pages.
    web: String,
    /// `look.js`.
    look: String,
    /// axe-core, where it is installed.
    axe: Option<String>,
    /// The language of its pages.
    lang: &'static str,
    /// What only the pages of this language may say: ids of messages, and words of the other one.
    words: (Vec<String>, Vec<String>),
    /// Faults, and where they were found.
    faults: BTreeMap<String, BTreeSet<String>>,
    /// Pages that were judged.
    pages: usize,
}

impl Crawl {
    /// A demonstration and a browser; none where there is no browser.
    fn start(lang: &'static str) -> Option<Self> {
        let browser = Browser::start()?;
        let temp = tempfile::tempdir().unwrap();
        let demo = Demo::start(temp.path(), &[]);
        let web = demo.ready["web"].as_str().unwrap().to_owned();
        let look = read("tests/it/crawl/look.js");
        let look = look.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>();
        let look = look.join("\n");
        let axe = axe().map(|path| std::fs::read_to_string(path).unwrap());
        let (faults, pages) = (BTreeMap::new(), 0);
        let words = words(lang);
        Some(Self { browser, demo, _temp: temp, web, look, axe, lang, words, faults, pages })
    }

    /// A window with scripts on, in the language of the crawl.
    fn window(&mut self) -> Window {
        let window = self.browser.window();
        self.browser.scripts(&window, true);
        if let Some(axe) = &self.axe {
            self.browser.inject(&window, axe);
        }
        if self.lang != "id" {
            let language = format!("{}/bahasa/{}?ke=%2F", self.web, self.lang);
            self.browser.open(&window, &language);
        }
        window
    }

    /// Follows all links from these places, and judges each page.
    fn follow(&mut self, window: &Window, who: &str, starts: &[String]) {
        let mut todo: VecDeque<(String, bool)> =
            starts.iter().map(|start| (start.clone(), true)).collect();
        let (mut done, mut of_a_kind) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
        while let Some((place, is_start)) = todo.pop_front() {
            let count = of_a_kind.entry(kind(&place)).or_default();
            if (*count >= OF_A_KIND && !is_start) || !done.insert(place.clone()) {
                continue;
            }
            *count += 1;
            self.browser.open(window, &format!("{}{place}", self.web));
            self.judge(window, &format!("{who} {place}"));
            let links = self.browser.eval(window, LINKS);
            let links = links.as_array().into_iter().flatten().filter_map(Value::as_str);
            todo.extend(links.filter(|link| is_page(link)).map(|link| (link.to_owned(), false)));
        }
    }

    /// Judges the page of a window at each width.
    fn judge(&mut self, window: &Window, place: &str) {
        self.pages += 1;
        let (ids, other) = self.words.clone();
        for (at, width) in WIDTHS.into_iter().enumerate() {
            self.browser.resize(window, width);
            let wanted = json!({
                "width": width, "lang": self.lang, "first": at == 0, "ids": ids, "words": other,
            });
            let found = self.browser.eval(window, &format!("({})({wanted})", self.look));
            let found = found.as_array().unwrap_or_else(|| panic!("{place}: {found}")).clone();
            let with_axe = if width == 360 { Vec::new() } else { self.axe_faults(window) };
            for fault in found.into_iter().chain(with_axe) {
                let fault = fault.as_str().unwrap_or_default().to_owned();
                self.faults.entry(fault).or_default().insert(format!("{place} at {width}"));
            }
        }
        // A page that says no, as it should, is a complaint of the browser's.
        let here = self.browser.eval(window, "location.href").to_string();
        let is_own = |said: &String| said.starts_with("\"Failed to load") && said.ends_with(&here);
        let complaints = self.browser.complaints(window);
        for said in complaints.into_iter().filter(|said| !is_own(said)) {
            self.faults.entry(format!("console: {said}")).or_default().insert(place.to_owned());
        }
    }

    /// What axe finds on the page.
    fn axe_faults(&mut self, window: &Window) -> Vec<Value> {
        if self.axe.is_none() {
            return Vec::new();
        }
        let run = format!(
            "axe.run(document, {{ resultTypes: ['violations'], runOnly: {} }}).then(found => \
             found.violations.map(it => `axe ${{it.id}}: ${{it.nodes[0].html.slice(0, 160)}}`))",
            json!(AXE_RULES)
        );
        self.browser.eval(window, &run).as_array().cloned().expect("axe gives a list")
    }

    /// Signs an officer of the demonstration in.
    fn sign_in(&mut self, window: &Window, role: &str) {
        let accounts = self.demo.ready["demo"]["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|it| it["role"] == role).unwrap().clone();
        let password = self.demo.ready["demo"]["password"].as_str().unwrap().to_owned();
        self.browser.open(window, &format!("{}/masuk", self.web));
        self.judge(window, &format!("{role} /masuk"));
        let name = account["name"].as_str().unwrap();
        self.browser.fill(window, &[("name", name), ("password", &password)]);
        self.browser.press(window, "main form button");
        self.judge(window, &format!("{role} second factor"));
        let code = crate::support::browser::code(account["totp_secret"].as_str().unwrap());
        self.browser.fill(window, &[("code", &code)]);
        self.browser.press(window, "main form button");
    }

    /// One request of each state: number, secret and state.
    fn requests(&self) -> Vec<(String, String, String)> {
        let mut states = BTreeSet::new();
        let all = self.demo.ready["demo"]["requests"].as_array().unwrap().iter();
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        let all = all.map(|it| (text(it, "number"), text(it, "secret"), text(it, "state")));
        all.filter(|(_, _, state)| states.insert(state.clone())).collect()
    }

    /// What an officer sees.
    fn officer(&mut self, role: &str) {
        let window = self.window();
        self.sign_in(&window, role);
        let lists = ["/beranda", "/antrean", "/antrean?daftar=selesai", "/antrean?daftar=semua"];
        let mut starts: Vec<String> = lists.map(str::to_owned).to_vec();
        starts.extend(self.requests().into_iter().map(|(number, ..)| format!("/tinjau/{number}")));
        self.follow(&window, role, &starts);
    }

    /// What the applicant of a request in each state sees.
    fn applicants(&mut self) {
        for (number, secret, state) in self.requests() {
            let window = self.window();
            self.browser.open(&window, &format!("{}/status", self.web));
            self.browser.fill(&window, &[("number", &number), ("secret", &secret)]);
            self.browser.press(&window, "main form button");
            let own = ["/status", "/status/perbaikan", "/status/tarik"].map(str::to_owned);
            self.follow(&window, &format!("applicant of {state}"), &own);
        }
    }

    /// What anybody sees, and each page of the form as a village fills it in.
    fn public(&mut self) {
        let window = self.window();
        self.follow(&window, "anybody", &["/", "/permohonan/1", "/tidak-ada"].map(str::to_owned));
        let steps: [&[(&str, &str)]; 6] = [
            &[],
            &[("kind", "new"), ("class", "desa")],
            &[("district", "32.09.16")],
            &[("region", "32.09.16.2009")],
            &[
                ("contact_name", "Kuwu Sindangjawa"),
                ("contact_position", "Kuwu"),
                ("contact_email", "desa@sindangjawa.example"),
                ("contact_phone", "0231-000000"),
            ],
            &[("purpose", "Situs resmi desa")],
        ];
        self.browser.open(&window, &format!("{}/permohonan/1", self.web));
        for (at, fields) in steps.into_iter().enumerate() {
            self.browser.fill(&window, fields);
            self.browser.press(&window, "main form button");
            self.judge(&window, &format!("anybody, form after {at}"));
        }
        let more = ["/permohonan", "/permohonan/tujuan/belum", "/permohonan/tujuan/ip"];
        self.follow(&window, "anybody, form begun", &more.map(str::to_owned));
    }

    /// Tells what was found.
    #[track_caller]
    fn finish(self) {
        let told = self.faults.iter().map(|(fault, places)| {
            let first: Vec<_> = places.iter().take(3).cloned().collect();
            format!("{} × {fault}\n      {}", places.len(), first.join(" | "))
        });
        let told: Vec<_> = told.collect();
        assert!(self.pages > 50, "{} pages", self.pages);
        assert!(told.is_empty(), "on {} pages:\n{}", self.pages, told.join("\n"));
    }
}

/// The links of a page to the same site, as path and query.
const LINKS: &str = "[...document.querySelectorAll('a[href]')].map(it => new URL(it.href)) \
    .filter(it => it.origin === location.origin).map(it => it.pathname + it.search)";

/// Whether an address is a page, and no file, act or change of language.
fn is_page(link: &str) -> bool {
    let path = link.split('?').next().unwrap_or_default();
    let files = [".csv", ".pdf", ".xlsx", ".json", "/csv", "/pdf", "/surat"];
    let others = ["/bahasa/", "/aset/", "/api/"];
    !files.iter().any(|end| path.ends_with(end)) && !others.iter().any(|it| path.starts_with(it))
}

/// What kind of page an address is: numbers, names and values of filters aside.
fn kind(place: &str) -> String {
    let word = |word: &str| {
        let named = word.contains("cirebonkab.go.id") || word.starts_with("GPR-");
        let counted = word.bytes().any(|byte| byte.is_ascii_digit()) && word.len() > 1;
        if named || counted { "*".to_owned() } else { word.to_owned() }
    };
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let path: Vec<_> = path.split('/').map(word).collect();
    let keys = query.split('&').map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let few = ["daftar", "jenis", "rentang"].contains(&key);
        if few { format!("{key}={value}") } else { key.to_owned() }
    });
    format!("{}?{}", path.join("/"), keys.collect::<Vec<_>>().join("&"))
}

/// The ids of messages, and the English words that no Indonesian page may say. English pages name offices and places.
fn words(lang: &str) -> (Vec<String>, Vec<String>) {
    let catalogue = |lang: &str| read(&format!("src/words/{lang}.ftl"));
    let ids = catalogue(lang);
    let ids = ids.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id.to_owned());
    let ids = ids.filter(|id| id.contains('-') && !id.contains(' '));
    let said = |lang: &str| -> BTreeSet<String> {
        let text = catalogue(lang);
        let lines = text.lines().map(|line| line.split_once(" =").map_or(line, |(_, text)| text));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let parts = text.split('{').map(|part| part.rsplit('}').next().unwrap_or(part));
        let words = parts.flat_map(|part| part.split(|c: char| !c.is_ascii_alphabetic()));
        words.filter(|word| word.len() > 2).map(str::to_lowercase).collect()
    };
    let (here, there) = (said("id"), said("en"));
    let foreign = there.difference(&here).filter(|_| lang == "id");
    (ids.collect(), foreign.cloned().collect())
}

/// A file of the source tree.
fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Where axe-core is; a failure where peers are required.
fn axe() -> Option<PathBuf> {
    let named = std::env::var_os("GAPURA_AXE").map(PathBuf::from);
    let known = ["target/axe", "/usr/local/lib", "/usr/lib"];
    let known = known.map(|at| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(at).join("node_modules/axe-core/axe.min.js")
    });
    let found = named.into_iter().chain(known).find(|path| path.exists());
    if found.is_none() {
        crate::skipped::skipped("axe-core is not installed: pages are looked at without it");
    }
    found
}

#[test]
#[ignore = "some two thousand views with axe: run by hand"]
fn every_page_of_every_role_holds_in_indonesian() {
    let Some(mut crawl) = Crawl::start("id") else { return };
    crawl.public();
    crawl.applicants();
    for role in ["kabid", "kasi", "admin", "auditor"] {
        crawl.officer(role);
    }
    crawl.finish();
}

#[test]
#[ignore = "some two thousand views with axe: run by hand"]
fn every_page_of_every_role_holds_in_english() {
    let Some(mut crawl) = Crawl::start("en") else { return };
    crawl.public();
    crawl.applicants();
    for role in ["kabid", "kasi", "admin", "auditor"] {
        crawl.officer(role);
    }
    crawl.finish();
}
