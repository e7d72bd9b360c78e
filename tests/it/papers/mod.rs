//! Papers as other programs read them: whole PDFs with tags, every word of their content in reading
//! order, the same octets each time, whatever people typed.

mod sample;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gapura::paper::{
    Acting, Ask, Content, Disposition, Notification, PageSize, Paper, Receipt, Signer,
    check_coat_of_arms, html, pdf,
};
use gapura::press::{Press, PressError};
use gapura::queue::PaperKind;

/// The program.
const GAPURA: &str = env!("CARGO_BIN_EXE_gapura");

//------------ Peers ---------------------------------------------------------

/// A PDF as a file, for programs that read one.
struct File {
    /// Where it is.
    path: PathBuf,
    /// For as long as this lives.
    _dir: tempfile::TempDir,
}

/// Writes a PDF to disk.
fn file(octets: &[u8]) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("paper.pdf");
    std::fs::write(&path, octets).unwrap();
    File { path, _dir: dir }
}

/// What a peer says of a file; `None`, aloud, where it is not installed.
fn peer(program: &str, arguments: &[&str], path: &Path) -> Option<Output> {
    let mut command = Command::new(program);
    let (before, after) = arguments.split_at(arguments.iter().take_while(|it| **it != "-").count());
    match command.args(before).arg(path).args(after).output() {
        Ok(output) => Some(output),
        Err(error) => {
            crate::skipped::skipped(&format!("{program} is not installed: {error}"));
            None
        }
    }
}

/// The text of a PDF in the order of its structure, without the difference of spaces and line ends.
fn text(octets: &[u8]) -> Option<String> {
    let file = file(octets);
    let output = peer("pdftotext", &["-enc", "UTF-8", "-raw", "-"], &file.path)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(squeezed(&String::from_utf8(output.stdout).unwrap()))
}

/// Text without spaces and line ends: where lines break is no part of what a paper says.
fn squeezed(text: &str) -> String {
    text.chars().filter(|it| !it.is_whitespace()).collect()
}

/// What `pdfinfo` says, line by line: name and value.
fn info(octets: &[u8]) -> Option<Vec<(String, String)>> {
    let file = file(octets);
    let output = peer("pdfinfo", &[], &file.path)?;
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().filter_map(|line| line.split_once(':'));
    Some(lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
}

/// Fails if a PDF is not whole, or claims less than PDF/A-2a and PDF/UA-1.
#[track_caller]
fn is_whole(octets: &[u8]) {
    let claims = String::from_utf8_lossy(octets);
    for claim in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
    ] {
        assert!(claims.contains(claim), "no {claim}");
    }
    assert!(claims.contains("/Lang(id)"), "no language");
    let file = file(octets);
    let Some(output) = peer("qpdf", &["--check"], &file.path) else { return };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// A paper that draws.
#[track_caller]
fn drawn(paper: &Paper) -> Vec<u8> {
    let octets = pdf(paper, None).unwrap();
    is_whole(&octets);
    octets
}

//------------ What a paper says ---------------------------------------------

/// Every text of a content, in its order.
fn said(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| said(item, texts)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| said(item, texts)),
        _ => {}
    }
}

/// The texts of a paper that people can read on it; words of the format are not.
fn readable(paper: &Paper) -> Vec<String> {
    let mut texts = Vec::new();
    said(&serde_json::to_value(paper).unwrap(), &mut texts);
    let words = [
        "a4",
        "f4",
        "plh",
        "plt",
        "very_urgent",
        "urgent",
        "secret",
        "advise",
        "process",
        "coordinate",
    ];
    texts.retain(|text| !words.contains(&text.as_str()) && !text.starts_with("2026-11-23"));
    texts
}

#[test]
fn every_field_of_every_paper_is_on_it() {
    for paper in sample::all() {
        let octets = drawn(&paper);
        let page = squeezed(&html(&paper, None).replace("<br>", "").replace("&#39;", "'"));
        let Some(on_paper) = text(&octets) else { return };
        let upper = on_paper.to_uppercase();
        for field in readable(&paper) {
            let field = squeezed(&field);
            // Names in the letterhead are set in capitals; the place is part of a date.
            let shown = on_paper.contains(&field) || upper.contains(&field.to_uppercase());
            let dated =
                paper.kind() == PaperKind::Receipt || paper.kind() == PaperKind::Disposition;
            assert!(shown || (dated && field == "Sumber"), "{:?}: no {field}", paper.kind());
            assert!(
                page.contains(&field) || field == "Sumber",
                "{:?}: no {field} on the page",
                paper.kind()
            );
        }
        for fact in
            ["26November2026pukul10.15WIB", "Urutan1.842", "halaman1dari", "9f2c41d07be3a615"]
        {
            assert!(on_paper.contains(fact), "{:?}: no {fact}", paper.kind());
        }
    }
}

#[test]
fn papers_have_titles_tags_and_the_size_of_the_office() {
    for mut paper in sample::all() {
        for (size, said) in
            [(PageSize::A4, "595.276 x 841.89"), (PageSize::F4, "609.449 x 935.433")]
        {
            paper.size = size;
            let Some(info) = info(&drawn(&paper)) else { return };
            let of = |name: &str| {
                info.iter()
                    .find(|(it, _)| it == name)
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default()
            };
            assert!(of("Title").ends_with(&paper.seal.number), "{}", of("Title"));
            assert_eq!(
                (of("Tagged"), of("Encrypted"), of("JavaScript")),
                ("yes".into(), "no".into(), "no".into())
            );
            assert!(of("Page size").starts_with(said), "{}", of("Page size"));
            let one_page = [PaperKind::Receipt, PaperKind::Disposition, PaperKind::Notification];
            if one_page.contains(&paper.kind()) {
                assert_eq!(of("Pages"), "1", "{:?}", paper.kind());
            }
        }
    }
}

#[test]
fn the_structure_is_read_in_the_order_of_the_paper() {
    let paper = sample::paper(Content::Verification(sample::verification()));
    let file = file(&drawn(&paper));
    let Some(output) = peer("pdfinfo", &["-struct-text"], &file.path) else { return };
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut from = 0;
    for part in [
        "PEMERINTAH KABUPATEN CIREBON",
        "H1",
        "LEMBAR VERIFIKASI",
        "Lbl",
        "Table",
        "Caption",
        "THead",
        "TH",
        "\"Kode\"",
        "TBody",
        "TD",
        "\"A1\"",
        "\"M5\"",
        "Sidik jari",
        "H2",
        "Kesimpulan",
        "Siti Nurjanah, S.Kom., M.T.",
        "Figure",
        "Kode verifikasi",
    ] {
        let at = tree[from..].find(part);
        from +=
            at.unwrap_or_else(|| panic!("{part} is not where it should be:\n{}", &tree[from..]));
    }
}

#[test]
fn the_same_paper_is_the_same_octets_in_every_process() {
    let press = Press::of(GAPURA.into());
    for paper in sample::all() {
        let here = pdf(&paper, None).unwrap();
        assert!(here == pdf(&paper, None).unwrap(), "{:?}", paper.kind());
        assert!(here == press.print(&paper, None).unwrap(), "{:?}", paper.kind());
        let mut other = paper.clone();
        other.seal.chain_sequence += 1;
        assert!(here != pdf(&other, None).unwrap(), "{:?}", paper.kind());
    }
}

//------------ Variants ------------------------------------------------------

#[test]
fn who_acts_for_an_officer_signs_with_their_own_name() {
    let signer = Signer {
        acting: Some(Acting::Plh),
        name: Some("Dedi Rahmat, S.T.".into()),
        ..sample::head()
    };
    let paper =
        sample::paper(Content::Disposition(Disposition { signer, ..sample::disposition() }));
    let Some(text) = text(&drawn(&paper)) else { return };
    assert!(text.contains("Plh.KepalaBidangStatistik,PersandiandanE-Government,"), "{text}");
    assert!(text.contains("DediRahmat,S.T.") && !text.contains("AhmadFauzi"), "{text}");
}

#[test]
fn what_is_left_open_is_a_line_to_write_on_and_what_supersedes_says_so() {
    let signer = Signer { name: None, rank: None, nip: None, ..sample::head() };
    let open =
        Disposition { signer, instruction: None, asks: vec![Ask::Advise], ..sample::disposition() };
    let mut paper = sample::paper(Content::Disposition(open));
    paper.seal.supersedes = Some("GPR/LD/0007/X/2026".into());
    paper.seal.office_number = String::new();
    let Some(text) = text(&drawn(&paper)) else { return };
    assert!(text.contains("MenggantikannaskahnomorGPR/LD/0007/X/2026"), "{text}");
    assert!(text.contains("Nomorsuratdinas:......"), "{text}");
    assert!(!text.contains("NIP"), "{text}");
    assert!(text.contains("☑Tanggapandansaran") && text.contains("☐Proseslebihlanjut"), "{text}");
}

#[test]
fn the_secret_is_on_the_copy_that_has_it_only() {
    let stored = sample::paper(Content::Receipt(sample::receipt()));
    let secret = Some("K3XT-9QAM-7HPW-2DZC".to_owned());
    let own = sample::paper(Content::Receipt(Receipt { secret, ..sample::receipt() }));
    let (Some(stored), Some(own)) = (text(&drawn(&stored)), text(&drawn(&own))) else { return };
    assert!(own.contains("Koderahasia:K3XT-9QAM-7HPW-2DZC"), "{own}");
    assert!(!stored.contains("Koderahasia:"), "{stored}");
}

#[test]
fn a_head_of_a_table_is_repeated_on_each_page_and_read_once() {
    let mut activity = sample::activity();
    activity.annex = Some(sample::list(500));
    let octets = drawn(&sample::paper(Content::Activity(activity)));
    let file = file(&octets);
    let Some(tree) = peer("pdfinfo", &["-struct-text"], &file.path) else { return };
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert_eq!(tree.matches("\"Instansi\"").count(), 1);
    let Some(text) = text(&octets) else { return };
    let pages = text.matches("halaman").count();
    assert!(pages > 10, "{pages}");
    assert_eq!(text.matches("Instansi").count(), pages - 1);
    for row in 0..500 {
        assert!(text.contains(&format!("desa-{row}.desa.cirebonkab.go.id")), "row {row}");
    }
}

//------------ What people type ----------------------------------------------

/// A letter with this text everywhere.
fn letter_of(text: &str) -> Paper {
    let all = || vec![text.to_owned(), text.to_owned()];
    let mut paper = sample::paper(Content::Notification(Notification {
        subject: text.into(),
        to: all(),
        opening: text.into(),
        body: all(),
        points: all(),
        lookup: all(),
        copies: all(),
        ..sample::notification()
    }));
    paper.letterhead.office = text.into();
    paper
}

#[test]
fn no_text_makes_a_paper_invalid() {
    let long = "x".repeat(10_000);
    let words = "kata ".repeat(2_000);
    let all_planes: String = (0..0x3000_u32).step_by(7).filter_map(char::from_u32).collect();
    for text in [
        "",
        " ",
        "\n\n\n",
        "\r\n\t",
        "-",
        long.as_str(),
        words.as_str(),
        all_planes.as_str(),
        "\u{0}\u{1}\u{7f}\u{85}\u{feff}\u{fffe}\u{ffff}",
        "a\u{202e}b\u{2066}c\u{200f}",
        "😀👨‍👩‍👧 e\u{301} ﷽ שלום العربية 漢字 \u{e000}\u{f8ff}\u{10ffff}",
        "<b>&amp;</b>",
        "(\\)%PDF",
    ] {
        drawn(&letter_of(text));
    }
    let Some(text) = text(&drawn(&letter_of("A😀B שלום \u{202e}C\u{0}D é – “q”")))
    else {
        return;
    };
    assert!(text.contains("A\u{fffd}B") && text.contains("CDé–“q”"), "{text}");
    assert!(!text.contains('ש') && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_form_with_more_than_a_page_in_one_box_goes_on_on_the_next() {
    let instruction = Some(format!("awal {} akhir", "panjang ".repeat(1_500)));
    let long = Disposition { instruction, ..sample::disposition() };
    let octets = drawn(&sample::paper(Content::Disposition(long)));
    let Some(text) = text(&octets) else { return };
    assert_eq!(text.matches("panjang").count(), 1_500);
    let (first, last) = (text.find("awal").unwrap(), text.find("akhir").unwrap());
    assert!(first < last && text[last..].contains("Drs.H.AhmadFauzi"), "{text}");
}

#[test]
fn nothing_that_people_type_is_markup_of_the_page() {
    let page = html(
        &letter_of("</p><script>alert(1)</script>\"'&\n\u{202e}x"),
        Some("/lambang.png?\"><b>"),
    );
    assert!(
        !page.contains("<script") && !page.contains("<b>") && !page.contains('\u{202e}'),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;<br>x"), "{page}");
    let paragraphs = page.matches("<p>").count() + page.matches("<p ").count();
    assert_eq!(paragraphs, page.matches("</p>").count());
    assert!(
        page.starts_with("<article class=\"paper\" lang=\"id\">") && page.ends_with("</article>")
    );
    assert_eq!(page.matches("<h1").count(), 1);
}

//------------ The press -----------------------------------------------------

/// A program for a press: a shell script.
fn script(dir: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join("child");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn a_child_that_misbehaves_is_a_reason_and_no_paper() {
    let dir = tempfile::tempdir().unwrap();
    let paper = sample::paper(Content::Receipt(sample::receipt()));
    let prints = |text: &str| Press::of(script(dir.path(), text)).print(&paper, None);
    assert!(matches!(prints("exit 3"), Err(PressError::Failed(_))));
    assert!(matches!(prints("cat >/dev/null; echo %PDF-1.7"), Err(PressError::Invalid)));
    assert!(matches!(prints("kill -9 $$"), Err(PressError::NotDone(_))));
    assert!(matches!(prints("cat /dev/zero"), Err(PressError::NotDone(_))));
    assert!(Press::of("/nonexistent".into()).print(&paper, None).is_err());
}

#[test]
fn a_child_says_why_a_paper_cannot_be_drawn() {
    let press = Press::of(GAPURA.into());
    let paper = sample::paper(Content::Receipt(sample::receipt()));
    let error = press.print(&paper, Some(b"GIF89a")).unwrap_err().to_string();
    assert!(error.contains("coat of arms"), "{error}");
    let mut activity = sample::activity();
    activity.annex = Some(sample::list(30_000));
    let error = press.print(&sample::paper(Content::Activity(activity)), None).unwrap_err();
    assert!(matches!(error, PressError::Paper(_)), "{error}");
    assert!(error.to_string().contains("too many pages"), "{error}");
}

#[test]
fn a_coat_of_arms_is_drawn_and_has_words() {
    let press = Press::of(GAPURA.into());
    let paper = sample::paper(Content::Notification(sample::notification()));
    let octets = press.print(&paper, Some(&coat_of_arms())).unwrap();
    is_whole(&octets);
    let file = file(&octets);
    let Some(output) = peer("pdfimages", &["-list"], &file.path) else { return };
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.lines().any(|line| line.contains("image") && line.contains(" 40 ")), "{said}");
}

#[test]
fn only_a_picture_that_can_be_drawn_whole_is_a_coat_of_arms() {
    let good = coat_of_arms();
    check_coat_of_arms(&good).unwrap();
    // Its first half has all of the head.
    let torn = &good[..good.len() / 2];
    let mut edited = good.clone();
    edited[good.len() / 2] ^= 0xff;
    let wide = picture(2_001, 1);
    for wrong in [torn, &edited, &wide, b"GIF89a", b""] {
        let error = check_coat_of_arms(wrong).unwrap_err().to_string();
        assert!(error.contains("coat of arms"), "{error}");
    }
}

/// A small picture with transparent parts.
fn coat_of_arms() -> Vec<u8> {
    picture(40, 50)
}

/// A picture of this size with transparent parts.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut encoder = png::Encoder::new(&mut octets, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let pixel = |at: u32| [10, 80, 160, if at % 40 < 20 { 255 } else { 0 }];
    let pixels: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    octets
}
