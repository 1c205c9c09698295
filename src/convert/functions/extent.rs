//! Boxes of longitude and latitude. One that crosses the antimeridian (180°) is cut there (RFC 7946, 3.1.9): drawn in one
//! piece, it would be the rest of the earth.

use serde_json::{Value, json};

/// A box in degrees.
pub(super) struct Extent {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Extent {
    /// `None` where a number is no longitude or latitude.
    pub(super) fn new([west, south, east, north]: [f64; 4]) -> Option<Self> {
        let is_usable = [west, east].iter().all(|degrees| degrees.abs() <= 360.0)
            && [south, north].iter().all(|degrees| degrees.abs() <= 90.0);
        is_usable.then_some(Self { west, south, east, north })
    }

    /// Whether the box crosses the antimeridian.
    pub(super) fn is_cut(&self) -> bool {
        self.longitudes().len() > 1
    }

    /// The intervals of longitude from west to east: two where the box crosses the antimeridian.
    ///
    /// Where west is greater than east, the box crosses if its other side is the narrower one; else the two were swapped.
    fn longitudes(&self) -> Vec<[f64; 2]> {
        let (west, east) = (self.west, self.east);
        let intervals = if west > east && west - east <= 180.0 {
            vec![[east, west]]
        } else if west > east {
            vec![[west, 180.0], [-180.0, east]]
        } else if west >= 180.0 && east > 180.0 {
            vec![[west - 360.0, east - 360.0]]
        } else if east > 180.0 {
            vec![[west, 180.0], [-180.0, east - 360.0]]
        } else if west < -180.0 && east <= -180.0 {
            vec![[west + 360.0, east + 360.0]]
        } else if west < -180.0 {
            vec![[west + 360.0, 180.0], [-180.0, east]]
        } else {
            vec![[west, east]]
        };
        // A box that only touches the antimeridian has one side there, and no area behind it.
        let has_area = |interval: &[f64; 2]| interval[0] < interval[1];
        if intervals.len() > 1 { intervals.into_iter().filter(has_area).collect() } else { intervals }
    }

    fn rings(&self) -> Vec<[[f64; 2]; 5]> {
        let (south, north) = (self.south, self.north);
        let ring =
            |[west, east]: [f64; 2]| [[west, south], [east, south], [east, north], [west, north], [west, south]];
        self.longitudes().into_iter().map(ring).collect()
    }

    /// As well-known text.
    pub(super) fn wkt(&self) -> String {
        let text = |ring: &[[f64; 2]; 5]| ring.map(|[x, y]| format!("{x} {y}")).join(",");
        let rings: Vec<String> = self.rings().iter().map(text).collect();
        match rings.as_slice() {
            [only] => format!("POLYGON(({only}))"),
            rings => format!("MULTIPOLYGON((({})))", rings.join(")),((")),
        }
    }

    /// As a GeoJSON geometry.
    pub(super) fn geojson(&self) -> Value {
        match self.rings().as_slice() {
            [only] => json!({"type": "Polygon", "coordinates": [only]}),
            rings => {
                let polygons: Vec<_> = rings.iter().map(|ring| [ring]).collect();
                json!({"type": "MultiPolygon", "coordinates": polygons})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longitudes(west: f64, east: f64) -> Vec<[f64; 2]> {
        Extent::new([west, -10.0, east, 10.0]).expect("a box").longitudes()
    }

    #[test]
    fn cuts_a_box_where_it_crosses_the_antimeridian() {
        assert_eq!(longitudes(172.0, -176.0), [[172.0, 180.0], [-180.0, -176.0]]);
        assert_eq!(longitudes(172.0, 184.0), [[172.0, 180.0], [-180.0, -176.0]]);
        assert_eq!(longitudes(-188.0, -176.0), [[172.0, 180.0], [-180.0, -176.0]]);
        assert_eq!(longitudes(180.0, -176.0), [[-180.0, -176.0]]);
        assert_eq!(longitudes(172.0, -180.0), [[172.0, 180.0]]);
        assert_eq!(
            Extent::new([172.0, -10.0, -176.0, 10.0]).expect("a box").wkt(),
            "MULTIPOLYGON(((172 -10,180 -10,180 10,172 10,172 -10)),((-180 -10,-176 -10,-176 10,-180 10,-180 -10)))"
        );
    }

    #[test]
    fn leaves_other_boxes_whole() {
        assert_eq!(longitudes(-180.0, 180.0), [[-180.0, 180.0]]);
        assert_eq!(longitudes(2.0, 5.0), [[2.0, 5.0]]);
        assert_eq!(longitudes(190.0, 200.0), [[-170.0, -160.0]]);
        // Corners that were swapped.
        assert_eq!(longitudes(5.0, 2.0), [[2.0, 5.0]]);
        assert!(Extent::new([0.0, -91.0, 1.0, 2.0]).is_none());
    }
}
