//! What a client asks of the list of records, in the terms of udata's. A parameter that is not known is an error: whoever
//! filters by one would take the whole list for the answer.

use super::filters::{distinct, filters_of};
use super::parameters::Paging;
use super::problem::Problem;
use super::server::Shared;
use crate::derive::{Order, OrderKey, Selection};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Which records are listed, and in which order.
#[derive(Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Listing {
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

/// The parameters that may come once, but for those of paging.
const SINGLE: [&str; 12] = [
    "q",
    "license",
    "format",
    "organization",
    "source",
    "theme",
    "geozone",
    "hvd",
    "modified_since",
    "uri",
    "remote_id",
    "sort",
];

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let number = |name: &'static str, text: &str| {
            text.parse().map_err(|_| Problem::invalid(name, format!("{text:?} is not a number")))
        };
        let mut listing = Self::default();
        let query = parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let text = Some(value.trim().to_owned()).filter(|text| !text.is_empty());
            match &*name {
                "page" => listing.page = Some(number("page", &value)?),
                "page_size" => listing.page_size = Some(number("page_size", &value)?),
                "tag" => listing.tag.extend(text),
                other => {
                    let Some(place) = listing.single(other) else {
                        let known = SINGLE.join(", ");
                        let why = format!("there is no parameter {other:?}: page, page_size, tag, {known} are");
                        return Err(Problem::bad_request(why));
                    };
                    *place = text;
                }
            }
        }
        Ok(listing)
    }
}

impl Listing {
    /// Where the value of a parameter is kept that may come once.
    fn single(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "q" => &mut self.q,
            "license" => &mut self.license,
            "format" => &mut self.format,
            "organization" => &mut self.organization,
            "source" => &mut self.source,
            "theme" => &mut self.theme,
            "geozone" => &mut self.geozone,
            "hvd" => &mut self.hvd,
            "modified_since" => &mut self.modified_since,
            "uri" => &mut self.uri,
            "remote_id" => &mut self.remote_id,
            "sort" => &mut self.sort,
            _ => return None,
        })
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
        let Some(sort) = &self.sort else { return Ok(None) };
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
    pub(super) fn others(&self) -> Vec<(&'static str, &str)> {
        let single = [
            ("q", &self.q),
            ("license", &self.license),
            ("format", &self.format),
            ("organization", &self.organization),
            ("source", &self.source),
            ("theme", &self.theme),
            ("geozone", &self.geozone),
            ("hvd", &self.hvd),
            ("modified_since", &self.modified_since),
            ("uri", &self.uri),
            ("remote_id", &self.remote_id),
            ("sort", &self.sort),
        ];
        let single = single.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        single.chain(self.tag.iter().map(|tag| ("tag", tag.as_str()))).collect()
    }
}
