//! Who asks.

use super::server::Shared;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The address of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl FromRequestParts<Arc<Shared>> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        let address = address(&parts.extensions, &parts.headers, shared.settings.config.service.behind_proxy);
        // Without a connection there is one client, the test that calls.
        Ok(Self(address.unwrap_or(Ipv4Addr::LOCALHOST.into())))
    }
}

/// The address of a client: behind a proxy, the one that it names last, since others are what the client says itself.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, behind_proxy: bool) -> Option<IpAddr> {
    let peer = extensions.get::<SocketAddr>().map(SocketAddr::ip);
    if !behind_proxy {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    let last = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    last.or(peer)
}
