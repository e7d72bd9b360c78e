//! Letters that are taken and letters that are not: each of the latter is a way into an officer's
//! machine, or into the disk, that somebody has tried.

mod forging;

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::refusal::contains;
use super::{Letter, Media, SAMPLE, STORED_MAX, TAKEN_MAX, inspect};
use crate::queue::Rule;
use forging::{
    jpeg, noise, object_stream, pdf, pdf_of, phone_photo, png, png_chunk, stream, zip_end,
};

/// Why a letter is refused, by its rule's word and what it is about; "taken" if it is not.
fn verdict(bytes: &[u8]) -> String {
    match inspect(bytes) {
        Ok(letter) => format!("taken {}", letter.media().ending()),
        Err(fault) => format!("{} {}", fault.rule, fault.about).trim().to_owned(),
    }
}

/// A letter that must be refused by one rule.
#[track_caller]
fn refused(what: &str, bytes: &[u8], rule: Rule) {
    let verdict = verdict(bytes);
    assert_eq!(verdict.split(' ').next(), Some(rule.as_str()), "{what}: {verdict}");
}

/// Octets packed once.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

//------------ What is no letter ---------------------------------------------

#[test]
fn what_is_no_pdf_jpeg_or_png_is_refused_by_name() {
    for (bytes, kind) in [
        (&b"GIF89a\x01\0\x01\0"[..], "letter_kind GIF"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "letter_kind SVG"),
        (b"\xef\xbb\xbf  <?xml version=\"1.0\"?><svg/>", "letter_kind SVG"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "letter_kind HTML"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "letter_kind HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "letter_kind HEIC"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "letter_kind WEBP"),
        (b"PK\x03\x04word/document.xml", "letter_kind ZIP, DOCX, XLSX"),
        (b"MZ\x90\0", "letter_kind EXE"),
        (b"surat permohonan", "letter_kind"),
        (b"", "no_letter"),
        (b"\n%PDF-1.4\n", "letter_foreign"),
        (b"GIF89a%PDF-1.4\n", "letter_foreign"),
    ] {
        assert_eq!(verdict(bytes), kind, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_file_that_only_begins_like_a_letter_is_broken() {
    let mut random = b"%PDF-".to_vec();
    random.extend(noise(2000));
    for (what, bytes) in [
        ("5 octets", &b"%PDF-"[..]),
        ("a head", b"%PDF-1.7\n"),
        ("random octets", &random),
        ("a head and an end", b"%PDF-1.4\n%%EOF\n"),
        ("an object alone", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
        ("no catalog", b"%PDF-1.4\n1 0 obj<</Type/Page>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
        ("no trailer", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"),
        ("php behind a JPEG's first octets", b"\xff\xd8\xff<?php system($_GET[0]); ?>"),
        ("html behind a PNG's first octets", b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>"),
        ("three octets of a JPEG", b"\xff\xd8\xff"),
    ] {
        let verdict = verdict(bytes);
        assert!(
            ["letter_broken", "letter_foreign"].contains(&verdict.split(' ').next().unwrap()),
            "{what}: {verdict}"
        );
    }
    for cut in [20, SAMPLE.len() / 2, SAMPLE.len() - 7] {
        refused("a PDF cut off", &SAMPLE[..cut], Rule::LetterBroken);
    }
}

//------------ PDF -----------------------------------------------------------

#[test]
fn an_ordinary_pdf_is_kept_as_it_came() {
    let packed = pdf(&[&stream("/Filter/FlateDecode", &deflate(b"BT (Surat) Tj ET"))]);
    let linked =
        pdf(&["<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://cirebonkab.go.id/a:b)>>>>"]
            .map(str::as_bytes));
    // LibreOffice has every document open at its first page.
    let opened = pdf_of("/OpenAction[3 0 R/XYZ null null 0]", &[]);
    let shown = pdf_of("/OpenAction 7 0 R", &[b"<</S/GoTo/D[3 0 R/Fit]>>"]);
    let signed = pdf(&[format!(
        "<</Type/Sig/Filter/Adobe.PPKLite/ByteRange[0 1 2 3]/Contents<{}>>>",
        "3082".repeat(9000)
    )
    .as_bytes()]);
    let mut updated = SAMPLE.to_vec();
    updated.extend_from_slice(b"3 0 obj<</Type/Page/Parent 2 0 R>>endobj\nxref\n0 1\n0000000000 65535 f \n3 1\n0000000300 00000 n \ntrailer<</Size 4/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF\n");
    let objects = pdf(&[&object_stream("<</Title(JavaScript)/Font<</F1 4 0 R>>>>", "")]);
    for bytes in [SAMPLE, &packed, &linked, &opened, &shown, &signed, &updated, &objects] {
        assert_eq!(
            verdict(bytes),
            "taken pdf",
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(600)])
        );
        assert_eq!(inspect(bytes).unwrap().bytes(), bytes);
    }
}

/// Values a letter may not hold, and by which rule.
const FORBIDDEN: &[(&str, Rule)] = &[
    ("<</S/JavaScript/JS(app.alert(1))>>", Rule::LetterActive),
    ("<</S/J#61vaScript/J#53(app.alert(1))>>", Rule::LetterActive),
    ("<</S/#4A#61#76#61#53#63#72#69#70#74>>", Rule::LetterActive),
    ("<</Names<</JavaScript 9 0 R>>>>", Rule::LetterActive),
    ("/JavaScript", Rule::LetterActive),
    ("<</S/Launch/F(cmd.exe)>>", Rule::LetterActive),
    ("<</S/L#61unch/Win<</F(calc)>>>>", Rule::LetterActive),
    ("/Launch", Rule::LetterActive),
    ("<</AA<</O 9 0 R>>>>", Rule::LetterActive),
    ("<</XFA 9 0 R>>", Rule::LetterActive),
    ("<</S/SubmitForm/F(https://x)>>", Rule::LetterActive),
    ("<</S/ImportData/F(x)>>", Rule::LetterActive),
    ("<</S/GoToR/F(\\\\\\\\host\\\\share)>>", Rule::LetterActive),
    ("<</S/GoToE/T<<>>>>", Rule::LetterActive),
    ("<</S/URI/URI(javascript:alert\\(1\\))>>", Rule::LetterActive),
    ("<</S/URI/URI(  JaVa\\163cript:x)>>", Rule::LetterActive),
    ("<</S/URI/URI<6a6176617363726970743a>>>", Rule::LetterActive),
    ("<</S/URI/URI(file:///etc/passwd)>>", Rule::LetterActive),
    ("<</S/URI/URI(ms-msdt:/id)>>", Rule::LetterActive),
    ("(javascript:alert)", Rule::LetterActive),
    ("<</Type/EmbeddedFile/Length 0>>", Rule::LetterAttached),
    ("<</Names<</EmbeddedFiles<</Names[]>>>>>>", Rule::LetterAttached),
    ("<</Type/Filespec/EF<</F 9 0 R>>>>", Rule::LetterAttached),
    ("<</Subtype/FileAttachment>>", Rule::LetterAttached),
    ("<</Subtype/RichMedia>>", Rule::LetterAttached),
    ("<</Subtype/Screen/A 9 0 R>>", Rule::LetterAttached),
    ("<</Subtype/Movie>>", Rule::LetterAttached),
    ("<</Subtype/3D>>", Rule::LetterAttached),
    ("[[[<</A[<</S/JavaScript>>]>>]]]", Rule::LetterActive),
];

#[test]
fn nothing_in_a_pdf_may_run_or_be_attached_however_it_is_written() {
    for (value, rule) in FORBIDDEN {
        refused(value, &pdf(&[value.as_bytes()]), *rule);
        // The same in an object stream, and in one whose type is not said.
        refused(value, &pdf(&[&object_stream(value, "/Type/ObjStm")]), *rule);
        refused(value, &pdf(&[&object_stream(value, "")]), *rule);
        // In the data of a stream, in a string and in a comment, where an offset may lead.
        let hidden = format!("7 0 obj\n{value}\nendobj");
        if value.starts_with("<<") {
            refused(value, &pdf(&[&stream("", hidden.as_bytes())]), *rule);
            // A comment is white space, and none is needed before `obj`.
            for head in ["7 0%\nobj", "7%a\r%b\n0 obj", "7 0obj"] {
                let hidden = hidden.replace("7 0 obj", head);
                refused(&hidden, &pdf(&[&stream("", hidden.as_bytes())]), *rule);
            }
            let string = format!("({})", hidden.replace('\\', "/").replace(['(', ')'], " "));
            if !value.contains('(') {
                refused(value, &pdf(&[string.as_bytes()]), *rule);
                let comment = hidden.replace('\n', " ");
                let text =
                    String::from_utf8_lossy(SAMPLE).replace("%%EOF", &format!("%{comment}\n%%EOF"));
                refused(value, text.as_bytes(), *rule);
            }
        }
    }
}

#[test]
fn a_key_that_repeats_is_refused_because_readers_differ() {
    let packed = deflate(b"70 0 <</S/JavaScript>>");
    for keys in ["/N 1/First 5/N 0", "/N 1/First 5/#4e 0", "/N 0/First 5/N 1"] {
        let keys = format!("/Type/ObjStm{keys}/Filter/FlateDecode");
        refused(&keys, &pdf(&[&stream(&keys, &packed)]), Rule::LetterBroken);
    }
    refused("inside", &pdf(&[b"[<</A<</B 1/C 2/B 1>>>>]"]), Rule::LetterBroken);
}

#[test]
fn opening_a_pdf_does_no_more_than_show_it() {
    for (what, bytes) in [
        ("an address", pdf_of("/OpenAction<</S/URI/URI(https://x)>>", &[])),
        ("named", pdf_of("/OpenAction<</S/Named/N/Print>>", &[])),
        ("by reference", pdf_of("/OpenAction 7 0 R", &[b"<</S/URI/URI(https://x)>>"])),
        ("with more to follow", pdf_of("/OpenAction<</S/GoTo/D[3 0 R]/Next 7 0 R>>", &[])),
        ("by two references", pdf_of("/OpenAction 7 0 R", &[b"8 0 R", b"<</S/URI/URI(x)>>"])),
        ("of a kind by reference", pdf_of("/OpenAction<</S 7 0 R>>", &[b"/URI"])),
        ("by a reference to nowhere", pdf_of("/OpenAction 9 0 R", &[])),
        ("escaped", pdf_of("/Open#41ction<</S/URI/URI(x)>>", &[])),
    ] {
        refused(what, &bytes, Rule::LetterActive);
    }
}

#[test]
fn a_pdf_with_a_password_says_so() {
    let locked = String::from_utf8_lossy(SAMPLE).replace("/Size 4", "/Size 4/Encrypt 9 0 R");
    refused("trailer", locked.as_bytes(), Rule::LetterLocked);
    // What is encrypted does not read as objects.
    let objects = b"<</Type/ObjStm/N 9/First 60/Length 5>>stream\n\x9a\x01\x02\x03\x04\nendstream";
    let bytes = pdf(&[objects]);
    let locked = String::from_utf8_lossy(&bytes).replace("/Root", "/Encrypt 9 0 R/Root");
    refused("objects", locked.as_bytes(), Rule::LetterLocked);
}

#[test]
fn a_pdf_is_nothing_else_besides() {
    let with = |before: &[u8], after: &[u8]| [before, SAMPLE, after].concat();
    for (what, bytes) in [
        ("a zip behind it", with(b"", &zip_end(0))),
        ("a zip around it", with(b"", &[b"PK\x03\x04".as_slice(), &zip_end(0)].concat())),
        ("html behind it", with(b"", b"<script>alert(1)</script>")),
        ("an end behind html", with(b"", b"<script>alert(1)</script>\n%%EOF\n")),
        ("html before it", with(b"<html>\n", b"")),
        ("a blank before it", with(b" ", b"")),
        (
            "a comment of another kind",
            with(b"", format!("%{}\n%%EOF", "<html>".repeat(900)).as_bytes()),
        ),
        ("a zip in a stream, its end in a comment", {
            let inside = pdf(&[&stream("", b"PK\x03\x04 file PK\x01\x02")]);
            let at = inside.len() - 6;
            [&inside[..at], b"%PK\x05\x06\0\0\0\0\x01\0\x01\0", &inside[at..]].concat()
        }),
    ] {
        refused(what, &bytes, Rule::LetterForeign);
    }
    let eicar =
        ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    refused("EICAR", &pdf(&[&stream("", eicar.as_bytes())]), Rule::LetterMalware);
    let packed = stream("/Filter/FlateDecode", &deflate(eicar.as_bytes()));
    refused("EICAR, packed", &pdf(&[&packed]), Rule::LetterMalware);
}

#[test]
fn a_pdf_that_grows_out_of_hand_is_refused_quickly() {
    let once = deflate(&vec![b' '; 70 << 20]);
    let twice = deflate(&once);
    assert!(once.len() < 200_000 && twice.len() < 10_000);
    let started = std::time::Instant::now();
    for (what, filter, data) in [
        ("twice", "/Filter[/FlateDecode/FlateDecode]", &twice),
        ("once", "/Filter/FlateDecode", &once),
        ("abbreviated", "/Filter[/Fl/Fl]", &twice),
        ("its filter elsewhere", "/Filter 9 0 R", &once),
        ("an object stream", "/Type/ObjStm/N 1/First 4/Filter/FlateDecode", &once),
    ] {
        refused(what, &pdf(&[&stream(filter, data)]), Rule::LetterBomb);
    }
    // Many streams count together.
    let tenth = stream("/Filter/FlateDecode", &deflate(&vec![0; 10 << 20]));
    refused("together", &pdf(&[tenth.as_slice(); 8]), Rule::LetterBomb);
    // LZW: each code means one octet more than the one before.
    let lzw = forging::lzw_bomb(1_900_000);
    refused("LZW", &pdf(&[&stream("/Filter/LZWDecode", &lzw)]), Rule::LetterBomb);
    let deep = pdf(&["[".repeat(200_000).as_bytes()]);
    refused("depth", &deep, Rule::LetterBroken);
    assert!(started.elapsed().as_secs() < 90, "{:?}", started.elapsed());
}

#[test]
fn lengths_that_are_objects_are_looked_up_not_searched() {
    // The length of each stream is at the end of the file, or nowhere.
    let objects = b"8 0 obj<</Length 9999 0 R>>stream\nx\nendstream endobj\n".repeat(15_000);
    let objects = [objects.as_slice(), &objects, b"8 0 obj<<>>"].concat();
    let objects = String::from_utf8(objects).unwrap().replacen("9999 0", "9998 0", 15_000);
    let large = pdf(&[format!("<<>>endobj\n{objects}endobj\n9999 0 obj 1").as_bytes()]);
    assert!((1_500_000..STORED_MAX).contains(&large.len()), "{}", large.len());
    let started = std::time::Instant::now();
    assert_eq!(verdict(&large), "taken pdf");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_pdf_larger_than_what_is_kept_is_refused() {
    assert_eq!(verdict(&[b'%'; STORED_MAX + 1]), "letter_too_large 2 MB");
    let large = pdf(&[&stream("", &noise(STORED_MAX))]);
    assert_eq!(verdict(&large), "letter_too_large 2 MB");
}

/// A PDF as a browser prints it, where there is one.
#[test]
fn what_a_browser_prints_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (page, printed) = (dir.path().join("surat.html"), dir.path().join("surat.pdf"));
    std::fs::write(
        &page,
        "<h1>Surat permohonan</h1><p>Nomor 440/1 <a href='https://cirebonkab.go.id'>situs</a>",
    )
    .unwrap();
    let print = format!("--print-to-pdf={}", printed.display());
    let profile = format!("--user-data-dir={}", dir.path().join("profile").display());
    let page = format!("file://{}", page.display());
    let arguments = ["--headless", "--no-sandbox", "--disable-gpu", &profile, &print, &page];
    let chromium = std::process::Command::new("chromium").args(arguments).output();
    if chromium.is_err() || !printed.exists() {
        return crate::skipped::skipped("chromium is not installed");
    }
    let bytes = std::fs::read(printed).unwrap();
    assert_eq!(verdict(&bytes), "taken pdf");
}

//------------ Pictures ------------------------------------------------------

#[test]
fn a_photo_is_kept_smaller_upright_and_without_what_is_no_pixel() {
    let photo = phone_photo();
    assert!((8 << 20..TAKEN_MAX).contains(&photo.len()), "{}", photo.len());
    assert!(contains(&photo, b"GPS-SECRET") && contains(&photo, b"<?php"));
    let letter = inspect(&photo).unwrap();
    assert_eq!(letter.media(), Media::Jpeg);
    assert!(letter.bytes().len() <= STORED_MAX, "{}", letter.bytes().len());
    for part in [&b"GPS-SECRET"[..], b"Exif", b"<?php"] {
        assert!(!contains(letter.bytes(), part), "{}", part.escape_ascii());
    }
    // 4,000 by 3,000, held sideways.
    let (width, height) = size_of(&letter);
    assert_eq!((width, height), (1500, 2000));
    // What was kept may be read again.
    assert_eq!(size_of(&inspect(letter.bytes()).unwrap()), (1500, 2000));
}

/// Columns and rows of a letter that is a JPEG.
fn size_of(letter: &Letter) -> (usize, usize) {
    let mut decoder =
        zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(letter.bytes()));
    decoder.decode().unwrap();
    decoder.dimensions().unwrap()
}

#[test]
fn a_scan_as_png_stays_one_and_loses_its_notes() {
    let scan = png(300, 200, &[("tEXt", b"Comment\0GPS-SECRET")], b"PK\x03\x04 trailing");
    let letter = inspect(&scan).unwrap();
    assert_eq!(letter.media(), Media::Png);
    assert!(!contains(letter.bytes(), b"GPS-SECRET") && !contains(letter.bytes(), b"trailing"));
}

#[test]
fn a_picture_that_is_not_whole_is_broken() {
    let photo = jpeg(640, 480, 90);
    assert_eq!(verdict(&photo), "taken jpg");
    for cut in [30, photo.len() / 2, photo.len() - 2] {
        refused("a JPEG cut off", &photo[..cut], Rule::LetterBroken);
    }
    let scan = png(300, 200, &[], b"");
    for cut in [8, 30, scan.len() / 2, scan.len() - 12] {
        refused("a PNG cut off", &scan[..cut], Rule::LetterBroken);
    }
    let mut wrong = scan;
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    refused("a PNG with a wrong sum", &wrong, Rule::LetterBroken);
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() {
    let started = std::time::Instant::now();
    for (width, height) in [(50_000_u32, 50_000_u32), (u32::MAX / 2, 1), (100_000, 1000)] {
        let mut bomb = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
        head.extend_from_slice(&[8, 2, 0, 0, 0]);
        bomb.extend(png_chunk(b"IHDR", &head));
        bomb.extend(png_chunk(b"IDAT", &deflate(&[0; 100_000])));
        bomb.extend(png_chunk(b"IEND", b""));
        refused("PNG", &bomb, Rule::LetterPixels);
    }
    // As many pixels as may be, but with 16 bits and transparency, or in passes.
    for (depth, colour, passes) in [(16, 6, 1), (16, 6, 0), (16, 2, 0), (8, 2, 1)] {
        let mut bomb = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut head = [8000_u32.to_be_bytes(), 8000_u32.to_be_bytes()].concat();
        head.extend_from_slice(&[depth, colour, 0, 0, passes]);
        bomb.extend(png_chunk(b"IHDR", &head));
        bomb.extend(png_chunk(b"IDAT", &deflate(&[0; 100_000])));
        bomb.extend(png_chunk(b"IEND", b""));
        refused("a slow PNG", &bomb, Rule::LetterPixels);
    }
    let mut photo = jpeg(64, 64, 90);
    let frame = photo.windows(2).position(|it| it == [0xff, 0xc0]).unwrap();
    photo[frame + 5..frame + 9].fill(0xff);
    refused("JPEG", &photo, Rule::LetterPixels);
    // A line of text that unpacks to far more than it says.
    let bomb = png(
        30,
        20,
        &[("zTXt", &[b"k\0\0".as_slice(), &deflate(&vec![0; 90 << 20])].concat())],
        b"",
    );
    assert_eq!(verdict(&bomb), "taken png");
    assert!(started.elapsed().as_secs() < 20);
}
