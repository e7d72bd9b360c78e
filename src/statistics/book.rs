//! What was counted and is not in the database yet.

use std::collections::{BTreeMap, HashMap};

use super::sketch::Sketch;
use super::time::Scale;
use crate::answer::Transport;
use crate::serve::Sample;
use crate::serve::counters::{Lane, RCODES, TYPES, Totals};
use crate::store::{Store, StoreError, Tx};
use crate::wire::{Rcode, Rtype};

/// Names kept in the database of a day and kind.
const NAMES_KEPT: usize = 200;
/// Days whose names are kept.
const NAME_DAYS: i64 = 32;
/// Sums that may wait while the database is away: some hours of them.
const WAITING_MAX: usize = 20_000;
/// Days of names that may wait while the database is away.
const NAMES_WAITING_MAX: usize = 3;
/// Names that may wait to be found live.
const LIVE_WAITING_MAX: usize = 5_000;
/// Names looked up among the live ones at once; the rest wait for the next time.
const LIVE_AT_ONCE: usize = 1_000;
/// Parts kept beyond those shown.
const SPARE: i64 = 24;

/// What a sum is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum What {
    /// All queries.
    All,
    /// Responses by code.
    Rcode,
    /// Queries by type.
    Type,
    /// Queries by transport.
    Transport,
    /// Queries by zone.
    Zone,
}

impl What {
    /// Its word in the database.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Rcode => "rcode",
            Self::Type => "type",
            Self::Transport => "transport",
            Self::Zone => "zone",
        }
    }
}

//------------ Book ----------------------------------------------------------

/// What is not in the database yet.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// What the counters said last.
    last: Vec<(Lane, Totals)>,
    /// Sums by minute.
    sums: BTreeMap<(i64, What, String), u64>,
    /// The names of a day, and those of the day before until they are written; none until the first one.
    names: Vec<Names>,
    /// Queries for names that may be live.
    live: HashMap<String, u64>,
    /// The largest weight of a sample.
    one_in: u32,
}

/// The names of one day.
#[derive(Debug, Default)]
struct Names {
    /// The beginning of the day.
    day_ms: i64,
    /// Whether what the database holds of the day is in it.
    is_whole: bool,
    /// Names of ours.
    ours: Sketch,
    /// Names below our zones that do not exist.
    missing: Sketch,
}

impl Book {
    /// One query in how many was noted by name, at most.
    pub(super) fn one_in(&self) -> u32 {
        self.one_in.max(1)
    }

    /// Takes over the counters.
    pub(super) fn count(&mut self, lanes: &[(Lane, Totals)], now_ms: i64) {
        let minute = Scale::Minute.begin(now_ms);
        let mut sums: Vec<(What, String, u64)> = Vec::new();
        for (lane, now) in lanes {
            let fresh = Totals::default();
            let before = self.last.iter().find(|(known, _)| known == lane);
            let before = before.map_or(&fresh, |(_, totals)| totals);
            let news = |now: &[u64], before: &[u64]| -> Vec<u64> {
                now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect()
            };
            let asked: u64 = news(&now.opcodes, &before.opcodes).iter().sum();
            sums.push((What::All, String::new(), asked));
            sums.push((What::Transport, transport_word(lane.transport).to_owned(), asked));
            for (number, count) in (0..).zip(news(&now.types, &before.types)) {
                sums.push((What::Type, type_word(number), count));
            }
            for (number, count) in (0..).zip(news(&now.rcodes, &before.rcodes)) {
                sums.push((What::Rcode, rcode_word(number), count));
            }
        }
        for (what, label, count) in sums.into_iter().filter(|(.., count)| *count > 0) {
            *self.sums.entry((minute, what, label)).or_default() += count;
        }
        for (lane, totals) in lanes {
            match self.last.iter_mut().find(|(known, _)| known == lane) {
                Some((_, last)) => *last = totals.clone(),
                None => self.last.push((*lane, totals.clone())),
            }
        }
        while self.sums.len() > WAITING_MAX {
            self.sums.pop_first();
        }
    }

    /// Takes over a query of the sample.
    pub(super) fn note(&mut self, sample: &Sample<'_>, now_ms: i64) {
        let weight = u64::from(sample.weight);
        self.one_in = self.one_in.max(sample.weight);
        let zone = sample.zone.map(|zone| zone.to_string().to_ascii_lowercase());
        let ours = zone.is_some();
        let minute = Scale::Minute.begin(now_ms);
        *self.sums.entry((minute, What::Zone, zone.unwrap_or_default())).or_default() += weight;
        if !ours || !matches!(sample.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return;
        }
        let name = sample.name.to_string().to_ascii_lowercase();
        let day_ms = Scale::Day.begin(now_ms);
        if self.names.last().is_none_or(|names| names.day_ms != day_ms) {
            self.names.push(Names { day_ms, ..Names::default() });
            let waiting = self.names.len().saturating_sub(NAMES_WAITING_MAX);
            self.names.drain(..waiting);
        }
        let Some(names) = self.names.last_mut() else { return };
        if sample.rcode == Rcode::NXDOMAIN {
            names.missing.add(name, weight);
            return;
        }
        if !sample.wildcard && (self.live.len() < LIVE_WAITING_MAX || self.live.contains_key(&name))
        {
            *self.live.entry(name.clone()).or_default() += weight;
        }
        names.ours.add(name, weight);
    }

    /// Writes all of it down, in one transaction; what cannot be written stays.
    pub(super) fn keep(&mut self, store: &Store, now_ms: i64) -> Result<(), StoreError> {
        // Without news nobody waits for the writer.
        let is_quiet = self.sums.is_empty() && self.live.is_empty();
        if is_quiet && !store.read::<_, StoreError>(|reader| reader.has_uncounted_name())? {
            return Ok(());
        }
        self.fill_names(store)?;
        let mut live: Vec<(&String, &u64)> = self.live.iter().collect();
        live.sort_by(|a, b| b.1.cmp(a.1));
        live.truncate(LIVE_AT_ONCE);
        store.write::<_, StoreError>(|tx| {
            self.keep_sums(tx)?;
            for names in &self.names {
                tx.put_query_names(names.day_ms, true, &names.ours.top(NAMES_KEPT))?;
                tx.put_query_names(names.day_ms, false, &names.missing.top(NAMES_KEPT))?;
            }
            tx.drop_gone_counts()?;
            tx.begin_live_counts(now_ms)?;
            for (name, count) in &live {
                tx.add_live_count(name, now_ms, **count)?;
            }
            Ok(())
        })?;
        let kept: Vec<String> = live.into_iter().map(|(name, _)| name.clone()).collect();
        for name in kept {
            self.live.remove(&name);
        }
        self.sums.clear();
        let done = self.names.len().saturating_sub(1);
        self.names.drain(..done);
        Ok(())
    }

    /// Adds the sums of each minute to those of its minute, hour and day.
    fn keep_sums(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        for scale in Scale::ALL {
            let mut sums: BTreeMap<(i64, &str, &str), u64> = BTreeMap::new();
            for ((minute, what, label), count) in &self.sums {
                let at = (scale.begin(*minute), what.as_str(), label.as_str());
                *sums.entry(at).or_default() += count;
            }
            for ((at, what, label), count) in sums {
                tx.add_query_count((scale.as_str(), at), (what, label), count)?;
            }
        }
        Ok(())
    }

    /// Adds what the database holds of each day of names, once: they go on from there after a restart.
    fn fill_names(&mut self, store: &Store) -> Result<(), StoreError> {
        for names in self.names.iter_mut().filter(|names| !names.is_whole) {
            let day_ms = names.day_ms;
            let (ours, missing) = store.read::<_, StoreError>(|reader| {
                Ok((reader.query_names(day_ms, true)?, reader.query_names(day_ms, false)?))
            })?;
            for (sketch, kept) in [(&mut names.ours, ours), (&mut names.missing, missing)] {
                let fresh = std::mem::replace(sketch, Sketch::of(kept));
                for it in fresh.top(usize::MAX) {
                    sketch.add(it.name, it.count);
                }
            }
            names.is_whole = true;
        }
        Ok(())
    }
}

/// Drops what is too old to be shown, and what lies in the future by more than a day.
pub(super) fn forget(tx: &Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    let day = Scale::Day.length();
    for scale in Scale::ALL {
        let oldest = scale.first(now_ms) - SPARE * scale.length();
        tx.drop_query_counts(scale.as_str(), (oldest, now_ms + day))?;
    }
    let today = Scale::Day.begin(now_ms);
    tx.drop_query_names((today - NAME_DAYS * day, today + day))
}

//------------ Words ---------------------------------------------------------

/// A transport as it is called.
fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Quic => "QUIC",
    }
}

/// A type by its number among the counters; all that share one are empty.
fn type_word(number: usize) -> String {
    match u16::try_from(number) {
        Ok(number) if usize::from(number) < TYPES => Rtype(number).to_string(),
        _ => String::new(),
    }
}

/// A response code by its number among the counters; all that share one are empty.
fn rcode_word(number: usize) -> String {
    match u16::try_from(number) {
        Ok(number) if usize::from(number) < RCODES => Rcode(number).to_string(),
        _ => String::new(),
    }
}
