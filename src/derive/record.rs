//! The dataset record: the fields of udata's dataset API.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A dataset, series or service, as the platform shows it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Record {
    /// The record's key.
    pub id: String,
    /// `dataset`, `series` or `service`.
    pub r#type: String,
    /// The publisher's node, when it is the publisher's.
    pub uri: Option<String>,
    /// What the source calls the record.
    pub remote_id: String,
    /// The record's page at the source.
    pub remote_url: Option<String>,
    /// In the best language.
    pub title: Option<String>,
    /// A short name.
    pub acronym: Option<String>,
    /// Markdown, in the best language.
    pub description: Option<String>,
    /// Sorted, without repetition.
    pub tags: Vec<String>,
    /// The platform's identifier of the licence.
    pub license: Option<String>,
    /// The licence's IRI.
    pub license_uri: Option<String>,
    /// The platform's name of the frequency.
    pub frequency: Option<String>,
    /// The earliest period; all of them are in `extras`.
    pub temporal_coverage: Option<TemporalCoverage>,
    /// Geometries and named places.
    pub spatial: Option<Spatial>,
    /// People and organisations, with their roles.
    pub contact_points: Vec<ContactPoint>,
    /// The publisher.
    pub organization: Option<Organization>,
    /// `open` or `restricted`.
    pub access_type: Option<String>,
    /// Theme IRIs.
    pub themes: Vec<String>,
    /// High-value categories.
    pub hvd: Vec<String>,
    /// When the data was first published.
    pub created_at: Option<String>,
    /// When the data last changed.
    pub modified_at: Option<String>,
    /// Distributions and documents.
    pub resources: Vec<Resource>,
    /// What the platform has no field for.
    pub extras: BTreeMap<String, serde_json::Value>,
    /// Where the record comes from.
    pub harvest: HarvestInfo,
}

/// A period; either edge may be open.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
pub struct TemporalCoverage {
    /// `YYYY-MM-DD`
    pub start: Option<String>,
    /// `YYYY-MM-DD`
    pub end: Option<String>,
}

/// Where.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Spatial {
    /// All polygons as one GeoJSON `MultiPolygon`.
    #[schema(value_type = Option<Object>)]
    pub geom: Option<serde_json::Value>,
    /// Names of places, else their IRIs.
    pub zones: Vec<String>,
}

/// A contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
pub struct ContactPoint {
    /// The person or organisation.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A page with a form.
    pub form: Option<String>,
    /// `contact`, `publisher`, `creator`, …
    pub role: String,
}

/// A publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Organization {
    /// Its name.
    pub name: Option<String>,
    /// Its IRI.
    pub uri: Option<String>,
}

/// A distribution, or a document that is part of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Resource {
    /// A `UUIDv5` of the record and the resource's node.
    pub id: String,
    /// The resource's node, when it is the publisher's.
    pub uri: Option<String>,
    /// In the best language, else the file's name.
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// The file, else the page that leads to it.
    pub url: Option<String>,
    /// The page that leads to it.
    pub access_url: Option<String>,
    /// Short name of the format.
    pub format: Option<String>,
    /// IANA media type.
    pub mime: Option<String>,
    /// Bytes.
    pub filesize: Option<u64>,
    /// A checksum of the file.
    pub checksum: Option<Checksum>,
    /// `main`, `api` or `other`.
    pub r#type: String,
    /// The licence's identifier, else its IRI.
    pub license: Option<String>,
    /// When it was published.
    pub created_at: Option<String>,
    /// When it last changed.
    pub modified_at: Option<String>,
}

/// A checksum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Checksum {
    /// `md5`, `sha1`, `sha256`, …
    pub r#type: Option<String>,
    /// Hexadecimal.
    pub value: String,
}

/// Where a record comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HarvestInfo {
    /// The source's name.
    pub source: String,
    /// The source's kind.
    pub backend: Option<String>,
    /// The source's host.
    pub domain: Option<String>,
    /// What the source calls the record.
    pub remote_id: String,
    /// The publisher's node.
    pub uri: Option<String>,
    /// The record's page at the source.
    pub remote_url: Option<String>,
    /// The source's date of publication.
    pub issued_at: Option<String>,
    /// The source's date of change.
    pub modified_at: Option<String>,
    /// When the record was first harvested.
    pub first_seen: Option<String>,
    /// When it was last seen at the source.
    pub last_seen: Option<String>,
    /// When it was archived.
    pub archived_at: Option<String>,
}
