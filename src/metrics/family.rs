//! A family with its values.

use super::catalogue::Described;

/// A family and its values. It is listed even without values.
#[derive(Clone, Debug)]
pub struct Family {
    /// Which one.
    pub of: &'static Described,
    /// Its values.
    pub samples: Vec<Sample>,
}

/// A value of a family.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The values of its labels, in their order.
    pub labels: Vec<String>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Of a counter or gauge.
    Number(f64),
    /// Of a histogram.
    Spread(Spread),
}

/// Counts of values per interval.
#[derive(Clone, Debug)]
pub struct Spread {
    /// The upper bounds of all intervals but the last.
    pub bounds: &'static [f64],
    /// Values in each interval.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

impl Family {
    /// A family without values.
    pub fn of(described: &'static Described) -> Self {
        Self { of: described, samples: Vec::new() }
    }

    /// The family with one more sample.
    pub fn with(mut self, labels: &[&str], value: f64) -> Self {
        self.push(labels, value);
        self
    }

    /// Adds a sample.
    pub fn push(&mut self, labels: &[&str], value: f64) {
        self.add(labels, Value::Number(value));
    }

    /// Adds a count; what is beyond 2⁵³ is rounded.
    pub fn count(&mut self, labels: &[&str], value: u64) {
        self.push(labels, value as f64);
    }

    /// Adds a spread.
    pub fn spread(&mut self, labels: &[&str], value: Spread) {
        self.add(labels, Value::Spread(value));
    }

    /// Adds a value.
    fn add(&mut self, labels: &[&str], value: Value) {
        debug_assert_eq!(labels.len(), self.of.labels.len(), "labels of {}", self.of.name);
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.samples.push(Sample { labels, value });
    }
}
