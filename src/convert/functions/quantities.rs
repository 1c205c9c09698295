//! Dates, periods and sizes as people write them.

use crate::vocab::xsd;
use oxrdf::{Literal, Term};
use oxsdatatypes::{Date, DateTime};
use regex::Regex;
use std::str::FromStr;
use std::sync::LazyLock;

#[derive(Clone, Copy)]
pub(super) enum Edge {
    Start,
    End,
}

/// One edge of a period written `start/end`, `YYYY`, `YYYY-MM`, or as one date.
pub(super) fn period(written: &str, edge: Edge) -> Option<Term> {
    let written = written.trim();
    let part = match (written.split_once('/'), edge) {
        (Some((start, _)), Edge::Start) => start.trim(),
        (Some((_, end)), Edge::End) => end.trim(),
        (None, _) => written,
    };
    // A year or a month may have a time zone (XML Schema 1.1 part 2, 3.3.11).
    let part = match part.len() {
        5 | 10 | 13 => part.strip_suffix('Z').or_else(|| without_offset(part)).unwrap_or(part),
        _ => part,
    };
    let whole = match (part.len(), edge) {
        (4, Edge::Start) => format!("{part}-01-01"),
        (4, Edge::End) => format!("{part}-12-31"),
        (7, Edge::Start) => format!("{part}-01"),
        (7, Edge::End) => last_day(part)?,
        _ => part.get(..10).unwrap_or(part).to_owned(),
    };
    Date::from_str(&whole).ok()?;
    Some(Literal::new_typed_literal(whole, xsd::DATE).into())
}

/// `2016+01:00` without its offset; not a date, which has a `-` there, too.
fn without_offset(part: &str) -> Option<&str> {
    let (bare, offset) = part.split_at_checked(part.len().checked_sub(6)?)?;
    (offset.starts_with(['+', '-']) && offset.as_bytes()[3] == b':').then_some(bare)
}

fn last_day(month: &str) -> Option<String> {
    (28..=31).rev().map(|day| format!("{month}-{day}")).find(|date| Date::from_str(date).is_ok())
}

/// A date in a form that people write, as `xsd:date` or `xsd:dateTime`; `None` when it is ambiguous.
pub(super) fn date(written: &str) -> Option<Term> {
    let written = written.trim();
    if DateTime::from_str(written).is_ok() {
        return Some(Literal::new_typed_literal(written, xsd::DATE_TIME).into());
    }
    // A day with a zone, as GML writes it, is that day.
    if let Some((day, zone)) = written.split_at_checked(10)
        && Date::from_str(written).is_ok()
        && (zone.is_empty() || zone.starts_with(['Z', '+', '-']))
    {
        return Some(Literal::new_typed_literal(day, xsd::DATE).into());
    }
    if let Some((day, time)) = written.split_once(' ')
        && DateTime::from_str(&format!("{day}T{time}")).is_ok()
    {
        return Some(Literal::new_typed_literal(format!("{day}T{time}"), xsd::DATE_TIME).into());
    }
    if DateTime::from_str(&format!("{written}:00")).is_ok() {
        return Some(Literal::new_typed_literal(format!("{written}:00"), xsd::DATE_TIME).into());
    }
    day_first(written).or_else(|| period(written, Edge::Start).filter(|_| written.len() < 8))
}

/// Day first, as everywhere in Europe, perhaps after a weekday and before a time: DKAN writes
/// `jeu, 19/12/2019 - 03:00`, and `Date changed` before it.
fn day_first(written: &str) -> Option<Term> {
    static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:\D*[\s,])?(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\s*-?\s*(\d{2}:\d{2})(:\d{2})?)?$")
            .expect("a static expression")
    });
    let found = DAY_FIRST.captures(written)?;
    let day = format!("{}-{:0>2}-{:0>2}", &found[3], &found[2], &found[1]);
    Date::from_str(&day).ok()?;
    let Some(time) = found.get(4) else { return Some(Literal::new_typed_literal(day, xsd::DATE).into()) };
    let seconds = found.get(5).map_or(":00", |seconds| seconds.as_str());
    let whole = format!("{day}T{}{seconds}", time.as_str());
    DateTime::from_str(&whole).ok()?;
    Some(Literal::new_typed_literal(whole, xsd::DATE_TIME).into())
}

/// A size in bytes, with or without a unit (powers of 1000, as the SI says; KiB and the like of 1024).
pub(super) fn bytes(written: &str) -> Option<Term> {
    static SIZE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*([0-9]+(?:[.,][0-9]+)?)\s*(bytes?|octets?|o|b|[kmgt]i?[ob])?\s*$")
            .expect("a static expression")
    });
    let found = SIZE.captures(written)?;
    let number: f64 = found[1].replace(',', ".").parse().ok()?;
    let unit = found.get(2).map_or(String::new(), |unit| unit.as_str().to_lowercase());
    let base: f64 = if unit.contains('i') { 1024.0 } else { 1000.0 };
    let power = match unit.chars().next() {
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        _ => 0,
    };
    let bytes = (number * base.powi(power)).round();
    // No file is longer than what a file system can address.
    if bytes >= 2_f64.powi(63) {
        return None;
    }
    Some(Literal::new_typed_literal(format!("{bytes:.0}"), xsd::NON_NEGATIVE_INTEGER).into())
}
