//! The feeds: filters, pages that stay on their state, what left and what changed, dumps, and what search engines read.

use crate::moisson::{Bench, count, text};
use crate::served::Served;
use oxrdf::{Quad, Term};
use oxrdfio::{RdfFormat, RdfParser};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const DATASET: &str = "http://www.w3.org/ns/dcat#dataset";

fn dataset(number: u32, title: &str) -> String {
    format!(
        "<http://e.example/{number}> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/identifier> \"{number}\" ; \
         <http://purl.org/dc/terms/title> \"{title}\"@en .\n"
    )
}

fn quads(body: &[u8], format: RdfFormat) -> Vec<Quad> {
    let parser =
        RdfParser::from_format(format).with_base_iri("http://127.0.0.1:8080/").expect("an IRI").for_slice(body);
    parser.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

/// The syntaxes of feeds, with the endings of their addresses.
const SYNTAXES: [(&str, RdfFormat); 6] = [
    ("ttl", RdfFormat::Turtle),
    ("rdf", RdfFormat::RdfXml),
    ("jsonld", RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() }),
    ("nt", RdfFormat::NTriples),
    ("trig", RdfFormat::TriG),
    ("nq", RdfFormat::NQuads),
];

/// The datasets of a feed's pages in N-Triples, and how many pages there were.
fn walk(served: &Served, first: &str) -> (BTreeSet<String>, usize) {
    walk_in(served, first, RdfFormat::NTriples)
}

/// The datasets of a feed's pages, and how many pages there were.
fn walk_in(served: &Served, first: &str, format: RdfFormat) -> (BTreeSet<String>, usize) {
    let (mut found, mut pages, mut path) = (BTreeSet::new(), 0, first.to_owned());
    loop {
        let page = served.get(&path, &[]);
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let quads = quads(&page.body, format);
        let objects = |property: &str| {
            let of = quads.iter().filter(|quad| quad.predicate.as_str() == property);
            of.map(|quad| quad.object.to_string().trim_matches(['<', '>']).to_owned()).collect::<Vec<_>>()
        };
        found.extend(objects(DATASET));
        pages += 1;
        let next = objects("http://www.w3.org/ns/hydra/core#next");
        let Some(next) = next.first() else { return (found, pages) };
        path = next.replacen("http://127.0.0.1:8080", "", 1);
    }
}

/// The kinds of a page's events, sorted.
fn kinds(events: &[Quad]) -> Vec<String> {
    let classes = events.iter().filter(|quad| quad.predicate.as_str().ends_with("#type"));
    let mut kinds: Vec<String> = classes
        .filter_map(|quad| {
            let (vocabulary, kind) =
                quad.object.to_string().rsplit_once('#').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            vocabulary.contains("activitystreams").then(|| kind.trim_end_matches('>').to_owned())
        })
        .collect();
    kinds.sort();
    kinds
}

#[test]
fn filters_choose_what_the_endpoint_finds() {
    let served = Served::sample("");
    let whole = walk(&served, "/catalog.nt?page_size=7").0;
    let asked = |body: &str| -> BTreeSet<String> {
        let prefixes = "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> PREFIX a: <http://data.europa.eu/r5r/>";
        let query = format!(
            "{prefixes} SELECT DISTINCT ?d WHERE {{ ?d a ?c {body} VALUES ?c {{ dcat:Dataset dcat:DatasetSeries }} }}"
        );
        served.rows(&query).into_iter().collect()
    };
    assert_eq!(whole, asked(""));
    for (filter, body) in [
        ("hvd=true", ". ?d a:hvdCategory ?h"),
        ("theme=ENVI", ". ?d dcat:theme <http://publications.europa.eu/resource/authority/data-theme/ENVI>"),
        ("modified_since=2999-01-01", ". FILTER(false)"),
        ("modified_since=2020-01-01", ""),
        ("source=sample", ""),
    ] {
        let found = walk(&served, &format!("/catalog.nt?page_size=7&{filter}")).0;
        assert_eq!(found, asked(body), "{filter}");
        let is_part = !found.is_empty() && found.len() < whole.len();
        assert!(is_part || !matches!(filter, "hvd=true" | "theme=ENVI"), "{filter} shows nothing: {found:?}");
    }
    assert_eq!(walk(&served, "/source/sample/catalog.nt").0, whole);
    let somewhere = walk(&served, "/catalog.nt?area=-10,40,10,55").0;
    let nowhere = walk(&served, "/catalog.nt?area=100,-60,110,-50").0;
    assert!(
        !somewhere.is_empty() && somewhere.len() < whole.len() && nowhere.is_empty(),
        "{somewhere:?} {nowhere:?}"
    );
    for wrong in [
        "/catalog.nt?area=10,10,5,5",
        "/catalog.nt?after=x",
        "/catalog.nt?modified_since=x",
        "/catalog.nt?source=none",
    ] {
        assert_eq!(served.get(wrong, &[]).status, 400, "{wrong}");
    }
    assert_eq!(served.get("/source/none/catalog.ttl", &[]).status, 404);
    assert_eq!(served.get("/catalog.html", &[]).status, 404);
}

#[test]
fn an_organizations_feed_has_its_records() {
    let served = Served::sample("");
    let list = served.get("/api/1/datasets/?page_size=100", &[]).json();
    let organization =
        list["data"].as_array().expect("a list").iter().find_map(|one| one["organization"]["id"].as_str());
    let id = organization.expect("a publisher").to_owned();
    let total = served.get(&format!("/api/1/datasets/?organization={id}"), &[]).json()["total"].as_u64();
    let feed = served.get(&format!("/organization/{id}/catalog.nt"), &[]);
    let records = feed.text().matches("<http://www.w3.org/ns/dcat#record>").count();
    assert!(total == Some(records as u64) && records > 0, "{total:?} {records}");
    // What a client makes up is no statement of ours.
    let made_up = "/organization/x%3E%20a%20%3Chttp%3A%2F%2Fe.example%2Fevil%3E%20.%20%3Cy/catalog.ttl";
    let answer = served.get(made_up, &[]);
    assert_eq!(answer.status, 200);
    let types: Vec<String> =
        quads(&answer.body, RdfFormat::Turtle).iter().map(|quad| quad.object.to_string()).collect();
    assert!(!types.contains(&"<http://e.example/evil>".to_owned()), "{types:?}");
}

#[test]
fn every_feed_is_followed_to_its_last_page_in_every_syntax() {
    let bench = Bench::new();
    let of = |numbers: std::ops::Range<u32>| -> String {
        numbers
            .map(|number| {
                dataset(number, "T").replace(
                    " .\n",
                    " ; <http://purl.org/dc/terms/publisher> [ a <http://xmlns.com/foaf/0.1/Agent> ; <http://xmlns.com/foaf/0.1/name> \"Ville\" ] ; \
                     <http://www.w3.org/ns/dcat#keyword> \"eau\"@fr .\n",
                )
            })
            .collect()
    };
    for (source, numbers) in [("one", 0..7), ("two", 7..12)] {
        let path = bench.write(&format!("{source}.ttl"), &of(numbers));
        bench.harvest(text(&path), &["--source", source]);
    }
    let served = Served::over(bench, "");
    let datasets = |numbers: std::ops::Range<u32>| -> BTreeSet<String> {
        numbers.map(|number| format!("http://e.example/{number}")).collect()
    };
    let list = served.get("/api/1/datasets/", &[]).json();
    let organization = list["data"][0]["organization"]["id"].as_str().expect("an organization").to_owned();
    let feeds = [
        ("/catalog".to_owned(), "", datasets(0..12)),
        ("/source/one/catalog".to_owned(), "", datasets(0..7)),
        ("/source/two/catalog".to_owned(), "", datasets(7..12)),
        ("/source/one/catalog".to_owned(), "&tag=eau", datasets(0..7)),
        ("/catalog".to_owned(), "&source=two", datasets(7..12)),
        (format!("/organization/{organization}/catalog"), "", datasets(0..12)),
    ];
    for (path, filter, expected) in feeds {
        for (ending, format) in SYNTAXES {
            let first = format!("{path}.{ending}?page_size=2{filter}");
            let (found, pages) = walk_in(&served, &first, format);
            assert_eq!((found, pages), (expected.clone(), expected.len().div_ceil(2)), "{first}");
        }
    }
}

#[test]
fn all_syntaxes_say_the_same() {
    let served = Served::sample("");
    let mut counts = BTreeSet::new();
    for (ending, format) in [
        ("ttl", RdfFormat::Turtle),
        ("rdf", RdfFormat::RdfXml),
        ("nt", RdfFormat::NTriples),
        ("trig", RdfFormat::TriG),
        ("jsonld", RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() }),
    ] {
        let page = served.get(&format!("/catalog.{ending}"), &[]);
        let triples: BTreeSet<String> = quads(&page.body, format)
            .into_iter()
            .filter(|quad| {
                !quad.predicate.as_str().contains("hydra") && !quad.object.to_string().contains("hydra")
            })
            .map(|quad| format!("{} {} {}", quad.subject, quad.predicate, quad.object))
            .collect();
        counts.insert((triples.len(), served.get("/catalog", &[("accept", format.media_type())]).status));
    }
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn a_reader_ends_on_the_state_that_he_started_on() {
    let bench = Bench::new();
    let all = |title: &str| (1..=30).map(|number| dataset(number, title)).collect::<String>();
    let file = bench.write("many.ttl", &all("before"));
    bench.harvest(text(&file), &[]);
    let served = Served::over(bench, "[service.snapshots]\nbehind = 0\ndays = 0\n");
    let mut path = "/catalog.nt?page_size=10".to_owned();
    let mut seen = String::new();
    for turn in 0..3 {
        let page = served.get(&path, &[]);
        assert_eq!(page.status, 200, "{}", page.text());
        seen.push_str(&page.text());
        if turn < 2 {
            let body = page.text();
            let next =
                body.lines().find_map(|line| line.split("core#next> <").nth(1)?.split('>').next()).expect("more");
            path = next.replacen("http://127.0.0.1:8080", "", 1);
        }
        served.bench.write("many.ttl", &all(&format!("after {turn}")));
        served.bench.harvest(text(&file), &[]);
    }
    assert_eq!((seen.matches("\"before\"").count(), seen.matches("\"after").count()), (30, 0));
    assert!(served.get("/catalog.nt", &[]).text().contains("after 2"));
    assert_eq!(served.get("/catalog.nt?snapshot=99&after=00000000-0000-0000-0000-000000000000", &[]).status, 410);
}

#[test]
fn what_left_and_what_changed_is_told() {
    let bench = Bench::new();
    let file = bench.write("few.ttl", &format!("{}{}", dataset(1, "One"), dataset(2, "Two")));
    bench.write("moisson.toml", "grace_days = 0\nremoval_percent = 60\n");
    bench.harvest(text(&file), &[]);
    bench.write("few.ttl", &dataset(1, "First"));
    bench.harvest(text(&file), &[]);
    let served = Served::over(bench, "grace_days = 0\nremoval_percent = 60\n");
    let gone = quads(&served.get("/catalog/tombstones.ttl", &[]).body, RdfFormat::Turtle);
    let about = |ending: &str| gone.iter().filter(|quad| quad.predicate.as_str().ends_with(ending)).count();
    assert_eq!((about("primaryTopic"), about("#deleted")), (1, 1));
    assert!(!served.get("/catalog.ttl", &[]).text().contains("Two"));

    let root = served.get("/ldes", &[("accept", "application/n-quads")]);
    assert!(root.status == 200 && root.text().contains("/ldes/1>"), "{}", root.text());
    let page = served.get("/ldes/1", &[("accept", "application/n-quads")]);
    let events = quads(&page.body, RdfFormat::NQuads);
    assert_eq!(kinds(&events), ["Create", "Create", "Delete", "Update"]);
    let titles: BTreeSet<String> = events
        .iter()
        .filter(|quad| quad.predicate.as_str().ends_with("/title") && !quad.graph_name.is_default_graph())
        .filter_map(|quad| match &quad.object {
            Term::Literal(title) => Some(title.value().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(titles, ["First", "One", "Two"].map(str::to_owned).into());
    assert_eq!(page.header("cache-control"), "public, max-age=60");
    let tag = page.header("etag").to_owned();
    assert_eq!(served.get("/ldes/1", &[("accept", "application/n-quads"), ("if-none-match", &tag)]).status, 304);
    assert_eq!((served.get("/ldes/2", &[]).status, served.get("/event/1", &[]).status), (404, 200));
    assert_eq!(served.get("/ldes", &[("accept", "text/turtle")]).status, 406);

    let atom = served.get("/feed.atom", &[]).text();
    assert!(atom.contains("<title>First</title>") && atom.contains("<at:deleted-entry"), "{atom}");
    let mut reader = quick_xml::Reader::from_str(&atom);
    while !matches!(reader.read_event().expect("well-formed XML"), quick_xml::events::Event::Eof) {}
}

#[test]
fn a_record_that_was_renamed_changed_and_no_other() {
    let bench = Bench::new();
    // Addresses tell that it is the same.
    let addresses = "<http://e.example/2> <http://www.w3.org/ns/dcat#distribution> <http://e.example/2/file> .\n\
                     <http://e.example/2/file> <http://www.w3.org/ns/dcat#accessURL> <http://e.example/2.csv> .\n";
    let both = format!("{}{}{addresses}", dataset(1, "One"), dataset(2, "Two"));
    let file = bench.write("few.ttl", &both);
    bench.harvest(text(&file), &[]);
    bench.write("few.ttl", &both.replace("\"2\"", "\"two\""));
    assert_eq!(count(&bench.harvest(text(&file), &[]), "/records/renamed"), 1);
    // The server reads out of the store what it was not told of.
    let served = Served::over(bench, "");
    let page = served.get("/ldes/1", &[("accept", "application/n-quads")]);
    assert_eq!(kinds(&quads(&page.body, RdfFormat::NQuads)), ["Create", "Create", "Update"]);
}

#[test]
fn full_pages_of_changes_never_change() {
    let bench = Bench::new();
    let all = |title: &str| (1..=260).map(|number| dataset(number, title)).collect::<String>();
    let file = bench.write("many.ttl", &all("one"));
    bench.harvest(text(&file), &[]);
    let served = Served::over(bench, "");
    let page = |number: u32| served.get(&format!("/ldes/{number}"), &[("accept", "application/n-quads")]);
    let (first, second) = (page(1), page(2));
    assert_eq!(first.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(first.text().contains("ldes#immutable") && !second.text().contains("ldes#immutable"));
    served.bench.write("many.ttl", &all("two"));
    served.bench.harvest(text(&file), &[]);
    // The states that it shows are in the history now.
    assert_eq!(page(1).text(), first.text());
    assert!(page(2).body.len() > second.body.len());
}

#[test]
fn a_dump_is_whole_and_can_be_had_in_parts() {
    let served = Served::sample("");
    let newest = served.get("/dump/catalog.nq.zst", &[]);
    let path = newest.header("content-location").to_owned();
    assert!(newest.status == 200 && path.starts_with("/dump/"), "{newest:?}");
    let dump = served.get(&path, &[]);
    assert!(newest.body == dump.body && newest.header("cache-control") == "no-cache");
    let sum = served.get(&format!("{path}.sha256"), &[]).text();
    let hash = moisson::catalog::hex(&Sha256::digest(&dump.body));
    assert_eq!(sum.split_whitespace().next(), Some(hash.as_str()));
    let text = zstd::decode_all(&dump.body[..]).expect("zstd");
    let count = served.rows("SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }");
    assert_eq!(quads(&text, RdfFormat::NQuads).len().to_string(), count[0]);
    let tag = dump.header("etag").to_owned();
    assert_eq!(served.get(&path, &[("if-none-match", &tag)]).status, 304);
    let part = served.get(&path, &[("range", "bytes=10-29")]);
    assert_eq!((part.status, &part.body[..]), (206, &dump.body[10..30]));
    let turtle = served.get("/dump/catalog.ttl.gz", &[]);
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&turtle.body[..]), &mut text).expect("gzip");
    // The Turtle is the merge of all graphs, as the default graph of queries is.
    let merged: BTreeSet<String> = quads(&text, RdfFormat::Turtle).iter().map(ToString::to_string).collect();
    let count = served.rows("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }");
    assert!(merged.len() > 500 && merged.len().to_string() == count[0], "{} {count:?}", merged.len());
    assert_eq!(served.get("/dump/catalog.zip", &[]).status, 404);
    assert_eq!(served.get("/dump/99/catalog.nq.zst", &[]).status, 410);
}

#[test]
fn search_engines_and_machines_find_what_they_read() {
    let served = Served::sample("");
    let records = served.bench.records();
    let mut with_files = 0;
    for record in &records {
        let address = format!("/dataset/{}", record["id"].as_str().expect("a key"));
        let page = served.get(&address, &[("accept", "text/html")]);
        let links = page.header("link").to_owned();
        assert!(links.contains("rel=\"cite-as\"") && links.contains("rel=\"describedby\""), "{links}");
        let body = page.text();
        let script = body
            .split("<script type=\"application/ld+json\">")
            .nth(1)
            .and_then(|rest| rest.split("</script>").next());
        let told: Value = serde_json::from_str(script.expect("a script")).expect("JSON");
        assert_eq!(told["@context"], "https://schema.org/");
        assert_eq!(told["name"], record["title"], "{told}");
        assert!(
            told["url"].as_str().is_some_and(|url| url.ends_with(&address)) || told["@type"] == "WebAPI",
            "{told}"
        );
        assert_eq!(served.get(&format!("{address}/schema.jsonld"), &[]).json(), told);
        let croissant = served.get(&format!("{address}/croissant.jsonld"), &[]);
        assert_eq!(croissant.status == 200, links.contains("croissant"), "{}", croissant.text());
        if croissant.status == 200 {
            with_files += 1;
            let told = croissant.json();
            assert_eq!(
                (told["@type"].as_str(), told["conformsTo"].as_str()),
                (Some("sc:Dataset"), Some("http://mlcommons.org/croissant/1.0"))
            );
        }
    }
    assert!(with_files > 5, "{with_files}");
    let index = served.get("/sitemap.xml", &[]).text();
    assert!(index.contains("/sitemaps/1</loc>"), "{index}");
    let map = served.get("/sitemaps/1", &[]).text();
    assert_eq!(map.matches("<url>").count(), records.len());
    assert!(served.get("/robots.txt", &[]).text().contains("Sitemap: "));
}

#[test]
fn exports_say_what_feeds_say() {
    let served = Served::sample("");
    let exported = served.bench.run(&["export", "--format", "ntriples"]).stdout;
    let exported: BTreeSet<String> = String::from_utf8_lossy(&exported).lines().map(ToOwned::to_owned).collect();
    let mut told = BTreeSet::new();
    let mut address = "/catalog.nt?page_size=9".to_owned();
    loop {
        let page = served.get(&address, &[]).text();
        told.extend(page.lines().map(ToOwned::to_owned));
        let next = page.lines().find_map(|line| line.split_once("hydra/core#next> <")?.1.split_once('>'));
        let Some((next, _)) = next else { break };
        address = next[next.find("/catalog.nt").expect("the feed's address")..].to_owned();
    }
    let missing: Vec<&String> = exported.difference(&told).collect();
    assert!(exported.len() > 500 && missing.is_empty(), "{} of {}: {missing:?}", missing.len(), exported.len());
}

#[test]
fn what_a_client_has_already_is_not_sent_again() {
    let served = Served::sample("");
    let record = served.get("/api/1/datasets/?page_size=1", &[]).json()["data"][0]["id"]
        .as_str()
        .expect("a key")
        .to_owned();
    for path in [
        "/api/1/datasets/".to_owned(),
        format!("/api/1/datasets/{record}/"),
        format!("/dataset/{record}"),
        "/feed.atom".to_owned(),
        "/catalog.ttl".to_owned(),
    ] {
        let first = served.get(&path, &[]);
        let tag = first.header("etag").to_owned();
        assert!(first.status == 200 && !tag.is_empty(), "{path} has no tag");
        let again = served.get(&path, &[("If-None-Match", &tag)]);
        assert!(again.status == 304 && again.body.is_empty(), "{path}: {}", again.status);
        let other = served.get(&path, &[("If-None-Match", "\"another\"")]);
        assert_eq!(other.status, 200, "{path}");
    }
}
