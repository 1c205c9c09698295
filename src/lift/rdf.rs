//! Reading RDF as a stream of triples with their lines.

use super::contexts::Contexts;
use super::format::{Format, detect};
use super::lines::{LineReader, Position};
use super::{LiftError, charset, html, repair};
use crate::fetch::Body;
use encoding_rs::UTF_8;
use oxrdf::{BlankNode, NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use oxrdfio::{LoadedDocument, RdfFormat, RdfParseError, RdfParser};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex};
use url::Url;

/// A parser that reports this many faults is given up: the file is not what it says it is.
const MAX_FAULTS: usize = 200;
/// Entities in a document type may be this long: namespaces are, bombs are not.
const MAX_ENTITY: usize = 200;
/// The root element must start within so many bytes.
const MAX_PROLOGUE: u64 = 1 << 18;
/// What is not read as a stream may be this long: JSON-LD, web pages, other encodings than UTF-8.
const MAX_IN_MEMORY: u64 = 512 << 20;

/// A page in UTF-8 whose format is known.
#[derive(Debug, Clone)]
pub struct Input {
    /// The page's address, which is its base IRI.
    pub page: Url,
    /// The syntax.
    pub format: RdfFormat,
    /// The bytes.
    pub body: Body,
}

/// A triple and the line at which it ended.
#[derive(Debug, Clone)]
pub struct LiftedTriple {
    /// The triple, with valid IRIs and numbered blank nodes.
    pub triple: Triple,
    /// The line, from 1.
    pub line: u32,
}

/// A term that was not valid RDF, and what it was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The triple's subject after repair.
    pub subject: NamedOrBlankNode,
    /// The triple's predicate.
    pub predicate: NamedNode,
    /// What the publisher wrote.
    pub written: String,
    /// What it was read as; `None` when it was kept as text.
    pub read_as: Option<String>,
    /// The line, from 1; 0 where there are no lines.
    pub line: u32,
}

/// A place at which the syntax is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// The line, from 1.
    pub line: u32,
    /// The parser's words.
    pub message: String,
    /// The subjects of the last triples before it, from the last one back: of the statement that it cuts
    /// in the Turtle family; in other syntaxes of a stretch that may go further back.
    pub tail: Vec<NamedOrBlankNode>,
    /// Whether reading went on behind it.
    pub recovered: bool,
}

/// Brings a page to UTF-8 and to an RDF syntax, whatever it says of itself.
///
/// # Errors
/// When its format is not known, when it is a web page without JSON-LD, when its document type may not be
/// expanded, or when it is so long that it cannot be brought to UTF-8 in memory.
pub fn open(page: &Url, content_type: Option<&str>, body: Body) -> Result<Input, LiftError> {
    let io = |source| LiftError::Io { page: page.to_string(), source };
    let start = first_bytes(&body).map_err(io)?;
    let encoding = charset::encoding(content_type, &start);
    let format = detect(page, content_type, charset::decode(&start, encoding).as_bytes())?;
    let is_utf8 = encoding == UTF_8 && charset::declared_encoding(&start).is_none_or(|declared| declared == UTF_8);
    let body = if is_utf8 && format != Format::Html {
        body
    } else {
        let text = charset::decode(&read_in_memory(page, &body)?, encoding);
        Body::Memory(text.into_bytes().into())
    };
    match format {
        Format::Html => from_html(page, &body.read().map_err(io)?),
        Format::Rdf(format) => {
            if format == RdfFormat::RdfXml {
                refuse_entity_bombs(page, &first_bytes(&body).map_err(io)?)?;
            }
            Ok(Input { page: page.clone(), format, body })
        }
    }
}

/// The whole of a body that may be held in memory.
pub(super) fn read_in_memory(page: &Url, body: &Body) -> Result<Vec<u8>, LiftError> {
    let io = |source| LiftError::Io { page: page.to_string(), source };
    if body.size().map_err(io)? > MAX_IN_MEMORY {
        return Err(LiftError::TooLong { page: page.to_string(), limit: MAX_IN_MEMORY });
    }
    body.read().map_err(io)
}

fn from_html(page: &Url, bytes: &[u8]) -> Result<Input, LiftError> {
    let text = String::from_utf8_lossy(bytes);
    match html::json_ld(&text) {
        html::Scripts::Read(document) => Ok(Input {
            page: page.clone(),
            format: RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
            body: Body::Memory(document.into_bytes().into()),
        }),
        html::Scripts::Broken(fault) => Err(LiftError::BrokenScript { page: page.to_string(), fault }),
        html::Scripts::None => Err(LiftError::WebPage {
            page: page.to_string(),
            portal: if html::is_of_ckan(&text) { "; it is a page of a CKAN portal: add --kind ckan" } else { "" },
            title: html::title(&text).map_or(String::new(), |title| format!(" titled {title:?}")),
            alternate: html::alternate(&text, page)
                .map_or(String::new(), |url| format!("; it links to {url}: harvest that address instead")),
        }),
    }
}

/// The bytes that formats, charsets and document types are told by.
fn first_bytes(body: &Body) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    body.open()?.take(MAX_PROLOGUE).read_to_end(&mut start)?;
    Ok(start)
}

/// Entities are how RDF/XML files abbreviate namespaces; nested or long ones are how parsers are killed.
fn refuse_entity_bombs(page: &Url, start: &[u8]) -> Result<(), LiftError> {
    static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?s)<!ENTITY\s+(%?)\s*\S+\s+(SYSTEM|PUBLIC|"[^"]*"|'[^']*')"#).expect("a static expression")
    });
    let refused = |what| LiftError::DocumentType { page: page.to_string(), what };
    let text = String::from_utf8_lossy(start);
    let is_whole = (start.len() as u64) < MAX_PROLOGUE;
    let Some(prologue) = prologue(&text) else {
        // Without a root element there is nothing that an entity could be used in.
        return if is_whole {
            Ok(())
        } else {
            Err(refused("so much before its first element that it was not looked through"))
        };
    };
    for entity in ENTITY.captures_iter(prologue) {
        let value = &entity[2];
        let what = if !entity[1].is_empty() || value == "SYSTEM" || value == "PUBLIC" {
            "an external or parameter entity"
        } else if value.contains('&') {
            "an entity made of entities"
        } else if value.len() > MAX_ENTITY {
            "a very long entity"
        } else {
            continue;
        };
        return Err(refused(what));
    }
    Ok(())
}

/// What stands before the root element: declarations, comments, the document type. `None` when the text
/// ends before a root element starts.
fn prologue(text: &str) -> Option<&str> {
    let mut at = 0;
    loop {
        at += text[at..].find('<')?;
        let rest = &text[at..];
        at += if rest.starts_with("<!--") {
            rest.find("-->")? + 3
        } else if rest.starts_with("<?") {
            rest.find("?>")? + 2
        } else if rest.starts_with("<!") {
            doctype_length(rest)?
        } else {
            return Some(&text[..at]);
        };
    }
}

/// The length of a document type, whose subset may hold quotes, comments and declarations of its own.
fn doctype_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '<') if text[at..].starts_with("<!--") => {
                at += text[at..].find("-->")? + 3;
                continue;
            }
            (None, '<' | '[') => depth += 1,
            (None, '>' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '>' {
                    return Some(at + 1);
                }
            }
            (Some(_) | None, _) => {}
        }
        at += c.len_utf8();
    }
    None
}

/// What a reading found besides triples.
#[derive(Debug, Default)]
pub struct Reading {
    /// The broken places, in order.
    pub problems: Vec<SyntaxProblem>,
    /// The terms repaired.
    pub repairs: Vec<Repair>,
}

/// Pages larger than this many bytes are parsed on a thread of their own.
const LARGE: u64 = 1 << 20;
/// Triples handed over together by that thread.
const HANDFUL: usize = 1_024;
/// Handfuls that it may be ahead.
const AHEAD: usize = 64;

/// Reads all triples of a page, in order; a large page is parsed while its first triples are taken.
///
/// # Errors
/// [`LiftError::MissingContext`] when JSON-LD needs a context that `contexts` lacks.
pub fn read(input: &Input, contexts: &Contexts, take: impl FnMut(LiftedTriple)) -> Result<Reading, LiftError> {
    let length = input.body.size().map_err(|source| LiftError::Io { page: input.page.to_string(), source })?;
    if length <= LARGE {
        return parse(input, contexts, take);
    }
    ahead(|take| parse(input, contexts, take), take)
}

/// Reads all triples of a page that is valid throughout, in order and without their lines: twice as fast
/// as [`read`]. Returns whether it was; where it was not, what was taken so far is worth nothing.
///
/// # Errors
/// When the bytes cannot be read.
pub fn read_valid(input: &Input, mut take: impl FnMut(Triple)) -> std::io::Result<bool> {
    // A strict JSON-LD reader drops what is not valid, without a word.
    if matches!(input.format, RdfFormat::JsonLd { .. }) {
        return Ok(false);
    }
    let bytes = input.body.read()?;
    let Ok(parser) = RdfParser::from_format(input.format).with_base_iri(input.page.as_str()) else {
        return Ok(false);
    };
    let parser = parser.for_slice(&bytes);
    let parse = |take: Taker<'_, Triple>| {
        let mut mender = Mender::default();
        for quad in parser {
            let Ok(quad) = quad else { return false };
            take(mender.numbered(quad));
        }
        true
    };
    Ok(if bytes.len() as u64 <= LARGE { parse(&mut take) } else { ahead(parse, take) })
}

/// Repairs the terms of triples that are made of what people wrote: numbers their blank nodes, encodes what IRIs
/// may not have.
#[must_use]
pub fn mend(triples: Vec<Triple>) -> (Vec<Triple>, Vec<Repair>) {
    let mut mender = Mender::default();
    let mut repairs = Vec::new();
    let mended = triples
        .into_iter()
        .map(|triple| mender.mend(triple.in_graph(oxrdf::GraphName::DefaultGraph), 0, &mut repairs).triple)
        .collect();
    (mended, repairs)
}

type Taker<'t, T> = &'t mut dyn FnMut(T);

/// Runs a parser on a thread of its own, while what it gives is taken on this one.
fn ahead<T: Send, R: Send>(parse: impl FnOnce(Taker<'_, T>) -> R + Send, take: impl FnMut(T)) -> R {
    let (sender, receiver) = std::sync::mpsc::sync_channel(AHEAD);
    std::thread::scope(|scope| {
        let parsing = scope.spawn(move || {
            let mut handful = Vec::with_capacity(HANDFUL);
            let outcome = parse(&mut |item| {
                handful.push(item);
                if handful.len() == HANDFUL {
                    let full = std::mem::replace(&mut handful, Vec::with_capacity(HANDFUL));
                    // Nobody receives any more only when the taker panicked, which the scope passes on.
                    let _ = sender.send(full);
                }
            });
            let _ = sender.send(handful);
            outcome
        });
        receiver.into_iter().flatten().for_each(take);
        parsing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn parse(input: &Input, contexts: &Contexts, mut take: impl FnMut(LiftedTriple)) -> Result<Reading, LiftError> {
    let page = || input.page.to_string();
    let source = input.body.open().map_err(|source| LiftError::Io { page: page(), source })?;
    let (reader, position) = LineReader::new(source);
    let missing = Arc::new(Mutex::new(None));
    let parser = RdfParser::from_format(input.format)
        .with_base_iri(input.page.as_str())
        .map_err(|_| LiftError::Base { page: page() })?
        .lenient()
        .for_reader(reader)
        .with_document_loader(loader(contexts.clone(), Arc::clone(&missing)));
    let mut reading = Reading::default();
    let mut mender = Mender::default();
    let mut tail = Tail::default();
    for quad in parser {
        match quad {
            Ok(quad) => {
                let lifted = mender.mend(quad, position.line(), &mut reading.repairs);
                tail.note(&lifted);
                take(lifted);
            }
            Err(RdfParseError::Io(source)) => return Err(LiftError::Io { page: page(), source }),
            Err(RdfParseError::Syntax(error)) if is_stray_text(&error) => {
                reading.repairs.extend(tail.last.as_ref().map(|last| stray_text(last, &error, position.line())));
            }
            Err(RdfParseError::Syntax(error)) => {
                reading.problems.push(problem(&error, input.format, &position, &tail));
                if reading.problems.len() >= MAX_FAULTS
                    || reading.problems.last().is_some_and(|last| !last.recovered)
                {
                    break;
                }
            }
        }
    }
    let is_cut = input.format == RdfFormat::RdfXml
        && reading.problems.is_empty()
        && !ends_with_its_root(input).map_err(|source| LiftError::Io { page: page(), source })?;
    if is_cut {
        reading.problems.push(SyntaxProblem {
            line: position.line(),
            message: "the document ends before its first element is closed".to_owned(),
            tail: tail.behind(0),
            recovered: false,
        });
    }
    let missing = missing.lock().ok().and_then(|mut missing| missing.take());
    match missing {
        Some(url) => Err(LiftError::MissingContext { page: page(), url }),
        None => Ok(reading),
    }
}

/// Whether an XML document ends with the end of its root element: the parser takes the end of the bytes
/// for the end of the document, wherever it comes.
fn ends_with_its_root(input: &Input) -> std::io::Result<bool> {
    static TRAILER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)(?:\s+|<!--.*?-->|<\?.*?\?>)+$").expect("a static expression"));
    let start = first_bytes(&input.body)?;
    let start = String::from_utf8_lossy(&start);
    let Some(prologue) = prologue(&start) else { return Ok(true) };
    let root = &start[prologue.len() + 1..];
    let name = root.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
    let end = input.body.tail(1 << 16)?;
    let end = String::from_utf8_lossy(&end);
    let end = TRAILER.replace(&end, "");
    let Some(tag) = end.rfind('<').map(|at| &end[at..]) else { return Ok(false) };
    let closes =
        tag.strip_prefix("</").and_then(|tag| tag.strip_suffix('>')).is_some_and(|tag| tag.trim() == name);
    let is_alone = tag.ends_with("/>") && tag[1..].starts_with(name);
    Ok(closes || is_alone)
}

/// The subjects of the last triples, for what a syntax error cuts.
#[derive(Default)]
struct Tail {
    subjects: VecDeque<(NamedOrBlankNode, u32)>,
    last: Option<(NamedOrBlankNode, NamedNode)>,
}

impl Tail {
    /// Triples about one subject in a row count once; a description in parts is longer than this rarely.
    const LENGTH: usize = 2_000;

    fn note(&mut self, lifted: &LiftedTriple) {
        let subject = &lifted.triple.subject;
        self.last = Some((subject.clone(), lifted.triple.predicate.clone()));
        match self.subjects.back_mut() {
            Some((last, line)) if last == subject => *line = lifted.line,
            _ => {
                if self.subjects.len() == Self::LENGTH {
                    self.subjects.pop_front();
                }
                self.subjects.push_back((subject.clone(), lifted.line));
            }
        }
    }

    /// The subjects that were spoken of behind a line, from the last one back.
    fn behind(&self, line: u32) -> Vec<NamedOrBlankNode> {
        let behind = self.subjects.iter().rev().take_while(|(_, end)| *end > line);
        behind.map(|(subject, _)| subject.clone()).collect()
    }
}

fn problem(error: &oxrdfio::RdfSyntaxError, format: RdfFormat, position: &Position, tail: &Tail) -> SyntaxProblem {
    let place = error.location().map(|range| u32::try_from(range.start.line + 1).unwrap_or(u32::MAX));
    let line = place.unwrap_or(position.line());
    let recovered = matches!(
        format,
        RdfFormat::Turtle | RdfFormat::TriG | RdfFormat::N3 | RdfFormat::NTriples | RdfFormat::NQuads
    );
    let from = if recovered { position.stop_before(line) } else { 0 };
    SyntaxProblem { line, message: error.to_string(), tail: tail.behind(from), recovered }
}

/// RDF/XML has no text beside an `rdf:resource`, and GeoNetwork writes it. Nothing else is lost by it.
fn is_stray_text(error: &oxrdfio::RdfSyntaxError) -> bool {
    error.to_string().starts_with("Unexpected text event")
}

fn stray_text(
    (subject, predicate): &(NamedOrBlankNode, NamedNode),
    error: &oxrdfio::RdfSyntaxError,
    line: u32,
) -> Repair {
    let written = error.to_string().trim_start_matches("Unexpected text event: ").to_owned();
    Repair { subject: subject.clone(), predicate: predicate.clone(), written, read_as: None, line }
}

type LoadError = Box<dyn std::error::Error + Send + Sync>;

/// Gives known contexts and notes the first that is not. The mutex is written by the parser and read
/// after it is done.
fn loader(
    contexts: Contexts,
    missing: Arc<Mutex<Option<String>>>,
) -> impl Fn(&str) -> Result<LoadedDocument, LoadError> + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe
{
    move |url| {
        if let Some(content) = contexts.get(url) {
            Ok(LoadedDocument {
                url: url.to_owned(),
                content,
                format: RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
            })
        } else {
            if let Ok(mut missing) = missing.lock() {
                missing.get_or_insert_with(|| url.to_owned());
            }
            Err(format!("the context {url} is not at hand").into())
        }
    }
}

/// Numbers blank nodes and repairs IRIs.
#[derive(Default)]
struct Mender {
    blank_nodes: FxHashMap<BlankNode, u32>,
}

impl Mender {
    fn mend(&mut self, quad: Quad, line: u32, repairs: &mut Vec<Repair>) -> LiftedTriple {
        let mut written = Vec::new();
        let subject: NamedOrBlankNode = match quad.subject {
            NamedOrBlankNode::NamedNode(node) => match mend_iri(node, &mut written) {
                Ok(node) => node.into(),
                // A subject without a usable IRI still groups its statements.
                Err(text) => BlankNode::new_unchecked(format!("x{}", crate::catalog::hex(text.as_bytes()))).into(),
            },
            NamedOrBlankNode::BlankNode(node) => self.number(node).into(),
        };
        let predicate = mend_iri(quad.predicate, &mut written).unwrap_or_else(|text| {
            let stand_in = stand_in_predicate(&text);
            written.last_mut().expect("`mend_iri` notes what it cannot mend").1 =
                Some(stand_in.as_str().to_owned());
            stand_in
        });
        let object: Term = match quad.object {
            Term::NamedNode(node) => match mend_iri(node, &mut written) {
                Ok(node) => node.into(),
                Err(text) => oxrdf::Literal::new_simple_literal(text).into(),
            },
            Term::BlankNode(node) => self.number(node).into(),
            Term::Literal(literal) => mend_literal(literal, &mut written).into(),
        };
        for (written, read_as) in written {
            let (subject, predicate) = (subject.clone(), predicate.clone());
            repairs.push(Repair { subject, predicate, written, read_as, line });
        }
        LiftedTriple { triple: Triple { subject, predicate, object }, line }
    }

    fn numbered(&mut self, quad: Quad) -> Triple {
        let subject = match quad.subject {
            NamedOrBlankNode::NamedNode(node) => node.into(),
            NamedOrBlankNode::BlankNode(node) => self.number(node).into(),
        };
        let object = match quad.object {
            Term::BlankNode(node) => self.number(node).into(),
            other => other,
        };
        Triple { subject, predicate: quad.predicate, object }
    }

    fn number(&mut self, node: BlankNode) -> BlankNode {
        let next = u32::try_from(self.blank_nodes.len()).unwrap_or(u32::MAX);
        let number = *self.blank_nodes.entry(node).or_insert(next);
        BlankNode::new_unchecked(format!("b{number}"))
    }
}

/// A property without a usable IRI keeps its statement, under a name of ours that holds what was written.
fn stand_in_predicate(text: &str) -> NamedNode {
    let name: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    NamedNode::new_unchecked(format!("{}/invalid/{name}", crate::vocab::moisson::NAMESPACE.trim_end_matches('#')))
}

type Written = Vec<(String, Option<String>)>;

fn mend_iri(node: NamedNode, written: &mut Written) -> Result<NamedNode, String> {
    let repaired = match repair::iri(node.as_str()) {
        Some(std::borrow::Cow::Borrowed(_)) => return Ok(node),
        Some(std::borrow::Cow::Owned(repaired)) => Some(repaired),
        None => None,
    };
    let text = node.into_string();
    written.push((text.clone(), repaired.clone()));
    repaired.map(NamedNode::new_unchecked).ok_or(text)
}

/// A language tag that is not one would make the exported file unreadable: the text is kept without.
fn mend_literal(literal: oxrdf::Literal, written: &mut Written) -> oxrdf::Literal {
    let Some(tag) = literal.language() else { return mend_datatype(literal, written) };
    if oxilangtag::LanguageTag::parse(tag).is_ok() {
        return literal;
    }
    let underscored = tag.replace('_', "-");
    if oxilangtag::LanguageTag::parse(underscored.as_str()).is_ok() {
        written.push((format!("@{tag}"), Some(format!("@{underscored}"))));
        return oxrdf::Literal::new_language_tagged_literal_unchecked(
            literal.value(),
            underscored.to_ascii_lowercase(),
        );
    }
    written.push((format!("@{tag}"), None));
    oxrdf::Literal::new_simple_literal(literal.value())
}

fn mend_datatype(literal: oxrdf::Literal, written: &mut Written) -> oxrdf::Literal {
    let datatype = literal.datatype().as_str();
    match repair::iri(datatype) {
        Some(std::borrow::Cow::Borrowed(_)) => literal,
        repaired => {
            let repaired = repaired.map(std::borrow::Cow::into_owned);
            written.push((datatype.to_owned(), repaired.clone()));
            match repaired {
                Some(datatype) => {
                    oxrdf::Literal::new_typed_literal(literal.value(), NamedNode::new_unchecked(datatype))
                }
                None => oxrdf::Literal::new_simple_literal(literal.value()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(format: RdfFormat, text: &str) -> Input {
        let page = Url::parse("http://example.org/catalogue").unwrap();
        Input { page, format, body: Body::Memory(text.as_bytes().into()) }
    }

    fn lift(format: RdfFormat, text: &str) -> (Vec<(String, u32)>, Reading) {
        let mut triples = Vec::new();
        let reading = read(&input(format, text), &Contexts::default(), |lifted| {
            triples.push((lifted.triple.to_string(), lifted.line));
        });
        (triples, reading.unwrap())
    }

    #[test]
    fn knows_the_line_of_each_triple() {
        let (triples, _) =
            lift(RdfFormat::Turtle, "@prefix a: <http://a/> .\na:s a:p a:o ;\n  a:q [\n a:r 1 ] .\n");
        let lines: Vec<u32> = triples.iter().map(|(_, line)| *line).collect();
        assert_eq!(triples.len(), 3);
        assert!(lines[0] == 2 && lines.iter().all(|line| (2..=4).contains(line)), "{triples:?}");
    }

    #[test]
    fn one_bad_triple_costs_itself_only() {
        let text =
            "<http://a/1> <http://p> \"x\" .\n<http://a/2> <http://p> oops .\n<http://a/3> <http://p> \"z\" .\n";
        let (triples, reading) = lift(RdfFormat::Turtle, text);
        assert_eq!(triples.len(), 2, "{triples:?}");
        assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
        assert_eq!(reading.problems[0].line, 2);
        assert!(reading.problems[0].recovered);
    }

    #[test]
    fn keeps_what_comes_before_a_broken_element() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:a='http://a/'>\n\
            <rdf:Description rdf:about='http://a/1'><a:p>x</a:p></rdf:Description>\n\
            <rdf:Description rdf:about='http://a/2'><a:p>y</a:q></rdf:Description></rdf:RDF>";
        let (triples, reading) = lift(RdfFormat::RdfXml, text);
        assert_eq!(triples[0].0, "<http://a/1> <http://a/p> \"x\"");
        assert_eq!(reading.problems.len(), 1);
        assert!(!reading.problems[0].recovered);
        assert_eq!(reading.problems[0].line, 3);
    }

    #[test]
    fn a_document_that_just_ends_is_cut() {
        let whole = "<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:a='http://a/'>\n\
            <rdf:Description rdf:about='http://a/1'><a:p>x</a:p></rdf:Description></rdf:RDF >\n<!-- end -->\n";
        assert_eq!(lift(RdfFormat::RdfXml, whole).1.problems, []);
        for end in ["</rdf:RDF", "</rdf:Description", "<a:p>"] {
            let (_, reading) = lift(RdfFormat::RdfXml, &whole[..whole.rfind(end).unwrap()]);
            assert_eq!(reading.problems.len(), 1, "before {end}");
        }
        let empty = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>";
        assert_eq!(lift(RdfFormat::RdfXml, empty).1.problems, []);
    }

    #[test]
    fn repairs_iris_and_language_tags_and_says_so() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:a='http://a/'>\n\
            <rdf:Description rdf:about='http://a/1'><a:p rdf:resource='http://b/c d'/><a:q xml:lang='***'>y</a:q></rdf:Description></rdf:RDF>";
        let (triples, reading) = lift(RdfFormat::RdfXml, text);
        assert_eq!(triples[0].0, "<http://a/1> <http://a/p> <http://b/c%20d>");
        assert_eq!(triples[1].0, "<http://a/1> <http://a/q> \"y\"");
        let written: Vec<&str> = reading.repairs.iter().map(|repair| repair.written.as_str()).collect();
        assert_eq!(written, ["http://b/c d", "@***"]);
    }

    #[test]
    fn a_property_without_an_iri_keeps_its_statement() {
        let (triples, reading) = lift(RdfFormat::NTriples, "<http://a/1> <p q> \"x\" .\n");
        assert_eq!(triples[0].0, "<http://a/1> <https://moisson.dev/ns/invalid/p+q> \"x\"");
        assert_eq!(reading.repairs[0].written, "p q");
    }

    #[test]
    fn what_is_not_valid_is_left_to_the_lenient_reading() {
        let json_ld = RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() };
        let cases = [
            (RdfFormat::Turtle, "<http://a/1> <http://a/p> <http://a/o> .", true),
            (RdfFormat::Turtle, "<http://a/1> <http://a/p> <http://a/ o> .", false),
            (json_ld, r#"{"@id": "http://a/1", "http://a/p": {"@id": "http://a/ o"}}"#, false),
        ];
        for (format, text, is_valid) in cases {
            assert_eq!(read_valid(&input(format, text), |_| ()).unwrap(), is_valid, "{text}");
        }
    }

    #[test]
    fn passes_over_text_beside_a_resource() {
        let text = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:a='http://a/'>\n\
            <rdf:Description rdf:about='http://a/1'><a:p>x</a:p><a:q rdf:resource='http://b/'>stray</a:q></rdf:Description></rdf:RDF>";
        let (triples, reading) = lift(RdfFormat::RdfXml, text);
        assert_eq!(triples.len(), 2);
        assert!(reading.problems.is_empty());
        assert_eq!(reading.repairs[0].written, "'stray'");
    }

    #[test]
    fn names_the_context_that_it_needs() {
        let text = r#"{"@context": "https://c.example/x.jsonld", "@id": "http://a/1", "p": "x"}"#;
        let format = RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() };
        let outcome = read(&input(format, text), &Contexts::default(), |_| ());
        assert!(
            matches!(outcome, Err(LiftError::MissingContext { url, .. }) if url == "https://c.example/x.jsonld")
        );
    }

    #[test]
    fn refuses_entities_that_expand() {
        let page = Url::parse("http://example.org/x.rdf").unwrap();
        let bomb = br#"<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><r/>"#;
        let namespaces = br#"<!DOCTYPE r [<!ENTITY dct "http://purl.org/dc/terms/">]><r/>"#;
        let external = br#"<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r/>"#;
        assert!(refuse_entity_bombs(&page, bomb).is_err());
        assert!(refuse_entity_bombs(&page, external).is_err());
        assert!(refuse_entity_bombs(&page, namespaces).is_ok());
        let behind_a_comment = format!("<!-- {} -->{}", "x".repeat(70_000), String::from_utf8_lossy(bomb));
        assert!(refuse_entity_bombs(&page, behind_a_comment.as_bytes()).is_err());
        let quoted = "<!DOCTYPE r [ <!-- ' > --> <!ENTITY g '>'> <!ENTITY a SYSTEM 'x'> ]><r/>";
        assert!(refuse_entity_bombs(&page, quoted.as_bytes()).is_err());
        let wide: Vec<u8> = String::from_utf8_lossy(bomb).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [&[0xFF, 0xFE][..], &wide].concat();
        let opened = open(&page, None, Body::Memory(wide.into()));
        assert!(matches!(opened, Err(LiftError::DocumentType { .. })), "{opened:?}");
    }
}
