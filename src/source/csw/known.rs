//! What the elements of an answer are, and what they are called.

use crate::lift::Element;

pub(super) fn is_record(element: &Element) -> bool {
    is_metadata(element) || is_rdf(element)
}

/// ISO 19139, ISO 19115-3 and their profiles; Dublin Core as CSW gives it.
pub(super) fn is_metadata(element: &Element) -> bool {
    let local = element.local();
    ["MD_Metadata", "MI_Metadata"].iter().any(|name| local.ends_with(name)) || is_dublin_core(element)
}

pub(super) fn is_dublin_core(element: &Element) -> bool {
    let is_named = matches!(element.local(), "Record" | "SummaryRecord" | "BriefRecord");
    is_named && (element.namespace.contains("/cat/csw/") || element.name.starts_with("csw"))
}

pub(super) fn is_rdf(element: &Element) -> bool {
    let is_dcat = element.namespace == crate::vocab::dcat::NAMESPACE;
    element.local() == "RDF"
        || (is_dcat && matches!(element.local(), "Dataset" | "DatasetSeries" | "DataService" | "Catalog"))
}

/// What the catalogue calls a record.
pub(super) fn identifier(element: &Element) -> Option<&str> {
    let ways = [
        &["fileIdentifier"][..],
        &["metadataIdentifier", "MD_Identifier", "code"],
        &["metadataIdentifier"],
        &["identifier"],
        // The identifier of the resource stands for a record that has none.
        &["identificationInfo", "*", "citation", "CI_Citation", "identifier", "*", "code"],
    ];
    ways.iter().find_map(|way| element.at(way).find_map(Element::any_text))
}

/// The identifier in a record that cannot be read as XML.
pub(super) fn identifier_in(raw: &str) -> Option<&str> {
    let behind = ["fileIdentifier", "metadataIdentifier", "identifier"]
        .iter()
        .find_map(|name| raw.split_once(&format!(":{name}")))?;
    let texts = behind.1.split('<').filter_map(|tag| tag.split_once('>').map(|(_, text)| text.trim()));
    texts.into_iter().find(|text| !text.is_empty()).filter(|text| text.len() < 500)
}

pub(super) fn title(element: &Element) -> Option<&str> {
    let ways = [&["identificationInfo", "*", "citation", "CI_Citation", "title"][..], &["title"]];
    ways.iter().find_map(|way| element.at(way).find_map(Element::any_text))
}

/// Whether a record describes data and a service that gives it, in whichever order.
fn describes_data_too(element: &Element) -> bool {
    let (services, data): (Vec<&Element>, Vec<&Element>) = element
        .at(&["identificationInfo", "*"])
        .partition(|description| description.local() == "SV_ServiceIdentification");
    !services.is_empty() && !data.is_empty()
}

/// What kind of resource a record describes; a dataset, where it does not say (ISO 19115, B.2.1).
pub(super) fn resource_type(element: &Element) -> &str {
    let ways = [
        &["hierarchyLevel", "MD_ScopeCode"][..],
        &["metadataScope", "MD_MetadataScope", "resourceScope", "MD_ScopeCode"],
    ];
    let stated = ways.iter().find_map(|way| element.at(way).next());
    let code = stated
        .and_then(|code| code.attribute("codeListValue").filter(|value| !value.is_empty()).or(code.any_text()));
    let code =
        code.or_else(|| element.at(&["type"]).find_map(Element::any_text).filter(|_| is_dublin_core(element)));
    // Some write the address of the code.
    let code = code.map(|code| code.rsplit(['/', '#']).next().unwrap_or(code));
    match code {
        None | Some("") => "dataset",
        Some(code) if code.eq_ignore_ascii_case("service") && describes_data_too(element) => "dataset",
        Some(code) if is_dublin_core(element) && !code.eq_ignore_ascii_case("service") => "dataset",
        Some(code) => code,
    }
}
