//! Writes a message into a fixed buffer and never past a limit.
//!
//! No allocation: the caller asks for room once per record ([`Writer::fits`]) and then writes. What
//! must not be lost (OPT, TSIG) is reserved first and released when it is written. A record set
//! that turns out not to fit is taken back as a whole with [`Writer::rewind`].

use super::header::HEADER_OCTETS;
use super::{Class, Rtype};

/// Largest offset a compression pointer can hold (RFC 1035 §4.1.4).
pub const POINTER_MAX: usize = 0x3fff;

//------------ Writer --------------------------------------------------------

/// A message under construction.
#[derive(Debug)]
pub struct Writer<'o> {
    /// Where the message goes.
    out: &'o mut [u8],
    /// Octets written.
    at: usize,
    /// Octets that may be used now, the reserve taken off; at most `out.len()`.
    limit: usize,
}

impl<'o> Writer<'o> {
    /// A writer behind room for the header, for at most `limit` octets of `out`. `None` if not even
    /// the header fits.
    #[inline]
    pub fn new(out: &'o mut [u8], limit: usize) -> Option<Self> {
        let limit = limit.min(out.len());
        (limit >= HEADER_OCTETS).then_some(Self { out, at: HEADER_OCTETS, limit })
    }

    /// Octets written so far: where the next one goes.
    #[inline]
    pub fn len(&self) -> usize {
        self.at
    }

    /// Whether nothing but the header's room has been taken.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.at == HEADER_OCTETS
    }

    /// Takes `octets` off the limit, to be given back with [`release`](Self::release). False, and
    /// nothing taken, if they are not there.
    #[inline]
    pub fn reserve(&mut self, octets: usize) -> bool {
        let room = self.limit - self.at >= octets;
        if room {
            self.limit -= octets;
        }
        room
    }

    /// Releases reserved octets.
    #[inline]
    pub fn release(&mut self, octets: usize) {
        self.limit = (self.limit + octets).min(self.out.len());
    }

    /// Whether `octets` more may be written.
    #[inline]
    pub fn fits(&self, octets: usize) -> bool {
        self.limit - self.at >= octets
    }

    /// Octets that may still be written.
    #[inline]
    pub fn room(&self) -> usize {
        self.limit - self.at
    }

    /// Takes back everything after `mark`, an earlier [`len`](Self::len).
    #[inline]
    pub fn rewind(&mut self, mark: usize) {
        self.at = mark.clamp(HEADER_OCTETS, self.at);
    }

    /// Writes `bytes`; false, and nothing written, if they do not fit.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> bool {
        let room = self.fits(bytes.len());
        if room {
            self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
            self.at += bytes.len();
        }
        room
    }

    /// Writes two octets.
    #[inline]
    pub fn put_u16(&mut self, value: u16) -> bool {
        self.put(&value.to_be_bytes())
    }

    /// Writes four octets.
    #[inline]
    pub fn put_u32(&mut self, value: u32) -> bool {
        self.put(&value.to_be_bytes())
    }

    /// Writes a compression pointer to `offset`.
    #[inline]
    pub fn put_pointer(&mut self, offset: u16) -> bool {
        debug_assert!(usize::from(offset) <= POINTER_MAX);
        self.put_u16(0xc000 | offset)
    }

    /// Writes the fields between a record's owner and its RDATA.
    #[inline]
    pub fn put_fixed(&mut self, rtype: Rtype, class: Class, ttl: u32, rdata_octets: u16) -> bool {
        let (t, c, s, n) = (
            rtype.0.to_be_bytes(),
            class.0.to_be_bytes(),
            ttl.to_be_bytes(),
            rdata_octets.to_be_bytes(),
        );
        self.put(&[t[0], t[1], c[0], c[1], s[0], s[1], s[2], s[3], n[0], n[1]])
    }

    /// Overwrites two octets written earlier.
    #[inline]
    pub fn patch_u16(&mut self, offset: usize, value: u16) {
        if let Some(place) = self.out[..self.at].get_mut(offset..offset + 2) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// What has been written, header's room included.
    pub fn written(&self) -> &[u8] {
        &self.out[..self.at]
    }

    /// Writes the header and returns the length of the message.
    pub fn finish(&mut self, id: u16, flags: u16, counts: [u16; 4]) -> usize {
        let (id, flags) = (id.to_be_bytes(), flags.to_be_bytes());
        let [q, a, n, x] = counts.map(u16::to_be_bytes);
        self.out[..HEADER_OCTETS].copy_from_slice(&[
            id[0], id[1], flags[0], flags[1], q[0], q[1], a[0], a[1], n[0], n[1], x[0], x[1],
        ]);
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_and_the_reserve_comes_back() {
        let mut out = [0u8; 64];
        let mut writer = Writer::new(&mut out, 20).unwrap();
        assert!(writer.reserve(4) && !writer.reserve(5));
        assert!(writer.put_u32(7) && !writer.put(&[1]));
        writer.release(4);
        assert!(writer.put_u16(1) && writer.put_u16(2) && !writer.put(&[3]));
        let mark = writer.len();
        writer.rewind(mark - 2);
        assert_eq!(writer.room(), 2);
        assert_eq!(writer.finish(1, 2, [3, 4, 5, 6]), 18);
        assert_eq!(out[..14], [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0]);
    }

    #[test]
    fn a_buffer_smaller_than_a_header_is_no_writer() {
        assert!(Writer::new(&mut [0; 11], 512).is_none());
        assert!(Writer::new(&mut [0; 64], 11).is_none());
    }
}
