//! Signposts of a record's page (signposting.org, FAIR profile, level 1): links in the head of the answer.

use crate::derive::Record;

/// Files that are named; more than so many are in the descriptions.
const MOST_ITEMS: usize = 20;
/// A header that is longer may be cut by a proxy.
const LONGEST: usize = 4_096;
const FORMS: [(&str, &str); 4] = [
    (".ttl", "text/turtle"),
    (".rdf", "application/rdf+xml"),
    (".jsonld", "application/ld+json"),
    ("/schema.jsonld", "application/ld+json"),
];

/// The links of a record's page, as a `Link` header has them (RFC 8288).
pub(super) fn links(record: &Record, page: &str, has_croissant: bool) -> String {
    let mut links = vec![
        format!("<{}>; rel=\"cite-as\"", cited(record, page)),
        "<https://schema.org/AboutPage>; rel=\"type\"".to_owned(),
        format!(
            "<https://schema.org/{}>; rel=\"type\"",
            if record.r#type == "service" { "WebAPI" } else { "Dataset" }
        ),
    ];
    links.extend(FORMS.map(|(ending, media)| format!("<{page}{ending}>; rel=\"describedby\"; type=\"{media}\"")));
    if has_croissant {
        let profile = "http://mlcommons.org/croissant/1.0";
        links.push(format!(
            "<{page}/croissant.jsonld>; rel=\"describedby\"; type=\"application/ld+json\"; profile=\"{profile}\""
        ));
    }
    links.extend(
        record.license_uri.iter().filter_map(|licence| Some(format!("<{}>; rel=\"license\"", web(licence)?))),
    );
    let files = record.resources.iter().filter(|resource| resource.r#type == "main");
    links.extend(files.take(MOST_ITEMS).filter_map(|resource| {
        let media = resource.mime.as_deref().filter(|mime| is_media_type(mime));
        let media = media.map_or_else(String::new, |mime| format!("; type=\"{mime}\""));
        Some(format!("<{}>; rel=\"item\"{media}", web(resource.url.as_deref()?)?))
    }));
    let mut length = 0;
    links.retain(|link| {
        length += link.len() + 2;
        length <= LONGEST
    });
    links.join(", ")
}

/// What to cite: the publisher's own name for the dataset, where it is an address.
fn cited(record: &Record, page: &str) -> String {
    record.uri.as_deref().and_then(web).unwrap_or_else(|| page.to_owned())
}

/// An address as a header may have it.
fn web(address: &str) -> Option<String> {
    let address = url::Url::parse(address).ok()?;
    let text = address.as_str();
    let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'));
    (matches!(address.scheme(), "http" | "https") && fits).then(|| text.to_owned())
}

fn is_media_type(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '+' | '-' | '_');
    text.contains('/') && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::Resource;

    #[test]
    fn what_publishers_write_ends_no_link() {
        let resource = |url: &str, mime: &str| Resource {
            url: Some(url.to_owned()),
            mime: Some(mime.to_owned()),
            r#type: "main".to_owned(),
            ..Resource::default()
        };
        let record = Record {
            uri: Some("urn:uuid:1".to_owned()),
            license_uri: Some("https://e.example/é>; rel=\"evil\"".to_owned()),
            resources: vec![resource("https://e.example/a,b;c", "text/csv\"; x"), resource("javascript:1", "a/b")],
            ..Record::default()
        };
        let links = links(&record, "https://data.example/dataset/1", true);
        assert!(links.starts_with("<https://data.example/dataset/1>; rel=\"cite-as\""), "{links}");
        assert!(
            links.contains("<https://e.example/a,b;c>; rel=\"item\"") && !links.contains("javascript"),
            "{links}"
        );
        assert!(links.contains("/%C3%A9%3E;%20rel=%22evil%22>; rel=\"license\""), "{links}");
    }
}
