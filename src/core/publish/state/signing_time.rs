//! Whether the clock is good enough to sign: with a wrong one, signatures would be rejected, or outlive
//! what they sign.

use super::{Inner, PublishError, ZoneState};

/// How far before the newest signature the clock may be, in seconds: it may have been set right.
const BEHIND_MAX_S: i64 = 600;

impl Inner {
    /// The time of signatures made now, in seconds modulo 2³² (RFC 4034 §3.1.5). An error if the clock is doubted,
    /// or before the newest signature that is served.
    pub(crate) fn signing_time(&self, state: &ZoneState, now_ms: i64) -> Result<u32, PublishError> {
        let error = |why| PublishError::Clock { zone: state.source.apex.clone(), why };
        // The times of signatures wrap.
        let now = (now_ms.div_euclid(1000) & 0xffff_ffff) as u32;
        match self.store.read(|reader| reader.clock())? {
            Some(known) if !known.believes(now_ms) => {
                return Err(error(
                    "the clock is in doubt. If it is right, confirm it: gapura ctl clock"
                        .to_owned(),
                ));
            }
            // Somebody said that it is right, or it has run long enough: then it was wrong before.
            Some(_) => return Ok(now),
            None => {}
        }
        if let Some(ahead) = state.newest_signature_ahead(now).filter(|it| *it > BEHIND_MAX_S) {
            let why = format!(
                "the clock is {ahead} s before the newest signature that is served: correct it"
            );
            return Err(error(why));
        }
        Ok(now)
    }
}
