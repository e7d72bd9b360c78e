//! The visitor behind a request: language, address, session, and the token of their forms.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode};

use super::device::device_cookie_name;
use super::failure::Failure;
use super::sent::Fields;
use super::state::State;
use super::unsent::FormKey;
use crate::people::{PeopleError, Role, Session, Stage, keyed_tag};
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
    /// The value of a session cookie that holds no longer.
    pub(super) ended: Option<String>,
    /// The session, at whatever stage.
    pub(super) session: Option<Session>,
    /// What a browser in which somebody signed in before sends.
    pub(super) device: Option<String>,
    /// Path and query asked for.
    pub(super) here: String,
    /// What their forms carry.
    pub(super) csrf: FormKey,
}

impl Visitor {
    /// The session, if the sign-in is complete.
    pub(super) fn officer(&self) -> Option<&Session> {
        self.session.as_ref().filter(|session| session.stage == Stage::Full)
    }

    /// Whether they may fill in a request: the public form is open, or an officer keys in a paper letter.
    pub(super) fn may_apply(&self, state: &State) -> Result<(), Failure> {
        if state.settings().public_submit || self.officer().is_some() {
            Ok(())
        } else {
            Err(Failure::new(StatusCode::FORBIDDEN, "fail-closed"))
        }
    }

    /// The session of an officer with one of these roles, own or acting.
    pub(super) fn need(&self, roles: &[Role]) -> Result<&Session, Failure> {
        let session =
            self.officer().ok_or_else(|| Failure::new(StatusCode::UNAUTHORIZED, "fail-sign-in"))?;
        if session.holds_one_of(roles) { Ok(session) } else { Err(Failure::forbidden()) }
    }
}

impl Visitor {
    /// What is known without looking anything up.
    pub(super) fn stranger(parts: &Parts, state: &State) -> Self {
        let visit = parts.extensions.get::<Visit>().map(|visit| visit.0.clone());
        let visit = visit.unwrap_or_default();
        Self {
            t: Words::of(language(state, &parts.headers)),
            address: address(&parts.extensions, &parts.headers, state),
            csrf: FormKey::new(keyed_tag(state.form_key(), "form", &visit)),
            here: parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned(),
            device: cookie(&parts.headers, &device_cookie_name(state)),
            visit,
            token: None,
            ended: None,
            session: None,
        }
    }
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Failure> {
        let stranger = Self::stranger(parts, state);
        let name = state.cookie_name("sesi");
        let Some(token) = cookie(&parts.headers, &name) else {
            // One that came and cannot be read is not taken for none where something is changed.
            let unreadable = parts.method == Method::POST && is_sent(&parts.headers, &name);
            let ended = Failure::new(StatusCode::UNAUTHORIZED, "fail-sign-in");
            return if unreadable { Err(ended) } else { Ok(stranger) };
        };
        let (of, is_shown) = (token.clone(), parts.method == Method::GET);
        let job = move |state: &State| {
            let session = state.people().session(&of)?;
            let shown = session.as_ref().filter(|it| is_shown && it.stage == Stage::Full);
            let kept = shown.map(|session| kept(state, &session.account.id)).unwrap_or_default();
            Ok::<_, PeopleError>((session, kept))
        };
        let (session, kept) = state.work(job).await??;
        let Some(session) = session else {
            return Ok(Self { ended: Some(token), ..stranger });
        };
        let csrf = form_token(state, &token, &session.account.id);
        let csrf = FormKey { token: csrf, kept: Arc::new(kept) };
        Ok(Self { csrf, token: Some(token), session: Some(session), ..stranger })
    }
}

/// What an officer typed and could not send; a page is shown without it rather than not at all.
fn kept(state: &State, person: &str) -> Vec<(String, Fields)> {
    let kept = state.desk().all_unsent(person).unwrap_or_else(|error| {
        tracing::warn!(%error, "what an officer typed cannot be read");
        Vec::new()
    });
    kept.into_iter().map(|(form, fields)| (form, Fields(fields))).collect()
}

/// The token of the forms of a session. It names the person, so that a form that comes when the session
/// is over is still known to be theirs.
pub(super) fn form_token(state: &State, session: &str, person: &str) -> String {
    let tag = keyed_tag(state.form_key(), "form", &format!("{person} {session}"));
    format!("{person}.{tag}")
}

/// Whether headers prove an officer, by a complete sign-in or a token.
pub(super) async fn is_officer(state: &State, headers: &HeaderMap, from: IpAddr) -> bool {
    let session = cookie(headers, &state.cookie_name("sesi"));
    let token = headers.get(AUTHORIZATION).and_then(|line| line.to_str().ok()?.split_once(' '));
    let token = token.map(|(_, token)| token.trim().to_owned());
    if session.is_none() && token.is_none() {
        return false;
    }
    let known = move |state: &State| {
        let people = state.people();
        let session = session.and_then(|session| people.session(&session).ok().flatten());
        session.is_some_and(|session| session.stage == Stage::Full)
            || token.is_some_and(|token| matches!(people.bearer(&token, from), Ok(Some(_))))
    };
    state.work(known).await.unwrap_or_default()
}

/// The language remembered, or the default.
pub(super) fn language(state: &State, headers: &HeaderMap) -> Lang {
    cookie(headers, &state.cookie_name("bahasa"))
        .map(|tag| Lang::from_tag(&tag))
        .unwrap_or_default()
}

/// Whether a cookie of this name came with a value, be it readable or not.
fn is_sent(headers: &HeaderMap, name: &str) -> bool {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let mut pairs = lines.flat_map(|line| line.split(|octet| *octet == b';'));
    pairs.any(|pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes());
        value.and_then(|rest| rest.strip_prefix(b"=")).is_some_and(|value| !value.is_empty())
    })
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

/// The address a request comes from.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, state: &State) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    client(peer, headers, &state.options().trusted_proxies)
}

/// The client's address: the first hop in `X-Forwarded-For`, read from the right, that is no trusted
/// proxy, and only if the peer itself is one. What stands further left is the client's own word.
///
/// A hop that cannot be read is a client without a known address, never the proxy before it: no
/// token's network and no other client's limit is theirs.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines: Vec<&[u8]> =
        headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|octet| *octet == b','));
    let hops = hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty());
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut hops = hops.map(|hop| hop_address(hop).unwrap_or(unknown));
    hops.find(|hop| !trusted.contains(hop)).unwrap_or(peer)
}

/// The address of a hop, with or without a port, brackets and quotes.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().ok().or_else(|| hop.parse().ok().map(|it: SocketAddr| it.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::client;

    /// The client seen behind a proxy on 127.0.0.1 that sent these lines.
    #[track_caller]
    fn seen(lines: &[&[u8]], trusted: &[&str]) -> String {
        let mut headers = axum::http::HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", axum::http::HeaderValue::from_bytes(line).unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        client("127.0.0.1".parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let lines: &[&[u8]] = &[b"203.0.113.9, 198.51.100.7"];
        assert_eq!(seen(lines, &[]), "127.0.0.1");
        assert_eq!(seen(lines, &["127.0.0.1"]), "198.51.100.7");
        assert_eq!(seen(lines, &["127.0.0.1", "198.51.100.7"]), "203.0.113.9");
    }

    #[test]
    fn nothing_a_client_puts_in_front_makes_it_the_proxy() {
        for (line, client) in [
            (&b"garbage, 198.51.100.1"[..], "198.51.100.1"),
            (b"\xff\xfe, 198.51.100.1", "198.51.100.1"),
            (b", ,198.51.100.1 , ", "198.51.100.1"),
            (b"garbage, 198.51.100.1, 127.0.0.1", "198.51.100.1"),
            (b"127.0.0.1, 198.51.100.1:4711", "198.51.100.1"),
            (b"[2001:db8::1]:443", "2001:db8::1"),
            (b"\"[2001:db8::1]\"", "2001:db8::1"),
            (b"::ffff:198.51.100.1", "198.51.100.1"),
            (b"[::ffff:198.51.100.1]:80", "198.51.100.1"),
            (b"198.51.100.1, unknown", "0.0.0.0"),
            (b"198.51.100.1, _hidden, 127.0.0.1:99", "0.0.0.0"),
            (b"127.0.0.1", "127.0.0.1"),
            (b"", "127.0.0.1"),
        ] {
            assert_eq!(seen(&[line], &["127.0.0.1"]), client, "{}", line.escape_ascii());
        }
        let two: &[&[u8]] = &[b"203.0.113.9", b"x, 198.51.100.1"];
        assert_eq!(seen(two, &["127.0.0.1"]), "198.51.100.1", "the last line counts");
    }
}
