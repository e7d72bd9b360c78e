//! `gapura log top`: queries counted by what they have in common.
//!
//! Memory is limited: if a log has more different values than fit, the rarest are dropped, and the output
//! says by how much a count may be too low.

use std::collections::HashMap;
use std::path::PathBuf;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::read_all;
use super::wanted::{Wanted, WantedArgs};
use crate::cli::args::Common;
use crate::cli::plain::{json, plain};
use crate::serve::query_log::read::{KEYS, Line};
use crate::text::append_line;

/// Different values that are counted at once.
const VALUES_MAX: usize = 1 << 20;
/// Octets that these may have in all.
const OCTETS_MAX: usize = 256 << 20;

/// `gapura log top`
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Top {
    /// Files; - is standard input [default: the file in the settings, and rotated ones]
    files: Vec<PathBuf>,
    /// What to count by: any key of a line; several separated by commas
    #[arg(long, value_name = "KEY", value_delimiter = ',', default_value = "qname",
        value_parser = clap::builder::PossibleValuesParser::new(KEYS.map(|(key, _)| key)))]
    by: Vec<String>,
    /// How many lines
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: usize,
    /// Which queries.
    #[command(flatten)]
    wanted: WantedArgs,
}

/// Counts and prints.
pub(super) fn top(common: &Common, top: &Top) -> anyhow::Result<u8> {
    let wanted = Wanted::new(&top.wanted)?;
    let mut counts = Counts::new(VALUES_MAX, OCTETS_MAX);
    let (_, told) = read_all(common, &top.files, &wanted, |_, line| {
        counts.count(value_of(&top.by, line), line.time());
        true
    })?;
    let text = if common.json {
        json(&counts.json(&top.by, top.limit).to_string()).into_owned() + "\n"
    } else {
        plain(&counts.text(&top.by, top.limit)).into_owned()
    };
    super::super::put(&text);
    Ok(told.exit())
}

/// What a query is counted by. Names are compared without regard to case.
fn value_of(keys: &[String], line: &Line<'_>) -> Vec<String> {
    let value = |key: &String| {
        let value = line.get(key).map_or_else(|| "-".to_owned(), ToString::to_string);
        if key == "qname" || key == "zone" { value.to_ascii_lowercase() } else { value }
    };
    keys.iter().map(value).collect()
}

//------------ Counts --------------------------------------------------------

/// How often each value occurred.
struct Counts {
    /// Limit of values counted at once.
    values_max: usize,
    /// Octets that these may have.
    octets_max: usize,
    /// The counts.
    counts: HashMap<Vec<String>, u64>,
    /// Octets of their values.
    octets: usize,
    /// All of them.
    total: u64,
    /// By how much a count may be too low.
    missed: u64,
    /// The first and the last time.
    span: Option<(String, String)>,
}

impl Counts {
    /// Nothing yet.
    fn new(values_max: usize, octets_max: usize) -> Self {
        let counts = HashMap::new();
        Self { values_max, octets_max, counts, octets: 0, total: 0, missed: 0, span: None }
    }

    /// Counts one.
    fn count(&mut self, value: Vec<String>, time: &str) {
        self.total += 1;
        match &mut self.span {
            None => self.span = Some((time.to_owned(), time.to_owned())),
            Some((first, last)) => {
                if time < first.as_str() {
                    time.clone_into(first);
                }
                if time > last.as_str() {
                    time.clone_into(last);
                }
            }
        }
        match self.counts.get_mut(&value) {
            Some(count) => *count += 1,
            None => {
                self.octets += octets_of(&value);
                self.counts.insert(value, 1);
            }
        }
        // Lossy counting: every count is reduced by the lowest one.
        while self.counts.len() > self.values_max || self.octets > self.octets_max {
            let least = self.counts.values().copied().min().unwrap_or_default();
            self.missed += least;
            self.counts.retain(|value, count| {
                *count -= least;
                if *count == 0 {
                    self.octets -= octets_of(value);
                }
                *count > 0
            });
        }
    }

    /// The most frequent values.
    fn most(&self, limit: usize) -> Vec<(&[String], u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(key, count)| (&key[..], *count)).collect();
        all.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
        all.truncate(limit);
        all
    }

    /// Seconds between the first query and the last, one at least.
    fn seconds(&self) -> f64 {
        let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        let span = self.span.as_ref();
        let span = span.and_then(|(first, last)| Some(parse(last)? - parse(first)?));
        span.map_or(1.0, |span| span.as_seconds_f64().max(1.0))
    }

    /// For people.
    fn text(&self, by: &[String], limit: usize) -> String {
        let Some((first, last)) = &self.span else { return "no queries\n".to_owned() };
        let (seconds, mut text) = (self.seconds(), String::new());
        let rate = self.total as f64 / seconds;
        append_line!(text, "{} queries from {first} to {last}, {rate:.1} per second", self.total);
        append_line!(text, "{:>10} {:>6} {:>9}  {}", "queries", "share", "per s", by.join(" "));
        for (value, count) in self.most(limit) {
            let share = 100.0 * count as f64 / self.total as f64;
            let rate = count as f64 / seconds;
            append_line!(
                text,
                "{count:>10} {share:>5.1}% {rate:>9.2}  {}",
                value.join(" ").replace('\n', "\\n")
            );
        }
        if self.missed > 0 {
            append_line!(text, "a count may be too low by up to {}", self.missed);
        }
        text
    }

    /// For programs.
    fn json(&self, by: &[String], limit: usize) -> serde_json::Value {
        let seconds = self.seconds();
        let (from, to) = self.span.clone().unzip();
        let most: Vec<serde_json::Value> = self
            .most(limit)
            .into_iter()
            .map(|(value, count)| {
                let values: serde_json::Map<_, _> = by
                    .iter()
                    .zip(value)
                    .map(|(key, value)| (key.clone(), value.clone().into()))
                    .collect();
                let rate = count as f64 / seconds;
                serde_json::json!({ "values": values, "queries": count, "rate": rate })
            })
            .collect();
        serde_json::json!({
            "queries": self.total, "from": from, "to": to, "rate": self.total as f64 / seconds,
            "by": by, "missed": self.missed, "top": most,
        })
    }
}

/// Octets that a value takes, with overhead.
fn octets_of(value: &[String]) -> usize {
    value.iter().map(|text| size_of::<String>() + text.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_few_values_take_little_memory() {
        let mut counts = Counts::new(10, usize::MAX);
        for index in 0..1000 {
            let name = if index % 2 == 0 { "a".to_owned() } else { format!("x{index}") };
            counts.count(vec![name], &format!("2026-11-24T03:45:{:02}.000000Z", index / 100));
        }
        assert!(counts.counts.len() <= 10);
        let most = counts.most(1);
        assert_eq!(most[0].0, ["a"]);
        assert!(most[0].1 <= 500 && most[0].1 + counts.missed >= 500, "{most:?} {}", counts.missed);
        assert_eq!((counts.total, counts.seconds()), (1000, 9.0));
        assert!(counts.text(&["qname".to_owned()], 1).contains("too low by up to"));
    }

    #[test]
    fn long_values_take_no_more_memory_than_short_ones() {
        let mut counts = Counts::new(usize::MAX, 10_000);
        for index in 0..1000 {
            let long = "x".repeat(20_000 * usize::from(index == 7));
            let name = if index % 2 == 0 { "a".to_owned() } else { format!("{index}{long:>900}") };
            counts.count(vec![name], "2026-11-24T03:45:00.000000Z");
        }
        assert!(
            counts.octets <= 10_000
                && counts.counts.keys().map(|it| octets_of(it)).sum::<usize>() == counts.octets
        );
        assert_eq!(counts.most(1)[0].0, ["a"]);
    }
}
