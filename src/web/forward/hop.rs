//! What a node that passes a request on says of it: whose it is, and what proves that a node says so.
//!
//! The publishing node takes the visitor's address from there, for its limits and its log, and from nobody who does not
//! know the token.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::digest::hex;
use crate::web::door::Place;
use crate::web::state::State;

/// The header: an address and the token in hexadecimal digits, with a blank between.
const VISITOR: &str = "gapura-visitor";
/// Octets a token has at least.
const TOKEN_MIN: usize = 16;

//------------ NodeToken -----------------------------------------------------

/// What nodes of one database know, and nobody else.
#[derive(Clone, Eq, PartialEq)]
pub struct NodeToken(Arc<str>);

impl NodeToken {
    /// Of random octets; none of so few that they could be guessed.
    pub fn new(octets: &[u8]) -> Option<Self> {
        (octets.len() >= TOKEN_MIN).then(|| Self(hex(octets).into()))
    }

    /// Whether these are its digits.
    fn is(&self, digits: &str) -> bool {
        self.0.as_bytes().ct_eq(digits.as_bytes()).into()
    }
}

impl fmt::Debug for NodeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeToken")
    }
}

//------------ On the way there ----------------------------------------------

/// Whether a node passed the request on, or somebody says so.
pub(super) fn is_passed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(VISITOR)
}

/// Says whose request it is.
pub(super) fn vouch(headers: &mut HeaderMap, visitor: IpAddr, token: &NodeToken) {
    // An address and digits are always a header's value.
    if let Ok(mut line) = HeaderValue::try_from(format!("{visitor} {}", token.0)) {
        line.set_sensitive(true);
        headers.insert(VISITOR, line);
    }
}

//------------ Arrived -------------------------------------------------------

/// The visitor that a node vouches for; an error if the token is another one.
fn visitor(headers: &HeaderMap, token: Option<&NodeToken>) -> Result<Option<IpAddr>, Refused> {
    let mut lines = headers.get_all(VISITOR).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let (address, digits) = line.to_str().ok().and_then(|it| it.split_once(' ')).ok_or(Refused)?;
    let is_node = token.is_some_and(|token| token.is(digits)) && lines.next().is_none();
    if is_node { address.parse().map(Some).map_err(|_| Refused) } else { Err(Refused) }
}

/// A node does not say this, or one that knows another publisher.
#[derive(Debug, Eq, PartialEq)]
struct Refused;

/// Puts the visitor a node vouches for in the place of the node, as if they had come here themselves. Refuses whoever
/// only says that they are a node.
pub(in crate::web) async fn admit(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    match visitor(request.headers(), state.options().node_token.as_ref()) {
        Ok(None) => {}
        Ok(Some(visitor)) => {
            request.headers_mut().remove(VISITOR);
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(visitor, 0)));
            // A node's connections are those of many.
            request.extensions().get::<Arc<Place>>().inspect(|place| place.belongs_to_many());
        }
        Err(Refused) => return StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_makes_a_node() {
        let token = NodeToken::new(&[7; 32]).unwrap();
        assert!(NodeToken::new(&[7; 15]).is_none() && format!("{token:?}") == "NodeToken");
        let address: IpAddr = "2001:db8::7".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert!(!is_passed_on(&headers) && visitor(&headers, Some(&token)) == Ok(None));
        vouch(&mut headers, address, &token);
        assert!(is_passed_on(&headers));
        assert_eq!(visitor(&headers, Some(&token)), Ok(Some(address)));
        let other = NodeToken::new(&[8; 32]).unwrap();
        assert_eq!(visitor(&headers, Some(&other)), Err(Refused));
        assert_eq!(visitor(&headers, None), Err(Refused));
        headers.append(VISITOR, headers[VISITOR].clone());
        assert_eq!(visitor(&headers, Some(&token)), Err(Refused), "twice");
        for line in ["", "2001:db8::7", "2001:db8::7 ", &format!("x {}", token.0)] {
            headers.insert(VISITOR, line.parse().unwrap());
            assert_eq!(visitor(&headers, Some(&token)), Err(Refused), "{line:?}");
        }
    }
}
