//! Readers while harvests run: no answer, and no walk through the pages of a feed, mixes two states.

use crate::moisson::{Bench, text};
use crate::served::{Served, ask, ask_as};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const GENERATIONS: usize = 4;

/// How many datasets, and how many clients: more where there is time.
fn scale(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// A catalogue whose every record says in which generation it was written.
fn catalogue(datasets: usize, generation: usize) -> String {
    let mut turtle =
        String::from("@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n");
    for number in 0..datasets {
        let _ = writeln!(
            turtle,
            "<http://e.example/{number}> a dcat:Dataset ; dct:identifier \"{number}\" ; \
             dct:title \"Dataset {number}\"@en ; dcat:version \"generation-{generation}\" ."
        );
    }
    turtle
}

fn generations(text: &str) -> BTreeSet<String> {
    text.split("generation-").skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect()).collect()
}

/// Walks through a feed to its end; the generations seen, and the number of records.
fn walk(address: &str) -> Option<(BTreeSet<String>, usize)> {
    let mut path = "/catalog.nt?page_size=50".to_owned();
    let (mut seen, mut records) = (BTreeSet::new(), 0);
    loop {
        let answer = ask(address, "GET", &path, &[], b"").ok()?;
        if answer.status == 410 {
            return None;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.text();
        seen.append(&mut generations(&body));
        records += body.matches("<http://www.w3.org/ns/dcat#dataset>").count();
        let next = body.lines().find_map(|line| line.split("hydra/core#next> <").nth(1)?.split('>').next());
        let Some(next) = next else { return Some((seen, records)) };
        path = format!("/{}", next.splitn(4, '/').nth(3)?);
    }
}

#[test]
fn no_answer_mixes_two_states() {
    let (datasets, clients) = (scale("MOISSON_GENERATION_DATASETS", 300), scale("MOISSON_GENERATION_CLIENTS", 12));
    let bench = Bench::new();
    let file = bench.write("generations.ttl", &catalogue(datasets, 0));
    bench.harvest(text(&file), &[]);
    // The store is harvested from beside the server, which then must not have it to merge its files.
    let settings =
        "[service]\nrequests_a_minute = 0\ncompact_above = 0\n[service.snapshots]\nbehind = 0\ndays = 0\n";
    let served = Served::over(bench, settings);
    let (is_over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let query = "SELECT (GROUP_CONCAT(DISTINCT ?v) AS ?all) (COUNT(?v) AS ?n) WHERE { ?d <http://www.w3.org/ns/dcat#version> ?v }";
    let seen: BTreeSet<String> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..clients)
            .map(|number| {
                let (served, is_over, answers) = (&served, &is_over, &answers);
                scope.spawn(move || {
                    let client = [127, 0, 1, u8::try_from(number % 250).expect("a byte") + 1];
                    let mut seen = BTreeSet::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let (mut generations, count) = if number % 2 == 0 {
                            let answer = ask_as(client, &served.address, query).expect("an answer");
                            assert_eq!(answer.status, 200, "{}", answer.text());
                            let body = answer.text();
                            let count =
                                body.trim().rsplit(',').next().and_then(|n| n.parse().ok()).expect("a number");
                            (generations(&body), count)
                        } else {
                            walk(&served.address).expect("a state stays as long as somebody reads it")
                        };
                        assert_eq!((generations.len(), count), (1, datasets), "{generations:?}");
                        seen.append(&mut generations);
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                    seen
                })
            })
            .collect();
        for generation in 1..=GENERATIONS {
            served.bench.write("generations.ttl", &catalogue(datasets, generation));
            let report = served.bench.harvest(text(&file), &[]);
            assert_eq!(report["records"]["changed"], datasets, "{report}");
            // Until every reader had a chance to see it.
            let before = answers.load(Ordering::Relaxed);
            served.until("readers go on", |_| answers.load(Ordering::Relaxed) > before + 2 * clients);
        }
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().flat_map(|reader| reader.join().expect("a reader")).collect()
    });
    assert_eq!(seen.len(), GENERATIONS + 1, "{seen:?}");
}
