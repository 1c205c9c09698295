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
        xsd::TIME => parses::<typed::Time>(value),
        xsd::DATE_TIME => parses::<typed::DateTime>(value),
        xsd::DATE_TIME_STAMP => {
            typed::DateTime::from_str(value).is_ok_and(|time| time.timezone_offset().is_some())
        }
        xsd::G_YEAR => parses::<typed::GYear>(value),
        xsd::G_YEAR_MONTH => parses::<typed::GYearMonth>(value),
        xsd::G_MONTH => parses::<typed::GMonth>(value),
        xsd::G_MONTH_DAY => parses::<typed::GMonthDay>(value),
        xsd::G_DAY => parses::<typed::GDay>(value),
        xsd::DURATION => parses::<typed::Duration>(value),
        xsd::DAY_TIME_DURATION => parses::<typed::DayTimeDuration>(value),
        xsd::YEAR_MONTH_DURATION => parses::<typed::YearMonthDuration>(value),
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
    compact.len().is_multiple_of(4)
        && padding <= 2
        && compact[..compact.len() - padding]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
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
    Decimal(typed::Decimal),
    Double(f64),
}

impl Number {
    fn of(literal: &Literal) -> Option<Self> {
        let datatype = literal.datatype();
        let is_exact = datatype == xsd::DECIMAL || IntegerRange::of(datatype).is_some();
        if !(is_exact || datatype == xsd::FLOAT || datatype == xsd::DOUBLE) || !is_well_formed(literal) {
            return None;
        }
        if is_exact && let Ok(decimal) = typed::Decimal::from_str(literal.value()) {
            return Some(Self::Decimal(decimal));
        }
        // Past the decimal's 18 digits the order is that of the nearest double.
        typed::Double::from_str(literal.value()).ok().map(|double| Self::Double(double.into()))
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Decimal(left), Self::Decimal(right)) => left.partial_cmp(right),
            (left, right) => left.as_double().partial_cmp(&right.as_double()),
        }
    }

    fn as_double(&self) -> f64 {
        match self {
            Self::Decimal(decimal) => typed::Double::from(*decimal).into(),
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
    }
}
