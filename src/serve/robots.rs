//! What search engines read first: `robots.txt` and the sitemaps (sitemaps.org protocol 0.9).

use super::problem::Problem;
use super::server::State;
use crate::store::CatalogueRecord;
use askama::Template;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Addresses of one sitemap; the protocol allows 50,000.
const ADDRESSES: usize = 10_000;

#[derive(Template)]
#[template(path = "robots.txt", escape = "none")]
struct Robots<'r> {
    base: &'r str,
}

#[derive(Template)]
#[template(path = "sitemap-index.xml")]
struct Index<'i> {
    base: &'i str,
    pages: Vec<usize>,
}

/// An address, and when what it tells last changed.
struct Address {
    address: String,
    modified: String,
}

#[derive(Template)]
#[template(path = "sitemap.xml")]
struct Sitemap {
    addresses: Vec<Address>,
}

pub(super) async fn robots(axum::extract::State(shared): State) -> Result<Response, Problem> {
    let text = Robots { base: &shared.settings.public_base }.render()?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// The list of sitemaps.
pub(super) async fn index(axum::extract::State(shared): State) -> Result<Response, Problem> {
    let inner = Arc::clone(&shared);
    let count = shared.reading(move || Ok::<_, Problem>(inner.snapshot()?.keys(&inner.names).len()));
    let pages = count.await??.div_ceil(ADDRESSES).max(1);
    let text = Index { base: &shared.settings.public_base, pages: (1..=pages).collect() }.render()?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], text).into_response())
}

/// Some of the records.
pub(super) async fn sitemap(
    axum::extract::State(shared): State,
    Path(page): Path<usize>,
) -> Result<Response, Problem> {
    let opened = shared.snapshot()?;
    let inner = Arc::clone(&shared);
    let written = shared.reading(move || -> Result<Option<String>, askama::Error> {
        let keys = opened.keys(&inner.names);
        let pages: Vec<_> = keys.chunks(ADDRESSES).collect();
        let Some(keys) = page.checked_sub(1).and_then(|page| pages.get(page)) else { return Ok(None) };
        let addresses = keys.iter().filter_map(|key| {
            let record = CatalogueRecord::read(&opened.snapshot.store, &inner.names, *key)?;
            let address = format!("{}/dataset/{key}", inner.settings.public_base);
            Some(Address { address, modified: record.modified })
        });
        Sitemap { addresses: addresses.collect() }.render().map(Some)
    });
    let text = written.await??.ok_or_else(|| Problem::not_found("there is no such sitemap"))?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], text).into_response())
}
