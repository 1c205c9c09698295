//! The SPARQL extension functions: what queries do badly themselves. Namespace `https://moisson.dev/fn#`.
//!
//! Each takes and gives terms; `None` is a SPARQL error, which leaves the variable unbound.

mod codes;
mod extent;
mod geometry;
mod gml;
mod interval;
mod iso;
mod online;
mod quantities;
mod text;

use super::aliases::Aliases;
use super::tables::{LICENCES, THEMES};
use crate::vocab::LIFTED;
use codes::{
    checksum_type, file_type, frequency, language_code, language_rank, licence, media_type, short_format,
    short_media_type,
};
use geometry::{bbox_wkt, geojson, wkt};
use oxigraph::sparql::SparqlEvaluator;
use oxrdf::{Literal, NamedNode, Term};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quantities::{Edge, bytes, date, date_readings, period};
use spareval::QueryEvaluator;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use text::{email, file_name, link, markdown, place_name, tag, tagged, typed_link, web_address};

pub(crate) use codes::language_tag;

pub(super) const NAMESPACE: &str = "https://moisson.dev/fn#";
const EU: &str = "http://publications.europa.eu/resource/authority";
const IANA: &str = "http://www.iana.org/assignments/media-types/";

type Function = fn(&[Term]) -> Option<Term>;

const FUNCTIONS: &[(&str, Function)] = &[
    ("frequency", |args| iri(format!("{EU}/frequency/{}", frequency(&text(args.first()?)?)?))),
    ("theme", |args| {
        iri(format!("{EU}/data-theme/{}", THEMES.get(text(args.first()?)?.trim().to_lowercase().as_str())?))
    }),
    ("licence", |args| iri(LICENCES.get(licence(&text(args.first()?)?)?)?.to_string())),
    ("licence_id", |args| string(licence(&text(args.first()?)?)?)),
    ("licence_readings", |args| string(&codes::licence_readings(&text(args.first()?)?)?)),
    ("media_type", |args| iri(format!("{IANA}{}", media_type(&text(args.first()?)?)?))),
    ("media_type_meant", |args| iri(format!("{IANA}{}", codes::media_type_meant(&text(args.first()?)?)?))),
    ("file_type", |args| iri(format!("{EU}/file-type/{}", file_type(&text(args.first()?)?)?))),
    ("local_name", |args| string(local_name(&text(args.first()?)?))),
    ("short_format", |args| string(&short_format(&text(args.first()?)?))),
    ("short_media_type", |args| string(&short_media_type(&text(args.first()?)?))),
    ("period_start", |args| period(&text(args.first()?)?, Edge::Start)),
    ("period_end", |args| period(&text(args.first()?)?, Edge::End)),
    ("date", |args| date(&text(args.first()?)?)),
    ("date_readings", |args| string(&date_readings(&text(args.first()?)?)?)),
    ("bbox_wkt", |args| bbox_wkt(&text(args.first()?)?)),
    ("box", |args| geometry::lat_long_box(&gml::or_wkt(args.first()?))),
    ("geojson", |args| geojson(&gml::or_wkt(args.first()?))),
    ("wkt", |args| wkt(&gml::or_wkt(args.first()?))),
    ("iri", |args| match args.first()? {
        Term::Literal(written) => Some(NamedNode::new_unchecked(link(written.value())?).into()),
        Term::NamedNode(_) | Term::BlankNode(_) => None,
    }),
    ("place_name", |args| string(&place_name(&text(args.first()?)?)?)),
    ("typed_link", |args| {
        let address = typed_link(&text(args.first()?)?)?;
        Some(NamedNode::new_unchecked(address).into())
    }),
    ("tagged", |args| tagged(&text(args.first()?)?, local_name(&text(args.get(1)?)?))),
    ("language", |args| iri(format!("{EU}/language/{}", language_code(&text(args.first()?)?)?))),
    ("language_tag", |args| string(&language_tag(&text(args.first()?)?)?)),
    ("markdown", |args| string(&markdown(&text(args.first()?)?))),
    ("tag", |args| string(&tag(&text(args.first()?)?)?)),
    ("bytes", |args| bytes(&text(args.first()?)?)),
    ("checksum_type", |args| string(checksum_type(&text(args.first()?)?)?)),
    ("file_name", |args| string(&file_name(&text(args.first()?)?)?)),
    ("email", |args| string(&email(&text(args.first()?)?)?)),
    ("bounding_box", |args| {
        let [west, east, south, north, form] = [0, 1, 2, 3, 4].map(|at| args.get(at).and_then(text));
        iso::bounding_box([&west?, &east?, &south?, &north?], &form?)
    }),
    ("code", |args| string(&iso::code(&text_or_none(args, 0), &text_or_none(args, 1))?)),
    ("endpoint", |args| online::endpoint(&text(args.first()?)?)),
    ("gml_wkt", |args| gml::wkt(args.first()?)),
    ("inspire_theme", |args| iso::inspire_theme(&text(args.first()?)?)),
    ("limitation", |args| iso::limitation(&text(args.first()?)?)),
    ("megabytes", |args| iso::megabytes(&text(args.first()?)?)),
    ("metres", |args| iso::metres(&text(args.first()?)?, &text_or_none(args, 1))),
    ("online_kind", |args| {
        let protocols = [text_or_none(args, 1), text_or_none(args, 2)];
        string(online::kind(&text(args.first()?)?, [&protocols[0], &protocols[1]], &text_or_none(args, 3)))
    }),
    ("about", |args| about(args)),
    ("part", |args| part(args)),
    ("protocol_format", |args| online::format(&text(args.first()?)?)),
    ("protocol_standard", |args| {
        let protocols = [text_or_none(args, 1), text_or_none(args, 2)];
        online::standard(&text(args.first()?)?, [&protocols[0], &protocols[1]])
    }),
    ("reference_system", |args| iso::reference_system(&text(args.first()?)?, &text_or_none(args, 1))),
    ("scale", |args| iso::scale(&text(args.first()?)?)),
    ("theme_label", |args| codes::theme_label(&text(args.first()?)?, &text_or_none(args, 1))),
    ("telephone", |args| iso::telephone(&text(args.first()?)?)),
    ("child", |args| child(args)),
    ("node", |args| node(args)),
    ("web_address", |args| string(&web_address(&text(args.first()?)?)?)),
];

/// Functions that ask about a value: they refuse nothing, and their silence is the usual answer.
const QUESTIONS: [&str; 4] = ["date_readings", "licence_readings", "media_type_meant", "place_name"];

/// The extension functions as one source has them: with its own alias rows, and with a list of what they
/// refused, where somebody wants to know.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    aliases: Arc<Aliases>,
    /// Functions by the value that they refused.
    refused: Option<Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>>,
}

/// A value of which functions made nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// The value.
    pub value: String,
    /// The functions that were asked, as queries name them: `m:date`.
    pub functions: Vec<String>,
}

impl Functions {
    /// The functions with alias rows of a source's own.
    #[must_use]
    pub fn with_aliases(aliases: Aliases) -> Self {
        Self { aliases: Arc::new(aliases), refused: None }
    }

    /// The same functions, which note what they refuse.
    #[must_use]
    pub fn noting_refusals(&self) -> Self {
        Self { aliases: Arc::clone(&self.aliases), refused: Some(Arc::default()) }
    }

    /// What was refused so far, each value once.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let Some(refused) = self.refused.as_ref().and_then(|refused| refused.lock().ok()) else {
            return Vec::new();
        };
        let refusal = |(value, functions): (&String, &BTreeSet<String>)| Refusal {
            value: value.clone(),
            functions: functions.iter().cloned().collect(),
        };
        refused.iter().map(refusal).collect()
    }

    /// The texts of the alias rows, for the fingerprint of the mapping.
    pub(super) fn fingerprint(&self) -> String {
        self.aliases.fingerprint()
    }

    /// An evaluator that knows the functions and reaches no other service.
    #[must_use]
    pub fn evaluator(&self) -> QueryEvaluator {
        FUNCTIONS.iter().fold(QueryEvaluator::new(), |evaluator, (name, function)| {
            let iri = NamedNode::new_unchecked(format!("{NAMESPACE}{name}"));
            if self.aliases.is_empty() && self.refused.is_none() {
                return evaluator.with_custom_function(iri, function);
            }
            let functions = self.clone();
            evaluator.with_custom_function(iri, move |args| functions.call(name, *function, args))
        })
    }

    fn call(&self, name: &str, function: Function, args: &[Term]) -> Option<Term> {
        let alias = args.first().and_then(|first| self.aliases.of(name, &text(first)?));
        let found = match (alias, args) {
            (Some(means), [_, rest @ ..]) => {
                let args: Vec<Term> = std::iter::once(Literal::new_simple_literal(means).into())
                    .chain(rest.iter().cloned())
                    .collect();
                function(&args)
            }
            _ => function(args),
        };
        if found.is_none()
            && !QUESTIONS.contains(&name)
            && let Some(refused) = &self.refused
            && let Ok(mut refused) = refused.lock()
            && let Some(value) = args.first().and_then(text)
            // A node of the lifted record is no value that anybody wrote.
            && !value.starts_with(LIFTED)
        {
            refused.entry(value).or_default().insert(format!("m:{name}"));
        }
        found
    }
}

/// An evaluator for records: it also knows the preferred order of languages, as tags.
#[must_use]
pub fn record_evaluator(languages: Vec<String>) -> QueryEvaluator {
    let (name, rank) = language_order(languages);
    Functions::default().evaluator().with_custom_function(name, rank)
}

/// The same functions for an evaluator over a store.
pub fn with_record_functions(evaluator: SparqlEvaluator, languages: Vec<String>) -> SparqlEvaluator {
    let (name, rank) = language_order(languages);
    FUNCTIONS.iter().fold(evaluator.with_custom_function(name, rank), |evaluator, (name, function)| {
        evaluator.with_custom_function(NamedNode::new_unchecked(format!("{NAMESPACE}{name}")), function)
    })
}

fn language_order(
    languages: Vec<String>,
) -> (NamedNode, impl Fn(&[Term]) -> Option<Term> + Send + Sync + 'static) {
    let name = NamedNode::new_unchecked(format!("{NAMESPACE}language_rank"));
    let rank = move |args: &[Term]| Some(Literal::from(language_rank(&text(args.first()?)?, &languages)).into());
    (name, rank)
}

/// What a function makes of a text; for the alias rows of a source, which must stand for something.
pub(super) fn reads(name: &str, written: &str) -> bool {
    let term = Term::from(Literal::new_simple_literal(written));
    FUNCTIONS.iter().any(|(known, function)| *known == name && function(std::slice::from_ref(&term)).is_some())
}

/// Whether a function makes this reading of a value.
pub(crate) fn is_read_as(value: &Term, reading: &Term) -> bool {
    let value = std::slice::from_ref(value);
    FUNCTIONS.iter().any(|(_, function)| function(value).as_ref() == Some(reading))
}

/// Every extension function by its name.
#[cfg(feature = "fuzzing")]
pub(crate) fn every_function() -> impl Iterator<Item = (&'static str, fn(&[Term]) -> Option<Term>)> {
    FUNCTIONS.iter().copied()
}

/// The text of a literal, or the IRI.
fn text(term: &Term) -> Option<String> {
    match term {
        Term::NamedNode(node) => Some(node.as_str().to_owned()),
        Term::Literal(literal) => Some(literal.value().to_owned()),
        Term::BlankNode(_) => None,
    }
}

/// The text of an argument; an empty one where there is none.
fn text_or_none(args: &[Term], at: usize) -> String {
    args.get(at).and_then(text).unwrap_or_default()
}

fn iri(text: String) -> Option<Term> {
    NamedNode::new(text).ok().map(Term::from)
}

fn string(text: &str) -> Option<Term> {
    (!text.is_empty()).then(|| Literal::new_simple_literal(text).into())
}

/// What follows the last `#`, `/` or `:`.
fn local_name(iri: &str) -> &str {
    iri.trim_end_matches('/').rsplit(['#', '/', ':']).next().unwrap_or(iri)
}

/// A node of ours below another: its IRI, a word, and a hash of the rest.
fn child(args: &[Term]) -> Option<Term> {
    use sha2::Digest;
    let [parent, word, rest @ ..] = args else { return None };
    let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
    let digest = crate::catalog::hex(&sha2::Sha256::digest(rest.join("\n").as_bytes())[..6]);
    let parent = text(parent)?;
    let separator = if parent.contains('#') { '-' } else { '#' };
    iri(format!("{parent}{separator}{}-{digest}", text(word)?))
}

/// A named node as one record speaks of it: what is said of it there is said in that record alone, though others name
/// the node too.
fn about(args: &[Term]) -> Option<Term> {
    let [record, Term::NamedNode(node)] = args else { return None };
    iri(format!("{}{ABOUT}{}", text(record)?, utf8_percent_encode(node.as_str(), NON_ALPHANUMERIC)))
}

/// Stands between a record's lifted node and the node that it speaks of.
const ABOUT: &str = "#about-";

/// The record's lifted node and the node that it speaks of.
pub(super) fn spoken_of(subject: &str) -> Option<(&str, String)> {
    let (record, node) = subject.split_once(ABOUT)?;
    Some((record, percent_decode_str(node).decode_utf8().ok()?.into_owned()))
}

/// A node that a lifted element becomes beside its own: what is found of it is found at the element.
fn part(args: &[Term]) -> Option<Term> {
    let [element, word] = args else { return None };
    let element = text(element)?;
    let separator = if element.contains('#') { "-" } else { "#0-" };
    iri(format!("{element}{separator}{}", text(word)?))
}

/// A node without a name in the source, told apart by a parent, a word and the rest: what is lifted has no
/// blank nodes, so it is one of the nodes that become blank once they are mapped.
fn node(args: &[Term]) -> Option<Term> {
    use sha2::Digest;
    if args.len() < 3 {
        return None;
    }
    let parts: Vec<String> = args.iter().map(ToString::to_string).collect();
    let digest = crate::catalog::hex(&sha2::Sha256::digest(parts.join("\n").as_bytes())[..8]);
    iri(format!("{LIFTED}{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(term: Option<Term>) -> Option<String> {
        term.and_then(|term| text(&term))
    }

    #[test]
    fn reads_what_publishers_write() {
        assert_eq!(frequency("http://purl.org/cld/freq/semiannual"), Some("ANNUAL_2"));
        assert_eq!(frequency("Mensuel"), Some("MONTHLY"));
        assert_eq!(frequency("whenever"), None);
        assert_eq!(licence("https://opendatacommons.org/licenses/odbl/"), Some("odc-odbl"));
        assert_eq!(
            licence("<p>Soumis à : https://www.etalab.gouv.fr/licence-ouverte-open-licence/</p>"),
            Some("lov2")
        );
        assert_eq!(
            media_type("http://www.iana.org/assignments/media-types/text/csv").as_deref(),
            Some("text/csv")
        );
        assert_eq!(file_type("Web Page"), Some("HTML"));
        assert_eq!(short_format("http://publications.europa.eu/resource/authority/file-type/GEOJSON"), "geojson");
        assert_eq!(tag("Énergie & Climat").as_deref(), Some("energie-climat"));
        assert_eq!(tag("Στάσεις λεωφορείων").as_deref(), Some("staseis-leophoreion"));
        assert_eq!(tag("ab"), None);
        assert_eq!(value(bytes("12 KB")).as_deref(), Some("12000"));
        assert_eq!(value(bytes("many")), None);
        assert_eq!(value(bytes(&"9".repeat(400))), None);
        assert_eq!(checksum_type("http://spdx.org/rdf/terms#checksumAlgorithm_sha1"), Some("sha1"));
    }

    #[test]
    fn prefers_languages_in_their_order_then_by_the_alphabet() {
        let preferred = ["fr".to_owned(), "en".to_owned(), "nl".to_owned()];
        let mut tags = ["sv", "de-AT", "", "nl", "da", "en-GB", "fr"];
        tags.sort_by_key(|tag| language_rank(tag, &preferred));
        assert_eq!(tags, ["fr", "en-GB", "nl", "", "da", "de-AT", "sv"]);
        assert_eq!(
            language_tag("http://publications.europa.eu/resource/authority/language/DEU").as_deref(),
            Some("de")
        );
        assert_eq!(language_tag("fr").as_deref(), Some("fr"));
        assert_eq!(language_tag("Klingon"), None);
    }

    #[test]
    fn reads_geometries() {
        let wkt =
            Literal::new_simple_literal("<http://www.opengis.net/def/crs/EPSG/0/4326> Polygon((0 0,1 0,1 1,0 0))");
        assert_eq!(
            value(geojson(&wkt.into())).as_deref(),
            Some(r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[0.0,1.0],[1.0,1.0],[0.0,0.0]]]}"#)
        );
        let point = |wkt: &str| value(geojson(&Literal::new_simple_literal(wkt).into()));
        let paris = Some(r#"{"type":"Point","coordinates":[2.3,48.8]}"#.to_owned());
        assert_eq!(point("POINT(2.3 48.8)"), paris);
        assert_eq!(point("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POINT(2.3 48.8)"), paris);
        assert_eq!(point("<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(48.8 2.3)"), paris);
        assert_eq!(point("SRID=4326;POINT(2.3 48.8)"), paris);
        assert_eq!(point("<http://www.opengis.net/def/crs/EPSG/0/2154> POINT(652000 6862000)"), None);
        assert!(point("ENVELOPE(1, 2, 4, 3)").is_some_and(|text| text.contains("Polygon")));
        assert_eq!(point(&"GEOMETRYCOLLECTION(".repeat(50_000)), None);
        assert_eq!(value(geojson(&Literal::new_simple_literal("POLYGON((NaN 0))").into())), None);
        assert_eq!(
            value(bbox_wkt("6.5,46.3,6.6,46.4")).as_deref(),
            Some("POLYGON((6.5 46.3,6.6 46.3,6.6 46.4,6.5 46.4,6.5 46.3))")
        );
    }

    #[test]
    fn turns_html_to_markdown_without_scripts() {
        let html = "<p>a &amp; b</p><script>alert('x')</script><a href=\"javascript:void(0)\">link</a>";
        assert_eq!(markdown(html), "a & b\n\nlink");
        assert!(markdown(&"<div>x".repeat(5_000)).starts_with('x'));
        assert!(markdown(&"<b>x".repeat(50_000)).contains('x'));
        assert_eq!(markdown(" plain < text <draft> "), "plain < text <draft>");
    }
}
