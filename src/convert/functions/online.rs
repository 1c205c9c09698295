//! What an online resource is: the distribution of a service, a file, or a page. By its protocol, its function and its
//! address, in that order of trust.

use super::iri;
use crate::convert::tables::{PROTOCOL_ADDRESSES, PROTOCOLS};
use oxrdf::Term;
use regex::Regex;
use std::sync::LazyLock;
use url::Url;

/// Expressions over addresses, with what they tell.
static ADDRESSES: LazyLock<Vec<(Regex, &str, &str)>> = LazyLock::new(|| {
    let compiled = |row: &[&'static str]| match row {
        [expression, kind, standard] => {
            Some((Regex::new(expression).expect("a table of expressions"), *kind, *standard))
        }
        _ => None,
    };
    PROTOCOL_ADDRESSES.iter().filter_map(|row| compiled(row)).collect()
});

/// What an online resource is: `service`, `download`, `page` (about the data) or `landing` (nothing tells). A protocol
/// has a name, an address, or both.
pub(super) fn kind(address: &str, protocols: [&str; 2], function: &str) -> &'static str {
    let by_address = of_address(address).map(|(kind, _)| kind);
    if by_address == Some("record") {
        return "page";
    }
    let protocol = protocols.into_iter().find_map(of_protocol).map(|(kind, _)| kind);
    if protocol == Some("service") {
        return "service";
    }
    match function.to_lowercase().as_str() {
        "download" | "offlineaccess" | "order" | "fileaccess" => {
            return if by_address == Some("service") { "service" } else { "download" };
        }
        "information"
        | "search"
        | "documentation"
        | "completemetadata"
        | "browsegraphic"
        | "information.content"
        | "information.portrayal"
        | "upload"
        | "emailservice" => return "page",
        "browsing" if protocol.is_none_or(|kind| kind == "page") => return "page",
        _ => {}
    }
    match (protocol, by_address) {
        (Some("download"), _) | (None, Some("download")) | (_, Some("file")) => "download",
        (_, Some("service")) => "service",
        (_, Some("page")) => "page",
        _ => "landing",
    }
}

/// The standard of a service, by its protocol, else by its address.
pub(super) fn standard(address: &str, protocols: [&str; 2]) -> Option<Term> {
    let named = protocols
        .into_iter()
        .find_map(of_protocol)
        .map(|(_, standard)| standard)
        .filter(|standard| !standard.is_empty());
    let found = named.or_else(|| of_address(address).map(|(_, standard)| standard));
    found.filter(|standard| !standard.is_empty()).and_then(|standard| iri(standard.to_owned()))
}

/// A protocol that names a format: `WWW:DOWNLOAD:GeoPackage`, `download:CSV`.
pub(super) fn format(protocol: &str) -> Option<Term> {
    let (start, format) = protocol.trim().rsplit_once(':')?;
    let is_download = matches!(start.to_lowercase().as_str(), "www:download" | "download" | "file");
    let is_format = !format.starts_with("1.") && !format.trim().is_empty();
    (is_download && is_format).then(|| oxrdf::Literal::new_simple_literal(format.trim()).into())
}

/// The address that requests to a service begin with: what makes it a request for its capabilities is left out.
pub(super) fn endpoint(address: &str) -> Option<Term> {
    let mut url = Url::parse(address.trim()).ok().filter(Url::has_host)?;
    let is_of_request = |name: &str| matches!(name.to_lowercase().as_str(), "service" | "request" | "version");
    if !url.query_pairs().any(|(name, _)| is_of_request(&name)) {
        return iri(address.trim().trim_end_matches('?').to_owned());
    }
    let kept: Vec<String> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_of_request(pair.split('=').next().unwrap_or_default()))
        .map(ToOwned::to_owned)
        .collect();
    url.set_query(if kept.is_empty() { None } else { Some(kept.join("&")) }.as_deref());
    iri(url.to_string())
}

fn of_protocol(protocol: &str) -> Option<(&'static str, &'static str)> {
    let written = protocol.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if let Some(row) = PROTOCOLS.get(written.as_str()) {
        return Some(*row);
    }
    format(protocol).map(|_| ("download", ""))
}

fn of_address(address: &str) -> Option<(&'static str, &'static str)> {
    // What stands behind a fragment is for the page that shows it.
    let address = address.split('#').next().unwrap_or_default().trim().to_lowercase();
    ADDRESSES
        .iter()
        .find(|(expression, ..)| expression.is_match(&address))
        .map(|(_, kind, standard)| (*kind, *standard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_online_resource_is() {
        for (address, protocol, function, expected) in [
            ("https://a.org/wms?service=WMS&request=GetCapabilities", "", "", "service"),
            ("https://a.org/geoserver/ows", "OGC:WFS-1.0.0-http-get-capabilities", "download", "service"),
            ("https://a.org/data.zip", "WWW:LINK-1.0-http--link", "", "download"),
            ("https://a.org/data.zip", "WWW:DOWNLOAD-1.0-http--download", "information", "page"),
            ("https://a.org/about", "WWW:LINK-1.0-http--link", "information", "page"),
            ("https://a.org/about", "WWW:LINK-1.0-http--link", "", "landing"),
            ("https://a.org/about", "", "download", "download"),
            ("https://a.org/x", "WWW:DOWNLOAD:GeoPackage", "", "download"),
            ("https://a.org/rest/services/a/MapServer", "ESRI:REST", "browsing", "service"),
            ("https://a.org/map", "WWW:LINK", "browsing", "page"),
            ("https://a.org/atomArchive/GetResource?id=1", "", "", "download"),
            ("https://a.org/atomArchive/GetResource?id=1", "WWW:LINK", "", "landing"),
            ("https://a.org/csw?request=GetRecordById&id=1", "WWW:DOWNLOAD-1.0-http--download", "", "page"),
        ] {
            assert_eq!(kind(address, ["", protocol], function), expected, "{address} {protocol} {function}");
        }
    }

    #[test]
    fn an_endpoint_keeps_what_is_its_own() {
        let text = |address: &str| match endpoint(address) {
            Some(Term::NamedNode(node)) => node.into_string(),
            _ => String::new(),
        };
        assert_eq!(
            text("https://a.org/wms?service=WMS&version=1.3.0&request=GetCapabilities"),
            "https://a.org/wms"
        );
        assert_eq!(
            text("https://a.org/wxs?map=/a/b.map&REQUEST=GetCapabilities"),
            "https://a.org/wxs?map=/a/b.map"
        );
        assert_eq!(text("https://a.org/ows?"), "https://a.org/ows");
    }
}
