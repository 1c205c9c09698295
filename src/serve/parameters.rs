//! The parameters of an address, whose faults are told like any other.

use super::harvest::Page;
use super::problem::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Parameters read from the query part of an address.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(parameters)| Self(parameters))
            .map_err(|error| Problem::bad_request(error.body_text()))
    }
}

/// The largest page of a list.
const LARGEST_PAGE: i64 = 1_000;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct Paging {
    /// From 1.
    #[param(minimum = 1)]
    page: Option<i64>,
    /// At most 1000. Default 20.
    #[param(minimum = 1)]
    page_size: Option<i64>,
}

impl Paging {
    pub(super) fn new(page: Option<i64>, page_size: Option<i64>) -> Self {
        Self { page, page_size }
    }

    /// The page's number and its size.
    pub(super) fn bounds(&self) -> Result<(i64, i64), Problem> {
        let (page, size) = (self.page.unwrap_or(1), self.page_size.unwrap_or(20));
        if page < 1 {
            return Err(Problem::invalid("page", "pages are counted from 1".to_owned()));
        }
        if size < 1 {
            return Err(Problem::invalid("page_size", "a page has at least one row".to_owned()));
        }
        Ok((page, size.min(LARGEST_PAGE)))
    }

    /// A page with the addresses of its neighbours; other parameters stay in them.
    pub(super) fn page_of<T>(
        &self,
        data: Vec<T>,
        total: i64,
        address: &str,
        more: &[(&str, &str)],
    ) -> Result<Page<T>, Problem> {
        let (page, page_size) = self.bounds()?;
        if page > 1 && data.is_empty() {
            return Err(Problem::not_found(format!("there is no page {page}: the list has {total} rows")));
        }
        let link = |page: i64| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in more {
                query.append_pair(name, value);
            }
            query.append_pair("page", &page.to_string()).append_pair("page_size", &page_size.to_string());
            format!("{address}?{}", query.finish())
        };
        let has_more = page.saturating_mul(page_size) < total;
        Ok(Page {
            data,
            page,
            page_size,
            total,
            next_page: has_more.then(|| link(page + 1)),
            previous_page: (page > 1).then(|| link(page - 1)),
        })
    }
}
