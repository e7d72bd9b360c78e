//! Times per step against the SOP, and what was late.

use std::collections::BTreeMap;

use super::sheet::{HolderLate, Late, Line, StepTime, StepUsed};
use crate::queue::time::MINUTE_MS;
use crate::queue::{ClockStep, Rules};

/// The time of each step with a limit, over the requests on which it ended since `from`.
pub(super) fn times(requests: &[Line], from: i64, rules: &Rules) -> Vec<StepTime> {
    ClockStep::ALL.into_iter().map(|step| time(requests, from, step, rules)).collect()
}

/// The time of one step.
fn time(requests: &[Line], from: i64, step: ClockStep, rules: &Rules) -> StepTime {
    let all: Vec<&StepUsed> = requests
        .iter()
        .flat_map(|line| line.steps.iter().filter(|used| used.step == step.number()))
        .collect();
    let done: Vec<&&StepUsed> = all.iter().filter(|used| ended_since(used, from)).collect();
    let mut minutes: Vec<i64> = done.iter().map(|used| used.used_minutes).collect();
    minutes.sort_unstable();
    let over = done.iter().filter(|used| used.is_late()).count();
    StepTime {
        step: step.number(),
        limit_minutes: step.limit(rules) / MINUTE_MS,
        done: done.len(),
        within: done.len() - over,
        over,
        median_minutes: median(&minutes),
        longest_minutes: minutes.last().copied(),
        paused_minutes: done.iter().map(|used| used.paused_minutes).sum(),
        running: all.iter().filter(|used| used.ended.is_none()).count(),
    }
}

/// Whether a step ended from a moment on.
fn ended_since(used: &StepUsed, from: i64) -> bool {
    used.ended.is_some_and(|at| at.0 >= from)
}

/// The middle of sorted numbers; between two middle ones their mean, rounded down.
pub fn median(sorted: &[i64]) -> Option<i64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(lower.midpoint(*upper))
}

/// The steps over their limit that ended since `from` or are under way, the longest over it first.
pub(super) fn late(requests: &[Line], from: i64) -> Vec<Late> {
    let mut late = Vec::new();
    for line in requests {
        let over = line.steps.iter().filter(|used| used.is_late());
        late.extend(over.filter(|used| used.ended.is_none() || ended_since(used, from)).map(
            |used| Late {
                number: line.number.clone(),
                name: line.name.clone(),
                step: used.step,
                holder: used.holder.clone(),
                used_minutes: used.used_minutes,
                limit_minutes: used.limit_minutes,
                over_minutes: used.used_minutes - used.limit_minutes,
                running: used.ended.is_none(),
            },
        ));
    }
    late.sort_by(|a, b| b.over_minutes.cmp(&a.over_minutes).then_with(|| a.number.cmp(&b.number)));
    late
}

/// How many late steps each holder has, the most first.
pub(super) fn by_holder(late: &[Late]) -> Vec<HolderLate> {
    let mut sums: BTreeMap<(&str, u8), (usize, i64)> = BTreeMap::new();
    for one in late {
        let sum = sums.entry((&one.holder, one.step)).or_default();
        *sum = (sum.0 + 1, sum.1 + one.over_minutes);
    }
    let mut holders: Vec<HolderLate> = sums
        .into_iter()
        .map(|((holder, step), (count, over_minutes))| HolderLate {
            holder: holder.to_owned(),
            step,
            count,
            over_minutes,
        })
        .collect();
    holders.sort_by_key(|one| std::cmp::Reverse(one.count));
    holders
}
