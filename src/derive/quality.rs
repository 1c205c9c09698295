//! The Metadata Quality Assessment (MQA) of data.europa.eu: 405 points in five dimensions.
//!
//! A query says which indicators a record fulfils; an indicator of distributions counts by the share of them that do.
//! Whether addresses answer is known once they were asked: until then these points are unknown, and not lost.

use crate::catalog::{Finding, Message, Severity};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// An indicator with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// The dimension that it belongs to.
    pub dimension: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its points.
    pub weight: u32,
    /// What to do to fulfil it.
    pub mend: Message,
}

/// The indicators, in the order of the table.
pub static INDICATORS: LazyLock<Vec<Indicator>> = LazyLock::new(|| {
    let rows = include_str!("../../data/mqa.csv").lines().skip(1);
    rows.filter_map(|row| {
        let mut cells = row.splitn(5, ',');
        let (dimension, name) = (cells.next()?, cells.next()?);
        let weight = cells.next()?.parse().ok()?;
        let mend = Message::new(cells.next()?, cells.next()?);
        Some(Indicator { dimension, name, weight, mend })
    })
    .collect()
});

/// The dimensions, as the assessment orders them.
pub const DIMENSIONS: [&str; 5] =
    ["findability", "accessibility", "interoperability", "reusability", "contextuality"];

/// What a record fulfils.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Shares by indicator: 1 where all of it is fulfilled.
    pub shares: BTreeMap<String, f64>,
    /// Addresses of access, and of files.
    pub access: BTreeSet<String>,
    /// Addresses of files.
    pub download: BTreeSet<String>,
    /// The publisher.
    pub organization: Option<String>,
}

/// What a query says of one record: indicators with the parts that fulfil each, and the parts.
#[derive(Debug, Default)]
pub(super) struct Fulfilled {
    parts: BTreeSet<String>,
    by_indicator: BTreeMap<String, BTreeSet<String>>,
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Fulfilled {
    pub(super) fn add(&mut self, indicator: &str, part: Option<String>, value: Option<String>) {
        if let Some(value) = value {
            self.values.entry(indicator.to_owned()).or_default().insert(value);
            return;
        }
        if let (Some(part), "distribution") = (&part, indicator) {
            self.parts.insert(part.clone());
        } else {
            let fulfilled = self.by_indicator.entry(indicator.to_owned()).or_default();
            fulfilled.insert(part.unwrap_or_default());
        }
    }

    /// The shares, once all rows are there.
    pub(super) fn assess(mut self) -> Assessment {
        let share = |fulfilled: &BTreeSet<String>| {
            let of_record = fulfilled.contains("");
            if of_record || self.parts.is_empty() {
                return 1.0;
            }
            fulfilled.len() as f64 / self.parts.len() as f64
        };
        let shares = self.by_indicator.iter().map(|(name, fulfilled)| (name.clone(), share(fulfilled))).collect();
        let mut values = |name: &str| self.values.remove(name).unwrap_or_default();
        let organization = values("organization").into_iter().next();
        Assessment { shares, access: values("access"), download: values("download"), organization }
    }
}

/// Points of one dimension.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// What is reached.
    pub reached: f64,
    /// What nobody knows yet.
    pub unknown: f64,
    /// What could be reached.
    pub most: f64,
}

/// A score, of a record or on the average of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Points by dimension.
    pub dimensions: BTreeMap<String, Points>,
    /// Points by indicator.
    pub indicators: BTreeMap<String, Points>,
    /// How many records it is of.
    pub records: u64,
}

/// A mend with what it would gain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// The indicator.
    pub indicator: &'static str,
    /// What to do.
    pub mend: Message,
    /// Points of the average record.
    pub points: f64,
}

impl Assessment {
    /// All its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.access.iter().chain(&self.download).map(String::as_str)
    }

    /// The same with what validation by DCAT-AP found: it is kept where no rule of it is broken. A record that was not
    /// validated by it has no such share, and the points are unknown.
    #[must_use]
    pub fn with_conformance(mut self, findings: &[Finding]) -> Self {
        let breaks =
            |finding: &&Finding| finding.severity == Severity::Violation && finding.rule.contains("dcat-ap");
        let share = if findings.iter().any(|finding| breaks(&finding)) { 0.0 } else { 1.0 };
        self.shares.insert("conformance".to_owned(), share);
        self
    }

    /// The score; `answers` tells whether an address answered, where it was asked.
    #[must_use]
    pub fn score(&self, answers: &dyn Fn(&str) -> Option<bool>) -> Score {
        let mut score = Score { records: 1, ..Score::default() };
        for indicator in INDICATORS.iter() {
            let most = f64::from(indicator.weight);
            let (share, unknown) = match indicator.name {
                "access_status" => answering(&self.access, answers),
                "download_status" => answering(&self.download, answers),
                "conformance" => self.shares.get(indicator.name).map_or((0.0, 1.0), |share| (*share, 0.0)),
                name => (self.shares.get(name).copied().unwrap_or(0.0), 0.0),
            };
            let points = Points { reached: most * share, unknown: most * unknown, most };
            score.indicators.insert(indicator.name.to_owned(), points);
            score.dimensions.entry(indicator.dimension.to_owned()).or_default().add(points);
        }
        score
    }
}

/// The share of addresses that answer, and of those that nobody asked. Without an address nothing answers.
fn answering(addresses: &BTreeSet<String>, answers: &dyn Fn(&str) -> Option<bool>) -> (f64, f64) {
    if addresses.is_empty() {
        return (0.0, 0.0);
    }
    let known: Vec<Option<bool>> = addresses.iter().map(|address| answers(address)).collect();
    let share = |wanted: Option<bool>| {
        known.iter().filter(|answer| **answer == wanted).count() as f64 / addresses.len() as f64
    };
    (share(Some(true)), share(None))
}

impl Points {
    fn add(&mut self, other: Self) {
        self.reached += other.reached;
        self.unknown += other.unknown;
        self.most += other.most;
    }

    fn divided(self, by: f64) -> Self {
        Self { reached: self.reached / by, unknown: self.unknown / by, most: self.most / by }
    }
}

impl Score {
    /// Adds a score to a sum of several.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        let both = [(&mut self.dimensions, &other.dimensions), (&mut self.indicators, &other.indicators)];
        for (sums, more) in both {
            for (name, points) in more {
                sums.entry(name.clone()).or_default().add(*points);
            }
        }
    }

    /// The average of a sum of scores of records; nothing where there is none.
    #[must_use]
    pub fn average(mut self) -> Option<Self> {
        if self.records == 0 {
            return None;
        }
        let by = self.records as f64;
        for points in self.dimensions.values_mut().chain(self.indicators.values_mut()) {
            *points = points.divided(by);
        }
        Some(self)
    }

    /// The points of all dimensions.
    #[must_use]
    pub fn total(&self) -> Points {
        let mut total = Points::default();
        self.dimensions.values().for_each(|points| total.add(*points));
        total
    }

    /// The rating that data.europa.eu gives for the points that are reached: from `bad` to `excellent`.
    #[must_use]
    pub fn rating(&self) -> &'static str {
        match self.total().reached {
            points if points >= 351.0 => "excellent",
            points if points >= 221.0 => "good",
            points if points >= 121.0 => "sufficient",
            _ => "bad",
        }
    }

    /// The mends that gain most, the best first.
    #[must_use]
    pub fn forecast(&self, most: usize) -> Vec<Gain> {
        let gain = |indicator: &Indicator| {
            let points = self.indicators.get(indicator.name)?;
            let missing = points.most - points.reached - points.unknown;
            let gain = Gain { indicator: indicator.name, mend: indicator.mend.clone(), points: missing };
            (missing > 0.05).then_some(gain)
        };
        let mut gains: Vec<Gain> = INDICATORS.iter().filter_map(gain).collect();
        gains.sort_by(|one, other| other.points.total_cmp(&one.points));
        gains.truncate(most);
        gains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_those_of_the_assessment() {
        let of = |dimension: &str| -> u32 {
            INDICATORS.iter().filter(|one| one.dimension == dimension).map(|one| one.weight).sum()
        };
        assert_eq!(DIMENSIONS.map(of), [100, 100, 110, 75, 20]);
    }

    #[test]
    fn what_nobody_asked_is_unknown_and_what_distributions_have_counts_by_its_share() {
        let mut fulfilled = Fulfilled::default();
        fulfilled.add("keyword", None, None);
        for part in ["a", "b"] {
            fulfilled.add("distribution", Some(part.to_owned()), None);
            fulfilled.add("access", None, Some(format!("http://e.example/{part}")));
        }
        fulfilled.add("format", Some("a".to_owned()), None);
        let assessment = fulfilled.assess();
        let score = assessment.score(&|_| None);
        assert_eq!((score.total().reached, score.total().unknown), (40.0, 80.0));
        let assessment = assessment.with_conformance(&[]);
        let score = assessment.score(&|address| Some(address.ends_with('a')));
        assert_eq!((score.total().reached, score.total().unknown), (95.0, 0.0));
        assert_eq!(score.forecast(1)[0].indicator, "theme");
        let mut sum = score.clone();
        sum.add(&Assessment::default().score(&|_| None));
        let average = sum.average().unwrap();
        assert!(Score::default().average().is_none());
        assert_eq!((average.total().reached, average.records, average.total().most), (47.5, 2, 405.0));
    }
}
