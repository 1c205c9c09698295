//! Frequencies written as ISO 8601 repeating intervals (`R/P1M`, DCAT-US), by what they measure and not by their spelling.

use regex::Regex;
use std::sync::LazyLock;

/// Months that an interval takes, with the code of the EU frequency table.
const MONTHS: [(f64, &str); 15] = [
    (1.0 / 3.0, "MONTHLY_3"),
    (0.5, "MONTHLY_2"),
    (1.0, "MONTHLY"),
    (2.0, "BIMONTHLY"),
    (3.0, "QUARTERLY"),
    (4.0, "ANNUAL_3"),
    (6.0, "ANNUAL_2"),
    (12.0, "ANNUAL"),
    (24.0, "BIENNIAL"),
    (36.0, "TRIENNIAL"),
    (48.0, "QUADRENNIAL"),
    (60.0, "QUINQUENNIAL"),
    (120.0, "DECENNIAL"),
    (240.0, "BIDECENNIAL"),
    (360.0, "TRIDECENNIAL"),
];

/// Days that an interval takes; fifteen days are a fortnight in the languages that count both ends.
const DAYS: [(f64, &str); 16] = [
    (1.0 / 3.0, "DAILY_3"),
    (0.5, "DAILY_2"),
    (1.0, "DAILY"),
    (1.4, "WEEKLY_5"),
    (7.0 / 3.0, "WEEKLY_3"),
    (3.5, "WEEKLY_2"),
    (7.0, "WEEKLY"),
    (10.0, "MONTHLY_3"),
    (14.0, "BIWEEKLY"),
    (15.0, "BIWEEKLY"),
    (30.0, "MONTHLY"),
    (61.0, "BIMONTHLY"),
    (91.0, "QUARTERLY"),
    (182.0, "ANNUAL_2"),
    (365.0, "ANNUAL"),
    (730.0, "BIENNIAL"),
];

/// Seconds that an interval takes.
const SECONDS: [(f64, &str); 9] = [
    (60.0, "1MIN"),
    (300.0, "5MIN"),
    (600.0, "10MIN"),
    (900.0, "15MIN"),
    (1800.0, "30MIN"),
    (3600.0, "HOURLY"),
    (7200.0, "BIHOURLY"),
    (10800.0, "TRIHOURLY"),
    (43200.0, "12HRS"),
];

/// How far an interval may be from a code's: `P0.33M` is a third of a month.
const TOLERANCE: f64 = 0.035;

/// The code of the EU frequency table for a repeating interval or a duration; `None` where no code has its length.
pub(super) fn frequency(written: &str) -> Option<&'static str> {
    static DURATION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^(?:r\d*/)?p(?:([\d.,]+)y)?(?:([\d.,]+)m)?(?:([\d.,]+)w)?(?:([\d.,]+)d)?",
            r"(?:t(?:([\d.,]+)h)?(?:([\d.,]+)m)?(?:([\d.,]+)s)?)?(?:/.*)?$"
        ))
        .expect("a static expression")
    });
    let found = DURATION.captures(written.trim())?;
    let number = |group: usize| -> Option<f64> {
        found.get(group).map_or(Some(0.0), |text| text.as_str().replace(',', ".").parse().ok())
    };
    let months = number(1)? * 12.0 + number(2)?;
    let days = number(3)? * 7.0 + number(4)?;
    let seconds = number(5)? * 3600.0 + number(6)? * 60.0 + number(7)?;
    match (months > 0.0, days > 0.0, seconds > 0.0) {
        (true, false, false) => nearest(&MONTHS, months),
        (false, true, false) => nearest(&DAYS, days),
        (false, false, true) if seconds < 60.0 => Some("UPDATE_CONT"),
        (false, false, true) => nearest(&SECONDS, seconds).or_else(|| nearest(&DAYS, seconds / 86_400.0)),
        _ => None,
    }
}

fn nearest(codes: &'static [(f64, &'static str)], length: f64) -> Option<&'static str> {
    codes.iter().find(|(own, _)| (length / own - 1.0).abs() <= TOLERANCE).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_an_interval_however_it_is_written() {
        let cases = [
            ("R/P0.5M", Some("MONTHLY_2")),
            ("R/P0.33M", Some("MONTHLY_3")),
            ("R/P0.5W", Some("WEEKLY_2")),
            ("R/P0.33W", Some("WEEKLY_3")),
            ("R/P3.5D", Some("WEEKLY_2")),
            ("r/p1w", Some("WEEKLY")),
            ("R/P7D", Some("WEEKLY")),
            ("R/P2W", Some("BIWEEKLY")),
            ("R/P15D", Some("BIWEEKLY")),
            ("P0Y0M10D", Some("MONTHLY_3")),
            ("R/P4M", Some("ANNUAL_3")),
            ("R/P1Y/2020-01-01", Some("ANNUAL")),
            ("R5/P12M", Some("ANNUAL")),
            ("R/P4Y", Some("QUADRENNIAL")),
            ("R/PT1S", Some("UPDATE_CONT")),
            ("R/PT1H", Some("HOURLY")),
            ("R/PT24H", Some("DAILY")),
            ("R/P5M", None),
            ("R/P", None),
            ("P1M1D", None),
            ("monthly", None),
        ];
        for (written, expected) in cases {
            assert_eq!(frequency(written), expected, "{written}");
        }
    }
}
