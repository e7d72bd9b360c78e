//! Tables as spreadsheets write them, cells they have spoilt, archives that mean harm.

use std::io::Write;

use super::table::TableFault;
use super::*;
use crate::queue::regions::Level;
use crate::queue::{Application, Fault, Naming, NamingClass, Rule};
use crate::spreadsheet::NotText;
use crate::words::{Lang, Words};

/// The heads of the needed columns, and of some others.
const HEAD: &str = "Kode wilayah;Tujuan;Keperluan;Penanggung jawab;Jabatan;Surel;Telepon;Nomor surat;Tanggal surat;Berkas surat";
/// A row of them.
const ROW: &str = "32.09.22.2015;192.0.2.10;Situs desa;Kuwu Grogol;Kuwu;desa@grogol.example;0231-123456;140/1;23/11/2026;grogol.pdf";

/// What a row becomes.
fn made(row: &TextRow) -> Made {
    let naming = Naming::default();
    let hostings = [("Hosting desa".to_owned(), "192.0.2.80".to_owned())];
    Maker { naming: &naming, zone: "cirebonkab.go.id.", hostings: &hostings }.make(row)
}

/// A table of this text.
fn read(text: &str) -> Result<Table, TableFault> {
    Table::read(text.as_bytes())
}

#[test]
fn the_same_table_is_read_however_a_spreadsheet_wrote_it() {
    let plain = format!("{HEAD}\n{ROW}\n");
    let wanted = read(&plain).unwrap();
    assert_eq!((wanted.rows.len(), wanted.rows[0].line), (1, 2));
    for other in [
        format!("\u{feff}{HEAD}\r\n{ROW}\r\n\r\n;;;;;;;;;\r\n"),
        plain.replace(';', ","),
        plain.replace(';', "\t"),
        plain
            .replace("Kuwu Grogol", "\" Kuwu Grogol \"")
            .replace("0231-123456", "=\"0231-123456\""),
        plain.replace("Kode wilayah", "KODE_WILAYAH").replace("Surel", "contact.email"),
        plain.replace("Keperluan", "Purpose").replace("0231-123456", "'0231-123456"),
    ] {
        assert_eq!(read(&other).unwrap().rows, wanted.rows, "{other}");
    }
    let marked = read(&format!("sep=;\r\n{plain}")).unwrap();
    assert_eq!((marked.rows[0].line, &marked.rows[0].cells), (3, &wanted.rows[0].cells));
    let more = read(&format!("No;{HEAD};Catatan\n1;{ROW};x\n")).unwrap();
    assert_eq!(
        (more.rows, more.unused),
        (wanted.rows, vec!["No".to_owned(), "Catatan".to_owned()])
    );
    // A cell over several lines: what follows has the line that a person sees.
    let long = format!("{HEAD}\n{}\n{ROW}\n", ROW.replace("Situs desa", "\"Situs\ndesa\""));
    let lines: Vec<u32> = read(&long).unwrap().rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn a_file_that_is_no_table_says_why() {
    let t = Words::of(Lang::Id);
    let fault = |bytes: &[u8]| Table::read(bytes).unwrap_err();
    let table = |text: &str| fault(text.as_bytes());
    assert_eq!(fault(b""), TableFault::Empty);
    assert_eq!(table(&format!("{HEAD}\n")), TableFault::Empty);
    assert_eq!(fault(b"PK\x03\x04..."), NotText::Workbook.into());
    // Windows-1252, and UTF-16 as Excel writes "Unicode text".
    let latin = [HEAD.as_bytes(), b"\n", b"32.09;caf\xe9;x"].concat();
    assert_eq!(fault(&latin), NotText::Characters(2).into());
    let wide: Vec<u8> = HEAD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(fault(&wide), NotText::Characters(1).into());
    let open =
        format!("{HEAD}\n{}\n{}", ROW.replace("Situs", "\"Situs"), format!("{ROW}\n").repeat(200));
    assert_eq!(table(&open), TableFault::Broken(2));
    assert_eq!(
        table(&format!("{HEAD};Telepon\n{ROW};1\n")),
        TableFault::Twice(column_of("contact.phone").unwrap())
    );
    let missing = table(&HEAD.replace("Surel;", ""));
    assert_eq!(
        missing.say(t),
        "Kolom berikut tidak ada: Surel. Pakai tabel dari halaman ini, dan jangan mengubah baris judulnya."
    );
    assert_eq!(
        table(&format!("{HEAD}\n{}", format!("{ROW}\n").repeat(ROWS_MAX + 1))),
        TableFault::TooManyRows
    );
    assert_eq!(fault(&vec![b'x'; TABLE_MAX + 1]), TableFault::TooLarge);
}

#[test]
fn a_row_is_completed_by_what_its_region_says() {
    let table = read(&format!("{HEAD}\n{ROW}\n")).unwrap();
    let made = made(&table.rows[0]);
    assert!(made.faults.is_empty(), "{:?}", made.faults);
    let Application { class, name, office, region, records, letter, .. } = made.application;
    assert_eq!((class, name.as_str()), (NamingClass::Desa, "grogolkepetakan.desa"));
    assert_eq!((office.as_str(), region.as_deref()), ("Desa Grogol", Some("32.09.22.2015")));
    assert_eq!((records[0].rtype.as_str(), records[0].data.as_str()), ("A", "192.0.2.10"));
    assert_eq!((letter.date.as_str(), made.letter.as_str()), ("2026-11-23", "grogol.pdf"));
}

#[test]
fn what_a_spreadsheet_spoilt_is_told_and_never_guessed() {
    let row = |from: &str, to: &str| {
        let table = read(&format!("{HEAD}\n{}\n", ROW.replace(from, to))).unwrap();
        made(&table.rows[0])
    };
    let rules = |made: &Made| -> Vec<(String, Rule)> {
        made.faults.iter().map(|fault| (fault.field.clone(), fault.rule)).collect()
    };
    let spoilt = row("0231-123456", "6,28123E+12");
    assert_eq!(rules(&spoilt), [("contact.phone".to_owned(), Rule::CellSpoilt)]);
    assert_eq!(
        rules(&row("32.09.22.2015", "99.99")),
        [("region".to_owned(), Rule::UnknownRegion), ("class".to_owned(), Rule::Empty),]
    );
    assert!(row("32.09.22.2015", "3209222015").faults.is_empty());
    let long = read(&format!("{HEAD}\n{ROW};x\n")).unwrap();
    assert_eq!(rules(&made(&long.rows[0])), [("row".to_owned(), Rule::RowTooLong)]);
    // Dates that are none stay as they are, for the rules to refuse.
    for (text, date) in
        [("1/2/2026", "2026-02-01"), ("2026-11-23", "2026-11-23"), ("23 Nov", "23 Nov")]
    {
        assert_eq!(row("23/11/2026", text).application.letter.date, date);
    }
    let class =
        read(&format!("Kelas;{HEAD}\nPerangkat  daerah;{}\n", ROW.replace("32.09.22.2015", "")))
            .unwrap();
    assert_eq!(made(&class.rows[0]).application.class, NamingClass::PerangkatDaerah);
    let class = read(&format!("Kelas;{HEAD}\nDusun;{ROW}\n")).unwrap();
    assert_eq!(rules(&made(&class.rows[0])), [("class".to_owned(), Rule::UnknownClass)]);
    assert_eq!(row("192.0.2.10", "hosting DESA").application.records[0].data, "192.0.2.80");
    assert_eq!(row("192.0.2.10", "2001:db8::1 192.0.2.9").application.records.len(), 2);
}

#[test]
fn a_name_that_two_rows_ask_for_is_told_at_the_second() {
    let named = |name: &str| format!("{name};{ROW}");
    let text =
        [format!("Nama subdomain;{HEAD}"), named(""), named("lain"), named("Grogolkepetakan.desa")];
    let naming = Naming::default();
    let maker = Maker { naming: &naming, zone: "cirebonkab.go.id.", hostings: &[] };
    let made = maker.make_all(&read(&text.join("\n")).unwrap());
    let told = made.iter().map(|(line, made)| (*line, made.faults.as_slice()));
    let twice = Fault::new("name", Rule::TwiceInFile, "2");
    assert_eq!(told.collect::<Vec<_>>(), [(2, &[][..]), (3, &[]), (4, &[twice])]);
}

#[test]
fn the_table_to_fill_in_has_a_row_for_each_village_and_reads_back() {
    let naming = Naming::default();
    for lang in [Lang::Id, Lang::En] {
        let text = template(Words::of(lang), &naming, Some(Level::Desa));
        assert!(text.starts_with('\u{feff}') && text.lines().count() == 413);
        let table = read(&text).unwrap();
        assert_eq!((table.rows.len(), table.unused.len()), (412, 0));
        let asked = made(&table.rows[0]);
        assert!(asked.faults.is_empty() && asked.application.name.ends_with(".desa"), "{asked:?}");
        assert_eq!(read(&template(Words::of(lang), &naming, None)), Err(TableFault::Empty));
    }
    assert_eq!(columns::quoted("=1+1"), "'=1+1");
    assert_eq!(columns::quoted("a;\"b\""), "\"a;\"\"b\"\"\"");
}

/// A file of an archive: name, content, how it is packed, flags, and the size it claims.
struct Packed<'a> {
    /// The name.
    name: &'a str,
    /// The octets as packed.
    octets: Vec<u8>,
    /// 0 or 8.
    method: u16,
    /// Bits.
    flags: u16,
}

impl<'a> Packed<'a> {
    /// A deflated file.
    fn deflated(name: &'a str, content: &[u8]) -> Self {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(content).unwrap();
        Self { name, octets: packer.finish().unwrap(), method: 8, flags: 0 }
    }
}

/// An archive of these files.
fn archive(files: &[Packed<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let start = u32::try_from(out.len()).unwrap();
        let (length, name) = (u32::try_from(file.octets.len()).unwrap(), file.name.as_bytes());
        let names = u16::try_from(name.len()).unwrap().to_le_bytes();
        let shared = [
            &[20, 0][..],
            &file.flags.to_le_bytes(),
            &file.method.to_le_bytes(),
            &[0; 8],
            &length.to_le_bytes(),
            &length.to_le_bytes(),
            &names,
            &[0, 0],
        ]
        .concat();
        out.extend([b"PK\x03\x04".as_slice(), &shared, name, &file.octets].concat());
        directory.extend(
            [b"PK\x01\x02\x14\x00".as_slice(), &shared, &[0; 10], &start.to_le_bytes(), name]
                .concat(),
        );
    }
    let (count, start) = (u16::try_from(files.len()).unwrap(), u32::try_from(out.len()).unwrap());
    let size = u32::try_from(directory.len()).unwrap();
    out.extend(directory);
    let end = [
        b"PK\x05\x06\0\0\0\0".as_slice(),
        &count.to_le_bytes(),
        &count.to_le_bytes(),
        &size.to_le_bytes(),
        &start.to_le_bytes(),
        &[0, 0],
    ];
    out.extend(end.concat());
    out
}

#[test]
fn letters_come_out_of_an_archive_by_their_names_without_folders() {
    let files = [
        Packed::deflated("surat/grogol.pdf", b"%PDF-1.4 a"),
        Packed { name: "../../etc/passwd", octets: b"b".to_vec(), method: 0, flags: 0 },
        Packed::deflated("__MACOSX/surat/._grogol.pdf", b"x"),
        Packed::deflated("surat/", b""),
        Packed::deflated("surat\\.DS_Store", b"x"),
    ];
    let found = letters(&archive(&files)).unwrap();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["grogol.pdf", "passwd"]);
    assert_eq!(found["grogol.pdf"], b"%PDF-1.4 a");
}

#[test]
fn an_archive_that_means_harm_is_refused() {
    let refused = |files: &[Packed<'_>]| letters(&archive(files)).unwrap_err();
    let file = |name| Packed::deflated(name, b"x");
    assert_eq!(refused(&[]), ZipFault::Empty);
    assert_eq!(refused(&[file("a/x.pdf"), file("b/x.pdf")]), ZipFault::Twice("x.pdf".to_owned()));
    let twins = refused(&[file("A.pdf"), file("a.PDF")]);
    assert_eq!(twins, ZipFault::Twice("a.PDF".to_owned()));
    assert_eq!(
        refused(&[Packed { flags: 1, ..file("x.pdf") }]),
        ZipFault::NotRead("x.pdf".to_owned())
    );
    assert_eq!(
        refused(&[Packed { method: 12, ..file("x.pdf") }]),
        ZipFault::NotRead("x.pdf".to_owned())
    );
    assert_eq!(refused(&[Packed { octets: vec![0xff; 9], ..file("x.pdf") }]), ZipFault::Broken);
    // A bomb: some thousand octets that say to be a hundred million.
    let bomb = Packed::deflated("x.pdf", &vec![0; 100 << 20]);
    assert!(bomb.octets.len() < 200_000);
    assert_eq!(refused(&[bomb]), ZipFault::Letter("x.pdf".to_owned()));
    let names: Vec<String> = (0..30).map(|at| format!("{at}.pdf")).collect();
    let nine: Vec<u8> = vec![0; 9 << 20];
    let many: Vec<Packed<'_>> = names.iter().map(|name| Packed::deflated(name, &nine)).collect();
    assert_eq!(refused(&many), ZipFault::TooMuch);
    let whole = archive(&[file("x.pdf")]);
    for end in 0..whole.len() {
        assert!(letters(&whole[..end]).is_err(), "cut at {end}");
    }
    for at in 0..whole.len() {
        let mut odd = whole.clone();
        odd[at] ^= 0xff;
        // Whatever it says, it is read or refused.
        let _ = letters(&odd);
    }
}
