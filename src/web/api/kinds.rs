//! The kinds of problems: one table of codes, statuses, titles and what to do, from which answers, the
//! document, the page `/api/problem` and docs/api.md are made.

use axum::http::StatusCode;

use crate::queue::FaultCode;

/// Makes [`ProblemKind`] from one line per kind: code, status, title, and what it means to a program.
macro_rules! kinds {
    ($($name:ident = $code:literal, $status:ident, $title:literal: $about:literal;)*) => {
        /// What sort of problem it is.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(in crate::web) enum ProblemKind { $(#[doc = $title] $name,)* }

        impl ProblemKind {
            /// Every kind, in the order of the table.
            pub(in crate::web) const ALL: [Self; [$($code),*].len()] = [$(Self::$name,)*];

            /// The stable code.
            pub(in crate::web) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub(in crate::web) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The summary, the same for every problem of the kind (RFC 9457 §3.1.3).
            pub(in crate::web) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means, and what to do.
            pub(in crate::web) const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }
        }
    };
}

kinds! {
    BadRequest = "bad_request", BAD_REQUEST, "The call cannot be read":
        "A parameter, header or body is not what the document says. `errors` names each one. Do not repeat the call unchanged.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid credential is needed":
        "No credential came along, or the one that did is unknown, ended, revoked, unreadable or bound to another network.";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token lacks a scope":
        "The token is valid, but was not made for this call. `WWW-Authenticate` names the scope.";
    NotAllowed = "not_allowed", FORBIDDEN, "This person may not do this":
        "The role is another, another verifier holds the request, or the public form is closed.";
    SamePerson = "same_person", FORBIDDEN, "Another person must do this":
        "Applicant, head and verifier of a request are three persons; this one takes part already.";
    NotFound = "not_found", NOT_FOUND, "There is no such thing":
        "Nothing has this number or name, or the secret is not that of the request.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not know this method":
        "`Allow` lists the methods it knows.";
    NotAcceptable = "not_acceptable", NOT_ACCEPTABLE, "No accepted media type is offered":
        "Accept `application/json`, or what the document lists for the call.";
    WrongState = "wrong_state", CONFLICT, "The request is in another state":
        "The act is not possible in the state the request is in. Read it again; `acts` lists what is.";
    Stale = "stale", CONFLICT, "What was read has changed since":
        "The revision, the candidate or a line is not the one that was read. Read the request again and decide anew.";
    NotPublished = "not_published", CONFLICT, "The zone does not take the change":
        "The change would break the zone, or the zone is not ours to change; with status 503 it cannot be changed at present. `detail` says why.";
    Changed = "changed", PRECONDITION_FAILED, "The request is not the one If-Match names":
        "Somebody acted since it was read. Read it again and decide anew.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "Too much was sent":
        "The body, or the letter in it, is longer than the document allows.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is of another media type":
        "Acts are taken as `application/json`, requests with their letter as `multipart/form-data`.";
    Incomplete = "incomplete", UNPROCESSABLE_ENTITY, "Something is missing":
        "Fields or lines are missing or cannot be read. `errors` names all of them.";
    NameRule = "name_rule", UNPROCESSABLE_ENTITY, "The name breaks a naming rule":
        "`errors` names the rules. A name outside the pattern of its class needs an `exception`.";
    NameTaken = "name_taken", UNPROCESSABLE_ENTITY, "The name is taken":
        "It is in the zone, requested, live or resting. `errors` says which.";
    TargetRefused = "target_refused", UNPROCESSABLE_ENTITY, "A record is refused":
        "An address, target, type, TTL or combination of the records is not allowed.";
    Reserved = "reserved", UNPROCESSABLE_ENTITY, "The name is reserved":
        "It is kept for somebody or something. An `exception` asks for it all the same.";
    LetterRefused = "letter_refused", UNPROCESSABLE_ENTITY, "The letter is refused":
        "The file is no PDF, JPEG or PNG, is damaged, locked, or does something when it is opened.";
    KeyReused = "key_reused", UNPROCESSABLE_ENTITY, "This Idempotency-Key belongs to another call":
        "The key was sent with another body, path or person before. Make a new key for each new act.";
    TooMany = "too_many", TOO_MANY_REQUESTS, "Too many calls":
        "Wait as long as `Retry-After` says.";
    TooManyOpen = "too_many_open", TOO_MANY_REQUESTS, "Too many open requests":
        "This network, mailbox or office has as many open requests as it may without an account.";
    TooManyCodes = "too_many_codes", TOO_MANY_REQUESTS, "Too many mailbox codes":
        "Ask for another one in an hour.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong at the server":
        "The log of the server has the cause under `request_id`. Tell the administrator.";
    Storage = "storage", INTERNAL_SERVER_ERROR, "Something kept at the server cannot be used":
        "The log of the server has the cause under `request_id`. Tell the administrator.";
    NotListening = "not_listening", SERVICE_UNAVAILABLE, "The name server is not listening":
        "Nothing can be read back, so nothing is promoted. Tell the administrator.";
    LetterUnchecked = "letter_unchecked", SERVICE_UNAVAILABLE, "Letters cannot be checked at present":
        "Try again later, or bring the letter on paper.";
    Busy = "busy", SERVICE_UNAVAILABLE, "The server is busy":
        "Nothing was done. Try again as soon as `Retry-After` says.";
    Slow = "slow", SERVICE_UNAVAILABLE, "The answer took too long":
        "The act may still be carried out. Read the request, or repeat the call with the same `Idempotency-Key`.";
    NoRoom = "no_room", SERVICE_UNAVAILABLE, "No more requests are taken without an account":
        "Bring the letter to the office.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Nothing can be kept at present":
        "The database or its disk cannot be used. Nothing was changed. Try again later.";
    QueueClosed = "queue_closed", SERVICE_UNAVAILABLE, "The queue is closed":
        "Names are answered, but the queue needs the administrator.";
    PublisherAway = "publisher_away", SERVICE_UNAVAILABLE, "The node that makes changes is not reached":
        "Nothing was done. Another node takes over by itself: try again as soon as `Retry-After` says.";
    AnswerLost = "answer_lost", SERVICE_UNAVAILABLE, "The node that makes changes gave no answer":
        "The act may have been done. Read the request, or repeat the call with the same `Idempotency-Key`.";
    MailOff = "mail_off", SERVICE_UNAVAILABLE, "This server sends no mail":
        "Send the request without a code; an officer compares the letter.";
    NotMailed = "not_mailed", SERVICE_UNAVAILABLE, "The mail could not be sent":
        "Try again later, or send the request without a code.";
    DiskFull = "disk_full", INSUFFICIENT_STORAGE, "The disk of the server is full":
        "Nothing was changed. The administrator must make room.";
}

impl ProblemKind {
    /// The kind of a code; our own fault where a code is missing from the table.
    pub(in crate::web) fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.code() == code).unwrap_or(Self::Internal)
    }

    /// The kind of a broken rule.
    pub(in crate::web) fn of_fault(code: FaultCode) -> Self {
        Self::of(code.as_str())
    }

    /// Seconds after which what passes by itself may be tried again, for `Retry-After`; 0: it does not pass, or
    /// nobody can say when.
    pub(in crate::web) const fn retry_after(self) -> u64 {
        match self {
            Self::TooManyCodes => 3600,
            Self::Busy => 5,
            Self::NotListening
            | Self::LetterUnchecked
            | Self::Slow
            | Self::Unavailable
            | Self::NotMailed => 30,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{ActError, PublicLimit};
    use crate::web::status;

    #[test]
    fn every_refusal_of_the_desk_has_its_kind_and_the_status_of_the_pages() {
        for code in FaultCode::ALL {
            let kind = ProblemKind::of_fault(code);
            assert_eq!(kind.code(), code.as_str());
            assert_eq!(kind.status(), status::of_code(code), "{code}");
        }
        let limits = [
            PublicLimit::NetworkDrafts,
            PublicLimit::Drafts,
            PublicLimit::Network,
            PublicLimit::Mailbox,
            PublicLimit::Office,
            PublicLimit::Codes,
            PublicLimit::All,
            PublicLimit::Disk,
        ];
        let errors = limits.into_iter().map(ActError::Limit);
        let errors = errors.chain([ActError::NotFound, ActError::NotAllowed, ActError::NoServer]);
        for error in errors {
            let kind = ProblemKind::of(error.code());
            assert_eq!(kind.code(), error.code());
            assert_eq!(kind.status(), status::of_error(&error), "{}", error.code());
        }
    }

    #[test]
    fn the_manual_has_this_table() {
        let lines = ProblemKind::ALL.map(|kind| {
            let (code, status) = (kind.code(), kind.status().as_u16());
            format!("| `{code}` | {status} | {} | {} |\n", kind.title(), kind.about())
        });
        let table = format!(
            "| code | status | title | what to do |\n|---|---|---|---|\n{}",
            lines.concat()
        );
        let path = format!("{}/docs/api.md", env!("CARGO_MANIFEST_DIR"));
        let manual = std::fs::read_to_string(&path).unwrap();
        let (begin, end) = ("<!-- problems: begin -->\n", "<!-- problems: end -->");
        let (before, rest) = manual.split_once(begin).unwrap();
        let (held, after) = rest.split_once(end).unwrap();
        if std::env::var_os("GAPURA_WRITE_DOCS").is_some() {
            std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            assert!(
                held == table,
                "run GAPURA_WRITE_DOCS=1 cargo test --lib the_manual_has_this_table"
            );
        }
    }

    #[test]
    fn codes_are_told_apart() {
        let mut codes = ProblemKind::ALL.map(ProblemKind::code).to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ProblemKind::ALL.len());
    }
}
