//! The whole story over the pages, in a real browser: first administrator, invitations, request, disposisi, correction,
//! approval, TAYANG, proof, papers, report. Once with scripts off at 320 pixels, once with scripts at a desk's width.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::browser::{Browser, Window};
use crate::support::office::{LETTER, PASSWORD};
use crate::support::{Daemon, ask, data};
use hickory_proto::rr::RecordType;
use serde_json::json;

/// The name that goes the whole way.
const NAME: &str = "sindangjawa.desa.cirebonkab.go.id";

/// What every page must hold (WCAG 2.2: 1.3.1, 1.4.10, 2.4.2, 2.5.8, 3.1.1, 4.1.2), and the weight
/// of a first view. The faults found, as text.
const LOOK: &str = r##"(() => {
    const faults = [], all = it => [...document.querySelectorAll(it)];
    const shown = it => it.offsetParent !== null && !it.closest('.trap, .skip, .unseen');
    if (!document.documentElement.lang) faults.push('no lang');
    if (!document.title) faults.push('no title');
    if (all('h1').length !== 1) faults.push(all('h1').length + ' h1');
    if (all('main').length !== 1) faults.push('no main');
    if (all('script:not([src]), [style], [onclick]').length) faults.push('inline script or style');
    const ids = all('[id]').map(it => it.id);
    for (const id of new Set(ids)) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('twice #' + id);
    for (const it of all('input:not([type=hidden]), select, textarea'))
        if (!it.labels.length) faults.push('no label: ' + it.name);
    for (const it of all('[aria-describedby]'))
        for (const id of it.getAttribute('aria-describedby').split(' '))
            if (!document.getElementById(id)) faults.push('describedby nothing: ' + id);
    for (const it of all('a[href^="#"]'))
        if (!document.getElementById(it.hash.slice(1))) faults.push('link to nothing: ' + it.hash);
    for (const it of all('button, a.button, input:not([type=hidden], [type=radio], [type=checkbox]), select, label.choice'))
        if (shown(it) && it.getBoundingClientRect().height < 44) faults.push('small target: ' + (it.name || it.textContent));
    if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than ' + innerWidth + ': ' + document.documentElement.scrollWidth);
    const loaded = performance.getEntriesByType('resource');
    const bytes = [...loaded, ...performance.getEntriesByType('navigation')].reduce((sum, it) => sum + it.encodedBodySize, 0);
    if (loaded.length > 5 || bytes > 100000) faults.push(loaded.length + ' more files, ' + bytes + ' bytes');
    return faults.join('; ');
})()"##;

/// The daemon's pages and the browser that looks at them.
struct Visit {
    daemon: Daemon,
    browser: Browser,
    /// Width of its windows in CSS pixels, and whether scripts run.
    how: (u32, bool),
}

impl Visit {
    /// A window of somebody.
    fn window(&mut self) -> Window {
        let (window, (width, scripts)) = (self.browser.window(), self.how);
        self.browser.resize(&window, width);
        self.browser.scripts(&window, scripts);
        window
    }

    /// Opens a path and looks.
    #[track_caller]
    fn open(&mut self, window: &Window, path: &str) {
        let address = if path.starts_with('/') {
            format!("{}{path}", self.daemon.web())
        } else {
            path.to_owned()
        };
        self.browser.open(window, &address);
        self.look(window);
    }

    /// Fills in the form of the page, sends it and looks at what comes.
    #[track_caller]
    fn send(&mut self, window: &Window, fields: &[(&str, &str)]) {
        self.browser.fill(window, fields);
        self.press(window, "main form button");
    }

    /// Presses and looks at what comes.
    #[track_caller]
    fn press(&mut self, window: &Window, selector: &str) {
        self.browser.press(window, selector);
        self.look(window);
    }

    /// Holds the page to what every page must hold.
    #[track_caller]
    fn look(&mut self, window: &Window) {
        let faults = self.browser.eval(window, LOOK);
        assert_eq!(faults, json!(""), "{}", self.browser.text(window));
    }

    /// Asserts that the page says something.
    #[track_caller]
    fn says(&mut self, window: &Window, what: &str) {
        let text = self.browser.text(window);
        assert!(text.contains(what), "{what:?} is not in:\n{text}");
    }

    /// Makes an account by a link, sets up the second factor, and is signed in.
    #[track_caller]
    fn join(&mut self, link: &str, name: &str, full_name: &str) -> Window {
        let window = self.window();
        self.open(&window, link);
        let email = format!("{name}@cirebonkab.go.id");
        self.browser.fill(&window, &[("full_name", full_name), ("name", name)]);
        if !self.browser.text_of(&window, "label[for=email]").is_empty() {
            self.browser.fill(&window, &[("email", &email)]);
        }
        self.send(&window, &[("password", PASSWORD), ("again", PASSWORD)]);
        self.open(&window, "/masuk");
        self.send(&window, &[("name", name), ("password", PASSWORD)]);
        let key = self.browser.text_of(&window, "code.key").replace(' ', "");
        let key = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
        let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.send(&window, &[("code", &totp.generate(now).to_string())]);
        self.says(&window, "Menurut langkah dan pemegang");
        window
    }

    /// Invites an officer; the link.
    #[track_caller]
    fn invite(&mut self, admin: &Window, name: &str, role: &str) -> String {
        self.open(admin, "/pengguna");
        self.browser.fill(admin, &[("email", &format!("{name}@cirebonkab.go.id")), ("role", role)]);
        self.press(admin, "main form[action='/pengguna'] button");
        self.browser.text_of(admin, ".good code")
    }

    /// Fills in the six steps and sends the request; number and secret.
    #[track_caller]
    fn submit(&mut self, window: &Window) -> (String, String) {
        self.open(window, "/");
        self.press(window, "main a.button");
        self.press(window, "main form button");
        self.says(window, "Kesalahan: Jenis dan kelas permohonan");
        self.send(window, &[("kind", "new"), ("class", "desa")]);
        self.says(window, "Kecamatan mana?");
        self.send(window, &[("district", "32.09.16")]);
        self.send(window, &[("region", "32.09.16.2009")]);
        self.contact(window);
        self.says(window, NAME);
        self.send(window, &[("purpose", "Situs resmi desa, NIK 3209123456789012")]);
        self.says(window, "kami samarkan");
        self.send(window, &[]);
        self.says(window, "Di mana situs Anda?");
        self.send(window, &[("target", "ip")]);
        self.send(window, &[("target_ip", "10.0.0.1")]);
        self.says(window, "tidak dapat dicapai dari internet. (10.0.0.1)");
        self.send(window, &[("target_ip", "192.0.2.200")]);
        self.letter(window);
        self.says(window, "Sindangjawa – Kec. ");
        // What is changed from here comes back here.
        self.press(window, "a[href='/permohonan/3?ubah=1']");
        self.send(window, &[("purpose", "Situs resmi desa")]);
        self.says(window, "Periksa jawaban Anda");
        self.press(window, "main form button");
        self.says(window, "Permohonan terkirim");
        (self.browser.text_of(window, "b.big"), self.browser.text_of(window, "code.secret"))
    }

    /// Fills in the second step: a telephone that is none is told at once, and the office is filled in.
    #[track_caller]
    fn contact(&mut self, window: &Window) {
        let office = self.browser.eval(window, "document.querySelector('#office').value");
        assert_eq!(office, json!("Pemerintah Desa Sindangjawa"));
        let contact = [
            ("contact_name", "Kuwu Sindangjawa"),
            ("contact_position", "Kuwu"),
            ("contact_email", "desa@sindangjawa.example"),
            ("contact_phone", "abc"),
            ("contact_nip", "3209123456789012"),
        ];
        self.send(window, &contact);
        self.says(window, "Isi nomor telepon yang lengkap");
        self.says(window, "NIP terdiri atas 18 angka");
        self.send(window, &[("contact_phone", "0231-000000"), ("contact_nip", "")]);
    }

    /// Fills in the last step: a file that is no letter and a date to come are told at once.
    #[track_caller]
    fn letter(&mut self, window: &Window) {
        let (wrong, letter) =
            (self.daemon.dir.join("surat.docx"), self.daemon.dir.join("surat.pdf"));
        std::fs::write(&wrong, b"PK\x03\x04 no letter").unwrap();
        std::fs::write(&letter, LETTER).unwrap();
        self.browser.choose_file(window, "#letter", &wrong);
        self.send(window, &[("letter_number", "140/12/Ds"), ("letter_date", "2099-11-23")]);
        self.says(window, "bukan PDF, JPEG, atau PNG");
        self.says(window, "Tanggal surat belum tiba");
        self.browser.choose_file(window, "#letter", &letter);
        self.send(window, &[("letter_date", "2026-11-23")]);
    }

    /// Opens every paper that a page lists, and what is printed of it, and has the last one checked by its code.
    #[track_caller]
    fn papers(&mut self, window: &Window, page: &str, kinds: &[&str]) {
        self.open(window, page);
        let list =
            "[...document.querySelectorAll('#naskah + ul a')].map(it => it.getAttribute('href'))";
        let places = self.browser.eval(window, list).as_array().cloned().unwrap_or_default();
        for kind in kinds {
            self.says(window, kind);
        }
        assert!(places.len() >= kinds.len(), "{places:?}");
        for place in &places {
            let place = place.as_str().unwrap();
            self.open(window, place);
            self.says(window, NAME);
            let printed =
                self.browser.eval(window, "document.querySelector('a[href$=cetak]')?.pathname");
            self.open(
                window,
                printed.as_str().unwrap_or_else(|| panic!("{place} has no print page")),
            );
            self.says(window, NAME);
        }
        let code = self.browser.eval(
            window,
            "document.querySelector('.paper').innerText.match(/(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/)?.[0]",
        );
        let code = code.as_str().unwrap_or_default().to_owned();
        self.open(window, "/periksa-naskah");
        self.send(window, &[("kode", &code)]);
        self.says(window, NAME);
        self.says(window, "SHA-256");
    }

    /// Answers every line of the check sheet with yes and goes on to the confirm page.
    #[track_caller]
    fn check_all(&mut self, window: &Window, number: &str) {
        self.open(window, &format!("/tinjau/{number}"));
        let script = "document.querySelectorAll('.sheet input[value=ok]').forEach(it => it.checked = true);
            document.querySelectorAll('.sheet textarea[name^=n-A]').forEach(it => it.value = 'Sudah ditelepon.')";
        self.browser.eval(window, script);
        self.press(window, "button[value=setujui]");
    }
}

#[test]
fn the_whole_story_in_a_browser_without_scripts() {
    tell(320, false);
}

#[test]
fn the_whole_story_at_a_desk_with_scripts() {
    tell(1280, true);
}

/// Plays the story in windows of a width, with scripts or without.
fn tell(width: u32, scripts: bool) {
    let Some(browser) = Browser::start() else { return };
    let mut visit = Visit { daemon: Daemon::start(""), browser, how: (width, scripts) };
    let link = std::fs::read_to_string(visit.daemon.dir.join("state/first-administrator")).unwrap();
    let link = link.split_whitespace().next().unwrap().to_owned();
    let admin = visit.join(&link, "sri", "Sri Rahayu");
    let kabid = visit.invite(&admin, "budi", "kabid");
    let kabid = visit.join(&kabid, "budi", "Budi Santoso");
    let kasi = visit.invite(&admin, "siti", "kasi");
    let kasi = visit.join(&kasi, "siti", "Siti Aminah");
    let stranger = visit.window();
    let trial = "data:text/html,<title>off</title><script>document.title = 'on'</script>";
    visit.browser.open(&stranger, trial);
    let runs = if scripts { "on" } else { "off" };
    assert_eq!(visit.browser.text_of(&stranger, "title"), runs);
    visit.open(&stranger, &link);
    visit.says(&stranger, "Tautan tidak berlaku");

    let village = visit.window();
    let (number, secret) = visit.submit(&village);
    visit.open(&kabid, "/antrean?daftar=milik-saya");
    visit.says(&kabid, NAME);
    visit.open(&kabid, &format!("/tinjau/{number}/disposisi"));
    visit.send(&kabid, &[]);
    visit.says(&kabid, "DIDISPOSISI");

    // Sent back, corrected by number and secret from another browser, and checked again.
    visit.open(&kasi, &format!("/tinjau/{number}"));
    visit.browser.fill(&kasi, &[("v-M1", "fix"), ("n-M1", "Surat belum bertanda tangan.")]);
    visit.press(&kasi, "button[value=kembalikan]");
    visit.press(&kasi, "main form button");
    let elsewhere = visit.window();
    visit.open(&elsewhere, "/status");
    visit.send(&elsewhere, &[("number", &number), ("secret", &secret)]);
    visit.says(&elsewhere, "Surat belum bertanda tangan.");
    visit.press(&elsewhere, "a[href='/status/perbaikan']");
    visit.press(&elsewhere, "main form button");
    visit.says(&elsewhere, "sedang diperiksa oleh Kepala Seksi");

    visit.check_all(&kasi, &number);
    visit.says(&kasi, NAME);
    visit.press(&kasi, "main form button");
    visit.says(&kasi, "TAYANG");
    let reply = ask(visit.daemon.dns(), &format!("{NAME}."), RecordType::A);
    assert_eq!(data(&reply), ["192.0.2.200"]);
    visit.open(&village, "/status");
    visit.says(&village, "sudah tayang");
    visit.says(&village, "Bukti tayang");
    visit.papers(&village, "/status", &["Tanda terima", "Surat pemberitahuan"]);
    let all = ["Tanda terima", "Lembar disposisi", "Lembar verifikasi", "Laporan", "Surat"];
    visit.papers(&kabid, &format!("/tinjau/{number}"), &all);
    visit.open(&village, "/subdomain");
    visit.says(&village, NAME);

    let pages = [(&admin, "/pengguna"), (&admin, "/zona"), (&admin, "/jejak?periksa=ya")];
    for (window, path) in pages.into_iter().chain([(&admin, "/akun"), (&kabid, "/plh")]) {
        visit.open(window, path);
    }
    visit.open(&kabid, "/laporan");
    visit.says(&kabid, &number);
    visit.says(&kabid, "3 Pemeriksaan");
    visit.open(&kabid, "/statistik?rentang=jam");
    visit.says(&kabid, "Kueri per menit");
    visit.says(&kabid, NAME);
    for path in ["/privasi", "/tidak-ada", "/bahasa/en?ke=%2F"] {
        visit.open(&stranger, path);
    }
    visit.says(&stranger, "Requesting a subdomain");
}

/// The numbers of the page of statistics: that of the last minutes in the table, and the heights in the
/// picture beside it.
const FIGURES: &str = r##"(() => {
    const chart = document.querySelector('#angka figure');
    const number = it => Number(it.textContent.replaceAll('.', ''));
    const rows = [...chart.querySelectorAll('tbody td')].map(number);
    const most = Math.max(1, ...rows);
    const bars = [...chart.querySelectorAll('rect')].map(it => Number(it.getAttribute('height')));
    const drawn = rows.filter(it => it > 0).map(it => Math.max(1, Math.floor(it * 120 / most)));
    return { sum: rows.reduce((a, b) => a + b, 0), same: JSON.stringify(drawn) === JSON.stringify(bars),
             open: chart.querySelector('details').open };
})()"##;

#[test]
fn the_figures_of_queries_renew_themselves_where_scripts_run() {
    let Some(browser) = Browser::start() else { return };
    let mut visit = Visit { daemon: Daemon::start(""), browser, how: (320, false) };
    let link = std::fs::read_to_string(visit.daemon.dir.join("state/first-administrator")).unwrap();
    let link = link.split_whitespace().next().unwrap().to_owned();
    let admin = visit.join(&link, "sri", "Sri Rahayu");
    visit.browser.scripts(&admin, true);
    visit.open(&admin, "/statistik?rentang=jam");
    let before = visit.browser.eval(&admin, FIGURES);
    assert_eq!(before["same"], json!(true), "{before}");
    // Somebody reads the table, and it stays open.
    visit.browser.eval(&admin, "document.querySelector('#angka details').open = true");
    visit.browser.eval(&admin, "window.stays = true");
    for _ in 0..7 {
        ask(visit.daemon.dns(), "cirebonkab.go.id.", RecordType::SOA);
    }
    let until = SystemTime::now() + std::time::Duration::from_secs(60);
    let after = loop {
        visit.browser.eval(&admin, "document.dispatchEvent(new Event('visibilitychange'))");
        let now = visit.browser.eval(&admin, FIGURES);
        if now["sum"].as_u64() >= before["sum"].as_u64().map(|sum| sum + 7) {
            break now;
        }
        assert!(SystemTime::now() < until, "{before} {now}");
        std::thread::sleep(std::time::Duration::from_millis(500));
    };
    assert_eq!((&after["same"], &after["open"]), (&json!(true), &json!(true)), "{after}");
    assert_eq!(visit.browser.eval(&admin, "window.stays"), json!(true), "the page was never left");
}

/// Every list of the settings, by the last part of its address.
const LISTS: [&str; 11] = [
    "kantor",
    "jam-kerja",
    "jam-khusus",
    "hari-libur",
    "perangkat-daerah",
    "wilayah",
    "ejaan",
    "nama-dicadangkan",
    "tujuan-rawan",
    "jaringan-indonesia",
    "hosting",
];

#[test]
fn settings_are_changed_in_a_browser_and_outlive_a_kill_and_a_reload() {
    let Some(browser) = Browser::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    crate::support::lay_out(dir.path(), "");
    let mut visit = Visit { daemon: Daemon::in_dir(dir.path()), browser, how: (320, false) };
    let link = std::fs::read_to_string(dir.path().join("state/first-administrator")).unwrap();
    let admin = visit.join(link.split_whitespace().next().unwrap(), "sri", "Sri Rahayu");
    visit.open(&admin, "/pengaturan");
    for list in LISTS {
        for page in ["", "/ubah", "/riwayat"] {
            visit.open(&admin, &format!("/pengaturan/daftar/{list}{page}"));
        }
    }
    visit.open(&admin, "/pengaturan/daftar/kantor/ubah");
    let office = [("government", "Pemerintah Kabupaten Maju"), ("telephone", "(0999) 123456")];
    visit.send(&admin, &office);
    visit.says(&admin, "Pemerintah Kabupaten Maju");
    visit.send(&admin, &[("reason", "SK 1/2026")]);
    visit.says(&admin, "Perubahan sudah berlaku.");
    visit.open(&admin, "/pengaturan/daftar/jam-kerja/ubah");
    visit.send(&admin, &[("fri", "07.30–11.00")]);
    visit.send(&admin, &[]);
    visit.open(&admin, "/pengaturan/daftar/wilayah/impor");
    let regions = dir.path().join("wilayah.csv");
    std::fs::write(
        &regions,
        "kode;jenis;nama\n99.01.01;kecamatan;Makmur\n99.01.01.2001;desa;Sukamaju\n",
    )
    .unwrap();
    visit.browser.choose_file(&admin, "#file", &regions);
    visit.send(&admin, &[("how", "ganti")]);
    visit.says(&admin, "2 ditambah, 464 dihapus");
    visit.send(&admin, &[]);
    visit.says(&admin, "Kesalahan: ");
    visit.send(&admin, &[("sure", "ya")]);
    visit.says(&admin, "Sukamaju");

    // At once, after a crash, and after the file was read again.
    let check = |visit: &mut Visit| {
        let stranger = visit.browser.window();
        visit.open(&stranger, "/bantuan");
        visit.says(&stranger, "(0999) 123456");
        visit.says(&stranger, "Jumat, 07.30–11.00");
        visit.open(&stranger, "/aturan-nama");
        visit.says(&stranger, "sukamaju.desa");
    };
    check(&mut visit);
    let Visit { daemon, browser, how } = visit;
    daemon.end_with("KILL");
    let mut visit = Visit { daemon: Daemon::in_dir(dir.path()), browser, how };
    check(&mut visit);
    let reloaded = visit.daemon.gapura(&["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", crate::support::printed(&reloaded));
    check(&mut visit);
    let verified = visit.daemon.gapura(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", crate::support::printed(&verified));
}
