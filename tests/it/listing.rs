//! The list of records: each filter gives the records that show what was asked for, and no others.

use crate::moisson::{Bench, text};
use crate::serving::Serving;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn serving() -> (Bench, Serving) {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    bench.harvest(text(&sample), &["--source", "sample"]);
    let serving = Serving::start(&bench, &["--read-only"]);
    (bench, serving)
}

fn titles(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["title"].as_str()).collect()
}

fn listed(serving: &Serving, query: &[(&str, &str)]) -> Vec<Value> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let page = serving.get(&format!("/api/1/datasets/?page_size=100&{query}"));
    page["data"].as_array().cloned().unwrap_or_else(|| panic!("{query}: {page}"))
}

#[test]
fn filters_give_the_records_that_show_what_was_asked_for() {
    let (_bench, serving) = serving();
    let all = listed(&serving, &[]);
    assert_eq!(all.len(), 24);
    let texts = |value: &Value| -> Vec<String> {
        let values = value.as_array().map_or_else(|| vec![value.clone()], Clone::clone);
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let of_record = |name: &str, record: &Value| match name {
        "tag" => texts(&record["tags"]),
        "license" => texts(&record["license"]),
        "organization" => texts(&record["organization"]["id"]),
        _ => record["resources"].as_array().into_iter().flatten().flat_map(|one| texts(&one["format"])).collect(),
    };
    for name in ["tag", "license", "format", "organization"] {
        let values: BTreeSet<String> = all.iter().flat_map(|record| of_record(name, record)).collect();
        assert!(!values.is_empty(), "{name}");
        for value in values {
            let fitting: Vec<Value> =
                all.iter().filter(|record| of_record(name, record).contains(&value)).cloned().collect();
            let found = listed(&serving, &[(name, &value)]);
            assert_eq!(titles(&found), titles(&fitting), "{name}={value}");
        }
    }
    assert_eq!(listed(&serving, &[("source", "sample")]).len(), 24);
    assert_eq!(titles(&listed(&serving, &[("tag", "villeneuve"), ("q", "BUDGET ville")])), ["Budget primitif"]);
    assert_eq!(listed(&serving, &[("q", "nowhere to be found")]).len(), 0);
    // A dataset is found by what its source calls it, by its own IRI, by its address here.
    let one = &all[0];
    let (id, uri, remote_id) = (&one["id"], &one["uri"], &one["remote_id"]);
    for (name, value) in [("uri", uri), ("remote_id", remote_id)] {
        let found = listed(&serving, &[(name, value.as_str().expect("a text"))]);
        assert_eq!(found.iter().map(|record| &record["id"]).collect::<Vec<_>>(), [id], "{name}={value}");
    }
    for name in [id, uri, remote_id] {
        let name: String =
            url::form_urlencoded::byte_serialize(name.as_str().expect("a text").as_bytes()).collect();
        assert_eq!(&serving.get(&format!("/api/1/datasets/{name}/"))["id"], id);
    }
    // Who filters by what there is not would take the whole list for the answer.
    let unknown = serving.ask("GET", "/api/1/datasets/?colour=blue", None, None);
    assert!(unknown.0 == 400 && unknown.1["detail"].to_string().contains("colour"), "{}", unknown.1);
    // udata's orders that nothing has here are taken, and others refused.
    assert_eq!(listed(&serving, &[("sort", "-views")]).len(), 24);
    let refused = serving.ask("GET", "/api/1/datasets/?sort=colour", None, None);
    assert!(refused.0 == 400 && refused.1["errors"]["sort"].is_string(), "{}", refused.1);
}

#[test]
fn a_list_is_in_the_order_that_is_asked_for_and_its_pages_keep_what_was_asked() {
    let (_bench, serving) = serving();
    let by = |sort: &str| listed(&serving, &[("sort", sort)]);
    let dates = |records: &[Value], name: &str| -> Vec<String> {
        records.iter().filter_map(|record| record[name].as_str().map(str::to_owned)).collect()
    };
    let rising = dates(&by("created"), "created_at");
    assert!(rising.len() > 20 && rising.is_sorted(), "{rising:?}");
    let mut falling = dates(&by("-created"), "created_at");
    falling.reverse();
    assert_eq!(falling, rising);
    assert!(by("-created").last().is_some_and(|record| record["created_at"].is_null()), "undated ones come last");
    assert!(dates(&by("last_update"), "modified_at").is_sorted());
    let by_title = by("title");
    let lower: Vec<String> = titles(&by_title).iter().map(|title| title.to_lowercase()).collect();
    assert!(lower.is_sorted(), "{lower:?}");
    let first = serving.get("/api/1/datasets/?tag=villeneuve&sort=title&page_size=5");
    let next = first["next_page"].as_str().expect("a next page");
    assert!(next.contains("tag=villeneuve") && next.contains("sort=title"), "{next}");
    let second =
        serving.get(next.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).as_deref().unwrap_or(""));
    let (first, second) = (first["data"].as_array().cloned(), second["data"].as_array().cloned());
    let both: Vec<Value> = first.into_iter().chain(second).flatten().collect();
    let tagged: Vec<Value> = listed(&serving, &[("tag", "villeneuve"), ("sort", "title")]);
    assert_eq!(titles(&both), titles(&tagged[..10]));
}
