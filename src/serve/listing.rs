//! What a client asks of the list of records, in the terms of udata's. A parameter that is not known is an error: whoever
//! filters by one would take the whole list for the answer.

use super::filters::{distinct, filters_of};
use super::parameters::Paging;
use super::problem::Problem;
use super::server::Shared;
use crate::derive::{Order, OrderKey, Selection};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::LazyLock;
use utoipa::IntoParams;

/// The parameters that there are. Their names are read from here, and nowhere else.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "the names, types and docstrings are what is used of it")]
pub(super) struct Parameters {
    /// From 1.
    #[param(minimum = 1)]
    page: Option<i64>,
    /// At most 100. Default 20.
    #[param(minimum = 1)]
    page_size: Option<i64>,
    /// Words, all of which the title, the description or a keyword must have.
    q: Option<String>,
    /// Tags, all of which a record must have: the parameter may come several times.
    tag: Vec<String>,
    /// The platform's name of a licence, or its IRI.
    license: Option<String>,
    /// The short name of a format that a resource must have.
    format: Option<String>,
    /// The identifier of a publisher, its IRI or its name.
    organization: Option<String>,
    /// The name of a source.
    source: Option<String>,
    /// A theme: its IRI, the code at its end, or its text.
    theme: Option<String>,
    /// The IRI or the name of an area, or a rectangle in degrees: west, south, east, north.
    geozone: Option<String>,
    /// `true` for high-value datasets, or their category by its IRI or the code at its end.
    hvd: Option<String>,
    /// What changed since a date or a time.
    modified_since: Option<String>,
    /// The IRI of a dataset: its own, or its address here.
    uri: Option<String>,
    /// What a source calls a record.
    remote_id: Option<String>,
    /// `title`, `created` or `last_update`; a hyphen before it turns it round. udata's `reuses`, `followers` and
    /// `views` are taken too: here all records have none.
    sort: Option<String>,
}

/// Which records are listed, and in which order.
#[derive(Debug, Default)]
pub(super) struct Listing {
    page: Option<i64>,
    page_size: Option<i64>,
    /// The other parameters as they were given, each once but for tags.
    given: Vec<(String, String)>,
}

/// The names of the parameters, in the order of their documentation.
static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| Parameters::into_params(|| None).into_iter().map(|parameter| parameter.name).collect());

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let number = |name: &'static str, text: &str| {
            text.parse().map_err(|_| Problem::invalid(name, format!("{text:?} is not a number")))
        };
        let mut listing = Self::default();
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "page" => listing.page = Some(number("page", &value)?),
                "page_size" => listing.page_size = Some(number("page_size", &value)?),
                other if NAMES.iter().any(|known| known == other) => listing.give(other, value.trim()),
                other => {
                    let why = format!("there is no parameter {other:?}: {} are", NAMES.join(", "));
                    return Err(Problem::bad_request(why));
                }
            }
        }
        Ok(listing)
    }
}

impl Listing {
    /// Takes a parameter. What comes again takes the place of the former, but for tags; what is empty is none.
    fn give(&mut self, name: &str, value: &str) {
        if name != "tag" {
            self.given.retain(|(known, _)| known != name);
        }
        if !value.is_empty() {
            self.given.push((name.to_owned(), value.to_owned()));
        }
    }

    pub(super) fn paging(&self) -> Paging {
        Paging::new(self.page, self.page_size)
    }

    /// What is chosen by it.
    pub(super) async fn selection(&self, shared: &Shared) -> Result<Selection, Problem> {
        let mut filters = Vec::new();
        for (name, value) in self.others() {
            filters.extend(filters_of(shared, name, value).await?.unwrap_or_default());
        }
        Ok(Selection { filters: distinct(filters)?, order: self.order()? })
    }

    fn order(&self) -> Result<Option<Order>, Problem> {
        let Some((_, sort)) = self.given.iter().find(|(name, _)| name == "sort") else { return Ok(None) };
        let by = match sort.trim_start_matches('-') {
            "title" => OrderKey::Title,
            "created" => OrderKey::Created,
            "last_update" => OrderKey::LastUpdate,
            "reuses" | "followers" | "views" => return Ok(None),
            other => {
                let why = format!("{other:?} is no order: title, created and last_update are");
                return Err(Problem::invalid("sort", why));
            }
        };
        Ok(Some(Order { by, is_descending: sort.starts_with('-') }))
    }

    /// The parameters that stay in the addresses of other pages.
    pub(super) fn others(&self) -> Vec<(&str, &str)> {
        self.given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
