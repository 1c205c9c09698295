//! The quality of a source and of its publishers: the averages of their records.

use super::graphs::quality_graph;
use crate::catalog::SourceId;
use crate::derive::{Assessment, Score};
use crate::operations::{LinkRow, Operations, OperationsError};
use crate::store::GraphNames;
use crate::vocab::{http, moisson, xsd};
use oxrdf::{Literal, NamedNode, NamedNodeRef, Quad};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use tokio::runtime::Handle;

/// Records that are assessed together: what is held of them does not grow with the source.
const PORTION: i64 = 2_000;

/// What is known of the addresses of some records: it takes that to score them.
pub struct KnownLinks {
    by_url: HashMap<String, LinkRow>,
}

impl KnownLinks {
    /// What is known of the addresses that some assessments name.
    ///
    /// # Errors
    /// When the operations database fails.
    pub async fn of<'a>(
        operations: &Operations,
        assessments: impl IntoIterator<Item = &'a Assessment>,
    ) -> Result<Self, OperationsError> {
        let urls: Vec<&str> = assessments.into_iter().flat_map(Assessment::addresses).collect();
        Ok(Self { by_url: operations.links(&urls).await? })
    }

    /// The score of a record.
    #[must_use]
    pub fn score(&self, assessment: &Assessment) -> Score {
        assessment.score(&|url| self.by_url.get(url).map(|link| link.answers))
    }
}

impl KnownLinks {
    /// The quality of a record as quads of a graph: its scores, and which of its addresses do not answer.
    #[must_use]
    pub fn quality(&self, graph: &NamedNode, about: &NamedNode, assessment: &Assessment) -> Vec<Quad> {
        let mut quads = quality_graph(graph, about, &self.score(assessment));
        let dead = assessment.addresses().filter_map(|url| self.by_url.get(url)).filter(|link| !link.answers);
        for link in dead {
            let Ok(address) = NamedNode::new(&link.url) else { continue };
            let mut add = |predicate: NamedNodeRef<'_>, object: Literal| {
                quads.push(Quad::new(address.clone(), predicate, object, graph.clone()));
            };
            add(moisson::DEAD_AT, Literal::new_typed_literal(&link.checked_at, xsd::DATE_TIME));
            if let Some(status) = link.status {
                add(http::STATUS_CODE_NUMBER, Literal::from(i32::from(status)));
            }
            if let Some(error) = &link.error {
                add(moisson::LINK_ERROR, Literal::new_simple_literal(error));
            }
        }
        quads
    }
}

/// The scores of a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessed {
    /// The average of all its records; nothing where there are none.
    pub source: Option<Score>,
    /// Those of its publishers, by their IRIs or names.
    pub organizations: BTreeMap<String, Score>,
}

/// Assesses a source by its records, with what is known of their addresses; so many at a time.
///
/// # Errors
/// When the operations database fails.
async fn assessed(operations: &Operations, source: &SourceId, portion: i64) -> Result<Assessed, OperationsError> {
    let (mut all, mut by_organization) = (Score::default(), BTreeMap::<String, Score>::new());
    let mut behind = 0;
    loop {
        let rows = operations.quality_page(source, behind, portion).await?;
        let Some(last) = rows.last() else { break };
        behind = last.id;
        let assessments: Vec<Assessment> =
            rows.par_iter().filter_map(|row| serde_json::from_str(&row.assessment).ok()).collect();
        let links = KnownLinks::of(operations, &assessments).await?;
        let scores: Vec<Score> = assessments.par_iter().map(|assessment| links.score(assessment)).collect();
        for (assessment, score) in assessments.into_iter().zip(&scores) {
            if let Some(organization) = assessment.organization {
                by_organization.entry(organization).or_default().add(score);
            }
            all.add(score);
        }
    }
    let average = |(name, sum): (String, Score)| Some((name, sum.average()?));
    Ok(Assessed {
        source: all.average(),
        organizations: by_organization.into_iter().filter_map(average).collect(),
    })
}

/// The scores of a source as they were noted when its records last changed.
///
/// # Errors
/// When the operations database fails.
pub async fn noted_quality(operations: &Operations, source: &SourceId) -> Result<Assessed, OperationsError> {
    let text = operations.source_quality(source).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Assesses a source anew, notes its scores and those of its publishers, and gives them as a graph.
///
/// # Errors
/// When the operations database fails.
pub fn source_quality(
    runtime: &Handle,
    operations: &Operations,
    names: &GraphNames,
    source: &SourceId,
) -> Result<Vec<Quad>, OperationsError> {
    let found = runtime.block_on(async {
        let found = assessed(operations, source, PORTION).await?;
        let text = serde_json::to_string(&found).expect("scores are plain values");
        operations.note_source_quality(source, &text).await?;
        Ok::<_, OperationsError>(found)
    })?;
    let Assessed { source: score, organizations } = found;
    let graph = names.source_quality(source);
    let mut quads = score.map_or_else(Vec::new, |score| quality_graph(&graph, &names.source(source), &score));
    let named = organizations.iter().filter_map(|(name, score)| Some((NamedNode::new(name).ok()?, score)));
    for (number, (organization, score)) in named.enumerate() {
        let part = NamedNode::new_unchecked(format!("{}/organization-{}", graph.as_str(), number + 1));
        let own = quality_graph(&part, &organization, score);
        quads.extend(own.into_iter().map(|quad| Quad { graph_name: graph.clone().into(), ..quad }));
    }
    Ok(quads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::DatasetKey;
    use crate::operations::{RecordRow, SourceRow};

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn row(source: &SourceId, name: &str) -> RecordRow {
        let assessment =
            Assessment { organization: Some(format!("http://e.example/{}", &name[..1])), ..Assessment::default() };
        RecordRow {
            key: DatasetKey::of(source, name).to_string(),
            source: source.to_string(),
            remote_id: name.to_owned(),
            node: String::new(),
            hash: String::new(),
            violation: 0,
            warning: 0,
            info: 0,
            findings: Vec::new(),
            quality: serde_json::to_string(&assessment.with_conformance(&[])).ok(),
        }
    }

    #[tokio::test]
    async fn a_source_is_assessed_alike_in_whatever_portions() {
        let folder = tempfile::tempdir().unwrap();
        let operations = Operations::open(&folder.path().join("operations.sqlite")).await.unwrap();
        let [source, other] = ["s", "t"].map(|name| SourceId::parse(name).unwrap());
        for (slug, names) in [(&other, &["a1"][..]), (&source, &["a1", "a2", "b1", "b2", "b3"])] {
            let registered =
                SourceRow::unregistered(slug.clone(), format!("http://{slug}.example/"), String::new(), NOW);
            operations.register(&registered).await.unwrap();
            let rows: Vec<RecordRow> = names.iter().map(|name| row(slug, name)).collect();
            operations.write_records(&rows, NOW).await.unwrap();
        }
        let archived = DatasetKey::of(&source, "b2");
        operations.mark(&[archived], None, Some(NOW)).await.unwrap();
        let whole = assessed(&operations, &source, i64::MAX).await.unwrap();
        assert_eq!(whole.source.as_ref().map(|score| score.records), Some(4));
        assert_eq!(whole.organizations.values().map(|score| score.records).collect::<Vec<_>>(), [2, 2]);
        for portion in [1, 2, 4] {
            assert_eq!(assessed(&operations, &source, portion).await.unwrap(), whole, "portions of {portion}");
        }
    }
}
