//! Gauges that somebody else knows the values of when metrics are read.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// A family and its values. It is there even if it has none yet.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name; that of a counter without `_total`.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// Whether it only grows.
    pub is_counter: bool,
    /// Values with their labels.
    pub samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

impl Family {
    /// A gauge.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, is_counter: false, samples: Vec::new() }
    }

    /// A counter.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self { is_counter: true, ..Self::gauge(name, help) }
    }

    /// With one more value.
    pub fn with(mut self, labels: Vec<(&'static str, String)>, value: f64) -> Self {
        self.samples.push((labels, value));
        self
    }
}

/// Returns the families when metrics are read.
type Source = Box<dyn Fn() -> Vec<Family> + Send + Sync>;

/// Collects families.
pub struct Gauges {
    /// Where they come from.
    source: Source,
}

impl Gauges {
    /// A collector over `source`.
    pub fn new(source: impl Fn() -> Vec<Family> + Send + Sync + 'static) -> Self {
        Self { source: Box::new(source) }
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Family { name, help, is_counter, samples } in (self.source)() {
            let kind = if is_counter { MetricType::Counter } else { MetricType::Gauge };
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (labels, value) in samples {
                let family = family.encode_family(&labels)?;
                if is_counter {
                    ConstCounter::new(value).encode(family)?;
                } else {
                    ConstGauge::new(value).encode(family)?;
                }
            }
        }
        Ok(())
    }
}
