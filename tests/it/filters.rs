//! Filters: the same records whether the portal filters or we do.

use crate::moisson::{Bench, count, harvest_served};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A platform's way of answering, and of being asked.
struct Platform {
    kind: &'static str,
    path: &'static str,
    /// The parameter of its query language.
    parameter: &'static str,
    /// How long pages are asked for, and from where.
    paging: [&'static str; 2],
    answer: fn(usize, Vec<Value>) -> Value,
    /// The values of a field of its query language.
    values: fn(&Value, &str) -> Vec<String>,
    records: fn() -> Vec<Value>,
}

const CKAN: Platform = Platform {
    kind: "ckan",
    path: "/api/3/action/package_search",
    parameter: "fq",
    paging: ["rows", "start"],
    answer: |count, found| json!({"success": true, "result": {"count": count, "results": found}}),
    values: |package, field| {
        let all = |pointer: &str, name: &str| texts(package.pointer(pointer), name);
        match field {
            "organization" => all("/organization", "name"),
            "owner_org" => all("/organization", "id"),
            "groups" => all("/groups", "name"),
            "tags" => all("/tags", "name"),
            "res_format" => all("/resources", "format"),
            other => all(&format!("/{other}"), ""),
        }
    },
    records: || {
        let package = |id: &str,
                       organization: &str,
                       tags: &[&str],
                       format: &str,
                       license: &str,
                       modified: &str| {
            let tags: Vec<Value> = tags.iter().map(|tag| json!({"name": tag})).collect();
            json!({"id": id, "name": id, "title": id, "state": "active", "license_id": license, "metadata_modified": modified,
                "organization": {"id": format!("id-{organization}"), "name": organization, "title": organization.to_uppercase()},
                "groups": [{"name": if id < "c" { "first" } else { "second" }}], "tags": tags,
                "extras": [{"key": "theme", "value": if id == "a" { "http://publications.europa.eu/resource/authority/data-theme/TRAN" } else { "http://publications.europa.eu/resource/authority/data-theme/ENVI" }}],
                "resources": [{"id": "r", "url": format!("https://files.example/{id}"), "format": format}]})
        };
        vec![
            package("a", "city", &["water", "air"], "CSV", "lov2", "2024-05-01T10:00:00.123456"),
            package("b", "city", &["a \"quoted\" \\ tag"], "JSON", "odc-odbl", "2023-01-01T00:00:00"),
            package("c", "region", &["water"], "CSV", "lov2", "2025-01-01T00:00:00"),
            package("d", "region", &[], "SHP", "cc-by", "2024-01-01T00:00:00"),
        ]
    },
};

const OPENDATASOFT: Platform = Platform {
    kind: "opendatasoft",
    path: "/api/explore/v2.1/catalog/datasets",
    parameter: "where",
    paging: ["limit", "offset"],
    answer: |count, found| json!({"total_count": count, "results": found}),
    values: |dataset, field| texts(dataset.pointer(&format!("/metas/default/{field}")), ""),
    records: || {
        let dataset =
            |id: &str, publisher: &str, keywords: &[&str], theme: &str, license: &str, modified: &str| {
                json!({"dataset_id": id, "dataset_uid": format!("da_{id}"), "has_records": true, "features": [],
                "metas": {"default": {"title": id, "publisher": publisher, "keyword": keywords, "theme": [theme],
                    "license": license, "modified": modified, "records_count": 3}}})
            };
        vec![
            dataset("a", "City", &["water", "air"], "Transport", "Open Licence", "2024-05-01T10:00:00+00:00"),
            dataset("b", "City", &["a \"quoted\" \\ tag"], "Water, and more", "ODbL", "2023-01-01T00:00:00+00:00"),
            dataset("c", "Region", &["water"], "Transport", "Open Licence", "2025-01-01T00:00:00+00:00"),
        ]
    },
};

/// The texts of a value: itself, or those of a field of its members.
fn texts(value: Option<&Value>, name: &str) -> Vec<String> {
    let members = match value {
        Some(Value::Array(members)) => members.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    };
    let text = |member: &Value| member.get(name).unwrap_or(member).as_str().map(str::to_owned);
    members.into_iter().filter_map(text).collect()
}

/// A portal that does what its platform's query language says, refuses it, or does not care.
struct Portal {
    platform: &'static Platform,
    manner: Manner,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Obeys,
    Refuses,
    DoesNotCare,
}

impl Respond for Portal {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let parameter = |name: &str| {
            let mut pairs = request.url.query_pairs();
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        let query = parameter(self.platform.parameter).unwrap_or_default();
        if self.manner == Manner::Refuses && !query.is_empty() {
            return ResponseTemplate::new(400)
                .set_body_json(json!({"success": false, "error": {"message": "no"}}));
        }
        let obeys = self.manner == Manner::Obeys;
        let found: Vec<Value> = (self.platform.records)()
            .into_iter()
            .filter(|record| !obeys || selects(&query, &|field| (self.platform.values)(record, field)))
            .collect();
        let number = |name: &str| parameter(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let [length, start] = self.platform.paging.map(number);
        let page = found.iter().skip(start).take(length).cloned().collect();
        ResponseTemplate::new(200).set_body_json((self.platform.answer)(found.len(), page))
    }
}

/// What a query selects: clauses joined by AND, each of them conditions joined by OR, perhaps negated.
fn selects(query: &str, values: &dyn Fn(&str) -> Vec<String>) -> bool {
    let query = query.trim();
    query.is_empty() || split(query, " AND ").into_iter().all(|clause| selects_clause(clause, values))
}

fn selects_clause(clause: &str, values: &dyn Fn(&str) -> Vec<String>) -> bool {
    if let Some(negated) = clause.strip_prefix("NOT ") {
        return !selects_clause(negated, values);
    }
    if let Some(inner) = clause.strip_prefix('(').and_then(|clause| clause.strip_suffix(')')) {
        return split(inner, " OR ").into_iter().any(|condition| selects_clause(condition, values));
    }
    if let Some(date) = clause.strip_prefix("metadata_modified:[").and_then(|rest| rest.strip_suffix("Z TO *]")) {
        return values("metadata_modified").iter().any(|modified| modified.as_str() >= date);
    }
    if let Some(date) = clause.strip_prefix("modified >= date'").and_then(|rest| rest.strip_suffix('\'')) {
        return values("modified").iter().any(|modified| modified.as_str() >= date);
    }
    let (field, list) = clause.split_once(":(").or_else(|| clause.split_once(" in (")).expect(clause);
    let quoted = list.strip_suffix(')').expect(clause).trim_matches('"').replace("\" OR \"", "\", \"");
    let asked: Vec<String> =
        quoted.split("\", \"").map(|value| value.replace("\\\"", "\"").replace("\\\\", "\\")).collect();
    values(field).iter().any(|value| asked.contains(value))
}

/// Splits at a word that stands outside brackets and quotes.
fn split<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut depth, mut is_quoted, mut at) = (Vec::new(), 0, 0, false, 0);
    while at < text.len() {
        match text.as_bytes()[at] {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b'(' | b'[' if !is_quoted => depth += 1,
            b')' | b']' if !is_quoted => depth -= 1,
            _ if depth == 0 && !is_quoted && text[at..].starts_with(word) => {
                parts.push(&text[start..at]);
                start = at + word.len();
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

/// The names of the records that a harvest with filters gives, its report, and what the portal was asked.
async fn harvested(platform: &'static Platform, manner: Manner, filters: &[&str]) -> (Vec<String>, Value, String) {
    let server = MockServer::start().await;
    let portal = Portal { platform, manner };
    Mock::given(path(platform.path)).respond_with(portal).mount(&server).await;
    let bench = Bench::new();
    let mut more = vec!["--kind", platform.kind];
    more.extend(filters);
    let (_, report, said) = harvest_served(&bench, &server.uri(), &more).await;
    assert_eq!(report["complete"], true, "{report} {said}");
    let mut titles: Vec<String> = if report["records"]["seen"] == 0 {
        Vec::new()
    } else {
        bench.records().iter().filter_map(|record| record["title"].as_str().map(str::to_owned)).collect()
    };
    titles.sort();
    let requests = server.received_requests().await.unwrap_or_default();
    let asked = requests.iter().map(|request| request.url.to_string()).collect();
    (titles, report, asked)
}

async fn gives(platform: &'static Platform, filters: &[&str], expected: &[&str]) {
    for manner in [Manner::Obeys, Manner::Refuses, Manner::DoesNotCare] {
        let (titles, report, _) = harvested(platform, manner, filters).await;
        let why = match manner {
            Manner::Obeys => "the portal filters",
            Manner::Refuses => "the portal refuses to",
            Manner::DoesNotCare => "the portal gives everything",
        };
        assert_eq!(titles, expected, "{} {filters:?}: {why}: {report}", platform.kind);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ckan_gives_the_same_whether_it_filters_or_we_do() {
    for (filters, expected) in [
        (&["--include", "organization=city"][..], &["a", "b"][..]),
        (&["--include", "organization=id-region"], &["c", "d"]),
        (&["--include", "group=second"], &["c", "d"]),
        (&["--include", "tag=water"], &["a", "c"]),
        (&["--include", "tag=a \"quoted\" \\ tag"], &["b"]),
        (&["--include", "tag=water", "--include", "tag=air", "--exclude", "organization=region"], &["a"]),
        (&["--exclude", "format=CSV", "--exclude", "license=cc-by"], &["b"]),
        (&["--include", "license=lov2", "--modified-since", "2024-06-01"], &["c"]),
        (&["--modified-since", "2024-05-01T10:00:00"], &["a", "c"]),
        (&["--include", "theme=TRAN"], &["a"]),
        (&["--exclude", "theme=TRAN", "--include", "organization=city"], &["b"]),
        (&["--include", "tag=nothing has it"], &[]),
    ] {
        gives(&CKAN, filters, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opendatasoft_gives_the_same_whether_it_filters_or_we_do() {
    for (filters, expected) in [
        (&["--include", "organization=City"][..], &["a", "b"][..]),
        (&["--include", "tag=water", "--exclude", "organization=Region"], &["a"]),
        (&["--include", "tag=a \"quoted\" \\ tag"], &["b"]),
        (&["--include", "theme=Water, and more"], &["b"]),
        (&["--include", "license=Open Licence", "--modified-since", "2024-06-01"], &["c"]),
        (&["--include", "format=CSV"], &["a", "b", "c"]),
        (&["--exclude", "format=csv"], &[]),
    ] {
        gives(&OPENDATASOFT, filters, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_platform_can_filter_is_asked_of_it() {
    let (_, report, asked) =
        harvested(&CKAN, Manner::Obeys, &["--include", "tag=water", "--where", "organization:(\"city\")"]).await;
    assert!(asked.contains("fq=") && asked.contains("organization"), "{asked}");
    assert_eq!(count(&report, "/records/seen"), 1);
    assert_eq!(count(&report, "/records/filtered"), 0, "nothing came that had to be left out: {report}");
    let (_, report, _) = harvested(&CKAN, Manner::DoesNotCare, &["--include", "tag=water"]).await;
    assert_eq!((count(&report, "/records/seen"), count(&report, "/records/filtered")), (2, 2));
}

#[test]
fn a_catalogue_in_dcat_is_filtered_by_us() {
    let bench = Bench::new();
    let catalogue = bench.write(
        "catalogue.ttl",
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .\n\
         @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix e: <http://e.example/> .\n\
         e:a a dcat:Dataset ; dct:title 'a' ; dcat:keyword 'water' ; dct:publisher e:p ; dct:modified '2024-05-01'^^xsd:date ;\n\
           dcat:theme <http://publications.europa.eu/resource/authority/data-theme/TRAN> ; dct:license <http://creativecommons.org/licenses/by/4.0/> ;\n\
           dcat:distribution [ a dcat:Distribution ; dcat:accessURL e:f ; dct:format 'CSV' ] .\n\
         e:p a foaf:Agent ; foaf:name 'The city' .\n\
         e:b a dcat:Dataset ; dct:title 'b' ; dcat:keyword 'air' ; dct:publisher [ foaf:name 'Other' ] .\n",
    );
    let harvest = |bench: &Bench, filters: &[&str]| {
        let mut more = vec!["--source", "s", "--dry-run"];
        more.extend(filters);
        count(&bench.harvest(catalogue.to_str().expect("a UTF-8 path"), &more), "/records/seen")
    };
    for filter in [
        "tag=water",
        "organization=The city",
        "organization=http://e.example/p",
        "theme=TRAN",
        "theme=http://publications.europa.eu/resource/authority/data-theme/TRAN",
        "license=cc-by",
        "format=csv",
        "format=CSV",
    ] {
        assert_eq!(harvest(&bench, &["--include", filter]), 1, "{filter}");
        assert_eq!(harvest(&bench, &["--exclude", filter]), 1, "{filter}");
    }
    assert_eq!(harvest(&bench, &["--modified-since", "2024-05-01"]), 1);
    assert_eq!(harvest(&bench, &["--modified-since", "2024-05-02"]), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_new_filter_hides_is_told_before_it_is_archived() {
    let server = MockServer::start().await;
    let portal = Portal { platform: &CKAN, manner: Manner::Obeys };
    Mock::given(path(CKAN.path)).respond_with(portal).mount(&server).await;
    let bench = Bench::new();
    let (_, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(count(&report, "/records/added"), 4);
    let filter = ["--kind", "ckan", "--exclude", "organization=city"];
    let mut preview = filter.to_vec();
    preview.push("--dry-run");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &preview).await;
    assert_eq!(count(&report, "/records/missing"), 2);
    let note = report["note"].as_str().unwrap_or_default();
    assert!(note.contains("2 records") && note.contains("filters hide"), "{report}");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &filter).await;
    assert_eq!((count(&report, "/records/missing"), count(&report, "/records/archived")), (2, 0));
    assert_eq!(bench.records().len(), 4, "they stay for their days of grace");
    let (_, report, _) = harvest_served(&bench, &server.uri(), &["--kind", "ckan"]).await;
    assert_eq!(count(&report, "/records/restored"), 2, "the filter is gone: {report}");
}

#[test]
fn filters_are_checked_before_anything_is_fetched() {
    let bench = Bench::new();
    for (options, says) in [
        (&["--include", "colour=red"][..], "organization, group, tag"),
        (&["--modified-since", "yesterday"], "2024-03-01"),
        (&["--kind", "dcat", "--where", "x"], "no query of its own"),
    ] {
        let output = bench.harvest_output("http://127.0.0.1:9/catalogue.ttl", options);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(says), "{options:?}: {said}");
    }
}
