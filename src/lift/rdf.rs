//! Reading RDF as a stream of triples with their lines.

use super::LiftError;
use super::contexts::Contexts;
use super::mend::{Fault, Mender, Repair};
use super::open::{Input, MAX_PROLOGUE, blank_empty_base};
use super::parse::{Parsed, parse};
use oxrdf::{NamedNode, NamedOrBlankNode, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use std::collections::VecDeque;

/// A triple and the line at which it ended.
#[derive(Debug, Clone)]
pub struct LiftedTriple {
    /// The triple, with valid IRIs and blank nodes named the same at each reading.
    pub triple: Triple,
    /// The line, from 1.
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

/// Reads all triples of a page, in order; a large page is parsed while its first triples are mended and taken.
///
/// # Errors
/// [`LiftError::MissingContext`] when JSON-LD needs a context that `contexts` lacks.
pub fn read(input: &Input, contexts: &Contexts, mut take: impl FnMut(LiftedTriple)) -> Result<Reading, LiftError> {
    let length = input.body.size().map_err(|source| LiftError::Io { page: input.page.to_string(), source })?;
    let mut mending = Mending::default();
    let mut mend = |parsed| mending.mend(parsed, &mut take);
    if length <= LARGE {
        parse(input, contexts, &mut mend)?;
    } else {
        ahead(|give| parse(input, contexts, give), mend)?;
    }
    Ok(mending.reading)
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
    let mut bytes = input.body.read()?;
    if input.format == RdfFormat::RdfXml {
        let end = bytes.len().min(usize::try_from(MAX_PROLOGUE).unwrap_or(usize::MAX));
        blank_empty_base(&mut bytes[..end]);
    }
    let Ok(parser) = RdfParser::from_format(input.format).with_base_iri(input.page.as_str()) else {
        return Ok(false);
    };
    let parser = parser.for_slice(&bytes);
    let parse = |take: Taker<'_, Triple>| {
        let mut mender = Mender::default();
        for quad in parser {
            let Ok(quad) = quad else { return false };
            take(mender.named(quad));
        }
        true
    };
    Ok(if bytes.len() as u64 <= LARGE { parse(&mut take) } else { ahead(parse, take) })
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

/// Makes triples of what a parser says.
#[derive(Default)]
struct Mending {
    mender: Mender,
    tail: Tail,
    reading: Reading,
}

impl Mending {
    fn mend(&mut self, parsed: Parsed, take: &mut impl FnMut(LiftedTriple)) {
        let reading = &mut self.reading;
        match parsed {
            Parsed::Quad(quad, line) => {
                let lifted = self.mender.mend(quad, line, &mut reading.repairs);
                self.tail.note(&lifted);
                take(lifted);
            }
            Parsed::StrayText(text, line) => {
                reading.repairs.extend(self.tail.last().map(|last| stray_text(last, text, line)));
            }
            Parsed::Problem { line, message, cuts_behind, recovered } => {
                let tail = self.tail.behind(cuts_behind);
                reading.problems.push(SyntaxProblem { line, message, tail, recovered });
            }
        }
    }
}

/// The subjects of the last triples, for what a syntax error cuts.
#[derive(Default)]
struct Tail {
    subjects: VecDeque<(NamedOrBlankNode, u32)>,
    /// The predicate of the last triple; its text is written over again and again.
    predicate: String,
}

impl Tail {
    /// Triples about one subject in a row count once; a description in parts is longer than this rarely.
    const LENGTH: usize = 2_000;

    fn note(&mut self, lifted: &LiftedTriple) {
        let subject = &lifted.triple.subject;
        self.predicate.clear();
        self.predicate.push_str(lifted.triple.predicate.as_str());
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

    /// The subject and predicate of the last triple.
    fn last(&self) -> Option<(NamedOrBlankNode, NamedNode)> {
        let (subject, _) = self.subjects.back()?;
        Some((subject.clone(), NamedNode::new_unchecked(&self.predicate)))
    }

    /// The subjects that were spoken of behind a line, from the last one back.
    fn behind(&self, line: u32) -> Vec<NamedOrBlankNode> {
        let behind = self.subjects.iter().rev().take_while(|(_, end)| *end > line);
        behind.map(|(subject, _)| subject.clone()).collect()
    }
}

fn stray_text((subject, predicate): (NamedOrBlankNode, NamedNode), written: String, line: u32) -> Repair {
    Repair { fault: Fault::StrayText, subject, predicate, written, read_as: None, line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Body;
    use url::Url;

    fn input(format: RdfFormat, text: &str) -> Input {
        let page = Url::parse("http://example.org/catalogue").unwrap();
        Input::document(page, format, Body::Memory(text.as_bytes().into()))
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
    fn an_empty_base_is_the_page() {
        let text = "<rdf:RDF xml:base=\"\" xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:a='http://a/'>\n\
            <rdf:Description rdf:about='x'><a:p>y</a:p></rdf:Description></rdf:RDF>";
        let expected = "<http://example.org/x> <http://a/p> \"y\"";
        assert_eq!(lift(RdfFormat::RdfXml, text).0[0].0, expected);
        let mut valid = Vec::new();
        assert!(read_valid(&input(RdfFormat::RdfXml, text), |triple| valid.push(triple.to_string())).unwrap());
        assert_eq!(valid, [expected]);
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
}
