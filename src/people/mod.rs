//! People: accounts with one role each, passwords, second factor, sessions, personal tokens, links.
//!
//! [`People`] is the one handle. It knows who somebody is and which role they hold; what a role may
//! do to a request is decided in `queue` and tested again in `desk`, inside the act. No account
//! exists at first start and no password is ever preset: the first administrator, every officer
//! invited and every reset password come in by a single-use, expiring link. The caller passes the time.

mod account;
mod acting;
mod enrolment;
mod error;
mod links;
mod own;
mod password;
mod roster;
mod secret;
mod sign_in;
mod tokens;
mod tries;

pub use crate::digest::sha256_hex;
pub use crate::queue::Role;
pub use account::{Account, By, NewAccount};
pub use acting::{ActingOfficial, ActingStyle, NewActing};
pub use enrolment::{Enrolment, OldProof};
pub use error::{PeopleError, SignInError};
pub use links::{IssuedLink, LinkKind, LinkView, Redemption};
pub use own::SessionView;
pub use roster::{Clock, Options, People, TotpRule};
pub use secret::{keyed_tag, random_token};
pub use sign_in::{Session, SignedIn, Stage, sign_in_name};
pub use tokens::{Bearer, IssuedToken, NewToken, Scope, Scopes, TokenView};
pub use tries::Origin;

#[cfg(test)]
mod tests;
