//! What an applicant asks for: the JSON of docs/api.md, before anyone judges it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::lifecycle::Raised;
use super::named::named;
use super::person::{Identity, same_mailbox};

/// The TTL a record gets when the request names none, in seconds.
pub const TTL_DEFAULT: u32 = 3600;

//------------ Kind ----------------------------------------------------------

named! {
    /// What a request does to a name (docs/procedure.md, Live record).
    #[derive(Default)]
    pub enum Kind {
        /// *Permohonan baru*: adds RRsets under a free name.
        #[default]
        New = "new",
        /// *Perubahan*: replaces RRsets of a live name.
        Change = "change",
        /// *Penangguhan* or its lifting: takes the RRsets out, or puts the same ones back.
        Suspend = "suspend",
        /// *Pencabutan*: removes the RRsets and quarantines the name.
        Remove = "remove",
        /// *Alih kelola*: another office owns it; DNS stays as it is.
        HandOver = "hand_over",
        /// *Perpanjangan*: the owner confirms it, with another contact or end date.
        Renew = "renew",
    }
}

impl Kind {
    /// Whether the request carries the records to be served.
    pub fn brings_records(self) -> bool {
        matches!(self, Self::New | Self::Change)
    }

    /// The last part of the ids of messages that say what becomes of it; `lift` is that of its application.
    pub fn said_as(self, lift: bool) -> &'static str {
        match self {
            Self::New => "new",
            Self::Change => "change",
            Self::Suspend if lift => "lift",
            Self::Suspend => "suspend",
            Self::Remove => "remove",
            Self::HandOver => "hand-over",
            Self::Renew => "renew",
        }
    }
}

//------------ NamingClass ---------------------------------------------------

named! {
    /// Which naming pattern applies (docs/procedure.md, Names).
    #[derive(Default)]
    pub enum NamingClass {
        /// An office of the regency, by its official short form.
        #[default]
        PerangkatDaerah = "perangkat_daerah",
        /// A district, `kec-NAME`.
        Kecamatan = "kecamatan",
        /// An urban village, `kel-NAME`.
        Kelurahan = "kelurahan",
        /// A village, `NAME.desa`.
        Desa = "desa",
        /// A service or application of an office.
        Layanan = "layanan",
        /// A unit below an office: UPTD, puskesmas, school.
        Uptd = "uptd",
        /// An activity with an end date.
        Kegiatan = "kegiatan",
        /// A civil organisation, `NAME.komunitas`.
        Ormas = "ormas",
    }
}

//------------ Application -----------------------------------------------------------

/// The data of one revision of a request, in the shape of `POST /requests`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Application {
    /// What is to happen.
    pub kind: Kind,
    /// The naming class.
    pub class: NamingClass,
    /// The name below the zone, without the zone and without a final dot.
    pub name: String,
    /// The zone, absolute, with the final dot.
    pub zone: String,
    /// The records to be served at the name; empty for [`Kind::Suspend`] and [`Kind::Remove`].
    #[serde(default)]
    pub records: Vec<RequestedRecord>,
    /// The office that asks and will own the name.
    pub office: String,
    /// Its region code (*kode wilayah*), for villages and districts.
    #[serde(default)]
    pub region: Option<String>,
    /// What the name is for.
    #[serde(default)]
    pub purpose: String,
    /// The person responsible (*penanggung jawab*).
    pub contact: Contact,
    /// The letter's number and date.
    pub letter: Letter,
    /// *berlaku mulai*: a date (00.00 WIB) or an RFC 3339 time; promotion waits for it.
    #[serde(default)]
    pub starts: Option<String>,
    /// *berlaku sampai*: a date (24.00 WIB) or an RFC 3339 time.
    #[serde(default)]
    pub ends: Option<String>,
    /// A date: for [`Kind::New`] without records, by when the site is to have a place. The name does not go
    /// live before records are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting_by: Option<String>,
    /// Why a reserved name or another pattern is asked for; without it such a name is turned back
    /// at once, with it the second signature decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// For [`Kind::Suspend`]: put the suspended RRsets back instead of taking them out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lift: bool,
    /// For [`Kind::Change`]: the request whose change this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse_of: Option<String>,
    /// Set by gapura where it asks by itself; never by a sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
}

impl Application {
    /// The same without the person responsible, and without the texts in which an applicant may have named somebody
    /// (UU 27/2022: erased, while the decision stays).
    pub fn without_persons(self) -> Self {
        Self { contact: Contact::default(), purpose: String::new(), exception: None, ..self }
    }
}

/// One record asked for. The owner is the request's name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RequestedRecord {
    /// The type's mnemonic.
    #[serde(rename = "type")]
    pub rtype: String,
    /// RDATA as in a master file; a name in it is absolute even without the final dot.
    pub data: String,
    /// Seconds.
    #[serde(default = "ttl_default")]
    pub ttl: u32,
}

/// For serde.
fn ttl_default() -> u32 {
    TTL_DEFAULT
}

/// The records of a target as people write it: addresses, or the name of a server, also out of a pasted URL.
pub fn records_to(text: &str) -> Vec<RequestedRecord> {
    let bare = text.trim();
    let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let words = bare.split([' ', ',', ';', '\t']).filter(|word| !word.is_empty());
    let record = |word: &str| {
        let is_digits = |c: char| c.is_ascii_digit() || c == '.';
        let (rtype, data) = match word.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => ("AAAA", word),
            Ok(IpAddr::V4(_)) => ("A", word),
            // Meant as an address, and then told as one.
            Err(_) if word.chars().all(is_digits) => ("A", word),
            Err(_) => ("CNAME", word.split('/').next().unwrap_or(word)),
        };
        RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: TTL_DEFAULT }
    };
    words.map(record).collect()
}

/// The person responsible for the name (docs/procedure.md, Personal data: no NIK).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Contact {
    /// Full name.
    pub name: String,
    /// *Jabatan*.
    #[serde(default)]
    pub position: String,
    /// Office mailbox.
    pub email: String,
    /// Office telephone.
    #[serde(default)]
    pub phone: String,
    /// 18 digits, if the person has one and gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nip: Option<String>,
}

impl Contact {
    /// Whether it says the same of the same person.
    pub fn is_same(&self, other: &Self) -> bool {
        let texts = |contact: &Self| {
            let Self { name, position, phone, .. } = contact;
            [name, position, phone].map(|text| text.trim().to_lowercase())
        };
        texts(self) == texts(other) && same_mailbox(&self.email, &other.email)
    }

    /// The person responsible, as a person.
    pub fn identity(&self) -> Identity {
        Identity::new(None, self.nip.as_deref(), Some(&self.email))
    }
}

/// What the letter says about itself; the file is kept by `store`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Letter {
    /// *Nomor surat*.
    pub number: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// SHA-256 of the file in hexadecimal, set by the desk when it takes the file in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Application {
    /// The last part of the ids of messages that say what became of it.
    pub fn said_as(&self) -> &'static str {
        self.kind.said_as(self.lift)
    }

    /// An application for a new service in a zone with nothing filled in yet.
    pub fn blank(zone: &str) -> Self {
        Self {
            kind: Kind::New,
            class: NamingClass::Layanan,
            name: String::new(),
            zone: zone.to_owned(),
            records: Vec::new(),
            office: String::new(),
            region: None,
            purpose: String::new(),
            contact: Contact::default(),
            letter: Letter::default(),
            starts: None,
            ends: None,
            hosting_by: None,
            exception: None,
            lift: false,
            inverse_of: None,
            raised: None,
        }
    }
}
