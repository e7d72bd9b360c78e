//! Work in a process of its own: what is given to it, its deadline, and what it may not do.
//!
//! ```text
//! parent: command, run ─► child of this program ─► confine ─► standard input ─► work ─► standard output
//! ```
//! A child that is broken, taken over or endless costs the parent one answer. What the work is does not
//! matter here: letters are read (`uploads`) and papers drawn (`press`) in such children.

mod answer;
mod confine;
mod process;

use std::path::Path;
use std::process::Command;

pub use answer::answer_one;
pub use process::{Done, NotDone, run};

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Seconds of a processor.
    pub seconds: u64,
    /// MiB of memory, besides the program itself.
    pub memory_mib: u64,
}

/// The hidden command `name` of `program`, which confines itself to `budget`.
pub fn command(program: &Path, name: &str, budget: Budget) -> Command {
    let mut command = Command::new(program);
    // The daemon's environment is no concern of a child.
    command.env_clear().current_dir("/").arg(name);
    command.arg("--seconds").arg(budget.seconds.to_string());
    command.arg("--memory-mib").arg(budget.memory_mib.to_string());
    command
}
