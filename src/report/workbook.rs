//! Workbooks of plain tables as XLSX (ECMA-376, SpreadsheetML): the container and the parts that tables need.
//!
//! What a report needs is one part for each sheet and five that hardly change; crates for it write all
//! that a spreadsheet can hold. No formula is ever written: a text stays a text whatever it begins with.

use std::io::{self, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::text::{append, push_escaped};

/// The day that dates of a spreadsheet are counted from is 25,569 days before 1970.
const EPOCH_DAYS: f64 = 25_569.0;
/// WIB is UTC+7 all year: cells have no zone.
const WIB_MS: i64 = 7 * 3_600_000;
/// A day in milliseconds.
const DAY_MS: f64 = 86_400_000.0;

/// The beginning of every part.
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// The namespace of sheets.
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
/// The namespace of relationships between parts.
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
/// The kinds of relationships.
const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The looks of cells, by their place in the part of styles: plain, head, date with time, whole number.
const STYLES: &str = "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
    <font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"3\"><fill><patternFill patternType=\"none\"/></fill>\
    <fill><patternFill patternType=\"gray125\"/></fill>\
    <fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFEEF3F7\"/></patternFill></fill></fills>\
    <borders count=\"1\"><border/></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"4\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
    <xf numFmtId=\"0\" fontId=\"1\" fillId=\"2\" borderId=\"0\" xfId=\"0\" applyFont=\"1\" applyFill=\"1\" \
    applyAlignment=\"1\"><alignment vertical=\"top\" wrapText=\"1\"/></xf>\
    <xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
    <xf numFmtId=\"3\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>\
    <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>";

//------------ Cells ---------------------------------------------------------

/// One cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// The head of a column or of a part.
    Head(String),
    /// A whole number.
    Number(i64),
    /// A moment, epoch milliseconds, shown in WIB.
    Moment(i64),
}

/// One sheet.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// The words on its tab: at most 31 characters, none of `[]:*?/\`.
    pub(super) name: String,
    /// Widths of the columns in characters.
    pub(super) widths: Vec<u8>,
    /// Whether the first row is the head of one table: it stays in sight and can be filtered by.
    pub(super) is_table: bool,
    /// The rows.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// Its part.
    fn part(&self) -> String {
        let mut xml = format!(
            "{XML}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\">"
        );
        if self.is_table {
            xml.push_str("<pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>");
        }
        xml.push_str("</sheetView></sheetViews><cols>");
        for (at, width) in (1..).zip(&self.widths) {
            append!(xml, "<col min=\"{at}\" max=\"{at}\" width=\"{width}\" customWidth=\"1\"/>");
        }
        xml.push_str("</cols><sheetData>");
        for (row, cells) in (1..).zip(&self.rows) {
            append!(xml, "<row r=\"{row}\">");
            for (column, cell) in cells.iter().enumerate() {
                put_cell(&mut xml, &format!("{}{row}", letters(column)), cell);
            }
            xml.push_str("</row>");
        }
        xml.push_str("</sheetData>");
        if self.is_table && self.rows.len() > 1 {
            append!(xml, "<autoFilter ref=\"{}\"/>", self.area());
        }
        xml.push_str("</worksheet>");
        xml
    }

    /// The cells of its table, as `A1:C9`.
    fn area(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        format!("A1:{}{}", letters(columns.saturating_sub(1)), self.rows.len())
    }
}

/// Appends a cell.
fn put_cell(xml: &mut String, at: &str, cell: &Cell) {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) | Cell::Head(text) => {
            let style = u8::from(matches!(cell, Cell::Head(_)));
            append!(
                xml,
                "<c r=\"{at}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">"
            );
            put_text(xml, text);
            xml.push_str("</t></is></c>");
        }
        Cell::Number(number) => append!(xml, "<c r=\"{at}\" s=\"3\"><v>{number}</v></c>"),
        Cell::Moment(ms) => {
            // To the minute: what lies below it is noise in a cell.
            let minute = (ms + WIB_MS).div_euclid(60_000) * 60_000;
            let days = minute as f64 / DAY_MS + EPOCH_DAYS;
            append!(xml, "<c r=\"{at}\" s=\"2\"><v>{days}</v></c>");
        }
    }
}

/// The letters of a column, from A.
fn letters(column: usize) -> String {
    let letter = char::from(b'A' + (column % 26) as u8);
    if column < 26 { letter.to_string() } else { format!("{}{letter}", letters(column / 26 - 1)) }
}

/// Appends a text; characters that XML 1.0 cannot hold are left out.
fn put_text(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\t' | '\n' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => push_escaped(xml, c),
        }
    }
}

//------------ The workbook --------------------------------------------------

/// A workbook of these sheets.
pub(super) fn workbook(title: &str, sheets: &[Sheet]) -> io::Result<Vec<u8>> {
    let mut container = Container::default();
    container.add("[Content_Types].xml", &types(sheets.len()))?;
    container.add(
        "_rels/.rels",
        &format!(
            "{XML}<Relationships xmlns=\"{RELATIONS}\">\
             <Relationship Id=\"rId1\" Type=\"{KIND}/officeDocument\" Target=\"xl/workbook.xml\"/>\
             <Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties\" Target=\"docProps/core.xml\"/>\
             </Relationships>"
        ),
    )?;
    let mut core = format!(
        "{XML}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>"
    );
    put_text(&mut core, title);
    core.push_str("</dc:title><dc:creator>gapura</dc:creator></cp:coreProperties>");
    container.add("docProps/core.xml", &core)?;
    let (book, relations) = book(sheets);
    container.add("xl/workbook.xml", &book)?;
    container.add("xl/_rels/workbook.xml.rels", &relations)?;
    container.add(
        "xl/styles.xml",
        &format!(
            "{XML}<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"1\">\
             <numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm\"/></numFmts>{STYLES}</styleSheet>"
        ),
    )?;
    for (at, sheet) in (1..).zip(sheets) {
        container.add(&format!("xl/worksheets/sheet{at}.xml"), &sheet.part())?;
    }
    Ok(container.finish())
}

/// The part that says what each part is.
fn types(sheets: usize) -> String {
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut xml = format!(
        "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{kind}.styles+xml\"/>"
    );
    for at in 1..=sheets {
        append!(
            xml,
            "<Override PartName=\"/xl/worksheets/sheet{at}.xml\" ContentType=\"{kind}.worksheet+xml\"/>"
        );
    }
    xml.push_str("</Types>");
    xml
}

/// The part of the workbook, and the one that says where its sheets are.
fn book(sheets: &[Sheet]) -> (String, String) {
    let mut book = format!("{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{KIND}\"><sheets>");
    let mut relations = format!("{XML}<Relationships xmlns=\"{RELATIONS}\">");
    let mut filters = String::new();
    for (at, sheet) in (1..).zip(sheets) {
        book.push_str("<sheet name=\"");
        put_text(&mut book, &sheet.name);
        append!(book, "\" sheetId=\"{at}\" r:id=\"rId{at}\"/>");
        append!(
            relations,
            "<Relationship Id=\"rId{at}\" Type=\"{KIND}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"
        );
        if sheet.is_table {
            append!(
                filters,
                "<definedName name=\"_xlnm.Print_Titles\" localSheetId=\"{}\">'{}'!$1:$1</definedName>",
                at - 1,
                sheet.name.replace('\'', "''"),
            );
        }
    }
    append!(
        relations,
        "<Relationship Id=\"rId{}\" Type=\"{KIND}/styles\" Target=\"styles.xml\"/></Relationships>",
        sheets.len() + 1
    );
    append!(book, "</sheets><definedNames>{filters}</definedNames></workbook>");
    (book, relations)
}

//------------ Container -----------------------------------------------------

/// A ZIP file of compressed parts, without times: the same content makes the same file.
#[derive(Default)]
struct Container {
    /// The parts so far.
    bytes: Vec<u8>,
    /// Their entries in the directory at the end.
    directory: Vec<u8>,
    /// How many.
    parts: u16,
}

/// Deflated; the version that can read that; 1 January 1980, the first day a ZIP file knows.
const HOW: [u8; 10] = [20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];

impl Container {
    /// Adds a part.
    fn add(&mut self, name: &str, content: &str) -> io::Result<()> {
        let mut crc = Crc::new();
        crc.update(content.as_bytes());
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content.as_bytes())?;
        let packed = encoder.finish()?;
        let mut head = Vec::from(HOW);
        for number in [crc.sum(), length(packed.len())?, length(content.len())?] {
            head.extend(number.to_le_bytes());
        }
        head.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        head.extend([0, 0]);
        let at = length(self.bytes.len())?;
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&head);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(packed);
        self.directory.extend(b"PK\x01\x02\x14\x00");
        self.directory.extend(&head);
        // No comment, on the first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.parts += 1;
        Ok(())
    }

    /// The file.
    fn finish(mut self) -> Vec<u8> {
        let at = self.bytes.len() as u32;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
        self.bytes.extend(self.parts.to_le_bytes());
        self.bytes.extend(self.parts.to_le_bytes());
        self.bytes.extend((self.directory.len() as u32).to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

/// A length as a ZIP file holds it.
fn length(octets: usize) -> io::Result<u32> {
    u32::try_from(octets).map_err(io::Error::other)
}
