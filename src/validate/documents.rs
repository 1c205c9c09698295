//! Documents of shapes or data, read whole, with the documents that shapes import (SHACL 3.1.1).

use crate::fetch::{Body, FetchError};
use crate::lift::{Contexts, Input, LiftError, open, read, read_valid};
use crate::triples::{Graph, GraphBuilder};
use crate::vocab::{owl, rdf};
use oxrdf::{BlankNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfFormat;
use rustc_hash::FxHashSet;
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
    #[error("{document} is imported and cannot be fetched")]
    Fetch {
        /// Its address.
        document: String,
        /// Why.
        #[source]
        source: Box<FetchError>,
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

/// Fetches an import.
pub type FetchImport<'f> = &'f dyn Fn(&Url) -> Result<Fetched, FetchError>;

/// What documents are read for: blank nodes of one role are not those of another, whatever their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What is validated.
    Data,
    /// What is read with the data.
    Vocabulary,
    /// What validates.
    Shapes,
}

impl Role {
    fn letter(self) -> char {
        match self {
            Self::Data => 'd',
            Self::Vocabulary => 'v',
            Self::Shapes => 's',
        }
    }
}

/// What documents hold together.
#[derive(Debug)]
pub struct Documents {
    /// All their triples.
    pub graph: Graph,
    /// The imports that no given document answers, when none is fetched.
    pub missing_imports: Vec<String>,
    /// The imports that a given file was taken for, by its name alone.
    pub taken_by_name: Vec<(String, PathBuf)>,
}

impl Documents {
    /// Reads files into one graph, as they are.
    ///
    /// # Errors
    /// When one cannot be read as RDF to its end.
    pub fn read(paths: &[impl AsRef<Path>], role: Role) -> Result<Graph, DocumentError> {
        let mut reader = Reader::new(role);
        for path in paths {
            reader.read_file(path.as_ref())?;
        }
        Ok(reader.builder.build())
    }

    /// Reads a Turtle text, without its imports.
    ///
    /// # Errors
    /// When it is not Turtle to its end.
    pub fn of_text(text: &str, role: Role) -> Result<Graph, DocumentError> {
        let page = Url::parse("https://moisson.dev/shapes").expect("a static address");
        let mut reader = Reader::new(role);
        reader.take(&Input::document(page, RdfFormat::Turtle, Body::Memory(text.as_bytes().into())))?;
        Ok(reader.builder.build())
    }

    /// Reads files of shapes with their `owl:imports`.
    ///
    /// A given file answers an import when it describes that ontology or has that address. Files may import
    /// files beside them. Other imports are fetched when `fetch` is given; otherwise another given file of
    /// the same name is taken for them, which the outcome says, or they are missing.
    ///
    /// # Errors
    /// When a document cannot be fetched or read as RDF to its end.
    pub fn with_imports(
        paths: &[impl AsRef<Path>],
        fetch: Option<FetchImport<'_>>,
    ) -> Result<Self, DocumentError> {
        let mut reader = Reader::new(Role::Shapes);
        for path in paths {
            reader.read_file(path.as_ref())?;
        }
        Self::read_wanted(reader, paths, fetch)
    }

    /// Reads shapes from an address, with their `owl:imports`.
    ///
    /// # Errors
    /// When a document cannot be fetched or read as RDF to its end.
    pub fn fetched(address: &str, fetch: FetchImport<'_>) -> Result<Self, DocumentError> {
        let mut reader = Reader::new(Role::Shapes);
        reader.known.insert(bare(address).to_owned());
        reader.read_import(address, Some(fetch))?;
        Self::read_wanted(reader, &[] as &[&Path], Some(fetch))
    }

    /// Reads what was imported so far, and what that imports.
    fn read_wanted(
        mut reader: Reader,
        paths: &[impl AsRef<Path>],
        fetch: Option<FetchImport<'_>>,
    ) -> Result<Self, DocumentError> {
        let (mut missing_imports, mut taken_by_name) = (Vec::new(), Vec::new());
        while let Some((importer, import)) = reader.wanted.pop() {
            if reader.known.contains(bare(&import)) {
                continue;
            }
            if fetch.is_none()
                && let Some(file) = file_of_name(paths, bare(&import), &importer)
            {
                reader.known.insert(bare(&import).to_owned());
                taken_by_name.push((import, file));
                continue;
            }
            reader.known.insert(bare(&import).to_owned());
            if reader.count >= paths.len() + MAX_IMPORTS {
                return Err(DocumentError::TooMany { document: import });
            }
            if !reader.read_import(&import, fetch)? {
                missing_imports.push(import);
            }
        }
        missing_imports.sort();
        taken_by_name.sort();
        Ok(Self { graph: reader.builder.build(), missing_imports, taken_by_name })
    }
}

/// A given file with the name of an import, other than the one that imports it.
fn file_of_name(paths: &[impl AsRef<Path>], import: &str, importer: &Url) -> Option<PathBuf> {
    let name = import.rsplit('/').next().filter(|name| name.contains('.') && !name.starts_with("www."))?;
    let importer = importer.to_file_path().ok()?;
    paths.iter().map(AsRef::as_ref).find_map(|path| {
        let absolute = std::path::absolute(path).ok()?;
        let fits = absolute.file_name().is_some_and(|own| own == name) && absolute != importer;
        fits.then(|| path.to_owned())
    })
}

struct Reader {
    role: Role,
    builder: GraphBuilder,
    count: usize,
    /// Ontologies and addresses that were read, without their fragments.
    known: FxHashSet<String>,
    /// Imports, each with the document that names it.
    wanted: Vec<(Url, String)>,
}

impl Reader {
    fn new(role: Role) -> Self {
        Self { role, builder: GraphBuilder::new(), count: 0, known: FxHashSet::default(), wanted: Vec::new() }
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
        let fetched = fetch(&url).map_err(|source| DocumentError::Fetch { document, source: Box::new(source) })?;
        self.read_document(&fetched.url, fetched.content_type.as_deref(), fetched.body)?;
        Ok(true)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), DocumentError> {
        let failed = |source| DocumentError::File { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(failed)?;
        let url = Url::from_file_path(&absolute).map_err(|()| failed(std::io::ErrorKind::InvalidInput.into()))?;
        self.read_document(&url, None, Body::File(absolute)).map_err(|error| match error {
            DocumentError::Lift(LiftError::Io { source, .. }) => failed(source),
            other => other,
        })
    }

    fn read_document(&mut self, url: &Url, content_type: Option<&str>, body: Body) -> Result<(), DocumentError> {
        let input = open(url, content_type, body)?;
        self.known.insert(bare(url.as_str()).to_owned());
        self.take(&input)
    }

    fn take(&mut self, input: &Input) -> Result<(), DocumentError> {
        let number = self.count;
        self.count += 1;
        let start = self.builder.len();
        let io = |source| LiftError::Io { page: input.page.to_string(), source };
        if read_valid(input, |triple| self.insert(triple, number, &input.page)).map_err(io)? {
            return Ok(());
        }
        // Not valid throughout: the lenient reading mends it, or says where it is broken.
        self.builder.truncate(start);
        let reading = read(input, &Contexts::default(), |lifted| self.insert(lifted.triple, number, &input.page))?;
        match reading.problems.into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(DocumentError::Syntax {
                document: input.page.to_string(),
                line: problem.line,
                message: problem.message,
            }),
        }
    }

    fn insert(&mut self, triple: Triple, document: usize, page: &Url) {
        let triple = distinct(triple, self.role, document);
        self.note_ontology(&triple, page);
        self.builder.insert(&triple);
    }

    fn note_ontology(&mut self, triple: &Triple, page: &Url) {
        if triple.predicate == owl::IMPORTS {
            // A document from afar has no say over files here.
            if let Term::NamedNode(import) = &triple.object
                && (page.scheme() == "file" || !import.as_str().starts_with("file:"))
            {
                self.wanted.push((page.clone(), import.as_str().to_owned()));
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

/// Keeps the blank nodes of several documents and roles apart.
fn distinct(mut triple: Triple, role: Role, number: usize) -> Triple {
    let rename =
        |node: &BlankNode| BlankNode::new_unchecked(format!("{}{number}{}", role.letter(), node.as_str()));
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
    fn a_file_is_taken_for_an_import_of_its_name_but_never_for_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let import = |name: &str| {
            format!("<http://a.example/x> <http://www.w3.org/2002/07/owl#imports> <http://b.example/{name}> .")
        };
        let (shapes, more) = (folder.path().join("shapes.ttl"), folder.path().join("more.ttl"));
        std::fs::write(&shapes, format!("{} {}", import("shapes.ttl"), import("more.ttl"))).unwrap();
        std::fs::write(&more, BESIDE).unwrap();
        let documents = Documents::with_imports(&[shapes, more.clone()], None).unwrap();
        assert_eq!(documents.missing_imports, ["http://b.example/shapes.ttl"]);
        assert_eq!(documents.taken_by_name, [("http://b.example/more.ttl".to_owned(), more)]);
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
        let error = Documents::read(&[path], Role::Shapes).unwrap_err();
        assert!(error.to_string().contains("broken.ttl, line 2"), "{error}");
    }
}
