//! What kind of source the address of a portal leads to: a few of its addresses are asked.

use super::crawl::{Crawl, CrawlLimits, Selection, Target, page_name};
use super::csw::{begins_as_catalogue, holds_records, is_archive, is_listing};
use super::foreign::is_foreign;
use super::json::answer_of;
use crate::catalog::SourceKind;
use crate::fetch::{Answer, Body, Client, FetchError, Request, Secret, Wanted};
use regex::Regex;
use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;
use tokio::runtime::Handle;
use url::Url;

/// What was found at an address.
#[derive(Debug)]
pub struct Detected {
    /// The kind.
    pub kind: SourceKind,
    /// What to harvest: the portal's address, or the one at which its file is.
    pub target: Target,
    /// What was found and where, for people.
    pub why: String,
}

/// Parts of addresses that lead to pages about datasets, and behind which nothing is of use.
const PAGES: [&str; 5] = ["/dataset", "/explore", "/organization", "/group", "/srv"];

/// Where catalogues of geographic records have their CSW, below their root: pycsw and Géoplateforme, `GeoNetwork`, and
/// `GeoNetwork` below a site.
const CATALOGUE_SERVICES: [&str; 3] = ["/csw", "/srv/eng/csw", "/geonetwork/srv/eng/csw"];

/// Bytes by which a document is known.
const BEGINNING: usize = 1 << 16;

/// Suffixes of RDF: what has one is a catalogue as it is.
const RDF_SUFFIXES: [&str; 8] = ["ttl", "rdf", "owl", "nt", "nq", "trig", "n3", "jsonld"];

/// Asks the addresses at which the platforms answer. `None` when none does, or when the address is not that of
/// a portal or a page of it, but of something in it: that is looked at itself.
///
/// The platforms' own interfaces come first: they know more than the DCAT that a portal may serve beside them.
#[must_use]
pub fn detect(client: &Client, runtime: &Handle, target: &Target, token: Option<&Secret>) -> Option<Detected> {
    let url = match target {
        Target::Web(url) => url,
        Target::File(path) if path.is_dir() || is_archive(path) => return of_folder(target, path),
        Target::File(path) => return of_file(target, &Body::File(path.clone())),
    };
    let selection = Selection { token: token.cloned(), ..Selection::default() };
    let crawl = Crawl::new(client, runtime.clone(), CrawlLimits::default()).selecting(target, selection);
    let of_portal = match site(url) {
        // A server that does not answer at all is not asked again: the harvest will say what is wrong with it.
        Some(site) => crawl.portal(&site).ok()?,
        None => None,
    };
    of_portal.or_else(|| crawl.document_at(url))
}

/// A folder or an archive of records.
fn of_folder(target: &Target, path: &Path) -> Option<Detected> {
    holds_records(path).then(|| Detected {
        kind: SourceKind::Csw,
        target: target.clone(),
        why: format!("{} is harvested as csw: the records of its XML files", page_name(&target.url())),
    })
}

/// What a file holds, by its beginning, when that is an answer of a platform, a record of a catalogue or a `data.json`.
fn of_file(target: &Target, body: &Body) -> Option<Detected> {
    let start = start_of(body)?;
    let kind = if begins_as_catalogue(&start) { SourceKind::Csw } else { kind_of_json(&start)? };
    let why =
        format!("{} is harvested as {}, which its beginning looks like", page_name(&target.url()), kind.as_str());
    Some(Detected { kind, target: target.clone(), why })
}

/// The beginning of a JSON or an XML document; nothing where it is something else.
fn start_of(body: &Body) -> Option<String> {
    use std::io::Read;
    let mut start = Vec::new();
    body.open().and_then(|reader| reader.take(BEGINNING as u64).read_to_end(&mut start)).ok()?;
    let start = String::from_utf8_lossy(&start);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    start.starts_with(['{', '[', '<']).then(|| start.to_owned())
}

fn is_json_ld(start: &str) -> bool {
    start.contains("\"@context\"") || start.contains("\"@graph\"")
}

/// Whether a file says that it is of DCAT-US: by what it conforms to or by its context, and by its list of datasets. As
/// JSON-LD it loses what its context does not name, and a dataset without a title is none.
fn is_dcat_us(start: &str) -> bool {
    static PROFILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:conformsTo|@context)"\s*:\s*"[^"]*(?:project-open-data|dcat-us)"#)
            .expect("a static expression")
    });
    static LIST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""(?:dataset|service|catalog)"\s*:\s*\["#).expect("a static expression"));
    PROFILE.is_match(start) && LIST.is_match(start) && !start.contains("\"@graph\"")
}

/// The platform whose JSON begins so. JSON-LD that is nothing else is DCAT.
fn kind_of_json(start: &str) -> Option<SourceKind> {
    let has = |names: &[&str]| names.iter().any(|name| start.contains(name));
    if is_dcat_us(start) {
        Some(SourceKind::DcatUs)
    } else if is_json_ld(start) {
        None
    } else if has(&["\"dataset_id\"", "\"datasetid\""]) {
        Some(SourceKind::Opendatasoft)
    } else if has(&["\"metadata_modified\""])
        || (has(&["\"resources\""]) && has(&["\"notes\""]))
        || (has(&["\"success\""]) && has(&["\"result\""]))
    {
        Some(SourceKind::Ckan)
    } else if has(&["\"dataset\""]) || is_foreign(start) {
        // Its reader says what is wrong with what is no such file.
        Some(SourceKind::DcatUs)
    } else {
        None
    }
}

/// The portal of an address that is its root, or that of a page which people paste.
fn site(url: &Url) -> Option<String> {
    let path = url.path();
    let page = PAGES
        .iter()
        .filter_map(|part| {
            path.find(&format!("{part}/")).or_else(|| path.ends_with(part).then(|| path.len() - part.len()))
        })
        .min();
    let root = match page {
        Some(end) => &path[..end],
        None if path.ends_with('/') => path,
        // An address such as `/data` may be a portal's, and one with a suffix is a file's.
        None if !path.rsplit('/').next().unwrap_or_default().contains('.') && path.matches('/').count() == 1 => {
            path
        }
        None => return None,
    };
    // RDF at an address below `/dataset/` is a catalogue of its own; GeoNetwork's page for people is none.
    if page.is_some() && path.rsplit('/').next().is_some_and(|last| last.contains('.') && last != "catalog.search")
    {
        return None;
    }
    Some(format!("{}{}", url.origin().ascii_serialization(), root.trim_end_matches('/')))
}

impl Crawl<'_> {
    /// The content of an address; nothing when the server answers that there is none.
    fn content(&self, request: &Request<'_>) -> Result<Option<Body>, FetchError> {
        match self.get(request) {
            Ok(Answer::Content { body, .. }) => Ok(Some(body)),
            Ok(Answer::NotModified) | Err(FetchError::Status { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The interface, the file of DCAT-US or the catalogue service of a portal.
    ///
    /// # Errors
    /// When its server does not answer.
    fn portal(&self, site: &str) -> Result<Option<Detected>, FetchError> {
        let probe = |path: &str| Url::parse(&format!("{site}{path}")).ok();
        let interfaces: [(SourceKind, &str, &str); 4] = [
            (SourceKind::Ckan, "/api/3/action/package_search?rows=0", "/result/count"),
            (SourceKind::Opendatasoft, "/api/explore/v2.1/catalog/datasets?limit=1", "/total_count"),
            (SourceKind::Opendatasoft, "/api/explore/v2.0/catalog/datasets?limit=1", "/total_count"),
            (SourceKind::Opendatasoft, "/api/datasets/1.0/search/?rows=1", "/nhits"),
        ];
        for (kind, path, count) in interfaces {
            let Some(asked) = probe(path) else { continue };
            let content = self.content(&Request::new(&asked, Wanted::Json))?;
            let counted = content.and_then(|body| answer_of("the portal", asked.as_str(), &body).ok());
            let number = counted.as_ref().and_then(|answer| answer.pointer(count)).and_then(Value::as_u64);
            if let (Some(number), Some(target)) = (number, probe("")) {
                let why =
                    format!("{site} is harvested as {}: {asked} answers, with {number} datasets", kind.as_str());
                // One portal is one source, whichever of its pages was pasted.
                return Ok(Some(Detected { kind, target: Target::Web(target), why }));
            }
        }
        // The file of ArcGIS Hub last: it answers at the first address too, on most sites.
        let files = ["/data.json", "/api/feed/dcat-us/1.1.json"];
        let by_file = files.into_iter().filter_map(probe).find_map(|file| {
            let start = self.beginning(&file, Wanted::Json)?;
            (kind_of_json(&start) == Some(SourceKind::DcatUs)).then(|| Detected {
                kind: SourceKind::DcatUs,
                why: format!("{site} is harvested as dcat-us: its datasets are in {file}"),
                target: Target::Web(file),
            })
        });
        Ok(by_file.or_else(|| {
            CATALOGUE_SERVICES.into_iter().filter_map(probe).find_map(|service| self.catalogue_service(&service))
        }))
    }

    /// What the document at an address is, when it is a file of DCAT-US, a record of a catalogue or a listing of such
    /// records, by its beginning.
    fn document_at(&self, url: &Url) -> Option<Detected> {
        let suffix = url.path().rsplit_once('.').map_or(String::new(), |(_, suffix)| suffix.to_lowercase());
        if RDF_SUFFIXES.contains(&suffix.as_str()) {
            return None;
        }
        let start = self.beginning(url, Wanted::Rdf)?;
        let detected = |kind: SourceKind, why: &str| {
            let why = format!("{url} is harvested as {}, {why}", kind.as_str());
            Some(Detected { kind, target: Target::Web(url.clone()), why })
        };
        if begins_as_catalogue(&start) {
            detected(SourceKind::Csw, "which its beginning looks like")
        } else if is_listing(url, &start) {
            detected(SourceKind::Csw, "a listing of files: the records of its XML files")
        } else if kind_of_json(&start) == Some(SourceKind::DcatUs) {
            detected(SourceKind::DcatUs, "which its beginning looks like")
        } else {
            None
        }
    }

    /// The beginning of what an address holds, where it is JSON or XML.
    fn beginning(&self, url: &Url, wanted: Wanted) -> Option<String> {
        let request = Request { beginning: Some(BEGINNING), ..Request::new(url, wanted) };
        start_of(&self.content(&request).ok()??)
    }

    /// The catalogue service at an address, when it tells its capabilities.
    fn catalogue_service(&self, service: &Url) -> Option<Detected> {
        let asked = Url::parse(&format!("{service}?service=CSW&version=2.0.2&request=GetCapabilities")).ok()?;
        let start = self.beginning(&asked, Wanted::Xml)?;
        begins_as_catalogue(&start).then(|| Detected {
            kind: SourceKind::Csw,
            why: format!("the catalogue is harvested as csw: {service} tells its capabilities"),
            target: Target::Web(service.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portals_and_pasted_pages_are_looked_at_and_catalogues_are_not() {
        for (address, expected) in [
            ("https://data.example.org", Some("https://data.example.org")),
            ("https://data.example.org/", Some("https://data.example.org")),
            ("https://example.org/data", Some("https://example.org/data")),
            ("https://example.org/en/dataset/bus-stops", Some("https://example.org/en")),
            ("https://example.org/explore/dataset/trees/table/", Some("https://example.org")),
            ("https://example.org/dataset", Some("https://example.org")),
            ("https://example.org/geonetwork/srv/fre/catalog.search", Some("https://example.org/geonetwork")),
            ("https://example.org/geonetwork/srv/fre/rdf.search", None),
            ("https://example.org/catalog.ttl", None),
            ("https://example.org/dataset/bus-stops.rdf", None),
            ("https://example.org/api/export/dcat", None),
        ] {
            assert_eq!(site(&Url::parse(address).unwrap()).as_deref(), expected, "{address}");
        }
    }
}
