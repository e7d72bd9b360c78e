//! Letters of a demonstration: a PDF of one page with a letterhead and the request.

use crate::queue::Application;
use crate::text::{append, append_line};
use crate::uploads::{self, Letter};

/// Characters of a line of the body.
const LINE_CHARS: usize = 78;
/// Points between two lines.
const LEADING: i32 = 16;
/// The words of a letter, one line each; what stands in braces is filled in.
const BODY: &str = include_str!("letter.txt");

/// The letter that comes with a request.
pub(super) fn of(application: &Application) -> anyhow::Result<Letter> {
    let contact = &application.contact;
    let name = format!("{}.{}", application.name, application.zone.trim_end_matches('.'));
    let text = BODY
        .replace("{office}", &application.office)
        .replace("{number}", &application.letter.number)
        .replace("{date}", &application.letter.date)
        .replace("{name}", &name)
        .replace("{purpose}", &application.purpose)
        .replace("{contact}", &contact.name)
        .replace("{position}", &contact.position);
    uploads::inspect(&pdf(&text))
        .map_err(|fault| anyhow::anyhow!("a letter of the demonstration: {fault:?}"))
}

/// A PDF of one page with these lines; the first one is the letterhead.
fn pdf(text: &str) -> Vec<u8> {
    let lines = text.lines().flat_map(wrapped).enumerate();
    let mut page = String::from("BT 72 770 Td 0 Tw\n");
    for (at, line) in lines {
        let (font, size) = if at == 0 { ("B", 14) } else { ("R", 11) };
        let shown = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        append_line!(page, "/{font} {size} Tf ({shown}) Tj 0 -{LEADING} Td");
    }
    page.push_str("ET");
    let font = |base: &str| format!("<</Type/Font/Subtype/Type1/BaseFont/{base}>>");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R\
         /Resources<</Font<</R 5 0 R/B 6 0 R>>>>>>"
            .to_owned(),
        format!("<</Length {}>>stream\n{page}\nendstream", page.len()),
        font("Times-Roman"),
        font("Times-Bold"),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (at, object) in objects.iter().enumerate() {
        append!(table, "{:010} 00000 n \n", out.len());
        append_line!(out, "{} 0 obj\n{object}\nendobj", at + 1);
    }
    let (size, start) = (objects.len() + 1, out.len());
    append!(
        out,
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<</Size {size}/Root 1 0 R>>\n\
         startxref\n{start}\n%%EOF\n"
    );
    out.into_bytes()
}

/// A line of text in lines that fit.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || line.len() + word.len() < LINE_CHARS)
        {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_passes_the_reader_of_letters() {
        let mut application = Application::blank("cirebonkab.go.id.");
        application.office = "Kelompok (uji) \\ coba".to_owned();
        application.purpose = "kata ".repeat(100);
        let letter = of(&application).unwrap();
        let text = String::from_utf8(letter.bytes().to_vec()).unwrap();
        assert!(text.contains("(Kelompok \\(uji\\) \\\\ coba) Tj"), "{text}");
        let start = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap();
        assert!(text[start.parse::<usize>().unwrap()..].starts_with("xref\n"));
    }
}
