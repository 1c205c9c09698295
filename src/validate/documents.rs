//! Documents of shapes or data, read whole, with the documents that shapes import (SHACL 3.1.1).

use crate::fetch::Body;
use crate::lift::{Contexts, Input, LiftError, detect, prepare, read, read_valid};
use crate::triples::{Graph, GraphBuilder};
use crate::vocab::{owl, rdf};
use oxrdf::{BlankNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfFormat;
use rustc_hash::FxHashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use url::Url;

/// More imported documents than this are not followed.
const MAX_IMPORTS: usize = 100;

/// A document that cannot be read into a graph.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not RDF.
    #[error(transparent)]
    Lift(#[from] LiftError),
    /// The file cannot be opened.
    #[error("{path}: the file cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Broken syntax: half the shapes would be other shapes.
    #[error("{document}, line {line}: {message}")]
    Syntax {
        /// The document's address.
        document: String,
        /// The line, from 1.
        line: u32,
        /// The parser's words.
        message: String,
    },
    /// An import that could not be fetched.
    #[error("{document} is imported and cannot be fetched: {reason}")]
    Fetch {
        /// Its address.
        document: String,
        /// Why.
        reason: String,
    },
    /// Imports without end.
    #[error("more than {MAX_IMPORTS} documents are imported; the last is {document}")]
    TooMany {
        /// The document that is one too many.
        document: String,
    },
}

/// A fetched document: its address after redirects, its Content-Type and its bytes.
#[derive(Debug)]
pub struct Fetched {
    /// The address after redirects.
    pub url: Url,
    /// The header, as sent.
    pub content_type: Option<String>,
    /// The bytes.
    pub body: Body,
}

/// Fetches an import; the error is a sentence.
pub type FetchImport<'f> = &'f dyn Fn(&Url) -> Result<Fetched, String>;

/// What documents hold together.
#[derive(Debug)]
pub struct Documents {
    /// All their triples.
    pub graph: Graph,
    /// The imports that no given document answers, when none is fetched.
    pub missing_imports: Vec<String>,
}

impl Documents {
    /// Reads files into one graph, as they are.
    ///
    /// # Errors
    /// When one cannot be read as RDF to its end.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Graph, DocumentError> {
        let mut reader = Reader::default();
        for path in paths {
            reader.read_file(path.as_ref())?;
        }
        Ok(reader.builder.build())
    }

    /// Reads a Turtle text, without its imports.
    ///
    /// # Errors
    /// When it is not Turtle to its end.
    pub fn of_text(text: &str) -> Result<Graph, DocumentError> {
        let page = Url::parse("https://moisson.dev/shapes").expect("a static address");
        let mut reader = Reader::default();
        reader.take(&Input { page, format: RdfFormat::Turtle, body: Body::Memory(text.as_bytes().into()) })?;
        Ok(reader.builder.build())
    }

    /// Reads files of shapes with their `owl:imports`.
    ///
    /// A given file answers an import when it describes that ontology, has that address, or ends in the
    /// same file name. Files may import files beside them. Other imports are fetched when `fetch` is
    /// given, and are missing otherwise.
    ///
    /// # Errors
    /// When a document cannot be fetched or read as RDF to its end.
    pub fn with_imports(
        paths: &[impl AsRef<Path>],
        fetch: Option<FetchImport<'_>>,
    ) -> Result<Self, DocumentError> {
        let mut reader = Reader::default();
        for path in paths {
            reader.read_file(path.as_ref())?;
        }
        let mut missing_imports = Vec::new();
        while let Some(import) = reader.wanted.pop() {
            if reader.has(&import) {
                continue;
            }
            reader.known.insert(import.clone());
            if reader.count >= paths.len() + MAX_IMPORTS {
                return Err(DocumentError::TooMany { document: import });
            }
            if !reader.read_import(&import, fetch)? {
                missing_imports.push(import);
            }
        }
        missing_imports.sort();
        Ok(Self { graph: reader.builder.build(), missing_imports })
    }
}

#[derive(Default)]
struct Reader {
    builder: GraphBuilder,
    count: usize,
    /// Ontologies and addresses that were read, without their fragments.
    known: FxHashSet<String>,
    file_names: FxHashSet<String>,
    wanted: Vec<String>,
}

impl Reader {
    fn has(&self, import: &str) -> bool {
        let bare = bare(import);
        self.known.contains(bare) || file_name(bare).is_some_and(|name| self.file_names.contains(name))
    }

    /// Reads an import from beside its importer, or from afar. Returns whether that could be tried.
    fn read_import(&mut self, import: &str, fetch: Option<FetchImport<'_>>) -> Result<bool, DocumentError> {
        let Ok(url) = Url::parse(bare(import)) else { return Ok(false) };
        if url.scheme() == "file" {
            // Only a local file's own relative reference may lead to a file; see `take`.
            return match url.to_file_path() {
                Ok(path) if path.exists() => self.read_file(&path).map(|()| true),
                _ => Ok(false),
            };
        }
        let Some(fetch) = fetch else { return Ok(false) };
        let document = import.to_owned();
        let fetched = fetch(&url).map_err(|reason| DocumentError::Fetch { document, reason })?;
        self.read_document(&fetched.url, fetched.content_type.as_deref(), fetched.body)?;
        Ok(true)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), DocumentError> {
        let failed = |source| DocumentError::File { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(failed)?;
        let url = Url::from_file_path(&absolute).map_err(|()| failed(std::io::ErrorKind::InvalidInput.into()))?;
        if let Some(name) = file_name(url.as_str()) {
            self.file_names.insert(name.to_owned());
        }
        self.read_document(&url, None, Body::File(absolute)).map_err(|error| match error {
            DocumentError::Lift(LiftError::Io { source, .. }) => failed(source),
            other => other,
        })
    }

    fn read_document(&mut self, url: &Url, content_type: Option<&str>, body: Body) -> Result<(), DocumentError> {
        let io = |source| LiftError::Io { page: url.to_string(), source };
        let mut start = Vec::new();
        body.open().map_err(io)?.take(4_096).read_to_end(&mut start).map_err(io)?;
        let format = detect(url, content_type, &start)?;
        let input = prepare(url, format, content_type, body)?;
        self.known.insert(bare(url.as_str()).to_owned());
        self.take(&input)
    }

    fn take(&mut self, input: &Input) -> Result<(), DocumentError> {
        let number = self.count;
        self.count += 1;
        let is_local = input.page.scheme() == "file";
        let start = self.builder.len();
        let io = |source| LiftError::Io { page: input.page.to_string(), source };
        if read_valid(input, |triple| self.insert(triple, number, is_local)).map_err(io)? {
            return Ok(());
        }
        // Not valid throughout: the lenient reading mends it, or says where it is broken.
        self.builder.truncate(start);
        let reading = read(input, &Contexts::default(), |lifted| self.insert(lifted.triple, number, is_local))?;
        match reading.problems.into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(DocumentError::Syntax {
                document: input.page.to_string(),
                line: problem.line,
                message: problem.message,
            }),
        }
    }

    fn insert(&mut self, triple: Triple, document: usize, is_local: bool) {
        let triple = if document == 0 { triple } else { distinct(triple, document) };
        self.note_ontology(&triple, is_local);
        self.builder.insert(&triple);
    }

    fn note_ontology(&mut self, triple: &Triple, is_local: bool) {
        if triple.predicate == owl::IMPORTS {
            // A document from afar has no say over files here.
            if let Term::NamedNode(import) = &triple.object
                && (is_local || !import.as_str().starts_with("file:"))
            {
                self.wanted.push(import.as_str().to_owned());
            }
        } else if triple.predicate == rdf::TYPE
            && let (NamedOrBlankNode::NamedNode(subject), Term::NamedNode(class)) =
                (&triple.subject, &triple.object)
            && *class == owl::ONTOLOGY
        {
            self.known.insert(bare(subject.as_str()).to_owned());
        }
    }
}

/// An address without its fragment: `…/skos/core#` is read from `…/skos/core`.
fn bare(address: &str) -> &str {
    address.split('#').next().unwrap_or(address)
}

/// The last segment of an address, when it looks like a file's name.
fn file_name(address: &str) -> Option<&str> {
    address.rsplit('/').next().filter(|name| name.contains('.') && !name.starts_with("www."))
}

/// Keeps the blank nodes of several documents apart.
fn distinct(mut triple: Triple, number: usize) -> Triple {
    let rename = |node: &BlankNode| BlankNode::new_unchecked(format!("f{number}{}", node.as_str()));
    if let NamedOrBlankNode::BlankNode(node) = &triple.subject {
        triple.subject = rename(node).into();
    }
    if let Term::BlankNode(node) = &triple.object {
        triple.object = rename(node).into();
    }
    triple
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "@prefix owl: <http://www.w3.org/2002/07/owl#> . <http://a.example/main> a owl:Ontology ; owl:imports <beside.ttl>, <http://a.example/given#>, <http://a.example/afar.ttl> .";
    const GIVEN: &str =
        "<http://a.example/given> a <http://www.w3.org/2002/07/owl#Ontology> ; <http://a.example/p> _:a .";
    const BESIDE: &str = "<http://a.example/beside> <http://a.example/p> _:a .";
    const AFAR: &str = "<http://a.example/afar> <http://a.example/p> 1 ; <http://www.w3.org/2002/07/owl#imports> <file:///etc/passwd> .";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("main.ttl", MAIN), ("given.ttl", GIVEN), ("beside.ttl", BESIDE)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn an_import_is_answered_by_a_given_file_or_one_beside() {
        let folder = folder();
        let paths = [folder.path().join("main.ttl"), folder.path().join("given.ttl")];
        let documents = Documents::with_imports(&paths, None).unwrap();
        assert_eq!(documents.missing_imports, ["http://a.example/afar.ttl"]);
        assert_eq!(documents.graph.len(), 4 + 2 + 1);
    }

    #[test]
    fn an_import_is_fetched_when_asked_for_and_reaches_no_file() {
        let folder = folder();
        let paths = [folder.path().join("main.ttl"), folder.path().join("given.ttl")];
        let asked = std::cell::RefCell::new(Vec::new());
        let fetch = |url: &Url| {
            asked.borrow_mut().push(url.to_string());
            let body = Body::Memory(AFAR.as_bytes().into());
            Ok(Fetched { url: url.clone(), content_type: Some("text/turtle".to_owned()), body })
        };
        let documents = Documents::with_imports(&paths, Some(&fetch)).unwrap();
        assert_eq!(*asked.borrow(), ["http://a.example/afar.ttl"]);
        assert_eq!(documents.missing_imports, Vec::<String>::new());
        assert_eq!(documents.graph.len(), 4 + 2 + 1 + 2);
    }

    #[test]
    fn broken_shapes_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.ttl");
        std::fs::write(&path, "<http://a/> <http://b/> 1 .\n<http://a/> oops .\n").unwrap();
        let error = Documents::read(&[path]).unwrap_err();
        assert!(error.to_string().contains("broken.ttl, line 2"), "{error}");
    }
}
