//! Families of metrics, and the only values their labels may have.

use std::collections::HashMap;

use prometheus::core::Desc;
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use crate::config::{DepartmentConfig, Roster, Span};
use crate::message::PartitionId;

/// The value of a label. It is made from the config or from a closed set, nothing else: a text of a customer cannot
/// become one (INV-9).
#[derive(Clone, Copy, Debug)]
pub(super) struct Label<'a>(&'a str);

impl<'a> Label<'a> {
    /// A member of a closed set.
    pub(super) const fn closed(member: &'static str) -> Self {
        Self(member)
    }

    /// A department's id, from the config.
    pub(super) fn department(department: &'a DepartmentConfig) -> Self {
        Self(&department.id)
    }

    /// A department's team, from the config.
    pub(super) fn team(department: &'a DepartmentConfig) -> Self {
        Self(&department.team)
    }

    /// The company's team, from the config.
    pub(super) fn company_team(roster: &'a Roster) -> Self {
        Self(roster.company_team())
    }

    /// A topic, from the config.
    pub(super) fn topic(partition: &'a PartitionId) -> Self {
        Self(&partition.topic)
    }

    /// A number that was written out.
    pub(super) fn written(text: &'a Written) -> Self {
        Self(&text.0)
    }
}

/// A label value that has to be written out first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written(String);

impl Written {
    /// A window's name, such as `5m`, from the config.
    pub(super) fn window(length: Span) -> Self {
        Self(length.to_string())
    }

    /// A partition's number.
    pub(super) fn partition(partition: &PartitionId) -> Self {
        Self(partition.partition.to_string())
    }
}

/// A metric name, what it means, and its labels.
#[derive(Debug)]
pub(super) struct Family<const LABELS: usize> {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    labels: [&'static str; LABELS],
}

impl<const LABELS: usize> Family<LABELS> {
    /// Names a counter.
    pub(super) const fn counter(name: &'static str, help: &'static str, labels: [&'static str; LABELS]) -> Self {
        Self { name, help, kind: MetricType::COUNTER, labels }
    }

    /// Names a gauge.
    pub(super) const fn gauge(name: &'static str, help: &'static str, labels: [&'static str; LABELS]) -> Self {
        Self { name, help, kind: MetricType::GAUGE, labels }
    }

    /// Describes it to the registry.
    pub(super) fn describe(&self) -> Result<Desc, prometheus::Error> {
        let labels = self.labels.map(str::to_owned).to_vec();
        Desc::new(self.name.to_owned(), self.help.to_owned(), labels, HashMap::new())
    }

    /// The family without samples yet.
    pub(super) fn samples(&'static self) -> Samples<LABELS> {
        Samples { family: self, metrics: Vec::new() }
    }
}

/// A family's samples, being gathered.
#[derive(Debug)]
pub(super) struct Samples<const LABELS: usize> {
    family: &'static Family<LABELS>,
    metrics: Vec<Metric>,
}

impl<const LABELS: usize> Samples<LABELS> {
    /// Adds a sample; one label value for each label name, as the type demands.
    pub(super) fn push(&mut self, values: [Label<'_>; LABELS], value: f64) {
        let labels = self.family.labels.iter().zip(values).map(|(name, Label(text))| pair(name, text)).collect();
        let mut metric = Metric::from_label(labels);
        if self.family.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    /// Makes place for so many times the samples there are.
    pub(super) fn reserve_as_many(&mut self, times: usize) {
        self.metrics.reserve(self.metrics.len() * times);
    }

    /// Adds a sample where there is one.
    pub(super) fn push_known(&mut self, values: [Label<'_>; LABELS], value: Option<f64>) {
        if let Some(known) = value {
            self.push(values, known);
        }
    }

    /// The finished family. Without samples the registry leaves it out.
    pub(super) fn finish(self) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.family.name.to_owned());
        family.set_help(self.family.help.to_owned());
        family.set_field_type(self.family.kind);
        family.set_metric(self.metrics);
        family
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
