//! The visitor behind a request: language, address, session, and the token of their forms.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::http::request::Parts;

use super::failure::Failure;
use super::state::State;
use crate::people::{Role, Session, Stage, keyed_tag};
use crate::words::{Lang, Words};

/// The visit cookie's value, put among the request's extensions by the outermost layer.
#[derive(Clone, Debug)]
pub(super) struct Visit(pub(super) String);

/// What is known of a visitor.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// The words of their language.
    pub(super) t: Words,
    /// Their address, past trusted proxies.
    pub(super) address: IpAddr,
    /// Random value of this browser; drafts and form tokens hang on it.
    pub(super) visit: String,
    /// The session cookie's value, if it holds.
    pub(super) token: Option<String>,
    /// The session, at whatever stage.
    pub(super) session: Option<Session>,
    /// Path and query asked for.
    pub(super) here: String,
    /// The token of their forms.
    pub(super) csrf: String,
}

impl Visitor {
    /// The session, if the sign-in is complete.
    pub(super) fn officer(&self) -> Option<&Session> {
        self.session.as_ref().filter(|session| session.stage == Stage::Full)
    }

    /// The session of an officer with one of these roles, own or acting.
    pub(super) fn need(&self, roles: &[Role]) -> Result<&Session, Failure> {
        let session = self
            .officer()
            .ok_or_else(|| Failure::new(axum::http::StatusCode::UNAUTHORIZED, "fail-sign-in"))?;
        let acting = session.acting.iter().any(|acting| roles.contains(&acting.role));
        if roles.contains(&session.account.role) || acting {
            Ok(session)
        } else {
            Err(Failure::forbidden())
        }
    }
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failure> {
        let words = Words::of(language(state, &parts.headers));
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let visit = parts.extensions.get::<Visit>().map(|visit| visit.0.clone());
        let visit = visit.unwrap_or_default();
        let mut token = cookie(&parts.headers, &state.cookie_name("sesi"));
        let mut session = None;
        if let Some(value) = token.clone() {
            session = state.work(move |state| state.people().session(&value)).await??;
        }
        if session.is_none() {
            token = None;
        }
        let held = token.as_deref().unwrap_or(&visit);
        Ok(Self {
            t: words,
            address: client(peer, &parts.headers, &state.options().trusted_proxies),
            csrf: keyed_tag(state.form_key(), "form", held),
            here: parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned(),
            visit,
            token,
            session,
        })
    }
}

/// The language remembered, or the default.
pub(super) fn language(state: &State, headers: &HeaderMap) -> Lang {
    cookie(headers, &state.cookie_name("bahasa"))
        .map(|tag| Lang::from_tag(&tag))
        .unwrap_or_default()
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    let found = pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && value.len() <= 4096).then(|| value.to_owned())
    });
    found.filter(|value| !value.is_empty())
}

/// The client's address: the last one in `X-Forwarded-For` that is no trusted proxy, and only if
/// the peer itself is one.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<IpAddr> =
        lines.flat_map(|line| line.split(',')).map_while(|hop| hop.trim().parse().ok()).collect();
    let outside = hops.iter().rev().map(IpAddr::to_canonical).find(|hop| !trusted.contains(hop));
    outside.unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::client;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        let proxy = "127.0.0.1".parse().unwrap();
        let direct = client(proxy, &headers, &[]);
        assert_eq!(direct, proxy);
        let seen = client(proxy, &headers, &[proxy]);
        assert_eq!(seen, "198.51.100.7".parse::<std::net::IpAddr>().unwrap());
    }
}
