//! Boxes, WKT and GeoJSON.

use super::extent::Extent;
use super::{gml, string};
use crate::vocab::geosparql;
use oxrdf::{Literal, Term};
use std::str::FromStr;

/// A box written `west,south,east,north`, as a WKT polygon.
pub(super) fn bbox_wkt(written: &str) -> Option<Term> {
    let numbers: Vec<f64> = written
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let extent = Extent::new(<[f64; 4]>::try_from(numbers).ok()?)?;
    Some(Literal::new_typed_literal(extent.wkt(), geosparql::WKT_LITERAL).into())
}

/// A shape written as GeoJSON (a geometry, a feature or several), WKT, GML, an envelope of two corners, or the latitude
/// and longitude of a point, as a WKT literal.
pub(super) fn wkt(term: &Term) -> Option<Term> {
    let Term::Literal(literal) = term else { return None };
    let written = literal.value().trim();
    let shape = if written.starts_with('{') {
        of_json(written)?
    } else if is_gml(written) {
        return gml::wkt(term);
    } else if let Some(point) = lat_long(written) {
        point
    } else {
        wkt_to_geojson(written).map(|_| written.to_owned())?
    };
    let shape = cut_at_the_antimeridian(&shape).unwrap_or(shape);
    Some(Literal::new_typed_literal(shape, geosparql::WKT_LITERAL).into())
}

fn of_json(written: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(written).ok()?;
    if value
        .get("type")
        .and_then(serde_json::Value::as_str)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("envelope"))
    {
        return envelope(&value);
    }
    let document: geojson::GeoJson = written.parse().ok()?;
    let shape = geojson_to_wkt(&serde_json::to_value(shape_of(document)?).ok()?)?;
    wkt_to_geojson(&shape).is_some().then_some(shape)
}

/// An envelope as Elasticsearch and `ArcGIS` have it: two opposite corners, whichever.
fn envelope(value: &serde_json::Value) -> Option<String> {
    let corner = |at: usize| -> Option<[f64; 2]> {
        let numbers = value.get("coordinates")?.get(at)?;
        Some([numbers.get(0)?.as_f64()?, numbers.get(1)?.as_f64()?])
    };
    let ([west, one], [east, other]) = (corner(0)?, corner(1)?);
    Some(Extent::new([west, one.min(other), east, one.max(other)])?.wkt())
}

/// Whether a text is an element of XML, and not WKT behind the address of its coordinate system.
fn is_gml(written: &str) -> bool {
    written.starts_with('<')
        && written[1..].starts_with(|c: char| c.is_alphabetic())
        && !written.starts_with("<http")
}

/// A point written as its latitude and longitude, `35.25,-80.75`, as DCAT-US asks for (Project Open Data, `spatial`).
/// Numbers that can only be the other way round are read so; two bare integers may be one number with a comma.
fn lat_long(written: &str) -> Option<String> {
    let mut numbers = written.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let (one, other) = (numbers.next()?, numbers.next()?);
    if numbers.next().is_some() || !written.contains(['.', '-']) {
        return None;
    }
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    if !is_plain(one) || !is_plain(other) {
        return None;
    }
    let (one, other): (f64, f64) = (one.parse().ok()?, other.parse().ok()?);
    match (one.abs() <= 90.0, other.abs() <= 90.0) {
        (true, _) if other.abs() <= 180.0 => Some(format!("POINT({other} {one})")),
        (false, true) if one.abs() <= 180.0 => Some(format!("POINT({one} {other})")),
        _ => None,
    }
}

/// A rectangle that goes on behind 180° of longitude, cut there.
fn cut_at_the_antimeridian(shape: &str) -> Option<String> {
    let upper = shape.trim().to_uppercase();
    let Ok(wkt::Wkt::Polygon(polygon)) = wkt::Wkt::<f64>::from_str(&upper) else { return None };
    let [ring] = polygon.rings() else { return None };
    let [first, .., last] = ring.coords() else { return None };
    let extreme = |of: fn(&wkt::types::Coord<f64>) -> f64, pick: fn(f64, f64) -> f64| {
        ring.coords().iter().map(of).reduce(pick).unwrap_or_default()
    };
    let (west, east) = (extreme(|coord| coord.x, f64::min), extreme(|coord| coord.x, f64::max));
    let (south, north) = (extreme(|coord| coord.y, f64::min), extreme(|coord| coord.y, f64::max));
    // The very numbers: each corner has a side's longitude and a side's latitude.
    let is_side = |value: f64, sides: [f64; 2]| sides.iter().any(|side| side.to_bits() == value.to_bits());
    let is_box = ring.coords().len() == 5
        && first == last
        && ring.coords().iter().all(|coord| is_side(coord.x, [west, east]) && is_side(coord.y, [south, north]));
    let goes_behind = west < -180.0 || east > 180.0;
    (is_box && goes_behind).then(|| Extent::new([west, south, east, north]).map(|extent| extent.wkt()))?
}

/// The box around a shape as schema.org writes one (`GeoShape/box`): the lower corner, then the upper, latitude first.
pub(super) fn lat_long_box(term: &Term) -> Option<Term> {
    let Term::Literal(shape) = geojson(term)? else { return None };
    let shape: serde_json::Value = serde_json::from_str(shape.value()).ok()?;
    let mut corners: Option<[f64; 4]> = None;
    each_position(shape.get("coordinates")?, &mut |x, y| {
        let [south, west, north, east] = corners.unwrap_or([y, x, y, x]);
        corners = Some([south.min(y), west.min(x), north.max(y), east.max(x)]);
    });
    let [south, mut west, north, mut east] = corners?;
    // A shape that is cut at 180° is around it, and not around the rest of the earth.
    if let Some([from, to]) = across_the_antimeridian(shape.get("coordinates")?) {
        (west, east) = (from, to);
    }
    string(&format!("{south} {west} {north} {east}"))
}

/// The longitudes from west to east of a shape whose parts touch 180° from both sides, and nothing between.
fn across_the_antimeridian(coordinates: &serde_json::Value) -> Option<[f64; 2]> {
    let (mut from, mut to, mut touches) = (180.0_f64, -180.0_f64, [false; 2]);
    each_position(coordinates, &mut |x, _| {
        touches = [touches[0] || x >= 180.0, touches[1] || x <= -180.0];
        if x > 0.0 {
            from = from.min(x);
        } else {
            to = to.max(x);
        }
    });
    let is_narrow = from - to > 180.0 && (from < 180.0 || to > -180.0);
    (touches == [true, true] && is_narrow).then_some([from, to])
}

fn each_position(coordinates: &serde_json::Value, say: &mut impl FnMut(f64, f64)) {
    let Some(members) = coordinates.as_array() else { return };
    match (members.first().and_then(serde_json::Value::as_f64), members.get(1).and_then(serde_json::Value::as_f64))
    {
        (Some(x), Some(y)) => say(x, y),
        _ => members.iter().for_each(|member| each_position(member, say)),
    }
}

/// The geometry of a GeoJSON document; of several features, the first.
fn shape_of(document: geojson::GeoJson) -> Option<geojson::Geometry> {
    match document {
        geojson::GeoJson::Geometry(geometry) => Some(geometry),
        geojson::GeoJson::Feature(feature) => feature.geometry,
        geojson::GeoJson::FeatureCollection(features) => {
            features.features.into_iter().find_map(|feature| feature.geometry)
        }
    }
}

/// WKT (OGC 06-103r4, 7) of a GeoJSON geometry that is no collection.
fn geojson_to_wkt(geometry: &serde_json::Value) -> Option<String> {
    let kind = geometry.get("type")?.as_str()?.to_uppercase();
    let coordinates = geometry.get("coordinates")?;
    let depth = match kind.as_str() {
        "POINT" => return Some(format!("POINT({})", position_text(coordinates)?)),
        "LINESTRING" | "MULTIPOINT" => 1,
        "POLYGON" | "MULTILINESTRING" => 2,
        "MULTIPOLYGON" => 3,
        _ => return None,
    };
    Some(format!("{kind}{}", positions_text(coordinates, depth)?))
}

fn positions_text(coordinates: &serde_json::Value, depth: u8) -> Option<String> {
    let members = coordinates.as_array().filter(|members| !members.is_empty())?.iter();
    let texts: Option<Vec<String>> = if depth == 1 {
        members.map(position_text).collect()
    } else {
        members.map(|inner| positions_text(inner, depth - 1)).collect()
    };
    Some(format!("({})", texts?.join(",")))
}

/// Longitude and latitude; heights are left out.
fn position_text(position: &serde_json::Value) -> Option<String> {
    let numbers = position.as_array()?;
    let (x, y) = (numbers.first()?.as_f64()?, numbers.get(1)?.as_f64()?);
    Some(format!("{x} {y}"))
}

/// A geometry literal as GeoJSON text.
pub(super) fn geojson(term: &Term) -> Option<Term> {
    let Term::Literal(literal) = term else { return None };
    let value = literal.value().trim();
    let plainly = if value.starts_with('{') { geojson_text(value) } else { wkt_to_geojson(value) };
    let geometry = plainly.or_else(|| match wkt(term)? {
        Term::Literal(shape) => wkt_to_geojson(shape.value()),
        _ => None,
    })?;
    string(&geometry)
}

fn geojson_text(value: &str) -> Option<String> {
    let geometry: geojson::Geometry = value.parse().ok()?;
    has_finite_numbers(&geometry.to_string()).then(|| geometry.to_string())
}

/// WKT, with or without the coordinate system that GeoSPARQL puts before it.
fn wkt_to_geojson(value: &str) -> Option<String> {
    let (axes, bare) = match value.strip_prefix('<') {
        Some(rest) => {
            let (system, wkt) = rest.split_once('>')?;
            (Axes::of(system)?, wkt.trim())
        }
        // EWKT (`SRID=4326;…`) is longitude first.
        None => match value.split_once(';') {
            Some((srid, wkt)) => (Axes::of_srid(srid)?, wkt.trim()),
            None => (Axes::LongitudeFirst, value),
        },
    };
    let upper = bare.to_uppercase();
    if let Some(envelope) = upper.strip_prefix("ENVELOPE") {
        return envelope_to_geojson(envelope);
    }
    // Collections nest, and are no area.
    if upper.starts_with("GEOMETRYCOLLECTION") {
        return None;
    }
    let parsed: wkt::Wkt<f64> = wkt::Wkt::from_str(&upper).ok()?;
    let swap = axes == Axes::LatitudeFirst && coordinates(&parsed).iter().all(|coord| coord.x.abs() <= 90.0);
    let geometry = wkt_geometry(&parsed, swap)?;
    has_finite_numbers(&geometry.to_string()).then(|| geometry.to_string())
}

/// The order of a coordinate system's axes. Systems that measure metres are none of these: reading them
/// as degrees would put a town into the sea.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axes {
    LongitudeFirst,
    LatitudeFirst,
}

impl Axes {
    /// By the IRI before a WKT literal (GeoSPARQL 1.1, 8.5.1).
    fn of(system: &str) -> Option<Self> {
        let code = system.trim_end_matches('/').rsplit(['/', ':']).next()?;
        match code {
            "CRS84" | "CRS84h" => Some(Self::LongitudeFirst),
            // WGS 84 and ETRS89 of the EPSG register.
            "4326" | "4258" => Some(Self::LatitudeFirst),
            _ => None,
        }
    }

    fn of_srid(srid: &str) -> Option<Self> {
        let code = srid.trim().to_uppercase();
        matches!(code.strip_prefix("SRID="), Some("4326" | "4258")).then_some(Self::LongitudeFirst)
    }
}

/// `ENVELOPE(west, east, north, south)`, as CSW and Solr write boxes.
fn envelope_to_geojson(numbers: &str) -> Option<String> {
    let inner = numbers.trim().strip_prefix('(')?.strip_suffix(')')?;
    let numbers: Vec<f64> = inner.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().ok()?;
    let [west, east, north, south] = numbers.as_slice() else { return None };
    Some(Extent::new([*west, *south, *east, *north])?.geojson().to_string())
}

fn coordinates(geometry: &wkt::Wkt<f64>) -> Vec<wkt::types::Coord<f64>> {
    match geometry {
        wkt::Wkt::Point(point) => point.coord().copied().into_iter().collect(),
        wkt::Wkt::LineString(line) => line.coords().to_vec(),
        wkt::Wkt::Polygon(polygon) => polygon.rings().iter().flat_map(|ring| ring.coords().to_vec()).collect(),
        wkt::Wkt::MultiPolygon(polygons) => polygons
            .polygons()
            .iter()
            .flat_map(|polygon| polygon.rings().iter().flat_map(|ring| ring.coords().to_vec()))
            .collect(),
        _ => Vec::new(),
    }
}

fn wkt_geometry(geometry: &wkt::Wkt<f64>, swap: bool) -> Option<serde_json::Value> {
    use serde_json::json;
    let point =
        |coord: &wkt::types::Coord<f64>| if swap { json!([coord.y, coord.x]) } else { json!([coord.x, coord.y]) };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Option<String> {
        match wkt(&Literal::new_simple_literal(written).into())? {
            Term::Literal(literal) => Some(literal.value().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn shapes_are_read_in_all_the_forms_that_catalogues_write() {
        let square = "POLYGON((-81 35,-80.5 35,-80.5 35.5,-81 35.5,-81 35))";
        for (written, shape) in [
            (r#"{"type":"envelope","coordinates":[[-81,35],[-80.5,35.5]]}"#, Some(square)),
            (r#"{"type":"envelope","coordinates":[[-81,35.5],[-80.5,35]]}"#, Some(square)),
            (r#"{"type":"Envelope","coordinates":[[-80.5,35.5],[-81,35]]}"#, Some(square)),
            ("35.25,-80.75", Some("POINT(-80.75 35.25)")),
            ("35.25 -80.75", Some("POINT(-80.75 35.25)")),
            ("-120.5, 35.25", Some("POINT(-120.5 35.25)")),
            (
                "<gml:Point srsName=\"CRS84\"><gml:pos>-80.75 35.25</gml:pos></gml:Point>",
                Some("POINT(-80.75 35.25)"),
            ),
            (
                "POLYGON((172 -10,184 -10,184 10,172 10,172 -10))",
                Some(
                    "MULTIPOLYGON(((172 -10,180 -10,180 10,172 10,172 -10)),((-180 -10,-176 -10,-176 10,-180 10,-180 -10)))",
                ),
            ),
            ("12,5", None),
            ("1-2, 3-4", None),
            ("Mecklenburg County, NC", None),
        ] {
            assert_eq!(read(written).as_deref(), shape, "{written}");
        }
    }

    #[test]
    fn the_box_of_a_shape_that_is_cut_at_180_degrees_is_around_it() {
        let cut = "MULTIPOLYGON(((172 -10,180 -10,180 10,172 10,172 -10)),((-180 -10,-176 -10,-176 10,-180 10,-180 -10)))";
        let of = |text: &str| lat_long_box(&Literal::new_simple_literal(text).into()).unwrap().to_string();
        assert_eq!(of(cut), "\"-10 172 10 -176\"");
        assert_eq!(of("POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"), "\"-90 -180 90 180\"");
    }
}
