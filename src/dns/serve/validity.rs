//! From when to when a certificate is valid (RFC 5280 §4.1.2.5), and what is to be said of it.
//!
//! A certificate that is over is served all the same, since there is no better one; clients refuse it.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, KeyUsage};

/// Seconds before the end from which on it is said, if that is less than a quarter of the whole.
const SOON_SECONDS: i64 = 14 * 86_400;

/// The time of a certificate, seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// Its first second.
    pub(super) from: i64,
    /// Its last second.
    pub until: i64,
}

impl Validity {
    /// Reads it; none of a certificate that is odd in another way, which clients will say.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = EndEntityCert::try_from(certificate).ok()?;
        // The verifier looks at the time first, and says what it has found.
        let verify = |seconds| {
            let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            certificate
                .verify_for_usage(&[], &[], &[], at, KeyUsage::server_auth(), None, None)
                .err()
        };
        let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let from = match verify(0) {
            Some(Error::CertNotValidYet { not_before, .. }) => seconds(not_before),
            _ => 0,
        };
        match verify(u64::MAX) {
            Some(Error::CertExpired { not_after, .. }) => {
                Some(Self { from, until: seconds(not_after) })
            }
            _ => None,
        }
    }

    /// What is to be said of it at a time, in seconds since 1970.
    pub fn trouble(&self, now: i64) -> Option<Trouble> {
        let soon = SOON_SECONDS.min((self.until - self.from) / 4);
        if now < self.from {
            Some(Trouble::NotYet { from: self.from })
        } else if now > self.until {
            Some(Trouble::Over { until: self.until })
        } else if self.until - now < soon {
            Some(Trouble::Soon { until: self.until })
        } else {
            None
        }
    }
}

/// What is to be said of a certificate's time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// It is not valid yet.
    NotYet {
        /// From when.
        from: i64,
    },
    /// It will end soon.
    Soon {
        /// When.
        until: i64,
    },
    /// It has ended.
    Over {
        /// When.
        until: i64,
    },
}

impl Trouble {
    /// Whether clients refuse it now.
    pub fn is_refused(self) -> bool {
        !matches!(self, Self::Soon { .. })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = |seconds: &i64| {
            OffsetDateTime::from_unix_timestamp(*seconds)
                .map_or_else(|_| format!("second {seconds}"), |time| time.date().to_string())
        };
        match self {
            Self::NotYet { from } => write!(f, "the certificate is valid from {} on", date(from)),
            Self::Soon { until } => write!(f, "the certificate expires on {}", date(until)),
            Self::Over { until } => write!(f, "the certificate expired on {}", date(until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_time_of_a_certificate_is_read_and_told() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/serve/tests/localhost.crt");
        let certificate = CertificateDer::from_pem_file(file).unwrap();
        let read = Validity::of(&certificate).unwrap();
        assert!(read.from > 1_700_000_000 && read.until > read.from + 86_400, "{read:?}");
        let day = 86_400;
        let year = Validity { from: 0, until: 365 * day };
        for (now, words) in [
            (-1, "the certificate is valid from 1970-01-01 on"),
            (200 * day, ""),
            (352 * day, "the certificate expires on 1971-01-01"),
            (366 * day, "the certificate expired on 1971-01-01"),
        ] {
            let told = year.trouble(now).map(|it| it.to_string()).unwrap_or_default();
            assert_eq!(told, words);
        }
        let week = Validity { from: 0, until: 7 * day };
        assert_eq!((week.trouble(5 * day), week.trouble(6 * day).is_some()), (None, true));
    }
}
