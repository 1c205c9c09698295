//! The SPARQL extension functions: what queries do badly themselves. Namespace `https://moisson.dev/fn#`.
//!
//! Each takes and gives terms; `None` is a SPARQL error, which leaves the variable unbound.

use super::tables::{FORMATS, FREQUENCIES, LANGUAGES, LICENCE_ALIASES, LICENCES, THEMES};
use crate::vocab::xsd;
use oxrdf::{Literal, NamedNode, Term};
use oxsdatatypes::{Date, DateTime};
use regex::Regex;
use spareval::QueryEvaluator;
use std::str::FromStr;
use std::sync::LazyLock;

const NAMESPACE: &str = "https://moisson.dev/fn#";
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
    ("media_type", |args| iri(format!("{IANA}{}", media_type(&text(args.first()?)?)?))),
    ("file_type", |args| iri(format!("{EU}/file-type/{}", file_type(&text(args.first()?)?)?))),
    ("local_name", |args| string(local_name(&text(args.first()?)?))),
    ("short_format", |args| string(&short_format(&text(args.first()?)?))),
    ("short_media_type", |args| string(&short_media_type(&text(args.first()?)?))),
    ("period_start", |args| period(&text(args.first()?)?, Edge::Start)),
    ("period_end", |args| period(&text(args.first()?)?, Edge::End)),
    ("date", |args| date(&text(args.first()?)?)),
    ("bbox_wkt", |args| bbox_wkt(&text(args.first()?)?)),
    ("geojson", |args| geojson(args.first()?)),
    ("markdown", |args| string(&markdown(&text(args.first()?)?))),
    ("tag", |args| string(&tag(&text(args.first()?)?)?)),
    ("bytes", |args| bytes(&text(args.first()?)?)),
    ("checksum_type", |args| string(checksum_type(&text(args.first()?)?)?)),
    ("file_name", |args| string(&file_name(&text(args.first()?)?)?)),
    ("email", |args| string(&email(&text(args.first()?)?)?)),
    ("child", |args| child(args)),
    ("web_address", |args| string(&web_address(&text(args.first()?)?)?)),
];

/// An evaluator that knows the extension functions and reaches no other service.
#[must_use]
pub fn evaluator() -> QueryEvaluator {
    FUNCTIONS.iter().fold(QueryEvaluator::new(), |evaluator, (name, function)| {
        evaluator.with_custom_function(NamedNode::new_unchecked(format!("{NAMESPACE}{name}")), function)
    })
}

/// An evaluator for records: it also knows the preferred order of languages, as tags.
#[must_use]
pub fn record_evaluator(languages: Vec<String>) -> QueryEvaluator {
    let name = NamedNode::new_unchecked(format!("{NAMESPACE}language_rank"));
    evaluator().with_custom_function(name, move |args| {
        Some(Literal::from(language_rank(&text(args.first()?)?, &languages)).into())
    })
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

fn frequency(written: &str) -> Option<&'static str> {
    let lower = written.trim().to_lowercase();
    let by_name = || FREQUENCIES.get(local_name(&lower));
    FREQUENCIES.get(lower.as_str()).or_else(by_name).copied()
}

/// Finds a licence by its address or name, alone or within a sentence or HTML.
fn licence(written: &str) -> Option<&'static str> {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"https?://[^\s<>"'()]+"#).expect("a static expression"));
    let whole = normal_licence(written);
    if let Some(id) = LICENCE_ALIASES.get(whole.as_str()) {
        return Some(id);
    }
    ADDRESS
        .find_iter(written)
        .find_map(|address| LICENCE_ALIASES.get(normal_licence(address.as_str()).as_str()).copied())
}

fn normal_licence(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
    bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches(['/', '.']).to_owned()
}

fn media_type(written: &str) -> Option<String> {
    let lower = written.trim().to_lowercase();
    let bare = short_media_type(&lower);
    static MEDIA_TYPE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(application|audio|font|image|message|model|multipart|text|video)/[a-z0-9][a-z0-9!#$&^_.+-]*$",
        )
        .expect("a static expression")
    });
    if MEDIA_TYPE.is_match(&bare) {
        return Some(bare);
    }
    FORMATS.get(bare.as_str()).map(|row| row.media_type.to_owned()).filter(|found| !found.is_empty())
}

fn file_type(written: &str) -> Option<&'static str> {
    let lower = written.trim().trim_start_matches('.').to_lowercase();
    let bare = short_media_type(&lower);
    FORMATS.get(bare.as_str()).or_else(|| FORMATS.get(local_name(&bare))).map(|row| row.file_type)
}

/// The short name of a format, as records have it: `csv`, `geojson`, `wms`.
fn short_format(written: &str) -> String {
    match file_type(written) {
        Some(code) => code.trim_end_matches("_SRVC").to_lowercase().replace("rdf_", "rdf-").replace('_', "-"),
        None => local_name(written.trim()).to_lowercase(),
    }
}

/// A media type without the IANA registry's address.
fn short_media_type(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    match lower.split_once("iana.org/assignments/media-types/") {
        Some((_, media_type)) => media_type.trim_end_matches('/').to_owned(),
        None => lower,
    }
}

#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

/// One edge of a period written `start/end`, `YYYY`, `YYYY-MM`, or as one date.
fn period(written: &str, edge: Edge) -> Option<Term> {
    let written = written.trim();
    let part = match (written.split_once('/'), edge) {
        (Some((start, _)), Edge::Start) => start.trim(),
        (Some((_, end)), Edge::End) => end.trim(),
        (None, _) => written,
    };
    let whole = match (part.len(), edge) {
        (4, Edge::Start) => format!("{part}-01-01"),
        (4, Edge::End) => format!("{part}-12-31"),
        (7, Edge::Start) => format!("{part}-01"),
        (7, Edge::End) => last_day(part)?,
        _ => part.get(..10).unwrap_or(part).to_owned(),
    };
    Date::from_str(&whole).ok()?;
    Some(Literal::new_typed_literal(whole, xsd::DATE).into())
}

fn last_day(month: &str) -> Option<String> {
    (28..=31).rev().map(|day| format!("{month}-{day}")).find(|date| Date::from_str(date).is_ok())
}

/// A date in a form that people write, as `xsd:date` or `xsd:dateTime`; `None` when it is ambiguous.
fn date(written: &str) -> Option<Term> {
    let written = written.trim();
    if DateTime::from_str(written).is_ok() {
        return Some(Literal::new_typed_literal(written, xsd::DATE_TIME).into());
    }
    if Date::from_str(written).is_ok() && written.len() == 10 {
        return Some(Literal::new_typed_literal(written, xsd::DATE).into());
    }
    if let Some((day, time)) = written.split_once(' ')
        && DateTime::from_str(&format!("{day}T{time}")).is_ok()
    {
        return Some(Literal::new_typed_literal(format!("{day}T{time}"), xsd::DATE_TIME).into());
    }
    // Day first, as everywhere in Europe.
    let parts: Vec<&str> = written.split(['/', '.']).collect();
    let [day, month, year] = parts.as_slice() else {
        return period(written, Edge::Start).filter(|_| written.len() < 8);
    };
    let whole = format!("{year}-{month:0>2}-{day:0>2}");
    (year.len() == 4 && Date::from_str(&whole).is_ok())
        .then(|| Literal::new_typed_literal(whole, xsd::DATE).into())
}

/// A box written `west,south,east,north`, as a WKT polygon.
fn bbox_wkt(written: &str) -> Option<Term> {
    let numbers: Vec<f64> = written
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [west, south, east, north] = numbers.as_slice() else { return None };
    if numbers.iter().any(|number| !number.is_finite()) || south.abs() > 90.0 || north.abs() > 90.0 {
        return None;
    }
    let wkt = format!("POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))");
    let datatype = NamedNode::new_unchecked("http://www.opengis.net/ont/geosparql#wktLiteral");
    Some(Literal::new_typed_literal(wkt, datatype).into())
}

/// A geometry literal as GeoJSON text.
fn geojson(term: &Term) -> Option<Term> {
    let Term::Literal(literal) = term else { return None };
    let value = literal.value().trim();
    let geometry = if value.starts_with('{') { geojson_text(value)? } else { wkt_to_geojson(value)? };
    string(&geometry)
}

fn geojson_text(value: &str) -> Option<String> {
    let geometry: geojson::Geometry = value.parse().ok()?;
    has_finite_numbers(&geometry.to_string()).then(|| geometry.to_string())
}

/// WKT, with or without the coordinate system that GeoSPARQL puts before it.
fn wkt_to_geojson(value: &str) -> Option<String> {
    let bare = match value.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?.1.trim(),
        None => value.split_once(';').map_or(value, |(_, wkt)| wkt),
    };
    let parsed: wkt::Wkt<f64> = wkt::Wkt::from_str(&bare.to_uppercase()).ok()?;
    let geometry = wkt_geometry(&parsed)?;
    has_finite_numbers(&geometry.to_string()).then(|| geometry.to_string())
}

fn wkt_geometry(geometry: &wkt::Wkt<f64>) -> Option<serde_json::Value> {
    use serde_json::json;
    let point = |coord: &wkt::types::Coord<f64>| json!([coord.x, coord.y]);
    let line = |line: &wkt::types::LineString<f64>| line.coords().iter().map(point).collect::<Vec<_>>();
    let polygon = |polygon: &wkt::types::Polygon<f64>| polygon.rings().iter().map(line).collect::<Vec<_>>();
    Some(match geometry {
        wkt::Wkt::Point(found) => json!({"type": "Point", "coordinates": point(found.coord()?)}),
        wkt::Wkt::LineString(found) => json!({"type": "LineString", "coordinates": line(found)}),
        wkt::Wkt::Polygon(found) => json!({"type": "Polygon", "coordinates": polygon(found)}),
        wkt::Wkt::MultiPolygon(found) => {
            json!({"type": "MultiPolygon", "coordinates": found.polygons().iter().map(polygon).collect::<Vec<_>>()})
        }
        _ => return None,
    })
}

fn has_finite_numbers(text: &str) -> bool {
    !text.contains("null") && !text.to_lowercase().contains("nan")
}

/// Whether a text holds HTML: a tag of HTML or a character reference. `<draft>` is neither.
fn is_html(written: &str) -> bool {
    static HTML: LazyLock<Regex> = LazyLock::new(|| {
        let tags = "p|br|div|span|a|b|i|u|em|strong|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|img|script|style|blockquote|pre|code|hr|font|sup|sub|small|center|dl|dt|dd|iframe|section|article|abbr|cite";
        Regex::new(&format!(r"(?i)</?({tags})(\s[^<>]*)?/?>|&[a-z]{{2,8}};|&#\d+;")).expect("a static expression")
    });
    HTML.is_match(written)
}

/// Markdown of a text; scripts and styles are dropped with their content.
fn markdown(written: &str) -> String {
    if !is_html(written) {
        return written.trim().to_owned();
    }
    let converter = htmd::HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "iframe"]).build();
    let text = converter.convert(written).unwrap_or_else(|_| written.to_owned());
    static UNSAFE_LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\[([^\]]*)\]\(\s*(?:javascript|data|vbscript):[^)]*\)+").expect("a static expression")
    });
    UNSAFE_LINK.replace_all(text.trim(), "$1").into_owned()
}

/// A tag as the platform writes it: lower-case ASCII words joined by hyphens, 3 to 96 characters.
fn tag(written: &str) -> Option<String> {
    let mut tag = String::new();
    for c in written.trim().to_lowercase().chars() {
        match unaccented(c) {
            Some(plain) => tag.push_str(plain),
            None if c.is_ascii_alphanumeric() => tag.push(c),
            None if !tag.ends_with('-') && !tag.is_empty() => tag.push('-'),
            None => {}
        }
    }
    let tag = tag.trim_end_matches('-');
    let tag = tag.get(..tag.len().min(96)).unwrap_or(tag);
    (tag.len() >= 3).then(|| tag.to_owned())
}

fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'č' | 'ć' => "c",
        'é' | 'è' | 'ê' | 'ë' | 'ě' => "e",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ñ' | 'ń' => "n",
        'ó' | 'ò' | 'ô' | 'õ' | 'ø' => "o",
        'ö' | 'œ' => "oe",
        'ř' => "r",
        'š' | 'ś' => "s",
        'ß' => "ss",
        'ú' | 'ù' | 'û' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        'ł' => "l",
        _ => return None,
    })
}

/// A size in bytes, with or without a unit (powers of 1000, as the SI says; KiB and the like of 1024).
fn bytes(written: &str) -> Option<Term> {
    static SIZE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\s*([0-9]+(?:[.,][0-9]+)?)\s*(bytes?|octets?|o|b|[kmgt]i?[ob])?\s*$")
            .expect("a static expression")
    });
    let found = SIZE.captures(written)?;
    let number: f64 = found[1].replace(',', ".").parse().ok()?;
    let unit = found.get(2).map_or(String::new(), |unit| unit.as_str().to_lowercase());
    let base: f64 = if unit.contains('i') { 1024.0 } else { 1000.0 };
    let power = match unit.chars().next() {
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        _ => 0,
    };
    let bytes = (number * base.powi(power)).round();
    // No file is longer than what a file system can address.
    if bytes >= 2_f64.powi(63) {
        return None;
    }
    Some(Literal::new_typed_literal(format!("{bytes:.0}"), xsd::NON_NEGATIVE_INTEGER).into())
}

fn checksum_type(written: &str) -> Option<&'static str> {
    let lower = local_name(written).to_lowercase().replace(['-', '_'], "");
    ["md5", "sha1", "sha256", "sha384", "sha512"].into_iter().find(|name| lower.ends_with(name))
}

/// The last part of an address that looks like a file's name.
fn file_name(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let name = url.path_segments()?.next_back()?.to_owned();
    (name.contains('.') && url.query().is_none()).then_some(name)
}

/// The rank of a text's language, below 1000: the preferred ones in their order, then none, then the others
/// by the alphabet.
fn language_rank(tag: &str, preferred: &[String]) -> i64 {
    let tag = tag.split('-').next().unwrap_or_default();
    if let Some(position) = preferred.iter().take(100).position(|language| language == tag) {
        return i64::try_from(position).unwrap_or(99);
    }
    let mut letters = tag.bytes().map(|byte| i64::from(byte.saturating_sub(b'a').min(25)));
    match (letters.next(), letters.next()) {
        (None, _) => 100,
        (Some(first), second) => 101 + first * 26 + second.unwrap_or(0),
    }
}

/// The tag of a language that is named by a code, or by an IRI that ends in one.
pub(crate) fn language_tag(named: &str) -> Option<String> {
    let code = local_name(named).trim().to_lowercase();
    let is_tag = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_tag { Some(code) } else { LANGUAGES.get(code.as_str()).map(|tag| (*tag).to_owned()) }
}

fn email(written: &str) -> Option<String> {
    let bare = written.trim();
    let bare = bare.strip_prefix("mailto:").unwrap_or(bare);
    (bare.contains('@') && !bare.contains(char::is_whitespace)).then(|| bare.to_owned())
}

fn web_address(written: &str) -> Option<String> {
    let url = url::Url::parse(written.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https" | "ftp" | "ftps")
        && url.host_str().is_some_and(|host| !host.is_empty()))
    .then(|| written.trim().to_owned())
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
    fn reads_dates_without_guessing() {
        assert_eq!(value(date("2019-02-03 10:00:00")).as_deref(), Some("2019-02-03T10:00:00"));
        assert_eq!(value(date("03/02/2019")).as_deref(), Some("2019-02-03"));
        assert_eq!(value(date("31/02/2019")), None);
        assert_eq!(value(date("n.d.")), None);
        assert_eq!(value(date("2021-13-45")), None);
        assert_eq!(value(period("2016", Edge::End)).as_deref(), Some("2016-12-31"));
        assert_eq!(value(period("2016-02", Edge::End)).as_deref(), Some("2016-02-29"));
        assert_eq!(value(period("2016-01-01/2016-12-05", Edge::End)).as_deref(), Some("2016-12-05"));
    }

    #[test]
    fn reads_geometries() {
        let wkt =
            Literal::new_simple_literal("<http://www.opengis.net/def/crs/EPSG/0/4326> Polygon((0 0,1 0,1 1,0 0))");
        assert_eq!(
            value(geojson(&wkt.into())).as_deref(),
            Some(r#"{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.0]]]}"#)
        );
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
        assert_eq!(markdown(" plain < text <draft> "), "plain < text <draft>");
    }
}
