//! Columns that hold a word: the enums of the procedure, and those that only rows have.
//!
//! A word that no variant has does not read back: the error names table, row and word.

use super::value::{Cell, ToValue, Value};
use crate::queue::named::named;
use crate::queue::{
    Ground, Kind, List, LiveState, NamingClass, NoticeState, Origin, PaperKind, Phase, Role, State,
    Way,
};

named! {
    /// How far a sign-in has come.
    pub enum Stage {
        /// Password right, code of the second factor still to come.
        Code = "code",
        /// Password right, second factor to be set up first.
        Enrol = "enrol",
        /// Signed in.
        Full = "full",
    }
}

named! {
    /// What a single-use link opens.
    pub enum LinkKind {
        /// Makes the first administrator; only while there is none.
        FirstAdmin = "first_admin",
        /// Makes an account with a role an administrator chose.
        Invitation = "invitation",
        /// Sets a new password and drops the second factor.
        Reset = "reset",
    }
}

named! {
    /// Why an official acts for another.
    pub enum ActingStyle {
        /// Pelaksana harian: the holder is away.
        Plh = "plh",
        /// Pelaksana tugas: the post is vacant.
        Plt = "plt",
    }
}

impl ActingStyle {
    /// What papers print before the title.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Plh => "Plh.",
            Self::Plt => "Plt.",
        }
    }
}

named! {
    /// What became of a promotion.
    pub enum PromotionState {
        /// Live, and not yet read back.
        Committed = "committed",
        /// Read back from our own sockets.
        Proven = "proven",
        /// Taken back.
        Failed = "failed",
    }
}

/// The enums that are columns, each with the reading of its word.
macro_rules! word_cells {
    ($($type:ty, $read:path;)+) => {$(
        impl Cell for $type {
            fn of(value: Value<'_>) -> Option<Self> {
                let Value::Text(text) = value else { return None };
                $read(&text)
            }
        }

        impl ToValue for $type {
            fn value(&self) -> Value<'_> {
                self.as_str().value()
            }
        }
    )+};
}
word_cells! {
    State, State::from_name;
    Phase, Phase::from_name;
    Ground, Ground::from_name;
    Kind, Kind::from_name;
    NamingClass, NamingClass::from_name;
    LiveState, LiveState::from_name;
    Origin, Origin::from_name;
    NoticeState, NoticeState::from_name;
    PaperKind, PaperKind::from_name;
    List, List::from_name;
    // The roles of rows are those of accounts.
    Role, Role::of_officer;
    Stage, Stage::from_name;
    LinkKind, LinkKind::from_name;
    ActingStyle, ActingStyle::from_name;
    PromotionState, PromotionState::from_name;
    Way, Way::from_name;
}
