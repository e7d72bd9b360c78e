//! From the enums of the procedure to message ids.
//!
//! An id is a prefix for the enum and the variant's own word; a test walks every variant through both
//! catalogues.

use super::catalogue::{Lang, Words};
use crate::queue::{
    Deed, Fault, FaultCode, Ground, Kind, LineCode, LineVerdict, LiveState, NamingClass,
    NoticeState, Outcome, PaperKind, RejectReason, Role, Rule, State, Way,
};

/// A type that has words.
pub trait Said {
    /// Its message id.
    fn id(&self) -> String;

    /// Its words.
    fn say(&self, words: Words) -> String {
        words.s(&self.id())
    }
}

/// Message ids made of a prefix and the word each variant has.
macro_rules! said {
    ($($name:ident => $prefix:literal,)*) => {
        $(impl Said for $name {
            fn id(&self) -> String {
                format!(concat!($prefix, "-{}"), self.as_str().replace('_', "-").to_lowercase())
            }
        })*
    };
}

said! {
    State => "state",
    Kind => "kind",
    NamingClass => "class",
    LineCode => "line",
    LineVerdict => "verdict",
    Outcome => "outcome",
    RejectReason => "reason",
    LiveState => "live",
    PaperKind => "paper",
    NoticeState => "notice",
    Ground => "ground",
    Role => "role",
    Deed => "act",
    FaultCode => "code",
    Rule => "rule",
    Way => "way",
}

/// The words of what a request does, where a suspension may be the lifting of one.
pub fn say_kind(kind: Kind, lift: bool, words: Words) -> String {
    if kind == Kind::Suspend && lift { words.s("kind-lift") } else { kind.say(words) }
}

/// What the fault is about, as far as it is data and no sentence: the rules' own explanations
/// are English and stand in the JSON only.
fn about(fault: &Fault, words: Words) -> &str {
    match fault.rule {
        Rule::SpecialAddress => fault.about.split(',').next().unwrap_or_default(),
        Rule::LineNotChecked | Rule::LineNotOk | Rule::LineNeverOverruled => "",
        // The types that are there say nothing to whoever asks for a name.
        Rule::NoTargetYet => "",
        Rule::NoteNeeded | Rule::ClassOff | Rule::InZone => "",
        Rule::ReservedName if words.lang() == Lang::En => "",
        _ => fault.about.trim(),
    }
}

impl Said for Fault {
    fn id(&self) -> String {
        self.rule.id()
    }

    fn say(&self, words: Words) -> String {
        let text = self.rule.say(words);
        let about = about(self, words);
        if about.is_empty() {
            return text;
        }
        words.with("rule-about", &[("text", &text), ("about", about)])
    }
}
