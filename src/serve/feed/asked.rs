//! What a reader of a feed asks: of which records, from where on, on which state.

use crate::catalog::DatasetKey;
use crate::derive::Filter;
use crate::operations::SourceRow;
use crate::serve::filters::{distinct, filters_of};
use crate::serve::problem::Problem;
use crate::serve::server::Shared;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const LARGEST_PAGE: usize = 1_000;
const PAGE: usize = 100;

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
                // What is no filter is left alone, as in the list of records.
                _ => {
                    if let Some(filters) = filters_of(shared, &name, value).await? {
                        asked.filters.extend(filters);
                        asked.kept.push((name.into_owned(), value.to_owned()));
                    }
                }
            }
        }
        asked.filters = distinct(asked.filters)?;
        // One selection, in whichever order it is asked.
        asked.filters.sort_by_cached_key(|filter| format!("{filter:?}"));
        Ok(asked)
    }
}

fn number<N: std::str::FromStr>(name: &'static str, text: &str) -> Result<N, Problem> {
    text.parse().map_err(|_| Problem::invalid(name, format!("{text:?} is not a number")))
}
