//! What clients write of a source: udata's fields, and the settings of `moisson.toml` under `config`.

use crate::config::SourceConfig;
use crate::operations::SourceRow;
use crate::serve::problem::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A source, as clients write it. What is not sent stays as it is.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
pub(crate) struct SourceWrite {
    /// The title, for people; the name in addresses is made of it.
    pub(crate) name: Option<String>,
    /// The name in addresses.
    pub(crate) slug: Option<String>,
    pub(crate) url: Option<String>,
    /// The kind; else what the address or its portal tells.
    pub(crate) backend: Option<String>,
    pub(crate) description: Option<String>,
    /// Settings in the terms of `moisson.toml`, or udata's `filters` and `extra_configs`.
    #[schema(value_type = Option<Object>)]
    pub(crate) config: Option<Value>,
    pub(crate) active: Option<bool>,
    /// An identifier, or an object that has one.
    #[schema(value_type = Option<Object>)]
    pub(crate) organization: Option<Value>,
    /// An identifier, or an object that has one.
    #[schema(value_type = Option<Object>)]
    pub(crate) owner: Option<Value>,
}

impl SourceWrite {
    /// The settings that come of it, over those that there are.
    pub(super) fn over(&self, before: Option<&SourceRow>) -> Result<SourceConfig, Problem> {
        let mut settings = match before {
            Some(row) => SourceConfig { url: row.url.parse().ok(), ..row.settings.clone() },
            None => SourceConfig::default(),
        };
        if let Some(config) = &self.config {
            settings = configured(config, &settings)?;
        }
        if let Some(url) = &self.url {
            let parsed = url.parse().map_err(|error| Problem::invalid("url", format!("{url:?}: {error}")))?;
            settings.url = Some(parsed);
        }
        settings.kind = self.backend.as_ref().map(|name| kind_of(name).to_owned()).filter(|kind| !kind.is_empty());
        settings.title = self.name.clone().or(settings.title).filter(|title| !title.trim().is_empty());
        settings.description = self.description.clone().or(settings.description);
        if let Some(active) = self.active {
            settings.paused = !active;
        }
        if self.organization.is_some() {
            settings.organization = identifier(self.organization.as_ref());
        }
        if self.owner.is_some() {
            settings.owner = identifier(self.owner.as_ref());
        }
        if before.is_none() && self.name.as_ref().is_none_or(|name| name.trim().is_empty()) {
            return Err(Problem::invalid("name", "Field is required".to_owned()));
        }
        if settings.url.is_none() {
            return Err(Problem::invalid("url", "Field is required".to_owned()));
        }
        Ok(settings)
    }
}

fn configured(config: &Value, before: &SourceConfig) -> Result<SourceConfig, Problem> {
    let wrong = |fault: String| Problem::invalid("config", fault);
    let sent = config.as_object().ok_or_else(|| wrong("The configuration should be an object".to_owned()))?;
    let mut merged = match serde_json::to_value(before) {
        Ok(Value::Object(merged)) => merged,
        _ => Map::new(),
    };
    for (name, value) in sent {
        match name.as_str() {
            "filters" => {
                let (include, exclude) = filters(value).map_err(wrong)?;
                merged.insert("include".to_owned(), include.into());
                merged.insert("exclude".to_owned(), exclude.into());
            }
            "extra_configs" => {
                for (key, value) in pairs(value).map_err(wrong)? {
                    merged.insert(key, value);
                }
            }
            // Switches of udata's harvesters, for which there is nothing here to switch.
            "features" => {}
            _ => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    serde_json::from_value(Value::Object(merged)).map_err(|error| wrong(error.to_string()))
}

/// udata's harvesters, by the kinds that read the same sources.
fn kind_of(backend: &str) -> &str {
    match backend {
        "csw-dcat" | "csw-iso-19139" => "csw",
        "dkan" => "ckan",
        "ods" => "opendatasoft",
        other => other,
    }
}

fn identifier(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.as_str().or_else(|| value["id"].as_str()).filter(|id| !id.trim().is_empty()).map(ToOwned::to_owned)
}

/// Filters by key and value; `exclude` among them apart.
fn filters(value: &Value) -> Result<(Vec<Value>, Vec<Value>), String> {
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    let list = value.as_array().ok_or("Filters should be a list")?;
    for filter in list {
        let (key, value) = pair(filter)?;
        // udata calls tags so, in the plural.
        let facet = if key == "tags" { "tag" } else { &key };
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let is_excluded = filter["type"].as_str() == Some("exclude");
        let text = Value::String(format!("{facet}={value}"));
        if is_excluded { exclude.push(text) } else { include.push(text) }
    }
    Ok((include, exclude))
}

fn pairs(value: &Value) -> Result<Vec<(String, Value)>, String> {
    value.as_array().ok_or("Extra configs should be a list")?.iter().map(pair).collect()
}

fn pair(value: &Value) -> Result<(String, Value), String> {
    match (value["key"].as_str(), value.get("value")) {
        (Some(key), Some(value)) => Ok((key.to_owned(), value.clone())),
        _ => Err("A field should have both key and value properties".to_owned()),
    }
}
