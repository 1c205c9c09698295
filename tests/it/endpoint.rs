//! The SPARQL endpoint: the protocol, the limits, earlier states, searches.

use crate::moisson::{Bench, text};
use crate::served::{Served, ask, doubled};

const COUNT: &str = "SELECT (COUNT(*) AS ?n) WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> }";
const DATASETS: &str = "SELECT DISTINCT ?d WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> }";
/// More work than anybody waits for.
const ENDLESS: &str = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }";

fn encoded(query: &str) -> String {
    url::form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let served = Served::sample("");
    let path = format!("/sparql?query={}", encoded(COUNT));
    let first = served.get(&path, &[("accept", "text/csv")]);
    let tag = first.header("etag").to_owned();
    assert!(first.status == 200 && tag.starts_with("W/\""), "{first:?}");
    let again = served.get(&path, &[("accept", "text/csv"), ("if-none-match", &tag)]);
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()));
    let other_form = served.get(&path, &[("accept", "application/json"), ("if-none-match", &tag)]);
    assert_eq!(other_form.status, 200);
    let another = format!("/sparql?query={}", encoded(DATASETS));
    assert_eq!(served.get(&another, &[("accept", "text/csv"), ("if-none-match", &tag)]).status, 200);
    // A POST is not answered by what the client has.
    let posted =
        [("content-type", "application/sparql-query"), ("accept", "text/csv"), ("if-none-match", tag.as_str())];
    assert_eq!(served.ask("POST", "/sparql", &posted, COUNT.as_bytes()).status, 200);
    // What depends on the time has no tag.
    let now = format!("/sparql?query={}", encoded("SELECT (NOW() AS ?now) {}"));
    assert_eq!(served.get(&now, &[]).header("etag"), "");
    let file = served.bench.write(
        "more.ttl",
        "<http://e.example/1> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> \"One\"@en .\n",
    );
    served.bench.harvest(text(&file), &[]);
    let changed = served.get(&path, &[("accept", "text/csv"), ("if-none-match", &tag)]);
    assert!(changed.status == 200 && changed.body != first.body, "{changed:?}");
}

#[test]
fn answers_are_compressed_and_may_be_read_from_other_sites() {
    let served = Served::sample("");
    let path = format!("/sparql?query={}", encoded(DATASETS));
    let plain = served.get(&path, &[("accept", "text/csv"), ("origin", "https://elsewhere.example")]);
    assert_eq!(plain.header("access-control-allow-origin"), "*");
    for coding in ["gzip", "br", "zstd"] {
        let packed = served.get(&path, &[("accept", "text/csv"), ("accept-encoding", coding)]);
        assert_eq!((packed.status, packed.header("content-encoding")), (200, coding));
        assert!(packed.body.len() < plain.body.len(), "{coding}");
    }
    let asked = [
        ("origin", "https://elsewhere.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let before = served.ask("OPTIONS", "/sparql", &asked, b"");
    assert!(before.status == 200 && before.header("access-control-allow-methods").contains("POST"), "{before:?}");
    let head = served.ask("HEAD", &path, &[("accept", "text/csv")], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn each_limit_is_told_and_the_next_query_is_not_touched() {
    let served =
        Served::sample("[service.queries]\nseconds = 2\nmemory_mb = 150\nrows = 50\nbytes_mb = 1\nworkers = 2\n");
    let late = served.query(ENDLESS, "text/csv");
    assert!(late.status == 503 && late.text().contains("within 2 s"), "{}", late.text());
    assert_eq!(served.rows(COUNT).len(), 1);
    let rows = served.query("SELECT * WHERE { ?s ?p ?o }", "text/csv");
    assert!(rows.status == 413 && rows.text().contains("more than 50 rows"), "{}", rows.text());
    let long = format!("SELECT (?x18 AS ?long) WHERE {{ {} }}", doubled(18));
    let bytes = served.query(&long, "text/csv");
    assert!(bytes.status == 413 && bytes.text().contains("longer than 1 MB"), "{}", bytes.text());
    let large = format!("SELECT (STRLEN(?x26) AS ?n) WHERE {{ {} }}", doubled(26));
    let memory = served.query(&large, "text/csv");
    assert!(memory.status == 503 && memory.text().contains("150 MB of memory"), "{}", memory.text());
    assert_eq!(served.rows(COUNT).len(), 1);
}

#[test]
fn earlier_states_are_asked_by_time_and_by_job() {
    let bench = Bench::new();
    let dataset = |number: u32| {
        format!(
            "<http://e.example/{number}> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> \"{number}\"@en .\n"
        )
    };
    let file = bench.write("few.ttl", &dataset(1));
    let first = bench.harvest(text(&file), &[]);
    let between = jiff::Timestamp::now().to_string();
    bench.write("few.ttl", &format!("{}{}", dataset(1), dataset(2)));
    bench.harvest(text(&file), &[]);
    let served = Served::over(bench, "");
    let ask = |as_of: &str| {
        let path = format!("/sparql?query={}&as-of={}", encoded(DATASETS), encoded(as_of));
        served.get(&path, &[("accept", "text/csv")])
    };
    let count = |as_of: &str| ask(as_of).text().lines().count() - 1;
    assert_eq!(served.rows(DATASETS).len(), 2);
    assert_eq!(count(&between), 1);
    assert_eq!(count(first["job"].as_str().expect("a job")), 1);
    assert_eq!(count(&jiff::Timestamp::now().to_string()), 2);
    let unknown = ask("1999-12-31");
    assert!(
        unknown.status == 404 && unknown.text().contains(first["job"].as_str().expect("a job")),
        "{unknown:?}"
    );
    let described = served.get("/sparql", &[("accept", "text/turtle")]).text();
    assert!(described.contains(&format!("as-of={}", first["job"].as_str().expect("a job"))), "{described}");
}

#[test]
fn the_description_and_the_statistics_are_true() {
    let served = Served::sample("");
    let service = served.get("/sparql", &[("accept", "text/turtle")]);
    assert!(service.text().contains("UnionDefaultGraph"), "{}", service.text());
    assert_eq!(served.get("/sparql", &[("accept", "text/html")]).status, 303);
    let void = served.get("/void", &[("accept", "application/n-triples")]);
    assert_eq!(void.status, 200, "{}", void.text());
    let text = void.text();
    let said = |property: &str| {
        let line = text.lines().find(|line| line.contains(&format!("/void#{property}>"))).expect(property);
        line.split('"').nth(1).expect("a number").to_owned()
    };
    assert_eq!(
        [said("triples")].to_vec(),
        served.rows("SELECT (COUNT(*) AS ?n) WHERE { SELECT DISTINCT ?s ?p ?o WHERE { ?s ?p ?o } }")
    );
    assert_eq!([said("classes")].to_vec(), served.rows("SELECT (COUNT(DISTINCT ?c) AS ?n) WHERE { ?s a ?c }"));
    let tag = void.header("etag").to_owned();
    let again = served.get("/void", &[("accept", "application/n-triples"), ("if-none-match", &tag)]);
    assert_eq!(again.status, 304);
}

#[test]
fn graphs_are_read_by_the_graph_store_protocol() {
    let served = Served::sample("");
    let graph = served.rows(
        "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?d a <http://www.w3.org/ns/dcat#Dataset> } } ORDER BY ?g LIMIT 1",
    );
    let path = format!("/rdf-graph-store?graph={}", encoded(&graph[0]));
    let triples = served.get(&path, &[("accept", "application/n-triples")]);
    let count = served.rows(&format!("SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{}> {{ ?s ?p ?o }} }}", graph[0]));
    assert_eq!((triples.status, triples.text().lines().count().to_string()), (200, count[0].clone()));
    let whole = served.get("/rdf-graph-store?default", &[("accept", "text/turtle")]);
    assert!(whole.status == 200 && whole.body.len() > triples.body.len());
    assert_eq!(served.get("/rdf-graph-store?graph=http://e.example/none", &[]).status, 404);
    assert_eq!(served.get("/rdf-graph-store", &[]).status, 400);
    assert_eq!(served.ask("HEAD", &path, &[], b"").status, 200);
    for method in ["PUT", "POST", "DELETE", "PATCH"] {
        assert_eq!(served.ask(method, &path, &[], b"").status, 405, "{method}");
    }
}

#[test]
fn words_and_places_are_searched() {
    let served = Served::sample("");
    let search = "PREFIX m: <https://moisson.dev/ns#> PREFIX dct: <http://purl.org/dc/terms/> \
                  SELECT ?d ?t WHERE { ?d dct:title ?t FILTER(m:search(?d, \"WORDS\")) } ORDER BY DESC(m:score(?d, \"WORDS\"))";
    let words = |words: &str| served.query(&search.replace("WORDS", words), "text/csv");
    served.until("the index is made", |_| words("x").status == 200);
    let titles = served.rows("SELECT ?t WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> ?t FILTER(STRLEN(?t) > 12) } ORDER BY ?t LIMIT 1");
    let word =
        titles[0].split([' ', ',', '"', '\'', '’']).max_by_key(|word| word.len()).expect("a word").to_uppercase();
    let found = words(&word).text();
    assert!(found.contains(&titles[0]), "{word}: {found}");
    let near = "PREFIX geof: <http://www.opengis.net/def/function/geosparql/> \
                PREFIX geo: <http://www.opengis.net/ont/geosparql#> \
                SELECT (geof:sfWithin(\"POINT(1 1)\"^^geo:wktLiteral, \"POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))\"^^geo:wktLiteral) AS ?within) {}";
    assert_eq!(served.rows(near), ["true"]);
    let then = format!("/sparql?query={}&as-of={}", encoded(search), encoded("2999-01-01"));
    assert_eq!(served.get(&then, &[]).status, 200, "the newest state has an index");
}

#[test]
fn named_services_may_be_called_and_no_others() {
    let other = Served::sample("");
    let service = format!("http://{}/sparql", other.address);
    let bench = Bench::new();
    let file = bench.write("one.ttl", "<http://e.example/1> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> \"One\"@en .\n");
    bench.harvest(text(&file), &[]);
    let served = Served::over(bench, &format!("[service.queries]\nservices = [\"{service}\"]\n"));
    let there = other.rows(DATASETS).len();
    let asked = format!(
        "SELECT ?d WHERE {{ SERVICE <{service}> {{ SELECT DISTINCT ?d {{ ?d a <http://www.w3.org/ns/dcat#Dataset> }} }} }}"
    );
    assert_eq!(served.rows(&asked).len(), there);
    let elsewhere = asked.replace("/sparql>", "/other>");
    assert_eq!(served.query(&elsewhere, "text/csv").status, 403);
    assert_eq!(other.query(&asked, "text/csv").status, 403);
}

#[test]
fn one_clients_queries_leave_room_for_others() {
    let served = Served::sample("[service.queries]\nseconds = 3\nworkers = 4\nwaiting = 20\n");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let greedy: Vec<_> = (0..30)
            .map(|_| {
                scope.spawn(|| {
                    crate::served::ask_as([127, 0, 0, 2], &served.address, ENDLESS)
                        .map_or(0, |answer| answer.status)
                })
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(500));
        for _ in 0..20 {
            let start = std::time::Instant::now();
            assert_eq!(served.rows(COUNT).len(), 1);
            assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
        }
        greedy.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    assert!(statuses.contains(&429) && statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 429 | 503)), "{statuses:?}");
}

#[test]
fn the_query_page_works_without_script_too() {
    let served = Served::sample("");
    let page = served.get("/query?example=datasets-by-theme&lang=fr", &[("accept", "text/html")]);
    assert!(
        page.status == 200 && page.text().contains("<textarea") && page.text().contains("lang=\"fr\""),
        "{}",
        page.text()
    );
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    let examples = served.get("/query/examples.json", &[]).json();
    for example in examples.as_array().expect("a list") {
        assert!(
            example["title"]["fr"] != example["title"]["en"] && example["title"]["fr"] != example["id"],
            "{example}"
        );
    }
    let terms = served.get("/query/terms.json", &[]).json();
    assert!(
        terms["classes"].as_array().is_some_and(|all| all.contains(&"http://www.w3.org/ns/dcat#Dataset".into()))
    );
    let form = format!("/sparql?query={}&format=csv", encoded(COUNT));
    let answer = served.get(&form, &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv"));
    let answer = ask(&served.address, "GET", "/query/nothing.js", &[], b"").expect("an answer");
    assert_eq!(answer.status, 404);
}

#[test]
fn clients_of_the_web_are_understood_at_the_door() {
    let served = Served::sample("");
    let count = |more: &str| {
        let query = "SELECT%20(COUNT(*)%20AS%20%3Fn)%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D";
        let answer = served.get(&format!("/sparql?query={query}{more}"), &[("accept", "text/csv")]);
        assert_eq!(answer.status, 200, "{more}: {}", answer.text());
        answer.text()
    };
    // A form sends the fields that were left empty.
    assert_eq!(count("&default-graph-uri=&named-graph-uri="), count(""));
    let describe = "/sparql?query=DESCRIBE%20%3Fd%20%7B%20%3Fd%20a%20%3Chttp%3A%2F%2Fwww.w3.org%2Fns%2Fdcat%23Dataset%3E%20%7D";
    for accept in ["application/x-turtle", "text/n3", "application/json"] {
        let answer = served.get(describe, &[("accept", accept)]);
        assert_eq!((answer.status, answer.header("content-type")), (200, accept), "{}", answer.text());
        assert!(answer.text().contains("Dataset"), "{accept}");
    }
    // Browsers ask before they send a token.
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let preflight = served.ask("OPTIONS", "/api/1/datasets/", &asked, b"");
    assert!(preflight.header("access-control-allow-headers").contains("authorization"), "{preflight:?}");
}
