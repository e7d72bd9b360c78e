//! A document as a part of a page, for the screen and for a printer. Everything is escaped; nothing is
//! loaded but the coat of arms, from the address the caller gives.

use super::block::{Block, Cell, Document, Foot, Head, Setting, Signature};
use super::content::{Chart, Field, Table};
use super::font::{TICKED, UNTICKED, is_unseen};
use super::qr::Qr;
use crate::text::{append, push_escaped};

/// Height of a bar's line in a chart.
const BAR_LINE: usize = 24;

/// The document as `<article class="paper">`. On a page that has a heading of its own it gets none.
pub(super) fn page(document: &Document, coat_of_arms: Option<&str>, is_headed: bool) -> String {
    let mut html = Html(String::new());
    append!(html.0, "<article class=\"paper\" lang=\"{}\">", super::LANGUAGE);
    if let Some(head) = &document.head {
        html.head(head, coat_of_arms);
    }
    // A letter has no title to see; who goes by headings finds it all the same.
    let titled = |block: &Block| matches!(block, Block::Title { .. });
    if !is_headed && !document.blocks.iter().any(titled) {
        html.element("h1", "unseen", &document.title);
    }
    html.blocks(&document.blocks);
    html.foot(&document.foot);
    html.0.push_str("</article>");
    html.0
}

/// A page being written.
struct Html(String);

impl Html {
    /// Blocks, one after the other.
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    /// A block.
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title { text, under } => {
                self.element("h1", "paper-title", text);
                for line in under {
                    self.element("p", "paper-under", line);
                }
            }
            Block::Heading(text) => self.element("h2", "", text),
            Block::Paragraph { text, set } => self.element("p", &class_of(*set), text),
            Block::Fields { fields, aside } => self.fields(fields, aside.as_deref()),
            Block::List { numbered, items } => {
                let tag = if *numbered { "ol" } else { "ul" };
                append!(self.0, "<{tag}>");
                items.iter().for_each(|item| self.element("li", "", item));
                append!(self.0, "</{tag}>");
            }
            Block::Ticks(ticks) => {
                self.0.push_str("<ul class=\"paper-ticks\">");
                for (ticked, text) in ticks {
                    let sign = if *ticked { TICKED } else { UNTICKED };
                    self.element("li", "", &format!("{sign} {text}"));
                }
                self.0.push_str("</ul>");
            }
            Block::Table(table) => self.table(table),
            Block::Grid(rows) => self.grid(rows),
            Block::Chart { chart, alt } => self.chart(chart, alt),
            Block::Signatures { date, people } => self.signatures(date.as_deref(), people),
            Block::Together(blocks) => {
                self.0.push_str("<div class=\"paper-together\">");
                self.blocks(blocks);
                self.0.push_str("</div>");
            }
            Block::Lines(count) => {
                (0..*count).for_each(|_| self.0.push_str("<div class=\"paper-line\"></div>"));
            }
            Block::Rule => self.0.push_str("<hr>"),
            Block::NewPage => self.0.push_str("<div class=\"paper-break\"></div>"),
        }
    }

    /// An element with text; line ends become `<br>`.
    fn element(&mut self, tag: &str, class: &str, text: &str) {
        if class.is_empty() {
            append!(self.0, "<{tag}>");
        } else {
            append!(self.0, "<{tag} class=\"{class}\">");
        }
        self.text(text);
        append!(self.0, "</{tag}>");
    }

    /// Escaped text.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.0.push_str("<br>"),
                it if it.is_control() || is_unseen(it) => {}
                it => push_escaped(&mut self.0, it),
            }
        }
    }

    /// The letterhead.
    fn head(&mut self, head: &Head, coat_of_arms: Option<&str>) {
        self.0.push_str("<div class=\"paper-head\">");
        if let Some(address) = coat_of_arms {
            self.0.push_str("<img src=\"");
            self.text(address);
            self.0.push_str("\" alt=\"");
            self.text(&head.coat_of_arms);
            self.0.push_str("\">");
        }
        self.element("p", "paper-government", &head.government);
        self.element("p", "paper-office", &head.office);
        for line in head.lines.iter().filter(|line| !line.is_empty()) {
            self.element("p", "", line);
        }
        self.0.push_str("</div>");
    }

    /// The foot.
    fn foot(&mut self, foot: &Foot) {
        self.0.push_str("<div class=\"paper-foot\">");
        let qr = (!foot.url.is_empty()).then(|| Qr::of(&foot.url)).flatten();
        if let Some(qr) = qr {
            self.qr(&qr, &foot.url_alt);
        }
        self.0.push_str("<div>");
        foot.lines.iter().for_each(|line| self.element("p", "", line));
        self.0.push_str("</div></div>");
    }

    /// The QR code as a drawing.
    fn qr(&mut self, qr: &Qr, alt: &str) {
        let side = qr.side;
        append!(
            self.0,
            "<svg class=\"paper-qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\""
        );
        self.text(alt);
        self.0.push_str("\" shape-rendering=\"crispEdges\"><path d=\"");
        self.0.push_str(&qr.path());
        self.0.push_str("\"/></svg>");
    }

    /// Labels and values.
    fn fields(&mut self, fields: &[Field], aside: Option<&str>) {
        if let Some(aside) = aside {
            self.element("p", "paper-aside", aside);
        }
        if fields.is_empty() {
            return;
        }
        self.0.push_str("<dl class=\"paper-fields\">");
        for field in fields {
            self.0.push_str("<div>");
            self.element("dt", "", &field.label);
            self.element("dd", "", &field.value);
            self.0.push_str("</div>");
        }
        self.0.push_str("</dl>");
    }

    /// A form.
    fn grid(&mut self, rows: &[Vec<Cell>]) {
        self.0.push_str("<div class=\"paper-grid\">");
        for row in rows {
            self.0.push_str("<div class=\"paper-row\">");
            for cell in row {
                self.0.push_str("<div class=\"paper-cell\">");
                self.blocks(&cell.blocks);
                self.0.push_str("</div>");
            }
            self.0.push_str("</div>");
        }
        self.0.push_str("</div>");
    }

    /// A table, which scrolls by itself where the screen is narrow.
    fn table(&mut self, table: &Table) {
        self.0.push_str("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
        self.text(&table.title);
        self.0.push_str("\"><table>");
        if !table.title.is_empty() {
            self.element("caption", "", &table.title);
        }
        self.0.push_str("<thead><tr>");
        for column in &table.columns {
            self.0.push_str("<th scope=\"col\"");
            self.0.push_str(if column.number { " class=\"num\">" } else { ">" });
            self.text(&column.head);
            self.0.push_str("</th>");
        }
        self.0.push_str("</tr></thead><tbody>");
        for row in &table.rows {
            self.row(table, row, "");
        }
        if !table.total.is_empty() {
            self.row(table, &table.total, " class=\"paper-total\"");
        }
        self.0.push_str("</tbody></table></div>");
    }

    /// A row of a table.
    fn row(&mut self, table: &Table, row: &[String], class: &str) {
        append!(self.0, "<tr{class}>");
        for (at, column) in table.columns.iter().enumerate() {
            let class = if column.number { "num" } else { "" };
            self.element("td", class, row.get(at).map_or("", String::as_str));
        }
        self.0.push_str("</tr>");
    }

    /// A bar chart as a drawing.
    fn chart(&mut self, chart: &Chart, alt: &str) {
        let longest = chart.bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
        let height = chart.bars.len() * BAR_LINE;
        self.0.push_str("<figure>");
        self.element("figcaption", "", &chart.title);
        append!(
            self.0,
            "<svg class=\"paper-chart\" viewBox=\"0 0 640 {height}\" role=\"img\" aria-label=\""
        );
        self.text(alt);
        self.0.push_str("\">");
        for (at, bar) in chart.bars.iter().enumerate() {
            let y = at * BAR_LINE;
            let length = u128::from(bar.value) * 320 / u128::from(longest);
            append!(self.0, "<text x=\"212\" y=\"{}\" text-anchor=\"end\">", y + 16);
            self.text(&bar.label);
            append!(
                self.0,
                "</text><rect x=\"220\" y=\"{}\" width=\"{length}\" height=\"16\"/>",
                y + 3
            );
            append!(self.0, "<text x=\"{}\" y=\"{}\">", 226 + length, y + 16);
            self.text(&bar.shown);
            self.0.push_str("</text>");
        }
        self.0.push_str("</svg></figure>");
    }

    /// The places to sign.
    fn signatures(&mut self, date: Option<&str>, people: &[Signature]) {
        self.0.push_str("<div class=\"paper-signatures\">");
        for (at, person) in people.iter().enumerate() {
            self.0.push_str("<div>");
            if let Some(date) = date.filter(|_| at + 1 == people.len()) {
                self.element("p", "", date);
            }
            self.element("p", "", &person.title);
            self.element("p", "paper-space", &person.space);
            self.element("p", "paper-name", &person.name);
            person.under.iter().for_each(|line| self.element("p", "", line));
            self.0.push_str("</div>");
        }
        self.0.push_str("</div>");
    }
}

/// The class of a paragraph.
fn class_of(set: Setting) -> String {
    let names = [
        (set.bold, "paper-bold"),
        (set.small, "paper-small"),
        (set.center, "paper-center"),
        (set.indent, "paper-indent"),
        (set.tight, "paper-tight"),
    ];
    let said: Vec<&str> = names.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
    said.join(" ")
}
