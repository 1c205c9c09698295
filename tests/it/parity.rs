//! The same datasets through every kind of source: their records agree in what all of these can say.

use crate::generated::{Portal, generator};
use crate::moisson::{Bench, count};
use crate::shared::review;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const DATASETS: &str = "1000";

/// Addresses of the stand-in portal, with their kinds.
const WAYS: [(&str, &str, &str); 6] = [
    ("Turtle", "/catalog.ttl", "dcat"),
    ("RDF/XML", "/catalog.rdf", "dcat"),
    ("JSON-LD", "/catalog.jsonld", "dcat"),
    ("CKAN", "", "ckan"),
    ("Opendatasoft", "", "opendatasoft"),
    ("CSW", "/csw", "csw"),
];

/// Fields in which a way differs from Turtle, and what it cannot say. `resources/` leads into each resource.
const REASONS: &[(&str, &str, &str)] = &[
    ("CKAN", "access_type", "the packages have no access rights"),
    ("CKAN", "contact_points", "the publisher's homepage is not in the package"),
    ("CKAN", "extras/access_rights", "the packages have no access rights"),
    ("CKAN", "organization/uri", "an organisation goes by its address on CKAN"),
    ("CKAN", "resources/access_url", "a resource has one address, the file's"),
    ("CKAN", "resources/created_at", "the date of CKAN's entry"),
    ("CKAN", "resources/modified_at", "CKAN writes times without their zone"),
    ("CKAN", "resources/uri", "a resource goes by its address on CKAN"),
    ("CKAN", "spatial/zones", "the place has no name"),
    ("CKAN", "title", "the second language is not in the package"),
    ("Opendatasoft", "access_type", "the template has no access rights"),
    ("Opendatasoft", "contact_points", "the publisher is a name"),
    ("Opendatasoft", "extras/access_rights", "the template has no access rights"),
    ("Opendatasoft", "organization/uri", "the publisher is a name"),
    ("Opendatasoft", "remote_url", "the portal's page of the dataset"),
    ("Opendatasoft", "resources/access_url", EXPORTS),
    ("Opendatasoft", "resources/checksum", EXPORTS),
    ("Opendatasoft", "resources/created_at", EXPORTS),
    ("Opendatasoft", "resources/description", EXPORTS),
    ("Opendatasoft", "resources/filesize", EXPORTS),
    ("Opendatasoft", "resources/format", EXPORTS),
    ("Opendatasoft", "resources/license", EXPORTS),
    ("Opendatasoft", "resources/mime", EXPORTS),
    ("Opendatasoft", "resources/modified_at", EXPORTS),
    ("Opendatasoft", "resources/title", EXPORTS),
    ("Opendatasoft", "resources/type", EXPORTS),
    ("Opendatasoft", "resources/uri", EXPORTS),
    ("Opendatasoft", "resources/url", EXPORTS),
    ("Opendatasoft", "spatial/zones", "the territory goes by another name"),
    ("Opendatasoft", "spatial/box", "the dataset has no box where it has no records with places"),
    ("Opendatasoft", "title", "the second language is not in the template"),
    ("Opendatasoft", "uri", "a dataset goes by its page on the portal"),
    ("CSW", "access_type", "the records have no access constraints"),
    ("CSW", "contact_points", "the records have one party, of the role publisher"),
    ("CSW", "extras/access_rights", "the records have no access constraints"),
    ("CSW", "frequency", "the records have no maintenance information"),
    ("CSW", "modified_at", "the records have no date of revision"),
    ("CSW", "organization/uri", "a party has no IRI in ISO 19139"),
    ("CSW", "remote_url", "the records have no page"),
    ("CSW", "resources/access_url", "an online resource has one address, the file's"),
    ("CSW", "resources/checksum", "ISO 19139 has no checksums"),
    ("CSW", "resources/created_at", "an online resource has no dates in ISO 19139"),
    ("CSW", "resources/description", "the online resources have no description"),
    ("CSW", "resources/filesize", "the records have no transfer size"),
    (
        "CSW",
        "resources/format",
        "the formats are the dataset's, and a suffix does not always tell which of them a file has",
    ),
    ("CSW", "resources/mime", "a format has a name in ISO 19139, and no media type"),
    ("CSW", "resources/modified_at", "an online resource has no dates in ISO 19139"),
    ("CSW", "resources/uri", "an online resource has no IRI in ISO 19139"),
    ("CSW", "spatial/zones", "the records name no place"),
    ("CSW", "tags", "the topic category is a theme too, whose label is a tag"),
    ("CSW", "themes", "ISO 19115 has topic categories; the EU's themes are those that they fall under"),
    ("CSW", "title", "the records have one language"),
    ("CSW", "uri", "the identifier of the resource is no address"),
];

const EXPORTS: &str = "a dataset of Opendatasoft has the portal's own exports in place of files";

/// A record's fields, those of its resources by their names; what differs by nature is left out.
fn fields(record: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, value) in record.as_object().expect("a record") {
        match (name.as_str(), value) {
            ("id" | "remote_id" | "harvest" | "resources", _) => {}
            ("spatial", place) => {
                found.insert("spatial/box".to_owned(), corners(&place["geom"]));
                found.insert("spatial/zones".to_owned(), place["zones"].clone());
            }
            ("organization" | "extras", Value::Object(parts)) => {
                found.extend(parts.iter().map(|(part, value)| (format!("{name}/{part}"), value.clone())));
            }
            _ => {
                found.insert(name.clone(), value.clone());
            }
        }
    }
    let mut resources: Vec<&Value> = record["resources"].as_array().expect("resources").iter().collect();
    resources.sort_by_key(|resource| resource["url"].to_string());
    for resource in resources {
        for (name, value) in resource.as_object().expect("a resource").iter().filter(|(name, _)| *name != "id") {
            let all = found.entry(format!("resources/{name}")).or_insert_with(|| Value::Array(Vec::new()));
            all.as_array_mut().expect("made above").push(value.clone());
        }
    }
    found
}

/// The least and the greatest coordinates of a geometry, to a ten-thousandth of a degree.
fn corners(geometry: &Value) -> Value {
    fn gather(value: &Value, found: &mut Vec<[f64; 2]>) {
        let members = value.as_array().map_or(&[][..], Vec::as_slice);
        match members {
            [x, y] if x.is_number() => found.push([x, y].map(|number| number.as_f64().unwrap_or_default())),
            _ => members.iter().for_each(|member| gather(member, found)),
        }
    }
    let mut points = Vec::new();
    gather(&geometry["coordinates"], &mut points);
    let side = |at: usize, choose: fn(f64, f64) -> f64| {
        let chosen = points.iter().map(|point| point[at]).reduce(choose).unwrap_or_default();
        (chosen * 1e4).round() / 1e4
    };
    serde_json::json!([side(0, f64::min), side(1, f64::min), side(0, f64::max), side(1, f64::max)])
}

/// The records of a way, by what all of these have: the names of the files.
fn records(portal: &Portal, address: &str, kind: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let bench = Bench::new();
    let report = bench.harvest(&format!("{}{address}", portal.base), &["--kind", kind, "--allow-loopback"]);
    assert_eq!(count(&report, "/records/added").to_string(), DATASETS, "{kind}: {report}");
    let key = |record: &Value| {
        let url =
            record["resources"].as_array().into_iter().flatten().filter_map(|resource| resource["url"].as_str());
        let files = url.filter_map(|url| url.split("/files/").nth(1)?.split('/').next().map(ToOwned::to_owned));
        files.min().or_else(|| {
            record["remote_url"].as_str()?.rsplit('-').next().map(|end| end.trim_end_matches('/').to_owned())
        })
    };
    bench.records().iter().map(|record| (key(record).unwrap_or_default(), fields(record))).collect()
}

#[test]
fn the_same_datasets_give_the_same_records_whatever_the_platform() {
    let Some(generator) = generator() else { return };
    let portal = Portal::start(&generator, &["--n", DATASETS, "--defect-rate", "0"]);
    let all: Vec<_> = WAYS.iter().map(|(name, address, kind)| (*name, records(&portal, address, kind))).collect();
    let (_, first) = &all[0];
    assert_eq!(first.len().to_string(), DATASETS, "records are told apart");
    let mut differing: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (way, records) in &all[1..] {
        assert_eq!(first.keys().collect::<Vec<_>>(), records.keys().collect::<Vec<_>>(), "{way}");
        for (key, fields) in first {
            for (field, value) in fields {
                if records[key].get(field) != Some(value) {
                    *differing.entry((way, field.clone())).or_default() += 1;
                }
            }
        }
    }
    let names: Vec<&String> = first.values().next().expect("a record").keys().collect();
    let mut text = format!(
        "# {DATASETS} datasets through every kind of source\n\nCompared with Turtle: `=` where all records agree, else how many differ.\n\n"
    );
    writeln!(
        text,
        "| field | {} |\n|{}",
        WAYS[1..].iter().map(|(way, ..)| *way).collect::<Vec<_>>().join(" | "),
        " --- |".repeat(WAYS.len())
    )
    .expect("memory");
    for name in names {
        let cells: Vec<String> = WAYS[1..]
            .iter()
            .map(|(way, ..)| differing.get(&(*way, name.clone())).map_or("=".to_owned(), ToString::to_string))
            .collect();
        writeln!(text, "| {name} | {} |", cells.join(" | ")).expect("memory");
    }
    text.push_str("\n## Why\n\n");
    let mut unexplained = Vec::new();
    for (way, field) in differing.keys() {
        match REASONS.iter().find(|(known, of, _)| known == way && of == field) {
            Some((.., reason)) => writeln!(text, "- {way}, {field}: {reason}").expect("memory"),
            None => unexplained.push(format!("{way}, {field}")),
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/parity.md");
    assert_eq!(review(&path, &text), None);
    assert!(unexplained.is_empty(), "no reason is given for: {unexplained:?}");
}
