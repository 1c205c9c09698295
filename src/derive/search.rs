//! The search index: titles, descriptions and keywords of records, with French and English stems.
//!
//! It is made of a snapshot, is brought to a newer one by what changed, and can be thrown away at any time. It says
//! which snapshot it speaks of.

use crate::catalog::DatasetKey;
use crate::store::{CatalogueRecord, Folder, GraphNames, Snapshot};
use crate::vocab::{dcat, dct};
use oxrdf::{GraphNameRef, NamedNodeRef, Term};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter,
    TextAnalyzer,
};
use tantivy::{Index, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term as IndexTerm};

/// Memory of the writer.
const WRITER: usize = 50_000_000;
/// The form of the index; another one is made anew.
const FORM: &str = "1";
/// Words of one search.
const MOST_WORDS: usize = 32;
/// How much more a word of the title says.
const TITLE: f32 = 3.0;

/// What a search finds: the nodes of records, and how well each fits.
pub type Hits = HashMap<String, f32>;

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// There is none yet.
    #[error("there is no search index yet")]
    Missing,
    /// It cannot be read or written.
    #[error("the search index failed")]
    Index(#[from] TantivyError),
    /// Its folder cannot be made.
    #[error("{}: the folder of the search index cannot be used", path.display())]
    File {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// The languages of stems, with the tags of texts in them.
const LANGUAGES: [(&str, Language); 2] = [("fr", Language::French), ("en", Language::English)];

struct Fields {
    key: Field,
    state: Field,
    node: Field,
    /// Titles and other texts, by language.
    texts: [[Field; 2]; 2],
}

/// An index as it was when it was opened.
pub struct SearchIndex {
    index: Index,
    searcher: tantivy::Searcher,
    fields: Fields,
    snapshot: u64,
}

fn folder_of(folder: &Folder) -> PathBuf {
    folder.root().join("search").join(FORM)
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = |language: &str| {
        let indexing =
            TextFieldIndexing::default().set_tokenizer(language).set_index_option(IndexRecordOption::WithFreqs);
        TextOptions::default().set_indexing_options(indexing)
    };
    let key = builder.add_text_field("key", STRING | STORED);
    let state = builder.add_text_field("state", STORED);
    let node = builder.add_text_field("node", STORED);
    let texts = LANGUAGES
        .map(|(tag, _)| ["title", "text"].map(|part| builder.add_text_field(&format!("{part}_{tag}"), text(tag))));
    (builder.build(), Fields { key, state, node, texts })
}

fn prepare(index: &Index) {
    for (tag, language) in LANGUAGES {
        let filter = StopWordFilter::new(language).expect("the library has its stop words");
        let analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(60))
            .filter(LowerCaser)
            .filter(filter)
            .filter(Stemmer::new(language))
            // At last: stems are formed of letters with their accents.
            .filter(AsciiFoldingFilter)
            .build();
        index.tokenizers().register(tag, analyzer);
    }
}

impl SearchIndex {
    /// Opens the index of a store.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(folder: &Folder) -> Result<Self, SearchError> {
        let path = folder_of(folder);
        if !path.join("meta.json").exists() {
            return Err(SearchError::Missing);
        }
        let (_, fields) = schema();
        let index = Index::open_in_dir(&path)?;
        prepare(&index);
        let reader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).num_warming_threads(0).try_into()?;
        // The payload is read before and after, so that it is that of the segments in between.
        loop {
            let before = snapshot_of(&index)?;
            reader.reload()?;
            if snapshot_of(&index)? == before {
                let snapshot = before.ok_or(SearchError::Missing)?;
                return Ok(Self { searcher: reader.searcher(), index, fields, snapshot });
            }
        }
    }

    /// The snapshot that the index speaks of.
    #[must_use]
    pub fn snapshot(&self) -> u64 {
        self.snapshot
    }

    /// The snapshot that the index of a store speaks of now.
    #[must_use]
    pub fn current(folder: &Folder) -> Option<u64> {
        let text = std::fs::read_to_string(folder_of(folder).join("meta.json")).ok()?;
        let meta: serde_json::Value = serde_json::from_str(&text).ok()?;
        meta.get("payload")?.as_str()?.parse().ok()
    }

    /// The records that have all the words, in any of their forms.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn search(&self, words: &str) -> Result<Hits, SearchError> {
        let clauses: Vec<(Occur, Box<dyn Query>)> = words
            .split_whitespace()
            .take(MOST_WORDS)
            .filter_map(|word| Some((Occur::Must, self.word(word)?)))
            .collect();
        if clauses.is_empty() {
            return Ok(Hits::new());
        }
        let query = BooleanQuery::new(clauses);
        let all = usize::try_from(self.searcher.num_docs()).unwrap_or(usize::MAX).max(1);
        let mut hits = Hits::new();
        for (score, address) in self.searcher.search(&query, &TopDocs::with_limit(all).order_by_score())? {
            let document: TantivyDocument = self.searcher.doc(address)?;
            if let Some(node) = document.get_first(self.fields.node).and_then(|value| value.as_str()) {
                hits.insert(node.to_owned(), score);
            }
        }
        Ok(hits)
    }

    /// What finds one word: its stems in any language, in any of the texts; nothing for a stop word.
    fn word(&self, word: &str) -> Option<Box<dyn Query>> {
        let mut alternatives: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for ((tag, _), [title, text]) in LANGUAGES.iter().zip(&self.fields.texts) {
            let mut analyzer = self.index.tokenizers().get(tag)?;
            let mut stems = Vec::new();
            analyzer.token_stream(word).process(&mut |token| stems.push(token.text.clone()));
            for (field, boost) in [(*title, TITLE), (*text, 1.0)] {
                let terms: Vec<(Occur, Box<dyn Query>)> = stems
                    .iter()
                    .map(|stem| {
                        let term = IndexTerm::from_field_text(field, stem);
                        let query: Box<dyn Query> = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
                        (Occur::Must, query)
                    })
                    .collect();
                if !terms.is_empty() {
                    let all = Box::new(BooleanQuery::new(terms));
                    alternatives.push((Occur::Should, Box::new(BoostQuery::new(all, boost))));
                }
            }
        }
        (!alternatives.is_empty()).then(|| Box::new(BooleanQuery::new(alternatives)) as Box<dyn Query>)
    }
}

fn snapshot_of(index: &Index) -> Result<Option<u64>, TantivyError> {
    Ok(index.load_metas()?.payload.and_then(|payload| payload.parse().ok()))
}

/// Brings the index of a store to a snapshot: what changed since the last time is read, and no more.
///
/// # Errors
/// When another process is at it, or a file cannot be written.
pub fn bring_index_to(folder: &Folder, snapshot: &Snapshot, names: &GraphNames) -> Result<(), SearchError> {
    let path = folder_of(folder);
    let (schema, fields) = schema();
    let index = open_or_create(&path, schema)?;
    prepare(&index);
    let mut writer: IndexWriter = index.writer_with_num_threads(1, WRITER)?;
    let mut known = known_states(&index, &fields)?;
    for key in CatalogueRecord::keys(&snapshot.store, names, None) {
        let Some(record) = CatalogueRecord::read(&snapshot.store, names, key) else { continue };
        let state = format!("{} {}", record.hash, record.node);
        if known.remove(&key.to_string()).is_some_and(|known| known == state) {
            continue;
        }
        writer.delete_term(IndexTerm::from_field_text(fields.key, &key.to_string()));
        writer.add_document(document(&fields, snapshot, names, key, &record, &state))?;
    }
    for gone in known.into_keys() {
        writer.delete_term(IndexTerm::from_field_text(fields.key, &gone));
    }
    let mut commit = writer.prepare_commit()?;
    commit.set_payload(&snapshot.number.to_string());
    commit.commit()?;
    Ok(())
}

fn open_or_create(path: &Path, schema: Schema) -> Result<Index, SearchError> {
    let file = |source| SearchError::File { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(file)?;
    let open = tantivy::directory::MmapDirectory::open(path).map_err(TantivyError::from)?;
    match Index::open_or_create(open, schema.clone()) {
        Ok(index) => Ok(index),
        Err(error) => {
            tracing::warn!(%error, "the search index cannot be read: it is made anew");
            std::fs::remove_dir_all(path).map_err(file)?;
            std::fs::create_dir_all(path).map_err(file)?;
            Ok(Index::create_in_dir(path, schema)?)
        }
    }
}

/// The states of the records in the index, by key.
fn known_states(index: &Index, fields: &Fields) -> Result<HashMap<String, String>, TantivyError> {
    let searcher = index.reader()?.searcher();
    let mut known = HashMap::new();
    for segment in searcher.segment_readers() {
        let documents = segment.get_store_reader(10)?;
        for document in documents.iter::<TantivyDocument>(segment.alive_bitset()) {
            let document = document?;
            let text = |field| Some(document.get_first(field)?.as_str()?.to_owned());
            if let (Some(key), Some(state)) = (text(fields.key), text(fields.state)) {
                known.insert(key, state);
            }
        }
    }
    Ok(known)
}

fn document(
    fields: &Fields,
    snapshot: &Snapshot,
    names: &GraphNames,
    key: DatasetKey,
    record: &CatalogueRecord,
    state: &str,
) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_text(fields.key, key.to_string());
    document.add_text(fields.state, state);
    document.add_text(fields.node, record.node.as_str());
    let graph = names.record(key);
    let mut add = |predicate: NamedNodeRef<'_>, part: usize| {
        let graph = GraphNameRef::from(graph.as_ref());
        let subject = record.node.as_ref().into();
        let quads = snapshot.store.quads_for_pattern(Some(subject), Some(predicate), None, Some(graph));
        for quad in quads.filter_map(Result::ok) {
            let Term::Literal(literal) = quad.object else { continue };
            // Tags are missing or wrong often, and each stemmer knows plurals that the other does not.
            for of_language in &fields.texts {
                document.add_text(of_language[part], literal.value());
            }
        }
    };
    add(dct::TITLE, 0);
    add(dct::DESCRIPTION, 1);
    add(dcat::KEYWORD, 1);
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{GraphHash, RecordKind, SourceId};
    use oxrdf::{Literal, NamedNode, Quad};

    fn write(folder: &Folder, names: &GraphNames, titles: &[(&str, &str, &str)]) -> Snapshot {
        let writable = folder.open().unwrap();
        writable.store.clear().unwrap();
        for (name, title, language) in titles {
            let source = SourceId::parse("s").unwrap();
            let key = DatasetKey::of(&source, name);
            let node = NamedNode::new_unchecked(format!("http://e.example/{name}"));
            let record = CatalogueRecord {
                key,
                node: node.clone(),
                kind: RecordKind::Dataset,
                source,
                remote_id: (*name).to_owned(),
                hash: GraphHash::of(title),
                mapping: String::new(),
                first_seen: "2024-01-01T00:00:00Z".to_owned(),
                modified: "2024-01-01T00:00:00Z".to_owned(),
                missing_since: None,
            };
            let title = Literal::new_language_tagged_literal_unchecked(*title, *language);
            let quad = Quad::new(node, dct::TITLE, title, names.record(key));
            writable.store.extend(record.to_quads(names).into_iter().chain([quad])).unwrap();
        }
        folder.publish(&writable.store).unwrap();
        folder.snapshot().unwrap()
    }

    fn found(folder: &Folder, words: &str) -> Vec<String> {
        let hits = SearchIndex::open(folder).unwrap().search(words).unwrap();
        let mut names: Vec<String> =
            hits.into_keys().map(|node| node.rsplit('/').next().unwrap_or_default().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn words_are_found_in_all_their_forms_and_what_changed_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let names = GraphNames::new("https://data.example");
        let first = write(
            &folder,
            &names,
            &[
                ("a", "Les écoles publiques de l'agglomération", "fr"),
                ("b", "Public schools", "en"),
                ("c", "Cycling routes", "en"),
            ],
        );
        assert!(matches!(SearchIndex::open(&folder), Err(SearchError::Missing)));
        bring_index_to(&folder, &first, &names).unwrap();
        assert_eq!(SearchIndex::open(&folder).unwrap().snapshot(), first.number);
        assert_eq!(found(&folder, "ecole"), ["a"]);
        assert_eq!(found(&folder, "AGGLOMÉRATIONS école"), ["a"]);
        assert_eq!(found(&folder, "school"), ["b"]);
        assert_eq!(found(&folder, "route cycle"), ["c"]);
        assert_eq!(found(&folder, "school cycle"), [] as [&str; 0]);
        let second = write(&folder, &names, &[("a", "Les collèges", "fr"), ("b", "Public schools", "en")]);
        bring_index_to(&folder, &second, &names).unwrap();
        assert_eq!(SearchIndex::current(&folder), Some(second.number));
        assert_eq!(found(&folder, "ecole"), [] as [&str; 0]);
        assert_eq!(found(&folder, "collège"), ["a"]);
        assert_eq!(found(&folder, "schools"), ["b"]);
        assert_eq!(found(&folder, "cycling"), [] as [&str; 0]);
    }
}
