//! The watch over the clock: brings its row up to now, turn by turn, and logs a doubt that begins or
//! ends. Some things are done by time alone and cannot be undone: whatever does them checks here first.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::clock::ClockRow;
use super::{Reader, Store, StoreError};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

//------------ ClockWatch ----------------------------------------------------

/// What the watch knows between two turns.
#[derive(Default)]
pub struct ClockWatch {
    /// The row as it is now; none before the first turn.
    now: Option<ClockRow>,
    /// The row as it was written last.
    written: Option<ClockRow>,
}

impl ClockWatch {
    /// Brings the row up to now, `ran` after the turn before by a clock that nobody sets, and keeps what has
    /// changed. A doubt that begins is logged in these words.
    pub fn turn(
        &mut self,
        store: &Store,
        now_ms: i64,
        ran: Duration,
        words: fn(&Doubt) -> String,
    ) -> Result<(), StoreError> {
        let before = self.doubt();
        let known = match self.now {
            Some(row) => row,
            None => {
                let known = store.read(|reader| reader.clock_at_start())?;
                known.unwrap_or_else(|| ClockRow::believed(now_ms))
            }
        };
        let row = known.turned(now_ms, i64::try_from(ran.as_millis()).unwrap_or(i64::MAX));
        self.now = Some(row);
        match (before, self.doubt()) {
            (None, Some(doubt)) => tracing::error!("{}", words(&doubt)),
            (Some(_), None) => tracing::info!("the clock is believed again"),
            _ => {}
        }
        if row.is_worth_writing(self.written.as_ref()) {
            store.write::<_, StoreError>(|tx| tx.put_clock(&row))?;
            self.written = Some(row);
        }
        Ok(())
    }

    /// Takes a row that was written because somebody says that the clock is right.
    pub fn confirmed(&mut self, row: ClockRow) {
        (self.now, self.written) = (Some(row), Some(row));
    }

    /// Whether there was a turn.
    pub fn has_turned(&self) -> bool {
        self.now.is_some()
    }

    /// The doubt about the clock, if there is one.
    pub fn doubt(&self) -> Option<Doubt> {
        let row = self.now?;
        let (now_ms, left_ms) = (row.doubted_ms?, row.left_ms()?);
        Some(Doubt { now_ms, believed_ms: row.believed_ms, left_ms })
    }
}

impl Reader<'_> {
    /// The row of the last run; in a database without one, the time of its last event was believed, or of
    /// the last change of a zone.
    fn clock_at_start(&self) -> Result<Option<ClockRow>, StoreError> {
        if let Some(row) = self.clock()? {
            return Ok(Some(row));
        }
        let told = match self.last_event_ms()? {
            Some(told) => Some(told),
            None => self.last_change_ms()?,
        };
        Ok(told.map(ClockRow::believed))
    }

    /// The time of the last event.
    #[cfg(feature = "approval")]
    fn last_event_ms(&self) -> Result<Option<i64>, StoreError> {
        let Some((last, _)) = self.chain_head()? else { return Ok(None) };
        Ok(self.events_after(last - 1, 1)?.pop().map(|event| event.at_ms))
    }

    /// A name server alone has no events.
    #[cfg(not(feature = "approval"))]
    fn last_event_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }
}

//------------ Doubt ---------------------------------------------------------

/// What somebody can do who knows that the clock is right.
const DEED: &str = "run `gapura ctl clock`, or ";

/// A clock that cannot be believed yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// What the clock says (epoch ms).
    pub now_ms: i64,
    /// The last time that was believed (epoch ms).
    pub believed_ms: i64,
    /// How much longer gapura has to run with this clock, in milliseconds.
    pub left_ms: i64,
}

impl Doubt {
    /// The words of it where no queue is open: nobody's word on the clock could be put on record. A name server
    /// alone keeps no record.
    pub fn without_queue(&self) -> String {
        let deed = if cfg!(feature = "approval") { "" } else { DEED };
        self.words("no serial is made from it, and nothing is signed", deed)
    }

    /// The words: what is not done, and what else than waiting ends it.
    fn words(&self, undone: &str, deed: &str) -> String {
        let (now, last) = (rfc3339(self.now_ms), rfc3339(self.believed_ms));
        let hours = self.left_ms / HOUR_MS + 1;
        format!(
            "the clock says {now}, and the last time gapura was sure of is {last}: {undone}. If the clock is wrong, \
             correct it; if it is right, {deed}wait {hours} h"
        )
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words(
            "nothing is erased, ended or released by time, and no serial is made from it",
            DEED,
        ))
    }
}

/// Epoch milliseconds as RFC 3339 in UTC, to the second.
fn rfc3339(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds of a day.
    const DAY_MS: i64 = 24 * HOUR_MS;
    /// 2026-11-24 03:00 UTC.
    const NOW: i64 = 1_795_489_200_000;

    #[test]
    fn a_doubt_is_kept_for_the_next_watch_and_ends_by_running() {
        let made = tempfile::tempdir().unwrap();
        let store = Store::open(made.path()).unwrap();
        let turn = |watch: &mut ClockWatch, now_ms, ran| {
            watch.turn(&store, now_ms, Duration::from_secs(ran), ToString::to_string).unwrap();
            watch.doubt()
        };
        let mut watch = ClockWatch::default();
        assert!(!watch.has_turned() && turn(&mut watch, NOW, 0).is_none());
        let jumped = NOW + 8 * DAY_MS;
        assert!(turn(&mut watch, jumped, 5).is_some());
        let mut watch = ClockWatch::default();
        let doubt = turn(&mut watch, jumped, 0).unwrap();
        assert!(doubt.without_queue().ends_with("wait 49 h"), "{doubt:?}");
        assert!(doubt.to_string().contains("run `gapura ctl clock`, or wait 49 h"));
        assert!(turn(&mut watch, jumped, 2 * 86_400 + 60).is_none());
        assert_eq!(store.read(|reader| reader.clock()).unwrap().unwrap().believed_ms, jumped);
    }
}
