//! What is seen of the targets of a name, as officers see it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is seen of a name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct WatchView {
    /// The absolute name.
    pub name: String,
    /// Strikes, 0 to 3.
    pub strikes: u32,
    /// Whether officers must act at once.
    pub urgent: bool,
    /// Whether a stranger could claim a target.
    pub claimable: bool,
    /// Since when something is wrong.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// When it was looked at last.
    #[schema(format = DateTime)]
    pub looked: Option<String>,
    /// When it is looked at next.
    #[schema(format = DateTime)]
    pub next: String,
    /// The targets, with what was found of each.
    pub found: Vec<TargetView>,
    /// The suspension that was asked for.
    pub request: Option<String>,
}

/// One target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TargetView {
    /// An address or a name.
    pub target: String,
    /// `up`, `down`, `claimable`, `private` or `unseen`.
    pub found: String,
}

/// For the command line.
impl fmt::Display for WatchView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.urgent, self.claimable) {
            (true, _) => "a stranger could claim it: act at once".to_owned(),
            (false, true) => "a stranger could claim it".to_owned(),
            (false, false) => format!("does not answer, strike {}", self.strikes),
        };
        let is_wrong = |it: &&TargetView| matches!(it.found.as_str(), "down" | "claimable");
        let wrong = self.found.iter().filter(is_wrong).map(|it| it.target.as_str());
        let wrong: Vec<&str> = wrong.collect();
        write!(f, "{} {} ({what})", self.name, wrong.join(" "))?;
        match &self.since {
            Some(since) => write!(f, ", since {since}"),
            None => Ok(()),
        }
    }
}
