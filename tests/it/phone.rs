//! A village asks for its name with a phone: 360 pixels, a photographed letter, no scripts. Counted in pages, fields and
//! seconds of a person, who has five minutes. The same by keyboard alone.

use serde_json::json;

use crate::support::Daemon;
use crate::support::browser::{Browser, Window};
use crate::support::photo::photo_on_its_side;

/// Width of the phone in CSS pixels.
const WIDTH: u32 = 360;
/// Seconds a person looks at a new page before doing anything.
const PER_PAGE: f64 = 6.0;
/// Seconds to find and tap a field or choice.
const PER_FIELD: f64 = 4.0;
/// Seconds for a character on a phone.
const PER_CHARACTER: f64 = 0.35;
/// Seconds to photograph the letter and send 4 MB at 1 Mbit/s.
const PHOTO: f64 = 15.0 + 32.0;
/// What a village may need.
const FIVE_MINUTES: f64 = 300.0;
/// What the settings offer to villages.
const HOSTING: &str =
    "[[hosting]]\nname = \"Hosting desa\"\ntarget = \"hosting-desa.cirebonkab.go.id\"\n";

/// What the village does on each page: choices by their value, and what is typed.
const PAGES: [(&[(&str, &str)], &[(&str, &str)]); 7] = [
    (&[("kind", "new"), ("class", "desa")], &[]),
    (&[("district", "32.09.16")], &[]),
    (&[("region", "32.09.16.2009")], &[]),
    (
        &[],
        &[
            ("contact_name", "Sutrisno"),
            ("contact_position", "Kuwu"),
            ("contact_email", "desa@sindangjawa.example"),
            ("contact_phone", "0231 123456"),
        ],
    ),
    (&[], &[("purpose", "Situs resmi Pemerintah Desa Sindangjawa")]),
    (&[("target", "hosting:Hosting desa")], &[]),
    (&[], &[("letter_number", "140/12/Ds"), ("letter_date", "2026-11-23")]),
];

/// How long a person takes, as it is counted.
#[derive(Default)]
struct Effort {
    /// Pages that were looked at.
    pages: u32,
    /// Fields and buttons that were tapped.
    taps: u32,
    /// Characters that were typed.
    characters: u32,
}

impl Effort {
    /// In seconds, with the photo.
    fn seconds(&self) -> f64 {
        f64::from(self.pages) * PER_PAGE
            + f64::from(self.taps) * PER_FIELD
            + f64::from(self.characters) * PER_CHARACTER
            + PHOTO
    }
}

/// A daemon with pages, a browser as wide as a phone, and the photo of a letter.
fn ready() -> Option<(Daemon, Browser, Window, std::path::PathBuf)> {
    let mut browser = Browser::start()?;
    let daemon = Daemon::start(HOSTING);
    let window = browser.window();
    browser.resize(&window, WIDTH);
    let photo = photo_on_its_side(2100, 1560);
    assert!((3 << 20..8 << 20).contains(&photo.len()), "{} octets", photo.len());
    let file = daemon.dir.join("IMG_20261123_090512.jpg");
    std::fs::write(&file, photo).unwrap();
    Some((daemon, browser, window, file))
}

/// Nothing has to be moved sideways.
#[track_caller]
fn fits(browser: &mut Browser, window: &Window) {
    let fits = browser.eval(window, "document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(fits, json!(true), "{}", browser.text(window));
}

#[test]
fn a_village_is_done_within_five_minutes_on_a_phone() {
    let Some((daemon, mut browser, window, file)) = ready() else { return };
    let mut effort = Effort { pages: 1, taps: 1, ..Effort::default() };
    browser.open(&window, &daemon.web());
    browser.press(&window, "main a.button");
    for (at, (chosen, typed)) in PAGES.into_iter().enumerate() {
        fits(&mut browser, &window);
        browser.fill(&window, chosen);
        browser.fill(&window, typed);
        if at + 1 == PAGES.len() {
            browser.choose_file(&window, "#letter", &file);
            effort.taps += 1;
        }
        effort.pages += 1;
        effort.taps += u32::try_from(chosen.len() + typed.len() + 1).unwrap();
        // A date is picked.
        let written = typed.iter().filter(|(name, _)| *name != "letter_date");
        effort.characters +=
            written.map(|(_, text)| u32::try_from(text.len()).unwrap()).sum::<u32>();
        browser.press(&window, "main form button");
    }
    let check = browser.text(&window);
    assert!(check.contains("Periksa jawaban Anda"), "{check}");
    assert!(check.contains("sindangjawa.desa.cirebonkab.go.id"), "{check}");
    fits(&mut browser, &window);
    effort.pages += 2;
    effort.taps += 1;
    browser.press(&window, "main form button");
    let sent = browser.text(&window);
    assert!(sent.contains("Permohonan terkirim"), "{sent}");
    fits(&mut browser, &window);
    assert!(effort.pages <= 10 && effort.taps <= 25, "{} {}", effort.pages, effort.taps);
    let seconds = effort.seconds();
    assert!(seconds < FIVE_MINUTES, "{seconds} s for {} pages", effort.pages);
    let kept = std::fs::read_dir(daemon.dir.join("state/letters")).unwrap().flatten();
    let kept: Vec<u64> = kept.map(|it| it.metadata().unwrap().len()).collect();
    assert!(kept.len() == 1 && kept[0] <= 2 << 20, "{kept:?}");
}

#[test]
fn a_village_can_do_it_by_keyboard_alone() {
    let Some((daemon, mut browser, window, file)) = ready() else { return };
    browser.open(&window, &daemon.web());
    browser.tab_to(&window, "main a.button");
    browser.enter(&window);
    for (at, (chosen, typed)) in PAGES.into_iter().enumerate() {
        for (name, value) in chosen {
            // A list is chosen from by its arrows, as a group of choices is.
            browser.tab_to(&window, &format!("[name={name}]"));
            let reached = format!(
                "(() => {{ const it = document.activeElement; \
                 return it.value === {} && (it.type !== 'radio' || it.checked); }})()",
                json!(value)
            );
            // The arrows change a closed list, which a space would open.
            let list = browser.eval(&window, "document.activeElement.matches('select')");
            for _ in 0..45 {
                if browser.eval(&window, &reached) == json!(true) {
                    break;
                }
                if list != json!(true) {
                    browser.key(&window, "Space");
                }
                if browser.eval(&window, &reached) != json!(true) {
                    browser.key(&window, "ArrowDown");
                }
            }
            assert_eq!(browser.eval(&window, &reached), json!(true), "{name} {value}");
        }
        for (name, text) in typed {
            browser.tab_to(&window, &format!("[name={name}]"));
            if *name == "letter_date" {
                // A browser's own field of a date has parts of its own.
                browser.fill(&window, &[(name, text)]);
            } else {
                browser.type_in(&window, text);
            }
        }
        if at + 1 == PAGES.len() {
            browser.tab_to(&window, "#letter");
            browser.choose_file(&window, "#letter", &file);
        }
        browser.tab_to(&window, "main form .button");
        browser.enter(&window);
    }
    browser.tab_to(&window, "main form .button");
    browser.enter(&window);
    let sent = browser.text(&window);
    assert!(sent.contains("Permohonan terkirim"), "{sent}");
}
