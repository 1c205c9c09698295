//! Putting the rows of the record queries into a record.

use super::record::{
    Checksum, ContactPoint, HarvestInfo, Organization, Record, Resource, Spatial, TemporalCoverage,
};
use super::rows::{Fields, Nodes, Rows, Value};
use crate::store::{CatalogueRecord, GraphNames};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Makes the record of a catalogue record and its rows.
pub(super) fn assemble(about: &CatalogueRecord, rows: &Rows, names: &GraphNames) -> Record {
    let none = Fields::new();
    let fields = rows.get("fields").and_then(|nodes| nodes.values().next()).unwrap_or(&none);
    let own = Own { about, names };
    let uri = own.published(about.node.as_str());
    let empty = Nodes::new();
    let of = |query: &str| rows.get(query).unwrap_or(&empty);
    let (temporal_coverage, periods) = temporal(of("coverage"));
    let licence = best_pair(fields, "licence");
    let mut record = Record {
        id: about.key.to_string(),
        r#type: best(fields, "type").unwrap_or_default(),
        remote_id: about.remote_id.clone(),
        remote_url: best(fields, "remote_url"),
        title: best(fields, "title"),
        acronym: best(fields, "acronym"),
        description: best(fields, "description"),
        tags: all(fields, "tags"),
        license: licence.0,
        license_uri: licence.1,
        frequency: best(fields, "frequency"),
        temporal_coverage,
        spatial: spatial(of("coverage")),
        contact_points: contact_points(of("contacts")),
        organization: organization(fields),
        access_type: best(fields, "access_type"),
        themes: all(fields, "themes"),
        hvd: all(fields, "hvd"),
        created_at: best(fields, "created_at"),
        modified_at: best(fields, "modified_at"),
        resources: of("resources")
            .iter()
            .chain(of("parts"))
            .map(|((node, _), fields)| own.resource(node, fields))
            .collect(),
        extras: extras(fields, periods),
        harvest: harvest(about, fields, uri.clone()),
        uri,
    };
    record.harvest.remote_url.clone_from(&record.remote_url);
    record.resources.sort_by(|a, b| (&a.title, &a.id).cmp(&(&b.title, &b.id)));
    record
}

/// The value of the lowest rank, then the first in the alphabet.
fn best(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name)?.iter().min().map(|value| value.text.clone())
}

/// The best value of a field that has two parts, apart by a space; either may be missing.
fn best_pair(fields: &Fields, name: &str) -> (Option<String>, Option<String>) {
    let Some(value) = best(fields, name) else { return (None, None) };
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    value.split_once(' ').map_or((None, None), |(first, second)| (part(first), part(second)))
}

fn all(fields: &Fields, name: &str) -> Vec<String> {
    let values: BTreeSet<&String> = fields.get(name).into_iter().flatten().map(|value| &value.text).collect();
    values.into_iter().cloned().collect()
}

struct Own<'o> {
    about: &'o CatalogueRecord,
    names: &'o GraphNames,
}

impl Own<'_> {
    /// A node's IRI, unless it is one of ours.
    fn published(&self, node: &str) -> Option<String> {
        let is_ours = node.starts_with(self.names.base())
            && (node.contains("/.well-known/genid/") || node.contains("/dataset/"))
            && node.contains(&self.about.key.to_string());
        (!is_ours).then(|| node.to_owned())
    }

    fn resource(&self, node: &str, fields: &Fields) -> Resource {
        let format = best(fields, "format").filter(|format| !format.is_empty());
        let title = best(fields, "title");
        let (algorithm, sum) = best_pair(fields, "checksum");
        let checksum = sum.map(|value| Checksum { r#type: algorithm, value });
        Resource {
            id: Uuid::new_v5(&self.about.key.as_uuid(), node.as_bytes()).to_string(),
            uri: self.published(node),
            title: title.or_else(|| format.as_ref().map(|format| format!("{format} resource"))),
            description: best(fields, "description"),
            url: best(fields, "url"),
            access_url: best(fields, "access_url"),
            format,
            mime: best(fields, "mime"),
            filesize: best(fields, "filesize").and_then(|size| size.parse().ok()),
            checksum,
            r#type: best(fields, "type").unwrap_or_else(|| "main".to_owned()),
            license: best(fields, "license"),
            created_at: best(fields, "created_at"),
            modified_at: best(fields, "modified_at"),
        }
    }
}

fn organization(fields: &Fields) -> Option<Organization> {
    let (uri, name) = best_pair(fields, "organization");
    let found = Organization { name, uri };
    (found != Organization::default()).then_some(found)
}

fn contact_points(nodes: &Nodes) -> Vec<ContactPoint> {
    let found: BTreeSet<ContactPoint> = nodes
        .iter()
        .filter_map(|((_, role), fields)| {
            let organization = best(fields, "organization");
            let name = match (best(fields, "name"), organization) {
                (Some(name), Some(organization)) if name != organization => {
                    Some(format!("{name} ({organization})"))
                }
                (name, organization) => name.or(organization),
            };
            let contact = ContactPoint {
                name,
                email: best(fields, "email"),
                form: best(fields, "form"),
                role: role.clone(),
            };
            (contact.name.is_some() || contact.email.is_some() || contact.form.is_some()).then_some(contact)
        })
        .collect();
    found.into_iter().collect()
}

/// The earliest period, and all of them when there are several.
fn temporal(nodes: &Nodes) -> (Option<TemporalCoverage>, Option<Json>) {
    let periods: BTreeSet<TemporalCoverage> = nodes
        .values()
        .map(|fields| TemporalCoverage { start: best(fields, "start"), end: best(fields, "end") })
        .filter(|period| *period != TemporalCoverage::default())
        .collect();
    let several = (periods.len() > 1).then(|| json!(periods.iter().collect::<Vec<_>>()));
    (periods.into_iter().next(), several)
}

fn spatial(nodes: &Nodes) -> Option<Spatial> {
    let mut polygons: BTreeMap<String, Json> = BTreeMap::new();
    let mut zones = BTreeSet::new();
    for fields in nodes.values() {
        zones.extend(best(fields, "zone"));
        for Value { text, .. } in fields.get("geometry").into_iter().flatten() {
            let Ok(geometry) = serde_json::from_str::<Json>(text) else { continue };
            let coordinates = &geometry["coordinates"];
            let parts: Vec<Json> = match geometry["type"].as_str() {
                Some("Polygon") => vec![coordinates.clone()],
                Some("MultiPolygon") => coordinates.as_array().cloned().unwrap_or_default(),
                _ => Vec::new(),
            };
            polygons.extend(parts.into_iter().map(|polygon| (polygon.to_string(), polygon)));
        }
    }
    let geom = (!polygons.is_empty())
        .then(|| json!({"type": "MultiPolygon", "coordinates": polygons.into_values().collect::<Vec<_>>()}));
    let found = Spatial { geom, zones: zones.into_iter().collect() };
    (found != Spatial::default()).then_some(found)
}

fn extras(fields: &Fields, periods: Option<Json>) -> BTreeMap<String, Json> {
    let mut extras: BTreeMap<String, Json> = fields
        .keys()
        .filter_map(|field| Some((field.strip_prefix("extras.")?.to_owned(), json!(all(fields, field)))))
        .collect();
    extras.extend(periods.map(|periods| ("temporal_coverages".to_owned(), periods)));
    extras
}

fn harvest(about: &CatalogueRecord, fields: &Fields, uri: Option<String>) -> HarvestInfo {
    let host =
        best(fields, "harvest.url").and_then(|url| url::Url::parse(&url).ok()?.host_str().map(ToOwned::to_owned));
    HarvestInfo {
        source: about.source.to_string(),
        backend: best(fields, "harvest.backend"),
        domain: host,
        remote_id: about.remote_id.clone(),
        uri,
        remote_url: None,
        issued_at: best(fields, "harvest.issued_at"),
        modified_at: best(fields, "harvest.modified_at"),
        first_seen: Some(about.first_seen.clone()),
        // Changes without the record; set at each reading.
        last_seen: None,
        archived_at: None,
    }
}
