//! A message as HTML, for readers of mail that show it: the same words, with the link to press. No picture, no
//! style, nothing from elsewhere.

use crate::text::push_escaped;
use crate::words::Lang;

/// A text of paragraphs as an HTML document. Lines that are indented are to be copied as they are.
pub(super) fn html(subject: &str, text: &str, link: Option<&str>, lang: Lang) -> String {
    let paragraphs: String =
        text.trim_end().split("\n\n").map(|part| paragraph(part, link)).collect();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{paragraphs}</body>\n</html>\n",
        lang.tag(),
        escaped(subject)
    )
}

/// One paragraph, with its link if it names it.
fn paragraph(text: &str, link: Option<&str>) -> String {
    let lines: Vec<String> = text.lines().map(|line| shown(line, link)).collect();
    format!("<p>{}</p>\n", lines.join("<br>\n"))
}

/// One line.
fn shown(line: &str, link: Option<&str>) -> String {
    if let Some(copied) = line.strip_prefix("  ") {
        return format!("<code>{}</code>", escaped(copied));
    }
    let Some((before, after)) = link.and_then(|link| line.split_once(link)) else {
        return escaped(line);
    };
    let link = escaped(link.unwrap_or_default());
    format!("{}<a href=\"{link}\">{link}</a>{}", escaped(before), escaped(after))
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_markup_and_the_link_can_be_pressed() {
        let text =
            "1. <script>alert(1)</script> & \"x\"\n\nBuka: https://x/status?nomor=A&b\n  dig @x a";
        let page = html("Untuk <b>", text, Some("https://x/status?nomor=A&b"), Lang::Id);
        assert!(page.contains("<title>Untuk &lt;b&gt;</title>") && page.contains("lang=\"id\""));
        assert!(
            page.contains("<p>1. &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;</p>")
        );
        let link = "https://x/status?nomor=A&amp;b";
        assert!(page.contains(&format!("Buka: <a href=\"{link}\">{link}</a><br>")), "{page}");
        assert!(page.contains("<code>dig @x a</code>"));
    }
}
