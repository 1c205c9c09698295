//! When a source is harvested: cron expressions with a time zone, in which a source has times of its own.

use crate::catalog::SourceId;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Why a schedule cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the schedule {text:?} is not one: {fault}; write five fields such as \"30 4 * * *\", with H for a time of the source's own, or @hourly, @daily, @weekly or @monthly"
)]
pub struct ScheduleError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub fault: String,
}

/// The words that stand for expressions.
const WORDS: [(&str, &str); 4] =
    [("@hourly", "H * * * *"), ("@daily", "H H * * *"), ("@weekly", "H H * * H"), ("@monthly", "H H H * *")];

/// The first and the last value that `H` stands for in each field: not every month has more than 28 days.
const RANGES: [(u64, u64); 5] = [(0, 59), (0, 23), (1, 28), (1, 12), (0, 6)];

/// The first time after another at which a source is due.
///
/// `H` in a field is a value of the source's own, so that the sources of a platform do not start together.
///
/// # Errors
/// When the expression or the time zone is not one.
pub fn next_time(
    schedule: &str,
    time_zone: Option<&str>,
    source: &SourceId,
    after: Timestamp,
) -> Result<Timestamp, ScheduleError> {
    let wrong = |fault: String| ScheduleError { text: schedule.to_owned(), fault };
    let expression = WORDS.iter().find(|(word, _)| *word == schedule.trim()).map_or(schedule, |(_, text)| text);
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if fields.len() != RANGES.len() {
        return Err(wrong(format!("it has {} fields", fields.len())));
    }
    let own: Vec<String> = fields
        .iter()
        .zip(RANGES)
        .enumerate()
        .map(|(number, (field, range))| own_value(field, source, number, range))
        .collect();
    let text = format!("{} {}", own.join(" "), time_zone.unwrap_or("UTC"));
    let crontab = cronexpr::parse_crontab(&text).map_err(|error| wrong(first_line(&error.to_string())))?;
    let next = crontab
        .find_next(cronexpr::MakeTimestamp(after))
        .map_err(|error| wrong(first_line(&error.to_string())))?;
    Ok(next.timestamp())
}

fn own_value(field: &str, source: &SourceId, number: usize, (first, last): (u64, u64)) -> String {
    let hash = Sha256::digest(format!("{number}:{source}").as_bytes());
    let hash = u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"));
    match field.split_once('/') {
        None if field == "H" => (first + hash % (last - first + 1)).to_string(),
        // `H/15`: each quarter of an hour, from a minute of the source's own on.
        Some(("H", step)) => match step.parse::<u64>() {
            Ok(step @ 1..) => format!("{}-{last}/{step}", first + hash % step.min(last - first + 1)),
            _ => field.to_owned(),
        },
        _ => field.to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn source(name: &str) -> SourceId {
        SourceId::parse(name).unwrap()
    }

    fn next(schedule: &str, zone: Option<&str>, after: &str) -> String {
        next_time(schedule, zone, &source("s"), after.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_stated_time_is_kept_in_its_time_zone_through_the_change_of_clocks() {
        assert_eq!(next("30 4 * * *", None, "2026-03-01T12:00:00Z"), "2026-03-02T04:30:00Z");
        let paris = Some("Europe/Paris");
        assert_eq!(next("30 4 * * *", paris, "2026-03-28T12:00:00Z"), "2026-03-29T02:30:00Z");
        assert_eq!(next("30 4 * * *", paris, "2026-03-27T12:00:00Z"), "2026-03-28T03:30:00Z");
    }

    #[test]
    fn sources_have_times_of_their_own_and_keep_them() {
        let after = "2026-03-01T00:00:00Z".parse().unwrap();
        let times: HashSet<Timestamp> = (0..200)
            .map(|number| next_time("@daily", None, &source(&format!("s{number}")), after).unwrap())
            .collect();
        assert!(times.len() > 150, "{} times for 200 sources", times.len());
        let first = next_time("@daily", None, &source("s1"), after).unwrap();
        let second = next_time("@daily", None, &source("s1"), first).unwrap();
        assert_eq!(second.duration_since(first).as_hours(), 24);
        let quarters = next_time("H/15 * * * *", None, &source("s1"), after).unwrap();
        assert!(quarters.duration_since(after).as_mins() <= 15);
    }

    #[test]
    fn what_is_no_schedule_says_what_one_is() {
        for text in ["", "now", "61 * * * *", "@fortnightly", "H/0 * * * *"] {
            let error = next_time(text, None, &source("s"), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
            assert!(error.contains("@daily"), "{error}");
        }
        assert!(next_time("@daily", Some("Europe/Nowhere"), &source("s"), Timestamp::UNIX_EPOCH).is_err());
    }
}
