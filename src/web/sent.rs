//! A submitted form: its fields, its file, and the check of its CSRF token.

use axum::body::to_bytes;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use subtle::ConstantTimeEq;

use super::failure::Failure;
use super::proof::is_fresh;
use super::state::State;
use super::unsent::{self, Place};
use super::visitor::Visitor;
use crate::bulk::ZIP_MAX;
use crate::desk::TEXT_MAX;
use crate::uploads::TAKEN_MAX;

/// The end of the path of the page that takes an archive of letters; its body is limited as a whole, too.
const LETTERS: &str = "/surat";
/// Most fields of one form.
const FIELDS_MAX: usize = 400;
/// Longest name of a file that is kept, in characters.
const NAME_MAX: usize = 120;
/// Longest value of a field that is no file, in bytes: what is too long in characters is told at its
/// field, whatever the characters are.
const VALUE_MAX: usize = 4 * TEXT_MAX + 16 * 1024;
/// Largest body of a form without a file.
const PLAIN_MAX: usize = 512 * 1024;

/// A file that came with a form, as it came.
#[derive(Debug)]
pub(super) struct Upload {
    /// The name the sender's machine gave it.
    pub(super) name: String,
    /// Its content.
    pub(super) bytes: Vec<u8>,
}

impl Upload {
    /// Takes a file in, octets by octets, up to what a letter may have.
    pub(super) async fn take(part: Field<'_>) -> Result<Self, Failure> {
        Self::take_up_to(part, TAKEN_MAX).await
    }

    /// The same up to so many octets.
    async fn take_up_to(mut part: Field<'_>, most: usize) -> Result<Self, Failure> {
        let large = || Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE);
        let name = part.file_name().unwrap_or_default().chars().take(NAME_MAX).collect();
        let mut bytes = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(|_| large())? {
            if bytes.len() + chunk.len() > most {
                return Err(large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { name, bytes })
    }
}

/// Names and values of a form, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// The trimmed value of a field; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A form with a right token.
pub(super) struct Sent {
    /// Who sent it.
    pub(super) visitor: Visitor,
    /// Names and values, in order.
    pub(super) fields: Fields,
    /// The file, if one was chosen.
    pub(super) upload: Option<Upload>,
}

impl Sent {
    /// The trimmed value of a field; empty if it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name)
    }

    /// The value as it came (passwords may begin or end with a blank).
    pub(super) fn raw(&self, name: &str) -> &str {
        let found = self.fields.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.all(name)
    }
}

impl FromRequest<State> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &State) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let place = Place::of(&parts);
        let fresh = is_fresh(state, &visitor, &parts);
        if place.is_none() {
            fresh.clone()?;
        }
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let multipart = kind == "multipart/form-data";
        if !multipart && kind != "application/x-www-form-urlencoded" {
            return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let request = Request::from_parts(parts, body);
        let (fields, upload) = if multipart {
            read_parts(request, state).await?
        } else {
            (read_plain(request).await?, None)
        };
        let sent = Self { visitor, fields: Fields(fields), upload };
        sent.belongs(state, place, fresh).await?;
        Ok(sent)
    }
}

impl Sent {
    /// Whether the form may be taken in: its token is right and the person's proof fresh. What an officer
    /// typed is kept where it may not.
    async fn belongs(
        &self,
        state: &State,
        place: Option<Place>,
        fresh: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let csrf = self.raw("csrf");
        let right = bool::from(csrf.as_bytes().ct_eq(self.visitor.csrf.token.as_bytes()));
        let person = match self.visitor.officer() {
            Some(session) if right => Some(session.account.id.clone()),
            Some(_) => None,
            None => unsent::person_of(state, &self.visitor, csrf),
        };
        match (right, place) {
            (true, Some(place)) if fresh.is_ok() => {
                unsent::drop_kept(state, &self.visitor, &place.form, &self.fields).await
            }
            (true, None) => Ok(()),
            (_, Some(place)) => {
                let Some(person) = person else { return Err(Failure::stale_form()) };
                unsent::keep(state, &person, &place.form, &self.fields).await?;
                fresh?;
                Err(Failure::sign_in_first(&place.page))
            }
            (false, None) => Err(Failure::stale_form()),
        }
    }
}

/// Reads `application/x-www-form-urlencoded`.
async fn read_plain(request: Request) -> Result<Vec<(String, String)>, Failure> {
    let bytes = to_bytes(request.into_body(), PLAIN_MAX)
        .await
        .map_err(|_| Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::bad_request())?;
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(FIELDS_MAX);
    let mut fields = Vec::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(Failure::bad_request());
        };
        if value.len() > VALUE_MAX {
            return Err(Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        fields.push((name, value));
    }
    Ok(fields)
}

/// Undoes percent and plus signs.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Fields and at most one file of a `multipart/form-data` body.
type Parted = (Vec<(String, String)>, Option<Upload>);

/// Reads `multipart/form-data`.
async fn read_parts(request: Request, state: &State) -> Result<Parted, Failure> {
    let takes_archives = request.uri().path().ends_with(LETTERS);
    let large = |_| Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE);
    let mut form =
        Multipart::from_request(request, state).await.map_err(|_| Failure::bad_request())?;
    let (mut fields, mut upload) = (Vec::new(), None);
    let most = if takes_archives { ZIP_MAX } else { TAKEN_MAX };
    while let Some(part) = form.next_field().await.map_err(large)? {
        if part.file_name().is_some() {
            let file = Upload::take_up_to(part, most).await?;
            if !file.bytes.is_empty() {
                upload = Some(file);
            }
            continue;
        }
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(large)?;
        let value = String::from_utf8(bytes.to_vec()).map_err(|_| Failure::bad_request())?;
        if value.len() > VALUE_MAX || fields.len() >= FIELDS_MAX {
            return Err(Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        fields.push((name, value));
    }
    Ok((fields, upload))
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::web::redirect::encode;

    #[test]
    fn what_a_browser_encodes_reads_back() {
        assert_eq!(decode("desa+grogol%20%C3%A9").unwrap(), "desa grogol é");
        assert!(decode("%f").is_none() && decode("%ff").is_none());
        assert_eq!(decode(&encode("a b/ü?&=")).unwrap(), "a b/ü?&=");
    }
}
