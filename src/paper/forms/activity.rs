//! *Laporan kegiatan*: sentences, tables, charts, and the list as an annex.

use super::Form;
use crate::paper::block::Block;
use crate::paper::content::{Activity, Chart, Section};

impl Form<'_> {
    /// The blocks of a report on a period.
    pub(super) fn activity(&self, it: &Activity) -> Vec<Block> {
        let words = self.words;
        let mut title = self.title("form-activity-title");
        if let Block::Title { under, .. } = &mut title {
            under.insert(0, words.a("form-activity-period", "period", &it.period));
        }
        let mut blocks = vec![title];
        if !it.summary.is_empty() {
            blocks.push(Block::Heading(words.s("form-activity-summary")));
            blocks.push(Block::paragraph(it.summary.join(" ")));
        }
        for section in &it.sections {
            blocks.extend(self.section(section));
        }
        blocks.push(self.signed(&it.signer));
        if let Some(annex) = &it.annex {
            blocks.push(Block::NewPage);
            blocks.push(Block::Heading(words.s("form-activity-annex")));
            blocks.push(Block::Table(annex.clone()));
        }
        blocks
    }

    /// A section.
    fn section(&self, section: &Section) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !section.heading.is_empty() {
            blocks.push(Block::Heading(section.heading.clone()));
        }
        blocks.extend(section.text.iter().map(Block::paragraph));
        if let Some(chart) = section.chart.clone().filter(|chart| !chart.bars.is_empty()) {
            let alt = self.chart_in_words(&chart);
            blocks.push(Block::Chart { chart, alt });
        }
        blocks.extend(section.table.clone().map(Block::Table));
        blocks
    }

    /// A chart in words.
    fn chart_in_words(&self, chart: &Chart) -> String {
        let bars: Vec<String> =
            chart.bars.iter().map(|bar| format!("{} {}", bar.label, bar.shown)).collect();
        let said = [("title", chart.title.as_str()), ("bars", &bars.join(", "))];
        self.words.with("form-chart-alt", &said)
    }
}
