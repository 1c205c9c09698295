//! What ISO 19139 writes in ways of its own: codes, boxes, reference systems, measures, limitations of access.

use super::extent::Extent;
use super::{iri, local_name};
use crate::convert::tables::{INSPIRE_THEMES, LIMITATIONS, REFERENCE_SYSTEMS, UNITS};
use crate::vocab::{geosparql, xsd};
use oxrdf::{Literal, NamedNode, Term};
use regex::Regex;
use std::sync::LazyLock;

const INSPIRE: &str = "http://inspire.ec.europa.eu";

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("a static expression")
}

/// A code of a code list: its value, or its text where the value is an address of something else or missing. Some
/// write the address of the code, or the name of its list before it.
pub(super) fn code(value: &str, text: &str) -> Option<String> {
    let is_code = |code: &str| {
        !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    let bare = |written: &str| {
        let name = local_name(written.trim());
        let name = name
            .strip_prefix("MD_")
            .or_else(|| name.strip_prefix("CI_"))
            .map_or(name, |_| name.rsplit('_').next().unwrap_or(name));
        // `environment_EnvironmentalProtection`: the code comes first.
        name.split('_').next().unwrap_or(name).to_owned()
    };
    let is_foreign = value.contains("//") && !value.contains('#') && !value.contains("codelist");
    let value = if is_foreign { String::new() } else { bare(value) };
    [value, bare(text)].into_iter().find(|code| is_code(code))
}

/// The INSPIRE theme of a label (registry `http://inspire.ec.europa.eu/theme`).
pub(super) fn inspire_theme(label: &str) -> Option<Term> {
    iri(format!("{INSPIRE}/theme/{}", INSPIRE_THEMES.get(key(label).as_str())?))
}

/// What an expression of limitation or condition stands for in INSPIRE's code lists: by its wording, else by the letter
/// of article 13(1) of the directive that it cites.
pub(super) fn limitation(written: &str) -> Option<Term> {
    static ARTICLE: LazyLock<Regex> = LazyLock::new(|| {
        expression(
            r"(?is)(?:article|artikel|art[ií]culo|articolo|artigo|\bart[.]?)\s*13[ .(,]+1[)]?[ .,]*[(]?([a-h])(?:[^a-z]|$)",
        )
    });
    let written = written.trim();
    if let Some(known) = LIMITATIONS.get(key(written).as_str()) {
        return iri((*known).to_owned());
    }
    let is_code = written.contains("inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/")
        || written.contains("inspire.ec.europa.eu/metadata-codelist/ConditionsApplyingToAccessAndUse/");
    if is_code && !written.contains(char::is_whitespace) {
        return iri(written.replacen("https:", "http:", 1));
    }
    let letter = ARTICLE.captures(written)?[1].to_lowercase();
    iri(format!("{INSPIRE}/metadata-codelist/LimitationsOnPublicAccess/INSPIRE_Directive_Article13_1{letter}"))
}

/// A text as the tables have it: in lower case, with plain apostrophes and single spaces, without a full stop.
fn key(text: &str) -> String {
    let text = text.to_lowercase().replace(['’', '‘'], "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').trim().to_owned()
}

/// The IRI of a coordinate reference system that is written in one of many ways (register of the OGC).
pub(super) fn reference_system(written: &str, code_space: &str) -> Option<Term> {
    static EPSG: LazyLock<Regex> = LazyLock::new(|| {
        expression(r"(?is)epsg(?:\.io/|\.xml#|:[0-9.]*:|/[0-9.]+/|[:/# -]*)([0-9]{4,5})(?:[^0-9]|$)")
    });
    let system = |rest: &str| iri(format!("http://www.opengis.net/def/crs/{rest}"));
    let bare = written.trim();
    if let Some(found) = EPSG.captures(bare) {
        return system(&format!("EPSG/0/{}", &found[1]));
    }
    let is_number = (4..=5).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && (code_space.is_empty() || code_space.to_lowercase().contains("epsg")) {
        return system(&format!("EPSG/0/{bare}"));
    }
    iri((*REFERENCE_SYSTEMS.get(key(bare).as_str())?).to_owned())
}

/// A distance in metres, by its unit.
pub(super) fn metres(written: &str, unit: &str) -> Option<Term> {
    let number: f64 = written.trim().replace(',', ".").parse().ok().filter(|number: &f64| number.is_finite())?;
    let unit = unit.trim().to_lowercase();
    let unit = unit.rsplit([':', '#', '/']).next().unwrap_or_default();
    decimal(number * UNITS.get(unit)?)
}

/// A scale as a share: 1 over its denominator.
pub(super) fn scale(denominator: &str) -> Option<Term> {
    let number: f64 = denominator.trim().replace(' ', "").parse().ok().filter(|number| *number > 0.0)?;
    decimal(1.0 / number)
}

fn decimal(number: f64) -> Option<Term> {
    let text = format!("{number:.12}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    number.is_finite().then(|| Literal::new_typed_literal(text, xsd::DECIMAL).into())
}

/// A size in megabytes (`MD_DigitalTransferOptions/transferSize`), in bytes.
pub(super) fn megabytes(written: &str) -> Option<Term> {
    let number: f64 =
        written.trim().replace(',', ".").parse().ok().filter(|number| (0.0..1e12).contains(number))?;
    Some(Literal::new_typed_literal(format!("{:.0}", (number * 1e6).round()), xsd::NON_NEGATIVE_INTEGER).into())
}

/// A box as WKT, GML or GeoJSON, its numbers as they were written but for leading zeros.
pub(super) fn bounding_box(sides: [&str; 4], form: &str) -> Option<Term> {
    let [west, east, south, north] = sides.map(number);
    let (west, east, south, north) = (west?, east?, south?, north?);
    let degrees = |text: &str| text.parse::<f64>().unwrap_or(f64::MAX);
    let extent = Extent::new([degrees(&west), degrees(&south), degrees(&east), degrees(&north)])?;
    let (text, datatype) = match form {
        "wkt" if extent.is_cut() => (extent.wkt(), geosparql::WKT_LITERAL),
        "geojson" if extent.is_cut() => (extent.geojson().to_string(), geosparql::GEO_JSON_LITERAL),
        // An envelope has one piece.
        "gml" if extent.is_cut() => return None,
        "wkt" => (
            format!("POLYGON(({west} {north},{east} {north},{east} {south},{west} {south},{west} {north}))"),
            geosparql::WKT_LITERAL,
        ),
        "geojson" => (
            format!(
                "{{\"type\":\"Polygon\",\"coordinates\":[[[{west},{north}],[{east},{north}],[{east},{south}],[{west},{south}],[{west},{north}]]]}}"
            ),
            geosparql::GEO_JSON_LITERAL,
        ),
        "gml" => (
            format!(
                "<gml:Envelope srsName=\"http://www.opengis.net/def/crs/OGC/1.3/CRS84\"><gml:lowerCorner>{west} {south}</gml:lowerCorner><gml:upperCorner>{east} {north}</gml:upperCorner></gml:Envelope>"
            ),
            geosparql::GML_LITERAL,
        ),
        _ => return None,
    };
    Some(Literal::new_typed_literal(text, datatype).into())
}

/// A number as it was written, without zeros before it, as JSON and WKT want it.
fn number(written: &str) -> Option<String> {
    let text = written.trim().replace(',', ".");
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.trim_start_matches('+')),
    };
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() || digits.starts_with(['.', 'e', 'E']) {
        format!("0{digits}")
    } else {
        digits.to_owned()
    };
    let digits = if digits.ends_with('.') { format!("{digits}0") } else { digits };
    Some(format!("{sign}{digits}"))
}

/// A telephone number as an IRI (RFC 3966).
pub(super) fn telephone(written: &str) -> Option<Term> {
    let kept: String = written.trim().chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    (kept.trim_start_matches('+').len() >= 5).then(|| NamedNode::new_unchecked(format!("tel:{kept}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(term: Option<Term>) -> String {
        match term {
            Some(Term::NamedNode(node)) => node.into_string(),
            Some(Term::Literal(literal)) => literal.value().to_owned(),
            _ => String::new(),
        }
    }

    #[test]
    fn codes_are_found_in_what_is_written() {
        for (value, written, expected) in [
            ("owner", "", "owner"),
            ("", "owner", "owner"),
            ("MD_CharacterSetCode_utf8", "", "utf8"),
            (
                "http://standards.iso.org/iso/19139/resources/gmxCodelists.xml#CI_RoleCode_publisher",
                "",
                "publisher",
            ),
            ("environment_EnvironmentalProtection", "", "environment"),
            ("http://www.wmo.int/", "pointOfContact", "pointOfContact"),
        ] {
            assert_eq!(code(value, written).as_deref(), Some(expected), "{value} {written}");
        }
        assert_eq!(code("", " "), None);
    }

    #[test]
    fn reference_systems_are_read_in_all_their_forms() {
        for (written, space, expected) in [
            ("EPSG:2154", "", "EPSG/0/2154"),
            ("2154", "EPSG", "EPSG/0/2154"),
            ("urn:ogc:def:crs:EPSG::27700", "", "EPSG/0/27700"),
            ("urn:ogc:def:crs:EPSG:6.9:4326", "", "EPSG/0/4326"),
            ("http://www.opengis.net/def/crs/EPSG/0/3857", "", "EPSG/0/3857"),
            ("RGF93 / Lambert-93 (EPSG:2154)", "", "EPSG/0/2154"),
            ("http://spatialreference.org/ref/epsg/2154/", "", "EPSG/0/2154"),
            ("WGS 84", "", "EPSG/0/4326"),
        ] {
            assert_eq!(
                text(reference_system(written, space)),
                format!("http://www.opengis.net/def/crs/{expected}")
            );
        }
        assert!(reference_system("ESRI:102100", "").is_none());
    }

    #[test]
    fn limitations_are_read_by_their_wording_and_by_the_article_they_cite() {
        let codes = "http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/";
        for (written, expected) in [
            ("Pas de restriction d’accès public", "noLimitations"),
            (
                "L124-5-II-1 du code de l'environnement (Directive 2007/2/CE (INSPIRE), Article 13.1.b)",
                "INSPIRE_Directive_Article13_1b",
            ),
            ("Article 13(1)(e) de la directive INSPIRE", "INSPIRE_Directive_Article13_1e"),
        ] {
            assert_eq!(text(limitation(written)), format!("{codes}{expected}"), "{written}");
        }
        assert!(limitation("Licence Ouverte").is_none());
    }

    #[test]
    fn boxes_keep_their_digits() {
        let sides = ["-054.75", "-49.75000000001", "3.25000001", "08.00"];
        assert_eq!(
            text(bounding_box(sides, "wkt")),
            "POLYGON((-54.75 8.00,-49.75000000001 8.00,-49.75000000001 3.25000001,-54.75 3.25000001,-54.75 8.00))"
        );
        assert!(bounding_box(["0", "1", "2", "95"], "wkt").is_none(), "no such latitude");
        assert_eq!(number("-0.5").as_deref(), Some("-0.5"));
        assert_eq!(number(".5").as_deref(), Some("0.5"));
    }

    #[test]
    fn measures_are_brought_to_metres_and_shares() {
        assert_eq!(text(metres("1", "cm")), "0.01");
        assert_eq!(text(metres("1", "urn:ogc:def:uom:UCUM::[ft_i]")), "0.3048");
        assert_eq!(text(metres("30", "m")), "30");
        assert!(metres("1", "deg").is_none(), "a degree has no fixed length");
        assert_eq!(text(scale("50000")), "0.00002");
        assert_eq!(text(megabytes("0.213701")), "213701");
    }
}
