//! The most frequent names in bounded memory: the space-saving algorithm (Metwally, Agrawal, El Abbadi 2005).
//!
//! A name that is not kept takes the place of the rarest one, and its count. So no count is too low, and each is too
//! high by no more than its error; every name with more than the whole divided by the places is among them.

use std::collections::HashMap;

use crate::store::statistics::NameCount;

/// Names kept of a day and kind.
const PLACES: usize = 1_000;

/// The most frequent names.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch(HashMap<String, Kept>);

/// What is known of a name.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// How often it was asked for, at most.
    count: u64,
    /// By how much that may be too high.
    error: u64,
}

impl Sketch {
    /// What was kept before.
    pub(super) fn of(rows: Vec<NameCount>) -> Self {
        let kept = rows.into_iter().take(PLACES);
        Self(kept.map(|it| (it.name, Kept { count: it.count, error: it.error })).collect())
    }

    /// Counts a name.
    pub(super) fn add(&mut self, name: String, weight: u64) {
        if let Some(kept) = self.0.get_mut(&name) {
            kept.count += weight;
            return;
        }
        let mut kept = Kept { count: weight, error: 0 };
        if self.0.len() >= PLACES
            && let Some(rarest) = self.0.iter().min_by_key(|(_, kept)| kept.count)
        {
            let (gone, least) = (rarest.0.clone(), rarest.1.count);
            self.0.remove(&gone);
            kept = Kept { count: least + weight, error: least };
        }
        self.0.insert(name, kept);
    }

    /// The most frequent ones.
    pub(super) fn top(&self, most: usize) -> Vec<NameCount> {
        let row = |(name, kept): (&String, &Kept)| NameCount {
            name: name.clone(),
            count: kept.count,
            error: kept.error,
        };
        let mut names: Vec<NameCount> = self.0.iter().map(row).collect();
        names.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        names.truncate(most);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_names_outlast_any_number_of_rare_ones() {
        let mut sketch = Sketch::default();
        for at in 0..100_000_u64 {
            sketch.add(format!("x{at}."), 1);
            if at % 10 == 0 {
                sketch.add("often.".to_owned(), 1);
            }
        }
        assert!(sketch.0.len() <= PLACES);
        let first = sketch.top(1).remove(0);
        assert_eq!(first.name, "often.");
        assert!(first.count >= 10_000 && first.count - first.error <= 10_000, "{first:?}");
    }

    #[test]
    fn few_names_are_counted_exactly() {
        let mut sketch = Sketch::of(vec![NameCount { name: "a.".into(), count: 5, error: 0 }]);
        sketch.add("a.".into(), 2);
        sketch.add("b.".into(), 3);
        let top: Vec<_> =
            sketch.top(9).into_iter().map(|it| (it.name, it.count, it.error)).collect();
        assert_eq!(top, [("a.".to_owned(), 7, 0), ("b.".to_owned(), 3, 0)]);
    }
}
