//! The OPT record of a response: what is reserved for it, and what is put in it at the end.
//!
//! Its space is subtracted from the limit before the first record is written, so a large answer cannot
//! displace it (RFC 6891 §7). Options are only sent to clients that asked for them; the extended
//! error and the report channel to every client with EDNS.

use crate::wire::edns::option;
use crate::wire::{Edns, Rcode, Rtype, Writer};
use crate::zone::Zone;

use super::cookie::{CookieResult, FULL_OCTETS};
use super::peer::{Ede, Identity, Peer, Transport};

/// Octets of an OPT record without options.
const OPT_OCTETS: usize = 11;
/// Octets of an option's code and length.
const OPTION_HEAD: usize = 4;
/// Octets of NSID that are used.
const NSID_OCTETS_MAX: usize = 128;
/// Octets of an extended error's own text that are sent: the rest of a response needs room, too.
const NOTE_OCTETS_MAX: usize = 200;
/// Padding goes to the next multiple of this (RFC 8467 §4.1).
const PADDING_BLOCK: usize = 468;

//------------ Options -------------------------------------------------------

/// What the response's OPT will hold, decided when the query has been read.
#[derive(Debug)]
pub(crate) struct Options<'i> {
    /// The UDP size we announce.
    udp_size: u16,
    /// DO, copied from the query (RFC 3225).
    dnssec_ok: bool,
    /// Octets reserved in the writer.
    reserved: usize,
    /// The COOKIE payload.
    cookie: Option<[u8; FULL_OCTETS]>,
    /// The NSID payload, empty if none is sent.
    nsid: &'i [u8],
    /// The report channel's agent domain in wire form, empty if none is sent.
    agent: &'i [u8],
    /// The idle timeout in 100 ms.
    keepalive: Option<u16>,
    /// Whether the message is padded.
    padding: bool,
    /// Whether EXPIRE is sent, if a zone answers.
    expire: bool,
    /// Whether ZONEVERSION is sent, if a zone answers.
    zone_version: bool,
}

impl<'i> Options<'i> {
    /// Decides on the options and reserves their room; what finds none is left out, the least
    /// needed first. `None` if not even a bare OPT fits.
    #[inline]
    pub(crate) fn reserve(
        edns: &Edns<'_>,
        cookie: CookieResult,
        identity: &'i Identity,
        peer: &Peer<'_>,
        writer: &mut Writer<'_>,
    ) -> Option<Self> {
        if !writer.reserve(OPT_OCTETS) {
            return None;
        }
        let mut options = Self {
            udp_size: identity.udp_size.max(512),
            dnssec_ok: edns.dnssec_ok,
            reserved: OPT_OCTETS,
            cookie: None,
            nsid: &[],
            agent: &[],
            keepalive: None,
            padding: false,
            expire: false,
            zone_version: false,
        };
        if let Some(payload) = edns.cookie {
            options.reserve_cookie(payload, cookie, identity, peer, writer);
        }
        let stream = matches!(peer.transport, Transport::Tcp | Transport::Tls);
        if edns.keepalive && stream && peer.keepalive.is_some() && options.take(2, writer) {
            options.keepalive = peer.keepalive;
        }
        options.zone_version = edns.zone_version && options.take(6, writer);
        options.expire = edns.expire && options.take(4, writer);
        if edns.nsid && !identity.nsid.is_empty() {
            let nsid = &identity.nsid[..identity.nsid.len().min(NSID_OCTETS_MAX)];
            if options.take(nsid.len(), writer) {
                options.nsid = nsid;
            }
        }
        if let Some(agent) = &identity.report_agent
            && !agent.as_ref().is_root()
            && options.take(agent.wire().len(), writer)
        {
            options.agent = agent.wire();
        }
        options.padding = edns.padding && peer.transport.is_encrypted() && options.take(0, writer);
        Some(options)
    }

    /// Leaves padding out: what follows is not written here.
    pub(crate) fn leave_out_padding(&mut self) {
        self.padding = false;
    }

    /// Makes the server cookie, if the query's is one at all.
    fn reserve_cookie(
        &mut self,
        payload: &[u8],
        result: CookieResult,
        identity: &Identity,
        peer: &Peer<'_>,
        writer: &mut Writer<'_>,
    ) {
        let worth = !matches!(result, CookieResult::None | CookieResult::Malformed);
        if let Some(secrets) = identity.cookies.as_ref().filter(|_| worth)
            && self.take(FULL_OCTETS, writer)
        {
            self.cookie = Some(secrets.fresh(payload, peer.address, peer.now_seconds));
        }
    }

    /// Reserves an option of `payload` octets.
    fn take(&mut self, payload: usize, writer: &mut Writer<'_>) -> bool {
        let room = writer.reserve(OPTION_HEAD + payload);
        if room {
            self.reserved += OPTION_HEAD + payload;
        }
        room
    }

    /// Writes the OPT record into the room kept for it; the extended error has a text of its own, or none.
    #[inline]
    pub(crate) fn write(
        &self,
        writer: &mut Writer<'_>,
        rcode: Rcode,
        (ede, note): (Option<Ede>, &str),
        zone: Option<&Zone>,
    ) {
        writer.release(self.reserved);
        let flags: u16 = if self.dnssec_ok { 0x8000 } else { 0 };
        writer.put(&[0]);
        writer.put_u16(Rtype::OPT.0);
        writer.put_u16(self.udp_size);
        writer.put_u32(u32::from(rcode.0 >> 4) << 24 | u32::from(flags));
        let length_at = writer.len();
        writer.put_u16(0);
        if let Some(cookie) = &self.cookie {
            put_option(writer, option::COOKIE, &[cookie]);
        }
        if let Some(timeout) = self.keepalive {
            put_option(writer, option::KEEPALIVE, &[&timeout.to_be_bytes()]);
        }
        if let Some(zone) = zone {
            self.write_zone_options(writer, zone);
        }
        if !self.nsid.is_empty() {
            put_option(writer, option::NSID, &[self.nsid]);
        }
        if !self.agent.is_empty() {
            put_option(writer, option::REPORT_CHANNEL, &[self.agent]);
        }
        if let Some(ede) = ede {
            let text = if note.is_empty() { ede.text } else { cut(note) }.as_bytes();
            put_option(writer, option::EXTENDED_ERROR, &[&ede.code.to_be_bytes(), text]);
        }
        if self.padding {
            put_padding(writer);
        }
        let length = writer.len() - length_at - 2;
        writer.patch_u16(length_at, length as u16);
    }

    /// EXPIRE (RFC 7314 §4) and ZONEVERSION with the SOA serial (RFC 9660 §2).
    fn write_zone_options(&self, writer: &mut Writer<'_>, zone: &Zone) {
        if self.expire {
            put_option(writer, option::EXPIRE, &[&zone.seconds_left().to_be_bytes()]);
        }
        if self.zone_version {
            let head = [zone.apex_labels(), 0];
            put_option(writer, option::ZONE_VERSION, &[&head, &zone.serial().to_be_bytes()]);
        }
    }
}

/// The start of a text, as much as may be sent of it.
#[cold]
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(NOTE_OCTETS_MAX)]
}

/// Writes one option, its payload in parts; nothing if it does not fit.
fn put_option(writer: &mut Writer<'_>, code: u16, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if writer.fits(OPTION_HEAD + length) {
        writer.put_u16(code);
        writer.put_u16(length as u16);
        for part in parts {
            writer.put(part);
        }
    }
}

/// Pads the message to the next block, or as far as it may go.
fn put_padding(writer: &mut Writer<'_>) {
    if !writer.fits(OPTION_HEAD) {
        return;
    }
    let bare = writer.len() + OPTION_HEAD;
    let padding = (bare.next_multiple_of(PADDING_BLOCK) - bare).min(writer.room() - OPTION_HEAD);
    writer.put_u16(option::PADDING);
    writer.put_u16(padding as u16);
    const ZEROS: [u8; PADDING_BLOCK] = [0; PADDING_BLOCK];
    writer.put(&ZEROS[..padding]);
}
