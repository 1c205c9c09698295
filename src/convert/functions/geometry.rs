//! Boxes, WKT and GeoJSON.

use super::extent::Extent;
use super::string;
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

/// A shape written as GeoJSON (a geometry, a feature or several) or as WKT, as a WKT literal.
pub(super) fn wkt(term: &Term) -> Option<Term> {
    let Term::Literal(literal) = term else { return None };
    let written = literal.value().trim();
    let shape = if written.starts_with('{') {
        let document: geojson::GeoJson = written.parse().ok()?;
        let shape = geojson_to_wkt(&serde_json::to_value(shape_of(document)?).ok()?)?;
        wkt_to_geojson(&shape).is_some().then_some(shape)?
    } else {
        wkt_to_geojson(written).map(|_| written.to_owned())?
    };
    Some(Literal::new_typed_literal(shape, geosparql::WKT_LITERAL).into())
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
    let [south, west, north, east] = corners?;
    string(&format!("{south} {west} {north} {east}"))
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
    let geometry = if value.starts_with('{') { geojson_text(value)? } else { wkt_to_geojson(value)? };
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
