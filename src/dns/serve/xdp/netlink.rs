//! Questions about interfaces to the kernel (rtnetlink(7)): asked, and read as messages and attributes.

use std::io;

use rustix::fd::OwnedFd;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// Octets of a message's header.
const HEADER: usize = 16;
/// Octets of the longest answer at once: the kernel sends no more than 32 KiB.
const ANSWER: usize = 32 << 10;
/// Flags of a question: it is one, and all there is is wanted.
const IS_QUESTION: u16 = 1;
const WANTS_ALL: u16 = 0x300;
/// Kinds of messages: an error or "done", the end of many, and "has more behind it".
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OF_MANY: u16 = 2;

//------------ Attributes ----------------------------------------------------

/// Attributes, one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Attributes<'a> {
    /// The value of the first of that kind.
    pub(super) fn get(mut self, wanted: u16) -> Option<&'a [u8]> {
        loop {
            let length = usize::from(number_16(self.0, 0)?);
            let kind = number_16(self.0, 2)? & 0x3fff;
            let value = self.0.get(4..length)?;
            if kind == wanted {
                return Some(value);
            }
            self.0 = self.0.get(length.next_multiple_of(4)..)?;
        }
    }

    /// The attributes inside the first of that kind.
    pub(super) fn inside(self, wanted: u16) -> Option<Self> {
        self.get(wanted).map(Self)
    }

    /// The number that is the value of the first of that kind.
    pub(super) fn number(self, wanted: u16) -> Option<u32> {
        number_32(self.get(wanted)?, 0)
    }
}

/// 16 bits in the machine's order.
pub(super) fn number_16(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|it| u16::from_ne_bytes(*it))
}

/// 32 bits in the machine's order.
pub(super) fn number_32(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|it| u32::from_ne_bytes(*it))
}

//------------ Netlink -------------------------------------------------------

/// A connection to the kernel.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// Opens one.
    pub(super) fn open() -> io::Result<Self> {
        // Without a protocol: NETLINK_ROUTE.
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        Ok(Self(socket_with(family, kind, SocketFlags::CLOEXEC, None)?))
    }

    /// Asks a question and passes the body of each message of the answer to `each`. `kind` is that of the question,
    /// `body` what is behind its header; `all` asks for everything there is.
    pub(super) fn ask(
        &self,
        kind: u16,
        body: &[u8],
        all: bool,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let flags = if all { IS_QUESTION | WANTS_ALL } else { IS_QUESTION };
        let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
        let mut question = length.to_ne_bytes().to_vec();
        question.extend_from_slice(&kind.to_ne_bytes());
        question.extend_from_slice(&flags.to_ne_bytes());
        question.extend_from_slice(&[0; 8]);
        question.extend_from_slice(body);
        send(&self.0, &question, SendFlags::empty())?;
        let mut answer = vec![0; ANSWER];
        loop {
            let (length, _) = recv(&self.0, &mut answer, RecvFlags::empty())?;
            if messages(answer.get(..length).unwrap_or_default(), &mut each)? {
                return Ok(());
            }
        }
    }
}

/// Passes on the bodies of messages. Returns whether the answer is complete.
fn messages(mut octets: &[u8], each: &mut impl FnMut(&[u8])) -> io::Result<bool> {
    let cut = || io::Error::new(io::ErrorKind::InvalidData, "an answer of netlink is cut");
    while !octets.is_empty() {
        let length = number_32(octets, 0).ok_or_else(cut)? as usize;
        let (kind, flags) = number_16(octets, 4).zip(number_16(octets, 6)).ok_or_else(cut)?;
        let body = octets.get(HEADER..length).ok_or_else(cut)?;
        match kind {
            DONE => return Ok(true),
            ERROR => {
                let error = number_32(body, 0).ok_or_else(cut)?.cast_signed();
                return if error == 0 {
                    Ok(true)
                } else {
                    Err(io::Error::from_raw_os_error(error.wrapping_neg()))
                };
            }
            _ => each(body),
        }
        if flags & OF_MANY == 0 {
            return Ok(true);
        }
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_and_a_cut_one_is_none() {
        let octets = [5, 0, 1, 0, 7, 0, 0, 0, 8, 0, 2, 0x80, 1, 0, 0, 0, 9, 0, 3, 0, 1];
        let all = Attributes(&octets);
        assert_eq!(all.get(1), Some(&[7][..]));
        #[cfg(target_endian = "little")]
        assert_eq!(all.number(2), Some(1), "marked as nested");
        assert_eq!((all.get(3), all.get(4)), (None, None));
        for length in 0..octets.len() {
            let _ = Attributes(&octets[..length]).get(9);
        }
        assert_eq!(Attributes(&[0, 0, 1, 0]).get(1), None, "a length that leads nowhere");
    }
}
