//! Where a report says that something stands in the answer of a platform, it stands.

use crate::moisson::{Bench, text};
use crate::places::findings;
use crate::stand_in::{Page, StandIn};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many findings of each kind must have a place that was looked at.
const ENOUGH: usize = 15;

/// The rules about values that no publisher writes: what the name of a protocol stands for.
const MADE: &[&str] = &["geodcat-ap-3/DataService-serviceProtocol-list"];

/// How ISO records are checked.
const ISO: &[&str] = &["--kind", "csw", "--profile", "geodcat-ap-3", "--profile", "moisson"];

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/places").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(case(name)).expect("a case")
}

fn answer(name: &str) -> Value {
    serde_json::from_str(&read(name)).expect("JSON")
}

/// An element of an XML document, as a test reads it.
#[derive(Default)]
struct Node {
    name: String,
    attributes: Vec<String>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// The document, of which its root element is a child.
    fn of(document: &str) -> Self {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().expect("XML") {
                Event::Start(tag) => open.push(Self::opened(&tag)),
                Event::Empty(tag) => open.last_mut().expect("the document").children.push(Self::opened(&tag)),
                Event::End(_) => {
                    let closed = open.pop().expect("an element");
                    open.last_mut().expect("the document").children.push(closed);
                }
                Event::Text(found) => {
                    open.last_mut().expect("the document").text += &found.unescape().expect("a text");
                }
                Event::CData(found) => {
                    open.last_mut().expect("the document").text += &String::from_utf8_lossy(&found);
                }
                Event::Eof => return open.pop().expect("the document"),
                _ => {}
            }
        }
    }

    fn opened(tag: &BytesStart<'_>) -> Self {
        let value = |attribute: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            attribute.expect("an attribute").unescape_value().expect("a value").into_owned()
        };
        let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        Self { name, attributes: tag.attributes().map(value).collect(), ..Self::default() }
    }

    /// The element at an `XPath` of names and numbers: the first one that it selects.
    fn at(&self, path: &str) -> Option<&Self> {
        let mut steps = path.split('/');
        assert_eq!(steps.next(), Some(""), "{path} does not begin at the root");
        steps.try_fold(self, |node, step| {
            let (name, number) = match step.split_once('[') {
                Some((name, number)) => (name, number.trim_end_matches(']').parse().expect("a number")),
                None => (step, 1),
            };
            node.children.iter().filter(|child| child.name == name).nth(number - 1)
        })
    }

    /// The texts of the element and of its attributes.
    fn own(&self) -> Vec<String> {
        std::iter::once(&self.text).chain(&self.attributes).map(|text| text.trim().to_owned()).collect()
    }

    /// The texts of the elements in it.
    fn inner(&self) -> Vec<String> {
        self.children.iter().flat_map(|child| child.own().into_iter().chain(child.inner())).collect()
    }
}

/// The text of a finding's value: a literal or an IRI in N-Triples, or what was repaired as it was written.
fn value_of(finding: &Value) -> Option<String> {
    let value = finding["value"].as_str()?;
    if finding["rule"].as_str().is_some_and(|rule| rule.starts_with("lift/")) {
        return Some(value.to_owned());
    }
    if let Some(iri) = value.strip_prefix('<') {
        return Some(iri.trim_end_matches('>').to_owned());
    }
    let literal = value.strip_prefix('"')?;
    let literal = &literal[..literal.rfind('"')?];
    Some(literal.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// Whether a text is a value, or what mapping makes this value of: an address that it mends, a code of a list.
fn is_written(text: &str, value: &str) -> bool {
    let bare = value.strip_prefix("mailto:").unwrap_or(value);
    let decoded = percent_encoding::percent_decode_str(bare).decode_utf8_lossy();
    let is_code = value.contains("://") && !text.is_empty() && value.ends_with(&format!("/{text}"));
    let is_role = value.contains("codelists.xml#") && value.ends_with(&format!("#{text}"));
    text.contains(value) || text.contains(bare) || text.contains(&*decoded) || is_code || is_role
}

/// Looks at the place of each finding: gives the rule, the record and the path of each. A value stands there; what
/// is about a node has a place in the node's record.
fn looked_at(findings: &[Value], texts_at: &dyn Fn(&Value, &str) -> Vec<String>) -> BTreeSet<[String; 3]> {
    let (mut seen, mut values) = (BTreeSet::new(), BTreeSet::new());
    for finding in findings {
        let said = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (rule, path) = (said("/rule"), said("/place/path"));
        let texts = texts_at(finding, &path);
        if let Some(value) = value_of(finding).filter(|_| !MADE.contains(&rule.as_str())) {
            // A box is written side by side.
            let holds = |part: &str| texts.iter().any(|text| is_written(text, part));
            assert!(holds(&value) || value.split(',').all(holds), "{texts:?} at {path}: {finding}");
            values.insert((rule.clone(), path.clone()));
        }
        seen.insert([rule, said("/record"), path]);
    }
    assert!(values.len() >= ENOUGH, "only {} places of values: {values:?}", values.len());
    seen
}

/// The texts at a pointer, which must lead into the record that a finding is about.
fn texts_of(document: &Value, id: &str, finding: &Value, pointer: &str) -> Vec<String> {
    let there = document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere: {finding}"));
    let known = pointer.match_indices('/').map(|(end, _)| &pointer[..end]).chain([pointer]);
    let mut records = known.filter_map(|start| document.pointer(start)?.get(id));
    assert_eq!(records.next(), Some(&finding["record"]), "{pointer} is of another record: {finding}");
    let text = there.as_str().map(ToOwned::to_owned).or_else(|| there.as_number().map(ToString::to_string));
    text.into_iter().collect()
}

fn has(seen: &BTreeSet<[String; 3]>, rule: &str, record: &str, path: &str) {
    let sought = [rule, record, path].map(ToOwned::to_owned);
    let alike: Vec<_> = seen.iter().filter(|[name, ..]| name == rule).collect();
    assert!(seen.contains(&sought), "{sought:?} is not among {alike:?}");
}

#[test]
fn findings_of_a_dcat_us_file_stand_at_their_pointer() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let document = answer("data.json");
    portal.set("/data.json", Page { content_type: "application/json", ..Page::turtle(document.to_string()) });
    for address in [text(&case("data.json")).to_owned(), portal.url("/data.json")] {
        let found = findings(&bench, &address, &["--kind", "dcat-us"]);
        let seen = looked_at(&found, &|finding, pointer| texts_of(&document, "identifier", finding, pointer));
        // Of the same text in several fields, the one that the finding is about.
        for (rule, record, path) in [
            ("convert/unknown-frequency", "permits-2023", "/dataset/0/accrualPeriodicity"),
            ("dcat-ap-3/Dataset-modified-date", "bridges", "/dataset/1/modified"),
            ("dcat-ap-3/Dataset-issued-date", "bridges", "/dataset/1/issued"),
            ("dcat-ap-3/Distribution-issued-date", "bridges", "/dataset/1/distribution/0/issued"),
            ("convert/unknown-format", "wells-south", "/dataset/3/distribution/0/format"),
            ("convert/text-licence", "wells-south", "/dataset/3/distribution/0/license"),
            ("convert/text-theme", "wells-south", "/dataset/3/theme/0"),
            ("lift/invalid-iri", "bridges", "/dataset/1/license"),
            ("dcat-ap-3/Distribution-description-required", "wells-south", "/dataset/3/distribution/1"),
            ("dcat-ap-3/Dataset-contactPoint-required", "wells-south", "/dataset/3"),
        ] {
            has(&seen, rule, record, path);
        }
    }
}

#[test]
fn findings_of_an_opendatasoft_answer_stand_at_their_pointer() {
    let bench = Bench::new();
    let given = answer("opendatasoft.json");
    let datasets = given["results"].as_array().expect("datasets").clone();
    let wrapped: Vec<Value> = datasets.iter().map(|dataset| json!({"links": [], "dataset": dataset})).collect();
    for (name, document, start) in [
        ("v2.1.json", given, "/results/1"),
        ("v2.0.json", json!({"total_count": 4, "datasets": wrapped}), "/datasets/1/dataset"),
        ("export.json", json!(datasets), "/1"),
    ] {
        let file = bench.write(name, &document.to_string());
        let found = findings(&bench, text(&file), &["--kind", "opendatasoft"]);
        let seen = looked_at(&found, &|finding, pointer| texts_of(&document, "dataset_uid", finding, pointer));
        for (rule, path) in [
            ("dcat-ap-3/Dataset-modified-date", "/metas/default/modified"),
            ("dcat-ap-3/Dataset-issued-date", "/metas/dcat/issued"),
            ("convert/unknown-frequency", "/metas/dcat_ap/accrualPeriodicity"),
        ] {
            has(&seen, rule, "da_comptages", &format!("{start}{path}"));
        }
    }
}

#[test]
fn findings_of_an_opendatasoft_portal_stand_in_the_page_of_their_dataset() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let given = answer("opendatasoft.json");
    let list = "/api/explore/v2.1/catalog/datasets";
    for limit in [1, 100] {
        let page = Page { content_type: "application/json", ..Page::turtle(given.to_string()) };
        portal.set(&format!("{list}?order_by=dataset_id&limit={limit}&offset=0"), page);
    }
    let pages: BTreeMap<String, Value> = given["results"]
        .as_array()
        .expect("datasets")
        .iter()
        .map(|dataset| {
            let slug = dataset["dataset_id"].as_str().expect("a slug").replace('/', "%2F");
            (portal.url(&format!("{list}/{slug}")), dataset.clone())
        })
        .collect();
    let found = findings(&bench, &portal.base, &["--kind", "opendatasoft"]);
    looked_at(&found, &|finding, pointer| {
        let page = finding["place"]["page"].as_str().unwrap_or_default();
        let page = pages.get(page).unwrap_or_else(|| panic!("no page of the portal: {finding}"));
        texts_of(page, "dataset_uid", finding, pointer)
    });
}

/// The texts at an `XPath`, which must lead into the record that a finding is about.
fn texts_in(document: &Node, finding: &Value, path: &str) -> Vec<String> {
    let there = document.at(path).unwrap_or_else(|| panic!("{path} leads nowhere: {finding}"));
    let end = path.find("gmd:MD_Metadata").expect("a record");
    let record = path[end..].find('/').map_or(path, |length| &path[..end + length]);
    let id = document.at(&format!("{record}/gmd:fileIdentifier/gco:CharacterString")).expect("an identifier");
    assert_eq!(id.text, finding["record"], "{path} is of another record");
    [there.own(), there.inner()].concat()
}

/// The record of which the same text stands in several elements.
const SECOND: &str = "/csw:GetRecordsResponse/csw:SearchResults[1]/gmd:MD_Metadata[2]";

#[test]
fn twenty_findings_of_iso_records_stand_at_their_xpath() {
    let bench = Bench::new();
    let content = read("records.xml");
    let document = Node::of(&content);
    let lines: Vec<&str> = content.lines().collect();
    let found = findings(&bench, text(&case("records.xml")), ISO);
    let seen = looked_at(&found, &|finding, path| {
        let line = finding["place"]["line"].as_u64().and_then(|line| usize::try_from(line).ok());
        let last = path.rsplit('/').next().and_then(|step| step.split('[').next()).expect("a name");
        assert!(line.is_some_and(|line| lines[line - 1].contains(&format!("<{last}"))), "no line: {finding}");
        texts_in(&document, finding, path)
    });
    let cited = "gmd:identificationInfo/gmd:MD_DataIdentification/gmd:citation/gmd:CI_Citation";
    let extent = "gmd:identificationInfo/gmd:MD_DataIdentification/gmd:extent/gmd:EX_Extent";
    let period = format!("{extent}/gmd:temporalElement/gmd:EX_TemporalExtent/gmd:extent/gml:TimePeriod");
    for (rule, path) in [
        ("dcat-ap-3/Dataset-issued-date", format!("{cited}/gmd:date[2]/gmd:CI_Date/gmd:date/gco:Date")),
        ("geodcat-ap-3/Resource-created-date", format!("{cited}/gmd:date[1]/gmd:CI_Date/gmd:date/gco:Date")),
        ("dcat-ap-3/CatalogRecord-modified-date", "gmd:dateStamp/gco:Date".to_owned()),
        ("dcat-ap-3/PeriodOfTime-startDate-date", format!("{period}/gml:beginPosition")),
        ("dcat-ap-3/PeriodOfTime-endDate-date", format!("{period}/gml:endPosition")),
    ] {
        has(&seen, rule, "zones-humides", &format!("{SECOND}/{path}"));
    }
    has(&seen, "dcat-ap-3/Dataset-contactPoint-required", "zones-humides", SECOND);
}

/// The records of the list, each as a text of its own.
fn records_of(content: &str) -> Vec<&str> {
    let start = |part: &'_ str| part.find("<gmd:MD_Metadata");
    content.split_inclusive("</gmd:MD_Metadata>").filter_map(|part| Some(&part[start(part)?..])).collect()
}

fn identifier_of(record: &str) -> &str {
    let behind = record.split_once("<gmd:fileIdentifier><gco:CharacterString>").expect("an identifier").1;
    behind.split('<').next().expect("a text")
}

#[test]
fn findings_of_a_folder_of_iso_records_stand_in_their_file() {
    let bench = Bench::new();
    let folder = bench.path("records");
    std::fs::create_dir_all(&folder).expect("a folder");
    let content = read("records.xml");
    let mut files = BTreeMap::new();
    for record in records_of(&content) {
        let name = format!("{}.xml", identifier_of(record));
        let written = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- one record -->\n{record}\n");
        std::fs::write(folder.join(&name), &written).expect("a file");
        files.insert(name, Node::of(&written));
    }
    let found = findings(&bench, text(&folder), ISO);
    looked_at(&found, &|finding, path| {
        let page = finding["place"]["page"].as_str().unwrap_or_default();
        let name = page.rsplit('/').next().unwrap_or_default();
        texts_in(files.get(name).unwrap_or_else(|| panic!("no file: {finding}")), finding, path)
    });
}

#[test]
fn findings_of_a_catalogue_service_stand_in_the_page_of_their_record() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let content = read("records.xml");
    let xml = |body: String| Page { content_type: "application/xml", ..Page::turtle(body) };
    let capabilities = format!(
        "<csw:Capabilities version='2.0.2' xmlns:csw='http://www.opengis.net/cat/csw/2.0.2' xmlns:ows='http://www.opengis.net/ows' xmlns:xlink='http://www.w3.org/1999/xlink'>\
         <ows:OperationsMetadata><ows:Operation name='GetRecords'><ows:DCP><ows:HTTP><ows:Get xlink:href='{0}/csw'/>\
         <ows:Post xlink:href='{0}/csw'><ows:Constraint name='PostEncoding'><ows:Value>XML</ows:Value></ows:Constraint></ows:Post></ows:HTTP></ows:DCP>\
         <ows:Parameter name='outputSchema'><ows:Value>http://www.isotc211.org/2005/gmd</ows:Value></ows:Parameter>\
         <ows:Parameter name='typeNames'><ows:Value>gmd:MD_Metadata</ows:Value></ows:Parameter></ows:Operation></ows:OperationsMetadata></csw:Capabilities>",
        portal.base
    );
    portal.set("/csw?service=CSW&version=2.0.2&request=GetCapabilities", xml(capabilities));
    portal.set("/csw", xml(content.clone()));
    let schema = "outputSchema=http%3A%2F%2Fwww.isotc211.org%2F2005%2Fgmd&elementSetName=full";
    let mut pages = BTreeMap::new();
    for record in records_of(&content) {
        let id = identifier_of(record);
        let address = format!("/csw?service=CSW&version=2.0.2&request=GetRecordById&id={id}&{schema}");
        let body = format!(
            "<csw:GetRecordByIdResponse xmlns:csw=\"http://www.opengis.net/cat/csw/2.0.2\">\n{record}\n</csw:GetRecordByIdResponse>"
        );
        pages.insert(portal.url(&address), Node::of(&body));
    }
    let found = findings(&bench, &portal.url("/csw"), ISO);
    looked_at(&found, &|finding, path| {
        let page = finding["place"]["page"].as_str().unwrap_or_default();
        assert!(finding["place"]["line"].is_null(), "the lines of another document: {finding}");
        texts_in(pages.get(page).unwrap_or_else(|| panic!("no page of the service: {finding}")), finding, path)
    });
}
