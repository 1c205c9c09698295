use super::normalisation::{Excuse, LANGUAGES, Normalisation, PredicateAlias};
use super::{Outcome, compare};
use oxrdf::{NamedNode, NamedOrBlankNode, Triple};
use oxrdfio::{RdfFormat, RdfParser};

const STRICT: Normalisation = Normalisation {
    unnamed: &[],
    iris: &[],
    beginnings: &[],
    predicates: &[],
    languages: &[],
    collapses_whitespace: false,
    compares_numbers: false,
    midnight_is_date: false,
    excuses: &[],
};

fn graph(turtle: &str) -> Vec<Triple> {
    let prefixes = "@prefix : <http://e/> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
        @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
        @prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix g: <http://m/genid/> .";
    let text = format!("{prefixes}\n{turtle}");
    let quads = RdfParser::from_format(RdfFormat::Turtle).for_slice(text.as_bytes());
    quads.map(|quad| quad.expect("Turtle").into()).collect()
}

fn compared(expected: &str, found: &str, normalise: &Normalisation) -> Outcome {
    let node = |name| NamedOrBlankNode::from(NamedNode::new_unchecked(format!("http://e/{name}")));
    let outcome = compare(&graph(expected), &graph(found), &[(node("a"), node("b"))], normalise);
    assert_eq!(outcome.expected, outcome.present.len() + outcome.missing.len() + outcome.excused.len());
    outcome
}

#[test]
fn lists_what_differs_in_a_blank_node() {
    let expected = ":a dct:publisher [ a foaf:Agent ; foaf:name 'A' ; foaf:mbox <mailto:a@a> ] .";
    let found = ":b dct:publisher [ a foaf:Agent ; foaf:name 'B' ; foaf:mbox <mailto:a@a> ] .";
    let outcome = compared(expected, found, &STRICT);
    assert_eq!(outcome.present.len(), 3);
    assert_eq!(outcome.missing, ["./dct:publisher | foaf:name | \"A\""]);
    assert_eq!(outcome.additional, ["./dct:publisher | foaf:name | \"B\""]);
}

#[test]
fn pairs_siblings_that_agree_most() {
    let expected = ":a dcat:distribution [ dct:title 'x' ; dct:format :csv ; dct:rights :r ],
        [ dct:title 'y' ; dct:format :csv ; dct:rights :r ] .";
    let found = ":b dcat:distribution [ dct:title 'y' ; dct:format :csv ; dct:rights :r ],
        [ dct:title 'x' ; dct:format :csv ] .";
    let outcome = compared(expected, found, &STRICT);
    assert_eq!((outcome.expected, outcome.present.len()), (8, 7));
    assert_eq!(outcome.missing, ["./dcat:distribution | dct:rights | <http://e/r>"]);
    assert!(outcome.additional.is_empty());
}

#[test]
fn pairs_by_what_is_below_and_skolem_iris_with_blank_nodes() {
    let expected = ":a prov:qualifiedAttribution [ prov:agent [ foaf:name 'x' ] ; dcat:hadRole :r ],
        [ prov:agent [ foaf:name 'y' ] ; dcat:hadRole :r ] .";
    let found =
        ":b prov:qualifiedAttribution g:1, g:2 . g:1 prov:agent g:3 ; dcat:hadRole :r . g:3 foaf:name 'y' .
        g:2 prov:agent g:4 ; dcat:hadRole :r . g:4 foaf:name 'x' .";
    let outcome = compared(expected, found, &Normalisation { unnamed: &["http://m/genid/"], ..STRICT });
    assert_eq!((outcome.present.len(), outcome.missing.len(), outcome.additional.len()), (8, 0, 0));
}

#[test]
fn shares_what_the_other_side_repeats() {
    let repeated = "dct:publisher [ foaf:name 'x' ] ; dct:creator [ foaf:name 'x' ], [ foaf:name 'x' ] .";
    let shared = "dct:publisher _:x ; dct:creator _:x . _:x foaf:name 'x' .";
    let outcome = compared(&format!(":a {repeated}"), &format!(":b {shared}"), &STRICT);
    assert_eq!((outcome.present.len(), outcome.missing.len(), outcome.additional.len()), (6, 0, 0));
    let outcome = compared(&format!(":a {shared}"), &format!(":b {repeated}"), &STRICT);
    assert_eq!((outcome.present.len(), outcome.missing.len()), (3, 0));
    assert_eq!(outcome.additional, [". | dct:creator | []", "./dct:creator | foaf:name | \"x\""]);
}

#[test]
fn keeps_a_partner_for_one_sibling_unless_the_other_only_repeats_it() {
    let expected =
        ":a dct:creator [ foaf:name 'x' ; foaf:mbox <mailto:x> ], [ foaf:name 'x' ; foaf:mbox <mailto:y> ] .";
    let outcome = compared(expected, ":b dct:creator [ foaf:name 'x' ; foaf:mbox <mailto:x> ] .", &STRICT);
    let missing =
        [". | dct:creator | []", "./dct:creator | foaf:mbox | <mailto:y>", "./dct:creator | foaf:name | \"x\""];
    let mut lines = outcome.missing;
    lines.sort();
    assert_eq!((outcome.present.len(), lines), (3, missing.map(str::to_owned).to_vec()));
}

#[test]
fn ends_in_a_cycle_through_the_root_or_through_blank_nodes() {
    let expected = ":a prov:wasUsedBy [ prov:used :a ; prov:generated _:e ] . _:e prov:wasGeneratedBy [ prov:generated _:e ] .";
    let found = ":b prov:wasUsedBy [ prov:used :b ; prov:generated _:e ] . _:e prov:wasGeneratedBy [ prov:generated _:e ] .";
    let outcome = compared(expected, found, &STRICT);
    assert_eq!((outcome.present.len(), outcome.missing.len(), outcome.additional.len()), (5, 0, 0));
    let outcome = compared(expected, &found.replace("prov:used :b", "prov:used :a"), &STRICT);
    assert_eq!(outcome.missing, ["./prov:wasUsedBy | prov:used | <http://e/a>"]);
}

#[test]
fn compares_named_nodes_under_their_aliases_even_where_nothing_leads_to_them() {
    let expected = ":a dct:conformsTo [ a dct:Standard ; dct:title 't' ] ; dct:title 't' .
        <http://www.iana.org/csv> a dct:MediaType . :old a dct:Standard .";
    let found = ":b dct:conformsTo [ a dct:Standard ; rdfs:label 't' ] ; rdfs:label 't' .
        <https://www.iana.org/csv> a dct:MediaType . :new a dct:Standard .";
    let normalise = Normalisation {
        iris: &[("http://e/old", "http://e/new")],
        beginnings: &[("http://www.iana.org/", "https://www.iana.org/")],
        predicates: &[PredicateAlias {
            class: Some("http://purl.org/dc/terms/Standard"),
            from: "http://www.w3.org/2000/01/rdf-schema#label",
            to: "http://purl.org/dc/terms/title",
        }],
        ..STRICT
    };
    let outcome = compared(expected, found, &normalise);
    assert_eq!(outcome.missing, [". | dct:title | \"t\""]);
    assert_eq!(outcome.additional, [". | rdfs:label | \"t\""]);
    let outcome = compared(expected, found, &STRICT);
    assert!(outcome.missing.contains(&"<http://e/old> | rdf:type | dct:Standard".to_owned()), "{outcome:?}");
}

#[test]
fn compares_literals_by_what_they_mean() {
    let expected = ":a dct:title ' x  y\\n'@fre, 'z'@FRA-be ; :n 2.0E-5, '213701'^^xsd:nonNegativeInteger, 1.50 ;
        dct:issued '2023-12-08T00:00:00Z'^^xsd:dateTime, '2023-12-08T01:00:00'^^xsd:dateTime ; :s 's'^^xsd:string .";
    let found = ":b dct:title 'x y'@fr, 'z'@fr-be ; :n 0.00002, 213701.0, 1.5 ;
        dct:issued '2023-12-08'^^xsd:date, '2023-12-08T01:00:00'^^xsd:dateTime ; :s 's' .";
    let normalise = Normalisation {
        languages: LANGUAGES,
        collapses_whitespace: true,
        compares_numbers: true,
        midnight_is_date: true,
        ..STRICT
    };
    let outcome = compared(expected, found, &normalise);
    assert_eq!((outcome.missing, outcome.additional, outcome.expected), (vec![], vec![], 8));
}

#[test]
fn gives_the_reason_of_a_missing_triple() {
    let expected = ":a dct:title 't' ; dct:type :t ; foaf:page [ dct:title 'p' ; a foaf:Document ] .";
    let excuse = |at, value, reason| Excuse { at, value, reason };
    let excuses = [
        excuse("./dct:title", None, "root only"),
        excuse("foaf:page/*", None, "no pages"),
        excuse("dct:type", Some("<http://e/u>"), "another value"),
    ];
    let outcome =
        compared(expected, ":b :p :o .", &Normalisation { excuses: Vec::leak(excuses.to_vec()), ..STRICT });
    assert_eq!(outcome.missing, [". | dct:type | <http://e/t>"]);
    let mut reasons: Vec<_> = outcome.excused.iter().map(|(_, reason)| *reason).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["no pages", "no pages", "no pages", "root only"]);
    assert_eq!(outcome.additional, [". | <http://e/p> | <http://e/o>"]);
}

#[test]
fn misses_exactly_the_value_that_is_taken_away() {
    let whole = graph(
        ":a dcat:distribution [ dct:title 'x' ; dct:format :csv ; dcat:accessService [ dct:title 'x' ; :p :w ] ],
            [ dct:title 'y' ; dct:format :csv ; dcat:accessService [ dct:title 'y' ; :p :v ] ] ;
            prov:wasUsedBy [ prov:used :a ; prov:generated [ dct:type :t ; dct:title 'z' ] ] . :csv a :Format .",
    );
    let root = NamedOrBlankNode::from(NamedNode::new_unchecked("http://e/a"));
    for gone in whole.iter().filter(|triple| !triple.object.is_blank_node()) {
        let rest: Vec<_> = whole.iter().rev().filter(|triple| *triple != gone).cloned().collect();
        let outcome = compare(&whole, &rest, &[(root.clone(), root.clone())], &STRICT);
        assert_eq!((outcome.missing.len(), outcome.additional.len()), (1, 0), "{gone}: {outcome:?}");
    }
}
