//! Geometries of GML 3.1 and 3.2 (ISO 19136) as WKT.

use crate::lift::{Element, XmlPart, read_xml};
use crate::vocab::geosparql;
use oxrdf::{Literal, Term};
use std::ops::ControlFlow;

/// A polygon, a surface of several, a point or an envelope as a WKT literal, longitude first. Coordinates in a
/// reference system that measures metres are none of these.
pub(super) fn wkt(term: &Term) -> Option<Term> {
    let Term::Literal(literal) = term else { return None };
    let mut found = None;
    let _ = read_xml(literal.value(), &|_| true, &mut |part| {
        if let XmlPart::Record { element, .. } = part {
            found = Some(element);
        }
        ControlFlow::Break(())
    });
    let geometry = found?;
    let is_swapped = axes(&geometry)?;
    let text = match geometry.local() {
        "Point" => format!("POINT({})", positions(&geometry, is_swapped)?.first()?),
        "Envelope" => envelope(&geometry, is_swapped)?,
        _ => surface(&geometry, is_swapped)?,
    };
    Some(Literal::new_typed_literal(text, geosparql::WKT_LITERAL).into())
}

/// A literal of GML as WKT, any other term as it is.
pub(super) fn or_wkt(term: &Term) -> Term {
    match term {
        Term::Literal(literal) if literal.datatype() == geosparql::GML_LITERAL => {
            wkt(term).unwrap_or_else(|| term.clone())
        }
        other => other.clone(),
    }
}

/// Whether latitude comes first; nothing where the system is not one of degrees. Without a system, the order of
/// longitude and latitude is that of ISO 19139's boxes.
fn axes(element: &Element) -> Option<bool> {
    let system = stated_system(element).unwrap_or_default();
    let code = system.trim_end_matches('/').rsplit([':', '/', '#']).next().unwrap_or_default();
    match code {
        "" | "CRS84" => Some(false),
        // A URN or an address heeds the order of the axes in the register; `EPSG:4326` by custom does not.
        "4326" | "4258" | "4171" => Some(system.starts_with("urn:") || system.contains("/def/crs/")),
        _ => None,
    }
}

fn stated_system(element: &Element) -> Option<&str> {
    element.attribute("srsName").or_else(|| element.children.iter().find_map(stated_system))
}

fn surface(geometry: &Element, is_swapped: bool) -> Option<String> {
    let mut polygons = Vec::new();
    gather_polygons(geometry, &mut polygons);
    let texts: Option<Vec<String>> = polygons.iter().map(|polygon| rings(polygon, is_swapped)).collect();
    match texts?.as_slice() {
        [] => None,
        [one] => Some(format!("POLYGON{one}")),
        several => Some(format!("MULTIPOLYGON({})", several.join(","))),
    }
}

fn gather_polygons<'e>(element: &'e Element, polygons: &mut Vec<&'e Element>) {
    if matches!(element.local(), "Polygon" | "PolygonPatch") {
        polygons.push(element);
        return;
    }
    element.children.iter().for_each(|child| gather_polygons(child, polygons));
}

/// The rings of a polygon, the outer one first.
fn rings(polygon: &Element, is_swapped: bool) -> Option<String> {
    let mut texts = Vec::new();
    for side in ["exterior", "outerBoundaryIs", "interior", "innerBoundaryIs"] {
        for ring in polygon.at(&[side]) {
            let mut points = positions(ring, is_swapped)?;
            if points.first() != points.last() {
                points.push(points.first()?.clone());
            }
            if points.len() < 4 {
                return None;
            }
            texts.push(format!("({})", points.join(",")));
        }
    }
    (!texts.is_empty()).then(|| format!("({})", texts.join(",")))
}

fn envelope(geometry: &Element, is_swapped: bool) -> Option<String> {
    let corner = |name: &'static str| -> Option<(String, String)> {
        let corner = geometry.children.iter().find(|child| child.local() == name)?;
        let point = numbers(&corner.text, 2, is_swapped)?.into_iter().next()?;
        point.split_once(' ').map(|(x, y)| (x.to_owned(), y.to_owned()))
    };
    let ((west, south), (east, north)) = (corner("lowerCorner")?, corner("upperCorner")?);
    // The order in which the mapping of ISO's boxes goes round, so that both are one shape.
    Some(format!("POLYGON(({west} {north},{east} {north},{east} {south},{west} {south},{west} {north}))"))
}

/// The positions below an element: `posList`, `pos` one by one, or the `coordinates` of GML 2.
fn positions(element: &Element, is_swapped: bool) -> Option<Vec<String>> {
    let mut found = Vec::new();
    gather_positions(element, is_swapped, &mut found)?;
    (!found.is_empty()).then_some(found)
}

fn gather_positions(element: &Element, is_swapped: bool, found: &mut Vec<String>) -> Option<()> {
    match element.local() {
        "posList" | "pos" => {
            let stated =
                ["srsDimension", "dimension"].iter().find_map(|name| element.attribute(name)?.parse().ok());
            let count = element.text.split_whitespace().count();
            let dimension = stated.unwrap_or(if element.local() == "pos" { count } else { 2 });
            found.extend(numbers(&element.text, dimension, is_swapped)?);
        }
        "coordinates" => {
            let tuples = element.text.split_whitespace().map(|tuple| tuple.replace(',', " "));
            for tuple in tuples {
                let dimension = tuple.split_whitespace().count();
                found.extend(numbers(&tuple, dimension, is_swapped)?);
            }
        }
        _ => {
            for child in &element.children {
                gather_positions(child, is_swapped, found)?;
            }
        }
    }
    Some(())
}

fn numbers(text: &str, dimension: usize, is_swapped: bool) -> Option<Vec<String>> {
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let is_usable = dimension >= 2
        && numbers.len().is_multiple_of(dimension)
        && numbers.iter().all(|number| number.is_finite());
    let point = |point: &[f64]| {
        let (x, y) = if is_swapped { (point[1], point[0]) } else { (point[0], point[1]) };
        format!("{x} {y}")
    };
    is_usable.then(|| numbers.chunks(dimension).map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(gml: &str) -> Option<String> {
        let term = Literal::new_typed_literal(gml, geosparql::GML_LITERAL).into();
        match wkt(&term) {
            Some(Term::Literal(literal)) => Some(literal.value().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn geometries_are_read_longitude_first() {
        let ring = "<g:exterior><g:LinearRing><g:posList>1 2 3 2 3 4 1 2</g:posList></g:LinearRing></g:exterior>";
        assert_eq!(of(&format!("<g:Polygon>{ring}</g:Polygon>")).as_deref(), Some("POLYGON((1 2,3 2,3 4,1 2))"));
        assert_eq!(
            of(&format!("<g:Polygon srsName='urn:ogc:def:crs:EPSG::4326'>{ring}</g:Polygon>")).as_deref(),
            Some("POLYGON((2 1,2 3,4 3,2 1))")
        );
        assert_eq!(
            of(&format!("<g:Polygon srsName='EPSG:2154'>{ring}</g:Polygon>")),
            None,
            "metres are no degrees"
        );
        let two = format!(
            "<g:MultiSurface><g:surfaceMember><g:Polygon>{ring}</g:Polygon></g:surfaceMember><g:surfaceMember><g:Polygon>{ring}</g:Polygon></g:surfaceMember></g:MultiSurface>"
        );
        assert!(of(&two).unwrap().starts_with("MULTIPOLYGON(((1 2,"));
        let old = "<g:Polygon><g:outerBoundaryIs><g:LinearRing><g:coordinates>1,2 3,2 3,4</g:coordinates></g:LinearRing></g:outerBoundaryIs></g:Polygon>";
        assert_eq!(of(old).as_deref(), Some("POLYGON((1 2,3 2,3 4,1 2))"));
        assert_eq!(of("<g:Polygon><g:exterior>x</g:exterior></g:Polygon>"), None);
    }
}
