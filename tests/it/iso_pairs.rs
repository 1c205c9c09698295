//! ISO records beside the DCAT that others make of them: SEMIC's stylesheet, GeoNetwork, geocat.ch.
//!
//! `tests/review/iso-pairs.md` has the expected triples of each pair that are present, missing and additional, after
//! the normalisation that is stated here, and a reason for each missing one.

use crate::moisson::Bench;
use crate::pairs::normalisation::{Excuse, LANGUAGES, Normalisation, PredicateAlias};
use crate::pairs::untangled::{root, untangled};
use crate::pairs::{Outcome, compare};
use crate::shared::{data, review, triples};
use oxrdf::Triple;
use oxrdfio::{RdfFormat, RdfParser};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const SEMIC: &str = "pair-iso-geodcat/SEMICeu__iso-19139-to-dcat-ap/test-cases";
const GEONETWORK: &str = "pair-iso19115-3-dcat/SPW-DIG__metawal-core-geonetwork";
const GEOCAT: &str = "pair-iso-dcat/opendata-swiss__ckanext-geocat/test_harvesters";

const NORMALISATION: Normalisation = Normalisation {
    unnamed: &["http://127.0.0.1:8080/.well-known/genid/"],
    iris: &[
        // The authority table has no bibliographic codes; GeoNetwork writes the scheme of an IRI wrongly.
        (
            "http://publications.europa.eu/resource/authority/language/FRE",
            "http://publications.europa.eu/resource/authority/language/FRA",
        ),
        // DCAT-AP 3 has the wider class for dct:format.
        ("http://purl.org/dc/terms/MediaTypeOrExtent", "http://purl.org/dc/terms/MediaType"),
        // One role, in INSPIRE's list and in that of ISO.
        (
            "http://standards.iso.org/iso/19115/resources/Codelists/cat/codelists.xml#custodian",
            "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/custodian",
        ),
        // Two names of one frequency, and of one licence: ours is the EU's, and the one that the record writes.
        (
            "http://standards.iso.org/iso/19115/resources/Codelists/cat/codelists.xml#asNeeded",
            "http://publications.europa.eu/resource/authority/frequency/AS_NEEDED",
        ),
        (
            "https://w3id.org/mobilitydcat-ap/update-frequency/5min",
            "http://publications.europa.eu/resource/authority/frequency/5MIN",
        ),
        (
            "https://w3id.org/mobilitydcat-ap/update-frequency/15min",
            "http://publications.europa.eu/resource/authority/frequency/15MIN",
        ),
        (
            "http://publications.europa.eu/resource/authority/licence/BSL_1_0",
            "https://opensource.org/licenses/BSL-1.0",
        ),
        (
            "http://publications.europa.eu/resource/authority/licence/CATOSL_1_1",
            "https://opensource.org/licenses/CATOSL-1.1",
        ),
        (
            "https://publications.europa.eu/resource/authority/file-type/ZIP",
            "http://www.iana.org/assignments/media-types/application/zip",
        ),
    ],
    beginnings: &[("https://www.iana.org/", "http://www.iana.org/")],
    predicates: &[
        // GeoNetwork's name of a standard; DCAT 3 took the place of PAV.
        PredicateAlias {
            class: Some("http://purl.org/dc/terms/Standard"),
            from: "http://www.w3.org/2000/01/rdf-schema#label",
            to: "http://purl.org/dc/terms/title",
        },
        PredicateAlias {
            class: None,
            from: "http://purl.org/pav/previousVersion",
            to: "http://www.w3.org/ns/dcat#previousVersion",
        },
    ],
    languages: LANGUAGES,
    collapses_whitespace: true,
    compares_numbers: true,
    midnight_is_date: true,
    excuses: EXCUSES,
};

const fn because(at: &'static str, reason: &'static str) -> Excuse {
    Excuse { at, value: None, reason }
}

const fn of_value(at: &'static str, value: &'static str, reason: &'static str) -> Excuse {
    Excuse { at, value: Some(value), reason }
}

const LEFT_OVER: &str = "left over in SEMIC's file: nothing leads to it, in the input or in the output";
const GLUED: &str = "SEMIC glues a text and its translation together; they are two";
const LICENCE: &str =
    "SEMIC reads the licence as access rights too, for both codes stand beside it; a licence is one";
const PERSONS: &str =
    "GeoNetwork gives custodians as cards; the property's range is `foaf:Agent`, as SEMIC has it";
const SOCIETY: &str = "GeoNetwork puts the topic `location` under population and society; ISO 19115 says addresses and control points";
const TYPES: &str = "`geodcatap:resourceType` says what kind of resource it is, in the terms of GeoDCAT-AP 3";
const ONE_PROFILE: &str = "a record conforms to one profile in DCAT-AP 3; GeoDCAT-AP contains DCAT-AP";
const SHAPEFILE: &str = "the words stand for the EU's file type SHP, which is given";
const ONE_FREQUENCY: &str =
    "DCAT-AP allows one frequency: the code of the standard's list is taken, where the EU has it";
const SEVERAL_FORMATS: &str =
    "of several formats of a record none is known to be that of a link; DCAT-AP allows one";
const LAW: &str = "W3C DCAT has no property for a law; `dcatap:applicableLegislation` has it";

const EXCUSES: &[Excuse] = &[
    because("<http://www.opengeospatial.org/standards/wfs>/rdf:type", LEFT_OVER),
    because("<http://www.opengeospatial.org/standards/wms>/rdf:type", LEFT_OVER),
    because("<http://www.iana.org/assignments/media-types/application/gml+xml>/rdf:type", LEFT_OVER),
    of_value(
        "./dcat:distribution/dct:title",
        "\"\"@fr",
        "SEMIC makes a title of nothing: an empty text says nothing",
    ),
    of_value("./dcat:distribution/dct:description", "\"Access point / WMS Access point / WMS\"@fr", GLUED),
    of_value(
        "./dcat:landingPage/dct:description",
        "\"Portail d'information géographique du Shom Shom Geoportal\"@fr",
        GLUED,
    ),
    of_value(
        "./dcat:distribution/dct:accessRights",
        "<https://www.etalab.gouv.fr/licence-ouverte-open-licence>",
        LICENCE,
    ),
    of_value("./dcat:distribution/dct:accessRights/rdf:type", "dct:RightsStatement", LICENCE),
    because("./dct:type/*", TYPES),
    of_value(
        "./foaf:isPrimaryTopicOf/dct:identifier",
        "\"urn:uuid:{uuid}\"^^xsd:anyURI",
        "a placeholder that GeoNetwork did not fill",
    ),
    of_value("./foaf:isPrimaryTopicOf/dct:conformsTo", "dcatap:", ONE_PROFILE),
    because("./foaf:isPrimaryTopicOf/dct:conformsTo/rdf:type", ONE_PROFILE),
    because(
        "./foaf:isPrimaryTopicOf/dct:description",
        "the description is the resource's, which the record leads to",
    ),
    of_value(
        "./dct:identifier",
        "\"BE.SPW.INFRASIG.CARTON/DGATLPE__PDS\"",
        "a code in the space of a name is an `adms:identifier`, as GeoNetwork's EU profiles have it",
    ),
    because(
        "./adms:status/skos:prefLabel",
        "the words of GeoNetwork's own translations, which the record has not",
    ),
    of_value("./dcat:theme", "<http://data.europa.eu/eli/reg/2014/1143/oj>", LAW),
    of_value("./dcat:theme/skos:prefLabel", "\"1143/2014\"@fr", LAW),
    of_value("./dcat:theme", "<http://publications.europa.eu/resource/authority/data-theme/SOCI>", SOCIETY),
    of_value("./dcat:theme/skos:prefLabel", "\"Population et société\"@fr", SOCIETY),
    of_value(
        "./dcat:theme/rdf:type",
        "skos:Concept",
        "the type of a theme that is missing for one of the reasons above",
    ),
    because("./dct:rights/*", "the wording stands for INSPIRE's `noLimitations`, which is given as access rights"),
    because("./adms:versionNotes", "lineage is `dct:provenance`, as GeoNetwork's EU profiles and SEMIC have it"),
    because(
        "./dcat:distribution/dct:issued",
        "when an order can be delivered says nothing of when the file was issued",
    ),
    because(
        "./dcat:distribution/dcat:byteSize",
        "GeoNetwork multiplies megabytes by 1024², SEMIC by 10⁶, which is followed",
    ),
    because(
        "./dcat:distribution/dcat:accessService/dcat:endpointURL",
        "GeoNetwork gives the request for capabilities; DCAT asks for the root of the service, as SEMIC gives it",
    ),
    of_value(
        "./dct:conformsTo",
        "<http://www.opengis.net/def/crs/EPSG/0/31370>",
        "the reference system is `geodcatap:referenceSystem`",
    ),
    because("./geodcatap:custodian/*", PERSONS),
    of_value(
        "./dct:accrualPeriodicity",
        "<http://publications.europa.eu/resource/authority/frequency/15MIN>",
        ONE_FREQUENCY,
    ),
    of_value("./dct:accrualPeriodicity/rdf:type", "dct:Frequency", ONE_FREQUENCY),
    of_value(
        "./dcat:distribution/dct:format",
        "<http://publications.europa.eu/resource/authority/file-type/NETCDF>",
        SEVERAL_FORMATS,
    ),
    of_value(
        "./dcat:distribution/dct:format/rdfs:label",
        "\"Comma-separated values (CSV) file\"",
        SEVERAL_FORMATS,
    ),
    of_value("./dcat:distribution/dct:format/rdfs:label", "\"Darwin Core Archive (DwC-A)\"", SEVERAL_FORMATS),
    of_value("./dcat:distribution/dct:format", "[]", SHAPEFILE),
    of_value("./dcat:distribution/dct:format/rdf:type", "dct:MediaType", SHAPEFILE),
    of_value("./dcat:distribution/dct:format/rdfs:label", "\"ESRI Shapefile (.shp)\"", SHAPEFILE),
];

/// A pair: its name, the record, what is expected of it.
struct Pair {
    name: String,
    input: PathBuf,
    expected: Vec<Triple>,
}

fn pairs() -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut cases: Vec<PathBuf> =
        fs::read_dir(data(SEMIC)?).ok()?.map(|entry| entry.expect("an entry").path()).collect();
    cases.sort();
    for case in cases {
        let name = format!("SEMIC, {}", case.file_name()?.to_string_lossy());
        pairs.push(Pair {
            name,
            input: case.join("input.xml"),
            expected: triples(&case.join("expected_output.ttl")),
        });
    }
    let folder = data(GEONETWORK)?;
    let mut outputs = crate::shared::files(&folder, &[".rdf"]);
    outputs.sort();
    for output in outputs {
        let short =
            output.file_stem()?.to_string_lossy().replace("iso19115-3.2018-", "").replace("-dataset-core", "");
        let input = folder.join("iso19115-3.2018-dcat-dataset.xml");
        pairs.push(Pair { name: format!("GeoNetwork, {short}"), input, expected: untangled(&triples(&output)) });
    }
    let folder = data(GEOCAT)?;
    let expected = geocat(&fs::read_to_string(folder.join("result_1_dcat.xml")).ok()?);
    pairs.push(Pair { name: "geocat.ch".to_owned(), input: folder.join("result_1.xml"), expected });
    Some(pairs)
}

/// The dataset in an answer of geocat.ch.
fn geocat(answer: &str) -> Vec<Triple> {
    let start = answer.find("<dcat:Dataset").expect("a dataset");
    let end = answer.find("</dcat:Dataset>").expect("its end") + "</dcat:Dataset>".len();
    let rdf = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
    let document = format!("<rdf:RDF {rdf}>{}</rdf:RDF>", &answer[start..end]);
    let parser = RdfParser::from_format(RdfFormat::RdfXml);
    parser.for_slice(document.as_bytes()).map(|quad| quad.expect("RDF/XML").into()).collect()
}

/// What the program makes of the one record of a file.
fn mapped(bench: &Bench, file: &Path) -> Vec<Triple> {
    let run =
        bench.command().args(["map", "--kind", "csw", "--format", "json"]).arg(file).output().expect("it starts");
    assert!(run.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&run.stderr));
    let explained: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let turtle = explained["mapped"].as_str().expect("Turtle");
    let parser =
        RdfParser::from_format(RdfFormat::Turtle).with_base_iri("http://base/").expect("an IRI").lenient();
    parser.for_slice(turtle.as_bytes()).map(|quad| quad.expect("valid Turtle").into()).collect()
}

#[test]
fn the_mapping_says_what_others_say_of_the_same_records() {
    let Some(pairs) = pairs() else { return };
    let bench = Bench::new();
    let outcomes: Vec<(String, Outcome)> = pairs
        .into_iter()
        .map(|pair| {
            let found = mapped(&bench, &pair.input);
            let roots = [(root(&pair.expected), root(&found))];
            (pair.name, compare(&pair.expected, &found, &roots, &NORMALISATION))
        })
        .collect();
    let report = report(&outcomes);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/iso-pairs.md");
    assert_eq!(review(&path, &report), None);
    let missing: Vec<String> = of_one_state(&outcomes)
        .flat_map(|(name, outcome)| outcome.missing.iter().map(move |line| format!("{name}: {line}")))
        .collect();
    assert!(missing.is_empty(), "expected triples are missing without a reason:\n{}", missing.join("\n"));
    let (present, expected) = totals(of_one_state(&outcomes));
    assert!(present * 100 >= expected * 94, "{present} of {expected} expected triples are present");
}

/// The pairs whose input and output are of one state of the record. What geocat.ch gives is of a later one than its
/// input: it has other titles, descriptions and dates.
fn of_one_state(outcomes: &[(String, Outcome)]) -> impl Iterator<Item = &(String, Outcome)> {
    outcomes.iter().filter(|(name, _)| name != "geocat.ch")
}

fn totals<'o>(outcomes: impl Iterator<Item = &'o (String, Outcome)>) -> (usize, usize) {
    outcomes.fold((0, 0), |(present, expected), (_, outcome)| {
        (present + outcome.present.len(), expected + outcome.expected)
    })
}

fn report(outcomes: &[(String, Outcome)]) -> String {
    let mut text = String::from("# ISO records beside the DCAT that others make of them\n\n");
    let row = |text: &str, into: &mut String| writeln!(into, "{text}").expect("writing to memory");
    let share = |(present, expected): (usize, usize)| {
        format!("{present} of {expected} ({:.1} %)", present as f64 * 100.0 / expected as f64)
    };
    let (all, of_one_state) = (share(totals(outcomes.iter())), share(totals(of_one_state(outcomes))));
    row(
        &format!(
            "{of_one_state} expected triples are present. The output of geocat.ch is not counted: it was made of a later state of its\nrecord, with other titles, descriptions and dates. With it: {all}.\n"
        ),
        &mut text,
    );
    row("| pair | expected | present | missing | additional |\n| --- | --- | --- | --- | --- |", &mut text);
    for (name, outcome) in outcomes {
        let missing = outcome.expected - outcome.present.len();
        row(
            &format!(
                "| {name} | {} | {} | {missing} | {} |",
                outcome.expected,
                outcome.present.len(),
                outcome.additional.len()
            ),
            &mut text,
        );
    }
    row("\n## Missing, with the reason\n", &mut text);
    let mut by_reason: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for (line, reason) in outcomes.iter().flat_map(|(_, outcome)| &outcome.excused) {
        *by_reason.entry(reason).or_default().entry(line.clone()).or_default() += 1;
    }
    for (reason, lines) in by_reason {
        row(&format!("- {reason} ({}):", lines.values().sum::<usize>()), &mut text);
        for (line, count) in lines {
            row(&format!("  - {count} × `{line}`"), &mut text);
        }
    }
    for (name, outcome) in outcomes.iter().filter(|(_, outcome)| !outcome.missing.is_empty()) {
        let why = if name == "geocat.ch" { "of another state of the record" } else { "without a reason" };
        row(&format!("\n## Missing, {why}: {name}\n"), &mut text);
        outcome.missing.iter().for_each(|line| row(&format!("- `{line}`"), &mut text));
    }
    row("\n## Additional, by property\n", &mut text);
    let mut additional: BTreeMap<String, usize> = BTreeMap::new();
    for line in outcomes.iter().flat_map(|(_, outcome)| &outcome.additional) {
        let parts: Vec<&str> = line.split(" | ").collect();
        *additional
            .entry(format!("{} {}", parts[0].split('‹').next().unwrap_or_default(), parts.get(1).unwrap_or(&"")))
            .or_default() += 1;
    }
    for (line, count) in additional {
        row(&format!("- {count} × `{line}`"), &mut text);
    }
    text
}
