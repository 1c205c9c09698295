//! The filters of lists and feeds, by the names of their parameters.

use super::problem::Problem;
use super::server::Shared;
use crate::catalog::DatasetKey;
use crate::derive::Filter;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Filters of one request: each goes through the whole catalogue.
const MOST_FILTERS: usize = 10;

/// The filters that a parameter asks for; nothing where it is none.
pub(super) async fn filters_of(shared: &Shared, name: &str, value: &str) -> Result<Option<Vec<Filter>>, Problem> {
    let text = value.to_owned();
    Ok(Some(vec![match name {
        "q" => return Ok(Some(value.split_whitespace().map(|word| Filter::Word(word.to_owned())).collect())),
        "tag" => Filter::Tag(text),
        "license" => Filter::Licence(text),
        "format" => Filter::Format(text.to_lowercase()),
        "organization" => Filter::Organization(text),
        "theme" => Filter::Theme(text),
        "hvd" => Filter::HighValue(text),
        "modified_since" => Filter::ModifiedSince(time(value)?),
        "area" => area("area", value)?,
        "geozone" => area("geozone", value)?,
        "uri" => Filter::Keys(named(shared, value).await?),
        "remote_id" => Filter::Keys(shared.operations.keys_of_remote_id(value).await?),
        "source" => {
            let row = shared.operations.source_named(value).await?;
            let row = row.ok_or_else(|| Problem::invalid("source", format!("no source is called {value:?}")))?;
            Filter::Source(shared.names.source(&row.slug))
        }
        _ => return Ok(None),
    }]))
}

/// The records of a name: their own IRI, or their address here.
pub(super) async fn named(shared: &Shared, iri: &str) -> Result<Vec<DatasetKey>, Problem> {
    let base = &shared.settings.public_base;
    let here = [base.as_str(), shared.names.base().trim_end_matches('/')]
        .into_iter()
        .find_map(|base| iri.strip_prefix(base)?.strip_prefix("/dataset/"));
    match here.and_then(|key| DatasetKey::parse(key.trim_end_matches('/'))) {
        Some(key) => Ok(vec![key]),
        None => Ok(shared.operations.keys_of_node(iri).await?),
    }
}

/// Filters without repetition, and not too many.
pub(super) fn distinct(filters: Vec<Filter>) -> Result<Vec<Filter>, Problem> {
    let mut distinct: Vec<Filter> = Vec::new();
    for filter in filters {
        if !distinct.contains(&filter) {
            distinct.push(filter);
        }
    }
    if distinct.len() > MOST_FILTERS {
        let why = format!("a request takes {MOST_FILTERS} words, tags and other filters, and no more");
        return Err(Problem::invalid("q", why));
    }
    Ok(distinct)
}

/// A time, or the start of a day in UTC.
fn time(text: &str) -> Result<Timestamp, Problem> {
    let day = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let why =
        || Problem::invalid("modified_since", format!("{text:?} is no date such as 2024-02-29, and no time"));
    text.parse().ok().or_else(day).ok_or_else(why)
}

/// Four numbers are a rectangle, anything else names an area.
fn area(parameter: &'static str, text: &str) -> Result<Filter, Problem> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let Some([west, south, east, north]) = numbers.as_deref() else { return Ok(Filter::Area(text.to_owned())) };
    let is_place = west < east && south < north && west.abs() <= 180.0 && east.abs() <= 180.0;
    if !is_place || south.abs() > 90.0 || north.abs() > 90.0 {
        let why = format!("{text:?} is no rectangle: west, south, east, north, in degrees");
        return Err(Problem::invalid(parameter, why));
    }
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let ring: Vec<String> = corners.iter().map(|(x, y)| format!("{x} {y}")).collect();
    Ok(Filter::Rectangle(format!("POLYGON(({}))", ring.join(", "))))
}
