//! Frame Streams: data frames between control frames, each with its length before it, most significant octet first.

use std::io::{self, Read};

/// What our frames hold.
const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";
/// The field of a control frame that says what frames hold.
const FIELD_CONTENT_TYPE: u32 = 1;
/// Octets a control frame of the other side may have, as its specification limits it.
const CONTROL_OCTETS_MAX: u32 = 512;

/// Control frames.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Control {
    /// The reader accepts what was offered.
    Accept = 1,
    /// Data frames follow.
    Start = 2,
    /// No data frame follows.
    Stop = 3,
    /// The writer offers content types.
    Ready = 4,
    /// The reader has all.
    Finish = 5,
}

impl Control {
    /// The whole frame.
    pub(super) fn frame(self) -> Vec<u8> {
        let mut body = (self as u32).to_be_bytes().to_vec();
        if matches!(self, Self::Start | Self::Ready | Self::Accept) {
            body.extend(FIELD_CONTENT_TYPE.to_be_bytes());
            body.extend((CONTENT_TYPE.len() as u32).to_be_bytes());
            body.extend(CONTENT_TYPE);
        }
        [&0_u32.to_be_bytes()[..], &(body.len() as u32).to_be_bytes(), &body].concat()
    }
}

/// Puts a data frame.
pub(super) fn put_data(to: &mut Vec<u8>, data: &[u8]) {
    // A message is far shorter than 4 GiB.
    to.extend((data.len() as u32).to_be_bytes());
    to.extend(data);
}

/// Reads a control frame of this kind; one that should accept must accept what we send.
pub(super) fn expect(from: &mut impl Read, wanted: Control) -> io::Result<()> {
    let fault = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    let mut number = || -> io::Result<u32> {
        let mut octets = [0; 4];
        from.read_exact(&mut octets)?;
        Ok(u32::from_be_bytes(octets))
    };
    if number()? != 0 {
        return Err(fault("its reader does not speak Frame Streams"));
    }
    let length = number()?;
    if !(4..=CONTROL_OCTETS_MAX).contains(&length) {
        return Err(fault("its reader sent a control frame of a wrong length"));
    }
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    let (kind, fields) = body.split_first_chunk::<4>().ok_or_else(|| fault("no control frame"))?;
    if u32::from_be_bytes(*kind) != wanted as u32 {
        return Err(fault("its reader sent another control frame than expected"));
    }
    if wanted == Control::Accept && !fields.is_empty() && !offers_ours(fields) {
        return Err(fault("its reader does not take protobuf:dnstap.Dnstap"));
    }
    Ok(())
}

/// Whether our content type is among the fields of a control frame.
fn offers_ours(mut fields: &[u8]) -> bool {
    while let Some((head, rest)) = fields.split_first_chunk::<8>() {
        let [kind, length] = [&head[..4], &head[4..]]
            .map(|part| part.iter().fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet)));
        let Some((value, rest)) = rest.split_at_checked(length as usize) else { return false };
        if kind == FIELD_CONTENT_TYPE && value == CONTENT_TYPE {
            return true;
        }
        fields = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_frames_are_read_as_they_are_written() {
        for kind in
            [Control::Accept, Control::Start, Control::Stop, Control::Ready, Control::Finish]
        {
            assert!(expect(&mut kind.frame().as_slice(), kind).is_ok(), "{kind:?}");
        }
        assert_eq!(Control::Stop.frame(), b"\0\0\0\0\0\0\0\x04\0\0\0\x03");
        assert_eq!(Control::Start.frame().len(), 8 + 12 + 22);
    }

    #[test]
    fn what_is_not_expected_is_an_error() {
        let other = {
            let mut frame = Control::Accept.frame();
            let last = frame.len() - 1;
            frame[last] = b'?';
            frame
        };
        for (octets, what) in [
            (Control::Stop.frame(), "another frame"),
            (other, "another content type"),
            (b"\0\0\0\x04dataxxxx".to_vec(), "a data frame"),
            (b"\0\0\0\0\0\0\0\x02\0\x01".to_vec(), "too short"),
            (b"\0\0\0\0\0\x01\0\0\0\0\0\x01".to_vec(), "too long"),
            (Control::Accept.frame()[..20].to_vec(), "cut"),
            (Vec::new(), "nothing"),
        ] {
            assert!(expect(&mut octets.as_slice(), Control::Accept).is_err(), "{what}");
        }
    }
}
