//! OpenAPI schemas of the types of `queue`, which does not know OpenAPI.
//!
//! A word of the procedure is a string from its list; what it means is said by the program, which has the catalogues. What
//! an applicant sends is described here a second time, field by field; a test holds the fields equal.

// The macros that write the document spell out every path.
#![allow(unused_qualifications)]

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::queue::{
    ActKind, Application, Contact, FaultCode, Ground, Kind, Letter, LineCode, LineInput,
    LineVerdict, LiveState, NamingClass, NoticeState, Origin, Outcome, Overrule, PaperKind, Phase,
    RejectReason, RequestedRecord, Role, Rule, State, Way,
};

/// Schemas of enums with words.
macro_rules! words {
    ($($name:ident,)*) => {
        $(
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let schema = ObjectBuilder::new().schema_type(Type::String);
                    schema.enum_values(Some($name::ALL.map($name::as_str))).build().into()
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

words! {
    FaultCode,
    Kind,
    LineCode,
    LineVerdict,
    LiveState,
    NamingClass,
    NoticeState,
    Origin,
    Outcome,
    Overrule,
    Ground,
    PaperKind,
    Phase,
    RejectReason,
    Role,
    Rule,
    State,
    Way,
    ActKind,
}

/// Schemas of structs by the shape that describes their fields.
macro_rules! shaped {
    ($($name:ident: $shape:ident,)*) => {
        $(
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $shape::schema()
                }
            }

            impl ToSchema for $name {
                fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    $shape::schemas(schemas);
                }
            }
        )*
    };
}

shaped! {
    Application: ApplicationShape,
    RequestedRecord: RecordShape,
    Contact: ContactShape,
    Letter: LetterShape,
    LineInput: LineShape,
}

/// The data of one revision of a request, in the shape of `POST /requests`.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
struct ApplicationShape {
    /// What is to happen.
    kind: Kind,
    /// The naming class.
    class: NamingClass,
    /// The name below the zone, without the zone and without a final dot.
    name: String,
    /// The zone, absolute, with the final dot.
    zone: String,
    /// The records to be served at the name: needed for `change`, and for `new` unless `hosting_by` is given; none
    /// for other kinds.
    #[schema(required = false)]
    records: Vec<RequestedRecord>,
    /// The office that asks and will own the name: for `hand_over` the one that is to have it.
    office: String,
    /// Its region code (*kode wilayah*), for villages and districts.
    region: Option<String>,
    /// What the name is for.
    purpose: String,
    /// The person responsible (*penanggung jawab*).
    contact: Contact,
    /// The letter's number and date; both empty for a `renew` without a letter.
    letter: Letter,
    /// *berlaku mulai*: a date (00.00 WIB) or an RFC 3339 time; promotion waits for it.
    starts: Option<String>,
    /// *berlaku sampai*: a date (24.00 WIB) or an RFC 3339 time.
    ends: Option<String>,
    /// A date within 90 days: for `new` without records, by when the site is to have a place. The name does not go
    /// live before records are there; the request is returned for them.
    #[schema(required = false, format = Date)]
    hosting_by: Option<String>,
    /// Why a reserved name or another pattern is asked for; without it such a name is refused
    /// at once, with it the second signature decides.
    exception: Option<String>,
    /// For `suspend`: put the suspended RRsets back instead of taking them out.
    #[schema(required = false)]
    lift: bool,
    /// For `change`: the request whose change this one takes back.
    inverse_of: Option<String>,
}

/// One record asked for. The owner is the request's name.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
struct RecordShape {
    /// The type's mnemonic.
    #[schema(rename = "type")]
    rtype: String,
    /// RDATA as in a master file; a name in it is absolute even without the final dot.
    data: String,
    /// Seconds.
    #[schema(required = false)]
    ttl: u32,
}

/// The person responsible for the name; no NIK.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
struct ContactShape {
    /// Full name.
    name: String,
    /// *Jabatan*.
    position: String,
    /// Office mailbox.
    #[schema(format = Email)]
    email: String,
    /// Office telephone.
    phone: String,
    /// 18 digits, if the person has one and gives it.
    nip: Option<String>,
}

/// A verdict on one line of the check sheet.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
struct LineShape {
    /// Which line.
    code: LineCode,
    /// `null`: not looked at.
    #[schema(required = false)]
    verdict: Option<LineVerdict>,
    /// Needed unless the verdict is `ok`, and where an automatic line that did not pass is passed over.
    #[schema(required = false, max_length = 4000)]
    note: Option<String>,
}

/// What the letter says about itself.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
struct LetterShape {
    /// *Nomor surat*.
    number: String,
    /// *Tanggal surat*.
    #[schema(format = Date)]
    date: String,
    /// SHA-256 of the file in hexadecimal, set when the file comes in; what is sent here is not kept.
    sha256: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The properties of a schema.
    fn properties(schema: &RefOr<Schema>) -> Vec<String> {
        let json = serde_json::to_value(schema).unwrap();
        json["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_document_describes_what_an_application_holds() {
        let sent = serde_json::json!({
            "kind": "suspend", "class": "desa", "name": "a.desa", "zone": "cirebonkab.go.id.",
            "records": [{ "type": "A", "data": "192.0.2.1", "ttl": 60 }],
            "office": "o", "region": "32", "purpose": "p", "exception": "e", "lift": true,
            "inverse_of": "GPR-1", "starts": "2026-11-23", "ends": "2026-11-24", "hosting_by": "2027-01-10",
            "contact": { "name": "n", "position": "p", "email": "a@b.id", "phone": "1", "nip": "2" },
            "letter": { "number": "1", "date": "2026-11-23", "sha256": "00" }
        });
        let read: Application = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), sent);
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(properties(&Application::schema()), keys(&sent));
        assert_eq!(properties(&RequestedRecord::schema()), keys(&sent["records"][0]));
        assert_eq!(properties(&Contact::schema()), keys(&sent["contact"]));
        assert_eq!(properties(&Letter::schema()), keys(&sent["letter"]));
    }
}
