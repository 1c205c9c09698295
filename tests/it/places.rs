//! Where a report says that something stands, it stands.

use crate::moisson::{Bench, text};
use crate::stand_in::{Page, StandIn};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Faulty values, one of each kind for each of some datasets: property, what is written in Turtle, the offending text.
fn faults(number: usize) -> [(&'static str, String, String); 3] {
    [
        ("issued", format!("\"{:02}/03/2024\"", number + 1), format!("{:02}/03/2024", number + 1)),
        (
            "accrualPeriodicity",
            format!("\"tous les {number} mois & plus\""),
            format!("tous les {number} mois & plus"),
        ),
        ("language", format!("\"langue-{number}\""), format!("langue-{number}")),
    ]
}

fn turtle() -> String {
    let mut out =
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n".to_owned();
    for number in 0..8 {
        let _ = writeln!(
            out,
            "\n<https://e.example/d{number}> a dcat:Dataset ;\n  dct:identifier \"{number}\" ; dct:title \"Jeu {number}\"@fr ;"
        );
        for (property, written, _) in faults(number) {
            let _ = writeln!(out, "  dct:{property} {written} ;");
        }
        out.push_str("  dct:description \"un jeu\"@fr .\n");
    }
    out
}

fn rdf_xml() -> String {
    let mut out = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dcat=\"http://www.w3.org/ns/dcat#\" xmlns:dct=\"http://purl.org/dc/terms/\">\n".to_owned();
    for number in 0..8 {
        let _ = writeln!(
            out,
            "<dcat:Dataset rdf:about=\"https://e.example/d{number}\">\n  <dct:identifier>{number}</dct:identifier><dct:title xml:lang=\"fr\">Jeu {number}</dct:title>"
        );
        for (property, _, value) in faults(number) {
            let _ = writeln!(out, "  <dct:{property}>{}</dct:{property}>", value.replace('&', "&amp;"));
        }
        out.push_str("  <dct:description xml:lang=\"fr\">un jeu</dct:description>\n</dcat:Dataset>\n");
    }
    out + "</rdf:RDF>\n"
}

fn json_ld() -> String {
    let dataset = |number: usize| {
        let mut node = json!({
            "@id": format!("https://e.example/d{number}"),
            "@type": "http://www.w3.org/ns/dcat#Dataset",
            "http://purl.org/dc/terms/identifier": number.to_string(),
            "http://purl.org/dc/terms/title": {"@value": format!("Jeu {number}"), "@language": "fr"},
        });
        for (property, _, value) in faults(number) {
            node[format!("http://purl.org/dc/terms/{property}")] = json!(value);
        }
        node
    };
    serde_json::to_string_pretty(&(0..8).map(dataset).collect::<Vec<_>>()).expect("JSON")
}

pub(crate) fn findings(bench: &Bench, address: &str, more: &[&str]) -> Vec<Value> {
    let arguments =
        [&["check", address, "--format", "json", "--fail-on", "never", "--allow-loopback"], more].concat();
    let output = bench.run(&arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said} {}", String::from_utf8_lossy(&output.stderr)));
    report["findings"].as_array().expect("findings").clone()
}

/// The text of a value, as its source may write it.
fn value_of(finding: &Value) -> Option<String> {
    let value = finding["value"].as_str()?;
    let literal = value.strip_prefix('"')?;
    Some(literal[..literal.rfind('"')?].to_owned())
}

#[test]
fn twenty_findings_of_each_rdf_syntax_stand_at_their_line_and_column() {
    let bench = Bench::new();
    for (name, content) in [("c.ttl", turtle()), ("c.rdf", rdf_xml()), ("c.jsonld", json_ld())] {
        let file = bench.write(name, &content);
        let lines: Vec<&str> = content.lines().collect();
        let mut seen = 0;
        for finding in findings(&bench, text(&file), &[]) {
            let Some(value) = value_of(&finding) else { continue };
            let place = &finding["place"];
            let number = |name: &str| place[name].as_u64().and_then(|number| usize::try_from(number).ok());
            let (Some(line), Some(column)) = (number("line"), number("column")) else {
                panic!("{name}: no place of its own: {finding}");
            };
            let there: String = lines[line - 1].chars().skip(column - 1).collect();
            let escaped = value.replace('&', "&amp;");
            assert!(there.starts_with(&value) || there.starts_with(&escaped), "{name}: {there}: {finding}");
            // The value of this record, and not its like in another.
            seen += 1;
        }
        assert!(seen >= 20, "{name}: only {seen} findings have a value");
    }
}

#[test]
fn findings_about_nested_nodes_of_json_ld_stand_within_them() {
    let bench = Bench::new();
    let distribution = |dataset: usize, number: usize| {
        json!({
            "@type": "http://www.w3.org/ns/dcat#Distribution",
            "http://purl.org/dc/terms/title": format!("Fichier {dataset}-{number}"),
            "http://www.w3.org/ns/dcat#accessURL": {"@id": format!("https://e.example/{dataset}/{number}")},
        })
    };
    let dataset = |number: usize| {
        json!({
            "@id": format!("https://e.example/d{number}"),
            "@type": "http://www.w3.org/ns/dcat#Dataset",
            "http://purl.org/dc/terms/title": format!("Jeu {number}"),
            "http://www.w3.org/ns/dcat#distribution": [distribution(number, 0), distribution(number, 1)],
        })
    };
    let content = serde_json::to_string_pretty(&(0..4).map(dataset).collect::<Vec<_>>()).expect("JSON");
    let file = bench.write("c.jsonld", &content);
    let lines: Vec<&str> = content.lines().collect();
    let of_distributions = findings(&bench, text(&file), &[])
        .into_iter()
        .filter(|finding| finding["rule"] == "dcat-ap-3/Distribution-license-required");
    // The braces around a line tell the object.
    let objects: std::collections::BTreeSet<usize> = of_distributions
        .map(|finding| {
            let line =
                finding["place"]["line"].as_u64().and_then(|line| usize::try_from(line).ok()).expect("a line");
            let start = (0..line).rev().find(|at| lines[*at].trim_end() == "      {").expect("a brace");
            let end = start + lines[start..].iter().position(|line| line.starts_with("      }")).expect("a brace");
            assert!((start..=end).contains(&(line - 1)), "line {line} is in no distribution: {finding}");
            start
        })
        .collect();
    assert_eq!(objects.len(), 8, "each distribution has its own finding");
}

#[test]
fn findings_in_a_platform_s_answer_have_the_pointer_to_their_value() {
    let bench = Bench::new();
    let package = |number: usize| {
        json!({
            "id": format!("id-{number}"), "name": format!("jeu-{number}"), "title": format!("Jeu {number}"), "type": "dataset",
            "state": "active", "private": false, "notes": "un jeu",
            "extras": [{"key": "frequency", "value": format!("tous les {number} mois")}, {"key": "language", "value": format!("langue-{number}")}],
            "resources": [{"id": format!("r-{number}"), "url": format!("https://e.example/{number}.xyz"), "name": "fichier", "format": format!("format inconnu {number}"), "mimetype": format!("type/inconnu-{number}")}],
        })
    };
    let packages: Vec<Value> = (0..12).map(package).collect();
    let answer = json!({"success": true, "result": {"count": packages.len(), "results": packages}});
    let file = bench.write("packages.json", &answer.to_string());
    let mut seen = 0;
    for finding in findings(&bench, text(&file), &["--kind", "ckan"]) {
        let Some(value) = value_of(&finding) else { continue };
        let pointer = finding["place"]["path"].as_str().unwrap_or_else(|| panic!("no pointer: {finding}"));
        let there = answer.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere: {finding}"));
        assert!(there.as_str().is_some_and(|there| there.contains(&value)), "{pointer}: {there}: {finding}");
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} findings have a value");
}

/// Applies all mends that are known: what they are for is gone, and nothing new has come. Returns how many there were.
fn mend_all(content: &str) -> usize {
    let bench = Bench::new();
    let file = bench.write("catalogue.ttl", content);
    let before = findings(&bench, text(&file), &[]);
    let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
    let mut mended = 0;
    for finding in
        before.iter().filter(|finding| finding["suggestion"].is_string() && finding["value"].is_string())
    {
        let place = &finding["place"];
        let Some(line) = place["line"].as_u64().and_then(|line| usize::try_from(line).ok()) else { continue };
        let suggestion = finding["suggestion"].as_str().expect("a mend");
        let (value, line) = (finding["value"].as_str().expect("a value"), &mut lines[line - 1]);
        let plain = value_of(finding);
        // Two rules may find the same value.
        if line.contains(suggestion.trim_matches(['<', '>'])) {
            continue;
        }
        let edited = if finding["rule"] == "convert/misspelt-property" {
            let name = |iri: &str| iri.rsplit(['#', '/']).next().unwrap_or_default().to_owned();
            line.replacen(&name(finding["property"].as_str().unwrap_or_default()), &name(suggestion), 1)
        } else if let Some(plain) = plain {
            // The literal with its tag or type, as the sample writes it.
            let start = line.find(&format!("\"{plain}\"")).unwrap_or_else(|| panic!("{line}: {finding}"));
            let end = start + plain.len() + 2;
            let rest = &line[end..];
            let tail = rest.find([' ', ';', ',']).unwrap_or(rest.len());
            let term = if suggestion.starts_with('"') { suggestion.to_owned() } else { format!("<{suggestion}>") };
            format!("{}{term}{}", &line[..start], &rest[tail..])
        } else {
            let bare = value.trim_matches(['<', '>']);
            line.replacen(bare, suggestion.trim_matches(['<', '>']), 1)
        };
        assert_ne!(edited, *line, "{finding}");
        *line = edited;
        mended += 1;
    }
    let file = bench.write("catalogue.ttl", &lines.join("\n"));
    let after = findings(&bench, text(&file), &[]);
    let count = |findings: &[Value]| {
        let mut counts = std::collections::BTreeMap::new();
        for finding in findings {
            *counts.entry(finding["rule"].as_str().unwrap_or_default().to_owned()).or_insert(0) += 1;
        }
        counts
    };
    let (known, found) = (count(&before), count(&after));
    for (rule, number) in &found {
        assert!(number <= known.get(rule).unwrap_or(&0), "{rule} is new: {number}");
    }
    let left = after.iter().filter(|finding| finding["suggestion"].is_string() && finding["value"].is_string());
    assert_eq!(left.map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(after.len() < before.len());
    mended
}

#[test]
fn applied_to_the_sample_the_mends_leave_nothing_of_what_they_are_for_and_break_nothing() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    let mended = mend_all(&std::fs::read_to_string(&sample).expect("the sample"));
    assert!(mended >= 4, "only {mended} mends are known");
}

#[test]
fn codes_dates_addresses_and_misspelt_properties_have_mends() {
    let dataset = |number: usize, lines: &str, of_distribution: &str| {
        format!(
            "<https://e.example/d{number}> a dcat:Dataset ;\n  dct:identifier \"{number}\" ; dct:title \"Jeu {number}\"@fr ; dct:description \"Un jeu\"@fr ;\n{lines}  dcat:distribution <https://e.example/x{number}> .\n<https://e.example/x{number}> a dcat:Distribution ;\n{of_distribution}  dcat:accessURL <https://e.example/p> .\n"
        )
    };
    let catalogue = [
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n".to_owned(),
        dataset(
            1,
            "  dct:accrualPeriodicity \"Annuelle\" ;\n  dct:language \"fr\" ;\n",
            "  dct:format \"CSV\" ;\n",
        ),
        dataset(
            2,
            "  dct:issued \"02/03/2024\" ;\n  dcat:theme \"Transport\" ;\n",
            "  dcat:mediaType \"text/csv\" ;\n",
        ),
        dataset(3, "  dct:modified \"3 mars 2024\" ;\n", "  dct:license \"Licence Ouverte\" ;\n"),
        dataset(4, "  dcat:keywords \"bus\"@fr ;\n", "  dcat:byteSize \"2 Mo\" ;\n"),
    ]
    .concat();
    let mended = mend_all(&catalogue);
    assert!(mended >= 7, "only {mended} mends are known");
}

#[test]
fn another_profile_is_compared_over_the_store_and_may_come_from_an_address() {
    let (bench, portal) = (Bench::new(), StandIn::start());
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/catalogue.ttl");
    bench.harvest(text(&sample), &["--source", "sample"]);
    let shapes = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n<https://shapes.example/#version> a sh:PropertyShape ; sh:path dcat:version ; sh:minCount 1 ; sh:message \"no version\"@en .\n<https://shapes.example/#D> a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property <https://shapes.example/#version> .\n";
    portal.set("/shapes.ttl", Page::turtle(shapes));
    let address = portal.url("/shapes.ttl");
    let compare = |more: &[&str]| -> Value {
        let output = bench.run(&[&["compare", "--json", "--allow-loopback"], more].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let compared = compare(&["--with", "dcat-ap-3", "--with", "moisson", "--with", &address]);
    assert_eq!((&compared["records"], &compared["broken"]), (&24.into(), &23.into()), "{compared}");
    assert_eq!(compared["new"].as_array().map(Vec::len), Some(1), "{compared}");
    assert_eq!(compared["new"][0]["count"], 23);
    let same = compare(&["--with", "dcat-ap-3", "--with", "moisson"]);
    assert_eq!((&same["broken"], same["gone"].as_array().map(Vec::len)), (&0.into(), Some(0)), "{same}");
    let older = compare(&["--with", "dcat-ap-2.1.1"]);
    assert!(older["gone"].as_array().is_some_and(|gone| !gone.is_empty()), "{older}");
}
