//! What a reader of a feed asks: of which records, from where on, on which state.

use crate::catalog::DatasetKey;
use crate::derive::Filter;
use crate::operations::SourceRow;
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const LARGEST_PAGE: usize = 1_000;
const PAGE: usize = 100;
/// Filters of one feed: each goes through the whole catalogue.
const MOST_FILTERS: usize = 10;

/// Whose records a feed has.
pub(super) enum Scope {
    /// All.
    Whole,
    /// Those of a source.
    Source(Box<SourceRow>),
    /// Those of an organization, by its identifier.
    Organization(String),
}

impl Scope {
    /// The feed's address without its ending; the catalogue's own.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Whole => "/catalog".to_owned(),
            Self::Source(row) => format!("/source/{}/catalog", row.name),
            Self::Organization(id) => format!("/organization/{}/catalog", segment(id)),
        }
    }
}

/// A text as one segment of an address: clients choose it.
pub(super) fn segment(text: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    utf8_percent_encode(text, PLAIN).to_string()
}

/// What is asked of a feed.
#[derive(Debug)]
pub(super) struct Asked {
    /// The key behind which the page begins.
    pub(super) after: Option<DatasetKey>,
    /// Records of a page.
    pub(super) size: usize,
    /// The state that is read; the newest where none is named.
    pub(super) snapshot: Option<u64>,
    /// What all records have.
    pub(super) filters: Vec<Filter>,
    /// The parameters that stay in the addresses of other pages.
    pub(super) kept: Vec<(String, String)>,
}

impl Asked {
    pub(super) async fn read(shared: &Shared, scope: &Scope, query: &str) -> Result<Self, Problem> {
        let mut asked = Self { after: None, size: PAGE, snapshot: None, filters: Vec::new(), kept: Vec::new() };
        match scope {
            Scope::Whole => {}
            Scope::Source(row) => asked.filters.push(Filter::Source(shared.names.source(&row.slug))),
            Scope::Organization(id) => asked.filters.push(Filter::Organization(id.clone())),
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match &*name {
                "after" => {
                    let key = DatasetKey::parse(value);
                    let why = || Problem::invalid("after", format!("{value:?} is not a record's key"));
                    asked.after = Some(key.ok_or_else(why)?);
                }
                "page_size" => asked.size = number::<usize>("page_size", value)?.clamp(1, LARGEST_PAGE),
                "snapshot" => asked.snapshot = Some(number("snapshot", value)?),
                _ => asked.filter(shared, &name, value).await?,
            }
        }
        // One selection, in whichever order it is asked.
        asked.filters.sort_by_cached_key(|filter| format!("{filter:?}"));
        if asked.filters.len() > MOST_FILTERS {
            let why = format!("a feed takes {MOST_FILTERS} filters, and no more");
            return Err(Problem::invalid("q", why));
        }
        Ok(asked)
    }

    /// Notes a filter; what is none is left alone, as in the list of records.
    async fn filter(&mut self, shared: &Shared, name: &str, value: &str) -> Result<(), Problem> {
        let text = value.to_owned();
        self.kept.push((name.to_owned(), text.clone()));
        let filter = match name {
            "theme" => Filter::Theme(text),
            "format" => Filter::Format(text.to_lowercase()),
            "hvd" => Filter::HighValue(text),
            "license" => Filter::Licence(text),
            "organization" => Filter::Organization(text),
            "modified_since" => Filter::ModifiedSince(time(value)?),
            "area" => area(value)?,
            "tag" => Filter::Tag(text),
            "source" => {
                let row = shared.operations.source_named(value).await?;
                let row =
                    row.ok_or_else(|| Problem::invalid("source", format!("no source is called {value:?}")))?;
                Filter::Source(shared.names.source(&row.slug))
            }
            "q" => {
                self.filters.extend(value.split_whitespace().map(|word| Filter::Word(word.to_owned())));
                return Ok(());
            }
            _ => {
                self.kept.pop();
                return Ok(());
            }
        };
        if !self.filters.contains(&filter) {
            self.filters.push(filter);
        }
        Ok(())
    }
}

fn number<N: std::str::FromStr>(name: &'static str, text: &str) -> Result<N, Problem> {
    text.parse().map_err(|_| Problem::invalid(name, format!("{text:?} is not a number")))
}

/// A time, or the start of a day in UTC.
fn time(text: &str) -> Result<Timestamp, Problem> {
    let day = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let why =
        || Problem::invalid("modified_since", format!("{text:?} is no date such as 2024-02-29, and no time"));
    text.parse().ok().or_else(day).ok_or_else(why)
}

/// Four numbers are a rectangle, anything else names an area.
fn area(text: &str) -> Result<Filter, Problem> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let Some([west, south, east, north]) = numbers.as_deref() else { return Ok(Filter::Area(text.to_owned())) };
    let is_place = west < east && south < north && west.abs() <= 180.0 && east.abs() <= 180.0;
    if !is_place || south.abs() > 90.0 || north.abs() > 90.0 {
        let why = format!("{text:?} is no rectangle: west, south, east, north, in degrees");
        return Err(Problem::invalid("area", why));
    }
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let ring: Vec<String> = corners.iter().map(|(x, y)| format!("{x} {y}")).collect();
    Ok(Filter::Rectangle(format!("POLYGON(({}))", ring.join(", "))))
}
