//! Dates, periods and sizes as people write them.

use crate::vocab::xsd;
use jiff::Span;
use jiff::civil::{Date, Weekday};
use oxrdf::{Literal, Term};
use oxsdatatypes::{Date as XsdDate, DateTime};
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
    if let Some(day) = edge_by_duration(written, edge) {
        return Some(Literal::new_typed_literal(day.to_string(), xsd::DATE).into());
    }
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
    XsdDate::from_str(&whole).ok()?;
    Some(Literal::new_typed_literal(whole, xsd::DATE).into())
}

/// The edge that is written as a duration from the other one: `2000-01-15/P1W` ends on 2000-01-22 (ISO 8601-1, 5.5.2).
fn edge_by_duration(written: &str, edge: Edge) -> Option<Date> {
    let (start, end) = written.split_once('/')?;
    let (day, duration, is_back) = match edge {
        Edge::End if end.trim_start().starts_with('P') => (start, end, false),
        Edge::Start if start.trim_start().starts_with('P') => (end, start, true),
        _ => return None,
    };
    let day: Date = day.trim().get(..10)?.parse().ok()?;
    let duration: Span = duration.trim().parse().ok()?;
    if is_back { day.checked_sub(duration) } else { day.checked_add(duration) }.ok()
}

/// `2016+01:00` without its offset; not a date, which has a `-` there, too.
fn without_offset(part: &str) -> Option<&str> {
    let (bare, offset) = part.split_at_checked(part.len().checked_sub(6)?)?;
    (offset.starts_with(['+', '-']) && offset.as_bytes()[3] == b':').then_some(bare)
}

fn last_day(month: &str) -> Option<String> {
    (28..=31).rev().map(|day| format!("{month}-{day}")).find(|date| XsdDate::from_str(date).is_ok())
}

/// A date in a form that people write, as `xsd:date` or `xsd:dateTime`; `None` when it is ambiguous.
pub(super) fn date(written: &str) -> Option<Term> {
    let written = written.trim();
    if DateTime::from_str(written).is_ok() {
        return Some(Literal::new_typed_literal(written, xsd::DATE_TIME).into());
    }
    // A day with a zone, as GML writes it, is that day.
    if let Some((day, zone)) = written.split_at_checked(10)
        && XsdDate::from_str(written).is_ok()
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
    year_last(written).or_else(|| period(written, Edge::Start).filter(|_| written.len() < 8))
}

/// A date written with its year last, where it has one reading.
fn year_last(written: &str) -> Option<Term> {
    let readings = YearLast::parse(written)?.readings();
    <[_; 1]>::try_from(readings).ok().and_then(|[(_, term)]| term)
}

/// The readings of a date that has more than one, for a person to choose: `03/04/2021` is of April or of March.
pub(super) fn date_readings(written: &str) -> Option<String> {
    let readings = YearLast::parse(written.trim())?.readings();
    let texts: Vec<String> = readings.iter().map(|(day, _)| day.to_string()).collect();
    (texts.len() > 1).then(|| texts.join(", "))
}

/// A date with its year last, perhaps after a weekday and before a time: DKAN writes `jeu, 19/12/2019 - 03:00`, and
/// `Date changed` before it.
struct YearLast {
    numbers: [i8; 2],
    year: i16,
    /// Dots are written where the day comes first, slashes everywhere.
    has_dots: bool,
    weekday: Option<Weekday>,
    time: Option<String>,
}

impl YearLast {
    fn parse(written: &str) -> Option<Self> {
        static FORM: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"^(?:(\D*)[\s,])?(\d{1,2})(?:/(\d{1,2})/|\.(\d{1,2})\.)(\d{4})(?:\s*-?\s*(\d{2}:\d{2})(:\d{2})?)?$",
            )
            .expect("a static expression")
        });
        let found = FORM.captures(written)?;
        let text = |group: usize| found.get(group).map(|found| found.as_str());
        let second = text(3).or(text(4))?;
        Some(Self {
            numbers: [text(2)?.parse().ok()?, second.parse().ok()?],
            year: text(5)?.parse().ok()?,
            has_dots: text(4).is_some(),
            weekday: text(1).and_then(weekday),
            time: text(6).map(|time| format!("{time}{}", text(7).unwrap_or(":00"))),
        })
    }

    /// The days that it can be, day first before month first. A weekday decides where only one falls on it.
    fn readings(&self) -> Vec<(Date, Option<Term>)> {
        let [first, second] = self.numbers;
        let mut readings = vec![Date::new(self.year, second, first).ok()];
        if !self.has_dots && first != second {
            readings.push(Date::new(self.year, first, second).ok());
        }
        let mut readings: Vec<Date> = readings.into_iter().flatten().collect();
        if let Some(weekday) = self.weekday
            && readings.iter().any(|day| day.weekday() == weekday)
        {
            readings.retain(|day| day.weekday() == weekday);
        }
        readings.into_iter().map(|day| (day, self.term(day))).collect()
    }

    fn term(&self, day: Date) -> Option<Term> {
        let Some(time) = &self.time else {
            return Some(Literal::new_typed_literal(day.to_string(), xsd::DATE).into());
        };
        let whole = format!("{day}T{time}");
        DateTime::from_str(&whole).ok()?;
        Some(Literal::new_typed_literal(whole, xsd::DATE_TIME).into())
    }
}

/// The weekday that a text ends with, in English or French, whole or cut short.
fn weekday(text: &str) -> Option<Weekday> {
    let word = text.trim_end_matches(|sign: char| !sign.is_alphabetic()).split_whitespace().last()?.to_lowercase();
    Some(match word.get(..3)? {
        "mon" | "lun" => Weekday::Monday,
        "tue" | "mar" => Weekday::Tuesday,
        "wed" | "mer" => Weekday::Wednesday,
        "thu" | "jeu" => Weekday::Thursday,
        "fri" | "ven" => Weekday::Friday,
        "sat" | "sam" => Weekday::Saturday,
        "sun" | "dim" => Weekday::Sunday,
        _ => return None,
    })
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

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn value(term: Option<Term>) -> Option<String> {
        term.and_then(|term| text(&term))
    }

    #[test]
    fn reads_dates_without_guessing() {
        assert_eq!(value(date("2019-02-03 10:00:00")).as_deref(), Some("2019-02-03T10:00:00"));
        assert_eq!(value(date("03/02/2019")), None);
        assert_eq!(date_readings("03/02/2019").as_deref(), Some("2019-02-03, 2019-03-02"));
        assert_eq!(value(date("03.02.2019")).as_deref(), Some("2019-02-03"));
        assert_eq!(value(date("23/02/2019")).as_deref(), Some("2019-02-23"));
        assert_eq!(value(date("02/23/2019")).as_deref(), Some("2019-02-23"));
        assert_eq!(value(date("02/02/2019")).as_deref(), Some("2019-02-02"));
        assert_eq!(date_readings("02/02/2019"), None);
        assert_eq!(value(date("Thu, 04/12/2018 - 10:00")).as_deref(), Some("2018-04-12T10:00:00"));
        assert_eq!(value(date("2019-02-03+01:00")).as_deref(), Some("2019-02-03"));
        assert_eq!(value(date("31/02/2019")), None);
        assert_eq!(value(date("mar, 10/12/2019 - 09:23")).as_deref(), Some("2019-12-10T09:23:00"));
        assert_eq!(value(date("Date changed  jeu, 19/12/2019 - 03:00")).as_deref(), Some("2019-12-19T03:00:00"));
        assert_eq!(value(date("2014-01-16T14:49")).as_deref(), Some("2014-01-16T14:49:00"));
        assert_eq!(value(period("2016Z", Edge::End)).as_deref(), Some("2016-12-31"));
        assert_eq!(value(period("2016-02+01:00", Edge::End)).as_deref(), Some("2016-02-29"));
        assert_eq!(value(date("n.d.")), None);
        assert_eq!(value(date("2021-13-45")), None);
        assert_eq!(value(period("2016", Edge::End)).as_deref(), Some("2016-12-31"));
        assert_eq!(value(period("2016-02", Edge::End)).as_deref(), Some("2016-02-29"));
        assert_eq!(value(period("2016-01-01/2016-12-05", Edge::End)).as_deref(), Some("2016-12-05"));
        assert_eq!(value(period("2000-01-15/P1W", Edge::Start)).as_deref(), Some("2000-01-15"));
        assert_eq!(value(period("2000-01-15T00:45:00Z/P1W", Edge::End)).as_deref(), Some("2000-01-22"));
        assert_eq!(value(period("P1Y/2016-12-31", Edge::Start)).as_deref(), Some("2015-12-31"));
    }
}
