//! Literals as values: whether a lexical form is well formed for its datatype, and SPARQL's order.

use crate::vocab::xsd;
use oxrdf::{Literal, NamedNodeRef};
use oxsdatatypes as typed;
use std::cmp::Ordering;
use std::str::FromStr;

/// Whether a literal's lexical form belongs to its datatype (XML Schema 1.1 part 2; RDF 1.1, 5.1).
/// Datatypes that are not of XML Schema are taken as they are.
#[must_use]
pub fn is_well_formed(literal: &Literal) -> bool {
    let (value, datatype) = (literal.value(), literal.datatype());
    if let Some(range) = IntegerRange::of(datatype) {
        return range.contains(value);
    }
    match datatype {
        xsd::BOOLEAN => matches!(value, "true" | "false" | "1" | "0"),
        xsd::DECIMAL => is_decimal(value),
        xsd::FLOAT | xsd::DOUBLE => is_double(value),
        xsd::DATE => parses::<typed::Date>(value),
        xsd::TIME => parses::<typed::Time>(&short_fraction(value)),
        xsd::DATE_TIME => parses::<typed::DateTime>(&short_fraction(value)),
        xsd::DATE_TIME_STAMP => {
            typed::DateTime::from_str(&short_fraction(value)).is_ok_and(|time| time.timezone_offset().is_some())
        }
        xsd::G_YEAR => parses::<typed::GYear>(value),
        xsd::G_YEAR_MONTH => parses::<typed::GYearMonth>(value),
        xsd::G_MONTH => parses::<typed::GMonth>(value),
        xsd::G_MONTH_DAY => parses::<typed::GMonthDay>(value),
        xsd::G_DAY => parses::<typed::GDay>(value),
        xsd::DURATION => is_duration(value, "YMD", "HMS"),
        xsd::DAY_TIME_DURATION => is_duration(value, "D", "HMS"),
        xsd::YEAR_MONTH_DURATION => is_duration(value, "YM", ""),
        xsd::HEX_BINARY => value.len() % 2 == 0 && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        xsd::BASE64_BINARY => is_base64(value),
        _ => is_well_formed_text(value, datatype),
    }
}

/// The datatypes derived from `xsd:string`.
fn is_well_formed_text(value: &str, datatype: NamedNodeRef<'_>) -> bool {
    let name_start = |c: char| c.is_alphabetic() || c == '_';
    let name_char = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '·');
    let is_name = |text: &str, colons: bool| {
        let fits = |c: char, fit: &dyn Fn(char) -> bool| fit(c) || (colons && c == ':');
        let mut chars = text.chars();
        chars.next().is_some_and(|c| fits(c, &name_start)) && chars.all(|c| fits(c, &name_char))
    };
    match datatype {
        xsd::NORMALIZED_STRING => !value.contains(['\t', '\n', '\r']),
        xsd::TOKEN => is_token(value),
        xsd::LANGUAGE => is_language(value),
        xsd::NAME => is_name(value, true),
        xsd::NC_NAME => is_name(value, false),
        xsd::NMTOKEN => !value.is_empty() && value.chars().all(|c| name_char(c) || c == ':'),
        _ => true,
    }
}

fn is_token(value: &str) -> bool {
    !value.contains(['\t', '\n', '\r']) && !value.contains("  ") && value.trim_matches(' ') == value
}

/// `[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*`
fn is_language(value: &str) -> bool {
    value.split('-').enumerate().all(|(position, part)| {
        (1..=8).contains(&part.len())
            && part
                .bytes()
                .all(|b| if position == 0 { b.is_ascii_alphabetic() } else { b.is_ascii_alphanumeric() })
    })
}

fn is_base64(value: &str) -> bool {
    let compact: Vec<u8> = value.bytes().filter(|byte| *byte != b' ').collect();
    let padding = compact.iter().rev().take_while(|byte| **byte == b'=').count();
    // The bits that the padding leaves over are zero (RFC 4648, 3.5; XML Schema's grammar asks for it).
    let last = compact.len().checked_sub(padding + 1).map(|at| compact[at]);
    let ends_well = match (padding, last) {
        (1, Some(last)) => b"AEIMQUYcgkosw048".contains(&last),
        (2, Some(last)) => b"AQgw".contains(&last),
        _ => true,
    };
    compact.len().is_multiple_of(4)
        && padding <= 2
        && ends_well
        && compact[..compact.len() - padding]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// The form of a duration (XML Schema 1.1 part 2, 3.3.6.2), whose numbers may be of any size: units in
/// their order, each once, at least one, and one behind a `T`.
fn is_duration(value: &str, date_units: &str, time_units: &str) -> bool {
    let bare = value.strip_prefix('-').unwrap_or(value);
    let Some(rest) = bare.strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let has_date = !date.is_empty();
    (has_date || time.is_some())
        && (!has_date || are_units(date, date_units))
        && time.is_none_or(|time| are_units(time, time_units))
}

/// Whether a text is numbers with these units, in their order; only seconds have a fraction.
fn are_units(text: &str, units: &str) -> bool {
    let mut units = units.chars();
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        let is_number = match number.split_once('.') {
            None => !number.is_empty(),
            Some((whole, fraction)) => {
                c == 'S' && !whole.is_empty() && !fraction.is_empty() && !fraction.contains('.')
            }
        };
        if !is_number || !units.any(|unit| unit == c) {
            return false;
        }
        number.clear();
    }
    number.is_empty() && !text.is_empty()
}

/// A time with at most 18 digits of fraction, which is as many as the parser takes.
fn short_fraction(value: &str) -> std::borrow::Cow<'_, str> {
    let Some((whole, rest)) = value.split_once('.') else { return value.into() };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 18 {
        return value.into();
    }
    format!("{whole}.{}{}", &rest[..18], &rest[digits..]).into()
}

fn parses<T: FromStr>(value: &str) -> bool {
    T::from_str(value).is_ok()
}

/// Checked by form, not by parsing: decimals may be longer than any machine type.
fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

fn is_double(value: &str) -> bool {
    if matches!(value, "INF" | "+INF" | "-INF" | "NaN") {
        return true;
    }
    match value.split_once(['e', 'E']) {
        None => is_decimal(value),
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            is_decimal(mantissa) && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}

/// The bounds of an integer datatype; `None` is unbounded.
struct IntegerRange {
    least: Option<i128>,
    most: Option<i128>,
}

impl IntegerRange {
    fn of(datatype: NamedNodeRef<'_>) -> Option<Self> {
        let (least, most) = match datatype {
            xsd::INTEGER => (None, None),
            xsd::LONG => (Some(i64::MIN.into()), Some(i64::MAX.into())),
            xsd::INT => (Some(i32::MIN.into()), Some(i32::MAX.into())),
            xsd::SHORT => (Some(i16::MIN.into()), Some(i16::MAX.into())),
            xsd::BYTE => (Some(i8::MIN.into()), Some(i8::MAX.into())),
            xsd::UNSIGNED_LONG => (Some(0), Some(u64::MAX.into())),
            xsd::UNSIGNED_INT => (Some(0), Some(u32::MAX.into())),
            xsd::UNSIGNED_SHORT => (Some(0), Some(u16::MAX.into())),
            xsd::UNSIGNED_BYTE => (Some(0), Some(u8::MAX.into())),
            xsd::NON_NEGATIVE_INTEGER => (Some(0), None),
            xsd::POSITIVE_INTEGER => (Some(1), None),
            xsd::NON_POSITIVE_INTEGER => (None, Some(0)),
            xsd::NEGATIVE_INTEGER => (None, Some(-1)),
            _ => return None,
        };
        Some(Self { least, most })
    }

    fn contains(&self, value: &str) -> bool {
        let is_negative = value.starts_with('-');
        let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        match value.parse::<i128>() {
            Ok(number) => {
                self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
            }
            // Longer than 38 digits: only an unbounded side can hold it.
            Err(_) => {
                if is_negative {
                    self.least.is_none()
                } else {
                    self.most.is_none()
                }
            }
        }
    }
}

/// Compares two literals as SPARQL's `<` does (SPARQL 1.1, 17.3.1, with dates as `XPath` orders them).
///
/// `None` when SPARQL would raise a type error, or when the order is undetermined (a date-time with
/// a time zone beside one without).
#[must_use]
pub fn compare(left: &Literal, right: &Literal) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return left.compare(&right);
    }
    let (a, b) = (left.value(), right.value());
    match (left.datatype(), right.datatype()) {
        (xsd::STRING, xsd::STRING) => Some(a.cmp(b)),
        (xsd::BOOLEAN, xsd::BOOLEAN) => ordered::<typed::Boolean>(a, b),
        (xsd::DATE_TIME | xsd::DATE_TIME_STAMP, xsd::DATE_TIME | xsd::DATE_TIME_STAMP) => {
            ordered::<typed::DateTime>(a, b)
        }
        (xsd::DATE, xsd::DATE) => ordered::<typed::Date>(a, b),
        (xsd::TIME, xsd::TIME) => ordered::<typed::Time>(a, b),
        (xsd::G_YEAR, xsd::G_YEAR) => ordered::<typed::GYear>(a, b),
        (xsd::G_YEAR_MONTH, xsd::G_YEAR_MONTH) => ordered::<typed::GYearMonth>(a, b),
        (xsd::DAY_TIME_DURATION, xsd::DAY_TIME_DURATION) => ordered::<typed::DayTimeDuration>(a, b),
        (xsd::YEAR_MONTH_DURATION, xsd::YEAR_MONTH_DURATION) => ordered::<typed::YearMonthDuration>(a, b),
        (xsd::DURATION, xsd::DURATION) => ordered::<typed::Duration>(a, b),
        _ => None,
    }
}

fn ordered<T: FromStr + PartialOrd>(left: &str, right: &str) -> Option<Ordering> {
    T::from_str(left).ok()?.partial_cmp(&T::from_str(right).ok()?)
}

/// A numeric literal, in the narrowest of the types that SPARQL promotes between.
enum Number {
    Decimal(Digits),
    Double(f64),
}

/// A decimal of any length: its sign, and its digits without zeros that say nothing.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    is_negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    /// Reads a well-formed decimal.
    fn of(text: &str) -> Self {
        let digits = text.trim_start_matches(['+', '-']);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Self {
            is_negative: text.starts_with('-') && !is_zero,
            whole: whole.to_owned(),
            fraction: fraction.to_owned(),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            let by_length = left.whole.len().cmp(&right.whole.len());
            by_length.then_with(|| left.whole.cmp(&right.whole)).then_with(|| left.fraction.cmp(&right.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    fn as_double(&self) -> f64 {
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}0{}.{}0", self.whole, self.fraction).parse().unwrap_or(f64::NAN)
    }
}

impl Number {
    fn of(literal: &Literal) -> Option<Self> {
        let datatype = literal.datatype();
        let is_exact = datatype == xsd::DECIMAL || IntegerRange::of(datatype).is_some();
        if !(is_exact || datatype == xsd::FLOAT || datatype == xsd::DOUBLE) || !is_well_formed(literal) {
            return None;
        }
        if is_exact {
            return Some(Self::Decimal(Digits::of(literal.value())));
        }
        typed::Double::from_str(literal.value()).ok().map(|double| Self::Double(double.into()))
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Decimal(left), Self::Decimal(right)) => Some(left.compare(right)),
            (left, right) => left.as_double().partial_cmp(&right.as_double()),
        }
    }

    fn as_double(&self) -> f64 {
        match self {
            Self::Decimal(decimal) => decimal.as_double(),
            Self::Double(double) => *double,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_lexical_forms_of_each_datatype() {
        let cases = [
            (xsd::DATE, "2020-02-29", "2021-02-29"),
            (xsd::DATE_TIME, "2020-01-01T24:00:00Z", "2020-01-01"),
            (xsd::DATE_TIME_STAMP, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00"),
            (xsd::G_YEAR, "2020", "20"),
            (xsd::INTEGER, "123456789012345678901234567890123456789012", "1.0"),
            (xsd::BYTE, "-128", "128"),
            (xsd::NON_NEGATIVE_INTEGER, "+0", "-1"),
            (xsd::DECIMAL, ".5", "1e3"),
            (xsd::DOUBLE, "-1.5E-3", "1e"),
            (xsd::BOOLEAN, "1", "True"),
            (xsd::HEX_BINARY, "0aFF", "0af"),
            (xsd::BASE64_BINARY, "YQ==", "YQ="),
            (xsd::LANGUAGE, "fr-FR", "fr_FR"),
            (xsd::TOKEN, "a b", "a  b"),
            (xsd::NC_NAME, "a-1", "a:1"),
            (xsd::DURATION, "P1Y2M", "P"),
            (xsd::DURATION, "-P1DT0.5S", "P1DT"),
            (xsd::DURATION, "P99999999999999999999Y", "P1M1Y"),
            (xsd::DAY_TIME_DURATION, "PT1H", "P1Y"),
            (xsd::YEAR_MONTH_DURATION, "P1Y", "P1D"),
            (xsd::DATE_TIME, "2020-01-01T00:00:00.1234567890123456789Z", "2020-01-01T00:00:00."),
            (xsd::BASE64_BINARY, "YWI=", "YR=="),
        ];
        for (datatype, good, bad) in cases {
            assert!(is_well_formed(&Literal::new_typed_literal(good, datatype)), "{good} {datatype}");
            assert!(!is_well_formed(&Literal::new_typed_literal(bad, datatype)), "{bad} {datatype}");
        }
    }

    #[test]
    fn a_time_zone_beside_none_is_not_comparable() {
        let with = Literal::new_typed_literal("2002-10-10T12:00:00-05:00", xsd::DATE_TIME);
        let without = Literal::new_typed_literal("2002-10-10T12:00:01", xsd::DATE_TIME);
        assert_eq!(compare(&with, &without), None);
        assert_eq!(compare(&Literal::from(1), &Literal::from(1.5)), Some(Ordering::Less));
        let integer = |text: &str| Literal::new_typed_literal(text, xsd::INTEGER);
        let (less, more) = (integer("123456789012345678901234567890"), integer("123456789012345678901234567891"));
        assert_eq!(compare(&less, &more), Some(Ordering::Less));
        assert_eq!(compare(&integer("-0"), &integer("+00")), Some(Ordering::Equal));
        assert_eq!(compare(&integer("-10"), &integer("-9")), Some(Ordering::Less));
    }
}
